//! Targets: each is data or of use to another line, and at least one is data.

use super::Analysis;
use super::names::nearest;
use crate::dist::Family;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl Analysis<'_> {
    /// Targets that are neither data nor of any use, and models without data on the left of a `~`.
    pub(super) fn check_targets(&mut self) {
        let used = &self.mentioned;
        let mut found = Vec::new();
        for relation in &self.relations {
            let (name, span) = (relation.target.name.text.as_str(), relation.target.span);
            if relation.observed {
                continue;
            }
            if self.failed.contains(name) {
                continue;
            }
            if let Some(weight) = relation.weight {
                let report = Report::error(
                    "a prior has no weight",
                    weight.span,
                    format!("{} is a parameter", quoted(name)),
                );
                found.push(report.with_help("only rows of data are weighted: change the prior itself"));
            }
            if used.contains(name) {
                if relation.family.is_discrete() {
                    found.push(discrete(name, span, relation.family));
                }
                continue;
            }
            let report = Report::error(
                format!("{} is no column, and nothing uses it", quoted(name)),
                span,
                format!("no column of {}, and not used by another line", self.table),
            );
            found.push(
                report.with_help(match nearest(name, self.columns.iter().copied()) {
                    Some(near) => format!("did you mean the column `{near}`?"),
                    None => format!(
                        "an outcome is a column ({}); a parameter is used by another line",
                        self.some_columns()
                    ),
                }),
            );
        }
        let any_data = self.relations.iter().any(|relation| relation.observed);
        if !any_data && found.is_empty() && self.failed.is_empty() && !self.relations.is_empty() {
            let target = &self.relations[0].target;
            let report = Report::error(
                "no line has data on its left",
                target.span,
                "a parameter, like every target of this model",
            );
            found.push(report.with_help(format!(
                "write the outcome's distribution, such as `{} ~ Normal(mu, sigma)`; the columns are {}",
                self.columns.iter().next().copied().unwrap_or("y"),
                self.some_columns()
            )));
        }
        self.reports.extend(found);
    }

    /// The columns that have a distribution and are used as predictors, each with the place of its distribution.
    pub(in crate::lang) fn modelled_predictors(&self) -> Vec<(&str, Span)> {
        self.relations
            .iter()
            .filter(|relation| relation.observed)
            .map(|relation| (relation.target.name.text.as_str(), relation.target.span))
            .filter(|(name, _)| self.mentioned.contains(name) && self.is_column(name))
            .collect()
    }

    /// The columns' names for a message, the first ten.
    pub(super) fn some_columns(&self) -> String {
        let mut names: Vec<&str> = self.columns.iter().copied().take(10).collect();
        if self.columns.len() > names.len() {
            names.push("…");
        }
        names.join(", ")
    }
}

fn discrete(name: &str, span: Span, family: Family) -> Report {
    Report::error(
        format!("{} would be a discrete parameter", quoted(name)),
        span,
        format!(
            "no column, so a parameter, and {} yields whole numbers",
            family.name()
        ),
    )
    .with_help(
        "discrete parameters are not supported: sum over their values, or use a continuous distribution",
    )
}
