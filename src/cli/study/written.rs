//! What comes of a whole study: tables, pictures, report and `study.json` in its folder, the sheet on stdout.

use std::path::Path;

use serde_json::{Value, json};

use super::super::Outcome;
use super::super::args::Format;
use super::super::files::{write_text, write_whole};
use super::super::output::{Notes, print};
use super::super::table::field;
use crate::error::Result;
use crate::study::{Findings, Manifest, Part, write_tables};

/// How long a run took; none for a study that was merged.
pub(super) struct Timing {
    pub(super) seconds: f64,
    /// Replicates of this run.
    pub(super) replicates: usize,
    pub(super) gradient_evaluations: u64,
}

/// Writes and prints what a study shows.
///
/// # Errors
///
/// An environment error if the folder cannot be written; a user error if no replicate has draws, which its tables then
/// explain.
pub(super) fn finish(
    folder: &Path,
    manifest: &Manifest,
    part: &Part,
    timing: Option<&Timing>,
    format: Format,
    notes: Notes,
) -> Result<Outcome> {
    // First, so that they are there whatever else is wrong.
    write_tables(folder, part)?;
    let Findings { sheet, mut json } = Findings::of(manifest, part)?;
    if let (Value::Object(all), Some(timing)) = (&mut json, timing) {
        all.insert(
            "timing".to_owned(),
            json!({
                "total_seconds": timing.seconds,
                "replicates": timing.replicates,
                "replicates_per_second": timing.replicates as f64 / timing.seconds,
                "gradient_evaluations": timing.gradient_evaluations,
            }),
        );
    }
    let text = format!("{json:#}\n");
    for shown in sheet.pictures() {
        for (ending, bytes) in [
            ("svg", shown.picture.svg.as_bytes()),
            ("png", shown.picture.png.as_slice()),
        ] {
            let path = folder.join(format!("{}.{ending}", shown.stem));
            write_whole(&path, &|to| std::io::Write::write_all(to, bytes))?;
        }
    }
    let page = sheet.page(&facts(manifest, timing), &manifest.model_text);
    write_text(&folder.join("report.html"), &page)?;
    write_text(&folder.join("study.json"), &text)?;
    print(&match format {
        Format::Table => sheet.printed(),
        Format::Json => text,
        Format::Csv => csv(&json),
    })?;
    notes.say(&format!(
        "tables, pictures and report.html are in {}",
        folder.display()
    ));
    Ok(Outcome::judged(true, sheet.ok))
}

/// What the study is about, a line each with every digit: quantities, designs or rows.
fn csv(json: &Value) -> String {
    let lists = ["elements", "quantities", "designs", "rows"];
    let Some(list) = lists.iter().find_map(|name| json[*name].as_array()) else {
        return String::new();
    };
    let mut heads: Vec<String> = Vec::new();
    let mut lines: Vec<Vec<(String, String)>> = Vec::new();
    for one in list {
        let mut cells = Vec::new();
        flatten("", one, &mut cells);
        for (name, _) in &cells {
            if !heads.contains(name) {
                heads.push(name.clone());
            }
        }
        lines.push(cells);
    }
    let mut text = heads.iter().map(|head| field(head)).collect::<Vec<_>>().join(",") + "\n";
    for cells in lines {
        let of = |head: &String| {
            let found = cells.iter().find(|(name, _)| name == head);
            found.map_or_else(String::new, |(_, value)| field(value))
        };
        text.push_str(&heads.iter().map(of).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// The numbers and words of a value by their names: `bias.mcse`.
fn flatten(name: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    let below = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}.{key}"),
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| flatten(&below(key), value, cells)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(place, value)| flatten(&below(&(place + 1).to_string()), value, cells)),
        Value::Null => cells.push((name.to_owned(), String::new())),
        Value::String(text) => cells.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => cells.push((name.to_owned(), value.to_string())),
    }
}

fn facts(manifest: &Manifest, timing: Option<&Timing>) -> Vec<(String, String)> {
    let mut facts = vec![
        ("tadpool".to_owned(), manifest.version.clone()),
        ("data".to_owned(), manifest.data_name.clone()),
        ("seed".to_owned(), manifest.seed.to_string()),
        ("replicates".to_owned(), manifest.replicates.to_string()),
        (
            "each".to_owned(),
            format!(
                "{} chains, {} iterations of warm-up, {} draws of each chain",
                manifest.chains, manifest.warmup, manifest.draws
            ),
        ),
        (
            "back end".to_owned(),
            format!("{}, {}", manifest.backend, manifest.device),
        ),
    ];
    let shown = manifest.options.iter().filter(|(name, _)| name != "size");
    facts.extend(shown.cloned());
    if let Some(timing) = timing {
        facts.push((
            "time".to_owned(),
            format!(
                "{:.1} s for {} replicates, {:.1} a second",
                timing.seconds,
                timing.replicates,
                timing.replicates as f64 / timing.seconds
            ),
        ));
    }
    facts
}
