//! Whether two fits are of the same data, so that their predictions can be compared row by row.

use super::layout::{Array, Column, Fit};
use super::netcdf::Values;
use super::restored::Observation;

/// A fit with the name that it goes by.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The fit.
    pub fit: &'a Fit,
    /// What it predicts.
    pub observations: &'a [Observation],
}

/// What sets the data of two fits apart, in one sentence; none if they are of the same data.
///
/// They are if they have the same outcomes in the same rows, and agree in every column that both use; a model may use
/// further columns, and its fingerprint then differs.
pub fn data_difference(a: Known, b: Known) -> Option<String> {
    let names = |fit: &Fit| {
        fit.observed
            .iter()
            .map(|array| format!("`{}`", array.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (ours, theirs) = (names(a.fit), names(b.fit));
    if ours != theirs {
        return Some(format!(
            "{} predicts {ours}, {} predicts {theirs}",
            a.name, b.name
        ));
    }
    if a.fit.run.data_fingerprint == b.fit.run.data_fingerprint && a.observations == b.observations {
        return outcome_difference(a, b);
    }
    if a.observations.len() != b.observations.len() {
        return Some(format!(
            "{} predicts {} rows, {} predicts {}",
            a.name,
            a.observations.len(),
            b.name,
            b.observations.len()
        ));
    }
    let labels = a.observations.iter().zip(b.observations);
    if let Some((ours, theirs)) = labels.clone().find(|(ours, theirs)| ours != theirs) {
        return Some(format!(
            "{} predicts `{}` of row {}, where {} predicts that of row {}",
            a.name, ours.outcome, ours.label, b.name, theirs.label
        ));
    }
    outcome_difference(a, b).or_else(|| {
        a.fit.columns.iter().find_map(|ours| {
            let same = |column: &&Column| column.name == ours.name && column.table == ours.table;
            let theirs = b.fit.columns.iter().find(same)?;
            column_difference(a.name, ours, b.name, theirs)
        })
    })
}

/// Where the outcomes differ: a transformed outcome has another density.
fn outcome_difference(a: Known, b: Known) -> Option<String> {
    let mut outcomes = a.fit.observed.iter().zip(&b.fit.observed);
    outcomes.find_map(|(ours, theirs)| {
        let (x, y) = (numbers(ours)?, numbers(theirs)?);
        let place = (0..x.len().max(y.len())).find(|&place| x.get(place) != y.get(place))?;
        let shown = |values: &[f64]| values.get(place).map_or("nothing".to_owned(), f64::to_string);
        let label = a
            .observations
            .iter()
            .filter(|o| o.outcome == ours.name)
            .nth(place);
        Some(format!(
            "`{}` of row {} is {} in {} and {} in {}",
            ours.name,
            label.map_or("", |observation| &observation.label),
            shown(x),
            a.name,
            shown(y),
            b.name
        ))
    })
}

fn numbers(array: &Array) -> Option<&[f64]> {
    match &array.values {
        Values::F64(values) => Some(values),
        Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_) => None,
    }
}

/// The first row in which a column that both use differs.
fn column_difference(our_name: &str, ours: &Column, their_name: &str, theirs: &Column) -> Option<String> {
    let (x, y) = (ours.cells(), theirs.cells());
    let place = (0..x.len().max(y.len())).find(|&place| x.get(place) != y.get(place))?;
    let shown = |cells: &[String]| match cells.get(place) {
        Some(cell) if cell.is_empty() => "missing".to_owned(),
        Some(cell) => cell.clone(),
        None => "beyond the end".to_owned(),
    };
    Some(format!(
        "the column `{}` of row {} is {} in {our_name} and {} in {their_name}",
        ours.name,
        place + 1,
        shown(&x),
        shown(&y)
    ))
}
