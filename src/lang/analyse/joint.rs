//! Joint distributions: `MVNormal` of several effects of a group, and `LKJ` of their correlations.
//!
//! A component of a multivariate normal, given those before it, is normal itself; so each becomes a relation of the
//! family Normal, whose arguments here are the component's own mean and sd, with a note of what it belongs to.

use std::collections::BTreeSet;

use super::{Analysis, Relation, Subscript, Symbol, Target, subscript};
use crate::dist::Family;
use crate::lang::ast::{
    Call, Expr, ExprKind, Hint, Joint, Model, Name, StatementKind, Stochastic, Sub, Targets,
};
use crate::lang::nearest;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;
use crate::transform::LARGEST_CORRELATION;

/// The multivariate normal's name.
pub(in crate::lang) const MV_NORMAL: &str = "MVNormal";
/// The name of the distribution of correlation matrices.
pub(in crate::lang) const LKJ: &str = "LKJ";

const USAGE: &str = "write `[a, b][group] ~ MVNormal([mean_a, mean_b], sd, Rho)` with `Rho ~ LKJ(2)`";

/// What a relation is to a joint distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::lang) enum Member<'a> {
    /// A name of `[a, b][g] ~ MVNormal(…)`.
    Component {
        /// The relation of the first name; the others follow it.
        first: usize,
        /// Its place among the names.
        component: usize,
        /// The number of names.
        of: usize,
        /// The name of the correlation matrix.
        correlation: &'a str,
    },
    /// `a[g, k] ~ MVNormal(…)`: the levels of the last index are the components.
    Levels {
        /// The name of the correlation matrix.
        correlation: &'a str,
    },
    /// `Rho ~ LKJ(eta)`; the arguments are eta, twice.
    Correlation,
}

impl<'a> Member<'a> {
    /// The correlation matrix of the components.
    pub(in crate::lang) fn correlation(self) -> Option<&'a str> {
        match self {
            Member::Component { correlation, .. } | Member::Levels { correlation } => Some(correlation),
            Member::Correlation => None,
        }
    }
}

/// A line with a joint distribution as it is collected.
pub(super) struct Line<'a> {
    pub(super) stochastic: &'a Stochastic,
    pub(super) hint: Option<(Hint, Span)>,
    pub(super) weight: Option<&'a Expr>,
    pub(super) statement: usize,
}

/// Whether the name is that of a joint distribution.
pub(super) fn is_joint(name: &str) -> bool {
    name == MV_NORMAL || name == LKJ
}

/// The names left of `~ LKJ(…)`.
pub(super) fn correlation_names(model: &Model) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for statement in &model.statements {
        if let StatementKind::Stochastic(stochastic) = &statement.kind
            && stochastic.distribution.name.text == LKJ
        {
            match &stochastic.targets {
                Targets::Separate(vars) => names.extend(vars.iter().map(|var| var.name.text.as_str())),
                Targets::Joint(joint) => names.extend(joint.names.iter().map(|name| name.text.as_str())),
            }
        }
    }
    names
}

/// Mean, sd and the name of the correlation matrix.
struct Arguments<'a> {
    mean: &'a Expr,
    sd: &'a Expr,
    correlation: &'a str,
}

impl<'a> Analysis<'a> {
    /// Collects a line with a joint distribution; a fault is reported, and its targets are passed over.
    pub(super) fn joint(&mut self, line: &Line<'a>) {
        let made = if line.stochastic.distribution.name.text == LKJ {
            self.correlations(line)
        } else {
            self.multivariate(line)
        };
        if let Err(report) = made {
            self.reports.push(*report);
            self.mentioned.extend(self.correlations.iter().copied());
            for argument in &line.stochastic.distribution.args {
                super::visit_names(&argument.value, &mut |name, _| {
                    self.mentioned.insert(name);
                });
            }
            self.failed
                .extend(names(&line.stochastic.targets).map(|(name, ..)| name.text.as_str()));
        }
    }

    fn correlations(&mut self, line: &Line<'a>) -> Result<(), Box<Report>> {
        let call = &line.stochastic.distribution;
        let [argument] = call.args.as_slice() else {
            return Err(count(
                call,
                "1 argument",
                "write `Rho ~ LKJ(eta)`; eta = 1 is uniform, above 1 favours weak correlations",
            ));
        };
        if let Some(name) = argument.name.as_ref().filter(|name| name.text != "eta") {
            return Err(unknown_argument(name, LKJ, "eta"));
        }
        if let Some((hint, span)) = line.hint.filter(|(hint, _)| *hint != Hint::Auto) {
            let report = Report::error(
                format!("`@{}` says nothing about a correlation matrix", hint.word()),
                span,
                "not expected here",
            );
            return Err(Box::new(report.with_help("write it on the line of the effects")));
        }
        for (name, subs, span) in names(&line.stochastic.targets) {
            if !subs.is_empty() {
                let report = Report::error(
                    format!("the correlation matrix {} has a subscript", quoted(&name.text)),
                    span,
                    "its size follows from the effects that it correlates",
                );
                return Err(Box::new(report.with_help(format!("write `{name} ~ LKJ(…)`"))));
            }
            self.relations.push(Relation {
                target: Target { name, subs, span },
                family: Family::Beta,
                family_span: call.name.span,
                arguments: vec![&argument.value, &argument.value],
                hint: None,
                weight: line.weight,
                statement: line.statement,
                observed: false,
                member: Some(Member::Correlation),
            });
        }
        Ok(())
    }

