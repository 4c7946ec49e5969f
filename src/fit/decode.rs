//! From the groups of a fit file back to the fit.

use super::layout::{
    Array, Column, ColumnValues, Dimension, FORMAT_VERSION, Fit, Quantity, Run, SampleStats, State,
    StateArray, Streamed,
};
use super::names::TRUE_NAME;
use super::netcdf::{Attribute, File, Group, Values, Variable, attribute};
use serde_json::Value;

/// Why a NetCDF-4 file is no fit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No version of tadpool is named in it.
    Unsigned,
    /// A later layout.
    Newer { version: String, format: i64 },
    /// Something that every fit file has is missing or of another kind.
    Incomplete { version: String, what: String },
}

/// What is missing.
type Part<T> = Result<T, String>;

/// The fit of a file.
pub(super) fn fit(file: File<'static>) -> Result<Fit, Fault> {
    let Some(Attribute::Text(version)) = attribute(&file.attributes, "tadpool_version") else {
        return Err(Fault::Unsigned);
    };
    let version = version.clone();
    match attribute(&file.attributes, "format_version") {
        Some(Attribute::I64(format)) if (1..=FORMAT_VERSION).contains(format) => {}
        Some(Attribute::I64(format)) => {
            return Err(Fault::Newer {
                version,
                format: *format,
            });
        }
        Some(Attribute::Text(_) | Attribute::U64(_) | Attribute::F64(_)) | None => {
            return Err(Fault::Incomplete {
                version,
                what: "the attribute `format_version` is missing".to_owned(),
            });
        }
    }
    parts(file).map_err(|what| Fault::Incomplete { version, what })
}

fn parts(mut file: File<'static>) -> Part<Fit> {
    let run = run(&file.attributes)?;
    let mut group = |name: &str| {
        let at = file.groups.iter().position(|group| group.name == name);
        at.map(|at| file.groups.swap_remove(at))
    };
    let mut needed = |name: &str| group(name).ok_or_else(|| format!("the group `{name}` is missing"));
    let fit = Fit {
        posterior: quantities(needed("posterior")?, &run)?,
        observed: arrays(needed("observed_data")?)?,
        constant: arrays(needed("constant_data")?)?,
        columns: columns(needed("columns")?)?,
        state: state(needed("state")?)?,
        sample_stats: group("sample_stats").map(sample_stats).transpose()?,
        streamed: group("summary").map(streamed).transpose()?,
        log_likelihood: match group("log_likelihood") {
            Some(group) => quantities(group, &run)?,
            None => Vec::new(),
        },
        run,
    };
    let elements = |quantity: &Quantity| {
        quantity
            .dims
            .iter()
            .map(|dim| dim.labels.len())
            .product::<usize>()
    };
    let numbers: usize = fit.posterior.iter().map(elements).sum();
    match &fit.streamed {
        Some(streamed) if streamed.mean.len() != numbers => Err(format!(
            "`summary` is not of the {numbers} numbers of `posterior`"
        )),
        Some(_) | None => Ok(fit),
    }
}

fn run(attributes: &[(String, Attribute)]) -> Part<Run> {
    let missing = |name: &str| format!("the attribute `{name}` is missing");
    let text = |name: &str| match attribute(attributes, name) {
        Some(Attribute::Text(text)) => Ok(text.clone()),
        Some(Attribute::I64(_) | Attribute::U64(_) | Attribute::F64(_)) | None => Err(missing(name)),
    };
    let count = |name: &str| match attribute(attributes, name) {
        Some(Attribute::I64(x)) => usize::try_from(*x).map_err(|_| missing(name)),
        Some(Attribute::Text(_) | Attribute::U64(_) | Attribute::F64(_)) | None => Err(missing(name)),
    };
    let json = |name: &str| -> Part<Value> {
        serde_json::from_str(&text(name)?)
            .map_err(|cause| format!("the attribute `{name}` is no JSON: {cause}"))
    };
    Ok(Run {
        model_name: text("model_name")?,
        model_text: text("model_text")?,
        expansion: text("expansion")?,
        command: text("command")?,
        version: text("tadpool_version")?,
        created_at: text("created_at")?,
        seed: match attribute(attributes, "seed") {
            Some(Attribute::U64(seed)) => *seed,
            Some(Attribute::Text(_) | Attribute::I64(_) | Attribute::F64(_)) | None => {
                return Err(missing("seed"));
            }
        },
        backend: text("backend")?,
        adapter: text("adapter").ok(),
        sampler: text("sampler")?,
        chains: count("chains")?,
        warmup: count("warmup")?,
        draws: count("draws")?,
        thin: count("thin")?,
        prob: match attribute(attributes, "prob") {
            Some(Attribute::F64(prob)) => *prob,
            Some(Attribute::Text(_) | Attribute::I64(_) | Attribute::U64(_)) | None => {
                return Err(missing("prob"));
            }
        },
        interval: text("interval")?,
        data_name: text("data_name")?,
        data_fingerprint: text("data_fingerprint")?,
        rows: count("rows")?,
        ending: text("ending").ok(),
        timing: json("timing")?,
        diagnostics: json("diagnostics")?,
    })
}

