//! Digesting a round of draws: any thread names its groups' numbers and moves their streams on, one thread places them.

use std::ops::Range;

use super::tables::{Table, Tables};
use crate::back::evaluate::Density;
use crate::diag::{Accumulator, Chains, EnergyStream, Pilot};
use crate::model::Model;
use crate::sampler::Samples;
use crate::transform::centring_weight;

/// Numbers that are named at once.
const BLOCK: usize = 1 << 17;

/// Positions that are standardised at once.
const COMPARED: usize = 1024;

/// The codes of the centring weights of a unit of `samples` (a chain of NUTS, an ensemble of HMC), `[level]`.
pub(super) fn unit_codes(samples: &Samples, unit: usize) -> &[u32] {
    let learned = samples
        .state
        .tuning
        .as_ref()
        .map_or(&[][..], |tuning| &tuning.centring);
    let levels = learned.len() / samples.ensembles;
    &learned[unit * levels..(unit + 1) * levels]
}

/// The streams of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Streams {
    pub(super) draws: Accumulator,
    pub(super) energies: EnergyStream,
    pub(super) divergences: u64,
}

/// What is kept of a group's draws of a round.
pub(super) struct Part {
    /// Draws of each chain in this round.
    draws: usize,
    tables: Tables,
    streams: Option<Streams>,
}

/// What digesting needs to know; it stays as it is throughout a round.
pub(super) struct Digester<'m> {
    pub(super) model: &'m Model,
    /// Elements of each named quantity.
    pub(super) widths: Vec<usize>,
    /// Rows of each outcome whose log likelihood is kept.
    pub(super) pointwise: Vec<usize>,
    /// All of `widths` together.
    pub(super) named: usize,
    /// Draws per kept draw.
    pub(super) stride: usize,
    /// Draws of every chain in whole rounds.
    pub(super) done: usize,
    pub(super) pilot: Option<Pilot>,
    /// `[group]`; empty before the first whole round.
    pub(super) streams: Vec<Streams>,
}

/// Where the parts of a round go.
pub(super) struct Placer<'k> {
    pub(super) tables: &'k mut Tables,
    pub(super) draws: &'k mut [usize],
    pub(super) next: &'k mut [Option<Streams>],
    pub(super) size: usize,
    pub(super) done: usize,
    pub(super) stride: usize,
}

impl Digester<'_> {
    /// Digests the draws of `chains` of `samples`, which are group number `group` of the run.
    pub(super) fn digest(&self, group: usize, samples: &Samples, chains: Range<usize>) -> Part {
        let draws = samples.draws;
        let dim = samples.dim;
        let is_kept = |draw: usize| (self.done + draw + 1).is_multiple_of(self.stride);
        let kept: Vec<usize> = (0..draws).filter(|&draw| is_kept(draw)).collect();
        let cells: Vec<usize> = chains
            .clone()
            .flat_map(|chain| kept.iter().map(move |draw| chain * draws + draw))
            .collect();
        let codes = unit_codes(samples, chains.start / chains.len().max(1));
        let blank = |&width: &usize| Table::full(width, vec![0.0; width * cells.len()]);
        let mut named: Vec<Table<f64>> = self.widths.iter().map(blank).collect();
        let mut streams = self.streams.get(group).cloned();

        let block = (BLOCK / (chains.len() * (self.named + dim)).max(1)).max(1);
        let mut positions = Vec::new();
        let mut rows = Vec::new();
        for first in (0..draws).step_by(block) {
            let count = block.min(draws - first);
            // Where nothing but kept draws is needed, the others are not even named.
            if streams.is_none() && !(first..first + count).any(is_kept) {
                continue;
            }
            positions.clear();
            for chain in chains.clone() {
                let at = (chain * draws + first) * dim;
                positions.extend_from_slice(&samples.positions[at..at + count * dim]);
            }
            let values = self.model.named_values_in(codes, &positions);
            for (table, values) in named.iter_mut().zip(&values) {
                let width = table.width;
                for (place, &draw) in kept.iter().enumerate() {
                    if !(first..first + count).contains(&draw) {
                        continue;
                    }
                    for chain in 0..chains.len() {
                        let from = (chain * count + draw - first) * width;
                        let to = (chain * kept.len() + place) * width;
                        table.values[to..to + width].copy_from_slice(&values[from..from + width]);
                    }
                }
            }
            if let Some(streams) = &mut streams {
                rows.clear();
                for cell in 0..chains.len() * count {
                    for (&width, values) in self.widths.iter().zip(&values) {
                        rows.extend_from_slice(&values[cell * width..(cell + 1) * width]);
                    }
                }
                streams.draws.add(&rows, self.pilot.as_ref());
            }
        }
        if let Some(streams) = &mut streams {
            let energies = &samples.energy[chains.start * draws..chains.end * draws];
            if let Ok(energies) = Chains::new(energies, chains.len()) {
                streams.energies.add(energies);
            }
            let diverging = &samples.is_divergent[chains.start * draws..chains.end * draws];
            streams.divergences += diverging.iter().filter(|d| **d).count() as u64;
        }
        let pointwise = if self.pointwise.is_empty() {
            Vec::new()
        } else {
            // Only where every draw is kept, so the group's positions are all of them.
            let positions = &samples.positions[chains.start * draws * dim..chains.end * draws * dim];
            let values = self.model.pointwise_log_likelihood_in(codes, positions);
            let tables = self.pointwise.iter().zip(values);
            tables
                .map(|(&width, values)| Table::full(width, values))
                .collect()
        };
        let mut tables = Tables::of(samples, chains.len(), &cells, named, pointwise);
        self.make_comparable(&mut tables, samples, &cells, codes);
        Part {
            draws,
            tables,
            streams,
        }
    }

    /// Turns the log densities of `cells` into those in the coordinates that standardise all effects, so that units of
    /// other centring weights can be compared: ln |dη/dξ| = Σ λ·ln τ is added.
    fn make_comparable(&self, tables: &mut Tables, samples: &Samples, cells: &[usize], codes: &[u32]) {
        let Some(centring) = self.model.centring().filter(|_| !codes.is_empty()) else {
            return;
        };
        let dim = samples.dim;
        let [_, log_density, ..] = &mut tables.reals;
        for (cells, values) in cells
            .chunks(COMPARED)
            .zip(log_density.values.chunks_mut(COMPARED))
        {
            let position = |&cell: &usize| &samples.positions[cell * dim..(cell + 1) * dim];
            let positions: Vec<f64> = cells.iter().flat_map(position).copied().collect();
            let ln_scale = centring.standardise(codes, &positions).ln_scale;
            for (value, ln_scales) in values.iter_mut().zip(ln_scale.chunks(codes.len())) {
                *value += codes
                    .iter()
                    .zip(ln_scales)
                    .map(|(&code, ln_scale)| centring_weight(code) * ln_scale)
                    .sum::<f64>();
            }
        }
    }
}

impl Placer<'_> {
    /// Places what was digested of a group.
    pub(super) fn place(&mut self, group: usize, part: Part) {
        let first = self.done / self.stride;
        self.tables.place(group * self.size, first, &part.tables);
        self.draws[group] = self.done + part.draws;
        self.next[group] = part.streams;
    }
}
