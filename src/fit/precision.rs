//! Stopping by precision: when the means are known well enough, and when to look again.
//!
//! A rule that looks again and again and stops at the first good reading is optimistic. So it looks seldom, at numbers
//! of draws that grow by a quarter at least and are predicted from the last look; and it asks the precision of the upper
//! end of a one-sided 95 % interval of the standard error, which is itself an estimate (compare Flegal, Gong 2015:
//! relative fixed-width stopping is consistent where the variance estimate is, and needs a least run length).

use super::keeper::Keeper;
use crate::diag::{Chains, NESTED_FROM_CHAINS, RHAT_LIMIT, Status, Streamed, rhat, rhat_nested};
use crate::error::Result;
use crate::sampler::share_out;

/// Standard normal quantile of 95 %.
const UPPER: f64 = 1.645;
/// Fewest draws of each chain before the first look.
const FIRST_DRAWS: usize = 32;
/// Bounds of the growth from one look to the next.
const GROWTH: (f64, f64) = (1.25, 4.0);
/// Growth where R-hat, or what is undefined yet, asks for more.
const BLIND_GROWTH: f64 = 1.5;
/// What is added to a prediction, which leaves half of the runs short otherwise.
const MARGIN: f64 = 1.1;

/// The largest standard error of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Worst {
    /// The number that has it, counted over all named numbers.
    pub(super) element: usize,
    /// In posterior sds.
    pub(super) mcse: f64,
    /// The same at the upper end of its own uncertainty.
    bound: f64,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    /// None if no parameter varies.
    pub(super) worst: Option<Worst>,
    /// The largest R-hat; only where the standard errors are small enough.
    pub(super) rhat: Option<f64>,
    /// Whether the run may stop.
    pub(super) suffices: bool,
}

/// The standard error of `streamed`'s mean in posterior sds, and its upper bound; none for what does not vary.
fn error_of(streamed: &Streamed) -> Option<(f64, f64)> {
    match streamed.status {
        Status::Constant => None,
        Status::Varying => {
            let mcse = streamed.mcse_mean / streamed.sd;
            Some((mcse, mcse * (1.0 + UPPER * streamed.mcse_error)))
        }
        // A mean that does not exist is never known.
        Status::NonFinite { .. } => Some((f64::INFINITY, f64::INFINITY)),
    }
}

/// Looks whether the first `parameters` named numbers are known to `target` posterior sds and their chains agree.
///
/// `superchain` is the number of chains in each ensemble of HMC; nested R-hat is judged from 64 chains on.
///
/// # Errors
///
/// Only faults of tadpool.
pub(super) fn look(
    keeper: &Keeper,
    target: f64,
    parameters: &[usize],
    chains: usize,
    superchain: Option<usize>,
    threads: usize,
) -> Result<Look> {
    let mut worst: Option<Worst> = None;
    let mut errors = vec![None; parameters.len()];
    share_out(
        parameters.len(),
        threads,
        &|at| Ok(error_of(&keeper.streamed(parameters[at]))),
        &mut |at, error| errors[at] = error,
    )?;
    for (&element, error) in parameters.iter().zip(&errors) {
        let Some((mcse, bound)) = *error else { continue };
        // A NaN, of too few draws, is worse than any number.
        if worst.is_none_or(|worst| !worst.bound.is_nan() && !(bound <= worst.bound)) {
            worst = Some(Worst { element, mcse, bound });
        }
    }
    if worst.is_some_and(|worst| !(worst.bound <= target)) {
        return Ok(Look {
            worst,
            rhat: None,
            suffices: false,
        });
    }
    let nested = superchain.filter(|size| chains >= NESTED_FROM_CHAINS && chains / size > 1);
    let mut largest: f64 = f64::NEG_INFINITY;
    let one = |at: usize| -> Result<f64> {
        let draws = keeper.column(parameters[at]);
        let draws = Chains::new(&draws, chains)?;
        Ok(match nested {
            Some(size) => rhat_nested(draws, size),
            None => rhat(draws),
        })
    };
    share_out(parameters.len(), threads, &one, &mut |at, rhat| {
        // That of a constant is undefined and blocks nothing; one of a number that varies must not pass as small.
        if errors[at].is_some() {
            largest = largest.max(if rhat.is_nan() { f64::INFINITY } else { rhat });
        }
    })?;
    Ok(Look {
        worst,
        rhat: Some(largest),
        suffices: largest < RHAT_LIMIT,
    })
}

/// Draws of each of `chains` chains before the first look: half of what independent draws would need.
pub(super) fn first_look(target: f64, chains: usize) -> usize {
    let independent = (1.0 / (target * target)).ceil();
    ((independent / 2.0 / chains as f64).ceil() as usize).max(FIRST_DRAWS)
}

/// Draws of each chain at the next look, after one at `done` draws.
pub(super) fn next_look(target: f64, done: usize, look: &Look) -> usize {
    let predicted = match look.worst {
        // Standard errors fall with the root of the draws.
        Some(worst) if look.rhat.is_none() && worst.bound.is_finite() => {
            MARGIN * (worst.bound / target).powi(2)
        }
        Some(_) | None => BLIND_GROWTH,
    };
    (done as f64 * predicted.clamp(GROWTH.0, GROWTH.1)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bound: f64, rhat: Option<f64>) -> Look {
        Look {
            worst: Some(Worst {
                element: 0,
                mcse: bound,
                bound,
            }),
            rhat,
            suffices: false,
        }
    }

    #[test]
    fn looks_are_seldom_and_predicted() {
        // 1/0.02² = 2,500 independent draws.
        assert_eq!(first_look(0.02, 4), 313);
        assert_eq!(first_look(0.02, 4096), 32);
        // 30 % above the target takes 1.69 times the draws, and a tenth more.
        assert_eq!(next_look(0.02, 1000, &found(0.026, None)), 1859);
        assert_eq!(next_look(0.02, 1000, &found(0.0201, None)), 1250);
        assert_eq!(next_look(0.02, 1000, &found(0.5, None)), 4000);
        assert_eq!(next_look(0.02, 1000, &found(0.019, Some(1.02))), 1500);
        assert_eq!(next_look(0.02, 1000, &found(f64::NAN, None)), 1500);
    }

    #[test]
    fn what_is_constant_is_known_and_what_is_infinite_never() {
        let streamed = Streamed {
            status: Status::Varying,
            mean: 1.0,
            sd: 2.0,
            mcse_mean: 0.05,
            mcse_error: 0.1,
            mcse_sd: f64::NAN,
            ess_bulk: f64::NAN,
            ess_tail: f64::NAN,
        };
        let (mcse, bound) = error_of(&streamed).expect("it varies");
        assert!((mcse - 0.025).abs() < 1e-15 && (bound - 0.025 * 1.1645).abs() < 1e-15);
        let constant = Streamed {
            status: Status::Constant,
            ..streamed
        };
        assert_eq!(error_of(&constant), None);
        let broken = Streamed {
            status: Status::NonFinite { count: 1 },
            ..streamed
        };
        assert_eq!(error_of(&broken), Some((f64::INFINITY, f64::INFINITY)));
    }
}
