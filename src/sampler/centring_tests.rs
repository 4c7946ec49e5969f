//! Learned centring against groups whose best weights, gradients and posterior are known.

use super::centring::{CentringMoments, Recentring, recentre};
use super::posterior_tests::{assert_mean, assert_moments, sample, sample_from, settings};
use super::targets::{Groups, hyper_moments};
use super::{Sampler, Settings};
use crate::back::evaluate::{CENTRING_STEPS, Density, Standardised};
use crate::rng::{Purpose, Stream};

/// Four groups measured well and four hardly at all, around effects of sd about 3.
fn mixed(code: u32) -> Groups {
    let sd = |j: usize| if j < 4 { 0.05 } else { 60.0 };
    let effects = [4.0, -2.5, 1.0, -3.0, 2.0, 0.0, -1.0, 3.0];
    Groups::new(
        effects.iter().enumerate().map(|(j, y)| (*y, sd(j))).collect(),
        code,
    )
}

fn normals(count: usize, iteration: u32) -> Vec<f64> {
    let mut values = vec![0.0; count];
    Stream {
        seed: 3,
        replicate: 0,
        chain: 0,
        iteration,
        purpose: Purpose::Predictive,
    }
    .fill_normal(&mut values);
    values
}

#[test]
fn the_groups_gradient_is_that_of_their_density() {
    let groups = mixed(0);
    let mut evaluator = groups.evaluator(1);
    evaluator.set_centring(&[0, 3, 7, 10, 10, 6, 2, 0]);
    let position = normals(10, 0);
    let (mut value, mut gradient, mut scratch) = ([0.0], [0.0; 10], [0.0; 10]);
    evaluator.log_density_grad(&position, &mut value, &mut gradient);
    for i in 0..10 {
        let mut at = |h: f64| {
            let mut moved = position.clone();
            moved[i] += h;
            let mut value = [0.0];
            evaluator.log_density_grad(&moved, &mut value, &mut scratch);
            value[0]
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        // Central differences err by h² times the third derivative and by the density's rounding over h.
        let bound = 1e-6 * gradient[i].abs().max(1.0);
        assert!(
            (difference - gradient[i]).abs() < bound,
            "{i}: {difference}, {}",
            gradient[i]
        );
    }
}

#[test]
fn a_change_of_coordinates_leaves_the_natural_values() {
    let groups = mixed(0);
    let codes = [
        [0; 8],
        [10; 8],
        [0, 1, 2, 3, 5, 7, 9, 10],
        [10, 9, 4, 3, 2, 1, 0, 6],
    ];
    for from in codes {
        for to in codes {
            let before = normals(50, 1);
            let mut after = before.clone();
            recentre(&groups, &from, &to, &mut after);
            for (before, after) in before.chunks_exact(10).zip(after.chunks_exact(10)) {
                assert_eq!(before[..2], after[..2]);
                let (was, is) = (groups.natural(&from, before), groups.natural(&to, after));
                for (was, is) in was.iter().zip(&is) {
                    assert!((was - is).abs() < 1e-12, "{was}, {is}");
                }
            }
        }
    }
}

/// The loss of a weight, straight from its definition: the divergence, and the pull towards the share of the variance of the
/// centred or the standardised effect that is gone.
fn loss(values: &[(f64, f64, f64)], weight: f64) -> f64 {
    let n = values.len() as f64;
    let variance = |weight: f64| {
        let eta = |&(m, t, xi): &(f64, f64, f64)| weight * m + (weight * t).exp() * xi;
        let mean = values.iter().map(eta).sum::<f64>() / n;
        values.iter().map(|v| (eta(v) - mean).powi(2)).sum::<f64>() / n
    };
    let ln_scale = values.iter().map(|v| v.1).sum::<f64>() / n;
    let left = variance(0.0).min(variance(1.0) / (2.0 * ln_scale).exp());
    let pull = 0.3 * (weight - (1.0 - left).max(0.0)).powi(2);
    0.5 * variance(weight).ln() - weight * ln_scale + pull
}

/// A thousand levels of which a chain whose hyperparameters hardly move has 60 draws: all come out near the share of the
/// variance that their data take away, .8, though the divergence alone does not tell the weights apart.
#[test]
fn levels_of_still_hyperparameters_are_centred_by_their_information() {
    const LEVELS: usize = 1000;
    let mut moments = CentringMoments::new(LEVELS);
    let z = normals(60 * (LEVELS + 2), 5);
    for row in z.chunks_exact(LEVELS + 2) {
        let (location, ln_scale) = (0.02 * row[0], 0.02 * row[1]);
        moments.add(&Standardised {
            location: vec![location; LEVELS],
            ln_scale: vec![ln_scale; LEVELS],
            effect: row[2..]
                .iter()
                .enumerate()
                .map(|(level, z)| 1.5 * (level as f64).sin() + 0.2f64.sqrt() * z)
                .collect(),
        });
    }
    let mut codes = [0; LEVELS];
    moments.choose(&[LEVELS], &mut codes);
    // A variance of 60 draws errs by a fifth of .2; the divergence moves the best weight by as much again at most.
    let near = codes.iter().filter(|code| (6..=10).contains(*code)).count();
    assert!(near > 950, "{near} of {LEVELS} levels near .8");
}

#[test]
fn the_streamed_choice_is_the_grids_least_loss() {
    // Levels whose location and effect cancel more and more.
    let z = normals(3 * 200 * 6, 2);
    let rows: Vec<Vec<(f64, f64, f64)>> = z
        .chunks_exact(18)
        .map(|row| {
            (0..6)
                .map(|level| {
                    let [m, t, xi] = [row[3 * level], 0.5 * row[3 * level + 1], row[3 * level + 2]];
                    let share = level as f64 / 5.0;
                    (3.0 * m, t, (1.0 - share) * xi - share * 3.0 * m / t.exp())
                })
                .collect()
        })
        .collect();
    let mut moments = CentringMoments::new(6);
    for rows in rows.chunks(7) {
        let cells = || rows.iter().flatten();
        moments.add(&Standardised {
            location: cells().map(|c| c.0).collect(),
            ln_scale: cells().map(|c| c.1).collect(),
            effect: cells().map(|c| c.2).collect(),
        });
    }
    let mut codes = [5; 6];
    moments.choose(&[6], &mut codes);
    for level in 0..6 {
        let values: Vec<_> = rows.iter().map(|row| row[level]).collect();
        let best = (0..=CENTRING_STEPS)
            .min_by(|a, b| {
                let at = |code: &u32| loss(&values, f64::from(*code) / f64::from(CENTRING_STEPS));
                at(a).total_cmp(&at(b))
            })
            .unwrap();
        assert_eq!(codes[level], best, "level {level}");
    }
    assert_eq!((codes[0], codes[5]), (0, CENTRING_STEPS));
}

/// A single level that gains less than a nat stays non-centred, unless other levels of its effect gain enough.
#[test]
fn an_effect_that_hardly_gains_stays_noncentred() {
    let mut moments = CentringMoments::new(3);
    for i in 0..200 {
        let t = (0.7 * f64::from(i)).sin();
        let noise = (1.3 * f64::from(i)).cos();
        // ξ = e^−t·(noise + c·…): the first level gains little, the others much.
        let effect = |share: f64| share * 5.0 * (-t).exp() + noise * (-share * t).exp();
        moments.add(&Standardised {
            location: vec![0.0; 3],
            ln_scale: vec![t; 3],
            effect: vec![effect(0.05), effect(1.0), effect(1.0)],
        });
    }
    let mut together = [0; 3];
    moments.choose(&[3], &mut together);
    let mut apart = [7; 3];
    moments.choose(&[1, 2], &mut apart);
    assert!(together[0] > 0 && together[1] > 5, "{together:?}");
    assert_eq!(apart, [0, together[1], together[2]]);
}

#[test]
fn moments_that_tell_nothing_change_no_code() {
    let mut moments = CentringMoments::new(2);
    for _ in 0..5 {
        moments.add(&Standardised {
            location: vec![1.0, f64::NAN],
            ln_scale: vec![0.0, 0.0],
            effect: vec![0.5, 1.0],
        });
    }
    let mut codes = [3, 8];
    moments.choose(&[2], &mut codes);
    assert_eq!(codes, [3, 8]);
}

/// Sampling from either extreme finds the informative levels centred, the others not.
#[test]
fn weights_follow_the_information() {
    for start in [0, CENTRING_STEPS] {
        for seed in [1, 2, 3] {
            let samples = sample(&mixed(start), &settings(Sampler::Hmc, seed));
            let tuning = samples.state.tuning.unwrap();
            for codes in tuning.centring.chunks_exact(8) {
                assert!(codes[..4].iter().all(|c| *c >= 9), "from {start}: {codes:?}");
                assert!(codes[4..].iter().all(|c| *c <= 1), "from {start}: {codes:?}");
            }
        }
    }
}

#[test]
fn draws_in_learned_coordinates_have_the_right_posterior() {
    let groups = mixed(0);
    let (means, variances) = hyper_moments(&groups.data);
    for seed in [1, 2, 3] {
        let mut samples = sample(&groups, &settings(Sampler::Hmc, seed));
        for i in 0..2 {
            let what = format!("seed {seed} coordinate {i}");
            assert_moments(&samples, i, means[i], variances[i], &what);
        }
        // The draws as they would be centred: the groups' own values.
        let codes = samples.state.tuning.as_ref().unwrap().centring.clone();
        let per_ensemble = samples.positions.len() / samples.ensembles;
        for (codes, positions) in codes
            .chunks_exact(8)
            .zip(samples.positions.chunks_exact_mut(per_ensemble))
        {
            recentre(&groups, codes, &[CENTRING_STEPS; 8], positions);
        }
        for j in 0..8 {
            let (y, variance) = (groups.data[j].0, groups.data[j].1.powi(2));
            // θ given the hyperparameters.
            let expected = |q: &[f64]| {
                let share = (2.0 * q[1]).exp() / ((2.0 * q[1]).exp() + variance);
                share * y + (1.0 - share) * q[0]
            };
            let what = format!("seed {seed} group {j}");
            assert_mean(&samples, |q| q[2 + j] - expected(q), 0.0, &what);
        }
    }
}

#[test]
fn threads_do_not_matter_and_a_resumed_run_keeps_its_codes() {
    let groups = mixed(0);
    let one = Settings {
        chains: 48,
        warmup: 80,
        draws: 20,
        ..settings(Sampler::Hmc, 9)
    };
    let two = Settings {
        threads: 2,
        ..one.clone()
    };
    let whole = sample(&groups, &one);
    assert_eq!(whole, sample(&groups, &two));
    let codes = &whole.state.tuning.as_ref().unwrap().centring;
    assert_eq!(codes.len(), 3 * 8);
    assert!(codes.iter().any(|code| *code > 0), "nothing was learned");

    let first = sample(
        &groups,
        &Settings {
            draws: 8,
            ..one.clone()
        },
    );
    let rest = Settings {
        warmup: 0,
        draws: 12,
        ..one
    };
    let second = sample_from(&groups, &rest, &first.state);
    assert_eq!(second.state, whole.state);
    for chain in 0..48 {
        assert_eq!(
            whole.positions[(chain * 20 + 8) * 10..(chain + 1) * 200],
            second.positions[chain * 120..(chain + 1) * 120]
        );
    }
}

#[test]
fn codes_change_at_a_quarter_and_at_a_half_of_warmup_alone() {
    let groups = mixed(5);
    let mut recentring = Recentring::new(&groups, None, 100..500);
    for iteration in 100..600 {
        // Draws of the prior at first, of ever better known groups later: the choice would change at any time.
        let mut positions = normals(160, iteration);
        for position in positions.chunks_exact_mut(10) {
            let known = groups.natural(&[0; 8], position);
            let done = f64::from(iteration - 100) / 400.0;
            for j in 0..8 {
                let theta = (1.0 - done) * known[j] + done * groups.data[j].0;
                position[2 + j] = (theta - position[0]) / position[1].exp();
            }
            recentre(&groups, &[0; 8], recentring.codes(), position);
        }
        let before = recentring.codes().to_vec();
        let refit = recentring.update(iteration, &mut positions);
        let is_refit = [199, 299].contains(&iteration);
        assert_eq!(refit.is_some(), is_refit, "iteration {iteration}");
        assert_eq!(before != recentring.codes(), is_refit, "iteration {iteration}");
    }
}
