//! The picture of conditional effects: each predictor varied alone, for the average group.

use super::super::chart::effects as chart;
use super::super::scene::Scene;
use super::super::source::{Options, Source};
use super::rows::Predicted;
use crate::data::{Column, Table, number_label, short_number};
use crate::error::{Error, Result};
use crate::lang::nearest;
use crate::predict::{self, Grouping, Groups, Predictor, PredictorValues, Rows, Spread, Varying};

/// Points along a column of numbers.
const POINTS: usize = 60;
/// Numbers up to this many stand at their own places.
const FEW: usize = 12;
/// Labels that a panel has room for.
const LABELS: usize = 60;
/// Groups whose lines can be told from a grey area.
const LINES: usize = 200;

pub(super) fn effects(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let predicted = Predicted::of(fit, options)?;
    let kind = match predicted.nature.is_share {
        true => predict::Kind::Prob,
        false => predict::Kind::Mean,
    };
    let asked = predicted.asked(kind, Groups::Average);
    let predictors = predicted.fitted.predictors(&asked)?;
    let wanted: Vec<&Predictor> = predictors
        .iter()
        .filter(|predictor| match &predictor.values {
            PredictorValues::Numbers(values, _) => values.len() > 1,
            PredictorValues::Labels(labels, _) => (2..=LABELS).contains(&labels.len()),
        })
        .collect();
    if wanted.is_empty() {
        return Err(
            Error::user(format!("{} has no predictor that could be varied", fit.name))
                .with_help("this picture is of models with columns besides the outcome and the groups"),
        );
    }
    let varying = predicted.fitted.varying();
    let by = options
        .by
        .as_deref()
        .map(|name| grouping(&predicted, &varying, name))
        .transpose()?;
    let mut panels = Vec::new();
    let mut drawn = Vec::new();
    for predictor in wanted {
        let panel = panel(
            &predicted,
            &predictors,
            predictor,
            (&varying, by.as_ref()),
            &asked,
            options,
        )?;
        // What no prediction depends on (weights of rows, known errors) has the same draws everywhere.
        if panel.average.iter().any(|spread| *spread != panel.average[0]) {
            panels.push(panel);
            drawn.push(predictor);
        }
    }
    if panels.is_empty() {
        return Err(
            Error::user(format!("no prediction of {} depends on a column", fit.name))
                .with_help("this picture is of models with columns besides the outcome and the groups"),
        );
    }
    let others: Vec<String> = drawn
        .iter()
        .filter(|_| drawn.len() > 1)
        .map(|predictor| match &predictor.values {
            PredictorValues::Numbers(_, mean) => format!("{} = {}", predictor.name, short_number(*mean)),
            PredictorValues::Labels(_, usual) => format!("{} = {usual}", predictor.name),
        })
        .collect();
    let mut told = vec![options.interval_name()];
    let indices: Vec<&str> = varying.iter().map(|group| group.index.as_str()).collect();
    if !indices.is_empty() {
        told.push(format!("for the average {}", indices.join(" and ")));
    }
    if !others.is_empty() {
        told.push(format!("where it does not vary, {}", others.join(", ")));
    }
    let lines = panels.iter().any(|panel| !panel.groups.is_empty());
    let title = format!("{}: each predictor alone", fit.name);
    Ok(chart::scene(
        options.width,
        (&title, &told.join("; ")),
        (&predicted.measured, predicted.nature.is_share),
        by.as_ref()
            .filter(|_| lines)
            .map(|(varying, _)| varying.index.as_str()),
        &panels,
    ))
}

/// The groups whose lines are asked for.
fn grouping(predicted: &Predicted<'_>, varying: &[Varying], name: &str) -> Result<(Varying, Grouping)> {
    let groupings = predicted.fitted.groupings();
    let known: Vec<&str> = varying
        .iter()
        .filter(|own| own.columns.len() == 1)
        .map(|own| own.index.as_str())
        .collect();
    let found = varying
        .iter()
        .filter(|own| own.columns.len() == 1)
        .find(|own| own.index == name)
        .and_then(|own| {
            let grouping = groupings.iter().find(|grouping| grouping.index == name)?;
            Some((own.clone(), grouping.clone()))
        });
    let Some((varying, grouping)) = found else {
        let error = Error::user(format!(
            "`--by {name}`: the model has no group `{name}` with a column of its own"
        ));
        return Err(match nearest(name, known.iter().copied()) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.with_help("leave --by out"),
            None => error.with_help(format!("its groups are {}", known.join(", "))),
        });
    };
    if grouping.labels.len() > LINES {
        return Err(Error::user(format!(
            "`{name}` has {} levels, and {LINES} lines at most can be told apart",
            grouping.labels.len()
        ))
        .with_help("leave --by out"));
    }
    Ok((varying, grouping))
}

