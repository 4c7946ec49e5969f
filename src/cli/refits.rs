//! Models of the same data fitted again without some of the rows, all along the same cut.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::batched::progress;
use super::interrupt::stop_saying;
use super::output::{Notes, counted};
use super::predicted::Predicted;
use super::ticker::watched;
use crate::error::{Error, Result};
use crate::fit::Restored;
use crate::study::batch::{Done, Sampling, fit_wave};
use crate::study::{CrossValidation, Cut, Folds};

/// Fits each model, which goes by the name of its file, once for each fold and once to all rows; none if it was stopped.
///
/// # Errors
///
/// A user error for folds that suit none of the models, an outcome that does not belong to single rows, and a refit
/// without draws.
pub(super) fn predicted(
    models: Vec<(String, Restored)>,
    folds: &Folds,
    sampling: &Sampling,
    notes: Notes,
) -> Result<Option<Vec<Predicted>>> {
    let cut = cut(&models, folds, sampling.seed)?;
    let mut studies = Vec::with_capacity(models.len());
    for (file, restored) in models {
        let study = CrossValidation::along(&restored.model, restored.table, cut.clone(), sampling.seed)
            .map_err(|cause| of_file(&file, &cause))?;
        studies.push((file, study, restored.observations));
    }
    let each = cut.folds() as usize + 1;
    let wanted = each * studies.len();
    let mut what = counted(wanted, "refit");
    if studies.len() > 1 {
        what.push_str(&format!(", {each} of each model"));
    }
    notes.say(&format!(
        "{what}, each {} with {} of warm-up and {}; seed {}",
        counted(sampling.chains, "chain"),
        counted(sampling.warmup as usize, "iteration"),
        counted(sampling.draws, "draw"),
        sampling.seed,
    ));
    let started = Instant::now();
    let stop = stop_saying(|| "a comparison keeps nothing of refits before all are done")?;
    let done = Done::default();
    let line = |elapsed: Duration| progress("refit", &done, wanted, elapsed);
    let all = watched(&line, notes.quiet, || -> Result<Option<Vec<Predicted>>> {
        let mut all = Vec::with_capacity(studies.len());
        for (file, study, observations) in studies {
            let Some(part) = fit_wave(&study, sampling, 0..study.replicates(), &done, stop)? else {
                return Ok(None);
            };
            let predicted =
                Predicted::from_refits(&part, &cut, observations).map_err(|cause| of_file(&file, &cause))?;
            all.push(predicted);
        }
        Ok(Some(all))
    })?;
    match &all {
        Some(_) => {
            let retried = match done.retried.load(Relaxed) {
                0 => String::new(),
                count => format!(", {count} of them tried twice"),
            };
            notes.say(&format!(
                "{} in {:.1} s{retried}",
                counted(wanted, "refit"),
                started.elapsed().as_secs_f64()
            ));
        }
        None => notes.say("stopped: nothing of the comparison is kept"),
    }
    Ok(all)
}

/// The cut of the rows, which all models share; by the first of them that has the index.
fn cut(models: &[(String, Restored)], folds: &Folds, seed: u64) -> Result<Cut> {
    let mut refused = None;
    for (file, restored) in models {
        match Cut::of(&restored.model, folds, seed) {
            Ok(cut) => return Ok(cut),
            Err(cause) => refused = refused.or(Some(of_file(file, &cause))),
        }
    }
    Err(refused.unwrap_or_else(|| Error::bug("no model is there to be refitted")))
}

/// The same error, with the file that it is about; other than the user's go as they are.
fn of_file(file: &str, cause: &Error) -> Error {
    if cause.kind() != crate::error::Kind::User {
        return cause.clone();
    }
    let error = Error::user(format!("{file}: {}", cause.message()));
    match cause.help() {
        Some(help) => error.with_help(help),
        None => error,
    }
}
