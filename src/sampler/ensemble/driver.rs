//! The run of all ensembles of one engine: warm-up iteration by iteration, then draws in blocks.

use super::{Adaptation, Engine, IterationResult, Plan};
use crate::back::evaluate::Centring;
use crate::error::{Error, Result};
use crate::num::parallel::in_parallel;
use crate::sampler::centring::Recentring;
use crate::sampler::low_rank::{Direction, tuned_directions};
use crate::sampler::progress::{Phase, Progress, Watch};
use crate::sampler::samples::{Draw, Samples, State, Tuning};
use crate::sampler::settings::Settings;

/// Draws of the sampling phase that an engine is asked for at once, if their positions stay within [`BLOCK_BYTES`].
const BLOCK: u32 = 64;
/// Iterations of a block, where draws are thinned.
const BLOCK_ITERATIONS: u32 = 4096;
/// What the positions of all chains over a block may take, in f64.
const BLOCK_BYTES: usize = 256 << 20;
/// Coordinates of all chains from which several threads adapt the ensembles and place the draws.
const MANY_COORDINATES: usize = 1 << 17;

/// Samples with `engine`, whose chains are those from `first_chain` on (0 if it holds all), from `state`.
///
/// With `centring`, the centring weights are learned per ensemble during warm-up; the draws are in the coordinates of
/// the codes in the samples' tuning. Without, the engine's own stay. Of `settings`, warm-up, draws, thinning and target acceptance count here; seed and replicate are the engine's, and
/// its numbers of ensembles and chains rule. `state` holds the engine's chains alone.
///
/// # Errors
///
/// [`crate::error::Kind::User`] for settings without sense, [`crate::error::Kind::Bug`] for a state that does not fit
/// the engine, and the engine's own.
pub fn run_on_engine(
    engine: &mut dyn Engine,
    centring: Option<&dyn Centring>,
    settings: &Settings,
    first_chain: usize,
    state: &State,
    watch: Watch<'_>,
) -> Result<Samples> {
    settings.check(engine.dim(), state.iteration)?;
    let (ensembles, size, dim) = (engine.ensembles(), engine.chains_per_ensemble(), engine.dim());
    let chains = ensembles * size;
    state.check(chains, ensembles, dim)?;
    let mut driver = Driver {
        adaptations: adaptations(engine, settings, state)?,
        recentrings: recentrings(engine, centring, settings, state)?,
        gradient_evaluations: chains as u64,
        divergences: 0,
        is_tuned: state.tuning.is_some(),
        first_chain,
        chains,
        size,
        threads: if chains * dim < MANY_COORDINATES {
            1
        } else {
            settings.threads
        },
    };
    let mut samples = Samples::with_room(chains, ensembles, settings.draws, dim, state.clone());
    driver.set_centring(engine)?;
    engine.set_positions(&state.positions)?;
    driver.settle(engine, state.iteration, &state.positions)?;
    engine.set_inv_mass(&driver.inv_mass())?;
    engine.set_directions(&driver.directions())?;

    let mut done = 0;
    while done < settings.warmup && !watch.is_stopped() {
        let plans = [driver.plans(state.iteration + done)];
        let mut results = engine.run(state.iteration + done, &plans, &mut |_| true)?;
        let [result] = results.as_mut_slice() else {
            return Err(Error::bug(format!(
                "an engine returned {} of 1 iterations",
                results.len()
            )));
        };
        driver.count(&plans, result);
        driver.adapt(state.iteration + done, result);
        std::mem::swap(&mut samples.state.positions, &mut result.positions);
        if driver.recentre(state.iteration + done, &mut samples.state.positions) {
            driver.set_centring(engine)?;
            engine.set_positions(&samples.state.positions)?;
            engine.set_directions(&driver.directions())?;
            driver.gradient_evaluations += chains as u64;
        }
        if driver.collect(engine, state.iteration + done, &samples.state.positions)? {
            engine.set_directions(&driver.directions())?;
        }
        driver.settle(engine, state.iteration + done + 1, &samples.state.positions)?;
        engine.set_inv_mass(&driver.inv_mass())?;
        engine.recycle(results);
        done += 1;
        watch.report(driver.progress(Phase::Warmup, done));
    }
    samples.warmup_divergences = driver.divergences;
    samples.warmup_gradient_evaluations = driver.gradient_evaluations;
    driver.divergences = 0;

    let iterations = if done == settings.warmup {
        settings.sampling_iterations()
    } else {
        0
    };
    engine.set_thin(settings.thin);
    let within = u32::try_from(BLOCK_BYTES / (chains * dim * size_of::<f64>()).max(1)).unwrap_or(u32::MAX);
    let draws_at_once = within.min(BLOCK_ITERATIONS / settings.thin).clamp(1, BLOCK);
    let mut sampled = 0;
    while sampled < iterations && !watch.is_stopped() {
        let count = draws_at_once
            .saturating_mul(settings.thin)
            .min(iterations - sampled);
        let plans: Vec<Vec<Plan>> = (0..count)
            .map(|i| driver.plans(state.iteration + done + sampled + i))
            .collect();
        let mut results = engine.run(state.iteration + done + sampled, &plans, &mut |block_done| {
            // Counts of gradients and divergences follow with the block's results.
            watch.report(driver.progress(Phase::Sampling, sampled + block_done as u32));
            !watch.is_stopped()
        })?;
        for (plans, result) in plans.chunks(settings.thin as usize).zip(&results) {
            driver.count(plans, result);
        }
        driver.keep(
            &mut samples,
            (sampled / settings.thin) as usize,
            &plans,
            &results,
            settings.thin,
        );
        sampled += results.len() as u32 * settings.thin;
        if let Some(last) = results.last_mut() {
            std::mem::swap(&mut samples.state.positions, &mut last.positions);
        }
        watch.report(driver.progress(Phase::Sampling, sampled));
        if results.len() * (settings.thin as usize) < plans.len() && !watch.is_stopped() {
            return Err(Error::bug(format!(
                "an engine returned {} draws of {} iterations",
                results.len(),
                plans.len()
            )));
        }
        engine.recycle(results);
    }
    samples.truncate((sampled / settings.thin) as usize);
    samples.gradient_evaluations = driver.gradient_evaluations;
    samples.state.iteration = state.iteration + done + sampled;
    samples.state.tuning = Some(driver.tuning());
    Ok(samples)
}

