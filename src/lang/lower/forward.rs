//! Lowering forward: parameters are what goes in, and the distributions of the outcomes come out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::axes::ROWS;
use super::likelihood::location_argument;
use super::value::Value;
use super::{Defined, Eval, Lowering, Poison, canonical, dedup, drop_missing, has_formula};
use crate::data::Table;
use crate::dist::Role;
use crate::error::Error;
use crate::ir::{Builder, Expr as Node};
use crate::lang::analyse::{Relation, Symbol, analyse, visit_names};
use crate::lang::ast::{Model, StatementKind, Targets};
use crate::lang::forward::{Definition, Forward, Input, Outcome, View};
use crate::lang::lowered::{Failure, Holds, LowerOptions};
use crate::lang::refuse;
use crate::lang::report::{Level, Report, Reports, quoted};
use crate::lang::span::Span;

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
    if has_formula(model) {
        return Err(Error::bug("a formula is to be lowered, and not its expansion").into());
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
                inputs.extend(self.inputs(place).into_iter().flatten());
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

    /// One for each slot of a parameter.
    fn inputs(&mut self, place: usize) -> Eval<Vec<Input>> {
        let relation = &self.analysis.relations[place];
        let plate = self.parameter_plate(place)?;
        let prior = self.prior(place)?;
        let inputs = prior.parts.iter().map(|part| {
            let parameter = part.parameter(relation.target.name, relation.family, prior.truncated, 0);
            let mut dims = self.dims(plate);
            if let (Holds::Component { place, .. }, Some(last)) = (part.holds, dims.last_mut()) {
                last.labels = Arc::from([last.labels[place].clone()]);
            }
            Input {
                name: parameter.name,
                holds: part.holds,
                dims,
                family: parameter.family,
                alone: match &part.alone {
                    Some(alone) => alone.iter().map(|value| value.expr.handle()).collect(),
                    None => parameter.arguments.clone(),
                },
                arguments: parameter.arguments,
                truncated: parameter.truncated,
                support: prior.support.clone(),
            }
        });
        Ok(inputs.collect())
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
}
