//! From a fit to the groups of its file.

use super::layout::{
    Array, Column, ColumnValues, Dimension, FORMAT_VERSION, Fit, Quantity, SampleStats, State, Streamed,
};
use super::names::{Names, true_name};
use super::netcdf::{Attribute, File, Group, Values, Variable};
use crate::error::{Error, Result};
use std::borrow::Cow;

/// The file of a fit.
pub(super) fn file(fit: &Fit) -> Result<File<'_>> {
    let mut groups = vec![draws(fit, "posterior", &fit.posterior)?];
    if let Some(stats) = &fit.sample_stats {
        groups.push(sample_stats(fit, stats));
    }
    if let Some(streamed) = &fit.streamed {
        groups.push(summary(fit, streamed));
    }
    if !fit.log_likelihood.is_empty() {
        groups.push(draws(fit, "log_likelihood", &fit.log_likelihood)?);
    }
    groups.push(data(fit, "observed_data", &fit.observed)?);
    groups.push(data(fit, "constant_data", &fit.constant)?);
    groups.push(columns(fit, &fit.columns)?);
    groups.push(state(fit, &fit.state));
    Ok(File {
        attributes: run(fit),
        groups,
    })
}

fn run(fit: &Fit) -> Vec<(String, Attribute)> {
    let run = &fit.run;
    let mut all = library(fit);
    let mut text = |name: &str, value: &str| all.push((name.to_owned(), Attribute::Text(value.to_owned())));
    text("tadpool_version", &run.version);
    text("model_name", &run.model_name);
    text("model_text", &run.model_text);
    text("expansion", &run.expansion);
    text("command", &run.command);
    text("backend", &run.backend);
    if let Some(adapter) = &run.adapter {
        text("adapter", adapter);
    }
    text("sampler", &run.sampler);
    text("interval", &run.interval);
    text("data_name", &run.data_name);
    text("data_fingerprint", &run.data_fingerprint);
    text("keep", if fit.streamed.is_some() { "summary" } else { "all" });
    if let Some(ending) = &run.ending {
        text("ending", ending);
    }
    text("timing", &run.timing.to_string());
    text("diagnostics", &run.diagnostics.to_string());
    let mut count = |name: &str, value: usize| all.push((name.to_owned(), Attribute::I64(value as i64)));
    count("chains", run.chains);
    count("warmup", run.warmup);
    count("draws", run.draws);
    count("thin", run.thin);
    count("rows", run.rows);
    // A program that knows version 1 alone would take the kept draws of a summary for all of them.
    let version = if fit.streamed.is_some() { FORMAT_VERSION } else { 1 };
    all.push(("format_version".to_owned(), Attribute::I64(version)));
    all.push(("seed".to_owned(), Attribute::U64(run.seed)));
    all.push(("prob".to_owned(), Attribute::F64(run.prob)));
    all
}

/// The attributes that ArviZ expects of every group.
fn library(fit: &Fit) -> Vec<(String, Attribute)> {
    [
        ("created_at", fit.run.created_at.as_str()),
        ("inference_library", "tadpool"),
        ("inference_library_version", fit.run.version.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), Attribute::Text(value.to_owned())))
    .to_vec()
}

/// Numbers that stay where they are.
fn borrowed(values: &[f64]) -> Values<'_> {
    Values::F64(Cow::Borrowed(values))
}

fn empty(fit: &Fit, name: &str) -> Group<'static> {
    Group {
        name: name.to_owned(),
        attributes: library(fit),
        ..Group::default()
    }
}

/// A group with the dimensions `chain` and `draw`, numbered from 0 as ArviZ does.
fn with_chains(fit: &Fit, name: &str) -> Group<'static> {
    let mut group = empty(fit, name);
    for (name, length) in [("chain", fit.run.chains), ("draw", fit.run.draws)] {
        group.dimensions.push((name.to_owned(), length));
        group.variables.push(Variable {
            name: name.to_owned(),
            dimensions: vec![name.to_owned()],
            values: Values::I64((0..length as i64).collect()),
            attributes: Vec::new(),
        });
    }
    group
}

