//! What a study shows, from what it is and what it kept: the sheet for people, and the same as JSON.
//!
//! One file for each study; here is what they share.

mod calibration;
mod power;
mod prediction;
mod recovery;

use serde_json::{Map, Value, json};

use super::batch::RHAT_LIMIT;
use super::manifest::{Aim, Manifest};
use super::quantities::faults;
use super::record::{Part, Status};
use super::sheet::{Grid, Section, Sheet};
use crate::error::Result;
use crate::plot::study::Heading;

/// Rows of a table on a terminal.
const ROWS: usize = 24;

/// The share of replicates that may stay without a sound fit before a study says that something is wrong.
const UNSOUND_LIMIT: f64 = 0.01;

/// What a study shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// For people.
    pub sheet: Sheet,
    /// For programs.
    pub json: Value,
}

impl Findings {
    /// Of a whole study.
    ///
    /// # Errors
    ///
    /// A user error if no replicate has draws.
    pub fn of(manifest: &Manifest, part: &Part) -> Result<Self> {
        let mut findings = match manifest.aim {
            Aim::Recover => recovery::findings(manifest, part)?,
            Aim::Sbc => calibration::findings(manifest, part)?,
            Aim::Power => power::findings(manifest, part)?,
            Aim::Kfold => prediction::findings(manifest, part)?,
        };
        let unsound = part
            .records
            .iter()
            .filter(|record| !record.status.is_sound())
            .count();
        let share = unsound as f64 / part.records.len().max(1) as f64;
        findings.sheet.messages.extend(faults(part));
        findings.sheet.sections.push(fits(part));
        let mut json = Map::new();
        json.insert("study".to_owned(), manifest.aim.word().into());
        json.insert("model".to_owned(), manifest.model_name.as_str().into());
        json.insert("seed".to_owned(), manifest.seed.into());
        json.insert("replicates".to_owned(), manifest.replicates.into());
        json.insert("chains".to_owned(), manifest.chains.into());
        json.insert("warmup".to_owned(), manifest.warmup.into());
        json.insert("draws".to_owned(), manifest.draws.into());
        json.insert("backend".to_owned(), manifest.backend.as_str().into());
        json.insert("device".to_owned(), manifest.device.as_str().into());
        json.insert("prob".to_owned(), manifest.prob.get().into());
        json.insert("interval".to_owned(), manifest.interval.name().into());
        let mut options: Map<String, Value> = Map::new();
        for (name, value) in &manifest.options {
            // An option may be given several times: each is a list.
            let list = options.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(value.as_str().into());
            }
        }
        json.insert("options".to_owned(), Value::Object(options));
        let counts: Map<String, Value> = Status::ALL
            .iter()
            .map(|status| (status.word().to_owned(), part.count(*status).into()))
            .collect();
        json.insert("status".to_owned(), Value::Object(counts));
        json.insert("unsound_share".to_owned(), share.into());
        json.insert(
            "verdict".to_owned(),
            json!({
                "ok": findings.sheet.ok,
                "text": findings.sheet.verdict,
                "messages": findings.sheet.messages,
            }),
        );
        if let Value::Object(own) = findings.json {
            json.extend(own);
        }
        findings.json = Value::Object(json);
        Ok(findings)
    }
}

/// The value of one of the aim's options.
fn option<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    let mut options = manifest.options.iter();
    options
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// All values of an option that may be given several times.
fn all_of<'m>(manifest: &'m Manifest, name: &'m str) -> impl Iterator<Item = &'m str> {
    let own = manifest.options.iter().filter(move |(known, _)| known == name);
    own.map(|(_, value)| value.as_str())
}

fn title(manifest: &Manifest, what: &str) -> String {
    format!("{}: {what}", manifest.model_name)
}

fn heading<'a>(title: &'a str, subtitle: &'a str) -> Heading<'a> {
    Heading { title, subtitle }
}

/// How many replicates cannot be trusted, where they are too many, and what may help.
fn too_many_unsound(part: &Part) -> Vec<String> {
    let all = part.records.len();
    let (lost, diverged) = (lost(part), part.count(Status::Diverged));
    let mut texts = Vec::new();
    if are_many(lost, part) {
        texts.push(format!(
            "{lost} of {all} fits did not converge or gave no draws; a longer `--warmup` or more `--draws` may mend them, or \
             other priors"
        ));
    }
    if are_many(diverged, part) {
        texts.push(format!(
            "in {diverged} of {all} fits chains agree, but some transitions diverged: their posteriors have places that no step \
             size suits, and tighter priors of scales may mend that"
        ));
    }
    texts
}

/// Whether so few fits did not converge, or gave no draws, that the study can be judged. Divergent transitions alone, of
/// which a message tells, do not keep it from that.
fn is_judged(part: &Part) -> bool {
    !are_many(lost(part), part)
}

/// Fits that did not converge, or gave no draws.
fn lost(part: &Part) -> usize {
    part.count(Status::Unconverged) + part.count(Status::Failed)
}

fn are_many(count: usize, part: &Part) -> bool {
    count as f64 > UNSOUND_LIMIT * part.records.len() as f64
}

/// How the fits went.
fn fits(part: &Part) -> Section {
    let all = part.records.len();
    let rows = Status::ALL
        .iter()
        .map(|status| {
            let count = part.count(*status);
            let means = match status {
                Status::Ok => "converged at once",
                Status::Retried => "converged at the second, longer try",
                Status::Diverged => {
                    "converged, but for some transitions that diverged at the second try too; kept"
                }
                Status::Unconverged => "did not converge at the second try either; kept",
                Status::Failed => "gave no draws; named in the table of replicates",
            };
            vec![
                status.word().to_owned(),
                count.to_string(),
                format!("{:.1} %", 100.0 * count as f64 / all.max(1) as f64),
                means.to_owned(),
            ]
        })
        .collect();
    Section {
        title: "Fits".to_owned(),
        text: vec![format!(
            "A fit is tried again if it diverges, if some R-hat is above {RHAT_LIMIT}, or if some quantity has too few \
             effective draws."
        )],
        grid: Grid {
            heads: ["fits", "count", "share", ""].map(str::to_owned).to_vec(),
            rows,
        },
        most: Status::ALL.len(),
        pictures: Vec::new(),
    }
}

/// Names in a row, cut where they are many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 6;
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    text
}

fn finite(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}
