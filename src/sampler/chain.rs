//! The whole run of one NUTS chain: warm-up in windows, then draws.

use super::chain_centring::ChainCentring;
use super::low_rank::tuned_directions;
use super::nuts::Nuts;
use super::phase_space::{Hamiltonian, Point};
use super::progress::{Phase, Progress, Watch};
use super::samples::{Draw, Samples, State, Tuning};
use super::settings::Settings;
use super::warmup::{Warmup, tune_at_start};
use crate::back::evaluate::Density;
use crate::error::Result;
use crate::rng::{Purpose, Stream};

/// Runs chain `chain` from `state`, which holds this chain alone.
///
/// # Errors
///
/// [`crate::error::Kind::Bug`] for a state with codes of other levels than the density's.
pub(crate) fn run_chain(
    density: &dyn Density,
    settings: &Settings,
    chain: usize,
    state: State,
    watch: Watch<'_>,
) -> Result<Samples> {
    let dim = density.dim();
    let mut system = Hamiltonian::new(density);
    let mut nuts = Nuts::new(dim);
    let mut current = Point::new(dim);
    current.position.copy_from_slice(&state.positions);
    let codes = state.tuning.as_ref().map_or(&[][..], |tuning| &tuning.centring);
    let centring = density
        .centring()
        .map(|centring| ChainCentring::new(centring, codes, settings.warmup))
        .transpose()?;
    if let Some(centring) = &centring {
        system.set_centring(centring.codes());
    }
    system.evaluate(&mut current);
    let first = state.iteration;
    let stream = |iteration: u32| Stream {
        seed: settings.seed,
        replicate: settings.replicate,
        chain: chain as u32,
        iteration: first + iteration,
        purpose: Purpose::Momentum,
    };
    let mut step_size = match &state.tuning {
        Some(tuning) => {
            system.metric_mut().set_from(tuning);
            tuning.step_sizes[0]
        }
        None => tune_at_start(&mut system, &current, &mut Point::new(dim), stream(0)),
    };
    let mut samples = Samples::with_room(1, 1, settings.draws, dim, state);
    let progress = |phase, iterations, gradient_evaluations, divergences| Progress {
        phase,
        first_chain: chain,
        chains: 1,
        iterations,
        gradient_evaluations,
        divergences,
    };

    let mut warmup = Warmup::new(
        &system,
        centring,
        settings.warmup,
        step_size,
        settings.target_accept,
        settings.directions,
    );
    let mut done = 0;
    while done < settings.warmup && !watch.is_stopped() {
        let transition = nuts.transition(&mut system, &mut current, step_size, stream(done));
        samples.warmup_divergences += u64::from(transition.is_divergent);
        step_size = warmup.learn(done, &transition, &mut system, &mut current, stream(done));
        done += 1;
        watch.report(progress(
            Phase::Warmup,
            done,
            system.gradient_evaluations,
            samples.warmup_divergences,
        ));
    }
    if done > 0 {
        step_size = warmup.final_step_size();
    }
    samples.warmup_gradient_evaluations = system.gradient_evaluations;

    let mut drawn = 0;
    let mut divergences = 0;
    let mut diverged_since_draw = false;
    let iterations = settings.sampling_iterations();
    let mut sampled = 0;
    while done == settings.warmup && sampled < iterations && !watch.is_stopped() {
        let transition = nuts.transition(&mut system, &mut current, step_size, stream(done + sampled));
        sampled += 1;
        divergences += u64::from(transition.is_divergent);
        diverged_since_draw |= transition.is_divergent;
        if sampled % settings.thin == 0 {
            samples.set(
                0,
                drawn,
                &Draw {
                    position: &current.position,
                    log_density: current.log_density,
                    energy: transition.energy,
                    accept_prob: transition.accept_prob,
                    step_size,
                    n_steps: transition.num_leapfrog_steps,
                    is_divergent: diverged_since_draw,
                },
            );
            drawn += 1;
            diverged_since_draw = false;
        }
        watch.report(progress(
            Phase::Sampling,
            sampled,
            system.gradient_evaluations,
            divergences,
        ));
    }
    samples.truncate(drawn);
    samples.gradient_evaluations = system.gradient_evaluations;
    let (stretches, directions) = tuned_directions(system.metric().directions(), dim);
    samples.state = State {
        positions: current.position,
        iteration: first + done + sampled,
        tuning: Some(Tuning {
            step_sizes: vec![step_size],
            inv_mass_diag: system.metric().inv_mass_diag(),
            stretches,
            directions,
            trajectory_lengths: vec![0.0],
            centring: warmup.codes().to_vec(),
        }),
    };
    Ok(samples)
}
