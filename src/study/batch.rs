//! The batch: many replicates fitted in one run, each with its own data, adaptation and random streams.
//!
//! A replicate that diverges, does not converge or meets numbers that are not finite is tried once more, from other
//! starting points, with shorter steps, four times the warm-up and four times the iterations for the same number of draws;
//! then the better of both is kept, and its record says so. Its numbers depend on the seed and its own number alone: not on
//! threads, waves, or which others run.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::draws::{Draws, ranked_of};
use super::record::{Estimate, Kind as What, Part, Record, Status};
use crate::error::{Error, Kind, Result};
use crate::model::Model;
use crate::sampler::{self, Sampler, Samples, Settings, State, Watch, share_out};

/// How much longer the second try is.
const PATIENCE: u32 = 4;
/// The acceptance that the steps of the first and of the second try are adapted to. At .99 chains that hit a wall now and
/// then take steps so short that a trajectory does not get round: of the hardest replicates of m12_5 two in five stayed
/// unconverged, at .9 one in twenty.
const TARGETS: (f64, f64) = (0.8, 0.9);
/// R-hat from which on chains are held to disagree. Sixteen chains of a hundred draws that agree reach 1.03.
pub const RHAT_LIMIT: f64 = 1.05;

/// Iterations of warm-up at the first try, unless others are asked for.
pub const WARMUP: u32 = 300;
/// Chains and draws of each where many data sets are fitted.
pub const MANY: (usize, usize) = (16, 128);
/// The same where each fit's own error counts.
pub const PRECISE: (usize, usize) = (64, 500);
/// Bulk effective draws that every quantity of a fit of `chains` chains of `draws` draws needs: as many as the truth is ranked
/// among (127, of short fits fewer), so that these are nearly independent.
pub fn least_ess(chains: usize, draws: usize) -> f64 {
    ranked_of(chains, draws).len() as f64
}

/// How each replicate is sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// Chains, in ensembles of 16 where their number allows it.
    pub chains: usize,
    /// Iterations of warm-up at the first try.
    pub warmup: u32,
    /// Draws kept of each chain.
    pub draws: usize,
    /// Seed of the study.
    pub seed: u64,
    /// Bulk effective draws that every quantity needs.
    pub min_ess: f64,
    /// Threads.
    pub threads: usize,
}

/// A data set with what is known about it, ready to be fitted.
#[derive(Debug)]
pub struct Prepared<T> {
    /// The model over the replicate's data.
    pub model: Model,
    /// What the study knows besides.
    pub known: T,
}

/// What a study does with each of its replicates.
pub trait Study: Sync {
    /// What is known about a replicate besides its data.
    type Known: Send + Sync;

    /// Makes the data set of a replicate and compiles the model over it.
    ///
    /// # Errors
    ///
    /// A user error for a data set that cannot be made or fitted, which becomes part of the replicate's record.
    fn prepare(&self, replicate: u32) -> Result<Prepared<Self::Known>>;

    /// The model of some replicate: what all have in common can be seen by it.
    ///
    /// # Errors
    ///
    /// A user error if none can be made.
    fn example(&self) -> Result<Model> {
        Ok(self.prepare(0)?.model)
    }

    /// The numbers that are kept.
    ///
    /// # Errors
    ///
    /// Those of the model.
    fn digest(
        &self,
        replicate: u32,
        prepared: &Prepared<Self::Known>,
        draws: &Draws<'_>,
    ) -> Result<Vec<Estimate>>;
}

/// What a batch has done so far; any thread raises it.
#[derive(Debug, Default)]
pub struct Done {
    /// Replicates whose record is there.
    pub replicates: AtomicUsize,
    /// Of these, replicates that were tried twice.
    pub retried: AtomicUsize,
}