fn draws<'a>(fit: &Fit, name: &str, quantities: &'a [Quantity]) -> Result<Group<'a>> {
    let mut plates = Plates::new(
        with_chains(fit, name),
        quantities.iter().map(|quantity| quantity.name.as_str()),
    );
    for (at, quantity) in quantities.iter().enumerate() {
        let mut dimensions = vec!["chain".to_owned(), "draw".to_owned()];
        dimensions.extend(plates.dimensions(&quantity.name, &quantity.dims)?);
        let mut attributes = true_name(&quantity.name, &plates.variables[at]);
        attributes.push(("derived".to_owned(), Attribute::I64(i64::from(quantity.derived))));
        plates.group.variables.push(Variable {
            name: plates.variables[at].clone(),
            dimensions,
            values: borrowed(&quantity.values),
            attributes,
        });
    }
    Ok(plates.group)
}

fn sample_stats<'a>(fit: &Fit, stats: &'a SampleStats) -> Group<'a> {
    let mut group = with_chains(fit, "sample_stats");
    let mut push = |name: &str, values| {
        group.variables.push(Variable {
            name: name.to_owned(),
            dimensions: vec!["chain".to_owned(), "draw".to_owned()],
            values,
            attributes: Vec::new(),
        });
    };
    push("diverging", Values::Bool(stats.diverging.clone()));
    push("energy", borrowed(&stats.energy));
    push("lp", borrowed(&stats.lp));
    push("acceptance_rate", borrowed(&stats.acceptance_rate));
    push("step_size", borrowed(&stats.step_size));
    push("n_steps", Values::I64(stats.n_steps.clone()));
    group
}

/// What all draws of a run say that kept a part of them: numbers in the order of the posterior.
fn summary<'a>(fit: &Fit, streamed: &'a Streamed) -> Group<'a> {
    let mut group = empty(fit, "summary");
    for (name, value) in [
        ("draws", streamed.draws),
        ("stride", streamed.stride),
        ("divergences", streamed.divergences),
    ] {
        group
            .attributes
            .push((name.to_owned(), Attribute::I64(value as i64)));
    }
    group
        .attributes
        .push(("ebfmi_pooled".to_owned(), Attribute::F64(streamed.ebfmi_pooled)));
    group.dimensions.push(("chain".to_owned(), streamed.ebfmi.len()));
    group.dimensions.push(("number".to_owned(), streamed.mean.len()));
    let mut push = |name: &str, dimension: &str, values| {
        group.variables.push(Variable {
            name: name.to_owned(),
            dimensions: vec![dimension.to_owned()],
            values,
            attributes: Vec::new(),
        });
    };
    push("ebfmi", "chain", borrowed(&streamed.ebfmi));
    push("mean", "number", borrowed(&streamed.mean));
    push("sd", "number", borrowed(&streamed.sd));
    push("mcse_mean", "number", borrowed(&streamed.mcse_mean));
    push("mcse_sd", "number", borrowed(&streamed.mcse_sd));
    push("ess_bulk", "number", borrowed(&streamed.ess_bulk));
    push("ess_tail", "number", borrowed(&streamed.ess_tail));
    push("non_finite", "number", Values::I64(streamed.non_finite.clone()));
    group
}

fn data<'a>(fit: &Fit, name: &str, arrays: &'a [Array]) -> Result<Group<'a>> {
    let mut plates = Plates::new(empty(fit, name), arrays.iter().map(|array| array.name.as_str()));
    for (at, array) in arrays.iter().enumerate() {
        let dimensions = plates.dimensions(&array.name, &array.dims)?;
        plates.group.variables.push(Variable {
            name: plates.variables[at].clone(),
            dimensions,
            values: array.values.clone(),
            attributes: true_name(&array.name, &plates.variables[at]),
        });
    }
    Ok(plates.group)
}

/// A group in the making: its plates become dimensions when a variable first uses them.
struct Plates<'a> {
    group: Group<'a>,
    names: Names,
    /// Names in the file of the variables to come.
    variables: Vec<String>,
    /// A plate, how many times the same variable has it before, and the dimension's name in the file.
    seen: Vec<(&'a Dimension, usize, String)>,
}

