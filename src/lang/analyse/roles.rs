//! Roles: where parameters stand as scales, probabilities or numbers of trials.

use super::{Analysis, LKJ, MV_NORMAL, Member, RoleUse, Symbol};
use crate::dist::Role;
use crate::lang::ast::{Expr, ExprKind};
use crate::lang::report::Report;

impl<'a> Analysis<'a> {
    /// Notes each parameter that is itself an argument with a bounded role, and reports arguments that must be data.
    pub(super) fn find_roles(&mut self) {
        let mut found = Vec::new();
        let mut reports = Vec::new();
        for relation in &self.relations {
            if relation.member == Some(Member::Correlation) {
                let eta = relation.arguments[0];
                if self.needs_parameters(eta) {
                    reports.push(not_data(LKJ, "eta", eta));
                }
                continue;
            }
            let family = match relation.member {
                Some(_) => MV_NORMAL,
                None => relation.family.name(),
            };
            for (argument, &expr) in relation.family.arguments().iter().zip(&relation.arguments) {
                match argument.role {
                    Role::Real => {}
                    Role::Count => {
                        if self.needs_parameters(expr) {
                            reports.push(not_data(family, argument.name, expr));
                        }
                    }
                    Role::Positive | Role::Unit => {
                        let elements = match &expr.kind {
                            ExprKind::Vector(elements) => elements.as_slice(),
                            _ => std::slice::from_ref(expr),
                        };
                        for element in elements {
                            if let Some(name) = self.alias(element) {
                                let role = RoleUse {
                                    role: argument.role,
                                    argument: argument.name,
                                    family,
                                    span: element.span,
                                };
                                found.push((name, role));
                            }
                        }
                    }
                }
            }
        }
        for (name, role) in found {
            self.roles.entry(name).or_default().push(role);
        }
        self.reports.extend(reports);
    }

    /// The parameter that `expr` is, directly or through definitions that only rename.
    fn alias(&self, expr: &'a Expr) -> Option<&'a str> {
        let name: &'a str = match &expr.kind {
            ExprKind::Name(name) => name,
            ExprKind::Indexed(name, _) => &name.text,
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => return None,
        };
        match self.symbols.get(name) {
            Some(Symbol::Parameter(_)) => Some(name),
            Some(Symbol::Definition(place)) if self.definitions[*place].link.is_none() => {
                self.alias(self.definitions[*place].value)
            }
            Some(Symbol::Definition(_)) | None => None,
        }
    }
}

fn not_data(family: &str, argument: &str, expr: &Expr) -> Report {
    Report::error(
        format!("the argument `{argument}` of {family} must be data"),
        expr.span,
        "depends on parameters",
    )
    .with_help(if family == LKJ {
        "write a number"
    } else {
        "write a number or a column"
    })
}
