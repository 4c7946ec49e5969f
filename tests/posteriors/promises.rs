//! Draws depend on the model, the data and the seed, never on threads or on the run.

use std::path::Path;

use tadpool::fit::{Fit, Options};

use crate::reference::Case;
use crate::{Engine, compile, sample};

/// A short run, warm-up included, of `engine`.
fn short(engine: Engine, seed: u64, threads: usize) -> Options {
    Options {
        // Five ensembles, or five chains: no multiple of the threads.
        chains: Some(if engine == Engine::Nuts { 5 } else { 80 }),
        warmup: Some(100),
        draws: Some(20),
        threads: Some(threads),
        ..engine.options(seed)
    }
}

/// Everything of two fits that comes from random numbers.
fn assert_same_draws(a: &Fit, b: &Fit, what: &str) {
    assert!(a.posterior == b.posterior, "{what}: other draws");
    assert!(
        a.sample_stats == b.sample_stats,
        "{what}: other statistics of draws"
    );
    assert!(a.state == b.state, "{what}: another state");
    assert_eq!(a.run.diagnostics, b.run.diagnostics, "{what}");
}

#[test]
fn draws_do_not_depend_on_the_threads() {
    for name in ["m12_2", "m12_5", "eight_schools"] {
        let case = Case::named(name);
        let model = compile(case.name, case.text, case.table);
        for engine in [Engine::Nuts, Engine::Hmc] {
            let one = sample(&model, &short(engine, 1, 1));
            for threads in [2, 3] {
                let many = sample(&model, &short(engine, 1, threads));
                assert_same_draws(&one, &many, &format!("{name}, {engine:?}, {threads} threads"));
            }
        }
    }
}

fn through_a_file(fit: &Fit, file: &str) -> Fit {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    fit.write(&path).expect("the fit is written");
    let read = Fit::read(&path).expect("the fit is read");
    std::fs::remove_file(&path).expect("the file is removed");
    read
}

fn assert_seeds_decide(engine: Engine) {
    let case = Case::named("eight_schools");
    let run = |seed, file: &str| {
        let model = compile(case.name, case.text, case.table);
        through_a_file(&sample(&model, &short(engine, seed, 2)), file)
    };
    let [first, again, other] = [(7, "first"), (7, "again"), (8, "other")]
        .map(|(seed, file)| run(seed, &format!("{engine:?}-{file}.nc")));
    assert_same_draws(&first, &again, &format!("{engine:?}, the same seed"));
    for (a, b) in first.posterior.iter().zip(&other.posterior) {
        let equal = a.values.iter().zip(&b.values).filter(|(a, b)| a == b).count();
        assert_eq!(equal, 0, "{engine:?}: draws of {} that two seeds share", a.name);
    }
}

#[test]
fn the_seed_alone_decides_the_draws_in_the_file() {
    for engine in [Engine::Nuts, Engine::Hmc] {
        assert_seeds_decide(engine);
    }
}

#[test]
fn the_seed_alone_decides_the_draws_of_the_gpu() {
    if crate::has_gpu() {
        assert_seeds_decide(Engine::Gpu);
    }
}
