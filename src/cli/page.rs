//! The page that `fit` and `summary` print: what was run, the table, and whether it can be trusted.

use std::ffi::OsString;
use std::path::Path;

use super::args::{Format, Printing, as_typed};
use super::output::{Notes, counted};
use super::progress::rounded;
use super::style::{GOOD, HEADING, WARNING, styled};
use super::table;
use serde_json::Value;

use crate::diag::NESTED_FROM_CHAINS;
use crate::fit::{Fit, Report};

/// The text for stdout in the form asked for. With CSV, which has no place for them, messages go to `notes`.
///
/// The table leaves out the middle of large quantities if `file`, where the fit can be read again, is given.
pub(super) fn page(
    fit: &Fit,
    report: &Report,
    printing: &Printing,
    file: Option<&Path>,
    notes: Notes,
) -> String {
    match printing.format {
        Format::Table => for_people(fit, report, file),
        Format::Json => format!("{:#}\n", report.to_json(fit)),
        Format::Csv => {
            for message in &report.verdict.messages {
                notes.say(message);
            }
            table::csv(report)
        }
    }
}

fn for_people(fit: &Fit, report: &Report, file: Option<&Path>) -> String {
    let file = file.map(|file| as_typed(&[OsString::new(), "summary".into(), file.into()]));
    let more = file.map(|command| move |name: &str| format!("{command} {name}"));
    let more = more.as_ref().map(|more| more as &dyn Fn(&str) -> String);
    // The one that the verdict judges by.
    let nested = fit.run.chains >= NESTED_FROM_CHAINS && report.verdict.nested_rhat.is_some();
    let mut text = format!("{}\n\n", heading(fit));
    text.push_str(&table::aligned(report, nested, more));
    text.push('\n');
    text.push_str(&verdict(report, nested));
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
        counted(fit.draws(), "draw"),
        run.warmup,
    );
    if let Some(total) = timing("total_seconds") {
        text.push_str(&format!(", {} s", seconds(total)));
    }
    if let Some(rate) = timing("gradients_per_second") {
        text.push_str(&format!(", {} gradients/s", rounded(rate)));
    }
    if let Some(streamed) = fit.streamed.as_ref().filter(|streamed| streamed.stride > 1) {
        text.push_str(&format!(
            "\nmeans, sds, errors and ESS over all draws; intervals and R-hat from one draw in {}, which were kept",
            streamed.stride
        ));
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
fn verdict(report: &Report, nested: bool) -> String {
    let found = &report.verdict;
    let mut facts = vec![match found.divergences {
        0 => "no divergences".to_owned(),
        1 => "1 divergence".to_owned(),
        n => format!("{n} divergences"),
    }];
    if nested {
        let rhat = found.nested_rhat;
        facts.extend(rhat.map(|rhat| format!("nested R-hat at most {rhat:.3}")));
    } else {
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
    facts.extend(
        report
            .max_f32_discrepancy
            .map(|most| format!("f32 against f64 off by at most {most:.1e}")),
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
