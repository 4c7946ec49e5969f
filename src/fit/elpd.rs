//! How well a fit predicts its rows: the criteria of [`crate::diag::elpd`] over its pointwise log likelihood, and whether
//! they can be trusted.

use super::layout::Fit;
use super::pointwise::Pointwise;
use super::restored::Observation;
use crate::diag::elpd::{self, Row, Total, VARIANCE_LIMIT, pareto_k_threshold, total};
use crate::diag::{Chains, mcse_mean};
use crate::error::Result;
use crate::lang::QuantityKind;
use crate::model::Model;
use crate::sampler::share_out;

/// Pieces that the rows of a block are shared out in, whatever the threads: so sums have one order.
const PIECES: usize = 64;

/// How the elpd of a row is estimated from the draws of one fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Leave-one-out by Pareto smoothed importance sampling.
    Loo,
    /// The widely applicable information criterion.
    Waic,
}

/// A parameter of which every observation has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The parameter's name.
    pub parameter: String,
    /// The name of its index.
    pub index: String,
}

/// What a fit is worth by a criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Elpd {
    /// The observations.
    pub observations: Vec<Observation>,
    /// What each contributes, in their order; the draws' influences are summed and left out.
    pub rows: Vec<Row>,
    /// Draws behind each.
    pub draws: usize,
    /// Monte Carlo standard error of the total; NaN where chains are too short for it.
    pub mcse: f64,
    /// A parameter of which every observation has its own, so that no draw of a fit with the observation tells what a
    /// fit without it would predict.
    pub own: Option<Own>,
    /// Whether every outcome belongs to single rows, which a refit can leave out.
    pub is_by_row: bool,
    /// Whether the log likelihood was computed again, for lack of it in the file.
    pub is_recomputed: bool,
}

impl Elpd {
    /// Evaluates a fit read from `file`, on `threads` threads.
    ///
    /// # Errors
    ///
    /// Those of [`Pointwise::of`].
    pub fn of(fit: &Fit, file: &str, criterion: Criterion, threads: usize) -> Result<Self> {
        let pointwise = Pointwise::of(fit, file)?;
        let chains = fit.run.chains;
        let draws = chains * fit.run.draws;
        let mut rows: Vec<Row> = Vec::with_capacity(pointwise.observations().len());
        let mut influence = vec![0.0; draws];
        pointwise.blocks(threads, &mut |_, block| {
            let count = block.len() / draws;
            let size = count.div_ceil(PIECES);
            let one = |piece: usize| -> Result<(Vec<Row>, Vec<f64>)> {
                let of_piece = &block[piece * size * draws..((piece + 1) * size).min(count) * draws];
                let mut sum = vec![0.0; draws];
                let mut rows = Vec::with_capacity(size);
                for log_lik in of_piece.chunks_exact(draws) {
                    let mut row = match criterion {
                        Criterion::Loo => elpd::loo(Chains::new(log_lik, chains)?),
                        Criterion::Waic => elpd::waic(log_lik),
                    };
                    for (sum, x) in sum.iter_mut().zip(std::mem::take(&mut row.influence)) {
                        *sum += x;
                    }
                    rows.push(row);
                }
                Ok((rows, sum))
            };
            let pieces = count.div_ceil(size);
            let mut done = vec![(Vec::new(), Vec::new()); pieces];
            share_out(pieces, threads, &one, &mut |piece, result| done[piece] = result)?;
            for (of_piece, sum) in done {
                rows.extend(of_piece);
                for (total, x) in influence.iter_mut().zip(sum) {
                    *total += x;
                }
            }
            Ok(())
        })?;
        Ok(Self {
            mcse: mcse_mean(Chains::new(&influence, chains)?),
            own: own(pointwise.model()),
            is_by_row: pointwise.model().lowered().is_by_row(),
            is_recomputed: pointwise.is_recomputed(),
            observations: pointwise.observations().to_vec(),
            rows,
            draws,
        })
    }

    /// The elpd of each observation.
    pub fn pointwise(&self) -> Vec<f64> {
        self.rows.iter().map(|row| row.elpd).collect()
    }

    /// The elpd of all, with its standard error.
    pub fn total(&self) -> Total {
        total(&self.pointwise())
    }

    /// The effective number of parameters.
    pub fn p(&self) -> f64 {
        self.rows.iter().map(|row| row.p).sum()
    }

    /// Observations whose posterior variance of the log likelihood is above [`VARIANCE_LIMIT`].
    pub fn high_variances(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.variance > VARIANCE_LIMIT)
            .count()
    }

    /// The shape up to which so many draws suffice.
    pub fn pareto_k_threshold(&self) -> f64 {
        pareto_k_threshold(self.draws)
    }

    /// Observations whose Pareto k is above the threshold; none by WAIC.
    pub fn high_pareto_k(&self) -> Option<usize> {
        let threshold = self.pareto_k_threshold();
        let ks: Option<Vec<f64>> = self.rows.iter().map(|row| row.pareto_k).collect();
        ks.map(|ks| ks.iter().filter(|k| **k > threshold).count())
    }

    /// The largest Pareto k; none by WAIC.
    pub fn max_pareto_k(&self) -> Option<f64> {
        self.rows.iter().filter_map(|row| row.pareto_k).reduce(f64::max)
    }

    /// Observations whose elpd is no finite number.
    pub fn non_finite(&self) -> usize {
        self.rows.iter().filter(|row| !row.elpd.is_finite()).count()
    }
}

/// A parameter of which every observation has its own: its plate gives each row, or each element of the outcome's
/// plate, another element.
fn own(model: &Model) -> Option<Own> {
    let lowered = model.lowered();
    let parameters = lowered
        .quantities
        .iter()
        .filter(|quantity| quantity.kind == QuantityKind::Parameter && !quantity.dims.is_empty());
    for quantity in parameters {
        let Some(plate) = lowered.plates.iter().find(|plate| plate.dims == quantity.dims) else {
            continue;
        };
        let is_own = !lowered.likelihoods.is_empty()
            && lowered.likelihoods.iter().all(|likelihood| {
                if likelihood.plate == plate.name {
                    return plate.len() > 1;
                }
                let is_of_rows = lowered
                    .plates
                    .first()
                    .is_some_and(|rows| rows.name == likelihood.plate);
                let distinct = plate.codes.as_ref().map(|codes| {
                    let mut seen = codes.clone();
                    seen.sort_unstable();
                    seen.windows(2).all(|pair| pair[0] != pair[1])
                });
                is_of_rows && lowered.rows_kept > 1 && distinct == Some(true)
            });
        if is_own {
            return Some(Own {
                parameter: quantity.name.clone(),
                index: plate.name.clone(),
            });
        }
    }
    None
}
