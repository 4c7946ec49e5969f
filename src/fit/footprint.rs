//! What a run takes of memory, and what there is.

use super::options::{Keep, LOG_LIK_BYTES, LogLik, Options, Plan};
use super::sample::available_threads;
use crate::diag::Accumulator;
use crate::error::{Error, Result};
use crate::lang::QuantityKind;
use crate::model::Model;

/// What draws may take that are added until a precision is met: 1 GiB, or half of what is available.
pub const GROWING_BYTES: u128 = 1 << 30;

/// What the kept draws of a summary take; at least [`FEWEST_DRAWS`] of each chain are kept.
const SUBSET_BYTES: usize = 64 << 20;
/// Fewest draws of a chain that a summary keeps.
pub(super) const FEWEST_DRAWS: usize = 8;
/// What the draws of a unit take, all threads together, before they are digested.
const UNIT_BYTES: usize = 128 << 20;

/// Memory that a run may take where the system does not tell: 64 GiB.
const UNKNOWN_MEMORY: u128 = 64 << 30;

/// The memory that a run takes at its peak, as a function of the draws of each chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Footprint {
    chains: usize,
    keep: Keep,
    /// Whatever the number of draws.
    fixed: u128,
    /// For each draw of all chains.
    per_draw: u128,
}

/// Numbers of one draw that are named: those of parameters, and all.
pub(super) fn named_numbers(model: &Model) -> (usize, usize) {
    let (mut parameters, mut all) = (0, 0);
    for quantity in &model.lowered().quantities {
        let numbers: usize = quantity.dims.iter().map(|dim| dim.labels.len()).product();
        all += numbers;
        if quantity.kind != QuantityKind::Derived {
            parameters += numbers;
        }
    }
    (parameters, all)
}

/// The most draws of each chain that a summary of `named` numbers keeps; it keeps at least half of them, if there are.
pub(super) fn subset_draws(chains: usize, named: usize) -> usize {
    (SUBSET_BYTES / (chains * named.max(1) * size_of::<f64>())).max(FEWEST_DRAWS)
}

/// Bytes of a draw of all groups that are at work at once: its position and its named numbers.
fn working_bytes(model: &Model, options: &Options, plan: &Plan) -> usize {
    let (_, named) = named_numbers(model);
    let threads = options.threads.unwrap_or_else(available_threads);
    let chains = match (&plan.adapter, plan.sampler) {
        (Some(_), _) => plan.chains,
        (None, crate::sampler::Sampler::Nuts) => threads.min(plan.chains),
        (None, crate::sampler::Sampler::Hmc) => {
            let layout = crate::sampler::Layout::of(plan.chains);
            threads.min(layout.ensembles) * layout.chains_per_ensemble
        }
    };
    chains * (model.dim() + named) * size_of::<f64>()
}

/// The most draws of a round, so that what waits to be digested stays within [`UNIT_BYTES`].
pub(super) fn round_draws(model: &Model, options: &Options, plan: &Plan) -> usize {
    (UNIT_BYTES / working_bytes(model, options, plan).max(1)).max(1)
}

/// What the draws of a round take before they are digested.
fn unit_bytes(model: &Model, options: &Options, plan: &Plan) -> usize {
    working_bytes(model, options, plan) * round_draws(model, options, plan).min(plan.draws)
}

impl Footprint {
    /// The footprint of a run.
    pub(super) fn of(model: &Model, options: &Options, plan: &Plan) -> Self {
        /// The program itself and its text.
        const PROGRAM: u128 = 24 << 20;
        /// Energy, log density, acceptance, step size and leapfrog steps at eight bytes each, and a flag.
        const STATISTICS: usize = 5 * size_of::<f64>() + 1;
        /// What a thread takes for each draw while it summarises one number: draws, keys and origins of the sort
        /// twice, scores of ranks and of folded ranks.
        const SUMMARISING: usize = 72;
        let (_, named) = named_numbers(model);
        let threads = options
            .threads
            .unwrap_or_else(available_threads)
            .min(named.max(1));
        let of_draw = |pointwise: usize| -> u128 {
            let kept = size_of::<f64>() * (named + pointwise) + STATISTICS;
            plan.chains as u128 * (kept + SUMMARISING * threads) as u128
        };
        let states = plan.chains as u128 * (model.dim() * size_of::<f64>()) as u128 * 3;
        let fixed = PROGRAM + states + unit_bytes(model, options, plan) as u128;
        match options.keep {
            Keep::All => Self {
                chains: plan.chains,
                keep: Keep::All,
                fixed: fixed
                    + if options.log_lik == LogLik::Auto {
                        LOG_LIK_BYTES as u128
                    } else {
                        0
                    },
                per_draw: of_draw(match options.log_lik {
                    LogLik::All => model.num_observations(),
                    LogLik::Auto | LogLik::None => 0,
                }),
            },
            Keep::Summary => Self {
                chains: plan.chains,
                keep: Keep::Summary,
                // The streams twice: those of a round replace the ones before once it is whole.
                fixed: fixed
                    + of_draw(0) * subset_draws(plan.chains, named) as u128
                    + 2 * plan.chains as u128 * Accumulator::bytes_per_chain(plan.chains, named) as u128,
                per_draw: 0,
            },
        }
    }

