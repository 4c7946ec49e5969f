//! Collecting: statements into relations, definitions and indices; nothing is defined twice.

use std::collections::BTreeMap;

use super::joint::{Line, correlation_names, is_joint};
use super::{Analysis, Definition, Relation, Symbol, Target, visit_names};
use crate::lang::ast::{Index, Model, ModifierKind, StatementKind, Stochastic, Targets};
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl<'a> Analysis<'a> {
    /// Sorts the statements; a construct that this release refuses has been reported before and is passed over.
    pub(super) fn collect(&mut self, model: &'a Model) {
        self.correlations = correlation_names(model);
        for (place, statement) in model.statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Stochastic(stochastic) => self.stochastic(stochastic, place),
                StatementKind::Definition(definition) => self.definitions.push(Definition {
                    target: Target {
                        name: &definition.target.name,
                        subs: &definition.target.subs,
                        span: definition.target.span,
                    },
                    link: definition.link.map(|(link, _)| link),
                    value: &definition.value,
                    statement: place,
                    data: false,
                    used: false,
                }),
                StatementKind::Index(index) => self.index(index),
                StatementKind::DropMissing(drop) => {
                    let (columns, _) = self.dropped.get_or_insert_with(|| (Vec::new(), statement.span));
                    columns.extend(&drop.columns);
                }
                StatementKind::Table(_) | StatementKind::Setting(_) | StatementKind::Glm(_) => {}
            }
        }
        self.definitions_by_name();
        self.parameters_by_name();
    }

    fn stochastic(&mut self, stochastic: &'a Stochastic, statement: usize) {
        // The parser has seen to it that there is one hint at most.
        let hint = stochastic
            .modifiers
            .iter()
            .find_map(|modifier| match modifier.kind {
                ModifierKind::Hint(hint) => Some((hint, modifier.span)),
                ModifierKind::Truncation { .. }
                | ModifierKind::Censoring { .. }
                | ModifierKind::Weight(_) => None,
            });
        let weight = stochastic
            .modifiers
            .iter()
            .find_map(|modifier| match &modifier.kind {
                ModifierKind::Weight(weight) => Some(weight),
                ModifierKind::Truncation { .. } | ModifierKind::Censoring { .. } | ModifierKind::Hint(_) => {
                    None
                }
            });
        if is_joint(&stochastic.distribution.name.text) {
            self.joint(&Line {
                stochastic,
                hint,
                weight,
                statement,
            });
            return;
        }
        let Some((family, arguments)) = self.arguments(&stochastic.distribution) else {
            // What the line uses is of use, though the line is wrong.
            for argument in &stochastic.distribution.args {
                visit_names(&argument.value, &mut |name, _| {
                    self.mentioned.insert(name);
                });
            }
            match &stochastic.targets {
                Targets::Separate(vars) => self.failed.extend(vars.iter().map(|var| var.name.text.as_str())),
                Targets::Joint(joint) => self
                    .failed
                    .extend(joint.names.iter().map(|name| name.text.as_str())),
            }
            return;
        };
        let mut push = |name, subs, span| {
            self.relations.push(Relation {
                target: Target { name, subs, span },
                family,
                family_span: stochastic.distribution.name.span,
                arguments: arguments.clone(),
                hint,
                weight,
                statement,
                observed: false,
                member: None,
            });
        };
        match &stochastic.targets {
            Targets::Separate(vars) => vars.iter().for_each(|var| push(&var.name, &var.subs, var.span)),
            Targets::Joint(joint) => joint
                .names
                .iter()
                .for_each(|name| push(name, &joint.subs, name.span)),
        }
    }

    fn index(&mut self, index: &'a Index) {
        let name = index.name.text.as_str();
        if name == "row" {
            let report = Report::error("`row` is built in", index.name.span, "cannot be declared again")
                .with_help("choose another name: `index tank = row`");
            self.reports.push(report);
        } else if let Some(known) = self.indices.insert(name, index) {
            self.reports.push(twice(name, index.name.span, known.name.span));
        }
        let own = index.factors.is_empty() || (index.factors.len() == 1 && index.factors[0].text == name);
        if self.is_column(name) && !own {
            let note = Report::note(
                format!("the index {} shadows a column", quoted(name)),
                index.name.span,
                format!(
                    "{} has a column of this name, which the model does not see as an index",
                    self.table
                ),
            );
            self.reports.push(note);
        }
        let unknown: Vec<_> = if index.factors.is_empty() {
            vec![&index.name]
        } else {
            index.factors.iter().collect()
        };
        for factor in unknown {
            let known = factor.text == "row" || self.is_column(&factor.text);
            let derived = self.indices.contains_key(factor.text.as_str()) && factor.text != name;
            // Levels that the text names need no column: the places of a vector, with labels.
            let named = index.factors.is_empty() && !index.levels.is_empty();
            if !known && !derived && !named {
                let label = format!("no column of {}", self.table);
                let mut report = Report::error(
                    format!("unknown column {}", quoted(&factor.text)),
                    factor.span,
                    label,
                );
                let columns: Vec<&str> = self.columns.iter().copied().chain(["row"]).collect();
                report = report.with_help(
                    match super::names::nearest(&factor.text, columns.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "an index is made of columns or `row`: `index {} = row`",
                            index.name
                        ),
                    },
                );
                self.reports.push(report);
            }
        }
    }

    fn definitions_by_name(&mut self) {
        let mut known: BTreeMap<&str, Span> = self
            .indices
            .iter()
            .map(|(name, index)| (*name, index.name.span))
            .collect();
        for (place, definition) in self.definitions.iter().enumerate() {
            let (name, span) = (definition.target.name.text.as_str(), definition.target.name.span);
            if let Some(&first) = known.get(name) {
                self.reports.push(twice(name, span, first));
                self.failed.insert(name);
                continue;
            }
            known.insert(name, span);
            if self.columns.contains(name) {
                let report = Report::error(
                    format!("{} is already a column", quoted(name)),
                    span,
                    format!("{} has a column of this name", self.table),
                )
                .with_help(format!("choose another name, such as `{name}_new`"));
                self.reports.push(report);
                continue;
            }
            self.symbols.insert(name, Symbol::Definition(place));
        }
    }

    /// Every target that is no column and no definition is a parameter.
    fn parameters_by_name(&mut self) {
        let mut known: BTreeMap<&str, Span> = BTreeMap::new();
        for (place, relation) in self.relations.iter_mut().enumerate() {
            let (name, span) = (relation.target.name.text.as_str(), relation.target.name.span);
            if let Some(&first) = known.get(name) {
                self.reports.push(twice(name, span, first));
                self.failed.insert(name);
                continue;
            }
            known.insert(name, span);
            if let Some(index) = self.indices.get(name).filter(|_| !self.columns.contains(name)) {
                self.reports.push(twice(name, span, index.name.span));
                self.failed.insert(name);
            } else if self.columns.contains(name) {
                relation.observed = true;
            } else if name == "row" {
                let report = Report::error("`row` is built in", span, "cannot be a parameter")
                    .with_help("choose another name");
                self.reports.push(report);
                self.failed.insert(name);
            } else {
                self.symbols.entry(name).or_insert(Symbol::Parameter(place));
            }
        }
    }
}

fn twice(name: &str, span: Span, first: Span) -> Report {
    Report::error(
        format!("{} is defined twice", quoted(name)),
        span,
        "defined again here",
    )
    .with_label(first, "defined here first")
    .with_help("give one of the two another name, or remove it")
}
