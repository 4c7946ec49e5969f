//! Means and variances.

use crate::num::sum::sum_each;

/// Arithmetic mean. Values are summed as differences from the first, so that the mean of equal values is exact and a
/// chain that never moved has variance 0 rather than a rounding error. NaN for an empty slice.
pub fn mean(values: &[f64]) -> f64 {
    let Some(&shift) = values.first() else {
        return f64::NAN;
    };
    shift + sum_each(values, |x| x - shift) / values.len() as f64
}

/// Unbiased variance (divisor n − 1); NaN for fewer than two values.
pub(super) fn variance(values: &[f64]) -> f64 {
    variance_about(values, mean(values))
}

/// Sum of squared deviations from `centre` over n − 1; NaN for fewer than two values.
pub fn variance_about(values: &[f64], centre: f64) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    sum_each(values, |x| (x - centre) * (x - centre)) / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_no_variance() {
        let values = [0.1; 7];
        assert_eq!(mean(&values), 0.1);
        assert_eq!(variance(&values), 0.0);
    }

    #[test]
    fn small_case_by_hand() {
        assert_eq!(mean(&[1., 2., 3., 6.]), 3.0);
        assert_eq!(variance(&[1., 2., 3., 6.]), 14.0 / 3.0);
        assert!(variance(&[1.]).is_nan());
    }
}
