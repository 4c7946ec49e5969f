//! From numbers to plain words: can this fit be trusted, what is wrong where not, and what to do about it.

use super::chains::Status;
use super::energy::Ebfmi;
use super::summary::Summary;

/// R-hat must lie below this (Vehtari et al. 2021, section 4).
pub const RHAT_LIMIT: f64 = 1.01;
/// Bulk and tail ESS must reach this (Vehtari et al. 2021, section 4).
pub const ESS_LIMIT: f64 = 400.0;
/// E-BFMI below this deserves a message (Betancourt 2016).
pub const EBFMI_LIMIT: f64 = 0.3;
/// From this many chains on, nested R-hat is judged in place of the ordinary one, which rises above [`RHAT_LIMIT`] for
/// many short chains that are fine; and E-BFMI is judged pooled, since the smallest of many noisy ones is always low.
pub const NESTED_FROM_CHAINS: usize = 64;

/// How many parameters a message names.
const NAMED_AT_MOST: usize = 3;

/// Facts about the run as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Number of chains.
    pub num_chains: usize,
    /// Kept draws per chain.
    pub num_draws: usize,
    /// Divergent trajectories among all kept draws, counted before any filtering or thinning.
    pub divergences: usize,
    /// E-BFMI, where energies were recorded.
    pub ebfmi: Option<&'a Ebfmi>,
}

/// A parameter's name with its summary.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// As in the table: `a`, `a_tank[1]`.
    pub name: &'a str,
    /// Its summary over the draws of the run.
    pub summary: &'a Summary,
}

/// What the diagnostics say; the extremes are `None` where no parameter has the diagnostic.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// No divergence, every R-hat (nested from [`NESTED_FROM_CHAINS`] chains on) below [`RHAT_LIMIT`], bulk and tail ESS
    /// at least [`ESS_LIMIT`], every draw finite, and something moved. A low E-BFMI is a message only.
    pub ok: bool,
    /// Divergent trajectories.
    pub divergences: usize,
    /// Largest ordinary R-hat; may be infinite.
    pub max_rhat: Option<f64>,
    /// Smallest bulk ESS, in draws.
    pub min_ess_bulk: Option<f64>,
    /// Smallest tail ESS, in draws.
    pub min_ess_tail: Option<f64>,
    /// Largest nested R-hat; may be infinite.
    pub nested_rhat: Option<f64>,
    /// Smallest E-BFMI of a chain.
    pub ebfmi_min: Option<f64>,
    /// Cause and remedy of each finding, gravest first, one line each.
    pub messages: Vec<String>,
}

/// Judges a run. Parameters of which every draw is equal (fixed by construction) are not judged, unless all are.
pub fn judge(run: Run, parameters: &[Named]) -> Verdict {
    let moving: Vec<Named> = parameters
        .iter()
        .filter(|p| p.summary.status == Status::Varying)
        .copied()
        .collect();
    let mut faults: Vec<String> = Vec::new();
    faults.extend(non_finite(run, parameters));
    faults.extend(nothing_moved(parameters));
    faults.extend(divergences(run));
    faults.extend(too_short(run, &moving));
    faults.extend(disagreement(run, &moving));
    faults.extend(low_ess(run, &moving, Part::Bulk));
    faults.extend(low_ess(run, &moving, Part::Tail));
    let ok = faults.is_empty();
    let mut messages = faults;
    messages.extend(low_ebfmi(run));
    let of = |field: fn(&Summary) -> f64| {
        moving
            .iter()
            .map(move |p| field(p.summary))
            .filter(|x| !x.is_nan())
    };
    Verdict {
        ok,
        divergences: run.divergences,
        max_rhat: of(|s| s.rhat).reduce(f64::max),
        min_ess_bulk: of(|s| s.ess_bulk).reduce(f64::min),
        min_ess_tail: of(|s| s.ess_tail).reduce(f64::min),
        nested_rhat: of(|s| s.nested_rhat).reduce(f64::max),
        ebfmi_min: run.ebfmi.and_then(Ebfmi::min),
        messages,
    }
}

fn non_finite(run: Run, parameters: &[Named]) -> Option<String> {
    let broken: Vec<(&str, usize)> = parameters
        .iter()
        .filter_map(|p| match p.summary.status {
            Status::NonFinite { count } => Some((p.name, count)),
            Status::Varying | Status::Constant => None,
        })
        .collect();
    let total = run.num_chains * run.num_draws;
    let named = list(&broken, |(name, count)| format!("{name} ({count} of {total})"))?;
    Some(format!(
        "draws that are not finite numbers: {named}. The quantity overflows for some draws: look for exp, a ratio or a \
         power in its definition, and put tighter priors on what enters it."
    ))
}

