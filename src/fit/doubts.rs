//! Why an estimate of how well a fit predicts cannot be trusted, in words, and what to do.

use super::elpd::{Criterion, Elpd};
use crate::diag::elpd::{VARIANCE_LIMIT, pareto_k_threshold};

/// What the remedies that need refits are.
pub const REFITS: &str = "`tadpool compare FIT … --by exact` fits each model again without each row in turn, `--by kfold` \
                          without each of ten parts of the rows.";

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
                 fit with it, neither by importance sampling nor by WAIC{}.",
                own.parameter,
                own.index,
                if self.is_by_row { "; use `--by exact`" } else { "" }
            ));
        }
        match criterion {
            Criterion::Loo => {
                let count = self.high_pareto_k().unwrap_or_default();
                if count > 0 {
                    let threshold = self.pareto_k_threshold();
                    let remedy = match (threshold < pareto_k_threshold(usize::MAX), self.is_by_row) {
                        (true, true) => {
                            " More draws raise that limit up to 0.70; else use `--by exact` or `--by kfold`."
                        }
                        (true, false) => " More draws raise that limit up to 0.70.",
                        (false, true) => " Use `--by exact` or `--by kfold`.",
                        (false, false) => "",
                    };
                    doubts.push(format!(
                        "{count} of {rows} rows have a Pareto k above {threshold:.2}, up to {:.2}: a few draws carry most of the \
                         weight, and LOO is likely too optimistic.{remedy}",
                        self.max_pareto_k().unwrap_or(f64::NAN)
                    ));
                }
            }
            Criterion::Waic => {
                let count = self.high_variances();
                if count > 0 {
                    let remedy = match (&self.own, self.is_by_row) {
                        (Some(_), true) => " Use `--by exact` or `--by kfold`.",
                        (None, true) => {
                            " Use `--by loo`, which tells for which rows it can be trusted, else `--by exact` or `--by \
                             kfold`."
                        }
                        (Some(_), false) => "",
                        (None, false) => " Use `--by loo`, which tells for which rows it can be trusted.",
                    };
                    doubts.push(format!(
                        "{count} of {rows} rows have a posterior variance of the log likelihood above \
                         {VARIANCE_LIMIT}, and WAIC is likely too optimistic.{remedy}"
                    ));
                }
            }
        }
        doubts
    }
}
