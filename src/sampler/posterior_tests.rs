//! The samplers against targets with known moments.

use std::sync::atomic::AtomicBool;

use super::targets::{Target, correlated_normal, eight_schools, eight_schools_moments, logit_beta, normal};
use super::{Sampler, Samples, Settings, State, Watch, run};
use crate::back::evaluate::Density;

pub(super) fn settings(sampler: Sampler, seed: u64) -> Settings {
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
        directions: true,
        threads: 1,
    }
}

pub(super) fn sample_from(density: &dyn Density, settings: &Settings, state: &State) -> Samples {
    let stop = AtomicBool::new(false);
    let watch = Watch {
        observer: &|_| {},
        stop: &stop,
    };
    run(density, settings, state, watch).unwrap()
}

pub(super) fn sample(density: &dyn Density, settings: &Settings) -> Samples {
    let state = State::dispersed(density, settings).unwrap();
    sample_from(density, settings, &state)
}

/// Checks the mean of `f` over all draws against `expected`, in standard errors taken between chains, which are
/// independent: no estimate of the autocorrelation is needed.
pub(super) fn assert_mean(samples: &Samples, f: impl Fn(&[f64]) -> f64, expected: f64, what: &str) {
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

pub(super) fn assert_moments(samples: &Samples, i: usize, mean: f64, variance: f64, what: &str) {
    assert_mean(samples, |q| q[i], mean, &format!("mean of {what}"));
    assert_mean(
        samples,
        |q| (q[i] - mean).powi(2),
        variance,
        &format!("variance of {what}"),
    );
}

pub(super) const BOTH: [Sampler; 2] = [Sampler::Nuts, Sampler::Hmc];
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
