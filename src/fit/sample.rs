//! From a compiled model to a fit: starting points, the run on the back end taken, named values, the f64 check.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::layout::{
    Array, Column, ColumnValues, Dimension, Fit, Quantity, Run, SampleStats, State, StateArray,
};
use super::netcdf::Values;
use super::options::{LOG_LIK_BYTES, LogLik, Options, Plan, plan};
use super::report::Report;
use crate::back::evaluate::{CENTRING_STEPS, Density};
use crate::back::reference;
use crate::back::simd::LANES;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, SteppedHmc};
use crate::lang::{Dim, Lowered, QuantityKind};
use crate::model::Model;
use crate::rng::{Purpose, Stream};
use crate::sampler::{self, GpuEngine, Progress, Sampler, Samples, Settings, Watch, run_on_engine};

/// Draws of a GPU fit that are evaluated again in f64.
const CHECKED_DRAWS: usize = 256;
/// The version of the arrays in the `state` group.
const STATE_VERSION: i64 = 1;

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
    let plan = plan(model, options)?;
    let threads = options.threads.unwrap_or_else(available_threads);
    let settings = Settings {
        sampler: plan.sampler,
        chains: plan.chains,
        warmup: plan.warmup,
        draws: plan.draws,
        thin: options.thin,
        seed: options.seed,
        replicate: 0,
        target_accept: options.target_accept,
        threads,
    };
    settings.check(model.dim(), 0)?;
    let state = sampler::State::dispersed(model, &settings)?;
    let watch = Watch { observer, stop };
    let (mut samples, seconds, prepared) = match &plan.adapter {
        None => {
            let prepared = options.started.elapsed().as_secs_f64();
            let start = Instant::now();
            let samples = sampler::run(model, &settings, &state, watch)?;
            (samples, start.elapsed().as_secs_f64(), prepared)
        }
        Some(adapter) => {
            let gpu = Gpu::open(Some(&adapter.name))?;
            let layout = settings.layout();
            let size = layout.chains_per_ensemble;
            let driver = SteppedHmc::new(&gpu, &model.kernel()?, settings.chains, size, settings.seed, 0)?;
            let mut engine = GpuEngine::new(driver, model.dim(), layout);
            let prepared = options.started.elapsed().as_secs_f64();
            let start = Instant::now();
            let samples = run_on_engine(&mut engine, None, &settings, 0, &state, watch)?;
            (samples, start.elapsed().as_secs_f64(), prepared)
        }
    };
    if let (Some(centring), Some(tuning)) = (model.centring(), &mut samples.state.tuning)
        && tuning.centring.is_empty()
    {
        tuning.centring = centring.initial().repeat(samples.ensembles);
    }
    if samples.draws == 0 {
        return Err(Error::environment("the run was stopped before its first draw")
            .with_help("nothing was saved; warm-up comes first, and `--warmup` says how long it is"));
    }
    let discrepancy = plan
        .adapter
        .as_ref()
        .map(|_| f32_discrepancy(model, &samples, options.seed));
    let mut fit = assemble(model, options, &plan, &samples, threads)?;
    let warmup_share =
        samples.warmup_gradient_evaluations as f64 / (samples.gradient_evaluations as f64).max(1.0);
    fit.run.diagnostics = json!({ "max_f32_discrepancy": discrepancy, "ensembles": samples.ensembles });
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
        "gradient_evaluations": samples.gradient_evaluations,
        "gradients_per_second": samples.gradient_evaluations as f64 / seconds.max(1e-9),
    });
    Ok(fit)
}

