//! The samplers against targets with known moments, and the promises of a run: threads, counts, stopping, resuming.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::targets::{Target, correlated_normal, eight_schools, eight_schools_moments, logit_beta, normal};
use super::{Phase, Progress, Sampler, Samples, Settings, State, Watch, run};
use crate::back::evaluate::Density;
use crate::error::Kind;

fn settings(sampler: Sampler, seed: u64) -> Settings {
    let (chains, warmup, draws) = match sampler {
        Sampler::Nuts => (32, 300, 200),
        Sampler::Hmc => (64, 400, 200),
    };
    Settings {
        sampler,
        chains,
        warmup,
        draws,
        thin: 1,
        seed,
        replicate: 0,
        target_accept: 0.8,
        threads: 1,
    }
}

fn sample_from(density: &dyn Density, settings: &Settings, state: &State) -> Samples {
    let stop = AtomicBool::new(false);
    let watch = Watch {
        observer: &|_| {},
        stop: &stop,
    };
    run(density, settings, state, watch).unwrap()
}

fn sample(density: &dyn Density, settings: &Settings) -> Samples {
    let state = State::dispersed(density, settings).unwrap();
    sample_from(density, settings, &state)
}

/// Checks the mean of `f` over all draws against `expected`, in standard errors taken between chains, which are
/// independent: no estimate of the autocorrelation is needed.
fn assert_mean(samples: &Samples, f: impl Fn(&[f64]) -> f64, expected: f64, what: &str) {
    let per_chain: Vec<f64> = samples
        .positions
        .chunks_exact(samples.draws * samples.dim)
        .map(|chain| chain.chunks_exact(samples.dim).map(&f).sum::<f64>() / samples.draws as f64)
        .collect();
    let n = per_chain.len() as f64;
    let mean = per_chain.iter().sum::<f64>() / n;
    let variance = per_chain.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let error = (mean - expected) / (variance / n).sqrt();
    assert!(
        error.abs() < 4.5,
        "{what}: {mean}, expected {expected}: {error} standard errors"
    );
}

fn assert_moments(samples: &Samples, i: usize, mean: f64, variance: f64, what: &str) {
    assert_mean(samples, |q| q[i], mean, &format!("mean of {what}"));
    assert_mean(
        samples,
        |q| (q[i] - mean).powi(2),
        variance,
        &format!("variance of {what}"),
    );
}

const BOTH: [Sampler; 2] = [Sampler::Nuts, Sampler::Hmc];
const SEEDS: [u64; 3] = [1, 2, 3];

#[test]
fn an_ill_scaled_normal_has_its_moments() {
    let mean: Vec<f64> = (0..5).map(f64::from).collect();
    let sd = vec![0.01, 0.1, 1.0, 10.0, 100.0];
    let target = normal(mean.clone(), sd.clone());
    for sampler in BOTH {
        for seed in SEEDS {
            let samples = sample(&target, &settings(sampler, seed));
            for i in 0..5 {
                let what = format!("{sampler:?} seed {seed} coordinate {i}");
                assert_moments(&samples, i, mean[i], sd[i] * sd[i], &what);
            }
        }
    }
}

#[test]
fn a_correlated_normal_has_its_covariance() {
    let target = correlated_normal(0.95);
    for sampler in BOTH {
        for seed in SEEDS {
            let samples = sample(&target, &settings(sampler, seed));
            let what = format!("{sampler:?} seed {seed}");
            assert_moments(&samples, 0, 0.0, 1.0, &what);
            assert_moments(&samples, 1, 0.0, 9.0, &what);
            assert_mean(&samples, |q| q[0] * q[1], 3.0 * 0.95, &what);
        }
    }
}

/// ψ(½) = −1.963510026021423, ψ(3) = 0.9227843350984671; ψ′(½) = π²/2, ψ′(3) = π²/6 − 5/4.
#[test]
fn a_skewed_logit_of_a_beta_has_its_moments() {
    let target = logit_beta(0.5, 3.0);
    let mean = -1.963_510_026_021_423 - 0.922_784_335_098_467_1;
    let pi2 = std::f64::consts::PI.powi(2);
    let variance = pi2 / 2.0 + pi2 / 6.0 - 1.25;
    for sampler in BOTH {
        for seed in SEEDS {
            let samples = sample(&target, &settings(sampler, seed));
            assert_moments(&samples, 0, mean, variance, &format!("{sampler:?} seed {seed}"));
        }
    }
}

