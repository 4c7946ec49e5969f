//! The claim of `--mcse`: a run that stopped by itself knows its means as well as it was asked to.
//!
//! Ten seeds of the ensembles are part of every run of the tests; ten of NUTS, which take a minute or two, of
//! `tests/run`, or by hand: `cargo test --release --test posteriors -- --ignored --nocapture`.

use tadpool::diag::{Interval, Prob};
use tadpool::fit::{Fit, Options, Report};

use crate::judge::{is_below, rms};
use crate::reference::Case;
use crate::{Engine, compile, sample};

const TARGET: f64 = 0.02;
/// The root mean square over the parameters of a fit, and each alone, in posterior sds. A run that meets the target has
/// standard errors below it: the largest of 180 errors lies beyond 4.5 of them with a probability near .001. One fit's
/// errors are correlated, so that their root mean square scatters; .025 leaves room for that.
const LARGEST_RMS: f64 = 0.025;
const LARGEST: f64 = 0.09;

/// Errors of the means in posterior sds, with the reference's own variance in the same unit.
fn errors(fit: &Fit, case: &Case) -> Vec<(String, f64, f64)> {
    let report = Report::of(fit, Prob::default(), Interval::Eti, 2).expect("a report");
    let expected = case.expected();
    let rows = report.rows.iter().filter_map(|row| {
        let expected = expected.iter().find(|expected| expected.name == row.name)?;
        let error = (row.summary.mean - expected.mean) / expected.sd;
        Some((row.name.clone(), error, expected.inverse_ess()))
    });
    rows.collect()
}

/// A run of `engine` that stops by precision, with the default numbers of chains.
fn stopping(engine: Engine, seed: u64) -> Options {
    Options {
        chains: None,
        warmup: None,
        draws: None,
        mcse: Some(TARGET),
        ..engine.options(seed)
    }
}

fn assert_claim(engine: Engine, seeds: std::ops::RangeInclusive<u64>) {
    let case = Case::named("m12_5");
    let model = compile(case.name, case.text, case.table);
    let mut violations = Vec::new();
    for seed in seeds {
        let fit = sample(&model, &stopping(engine, seed));
        let ending = fit.run.ending.clone().unwrap_or_default();
        if !ending.starts_with("stopped by --mcse 0.02") {
            violations.push(format!("seed {seed} did not stop by itself: {ending}"));
        }
        let errors = errors(&fit, &case);
        assert_eq!(errors.len(), case.expected().len(), "parameters with a reference");
        // The reference's own errors are not the fit's.
        let of_reference = errors.iter().map(|(_, _, variance)| variance).sum::<f64>() / errors.len() as f64;
        let all = rms(errors.iter().map(|(_, error, _)| *error));
        let own = (all * all - of_reference).max(0.0).sqrt();
        let worst = errors.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let (name, worst, _) = worst.expect("parameters");
        println!(
            "{} seed {seed}: {} × {} draws, rms {own:.4}, worst {worst:+.4} of {name}",
            engine.name(),
            fit.run.chains,
            fit.run.draws
        );
        if !is_below(own, LARGEST_RMS) {
            violations.push(format!("seed {seed}: root mean square {own:.4}"));
        }
        if !is_below(worst.abs(), LARGEST) {
            violations.push(format!("seed {seed}: {name} is off by {worst:.4}"));
        }
    }
    assert!(
        violations.is_empty(),
        "{}:\n{}",
        engine.name(),
        violations.join("\n")
    );
}

#[test]
fn ensembles_that_stop_by_precision_keep_their_promise() {
    assert_claim(Engine::Hmc, 1..=10);
}

#[test]
fn nuts_that_stops_by_precision_keeps_its_promise() {
    assert_claim(Engine::Nuts, 1..=1);
}

#[test]
#[ignore = "takes a minute or two; tests/run runs it"]
fn ten_seeds_of_nuts_that_stops_by_precision_keep_their_promise() {
    assert_claim(Engine::Nuts, 1..=10);
}

/// Looks at fixed numbers of draws, not at times: the same stop on any number of threads.
#[test]
fn the_stop_does_not_depend_on_the_threads() {
    let case = Case::named("eight_schools");
    let model = compile(case.name, case.text, case.table);
    for engine in [Engine::Nuts, Engine::Hmc] {
        let run = |threads| {
            let options = Options {
                mcse: Some(0.05),
                threads: Some(threads),
                ..stopping(engine, 3)
            };
            sample(&model, &options)
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one.run.ending, two.run.ending);
        assert!(
            one.posterior == two.posterior && one.state == two.state,
            "{engine:?}"
        );
    }
}

/// A run that looks now and then is the run that never looks.
fn assert_rounds_change_nothing(engine: Engine) {
    let case = Case::named("eight_schools");
    let model = compile(case.name, case.text, case.table);
    let plain = Options {
        chains: Some(if engine == Engine::Nuts { 3 } else { 64 }),
        warmup: Some(100),
        draws: Some(150),
        thin: 2,
        ..engine.options(5)
    };
    let looking = Options {
        mcse: Some(1e-6),
        ..plain.clone()
    };
    let (plain, looking) = (sample(&model, &plain), sample(&model, &looking));
    assert!(plain.posterior == looking.posterior, "{engine:?}: other draws");
    assert!(
        plain.sample_stats == looking.sample_stats,
        "{engine:?}: other statistics"
    );
    assert!(plain.state == looking.state, "{engine:?}: another state");
    let ending = looking.run.ending.unwrap_or_default();
    assert!(
        ending.starts_with("--mcse 0.000001 was not reached: the standard error of the mean of ")
            && ending.ends_with("Raise --draws, which is 150."),
        "{ending}"
    );
}

#[test]
fn rounds_change_no_draw() {
    for engine in [Engine::Nuts, Engine::Hmc] {
        assert_rounds_change_nothing(engine);
    }
}

#[test]
fn rounds_change_no_draw_of_the_gpu() {
    if crate::has_gpu() {
        assert_rounds_change_nothing(Engine::Gpu);
    }
}
