//! The measuring: every driver on every subject, chains growing, each cell within its share of the time budget.
//!
//! A cell warms up as `fit` does and then draws for its share of the time. Where the whole warm-up of many chains would
//! overrun the share, the chains start from tuning and positions of the largest run of the same driver that was warmed
//! up whole: gradients per second are then measured as ever, and ESS per second is that run's ESS per gradient times
//! the rate. Drivers take turns within a number of chains, so that a change of the machine's speed meets all alike.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::clock::{Clock, Elapsed};
use super::driver::{Bench, Driver};
use super::row::Row;
use super::subject::Subject;
use crate::diag::{Chains, ess_bulk};
use crate::error::{Error, Result};
use crate::fit::available_threads;
use crate::gpu::Gpu;
use crate::lang::QuantityKind;
use crate::model::Model;
use crate::sampler::{Layout, Progress, Sampler, Samples, Settings, State, Tuning, Watch};

/// Numbers of chains that are measured unasked.
pub const CHAINS: [usize; 6] = [64, 256, 1024, 4096, 16_384, 65_536];

/// Iterations of a whole warm-up, and draws of a fit by ensemble HMC on a CPU and on a GPU: those of `fit`.
const WARMUP: u32 = 400;
const DRAWS: (usize, usize) = (250, 100);
/// Iterations of the run that tells a first, rough rate.
const PROBED: u32 = 12;
/// The fewest iterations of a warm-up, and of a timed run.
const FEW: u32 = 4;
/// The fewest draws per chain from which ESS is computed.
const MIN_ESS_DRAWS: usize = 16;
/// Draws of all chains together from which ESS is computed, at most: more costs time and adds no digit.
const MOST_ESS_DRAWS: usize = 200_000;
/// Memory that the timed draws may take.
const MOST_BYTES: usize = 512 << 20;
/// Draws per chain that are timed, at most.
const MOST_DRAWS: f64 = 1000.0;
/// A run that takes this many times its share of the time is stopped and left out.
const LIMIT: f64 = 6.0;
/// Why it was.
const OVERRUN: &str = "it took several times its share of the time budget";
/// A guess of leapfrog steps per iteration before anything was measured.
const GUESSED_STEPS: f64 = 12.0;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Numbers of chains, see [`CHAINS`].
    pub chains: Vec<usize>,
    /// Time for everything; it is shared out evenly over what remains to be measured.
    pub seconds: f64,
    /// Seed of every random stream.
    pub seed: u64,
}

/// A cell about to be measured.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The model.
    pub model: &'a str,
    /// Number of chains.
    pub chains: usize,
    /// What moves them.
    pub driver: &'a Driver,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// By model, number of chains, driver.
    pub rows: Vec<Row>,
    /// Cells that were left out, and why.
    pub notes: Vec<String>,
}

/// What a driver's largest whole run tells of a subject.
struct Known {
    chains: usize,
    state: State,
    /// Gradients per second.
    rate: f64,
    /// Leapfrog steps per iteration.
    steps: f64,
    /// Gradients of a chain's warm-up.
    warmup_gradients: f64,
    ess_per_gradient: Option<f64>,
}

