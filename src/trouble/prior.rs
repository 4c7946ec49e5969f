//! The prior predictive against the data: outcomes that the priors hold for likely and no data set has.

use crate::data::{Table, short_number};
use crate::dist::Support;
use crate::error::Result;
use crate::lang::ast::{StatementKind, Targets};
use crate::lang::report::{Level, quoted};
use crate::lang::{Report, Span, parse};
use crate::model::Model;
use crate::predict::Simulator;

/// Simulated data sets: the shares below are means over data sets that have their parameters in common within, so the
/// standard error of a share is at most 1/2/√200, less than 4 in 100.
const REPLICATES: u32 = 200;
/// Fewer of them tell nothing.
const FEWEST: u32 = 20;
/// The most numbers, of parameters or of outcomes, that are simulated.
const MOST_NUMBERS: usize = 1 << 24;
/// So many times the data's range on both sides of its middle is far outside.
const FAR: f64 = 10.0;
/// Probabilities nearer than this to 0 or 1 are extreme: of a hundred rows one is different.
const EXTREME: f64 = 0.01;
/// Shares of values far outside from which on there is a note, and a warning.
const OUTSIDE: [f64; 2] = [0.1, 0.5];
/// The same for extreme probabilities; a Normal(0, 5) prior of a logit has a share of 0.36, a Normal(0, 10) one of 0.65.
const BIMODAL: [f64; 2] = [0.5, 0.9];
/// The share of simulated values beyond either end of what the priors hold for possible.
const TAIL: f64 = 0.001;
const SEED: u64 = 1;

/// The findings; a reason where nothing could be simulated.
pub(super) fn against_data(model: &Model, table: &Table) -> Result<std::result::Result<Vec<Report>, String>> {
    let simulator = match Simulator::new(model.name(), model.text(), table) {
        Ok(simulator) => simulator,
        Err(error) => return Ok(Err(error.message().to_owned())),
    };
    let replicates = (MOST_NUMBERS / simulator.size().max(1)).min(REPLICATES as usize) as u32;
    if replicates < FEWEST {
        return Ok(Err(format!(
            "one simulated data set has {} numbers, too many for {FEWEST} of them",
            simulator.size()
        )));
    }
    let mut reports = Vec::new();
    let likelihoods = &model.lowered().likelihoods;
    let successes = |support| matches!(support, Support::Binary | Support::CountsUpTo);
    let spans = targets(model);
    let place = |name: &str| {
        let known = spans.iter().find(|(known, _)| known == name);
        known.map_or(Span::at(0), |(_, span)| *span)
    };
    if likelihoods
        .iter()
        .any(|likelihood| successes(likelihood.family.support()))
    {
        match simulator.probabilities(SEED, 0..replicates) {
            Ok(outcomes) => {
                for (name, probabilities) in outcomes {
                    reports.extend(extreme(&name, place(&name), &probabilities, replicates));
                }
            }
            Err(error) => reports.push(impossible(error.message(), place(first_outcome(model)))),
        }
    }
    if likelihoods
        .iter()
        .any(|likelihood| !successes(likelihood.family.support()))
    {
        match simulator.replicates(SEED, 0..replicates) {
            Ok(simulated) => {
                for likelihood in likelihoods {
                    let own = simulated
                        .outcomes
                        .iter()
                        .find(|(name, _)| *name == likelihood.outcome);
                    let (Some((name, values)), false) = (own, successes(likelihood.family.support())) else {
                        continue;
                    };
                    let observed = simulator.design().complete_numeric(name)?;
                    let span = place(name);
                    reports.extend(far_outside(name, span, observed, values, replicates));
                    reports.extend(out_of_reach(name, span, observed, values, replicates));
                }
            }
            Err(error) => reports.push(impossible(error.message(), place(first_outcome(model)))),
        }
    }
    Ok(Ok(reports))
}