fn panel(
    predicted: &Predicted<'_>,
    predictors: &[Predictor],
    predictor: &Predictor,
    (varying, by): (&[Varying], Option<&(Varying, Grouping)>),
    asked: &predict::Options,
    options: &Options,
) -> Result<chart::Panel> {
    let (cells, places): (Vec<String>, chart::Places) = match &predictor.values {
        PredictorValues::Labels(labels, _) => (labels.clone(), chart::Places::Labels(labels.clone())),
        // Two numbers are the codes of two kinds most often.
        PredictorValues::Numbers(values, _) if values.len() == 2 => {
            let cells: Vec<String> = values.iter().map(|x| number_label(*x)).collect();
            (cells.clone(), chart::Places::Labels(cells))
        }
        PredictorValues::Numbers(values, _) => {
            let points = match values.len() <= FEW {
                true => values.clone(),
                false => {
                    let (low, high) = (values[0], values[values.len() - 1]);
                    let step = (high - low) / (POINTS - 1) as f64;
                    (0..POINTS).map(|point| low + step * point as f64).collect()
                }
            };
            let cells = points.iter().map(|x| number_label(*x)).collect();
            (cells, chart::Places::Numbers(points))
        }
    };
    let mut average = Vec::with_capacity(cells.len());
    let table = grid(predicted, predictors, (&predictor.name, &cells), varying, None)?;
    predicted.predict(Rows::New(&table), asked, &mut |_, draws| {
        let spread = Spread::of(draws, options.interval, options.prob);
        average.push((spread.mean, spread.lower, spread.upper));
    })?;
    let mut groups = Vec::new();
    let lines = by.filter(|(_, grouping)| !is_of_group(predicted, &predictor.name, grouping));
    if let Some((own, grouping)) = lines {
        let each = Some((own.columns[0].as_str(), grouping));
        let table = grid(predicted, predictors, (&predictor.name, &cells), varying, each)?;
        let mut means = Vec::with_capacity(table.rows());
        predicted.predict(Rows::New(&table), asked, &mut |_, draws| {
            means.push(draws.iter().sum::<f64>() / draws.len() as f64);
        })?;
        groups.extend(means.chunks(cells.len()).map(<[f64]>::to_vec));
    }
    Ok(chart::Panel {
        name: predictor.name.clone(),
        places,
        average,
        groups,
    })
}

/// Whether a column has one value for each group: a single group cannot be shown at others.
fn is_of_group(predicted: &Predicted<'_>, name: &str, grouping: &Grouping) -> bool {
    let mut known: Vec<Option<&str>> = vec![None; grouping.labels.len()];
    let Some(column) = predicted.fitted.observed().column(name) else {
        return false;
    };
    grouping.codes.iter().enumerate().all(|(row, &code)| {
        let cell = column.cell(row).trim();
        *known[code].get_or_insert(cell) == cell
    })
}

/// Rows with the values `cells` of one predictor, the others where they usually are, and new groups, each row its own.
/// With the column and the groups of `each`, so many rows for each of its levels in turn, which keep their own predictors.
fn grid(
    predicted: &Predicted<'_>,
    predictors: &[Predictor],
    (name, cells): (&str, &[String]),
    varying: &[Varying],
    each: Option<(&str, &Grouping)>,
) -> Result<Table> {
    let observed = predicted.fitted.observed();
    let outcomes = predicted.fitted.outcomes();
    let levels = each.map_or(1, |(_, grouping)| grouping.labels.len());
    let rows = levels * cells.len();
    let of_level = |value: &dyn Fn(usize) -> String| -> Vec<String> {
        (0..levels)
            .flat_map(|level| std::iter::repeat_n(value(level), cells.len()))
            .collect()
    };
    let mut columns = Vec::new();
    for column in observed.columns() {
        let own = column.name();
        if outcomes.contains(&own) {
            continue;
        }
        let of_groups = varying
            .iter()
            .any(|group| group.columns.iter().any(|column| column == own));
        let values: Vec<String> = if own == name {
            cells.iter().cycle().take(rows).cloned().collect()
        } else if let Some((_, grouping)) = each.filter(|(_, grouping)| {
            predictors.iter().any(|predictor| predictor.name == own) && is_of_group(predicted, own, grouping)
        }) {
            of_level(&|level| {
                let row = grouping.codes.iter().position(|code| *code == level);
                column.cell(row.unwrap_or(0)).to_owned()
            })
        } else if let Some(predictor) = predictors.iter().find(|predictor| predictor.name == own) {
            let usual = match &predictor.values {
                PredictorValues::Numbers(_, mean) => number_label(*mean),
                PredictorValues::Labels(_, usual) => usual.clone(),
            };
            vec![usual; rows]
        } else if of_groups {
            match each {
                Some((column, grouping)) if column == own => {
                    of_level(&|level| grouping.labels[level].clone())
                }
                _ => (0..rows).map(|row| new_label(column, row)).collect(),
            }
        } else {
            // Counts of trials, which a share does not depend on, and what only makes an outcome.
            vec![column.cell(0).to_owned(); rows]
        };
        columns.push(Column::from_cells(own, values.iter().map(String::as_str)));
    }
    Table::from_columns(observed.name(), columns)
}

/// A label that no row of a column has, another one for each `number`.
fn new_label(column: &Column, number: usize) -> String {
    let known = |label: &str| (0..column.rows()).any(|row| column.cell(row).trim() == label);
    let mut label = format!("average {}", number + 1);
    while known(&label) {
        label.push('_');
    }
    label
}
