//! A fit file as something that predicts.

use std::collections::{BTreeMap, BTreeSet};

use super::forward::{Values, stream};
use super::groups::{Groups, positions};
use super::kind::Kind;
use crate::data::{Column, Table, Values as Cells, number_label};
use crate::error::{Error, Result};
use crate::fit::{Fit, layout::ColumnValues};
use crate::lang::ast::Model as Tree;
use crate::lang::{self, Forward, Outcome, View};
use crate::model::Model;

/// The most numbers that predictions of one step take, of each array; beyond, rows are predicted in several steps.
const STEP: usize = 1 << 23;

/// Which rows are predicted.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// The fit's own rows, with some columns replaced perhaps.
    Observed(&'a Table),
    /// Rows of a table of its own.
    New(&'a Table),
}

impl<'a> Rows<'a> {
    /// The table.
    pub fn table(self) -> &'a Table {
        match self {
            Rows::Observed(table) | Rows::New(table) => table,
        }
    }
}

/// What is predicted, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// What of the outcome.
    pub kind: Kind,
    /// What levels are that the fit has not seen.
    pub groups: Groups,
    /// Which outcome; the only one if none is named.
    pub outcome: Option<String>,
    /// Of all random streams.
    pub seed: u64,
}

/// What a prediction had to fill in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Labels that the fit has not seen, by index.
    pub new: BTreeMap<String, BTreeSet<String>>,
    /// Indices whose column was missing.
    pub mixed: BTreeSet<String>,
}

/// A fit with its model read again: all that predictions need is in the file.
#[derive(Debug)]
pub struct Fitted<'f> {
    fit: &'f Fit,
    pub(super) tree: Tree,
    pub(super) model: Model,
    observed: Table,
}

impl<'f> Fitted<'f> {
    /// Reads the model text and the used columns of a fit file.
    ///
    /// # Errors
    ///
    /// A user error if the file holds no draws.
    pub fn new(fit: &'f Fit) -> Result<Self> {
        let run = &fit.run;
        if fit.posterior.is_empty() || run.chains * run.draws == 0 {
            return Err(
                Error::user("the fit file holds no draws, and predictions are made from them")
                    .with_help("repeat `tadpool fit`"),
            );
        }
        let table = Table::from_columns(&run.data_name, fit.columns.iter().map(column).collect())?;
        let tree = lang::parse(&run.model_name, &run.model_text)?;
        let model = Model::new(&run.model_name, &run.model_text, &table)?;
        let observed = Table::from_columns(&run.data_name, model.data().kept.clone())?;
        Ok(Self {
            fit,
            tree,
            model,
            observed,
        })
    }

    /// The fit.
    pub fn fit(&self) -> &'f Fit {
        self.fit
    }

    /// Its model over the columns as they were read.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The rows of the fit, with the columns that the model uses, `drop_missing` done.
    pub fn observed(&self) -> &Table {
        &self.observed
    }

    /// Draws of each number, over all chains.
    pub fn draws(&self) -> usize {
        self.fit.run.chains * self.fit.run.draws
    }

    /// The outcomes' names.
    pub fn outcomes(&self) -> Vec<&str> {
        let likelihoods = &self.model.lowered().likelihoods;
        likelihoods
            .iter()
            .map(|likelihood| likelihood.outcome.as_str())
            .collect()
    }

    /// The outcome that is predicted.
    ///
    /// # Errors
    ///
    /// A user error if it must be named and is not, or if there is none of this name.
    pub fn outcome(&self, options: &Options) -> Result<&str> {
        let all = self.outcomes();
        match (&options.outcome, all.as_slice()) {
            (None, [only]) => Ok(only),
            (None, several) => Err(Error::user(format!(
                "the model has {} outcomes, and one is predicted at a time",
                several.len()
            ))
            .with_help(format!("name it with --outcome: {}", several.join(", ")))),
            (Some(name), several) => several.iter().find(|own| *own == name).copied().ok_or_else(|| {
                Error::user(format!("`{name}` is no outcome of the model"))
                    .with_help(format!("there are: {}", several.join(", ")))
            }),
        }
    }

    /// The names that may be set by hand: columns, and indices of rows.
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.observed.names().collect();
        let lowered = self.model.lowered();
        for plate in &lowered.plates {
            for dim in &plate.dims {
                let own = lowered.known.levels(&dim.name).is_some() && !names.contains(&dim.name.as_str());
                // Of a crossing that has a name the parts are columns.
                if own && plate.codes.is_some() && is_index_of_rows(&self.tree, &dim.name) {
                    names.push(&dim.name);
                }
            }
        }
        names
    }

    /// Predicts rows, some at a time and in their order: `each` is given the row and its draws, chain after chain.
    ///
    /// `side` names the noise of new outcomes: two settings that are compared have different ones, and the same levels.
    ///
    /// # Errors
    ///
    /// User errors about the rows, with their places, and about what the outcome does not have.
    pub fn predict(
        &self,
        rows: Rows<'_>,
        options: &Options,
        side: u32,
        told: &mut Told,
        each: &mut dyn FnMut(usize, &[f64]) -> Result<()>,
    ) -> Result<()> {
        let table = rows.table();
        let name = self.outcome(options)?.to_owned();
        let step = (STEP / self.draws()).max(1);
        for first in (0..table.rows()).step_by(step) {
            let part = self.part(table, first, step)?;
            let known = &self.model.lowered().known;
            let view = match rows {
                Rows::Observed(_) => View::Observed { known, before: first },
                Rows::New(_) => View::New { known, before: first },
            };
            let forward = self.forward(&part, view)?;
            let outcome = forward
                .outcomes
                .iter()
                .find(|outcome| outcome.name == name)
                .ok_or_else(|| Error::bug(format!("the outcome {name} was lost")))?;
            let nodes = options.kind.nodes(outcome)?;
            let positions = positions(self.fit, &forward, options, told)?;
            let values = Values::of(&forward.graph, &nodes, &positions)?;
            let predictor = Predictor {
                outcome,
                values: &values,
                nodes: nodes.len(),
                options,
                side,
            };
            let mut draws = vec![0.0; self.draws()];
            for row in 0..part.rows() {
                predictor
                    .row(first + row, row, &mut draws)
                    .map_err(|error| at_row(&error, &part, row))?;
                each(first + row, &draws)?;
            }
        }
        Ok(())
    }

    /// Rows of a table, with the types of the fit's columns.
    fn part(&self, table: &Table, first: usize, count: usize) -> Result<Table> {
        let keep: Vec<bool> = (0..table.rows())
            .map(|row| (first..first + count).contains(&row))
            .collect();
        let mut part = table.drop_rows(&keep);
        for column in self.observed.columns() {
            if let (Cells::Text, Some(own)) = (column.values(), part.column(column.name())) {
                // A part of the labels may look like numbers.
                part = part.with_column(own.as_text())?;
            }
        }
        Ok(part)
    }

    pub(super) fn forward(&self, table: &Table, view: View<'_>) -> Result<Forward> {
        let run = &self.fit.run;
        let columns: Vec<&str> = self.observed.names().collect();
        let source = (run.model_name.as_str(), run.model_text.as_str());
        lang::lower_forward(&self.tree, source, table, &columns, view, Some(&[])).map_err(Error::from)
    }
}

