//! How well a model predicts each observation, whatever estimated it: what models are compared by.

use super::output::counted;
use crate::diag::elpd::{Total, VARIANCE_LIMIT, total};
use crate::error::{Error, Result};
use crate::fit::{Criterion, Elpd, Observation};
use crate::study::{Cut, Part, Predictive};

/// A Monte Carlo error of a row's log density above which few draws decide it: the error of its logarithm, taken to be
/// that of the mean density over it, then is no longer small.
const UNSURE: f64 = 0.5;
/// Refits that are named.
const NAMED: usize = 4;

/// One observation's part.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// Expected log predictive density.
    pub(super) elpd: f64,
    /// Its part of the effective number of parameters.
    pub(super) p: f64,
    /// The posterior variance of its log likelihood; none by refits.
    pub(super) variance: Option<f64>,
    /// The shape of the tail of its importance ratios; by PSIS-LOO alone.
    pub(super) pareto_k: Option<f64>,
}

/// How well a model predicts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Predicted {
    pub(super) observations: Vec<Observation>,
    /// In the order of the observations.
    pub(super) shares: Vec<Share>,
    /// Monte Carlo standard error of the sum.
    pub(super) mcse: f64,
    /// Why it cannot be trusted, each a sentence or two.
    pub(super) doubts: Vec<String>,
    /// What the criterion counts against it.
    pub(super) against: Against,
}

/// Parts of an estimate that it should not be trusted for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Against {
    /// Rows whose Pareto k is above the limit.
    ParetoK { rows: usize, limit: f64 },
    /// Rows whose posterior variance is above [`VARIANCE_LIMIT`].
    Variance { rows: usize },
    /// Refits that did not converge, out of so many folds.
    Refits { unsound: usize, folds: u32 },
}

impl Against {
    /// How many they are.
    pub(super) fn count(self) -> usize {
        match self {
            Self::ParetoK { rows, .. } | Self::Variance { rows } => rows,
            Self::Refits { unsound, .. } => unsound,
        }
    }
}

impl Predicted {
    /// From the draws of one fit.
    pub(super) fn from_draws(elpd: Elpd, criterion: Criterion) -> Self {
        let doubts = elpd.doubts(criterion);
        let against = match criterion {
            Criterion::Loo => Against::ParetoK {
                rows: elpd.high_pareto_k().unwrap_or_default(),
                limit: elpd.pareto_k_threshold(),
            },
            Criterion::Waic => Against::Variance {
                rows: elpd.high_variances(),
            },
        };
        let shares = elpd.rows.iter().map(|row| Share {
            elpd: row.elpd,
            p: row.p,
            variance: Some(row.variance),
            pareto_k: row.pareto_k,
        });
        Self {
            shares: shares.collect(),
            mcse: elpd.mcse,
            doubts,
            against,
            observations: elpd.observations,
        }
    }

    /// From refits along a cut of the rows: a replicate for each fold and a last one of all rows.
    ///
    /// # Errors
    ///
    /// Those of [`Predictive::of`]; a bug if the refits are not of these observations.
    pub(super) fn from_refits(part: &Part, cut: &Cut, observations: Vec<Observation>) -> Result<Self> {
        let predictive = Predictive::of(part, cut.folds() + 1)?;
        if predictive.rows.len() != observations.len() {
            return Err(Error::bug(format!(
                "{} rows were left out, of {} observations",
                predictive.rows.len(),
                observations.len()
            )));
        }
        let shares = predictive.rows.iter().map(|row| Share {
            elpd: row.elpd,
            p: row.lpd - row.elpd,
            variance: None,
            pareto_k: None,
        });
        let mut doubts = Vec::new();
        let unsound: Vec<String> = part
            .records
            .iter()
            .filter(|record| !record.status.is_sound())
            .map(|record| format!("to {} ({})", cut.fitted_rows(record.replicate), record.message))
            .collect();
        if !unsound.is_empty() {
            let more = unsound.len().saturating_sub(NAMED);
            doubts.push(format!(
                "{} of {} are not sound, after a second, longer try: {}{}. `--warmup` and `--draws` make all of them longer; \
                 where transitions diverge, look at the priors.",
                unsound.len(),
                counted(part.records.len(), "refit"),
                unsound[..unsound.len() - more].join(", "),
                if more > 0 { format!(" and {more} more") } else { String::new() }
            ));
        }
        let unsure = predictive
            .rows
            .iter()
            .filter(|row| row.mcse > UNSURE || !row.elpd.is_finite());
        let unsure = unsure.count();
        if unsure > 0 {
            doubts.push(format!(
                "few draws of the refits without them find {} likely: their log densities have Monte Carlo errors above \
                 {UNSURE}, or are not finite. More draws, with `--draws`, tell more; `--pointwise FILE` shows the densities.",
                counted(unsure, "row")
            ));
        }
        Ok(Self {
            shares: shares.collect(),
            mcse: predictive.mcse,
            doubts,
            against: Against::Refits {
                unsound: unsound.len(),
                folds: predictive.folds,
            },
            observations,
        })
    }

    /// The elpd of each observation.
    pub(super) fn pointwise(&self) -> Vec<f64> {
        self.shares.iter().map(|share| share.elpd).collect()
    }

    /// The elpd of all, with its standard error.
    pub(super) fn total(&self) -> Total {
        total(&self.pointwise())
    }

    /// The effective number of parameters.
    pub(super) fn p(&self) -> f64 {
        self.shares.iter().map(|share| share.p).sum()
    }

    /// The largest Pareto k.
    pub(super) fn max_pareto_k(&self) -> Option<f64> {
        self.shares
            .iter()
            .filter_map(|share| share.pareto_k)
            .reduce(f64::max)
    }

    /// Observations whose posterior variance of the log likelihood is above [`VARIANCE_LIMIT`]; none by refits.
    pub(super) fn high_variances(&self) -> Option<usize> {
        let variances: Option<Vec<f64>> = self.shares.iter().map(|share| share.variance).collect();
        variances.map(|all| all.iter().filter(|variance| **variance > VARIANCE_LIMIT).count())
    }

    /// The outcomes with their observations, in order.
    pub(super) fn outcomes(&self) -> Vec<(String, usize)> {
        self.observations
            .chunk_by(|a, b| a.outcome == b.outcome)
            .map(|of_one| (of_one[0].outcome.clone(), of_one.len()))
            .collect()
    }
}
