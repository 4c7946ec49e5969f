//! What the draws of one number say: location, spread, interval.

use crate::diag::{Interval, Prob, mean, variance_about};

/// Mean, standard deviation and interval of some draws; NaN where a draw is not finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation (divisor S − 1).
    pub sd: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
}

impl Spread {
    /// Of these draws, in any order.
    pub fn of(draws: &[f64], interval: Interval, prob: Prob) -> Self {
        if draws.iter().any(|x| !x.is_finite()) {
            return Self {
                mean: f64::NAN,
                sd: f64::NAN,
                lower: f64::NAN,
                upper: f64::NAN,
            };
        }
        let centre = mean(draws);
        let mut ascending = draws.to_vec();
        ascending.sort_unstable_by(f64::total_cmp);
        let (lower, upper) = interval.of(&ascending, prob);
        Self {
            mean: centre,
            sd: variance_about(draws, centre).sqrt(),
            lower,
            upper,
        }
    }
}
