//! Pictures of how well models predict rows that they were not fitted to.

use super::super::chart::criteria as chart;
use super::super::scale::short;
use super::super::scene::Scene;
use super::super::source::{Options, Source};
use crate::diag::elpd::difference;
use crate::error::{Error, Result};
use crate::fit::{Criterion, Elpd, Known, available_threads, data_difference};

/// The deviance that an elpd comes to.
fn deviance(elpd: f64) -> f64 {
    -2.0 * elpd
}

pub(super) fn compare(fits: &[Source<'_>], options: &Options) -> Result<Scene> {
    if fits.len() < 2 {
        return Err(Error::user("a comparison needs two fits or more").with_help("name further fit files"));
    }
    let mut elpds = Vec::new();
    for fit in fits {
        elpds.push(Elpd::of(fit.fit, fit.name, Criterion::Loo, available_threads())?);
    }
    for (fit, elpd) in fits.iter().zip(&elpds).skip(1) {
        let known = |fit: &Source<'_>, elpd: &'_ Elpd| (fit.name.to_owned(), elpd.observations.clone());
        let (first_name, first_rows) = known(&fits[0], &elpds[0]);
        let (name, rows) = known(fit, elpd);
        let of = |name, fit, observations| Known {
            name,
            fit,
            observations,
        };
        if let Some(how) = data_difference(
            of(&first_name, fits[0].fit, &first_rows),
            of(&name, fit.fit, &rows),
        ) {
            return Err(Error::user(format!(
                "the fits are of different data, so what they predict cannot be compared: {how}"
            ))
            .with_help("compare models of the same outcome in the same rows of the same table"));
        }
    }
    let mut order: Vec<usize> = (0..fits.len()).collect();
    order.sort_by(|&a, &b| elpds[b].total().sum.total_cmp(&elpds[a].total().sum));
    let best = elpds[order[0]].pointwise();
    let models: Vec<chart::Model> = order
        .iter()
        .enumerate()
        .map(|(place, &fit)| {
            let elpd = &elpds[fit];
            let total = elpd.total();
            let apart = difference(&best, &elpd.pointwise());
            chart::Model {
                name: fits[fit].name.to_owned(),
                // The log density of the rows fitted is what p was taken off.
                within: deviance(total.sum + elpd.p()),
                beyond: (deviance(total.sum), 2.0 * total.se),
                difference: (place > 0).then_some((2.0 * apart.sum, 2.0 * apart.se)),
            }
        })
        .collect();
    let doubtful: Vec<String> = fits
        .iter()
        .zip(&elpds)
        .filter(|(_, elpd)| elpd.own.is_some() || elpd.high_pareto_k().is_some_and(|count| count > 0))
        .map(|(fit, elpd)| match elpd.high_pareto_k() {
            Some(count) if count > 0 => format!("{} ({count} rows with a high Pareto k)", fit.name),
            Some(_) | None => fit.name.to_owned(),
        })
        .collect();
    let subtitle = if doubtful.is_empty() {
        "PSIS-LOO; all Pareto k are low".to_owned()
    } else {
        format!("PSIS-LOO, not to be trusted for {}", doubtful.join(", "))
    };
    Ok(chart::comparison(
        options.width,
        ("How well the models predict", &subtitle),
        &models,
    ))
}

pub(super) fn pareto_k(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let elpd = Elpd::of(fit.fit, fit.name, Criterion::Loo, available_threads())?;
    let limit = elpd.pareto_k_threshold();
    let tails: Vec<chart::Tail> = elpd
        .observations
        .iter()
        .zip(&elpd.rows)
        .map(|(observation, row)| chart::Tail {
            label: observation.label.clone(),
            k: row.pareto_k.unwrap_or(f64::NAN),
        })
        .collect();
    let title = format!("{}: tails of the importance ratios", fit.name);
    let subtitle = match elpd.high_pareto_k() {
        Some(count @ 1..) => format!(
            "{count} of {} rows above {}: PSIS-LOO cannot be trusted for them",
            tails.len(),
            short(limit)
        ),
        Some(0) | None => format!(
            "all {} rows below {}: PSIS-LOO can be trusted",
            tails.len(),
            short(limit)
        ),
    };
    Ok(chart::tails(options.width, (&title, &subtitle), &tails, limit))
}
