//! Roles: where parameters stand as scales, probabilities or numbers of trials.

use super::{Analysis, RoleUse, Symbol};
use crate::dist::{Family, Role};
use crate::lang::ast::{Expr, ExprKind};
use crate::lang::report::Report;

impl<'a> Analysis<'a> {
    /// Notes each parameter that is itself an argument with a bounded role, and reports arguments that must be data.
    pub(super) fn find_roles(&mut self) {
        let mut found = Vec::new();
        let mut reports = Vec::new();
        for relation in &self.relations {
            for (argument, &expr) in relation.family.arguments().iter().zip(&relation.arguments) {
                match argument.role {
                    Role::Real => {}
                    Role::Count => {
                        if self.needs_parameters(expr) {
                            reports.push(not_data(relation.family, argument.name, expr));
                        }
                    }
                    Role::Positive | Role::Unit => {
                        if let Some(name) = self.alias(expr) {
                            let role = RoleUse {
                                role: argument.role,
                                argument: argument.name,
                                family: relation.family,
                                span: expr.span,
                            };
                            found.push((name, role));
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

fn not_data(family: Family, argument: &str, expr: &Expr) -> Report {
    Report::error(
        format!("the argument `{argument}` of {} must be data", family.name()),
        expr.span,
        "depends on parameters",
    )
    .with_help("write a number or a column")
}
