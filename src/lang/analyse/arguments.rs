//! Distributions by name, and their arguments put in order.

use super::{Analysis, LKJ, MV_NORMAL};
use crate::dist::Family;
use crate::lang::ast::{Call, Expr};
use crate::lang::function::Function;
use crate::lang::nearest;
use crate::lang::report::{Report, quoted};

impl<'a> Analysis<'a> {
    /// The distribution that is called, and its arguments in the order of [`Family::arguments`].
    pub(super) fn arguments(&mut self, call: &'a Call) -> Option<(Family, Vec<&'a Expr>)> {
        let Some(family) = family(&call.name.text) else {
            self.reports.push(unknown_distribution(call));
            return None;
        };
        let expected = family.arguments();
        let names: Vec<&str> = expected.iter().map(|argument| argument.name).collect();
        let usage = format!("write `{}({})`", family.name(), names.join(", "));
        let mut filled: Vec<Option<&'a Expr>> = vec![None; expected.len()];
        let mut sound = true;
        let mut free = 0;
        for argument in &call.args {
            let place = match &argument.name {
                Some(name) => expected
                    .iter()
                    .position(|known| known.name == name.text || known.aliases.contains(&name.text.as_str())),
                None => {
                    while filled.get(free).is_some_and(Option::is_some) {
                        free += 1;
                    }
                    Some(free)
                }
            };
            let Some(place) = place else {
                let Some(name) = &argument.name else { continue };
                let label = format!("{} has the arguments {}", family.name(), names.join(", "));
                let report = Report::error(
                    format!("{} has no argument {}", family.name(), quoted(&name.text)),
                    name.span,
                    label,
                );
                let help = match nearest(&name.text, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => usage.clone(),
                };
                self.reports.push(report.with_help(help));
                sound = false;
                continue;
            };
            match filled.get_mut(place) {
                Some(slot @ None) => *slot = Some(&argument.value),
                Some(Some(first)) => {
                    let report = Report::error(
                        format!(
                            "the argument `{}` of {} is given twice",
                            names[place],
                            family.name()
                        ),
                        argument.value.span,
                        "given again here",
                    )
                    .with_label(first.span, "given here first")
                    .with_help(usage.clone());
                    self.reports.push(report);
                    sound = false;
                }
                // Too many: counted below.
                None => free += 1,
            }
        }
        if call.args.len() != expected.len() && sound {
            let count = match expected.len() {
                1 => "1 argument".to_owned(),
                n => format!("{n} arguments"),
            };
            let missing: Vec<String> = names
                .iter()
                .zip(&filled)
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            let label = if missing.is_empty() {
                format!("takes {}", names.join(", "))
            } else {
                format!("{} is missing", missing.join(", "))
            };
            let report = Report::error(
                format!("{} takes {count}, found {}", family.name(), call.args.len()),
                call.span,
                label,
            )
            .with_help(usage);
            self.reports.push(report);
            return None;
        }
        let arguments: Option<Vec<&'a Expr>> = filled.into_iter().collect();
        arguments.filter(|_| sound).map(|arguments| (family, arguments))
    }
}

/// The distribution of this name.
pub(in crate::lang) fn family(name: &str) -> Option<Family> {
    Family::from_name(name)
}

fn unknown_distribution(call: &Call) -> Report {
    let name = call.name.text.as_str();
    let report = Report::error(
        format!("unknown distribution {}", quoted(name)),
        call.name.span,
        "not a distribution of the language",
    );
    let single = Family::ALL.iter().map(|family| family.name());
    let known: Vec<&str> = single.chain([MV_NORMAL, LKJ]).collect();
    // `LKJCorr`, `NormalDistribution`: the name with more behind it.
    let lower = name.to_lowercase();
    let begins = known
        .iter()
        .copied()
        .filter(|known| lower.starts_with(&known.to_lowercase()))
        .max_by_key(|known| known.len());
    let help = if Function::from_name(name).is_some() {
        format!("`{name}` is a function: a `~` needs a distribution, `=` a value")
    } else {
        match nearest(name, known.iter().copied()).or(begins) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the distributions are {}", known.join(", ")),
        }
    };
    report.with_help(help)
}
