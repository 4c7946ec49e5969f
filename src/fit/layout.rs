//! A fit as plain structs: what the fit file holds, and nothing of the crate around it.
//!
//! In the file the groups are those of ArviZ's InferenceData schema (posterior, sample_stats, log_likelihood,
//! observed_data, constant_data) and two more: `columns`, the data as used, and `state`, where the chains stand.

use std::sync::Arc;

use super::netcdf::{self, Values};
use super::{decode, encode};
use crate::diag::{Ebfmi, Status, Summary};
use crate::error::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// The version of the layout that this program writes, and the newest that it reads.
///
/// 2 came with [`Streamed`]; files without it are written as 1.
pub const FORMAT_VERSION: i64 = 2;

/// All of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// How it came about.
    pub run: Run,
    /// Parameters on their natural scale, then the derived quantities; empty if only a summary was kept.
    pub posterior: Vec<Quantity>,
    /// One entry per draw; none if only a summary was kept.
    pub sample_stats: Option<SampleStats>,
    /// What the draws that were not kept say; none if all were kept.
    pub streamed: Option<Streamed>,
    /// Pointwise log likelihood, one quantity per outcome; empty if it was too large to store.
    pub log_likelihood: Vec<Quantity>,
    /// The outcomes.
    pub observed: Vec<Array>,
    /// Other data that the model sees.
    pub constant: Vec<Array>,
    /// The columns of the data tables that the model uses, as they were read.
    pub columns: Vec<Column>,
    /// Where the chains stand, so that a later run can go on.
    pub state: State,
}

/// How a fit came about. All of it lies in attributes of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The model file's stem.
    pub model_name: String,
    /// The model as written.
    pub model_text: String,
    /// The model with every default spelt out.
    pub expansion: String,
    /// The command line.
    pub command: String,
    /// The version of tadpool that wrote the file.
    pub version: String,
    /// When, in ISO 8601.
    pub created_at: String,
    /// The seed of all random streams.
    pub seed: u64,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The name of the GPU adapter or processor, where known.
    pub adapter: Option<String>,
    /// `nuts` or `hmc`.
    pub sampler: String,
    /// Number of chains.
    pub chains: usize,
    /// Warm-up iterations of each chain.
    pub warmup: usize,
    /// Draws of each chain that are in the file; [`Fit::draws`] were made.
    pub draws: usize,
    /// Iterations per kept draw, 1 or above.
    pub thin: usize,
    /// Probability mass of the printed intervals.
    pub prob: f64,
    /// `hdi` or `eti`.
    pub interval: String,
    /// The data file's name.
    pub data_name: String,
    /// A hash of the data file's bytes, in hexadecimal.
    pub data_fingerprint: String,
    /// Rows of the main table.
    pub rows: usize,
    /// Why the run ended, unless after the draws asked for; a sentence.
    pub ending: Option<String>,
    /// Seconds and counts, as printed by `--format json`; stored as JSON text.
    pub timing: Value,
    /// Diagnostics, as printed by `--format json`; stored as JSON text.
    pub diagnostics: Value,
}

/// A named axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// The plate's name.
    pub name: String,
    /// One label per level. Written as whole numbers if all are, else as text.
    pub labels: Arc<[String]>,
}

/// Draws of a parameter, a derived quantity or a log likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// Name, such as `a_tank`.
    pub name: String,
    /// Axes of one draw, slowest first; none for a single number.
    pub dims: Vec<Dimension>,
    /// Whether it was computed from the draws afterwards.
    pub derived: bool,
    /// `[chain][draw][element]`.
    pub values: Vec<f64>,
}

/// What the sampler says about each draw, by ArviZ's names, each `[chain][draw]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleStats {
    /// Whether the trajectory diverged.
    pub diverging: Vec<bool>,
    /// Potential plus kinetic energy.
    pub energy: Vec<f64>,
    /// Log density of the position, on the unconstrained scale.
    pub lp: Vec<f64>,
    /// Acceptance probability, averaged over the trajectory.
    pub acceptance_rate: Vec<f64>,
    /// Step size of the integrator.
    pub step_size: Vec<f64>,
    /// Leapfrog steps.
    pub n_steps: Vec<i64>,
}

/// Moments and errors over all draws of a run that kept every `stride`th of them.
///
/// Vectors without a note have one entry for each number of the posterior, in order; undefined ones are NaN. Means,
/// standard deviations, divergences and energies are exact over all draws. The errors and effective sample sizes come
/// from batch means, see [`crate::diag::combine`]; the ranks behind the bulk's and the tails' are replaced by functions
/// that the first draws fixed, see [`crate::diag::Pilot`].
#[derive(Debug, Clone, PartialEq)]
pub struct Streamed {
    /// Draws that were made of each chain.
    pub draws: usize,
    /// Every how many of them are kept, a power of two.
    pub stride: usize,
    /// Divergent draws.
    pub divergences: usize,
    /// E-BFMI, `[chain]`.
    pub ebfmi: Vec<f64>,
    /// E-BFMI pooled over all chains.
    pub ebfmi_pooled: f64,
    /// Mean.
    pub mean: Vec<f64>,
    /// Standard deviation.
    pub sd: Vec<f64>,
    /// Monte Carlo standard error of the mean.
    pub mcse_mean: Vec<f64>,
    /// Monte Carlo standard error of the standard deviation.
    pub mcse_sd: Vec<f64>,
    /// Effective sample size of the bulk, in draws.
    pub ess_bulk: Vec<f64>,
    /// Effective sample size of the tails, in draws.
    pub ess_tail: Vec<f64>,
    /// Draws that are NaN or infinite.
    pub non_finite: Vec<i64>,
}

