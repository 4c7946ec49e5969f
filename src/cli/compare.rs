//! `tadpool compare`: fits of the same data in, how well each predicts out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Outcome;
use super::args::{CompareArgs, Format, Weights, as_typed};
use super::comparison::{Compared, Comparison};
use super::inputs::read_fit;
use super::output::{Notes, print};
use crate::diag::elpd::{pseudo_bma, pseudo_bma_plus, stacking};
use crate::error::{Error, Result};
use crate::fit::{Elpd, Fit, Known, available_threads, data_difference};

/// Reads the files, evaluates each, prints the comparison.
pub(super) fn run(args: &CompareArgs) -> Result<Outcome> {
    let notes = Notes { quiet: false };
    let criterion = args.criterion().map_err(|fault| Error::bug(fault.to_string()))?;
    distinct(&args.fits)?;
    if let Some(path) = &args.pointwise {
        keeps_fits(path, &args.fits)?;
    }
    let mut fits = Vec::with_capacity(args.fits.len());
    for path in &args.fits {
        let fit = read_fit(path, notes)?;
        if fit.run.diagnostics.get("ok").and_then(Value::as_bool) == Some(false) {
            let summary = as_typed(&[OsString::new(), "summary".into(), path.into()]);
            notes.say(&format!(
                "the diagnostics of {} found fault with its draws; `{summary}` tells which",
                path.display()
            ));
        }
        let file = path.display().to_string();
        let elpd = Elpd::of(&fit, &file, criterion, available_threads())?;
        if elpd.is_recomputed {
            notes.say(&format!(
                "the log likelihood of each row, which {file} does not hold, was computed again from its draws"
            ));
        }
        fits.push((file, fit, elpd));
    }
    for (file, fit, elpd) in &fits[1..] {
        let (first_file, first, first_elpd) = &fits[0];
        let one = Known {
            name: first_file,
            fit: first,
            observations: &first_elpd.observations,
        };
        let other = Known {
            name: file,
            fit,
            observations: &elpd.observations,
        };
        if let Some(difference) = data_difference(one, other) {
            return Err(Error::user(format!(
                "the fits are of different data, so what they predict cannot be compared: {difference}"
            ))
            .with_help(
                "compare models of the same outcome in the same rows of the same table; where `drop_missing` leaves \
                 out other rows, name the same columns in both models",
            ));
        }
    }
    let names = names(&fits);
    let outcomes = outcomes(&fits[0].2);
    let rows: Vec<Vec<f64>> = fits.iter().map(|(_, _, elpd)| elpd.pointwise()).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let weights = match args.weights {
        Weights::Stacking => stacking(&rows),
        Weights::PseudoBma => pseudo_bma(&rows),
        Weights::PseudoBmaPlus => pseudo_bma_plus(&rows, args.seed),
    };
    let models = names
        .into_iter()
        .zip(fits)
        .zip(weights)
        .map(|((name, (file, _, elpd)), weight)| Compared {
            name,
            file,
            elpd,
            weight,
        })
        .collect();
    let comparison = Comparison::new(models, criterion, args.scale, args.weights, outcomes);
    if let Some(path) = &args.pointwise {
        write(path, &comparison.pointwise_csv())?;
        notes.say(&format!("what each row contributes is in {}", path.display()));
    }
    print(&match args.format {
        Format::Table => comparison.table(),
        Format::Json => format!("{:#}\n", comparison.json()),
        Format::Csv => {
            for message in comparison.messages() {
                notes.say(&message);
            }
            comparison.csv()
        }
    })?;
    Ok(Outcome::Done)
}

/// Checks that no file is given twice, by whatever path.
fn distinct(paths: &[PathBuf]) -> Result<()> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in paths {
        let Ok(found) = fs::canonicalize(path) else {
            // Reading it tells what is wrong.
            continue;
        };
        if seen.contains(&found) {
            return Err(
                Error::user(format!("the fit file {} is given twice", path.display()))
                    .with_help("give each fit once"),
            );
        }
        seen.push(found);
    }
    Ok(())
}

/// Checks that the file of pointwise values would replace none of the fits.
fn keeps_fits(path: &Path, fits: &[PathBuf]) -> Result<()> {
    let target = fs::canonicalize(path);
    let same = |fit: &&PathBuf| {
        let fit = fs::canonicalize(fit);
        matches!((&target, fit), (Ok(target), Ok(fit)) if *target == fit)
    };
    match fits.iter().find(same) {
        Some(fit) => Err(Error::user(format!(
            "--pointwise {} is the fit file {} itself, which it would replace",
            path.display(),
            fit.display()
        ))
        .with_help("name another file, such as `--pointwise rows.csv`")),
        None => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|fault| {
        Error::environment(format!("{} cannot be written: {fault}", path.display()))
            .with_help("name a file in a folder that can be written with `--pointwise FILE`")
    })
}

/// What the models are called: by their names, with the file where two have the same.
fn names(fits: &[(String, Fit, Elpd)]) -> Vec<String> {
    fits.iter()
        .map(|(file, fit, _)| {
            let name = &fit.run.model_name;
            let is_shared = fits
                .iter()
                .filter(|(_, other, _)| other.run.model_name == *name)
                .count()
                > 1;
            if is_shared {
                format!("{name} ({file})")
            } else {
                name.clone()
            }
        })
        .collect()
}

/// The outcomes with their observations, in order.
fn outcomes(elpd: &Elpd) -> Vec<(String, usize)> {
    elpd.observations
        .chunk_by(|a, b| a.outcome == b.outcome)
        .map(|of_one| (of_one[0].outcome.clone(), of_one.len()))
        .collect()
}