impl Done {
    /// Counts a replicate, if it was not stopped.
    pub(super) fn count(&self, made: Option<&Made>) {
        if let Some((record, _)) = made {
            self.replicates.fetch_add(1, Ordering::Relaxed);
            if record.status != Status::Ok {
                self.retried.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Fits the replicates of `range` on the CPU.
///
/// Once `stop` is raised no more are begun, and none at all is returned: a part is whole or not there.
///
/// # Errors
///
/// Faults of tadpool and of the machine; a user error if all replicates failed, with the cause of the first.
pub fn fit_wave<S: Study>(
    study: &S,
    sampling: &Sampling,
    range: Range<u32>,
    done: &Done,
    stop: &AtomicBool,
) -> Result<Option<Part>> {
    let count = range.len();
    let mut parts: Vec<Option<Made>> = (0..count).map(|_| None).collect();
    share_out(
        count,
        sampling.threads,
        &|place| {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let made = replicate(study, sampling, range.start + place as u32, stop)?;
            done.count(made.as_ref());
            Ok(made)
        },
        &mut |place, made| parts[place] = made,
    )?;
    Ok(joined(parts))
}

/// The part of replicates in their order; none if one is missing.
pub(super) fn joined(made: Vec<Option<Made>>) -> Option<Part> {
    let mut part = Part::default();
    for made in made {
        let (record, mut estimates) = made?;
        part.records.push(record);
        part.estimates.append(&mut estimates);
    }
    Some(part)
}

/// A record with its estimates.
pub(super) type Made = (Record, Vec<Estimate>);

/// Fits one replicate, twice if need be; none if it was stopped.
fn replicate<S: Study>(
    study: &S,
    sampling: &Sampling,
    replicate: u32,
    stop: &AtomicBool,
) -> Result<Option<Made>> {
    match study.prepare(replicate) {
        Ok(prepared) => tries(
            study,
            sampling,
            (replicate, &prepared),
            &[1, PATIENCE],
            (None, 0),
            stop,
        ),
        Err(error) => Ok(Some((failed(replicate, 0, &error)?, Vec::new()))),
    }
}

/// The second try of a replicate whose first one ended with `made`.
pub(super) fn second_try<S: Study>(
    study: &S,
    sampling: &Sampling,
    prepared: (u32, &Prepared<S::Known>),
    made: Made,
    stop: &AtomicBool,
) -> Result<Option<Made>> {
    let gradient_evaluations = made.0.gradient_evaluations;
    tries(
        study,
        sampling,
        prepared,
        &[PATIENCE],
        (Some(made), gradient_evaluations),
        stop,
    )
}

/// Tries until one is sound; none if it was stopped.
fn tries<S: Study>(
    study: &S,
    sampling: &Sampling,
    (replicate, prepared): (u32, &Prepared<S::Known>),
    patiences: &[u32],
    (mut last, mut gradient_evaluations): (Option<Made>, u64),
    stop: &AtomicBool,
) -> Result<Option<Made>> {
    for &patience in patiences {
        let samples = match sample(&prepared.model, sampling, replicate, patience, stop) {
            Ok(samples) => samples,
            Err(error) => {
                let record = failed(replicate, gradient_evaluations, &error)?;
                last = Some(last.unwrap_or((record, Vec::new())));
                continue;
            }
        };
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        gradient_evaluations += samples.gradient_evaluations;
        let made = digested(
            study,
            sampling,
            (replicate, prepared),
            (samples, patience),
            gradient_evaluations,
        )?;
        let is_sound = made.0.status.is_sound();
        last = Some(match last {
            // A second try that went worse than the first is worth no more than that.
            Some(mut first) if first.0.status < made.0.status => {
                first.0.gradient_evaluations = gradient_evaluations;
                first
            }
            _ => made,
        });
        if is_sound {
            break;
        }
    }
    Ok(last)
}

/// The record and the estimates of a try.
pub(super) fn digested<S: Study>(
    study: &S,
    sampling: &Sampling,
    (replicate, prepared): (u32, &Prepared<S::Known>),
    (samples, patience): (Samples, u32),
    gradient_evaluations: u64,
) -> Result<Made> {
    let draws = Draws::new(&prepared.model, samples);
    let estimates = study.digest(replicate, prepared, &draws)?;
    let record = judged(
        replicate,
        sampling,
        patience,
        &draws,
        &estimates,
        gradient_evaluations,
    );
    Ok((record, estimates))
}

/// The draws of a try.
fn sample(
    model: &Model,
    sampling: &Sampling,
    replicate: u32,
    patience: u32,
    stop: &AtomicBool,
) -> Result<Samples> {
    let settings = settings(sampling, replicate, patience);
    let mut state = State::dispersed_anew(model, &settings, u32::from(patience > 1))?;
    if patience > 1 {
        // Other random numbers than at the first try.
        state.iteration = sampling.warmup + sampling.draws as u32;
    }
    let observer = |_| {};
    let watch = Watch {
        observer: &observer,
        stop,
    };
    sampler::run(model, &settings, &state, watch)
}

pub(super) fn settings(sampling: &Sampling, replicate: u32, patience: u32) -> Settings {
    Settings {
        sampler: Sampler::Hmc,
        chains: sampling.chains,
        warmup: sampling.warmup.saturating_mul(patience),
        draws: sampling.draws,
        thin: patience,
        seed: sampling.seed,
        replicate,
        target_accept: if patience > 1 { TARGETS.1 } else { TARGETS.0 },
        directions: true,
        threads: 1,
    }
}

/// The record of a replicate without draws.
///
/// # Errors
///
/// Faults that are not the data set's own.
pub(super) fn failed(replicate: u32, gradient_evaluations: u64, error: &Error) -> Result<Record> {
    if error.kind() != Kind::User {
        return Err(error.clone());
    }
    Ok(Record {
        replicate,
        status: Status::Failed,
        draws: 0,
        divergences: 0,
        max_rhat: f64::NAN,
        min_ess: f64::NAN,
        gradient_evaluations,
        message: error.message().to_owned(),
    })
}

/// What the draws of a try say about it.
fn judged(
    replicate: u32,
    sampling: &Sampling,
    patience: u32,
    draws: &Draws<'_>,
    estimates: &[Estimate],
    gradient_evaluations: u64,
) -> Record {
    let divergences = draws.divergences();
    let convergence = Convergence::of(estimates, sampling.min_ess);
    let (max_rhat, min_ess) = (convergence.max_rhat, convergence.min_ess);
    let (status, message) = status(convergence, divergences, patience);
    let (chains, each) = draws.shape();
    Record {
        replicate,
        status,
        draws: (chains * each) as u32,
        divergences,
        max_rhat,
        min_ess,
        gradient_evaluations,
        message,
    }
}

/// How a try ended, and what is to be said of it. Divergences name only a fit that has no other fault.
fn status(convergence: Convergence, divergences: u32, patience: u32) -> (Status, String) {
    match convergence.fault {
        Some(fault) => (Status::Unconverged, fault),
        None if divergences > 0 => {
            let transitions = if divergences == 1 {
                "transition"
            } else {
                "transitions"
            };
            (Status::Diverged, format!("{divergences} divergent {transitions}"))
        }
        None if patience > 1 => (Status::Retried, String::new()),
        None => (Status::Ok, String::new()),
    }
}

/// Whether the chains of a try agree, and say enough.
struct Convergence {
    max_rhat: f64,
    min_ess: f64,
    /// What is wrong, if anything is.
    fault: Option<String>,
}

impl Convergence {
    /// Of the quantities that `estimates` are about, each of which needs `min_ess` effective draws.
    fn of(estimates: &[Estimate], min_ess: f64) -> Self {
        let own = || {
            estimates
                .iter()
                .filter(|estimate| matches!(estimate.kind, What::Parameter | What::Derived | What::Mean))
        };
        // Quantities that never change, a correlation's 1 say, have neither R-hat nor ESS.
        let varying = || own().filter(|estimate| estimate.sd != 0.0 && !estimate.rhat.is_nan());
        let untold =
            own().find(|estimate| estimate.sd != 0.0 && estimate.mean.is_finite() && estimate.rhat.is_nan());
        let worst = varying().max_by(|a, b| a.rhat.total_cmp(&b.rhat));
        let least = varying().min_by(|a, b| a.ess_bulk.total_cmp(&b.ess_bulk));
        let broken = own().find(|estimate| {
            estimate.mean.is_nan() && (estimate.kind == What::Parameter || !estimate.truth.is_nan())
        });
        let fault = if let Some(estimate) = broken {
            Some(format!("draws of {} are not finite", estimate.quantity))
        } else if let Some(estimate) = untold {
            Some(format!("{} has too few draws for an R-hat", estimate.quantity))
        } else if let Some(estimate) = worst.filter(|estimate| estimate.rhat > RHAT_LIMIT) {
            Some(format!("R-hat of {} is {:.3}", estimate.quantity, estimate.rhat))
        } else {
            least
                .filter(|estimate| estimate.ess_bulk < min_ess)
                .map(|estimate| {
                    format!(
                        "{} has {:.0} effective draws",
                        estimate.quantity, estimate.ess_bulk
                    )
                })
        };
        Self {
            max_rhat: worst.map_or(f64::NAN, |estimate| estimate.rhat),
            min_ess: least.map_or(f64::NAN, |estimate| estimate.ess_bulk),
            fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn estimate(quantity: &str, rhat: f64, ess_bulk: f64) -> Estimate {
        Estimate {
            mean: 0.3,
            sd: 1.0,
            rhat,
            ess_bulk,
            ..Estimate::unknown(0, What::Parameter, Arc::from(quantity))
        }
    }

    fn ended(estimates: &[Estimate], divergences: u32, patience: u32) -> (Status, String) {
        status(Convergence::of(estimates, 100.0), divergences, patience)
    }

    #[test]
    fn chains_that_disagree_are_not_converged_whether_or_not_they_diverge() {
        let estimates = [estimate("a", 1.01, 900.0), estimate("sigma", 1.2, 40.0)];
        for divergences in [0, 7] {
            let (status, message) = ended(&estimates, divergences, PATIENCE);
            assert_eq!(status, Status::Unconverged);
            assert_eq!(message, "R-hat of sigma is 1.200");
        }
        let (status, message) = ended(&[estimate("a", 1.01, 99.0)], 1, 1);
        assert_eq!(status, Status::Unconverged);
        assert_eq!(message, "a has 99 effective draws");
    }

    #[test]
    fn chains_that_agree_are_named_by_their_divergences_and_their_tries() {
        let estimates = [estimate("a", 1.01, 900.0)];
        let diverged = |text: &str| (Status::Diverged, text.to_owned());
        assert_eq!(ended(&estimates, 1, 1), diverged("1 divergent transition"));
        assert_eq!(
            ended(&estimates, 2, PATIENCE),
            diverged("2 divergent transitions")
        );
        assert_eq!(ended(&estimates, 0, PATIENCE).0, Status::Retried);
        assert_eq!(ended(&estimates, 0, 1).0, Status::Ok);
    }

    #[test]
    fn what_cannot_be_told_is_a_fault_and_what_never_changes_is_none() {
        let constant = Estimate {
            sd: 0.0,
            ..estimate("Rho[1,1]", f64::NAN, f64::NAN)
        };
        let sound = estimate("a", 1.01, 900.0);
        assert_eq!(ended(&[constant.clone(), sound.clone()], 0, 1).0, Status::Ok);
        let untold = Estimate {
            rhat: f64::NAN,
            ..sound.clone()
        };
        assert_eq!(ended(&[constant, untold], 0, 1).0, Status::Unconverged);
        let broken = Estimate {
            mean: f64::NAN,
            ..sound
        };
        let (status, message) = ended(&[broken], 0, 1);
        assert_eq!(
            (status, message.as_str()),
            (Status::Unconverged, "draws of a are not finite")
        );
    }
}
