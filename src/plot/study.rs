//! Pictures of simulation studies: numbers of [`crate::diag`] in, a picture out.
//!
//! They are of many fits, and take no [`super::Source`]; of [`Options`] the width and the scale count.

use super::chart::{coverage, errors, power, rank_bars, rank_ecdf};
use super::scene::Picture;
use super::source::Options;
use crate::diag::calibration::Band;
use crate::error::Result;

pub use super::chart::coverage::{Recovered, Spread};
pub use super::chart::effects::Places;
pub use super::chart::errors::{Method, Place};
pub use super::chart::power::Curve;
pub use super::chart::rank_ecdf::Ranked;

/// Title and subtitle, what is shown and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heading<'a> {
    /// What.
    pub title: &'a str,
    /// How; one line, cut where it is too long.
    pub subtitle: &'a str,
}

impl<'a> Heading<'a> {
    fn both(self) -> (&'a str, &'a str) {
        (self.title, self.subtitle)
    }
}

/// The distribution functions of ranks less that of uniform ones, a panel a quantity, with the band of all; of more than
/// `most` quantities those with the smallest p-values, and a line that says so.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn rank_ecdfs(
    heading: Heading<'_>,
    band: &Band,
    ranked: &[Ranked<'_>],
    most: usize,
    options: &Options,
) -> Result<Picture> {
    rank_ecdf::scene(options.width, heading.both(), band, ranked, most).picture(options.scale)
}

/// Histograms of ranks, a panel a quantity, the quantities chosen as by [`rank_ecdfs`]; `interval` names that of the bins'
/// bands: `99 % interval`.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn rank_histograms(
    heading: Heading<'_>,
    interval: &str,
    ranked: &[Ranked<'_>],
    most: usize,
    options: &Options,
) -> Result<Picture> {
    rank_bars::scene(options.width, heading.both(), interval, ranked, most).picture(options.scale)
}

/// Absolute errors by group, sorted by size, with the mean of each size as a line: McElreath (2020), figure 13.3. `axes`
/// are the titles of both; up to three methods, the model in question first.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn absolute_errors(
    heading: Heading<'_>,
    axes: (&str, &str),
    places: &[Place],
    methods: &[Method],
    options: &Options,
) -> Result<Picture> {
    errors::scene(options.width, heading.both(), axes, places, methods).picture(options.scale)
}

/// Bias and coverage, a row a quantity. `nominal` is the probability of the intervals whose coverage is shown, `interval`
/// names that of the Monte Carlo error: `± 2 Monte Carlo errors`.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn coverages(
    heading: Heading<'_>,
    nominal: f64,
    interval: &str,
    rows: &[Recovered],
    options: &Options,
) -> Result<Picture> {
    coverage::scene(options.width, heading.both(), (nominal, interval), rows).picture(options.scale)
}

/// How probable it is that designs meet a criterion: places along the x axis, a curve for each value of a second
/// variable. `axes` are the titles of both; `interval` names that of the shares: `89 % interval`.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn powers(
    heading: Heading<'_>,
    axes: (&str, &str),
    interval: &str,
    places: &Places,
    curves: &[Curve],
    options: &Options,
) -> Result<Picture> {
    power::scene(options.width, heading.both(), axes, interval, places, curves).picture(options.scale)
}