/// One adaptation per ensemble, from the state's tuning if it has one.
fn adaptations(engine: &dyn Engine, settings: &Settings, state: &State) -> Result<Vec<Adaptation>> {
    let (dim, chains) = (engine.dim(), engine.chains_per_ensemble());
    let warmup = state.iteration..state.iteration + settings.warmup;
    let work = engine.gradient_work();
    let has_directions = |tuning: &Tuning| tuning.stretches.iter().any(|stretch| *stretch != 0.0);
    // A warm-up may forget them and adapt to the diagonal alone.
    if work.is_none() && warmup.is_empty() && state.tuning.as_ref().is_some_and(has_directions) {
        return Err(Error::user(
            "the run to go on from has a metric with directions beside its diagonal, which this engine has not",
        )
        .with_help("go on with the CPU, or with a warm-up"));
    }
    let work = work.filter(|_| settings.directions);
    Ok((0..engine.ensembles())
        .map(|e| match &state.tuning {
            None => Adaptation::new(dim, chains, warmup.clone(), settings.target_accept)
                .with_directions(Vec::new(), work),
            Some(tuning) => Adaptation::tuned(
                tuning.inv_mass_diag[e * dim..(e + 1) * dim].to_vec(),
                chains,
                warmup.clone(),
                settings.target_accept,
                tuning.step_sizes[e],
                tuning.trajectory_lengths[e],
            )
            .with_directions(tuning.directions_of(e, dim), work),
        })
        .collect())
}

