//! `table schools by school`: second tables, joined to the rows before anything else looks at them.

use super::ast::{Model, StatementKind};
use super::lowered::Failure;
use super::nearest::nearest;
use super::report::{Report, Reports, quoted};
use crate::data::Table;
use crate::error::Error;

/// `table` with the columns of the second tables that `model` names; `source` is its name and its text.
///
/// Where not `all` are needed, a table that is not given is passed over: what a fit knows of its groups stands in for it.
///
/// # Errors
///
/// [`Failure::Reports`] for a table that is not given, and for what [`Table::join`] finds, at the line that names the
/// table; a user error for a table that the text does not name.
pub fn join(
    model: &Model,
    source: (&str, &str),
    table: Table,
    tables: &[(&str, Table)],
    all: bool,
) -> Result<Table, Failure> {
    let (name, text) = source;
    let mut joined = table;
    let mut named = Vec::new();
    let mut reports = Vec::new();
    for statement in &model.statements {
        let StatementKind::Table(second) = &statement.kind else {
            continue;
        };
        let called = second.name.text.as_str();
        named.push(called);
        let Some((_, given)) = tables.iter().find(|(known, _)| *known == called) else {
            if all {
                let report = Report::error(
                    format!("no file is given for the table {}", quoted(called)),
                    second.name.span,
                    "a second table",
                );
                reports.push(report.with_help(format!("name it: `--table {called}={called}.csv`")));
            }
            continue;
        };
        match joined.join(given, &second.key.text) {
            Ok(with) => joined = with,
            Err(error) => {
                let mut report = Report::error(error.message(), statement.span, "joined here");
                if let Some(help) = error.help() {
                    report = report.with_help(help);
                }
                reports.push(report);
            }
        }
    }
    if let Some((unknown, _)) = tables.iter().find(|(known, _)| !named.contains(known)) {
        let error = Error::user(format!("the model names no table `{unknown}`"));
        let help = match nearest(unknown, named.iter().copied()) {
            Some(near) => format!("did you mean `--table {near}=…`?"),
            None => format!("add a line `table {unknown} by KEY`, where KEY is a column of both tables"),
        };
        return Err(error.with_help(help).into());
    }
    if reports.is_empty() {
        Ok(joined)
    } else {
        Err(Reports::new(name, text, reports).into())
    }
}