/// The names left of `~`, with their places.
fn targets(model: &Model) -> Vec<(String, Span)> {
    // The text was compiled before; were it not to parse, findings would go without their places.
    let Ok(tree) = parse(model.name(), model.text()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for statement in &tree.statements {
        if let StatementKind::Stochastic(line) = &statement.kind
            && let Targets::Separate(vars) = &line.targets
        {
            found.extend(vars.iter().map(|var| (var.name.text.clone(), var.span)));
        }
    }
    found
}

fn first_outcome(model: &Model) -> &str {
    let first = model.lowered().likelihoods.first();
    first.map_or("", |likelihood| likelihood.outcome.as_str())
}

fn levelled(share: f64, [note, warning]: [f64; 2]) -> Option<Level> {
    if share > warning {
        Some(Level::Warning)
    } else {
        (share > note).then_some(Level::Note)
    }
}

fn impossible(message: &str, span: Span) -> Report {
    Report::warning(
        "the priors hold outcomes for likely that cannot be simulated".to_owned(),
        span,
        "an outcome",
    )
    .with_note(message)
    .with_help("narrow the priors of its parameters")
}

/// Probabilities near 0 or 1 for most rows.
fn extreme(name: &str, span: Span, probabilities: &[f64], replicates: u32) -> Option<Report> {
    let near = |p: &&f64| **p < EXTREME || **p > 1.0 - EXTREME;
    let share = probabilities.iter().filter(near).count() as f64 / probabilities.len().max(1) as f64;
    let level = levelled(share, BIMODAL)?;
    Some(
        Report {
            level,
            ..Report::note(
            format!(
                "the priors hold {} for nearly certain one way or the other in {} of its rows",
                quoted(name),
                percent(share)
            ),
            span,
            "an outcome of successes and failures",
        )}
        .with_note(format!(
            "of the probabilities in {replicates} data sets simulated from the priors, {} are below {EXTREME} or above {}",
            percent(share),
            1.0 - EXTREME
        ))
        .with_help(
            "narrow the priors of what its linear predictor adds up: Normal(0, 1.5) on a logit spreads probabilities evenly; \
             `tadpool simulate` shows what priors say",
        ),
    )
}

/// Simulated values far outside the data.
fn far_outside(name: &str, span: Span, observed: &[f64], values: &[f64], replicates: u32) -> Option<Report> {
    let (low, high) = ends(observed);
    let (middle, reach) = (f64::midpoint(low, high), FAR * (high - low));
    if reach <= 0.0 {
        return None;
    }
    // A value that overflowed is far outside.
    let far = |y: &&f64| (**y - middle).abs() > reach || !y.is_finite();
    let share = values.iter().filter(far).count() as f64 / values.len().max(1) as f64;
    let level = levelled(share, OUTSIDE)?;
    Some(
        Report {
            level,
            ..Report::note(
            format!(
                "the priors hold values of {} for likely that lie far outside the data",
                quoted(name)
            ),
            span,
            format!("from {} to {} in the data", short_number(low), short_number(high)),
        )}
        .with_note(format!(
            "of the values in {replicates} data sets simulated from the priors, {} lie below {} or above {}: {FAR} times \
             the range of the data around its middle",
            percent(share),
            short_number(middle - reach),
            short_number(middle + reach)
        ))
        .with_help("narrow the priors until they make data that could be; `tadpool simulate` shows what priors say"),
    )
}

/// Data where the priors hold hardly anything for possible.
fn out_of_reach(name: &str, span: Span, observed: &[f64], values: &[f64], replicates: u32) -> Option<Report> {
    let mut sorted = values.to_vec();
    let at = |sorted: &mut Vec<f64>, place: usize| *sorted.select_nth_unstable_by(place, f64::total_cmp).1;
    let tail = (TAIL * values.len() as f64) as usize;
    let last = values.len().checked_sub(tail + 1)?;
    let (low, high) = (at(&mut sorted, tail), at(&mut sorted, last));
    let beyond = observed.iter().filter(|y| **y < low || **y > high).count();
    let share = beyond as f64 / observed.len().max(1) as f64;
    if share <= 0.5 {
        return None;
    }
    let (least, most) = ends(observed);
    Some(
        Report::warning(
            format!("the priors hardly hold the data of {} for possible", quoted(name)),
            span,
            format!("from {} to {} in the data", short_number(least), short_number(most)),
        )
        .with_note(format!(
            "of the values in {replicates} data sets simulated from the priors, 998 of 1000 lie between {} and {}; {} of \
             the data lie outside",
            short_number(low),
            short_number(high),
            percent(share)
        ))
        .with_help(
            "move or widen the priors, that of the intercept first; or write the model for a standardized outcome",
        ),
    )
}

fn ends(x: &[f64]) -> (f64, f64) {
    (
        x.iter().copied().fold(f64::INFINITY, f64::min),
        x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    )
}

fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}
