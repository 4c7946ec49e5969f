//! What `standardize` and `center` learned from a column, kept for new data.

use super::label::number_label;
use crate::error::{Error, Result};

/// A shift and a division: x ↦ (x − shift) / scale, in the units of the column that they were learned from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learned {
    /// The mean of the values.
    pub shift: f64,
    /// Their sample standard deviation (division by n − 1), or 1 where they are only centred.
    pub scale: f64,
}

impl Learned {
    /// Learns mean and sample standard deviation of the values that are not NaN. `what` names them in errors.
    ///
    /// # Errors
    ///
    /// A user error if fewer than two values are there, or all are the same.
    pub fn standardize(what: &str, values: &[f64]) -> Result<Self> {
        let present = present(values);
        let head = format!("`{what}` cannot be standardised");
        if present.len() < 2 {
            return Err(Error::user(format!(
                "{head}: it has {} value{}, and a standard deviation needs two",
                present.len(),
                if present.len() == 1 { "" } else { "s" }
            )));
        }
        if present.iter().all(|x| *x == present[0]) {
            return Err(Error::user(format!(
                "{head}: all its {} values are {}, so its standard deviation is 0",
                present.len(),
                number_label(present[0])
            ))
            .with_help("leave it out of the model: a constant explains no difference between rows"));
        }
        let shift = mean(&present);
        Ok(Self {
            shift,
            scale: sample_sd(&present, shift),
        })
    }

    /// Learns the mean of the values that are not NaN. `what` names them in errors.
    ///
    /// # Errors
    ///
    /// A user error if there is no value.
    pub fn center(what: &str, values: &[f64]) -> Result<Self> {
        let present = present(values);
        if present.is_empty() {
            return Err(Error::user(format!(
                "`{what}` cannot be centred: it has no values"
            )));
        }
        Ok(Self {
            shift: mean(&present),
            scale: 1.0,
        })
    }

    /// The values shifted and scaled; NaN stays NaN. Same shape.
    pub fn apply(&self, values: &[f64]) -> Vec<f64> {
        values.iter().map(|x| (x - self.shift) / self.scale).collect()
    }
}

fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|x| !x.is_nan()).collect()
}

/// The mean of at least one finite value, in two passes: the second adds the mean of what the first left over, so that
/// its error does not grow with the number of values. Divides before it sums, so that values near 1e300 do not overflow.
fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let first: f64 = values.iter().map(|x| x / n).sum();
    first + values.iter().map(|x| (x - first) / n).sum::<f64>()
}

/// The sample standard deviation of at least two finite values around their mean, scaled by the largest deviation so
/// that squares neither overflow nor vanish.
fn sample_sd(values: &[f64], mean: f64) -> f64 {
    let largest = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    let squares: f64 = values.iter().map(|x| ((x - mean) / largest).powi(2)).sum();
    largest * (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few roundings of a handful of numbers.
    fn assert_close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 8.0 * f64::EPSILON * expected.abs(),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn the_standard_deviation_divides_by_n_minus_1() {
        // Σ(x − 5)² = 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32 over 7.
        let learned =
            Learned::standardize("x", &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).expect("they differ");
        assert_close(learned.shift, 5.0);
        assert_close(learned.scale, (32.0_f64 / 7.0).sqrt());
    }

    #[test]
    fn standardised_values_have_mean_0_and_sd_1_far_from_the_origin() {
        let values: Vec<f64> = (0..1000).map(|i| 1e6 + f64::from(i * i % 37)).collect();
        let again = Learned::standardize("x", &values)
            .expect("they differ")
            .apply(&values);
        // Values near 1e6 are known to 1e6 ε, and so is their mean; the deviations are of order 10.
        let tolerance = 1e6 * f64::EPSILON;
        let mean = again.iter().sum::<f64>() / 1000.0;
        let sd = (again.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 999.0).sqrt();
        assert!(mean.abs() < tolerance, "{mean}");
        assert!((sd - 1.0).abs() < tolerance, "{sd}");
    }

    #[test]
    fn missing_values_are_left_out_and_stay() {
        let learned = Learned::standardize("x", &[1.0, f64::NAN, 3.0]).expect("they differ");
        assert_close(learned.shift, 2.0);
        let applied = learned.apply(&[f64::NAN, 2.0]);
        assert!(applied[0].is_nan());
        assert_eq!(applied[1], 0.0);
    }

    #[test]
    fn centring_keeps_the_unit() {
        let learned = Learned::center("x", &[1.0, 2.0, 6.0]).expect("values");
        assert_eq!(learned.apply(&[3.0, 10.0]), [0.0, 7.0]);
    }

    #[test]
    fn constants_and_single_values_have_no_scale() {
        assert_eq!(
            Learned::standardize("income", &[0.1; 48])
                .expect_err("constant")
                .to_string(),
            "error: `income` cannot be standardised: all its 48 values are 0.1, so its standard deviation is 0\nhelp: \
             leave it out of the model: a constant explains no difference between rows"
        );
        assert_eq!(
            Learned::standardize("x", &[1.0, f64::NAN])
                .expect_err("one value")
                .message(),
            "`x` cannot be standardised: it has 1 value, and a standard deviation needs two"
        );
        assert_eq!(
            Learned::center("x", &[f64::NAN]).expect_err("no value").message(),
            "`x` cannot be centred: it has no values"
        );
    }

    #[test]
    fn huge_and_tiny_values_neither_overflow_nor_vanish() {
        let huge = Learned::standardize("x", &[1e300, -1e300]).expect("they differ");
        assert_close(huge.scale, 1e300 * 2.0_f64.sqrt());
        let tiny = Learned::standardize("x", &[1e-300, 3e-300]).expect("they differ");
        assert_close(tiny.scale, 1e-300 * 2.0_f64.sqrt());
    }
}
