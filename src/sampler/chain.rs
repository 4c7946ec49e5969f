//! The whole run of one NUTS chain: warm-up in windows, then draws.

use super::dual_averaging::DualAveraging;
use super::nuts::Nuts;
use super::phase_space::{Hamiltonian, Point};
use super::progress::{Phase, Progress, Watch};
use super::samples::{Draw, Samples, State, Tuning};
use super::settings::Settings;
use super::step_size::find_step_size;
use super::windows::{WindowVariance, Windows};
use crate::back::evaluate::Density;
use crate::rng::{Purpose, Stream};

/// Runs chain `chain` from `state`, which holds this chain alone.
pub(crate) fn run_chain(
    density: &dyn Density,
    settings: &Settings,
    chain: usize,
    state: State,
    watch: Watch<'_>,
) -> Samples {
    let dim = density.dim();
    let mut system = Hamiltonian::new(density);
    let mut nuts = Nuts::new(dim);
    let mut current = Point::new(dim);
    let mut scratch = Point::new(dim);
    current.position.copy_from_slice(&state.positions);
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
            system.inv_mass.copy_from_slice(&tuning.inv_mass_diag);
            tuning.step_sizes[0]
        }
        None => find_step_size(&mut system, &current, &mut scratch, 1.0, stream(0)),
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

    let windows = Windows::new(settings.warmup);
    let mut variance = WindowVariance::new(dim);
    let mut adaptation = DualAveraging::new(step_size, settings.target_accept);
    let mut done = 0;
    while done < settings.warmup && !watch.is_stopped() {
        let transition = nuts.transition(&mut system, &mut current, step_size, stream(done));
        samples.warmup_divergences += u64::from(transition.is_divergent);
        adaptation.update(transition.accept_prob);
        step_size = adaptation.step_size();
        if windows.collects(done) {
            variance.add(&current.position);
        }
        if windows.ends_at(done) {
            variance.finish(&mut system.inv_mass);
            step_size = find_step_size(
                &mut system,
                &current,
                &mut scratch,
                adaptation.averaged(),
                stream(done),
            );
            adaptation = DualAveraging::new(step_size, settings.target_accept);
        }
        done += 1;
        watch.report(progress(
            Phase::Warmup,
            done,
            system.gradient_evaluations,
            samples.warmup_divergences,
        ));
    }
    if done > 0 {
        step_size = adaptation.averaged();
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
    samples.state = State {
        positions: current.position,
        iteration: first + done + sampled,
        tuning: Some(Tuning {
            step_sizes: vec![step_size],
            inv_mass_diag: system.inv_mass,
            trajectory_lengths: vec![0.0],
            centring: density.centring().map_or_else(Vec::new, |c| c.initial().to_vec()),
        }),
    };
    samples
}
