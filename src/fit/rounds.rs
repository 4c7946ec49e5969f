//! The run in rounds: some draws of every chain at a time, on the CPU or a GPU, each round going on where the last ended.
//!
//! The draws do not depend on how a run is cut into rounds: a state holds all that the next iteration needs, and random
//! streams are named by the iteration. Between two rounds all chains have the same number of draws.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use super::device::gpu_driver;
use super::options::{Options, Plan};
use super::sample::f32_discrepancy;
use crate::back::evaluate::Density;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::model::Model;
use crate::sampler::{
    GpuEngine, Phase, Progress, Samples, Settings, State, Watch, run_on_engine, run_unit, share_out,
};

/// What ends a run early: the caller's flag, or the clock.
pub(super) struct Ending<'a> {
    stop: &'a AtomicBool,
    deadline: Option<Instant>,
    /// The flag that the sampler looks at.
    ended: AtomicBool,
    late: AtomicBool,
}

impl<'a> Ending<'a> {
    pub(super) fn new(stop: &'a AtomicBool, deadline: Option<Instant>) -> Self {
        Self {
            stop,
            deadline,
            ended: AtomicBool::new(stop.load(Relaxed)),
            late: AtomicBool::new(false),
        }
    }

    /// Passes the flag and the clock on to the sampler.
    fn look(&self) {
        if self.stop.load(Relaxed) {
            self.ended.store(true, Relaxed);
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.late.store(true, Relaxed);
            self.ended.store(true, Relaxed);
        }
    }

    /// Whether the run is to end.
    pub(super) fn has_come(&self) -> bool {
        self.look();
        self.ended.load(Relaxed)
    }

    /// Whether it was the clock that ended it.
    pub(super) fn is_late(&self) -> bool {
        self.late.load(Relaxed)
    }
}

/// What a group has told in the rounds before.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    gradient_evaluations: u64,
    divergences: u64,
}

/// Counts of a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) warmup_gradient_evaluations: u64,
    pub(super) gradient_evaluations: u64,
}

/// What a unit leaves at the end of a round beside its draws.
struct UnitEnd {
    state: State,
    told: Told,
    warmup_gradient_evaluations: u64,
}

impl UnitEnd {
    fn of(samples: &mut Samples) -> Self {
        let blank = State {
            positions: Vec::new(),
            iteration: 0,
            tuning: None,
        };
        Self {
            told: Told {
                gradient_evaluations: samples.gradient_evaluations,
                divergences: samples.is_divergent.iter().filter(|d| **d).count() as u64,
            },
            warmup_gradient_evaluations: samples.warmup_gradient_evaluations,
            state: std::mem::replace(&mut samples.state, blank),
        }
    }
}

/// A run that goes on round by round.
pub(super) struct Rounds<'m> {
    model: &'m Model,
    /// Warm-up is 0 after the first round.
    settings: Settings,
    /// Iterations of sampling done, of each chain.
    sampled: u32,
    /// None on the CPU.
    engine: Option<GpuEngine>,
    /// Where the chains are: of every unit on the CPU, of all together on a GPU.
    states: Vec<State>,
    /// Like `states`.
    told: Vec<Told>,
    counts: Counts,
    discrepancy: Option<f64>,
}

impl<'m> Rounds<'m> {
    /// A run of `model` that has not begun.
    ///
    /// # Errors
    ///
    /// A user error for a density without a finite starting point; environment errors of the GPU.
    pub(super) fn new(model: &'m Model, options: &Options, plan: &Plan, threads: usize) -> Result<Self> {
        let settings = Settings {
            sampler: plan.sampler,
            chains: plan.chains,
            warmup: plan.warmup,
            draws: plan.draws,
            thin: options.thin,
            seed: options.seed,
            replicate: 0,
            target_accept: plan.target_accept,
            directions: true,
            threads,
        };
        settings.check(model.dim(), 0)?;
        let layout = settings.layout();
        let state = State::dispersed(model, &settings)?;
        let (engine, states) = match &plan.adapter {
            None => {
                let units = layout.ensembles;
                (None, (0..units).map(|unit| state.slice(unit, 1, units)).collect())
            }
            Some(adapter) => {
                let gpu = Gpu::open(Some(&adapter.name))?;
                let driver = gpu_driver(&gpu, model, plan.mapping.as_ref(), &settings)?;
                (Some(GpuEngine::new(driver, model.dim(), layout)), vec![state])
            }
        };
        Ok(Self {
            model,
            sampled: 0,
            discrepancy: engine.is_some().then_some(0.0),
            engine,
            told: vec![Told::default(); states.len()],
            states,
            counts: Counts::default(),
            settings,
        })
    }

