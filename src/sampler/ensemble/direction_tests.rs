//! Ensembles whose metric has directions beside its diagonal, on the CPU and on engines that have none.

use std::sync::atomic::AtomicBool;

use super::{CpuEngine, Engine, IterationResult, Plan, run_on_engine};
use crate::back::evaluate::Density;
use crate::error::{Kind, Result};
use crate::sampler::posterior_tests::{assert_mean, assert_moments, sample, sample_from, settings};
use crate::sampler::targets::{equicorrelated_normal, normal};
use crate::sampler::{Sampler, Samples, Settings, State, Watch};

const DIM: usize = 8;
const RHO: f64 = 0.95;

fn steps(samples: &Samples) -> f64 {
    let sum: f64 = samples.n_steps.iter().map(|steps| f64::from(*steps)).sum();
    sum / samples.n_steps.len() as f64
}

/// Directions of every ensemble.
fn counts(state: &State) -> Vec<usize> {
    let tuning = state.tuning.as_ref().unwrap();
    let ensembles = tuning.step_sizes.len();
    (0..ensembles)
        .map(|e| {
            tuning
                .directions_of(e, state.positions.len() / (16 * ensembles))
                .len()
        })
        .collect()
}

/// The long direction and the narrow ones, λ = 7.65 and .05: with the long one in the metric all are as narrow, and the
/// diagonal's own business is left. Without, a step is as short as the narrow ones ask and a trajectory as long as the long.
#[test]
fn a_correlated_normal_gets_its_directions_and_has_its_covariance() {
    let target = equicorrelated_normal(DIM, RHO);
    for seed in [1, 2, 3] {
        let with = settings(Sampler::Hmc, seed);
        let without = Settings {
            directions: false,
            ..with.clone()
        };
        let (with, without) = (sample(&target, &with), sample(&target, &without));
        assert!(counts(&with.state).iter().all(|count| *count > 0));
        assert_eq!(counts(&without.state), [0; 4]);
        // √(7.65/.05) = 12 times as many steps, less the scatter of lengths and what whole steps round up.
        assert!(
            6.0 * steps(&with) < steps(&without),
            "seed {seed}: {} and {} steps",
            steps(&with),
            steps(&without)
        );
        for samples in [with, without] {
            for i in 0..DIM {
                let sd = (i + 1) as f64;
                assert_moments(&samples, i, 0.0, sd * sd, &format!("seed {seed}, {i}"));
            }
            assert_mean(&samples, |q| q[0] * q[7], RHO * 8.0, "covariance");
            assert_mean(&samples, |q| q[2] * q[3], RHO * 12.0, "covariance");
        }
    }
}

#[test]
fn independent_coordinates_get_none() {
    let target = normal(vec![0.0; 20], (1..=20).map(f64::from).collect());
    for seed in [1, 2, 3] {
        let settings = Settings {
            draws: 1,
            ..settings(Sampler::Hmc, seed)
        };
        assert_eq!(counts(&sample(&target, &settings).state), [0; 4]);
    }
}

#[test]
fn threads_do_not_matter_and_a_continued_run_keeps_its_directions() {
    let target = equicorrelated_normal(DIM, RHO);
    let whole = Settings {
        draws: 20,
        ..settings(Sampler::Hmc, 5)
    };
    let first = Settings {
        draws: 8,
        threads: 2,
        ..whole.clone()
    };
    let rest = Settings {
        warmup: 0,
        draws: 12,
        ..whole.clone()
    };
    let (whole, first) = (sample(&target, &whole), sample(&target, &first));
    let second = sample_from(&target, &rest, &first.state);
    assert_eq!(second.state, whole.state);
    for chain in 0..64 {
        assert_eq!(
            whole.positions[(chain * 20 + 8) * DIM..(chain + 1) * 20 * DIM],
            second.positions[chain * 12 * DIM..(chain + 1) * 12 * DIM]
        );
    }
}

/// The CPU's engine without directions, as a GPU's is.
struct Diagonal<'d>(CpuEngine<'d>);

impl Engine for Diagonal<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn ensembles(&self) -> usize {
        1
    }
    fn chains_per_ensemble(&self) -> usize {
        self.0.chains_per_ensemble()
    }
    fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
        self.0.set_positions(positions)
    }
    fn set_inv_mass(&mut self, inv_mass_diag: &[f64]) -> Result<()> {
        self.0.set_inv_mass(inv_mass_diag)
    }
    fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        self.0.set_centring(codes)
    }
    fn set_thin(&mut self, thin: u32) {
        self.0.set_thin(thin);
    }
    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        self.0.run(first_iteration, plans, progress)
    }
    fn gradients(&mut self) -> Result<(Vec<f64>, u64)> {
        self.0.gradients()
    }
}

#[test]
fn an_engine_with_a_diagonal_is_asked_for_nothing_else() {
    let target = equicorrelated_normal(DIM, RHO);
    let tuned = Settings {
        chains: 16,
        draws: 2,
        ..settings(Sampler::Hmc, 4)
    };
    let known = sample(&target, &tuned).state;
    assert!(counts(&known)[0] > 0);
    let run = |settings: &Settings, state: &State| {
        let mut engine = Diagonal(CpuEngine::new(&target, settings, 0, 16));
        let watch = Watch {
            observer: &|_| {},
            stop: &AtomicBool::new(false),
        };
        run_on_engine(&mut engine, target.centring(), settings, 0, state, watch)
    };
    // From the start, and from a state that has directions, which a warm-up forgets.
    let start = State::dispersed(&target, &tuned).unwrap();
    let without = Settings {
        directions: false,
        ..tuned.clone()
    };
    assert_eq!(run(&tuned, &start).unwrap(), sample(&target, &without));
    assert_eq!(counts(&run(&tuned, &known).unwrap().state), [0]);
    // Without a warm-up its tuning would be that of another metric.
    let no_warmup = Settings { warmup: 0, ..tuned };
    let error = run(&no_warmup, &known).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("directions"));
}