/// One centring per ensemble, from the state's tuning if it has one; none for a model without levels to centre.
fn recentrings<'c>(
    engine: &dyn Engine,
    centring: Option<&'c dyn Centring>,
    settings: &Settings,
    state: &State,
) -> Result<Vec<Recentring<'c>>> {
    let warmup = state.iteration..state.iteration + settings.warmup;
    let codes = state.tuning.as_ref().map_or(&[][..], |tuning| &tuning.centring);
    let levels = centring.map_or(0, |centring| centring.initial().len());
    if !(codes.is_empty() || codes.len() == engine.ensembles() * levels) {
        return Err(Error::bug(format!(
            "a state of {} centring codes for {} ensembles of {levels} levels",
            codes.len(),
            engine.ensembles()
        )));
    }
    let Some(centring) = centring.filter(|_| levels > 0) else {
        return Ok(Vec::new());
    };
    let of_ensemble = |e: usize| codes.get(e * levels..(e + 1) * levels);
    Ok((0..engine.ensembles())
        .map(|e| Recentring::new(centring, of_ensemble(e), warmup.clone()))
        .collect())
}

/// The ensembles' adaptations and the run's counts.
struct Driver<'c> {
    adaptations: Vec<Adaptation>,
    /// One per ensemble, or none at all.
    recentrings: Vec<Recentring<'c>>,
    gradient_evaluations: u64,
    /// Of the current phase.
    divergences: u64,
    /// The ensembles came with a metric, which chains settle with.
    is_tuned: bool,
    first_chain: usize,
    chains: usize,
    /// Chains per ensemble.
    size: usize,
    threads: usize,
}

