//! The flags of `tadpool compare`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::values::{at_least_one, choice, iterations, said};
use super::{Cli, Format};
use crate::fit::Criterion;
use crate::study::Folds;

/// `tadpool compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Fit files of models of the same data, in any order; a single one is shown by itself.
    #[arg(value_name = "FIT", required = true)]
    pub(crate) fits: Vec<PathBuf>,
    /// How the predictions of rows that were not fitted are estimated: leave-one-out by Pareto smoothed importance
    /// sampling, WAIC, or by refits: without each row in turn (exact), or without each of some parts of the rows (kfold).
    #[arg(long, value_name = "CRITERION", default_value = "loo", value_parser = choice(&[("loo", By::Loo), ("waic", By::Waic), ("exact", By::Exact), ("kfold", By::Kfold)]))]
    pub(crate) by: By,
    /// Short for `--by exact`.
    #[arg(long, conflicts_with = "by")]
    pub(crate) exact: bool,
    /// Weights of the models: the mixture that predicts best (stacking), or exp(elpd) over its sum, as it is
    /// (pseudo-bma) or averaged over 1000 Bayesian bootstraps of the rows (pseudo-bma-plus).
    #[arg(long, value_name = "WEIGHTS", default_value = "stacking", value_parser = choice(&[("stacking", Weights::Stacking), ("pseudo-bma", Weights::PseudoBma), ("pseudo-bma-plus", Weights::PseudoBmaPlus)]))]
    pub(crate) weights: Weights,
    /// Scale of the criterion and its differences: deviance, -2 times the log predictive density (smaller is better),
    /// or the log predictive density itself, in nats (larger is better).
    #[arg(long, value_name = "SCALE", default_value = "deviance", value_parser = choice(&[("deviance", Scale::Deviance), ("log", Scale::Log)]))]
    pub(crate) scale: Scale,
    /// Seed of the bootstraps of `pseudo-bma-plus`, and of the refits and the random parts that rows are cut into, which
    /// are the same for all models.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) seed: u64,
    /// Threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// What each refit of kfold leaves out: one of so many random parts, or, by the name of an index of one of the models,
    /// the rows of one of its groups [default: 10].
    #[arg(long, value_name = "N|INDEX", help_heading = "Refits", value_parser = folds)]
    pub(crate) folds: Option<Folds>,
    /// Chains of each refit [default: 64].
    #[arg(long, value_name = "N", help_heading = "Refits", value_parser = at_least_one)]
    pub(crate) chains: Option<usize>,
    /// Iterations of warm-up of each chain of a refit [default: 300].
    #[arg(long, value_name = "N", help_heading = "Refits", value_parser = iterations)]
    pub(crate) warmup: Option<u32>,
    /// Draws of each chain of a refit [default: 500].
    #[arg(long, value_name = "N", help_heading = "Refits", value_parser = at_least_one)]
    pub(crate) draws: Option<usize>,
    /// Write what each row contributes to this CSV file: model, outcome, row, elpd, p, variance of the log likelihood,
    /// Pareto k; on the log scale.
    #[arg(long, value_name = "FILE")]
    pub(crate) pointwise: Option<PathBuf>,
    /// Form of what goes to stdout: for people, or with every digit for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
}

/// Parts of the rows where `--folds` is not given.
const PARTS: usize = 10;

/// What estimates the predictions, with all that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    /// The draws of the fits.
    Draws(Criterion),
    /// Refits without some of the rows.
    Refits(Folds),
}

/// A way to estimate predictions, by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// PSIS-LOO.
    Loo,
    /// WAIC.
    Waic,
    /// A refit without each row.
    Exact,
    /// Refits without parts of the rows.
    Kfold,
}

/// How models are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weights {
    /// The best mixture of predictive distributions.
    Stacking,
    /// exp(elpd) over its sum.
    PseudoBma,
    /// The same, averaged over Bayesian bootstraps.
    PseudoBmaPlus,
}

/// The scale of the criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// −2 elpd.
    Deviance,
    /// elpd.
    Log,
}

impl CompareArgs {
    /// Checks what no single flag can know.
    ///
    /// # Errors
    ///
    /// A usage error for flags of refits where there are none.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let conflict = |text: String| Cli::command().error(ErrorKind::ArgumentConflict, text);
        let by = self.by();
        if self.folds.is_some() && by != By::Kfold {
            return Err(conflict("--folds needs --by kfold".to_owned()));
        }
        let of_refits = [
            ("--chains", self.chains.is_some()),
            ("--warmup", self.warmup.is_some()),
            ("--draws", self.draws.is_some()),
        ];
        match of_refits.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if matches!(by, By::Loo | By::Waic) => Err(conflict(format!(
                "{flag} is for refits, and needs --by exact or --by kfold"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn by(&self) -> By {
        if self.exact { By::Exact } else { self.by }
    }

    /// What estimates the predictions.
    pub(crate) fn method(&self) -> Method {
        match self.by() {
            By::Loo => Method::Draws(Criterion::Loo),
            By::Waic => Method::Draws(Criterion::Waic),
            By::Exact => Method::Refits(Folds::Rows),
            By::Kfold => Method::Refits(self.folds.clone().unwrap_or(Folds::Parts(PARTS))),
        }
    }
}

fn folds(text: &str) -> Result<Folds, String> {
    Folds::parse(text).map_err(said)
}
