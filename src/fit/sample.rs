//! From a compiled model to a fit: starting points, the run on the back end taken, named values, the f64 check.

use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::json;

use super::assemble::assemble;
use super::digest::unit_codes;
use super::footprint::{GROWING_BYTES, round_draws};
use super::keeper::Keeper;
use super::layout::Fit;
use super::options::{Options, Plan, plan};
use super::precision::{Look, first_look, look, next_look};
use super::report::{Report, element_name_at};
use super::rounds::{Ending, Rounds};
use crate::back::evaluate::Density;
use crate::back::simd::LANES;
use crate::error::{Error, Result};
use crate::lang::QuantityKind;
use crate::model::Model;
use crate::rng::{Purpose, Stream};
use crate::sampler::{Progress, Sampler, Samples};

/// Draws of a GPU fit that are evaluated again in f64.
const CHECKED_DRAWS: usize = 256;
/// Draws of the first round of a run that the clock may end; later rounds are a quarter of what there is.
const TIMED_DRAWS: usize = 64;

/// Samples the posterior of `model`.
///
/// `observer` is called after every iteration of a chain or ensemble, by any thread; raising `stop` ends the run, and
/// the draws that all chains have are returned. Equal options give equal draws, whatever the number of threads.
///
/// # Errors
///
/// User errors for contradicting options or a density without a finite starting point; environment errors of the GPU.
pub fn fit(
    model: &Model,
    options: &Options,
    observer: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Fit> {
    fit_as_planned(model, options, &plan(model, options)?, observer, stop).map(|(fit, _)| fit)
}

/// As [`fit()`], with the plan that [`plan()`] made of the options; yields the report on the fit too.
///
/// # Errors
///
/// As [`fit()`].
pub fn fit_as_planned(
    model: &Model,
    options: &Options,
    plan: &Plan,
    observer: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<(Fit, Report)> {
    let threads = options.threads.unwrap_or_else(available_threads);
    let deadline = match options.max_seconds {
        // A number of seconds beyond what a clock counts is no limit.
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|limit| options.started.checked_add(limit)),
        None => None,
    };
    let ending = Ending::new(stop, deadline);
    let mut rounds = Rounds::new(model, options, plan, threads)?;
    let groups = rounds.groups();
    let mut keeper = Keeper::new(model, options, plan, groups);
    let prepared = options.started.elapsed().as_secs_f64();
    let start = Instant::now();
    let superchain = (plan.sampler == Sampler::Hmc).then(|| plan.chains / groups);
    let parameters = parameters(model);
    let most = round_draws(model, options, plan);
    let mut checkpoint = options
        .mcse
        .map_or(plan.draws, |target| first_look(target, plan.chains));
    let mut found = None;
    loop {
        let done = keeper.done();
        let mut draws = (checkpoint.min(plan.draws) - done).min(most);
        if done == 0 {
            draws = draws.min(keeper.first_round());
        }
        if deadline.is_some() {
            // All chains come along together, and little is lost when the time is up.
            draws = draws.min((done / 4).max(TIMED_DRAWS));
        }
        keeper.begin_round(draws);
        let (digester, tables, mut placer) = keeper.sides();
        rounds.run(
            draws,
            &ending,
            observer,
            &|group, samples, chains| {
                // A lock is poisoned only by a panic, which ends the run anyway.
                let mut tables = tables[group].lock().unwrap_or_else(PoisonError::into_inner);
                digester.digest(group, samples, chains, &mut tables)
            },
            &mut |group, part| placer.place(group, part),
        )?;
        let is_whole = keeper.end_round(draws, threads)?;
        if !is_whole && !ending.has_come() {
            return Err(Error::bug("a round ended before all chains had its draws"));
        }
        let done = keeper.done();
        if let Some(target) = options.mcse
            && is_whole
            && done >= checkpoint.min(plan.draws)
        {
            let look = look(&keeper, target, &parameters, plan.chains, superchain, threads)?;
            checkpoint = next_look(target, done, &look);
            found = Some(look);
        }
        let is_precise = found.is_some_and(|look| look.suffices);
        if is_precise || ending.has_come() || done >= plan.draws {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let kept = keeper.finish(threads)?;
    let counts = rounds.counts();
    let discrepancy = rounds.discrepancy();
    let ensembles = kept.stays.iter().filter(|stays| **stays).count();
    let state = rounds
        .into_state(&kept.stays)
        .ok_or_else(|| Error::bug("a run without chains"))?;
    let is_late = ending.is_late();
    let mut fit = assemble(model, options, plan, kept, &state)?;
    fit.run.ending = ending_text(&fit, options, plan, found, is_late);
    let warmup_share =
        counts.warmup_gradient_evaluations as f64 / (counts.gradient_evaluations as f64).max(1.0);
    fit.run.diagnostics = json!({ "max_f32_discrepancy": discrepancy, "ensembles": ensembles });
    let report = Report::of(&fit, options.prob, options.interval, threads)?;
    fit.run.diagnostics = report.diagnostics_json();
    // Kept in the file beside what is printed: nested R-hat needs it.
    fit.run.diagnostics["ensembles"] = json!(report.ensembles);
    fit.run.timing = json!({
        "prepare_seconds": prepared,
        // Chains warm up and sample side by side: the run's time is divided by the gradients of each phase.
        "warmup_seconds": seconds * warmup_share,
        "sampling_seconds": seconds * (1.0 - warmup_share),
        "total_seconds": options.started.elapsed().as_secs_f64(),
        "gradient_evaluations": counts.gradient_evaluations,
        "gradients_per_second": counts.gradient_evaluations as f64 / seconds.max(1e-9),
    });
    Ok((fit, report))
}

/// The places of the parameters among all named numbers.
fn parameters(model: &Model) -> Vec<usize> {
    let mut places = Vec::new();
    let mut first = 0;
    for quantity in &model.lowered().quantities {
        let numbers: usize = quantity.dims.iter().map(|dim| dim.labels.len()).product();
        if quantity.kind != QuantityKind::Derived {
            places.extend(first..first + numbers);
        }
        first += numbers;
    }
    places
}

/// Why the run ended where it did, unless it was after the draws asked for, or by the caller's flag.
fn ending_text(
    fit: &Fit,
    options: &Options,
    plan: &Plan,
    found: Option<Look>,
    is_late: bool,
) -> Option<String> {
    let draws = fit.draws();
    let reached = match (options.mcse, found) {
        (None, _) => None,
        (Some(target), Some(look)) if look.suffices => {
            return Some(format!(
                "stopped by --mcse {target} after {draws} draws of each chain: the standard error of every parameter's \
                 mean is below {target} posterior sds."
            ));
        }
        (Some(target), look) => {
            let worst = look
                .and_then(|look| look.worst)
                .filter(|worst| worst.mcse.is_finite());
            let why = match (worst, look.and_then(|look| look.rhat)) {
                (Some(_), Some(rhat)) => format!(", for R-hat was {rhat:.3} when last looked at"),
                (Some(worst), None) => {
                    let name = element_name_at(fit, worst.element).unwrap_or_default();
                    format!(
                        ": the standard error of the mean of {name} was {:.2} times that when last looked at",
                        worst.mcse / target
                    )
                }
                (None, _) => String::new(),
            };
            Some(format!("--mcse {target} was not reached{why}"))
        }
    };
    if is_late {
        let seconds = options.max_seconds.unwrap_or_default();
        let of = match options.mcse {
            None => format!(" of {}", plan.draws),
            Some(_) => String::new(),
        };
        let chains = if fit.run.chains < plan.chains {
            format!(" of {} of {} chains", fit.run.chains, plan.chains)
        } else {
            " of each chain".to_owned()
        };
        let reached = reached.map(|reached| format!(" {reached}.")).unwrap_or_default();
        return Some(format!(
            "stopped by --max-seconds {seconds} after {draws}{of} draws{chains}.{reached}"
        ));
    }
    let reached = reached.filter(|_| draws >= plan.draws)?;
    Some(match options.draws {
        Some(_) => format!("{reached}. Raise --draws, which is {draws}."),
        None => format!(
            "{reached}. The {draws} draws of each chain are as many as fit {} MiB; ask for more with --draws, or use \
             --keep summary.",
            GROWING_BYTES >> 20
        ),
    })
}

/// Cores that this process may use.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The largest difference between a GPU's log density and that of f64, over a sample of the draws.
pub(super) fn f32_discrepancy(model: &Model, samples: &Samples, seed: u64) -> f64 {
    let cells = samples.chains * samples.draws;
    let dim = samples.dim;
    if cells == 0 {
        return 0.0;
    }
    let stream = Stream {
        seed,
        replicate: 0,
        chain: 0,
        // Other cells in each round of a run.
        iteration: samples.state.iteration,
        purpose: Purpose::Subsample,
    };
    let mut chosen: Vec<usize> = (0..CHECKED_DRAWS.min(cells))
        .map(|k| {
            let word = stream.block(k as u32)[0];
            ((u64::from(word) * cells as u64) >> 32) as usize
        })
        .collect();
    chosen.sort_unstable();
    let per_unit = cells / samples.ensembles;
    let mut worker = model.density().evaluator(LANES);
    let (mut position, mut gradient) = (vec![0.0; dim * LANES], vec![0.0; dim * LANES]);
    let mut log_density = [0.0; LANES];
    let mut largest: f64 = 0.0;
    // Draws of one unit are in the same coordinates.
    let units = chosen.chunk_by(|a, b| a / per_unit == b / per_unit);
    for cells in units.flat_map(|unit| unit.chunks(LANES)) {
        worker.set_centring(unit_codes(samples, cells[0] / per_unit));
        for lane in 0..LANES {
            let cell = cells[lane.min(cells.len() - 1)];
            for i in 0..dim {
                position[i * LANES + lane] = samples.positions[cell * dim + i];
            }
        }
        worker.log_density_grad(&position, &mut log_density, &mut gradient);
        for (exact, &cell) in log_density.iter().zip(cells) {
            let difference = (exact - samples.log_density[cell]).abs();
            // A NaN is the largest of all discrepancies.
            if difference > largest || difference.is_nan() {
                largest = difference;
            }
        }
    }
    largest
}
