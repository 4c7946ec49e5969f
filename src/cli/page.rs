//! The page that `fit` and `summary` print: what was run, the table, and whether it can be trusted.

use super::args::{Format, Printing};
use super::output::{Notes, counted};
use super::progress::rounded;
use super::style::{GOOD, HEADING, WARNING, styled};
use super::table;
use serde_json::Value;

use crate::fit::{Fit, Report};

/// The text for stdout in the form asked for. With CSV, which has no place for them, messages go to `notes`.
pub(super) fn page(fit: &Fit, report: &Report, printing: &Printing, notes: Notes) -> String {
    match printing.format {
        Format::Table => for_people(fit, report),
        Format::Json => format!("{:#}\n", report.to_json(fit)),
        Format::Csv => {
            for message in &report.verdict.messages {
                notes.say(message);
            }
            table::csv(report)
        }
    }
}

fn for_people(fit: &Fit, report: &Report) -> String {
    let mut text = format!("{}\n\n", heading(fit));
    text.push_str(&table::aligned(report));
    text.push('\n');
    text.push_str(&verdict(report));
    text
}

/// Model, data, algorithm, size, time: one or two lines.
fn heading(fit: &Fit) -> String {
    let run = &fit.run;
    let place = match &run.adapter {
        Some(adapter) => format!("on {adapter}"),
        None => format!("on the {}", run.backend.to_uppercase()),
    };
    let sampler = match run.sampler.as_str() {
        "nuts" => "NUTS",
        "hmc" => "ensemble HMC",
        other => other,
    };
    let timing = |key: &str| run.timing.get(key).and_then(Value::as_f64);
    let mut text = format!(
        "{}: {} rows, {} {place}, seed {}\n{} × {} after {} of warm-up",
        styled(HEADING, &run.model_name),
        run.rows,
        sampler,
        run.seed,
        counted(run.chains, "chain"),
        counted(run.draws, "draw"),
        run.warmup,
    );
    if let Some(total) = timing("total_seconds") {
        text.push_str(&format!(", {} s", seconds(total)));
    }
    if let Some(rate) = timing("gradients_per_second") {
        text.push_str(&format!(", {} gradients/s", rounded(rate)));
    }
    text
}

/// Seconds with two significant digits or none behind the point.
fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{s:.2}"),
        s if s < 10.0 => format!("{s:.1}"),
        s => format!("{s:.0}"),
    }
}

/// Whether the draws can be trusted, with the figures behind it, and every finding with its remedy.
fn verdict(report: &Report) -> String {
    let found = &report.verdict;
    let mut facts = vec![match found.divergences {
        0 => "no divergences".to_owned(),
        1 => "1 divergence".to_owned(),
        n => format!("{n} divergences"),
    }];
    facts.extend(
        found
            .nested_rhat
            .map(|rhat| format!("nested R-hat at most {rhat:.3}")),
    );
    if found.nested_rhat.is_none() {
        facts.extend(found.max_rhat.map(|rhat| format!("R-hat at most {rhat:.3}")));
    }
    facts.extend(
        found
            .min_ess_bulk
            .map(|ess| format!("bulk ESS at least {ess:.0}")),
    );
    facts.extend(
        found
            .min_ess_tail
            .map(|ess| format!("tail ESS at least {ess:.0}")),
    );
    let (style, word) = if found.ok {
        (GOOD, "Diagnostics: ok.")
    } else {
        (WARNING, "Diagnostics: these draws are not to be trusted yet.")
    };
    let mut text = format!("{} {}.\n", styled(style, word), capitalised(&facts.join(", ")));
    for message in &found.messages {
        text.push_str(&format!("  - {message}\n"));
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
