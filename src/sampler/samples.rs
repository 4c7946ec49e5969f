//! What a run starts from and what it returns.

use super::initial::starting_positions;
use super::low_rank::Direction;
use super::settings::Settings;
use crate::back::evaluate::Density;
use crate::error::{Error, Result};

/// Metric and step size of every unit: a chain of NUTS, an ensemble of HMC.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// `[unit]`.
    pub step_sizes: Vec<f64>,
    /// Diagonal of the inverse mass matrix, `[unit][dim]`, position² units.
    pub inv_mass_diag: Vec<f64>,
    /// Directions that correct the diagonal, one factor I + stretch · u uᵀ of the whitening each: their stretches,
    /// `[unit][direction]`, 0 for none. Empty for ensembles whose metric is a diagonal.
    pub stretches: Vec<f64>,
    /// The directions' unit vectors u on the scale of the diagonal, `[unit][direction][dim]`.
    pub directions: Vec<f64>,
    /// Longest integration time on the whitened scale, `[unit]`; NUTS finds its own and leaves 0.
    pub trajectory_lengths: Vec<f64>,
    /// Codes of the centring weights, `[unit][level]`, see [`crate::back::evaluate::Centring`]; empty for a density
    /// without such effects.
    pub centring: Vec<u32>,
}

impl Tuning {
    /// The directions of a unit in `dim` coordinates.
    pub(crate) fn directions_of(&self, unit: usize, dim: usize) -> Vec<Direction> {
        let room = self.stretches.len() / self.step_sizes.len();
        let places = unit * room..(unit + 1) * room;
        places
            .filter(|&place| self.stretches[place] != 0.0)
            .map(|place| Direction {
                stretch: self.stretches[place],
                unit: self.directions[place * dim..(place + 1) * dim].to_vec(),
            })
            .collect()
    }
}

/// Where the chains are: everything that a run needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// `[chain][dim]`, unconstrained scale.
    pub positions: Vec<f64>,
    /// The next iteration's number in the random streams.
    pub iteration: u32,
    /// None before any warm-up. With one, a warm-up of 0 iterations samples at once, a longer one adapts from it.
    pub tuning: Option<Tuning>,
}