    fn multivariate(&mut self, line: &Line<'a>) -> Result<(), Box<Report>> {
        let arguments = self.mv_normal_arguments(&line.stochastic.distribution)?;
        match &line.stochastic.targets {
            Targets::Joint(joint) => self.components(line, joint, &arguments),
            Targets::Separate(vars) => {
                for var in vars {
                    if self.columns.contains(var.name.text.as_str()) {
                        return Err(outcome(&var.name));
                    }
                    let last = var.subs.last().map(subscript);
                    if !matches!(last, Some(Ok(Subscript::Index(_) | Subscript::Label(_)))) {
                        let report = Report::error(
                            format!(
                                "{} is one number, MVNormal is about several",
                                quoted(&var.name.text)
                            ),
                            var.span,
                            "expected several names, or a subscript whose levels are the components",
                        );
                        return Err(Box::new(report.with_help(format!(
                            "{USAGE}, or `{}[group, index] ~ MVNormal(0, sd, Rho)`",
                            var.name
                        ))));
                    }
                    let target = Target {
                        name: &var.name,
                        subs: &var.subs,
                        span: var.span,
                    };
                    let member = Member::Levels {
                        correlation: arguments.correlation,
                    };
                    self.member(line, target, vec![arguments.mean, arguments.sd], member);
                }
                Ok(())
            }
        }
    }

