//! What a lowered model consists of, as cells of text: index sets, parameters with their priors, outcomes, effects,
//! columns.

use crate::data::{is_pair_axis, printed_label};
use crate::lang::ast::{StatementKind, Targets};
use crate::lang::{Dim, Lowered, Parameterisation, QuantityKind, parse};
use crate::transform::centring_weight;

pub(crate) fn rows(lowered: &Lowered) -> String {
    let dropped = lowered.rows_read - lowered.rows_kept;
    if dropped == 0 {
        format!("{} rows", lowered.rows_kept)
    } else {
        format!(
            "{} rows of {} ({dropped} dropped for missing values)",
            lowered.rows_kept, lowered.rows_read
        )
    }
}

pub(crate) fn plates(lowered: &Lowered) -> Vec<[String; 3]> {
    // The pairs of a correlation matrix are no set of the data.
    let pairs = |dims: &[Dim]| dims.iter().any(|dim| is_pair_axis(&dim.name));
    // Nor are the places of a vector, which have the vector's name and stand with the parameters.
    let is_vector = |name: &str| lowered.quantities.iter().any(|quantity| quantity.name == name);
    let places = |dims: &[Dim]| dims.iter().any(|dim| is_vector(&dim.name));
    lowered
        .plates
        .iter()
        .filter(|plate| !pairs(&plate.dims) && !places(&plate.dims))
        .map(|plate| {
            let labels: Vec<String> = plate.dims.iter().map(sample_of_labels).collect();
            [plate.name.clone(), plate.len().to_string(), labels.join(" × ")]
        })
        .collect()
}

/// All labels of a short axis, the first three and the last of a long one.
fn sample_of_labels(dim: &Dim) -> String {
    const SHORT: usize = 8;
    let all: Vec<_> = dim.labels.iter().map(|label| printed_label(label)).collect();
    match all.as_slice() {
        [first, second, third, .., last] if all.len() > SHORT => {
            format!("{first}, {second}, {third}, … {last}")
        }
        _ => all.join(", "),
    }
}

/// Name with its index, size, support, prior.
pub(crate) fn parameters(lowered: &Lowered) -> Vec<[String; 4]> {
    let priors = priors(&lowered.expansion);
    quantities(lowered, QuantityKind::Parameter)
        .into_iter()
        .map(|[name, size, support, stem]| {
            let prior = priors.iter().find(|(target, _)| *target == stem);
            [
                name,
                size,
                support,
                prior.map_or(String::new(), |(_, prior)| prior.clone()),
            ]
        })
        .collect()
}

pub(crate) fn derived(lowered: &Lowered) -> Vec<[String; 2]> {
    quantities(lowered, QuantityKind::Derived)
        .into_iter()
        .map(|[name, size, _, _]| [name, size])
        .collect()
}

fn quantities(lowered: &Lowered, kind: QuantityKind) -> Vec<[String; 4]> {
    lowered
        .quantities
        .iter()
        .filter(|quantity| quantity.kind == kind)
        .map(|quantity| {
            let dims: Vec<String> = quantity
                .dims
                .iter()
                .map(|dim| match is_pair_axis(&dim.name) {
                    true => "i, j".to_owned(),
                    // The places of a vector have its own name.
                    false if dim.name == quantity.name => dim.labels.len().to_string(),
                    false => dim.name.clone(),
                })
                .collect();
            let name = if dims.is_empty() {
                quantity.name.clone()
            } else {
                format!("{}[{}]", quantity.name, dims.join(", "))
            };
            let size: usize = quantity.dims.iter().map(|dim| dim.labels.len()).product();
            [
                name,
                size.to_string(),
                quantity.support.clone(),
                quantity.name.clone(),
            ]
        })
        .collect()
}

/// For each target of a `~` in the spelled-out text, the distribution with what modifies it.
fn priors(expansion: &str) -> Vec<(String, String)> {
    // The expansion is a model text by the lowering's promise; were it not, the page would go without priors.
    let Ok(model) = parse("expansion", expansion) else {
        return Vec::new();
    };
    let mut priors = Vec::new();
    for statement in &model.statements {
        if let StatementKind::Stochastic(line) = &statement.kind {
            let mut prior = line.distribution.to_string();
            for modifier in &line.modifiers {
                prior.push_str(&format!(" {modifier}"));
            }
            let names: Vec<&str> = match &line.targets {
                Targets::Separate(vars) => vars.iter().map(|var| var.name.text.as_str()).collect(),
                Targets::Joint(joint) => joint.names.iter().map(|name| name.text.as_str()).collect(),
            };
            priors.extend(names.into_iter().map(|name| (name.to_owned(), prior.clone())));
        }
    }
    priors
}

pub(crate) fn outcomes(lowered: &Lowered) -> Vec<[String; 3]> {
    lowered
        .likelihoods
        .iter()
        .map(|likelihood| {
            let link = match &likelihood.link {
                Some((link, _)) => format!("{} link", link.word()),
                None => String::new(),
            };
            [
                format!("{} ~ {}", likelihood.outcome, likelihood.family.name()),
                format!("over {}", likelihood.plate),
                link,
            ]
        })
        .collect()
}

pub(crate) fn effects(lowered: &Lowered) -> Vec<[String; 3]> {
    lowered
        .effects
        .iter()
        .map(|effect| {
            let form = match &effect.parameterisation {
                Parameterisation::Centred => "centred".to_owned(),
                Parameterisation::Noncentred => "non-centred".to_owned(),
                Parameterisation::Learned { start, with } => {
                    let start = centring_weight(*start);
                    let total = with
                        .as_ref()
                        .map_or_else(String::new, |with| format!(", as a total with {with}"));
                    format!("weights learned from {start}{total}")
                }
            };
            [effect.name.clone(), form, effect.why.clone()]
        })
        .collect()
}

pub(crate) fn used(lowered: &Lowered) -> Vec<[String; 2]> {
    lowered
        .columns
        .iter()
        .map(|column| {
            let role = match (column.numeric, column.index) {
                (true, true) => "numbers and index",
                (true, false) => "numbers",
                (false, true) => "index",
                (false, false) => "mentioned",
            };
            [column.name.clone(), role.to_owned()]
        })
        .collect()
}

pub(crate) fn learned(lowered: &Lowered) -> Vec<[String; 2]> {
    lowered
        .learned
        .iter()
        .map(|learned| {
            let constants = learned.constants;
            let said = format!("minus {}, divided by {}", constants.shift, constants.scale);
            [learned.call.clone(), said]
        })
        .collect()
}
