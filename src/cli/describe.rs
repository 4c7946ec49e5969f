//! What `check` says of a lowered model: its lines spelled out, its index sets, parameters, outcomes, data, and likely
//! trouble.

use super::style::{HEADING, styled};
use crate::lang::Lowered;
use crate::report::structure::{derived, effects, learned, outcomes, parameters, plates, rows, used};
use crate::trouble::Troubles;

/// The page of a model. `name` is the model's, `data` the table's.
pub(super) fn page(name: &str, data: &str, lowered: &Lowered) -> String {
    let mut text = format!("{}: {data}, {}\n", styled(HEADING, name), rows(lowered));
    section(
        &mut text,
        "The model, with everything spelled out",
        &lines(lowered.expansion.trim_end()),
    );
    section(&mut text, "Index sets", &columns(&plates(lowered)));
    let numbers = lowered.program.graph.dim();
    section(
        &mut text,
        &format!("Parameters ({numbers} numbers to sample)"),
        &columns(&parameters(lowered)),
    );
    section(&mut text, "Outcomes", &columns(&outcomes(lowered)));
    section(
        &mut text,
        "Derived quantities, from the draws",
        &columns(&derived(lowered)),
    );
    section(
        &mut text,
        "Parameterisation of effects",
        &columns(&effects(lowered)),
    );
    section(&mut text, "Columns used", &columns(&used(lowered)));
    section(&mut text, "Learned from the data", &columns(&learned(lowered)));
    text
}

/// The section of what bodes ill for a fit.
pub(super) fn troubles(troubles: &Troubles) -> String {
    let mut text = format!("\n{}\n", styled(HEADING, "Likely trouble"));
    if troubles.reports.reports.is_empty() {
        text.push_str("  none found\n");
    } else {
        text.push_str(&troubles.reports.render(true));
    }
    for omitted in &troubles.omitted {
        text.push_str(&format!("  not looked at: {omitted}\n"));
    }
    text
}

/// A heading with lines under it; nothing where there are no lines.
fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("\n{}\n", styled(HEADING, title)));
    for line in lines {
        text.push_str(&format!("  {}\n", line.trim_end()));
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Rows of cells as aligned lines.
fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = (0..N)
            .map(|column| {
                let blanks = widths[column] - row[column].chars().count();
                format!("{}{}", row[column], " ".repeat(blanks))
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