/// Measures everything. `on_step` is called before each cell; raising `stop` ends the run with what it has.
///
/// # Errors
///
/// Faults of tadpool, and a model without a finite starting point. A cell that a device refuses becomes a note.
pub fn run(
    subjects: &[Subject],
    drivers: &[Driver],
    options: &Options,
    on_step: &mut dyn FnMut(Step<'_>),
    stop: &AtomicBool,
) -> Result<Measured> {
    let start = Instant::now();
    let of = subjects.len() * drivers.len() * options.chains.len();
    let mut measured = Measured {
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let mut number = 0;
    let mut late = 0;
    let mut chain_counts = options.chains.clone();
    chain_counts.sort_unstable();
    chain_counts.dedup();
    let of = of / options.chains.len().max(1) * chain_counts.len();
    // Opened once: a driver may allow a process few devices.
    let gpus: Vec<Option<Result<Gpu>>> = drivers
        .iter()
        .map(|driver| driver.adapter().map(|adapter| Gpu::open(Some(&adapter.name))))
        .collect();
    for subject in subjects {
        let mut known: Vec<Option<Known>> = drivers.iter().map(|_| None).collect();
        for &chains in &chain_counts {
            for ((driver, gpu), known) in drivers.iter().zip(&gpus).zip(&mut known) {
                if stop.load(Relaxed) {
                    return Ok(measured);
                }
                number += 1;
                on_step(Step {
                    number,
                    of,
                    model: &subject.name,
                    chains,
                    driver,
                });
                let left = options.seconds - start.elapsed().as_secs_f64();
                if left <= 0.0 {
                    late += 1;
                    continue;
                }
                let cell = Cell {
                    subject,
                    driver,
                    gpu,
                    settings: settings(chains, options.seed),
                    share: left / (of - number + 1) as f64,
                    stop,
                };
                match cell.measure(known) {
                    Ok(Ok(row)) => measured.rows.push(row),
                    Ok(Err(why)) if !stop.load(Relaxed) => measured.notes.push(why),
                    Ok(Err(_)) => {}
                    Err(error) if driver.adapter().is_some() => measured.notes.push(format!(
                        "{}, {chains} chains, {}: {}",
                        subject.name,
                        driver,
                        error.message()
                    )),
                    Err(error) => return Err(error),
                }
            }
        }
    }
    if late > 0 {
        measured.notes.push(format!(
            "{late} of {of} measurements were left out: the time was up"
        ));
    }
    Ok(measured)
}

fn settings(chains: usize, seed: u64) -> Settings {
    Settings {
        sampler: Sampler::Hmc,
        chains,
        warmup: 0,
        draws: 1,
        thin: 1,
        seed,
        replicate: 0,
        target_accept: 0.8,
        directions: true,
        threads: available_threads(),
    }
}

/// One driver on one subject with one number of chains.
struct Cell<'a> {
    subject: &'a Subject,
    driver: &'a Driver,
    gpu: &'a Option<Result<Gpu>>,
    settings: Settings,
    /// Seconds that it may take.
    share: f64,
    stop: &'a AtomicBool,
}

/// Chains that are ready to be timed.
struct Ready {
    state: State,
    warmup: u32,
    warmup_seconds: f64,
    warmup_gradients: f64,
}

impl Cell<'_> {
    /// The row, or why there is none.
    fn measure(&self, known: &mut Option<Known>) -> Result<std::result::Result<Row, String>> {
        let begun = Instant::now();
        let chains = self.settings.chains;
        let (mut bench, prepare_seconds) =
            Bench::new(self.driver, self.gpu, &self.subject.model, &self.settings)?;
        let (rate, steps) = match known {
            Some(known) => (known.rate, known.steps),
            None => (self.probe(&mut bench)?, GUESSED_STEPS),
        };
        let iteration_seconds = chains as f64 * steps / rate;
        if iteration_seconds > self.share.max(0.5) {
            return Ok(Err(self.refused(&format!(
                "one iteration of all chains takes about {iteration_seconds:.1} s, too long for the time budget"
            ))));
        }
        let tiled = known.as_ref().and_then(|known| {
            let predicted = chains as f64 * known.warmup_gradients / rate;
            (predicted > 0.6 * self.share)
                .then(|| known.tiled(chains))
                .flatten()
        });
        let (ready, is_whole) = match tiled {
            Some(state) => {
                let ready = Ready {
                    state,
                    warmup: 0,
                    warmup_seconds: 0.0,
                    warmup_gradients: 0.0,
                };
                (ready, false)
            }
            None => {
                // The first run is what all others of the driver rest on: it may take more than its share.
                let part = if known.is_some() { 0.6 } else { 2.0 };
                let affordable = part * self.share / iteration_seconds;
                let warmup = affordable.clamp(f64::from(FEW), f64::from(WARMUP)) as u32;
                match self.warm_up(&mut bench, warmup)? {
                    Some(ready) => (ready, warmup == WARMUP),
                    None => return Ok(Err(self.refused(OVERRUN))),
                }
            }
        };
        let timed = self.draw(&mut bench, &ready, iteration_seconds, begun)?;
        let Some((samples, elapsed, gradients)) = timed else {
            return Ok(Err(self.refused(OVERRUN)));
        };
        let rate = gradients / elapsed.wall;
        let steps = gradients / (chains * samples.draws) as f64;
        let own_ess = (is_whole && samples.draws >= MIN_ESS_DRAWS)
            .then(|| min_ess(&self.subject.model, &samples))
            .transpose()?
            .flatten()
            .map(|ess| ess / gradients);
        let (ess_per_gradient, at) = match (own_ess, &known) {
            (Some(ess), _) => (Some(ess), Some(chains)),
            (None, Some(known)) if known.ess_per_gradient.is_some() => {
                (known.ess_per_gradient, Some(known.chains))
            }
            (None, _) => (None, None),
        };
        let ess_per_second = ess_per_gradient.map(|ess| ess * rate);
        let draws = if self.driver.adapter().is_some() {
            DRAWS.1
        } else {
            DRAWS.0
        };
        let warmup_seconds = is_whole.then_some(ready.warmup_seconds);
        let sampling_seconds = (chains * draws) as f64 * steps / rate;
        let first_draw = warmup_seconds.map(|s| s + prepare_seconds + self.subject.compile_seconds);
        let row = Row {
            driver: self.driver.clone(),
            model: self.subject.name.clone(),
            chains,
            gradients_per_second: rate,
            gradients_per_core_second: self.driver.runs_on_cores().then(|| gradients / elapsed.cores),
            ess_per_second,
            ess_per_second_with_warmup: ess_per_second
                .zip(warmup_seconds)
                .map(|(ess, warmup)| ess * sampling_seconds / (warmup + sampling_seconds)),
            time_to_first_draw_seconds: first_draw,
            seconds_to_ess_1000: first_draw
                .zip(ess_per_second)
                .map(|(first, ess)| first + 1000.0 / ess),
            warmup_seconds,
            warmup: ready.warmup,
            draws: samples.draws,
            ess_per_gradient,
            ess_measured_at_chains: at,
            bytes: (draws * chains * bytes_per_draw(samples.dim)) as u64,
        };
        // A run too short for ESS takes nothing from what an earlier one told.
        if is_whole && (own_ess.is_some() || known.is_none()) {
            *known = Some(Known {
                chains,
                state: samples.state,
                rate,
                steps,
                warmup_gradients: ready.warmup_gradients,
                ess_per_gradient: own_ess,
            });
        } else if let Some(known) = known {
            known.rate = rate;
        }
        Ok(Ok(row))
    }

    fn refused(&self, why: &str) -> String {
        let Settings { chains, .. } = self.settings;
        format!("{}, {chains} chains, {}: {why}", self.subject.name, self.driver)
    }

    fn dispersed(&self) -> Result<State> {
        State::dispersed(&self.subject.model, &self.settings)
    }

    /// Gradients per second of a few untuned iterations; of the second try, as the first one pays for what is done
    /// once (threads, a driver's own compiling).
    fn probe(&self, bench: &mut Bench<'_>) -> Result<f64> {
        let state = self.dispersed()?;
        // Out of reach where not even the first try ends.
        let mut rate = f64::MIN_POSITIVE;
        for warmup in [1, PROBED] {
            let settings = Settings {
                warmup,
                ..self.settings.clone()
            };
            let clock = Clock::start();
            if let Some(samples) = self.within_limit(bench, &settings, &state)? {
                rate = samples.gradient_evaluations as f64 / clock.elapsed(1).wall.max(1e-6);
            }
        }
        Ok(rate)
    }

    /// Warms up and takes the first draw; none if stopped, or far beyond the share of the time.
    fn warm_up(&self, bench: &mut Bench<'_>, warmup: u32) -> Result<Option<Ready>> {
        let settings = Settings {
            warmup,
            ..self.settings.clone()
        };
        let state = self.dispersed()?;
        let clock = Clock::start();
        let Some(samples) = self.within_limit(bench, &settings, &state)? else {
            return Ok(None);
        };
        Ok(Some(Ready {
            warmup_seconds: clock.elapsed(1).wall,
            warmup_gradients: samples.warmup_gradient_evaluations as f64 / settings.chains as f64,
            warmup,
            state: samples.state,
        }))
    }

    /// Draws for the rest of the share, a draw being expected to take `seconds`; the draws, their time, their gradients;
    /// none if stopped, or far beyond the share of the time.
    fn draw(
        &self,
        bench: &mut Bench<'_>,
        ready: &Ready,
        seconds: f64,
        begun: Instant,
    ) -> Result<Option<(Samples, Elapsed, f64)>> {
        let chains = self.settings.chains;
        let timed = |bench: &mut Bench<'_>, state: &State, draws: usize| {
            let settings = Settings {
                draws,
                ..self.settings.clone()
            };
            let clock = Clock::start();
            let samples = self.within_limit(bench, &settings, state)?;
            let elapsed = clock.elapsed(settings.threads);
            Ok::<_, Error>(samples.map(|samples| {
                // The chains' starting points are evaluated again, one gradient each.
                let gradients = samples.gradient_evaluations as f64 - chains as f64;
                (samples, elapsed, gradients)
            }))
        };
        let few = (self.share / seconds).clamp(1.0, f64::from(FEW)) as usize;
        let Some((first, elapsed, gradients)) = timed(bench, &ready.state, few)? else {
            return Ok(None);
        };
        let per_draw = elapsed.wall.max(1e-9) / few as f64;
        let left = 0.8 * (self.share - begun.elapsed().as_secs_f64());
        let by_memory = MOST_BYTES / (chains * bytes_per_draw(first.dim));
        let draws = (left / per_draw).min(MOST_DRAWS).min(by_memory as f64) as usize;
        if draws <= few {
            return Ok(Some((first, elapsed, gradients)));
        }
        timed(bench, &first.state, draws)
    }

    /// A run; none if it was stopped, or took several times the share of the time.
    fn within_limit(
        &self,
        bench: &mut Bench<'_>,
        settings: &Settings,
        state: &State,
    ) -> Result<Option<Samples>> {
        let limit = Duration::try_from_secs_f64((LIMIT * self.share).max(2.0)).unwrap_or(Duration::MAX);
        let begun = Instant::now();
        let over = AtomicBool::new(false);
        let observer = |_: Progress| {
            if self.stop.load(Relaxed) || begun.elapsed() > limit {
                over.store(true, Relaxed);
            }
        };
        let watch = Watch {
            observer: &observer,
            stop: &over,
        };
        let samples = bench.run(settings, state, watch)?;
        Ok((!over.load(Relaxed)).then_some(samples))
    }
}

