//! From numbers to plain words: can this fit be trusted, what is wrong where not, and what to do about it.

use super::chains::Status;
use super::energy::Ebfmi;
use super::findings::{self, Named, Run};
use super::summary::Summary;

/// What the diagnostics say; the extremes are `None` where no parameter has the diagnostic.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// No divergence, every R-hat (nested from [`super::NESTED_FROM_CHAINS`] chains on) below [`super::RHAT_LIMIT`], bulk and tail ESS
    /// at least [`super::ESS_LIMIT`], every draw finite, and something moved. A low E-BFMI is a message only.
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
    /// Smallest E-BFMI of a chain, whatever the number of chains. From [`super::NESTED_FROM_CHAINS`] on the message judges
    /// the pooled one and names both.
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
    faults.extend(findings::non_finite(run, parameters));
    faults.extend(findings::nothing_moved(parameters));
    faults.extend(findings::divergences(run));
    faults.extend(findings::too_short(run, &moving));
    faults.extend(findings::disagreement(run, &moving));
    faults.extend(findings::low_ess(run, &moving, findings::Part::Bulk));
    faults.extend(findings::low_ess(run, &moving, findings::Part::Tail));
    let ok = faults.is_empty();
    let mut messages = faults;
    messages.extend(findings::low_ebfmi(run));
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

#[cfg(test)]
mod tests {
    use super::super::NESTED_FROM_CHAINS;
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
        assert!(verdict.messages[0].contains("try @noncentered (or @centered) on the effect"));
        let rare = Run {
            divergences: 1,
            num_draws: 5008,
            ..RUN
        };
        let message = &judged(rare, &[FINE]).messages[0];
        assert!(
            message.starts_with("1 of 20032 draws ended in a divergence (below 0.01 %)"),
            "{message}"
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
        assert!(
            verdict.messages[0].starts_with("E-BFMI is 0.20 in the lowest chain, below 0.3 in 1 of 4 chains")
        );
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
        let low = Ebfmi {
            pooled: 0.25,
            ..ebfmi.clone()
        };
        let many = judged(
            Run {
                num_chains: 64,
                ebfmi: Some(&low),
                ..run
            },
            &[FINE],
        );
        assert!(
            many.messages[0].starts_with(
                "E-BFMI pooled over all 64 chains is 0.25, below 0.3 (0.20 in the lowest single chain"
            ),
            "{:?}",
            many.messages
        );
        assert_eq!(many.ebfmi_min, Some(0.2));
    }
}
