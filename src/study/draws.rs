//! The draws of one replicate, and what is said of each quantity; they live no longer than the replicate's turn.

use std::sync::Arc;

use super::record::{Estimate, Kind};
use crate::diag::{Chains, Interval, Prob, Summariser};
use crate::error::Result;
use crate::lang::QuantityKind;
use crate::model::Model;
use crate::rng::{Purpose, Stream};
use crate::sampler::Samples;

/// Ranks are taken among so many draws: one less than a power of two, so that bins are even.
const RANKED: usize = 127;

/// The draws of one replicate.
#[derive(Debug)]
pub struct Draws<'m> {
    model: &'m Model,
    samples: Samples,
    /// Of each quantity `[chain][draw][element]`.
    named: Vec<Vec<f64>>,
}

impl<'m> Draws<'m> {
    /// Names the draws.
    pub(super) fn new(model: &'m Model, samples: Samples) -> Self {
        let mut draws = Self {
            model,
            samples,
            named: Vec::new(),
        };
        draws.named = draws.joined(|codes, positions| model.named_values_in(codes, positions));
        draws
    }

    /// The ensembles: the codes of the centring weights that their positions are in, and these, `[chain][draw][dim]`.
    pub fn ensembles(&self) -> impl Iterator<Item = (&[u32], &[f64])> {
        let size = self.samples.positions.len() / self.samples.ensembles;
        let of = move |unit| {
            (
                codes(&self.samples, unit),
                &self.samples.positions[unit * size..][..size],
            )
        };
        (0..self.samples.ensembles).map(of)
    }

    /// What `evaluate` makes of the positions of each ensemble, lists of `[position][element]`, joined to
    /// `[chain][draw][element]`.
    pub fn joined(&self, mut evaluate: impl FnMut(&[u32], &[f64]) -> Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let mut all: Vec<Vec<f64>> = Vec::new();
        for (codes, positions) in self.ensembles() {
            append(&mut all, evaluate(codes, positions));
        }
        all
    }

    /// The same at the draws that ranks are taken among, in their order.
    pub fn joined_ranked(&self, mut evaluate: impl FnMut(&[u32], &[f64]) -> Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let (chains, draws) = self.shape();
        let (dim, of_ensemble) = (self.samples.dim, chains * draws / self.samples.ensembles);
        let ranked = self.ranked();
        let mut all: Vec<Vec<f64>> = Vec::new();
        for cells in ranked.chunk_by(|a, b| a / of_ensemble == b / of_ensemble) {
            let positions: Vec<f64> = cells
                .iter()
                .flat_map(|cell| &self.samples.positions[cell * dim..(cell + 1) * dim])
                .copied()
                .collect();
            append(
                &mut all,
                evaluate(codes(&self.samples, cells[0] / of_ensemble), &positions),
            );
        }
        all
    }

    /// The model that was fitted.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// Chains and draws of each.
    pub fn shape(&self) -> (usize, usize) {
        (self.samples.chains, self.samples.draws)
    }

    /// Draws of the quantity at that place of the model's, `[chain][draw][element]`.
    pub fn quantity(&self, place: usize) -> &[f64] {
        &self.named[place]
    }

    pub(super) fn divergences(&self) -> u32 {
        self.samples.is_divergent.iter().filter(|d| **d).count() as u32
    }

    /// The draws, of `[chain][draw]`, that ranks are taken among: evenly spaced in each chain, as many of them as the
    /// largest power of two below, less one. Spacing is all the thinning there is: that they are nearly independent is
    /// what the limit on effective draws sees to.
    pub fn ranked(&self) -> Vec<usize> {
        let (chains, draws) = self.shape();
        ranked_of(chains, draws)
    }

