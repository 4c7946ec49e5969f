//! The kinds of pictures, and what each takes from fits.

mod criteria;
mod groups;
mod posterior;
mod predictive;
mod rows;
mod sampling;

use super::scene::{Picture, Scene};
use super::source::{Options, Source};
use crate::error::{Error, Result};

pub(crate) use rows::{Means, means};

/// A kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Draws over time, and how the ranks of each chain spread.
    Trace,
    /// Means and intervals below each other.
    Forest,
    /// Densities.
    Density,
    /// Densities of many numbers above each other.
    Ridge,
    /// Every two numbers against each other, with the draws that diverged.
    Pair,
    /// Energies and their changes.
    Energy,
    /// Effective draws by number of draws.
    Ess,
    /// Autocorrelations by lag.
    Autocorrelation,
    /// Observed against estimated, group by group.
    Shrinkage,
    /// The distribution that groups come from, and new groups.
    Population,
    /// New data of the model beside the data.
    Ppc,
    /// Predicted against observed, by group.
    Calibration,
    /// Prior against posterior.
    Prior,
    /// Predictions for settings of the covariates.
    Predictions,
    /// Absolute errors of estimates whose truth is known.
    Error,
    /// Models by how well they predict.
    Compare,
    /// How far the elpd of each row can be trusted.
    ParetoK,
}

/// A picture and the name of its file without an extension.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// `KIND`, or `FIT-KIND` where there is one picture for each of several fits.
    pub stem: String,
    /// The picture.
    pub picture: Picture,
}

impl Kind {
    /// Every kind, in the order in which they are drawn.
    pub const ALL: [Kind; 17] = [
        Kind::Trace,
        Kind::Forest,
        Kind::Density,
        Kind::Ridge,
        Kind::Pair,
        Kind::Energy,
        Kind::Ess,
        Kind::Autocorrelation,
        Kind::Shrinkage,
        Kind::Population,
        Kind::Ppc,
        Kind::Calibration,
        Kind::Prior,
        Kind::Predictions,
        Kind::Error,
        Kind::Compare,
        Kind::ParetoK,
    ];

    /// Its name on the command line and in names of files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Trace => "trace",
            Kind::Forest => "forest",
            Kind::Density => "density",
            Kind::Ridge => "ridge",
            Kind::Pair => "pair",
            Kind::Energy => "energy",
            Kind::Ess => "ess",
            Kind::Autocorrelation => "autocorrelation",
            Kind::Shrinkage => "shrinkage",
            Kind::Population => "population",
            Kind::Ppc => "ppc",
            Kind::Calibration => "calibration",
            Kind::Prior => "prior",
            Kind::Predictions => "predictions",
            Kind::Error => "error",
            Kind::Compare => "compare",
            Kind::ParetoK => "pareto-k",
        }
    }

    /// What it shows, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Kind::Trace => "draws over time, chain by chain, with rank bars",
            Kind::Forest => "means and intervals below each other, several fits side by side",
            Kind::Density => "densities; of the chosen parameters and fits on one axis",
            Kind::Ridge => "densities of many parameters above each other",
            Kind::Pair => "parameters against each other, with the draws that diverged",
            Kind::Energy => "energies and their changes",
            Kind::Ess => "effective draws by number of draws",
            Kind::Autocorrelation => "autocorrelations by lag",
            Kind::Shrinkage => "observed against estimated, group by group, with the overall line",
            Kind::Population => "the distribution that groups come from, in a hundred draws, and new groups",
            Kind::Ppc => "posterior predictive: densities or bars, cumulative shares, by group",
            Kind::Calibration => "predicted against observed, by group",
            Kind::Prior => "prior against posterior",
            Kind::Predictions => "predictions for the settings of --grid",
            Kind::Error => "absolute errors by size of group, of what --truth knows",
            Kind::Compare => "fits of the same data by how well they predict (PSIS-LOO)",
            Kind::ParetoK => "Pareto k of each row: how far PSIS-LOO can be trusted",
        }
    }

    /// Whether several fits share one picture.
    fn is_joint(self) -> bool {
        match self {
            Kind::Forest | Kind::Density | Kind::Ridge | Kind::Compare => true,
            Kind::Trace
            | Kind::Pair
            | Kind::Energy
            | Kind::Ess
            | Kind::Autocorrelation
            | Kind::Shrinkage
            | Kind::Population
            | Kind::Ppc
            | Kind::Calibration
            | Kind::Prior
            | Kind::Predictions
            | Kind::Error
            | Kind::ParetoK => false,
        }
    }

    fn scene(self, fits: &[Source<'_>], options: &Options) -> Result<Scene> {
        let one = || fits.first().ok_or_else(|| Error::bug("a picture of no fit"));
        match self {
            Kind::Trace => sampling::trace(one()?, options),
            Kind::Forest => posterior::forest(fits, options),
            Kind::Density => posterior::density(fits, options),
            Kind::Ridge => posterior::ridge(fits, options),
            Kind::Pair => sampling::pair(one()?, options),
            Kind::Energy => sampling::energy(one()?, options),
            Kind::Ess => sampling::ess(one()?, options),
            Kind::Autocorrelation => sampling::autocorrelation(one()?, options),
            Kind::Shrinkage => groups::shrinkage(one()?, options),
            Kind::Population => groups::population(one()?, options),
            Kind::Ppc => predictive::ppc(one()?, options),
            Kind::Calibration => groups::calibration(one()?, options),
            Kind::Prior => predictive::prior(one()?, options),
            Kind::Predictions => predictive::predictions(one()?, options),
            Kind::Error => groups::error(one()?, options),
            Kind::Compare => criteria::compare(fits, options),
            Kind::ParetoK => criteria::pareto_k(one()?, options),
        }
    }
}

/// Draws a kind of picture of some fits: one picture, or one for each fit.
///
/// # Errors
///
/// A user error where the fits cannot give this kind, with the reason, and where `options.vars` choose nothing or too
/// much.
pub fn draw(kind: Kind, fits: &[Source<'_>], options: &Options) -> Result<Vec<Drawn>> {
    let drawn = |(stem, scene): (String, Scene)| -> Result<Drawn> {
        Ok(Drawn {
            stem,
            picture: scene.picture(options.scale)?,
        })
    };
    scenes(kind, fits, options)?.into_iter().map(drawn).collect()
}

/// The picture that a kind makes of one fit, or of several that it puts side by side, as the text of an SVG alone.
///
/// # Errors
///
/// As [`draw()`].
pub(crate) fn drawn_svg(kind: Kind, fits: &[Source<'_>], options: &Options) -> Result<String> {
    Ok(kind.scene(fits, options)?.svg())
}

/// What a kind makes of some fits, with the stems of files.
fn scenes(kind: Kind, fits: &[Source<'_>], options: &Options) -> Result<Vec<(String, Scene)>> {
    if kind.is_joint() || fits.len() == 1 {
        return Ok(vec![(kind.name().to_owned(), kind.scene(fits, options)?)]);
    }
    fits.iter()
        .map(|fit| {
            let scene = kind.scene(std::slice::from_ref(fit), options)?;
            Ok((format!("{}-{}", fit.name, kind.name()), scene))
        })
        .collect()
}
