//! Parameters drawn from the posterior of the data at hand, for calibration around them.
//!
//! Säilynoja, Schmitt, Bürkner and Vehtari (2025, "Posterior SBC"): if the sampler is right, a truth that is drawn from the
//! posterior of the data, and judged by the posterior of the data together with new ones made from it, has uniform ranks.

use std::sync::atomic::AtomicBool;

use super::batch::{RHAT_LIMIT, Sampling};
use super::draws::Draws;
use crate::data::{Column, Table};
use crate::diag::{Interval, Prob};
use crate::error::{Error, Result};
use crate::lang::ast::StatementKind;
use crate::lang::{self, QuantityKind};
use crate::model::Model;
use crate::sampler::{self, Sampler, Settings, State, Watch};

/// Chains of the fit.
const CHAINS: usize = 64;
/// Draws between two that are taken, so that they are nearly independent.
const STRIDE: usize = 8;

/// Draws of each chain at least: R-hat of shorter ones says nothing.
const FEWEST: usize = 128;

/// Values of the parameters in `count` draws of the posterior over `table`, each `[draw][element]`.
///
/// # Errors
///
/// A user error for a model that cannot be fitted to the table.
pub fn posterior_of(
    (name, text): (&str, &str),
    table: &Table,
    count: u32,
    sampling: &Sampling,
) -> Result<Vec<(String, Vec<f64>)>> {
    let model = Model::new(name, text, table)?;
    let count = count as usize;
    let draws = (count * STRIDE).div_ceil(CHAINS).max(FEWEST);
    let settings = Settings {
        sampler: Sampler::Hmc,
        chains: CHAINS,
        warmup: sampling.warmup,
        draws,
        thin: 1,
        seed: sampling.seed,
        // No replicate of the study has this number.
        replicate: u32::MAX,
        target_accept: 0.8,
        directions: true,
        threads: sampling.threads,
    };
    let observer = |_| {};
    let watch = Watch {
        observer: &observer,
        stop: &AtomicBool::new(false),
    };
    let state = State::dispersed(&model, &settings)?;
    let samples = sampler::run(&model, &settings, &state, watch)?;
    let draws = Draws::new(&model, samples);
    let total = CHAINS * draws.shape().1;
    if total < count {
        return Err(Error::bug(format!("{total} draws for {count} replicates")));
    }
    let intervals = (Interval::Eti, Prob::default());
    let estimates = draws.estimates(u32::MAX, None, intervals, sampling.seed)?;
    let varying = || estimates.iter().filter(|estimate| estimate.sd != 0.0);
    // NaN is no R-hat to trust.
    if let Some(worst) = varying().find(|estimate| !(estimate.rhat <= RHAT_LIMIT)) {
        return Err(Error::user(format!(
            "the fit to the data, whose posterior truths are drawn from, did not converge: R-hat of {} is {:.3}",
            worst.quantity, worst.rhat
        ))
        .with_help("give it a longer `--warmup`"));
    }
    if let Some(least) = varying().find(|estimate| estimate.ess_bulk < count as f64) {
        return Err(Error::user(format!(
            "the fit to the data has {:.0} effective draws of {} for {count} truths, which would not be independent",
            least.ess_bulk, least.quantity
        ))
        .with_help("give it a longer `--warmup`, or ask for fewer replicates"));
    }
    let lowered = model.lowered();
    let parameters = lowered.quantities.iter().enumerate();
    Ok(parameters
        .filter(|(_, quantity)| quantity.kind == QuantityKind::Parameter)
        .map(|(place, quantity)| {
            let values = draws.quantity(place);
            let len = values.len() / total;
            let taken = (0..count).flat_map(|replicate| {
                let cell = replicate * total / count;
                values[cell * len..(cell + 1) * len].iter().copied()
            });
            (quantity.name.clone(), taken.collect())
        })
        .collect())
}

/// The model `text` and its table, such that indices of the rows themselves (`index tank = row`) read a column of labels
/// instead: rows that are added then belong to the groups that are there, where they would be groups of their own.
///
/// # Errors
///
/// A user error for a text that cannot be parsed.
pub fn with_row_labels((name, text): (&str, &str), table: &Table) -> Result<(String, Table)> {
    let tree = lang::parse(name, text)?;
    let mut column = "row_label".to_owned();
    while text.contains(&column) || table.column(&column).is_some() {
        column.push('_');
    }
    let spans: Vec<_> = tree
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Index(index) => match index.factors.as_slice() {
                [only] if only.text == "row" && table.column("row").is_none() => Some(only.span),
                [..] => None,
            },
            StatementKind::Stochastic(_)
            | StatementKind::Definition(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => None,
        })
        .collect();
    if spans.is_empty() {
        return Ok((text.to_owned(), table.clone()));
    }
    let mut changed = text.to_owned();
    for span in spans.iter().rev() {
        changed.replace_range(span.start..span.end, &column);
    }
    let labels: Vec<String> = (1..=table.rows()).map(|row| row.to_string()).collect();
    let table = table.with_column(Column::from_cells(column, labels.iter().map(String::as_str)))?;
    Ok((changed, table))
}