    /// What is said of every element of every quantity, with its rank among the draws where there is a `truth` of it
    /// (one number for each element, in the order of the quantities).
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn estimates(
        &self,
        replicate: u32,
        truth: Option<&[f64]>,
        (interval, prob): (Interval, Prob),
        seed: u64,
    ) -> Result<Vec<Estimate>> {
        let (chains, draws) = self.shape();
        let summariser = Summariser::new(chains, draws, interval, prob, None);
        let ranked = self.ranked();
        let mut estimates = Vec::new();
        let mut column = vec![0.0; chains * draws];
        for (quantity, values) in self.model.lowered().quantities.iter().zip(&self.named) {
            let kind = match quantity.kind {
                QuantityKind::Parameter => Kind::Parameter,
                QuantityKind::Derived => Kind::Derived,
            };
            let names = quantity.elements();
            for (element, name) in names.iter().enumerate() {
                let own = values.iter().skip(element).step_by(names.len());
                column.iter_mut().zip(own).for_each(|(to, x)| *to = *x);
                let summary = summariser.summarise(Chains::new(&column, chains)?);
                let place = estimates.len();
                let mut estimate =
                    Estimate::unknown(replicate, kind, Arc::from(name.as_str())).summarised(&summary);
                if let Some(truth) = truth {
                    estimate.truth = truth[place];
                    let among = ranked.iter().map(|cell| column[*cell]);
                    estimate.rank = rank(truth[place], among, (seed, replicate, place));
                }
                estimates.push(estimate);
            }
        }
        Ok(estimates)
    }
}

/// Appends lists to lists, one by one; to none, all of them.
fn append(all: &mut Vec<Vec<f64>>, own: Vec<Vec<f64>>) {
    if all.is_empty() {
        *all = own;
        return;
    }
    all.iter_mut()
        .zip(own)
        .for_each(|(all, mut own)| all.append(&mut own));
}

/// The cells of `[chain][draw]` that ranks are taken among, see [`Draws::ranked`].
pub(super) fn ranked_of(chains: usize, draws: usize) -> Vec<usize> {
    let stride = (chains * draws).div_ceil(RANKED + 1).min(draws);
    let mut cells: Vec<usize> = (0..chains)
        .flat_map(|chain| (1..=draws / stride).map(move |place| chain * draws + place * stride - 1))
        .collect();
    let most = (cells.len() + 1).checked_ilog2().map_or(0, |log| (1 << log) - 1);
    cells.truncate(most.min(RANKED));
    cells
}

/// How many of `draws` lie below `truth`; of those that are equal to it as many as a random number says. `place` sets the
/// quantities of a replicate apart.
pub(super) fn rank(
    truth: f64,
    draws: impl Iterator<Item = f64>,
    (seed, replicate, place): (u64, u32, usize),
) -> f64 {
    let (mut below, mut equal) = (0, 0);
    for draw in draws {
        below += u32::from(draw < truth);
        equal += u32::from(draw == truth);
    }
    if truth.is_nan() {
        return f64::NAN;
    }
    let stream = Stream {
        seed,
        replicate,
        chain: place as u32,
        iteration: 0,
        purpose: Purpose::Subsample,
    };
    let share = (u64::from(stream.block(0)[0]) * (u64::from(equal) + 1)) >> 32;
    f64::from(below) + share as f64
}

fn codes(samples: &Samples, ensemble: usize) -> &[u32] {
    let learned = samples
        .state
        .tuning
        .as_ref()
        .map_or(&[][..], |tuning| &tuning.centring);
    let levels = learned.len() / samples.ensembles;
    &learned[ensemble * levels..][..levels]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_draws_below_and_share_ties_evenly() {
        let of = |truth, draws: &[f64], place| rank(truth, draws.iter().copied(), (1, 7, place));
        assert_eq!(of(0.5, &[0.0, 1.0, 0.2], 0), 2.0);
        assert_eq!(of(-1.0, &[0.0, 1.0], 0), 0.0);
        assert!(of(f64::NAN, &[0.0], 0).is_nan());
        let mut counts = [0; 4];
        for place in 0..4000 {
            counts[of(1.0, &[1.0, 1.0, 1.0], place) as usize] += 1;
        }
        // Each of 0 to 3 a quarter of the time: sd √(4000·¼·¾) = 27.
        assert!(
            counts.iter().all(|count| (count - 1000_i32).abs() < 5 * 27),
            "{counts:?}"
        );
    }
}