impl Driver<'_> {
    /// Sets the engine's codes, if the model has any.
    fn set_centring(&self, engine: &mut dyn Engine) -> Result<()> {
        if self.recentrings.is_empty() {
            return Ok(());
        }
        engine.set_centring(&self.centring())
    }

    /// Gives the ensembles that settle in `iteration` the metric of the curvature at their `positions`.
    fn settle(&mut self, engine: &mut dyn Engine, iteration: u32, positions: &[f64]) -> Result<()> {
        // All ensembles have the same warm-up, and come all with a metric or all without one.
        if self.is_tuned || !self.adaptations.iter().any(|a| a.is_settling(iteration)) {
            return Ok(());
        }
        let (gradients, evaluations) = engine.gradients()?;
        self.gradient_evaluations += evaluations;
        let chunk = positions.len() / self.adaptations.len();
        let of_ensembles: Vec<_> = self
            .adaptations
            .iter_mut()
            .zip(positions.chunks_exact(chunk).zip(gradients.chunks_exact(chunk)))
            .collect();
        in_parallel(
            of_ensembles,
            self.threads,
            |(adaptation, (positions, gradients))| {
                adaptation.settle(positions, gradients);
            },
        );
        Ok(())
    }

    /// Lets every ensemble adapt to an iteration of warm-up.
    fn adapt(&mut self, iteration: u32, result: &IterationResult) {
        let dim = result.positions.len() / self.chains;
        let of_ensembles: Vec<_> = self
            .adaptations
            .iter_mut()
            .zip(result.positions.chunks_exact(self.size * dim))
            .zip(result.accept_prob.chunks_exact(self.size))
            .collect();
        in_parallel(
            of_ensembles,
            self.threads,
            |((adaptation, positions), accept_prob)| {
                adaptation.update(iteration, positions, accept_prob);
            },
        );
    }

    /// Learns the centring from an iteration's `positions`; tells whether it changed, and they with it.
    fn recentre(&mut self, iteration: u32, positions: &mut [f64]) -> bool {
        let chunk = positions.len() / self.adaptations.len();
        let of_ensembles: Vec<_> = self
            .recentrings
            .iter_mut()
            .zip(&mut self.adaptations)
            .zip(positions.chunks_exact_mut(chunk))
            .collect();
        let changed = in_parallel(
            of_ensembles,
            self.threads,
            |((recentring, adaptation), positions)| {
                let refit = recentring.update(iteration, positions);
                if let Some(refit) = &refit {
                    adaptation.recentre(recentring.coordinates(), refit);
                }
                refit.is_some()
            },
        );
        changed.into_iter().any(|changed| changed)
    }

    /// Lets the ensembles look for directions in the `positions` after an iteration; tells whether any found or lost some.
    fn collect(&mut self, engine: &mut dyn Engine, iteration: u32, positions: &[f64]) -> Result<bool> {
        // All ensembles have the same warm-up.
        if !self.adaptations.iter().any(|a| a.collects(iteration)) {
            return Ok(false);
        }
        let (gradients, evaluations) = engine.gradients()?;
        self.gradient_evaluations += evaluations;
        let chunk = positions.len() / self.adaptations.len();
        let of_ensembles: Vec<_> = self
            .adaptations
            .iter_mut()
            .zip(positions.chunks_exact(chunk).zip(gradients.chunks_exact(chunk)))
            .collect();
        let changed = in_parallel(
            of_ensembles,
            self.threads,
            |(adaptation, (positions, gradients))| adaptation.collect(iteration, positions, gradients),
        );
        Ok(changed.into_iter().any(|changed| changed))
    }

    fn directions(&self) -> Vec<&[Direction]> {
        self.adaptations.iter().map(Adaptation::directions).collect()
    }

    fn centring(&self) -> Vec<u32> {
        self.recentrings
            .iter()
            .flat_map(|recentring| recentring.codes().iter().copied())
            .collect()
    }

    fn plans(&self, iteration: u32) -> Vec<Plan> {
        self.adaptations.iter().map(|a| a.plan(iteration)).collect()
    }

    fn inv_mass(&self) -> Vec<f64> {
        self.adaptations
            .iter()
            .flat_map(|a| a.inv_mass_diag().iter().copied())
            .collect()
    }

    fn tuning(&self) -> Tuning {
        let (mut stretches, mut directions) = (Vec::new(), Vec::new());
        if self.adaptations.iter().any(Adaptation::has_room_for_directions) {
            for adaptation in &self.adaptations {
                let (own, units) =
                    tuned_directions(adaptation.directions(), adaptation.inv_mass_diag().len());
                stretches.extend(own);
                directions.extend(units);
            }
        }
        Tuning {
            step_sizes: self.adaptations.iter().map(Adaptation::step_size).collect(),
            inv_mass_diag: self.inv_mass(),
            stretches,
            directions,
            trajectory_lengths: self
                .adaptations
                .iter()
                .map(Adaptation::trajectory_length)
                .collect(),
            centring: self.centring(),
        }
    }

    /// Counts the iterations of `plans`, `[iteration][ensemble]`, whose last one is `result`.
    fn count(&mut self, plans: &[Vec<Plan>], result: &IterationResult) {
        let steps: u64 = plans
            .iter()
            .flatten()
            .map(|p| u64::from(p.num_leapfrog_steps))
            .sum();
        self.gradient_evaluations += steps * self.size as u64;
        self.divergences += result.divergences;
    }

    fn progress(&self, phase: Phase, iterations: u32) -> Progress {
        Progress {
            phase,
            first_chain: self.first_chain,
            chains: self.chains,
            iterations,
            gradient_evaluations: self.gradient_evaluations,
            divergences: self.divergences,
        }
    }

    /// Places the states of `results`, the last of every `thin` iterations of `plans`, as draws from number `first` on.
    fn keep(
        &self,
        samples: &mut Samples,
        first: usize,
        plans: &[Vec<Plan>],
        results: &[IterationResult],
        thin: u32,
    ) {
        let dim = samples.dim;
        let parts = samples.by_chains(self.chains.div_ceil(4 * self.threads).max(1));
        in_parallel(parts, self.threads, |mut part| {
            for (draw, (plans, result)) in plans.chunks(thin as usize).zip(results).enumerate() {
                let Some(plans) = plans.last() else { continue };
                for chain in part.chains() {
                    let plan = plans[chain / self.size];
                    part.set(
                        chain,
                        first + draw,
                        &Draw {
                            position: &result.positions[chain * dim..(chain + 1) * dim],
                            log_density: result.log_density[chain],
                            energy: result.energy[chain],
                            accept_prob: result.accept_prob[chain],
                            step_size: plan.step_size,
                            n_steps: plan.num_leapfrog_steps,
                            is_divergent: result.is_divergent[chain],
                        },
                    );
                }
            }
        });
    }
}
