//! Why an estimate of how well a fit predicts cannot be trusted, in words, and what to do.

use super::elpd::{Criterion, Elpd};
use crate::diag::elpd::{VARIANCE_LIMIT, pareto_k_threshold};

/// What the remedies that need refits have to wait for.
pub const REFITS_LATER: &str = "Refits, `--by exact` and `--by kfold`, come in a later release of tadpool.";

impl Elpd {
    /// What is to be said against these numbers; each a sentence or two.
    pub fn doubts(&self, criterion: Criterion) -> Vec<String> {
        let rows = self.rows.len();
        let mut doubts = Vec::new();
        let non_finite = self.non_finite();
        if non_finite > 0 {
            doubts.push(format!(
                "{non_finite} of {rows} rows have no finite value: in some draw they are impossible, or too improbable \
                 for a number. `--pointwise FILE` tells which they are; look at them, and at the priors."
            ));
        }
        if let Some(own) = &self.own {
            doubts.push(format!(
                "each row has its own `{}[{}]`. What a fit without the row would say of it cannot be told from draws of a \
                 fit with it, neither by importance sampling nor by WAIC; use `--by exact`.",
                own.parameter, own.index
            ));
        }
        match criterion {
            Criterion::Loo => {
                let count = self.high_pareto_k().unwrap_or_default();
                if count > 0 {
                    let threshold = self.pareto_k_threshold();
                    let remedy = if threshold < pareto_k_threshold(usize::MAX) {
                        "More draws raise that limit up to 0.70; else use `--by exact` or `--by kfold`."
                    } else {
                        "Use `--by exact` or `--by kfold`."
                    };
                    doubts.push(format!(
                        "{count} of {rows} rows have a Pareto k above {threshold:.2}, up to {:.2}: a few draws carry most of the \
                         weight, and LOO is likely too optimistic. {remedy}",
                        self.max_pareto_k().unwrap_or(f64::NAN)
                    ));
                }
            }
            Criterion::Waic => {
                let count = self.high_variances();
                if count > 0 {
                    let remedy = match self.own {
                        Some(_) => "Use `--by exact` or `--by kfold`.",
                        None => {
                            "Use `--by loo`, which tells for which rows it can be trusted, else `--by exact` or `--by \
                             kfold`."
                        }
                    };
                    doubts.push(format!(
                        "{count} of {rows} rows have a posterior variance of the log likelihood above \
                         {VARIANCE_LIMIT}, and WAIC is likely too optimistic. {remedy}"
                    ));
                }
            }
        }
        doubts
    }
}
