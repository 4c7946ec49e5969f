//! What a run tells while it runs, and how it is stopped.

use std::sync::atomic::{AtomicBool, Ordering};

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Adapting; nothing is kept.
    Warmup,
    /// Drawing.
    Sampling,
}

/// How far one unit (a chain of NUTS, an ensemble, or all ensembles of a device) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The phase that the unit is in.
    pub phase: Phase,
    /// The first chain of the unit.
    pub first_chain: usize,
    /// Chains of the unit.
    pub chains: usize,
    /// Iterations done in this phase.
    pub iterations: u32,
    /// Gradient evaluations of the unit since the run began, one per chain and leapfrog step.
    pub gradient_evaluations: u64,
    /// Divergent transitions of the unit in this phase.
    pub divergences: u64,
}

/// An observer of progress and a flag that stops the run.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Called by any thread after every iteration of a unit; it must be quick.
    pub observer: &'a (dyn Fn(Progress) + Sync),
    /// Once true, units end after the iteration that they are in.
    pub stop: &'a AtomicBool,
}

impl Watch<'_> {
    /// Passes `progress` on to the observer.
    pub(crate) fn report(&self, progress: Progress) {
        (self.observer)(progress);
    }

    /// Whether the run is to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
