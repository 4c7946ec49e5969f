//! The promises of a run: threads, counts of gradients, thinning, resuming, stopping, starting points.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::posterior_tests::{BOTH, sample, sample_from, settings};
use super::targets::{Target, correlated_normal, eight_schools, normal};
use super::{Phase, Progress, Sampler, Settings, State, Watch, run};
use crate::error::Kind;

#[test]
fn draws_do_not_depend_on_threads() {
    let target = eight_schools();
    for sampler in BOTH {
        let one = Settings {
            chains: 48,
            warmup: 60,
            draws: 10,
            ..settings(sampler, 9)
        };
        let two = Settings {
            threads: 2,
            ..one.clone()
        };
        let other_seed = Settings {
            seed: 10,
            ..one.clone()
        };
        let samples = sample(&target, &one);
        assert_eq!(samples, sample(&target, &two));
        assert_ne!(samples.positions, sample(&target, &other_seed).positions);
    }
}

#[test]
fn gradients_are_counted_one_per_chain_and_leapfrog_step() {
    for sampler in BOTH {
        let target = eight_schools();
        let settings = Settings {
            chains: 16,
            warmup: 50,
            draws: 20,
            ..settings(sampler, 4)
        };
        let state = State::dispersed(&target, &settings).unwrap();
        target.gradients.store(0, Ordering::Relaxed);
        let samples = sample_from(&target, &settings, &state);
        assert_eq!(
            samples.gradient_evaluations,
            target.gradients.load(Ordering::Relaxed)
        );
        let steps: u64 = samples.n_steps.iter().map(|n| u64::from(*n)).sum();
        assert_eq!(
            samples.gradient_evaluations - samples.warmup_gradient_evaluations,
            steps
        );
    }
}

/// Half the coordinates are a thousand times as narrow as the others, and chains start two thousand of their standard
/// deviations away. In the metric of the identity steps are as short as the narrow ones ask, and warm-up took hundreds of
/// steps an iteration.
#[test]
fn ensembles_settle_in_the_metric_of_the_curvature() {
    let target = normal(
        vec![0.0; 40],
        (0..40).map(|i| if i % 2 == 0 { 1e-3 } else { 1.0 }).collect(),
    );
    for seed in [1, 2, 3] {
        let settings = Settings {
            chains: 32,
            warmup: 100,
            draws: 1,
            ..settings(Sampler::Hmc, seed)
        };
        let samples = sample(&target, &settings);
        let steps = samples.warmup_gradient_evaluations as f64 / (32.0 * 100.0);
        // Lengths of 0.75 · 1.7 standard deviations in steps of about one, for 40 coordinates.
        assert!(steps < 10.0, "seed {seed}: {steps} steps an iteration");
    }
}

#[test]
fn thinning_keeps_every_so_many_iterations() {
    let target = correlated_normal(0.5);
    for sampler in BOTH {
        let all = Settings {
            chains: 10,
            warmup: 40,
            draws: 90,
            ..settings(sampler, 4)
        };
        let thinned = Settings {
            draws: 30,
            thin: 3,
            ..all.clone()
        };
        let (all, thinned) = (sample(&target, &all), sample(&target, &thinned));
        for chain in 0..10 {
            for draw in 0..30 {
                let kept = (chain * 30 + draw) * 2;
                let original = (chain * 90 + draw * 3 + 2) * 2;
                assert_eq!(
                    thinned.positions[kept..kept + 2],
                    all.positions[original..original + 2]
                );
            }
        }
        assert_eq!(thinned.state, all.state);
    }
}

#[test]
fn a_run_continued_from_its_state_is_the_longer_run() {
    let target = eight_schools();
    for sampler in BOTH {
        let whole = Settings {
            chains: 32,
            warmup: 50,
            draws: 20,
            ..settings(sampler, 6)
        };
        let first = Settings {
            draws: 8,
            ..whole.clone()
        };
        let second = Settings {
            warmup: 0,
            draws: 12,
            ..whole.clone()
        };
        let (whole, first) = (sample(&target, &whole), sample(&target, &first));
        let second = sample_from(&target, &second, &first.state);
        assert_eq!(second.state, whole.state);
        for chain in 0..32 {
            let long = &whole.positions[(chain * 20 + 8) * 10..(chain + 1) * 200];
            assert_eq!(long, &second.positions[chain * 120..(chain + 1) * 120]);
        }
    }
}

