//! The data: its rows, the columns that the model uses, its index sets, what was learned from it.

use super::digits::{Places, number, places};
use super::markup::{Align, Cell, Page};
use super::{Subject, structure};
use crate::data::{Column, Values};
use crate::diag::{mean, variance_about};

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>) {
    let run = &subject.fit().run;
    let model = subject.fitted.model();
    let lowered = model.lowered();
    page.heading(depth, "Data");
    page.paragraph("", &format!("`{}`: {}.", run.data_name, structure::rows(lowered)));

    let used = structure::used(lowered);
    let rows: Vec<Vec<Cell>> = model
        .data()
        .columns
        .iter()
        .map(|column| {
            let role = used.iter().find(|[name, _]| name == column.name());
            let outcomes = &lowered.likelihoods;
            let role = match role {
                Some(_) if outcomes.iter().any(|outcome| outcome.outcome == column.name()) => "outcome",
                Some([_, role]) => role,
                None => "",
            };
            let mut cells = vec![Cell::code(column.name()), Cell::text(role)];
            cells.extend(described(column, role != "index"));
            cells.push(Cell::number(
                &column.missing_count().to_string(),
                column.missing_count() as f64,
            ));
            cells
        })
        .collect();
    let heads = [
        ("column", Align::Left),
        ("use", Align::Left),
        ("distinct", Align::Right),
        ("smallest", Align::Right),
        ("mean", Align::Right),
        ("sd", Align::Right),
        ("largest", Align::Right),
        ("missing", Align::Right),
    ];
    page.table(&heads, &rows);

    let plates = structure::plates(lowered);
    if !plates.is_empty() {
        page.part(depth, "Index sets");
        let rows: Vec<Vec<Cell>> = plates
            .iter()
            .map(|[name, size, labels]| vec![Cell::code(name), Cell::text(size), Cell::text(labels)])
            .collect();
        let heads = [
            ("index", Align::Left),
            ("levels", Align::Right),
            ("labels", Align::Left),
        ];
        page.table(&heads, &rows);
    }

    let learned = structure::learned(lowered);
    if !learned.is_empty() {
        page.part(depth, "Learned from the data");
        let rows: Vec<Vec<Cell>> = learned
            .iter()
            .map(|[call, said]| vec![Cell::code(call), Cell::text(said)])
            .collect();
        page.table(&[("line", Align::Left), ("values become", Align::Left)], &rows);
    }
    page.list("notes", &lowered.notes);
}

/// Distinct values, and of numbers the smallest, mean, sd and largest; of what is there. Labels have no mean, though they
/// be numbers.
fn described(column: &Column, has_mean: bool) -> Vec<Cell> {
    let mut cells: Vec<&str> = (0..column.rows())
        .filter(|&row| !column.missing()[row])
        .map(|row| column.cell(row))
        .collect();
    cells.sort_unstable();
    cells.dedup();
    let distinct = Cell::number(&cells.len().to_string(), cells.len() as f64);
    let present: Vec<f64> = match column.values() {
        Values::Number(numbers) if has_mean => numbers.iter().copied().filter(|x| x.is_finite()).collect(),
        Values::Number(_) | Values::Text => Vec::new(),
    };
    if present.is_empty() {
        let nothing = || Cell::text("");
        return vec![distinct, nothing(), nothing(), nothing(), nothing()];
    }
    let centre = mean(&present);
    let sd = variance_about(&present, centre).sqrt();
    let extreme = |pick: fn(f64, f64) -> f64| present.iter().copied().reduce(pick).unwrap_or(f64::NAN);
    let shown = |x: f64, places: Places| Cell::number(&number(x, places), x);
    let fine = places(sd, 3);
    let own = |x: f64| Cell::number(&x.to_string(), x);
    vec![
        distinct,
        own(extreme(f64::min)),
        shown(centre, fine),
        shown(sd, fine),
        own(extreme(f64::max)),
    ]
}
