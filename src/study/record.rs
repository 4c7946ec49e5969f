//! What is kept of a replicate: how its fit went, and numbers about each quantity. Draws are not kept.

use std::sync::Arc;

use crate::diag::Summary;

/// How the fit of a replicate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It converged at the first try.
    Ok,
    /// It converged at the second try, which is longer, with shorter steps, from other starting points.
    Retried,
    /// It converged, but some of its transitions still diverged at the second try.
    Diverged,
    /// Its chains still disagreed, or had too few effective draws, after the second try, whether or not they diverged.
    Unconverged,
    /// There are no draws: no finite starting point, numbers that are not finite, a data set that the model refuses.
    Failed,
}

impl Status {
    /// All, in the order in which they are counted.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Retried,
        Self::Diverged,
        Self::Unconverged,
        Self::Failed,
    ];

    /// The word in tables and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retried => "retried",
            Self::Diverged => "diverged",
            Self::Unconverged => "unconverged",
            Self::Failed => "failed",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether the fit can be trusted.
    pub fn is_sound(self) -> bool {
        matches!(self, Self::Ok | Self::Retried)
    }
}

/// How the fit of one replicate went.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The replicate's number in the study, from 0.
    pub replicate: u32,
    /// How it ended.
    pub status: Status,
    /// Draws over all chains.
    pub draws: u32,
    /// Divergent transitions after warm-up.
    pub divergences: u32,
    /// The largest R-hat of all quantities; NaN without draws.
    pub max_rhat: f64,
    /// The least bulk effective sample size of all quantities; NaN without draws.
    pub min_ess: f64,
    /// Gradients of all tries.
    pub gradient_evaluations: u64,
    /// What went wrong, for people; empty if nothing did.
    pub message: String,
}

/// What a quantity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A parameter.
    Parameter,
    /// Computed from parameters by a line of the model.
    Derived,
    /// The mean outcome of a group.
    Mean,
    /// The log likelihood of all observations together.
    LogLik,
    /// The probability that a criterion speaks of.
    Criterion,
    /// The log predictive density of observations that were left out.
    Elpd,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::Parameter,
        Self::Derived,
        Self::Mean,
        Self::LogLik,
        Self::Criterion,
        Self::Elpd,
    ];

    /// The word in tables and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Derived => "derived",
            Self::Mean => "mean",
            Self::LogLik => "log_lik",
            Self::Criterion => "criterion",
            Self::Elpd => "elpd",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Numbers about one quantity in one replicate. Those that a study does not make are NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The replicate's number in the study, from 0.
    pub replicate: u32,
    /// What it is.
    pub kind: Kind,
    /// Its printed name.
    pub quantity: Arc<str>,
    /// The value that the data were simulated with.
    pub truth: f64,
    /// Posterior mean.
    pub mean: f64,
    /// Posterior standard deviation.
    pub sd: f64,
    /// Monte Carlo standard error of the mean.
    pub mcse_mean: f64,
    /// Posterior median.
    pub median: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Effective sample size of the bulk, in draws.
    pub ess_bulk: f64,
    /// R-hat.
    pub rhat: f64,
    /// How many of the thinned draws lie below the truth, ties broken at random.
    pub rank: f64,
    /// Of a group: its size, in trials where the outcome counts successes out of several, else in rows.
    pub size: f64,
    /// Of a group: the mean outcome of its own rows.
    pub no_pooling: f64,
    /// Of a group: the mean outcome of all rows.
    pub complete_pooling: f64,
}

impl Estimate {
    /// Nothing is known but what it is about.
    pub fn unknown(replicate: u32, kind: Kind, quantity: Arc<str>) -> Self {
        Self {
            replicate,
            kind,
            quantity,
            truth: f64::NAN,
            mean: f64::NAN,
            sd: f64::NAN,
            mcse_mean: f64::NAN,
            median: f64::NAN,
            lower: f64::NAN,
            upper: f64::NAN,
            ess_bulk: f64::NAN,
            rhat: f64::NAN,
            rank: f64::NAN,
            size: f64::NAN,
            no_pooling: f64::NAN,
            complete_pooling: f64::NAN,
        }
    }
}

impl Estimate {
    /// The same with what a summary of its draws says.
    pub(super) fn summarised(self, summary: &Summary) -> Self {
        Self {
            mean: summary.mean,
            sd: summary.sd,
            mcse_mean: summary.mcse_mean,
            median: summary.median,
            lower: summary.lower,
            upper: summary.upper,
            ess_bulk: summary.ess_bulk,
            rhat: summary.rhat,
            ..self
        }
    }
}

/// Consecutive replicates with their numbers: what a wave makes and a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// Ascending by replicate.
    pub records: Vec<Record>,
    /// Ascending by replicate, within one in the order of the model.
    pub estimates: Vec<Estimate>,
}

impl Part {
    /// Appends a part of later replicates.
    pub fn append(&mut self, mut other: Self) {
        self.records.append(&mut other.records);
        self.estimates.append(&mut other.estimates);
    }

    /// How many replicates ended so.
    pub fn count(&self, status: Status) -> usize {
        self.records
            .iter()
            .filter(|record| record.status == status)
            .count()
    }
}