/// The model's name of a variable.
fn true_name(variable: &Variable) -> String {
    match attribute(&variable.attributes, TRUE_NAME) {
        Some(Attribute::Text(name)) => name.clone(),
        Some(Attribute::I64(_) | Attribute::U64(_) | Attribute::F64(_)) | None => variable.name.clone(),
    }
}

/// Takes the coordinates out of the group; what stays are the variables proper.
fn split_coordinates(group: &mut Group<'static>) -> Vec<Variable<'static>> {
    let variables = std::mem::take(&mut group.variables);
    let is_coordinate = |variable: &Variable| group.dimensions.iter().any(|(name, _)| *name == variable.name);
    let (coordinates, rest) = variables.into_iter().partition(is_coordinate);
    group.variables = rest;
    coordinates
}

/// The plates of these dimensions.
fn plates(names: &[String], coordinates: &[Variable]) -> Part<Vec<Dimension>> {
    let one = |name: &String| {
        let found = coordinates.iter().find(|variable| variable.name == *name);
        let coordinate = found.ok_or_else(|| format!("the labels of `{name}` are missing"))?;
        let labels = match &coordinate.values {
            Values::Text(labels) => labels.as_slice().into(),
            Values::I64(numbers) => numbers.iter().map(i64::to_string).collect(),
            Values::F64(_) | Values::F32(_) | Values::Bool(_) => {
                return Err(format!(
                    "the labels of `{name}` are neither text nor whole numbers"
                ));
            }
        };
        Ok(Dimension {
            name: true_name(coordinate),
            labels,
        })
    };
    names.iter().map(one).collect()
}

fn quantities(mut group: Group<'static>, run: &Run) -> Part<Vec<Quantity>> {
    let coordinates = split_coordinates(&mut group);
    for (name, expected) in [("chain", run.chains), ("draw", run.draws)] {
        let length = group
            .dimensions
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, length)| *length);
        if length != Some(expected) {
            return Err(format!(
                "`{}` does not hold {expected} values of `{name}`",
                group.name
            ));
        }
    }
    let one = |variable: Variable<'static>| {
        let wrong = || format!("`{}/{}` holds no draws", group.name, variable.name);
        let inner = match variable.dimensions.as_slice() {
            [chain, draw, inner @ ..] if chain == "chain" && draw == "draw" => inner,
            [..] => return Err(wrong()),
        };
        let dims = plates(inner, &coordinates)?;
        let name = true_name(&variable);
        let derived = attribute(&variable.attributes, "derived") == Some(&Attribute::I64(1));
        let Values::F64(values) = variable.values else {
            return Err(wrong());
        };
        Ok(Quantity {
            name,
            dims,
            derived,
            values: values.into_owned(),
        })
    };
    group.variables.into_iter().map(one).collect()
}

fn sample_stats(group: Group<'static>) -> Part<SampleStats> {
    let mut variables = group.variables;
    let mut take = |name: &str| {
        let at = variables.iter().position(|variable| variable.name == name);
        at.map(|at| variables.swap_remove(at).values)
    };
    let missing = |name: &str| format!("`sample_stats/{name}` is missing");
    let mut reals = |name: &str| match take(name) {
        Some(Values::F64(values)) => Ok(values.into_owned()),
        Some(Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_)) | None => {
            Err(missing(name))
        }
    };
    let (energy, lp) = (reals("energy")?, reals("lp")?);
    let (acceptance_rate, step_size) = (reals("acceptance_rate")?, reals("step_size")?);
    let Some(Values::Bool(diverging)) = take("diverging") else {
        return Err(missing("diverging"));
    };
    let Some(Values::I64(n_steps)) = take("n_steps") else {
        return Err(missing("n_steps"));
    };
    Ok(SampleStats {
        diverging,
        energy,
        lp,
        acceptance_rate,
        step_size,
        n_steps,
    })
}

