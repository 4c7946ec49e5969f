//! The expansion: the model text again, with canonical names, truncations and parameterisations made visible.

use super::{Lowering, Poison};
use crate::dist::Family;
use crate::lang::analyse::{Member, Relation};
use crate::lang::ast::{
    Arg, Call, Hint, Model, Modifier, ModifierKind, Name, StatementKind, Stochastic, Targets, Var,
};
use crate::lang::lowered::{Parameter, Parameterisation};
use crate::transform::{centring_weight, standard_arguments};

impl<'a, 'b> Lowering<'a, 'b> {
    /// Each line as it was understood, with a comment that says what it is. The whole is a model text of the same
    /// meaning.
    pub(super) fn expansion(&self, model: &Model, parameters: &[Parameter]) -> String {
        let mut text = String::new();
        for (place, statement) in model.statements.iter().enumerate() {
            let lines = match &statement.kind {
                StatementKind::Stochastic(stochastic) => self.stochastic_lines(stochastic, place, parameters),
                StatementKind::Definition(_) => {
                    let definition = self
                        .analysis
                        .definitions
                        .iter()
                        .find(|definition| definition.statement == place);
                    let comment = match definition {
                        Some(definition) if definition.data => "data",
                        Some(definition) if !definition.used => "computed from the draws",
                        Some(_) | None => "",
                    };
                    vec![(statement.to_string(), comment.to_owned())]
                }
                StatementKind::Index(index) => {
                    let levels = self.axis_names.get(index.name.text.as_str());
                    let comment = match levels {
                        Some(Ok(axis)) => match self.axes[*axis].labels.len() {
                            1 => "1 level".to_owned(),
                            n => format!("{n} levels"),
                        },
                        Some(Err(Poison)) | None => String::new(),
                    };
                    vec![(statement.to_string(), comment)]
                }
                StatementKind::DropMissing(_)
                | StatementKind::Table(_)
                | StatementKind::Setting(_)
                | StatementKind::Glm(_) => vec![(statement.to_string(), String::new())],
            };
            for (line, comment) in lines {
                text.push_str(&line);
                if !comment.is_empty() {
                    text.push_str("  # ");
                    text.push_str(&comment);
                }
                text.push('\n');
            }
        }
        text
    }

    /// The lines of one `~`, a line for each target, except that neighbours of the same distribution stay together.
    fn stochastic_lines(
        &self,
        stochastic: &Stochastic,
        statement: usize,
        parameters: &[Parameter],
    ) -> Vec<(String, String)> {
        let mut lines: Vec<(Stochastic, String)> = Vec::new();
        for (place, relation) in self.analysis.relations.iter().enumerate() {
            if relation.statement != statement {
                continue;
            }
            let parameter = parameters
                .iter()
                .find(|parameter| parameter.name == relation.target.name.text);
            let truncated = !relation.observed && parameter.is_some_and(|parameter| parameter.truncated);
            let (distribution, mut comment) =
                match half(relation, &stochastic.distribution).filter(|_| truncated) {
                    Some(call) => (call, String::new()),
                    None if truncated => (stochastic.distribution.clone(), "truncated to (0, ∞)".to_owned()),
                    None => (stochastic.distribution.clone(), String::new()),
                };
            let modifiers = self.effects.get(&place).map(|effect| {
                let hint = match effect.parameterisation {
                    Parameterisation::Centred => Hint::Centered,
                    Parameterisation::Noncentred => Hint::Noncentered,
                    Parameterisation::Learned { .. } => Hint::Auto,
                };
                comment = match &effect.parameterisation {
                    Parameterisation::Learned { start, .. } => {
                        let start = centring_weight(*start);
                        format!("centring learned from {start}: {}", effect.why)
                    }
                    Parameterisation::Centred | Parameterisation::Noncentred => effect.why.clone(),
                };
                Modifier {
                    kind: ModifierKind::Hint(hint),
                    span: relation.target.span,
                }
            });
            if relation.observed {
                comment = "likelihood".to_owned();
            }
            let var = Var {
                name: relation.target.name.clone(),
                subs: relation.target.subs.to_vec(),
                span: relation.target.span,
            };
            let together = match (&stochastic.targets, relation.member) {
                (Targets::Joint(joint), Some(Member::Component { component: 0, .. })) => {
                    Some(Targets::Joint(joint.clone()))
                }
                // They stand on the line of the first one.
                (Targets::Joint(_), Some(Member::Component { .. })) => continue,
                (_, _) => None,
            };
            let line = Stochastic {
                constraint: stochastic.constraint,
                targets: together.unwrap_or_else(|| Targets::Separate(vec![var.clone()])),
                distribution,
                modifiers: stochastic
                    .modifiers
                    .iter()
                    .filter(|modifier| !matches!(modifier.kind, ModifierKind::Hint(_)))
                    .cloned()
                    .chain(modifiers)
                    .collect(),
            };
            if let Some((last, said)) = lines.last_mut()
                && *said == comment
                && last.distribution == line.distribution
                && last
                    .modifiers
                    .iter()
                    .map(|m| &m.kind)
                    .eq(line.modifiers.iter().map(|m| &m.kind))
                && let Targets::Separate(vars) = &mut last.targets
            {
                vars.push(var);
                continue;
            }
            lines.push((line, comment));
        }
        lines
            .into_iter()
            .map(|(line, comment)| (line.to_string(), comment))
            .collect()
    }
}

/// The half distribution that a location-scale prior with location 0 becomes when it is truncated to (0, ∞).
fn half(relation: &Relation<'_>, call: &Call) -> Option<Call> {
    let family = match relation.family {
        Family::Normal => Family::HalfNormal,
        Family::Cauchy => Family::HalfCauchy,
        Family::StudentT => Family::HalfStudentT,
        Family::Logistic
        | Family::Laplace
        | Family::HalfNormal
        | Family::HalfCauchy
        | Family::HalfStudentT
        | Family::Exponential
        | Family::Gamma
        | Family::InvGamma
        | Family::Beta
        | Family::Uniform
        | Family::LogNormal
        | Family::Weibull
        | Family::Binomial
        | Family::Bernoulli
        | Family::Poisson
        | Family::NegBinomial
        | Family::Geometric
        | Family::BetaBinomial => return None,
    };
    let (location, _) = standard_arguments(relation.family)?;
    let zero = matches!(
        relation.arguments[location].kind,
        crate::lang::ast::ExprKind::Number(0.0)
    );
    let arguments = relation
        .arguments
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != location);
    zero.then(|| Call {
        name: Name {
            text: family.name().to_owned(),
            span: call.name.span,
        },
        args: arguments
            .map(|(_, value)| Arg {
                name: None,
                value: (*value).clone(),
            })
            .collect(),
        span: call.span,
    })
}