impl State {
    /// Dispersed starting points for a new run: one centre per ensemble, see [`starting_positions`].
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::User`] if no point with a finite log density and gradient is found.
    pub fn dispersed(density: &dyn Density, settings: &Settings) -> Result<Self> {
        Self::dispersed_anew(density, settings, 0)
    }

    /// The same from other starting points for each `round`; those of [`State::dispersed`] are of round 0.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn dispersed_anew(density: &dyn Density, settings: &Settings, round: u32) -> Result<Self> {
        let layout = settings.layout();
        Ok(Self {
            positions: starting_positions(density, settings.seed, settings.replicate, layout, round)?,
            iteration: 0,
            tuning: None,
        })
    }

    /// Checks the lengths against `chains` chains of `dim` coordinates in `units` units.
    pub(crate) fn check(&self, chains: usize, units: usize, dim: usize) -> Result<()> {
        let tuning_fits = self.tuning.as_ref().is_none_or(|tuning| {
            tuning.step_sizes.len() == units
                && tuning.inv_mass_diag.len() == units * dim
                && tuning.trajectory_lengths.len() == units
                && tuning.stretches.len().is_multiple_of(units)
                && tuning.directions.len() == tuning.stretches.len() * dim
        });
        if self.positions.len() != chains * dim || !tuning_fits {
            return Err(Error::bug(format!(
                "a state of {} numbers for {chains} chains of {dim} coordinates in {units} units",
                self.positions.len(),
            )));
        }
        Ok(())
    }

    /// The part of units `first` to `first + count` of `units`.
    pub(crate) fn slice(&self, first: usize, count: usize, units: usize) -> Self {
        fn cut<T: Copy>(values: &[T], first: usize, count: usize, units: usize) -> Vec<T> {
            let width = values.len() / units;
            values[first * width..(first + count) * width].to_vec()
        }
        let part = |values: &[f64]| cut(values, first, count, units);
        Self {
            positions: part(&self.positions),
            iteration: self.iteration,
            tuning: self.tuning.as_ref().map(|tuning| Tuning {
                step_sizes: part(&tuning.step_sizes),
                inv_mass_diag: part(&tuning.inv_mass_diag),
                stretches: part(&tuning.stretches),
                directions: part(&tuning.directions),
                trajectory_lengths: part(&tuning.trajectory_lengths),
                centring: cut(&tuning.centring, first, count, units),
            }),
        }
    }

    /// Appends the state of further units.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.positions.append(&mut other.positions);
        // Units of a stopped run end at different iterations: going on after the last one repeats no stream.
        self.iteration = self.iteration.max(other.iteration);
        if let (Some(mine), Some(theirs)) = (&mut self.tuning, &mut other.tuning) {
            mine.step_sizes.append(&mut theirs.step_sizes);
            mine.inv_mass_diag.append(&mut theirs.inv_mass_diag);
            mine.stretches.append(&mut theirs.stretches);
            mine.directions.append(&mut theirs.directions);
            mine.trajectory_lengths.append(&mut theirs.trajectory_lengths);
            mine.centring.append(&mut theirs.centring);
        }
    }
}

/// The draws of a run with their statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Number of chains.
    pub chains: usize,
    /// Draws per chain: those asked for, or fewer if the run was stopped.
    pub draws: usize,
    /// Coordinates of a position.
    pub dim: usize,
    /// Units that adapted on their own: ensembles of HMC (superchains of nested R-hat), chains of NUTS.
    pub ensembles: usize,
    /// False if the run was stopped before its last draw.
    pub is_complete: bool,
    /// `[chain][draw][dim]`, unconstrained scale.
    pub positions: Vec<f64>,
    /// `[chain][draw]`.
    pub log_density: Vec<f64>,
    /// Hamiltonian of the kept state, `[chain][draw]`.
    pub energy: Vec<f64>,
    /// `[chain][draw]`: of the transition for HMC, averaged over the trajectory for NUTS.
    pub accept_prob: Vec<f64>,
    /// `[chain][draw]`.
    pub step_size: Vec<f64>,
    /// Leapfrog steps of the transition, `[chain][draw]`.
    pub n_steps: Vec<u32>,
    /// `[chain][draw]`; with thinning, whether any iteration since the last kept draw diverged.
    pub is_divergent: Vec<bool>,
    /// Divergent transitions during warm-up, all chains together.
    pub warmup_divergences: u64,
    /// Gradients during warm-up, one per chain and leapfrog step, starting points and step size search included.
    pub warmup_gradient_evaluations: u64,
    /// Gradients of the whole run.
    pub gradient_evaluations: u64,
    /// The state after the last iteration; the tuning is that of the draws.
    pub state: State,
}

/// One kept draw of one chain.
pub(crate) struct Draw<'a> {
    pub(crate) position: &'a [f64],
    pub(crate) log_density: f64,
    pub(crate) energy: f64,
    pub(crate) accept_prob: f64,
    pub(crate) step_size: f64,
    pub(crate) n_steps: u32,
    pub(crate) is_divergent: bool,
}

/// The draws of some chains, one after another.
pub(crate) struct SamplesPart<'a> {
    first: usize,
    draws: usize,
    dim: usize,
    positions: &'a mut [f64],
    log_density: &'a mut [f64],
    energy: &'a mut [f64],
    accept_prob: &'a mut [f64],
    step_size: &'a mut [f64],
    n_steps: &'a mut [u32],
    is_divergent: &'a mut [bool],
}

impl SamplesPart<'_> {
    /// The chains' numbers in the run.
    pub(crate) fn chains(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.log_density.len() / self.draws
    }

    /// Places a draw of one of these chains.
    pub(crate) fn set(&mut self, chain: usize, draw: usize, value: &Draw<'_>) {
        let cell = (chain - self.first) * self.draws + draw;
        self.positions[cell * self.dim..(cell + 1) * self.dim].copy_from_slice(value.position);
        self.log_density[cell] = value.log_density;
        self.energy[cell] = value.energy;
        self.accept_prob[cell] = value.accept_prob;
        self.step_size[cell] = value.step_size;
        self.n_steps[cell] = value.n_steps;
        self.is_divergent[cell] = value.is_divergent;
    }
}

impl Samples {
    /// Room for `draws` draws per chain of the units of `state`.
    pub(crate) fn with_room(chains: usize, ensembles: usize, draws: usize, dim: usize, state: State) -> Self {
        let cells = chains * draws;
        Self {
            chains,
            draws,
            dim,
            ensembles,
            is_complete: true,
            positions: vec![0.0; cells * dim],
            log_density: vec![0.0; cells],
            energy: vec![0.0; cells],
            accept_prob: vec![0.0; cells],
            step_size: vec![0.0; cells],
            n_steps: vec![0; cells],
            is_divergent: vec![false; cells],
            warmup_divergences: 0,
            warmup_gradient_evaluations: 0,
            gradient_evaluations: 0,
            state,
        }
    }

    /// Places a draw.
    pub(crate) fn set(&mut self, chain: usize, draw: usize, value: &Draw<'_>) {
        for mut part in self.by_chains(self.chains) {
            part.set(chain, draw, value);
        }
    }

    /// The draws in parts of `count` chains, which different threads may fill.
    pub(crate) fn by_chains(&mut self, count: usize) -> Vec<SamplesPart<'_>> {
        let (draws, dim) = (self.draws, self.dim);
        // A run without draws has nothing to fill.
        if draws == 0 || count == 0 {
            return Vec::new();
        }
        let cells = count * draws;
        // A model without parameters has positions without numbers.
        let mut positions = self.positions.chunks_mut((cells * dim).max(1));
        let parts = self
            .log_density
            .chunks_mut(cells)
            .zip(self.energy.chunks_mut(cells))
            .zip(self.accept_prob.chunks_mut(cells))
            .zip(self.step_size.chunks_mut(cells))
            .zip(self.n_steps.chunks_mut(cells))
            .zip(self.is_divergent.chunks_mut(cells))
            .enumerate();
        parts
            .map(
                |(number, (((((log_density, energy), accept_prob), step_size), n_steps), is_divergent))| {
                    SamplesPart {
                        first: number * count,
                        draws,
                        dim,
                        positions: positions.next().unwrap_or_default(),
                        log_density,
                        energy,
                        accept_prob,
                        step_size,
                        n_steps,
                        is_divergent,
                    }
                },
            )
            .collect()
    }

    /// Keeps the first `draws` draws of every chain.
    pub(crate) fn truncate(&mut self, draws: usize) {
        if draws >= self.draws {
            return;
        }
        let old = self.draws;
        keep_first(&mut self.positions, old * self.dim, draws * self.dim);
        keep_first(&mut self.log_density, old, draws);
        keep_first(&mut self.energy, old, draws);
        keep_first(&mut self.accept_prob, old, draws);
        keep_first(&mut self.step_size, old, draws);
        keep_first(&mut self.n_steps, old, draws);
        keep_first(&mut self.is_divergent, old, draws);
        self.draws = draws;
        self.is_complete = false;
    }

    /// The draws of each unit by itself, gradients and divergences of warm-up shared out evenly: the run counts them
    /// together.
    pub(crate) fn into_units(self) -> Vec<Self> {
        let units = self.ensembles.max(1);
        let cut = |values: &[f64], unit: usize| {
            let width = values.len() / units;
            values[unit * width..(unit + 1) * width].to_vec()
        };
        let cells = self.chains / units * self.draws;
        (0..units)
            .map(|unit| Self {
                chains: self.chains / units,
                draws: self.draws,
                dim: self.dim,
                ensembles: 1,
                is_complete: self.is_complete,
                positions: cut(&self.positions, unit),
                log_density: cut(&self.log_density, unit),
                energy: cut(&self.energy, unit),
                accept_prob: cut(&self.accept_prob, unit),
                step_size: cut(&self.step_size, unit),
                n_steps: self.n_steps[unit * cells..(unit + 1) * cells].to_vec(),
                is_divergent: self.is_divergent[unit * cells..(unit + 1) * cells].to_vec(),
                warmup_divergences: self.warmup_divergences / units as u64,
                warmup_gradient_evaluations: self.warmup_gradient_evaluations / units as u64,
                gradient_evaluations: self.gradient_evaluations / units as u64,
                state: self.state.slice(unit, 1, units),
            })
            .collect()
    }

    /// Appends the chains of `other`, which come after these; of unequal numbers of draws the lesser is kept.
    pub(crate) fn append(&mut self, mut other: Self) {
        let draws = self.draws.min(other.draws);
        self.truncate(draws);
        other.truncate(draws);
        self.chains += other.chains;
        self.ensembles += other.ensembles;
        self.is_complete &= other.is_complete;
        self.positions.append(&mut other.positions);
        self.log_density.append(&mut other.log_density);
        self.energy.append(&mut other.energy);
        self.accept_prob.append(&mut other.accept_prob);
        self.step_size.append(&mut other.step_size);
        self.n_steps.append(&mut other.n_steps);
        self.is_divergent.append(&mut other.is_divergent);
        self.warmup_divergences += other.warmup_divergences;
        self.warmup_gradient_evaluations += other.warmup_gradient_evaluations;
        self.gradient_evaluations += other.gradient_evaluations;
        self.state.append(other.state);
    }
}

/// Shortens every row of `values` from `width` to `kept`.
fn keep_first<T: Copy>(values: &mut Vec<T>, width: usize, kept: usize) {
    let rows = values.len() / width;
    for row in 1..rows {
        values.copy_within(row * width..row * width + kept, row * kept);
    }
    values.truncate(rows * kept);
}
