//! Names in expressions: each is known, and used as what it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Analysis, Member, Subscript, Symbol, Target, subscript, subscripts};
use crate::lang::ast::{Call, Expr, ExprKind, Index, Literal, LiteralValue, Name, Sub};
use crate::lang::function::Function;
pub(super) use crate::lang::nearest;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl<'a> Analysis<'a> {
    /// Checks every name, call and subscript, and notes which columns are used as what. Where names are not
    /// `ordered`, what is data is not known and not asked.
    pub(super) fn resolve_names(&mut self, ordered: bool) {
        let mut check = Check {
            analysis: self,
            ordered,
            unknown: BTreeMap::new(),
            reports: Vec::new(),
            numbers: BTreeMap::new(),
            labels: BTreeMap::new(),
            mentioned: BTreeSet::new(),
        };
        for relation in &check.analysis.relations {
            check.target(&relation.target, relation.observed);
            match relation.member {
                None | Some(Member::Correlation) => {
                    relation.arguments.iter().for_each(|expr| check.argument(expr));
                    relation.weight.iter().for_each(|expr| check.expression(expr));
                }
                Some(member @ (Member::Component { .. } | Member::Levels { .. })) => {
                    relation
                        .arguments
                        .iter()
                        .for_each(|expr| check.of_components(expr));
                    check.mentioned.extend(member.correlation());
                }
            }
        }
        for definition in &check.analysis.definitions {
            check.target(&definition.target, false);
            check.expression(definition.value);
        }
        for (name, index) in &check.analysis.indices {
            if index.factors.is_empty() && check.analysis.is_column(name) {
                check.labels.entry(name).or_insert(index.name.span);
            }
            for factor in index
                .factors
                .iter()
                .filter(|factor| check.analysis.is_column(&factor.text))
            {
                check.labels.entry(&factor.text).or_insert(factor.span);
            }
        }
        let Check {
            unknown,
            reports,
            numbers,
            labels,
            mentioned,
            ..
        } = check;
        self.reports.extend(reports);
        self.reports.extend(unknown.into_values());
        self.numbers = numbers;
        self.labels = labels;
        self.mentioned.extend(mentioned);
        self.check_dropped();
    }

    fn check_dropped(&mut self) {
        let dropped = self.dropped.iter().flat_map(|(columns, _)| columns);
        let unknown: Vec<Report> = dropped
            .filter(|name| !self.is_column(&name.text))
            .map(|name| {
                let report = Report::error(
                    format!("unknown column {}", quoted(&name.text)),
                    name.span,
                    format!("no column of {}", self.table),
                );
                report.with_help(match nearest(&name.text, self.columns.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`drop_missing` names columns of the table".to_owned(),
                })
            })
            .collect();
        self.reports.extend(unknown);
    }
}

struct Check<'c, 'a> {
    analysis: &'c Analysis<'a>,
    /// Whether it is known which definitions are data.
    ordered: bool,
    /// The report on each unknown name, at its first use.
    unknown: BTreeMap<&'a str, Report>,
    reports: Vec<Report>,
    numbers: BTreeMap<&'a str, Span>,
    labels: BTreeMap<&'a str, Span>,
    mentioned: BTreeSet<&'a str>,
}

