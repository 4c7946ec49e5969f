//! Parameters of a fit over other rows: levels that the fit has seen keep their draws, new ones get theirs.

use std::collections::BTreeMap;

use rand_distr::{Distribution, Uniform};

use super::fitted::{Options, Told};
use super::forward::{Values, element_labels, fill, from_prior, printed_name, stream};
use crate::error::{Error, Result};
use crate::fit::{Fit, layout};
use crate::lang::{Forward, Holds, Input};
use crate::transform::shares_of;

/// What a level that the fit has not seen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// A draw from the population's distribution, for each draw of the posterior.
    Sample,
    /// The population's mean.
    Average,
    /// 0: the effect is left out.
    Zero,
}

impl Groups {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Groups::Sample => "sample",
            Groups::Average => "average",
            Groups::Zero => "zero",
        }
    }
}

/// Where the values of an element come from.
enum Origin {
    /// An element of the fit.
    Known(usize),
    /// That element of the fit whose levels of these axes (by name) a draw chooses; `[axis] = known level` of the rest.
    Any(Vec<Option<usize>>),
    /// No draw of the fit.
    New,
}

/// The draws of the fit as positions of `forward`, `[draw][dim]`; `told` learns which levels are new and which columns
/// are missing.
pub(super) fn positions(
    fit: &Fit,
    forward: &Forward,
    options: &Options,
    told: &mut Told,
) -> Result<Vec<f64>> {
    let count = fit.run.chains * fit.run.draws;
    let offsets = forward.graph.slot_offsets();
    let dim = forward.graph.dim();
    let mut positions = vec![0.0; count * dim];
    let mut wanted = vec![Vec::new(); forward.inputs.len()];
    let mut choices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, input) in forward.inputs.iter().enumerate() {
        let drawn = fit
            .posterior
            .iter()
            .find(|quantity| !quantity.derived && quantity.name == input.name)
            .ok_or_else(|| {
                Error::user(format!("the fit file has no draws of `{}`", input.name))
                    .with_help("repeat `tadpool fit`")
            })?;
        let len: usize = drawn.dims.iter().map(|dim| dim.labels.len()).product();
        let elements: usize = input.dims.iter().map(|dim| dim.labels.len()).product();
        let levels: Vec<BTreeMap<&str, usize>> = drawn
            .dims
            .iter()
            .map(|dim| dim.labels.iter().map(String::as_str).zip(0..).collect())
            .collect();
        if let Holds::Correlation { order } = input.holds {
            for position in 0..count {
                let shares = shares_of(&drawn.values[position * len..(position + 1) * len], order);
                let shares = shares.ok_or_else(|| {
                    Error::user(format!("a draw of `{}` is no correlation matrix", input.name))
                        .with_help("repeat `tadpool fit`")
                })?;
                positions[position * dim + offsets[place]..][..len].copy_from_slice(&shares);
            }
            continue;
        }
        for element in 0..elements {
            let at = |position: usize| position * dim + offsets[place] + element;
            match origin(input, element, &levels, forward) {
                Origin::Known(known) => {
                    for position in 0..count {
                        positions[at(position)] = drawn.values[position * len + known];
                    }
                }
                Origin::Any(known) => {
                    for (axis, level) in known.iter().enumerate() {
                        if level.is_none() {
                            let name = &drawn.dims[axis].name;
                            let levels = drawn.dims[axis].labels.len();
                            choices
                                .entry(name.clone())
                                .or_insert_with(|| chosen(options.seed, name, levels, count));
                        }
                    }
                    for position in 0..count {
                        let from = known.iter().enumerate().fold(0, |from, (axis, level)| {
                            let dim = &drawn.dims[axis];
                            let level = level.unwrap_or_else(|| choices[&dim.name][position]);
                            from * dim.labels.len() + level
                        });
                        positions[at(position)] = drawn.values[position * len + from];
                    }
                }
                Origin::New => {
                    note_new(input, element, &drawn.dims, told);
                    wanted[place].push(element);
                }
            }
        }
    }
    told.mixed.extend(forward.mixed.iter().cloned());
    fill(
        forward,
        &wanted,
        (&mut positions, count),
        |input, element, arguments| new_level(&forward.inputs[input], element, arguments, count, options),
    )?;
    Ok(positions)
}

