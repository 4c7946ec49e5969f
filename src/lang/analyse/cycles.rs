//! Order: no name depends on itself, what is data, and what a relation needs.

use std::collections::BTreeMap;

use super::{Analysis, Symbol, visit_names};
use crate::lang::ast::Expr;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl<'a> Analysis<'a> {
    /// The expressions that a name is made from: its value, or the arguments of its prior.
    fn sources(&self, symbol: Symbol) -> Vec<&'a Expr> {
        match symbol {
            Symbol::Definition(place) => vec![self.definitions[place].value],
            Symbol::Parameter(place) => self.relations[place].arguments.clone(),
        }
    }

    /// Reports each circle once; whether there is none.
    pub(super) fn find_cycles(&mut self) -> bool {
        let names: Vec<&'a str> = self.symbols.keys().copied().collect();
        let mut walk = Walk {
            state: BTreeMap::new(),
            path: Vec::new(),
            cycles: Vec::new(),
        };
        for name in names {
            walk.visit(self, name);
        }
        let sound = walk.cycles.is_empty();
        self.reports.extend(walk.cycles);
        sound
    }

    /// Marks the definitions that are made of data alone, and the relations whose target is one of them.
    pub(super) fn find_data(&mut self) {
        // Data-ness only ever propagates, and there is no circle: a pass per definition is enough.
        for _ in 0..self.definitions.len() {
            for place in 0..self.definitions.len() {
                self.definitions[place].data = self.is_data_expression(self.definitions[place].value);
            }
        }
        let mut wrong = Vec::new();
        for relation in &mut self.relations {
            let name = relation.target.name;
            let Some(Symbol::Definition(place)) = self.symbols.get(name.text.as_str()) else {
                continue;
            };
            let definition = &self.definitions[*place];
            if definition.data {
                relation.observed = true;
                continue;
            }
            let report = Report::error(
                format!("{} has a value and a distribution", quoted(&name.text)),
                relation.target.span,
                "a distribution needs data or a new parameter on its left",
            )
            .with_label(definition.target.span, "defined here from parameters")
            .with_help(
                "remove one of the two lines, or give the distribution to a parameter of another name",
            );
            wrong.push(report);
        }
        self.reports.extend(wrong);
    }

    /// Marks the definitions that a relation needs; the others are computed from the draws.
    pub(super) fn find_used(&mut self) {
        let mut open: Vec<&'a Expr> = self
            .relations
            .iter()
            .flat_map(|relation| relation.arguments.clone())
            .collect();
        while let Some(expr) = open.pop() {
            let mut found = Vec::new();
            visit_names(expr, &mut |name, _| {
                if let Some(Symbol::Definition(place)) = self.symbols.get(name) {
                    found.push(*place);
                }
            });
            for place in found {
                if !std::mem::replace(&mut self.definitions[place].used, true) {
                    open.push(self.definitions[place].value);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
}

struct Walk<'a> {
    state: BTreeMap<&'a str, State>,
    /// The open names, each with the place where the next one is used.
    path: Vec<(&'a str, Span)>,
    cycles: Vec<Report>,
}

impl<'a> Walk<'a> {
    /// Recursion is as deep as a chain of definitions, and each of them has a line of its own in a parsed text.
    fn visit(&mut self, analysis: &Analysis<'a>, name: &'a str) {
        let Some(&symbol) = analysis.symbols.get(name) else {
            return;
        };
        match self.state.get(name) {
            Some(State::Done) => return,
            Some(State::Open) => {
                self.report(name);
                return;
            }
            None => {}
        }
        self.state.insert(name, State::Open);
        for expr in analysis.sources(symbol) {
            let mut uses: Vec<(&'a str, Span)> = Vec::new();
            visit_names(expr, &mut |used, span| uses.push((used, span)));
            for (used, span) in uses {
                self.path.push((name, span));
                self.visit(analysis, used);
                self.path.pop();
            }
        }
        self.state.insert(name, State::Done);
    }

    fn report(&mut self, name: &str) {
        let start = self.path.iter().position(|(open, _)| *open == name).unwrap_or(0);
        let circle = &self.path[start..];
        let mut names: Vec<&str> = circle.iter().map(|(open, _)| *open).collect();
        names.push(name);
        let used = |place: usize| format!("{} needs {}", quoted(names[place]), quoted(names[place + 1]));
        let mut report = Report::error(
            format!("circular definition: {}", names.join(" → ")),
            circle[0].1,
            used(0),
        );
        for (place, (_, span)) in circle.iter().enumerate().skip(1) {
            report = report.with_label(*span, used(place));
        }
        self.cycles.push(
            report.with_help("break the circle: give one of them a value or a prior without the others"),
        );
    }
}
