//! Pictures of the groups of a fit's rows.

use super::super::chart::{errors, groups as chart, population as populations};
use super::super::scene::Scene;
use super::super::source::{Options, Source};
use super::rows::Predicted;
use crate::data::Column;
use crate::diag::{mean, quantile};
use crate::error::{Error, Result};
use crate::predict::{self, Grouping, Groups, Rows};

pub(super) fn shrinkage(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let predicted = Predicted::of(fit, options)?;
    let groupings = predicted.groupings(fit.name)?;
    let says = predicted.by_group(&groupings, predict::Kind::Mean, &mut |_, _| {})?;
    let populations = predicted.fitted.populations()?;
    let mut panels = Vec::new();
    for (grouping, says) in groupings.iter().zip(&says) {
        let mut panel = predicted.panel(grouping, says, options);
        if populations
            .iter()
            .any(|population| population.index == grouping.index)
        {
            panel.overall = overall(&predicted, grouping)?;
        }
        panels.push(panel);
    }
    let title = format!("{}: observed and estimated", fit.name);
    let subtitle = format!(
        "{} by group; lines: {}",
        predicted.measured,
        options.interval_name()
    );
    Ok(chart::shrinkage(
        options.width,
        (&title, &subtitle),
        predicted.measure(),
        &panels,
    ))
}

/// What rows would be expected to be with a new level at its population's mean; none where that mean does not exist.
fn overall(predicted: &Predicted<'_>, grouping: &Grouping) -> Result<Option<f64>> {
    let table = with_new_level(predicted, grouping)?;
    let asked = predicted.asked(predict::Kind::Mean, Groups::Average);
    let mut sum = 0.0;
    let done = predicted.predict(Rows::New(&table), &asked, &mut |_, draws| sum += mean(draws));
    match done {
        Ok(()) => Ok(Some(sum / predicted.sizes.iter().sum::<f64>())),
        Err(error) if error.kind() == crate::error::Kind::User => Ok(None),
        Err(error) => Err(error),
    }
}

/// The rows of the fit, all in a level that it has not seen.
fn with_new_level(predicted: &Predicted<'_>, grouping: &Grouping) -> Result<crate::data::Table> {
    let table = predicted.fitted.observed();
    let label = Predicted::new_label(grouping);
    let cells = std::iter::repeat_n(label.as_str(), table.rows());
    table
        .clone()
        .with_column(Column::from_cells(&grouping.index, cells))
}

/// Curves of a population picture.
const CURVES: usize = 100;
/// Places at which each is computed.
const GRID: usize = 200;

pub(super) fn population(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let predicted = Predicted::of(fit, options)?;
    let found = predicted.fitted.populations()?;
    if found.is_empty() {
        return Err(Error::user(format!(
            "{} has no population: no effect has a distribution whose parameters are inferred",
            fit.name
        ))
        .with_help("this picture is of models with lines such as `a[tank] ~ Normal(mu, sigma)`"));
    }
    let groupings = predicted.fitted.groupings();
    let mut panels = Vec::new();
    for population in &found {
        let Some(grouping) = groupings
            .iter()
            .find(|grouping| grouping.index == population.index)
        else {
            continue;
        };
        let mut effects = population.new_levels(options.seed)?;
        effects.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&effects, 0.005), quantile(&effects, 0.995));
        let grid: Vec<f64> = (0..GRID)
            .map(|place| low + (high - low) * place as f64 / (GRID - 1) as f64)
            .collect();
        let count = CURVES.min(population.draws());
        let curves = (0..count)
            .map(|curve| {
                let draw = curve * population.draws() / count;
                grid.iter().map(|x| population.density(draw, *x)).collect()
            })
            .collect();
        panels.push(populations::Panel {
            effect: population.effect.clone(),
            index: population.index.clone(),
            grid,
            curves,
            measure: predicted.measured.clone(),
            new: match panels
                .iter()
                .any(|panel: &populations::Panel| panel.index == population.index)
            {
                true => Vec::new(),
                false => new_groups(&predicted, grouping)?,
            },
            is_share: predicted.nature.is_share,
        });
    }
    let title = format!("{}: populations", fit.name);
    let subtitle =
        "left: in a hundred draws of the posterior; right: one new level for each draw, in rows as observed";
    Ok(populations::scene(options.width, (&title, subtitle), &panels))
}

