//! Kernels, gradients and iterations of the CPU path, each on one core, with their spread.
//!
//! `cargo bench --bench kernels` measures; `cargo bench --bench kernels -- --test` runs each once, to see that it works.
//! Rates side by side in one run, by instruction set, are in `gradients.rs`.

use std::hint::black_box;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, Throughput, criterion_main};
use tadpool::back::evaluate::Density;
use tadpool::back::simd::LANES;
use tadpool::bench::Subject;
use tadpool::num::lanes;
use tadpool::rng::{Purpose, Stream};
use tadpool::sampler::{self, CpuEngine, Engine, Plan, Sampler, Settings, State, Watch};

/// Numbers that a kernel maps in one go: they fit the first-level cache.
const NUMBERS: usize = 1024;
/// Draws of a measured run of NUTS: enough that starting its thread does not count.
const TRANSITIONS: usize = 100;

/// Defines a map of a kernel over a slice of blocks, compiled for AVX2 too and chosen at run time.
macro_rules! mapped {
    ($($name:ident;)*) => {$(
        fn $name(from: &[[f64; LANES]], to: &mut [[f64; LANES]]) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2(from: &[[f64; LANES]], to: &mut [[f64; LANES]]) {
                    for (x, y) in from.iter().zip(to) {
                        *y = lanes::$name::<true, LANES>(*x);
                    }
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were just detected.
                    return unsafe { avx2(from, to) };
                }
            }
            for (x, y) in from.iter().zip(to) {
                *y = lanes::$name::<false, LANES>(*x);
            }
        }
    )*};
}

mapped! {
    exp;
    ln;
    softplus;
    inv_logit;
    lgamma;
}

fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(NUMBERS as u64));
    // From 0.01 to 20: inside the domain of all of them, no special cases.
    let from: Vec<[f64; LANES]> = (0..NUMBERS / LANES)
        .map(|i| std::array::from_fn(|lane| 0.01 + (i * LANES + lane) as f64 * 20.0 / NUMBERS as f64))
        .collect();
    let mut to = from.clone();
    type Map = fn(&[[f64; LANES]], &mut [[f64; LANES]]);
    let maps: [(&str, Map); 5] = [
        ("exp", exp),
        ("ln", ln),
        ("softplus", softplus),
        ("inv_logit", inv_logit),
        ("lgamma", lgamma),
    ];
    for (name, map) in maps {
        group.bench_function(name, |bencher| {
            bencher.iter(|| map(black_box(&from), black_box(&mut to)))
        });
    }
}

fn subjects() -> Vec<Subject> {
    Subject::built_in().expect("the models that are built in compile")
}

/// One evaluation of a block: divide by its lanes for the time of one gradient.
fn gradients(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gradient");
    for subject in subjects() {
        let dim = subject.model.dim();
        let mut position = vec![0.0; dim * LANES];
        let stream = Stream {
            seed: 1,
            replicate: 0,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Initial,
        };
        stream.fill_normal(&mut position);
        for lanes in [1, LANES] {
            let mut worker = subject.model.density().evaluator(lanes);
            let mut log_density = vec![0.0; lanes];
            let mut gradient = vec![0.0; dim * lanes];
            group.throughput(Throughput::Elements(lanes as u64));
            group.bench_function(format!("{}/{lanes} lanes", subject.name), |bencher| {
                bencher.iter(|| {
                    worker.log_density_grad(
                        black_box(&position[..dim * lanes]),
                        &mut log_density,
                        &mut gradient,
                    );
                });
            });
        }
    }
}

fn settings(sampler: Sampler, chains: usize, warmup: u32, draws: usize) -> Settings {
    Settings {
        sampler,
        chains,
        warmup,
        draws,
        thin: 1,
        seed: 1,
        replicate: 0,
        target_accept: 0.8,
        directions: true,
        threads: 1,
    }
}

/// The state after a short warm-up.
fn warmed_up(subject: &Subject, settings: &Settings) -> State {
    let start = State::dispersed(&subject.model, settings).expect("finite starting points");
    run(subject, settings, &start)
}

fn run(subject: &Subject, settings: &Settings, state: &State) -> State {
    let go_on = AtomicBool::new(false);
    let watch = Watch {
        observer: &|_| {},
        stop: &go_on,
    };
    sampler::run(&subject.model, settings, state, watch)
        .expect("a run")
        .state
}

/// Transitions of one tuned chain.
fn nuts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("NUTS");
    group.throughput(Throughput::Elements(TRANSITIONS as u64));
    for subject in subjects() {
        let state = warmed_up(&subject, &settings(Sampler::Nuts, 1, 300, 1));
        let drawing = settings(Sampler::Nuts, 1, 0, TRANSITIONS);
        group.bench_function(format!("{}/{TRANSITIONS} transitions", subject.name), |bencher| {
            bencher.iter(|| run(&subject, &drawing, black_box(&state)));
        });
    }
}

/// One iteration of an ensemble of 16 chains with 10 leapfrog steps.
fn ensembles(criterion: &mut Criterion) {
    const CHAINS: usize = 16;
    const PLAN: Plan = Plan {
        step_size: 0.05,
        num_leapfrog_steps: 10,
    };
    let mut group = criterion.benchmark_group("ensemble");
    group.throughput(Throughput::Elements(
        CHAINS as u64 * u64::from(PLAN.num_leapfrog_steps),
    ));
    for subject in subjects() {
        let settings = settings(Sampler::Hmc, CHAINS, 0, 1);
        let density = &subject.model;
        let state = State::dispersed(density, &settings).expect("finite starting points");
        let mut engine = CpuEngine::new(density, &settings, 0, CHAINS);
        engine
            .set_positions(&state.positions)
            .expect("positions of every chain");
        let plans = [vec![PLAN]];
        let mut iteration = 0;
        group.bench_function(format!("{}/iteration", subject.name), |bencher| {
            bencher.iter(|| {
                iteration += 1;
                engine.run(iteration, &plans, &mut |_| true)
            });
        });
    }
}

/// Criterion's macro writes a public function without documentation.
#[allow(missing_docs)]
mod groups {
    use super::{ensembles, gradients, kernels, nuts};

    criterion::criterion_group!(all, kernels, gradients, nuts, ensembles);
}
use groups::all;
criterion_main!(all);