impl Streamed {
    /// E-BFMI over all draws.
    pub fn energies(&self) -> Ebfmi {
        Ebfmi {
            per_chain: self.ebfmi.clone(),
            pooled: self.ebfmi_pooled,
        }
    }

    /// Replaces what a summary of the kept draws says of the `element`th number by what all draws say.
    ///
    /// R-hat, median and interval stay those of the kept draws. Where these are all, so do the errors and sizes: from
    /// all draws they are better known than from a stream.
    pub fn complete(&self, element: usize, summary: &mut Summary) {
        if let Ok(count @ 1..) = usize::try_from(self.non_finite[element]) {
            *summary = Summary {
                status: Status::NonFinite { count },
                ..Summary::UNDEFINED
            };
            return;
        }
        summary.mean = self.mean[element];
        summary.sd = self.sd[element];
        if self.stride > 1 {
            summary.mcse_mean = self.mcse_mean[element];
            summary.mcse_sd = self.mcse_sd[element];
            summary.ess_bulk = self.ess_bulk[element];
            summary.ess_tail = self.ess_tail[element];
        }
    }
}

/// Data with named axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Name.
    pub name: String,
    /// Axes, slowest first.
    pub dims: Vec<Dimension>,
    /// Row-major elements.
    pub values: Values<'static>,
}

/// A column of a data table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The table's name; empty for the main one.
    pub table: String,
    /// The column's name.
    pub name: String,
    /// One value per row.
    pub values: ColumnValues,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Numbers; NaN where missing.
    Numbers(Vec<f64>),
    /// Labels.
    Labels {
        /// Every label once, in the order of the levels.
        levels: Vec<String>,
        /// The level of each row, from 0; −1 where missing.
        codes: Vec<i64>,
    },
}

impl Column {
    /// The cells as text, empty where missing; numbers in the shortest text that reads back as the same.
    pub fn cells(&self) -> Vec<String> {
        match &self.values {
            ColumnValues::Numbers(values) => values
                .iter()
                .map(|x| if x.is_nan() { String::new() } else { x.to_string() })
                .collect(),
            ColumnValues::Labels { levels, codes } => codes
                .iter()
                .map(|code| {
                    let level = usize::try_from(*code).ok().and_then(|code| levels.get(code));
                    level.cloned().unwrap_or_default()
                })
                .collect(),
        }
    }
}

/// Where the chains stand.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The version of the arrays' meaning, owned by the sampler.
    pub version: i64,
    /// Positions, metric, step sizes, stream counters.
    pub arrays: Vec<StateArray>,
}

/// One array of the state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateArray {
    /// Name.
    pub name: String,
    /// Length of each axis, slowest first.
    pub shape: Vec<usize>,
    /// Row-major elements.
    pub values: Values<'static>,
}

impl Fit {
    /// Draws that were made of each chain, kept or not.
    pub fn draws(&self) -> usize {
        self.streamed
            .as_ref()
            .map_or(self.run.draws, |streamed| streamed.draws)
    }

    /// Writes the fit file. An older file at `path` is replaced only once the new one is whole.
    ///
    /// # Errors
    ///
    /// An environment error where the file cannot be written; a bug where shapes disagree.
    pub fn write(&self, path: &Path) -> Result<()> {
        netcdf::write(&encode::file(self)?, path)
    }

    /// Reads a fit file.
    ///
    /// # Errors
    ///
    /// A user error for files that tadpool did not write or a newer tadpool wrote, an environment error for
    /// unreadable, cut or damaged ones.
    pub fn read(path: &Path) -> Result<Self> {
        decode::fit(netcdf::read(path)?).map_err(|fault| fault.at(path))
    }
}

impl decode::Fault {
    fn at(self, path: &Path) -> Error {
        let shown = path.display();
        match self {
            decode::Fault::Unsigned => Error::user(format!(
                "`{shown}` is a NetCDF-4 file, but no fit file: the attribute `tadpool_version` is missing"
            ))
            .with_help("give a file that `tadpool fit` wrote"),
            decode::Fault::Newer { version, format } => Error::user(format!(
                "`{shown}` was written by tadpool {version} in format {format}; this tadpool reads formats up to {FORMAT_VERSION}"
            ))
            .with_help(format!("use tadpool {version} or newer")),
            decode::Fault::Incomplete { version, what } => {
                Error::environment(format!("`{shown}`, written by tadpool {version}, is incomplete: {what}"))
                    .with_help("it was changed since; take the original file, or repeat `tadpool fit`")
            }
        }
    }
}