/// What is expected of a new level, one for each draw, in the rows of the fit by turns.
fn new_groups(predicted: &Predicted<'_>, grouping: &Grouping) -> Result<Vec<f64>> {
    let table = with_new_level(predicted, grouping)?;
    let rows = table.rows();
    let mut new = vec![f64::NAN; predicted.fitted.draws()];
    let asked = predicted.asked(predict::Kind::Mean, Groups::Sample);
    predicted.predict(Rows::New(&table), &asked, &mut |row, draws| {
        for draw in (row..draws.len()).step_by(rows) {
            new[draw] = draws[draw] / predicted.sizes[row];
        }
    })?;
    Ok(new)
}

pub(super) fn calibration(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let predicted = Predicted::of(fit, options)?;
    let groupings = predicted.groupings(fit.name)?;
    let says = predicted.by_group(&groupings, predict::Kind::Response, &mut |_, _| {})?;
    let panels: Vec<chart::Panel> = groupings
        .iter()
        .zip(&says)
        .map(|(grouping, says)| predicted.panel(grouping, says, options))
        .collect();
    let inside = |panel: &chart::Panel| {
        let within = |group: &&chart::Group| (group.interval.0..=group.interval.1).contains(&group.observed);
        let count = panel.groups.iter().filter(within).count();
        format!("{count} of {} by {}", panel.groups.len(), panel.index)
    };
    let counts: Vec<String> = panels.iter().map(inside).collect();
    let title = format!("{}: predicted against observed", fit.name);
    let subtitle = format!(
        "lines: {} of new data; they meet what was observed in {}",
        options.interval_name(),
        counts.join(", ")
    );
    Ok(chart::calibration(
        options.width,
        (&title, &subtitle),
        predicted.measure(),
        &panels,
    ))
}

pub(super) fn error(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    if options.truth.is_empty() {
        return Err(Error::user("errors need the truth, and none was given").with_help(
            "name a CSV file with the columns name and value, as `tadpool simulate` writes it, with --truth",
        ));
    }
    let truth = |name: &str| {
        let found = options.truth.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    };
    let all = match options.vars.is_empty() {
        true => fit.elements(),
        false => fit.chosen(&options.vars)?,
    };
    // The first set of numbers whose truth is known.
    let quantity = all
        .iter()
        .find(|one| one.quantity.dims.len() == 1 && truth(&one.name).is_some())
        .map(|one| one.quantity)
        .ok_or_else(|| {
            Error::user(format!(
                "the truth names none of the sets of numbers of {}{}",
                fit.name,
                if options.vars.is_empty() {
                    ""
                } else {
                    " that are chosen"
                }
            ))
            .with_help("names are those of `tadpool summary`, such as `a_tank[1]`")
        })?;
    let known: Vec<_> = all
        .iter()
        .filter(|one| one.quantity.name == quantity.name)
        .filter_map(|one| Some((one, truth(&one.name)?)))
        .collect();
    let predicted = Predicted::of(fit, options)?;
    let groupings = predicted.fitted.groupings();
    let index = &quantity.dims[0].name;
    let grouping = groupings
        .iter()
        .find(|grouping| grouping.index == *index)
        .ok_or_else(|| {
            Error::user(format!("`{}` is not a number of groups of rows", quantity.name))
                .with_help("choose another with --vars")
        })?;
    let says = predicted.by_group(
        std::slice::from_ref(grouping),
        predict::Kind::Mean,
        &mut |_, _| {},
    )?;
    let panel = predicted.panel(grouping, &says[0], options);
    let mut places = Vec::new();
    let (mut own, mut raw) = (Vec::new(), Vec::new());
    let mut is_measured = true;
    for (one, truth) in known {
        let label = one.label();
        let Some(group) = panel.groups.iter().find(|group| group.label == label) else {
            continue;
        };
        let draws = one.draws();
        let level = grouping
            .labels
            .iter()
            .position(|other| *other == label)
            .unwrap_or_default();
        // What was observed is on the scale of the number only if the number is what is expected to be observed.
        is_measured &= draws
            .iter()
            .zip(&says[0][level])
            .all(|(own, measured)| (own - measured).abs() <= 1e-9 * measured.abs().max(1.0));
        raw.push((group.observed - truth).abs());
        own.push((mean(&draws) - truth).abs());
        places.push(errors::Place {
            label: label.to_owned(),
            size: group.size,
        });
    }
    let mut methods = vec![errors::Method {
        name: "estimated by the model".to_owned(),
        errors: own,
    }];
    if is_measured {
        methods.push(errors::Method {
            name: "observed, group by group".to_owned(),
            errors: raw,
        });
    }
    let title = format!("{}: errors of {}", fit.name, quantity.name);
    let subtitle = "distance of the estimate's mean from the truth";
    Ok(errors::scene(
        options.width,
        (&title, subtitle),
        (index, &format!("absolute error of {}", quantity.name)),
        &places,
        &methods,
    ))
}
