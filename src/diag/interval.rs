//! Credible intervals of sorted draws.

use super::quantile::quantile;
use crate::error::{Error, Result};

/// How an interval is laid through the draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interval {
    /// Highest density interval: the narrowest one ([`hdi`]).
    #[default]
    Hdi,
    /// Equal-tailed interval: the same probability left out on both sides ([`eti`]).
    Eti,
}

impl Interval {
    /// The name on the command line and in JSON: `hdi` or `eti`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hdi => "hdi",
            Self::Eti => "eti",
        }
    }

    /// Lower and upper end of this interval over ascending draws.
    pub fn of(self, ascending: &[f64], prob: Prob) -> (f64, f64) {
        match self {
            Self::Hdi => hdi(ascending, prob),
            Self::Eti => eti(ascending, prob),
        }
    }
}

/// The probability that an interval holds, strictly between 0 and 1; 0.89 unless told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prob(f64);

impl Prob {
    /// # Errors
    ///
    /// A user error unless 0 < `prob` < 1.
    pub fn new(prob: f64) -> Result<Self> {
        if prob > 0.0 && prob < 1.0 {
            return Ok(Self(prob));
        }
        let error = Error::user(format!(
            "an interval's probability must lie strictly between 0 and 1, but it is {prob}"
        ));
        Err(if (1.0..100.0).contains(&prob) {
            error.with_help(format!("for {prob} % give {}", prob / 100.0))
        } else {
            error.with_help("give for example 0.89")
        })
    }

    /// The probability as a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Prob {
    fn default() -> Self {
        Self(0.89)
    }
}

/// The narrowest interval between two order statistics that lie ⌊prob·S⌋ apart, the first one on ties (ArviZ's `hdi`
/// with method `nearest`). NaN for an empty slice.
///
/// One interval: for a posterior with several modes it may span the gap between them.
pub fn hdi(ascending: &[f64], prob: Prob) -> (f64, f64) {
    let Some(last) = ascending.len().checked_sub(1) else {
        return (f64::NAN, f64::NAN);
    };
    let apart = ((prob.0 * ascending.len() as f64).floor() as usize).min(last);
    let width = |i: &usize| ascending[i + apart] - ascending[*i];
    let mut narrowest = 0;
    for i in 1..ascending.len() - apart {
        if width(&i) < width(&narrowest) {
            narrowest = i;
        }
    }
    (ascending[narrowest], ascending[narrowest + apart])
}

/// The interval between the quantiles (1 − prob)/2 and 1 − (1 − prob)/2; NaN for an empty slice.
pub fn eti(ascending: &[f64], prob: Prob) -> (f64, f64) {
    let tail = (1.0 - prob.0) / 2.0;
    (quantile(ascending, tail), quantile(ascending, 1.0 - tail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hdi_leaves_the_long_tail_out() {
        let x = [0., 1., 2., 3., 4., 5., 6., 7., 8., 100.];
        assert_eq!(hdi(&x, Prob(0.8)), (0.0, 8.0));
        assert!(hdi(&[], Prob(0.8)).0.is_nan());
        assert_eq!(hdi(&[3.0], Prob(0.999)), (3.0, 3.0));
    }

    #[test]
    fn probabilities_are_checked() {
        for bad in [0.0, 1.0, -0.5, 89.0, f64::NAN] {
            assert!(Prob::new(bad).is_err(), "{bad}");
        }
        let error = Prob::new(89.0).unwrap_err();
        assert_eq!(error.help(), Some("for 89 % give 0.89"));
        assert_eq!(Prob::new(0.5).unwrap().get(), 0.5);
    }

    proptest! {
        /// Widths may round by an ulp, hence the slack.
        #[test]
        fn hdi_covers_and_is_no_wider_than_other_intervals(
            mut x in prop::collection::vec(-10.0f64..10.0, 1..300), prob in 0.01f64..0.99,
        ) {
            x.sort_by(f64::total_cmp);
            let (low, high) = hdi(&x, Prob(prob));
            let inside = x.iter().filter(|v| (low..=high).contains(*v)).count();
            prop_assert!(inside as f64 >= prob * x.len() as f64);
            for (i, start) in x.iter().enumerate() {
                if let Some(end) = x.get(i + inside - 1) {
                    prop_assert!(high - low <= end - start + 1e-12);
                }
            }
        }

        /// Of a right-skewed sample, where the two differ, the equal-tailed interval lies further out and is wider.
        #[test]
        fn hdi_of_a_skewed_sample_is_narrower_than_eti(prob in 0.1f64..0.95) {
            let x: Vec<f64> = (0..2000).map(|i| -((1999.5 - f64::from(i)) / 2000.0).ln()).collect();
            let (low, high) = hdi(&x, Prob(prob));
            let (tail_low, tail_high) = eti(&x, Prob(prob));
            prop_assert!(high - low < tail_high - tail_low);
            prop_assert!(low < tail_low && high < tail_high);
        }
    }
}
