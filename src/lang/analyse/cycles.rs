//! Order: no name depends on itself, what is data, and what a relation needs.

use std::collections::BTreeMap;

use super::visit::visit_indices;
use super::{Analysis, Member, Subscript, Symbol, subscript, visit_names};
use crate::lang::ast::Expr;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl<'a> Analysis<'a> {
    /// The names that a name is made from, those of its indices included, each with its place.
    fn dependencies(&self, symbol: Symbol) -> Vec<(&'a str, Span)> {
        let (target, sources) = match symbol {
            Symbol::Definition(place) => {
                let definition = &self.definitions[place];
                (definition.target, vec![definition.value])
            }
            Symbol::Parameter(place) => {
                let relation = &self.relations[place];
                (relation.target, relation.arguments.clone())
            }
        };
        let mut found = Vec::new();
        if let Symbol::Parameter(place) = symbol
            && let Some(member) = self.relations[place].member
        {
            found.extend(member.correlation().map(|name| (name, target.span)));
            // A component is normal given those before it.
            if let Member::Component { first, .. } = member {
                let before = &self.relations[first..place];
                found.extend(
                    before
                        .iter()
                        .map(|other| (other.target.name.text.as_str(), target.span)),
                );
            }
        }
        for sub in target.subs {
            if let Ok(Subscript::Index(name)) = subscript(sub) {
                found.push((name, sub.span()));
            }
        }
        for expr in sources {
            visit_names(expr, &mut |name, span| found.push((name, span)));
            visit_indices(expr, &mut |name, span| found.push((name, span)));
        }
        found
    }

    /// Puts definitions and parameters in an order in which each stands after what it is made from, and reports each
    /// circle once; whether there is none.
    pub(super) fn find_order(&mut self) -> bool {
        let names: Vec<&'a str> = self.symbols.keys().copied().collect();
        let mut walk = Walk {
            state: BTreeMap::new(),
            path: Vec::new(),
            order: Vec::new(),
            faults: Vec::new(),
        };
        for name in names {
            walk.visit(self, name);
        }
        let sound = walk.faults.is_empty();
        self.reports.extend(walk.faults);
        self.order = walk.order;
        sound
    }

    /// Marks the definitions that are made of data alone, and the relations whose target is one of them.
    pub(super) fn find_data(&mut self) {
        let mut constants = vec![false; self.definitions.len()];
        for symbol in self.order.clone() {
            if let Symbol::Definition(place) = symbol {
                let value = self.definitions[place].value;
                self.definitions[place].data = self.is_data_expression(value);
                let mut constant = true;
                visit_names(value, &mut |name, _| {
                    constant &= match self.symbols.get(name) {
                        Some(Symbol::Definition(place)) => constants[*place],
                        Some(Symbol::Parameter(_)) | None => false,
                    };
                });
                constants[place] = constant;
            }
        }
        let mut wrong = Vec::new();
        for relation in &mut self.relations {
            let name = relation.target.name;
            let Some(Symbol::Definition(place)) = self.symbols.get(name.text.as_str()) else {
                continue;
            };
            let definition = &self.definitions[*place];
            if definition.data && !constants[*place] {
                relation.observed = true;
                continue;
            }
            let report = Report::error(
                format!("{} has a value and a distribution", quoted(&name.text)),
                relation.target.span,
                "a distribution needs data or a new parameter on its left",
            )
            .with_label(
                definition.target.span,
                if definition.data {
                    "its value"
                } else {
                    "defined here from parameters"
                },
            )
            .with_help(
                "remove one of the two lines, or give the distribution to a parameter of another name",
            );
            wrong.push(report);
            self.failed.insert(&name.text);
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
    order: Vec<Symbol>,
    faults: Vec<Report>,
}

/// Names that may build on one another in a chain, so that walking it cannot exhaust the stack.
const LONGEST_CHAIN: usize = 1000;

impl<'a> Walk<'a> {
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
        if self.path.len() >= LONGEST_CHAIN {
            let report = Report::error(
                format!("more than {LONGEST_CHAIN} lines build on one another"),
                self.path[0].1,
                "the chain begins here",
            );
            self.faults
                .push(report.with_help("define fewer steps between the outcome and the parameters"));
            self.state.insert(name, State::Done);
            return;
        }
        self.state.insert(name, State::Open);
        for (used, span) in analysis.dependencies(symbol) {
            self.path.push((name, span));
            self.visit(analysis, used);
            self.path.pop();
        }
        self.state.insert(name, State::Done);
        self.order.push(symbol);
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
        self.faults.push(
            report.with_help("break the circle: give one of them a value or a prior without the others"),
        );
    }
}
