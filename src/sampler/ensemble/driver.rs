//! The run of all ensembles of one engine: warm-up iteration by iteration, then draws in blocks.

use super::{Adaptation, Engine, IterationResult, Plan};
use crate::back::evaluate::Centring;
use crate::error::{Error, Result};
use crate::sampler::centring::Recentring;
use crate::sampler::progress::{Phase, Progress, Watch};
use crate::sampler::samples::{Draw, Samples, State, Tuning};
use crate::sampler::settings::Settings;

/// Iterations of the sampling phase that an engine is given at once, if their positions stay within [`BLOCK_BYTES`].
const BLOCK: u32 = 64;
/// What the positions of all chains over a block may take, in f64.
const BLOCK_BYTES: usize = 64 << 20;

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
        adaptations: adaptations(engine, settings, state),
        recentrings: recentrings(engine, centring, settings, state)?,
        gradient_evaluations: chains as u64,
        divergences: 0,
        first_chain,
        chains,
        size,
    };
    let mut samples = Samples::with_room(chains, ensembles, settings.draws, dim, state.clone());
    driver.set_centring(engine)?;
    engine.set_positions(&state.positions)?;
    engine.set_inv_mass(&driver.inv_mass())?;

    let mut done = 0;
    while done < settings.warmup && !watch.is_stopped() {
        let plans = [driver.plans(state.iteration + done)];
        let results = engine.run(state.iteration + done, &plans, &mut |_| true)?;
        let [result] = results.as_slice() else {
            return Err(Error::bug(format!(
                "an engine returned {} of 1 iterations",
                results.len()
            )));
        };
        driver.count(&plans[0], result);
        for (e, adaptation) in driver.adaptations.iter_mut().enumerate() {
            adaptation.update(
                state.iteration + done,
                &result.positions[e * size * dim..(e + 1) * size * dim],
                &result.accept_prob[e * size..(e + 1) * size],
            );
        }
        samples.state.positions.copy_from_slice(&result.positions);
        if driver.recentre(state.iteration + done, &mut samples.state.positions) {
            driver.set_centring(engine)?;
            engine.set_positions(&samples.state.positions)?;
            driver.gradient_evaluations += chains as u64;
        }
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
    let mut diverged_since_draw = vec![false; chains];
    let within = BLOCK_BYTES / (chains * dim * size_of::<f64>()).max(1);
    let block = u32::try_from(within).unwrap_or(u32::MAX).clamp(1, BLOCK);
    let mut sampled = 0;
    while sampled < iterations && !watch.is_stopped() {
        let count = block.min(iterations - sampled);
        let plans: Vec<Vec<Plan>> = (0..count)
            .map(|i| driver.plans(state.iteration + done + sampled + i))
            .collect();
        let results = engine.run(state.iteration + done + sampled, &plans, &mut |block_done| {
            // Counts of gradients and divergences follow with the block's results.
            watch.report(driver.progress(Phase::Sampling, sampled + block_done as u32));
            !watch.is_stopped()
        })?;
        for (plans, result) in plans.iter().zip(&results) {
            driver.count(plans, result);
            sampled += 1;
            for (since, now) in diverged_since_draw.iter_mut().zip(&result.is_divergent) {
                *since |= now;
            }
            if sampled % settings.thin == 0 {
                let draw = (sampled / settings.thin - 1) as usize;
                driver.keep(&mut samples, draw, plans, result, &diverged_since_draw);
                diverged_since_draw.fill(false);
            }
        }
        if let Some(last) = results.last() {
            samples.state.positions.copy_from_slice(&last.positions);
        }
        watch.report(driver.progress(Phase::Sampling, sampled));
        if results.len() < plans.len() && !watch.is_stopped() {
            return Err(Error::bug(format!(
                "an engine returned {} of {} iterations",
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
fn adaptations(engine: &dyn Engine, settings: &Settings, state: &State) -> Vec<Adaptation> {
    let (dim, chains) = (engine.dim(), engine.chains_per_ensemble());
    let warmup = state.iteration..state.iteration + settings.warmup;
    (0..engine.ensembles())
        .map(|e| match &state.tuning {
            None => Adaptation::new(dim, chains, warmup.clone(), settings.target_accept),
            Some(tuning) => Adaptation::tuned(
                tuning.inv_mass_diag[e * dim..(e + 1) * dim].to_vec(),
                chains,
                warmup.clone(),
                settings.target_accept,
                tuning.step_sizes[e],
                tuning.trajectory_lengths[e],
            ),
        })
        .collect()
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
    first_chain: usize,
    chains: usize,
    /// Chains per ensemble.
    size: usize,
}

impl Driver<'_> {
    /// Sets the engine's codes, if the model has any.
    fn set_centring(&self, engine: &mut dyn Engine) -> Result<()> {
        if self.recentrings.is_empty() {
            return Ok(());
        }
        engine.set_centring(&self.centring())
    }

    /// Learns the centring from an iteration's `positions`; tells whether it changed, and they with it.
    fn recentre(&mut self, iteration: u32, positions: &mut [f64]) -> bool {
        let mut is_changed = false;
        let chunk = positions.len() / self.adaptations.len();
        for ((recentring, adaptation), positions) in self
            .recentrings
            .iter_mut()
            .zip(&mut self.adaptations)
            .zip(positions.chunks_exact_mut(chunk))
        {
            if let Some(refit) = recentring.update(iteration, positions) {
                adaptation.recentre(recentring.coordinates(), &refit);
                is_changed = true;
            }
        }
        is_changed
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
        Tuning {
            step_sizes: self.adaptations.iter().map(Adaptation::step_size).collect(),
            inv_mass_diag: self.inv_mass(),
            stretches: Vec::new(),
            directions: Vec::new(),
            trajectory_lengths: self
                .adaptations
                .iter()
                .map(Adaptation::trajectory_length)
                .collect(),
            centring: self.centring(),
        }
    }

    fn count(&mut self, plans: &[Plan], result: &IterationResult) {
        let steps: u64 = plans.iter().map(|p| u64::from(p.num_leapfrog_steps)).sum();
        self.gradient_evaluations += steps * self.size as u64;
        self.divergences += result.is_divergent.iter().filter(|d| **d).count() as u64;
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

    /// Places an iteration's states as the `draw`-th draw of every chain.
    fn keep(
        &self,
        samples: &mut Samples,
        draw: usize,
        plans: &[Plan],
        result: &IterationResult,
        is_divergent: &[bool],
    ) {
        let dim = samples.dim;
        for chain in 0..self.chains {
            let plan = plans[chain / self.size];
            samples.set(
                chain,
                draw,
                &Draw {
                    position: &result.positions[chain * dim..(chain + 1) * dim],
                    log_density: result.log_density[chain],
                    energy: result.energy[chain],
                    accept_prob: result.accept_prob[chain],
                    step_size: plan.step_size,
                    n_steps: plan.num_leapfrog_steps,
                    is_divergent: is_divergent[chain],
                },
            );
        }
    }
}