/// Whether `name` is an index that the text makes of the rows (`index tank = row`).
fn is_index_of_rows(tree: &Tree, name: &str) -> bool {
    use crate::lang::ast::StatementKind;
    tree.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Index(index) => {
            index.name.text == name && index.factors.len() == 1 && index.factors[0].text == "row"
        }
        StatementKind::Stochastic(_)
        | StatementKind::Definition(_)
        | StatementKind::Table(_)
        | StatementKind::DropMissing(_)
        | StatementKind::Setting(_)
        | StatementKind::Glm(_) => false,
    })
}

/// A column of the fit file as it was read.
fn column(stored: &crate::fit::layout::Column) -> Column {
    let cells: Vec<String> = match &stored.values {
        ColumnValues::Numbers(numbers) => numbers
            .iter()
            .map(|x| {
                if x.is_nan() {
                    "NA".to_owned()
                } else {
                    number_label(*x)
                }
            })
            .collect(),
        ColumnValues::Labels { levels, codes } => codes
            .iter()
            .map(|code| usize::try_from(*code).map_or_else(|_| "NA".to_owned(), |code| levels[code].clone()))
            .collect(),
    };
    Column::from_cells(&stored.name, cells.iter().map(String::as_str))
}

fn at_row(error: &Error, table: &Table, row: usize) -> Error {
    let placed = Error::user(format!(
        "{}, line {}: {}",
        table.name(),
        table.line_of(row),
        error.message()
    ));
    match error.help() {
        Some(help) => placed.with_help(help),
        None => placed,
    }
}

/// Values of the arguments of one outcome, as predictions.
struct Predictor<'p> {
    outcome: &'p Outcome,
    values: &'p Values,
    nodes: usize,
    options: &'p Options,
    side: u32,
}

impl Predictor<'_> {
    /// The draws of a row, which is the `row`th of this step and the `place`th of all.
    fn row(&self, place: usize, row: usize, draws: &mut [f64]) -> Result<()> {
        let family = self.outcome.family;
        let element = self.outcome.elements[row] as usize;
        let name = self.outcome.name.as_str();
        let mut at = vec![0.0; self.nodes];
        // Rows of one group share its outcome.
        let key = if self.outcome.by_row { place } else { element }.to_string();
        let mut rng = stream(self.options.seed, self.side, &["response", name, &key]).rng();
        for (draw, x) in draws.iter_mut().enumerate() {
            self.values.read(0, draw, element, &mut at);
            *x = match self.options.kind {
                Kind::Link | Kind::Prob => at[0],
                Kind::Mean => family.mean(&at).ok_or_else(|| {
                    Error::user(format!("the mean of {} does not exist", family.name()))
                        .with_help("use --kind link or --kind response")
                })?,
                Kind::Response => family.sample(&mut rng, &at)?,
            };
            if x.is_nan() {
                return Err(Error::user(format!("the prediction of `{name}` is not a number"))
                    .with_help("look at the values of this row, and whether columns are missing that the model needs"));
            }
        }
        Ok(())
    }
}
