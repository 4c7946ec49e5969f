//! `tadpool compare`: fits of the same data in, how well each predicts out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Outcome;
use super::args::{CompareArgs, Format, Method, Weights, as_typed};
use super::comparison::{Compared, Comparison};
use super::inputs::read_fit;
use super::output::{Notes, print};
use super::predicted::Predicted;
use super::refits;
use crate::diag::elpd::{pseudo_bma, pseudo_bma_plus, stacking};
use crate::error::{Error, Result};
use crate::fit::{Criterion, Elpd, Fit, Known, Observation, Restored, available_threads, data_difference};
use crate::study::Folds;
use crate::study::batch::{PRECISE, Sampling, WARMUP, least_ess};

/// Reads the files, evaluates each, prints the comparison.
pub(super) fn run(args: &CompareArgs) -> Result<Outcome> {
    let notes = Notes { quiet: false };
    distinct(&args.fits)?;
    if let Some(path) = &args.pointwise {
        keeps_fits(path, &args.fits)?;
    }
    let fits = args
        .fits
        .iter()
        .map(|path| Ok((path.display().to_string(), read_fit(path, notes)?)))
        .collect::<Result<Vec<_>>>()?;
    let method = args.method();
    let threads = args.threads.unwrap_or_else(available_threads);
    let predicted = match &method {
        Method::Draws(criterion) => by_draws(&fits, *criterion, threads, notes)?,
        Method::Refits(folds) => {
            let (chains, draws) = PRECISE;
            let (chains, draws) = (args.chains.unwrap_or(chains), args.draws.unwrap_or(draws));
            let sampling = Sampling {
                chains,
                warmup: args.warmup.unwrap_or(WARMUP),
                draws,
                seed: args.seed,
                min_ess: least_ess(chains, draws),
                threads,
            };
            match by_refits(&fits, folds, &sampling, notes)? {
                Some(predicted) => predicted,
                None => return Ok(Outcome::Interrupted),
            }
        }
    };
    let rows: Vec<Vec<f64>> = predicted.iter().map(Predicted::pointwise).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let weights = match args.weights {
        Weights::Stacking => stacking(&rows),
        Weights::PseudoBma => pseudo_bma(&rows),
        Weights::PseudoBmaPlus => pseudo_bma_plus(&rows, args.seed),
    };
    let names = names(&fits);
    let models = fits
        .into_iter()
        .zip(names)
        .zip(predicted)
        .zip(weights)
        .map(|((((file, _), name), predicted), weight)| Compared {
            name,
            file,
            predicted,
            weight,
        })
        .collect();
    let comparison = Comparison::new(models, method, args.scale, args.weights);
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

/// What the draws of each fit tell, by PSIS-LOO or WAIC.
fn by_draws(
    fits: &[(String, Fit)],
    criterion: Criterion,
    threads: usize,
    notes: Notes,
) -> Result<Vec<Predicted>> {
    let mut predicted = Vec::with_capacity(fits.len());
    for (file, fit) in fits {
        if fit.run.diagnostics.get("ok").and_then(Value::as_bool) == Some(false) {
            let summary = as_typed(&[OsString::new(), "summary".into(), file.into()]);
            notes.say(&format!(
                "the diagnostics of {file} found fault with its draws; `{summary}` tells which"
            ));
        }
        let elpd = Elpd::of(fit, file, criterion, threads)?;
        if elpd.is_recomputed {
            notes.say(&format!(
                "the log likelihood of each row, which {file} does not hold, was computed again from its draws"
            ));
        }
        predicted.push(Predicted::from_draws(elpd, criterion));
    }
    let observations: Vec<&[Observation]> = predicted
        .iter()
        .map(|predicted| predicted.observations.as_slice())
        .collect();
    same_data(fits, &observations)?;
    Ok(predicted)
}

/// What refits of each model tell; none if they were stopped.
fn by_refits(
    fits: &[(String, Fit)],
    folds: &Folds,
    sampling: &Sampling,
    notes: Notes,
) -> Result<Option<Vec<Predicted>>> {
    let models = fits
        .iter()
        .map(|(file, fit)| Ok((file.clone(), Restored::of(fit, file)?)))
        .collect::<Result<Vec<_>>>()?;
    let observations: Vec<&[Observation]> = models
        .iter()
        .map(|(_, restored)| restored.observations.as_slice())
        .collect();
    same_data(fits, &observations)?;
    refits::predicted(models, folds, sampling, notes)
}

/// Checks that all fits are of the data of the first; `observations` are those of each.
fn same_data(fits: &[(String, Fit)], observations: &[&[Observation]]) -> Result<()> {
    let known = |place: usize| Known {
        name: &fits[place].0,
        fit: &fits[place].1,
        observations: observations[place],
    };
    match (1..fits.len()).find_map(|place| data_difference(known(0), known(place))) {
        None => Ok(()),
        Some(difference) => Err(Error::user(format!(
            "the fits are of different data, so what they predict cannot be compared: {difference}"
        ))
        .with_help(
            "compare models of the same outcome in the same rows of the same table; where `drop_missing` leaves out \
             other rows, name the same columns in both models",
        )),
    }
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
fn names(fits: &[(String, Fit)]) -> Vec<String> {
    fits.iter()
        .map(|(file, fit)| {
            let name = &fit.run.model_name;
            let is_shared = fits
                .iter()
                .filter(|(_, other)| other.run.model_name == *name)
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