#[test]
fn the_eight_schools_agree_with_quadrature() {
    let target = eight_schools();
    let (means, variances) = eight_schools_moments();
    for sampler in BOTH {
        for seed in SEEDS {
            let samples = sample(&target, &settings(sampler, seed));
            let what = format!("{sampler:?} seed {seed}");
            for i in 0..2 {
                assert_moments(&samples, i, means[i], variances[i], &what);
            }
        }
    }
}

/// The energy of a d-dimensional normal's kept states: E = d to within its error, since each half has mean d/2.
#[test]
fn energies_of_a_normal_average_to_its_dimension() {
    let target = normal(vec![0.0; 20], vec![1.0; 20]);
    for sampler in BOTH {
        let mut samples = sample(&target, &settings(sampler, 1));
        assert_eq!(samples.energy.len(), samples.chains * samples.draws);
        samples.positions = samples.log_density.clone();
        samples.dim = 1;
        assert_mean(&samples, |x| -x[0], 10.0, &format!("{sampler:?} potential"));
        samples.positions = samples.energy.clone();
        // Selecting by acceptance biases the kinetic part by O(energy error), well below the half unit tested here.
        let mean = samples.energy.iter().sum::<f64>() / samples.energy.len() as f64;
        assert!((mean - 20.0).abs() < 0.5, "{sampler:?}: {mean}");
    }
}

#[test]
fn starts_far_out_are_left_during_warmup() {
    let target = normal(vec![0.0; 4], vec![1.0, 1.0, 1.0, 1e-3]);
    for sampler in BOTH {
        let settings = settings(sampler, 1);
        let mut state = State::dispersed(&target, &settings).unwrap();
        for x in &mut state.positions {
            *x += 1e4;
        }
        let samples = sample_from(&target, &settings, &state);
        for i in 0..4 {
            let sd = if i == 3 { 1e-3 } else { 1.0f64 };
            assert_moments(&samples, i, 0.0, sd * sd, &format!("{sampler:?} coordinate {i}"));
        }
    }
}

/// Student t with 3 degrees of freedom from a start 1,000 scales out, where the gradient is next to nothing; the
/// probability of |x| < 1 is .6089977810442293.
#[test]
fn heavy_tails_are_left_during_warmup() {
    let target = Target::new(1, |q, gradient| {
        gradient[0] = -4.0 * q[0] / (3.0 + q[0] * q[0]);
        -2.0 * (q[0] * q[0] / 3.0).ln_1p()
    });
    for sampler in BOTH {
        let settings = settings(sampler, 1);
        let mut state = State::dispersed(&target, &settings).unwrap();
        for x in &mut state.positions {
            *x += 1e3;
        }
        let samples = sample_from(&target, &settings, &state);
        let inside = |q: &[f64]| f64::from(u8::from(q[0].abs() < 1.0));
        assert_mean(&samples, inside, 0.608_997_781_044_229_3, &format!("{sampler:?}"));
    }
}

/// Half a standard normal, x > 0: trajectories that leave it are divergent, the lanes beside them are not.
#[test]
fn impossible_regions_are_rejected_without_harm() {
    let target = Target::new(1, |q, gradient| {
        gradient[0] = if q[0] > 0.0 { -q[0] } else { f64::NAN };
        if q[0] > 0.0 {
            -0.5 * q[0] * q[0]
        } else {
            f64::NEG_INFINITY
        }
    });
    for sampler in BOTH {
        let samples = sample(&target, &settings(sampler, 1));
        assert!(samples.positions.iter().all(|x| *x > 0.0));
        assert!(samples.is_divergent.iter().any(|d| *d));
        assert!(!samples.is_divergent.iter().all(|d| *d));
        let mean = (2.0 / std::f64::consts::PI).sqrt();
        assert_mean(&samples, |q| q[0], mean, &format!("{sampler:?}"));
    }
}

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
            assert_eq!(samples.state.positions.len(), settings.chains * 10);
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