fn nothing_moved(parameters: &[Named]) -> Option<String> {
    let stuck = !parameters.is_empty() && parameters.iter().all(|p| p.summary.status == Status::Constant);
    stuck.then(|| {
        "no parameter ever changed: the sampler never accepted a move. Check the scale of the data (standardise \
         predictors), give a longer --warmup, or raise --target-accept."
            .to_owned()
    })
}

fn divergences(run: Run) -> Option<String> {
    if run.divergences == 0 {
        return None;
    }
    let total = run.num_chains * run.num_draws;
    Some(format!(
        "{} of {total} draws ended in a divergence ({:.2} %): the posterior bends more sharply there than the step size \
         can follow, so that region is under-represented and means and intervals may be biased. Raise --target-accept \
         (0.95, then 0.99), put tighter priors on the standard deviations of groups, and drop @centered or \
         @noncentered so that the centring is learned.",
        run.divergences,
        100.0 * run.divergences as f64 / total as f64
    ))
}

/// R-hat and ESS are undefined though the draws vary: there are too few of them, or their squares overflow.
fn too_short(run: Run, moving: &[Named]) -> Option<String> {
    let undefined = |s: &Summary| s.rhat.is_nan() || s.ess_bulk.is_nan() || s.ess_tail.is_nan();
    let affected: Vec<&str> = moving
        .iter()
        .filter(|p| undefined(p.summary))
        .map(|p| p.name)
        .collect();
    let named = list(&affected, |name| (*name).to_owned())?;
    Some(format!(
        "convergence cannot be judged for {named} from {} draws per chain. Set --draws to at least 4, better to a few \
         hundred.",
        run.num_draws
    ))
}

fn disagreement(run: Run, moving: &[Named]) -> Option<String> {
    let has_nested = moving.iter().any(|p| !p.summary.nested_rhat.is_nan());
    if run.num_chains >= NESTED_FROM_CHAINS && has_nested {
        let named = worst(
            moving,
            |s| s.nested_rhat,
            |x| x >= RHAT_LIMIT,
            Order::HighFirst,
            3,
        )?;
        Some(format!(
            "nested R-hat is {RHAT_LIMIT} or more for {named}: groups of chains that started apart still differ, so they \
             have not forgotten where they started. Give a longer --warmup; if it stays, the posterior may have several \
             modes or parameters that the data cannot tell apart, which tighter priors cure."
        ))
    } else {
        let named = worst(moving, |s| s.rhat, |x| x >= RHAT_LIMIT, Order::HighFirst, 3)?;
        Some(format!(
            "R-hat is {RHAT_LIMIT} or more for {named}: the chains disagree on the distribution. Give a longer --warmup \
             and more --draws; if it stays, the posterior may have several modes or parameters that the data cannot tell \
             apart, which tighter priors cure."
        ))
    }
}

#[derive(Clone, Copy)]
enum Part {
    Bulk,
    Tail,
}

fn low_ess(run: Run, moving: &[Named], part: Part) -> Option<String> {
    let (field, name, effect): (fn(&Summary) -> f64, _, _) = match part {
        Part::Bulk => (|s| s.ess_bulk, "bulk", "means and medians"),
        Part::Tail => (|s| s.ess_tail, "tail", "interval ends"),
    };
    let named = worst(moving, field, |x| x < ESS_LIMIT, Order::LowFirst, 0)?;
    let smallest = moving
        .iter()
        .map(|p| field(p.summary))
        .filter(|x| !x.is_nan())
        .reduce(f64::min)?;
    // ESS grows in proportion to the draws.
    let draws = (run.num_draws as f64 * ESS_LIMIT / smallest).ceil();
    let advice = if draws > 100.0 * run.num_draws as f64 {
        "More draws alone will hardly do: look at the messages on R-hat and divergences, or at the priors, first."
            .to_owned()
    } else {
        format!("Set --draws to about {draws} or run more chains.")
    };
    Some(format!(
        "{name} ESS is below {ESS_LIMIT} for {named}: neighbouring draws are so alike that {effect} are uncertain. \
         {advice}"
    ))
}

