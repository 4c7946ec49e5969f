//! The flags of `tadpool report`.

use std::path::PathBuf;

use clap::Args;

use super::values::{choice, probability};
use crate::diag::{Interval, Prob};
use crate::report::Options;

/// `tadpool report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The fit files that `tadpool fit` wrote; several are compared first, and then each has its part.
    #[arg(value_name = "FIT", required = true)]
    pub(crate) fits: Vec<PathBuf>,
    /// The page; an older one is replaced only whole, at the end.
    #[arg(long, value_name = "HTML", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Probability that an interval holds, between 0 and 1.
    #[arg(long, value_name = "P", default_value = "0.89", value_parser = probability)]
    pub(crate) prob: Prob,
    /// Kind of interval: the narrowest one (highest density) or the one with equal tails.
    #[arg(long, value_name = "KIND", default_value = "hdi", value_parser = choice(&[("hdi", Interval::Hdi), ("eti", Interval::Eti)]))]
    pub(crate) interval: Interval,
    /// Seed of new groups and new outcomes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

impl ReportArgs {
    /// How the page is written.
    pub(crate) fn options(&self) -> Options {
        Options {
            prob: self.prob,
            interval: self.interval,
            seed: self.seed,
        }
    }
}
