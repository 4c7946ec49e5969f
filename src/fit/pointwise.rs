//! The log likelihood of each row in each draw of a fit: from the file, or where it was left out, computed again from
//! the draws and the data in the file, some rows at a time.

use super::layout::Fit;
use super::restored::{Observation, Restored, altered};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::sampler::share_out;

/// Memory that the rows of one block may take.
const BLOCK_BYTES: usize = 256 << 20;
/// Draws whose rows are computed in one piece.
const PIECE: usize = 256;

/// The pointwise log likelihood of a fit.
#[derive(Debug)]
pub struct Pointwise<'a> {
    fit: &'a Fit,
    restored: Restored,
    /// `[draw][dim]` of all chains where the log likelihood has to be computed again.
    positions: Option<Vec<f64>>,
}

impl<'a> Pointwise<'a> {
    /// Finds the log likelihood of a fit read from `file`.
    ///
    /// # Errors
    ///
    /// Those of [`Restored::of`]; a user error if the file holds no draws; an environment error if its parts do not belong
    /// together.
    pub fn of(fit: &'a Fit, file: &str) -> Result<Self> {
        let run = &fit.run;
        let restored = Restored::of(fit, file)?;
        let model = &restored.model;
        if run.chains * run.draws == 0 {
            return Err(Error::user(format!("{file} holds no draws")).with_help("repeat `tadpool fit`"));
        }
        let positions = if fit.log_likelihood.is_empty() {
            let named: Vec<(&str, &[f64])> = fit
                .posterior
                .iter()
                .map(|quantity| (quantity.name.as_str(), quantity.values.as_slice()))
                .collect();
            let positions = model.positions(&named, run.chains * run.draws);
            Some(positions.map_err(|cause| altered(file, cause.message()))?)
        } else {
            let lens: Vec<usize> = fit
                .log_likelihood
                .iter()
                .map(|q| q.dims.iter().map(|dim| dim.labels.len()).product())
                .collect();
            if lens != model.pointwise_lens() {
                return Err(altered(
                    file,
                    "the log likelihood is not that of the model's outcomes",
                ));
            }
            None
        };
        Ok(Self {
            fit,
            restored,
            positions,
        })
    }

    /// The model of the fit, every effect centred.
    pub fn model(&self) -> &Model {
        &self.restored.model
    }

    /// The observations: of the first outcome in the order of its rows, then of the next.
    pub fn observations(&self) -> &[Observation] {
        &self.restored.observations
    }

    /// Whether the file lacks the log likelihood, so that it is computed again.
    pub fn is_recomputed(&self) -> bool {
        self.positions.is_some()
    }

    /// Hands the log likelihoods to `take`, some observations at a time and in order: the first one's place, and
    /// `[observation][chain][draw]`.
    ///
    /// # Errors
    ///
    /// Those of `take`, and faults of tadpool.
    pub fn blocks(&self, threads: usize, take: &mut dyn FnMut(usize, &[f64]) -> Result<()>) -> Result<()> {
        let cells = self.fit.run.chains * self.fit.run.draws;
        let most = (BLOCK_BYTES / size_of::<f64>() / cells).max(1);
        let count = self.observations().len();
        let mut block = vec![0.0; most.min(count) * cells];
        for first in (0..count).step_by(most) {
            let rows = most.min(count - first);
            let block = &mut block[..rows * cells];
            match &self.positions {
                None => self.gather(first, cells, block),
                Some(positions) => self.compute(positions, first, cells, threads, block)?,
            }
            take(first, block)?;
        }
        Ok(())
    }

    /// Copies rows from the file's arrays.
    fn gather(&self, first: usize, cells: usize, block: &mut [f64]) {
        let mut start = 0;
        for quantity in &self.fit.log_likelihood {
            let len = quantity.values.len() / cells;
            for (row, out) in block.chunks_exact_mut(cells).enumerate() {
                if let Some(element) = (first + row).checked_sub(start).filter(|element| *element < len) {
                    for (cell, out) in out.iter_mut().enumerate() {
                        *out = quantity.values[cell * len + element];
                    }
                }
            }
            start += len;
        }
    }

    /// Computes rows again, from positions of all draws.
    fn compute(
        &self,
        positions: &[f64],
        first: usize,
        cells: usize,
        threads: usize,
        block: &mut [f64],
    ) -> Result<()> {
        let dim = self.model().dim();
        let rows = block.len() / cells;
        let lens = self.model().pointwise_lens();
        let pieces = cells.div_ceil(PIECE);
        // `[draw][row]` of the rows asked for.
        let one = |piece: usize| {
            let draws = piece * PIECE..((piece + 1) * PIECE).min(cells);
            let outputs = self
                .model()
                .pointwise_log_likelihood(&positions[draws.start * dim..draws.end * dim]);
            let mut values = Vec::with_capacity(draws.len() * rows);
            for draw in 0..draws.len() {
                let mut start = 0;
                for (output, &len) in outputs.iter().zip(&lens) {
                    let from = first.clamp(start, start + len) - start;
                    let to = (first + rows).clamp(start, start + len) - start;
                    values.extend_from_slice(&output[draw * len + from..draw * len + to]);
                    start += len;
                }
            }
            Ok(values)
        };
        share_out(pieces, threads, &one, &mut |piece, values: Vec<f64>| {
            for (draw, values) in values.chunks_exact(rows).enumerate() {
                for (row, value) in values.iter().enumerate() {
                    block[row * cells + piece * PIECE + draw] = *value;
                }
            }
        })
    }
}
