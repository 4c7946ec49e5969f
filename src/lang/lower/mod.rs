//! Lowering: a model text over a table as a program of the IR, with everything that people see of it.
//!
//! Every expression is evaluated over a plate: that of the subscripts on the left of its line, else the rows where it
//! mentions them, else none. Data keeps its numbers beside its nodes, so that constants are learned, outcomes checked
//! and parameterisations chosen before anything is sampled.

mod access;
mod axes;
mod centring;
mod definition;
mod elementwise;
mod expansion;
mod expression;
mod forward;
mod joint;
mod likelihood;
mod parameter;
mod probe;
mod quantities;
mod reading;
mod ridge;
mod trouble;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use super::analyse::{Analysis, Symbol, analyse};
use super::ast::{Expr, Model, StatementKind};
use super::forward::{Known, View};
use super::lowered::{
    Effect, Failure, LearnedCall, Likelihood, LowerOptions, Lowered, Parameter, PlateTable, Quantity,
    TunedEffect, UsedColumn,
};
use super::report::{Report, Reports, quoted};
use super::span::Span;
use super::{refuse, spelling};
use crate::data::Table;
use crate::error::Error;
use crate::ir::{Builder, Expr as Node, Handle, IndexId, PlateId, Program};
use axes::{Axis, AxisId, Plate, ROWS};
use parameter::Prior;
use value::Value;

pub use forward::{lower_forward, unused_targets};
pub(super) use probe::probe;
pub use trouble::troubles;

/// The report of what went wrong is already there.
#[derive(Debug, Clone, Copy)]
struct Poison;

type Eval<T> = std::result::Result<T, Poison>;

/// The plate that a value is wanted over, a place in [`Lowering::plates`]; none: one number.
type Context = Option<usize>;

/// A definition's value, and where it has a link, its linear predictor.
#[derive(Debug, Clone)]
struct Defined<'b> {
    value: Value<'b>,
    linear: Option<Value<'b>>,
}

