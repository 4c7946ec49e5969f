//! The run on a CPU: chains of NUTS or ensembles of HMC, spread over threads, joined in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::chain::run_chain;
use super::ensemble::{CpuEngine, run_on_engine};
use super::progress::Watch;
use super::samples::{Samples, State};
use super::settings::{Sampler, Settings};
use crate::back::evaluate::Density;
use crate::error::{Error, Result};

/// Samples `density` from `state` (see [`State::dispersed`]) on `settings.threads` threads.
///
/// A run whose stop flag is raised returns the largest block of draws that some chains all have, marked as incomplete:
/// chains that had hardly begun are left out.
///
/// # Errors
///
/// [`crate::error::Kind::User`] for settings without sense; [`crate::error::Kind::Bug`] for a state that does not fit
/// them.
pub fn run(density: &dyn Density, settings: &Settings, state: &State, watch: Watch<'_>) -> Result<Samples> {
    let layout = settings.layout();
    settings.check(density.dim(), state.iteration)?;
    state.check(settings.chains, layout.ensembles, density.dim())?;
    let size = layout.chains_per_ensemble;
    let run_unit = |unit: usize| {
        let state = state.slice(unit, 1, layout.ensembles);
        match settings.sampler {
            Sampler::Nuts => Ok(run_chain(density, settings, unit, state, watch)),
            Sampler::Hmc => {
                let mut engine = CpuEngine::new(density, settings, unit * size, size);
                run_on_engine(
                    &mut engine,
                    density.centring(),
                    settings,
                    unit * size,
                    &state,
                    watch,
                )
            }
        }
    };

    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut parts: Vec<Option<Result<Samples>>> = (0..layout.ensembles).map(|_| None).collect();
    std::thread::scope(|scope| {
        for _ in 0..settings.threads.min(layout.ensembles) {
            let (sender, next, run_unit) = (sender.clone(), &next, &run_unit);
            scope.spawn(move || {
                loop {
                    let unit = next.fetch_add(1, Ordering::Relaxed);
                    // The receiver lives as long as the scope, so sending fails only if its thread panics.
                    if unit >= layout.ensembles || sender.send((unit, run_unit(unit))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (unit, part) in receiver {
            parts[unit] = Some(part);
        }
    });
    let mut parts: Vec<Samples> = parts
        .into_iter()
        .map(|part| part.ok_or_else(|| Error::bug("a chain was never run"))?)
        .collect::<Result<_>>()?;
    if watch.is_stopped() {
        keep_most_draws(&mut parts);
    }
    let mut joined: Option<Samples> = None;
    for part in parts {
        match &mut joined {
            Some(samples) => samples.append(part),
            None => joined = Some(part),
        }
    }
    joined.ok_or_else(|| Error::bug("a run without chains"))
}

/// Leaves out units of a stopped run that have too few draws, so that the most draws remain in total.
///
/// With more units than threads some have ended while others have not begun; joined, all would be cut to none.
fn keep_most_draws(parts: &mut Vec<Samples>) {
    let total = |least: usize| -> usize {
        let kept = parts.iter().filter(|part| part.draws >= least);
        kept.map(|part| part.chains * least).sum()
    };
    // Of equal totals the smaller number of draws wins: more chains say more.
    let best = parts
        .iter()
        .map(|part| part.draws)
        .max_by_key(|&least| (total(least), std::cmp::Reverse(least)));
    if let Some(least) = best {
        parts.retain(|part| part.draws >= least);
    }
}
