//! Pictures of new data, of priors, and of predictions for settings of the covariates.

use super::super::chart::{
    groups as group_chart, predictions as settings_chart, predictive as chart, prior as priors,
};
use super::super::scene::Scene;
use super::super::source::{Options, Source};
use super::rows::Predicted;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::predict::{self, Groups, Rows, Settings, Simulator, Spread, grid};

/// Data sets of the model that a picture is drawn from.
const SETS: usize = 200;
/// Draws from priors.
const PRIOR_DRAWS: u32 = 2000;
/// Panels at most.
const PANELS: usize = 40;
/// Groups beyond which a panel says nothing more.
const GROUPS: usize = 300;

pub(super) fn ppc(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let predicted = Predicted::of(fit, options)?;
    let draws = predicted.fitted.draws();
    let count = SETS.min(draws);
    let mut new = vec![vec![0.0; predicted.observed.len()]; count];
    let mut groupings = predicted.fitted.groupings();
    groupings.retain(|grouping| grouping.labels.len() <= GROUPS);
    let says = predicted.by_group(&groupings, predict::Kind::Response, &mut |row, values| {
        for (set, out) in new.iter_mut().enumerate() {
            out[row] = values[set * draws / count];
        }
    })?;
    let panels: Vec<group_chart::Panel> = groupings
        .iter()
        .zip(&says)
        .map(|(grouping, says)| predicted.panel(grouping, says, options))
        .collect();
    let outcomes = chart::Outcomes {
        name: predicted.nature.name.clone(),
        observed: predicted.observed.clone(),
        new,
        is_discrete: predicted.nature.is_discrete,
    };
    let title = format!("{}: new data and the data", fit.name);
    let subtitle = format!(
        "{count} data sets of the model over the same rows; bars: {}",
        options.interval_name()
    );
    Ok(chart::scene(
        options.width,
        (&title, &subtitle),
        &outcomes,
        (predicted.measure(), &panels),
        (options.interval, options.prob),
    ))
}

pub(super) fn prior(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let run = &fit.fit.run;
    let fitted = predict::Fitted::new(fit.fit)?;
    let simulated = Simulator::new(&run.model_name, &run.model_text, fitted.observed())?
        .replicates(options.seed, 0..PRIOR_DRAWS)?;
    let before = |name: &str| -> Option<Vec<f64>> {
        simulated.quantities.iter().find_map(|quantity| {
            let place = quantity.elements.iter().position(|own| own == name)?;
            let len = quantity.elements.len();
            Some(quantity.values.iter().skip(place).step_by(len).copied().collect())
        })
    };
    let pairs: Vec<priors::Pair> = fit
        .telling(&options.vars, PANELS)?
        .into_iter()
        .filter_map(|one| {
            Some(priors::Pair {
                prior: before(&one.name)?,
                posterior: one.draws(),
                name: one.name,
            })
        })
        .collect();
    let title = format!("{}: prior and posterior", fit.name);
    let subtitle = format!(
        "{PRIOR_DRAWS} draws from the priors, where the posterior lies{}",
        Source::telling_note(&options.vars)
    );
    Ok(priors::scene(options.width, (&title, &subtitle), &pairs))
}

pub(super) fn predictions(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let text = options.grid.as_deref().ok_or_else(|| {
        Error::user("predictions need settings of the covariates, and none are given")
            .with_help("give them with --grid, such as --grid \"prosoc_left=0,1 condition=0,1 actor=2\"")
    })?;
    let settings = Settings::parse(text)?;
    let predicted = Predicted::of(fit, options)?;
    settings.check(&predicted.fitted)?;
    let table = grid(&settings)?;
    let mut spreads = Vec::new();
    // Counts of trials are no part of the settings' meaning: shares are predicted where there are any.
    let kind = match predicted.nature.is_share {
        true => predict::Kind::Prob,
        false => predict::Kind::Mean,
    };
    predicted.predict(
        Rows::New(&table),
        &predicted.asked(kind, Groups::Sample),
        &mut |_, draws| {
            spreads.push(Spread::of(draws, options.interval, options.prob));
        },
    )?;
    let names: Vec<&str> = table.names().collect();
    let is_fixed = |name: &&&str| {
        table
            .column(name)
            .is_some_and(|column| (1..table.rows()).all(|row| column.cell(row) == column.cell(0)))
    };
    let fixed: Vec<&str> = names.iter().filter(is_fixed).copied().collect();
    let varying: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !fixed.contains(name))
        .collect();
    let cell = |name: &str, row: usize| table.column(name).map_or("", |column| column.cell(row));
    let rows: Vec<settings_chart::Setting> = spreads
        .iter()
        .enumerate()
        .map(|(row, spread)| {
            let label: Vec<&str> = varying.iter().map(|name| cell(name, row)).collect();
            settings_chart::Setting {
                at: match varying.as_slice() {
                    [one] => cell(one, row).parse().ok().filter(|_| is_number(&predicted, one)),
                    _ => None,
                },
                label: label.join("/"),
                mean: spread.mean,
                interval: (spread.lower, spread.upper),
                observed: observed(&predicted, &table, row),
            }
        })
        .collect();
    let told: Vec<String> = fixed
        .iter()
        .map(|name| format!("{name} = {}", cell(name, 0)))
        .collect();
    let title = format!("{}: predictions", fit.name);
    let at = if told.is_empty() {
        String::new()
    } else {
        format!("at {}; ", told.join(", "))
    };
    let subtitle = format!("{at}{}", options.interval_name());
    let varies = if varying.is_empty() {
        fixed.join("/")
    } else {
        varying.join("/")
    };
    Ok(settings_chart::scene(
        options.width,
        (&title, &subtitle),
        (&varies, &predicted.measured, predicted.nature.is_share),
        &rows,
    ))
}

/// Whether a column is one of numbers, and not the labels of groups.
fn is_number(predicted: &Predicted<'_>, name: &str) -> bool {
    predicted
        .fitted
        .groupings()
        .iter()
        .all(|grouping| grouping.index != name)
}

/// What was observed in the rows of the fit that have the settings of a row of the grid; none if there are none.
fn observed(predicted: &Predicted<'_>, grid: &Table, row: usize) -> Option<f64> {
    let table = predicted.fitted.observed();
    let groupings = predicted.fitted.groupings();
    let matches = |own: usize| {
        grid.columns().iter().all(|column| {
            let wanted = column.cell(row).trim();
            if let Some(grouping) = groupings.iter().find(|grouping| grouping.index == column.name()) {
                return grouping.labels[grouping.codes[own]] == wanted;
            }
            table.column(column.name()).is_some_and(|known| {
                let cell = known.cell(own).trim();
                cell == wanted
                    || matches!((cell.parse::<f64>(), wanted.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
            })
        })
    };
    let rows: Vec<usize> = (0..table.rows()).filter(|&own| matches(own)).collect();
    let sum = |values: &[f64]| rows.iter().map(|&own| values[own]).sum::<f64>();
    let size = sum(&predicted.sizes);
    (size > 0.0).then(|| sum(&predicted.observed) / size)
}
