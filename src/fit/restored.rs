//! The model of a fit file, compiled again over the data in it.

use super::layout::{Column, Fit};
use crate::data::{self, Table};
use crate::error::{Error, Result};
use crate::lang::LowerOptions;
use crate::model::Model;

/// An observation of a fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The outcome's name.
    pub outcome: String,
    /// The row of the table as read, counted from 1, or for an outcome of a group the group's label.
    pub label: String,
}

/// What a fit was made from.
#[derive(Debug)]
pub struct Restored {
    /// The columns that the model uses, all rows of them.
    pub table: Table,
    /// The model over that table, every effect centred, so that draws have their positions at once.
    pub model: Model,
    /// The observations: of the first outcome in the order of its rows, then of the next.
    pub observations: Vec<Observation>,
}

impl Restored {
    /// Compiles the model of a fit read from `file`.
    ///
    /// # Errors
    ///
    /// A user error if this version does not compile the model, or it has no outcome; an environment error if the parts of
    /// the file do not belong together.
    pub fn of(fit: &Fit, file: &str) -> Result<Self> {
        let run = &fit.run;
        let (table, model) = compiled(fit).map_err(|cause| {
            Error::user(format!(
                "the model in {file}, written by tadpool {}, cannot be compiled again: {}",
                run.version,
                cause.message()
            ))
            .with_help("repeat `tadpool fit` with this version")
        })?;
        if model.data().fingerprint != run.data_fingerprint {
            return Err(altered(
                file,
                "the columns do not have the fingerprint of the data that was fitted",
            ));
        }
        let observations = observations(&model);
        if observations.is_empty() {
            return Err(
                Error::user(format!("{file}: the model has no outcome, so it predicts no row"))
                    .with_help("give fits of models with data left of a `~`"),
            );
        }
        Ok(Self {
            table,
            model,
            observations,
        })
    }
}

/// The error for a file whose parts do not belong together.
pub(super) fn altered(file: &str, what: &str) -> Error {
    Error::environment(format!("{file}: {what}"))
        .with_help("the file was changed since it was written; take the original, or repeat `tadpool fit`")
}

fn compiled(fit: &Fit) -> Result<(Table, Model)> {
    let columns = fit.columns.iter().map(column).collect();
    let table = Table::from_columns(fit.run.data_name.clone(), columns)?;
    let options = LowerOptions {
        centring: Some(true),
        ridges: false,
        ..LowerOptions::default()
    };
    let model = Model::with_options(&fit.run.model_name, &fit.run.model_text, &table, &options)?;
    Ok((table, model))
}

fn column(column: &Column) -> data::Column {
    let cells = column.cells();
    data::Column::from_cells(column.name.clone(), cells.iter().map(String::as_str))
}

fn observations(model: &Model) -> Vec<Observation> {
    let lowered = model.lowered();
    let mut all = Vec::new();
    for likelihood in &lowered.likelihoods {
        let plate = lowered
            .plates
            .iter()
            .position(|plate| plate.name == likelihood.plate);
        let labels = match plate {
            // The rows are the first plate.
            None | Some(0) => model.data().kept_rows.iter().map(usize::to_string).collect(),
            Some(plate) => lowered.plates[plate].element_labels(),
        };
        all.extend(labels.into_iter().map(|label| Observation {
            outcome: likelihood.outcome.clone(),
            label,
        }));
    }
    all
}
