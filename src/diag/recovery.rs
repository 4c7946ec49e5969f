//! How well estimates of many simulated data sets hit the truth, with the Monte Carlo error of each measure.
//!
//! The measures are those of Morris, White and Crowther (2019, "Using simulation studies to evaluate statistical
//! methods", Statistics in Medicine 38, table 6). Where several elements (the groups of a size) are pooled, what is
//! averaged and whose spread gives the error are the means of whole replicates: elements of one data set are estimated
//! together and do not err independently.

use super::moments::{mean, variance};
use crate::error::{Error, Result};

/// A measure and its Monte Carlo standard error, in the same unit; the error of one replicate is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WithError {
    /// The measure.
    pub value: f64,
    /// How far it would move if the study ran again with other seeds.
    pub mcse: f64,
}

impl WithError {
    /// Mean and standard error of the mean of what replicates say.
    pub fn of(replicates: &[f64]) -> Self {
        Self {
            value: mean(replicates),
            mcse: (variance(replicates) / replicates.len() as f64).sqrt(),
        }
    }

    /// A smooth function of it, of which `value` and `slope` are given: the delta method.
    fn transformed(self, value: f64, slope: f64) -> Self {
        Self {
            value,
            mcse: self.mcse * slope,
        }
    }
}

/// Estimates and truths, all `[replicate][element]`.
#[derive(Debug, Clone, Copy)]
pub struct Recovered<'a> {
    elements: usize,
    estimates: &'a [f64],
    truths: &'a [f64],
    intervals: Option<(&'a [f64], &'a [f64])>,
}

/// The measures of some elements, pooled over all replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// Mean of estimate − truth.
    pub bias: WithError,
    /// Root of the mean of (estimate − truth)²; its error by the delta method from that of the mean square.
    pub rmse: WithError,
    /// Mean of |estimate − truth|.
    pub mean_absolute_error: WithError,
    /// Share of intervals that hold the truth, their ends included. Where all or none do, the error is 0 and says
    /// nothing; [`super::wilson`] does, for a single element.
    pub coverage: Option<WithError>,
    /// Mean width of the intervals.
    pub width: Option<WithError>,
}

impl<'a> Recovered<'a> {
    /// `elements` numbers in each replicate; `intervals` are lower and upper ends.
    ///
    /// Replicates that gave no estimate are left out by the caller, who says so: a number that is not finite makes the
    /// measures that rest on it NaN or infinite.
    ///
    /// # Errors
    ///
    /// A bug where the slices differ in length, or are empty or no whole number of replicates.
    pub fn new(
        elements: usize,
        estimates: &'a [f64],
        truths: &'a [f64],
        intervals: Option<(&'a [f64], &'a [f64])>,
    ) -> Result<Self> {
        let len = estimates.len();
        let are_whole = elements > 0 && len > 0 && len.is_multiple_of(elements);
        let are_equal = truths.len() == len
            && intervals.is_none_or(|(lower, upper)| lower.len() == len && upper.len() == len);
        if !(are_whole && are_equal) {
            return Err(Error::bug(format!(
                "recovery of {elements} elements from {len} estimates, {} truths and intervals of {:?}",
                truths.len(),
                intervals.map(|(lower, upper)| (lower.len(), upper.len()))
            )));
        }
        Ok(Self {
            elements,
            estimates,
            truths,
            intervals,
        })
    }

    /// Number of elements in each replicate.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Number of replicates.
    pub fn replicates(&self) -> usize {
        self.estimates.len() / self.elements
    }

    /// The measures of all elements together.
    pub fn all(&self) -> Recovery {
        self.of(&(0..self.elements).collect::<Vec<_>>())
    }