fn low_ebfmi(run: Run) -> Option<String> {
    let ebfmi = run.ebfmi?;
    let what = if run.num_chains >= NESTED_FROM_CHAINS {
        (ebfmi.pooled < EBFMI_LIMIT).then(|| format!("E-BFMI over all chains is {:.2}", ebfmi.pooled))?
    } else {
        let count = ebfmi.per_chain.iter().filter(|x| **x < EBFMI_LIMIT).count();
        let smallest = ebfmi.min().filter(|_| count > 0)?;
        format!(
            "E-BFMI is {smallest:.2} at the lowest, below {EBFMI_LIMIT} in {count} of {} chains",
            run.num_chains
        )
    };
    Some(format!(
        "{what}: the energy changes too slowly between draws to reach the tails. Often a group's standard deviation runs \
         near 0 or a prior has very heavy tails: drop @centered so that the centring is learned, or tighten that prior."
    ))
}

#[derive(Clone, Copy)]
enum Order {
    HighFirst,
    LowFirst,
}

/// The parameters whose number is bad, worst first, equal ones in the table's order; `None` if there are none.
fn worst(
    parameters: &[Named],
    field: fn(&Summary) -> f64,
    is_bad: fn(f64) -> bool,
    order: Order,
    decimals: usize,
) -> Option<String> {
    let mut bad: Vec<(&str, f64)> = parameters.iter().map(|p| (p.name, field(p.summary))).collect();
    bad.retain(|(_, x)| is_bad(*x));
    match order {
        Order::HighFirst => bad.sort_by(|a, b| b.1.total_cmp(&a.1)),
        Order::LowFirst => bad.sort_by(|a, b| a.1.total_cmp(&b.1)),
    }
    list(&bad, |(name, x)| {
        if x.is_infinite() {
            format!("{name} (infinite: no chain moved)")
        } else {
            format!("{name} ({x:.decimals$})")
        }
    })
}

