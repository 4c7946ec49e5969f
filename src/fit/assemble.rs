//! From what was kept of a run to the parts of a fit: quantities with their labels, data, state.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::keeper::Kept;
use super::layout::{Array, Column, ColumnValues, Dimension, Fit, Quantity, Run, State, StateArray};
use super::netcdf::Values;
use super::options::{Options, Plan};
use crate::back::reference;
use crate::error::Result;
use crate::lang::{Dim, Lowered, QuantityKind};
use crate::model::Model;
use crate::sampler::{self, Sampler};

/// The version of the arrays in the `state` group.
const STATE_VERSION: i64 = 1;

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

/// The fit of what was kept of a run; report and timing are still to come.
///
/// # Errors
///
/// Only faults of tadpool.
pub(super) fn assemble(
    model: &Model,
    options: &Options,
    plan: &Plan,
    kept: Kept,
    state: &sampler::State,
) -> Result<Fit> {
    let lowered = model.lowered();
    let posterior = lowered
        .quantities
        .iter()
        .zip(kept.named)
        .map(|(quantity, values)| Quantity {
            name: quantity.name.clone(),
            dims: dimensions(&quantity.dims),
            derived: quantity.kind == QuantityKind::Derived,
            values,
        })
        .collect();
    let log_likelihood = lowered
        .likelihoods
        .iter()
        .zip(kept.pointwise)
        .map(|(likelihood, values)| Quantity {
            name: likelihood.outcome.clone(),
            dims: plate_dimensions(lowered, &likelihood.plate),
            derived: false,
            values,
        })
        .collect();
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
            chains: kept.chains,
            warmup: plan.warmup as usize,
            draws: kept.draws,
            thin: options.thin as usize,
            prob: options.prob.get(),
            interval: options.interval.name().into(),
            data_name: model.data().name.clone(),
            data_fingerprint: model.data().fingerprint.clone(),
            rows: lowered.rows_kept,
            ending: None,
            timing: json!({}),
            diagnostics: json!({}),
        },
        posterior,
        sample_stats: Some(kept.stats),
        streamed: kept.streamed,
        log_likelihood,
        observed,
        constant,
        columns: columns(model),
        state: state_arrays(state, kept.chains, model.dim()),
    })
}

/// The outcomes, and the other numeric columns, each over its plate.
fn data_arrays(model: &Model) -> Result<(Vec<Array>, Vec<Array>)> {
    let lowered = model.lowered();
    let graph = &lowered.program.graph;
    let mut observed = Vec::new();
    for likelihood in &lowered.likelihoods {
        observed.push(Array {
            name: likelihood.outcome.clone(),
            dims: plate_dimensions(lowered, &likelihood.plate),
            values: Values::F64(reference::data(graph, likelihood.observed)?.into()),
        });
    }
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
                values: Values::F64(numbers.clone().into()),
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

fn state_arrays(state: &sampler::State, chains: usize, dim: usize) -> State {
    let array = |name: &str, shape: Vec<usize>, values: &[f64]| StateArray {
        name: name.into(),
        shape,
        values: Values::F64(values.to_vec().into()),
    };
    let mut arrays = vec![array("position", vec![chains, dim], &state.positions)];
    if let Some(tuning) = &state.tuning {
        let units = tuning.step_sizes.len();
        arrays.push(array("step_size", vec![units], &tuning.step_sizes));
        arrays.push(array("inv_mass_diag", vec![units, dim], &tuning.inv_mass_diag));
        arrays.push(array(
            "trajectory_length",
            vec![units],
            &tuning.trajectory_lengths,
        ));
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
        values: Values::I64(vec![i64::from(state.iteration)]),
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
