//! How a fit came about, and what it takes to repeat it.

use serde_json::Value;

use super::Subject;
use super::markup::{Align, Cell, Page};

/// The sampler by its name.
fn sampler(word: &str) -> &str {
    match word {
        "nuts" => "NUTS",
        "hmc" => "ensemble HMC",
        other => other,
    }
}

/// The run in a line.
pub(super) fn in_brief(subject: &Subject<'_>) -> String {
    let fit = subject.fit();
    let run = &fit.run;
    let place = match &run.adapter {
        Some(adapter) => adapter.clone(),
        None => run.backend.to_uppercase(),
    };
    format!(
        "`{}`, {} rows; {} on {place}, {} chains × {} draws after {} of warm-up; seed {}.",
        run.data_name,
        run.rows,
        sampler(&run.sampler),
        run.chains,
        fit.draws(),
        run.warmup,
        run.seed
    )
}

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>) {
    let fit = subject.fit();
    let run = &fit.run;
    page.heading(depth, "How to reproduce");
    page.paragraph(
        "",
        &format!(
            "Save the text of the model, take the data whose fingerprint stands below, and type this with tadpool {}. The \
             same seed gives the same draws on the same back end.",
            run.version
        ),
    );
    page.code(&run.command);
    let timing = |key: &str| run.timing.get(key).and_then(Value::as_f64);
    let mut facts: Vec<(&str, String)> = vec![
        ("fit file", subject.file.to_owned()),
        ("fitted at", run.created_at.clone()),
        ("tadpool that fitted", run.version.clone()),
        ("tadpool of this page", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed", run.seed.to_string()),
        ("data", run.data_name.clone()),
        ("fingerprint of the data", run.data_fingerprint.clone()),
        ("rows", run.rows.to_string()),
        ("back end", run.backend.clone()),
    ];
    facts.extend(run.adapter.clone().map(|adapter| ("adapter", adapter)));
    facts.extend([
        ("sampler", sampler(&run.sampler).to_owned()),
        ("chains", run.chains.to_string()),
        ("warm-up of each", run.warmup.to_string()),
        ("draws of each", fit.draws().to_string()),
        ("iterations for a draw", run.thin.to_string()),
    ]);
    if let Some(streamed) = fit.streamed.as_ref().filter(|streamed| streamed.stride > 1) {
        facts.push((
            "draws in the file",
            format!(
                "{} of each chain, one in {}; means, sds, errors and ESS are over all",
                run.draws, streamed.stride
            ),
        ));
    }
    facts.extend(run.ending.clone().map(|ending| ("ended because", ending)));
    facts.extend(timing("total_seconds").map(|seconds| ("seconds", format!("{seconds:.2}"))));
    let rows: Vec<Vec<Cell>> = facts
        .iter()
        .map(|(name, value)| vec![Cell::text(name), Cell::text(value)])
        .collect();
    page.table(&[("fact", Align::Left), ("value", Align::Left)], &rows);
}