    /// The measures of these elements together, of one alone too; none of them gives NaN.
    ///
    /// # Panics
    ///
    /// If an element is not below [`Recovered::elements`].
    pub fn of(&self, elements: &[usize]) -> Recovery {
        let error = |i: usize| self.estimates[i] - self.truths[i];
        let mean_square = WithError::of(&self.means(elements, &|i| error(i) * error(i)));
        let rmse = mean_square.value.sqrt();
        Recovery {
            bias: WithError::of(&self.means(elements, &error)),
            // Errors that are all 0 have no spread either; the slope there is none.
            rmse: mean_square.transformed(rmse, if rmse > 0.0 { 0.5 / rmse } else { 0.0 }),
            mean_absolute_error: WithError::of(&self.absolute(elements)),
            coverage: self.intervals.map(|(lower, upper)| {
                let holds = |i: usize| f64::from(lower[i] <= self.truths[i] && self.truths[i] <= upper[i]);
                WithError::of(&self.means(elements, &holds))
            }),
            width: self
                .intervals
                .map(|(lower, upper)| WithError::of(&self.means(elements, &|i| upper[i] - lower[i]))),
        }
    }

    /// How much larger the mean absolute error of these elements is here than in `other` estimates of the same data
    /// sets, with the error of the paired difference: that of the data sets cancels.
    ///
    /// # Errors
    ///
    /// A bug where the two differ in replicates or elements.
    ///
    /// # Panics
    ///
    /// As [`Recovered::of`].
    pub fn absolute_error_beyond(&self, other: &Recovered<'_>, elements: &[usize]) -> Result<WithError> {
        if (self.replicates(), self.elements) != (other.replicates(), other.elements) {
            return Err(Error::bug(format!(
                "errors of {} × {} estimates beside {} × {}",
                self.replicates(),
                self.elements,
                other.replicates(),
                other.elements
            )));
        }
        let (own, others) = (self.absolute(elements), other.absolute(elements));
        let differences: Vec<f64> = own.iter().zip(&others).map(|(own, other)| own - other).collect();
        Ok(WithError::of(&differences))
    }

    /// |estimate − truth| of each element, averaged over the replicates.
    pub fn absolute_errors(&self) -> Vec<WithError> {
        (0..self.elements)
            .map(|element| WithError::of(&self.absolute(&[element])))
            .collect()
    }

    fn absolute(&self, elements: &[usize]) -> Vec<f64> {
        self.means(elements, &|i| (self.estimates[i] - self.truths[i]).abs())
    }

