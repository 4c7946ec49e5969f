//! Where default priors lie and how wide they are: from the outcome on the scale of the link, and from each column.
//!
//! | of | prior | as in |
//! | --- | --- | --- |
//! | the intercept, at the means of the columns | StudentT(3, median, s) | brms |
//! | a coefficient | Normal(0, 2.5 s_y / s_x) | rstanarm |
//! | a group sd | HalfStudentT(3, s); of a slope's, HalfStudentT(3, s / s_x) | brms |
//! | a residual sd | HalfStudentT(3, s); under a log link, s from the outcome as it is | brms for the identity |
//!
//! with s = max(2.5, mad) and s_y = sd for the identity, else s_y = 1; median and mad (times 1.4826) are those of the
//! outcome on the link's scale, less the offset, and 0 where a link has no value at the outcomes (logit, probit,
//! cloglog). brms leaves coefficients flat, which lets separated data drive them to infinity; the scaled Normal of
//! rstanarm does not, and hardly moves what data determine.

use super::family::Family;
use crate::data::three_digits;
use crate::lang::ast::Link;

/// What the outcome says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// The median on the link's scale.
    pub(super) location: f64,
    /// The scale of the intercept and of sds, on the link's scale.
    pub(super) scale: f64,
    /// The scale of residuals, in units of the outcome whatever the link.
    pub(super) residual: f64,
    /// The scale of the coefficients of columns with sd 1.
    pub(super) slope: f64,
}

/// The least scale, as in brms: 2.5 for outcomes of about one unit.
const LEAST: f64 = 2.5;
/// The mad of a Normal distribution is its sd divided by this.
const MAD: f64 = 1.4826;

impl Outcome {
    /// Without an outcome's data.
    pub(super) const UNKNOWN: Self = Self {
        location: 0.0,
        scale: LEAST,
        residual: LEAST,
        slope: 2.5,
    };

    /// Of the outcome `y` and the offset, `[row]`. Without an intercept coefficients carry the level as well.
    pub(super) fn of(
        family: Family,
        link: Option<Link>,
        y: &[f64],
        offset: Option<&[f64]>,
        intercept: bool,
    ) -> Self {
        let at = |y: f64| match link {
            None => Some(y),
            // Zero counts have no logarithm; brms adds as much.
            Some(Link::Log) => [y, y + 0.1].into_iter().find(|x| *x > 0.0).map(f64::ln),
            Some(Link::Sqrt) => Some(y.max(0.0).sqrt()),
            Some(Link::Logit | Link::Probit | Link::Cloglog) => None,
        };
        let linear: Vec<f64> = y
            .iter()
            .enumerate()
            .filter_map(|(row, y)| Some(at(*y)? - offset.map_or(0.0, |offset| offset[row])))
            .collect();
        let wide = |mad: f64| three_digits(mad.max(LEAST));
        if linear.is_empty() {
            return Self::UNKNOWN;
        }
        let (location, mad) = (median(&linear), mad(&linear));
        let spread = match (link, family) {
            (Some(_), _) => 1.0,
            (None, Family::Student) if mad > 0.0 => mad,
            (None, _) => Some(sd(&linear)).filter(|sd| *sd > 0.0).unwrap_or(1.0),
        };
        let level = if intercept { 0.0 } else { root_mean_square(&linear) };
        Self {
            location: three_digits(location),
            scale: wide(mad),
            residual: wide(match link {
                None => mad,
                Some(_) => self::mad(y),
            }),
            slope: 2.5 * spread.max(level),
        }
    }
}

/// The spread of a column: its sd, or where it does not vary its size.
pub(super) fn spread(x: &[f64]) -> f64 {
    let sd = sd(x);
    if sd > 0.0 { sd } else { root_mean_square(x) }
}

/// Whether all numbers are the same.
pub(super) fn is_constant(x: &[f64]) -> bool {
    x.windows(2).all(|pair| pair[0] == pair[1])
}

fn median(x: &[f64]) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        f64::midpoint(sorted[half - 1], sorted[half])
    }
}

fn mad(x: &[f64]) -> f64 {
    let location = median(x);
    let distances: Vec<f64> = x.iter().map(|x| (x - location).abs()).collect();
    MAD * median(&distances)
}

fn sd(x: &[f64]) -> f64 {
    if x.len() < 2 || is_constant(x) {
        return 0.0;
    }
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let squares: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / (x.len() - 1) as f64).sqrt()
}

fn root_mean_square(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_follow_the_outcome() {
        let y = [10.0, 20.0, 30.0, 40.0, 100.0];
        let identity = Outcome::of(Family::Gaussian, None, &y, None, true);
        // The median is 30, the distances from it 20, 10, 0, 10, 70.
        assert_eq!((identity.location, identity.scale), (30.0, 14.8));
        assert!((identity.slope - 2.5 * sd(&y)).abs() < 1e-12);
        // With another unit all follow, beyond the least scale.
        let wider: Vec<f64> = y.iter().map(|y| 10.0 * y).collect();
        let tenfold = Outcome::of(Family::Gaussian, None, &wider, None, true);
        assert_eq!((tenfold.location, tenfold.scale), (300.0, 148.0));
        assert!((tenfold.slope / identity.slope - 10.0).abs() < 1e-12);
    }

    #[test]
    fn residuals_are_in_units_of_the_outcome() {
        let y = [100.0, 200.0, 300.0, 400.0, 1000.0];
        let outcome = Outcome::of(Family::Gaussian, Some(Link::Log), &y, None, true);
        assert_eq!((outcome.scale, outcome.residual), (LEAST, 148.0));
        let identity = Outcome::of(Family::Gaussian, None, &y, Some(&[50.0; 5]), true);
        assert_eq!((identity.scale, identity.residual), (148.0, 148.0));
    }

    #[test]
    fn counts_are_looked_at_as_logarithms_less_the_offset() {
        let y = [0.0, 10.0, 10.0];
        let plain = Outcome::of(Family::Poisson, Some(Link::Log), &y, None, true);
        assert_eq!(plain.location, three_digits(10.0_f64.ln()));
        let exposed = Outcome::of(Family::Poisson, Some(Link::Log), &y, Some(&[1.0; 3]), true);
        assert_eq!(exposed.location, three_digits(10.0_f64.ln() - 1.0));
        assert_eq!(plain.slope, 2.5);
    }

    #[test]
    fn probabilities_have_no_location() {
        let outcome = Outcome::of(Family::Binomial, Some(Link::Logit), &[3.0, 10.0], None, true);
        assert_eq!(outcome, Outcome::UNKNOWN);
    }

    #[test]
    fn numbers_of_priors_have_three_digits() {
        assert_eq!(
            [0.0, 12.3456, -0.0123456, 98765.0].map(three_digits),
            [0.0, 12.3, -0.0123, 98800.0]
        );
    }
}
