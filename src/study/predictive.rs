//! What a cross-validation shows: the log predictive density of the rows that were left out.

use super::record::{Estimate, Kind, Part};
use crate::diag::elpd::{Total, total};
use crate::error::{Error, Result};

/// A row's part in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// `surv[17]`: the outcome and the row of the table, counted from 1.
    pub name: String,
    /// The fold that left it out.
    pub fold: u32,
    /// Log predictive density in the fit without it.
    pub elpd: f64,
    /// Monte Carlo standard error of it.
    pub mcse: f64,
    /// The same in the fit to all rows.
    pub lpd: f64,
}

/// A cross-validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictive {
    /// In the order of the rows.
    pub rows: Vec<LeftOut>,
    /// The sum, with its standard error over rows.
    pub elpd: Total,
    /// Monte Carlo standard error of the sum, at most: folds are independent, rows of one fold may err together.
    pub mcse: f64,
    /// Effective number of parameters: by how much the rows are predicted better where they are fitted.
    pub p: f64,
    /// Folds.
    pub folds: u32,
}

impl Predictive {
    /// Of a part of `replicates` replicates, the last of which fits all rows.
    ///
    /// # Errors
    ///
    /// A user error if a fold has no draws.
    pub fn of(part: &Part, replicates: u32) -> Result<Self> {
        let folds = replicates - 1;
        if let Some(failed) = part.records.iter().find(|record| record.draws == 0) {
            let what = match failed.replicate == folds {
                true => "the fit to all rows".to_owned(),
                false => format!("fold {}", failed.replicate + 1),
            };
            return Err(Error::user(format!("{what} has no draws: {}", failed.message))
                .with_help("all folds are needed for the sum"));
        }
        let elpd = |estimate: &&Estimate| estimate.kind == Kind::Elpd;
        let whole: Vec<&Estimate> = part
            .estimates
            .iter()
            .filter(elpd)
            .filter(|estimate| estimate.replicate == folds)
            .collect();
        let mut rows = Vec::with_capacity(whole.len());
        let mut of_name: std::collections::BTreeMap<&str, &Estimate> = std::collections::BTreeMap::new();
        for estimate in part
            .estimates
            .iter()
            .filter(elpd)
            .filter(|estimate| estimate.replicate < folds)
        {
            of_name.insert(&estimate.quantity, estimate);
        }
        for own in whole {
            let left_out = of_name
                .get(&*own.quantity)
                .ok_or_else(|| Error::bug(format!("no fold left out {}", own.quantity)))?;
            rows.push(LeftOut {
                name: own.quantity.to_string(),
                fold: left_out.replicate,
                elpd: left_out.mean,
                mcse: left_out.mcse_mean,
                lpd: own.mean,
            });
        }
        let pointwise: Vec<f64> = rows.iter().map(|row| row.elpd).collect();
        Ok(Self {
            elpd: total(&pointwise),
            mcse: {
                let mut of_folds = vec![0.0; folds as usize];
                rows.iter()
                    .for_each(|row| of_folds[row.fold as usize] += row.mcse);
                of_folds.iter().map(|mcse| mcse * mcse).sum::<f64>().sqrt()
            },
            p: rows.iter().map(|row| row.lpd - row.elpd).sum(),
            rows,
            folds,
        })
    }
}