/// Bytes of a kept draw of one chain: its position and its statistics.
fn bytes_per_draw(dim: usize) -> usize {
    /// Log density, energy, acceptance, step size; then leapfrog steps and whether it diverged.
    const STATISTICS: usize = 4 * size_of::<f64>() + size_of::<u32>() + size_of::<bool>();
    dim * size_of::<f64>() + STATISTICS
}

impl Known {
    /// The state for more chains: ensembles repeat the known ones, in turn. None if the ensembles differ in size.
    ///
    /// Repeated chains have equal positions but random streams of their own, so that they part at once; their work is
    /// that of any chains.
    fn tiled(&self, chains: usize) -> Option<State> {
        let (from, to) = (Layout::of(self.chains), Layout::of(chains));
        let tuning = self.state.tuning.as_ref()?;
        if from.chains_per_ensemble != to.chains_per_ensemble {
            return None;
        }
        Some(State {
            positions: tile(&self.state.positions, from.ensembles, to.ensembles),
            iteration: self.state.iteration,
            tuning: Some(Tuning {
                step_sizes: tile(&tuning.step_sizes, from.ensembles, to.ensembles),
                inv_mass_diag: tile(&tuning.inv_mass_diag, from.ensembles, to.ensembles),
                stretches: tile(&tuning.stretches, from.ensembles, to.ensembles),
                directions: tile(&tuning.directions, from.ensembles, to.ensembles),
                trajectory_lengths: tile(&tuning.trajectory_lengths, from.ensembles, to.ensembles),
                centring: tile(&tuning.centring, from.ensembles, to.ensembles),
            }),
        })
    }
}