/// A known level of an index for each draw, all equally likely.
fn chosen(seed: u64, index: &str, levels: usize, count: usize) -> Vec<usize> {
    let mut rng = stream(seed, 0, &["any", index]).rng();
    match Uniform::new(0, levels) {
        Ok(uniform) => (0..count).map(|_| uniform.sample(&mut rng)).collect(),
        // An index has a level.
        Err(_) => vec![0; count],
    }
}

fn origin(input: &Input, element: usize, levels: &[BTreeMap<&str, usize>], forward: &Forward) -> Origin {
    let labels = element_labels(input, element);
    let known: Vec<Option<usize>> = labels
        .iter()
        .zip(levels)
        .map(|(label, levels)| levels.get(label).copied())
        .collect();
    if known.iter().all(Option::is_some) {
        let place = known.iter().zip(levels).fold(0, |place, (level, levels)| {
            place * levels.len() + level.unwrap_or_default()
        });
        return Origin::Known(place);
    }
    let any = |axis: usize| {
        let dim = &input.dims[axis];
        forward.mixed.contains(&dim.name) && dim.labels.last().map(String::as_str) == Some(labels[axis])
    };
    if (0..known.len()).all(|axis| known[axis].is_some() || any(axis)) {
        Origin::Any(known)
    } else {
        Origin::New
    }
}

fn note_new(input: &Input, element: usize, known: &[layout::Dimension], told: &mut Told) {
    for ((dim, label), known) in input.dims.iter().zip(element_labels(input, element)).zip(known) {
        if !known.labels.iter().any(|own| own == label) {
            told.new
                .entry(dim.name.clone())
                .or_default()
                .insert(label.to_owned());
        }
    }
}

/// The values of a level that the fit has not seen, one for each draw.
fn new_level(
    input: &Input,
    element: usize,
    (values, first): (&Values, usize),
    count: usize,
    options: &Options,
) -> Result<Vec<f64>> {
    let labels = element_labels(input, element);
    let name = printed_name(input, element);
    if options.groups == Groups::Zero {
        if input.support.starts_with("(-∞") {
            return Ok(vec![0.0; count]);
        }
        return Err(Error::user(format!(
            "--groups zero would set `{name}`, a new level, to 0, and its values lie in {}",
            input.support
        ))
        .with_help("use --groups sample or --groups average"));
    }
    let mut arguments = vec![0.0; input.arguments.len()];
    let mut rng = stream(
        options.seed,
        0,
        &[&[input.name.as_str()], labels.as_slice()].concat(),
    )
    .rng();
    let mut made = Vec::with_capacity(count);
    for position in 0..count {
        values.read(first, position, element, &mut arguments);
        if arguments.iter().any(|x| x.is_nan()) {
            return Err(Error::user(format!(
                "`{name}` is a new level, and its prior needs columns that the new data does not have"
            ))
            .with_help("give the columns that stand in the prior's arguments, or use --groups zero"));
        }
        made.push(match options.groups {
            Groups::Sample => from_prior(input, &mut rng, &arguments)?,
            Groups::Average | Groups::Zero => match input.family.mean(&arguments) {
                Some(mean) if !input.truncated => mean,
                Some(_) | None => {
                    return Err(Error::user(format!(
                        "the population of `{name}`, {}{}, has no mean that is known",
                        input.family.name(),
                        if input.truncated { " above 0" } else { "" }
                    ))
                    .with_help("use --groups sample"));
                }
            },
        });
    }
    Ok(made)
}
