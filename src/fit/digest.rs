//! Digesting a round of draws: any thread names its groups' numbers, into their place, and moves their streams on.

use std::ops::Range;

use super::tables::GroupTables;
use crate::diag::{Accumulator, Chains, EnergyStream, Pilot};
use crate::model::{Model, NamedWorker};
use crate::sampler::Samples;

/// Numbers that are named at once.
const BLOCK: usize = 1 << 17;

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

/// What is told of a group's draws of a round.
pub(super) struct Part {
    /// Draws of each chain in this round.
    draws: usize,
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

/// Where the parts of a round are counted.
pub(super) struct Placer<'k> {
    pub(super) draws: &'k mut [usize],
    pub(super) next: &'k mut [Option<Streams>],
    pub(super) done: usize,
}

impl Digester<'_> {
    /// Digests the draws of `chains` of `samples`, which are group number `group` of the run, into its `tables`.
    pub(super) fn digest(
        &self,
        group: usize,
        samples: &Samples,
        chains: Range<usize>,
        tables: &mut GroupTables,
    ) -> Part {
        let draws = samples.draws;
        let kept: Vec<usize> = (0..draws).filter(|&draw| self.is_kept(draw)).collect();
        let mut streams = self.streams.get(group).cloned();
        self.keep_statistics(samples, &chains, &kept, tables);
        let codes = unit_codes(samples, chains.start / chains.len().max(1));
        let mut worker = self.model.named_worker(codes);
        match &mut streams {
            Some(streams) => {
                self.stream(&mut worker, samples, &chains, &kept, tables, streams);
                let energies = &samples.energy[chains.start * draws..chains.end * draws];
                if let Ok(energies) = Chains::new(energies, chains.len()) {
                    streams.energies.add(energies);
                }
                let diverging = &samples.is_divergent[chains.start * draws..chains.end * draws];
                streams.divergences += diverging.iter().filter(|d| **d).count() as u64;
            }
            None => self.name(&mut worker, samples, &chains, &kept, tables),
        }
        if !self.pointwise.is_empty() {
            let mut worker = self.model.pointwise_worker(codes);
            let (dim, room) = (samples.dim, tables.room);
            for (own, chain) in chains.clone().enumerate() {
                // Only where every draw is kept, so the chain's positions are all of them.
                let positions = &samples.positions[chain * draws * dim..(chain + 1) * draws * dim];
                let rows = tables.pointwise.iter_mut();
                let mut rows: Vec<&mut [f64]> =
                    rows.map(|rows| rows.of(room, own, self.done, draws)).collect();
                worker.evaluate(positions, &mut rows);
            }
        }
        Part { draws, streams }
    }

    fn is_kept(&self, draw: usize) -> bool {
        (self.done + draw + 1).is_multiple_of(self.stride)
    }

    /// The kept draws that each chain had before this round.
    fn first(&self) -> usize {
        self.done / self.stride
    }

    /// Copies the sampler's statistics of the kept draws.
    fn keep_statistics(
        &self,
        samples: &Samples,
        chains: &Range<usize>,
        kept: &[usize],
        tables: &mut GroupTables,
    ) {
        let reals = [
            &samples.energy,
            &samples.log_density,
            &samples.accept_prob,
            &samples.step_size,
        ];
        for (own, chain) in chains.clone().enumerate() {
            let to = own * tables.room + self.first();
            for (place, draw) in kept.iter().enumerate() {
                let (from, to) = (chain * samples.draws + draw, to + place);
                for (table, values) in tables.reals.iter_mut().zip(reals) {
                    table[to] = values[from];
                }
                tables.n_steps[to] = samples.n_steps[from];
                tables.diverging[to] = samples.is_divergent[from];
            }
        }
    }

    /// Names the kept draws.
    fn name(
        &self,
        worker: &mut NamedWorker,
        samples: &Samples,
        chains: &Range<usize>,
        kept: &[usize],
        tables: &mut GroupTables,
    ) {
        let (draws, dim, room, first) = (samples.draws, samples.dim, tables.room, self.first());
        if kept.is_empty() {
            return;
        }
        let mut picked = Vec::new();
        for (own, chain) in chains.clone().enumerate() {
            let mut positions = &samples.positions[chain * draws * dim..(chain + 1) * draws * dim];
            if kept.len() < draws {
                picked.clear();
                for draw in kept {
                    picked.extend_from_slice(&positions[draw * dim..(draw + 1) * dim]);
                }
                positions = &picked;
            }
            let named = tables.named.iter_mut();
            let mut values: Vec<&mut [f64]> =
                named.map(|rows| rows.of(room, own, first, kept.len())).collect();
            let at = own * room + first;
            let [_, log_density, ..] = tables.reals.as_mut_slice() else {
                return;
            };
            worker.evaluate(positions, &mut values, &mut log_density[at..at + kept.len()]);
        }
    }

    /// Names all draws, moves the streams on and keeps what is to be kept.
    fn stream(
        &self,
        worker: &mut NamedWorker,
        samples: &Samples,
        chains: &Range<usize>,
        kept: &[usize],
        tables: &mut GroupTables,
        streams: &mut Streams,
    ) {
        let (draws, dim, room, first_kept) = (samples.draws, samples.dim, tables.room, self.first());
        let block = (BLOCK / (chains.len() * (self.named + dim)).max(1)).max(1);
        let (mut positions, mut rows, mut ln_jacobian) = (Vec::new(), Vec::new(), Vec::new());
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.widths.len()];
        for first in (0..draws).step_by(block) {
            let count = block.min(draws - first);
            let cells = chains.len() * count;
            positions.clear();
            for chain in chains.clone() {
                let at = (chain * draws + first) * dim;
                positions.extend_from_slice(&samples.positions[at..at + count * dim]);
            }
            for (values, width) in values.iter_mut().zip(&self.widths) {
                values.resize(cells * width, 0.0);
            }
            let mut places: Vec<&mut [f64]> = values.iter_mut().map(Vec::as_mut_slice).collect();
            ln_jacobian.clear();
            ln_jacobian.resize(cells, 0.0);
            worker.evaluate(&positions, &mut places, &mut ln_jacobian);
            for (place, &draw) in kept.iter().enumerate() {
                if !(first..first + count).contains(&draw) {
                    continue;
                }
                for own in 0..chains.len() {
                    let cell = own * count + draw - first;
                    for (table, values) in tables.named.iter_mut().zip(&values) {
                        let width = table.width;
                        table
                            .of(room, own, first_kept + place, 1)
                            .copy_from_slice(&values[cell * width..(cell + 1) * width]);
                    }
                    if let [_, log_density, ..] = tables.reals.as_mut_slice() {
                        log_density[own * room + first_kept + place] += ln_jacobian[cell];
                    }
                }
            }
            rows.clear();
            for cell in 0..cells {
                for (&width, values) in self.widths.iter().zip(&values) {
                    rows.extend_from_slice(&values[cell * width..(cell + 1) * width]);
                }
            }
            streams.draws.add(&rows, self.pilot.as_ref());
        }
    }
}

impl Placer<'_> {
    /// Counts what was digested of a group.
    pub(super) fn place(&mut self, group: usize, part: Part) {
        self.draws[group] = self.done + part.draws;
        self.next[group] = part.streams;
    }
}