struct Lowering<'a, 'b> {
    analysis: &'a Analysis<'a>,
    table: &'a Table,
    text: &'a str,
    options: &'a LowerOptions,
    builder: &'b Builder,
    reports: Vec<Report>,
    axes: Vec<Axis>,
    axis_names: BTreeMap<&'a str, Eval<AxisId>>,
    plates: Vec<Plate>,
    /// Indices of the IR by domain, target plate and codes.
    index_ids: BTreeMap<(Context, usize, Vec<u32>), IndexId>,
    columns: BTreeMap<&'a str, Eval<Value<'b>>>,
    /// By place in [`Analysis::definitions`].
    definitions: Vec<Option<Eval<Defined<'b>>>>,
    definition_plates: Vec<Option<Eval<Context>>>,
    row_level: Vec<Option<bool>>,
    /// By place in [`Analysis::relations`]; none for likelihoods.
    positions: Vec<Option<Eval<(Node<'b>, Context)>>>,
    priors: Vec<Option<Eval<Prior<'b>>>>,
    effects: BTreeMap<usize, Effect>,
    /// By place of the effect: how much its groups differ, see [`centring`].
    variations: BTreeMap<usize, (Option<f64>, String)>,
    /// The plate of the centring weights with their values, made when an effect needs it.
    centring_grid: Option<(PlateId, Node<'b>)>,
    /// The first slot of each relation's parameter, and how many there are.
    first_slots: Vec<usize>,
    slots: usize,
    /// The positions of the levels that are components of a joint distribution, by relation.
    level_positions: BTreeMap<usize, Vec<Node<'b>>>,
    /// The Cholesky factors of correlation matrices, by name.
    factors: BTreeMap<String, joint::Factor<'b>>,
    /// Effects with centring weights as data, in the order of their tuned indices: slot, then centre, ln scale,
    /// standardised effect and the logarithm of the Jacobian.
    tuned: Vec<(usize, [Handle; 4])>,
    /// With the places of the calls in the text.
    learned: Vec<(Span, LearnedCall)>,
    /// How many `ifelse` are open: what they do not choose may be infinite.
    guarded: usize,
    /// Whose rows are read forward; none where the model is fitted.
    view: Option<View<'a>>,
    /// What the table taught.
    taught: Known,
    /// Indices whose column the new rows lack.
    mixed: BTreeSet<String>,
}

/// Lowers `model`, whose text is `source` (its name and the text itself), over `table`.
///
/// The density has one term for each target of a `~`, with all normalising constants and Jacobians; the outputs are the
/// quantities in their order, then the pointwise log likelihoods.
///
/// # Errors
///
/// [`Failure::Reports`] with every finding of the stage that failed first (refused constructs; names; data), each at its
/// place in the text; [`Failure::Error`] for faults of tadpool itself.
pub fn lower(
    model: &Model,
    source: (&str, &str),
    table: &Table,
    options: &LowerOptions,
) -> std::result::Result<Lowered, Failure> {
    let (name, text) = source;
    let fail = |reports| Err(Failure::Reports(Reports::new(name, text, reports)));
    let refused = refuse(model);
    if !refused.is_empty() {
        return fail(refused);
    }
    if has_formula(model) {
        return Err(Error::bug("a formula is to be lowered, and not its expansion").into());
    }
    let model = match canonical(model) {
        Ok(model) => model,
        Err(reports) => return fail(reports),
    };
    let columns: Vec<&str> = table.names().collect();
    let mut analysis = analyse(&model, table.name(), &columns);
    let found = Reports::new(name, text, std::mem::take(&mut analysis.reports));
    if found.has_errors() {
        return Err(found.into());
    }
    let kept = match drop_missing(&analysis, table) {
        Ok(kept) => kept,
        Err(report) => return fail(vec![*report]),
    };
    let predictors = match modelled_predictors(&analysis, &kept) {
        Ok(warnings) => warnings,
        Err(reports) => return fail(reports),
    };
    let builder = Builder::new();
    let lowering = Lowering::new(&analysis, &kept, text, options, &builder);
    let (mut parts, reports) = lowering.run(&model);
    let mut reports: Vec<Report> = found
        .reports
        .into_iter()
        .chain(predictors)
        .chain(reports)
        .collect();
    dedup(&mut reports);
    let reports = Reports::new(name, text, reports);
    if reports.has_errors() {
        return Err(reports.into());
    }
    let Some(parts) = parts.take() else {
        return Err(Error::bug("lowering failed without a report").into());
    };
    let graph = builder.finish()?;
    Ok(Lowered {
        program: Program {
            graph,
            density: parts.density,
            outputs: parts.outputs,
            ..Program::default()
        },
        quantities: parts.quantities,
        likelihoods: parts.likelihoods,
        parameters: parts.parameters,
        effects: parts.effects,
        tuned: parts.tuned,
        plates: parts.plates,
        columns: used_columns(&analysis, table),
        learned: parts.learned,
        known: parts.known,
        rows_read: table.rows(),
        rows_kept: kept.rows(),
        reports,
        notes: kept.notes().to_vec(),
        expansion: parts.expansion,
    })
}

fn has_formula(model: &Model) -> bool {
    model
        .statements
        .iter()
        .any(|statement| matches!(statement.kind, StatementKind::Glm(_)))
}

/// The model with the book's spellings replaced.
fn canonical(model: &Model) -> std::result::Result<Model, Vec<Report>> {
    let mut model = model.clone();
    let mut reports = Vec::new();
    for statement in &mut model.statements {
        if let StatementKind::Stochastic(stochastic) = &mut statement.kind {
            match spelling::canonical(&stochastic.distribution) {
                Ok(call) => stochastic.distribution = call,
                Err(report) => reports.push(*report),
            }
        }
    }
    if reports.is_empty() {
        Ok(model)
    } else {
        Err(reports)
    }
}

/// The table without the rows that `drop_missing` drops.
fn drop_missing(analysis: &Analysis<'_>, table: &Table) -> std::result::Result<Table, Box<Report>> {
    let Some((named, span)) = &analysis.dropped else {
        return Ok(table.clone());
    };
    let names: Vec<&str> = if named.is_empty() {
        table
            .names()
            .filter(|name| analysis.numbers.contains_key(name) || analysis.labels.contains_key(name))
            .collect()
    } else {
        named.iter().map(|name| name.text.as_str()).collect()
    };
    table.drop_missing(&names).map_err(|error| {
        let report = Report::error(error.message(), *span, "drops rows");
        Box::new(match error.help() {
            Some(help) => report.with_help(help),
            None => report,
        })
    })
}

/// Warnings of columns that are outcomes and predictors at once; errors where values are missing, which would have to
/// be imputed.
fn modelled_predictors(
    analysis: &Analysis<'_>,
    table: &Table,
) -> std::result::Result<Vec<Report>, Vec<Report>> {
    let (mut warnings, mut errors) = (Vec::new(), Vec::new());
    for (name, span) in analysis.modelled_predictors() {
        let missing = table.column(name).map_or(0, crate::data::Column::missing_count);
        if missing == 0 {
            let report = Report::warning(
                format!("{} is an outcome here and a predictor elsewhere", quoted(name)),
                span,
                format!("{name} has no missing values, so this line is a likelihood, not a prior"),
            );
            warnings.push(report.with_help("remove the line if the column is only a predictor"));
        } else {
            let report = Report::error(
                "imputation of missing values is not in this release yet",
                span,
                format!("a predictor with {missing} of {} values missing", table.rows()),
            );
            errors.push(report.with_help(format!("use `drop_missing({name})` and delete the line")));
        }
    }
    if errors.is_empty() {
        Ok(warnings)
    } else {
        Err(errors)
    }
}

fn used_columns(analysis: &Analysis<'_>, table: &Table) -> Vec<UsedColumn> {
    // A column that `drop_missing` names decides which rows are there.
    let dropped = |name: &str| {
        let mut named = analysis.dropped.iter().flat_map(|(columns, _)| columns);
        named.any(|column| column.text == name)
    };
    table
        .names()
        .map(|name| UsedColumn {
            name: name.to_owned(),
            numeric: analysis.numbers.contains_key(name),
            index: analysis.labels.contains_key(name),
        })
        .filter(|column| column.numeric || column.index || dropped(&column.name))
        .collect()
}

/// Leaves the first of equal reports: one fault may be met on several ways.
fn dedup(reports: &mut Vec<Report>) {
    let mut kept: Vec<Report> = Vec::new();
    for report in reports.drain(..) {
        if !kept.contains(&report) {
            kept.push(report);
        }
    }
    *reports = kept;
}

/// What a sound lowering yields besides the graph.
struct Parts {
    density: Vec<Handle>,
    outputs: Vec<Handle>,
    quantities: Vec<Quantity>,
    likelihoods: Vec<Likelihood>,
    parameters: Vec<Parameter>,
    effects: Vec<Effect>,
    tuned: Vec<TunedEffect>,
    plates: Vec<PlateTable>,
    learned: Vec<LearnedCall>,
    known: Known,
    expansion: String,
}

impl<'a, 'b> Lowering<'a, 'b> {
    fn new(
        analysis: &'a Analysis<'a>,
        table: &'a Table,
        text: &'a str,
        options: &'a LowerOptions,
        builder: &'b Builder,
    ) -> Self {
        let rows = table.rows();
        let mut axis_names = BTreeMap::new();
        if !analysis.is_column("row") {
            axis_names.insert("row", Ok(ROWS));
        }
        Self {
            analysis,
            table,
            text,
            options,
            builder,
            reports: Vec::new(),
            axes: vec![Axis {
                name: "row".to_owned(),
                labels: (1..=rows).map(|row| row.to_string()).collect(),
                rows: Some((0..rows as u32).collect()),
            }],
            axis_names,
            plates: vec![Plate {
                ir: builder.plate("row", rows),
                name: "row".to_owned(),
                axes: vec![ROWS],
                len: rows,
            }],
            index_ids: BTreeMap::new(),
            columns: BTreeMap::new(),
            definitions: vec![None; analysis.definitions.len()],
            definition_plates: vec![None; analysis.definitions.len()],
            row_level: vec![None; analysis.definitions.len()],
            positions: analysis.relations.iter().map(|_| None).collect(),
            priors: analysis.relations.iter().map(|_| None).collect(),
            effects: BTreeMap::new(),
            variations: BTreeMap::new(),
            centring_grid: None,
            first_slots: vec![0; analysis.relations.len()],
            slots: 0,
            level_positions: BTreeMap::new(),
            factors: BTreeMap::new(),
            tuned: Vec::new(),
            learned: Vec::new(),
            guarded: 0,
            view: None,
            taught: Known::default(),
            mixed: BTreeSet::new(),
        }
    }

    fn blame(&mut self, report: Report) -> Poison {
        self.reports.push(report);
        Poison
    }

    /// Lowers everything; none if an error was reported.
    fn run(mut self, model: &Model) -> (Option<Parts>, Vec<Report>) {
        let relations = &self.analysis.relations;
        // What is needed stands before what needs it, so that no evaluation goes deep: data first, since indices and
        // the choice of parameterisations look at it.
        self.in_order(true);
        for place in 0..relations.len() {
            if !relations[place].observed {
                self.declare(place);
            }
        }
        self.in_order(false);
        let mut density = Vec::new();
        let mut parameters = Vec::new();
        let mut likelihoods = Vec::new();
        for place in 0..relations.len() {
            let relation = &relations[place];
            if relation.observed {
                if let Ok((likelihood, term)) = self.likelihood(place) {
                    likelihoods.push(Likelihood {
                        term: density.len(),
                        ..likelihood
                    });
                    density.push(term);
                }
            } else if let Ok(prior) = self.prior(place) {
                for part in &prior.parts {
                    let (name, family) = (relation.target.name, relation.family);
                    parameters.push(part.parameter(name, family, prior.truncated, density.len()));
                    density.push(part.term.handle());
                }
            }
        }
        let derived = self.derived();
        let failed = self
            .reports
            .iter()
            .any(|report| report.level == super::report::Level::Error);
        if failed {
            return (None, self.reports);
        }
        let (quantities, mut outputs) = self.quantities(&derived);
        for likelihood in &mut likelihoods {
            likelihood.output = outputs.len();
            outputs.push(density[likelihood.term]);
        }
        let effects: Vec<Effect> = self.effects.values().cloned().collect();
        let tuned = self.tuned_effects();
        let expansion = self.expansion(model, &parameters);
        let plates = self.plate_tables();
        self.learned.sort_by_key(|(span, _)| *span);
        for axis in self.axes.iter().filter(|axis| axis.rows.is_some()) {
            self.taught.levels.insert(axis.name.clone(), axis.labels.clone());
        }
        let parts = Parts {
            density,
            outputs,
            quantities,
            likelihoods,
            parameters,
            effects,
            tuned,
            plates,
            learned: self.learned.into_iter().map(|(_, learned)| learned).collect(),
            known: self.taught,
            expansion,
        };
        (Some(parts), self.reports)
    }

    /// The effects with weights as data.
    fn tuned_effects(&self) -> Vec<TunedEffect> {
        let effect =
            |&(slot, [centre, ln_scale, standardised, ln_jacobian]): &(usize, [Handle; 4])| TunedEffect {
                slot,
                centre,
                ln_scale,
                standardised,
                ln_jacobian,
            };
        self.tuned.iter().map(effect).collect()
    }

    /// Evaluates the definitions of data alone, or everything else. Faults are reported, and kept for who needs them.
    fn in_order(&mut self, data: bool) {
        let analysis = self.analysis;
        for symbol in &analysis.order {
            match symbol {
                Symbol::Definition(place) if analysis.definitions[*place].data == data => {
                    self.defined(&analysis.definitions[*place].target.name.text).ok();
                }
                Symbol::Parameter(place) if !data => {
                    self.prior(*place).ok();
                }
                Symbol::Definition(_) | Symbol::Parameter(_) => {}
            }
        }
    }

    /// The text of an expression as it was written.
    fn written(&self, expr: &Expr) -> &'a str {
        let span: Span = expr.span;
        span.of(self.text)
    }
}
