//! Pictures of what the posterior says of the parameters; several fits share one.

use super::super::chart::{density as densities, forest as bars, ridge as hills};
use super::super::palette::{BLUE, SERIES, series};
use super::super::scene::{Colour, Scene};
use super::super::source::{Element, Options, Source};
use crate::diag::{Density, Prob, mean};
use crate::error::{Error, Result};

/// Rows of a forest at most, and hills of a ridge picture.
const ROWS: usize = 400;
const HILLS: usize = 200;

/// A number by its name, in each fit that has it.
struct Aligned<'a> {
    quantity: String,
    name: String,
    /// One for each fit.
    elements: Vec<Option<Element<'a>>>,
}

/// The chosen numbers of all fits, those of a quantity together. A pattern may choose nothing of some fits, not of all.
fn aligned<'a>(fits: &[Source<'a>], vars: &[String]) -> Result<Vec<Aligned<'a>>> {
    for pattern in vars {
        if let (Some(first), false) = (fits.first(), fits.iter().any(|fit| fit.knows(pattern))) {
            first.chosen(std::slice::from_ref(pattern))?;
        }
    }
    let mut of_fits: Vec<Vec<Element<'a>>> = Vec::new();
    for fit in fits {
        let known: Vec<String> = vars
            .iter()
            .filter(|pattern| fit.knows(pattern))
            .cloned()
            .collect();
        of_fits.push(match vars.is_empty() || !known.is_empty() {
            true => fit.chosen(&known)?,
            false => Vec::new(),
        });
    }
    let mut names: Vec<(String, String)> = Vec::new();
    for one in of_fits.iter().flatten() {
        let name = (one.quantity.name.clone(), one.name.clone());
        if names.contains(&name) {
            continue;
        }
        let place = names.iter().rposition(|other| other.0 == name.0);
        names.insert(place.map_or(names.len(), |place| place + 1), name);
    }
    let find = |name: &str| {
        let of_fit = |fit: &Vec<Element<'a>>| fit.iter().find(|one| one.name == name).cloned();
        of_fits.iter().map(of_fit).collect()
    };
    Ok(names
        .into_iter()
        .map(|(quantity, name)| Aligned {
            elements: find(&name),
            quantity,
            name,
        })
        .collect())
}

fn names<'a>(fits: &[Source<'a>]) -> Vec<&'a str> {
    fits.iter().map(|fit| fit.name).collect()
}