/// `values` of `from` units as those of `to` units, repeated in turn.
fn tile<T: Copy>(values: &[T], from: usize, to: usize) -> Vec<T> {
    let width = values.len() / from;
    values.iter().copied().cycle().take(to * width).collect()
}

/// The smallest bulk ESS over the parameters of all draws; from a part of the chains where there are many, as the ESS
/// of chains that do not know each other adds up. None if no parameter can be judged.
fn min_ess(model: &Model, samples: &Samples) -> Result<Option<f64>> {
    let per_ensemble = samples.chains / samples.ensembles.max(1);
    let most = (MOST_ESS_DRAWS / samples.draws.max(1)).max(per_ensemble);
    let chains = samples.chains.min(most / per_ensemble * per_ensemble);
    let cells = chains * samples.draws;
    let named = named_values(model, samples, chains / per_ensemble);
    let mut least: Option<f64> = None;
    for (quantity, values) in model.lowered().quantities.iter().zip(&named) {
        if quantity.kind != QuantityKind::Parameter {
            continue;
        }
        let len = values.len() / cells;
        for element in 0..len {
            let draws: Vec<f64> = values.iter().skip(element).step_by(len).copied().collect();
            let ess = ess_bulk(Chains::new(&draws, chains)?);
            if ess.is_finite() && least.is_none_or(|least| ess < least) {
                least = Some(ess);
            }
        }
    }
    Ok(least.map(|ess| ess * samples.chains as f64 / chains as f64))
}

