//! Likely trouble: what bodes ill for a fit before it is made.
//!
//! May import everything up to `predict`. The text and the data are looked at by [`lang::troubles`](crate::lang::troubles);
//! here that is joined by `prior`: what the priors say of outcomes, simulated and held against the data.
//!
//! Promises: every finding says what was found in numbers, where in the text, and what to do; a model without findings
//! may still be a bad one, a model with some may still be meant.

mod prior;

use crate::data::Table;
use crate::error::Result;
use crate::lang::Reports;
use crate::model::Model;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Troubles {
    /// The findings: warnings first, then notes, in the order of the text.
    pub reports: Reports,
    /// What was not looked at, and why, each one sentence.
    pub omitted: Vec<String>,
}

/// The troubles of `model` over the `table` that it was compiled over.
///
/// # Errors
///
/// Only faults of tadpool.
pub fn troubles(model: &Model, table: &Table) -> Result<Troubles> {
    let of_data = model.troubles(table)?;
    let mut reports = of_data.reports;
    let mut omitted = Vec::new();
    match prior::against_data(model, table)? {
        Ok(of_priors) => reports.extend(of_priors),
        Err(reason) => omitted.push(format!("prior predictive: {reason}")),
    }
    Ok(Troubles {
        reports: Reports::new(of_data.name, of_data.text, reports),
        omitted,
    })
}