/// The fits' names before a colon, or nothing where a legend names them.
fn titled(fits: &[Source<'_>], what: &str) -> String {
    match fits {
        [one] => format!("{}: {what}", one.name),
        _ => {
            let mut what = what.to_owned();
            if let Some(first) = what.get_mut(0..1) {
                first.make_ascii_uppercase();
            }
            what
        }
    }
}

fn too_many(count: usize, kind: &str, most: usize) -> Error {
    Error::user(format!(
        "{count} parameters are more than the {most} that a {kind} picture has room for"
    ))
    .with_help("choose fewer with --vars, such as --vars 'sigma*'")
}

pub(super) fn forest(fits: &[Source<'_>], options: &Options) -> Result<Scene> {
    let numbers = aligned(fits, &options.vars)?;
    if numbers.len() > ROWS {
        return Err(too_many(numbers.len(), "forest", ROWS));
    }
    let half = Prob::new(0.5)?;
    let rows: Vec<bars::Row> = numbers
        .into_iter()
        .map(|number| bars::Row {
            name: number.name,
            quantity: number.quantity,
            bars: number
                .elements
                .into_iter()
                .map(|one| {
                    let mut draws = one?.draws();
                    let mean = mean(&draws);
                    draws.sort_by(f64::total_cmp);
                    mean.is_finite().then(|| bars::Bar {
                        mean,
                        inner: options.interval.of(&draws, half),
                        outer: options.interval.of(&draws, options.prob),
                    })
                })
                .collect(),
        })
        .collect();
    let title = titled(fits, "means and intervals");
    let subtitle = format!("circle: mean; thick: 50 %; thin: {}", options.interval_name());
    Ok(bars::scene(
        options.width,
        (&title, &subtitle),
        &names(fits),
        &rows,
    ))
}

/// The curve of a number; none if it never changes.
fn curve(one: &Element<'_>, name: String, colour: Colour, options: &Options) -> Option<densities::Curve> {
    let mut draws = one.draws();
    let density = Density::of(&draws)?;
    let mean = mean(&draws);
    draws.sort_by(f64::total_cmp);
    Some(densities::Curve {
        name,
        density,
        mean,
        interval: options.interval.of(&draws, options.prob),
        colour,
    })
}

pub(super) fn density(fits: &[Source<'_>], options: &Options) -> Result<Scene> {
    let numbers = aligned(fits, &options.vars)?;
    let subtitle = format!("circle: mean; filled: {}", options.interval_name());
    let colours: Vec<(&str, Colour)> = names(fits)
        .into_iter()
        .enumerate()
        .map(|(number, name)| (name, series(number)))
        .collect();
    if options.vars.is_empty() {
        let panels = by_quantity(&numbers, fits.len(), options);
        let title = titled(fits, "posterior densities");
        return Ok(densities::panels(
            options.width,
            (&title, &subtitle),
            &colours,
            &panels,
        ));
    }
    let mut curves = Vec::new();
    let single = numbers.len() == 1;
    for Aligned { name, elements, .. } in &numbers {
        for (fit, one) in fits.iter().zip(elements) {
            let Some(one) = one else { continue };
            let called = match (fits.len(), single) {
                (1, _) => name.clone(),
                (_, true) => fit.name.to_owned(),
                (_, false) => format!("{name} of {}", fit.name),
            };
            curves.extend(curve(one, called, series(curves.len()), options));
        }
    }
    if curves.len() > SERIES.len() {
        return Err(Error::user(format!(
            "{} densities on one axis are more than the {} that can be told apart",
            curves.len(),
            SERIES.len()
        ))
        .with_help("choose fewer with --vars, or take the kind `ridge`"));
    }
    let what = match (&numbers[..], single) {
        ([one], true) => one.name.clone(),
        _ => numbers
            .iter()
            .map(|number| number.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    };
    let title = match fits {
        [one] => format!("{}: {what}", one.name),
        _ => what,
    };
    Ok(densities::shared(options.width, (&title, &subtitle), &curves))
}

/// A panel for each quantity; a set of numbers shares one.
fn by_quantity(numbers: &[Aligned<'_>], fits: usize, options: &Options) -> Vec<densities::Panel> {
    let mut panels: Vec<(String, usize, densities::Panel)> = Vec::new();
    for Aligned {
        quantity,
        name,
        elements,
    } in numbers
    {
        let curves = elements.iter().enumerate().filter_map(|(number, one)| {
            curve(
                one.as_ref()?,
                String::new(),
                if fits == 1 { BLUE } else { series(number) },
                options,
            )
        });
        match panels.last_mut().filter(|last| last.0 == *quantity) {
            Some((_, count, panel)) => {
                *count += 1;
                panel.lines_only = true;
                panel.curves.extend(curves);
            }
            None => panels.push((
                quantity.clone(),
                1,
                densities::Panel {
                    name: name.clone(),
                    curves: curves.collect(),
                    lines_only: false,
                },
            )),
        }
    }
    panels
        .into_iter()
        .map(|(quantity, count, panel)| densities::Panel {
            name: match count {
                1 => panel.name,
                many => format!("{quantity}, all {many}"),
            },
            ..panel
        })
        .collect()
}

pub(super) fn ridge(fits: &[Source<'_>], options: &Options) -> Result<Scene> {
    let mut numbers = aligned(fits, &options.vars)?;
    // Unasked, sets of numbers alone: single ones are on scales of their own.
    let is_set =
        |elements: &[Option<Element<'_>>]| elements.iter().flatten().any(|one| !one.quantity.dims.is_empty());
    if options.vars.is_empty() && numbers.iter().any(|number| is_set(&number.elements)) {
        numbers.retain(|number| is_set(&number.elements));
    }
    if numbers.len() > HILLS {
        return Err(too_many(numbers.len(), "ridge", HILLS));
    }
    let ridges: Vec<hills::Ridge> = numbers
        .iter()
        .map(|number| hills::Ridge {
            name: number.name.clone(),
            quantity: number.quantity.clone(),
            curves: number
                .elements
                .iter()
                .enumerate()
                .filter_map(|(number, one)| curve(one.as_ref()?, String::new(), series(number), options))
                .collect(),
        })
        .collect();
    let colours: Vec<(&str, Colour)> = names(fits)
        .into_iter()
        .enumerate()
        .map(|(number, name)| (name, series(number)))
        .collect();
    let title = titled(fits, "posterior densities");
    Ok(hills::scene(
        options.width,
        (
            &title,
            "dot: mean; heights are on one scale within a set of parameters",
        ),
        &colours,
        &ridges,
    ))
}
