//! What comes of a whole study: tables, pictures, report and `study.json` in its folder, the sheet on stdout.

use std::path::Path;

use serde_json::{Value, json};

use super::super::Outcome;
use super::super::args::{Format, Printing};
use super::super::files::{write_text, write_whole};
use super::super::output::{Notes, print};
use super::super::table::field;
use crate::error::Result;
use crate::study::{Findings, Manifest, Part, Sheet, write_tables};

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
    printing: &Printing,
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
    print(&match printing.format {
        Format::Table => sheet.printed(),
        Format::Json => text,
        Format::Csv => csv(&sheet),
    })?;
    notes.say(&format!(
        "tables, pictures and report.html are in {}",
        folder.display()
    ));
    Ok(Outcome::judged(true, sheet.ok))
}

/// The first table of the sheet.
fn csv(sheet: &Sheet) -> String {
    let mut text = String::new();
    let Some(grid) = sheet
        .sections
        .iter()
        .map(|section| &section.grid)
        .find(|grid| !grid.heads.is_empty())
    else {
        return text;
    };
    for row in std::iter::once(&grid.heads).chain(&grid.rows) {
        let cells: Vec<String> = row.iter().map(|cell| field(cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
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