/// Cores that this process may use.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The largest difference between a GPU's log density and that of f64, over a sample of the draws.
fn f32_discrepancy(model: &Model, samples: &Samples, seed: u64) -> f64 {
    let cells = samples.chains * samples.draws;
    let dim = samples.dim;
    if cells == 0 {
        return f64::NAN;
    }
    let stream = Stream {
        seed,
        replicate: 0,
        chain: 0,
        iteration: 0,
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

fn dimensions(dims: &[Dim]) -> Vec<Dimension> {
    dims.iter()
        .map(|dim| Dimension {
            name: dim.name.clone(),
            labels: dim.labels.clone(),
        })
        .collect()
}

/// The axes of a plate of the model.
fn plate_dimensions(lowered: &Lowered, name: &str) -> Vec<Dimension> {
    lowered
        .plates
        .iter()
        .find(|plate| plate.name == name)
        .map_or_else(Vec::new, |plate| dimensions(&plate.dims))
}

/// Evaluates something for all draws, spread over threads; each value `[chain][draw][element]`.
///
/// `evaluate` is given the codes of the centring weights and positions in their coordinates.
fn spread(
    samples: &Samples,
    threads: usize,
    evaluate: impl Fn(&[u32], &[f64]) -> Vec<Vec<f64>> + Sync,
) -> Vec<Vec<f64>> {
    // A unit's chains lie side by side, and share their codes.
    let unit = samples.chains / samples.ensembles * samples.draws * samples.dim;
    let share = (unit * samples.ensembles)
        .div_ceil(threads.max(1))
        .next_multiple_of(LANES * samples.dim)
        .clamp(1, unit.max(1));
    let work: Vec<(&[u32], &[f64])> = samples
        .positions
        .chunks(unit.max(1))
        .enumerate()
        .flat_map(|(unit, positions)| {
            let codes = unit_codes(samples, unit);
            positions.chunks(share).map(move |positions| (codes, positions))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let (evaluate, work, next) = (&evaluate, &work, &next);
    let mut parts: Vec<(usize, Vec<Vec<f64>>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some((codes, positions)) = work.get(place) else {
                    break done;
                };
                done.push((place, evaluate(codes, positions)));
            }
        };
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    parts.sort_by_key(|(place, _)| *place);
    parts
        .into_iter()
        .map(|(_, part)| part)
        .reduce(|mut joined, part| {
            for (all, mut more) in joined.iter_mut().zip(part) {
                all.append(&mut more);
            }
            joined
        })
        .unwrap_or_default()
}

/// The codes of the centring weights of a unit (a chain of NUTS, an ensemble of HMC), `[level]`.
fn unit_codes(samples: &Samples, unit: usize) -> &[u32] {
    match &samples.state.tuning {
        Some(tuning) => {
            let levels = tuning.centring.len() / samples.ensembles;
            &tuning.centring[unit * levels..(unit + 1) * levels]
        }
        None => &[],
    }
}

/// The log densities in the coordinates that standardise all effects, `[chain][draw]`, so that units of other centring
/// weights can be compared: ln |dη/dξ| = Σ λ·ln τ is added.
fn comparable_log_density(model: &Model, samples: &Samples, threads: usize) -> Vec<f64> {
    let Some(centring) = model.centring() else {
        return samples.log_density.clone();
    };
    let volumes = spread(samples, threads, |codes, positions| {
        let ln_scale = centring.standardise(codes, positions).ln_scale;
        let volume = |ln_scales: &[f64]| -> f64 {
            let weight = |code: &u32| f64::from(*code) / f64::from(CENTRING_STEPS);
            codes
                .iter()
                .zip(ln_scales)
                .map(|(code, ln_scale)| weight(code) * ln_scale)
                .sum()
        };
        vec![ln_scale.chunks(codes.len()).map(volume).collect()]
    });
    let volumes = volumes.iter().flatten();
    samples
        .log_density
        .iter()
        .zip(volumes)
        .map(|(lp, volume)| lp + volume)
        .collect()
}

fn assemble(model: &Model, options: &Options, plan: &Plan, samples: &Samples, threads: usize) -> Result<Fit> {
    let lowered = model.lowered();
    let named = spread(samples, threads, |codes, positions| {
        model.named_values_in(codes, positions)
    });
    let posterior = lowered
        .quantities
        .iter()
        .zip(named)
        .map(|(quantity, values)| Quantity {
            name: quantity.name.clone(),
            dims: dimensions(&quantity.dims),
            derived: quantity.kind == QuantityKind::Derived,
            values,
        })
        .collect();
    let bytes = model.num_observations() * samples.chains * samples.draws * size_of::<f64>();
    let keep = match options.log_lik {
        LogLik::Auto => bytes <= LOG_LIK_BYTES,
        LogLik::All => true,
        LogLik::None => false,
    };
    let mut log_likelihood = Vec::new();
    if keep {
        let pointwise = spread(samples, threads, |codes, positions| {
            model.pointwise_log_likelihood_in(codes, positions)
        });
        for (likelihood, values) in lowered.likelihoods.iter().zip(pointwise) {
            log_likelihood.push(Quantity {
                name: likelihood.outcome.clone(),
                dims: plate_dimensions(lowered, &likelihood.plate),
                derived: false,
                values,
            });
        }
    }
    let (observed, constant) = data_arrays(model)?;
    Ok(Fit {
        run: Run {
            model_name: model.name().into(),
            model_text: model.text().into(),
            expansion: lowered.expansion.clone(),
            command: options.command.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            created_at: now(),
            seed: options.seed,
            backend: if plan.adapter.is_some() { "gpu" } else { "cpu" }.into(),
            adapter: plan.adapter.as_ref().map(|adapter| adapter.name.clone()),
            sampler: match plan.sampler {
                Sampler::Nuts => "nuts",
                Sampler::Hmc => "hmc",
            }
            .into(),
            chains: samples.chains,
            warmup: plan.warmup as usize,
            draws: samples.draws,
            thin: options.thin as usize,
            prob: options.prob.get(),
            interval: options.interval.name().into(),
            data_name: model.data().name.clone(),
            data_fingerprint: model.data().fingerprint.clone(),
            rows: lowered.rows_kept,
            timing: json!({}),
            diagnostics: json!({}),
        },
        posterior,
        sample_stats: Some(SampleStats {
            diverging: samples.is_divergent.clone(),
            energy: samples.energy.clone(),
            lp: comparable_log_density(model, samples, threads),
            acceptance_rate: samples.accept_prob.clone(),
            step_size: samples.step_size.clone(),
            n_steps: samples.n_steps.iter().map(|&n| i64::from(n)).collect(),
        }),
        log_likelihood,
        observed,
        constant,
        columns: columns(model),
        state: state(samples),
    })
}

/// The outcomes, and the other numeric columns, each over its plate.
fn data_arrays(model: &Model) -> Result<(Vec<Array>, Vec<Array>)> {
    let lowered = model.lowered();
    let graph = &lowered.program.graph;
    // Data nodes do not depend on the position; evaluating the graph anywhere yields them.
    let values = reference::values(graph, &vec![0.0; graph.dim()])?;
    let observed = lowered
        .likelihoods
        .iter()
        .map(|likelihood| Array {
            name: likelihood.outcome.clone(),
            dims: plate_dimensions(lowered, &likelihood.plate),
            values: Values::F64(values[likelihood.observed.index()].clone()),
        })
        .collect();
    let rows = lowered
        .plates
        .first()
        .map_or_else(Vec::new, |rows| dimensions(&rows.dims));
    let outcome = |name: &str| {
        lowered
            .likelihoods
            .iter()
            .any(|likelihood| likelihood.outcome == name)
    };
    let constant = model
        .data()
        .kept
        .iter()
        .filter(|column| !outcome(column.name()))
        .filter_map(|column| match column.values() {
            crate::data::Values::Number(numbers) => Some(Array {
                name: column.name().into(),
                dims: rows.clone(),
                values: Values::F64(numbers.clone()),
            }),
            crate::data::Values::Text => None,
        })
        .collect();
    Ok((observed, constant))
}

fn columns(model: &Model) -> Vec<Column> {
    let column = |column: &crate::data::Column| {
        let values = match column.values() {
            crate::data::Values::Number(numbers) => ColumnValues::Numbers(numbers.clone()),
            crate::data::Values::Text => {
                let mut levels: Vec<String> = Vec::new();
                let codes = (0..column.rows())
                    .map(|row| {
                        if column.missing()[row] {
                            return -1;
                        }
                        let cell = column.cell(row);
                        let place = levels.iter().position(|level| level == cell).unwrap_or_else(|| {
                            levels.push(cell.to_owned());
                            levels.len() - 1
                        });
                        place as i64
                    })
                    .collect();
                ColumnValues::Labels { levels, codes }
            }
        };
        Column {
            table: String::new(),
            name: column.name().into(),
            values,
        }
    };
    model.data().columns.iter().map(column).collect()
}

fn state(samples: &Samples) -> State {
    let array = |name: &str, shape: Vec<usize>, values: &[f64]| StateArray {
        name: name.into(),
        shape,
        values: Values::F64(values.to_vec()),
    };
    let dim = samples.dim;
    let mut arrays = vec![array(
        "position",
        vec![samples.chains, dim],
        &samples.state.positions,
    )];
    if let Some(tuning) = &samples.state.tuning {
        let units = tuning.step_sizes.len();
        arrays.push(array("step_size", vec![units], &tuning.step_sizes));
        arrays.push(array("inv_mass_diag", vec![units, dim], &tuning.inv_mass_diag));
        arrays.push(array(
            "trajectory_length",
            vec![units],
            &tuning.trajectory_lengths,
        ));
        if tuning.stretches.iter().any(|stretch| *stretch != 0.0) {
            let room = tuning.stretches.len() / units;
            arrays.push(array("metric_stretch", vec![units, room], &tuning.stretches));
            arrays.push(array(
                "metric_direction",
                vec![units, room, dim],
                &tuning.directions,
            ));
        }
        if !tuning.centring.is_empty() {
            arrays.push(StateArray {
                name: "centring".into(),
                shape: vec![units, tuning.centring.len() / units],
                values: Values::I64(tuning.centring.iter().map(|&code| i64::from(code)).collect()),
            });
        }
    }
    arrays.push(StateArray {
        name: "iteration".into(),
        shape: Vec::new(),
        values: Values::I64(vec![i64::from(samples.state.iteration)]),
    });
    State {
        version: STATE_VERSION,
        arrays,
    }
}

/// The time in UTC, ISO 8601.
fn now() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Civil date from days since 1970-01-01 (Howard Hinnant's days_from_civil, inverted).
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}