fn streamed(mut group: Group<'static>) -> Part<Streamed> {
    let missing = |name: &str| format!("`summary/{name}` is missing");
    let count = |name: &str| match attribute(&group.attributes, name) {
        Some(Attribute::I64(x)) => usize::try_from(*x).map_err(|_| missing(name)),
        Some(Attribute::Text(_) | Attribute::U64(_) | Attribute::F64(_)) | None => Err(missing(name)),
    };
    let (draws, stride, divergences) = (count("draws")?, count("stride")?, count("divergences")?);
    let ebfmi_pooled = match attribute(&group.attributes, "ebfmi_pooled") {
        Some(Attribute::F64(x)) => *x,
        Some(Attribute::Text(_) | Attribute::U64(_) | Attribute::I64(_)) | None => {
            return Err(missing("ebfmi_pooled"));
        }
    };
    let numbers = group.dimensions.iter().find(|(name, _)| name == "number");
    let numbers = numbers
        .map(|(_, length)| *length)
        .ok_or_else(|| missing("number"))?;
    let mut take = |name: &str| {
        let at = group.variables.iter().position(|variable| variable.name == name);
        at.map(|at| group.variables.swap_remove(at).values)
    };
    let mut reals = |name: &str| match take(name) {
        Some(Values::F64(values)) if name == "ebfmi" || values.len() == numbers => Ok(values.into_owned()),
        Some(Values::F64(_) | Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_)) | None => {
            Err(missing(name))
        }
    };
    Ok(Streamed {
        draws,
        stride,
        divergences,
        ebfmi: reals("ebfmi")?,
        ebfmi_pooled,
        mean: reals("mean")?,
        sd: reals("sd")?,
        mcse_mean: reals("mcse_mean")?,
        mcse_sd: reals("mcse_sd")?,
        ess_bulk: reals("ess_bulk")?,
        ess_tail: reals("ess_tail")?,
        non_finite: match take("non_finite") {
            Some(Values::I64(values)) if values.len() == numbers => values,
            Some(Values::F64(_) | Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_))
            | None => return Err(missing("non_finite")),
        },
    })
}

fn arrays(mut group: Group<'static>) -> Part<Vec<Array>> {
    let coordinates = split_coordinates(&mut group);
    let one = |variable: Variable<'static>| {
        Ok(Array {
            name: true_name(&variable),
            dims: plates(&variable.dimensions, &coordinates)?,
            values: variable.values,
        })
    };
    group.variables.into_iter().map(one).collect()
}

fn columns(mut group: Group<'static>) -> Part<Vec<Column>> {
    let coordinates = split_coordinates(&mut group);
    let one = |variable: Variable<'static>| {
        let wrong = |what: &str| format!("{what} of `columns/{}`", variable.name);
        let Some(Attribute::Text(table)) = attribute(&variable.attributes, "table").cloned() else {
            return Err(wrong("the table is missing"));
        };
        let levels = match attribute(&variable.attributes, "levels") {
            Some(Attribute::Text(levels)) => coordinates.iter().find(|coordinate| coordinate.name == *levels),
            Some(Attribute::I64(_) | Attribute::U64(_) | Attribute::F64(_)) | None => None,
        };
        let name = true_name(&variable);
        let values = match (&variable.values, levels.map(|coordinate| &coordinate.values)) {
            (Values::F64(values), None) => ColumnValues::Numbers(values.to_vec()),
            (Values::I64(codes), Some(Values::Text(levels))) => {
                let known = -1..levels.len() as i64;
                if !codes.iter().all(|code| known.contains(code)) {
                    return Err(wrong("a code has no level"));
                }
                ColumnValues::Labels {
                    levels: levels.clone(),
                    codes: codes.clone(),
                }
            }
            (Values::F64(_) | Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_), _) => {
                return Err(wrong("the values are neither numbers nor labels"));
            }
        };
        Ok(Column { table, name, values })
    };
    group.variables.into_iter().map(one).collect()
}

fn state(group: Group<'static>) -> Part<State> {
    let Some(Attribute::I64(version)) = attribute(&group.attributes, "state_version") else {
        return Err("the attribute `state/state_version` is missing".to_owned());
    };
    let length = |name: &String| {
        group
            .dimensions
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, length)| *length)
    };
    let one = |variable: &Variable<'static>| {
        let shape: Option<Vec<usize>> = variable.dimensions.iter().map(length).collect();
        Ok(StateArray {
            name: true_name(variable),
            shape: shape.ok_or_else(|| format!("`state/{}` has axes without length", variable.name))?,
            values: variable.values.clone(),
        })
    };
    let arrays: Part<Vec<StateArray>> = group.variables.iter().map(one).collect();
    Ok(State {
        version: *version,
        arrays: arrays?,
    })
}
