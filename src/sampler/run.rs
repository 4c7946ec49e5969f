//! The run on a CPU: chains of NUTS or ensembles of HMC, spread over threads, joined in order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    let units = layout.ensembles;
    let mut parts: Vec<Option<Samples>> = (0..units).map(|_| None).collect();
    share_out(
        units,
        settings.threads,
        &|unit| run_unit(density, settings, unit, state.slice(unit, 1, units), watch),
        &mut |unit, part| parts[unit] = Some(part),
    )?;
    let mut parts: Vec<Samples> = parts.into_iter().flatten().collect();
    if watch.is_stopped() {
        let draws: Vec<usize> = parts.iter().map(|part| part.draws).collect();
        let least = most_draws(&draws);
        parts.retain(|part| part.draws >= least);
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

/// Runs one unit, a chain of NUTS or an ensemble of HMC, from `state`, which holds this unit alone.
///
/// # Errors
///
/// As [`run`].
pub fn run_unit(
    density: &dyn Density,
    settings: &Settings,
    unit: usize,
    state: State,
    watch: Watch<'_>,
) -> Result<Samples> {
    match settings.sampler {
        Sampler::Nuts => {
            settings.check(density.dim(), state.iteration)?;
            state.check(1, 1, density.dim())?;
            run_chain(density, settings, unit, state, watch)
        }
        Sampler::Hmc => {
            let size = settings.layout().chains_per_ensemble;
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
}

/// Does `count` pieces of work on up to `threads` threads and hands each result to `place`, on the calling thread, in
/// the order in which they end. At most two results a thread wait to be placed, whatever `count` is.
///
/// # Errors
///
/// The first one that a piece of work returned; pieces not yet begun are then left.
pub(crate) fn share_out<P: Send>(
    count: usize,
    threads: usize,
    work: &(dyn Fn(usize) -> Result<P> + Sync),
    place: &mut dyn FnMut(usize, P),
) -> Result<()> {
    let threads = threads.clamp(1, count.max(1));
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let (sender, receiver) = mpsc::sync_channel(threads);
    let mut failure = None;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, has_failed) = (sender.clone(), &next, &has_failed);
            scope.spawn(move || {
                while !has_failed.load(Ordering::Relaxed) {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    // The receiver lives as long as the scope, so sending fails only if its thread panics.
                    if piece >= count || sender.send((piece, work(piece))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (piece, result) in receiver {
            match result {
                Ok(part) => place(piece, part),
                Err(error) => {
                    has_failed.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
        }
    });
    failure.map_or(Ok(()), Err)
}

/// The number of draws to keep of each unit of a stopped run, that of `draws` which leaves the most draws in total;
/// units with fewer are left out.
///
/// With more units than threads some have ended while others have not begun; joined, all would be cut to none.
pub(crate) fn most_draws(draws: &[usize]) -> usize {
    let mut ascending = draws.to_vec();
    ascending.sort_unstable();
    let total = |at: usize| (ascending.len() - at) * ascending[at];
    // Of equal totals the smaller number of draws wins: more chains say more.
    (0..ascending.len())
        .max_by_key(|&at| (total(at), std::cmp::Reverse(ascending[at])))
        .map_or(0, |at| ascending[at])
}