    /// The bytes of a run of `draws` draws a chain.
    pub(super) fn bytes(&self, draws: usize) -> u128 {
        self.fixed + self.per_draw * draws as u128
    }

    /// The draws a chain that are made at most where a precision ends the run: at least `least`.
    pub(super) fn most_draws(&self, least: usize, available: u128) -> usize {
        let room = GROWING_BYTES.min(available / 2);
        match room.checked_div(self.per_draw) {
            Some(draws) => usize::try_from(draws).unwrap_or(usize::MAX).max(least),
            // As many as can be numbered, warm-up included.
            None => u32::MAX as usize / 4,
        }
    }

    /// Refuses a run that takes more memory than is `available`.
    pub(super) fn fits(&self, draws: usize, available: u128) -> Result<()> {
        let needed = self.bytes(draws);
        if needed <= available {
            return Ok(());
        }
        let gib = |bytes: u128| format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64);
        let (what, help) = match self.keep {
            Keep::All => (
                format!("{} chains of {draws} draws each need", self.chains),
                "`--keep summary` takes memory that does not grow with the draws; or ask for fewer `--draws` or \
                 `--chains`; `--thin N` keeps every Nth draw of a long run",
            ),
            Keep::Summary => (
                format!("the summaries of {} chains need", self.chains),
                "ask for fewer `--chains`",
            ),
        };
        Err(Error::environment(format!(
            "{what} about {} of memory, and {} are available",
            gib(needed),
            gib(available)
        ))
        .with_help(help))
    }
}

/// The memory available, as Linux tells it.
pub(super) fn available_bytes() -> u128 {
    std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available_of(&text))
        .unwrap_or(UNKNOWN_MEMORY)
}

/// `MemAvailable` in the text of `/proc/meminfo`, in bytes.
fn available_of(text: &str) -> Option<u128> {
    let rest = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u128 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Footprint = Footprint {
        chains: 64,
        keep: Keep::All,
        fixed: 0,
        per_draw: 1 << 20,
    };

    #[test]
    fn memory_is_read_and_draws_beyond_it_are_refused() {
        let text = "MemTotal:       16000 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available_of(text), Some(2 << 20));
        assert_eq!(available_of("MemTotal: 1 kB"), None);
        assert_eq!(ALL.fits(2 << 10, 2 << 30), Ok(()));
        let error = ALL.fits(3 << 10, 2 << 30).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Environment);
        assert!(
            error.message().contains("3.0 GiB") && error.message().contains("2.0 GiB"),
            "{error}"
        );
        let help = error.help().expect("a remedy");
        assert!(
            help.contains("--keep summary") && help.contains("--thin"),
            "{help}"
        );
    }

    #[test]
    fn a_growing_run_has_a_limit() {
        assert_eq!(ALL.most_draws(250, 1 << 40), 1024);
        assert_eq!(ALL.most_draws(250, 1 << 30), 512);
        assert_eq!(ALL.most_draws(250, 1 << 20), 250);
        let summary = Footprint {
            keep: Keep::Summary,
            fixed: 5 << 30,
            per_draw: 0,
            ..ALL
        };
        assert_eq!(summary.most_draws(250, 1 << 40), u32::MAX as usize / 4);
        let error = summary.fits(1, 1 << 30).unwrap_err();
        assert!(error.message().contains("5.0 GiB"), "{error}");
        assert_eq!(error.help(), Some("ask for fewer `--chains`"));
    }
}