/// The named values of the first ensembles' draws, `[quantity]` of `[chain][draw][element]`.
fn named_values(model: &Model, samples: &Samples, ensembles: usize) -> Vec<Vec<f64>> {
    let codes = samples
        .state
        .tuning
        .as_ref()
        .map_or(&[][..], |tuning| &tuning.centring);
    let levels = codes.len() / samples.ensembles.max(1);
    let width = samples.positions.len() / samples.ensembles.max(1);
    let mut joined: Vec<Vec<f64>> = Vec::new();
    for (ensemble, positions) in samples.positions.chunks(width.max(1)).take(ensembles).enumerate() {
        // Each ensemble has learned coordinates of its own; without any, they are the model's.
        let named = match &codes[ensemble * levels..(ensemble + 1) * levels] {
            [] => model.named_values(positions),
            codes => model.named_values_in(codes, positions),
        };
        if joined.is_empty() {
            joined = named;
        } else {
            for (all, mut more) in joined.iter_mut().zip(named) {
                all.append(&mut more);
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_repeat_in_turn() {
        assert_eq!(tile(&[1, 2, 3, 4], 2, 5), [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]);
        assert_eq!(tile::<u32>(&[], 2, 5), [0u32; 0]);
    }

    /// The rates of a real run are consistent with one another, and chains beyond the budget rest on fewer.
    #[test]
    fn rows_are_measured_or_say_on_what_they_rest() {
        let subjects: Vec<Subject> = Subject::built_in().unwrap().drain(2..).collect();
        let options = Options {
            chains: vec![1024, 64],
            seconds: 3.0,
            seed: 1,
        };
        let mut steps = Vec::new();
        let stop = AtomicBool::new(false);
        let measured = run(
            &subjects,
            &[Driver::Simd],
            &options,
            &mut |step| steps.push((step.number, step.of, step.chains)),
            &stop,
        )
        .unwrap();
        assert_eq!(steps, [(1, 2, 64), (2, 2, 1024)]);
        assert_eq!(measured.notes, [""; 0]);
        let chains: Vec<usize> = measured.rows.iter().map(|row| row.chains).collect();
        assert_eq!(chains, [64, 1024]);
        for row in &measured.rows {
            assert!(row.gradients_per_second > 1e4, "{row:?}");
            let at = row.ess_measured_at_chains.expect("ESS was measured");
            assert!(at == row.chains || (at == 64 && row.warmup == 0), "{row:?}");
            assert_eq!(row.warmup_seconds.is_some(), row.warmup == WARMUP, "{row:?}");
            let (ess, rate) = (row.ess_per_gradient.unwrap(), row.gradients_per_second);
            assert!(ess > 0.001 && ess < 1.0, "{row:?}");
            assert!(
                (row.ess_per_second.unwrap() / (ess * rate) - 1.0).abs() < 1e-9,
                "{row:?}"
            );
        }
    }

    #[test]
    fn a_stopped_run_returns_what_it_has() {
        let subjects = Subject::built_in().unwrap();
        let options = Options {
            chains: vec![64],
            seconds: 2.0,
            seed: 1,
        };
        let stop = AtomicBool::new(false);
        let mut on_step = |step: Step<'_>| stop.store(step.number == 2, Relaxed);
        let measured = run(&subjects, &[Driver::Simd], &options, &mut on_step, &stop).unwrap();
        assert_eq!(measured.rows.len(), 1);
        assert!(measured.notes.is_empty());
    }
}
