//! Posteriors far from where chains start, and narrow: warm-up must find them, with either sampler.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::fit::{self, Backend, Options, Report, Sampler};
use tadpool::model::Model;

/// Noise of standard deviation about 1, equidistributed and the same everywhere.
fn noise(i: usize) -> f64 {
    let u = (i as f64 * 0.618_033_988_749_895).fract();
    let v = (i as f64 * 0.414_213_562_373_095).fract();
    (-2.0 * (u + 1e-9).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn check(name: &str, text: &str, csv: &str, samplers: &[Sampler]) {
    let table = Table::from_bytes("far.csv", csv.as_bytes()).expect("a table");
    let model = Model::new(name, text, &table).expect("a model");
    for &sampler in samplers {
        for seed in 1..=3 {
            let options = Options {
                backend: Backend::Cpu,
                sampler,
                seed,
                ..Options::default()
            };
            let fit = fit::fit(&model, &options, &|_| {}, &AtomicBool::new(false)).expect("a fit");
            let report = Report::of(&fit, options.prob, options.interval, 2).expect("a report");
            let verdict = &report.verdict;
            assert!(
                verdict.max_rhat.is_some_and(|rhat| rhat < 1.02) && verdict.divergences == 0,
                "{name}, {sampler:?}, seed {seed}: {verdict:?}"
            );
        }
    }
}

#[test]
fn an_intercept_thousands_of_sds_away_is_found() {
    let mut csv = "x,y\n".to_owned();
    for i in 0..500 {
        let x = noise(i);
        writeln!(csv, "{x},{}", 500.0 + 3.0 * x + 0.1 * noise(1000 + i)).expect("a line");
    }
    let text = "y ~ Normal(m, s)\nm = a + b*x\na, b ~ Normal(0, 1000)\ns ~ Exponential(1)\n";
    check("line", text, &csv, &[Sampler::Nuts, Sampler::Hmc]);
}

/// What multiplying out squares must not spoil: groups far apart beside the scatter within them.
#[test]
fn groups_thousands_of_sds_apart_are_found() {
    let mut csv = "g,y\n".to_owned();
    for i in 0..4000 {
        let group = i % 20;
        writeln!(csv, "{group},{}", 100.0 * group as f64 + 0.1 * noise(i)).expect("a line");
    }
    let text = "y ~ Normal(m, 0.1)\nm = a[g]\na[g] ~ Normal(0, 10000)\n";
    check("groups", text, &csv, &[Sampler::Nuts, Sampler::Hmc]);
}