#[test]
fn a_stopped_run_returns_equal_numbers_of_draws() {
    let target = eight_schools();
    for sampler in BOTH {
        for (phase, at) in [(Phase::Warmup, 10), (Phase::Sampling, 7)] {
            let settings = Settings {
                warmup: 30,
                draws: 50,
                threads: 2,
                ..settings(sampler, 6)
            };
            let state = State::dispersed(&target, &settings).unwrap();
            let stop = AtomicBool::new(false);
            let last_chains = AtomicU64::new(0);
            let observer = |progress: Progress| {
                if progress.phase == phase && progress.iterations == at {
                    last_chains.fetch_add(1, Ordering::Relaxed);
                    stop.store(true, Ordering::Relaxed);
                }
            };
            let watch = Watch {
                observer: &observer,
                stop: &stop,
            };
            let samples = run(&target, &settings, &state, watch).unwrap();
            assert!(!samples.is_complete);
            assert!(samples.draws < 50);
            assert_eq!(samples.positions.len(), samples.chains * samples.draws * 10);
            assert_eq!(samples.n_steps.len(), samples.chains * samples.draws);
            assert_eq!(samples.state.positions.len(), samples.chains * 10);
            if phase == Phase::Sampling {
                // With two threads, chains that had not begun are left out: they would leave nothing of the others.
                assert!(samples.chains * samples.draws >= at as usize);
            }
            assert!(last_chains.load(Ordering::Relaxed) >= 1);
        }
    }
}

/// One ensemble, so that all its chains have drawn as much when the flag is raised.
#[test]
fn a_stopped_ensemble_keeps_what_it_drew() {
    let target = eight_schools();
    let settings = Settings {
        chains: 16,
        warmup: 30,
        draws: 500,
        ..settings(Sampler::Hmc, 6)
    };
    let whole = sample(&target, &settings);
    let state = State::dispersed(&target, &settings).unwrap();
    let stop = AtomicBool::new(false);
    let observer = |progress: Progress| {
        if progress.phase == Phase::Sampling && progress.iterations == 100 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let watch = Watch {
        observer: &observer,
        stop: &stop,
    };
    let samples = run(&target, &settings, &state, watch).unwrap();
    assert_eq!((samples.draws, samples.is_complete), (100, false));
    for chain in 0..16 {
        assert_eq!(
            samples.positions[chain * 1000..(chain + 1) * 1000],
            whole.positions[chain * 5000..chain * 5000 + 1000]
        );
    }
}

#[test]
fn a_density_that_is_nowhere_finite_is_the_users_error() {
    let target = Target::new(2, |_, gradient| {
        gradient.fill(0.0);
        f64::NEG_INFINITY
    });
    let error = State::dispersed(&target, &settings(Sampler::Hmc, 1)).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("100 random points") && error.message().contains("-inf"));
    assert!(error.help().is_some());
}

#[test]
fn another_round_has_other_starting_points() {
    let anywhere = normal(vec![0.0; 3], vec![1.0; 3]);
    let settings = settings(Sampler::Hmc, 1);
    let rounds: Vec<Vec<f64>> = (0..3)
        .map(|round| {
            State::dispersed_anew(&anywhere, &settings, round)
                .unwrap()
                .positions
        })
        .collect();
    assert_eq!(
        rounds[0],
        State::dispersed(&anywhere, &settings).unwrap().positions
    );
    for (round, other) in [(0, 1), (0, 2), (1, 2)] {
        let mut pairs = rounds[round].iter().zip(&rounds[other]);
        assert!(pairs.all(|(x, y)| x != y));
    }
    // Finite around the first point of round 1 alone.
    let one = Settings {
        chains: 1,
        ..settings
    };
    let lone = State::dispersed_anew(&anywhere, &one, 1).unwrap().positions[0];
    let near = Target::new(3, move |q, gradient| {
        gradient.fill(0.0);
        if (q[0] - lone).abs() < 1e-6 {
            0.0
        } else {
            f64::NEG_INFINITY
        }
    });
    assert!(State::dispersed_anew(&near, &one, 0).is_err());
    assert_eq!(State::dispersed_anew(&near, &one, 1).unwrap().positions[0], lone);
}

#[test]
fn superchains_start_around_dispersed_centres() {
    let target = normal(vec![0.0; 3], vec![1.0; 3]);
    let state = State::dispersed(&target, &settings(Sampler::Hmc, 1)).unwrap();
    let centre = |ensemble: usize| state.positions[ensemble * 48];
    for ensemble in 0..4 {
        for chain in 0..16 {
            let x = state.positions[(ensemble * 16 + chain) * 3];
            // Two chains differ by a normal of sd .05 · √2.
            assert!((x - centre(ensemble)).abs() < 4.5 * 0.05 * 2f64.sqrt());
        }
    }
    let spread = (0..4).map(centre).fold(f64::MIN, f64::max) - (0..4).map(centre).fold(f64::MAX, f64::min);
    assert!(spread > 0.3, "four uniforms on (-2, 2) within {spread}");
}