    /// Groups of chains that adapt together: ensembles of HMC, chains of NUTS.
    pub(super) fn groups(&self) -> usize {
        self.settings.layout().ensembles
    }

    /// Gradients so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// The largest difference between a GPU's log densities and those of f64, over some draws of every round.
    pub(super) fn discrepancy(&self) -> Option<f64> {
        self.discrepancy
    }

    /// Where the chains of the groups that stay are.
    pub(super) fn into_state(self, stays: &[bool]) -> Option<State> {
        // A GPU has one state of all groups, which then all stay.
        let stay = |unit: usize| self.engine.is_some() || stays[unit];
        let states = self.states.into_iter().enumerate();
        let states = states.filter(|(unit, _)| stay(*unit)).map(|(_, state)| state);
        states.reduce(|mut joined, state| {
            joined.append(state);
            joined
        })
    }

    /// Makes `draws` draws of every chain, or fewer if the run is to end.
    ///
    /// `digest` is called by any thread for each group of chains, with the samples that hold it and where; `place` takes
    /// what it made, on this thread.
    ///
    /// # Errors
    ///
    /// Those of the sampler and the GPU.
    pub(super) fn run<P: Send>(
        &mut self,
        draws: usize,
        ending: &Ending,
        observer: &(dyn Fn(Progress) + Sync),
        digest: &(dyn Fn(usize, &Samples, Range<usize>) -> P + Sync),
        place: &mut dyn FnMut(usize, P),
    ) -> Result<()> {
        let settings = Settings {
            draws,
            ..self.settings.clone()
        };
        let layout = settings.layout();
        let size = layout.chains_per_ensemble;
        let (sampled, told, is_gpu) = (self.sampled, &self.told, self.engine.is_some());
        let observer = |progress: Progress| {
            let before = told[if is_gpu { 0 } else { progress.first_chain / size }];
            observer(match progress.phase {
                Phase::Warmup => progress,
                Phase::Sampling => Progress {
                    iterations: sampled + progress.iterations,
                    gradient_evaluations: before.gradient_evaluations + progress.gradient_evaluations,
                    divergences: before.divergences + progress.divergences,
                    ..progress
                },
            });
            ending.look();
        };
        let watch = Watch {
            observer: &observer,
            stop: &ending.ended,
        };
        let mut ends: Vec<Option<UnitEnd>> = self.states.iter().map(|_| None).collect();
        match &mut self.engine {
            None => {
                let (model, states) = (self.model, &self.states);
                share_out(
                    layout.ensembles,
                    settings.threads,
                    &|unit| {
                        let mut samples = run_unit(model, &settings, unit, states[unit].clone(), watch)?;
                        let part = digest(unit, &samples, 0..samples.chains);
                        Ok((part, UnitEnd::of(&mut samples)))
                    },
                    &mut |unit, (part, end)| {
                        place(unit, part);
                        ends[unit] = Some(end);
                    },
                )?;
            }
            Some(engine) => {
                let mut samples = run_on_engine(
                    engine,
                    self.model.centring(),
                    &settings,
                    0,
                    &self.states[0],
                    watch,
                )?;
                let most = f32_discrepancy(self.model, &samples, settings.seed);
                self.discrepancy = self.discrepancy.map(|before| largest(before, most));
                share_out(
                    layout.ensembles,
                    settings.threads,
                    &|group| Ok(digest(group, &samples, group * size..(group + 1) * size)),
                    place,
                )?;
                ends[0] = Some(UnitEnd::of(&mut samples));
            }
        }
        for ((state, told), end) in self.states.iter_mut().zip(&mut self.told).zip(ends) {
            let Some(end) = end else { continue };
            *state = end.state;
            told.gradient_evaluations += end.told.gradient_evaluations;
            told.divergences += end.told.divergences;
            self.counts.gradient_evaluations += end.told.gradient_evaluations;
            // Only the first round warms up; the gradients at which later rounds begin are part of sampling.
            if sampled == 0 {
                self.counts.warmup_gradient_evaluations += end.warmup_gradient_evaluations;
            }
        }
        self.settings.warmup = 0;
        self.sampled += draws as u32 * settings.thin;
        Ok(())
    }
}

/// The larger of two, a NaN being the largest of all.
fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}
