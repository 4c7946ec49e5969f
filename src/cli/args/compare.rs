//! The flags of `tadpool compare`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::values::choice;
use super::{Cli, Format};
use crate::fit::Criterion;

/// `tadpool compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Fit files of models of the same data, in any order; a single one is shown by itself.
    #[arg(value_name = "FIT", required = true)]
    pub(crate) fits: Vec<PathBuf>,
    /// How the predictions of rows that were not fitted are estimated: leave-one-out by Pareto smoothed importance
    /// sampling, WAIC, or by refits without a row (exact) or a part of the rows (kfold). Refits come in a later release.
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
    /// Seed of the bootstraps of `pseudo-bma-plus`.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) seed: u64,
    /// Write what each row contributes to this CSV file: model, outcome, row, elpd, p, variance of the log likelihood,
    /// Pareto k; on the log scale.
    #[arg(long, value_name = "FILE")]
    pub(crate) pointwise: Option<PathBuf>,
    /// Form of what goes to stdout: for people, or with every digit for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
}

/// How predictions are estimated.
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
    /// As [`CompareArgs::criterion`].
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        self.criterion().map(drop)
    }

    /// The criterion.
    ///
    /// # Errors
    ///
    /// A usage error for criteria that need refits, which come in a later release.
    pub(crate) fn criterion(&self) -> Result<Criterion, clap::Error> {
        let asked = if self.exact { By::Exact } else { self.by };
        let flag = match asked {
            By::Loo => return Ok(Criterion::Loo),
            By::Waic => return Ok(Criterion::Waic),
            By::Exact => "--by exact",
            By::Kfold => "--by kfold",
        };
        Err(Cli::command().error(
            ErrorKind::InvalidValue,
            format!(
                "{flag} fits the models again without some of their rows; such refits come in a later release and \
                 cannot be used yet; --by loo tells for which rows it can be trusted"
            ),
        ))
    }
}
