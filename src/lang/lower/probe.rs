//! Data looked at before there is a model: the numbers of expressions over the rows.

use super::axes::ROWS;
use super::{Lowering, Poison, canonical, dedup};
use crate::data::Table;
use crate::ir::Builder;
use crate::lang::analyse::analyse;
use crate::lang::ast::Model;
use crate::lang::lowered::{Failure, LowerOptions};
use crate::lang::report::Reports;

/// The numbers, `[row]`, of the definitions of `model` from the statement at `from` on, all of data alone.
///
/// # Errors
///
/// [`Failure::Reports`] for unknown names, for missing values, and for numbers that are not finite.
pub(in crate::lang) fn probe(
    model: &Model,
    source: (&str, &str),
    table: &Table,
    from: usize,
) -> std::result::Result<Vec<Vec<f64>>, Failure> {
    let (name, text) = source;
    let model = match canonical(model) {
        Ok(model) => model,
        Err(reports) => return Err(Failure::Reports(Reports::new(name, text, reports))),
    };
    let columns: Vec<&str> = table.names().collect();
    let mut analysis = analyse(&model, table.name(), &columns);
    let found = Reports::new(name, text, std::mem::take(&mut analysis.reports));
    if found.has_errors() {
        return Err(found.into());
    }
    let builder = Builder::new();
    let options = LowerOptions::default();
    let mut lowering = Lowering::new(&analysis, table, text, &options, &builder);
    let mut probed = Vec::new();
    for definition in analysis
        .definitions
        .iter()
        .filter(|known| known.statement >= from)
    {
        let Ok(numbers) = lowering
            .expression(definition.value, Some(ROWS))
            .and_then(|value| value.numbers.ok_or(Poison))
        else {
            continue;
        };
        if let Some(row) = numbers.iter().position(|x| !x.is_finite()) {
            let what = definition.value.span.of(text);
            lowering.not_finite(what, numbers[row], row, Some(ROWS), definition.value.span);
            continue;
        }
        probed.push(if numbers.len() == 1 {
            vec![numbers[0]; table.rows()]
        } else {
            numbers.to_vec()
        });
    }
    let mut reports = std::mem::take(&mut lowering.reports);
    dedup(&mut reports);
    let reports = Reports::new(name, text, reports);
    if reports.has_errors() {
        return Err(reports.into());
    }
    Ok(probed)
}
