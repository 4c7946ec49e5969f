//! Exact leave-one-out by refits against quadrature, row by row.

use std::sync::atomic::AtomicBool;

use serde_json::Value;
use tadpool::data::Table;
use tadpool::diag::elpd::difference;
use tadpool::study::batch::{Done, PRECISE, Sampling, WARMUP, fit_wave, least_ess};
use tadpool::study::{CrossValidation, Folds, Predictive};

/// The refits of `tadpool compare --by exact` without further flags.
fn refitted(model: &str) -> Predictive {
    let text = std::fs::read_to_string(format!("data/reedfrogs/{model}.tad")).expect("a model");
    let table = Table::from_path(std::path::Path::new("data/reedfrogs/reedfrogs.csv")).expect("a table");
    let (chains, draws) = PRECISE;
    let sampling = Sampling {
        chains,
        warmup: WARMUP,
        draws,
        seed: 1,
        min_ess: least_ess(chains, draws),
        threads: 2,
    };
    let study = CrossValidation::new((model, &text), table, &Folds::Rows, 1).expect("a good model");
    let (done, stop) = (Done::default(), AtomicBool::new(false));
    let part = fit_wave(&study, &sampling, 0..study.replicates(), &done, &stop)
        .expect("refits")
        .expect("all of them");
    assert!(part.records.iter().all(|record| record.status.is_sound()));
    Predictive::of(&part, study.replicates()).expect("draws of every fold")
}

/// The sum may be off by 1.5 on the deviance scale, 0.4 % of it and a thirtieth of the difference between the models;
/// a row by 4.5 of its Monte Carlo errors, which rows on average must keep to. A test of 96 rows of a right sampler fails
/// once in a thousand times.
#[test]
fn every_row_is_predicted_as_by_quadrature() {
    let mut all = Vec::new();
    for model in ["m12_1", "m12_2"] {
        let text = std::fs::read_to_string(format!("data/reedfrogs/{model}.json")).expect("reference values");
        let known: Value = serde_json::from_str(&text).expect("JSON");
        let known = &known["information_criteria"];
        let of = |key: &str| known["loo_exact"][key].as_f64().expect("a number");
        let found = refitted(model);
        let (deviance, mcse) = (-2.0 * found.elpd.sum, 2.0 * found.mcse);
        println!(
            "{model}: {deviance:.2} ± {mcse:.2} for {:.2}, p {:.2} for {:.2}",
            of("deviance"),
            found.p,
            of("p")
        );
        assert!((deviance - of("deviance")).abs() < 1.5, "{model}: {deviance}");
        assert!(
            (deviance - of("deviance")).abs() < 4.5 * mcse && mcse < 0.5,
            "{model}: {mcse}"
        );
        let rows = known["pointwise_loo"].as_array().expect("rows");
        assert_eq!(rows.len(), found.rows.len());
        let mut squares = 0.0;
        for (row, expected) in found.rows.iter().zip(rows) {
            let z = (row.elpd - expected.as_f64().expect("a number")) / row.mcse;
            assert!(
                z.abs() < 4.5,
                "{model}, {}: {} ± {} for {expected}",
                row.name,
                row.elpd,
                row.mcse
            );
            squares += z * z;
        }
        // Of 48 squares of normals the mean is 1 ± 0.2.
        let mean = squares / rows.len() as f64;
        println!("{model}: mean square of the rows' errors in Monte Carlo errors {mean:.2}");
        assert!((0.4..2.0).contains(&mean), "{model}: {mean}");
        all.push((
            found,
            rows.iter()
                .map(|row| row.as_f64().expect("a number"))
                .collect::<Vec<_>>(),
        ));
    }
    let [(first, first_known), (second, second_known)] = &all[..] else {
        panic!("two models");
    };
    let pointwise = |found: &Predictive| found.rows.iter().map(|row| row.elpd).collect::<Vec<f64>>();
    let found = difference(&pointwise(second), &pointwise(first));
    let expected = difference(second_known, first_known);
    let mcse = first.mcse.hypot(second.mcse);
    assert!((found.sum - expected.sum).abs() < 4.5 * mcse && (found.se - expected.se).abs() < 4.5 * mcse);
}
