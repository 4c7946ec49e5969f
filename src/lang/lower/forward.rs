//! Lowering forward: parameters are what goes in, and the distributions of the outcomes come out.
//!
//! New rows are read as the fit's rows were: by the levels, constants and values of groups that the fit learned. What
//! only the prior of a level without rows would need may be unknown; it is NaN, and so is what is made of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::axes::{Axis, Plate, ROWS};
use super::likelihood::location_argument;
use super::value::Value;
use super::{Defined, Eval, Lowering, Poison, canonical, dedup, drop_missing};
use crate::data::{Factor, Table};
use crate::dist::Role;
use crate::error::{Error, Result};
use crate::ir::{Builder, Expr as Node};
use crate::lang::analyse::{Relation, Symbol, analyse, visit_names};
use crate::lang::ast::{Model, StatementKind, Targets};
use crate::lang::forward::{Definition, Forward, Input, Known, Outcome, View};
use crate::lang::lowered::{Failure, LowerOptions};
use crate::lang::refuse;
use crate::lang::report::{Level, Report, Reports, quoted};
use crate::lang::span::Span;

/// The label of the level that stands for any of the known ones.
const ANY: &str = "(any)";

/// The names left of a `~` that no line defines or uses: in a design, which need not have their columns, the outcomes.
pub fn unused_targets(model: &Model) -> Vec<&str> {
    let mut used = BTreeSet::new();
    let mut targets = Vec::new();
    for statement in &model.statements {
        match &statement.kind {
            StatementKind::Stochastic(stochastic) => {
                for argument in &stochastic.distribution.args {
                    visit_names(&argument.value, &mut |name, _| {
                        used.insert(name);
                    });
                }
                match &stochastic.targets {
                    Targets::Separate(vars) => targets.extend(vars.iter().map(|var| var.name.text.as_str())),
                    Targets::Joint(joint) => {
                        targets.extend(joint.names.iter().map(|name| name.text.as_str()));
                    }
                }
            }
            StatementKind::Definition(definition) => {
                used.insert(definition.target.name.text.as_str());
                visit_names(&definition.value, &mut |name, _| {
                    used.insert(name);
                });
            }
            StatementKind::Index(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => {}
        }
    }
    targets.retain(|name| !used.contains(name));
    targets
}

/// Lowers `model`, whose text is `source` (its name and the text itself), forward over `table`.
///
/// `columns` are the names that are columns to the model, whether the table has them or not. `wanted` are the names of
/// the definitions whose values are asked for; none for those that no `~` needs and that depend on parameters.
///
/// # Errors
///
/// As [`super::lower`]: findings about the text and about the new rows.
pub fn lower_forward(
    model: &Model,
    source: (&str, &str),
    table: &Table,
    columns: &[&str],
    view: View<'_>,
    wanted: Option<&[&str]>,
) -> std::result::Result<Forward, Failure> {
    let (name, text) = source;
    let fail = |reports| Err(Failure::Reports(Reports::new(name, text, reports)));
    let refused = refuse(model);
    if !refused.is_empty() {
        return fail(refused);
    }
    let model = match canonical(model) {
        Ok(model) => model,
        Err(reports) => return fail(reports),
    };
    let mut analysis = analyse(&model, table.name(), columns);
    let found = Reports::new(name, text, std::mem::take(&mut analysis.reports));
    if found.has_errors() {
        return Err(found.into());
    }
    if let (View::Design, Some((column, span))) = (view, analysis.modelled_predictors().first()) {
        return fail(vec![
            Report::error(
                format!("{} is an outcome here and a predictor elsewhere", quoted(column)),
                *span,
                "cannot be simulated and be given",
            )
            .with_help(format!(
                "remove this line to take {} from the design",
                quoted(column)
            )),
        ]);
    }
    let kept = match view {
        View::New { .. } | View::Observed { .. } => table.clone(),
        View::Design => match drop_missing(&analysis, table) {
            Ok(kept) => kept,
            Err(report) => return fail(vec![*report]),
        },
    };
    let builder = Builder::new();
    let options = LowerOptions::default();
    let mut lowering = Lowering::new(&analysis, &kept, text, &options, &builder);
    lowering.read_forward(view);
    let derived: Vec<&str> = analysis
        .definitions
        .iter()
        .filter(|definition| !definition.data && !definition.used)
        .map(|definition| definition.target.name.text.as_str())
        .collect();
    let (parts, reports) = lowering.forward(wanted.unwrap_or(&derived));
    let mut reports: Vec<Report> = found.reports.into_iter().chain(reports).collect();
    dedup(&mut reports);
    let reports = Reports::new(name, text, reports);
    if reports.has_errors() {
        return Err(reports.into());
    }
    let Some(parts) = parts else {
        return Err(Error::bug("lowering failed without a report").into());
    };
    Ok(Forward {
        graph: builder.finish()?,
        inputs: parts.inputs,
        outcomes: parts.outcomes,
        definitions: parts.definitions,
        mixed: parts.mixed,
        reports,
        table: kept,
    })
}

/// What a sound lowering yields besides the graph.
struct Parts {
    inputs: Vec<Input>,
    outcomes: Vec<Outcome>,
    definitions: Vec<Definition>,
    mixed: BTreeSet<String>,
}

impl<'a, 'b> Lowering<'a, 'b> {
    /// From here on parameters are inputs, and the rows are `view`'s.
    fn read_forward(&mut self, view: View<'a>) {
        self.view = Some(view);
        if !self.analysis.is_column("row")
            && let Ok(factor) = self.row_factor("row")
        {
            let labels: Arc<[String]> = factor
                .codes()
                .iter()
                .map(|&code| factor.labels()[code as usize].clone())
                .collect();
            self.axes[ROWS].labels = labels;
        }
    }

    /// What is known from the fit's rows.
    pub(super) fn known(&self) -> Option<&'a Known> {
        self.view.and_then(View::known)
    }

    /// Whether the number may be unknown: of a level without rows, about which nothing is asked but by its own prior.
    pub(super) fn may_be_unknown(&self, x: f64) -> bool {
        x.is_nan() && self.known().is_some()
    }

    fn forward(mut self, wanted: &[&str]) -> (Option<Parts>, Vec<Report>) {
        let analysis = self.analysis;
        let relations = &analysis.relations;
        for place in 0..relations.len() {
            if !relations[place].observed {
                self.declare(place);
            }
        }
        let needed = self.needed(wanted);
        for symbol in &analysis.order {
            match symbol {
                // Faults are reported, and kept for who needs the value.
                Symbol::Definition(place) if needed.contains(place) => {
                    self.defined(&analysis.definitions[*place].target.name.text).ok();
                }
                Symbol::Parameter(place) => {
                    self.prior(*place).ok();
                }
                Symbol::Definition(_) => {}
            }
        }
        let mut inputs = Vec::new();
        let mut outcomes = Vec::new();
        for place in 0..relations.len() {
            if relations[place].observed {
                outcomes.extend(self.forward_outcome(place).ok());
            } else {
                inputs.extend(self.input(place).ok());
            }
        }
        let mut definitions = Vec::new();
        for definition in analysis
            .definitions
            .iter()
            .filter(|definition| wanted.contains(&definition.target.name.text.as_str()))
        {
            definitions.extend(
                self.wanted(&definition.target.name.text, definition.target.span)
                    .ok(),
            );
        }
        let failed = self.reports.iter().any(|report| report.level == Level::Error);
        let parts = (!failed).then_some(Parts {
            inputs,
            outcomes,
            definitions,
            mixed: self.mixed,
        });
        (parts, self.reports)
    }

    /// The definitions that distributions and the definitions wanted are made of.
    fn needed(&self, wanted: &[&str]) -> BTreeSet<usize> {
        let analysis = self.analysis;
        let mut needed = BTreeSet::new();
        let mut open: Vec<_> = analysis
            .relations
            .iter()
            .flat_map(|relation| relation.arguments.iter().copied())
            .collect();
        for (place, definition) in analysis.definitions.iter().enumerate() {
            if wanted.contains(&definition.target.name.text.as_str()) {
                needed.insert(place);
                open.push(definition.value);
            }
        }
        while let Some(expr) = open.pop() {
            visit_names(expr, &mut |name, _| {
                if let Some(Symbol::Definition(place)) = analysis.symbols.get(name)
                    // A definition of missing columns is known by its groups' values, or complained of where it is used.
                    && self.available(name)
                    && needed.insert(*place)
                {
                    open.push(analysis.definitions[*place].value);
                }
            });
        }
        needed
    }

    fn input(&mut self, place: usize) -> Eval<Input> {
        let relation = &self.analysis.relations[place];
        let plate = self.parameter_plate(place)?;
        let prior = self.prior(place)?;
        let parameter = prior.parameter(relation.target.name, relation.family, 0);
        Ok(Input {
            name: parameter.name,
            dims: self.dims(plate),
            family: parameter.family,
            arguments: parameter.arguments,
            truncated: parameter.truncated,
            support: prior.support,
        })
    }

    fn wanted(&mut self, name: &'a str, span: Span) -> Eval<Definition> {
        let plate = self.own_plate(name)?;
        let value = self.definition(name, plate, span)?;
        Ok(Definition {
            name: name.to_owned(),
            dims: self.dims(plate),
            value: self.over(&value, plate).handle(),
        })
    }

    fn forward_outcome(&mut self, place: usize) -> Eval<Outcome> {
        let relation = &self.analysis.relations[place];
        let name = relation.target.name.text.as_str();
        let defined = matches!(self.analysis.symbols.get(name), Some(Symbol::Definition(_)));
        let plate = if !relation.target.subs.is_empty() {
            self.target_plate(&relation.target)?
        } else if defined {
            self.own_plate(name)?
        } else {
            Some(ROWS)
        };
        let arguments = self.arguments(relation, plate)?;
        if self.view.is_some_and(|view| matches!(view, View::New { .. }))
            && !defined
            && plate == Some(ROWS)
            && self.table.column(name).is_some()
        {
            self.check_given(relation, &arguments)?;
        }
        let linear = self.linear(relation, &arguments);
        let elements = match plate {
            None => vec![0; self.table.rows()],
            Some(ROWS) => (0..self.table.rows() as u32).collect(),
            Some(plate) => self.row_elements(plate).ok_or(Poison)?,
        };
        Ok(Outcome {
            name: name.to_owned(),
            defined,
            family: relation.family,
            arguments: arguments.iter().map(|value| value.expr.handle()).collect(),
            linear: linear.map(|node| node.handle()),
            elements,
            len: plate.map_or(1, |plate| self.plates[plate].len),
            by_row: plate == Some(ROWS),
        })
    }

    /// Outcomes that a new table happens to give must be possible: else its columns are not what they seem.
    fn check_given(&mut self, relation: &'a Relation<'a>, arguments: &[Value<'b>]) -> Eval<()> {
        let name = relation.target.name.text.as_str();
        let numbers = match self.table.numeric(name) {
            Ok(numbers) => numbers.to_vec(),
            Err(error) => return Err(self.data_error(&error, relation.target.span)),
        };
        let given = Value {
            expr: self.builder.constant(0.0),
            numbers: Some(numbers.into()),
        };
        self.check_support(relation, &given, arguments, Some(ROWS))
    }

    /// What the link is applied to; without one, the distribution's location.
    fn linear(&mut self, relation: &'a Relation<'a>, arguments: &[Value<'b>]) -> Option<Node<'b>> {
        let analysis = self.analysis;
        if let Some(argument) = location_argument(relation.family) {
            return match self.link(relation.arguments[argument]) {
                Some((_, linear)) => Some(linear),
                None => match relation.family.arguments()[argument].role {
                    // A location is on the scale of the linear predictor; a rate or a probability is not.
                    Role::Real => Some(arguments[argument].expr),
                    Role::Positive | Role::Unit | Role::Count => None,
                },
            };
        }
        let mut linked = BTreeSet::new();
        for argument in &relation.arguments {
            visit_names(argument, &mut |name, _| {
                if analysis
                    .definition(name)
                    .is_some_and(|definition| definition.link.is_some())
                {
                    linked.insert(name);
                }
            });
        }
        match (linked.pop_first(), linked.pop_first()) {
            (Some(only), None) => match self.defined(only) {
                Ok(Defined {
                    linear: Some(linear), ..
                }) => Some(linear.expr),
                Ok(Defined { linear: None, .. }) | Err(Poison) => None,
            },
            (_, _) => None,
        }
    }

    /// Whether the table has all columns that the value of this name is made of.
    pub(super) fn available(&self, name: &str) -> bool {
        if self.known().is_none() {
            return true;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            match self.analysis.symbols.get(name) {
                Some(Symbol::Definition(place)) if seen.insert(*place) => {
                    visit_names(self.analysis.definitions[*place].value, &mut |name, _| {
                        open.push(name);
                    });
                }
                Some(Symbol::Definition(_) | Symbol::Parameter(_)) => {}
                None if self.table.column(name).is_none() => return false,
                None => {}
            }
        }
        true
    }

    /// The factor of an index of rows.
    pub(super) fn row_factor(&self, name: &str) -> Result<Factor> {
        let rows = self.table.rows();
        let given = self.known().is_some() && !self.analysis.is_column(name);
        if given && self.table.column(name).is_some() {
            return self.table.factor(name);
        }
        match self.view {
            Some(View::New { known, before }) => {
                let first = known.levels.get(name).map_or(0, |levels| levels.len()) + before;
                Factor::rows_after(name, first, rows)
            }
            Some(View::Observed { before, .. }) => Factor::rows_after(name, before, rows),
            Some(View::Design) | None => Factor::rows(name, rows),
        }
    }

    /// The error of rows without a column that the model needs.
    pub(super) fn lacking(&mut self, name: &str, span: Span) -> Poison {
        let columns: Vec<&str> = self.table.names().collect();
        let report = Report::error(
            format!("{} has no column {}", self.table.name(), quoted(name)),
            span,
            "needed here",
        )
        .with_note(format!("its columns are {}", columns.join(", ")))
        .with_help(format!("give every row a value of {}", quoted(name)));
        self.blame(report)
    }

    /// Whether an index is made of a column that the new rows do not have.
    pub(super) fn lacks(&self, column: &str) -> bool {
        self.known().is_some()
            && column != "row"
            && self.analysis.is_column(column)
            && self.table.column(column).is_none()
    }

    /// The axis of a factor, after the levels that are known.
    pub(super) fn known_first(&self, factor: &Factor) -> Axis {
        let name = factor.name();
        let (labels, codes) = match self.known().and_then(|known| known.levels.get(name)) {
            None => (factor.labels().into(), factor.codes().to_vec()),
            Some(known) => factor.after(known),
        };
        Axis {
            name: name.to_owned(),
            labels,
            rows: Some(codes),
        }
    }

    /// The axis of an index whose column is missing: every row has one level more, which stands for any known one.
    pub(super) fn any_level(&mut self, name: &str) -> Option<Axis> {
        let known = self.known()?.levels.get(name)?;
        self.mixed.insert(name.to_owned());
        let code = known.len() as u32;
        Some(Axis {
            name: name.to_owned(),
            labels: known.iter().cloned().chain([ANY.to_owned()]).collect(),
            rows: Some(vec![code; self.table.rows()]),
        })
    }

    /// The place among the known elements of an element of a plate; none where one of its levels is not known.
    pub(super) fn known_element(&self, plate: &Plate, element: usize) -> Option<usize> {
        let known = self.known()?;
        let mut rest = element;
        let mut levels = Vec::new();
        for axis in plate.axes.iter().rev() {
            let axis = &self.axes[*axis];
            let len = axis.labels.len();
            let all = known.levels.get(&axis.name).map_or(len, |levels| levels.len());
            levels.push((rest % len, all));
            rest /= len;
        }
        levels.iter().rev().try_fold(0, |place, (level, all)| {
            (level < all).then_some(place * all + level)
        })
    }

    /// Whether an element stands for any of the known ones.
    pub(super) fn stands_for_any(&self, plate: &Plate, element: usize) -> bool {
        let mut rest = element;
        for axis in plate.axes.iter().rev() {
            let axis = &self.axes[*axis];
            let len = axis.labels.len();
            if rest % len == len - 1 && self.mixed.contains(&axis.name) {
                return true;
            }
            rest /= len;
        }
        false
    }

    /// `values` for each element, with what is known where the table says nothing, else `unknown`.
    pub(super) fn completed<T: Copy>(
        &self,
        plate: usize,
        values: Vec<Option<T>>,
        known: Option<&Arc<[T]>>,
        unknown: T,
    ) -> Vec<T> {
        let plate = &self.plates[plate];
        let from_fit = |element: usize| {
            let place = self.known_element(plate, element)?;
            known?.get(place).copied()
        };
        values
            .into_iter()
            .enumerate()
            .map(|(element, value)| value.or_else(|| from_fit(element)).unwrap_or(unknown))
            .collect()
    }

    /// Whether a text stands in the column of the fit.
    pub(super) fn was_compared(&self, column: &str) -> Option<&'a BTreeSet<String>> {
        self.known()?.compared.get(column)
    }
}