impl<'a> Plates<'a> {
    fn new<'n>(group: Group<'a>, variables: impl Iterator<Item = &'n str>) -> Self {
        let mut names = Names::reserving(&["chain", "draw"]);
        let variables = variables.map(|name| names.take(name)).collect();
        Self {
            group,
            names,
            variables,
            seen: Vec::new(),
        }
    }

    /// The names in the file of one variable's dimensions.
    fn dimensions(&mut self, variable: &str, dims: &'a [Dimension]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (axis, plate) in dims.iter().enumerate() {
            let repeat = dims[..axis]
                .iter()
                .filter(|earlier| earlier.name == plate.name)
                .count();
            let known = self
                .seen
                .iter()
                .find(|(own, times, _)| own.name == plate.name && *times == repeat);
            let name = match known {
                Some((own, _, name)) if own.labels == plate.labels => name.clone(),
                Some(_) => {
                    return Err(Error::bug(format!(
                        "`{}/{variable}` gives the plate `{}` other labels than an earlier variable",
                        self.group.name, plate.name
                    )));
                }
                None => self.add(plate, repeat),
            };
            names.push(name);
        }
        Ok(names)
    }

    fn add(&mut self, plate: &'a Dimension, repeat: usize) -> String {
        let wanted = if repeat == 0 {
            plate.name.clone()
        } else {
            format!("{}_{}", plate.name, repeat + 1)
        };
        let name = self.names.take(&wanted);
        self.group.dimensions.push((name.clone(), plate.labels.len()));
        self.group.variables.push(Variable {
            name: name.clone(),
            dimensions: vec![name.clone()],
            values: coordinate(&plate.labels),
            attributes: true_name(&plate.name, &name),
        });
        self.seen.push((plate, repeat, name.clone()));
        name
    }
}

/// Whole numbers where every label is one in its usual spelling (`1`, not `01`), so that no label changes.
fn coordinate(labels: &[String]) -> Values<'static> {
    let whole = |label: &String| {
        label
            .parse::<i64>()
            .ok()
            .filter(|number| number.to_string() == *label)
    };
    match labels.iter().map(whole).collect() {
        Some(numbers) => Values::I64(numbers),
        None => Values::Text(labels.to_vec()),
    }
}

/// The columns, each over the rows of its table; levels of labels are coordinates of their own.
fn columns<'a>(fit: &Fit, columns: &'a [Column]) -> Result<Group<'a>> {
    let mut group = empty(fit, "columns");
    let mut names = Names::default();
    let mut tables: Vec<(&str, String, usize)> = Vec::new();
    for column in columns {
        let rows = match &column.values {
            ColumnValues::Numbers(values) => values.len(),
            ColumnValues::Labels { codes, .. } => codes.len(),
        };
        let row = match tables.iter().find(|(table, _, _)| *table == column.table) {
            Some((_, row, length)) if *length == rows => row.clone(),
            Some((_, _, length)) => {
                return Err(Error::bug(format!(
                    "the column `{}` has {rows} rows, not {length}",
                    column.name
                )));
            }
            None => {
                let row = names.take(&if column.table.is_empty() {
                    "row".to_owned()
                } else {
                    format!("row_{}", column.table)
                });
                tables.push((&column.table, row.clone(), rows));
                group.dimensions.push((row.clone(), rows));
                row
            }
        };
        let name = names.take(&column.name);
        let mut attributes = true_name(&column.name, &name);
        attributes.push(("table".to_owned(), Attribute::Text(column.table.clone())));
        let values = match &column.values {
            ColumnValues::Numbers(values) => borrowed(values),
            ColumnValues::Labels { levels, codes } => {
                let level = names.take(&format!("{}_levels", column.name));
                group.dimensions.push((level.clone(), levels.len()));
                group.variables.push(Variable {
                    name: level.clone(),
                    dimensions: vec![level.clone()],
                    values: Values::Text(levels.clone()),
                    attributes: Vec::new(),
                });
                attributes.push(("levels".to_owned(), Attribute::Text(level)));
                Values::I64(codes.clone())
            }
        };
        group.variables.push(Variable {
            name,
            dimensions: vec![row],
            values,
            attributes,
        });
    }
    Ok(group)
}

fn state<'a>(fit: &Fit, state: &'a State) -> Group<'a> {
    let mut group = empty(fit, "state");
    group
        .attributes
        .push(("state_version".to_owned(), Attribute::I64(state.version)));
    let mut names = Names::default();
    let in_file: Vec<String> = state.arrays.iter().map(|array| names.take(&array.name)).collect();
    for (array, name) in state.arrays.iter().zip(in_file) {
        let mut dimensions = Vec::new();
        for (axis, length) in array.shape.iter().enumerate() {
            let dimension = names.take(&format!("{name}_dim_{axis}")); // ArviZ's name for an axis without one
            group.dimensions.push((dimension.clone(), *length));
            dimensions.push(dimension);
        }
        group.variables.push(Variable {
            attributes: true_name(&array.name, &name),
            name,
            dimensions,
            values: array.values.clone(),
        });
    }
    group
}