/// The first few items and the number of others; `None` for none.
fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let shown: Vec<String> = items.iter().take(NAMED_AT_MOST).map(show).collect();
    let shown = shown.join(", ");
    Some(match items.len().saturating_sub(NAMED_AT_MOST) {
        0 => shown,
        others => format!("{shown} and {others} more"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Summary = Summary {
        status: Status::Varying,
        mean: 0.0,
        sd: 1.0,
        mcse_mean: 0.02,
        mcse_sd: 0.02,
        median: 0.0,
        lower: -1.6,
        upper: 1.6,
        ess_bulk: 2500.0,
        ess_tail: 400.0,
        rhat: 1.0099,
        nested_rhat: f64::NAN,
    };
    const RUN: Run = Run {
        num_chains: 4,
        num_draws: 1000,
        divergences: 0,
        ebfmi: None,
    };

    fn judged(run: Run, summaries: &[Summary]) -> Verdict {
        let names: Vec<String> = (1..=summaries.len()).map(|i| format!("a[{i}]")).collect();
        let parameters: Vec<Named> = names
            .iter()
            .zip(summaries)
            .map(|(name, summary)| Named { name, summary })
            .collect();
        judge(run, &parameters)
    }

    #[test]
    fn values_at_the_limits_pass() {
        let verdict = judged(RUN, &[FINE, FINE]);
        assert!(
            verdict.ok && verdict.messages.is_empty(),
            "{:?}",
            verdict.messages
        );
        assert_eq!(verdict.max_rhat, Some(1.0099));
        assert_eq!(verdict.min_ess_tail, Some(400.0));
        assert_eq!((verdict.nested_rhat, verdict.ebfmi_min), (None, None));
    }

    #[test]
    fn each_fault_alone_fails_with_one_message() {
        let faults: [(Summary, &str); 5] = [
            (
                Summary { rhat: 1.01, ..FINE },
                "R-hat is 1.01 or more for a[2] (1.010)",
            ),
            (
                Summary {
                    rhat: f64::INFINITY,
                    ..FINE
                },
                "a[2] (infinite",
            ),
            (
                Summary {
                    ess_bulk: 100.0,
                    ..FINE
                },
                "bulk ESS is below 400 for a[2] (100)",
            ),
            (
                Summary {
                    ess_tail: 399.0,
                    ..FINE
                },
                "tail ESS is below 400 for a[2] (399)",
            ),
            (
                Summary {
                    status: Status::NonFinite { count: 7 },
                    ..FINE
                },
                "a[2] (7 of 4000)",
            ),
        ];
        for (fault, text) in faults {
            let verdict = judged(RUN, &[FINE, fault, FINE]);
            assert!(!verdict.ok);
            assert_eq!(verdict.messages.len(), 1, "{:?}", verdict.messages);
            assert!(verdict.messages[0].contains(text), "{}", verdict.messages[0]);
        }
        let diverged = Run {
            divergences: 1,
            ..RUN
        };
        let verdict = judged(diverged, &[FINE]);
        assert!(
            !verdict.ok && verdict.messages[0].starts_with("1 of 4000 draws ended in a divergence (0.03 %)")
        );
    }

    #[test]
    fn the_number_of_draws_that_would_do_is_named() {
        let verdict = judged(
            RUN,
            &[Summary {
                ess_bulk: 100.0,
                ..FINE
            }],
        );
        assert!(
            verdict.messages[0].contains("--draws to about 4000"),
            "{}",
            verdict.messages[0]
        );
        let verdict = judged(
            RUN,
            &[Summary {
                ess_bulk: 3.0,
                ..FINE
            }],
        );
        assert!(
            verdict.messages[0].contains("More draws alone"),
            "{}",
            verdict.messages[0]
        );
    }

    #[test]
    fn many_chains_are_judged_by_nested_rhat() {
        let many = Run {
            num_chains: NESTED_FROM_CHAINS,
            ..RUN
        };
        let short = Summary {
            rhat: 1.02,
            nested_rhat: 1.001,
            ..FINE
        };
        let verdict = judged(many, &[short]);
        assert!(verdict.ok, "{:?}", verdict.messages);
        assert_eq!((verdict.max_rhat, verdict.nested_rhat), (Some(1.02), Some(1.001)));
        assert!(
            !judged(RUN, &[short]).ok,
            "few chains are judged by the ordinary one"
        );
        let remembers = Summary {
            nested_rhat: 1.2,
            ..short
        };
        let verdict = judged(many, &[remembers]);
        assert!(
            !verdict.ok && verdict.messages[0].starts_with("nested R-hat is 1.01 or more for a[1] (1.200)")
        );
        let no_superchains = Summary {
            nested_rhat: f64::NAN,
            ..short
        };
        assert!(
            !judged(many, &[no_superchains]).ok,
            "without superchains the ordinary one stays"
        );
    }

    #[test]
    fn the_worst_are_named_first() {
        let with = |rhat| Summary { rhat, ..FINE };
        let verdict = judged(
            RUN,
            &[with(1.1), with(1.5), with(1.0), with(1.3), with(1.3), with(1.02)],
        );
        let named = "a[2] (1.500), a[4] (1.300), a[5] (1.300) and 2 more";
        assert!(verdict.messages[0].contains(named), "{}", verdict.messages[0]);
    }

    #[test]
    fn fixed_parameters_are_not_judged_unless_all_are() {
        let fixed = Summary {
            status: Status::Constant,
            rhat: f64::NAN,
            ess_bulk: f64::NAN,
            ess_tail: f64::NAN,
            ..FINE
        };
        assert!(judged(RUN, &[FINE, fixed]).ok);
        let verdict = judged(RUN, &[fixed, fixed]);
        assert!(!verdict.ok && verdict.messages[0].starts_with("no parameter ever changed"));
        assert_eq!(verdict.max_rhat, None);
    }

    #[test]
    fn too_few_draws_are_not_passed_in_silence() {
        let unknown = Summary {
            rhat: f64::NAN,
            ess_bulk: f64::NAN,
            ess_tail: f64::NAN,
            ..FINE
        };
        let verdict = judged(Run { num_draws: 3, ..RUN }, &[unknown]);
        assert!(!verdict.ok && verdict.messages[0].contains("from 3 draws per chain"));
    }

    #[test]
    fn low_energy_is_told_but_does_not_fail() {
        let ebfmi = Ebfmi {
            per_chain: vec![0.9, 0.2, f64::NAN, 0.8],
            pooled: 0.7,
        };
        let run = Run {
            ebfmi: Some(&ebfmi),
            ..RUN
        };
        let verdict = judged(run, &[FINE]);
        assert!(verdict.ok);
        assert!(verdict.messages[0].starts_with("E-BFMI is 0.20 at the lowest, below 0.3 in 1 of 4 chains"));
        assert_eq!(verdict.ebfmi_min, Some(0.2));
        let many = judged(
            Run {
                num_chains: 64,
                ..run
            },
            &[FINE],
        );
        assert!(
            many.messages.is_empty(),
            "pooled over many chains it is fine: {:?}",
            many.messages
        );
    }
}