    /// The mean of a value over some elements, in each replicate.
    fn means(&self, elements: &[usize], value: &dyn Fn(usize) -> f64) -> Vec<f64> {
        let mut values = vec![0.0; elements.len()];
        (0..self.replicates())
            .map(|replicate| {
                for (place, element) in values.iter_mut().zip(elements) {
                    assert!(*element < self.elements, "element {element} of {}", self.elements);
                    *place = value(replicate * self.elements + element);
                }
                mean(&values)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn uniforms(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    fn close(found: WithError, value: f64, mcse: f64) {
        assert!((found.value - value).abs() < 1e-14, "{found:?} for {value}");
        assert!((found.mcse - mcse).abs() < 1e-14, "{found:?} with {mcse}");
    }

    /// Errors 1, −3 | 2, 0 | 3, −1 of two elements in three replicates.
    #[test]
    fn small_case_by_hand() {
        let estimates = [2.0, 2.0, 3.0, 5.0, 4.0, 4.0];
        let truths = [1.0, 5.0, 1.0, 5.0, 1.0, 5.0];
        let (lower, upper) = ([1.0, 1.0, 2.0, 4.0, 0.0, 3.0], [3.0, 3.0, 4.0, 6.0, 5.0, 5.0]);
        let recovered = Recovered::new(2, &estimates, &truths, Some((&lower, &upper))).unwrap();
        let all = recovered.all();
        // Replicate means −1, 1, 1; of squares 5, 2, 5; of absolute errors 2, 1, 2; of hits 1/2, 1/2, 1.
        close(all.bias, 1.0 / 3.0, (4.0_f64 / 3.0 / 3.0).sqrt());
        close(all.rmse, 2.0, (3.0_f64 / 3.0).sqrt() / 4.0);
        close(all.mean_absolute_error, 5.0 / 3.0, (1.0_f64 / 3.0 / 3.0).sqrt());
        close(all.coverage.unwrap(), 2.0 / 3.0, (1.0_f64 / 12.0 / 3.0).sqrt());
        // Widths 2, 2 | 2, 2 | 5, 2: means 2, 2, 3.5.
        close(all.width.unwrap(), 2.5, (0.75_f64 / 3.0).sqrt());
        close(recovered.of(&[0]).bias, 2.0, (1.0_f64 / 3.0).sqrt());
        assert_eq!(recovered.absolute_errors()[1].value, 4.0 / 3.0);
    }

    /// The spread of a measure over studies is what its error says: 2,000 studies of 40 replicates of five elements whose
    /// errors share a part. The share of that spread which is known this way is 1/√(2 · 2,000) = 1.6 %, and the mean
    /// of errors estimated from 40 replicates falls short by about 1/(4 · 40) = 0.6 %.
    #[test]
    fn errors_are_the_spread_over_studies() {
        let mut uniform = uniforms(11);
        let (mut biases, mut rmses, mut covers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..2000 {
            let (mut estimates, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..40 {
                let shared = uniform() - 0.5;
                for _ in 0..5 {
                    let estimate = shared + 0.5 * (uniform() - 0.5);
                    estimates.push(estimate);
                    lower.push(estimate - 0.4);
                    upper.push(estimate + 0.4);
                }
            }
            let truths = vec![0.0; estimates.len()];
            let recovered = Recovered::new(5, &estimates, &truths, Some((&lower, &upper))).unwrap();
            let all = recovered.all();
            biases.push(all.bias);
            rmses.push(all.rmse);
            covers.push(all.coverage.unwrap());
        }
        for (measures, naive) in [(biases, true), (rmses, false), (covers, false)] {
            let values: Vec<f64> = measures.iter().map(|measure| measure.value).collect();
            let errors: Vec<f64> = measures.iter().map(|measure| measure.mcse).collect();
            let ratio = mean(&errors) / variance(&values).sqrt();
            assert!((ratio - 1.0).abs() < 4.0 * 0.016 + 0.006, "{ratio}");
            if naive {
                // With elements taken for independent ones the error would be less than half of this.
                let single: f64 = (1.0 / 12.0 + 0.25 / 12.0) / 200.0;
                assert!(single.sqrt() < 0.6 * mean(&errors));
            }
        }
    }

    #[test]
    fn differences_are_paired() {
        // Both err by the same large part; the second by 0.1 more.
        let mut uniform = uniforms(5);
        let first: Vec<f64> = (0..300).map(|_| 10.0 * uniform()).collect();
        let second: Vec<f64> = first.iter().map(|x| x + 0.1).collect();
        let truths = vec![0.0; 300];
        let one = Recovered::new(3, &first, &truths, None).unwrap();
        let two = Recovered::new(3, &second, &truths, None).unwrap();
        let beyond = two.absolute_error_beyond(&one, &[0, 1, 2]).unwrap();
        assert!((beyond.value - 0.1).abs() < 1e-12 && beyond.mcse < 1e-12);
        let other = Recovered::new(2, &first, &truths, None).unwrap();
        assert!(other.absolute_error_beyond(&one, &[0]).is_err());
    }

    #[test]
    fn lengths_are_checked() {
        let x = [0.0; 6];
        assert!(Recovered::new(4, &x, &x, None).is_err());
        assert!(Recovered::new(0, &x, &x, None).is_err());
        assert!(Recovered::new(3, &x, &x[..3], None).is_err());
        assert!(Recovered::new(3, &x, &x, Some((&x, &x[..3]))).is_err());
        let exact = Recovered::new(3, &x, &x, None).unwrap().all();
        assert_eq!((exact.rmse.value, exact.rmse.mcse), (0.0, 0.0));
        assert_eq!(exact.coverage, None);
    }
}