    fn components(
        &mut self,
        line: &Line<'a>,
        joint: &'a Joint,
        arguments: &Arguments<'a>,
    ) -> Result<(), Box<Report>> {
        let of = joint.names.len();
        if let Some(name) = joint
            .names
            .iter()
            .find(|name| self.columns.contains(name.text.as_str()))
        {
            return Err(outcome(name));
        }
        if !(2..=LARGEST_CORRELATION).contains(&of) {
            let report = Report::error(
                format!("MVNormal of {of} {}", if of == 1 { "effect" } else { "effects" }),
                joint.span,
                format!("expected 2 to {LARGEST_CORRELATION}"),
            );
            return Err(Box::new(report.with_help(if of == 1 {
                "write `Normal(mean, sd)`"
            } else {
                "split the effects into several lines, each with a correlation matrix of its own"
            })));
        }
        for (what, argument) in [("mean", arguments.mean), ("sd", arguments.sd)] {
            if let ExprKind::Vector(elements) = &argument.kind
                && elements.len() != of
            {
                let report = Report::error(
                    format!("{} effects, and a {what} of {} elements", of, elements.len()),
                    argument.span,
                    format!("expected {of} elements"),
                )
                .with_label(joint.span, format!("{of} effects"));
                return Err(Box::new(
                    report.with_help("give each effect its own, in their order"),
                ));
            }
        }
        let first = self.relations.len();
        for (component, name) in joint.names.iter().enumerate() {
            let element = |argument: &'a Expr| match &argument.kind {
                ExprKind::Vector(elements) => &elements[component],
                ExprKind::Number(_)
                | ExprKind::Text(_)
                | ExprKind::Name(_)
                | ExprKind::Indexed(..)
                | ExprKind::Call(_)
                | ExprKind::Unary(..)
                | ExprKind::Binary(..) => argument,
            };
            let target = Target {
                name,
                subs: &joint.subs,
                span: name.span,
            };
            let member = Member::Component {
                first,
                component,
                of,
                correlation: arguments.correlation,
            };
            self.member(
                line,
                target,
                vec![element(arguments.mean), element(arguments.sd)],
                member,
            );
        }
        Ok(())
    }

    fn member(&mut self, line: &Line<'a>, target: Target<'a>, arguments: Vec<&'a Expr>, member: Member<'a>) {
        self.relations.push(Relation {
            target,
            family: Family::Normal,
            family_span: line.stochastic.distribution.name.span,
            arguments,
            hint: line.hint,
            weight: line.weight,
            statement: line.statement,
            observed: false,
            member: Some(member),
        });
    }

    /// Mean, sd and correlation matrix, in this order or with the matrix second, as the book has it.
    fn mv_normal_arguments(&self, call: &'a Call) -> Result<Arguments<'a>, Box<Report>> {
        let [_, _, _] = call.args.as_slice() else {
            return Err(count(call, "3 arguments", USAGE));
        };
        let mut named: [Option<&'a Expr>; 3] = [None; 3];
        let mut free = Vec::new();
        for argument in &call.args {
            let Some(name) = &argument.name else {
                free.push(&argument.value);
                continue;
            };
            let place = match name.text.as_str() {
                "mean" | "mu" => 0,
                "sd" | "sigma" => 1,
                "cor" | "Rho" => 2,
                _ => return Err(unknown_argument(name, MV_NORMAL, "mean, sd, cor")),
            };
            if named[place].replace(&argument.value).is_some() {
                let report = Report::error(
                    format!("the argument {} is given twice", quoted(&name.text)),
                    name.span,
                    "given again here",
                );
                return Err(Box::new(report.with_help(USAGE)));
            }
        }
        if named[2].is_none()
            && let Some(place) = free.iter().position(|expr| self.correlation_name(expr).is_some())
        {
            named[2] = Some(free.remove(place));
        }
        let mut free = free.into_iter();
        let [mean, sd, correlation] = named.map(|argument| argument.or_else(|| free.next()));
        let (Some(mean), Some(sd), Some(matrix)) = (mean, sd, correlation) else {
            return Err(count(call, "3 arguments", USAGE));
        };
        let Some(correlation) = self.correlation_name(matrix) else {
            let report = Report::error(
                "MVNormal without a correlation matrix",
                matrix.span,
                "expected a name with `~ LKJ(…)`",
            );
            let near = matrix
                .bare_name()
                .and_then(|name| nearest(name, self.correlations.iter().copied()));
            return Err(Box::new(report.with_help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => USAGE.to_owned(),
            })));
        };
        Ok(Arguments {
            mean,
            sd,
            correlation,
        })
    }

    fn correlation_name(&self, expr: &'a Expr) -> Option<&'a str> {
        expr.bare_name().filter(|name| self.correlations.contains(name))
    }

    /// Notes on parameters that are the one sd of several effects: the book's vectors have no length written.
    pub(super) fn note_shared_sds(&mut self) {
        let mut notes = Vec::new();
        for relation in &self.relations {
            let Some(Member::Component { component: 0, of, .. }) = relation.member else {
                continue;
            };
            let sd = relation.arguments[1];
            let parameter = sd.bare_name().filter(|name| {
                matches!(self.symbols.get(name), Some(Symbol::Parameter(_))) && !self.is_vector(name)
            });
            // Elements of a bracket are expressions of their own.
            let shared = self.relations.iter().any(|other| {
                matches!(other.member, Some(Member::Component { component: 1, .. }))
                    && std::ptr::eq(other.arguments[1], sd)
            });
            if let Some(name) = parameter.filter(|_| shared) {
                let title = format!("{of} effects share the one sd {}", quoted(name));
                notes.push(Report::note(title, sd.span, "one number").with_help(format!(
                    "write `{name}[{of}] ~ …` for an sd of each, as the book's vector of this name is"
                )));
            }
        }
        self.reports.extend(notes);
    }

    /// The relation of a correlation matrix.
    pub(in crate::lang) fn correlation(&self, name: &str) -> Option<usize> {
        match self.symbols.get(name) {
            Some(Symbol::Parameter(place)) if self.relations[*place].member == Some(Member::Correlation) => {
                Some(*place)
            }
            Some(Symbol::Parameter(_) | Symbol::Definition(_)) | None => None,
        }
    }

    /// The first relation whose effects the matrix correlates.
    pub(in crate::lang) fn correlated_by(&self, matrix: &str) -> Option<usize> {
        self.relations
            .iter()
            .position(|relation| relation.member.and_then(Member::correlation) == Some(matrix))
    }

    /// Whether the name has one subscript and so stands for a vector where it stands alone.
    pub(in crate::lang) fn is_vector(&self, name: &str) -> bool {
        match self.symbols.get(name) {
            Some(Symbol::Definition(place)) => self.definitions[*place].target.subs.len() == 1,
            Some(Symbol::Parameter(place)) => self.relations[*place].target.subs.len() == 1,
            None => false,
        }
    }
}

/// The names left of a `~` with their subscripts and places.
fn names(targets: &Targets) -> Box<dyn Iterator<Item = (&Name, &[Sub], Span)> + '_> {
    match targets {
        Targets::Separate(vars) => {
            Box::new(vars.iter().map(|var| (&var.name, var.subs.as_slice(), var.span)))
        }
        Targets::Joint(joint) => Box::new(
            joint
                .names
                .iter()
                .map(|name| (name, joint.subs.as_slice(), name.span)),
        ),
    }
}

fn count(call: &Call, expected: &str, usage: &str) -> Box<Report> {
    let name = &call.name.text;
    Box::new(
        Report::error(
            format!("{name} takes {expected}, found {}", call.args.len()),
            call.span,
            format!("expected {expected}"),
        )
        .with_help(usage),
    )
}

fn unknown_argument(name: &Name, distribution: &str, known: &str) -> Box<Report> {
    Box::new(
        Report::error(
            format!("{distribution} has no argument {}", quoted(&name.text)),
            name.span,
            format!("{distribution} has the arguments {known}"),
        )
        .with_help("remove the name"),
    )
}

fn outcome(name: &Name) -> Box<Report> {
    Box::new(
        Report::error(
            "several outcomes with one MVNormal are not in this release yet",
            name.span,
            "a column",
        )
        .with_help("give each outcome a line of its own, and correlate the group effects in them"),
    )
}