impl<'a> Check<'_, 'a> {
    fn target(&mut self, target: &Target<'a>, observed: bool) {
        if observed && self.analysis.is_column(&target.name.text) {
            self.numbers.entry(&target.name.text).or_insert(target.name.span);
        }
        let parameter = !observed && self.analysis.definition(&target.name.text).is_none();
        for sub in target.subs {
            match subscripts::length(&sub.low) {
                Some(length) if parameter && sub.high.is_none() => {
                    if length.fract() != 0.0 || !(1.0..=1e6).contains(&length) {
                        let report = Report::error(
                            "a length that is no whole number above 0",
                            sub.span(),
                            "expected 1, 2, 3, … up to a million",
                        )
                        .with_help("a number on the left of `~` is the length of a vector: `b[3] ~ …`");
                        self.reports.push(report);
                    }
                }
                _ => match subscript(sub) {
                    Ok(Subscript::Index(name)) => self.index(name, sub.span()),
                    Ok(Subscript::Label(_)) | Err(_) => {
                        let report = Report::error(
                            "expected the name of an index",
                            sub.span(),
                            "not the name of an index",
                        )
                        .with_help("write a column, an index or `row` between the brackets: `a[group]`");
                        self.reports.push(report);
                    }
                },
            }
        }
    }

    /// An argument of a distribution, which may be a vector: an element for each place of the target.
    fn argument(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Vector(elements) => elements.iter().for_each(|element| self.expression(element)),
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..) => self.expression(expr),
        }
    }

    /// An argument of a joint distribution: a number, a vector, or the name of one.
    fn of_components(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Vector(elements) => elements.iter().for_each(|element| self.expression(element)),
            ExprKind::Name(name) if self.analysis.is_vector(name) => {
                self.mentioned.insert(name);
            }
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..) => self.expression(expr),
        }
    }

    fn expression(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Number(_) => {}
            ExprKind::Text(_) => self.reports.push(
                Report::error("a text is no number", expr.span, "expected a number").with_help(
                    "a text may be compared with a text column (`pred == \"yes\"`) or stand in a subscript",
                ),
            ),
            ExprKind::Name(name) => self.value(name, expr.span, 0),
            ExprKind::Indexed(name, subs) => {
                self.value(&name.text, name.span, subs.len());
                self.subscripts(name, subs);
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::Unary(_, operand) => self.expression(operand),
            ExprKind::Binary(op, left, right) => {
                let sides = [left.as_ref(), right.as_ref()];
                let text = sides.iter().find(|side| matches!(side.kind, ExprKind::Text(_)));
                let name = sides.iter().find_map(|side| side.bare_name());
                match name.filter(|_| text.is_some() && op.is_comparison()) {
                    Some(name) if self.analysis.is_column(name) => {
                        self.labels.entry(name).or_insert(expr.span);
                    }
                    Some(_) | None => sides.into_iter().for_each(|side| self.expression(side)),
                }
            }
            ExprKind::Vector(_) => self.reports.push(
                Report::error("a vector is not expected here", expr.span, "expected one number")
                    .with_help("give each element a line of its own"),
            ),
        }
    }

    /// A name that stands for a value, with its number of subscripts.
    fn value(&mut self, name: &'a str, span: Span, subs: usize) {
        let analysis = self.analysis;
        self.mentioned.insert(name);
        let declared = match analysis.symbols.get(name) {
            Some(Symbol::Definition(place)) => {
                let definition = &analysis.definitions[*place];
                // A row-level value of data alone may be used as a group's: `u[county]`.
                if definition.data && definition.target.subs.is_empty() {
                    return;
                }
                &definition.target
            }
            Some(Symbol::Parameter(place))
                if analysis.relations[*place].member == Some(Member::Correlation) =>
            {
                if subs != 2 {
                    let report = Report::error(
                        format!("{} is a correlation matrix", quoted(name)),
                        span,
                        "expected one of its elements",
                    );
                    self.reports
                        .push(report.with_help(format!("write `{name}[1, 2]`")));
                }
                return;
            }
            Some(Symbol::Parameter(place)) => &analysis.relations[*place].target,
            None if analysis.is_column(name) && !self.shadowed(name) => {
                self.numbers.entry(name).or_insert(span);
                return;
            }
            None if analysis.failed.contains(name) => return,
            None => {
                self.not_a_value(name, span);
                return;
            }
        };
        if declared.subs.len() == subs {
            return;
        }
        let written: Vec<String> = declared.subs.iter().map(ToString::to_string).collect();
        let report = match declared.subs.len() {
            0 => Report::error(
                format!("{} takes no subscript", quoted(name)),
                span,
                "has one value",
            )
            .with_help(format!("write `{name}`, or declare it as `{name}[…]`")),
            n => {
                let count = if n == 1 {
                    "1 subscript".to_owned()
                } else {
                    format!("{n} subscripts")
                };
                Report::error(
                    format!("{} takes {count}, found {subs}", quoted(name)),
                    span,
                    format!("declared as `{name}[{}]`", written.join(", ")),
                )
                .with_help(format!("write `{name}[{}]`", written.join(", ")))
            }
        };
        self.reports
            .push(report.with_label(declared.span, "declared here"));
    }

    /// Whether an index made of something else hides the column of this name.
    fn shadowed(&self, name: &str) -> bool {
        self.analysis
            .indices
            .get(name)
            .is_some_and(|index| match index.factors.as_slice() {
                [] => false,
                [one] => one.text != name,
                _ => true,
            })
    }

    fn not_a_value(&mut self, name: &'a str, span: Span) {
        let analysis = self.analysis;
        let report = if analysis.indices.contains_key(name) || name == "row" {
            Report::error(
                format!("{} is an index, not a number", quoted(name)),
                span,
                "expected a number",
            )
            .with_help(format!("an index stands between brackets: `a[{name}]`"))
        } else {
            let label = format!("no column of {}, and not defined", analysis.table);
            let known = analysis
                .columns
                .iter()
                .copied()
                .chain(analysis.symbols.keys().copied());
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "give it a prior, such as `{name} ~ Normal(0, 1)`, or define it with `{name} = …`; the columns are {}",
                    analysis.some_columns()
                ),
            };
            Report::error(format!("unknown name {}", quoted(name)), span, label).with_help(help)
        };
        self.unknown.entry(name).or_insert(report);
    }

    fn subscripts(&mut self, name: &Name, subs: &'a [Sub]) {
        for sub in subs {
            match subscript(sub) {
                Ok(Subscript::Index(index)) => self.index(index, sub.span()),
                Ok(Subscript::Label(_)) => {}
                Err(span) => {
                    let report = Report::error("expected a name or a label", span, "not a subscript")
                        .with_help(format!("write an index (`{name}[group]`) or one level's label (`{name}[2]`, `{name}[\"lefty\"]`); a computed index is a line of its own: `g = …`"));
                    self.reports.push(report);
                }
            }
        }
    }

    /// A name that stands between brackets.
    fn index(&mut self, name: &'a str, span: Span) {
        let analysis = self.analysis;
        if analysis.indices.contains_key(name) || name == "row" {
            return;
        }
        if let Some(definition) = analysis.definition(name) {
            if self.ordered && !definition.data || !definition.target.subs.is_empty() {
                let report = Report::error(
                    format!("{} is no index", quoted(name)),
                    span,
                    "expected a column or an index",
                )
                .with_label(definition.target.span, "defined here from parameters")
                .with_help("an index is a column, or made of data alone");
                self.reports.push(report);
            }
            return;
        }
        if analysis.symbols.contains_key(name) {
            let report = Report::error(
                format!("{} is a parameter, not an index", quoted(name)),
                span,
                "expected a column or an index",
            )
            .with_help("an index is a column, or made of data alone");
            self.reports.push(report);
        } else if analysis.is_column(name) {
            self.labels.entry(name).or_insert(span);
        } else {
            let known = analysis
                .columns
                .iter()
                .copied()
                .chain(analysis.indices.keys().copied());
            let is_level = |index: &&Index| {
                let own = |level: &Literal| level.value == LiteralValue::Text(name.to_owned());
                index.levels.iter().any(own)
            };
            let help = match nearest(name, known) {
                _ if analysis.indices.values().any(is_level) => {
                    format!("a level stands in quotes: `[\"{name}\"]`")
                }
                Some(near) => format!("did you mean `{near}`?"),
                None if name == "i" || name == "j" || name == "n" => {
                    "leave the subscript out: a line holds for every row; or write `row`".to_owned()
                }
                None => format!(
                    "declare it, such as `index {name} = row`; the columns are {}",
                    analysis.some_columns()
                ),
            };
            let label = format!("no column of {}, and no index of the model", analysis.table);
            let report =
                Report::error(format!("unknown index {}", quoted(name)), span, label).with_help(help);
            self.unknown.entry(name).or_insert(report);
        }
    }

    fn call(&mut self, call: &'a Call) {
        let name = call.name.text.as_str();
        let analysis = self.analysis;
        let Some(function) = Function::from_name(name) else {
            self.mentioned.insert(name);
            let report = Report::error(
                format!("unknown function {}", quoted(name)),
                call.name.span,
                "not a function of the language",
            );
            let functions = Function::ALL.iter().map(|function| function.name());
            let help = if analysis.symbols.contains_key(name) || analysis.is_column(name) {
                format!(
                    "`{name}` is no function: subscripts stand in square brackets, `{name}[…]`, products need a `*`"
                )
            } else if super::arguments::family(name).is_some() {
                "a distribution stands alone on the right of a `~`".to_owned()
            } else {
                match nearest(name, functions.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the functions are {}", functions.collect::<Vec<_>>().join(", ")),
                }
            };
            self.reports.push(report.with_help(help));
            call.args.iter().for_each(|arg| self.expression(&arg.value));
            return;
        };
        call.args.iter().for_each(|arg| self.expression(&arg.value));
        if let Some(name) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            let report = Report::error(
                format!("the arguments of `{}` have no names", function.name()),
                name.span,
                "not expected here",
            )
            .with_help(format!("remove `{name} =`"));
            self.reports.push(report);
        }
        if call.args.len() != function.arity() {
            let count = match function.arity() {
                1 => "1 argument".to_owned(),
                n => format!("{n} arguments"),
            };
            let report = Report::error(
                format!("`{}` takes {count}, found {}", function.name(), call.args.len()),
                call.span,
                format!("expected {count}"),
            );
            self.reports.push(report.with_help("remove or add arguments"));
            return;
        }
        if self.ordered && function.learns() && analysis.needs_parameters(&call.args[0].value) {
            let report = Report::error(
                format!("`{}` needs data", function.name()),
                call.args[0].value.span,
                "depends on parameters",
            )
            .with_help("apply it to columns; what depends on parameters can be summarised from the draws");
            self.reports.push(report);
        }
    }
}
