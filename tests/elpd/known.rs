//! Fits against what is known of them: WAIC by quadrature, LOO by others' long runs.

use serde_json::Value;
use tadpool::diag::elpd::{difference, pseudo_bma};
use tadpool::fit::{Criterion, Elpd, LogLik};

use crate::sample;

fn elpd(fit: &tadpool::fit::Fit, criterion: Criterion) -> Elpd {
    Elpd::of(fit, "fit.nc", criterion, 2).expect("a fit with rows")
}

/// Four chains of 20,000 draws; the tolerances are the Monte Carlo noise of 20,000 draws.
#[test]
fn waic_is_that_of_quadrature() {
    for (folder, model, tolerance) in [
        ("chimpanzees", "m12_4", 0.15),
        ("reedfrogs", "m12_1", 0.5),
        ("reedfrogs", "m12_2", 0.5),
    ] {
        let text = std::fs::read_to_string(format!("data/{folder}/{model}.json")).expect("reference values");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        let expected = &expected["information_criteria"]["waic"];
        let number = |key: &str| expected[key].as_f64().expect("a number");
        let found = elpd(&sample(folder, model, 20_000, LogLik::None), Criterion::Waic);
        let (deviance, mcse) = (-2.0 * found.total().sum, 2.0 * found.mcse);
        println!(
            "{model}: WAIC {deviance:.3} ± {mcse:.3} for {:.3}",
            number("deviance")
        );
        assert!(
            (deviance - number("deviance")).abs() < tolerance,
            "{model}: {deviance}"
        );
        // The error that the draws tell of themselves.
        assert!(
            (deviance - number("deviance")).abs() < 4.5 * mcse && mcse < tolerance,
            "{model}: {mcse}"
        );
        assert!(
            (found.p() - number("p")).abs() < tolerance,
            "{model}: p {}",
            found.p()
        );
        assert!((2.0 * found.total().se - number("se_deviance")).abs() < 0.05 * number("se_deviance"));
    }
}

/// The tolerance of the weight: a difference of 1 in WAIC with the noise of 20,000 draws of each.
#[test]
fn the_varying_intercepts_have_the_known_waic_weight() {
    let [first, second] = ["m12_1", "m12_2"]
        .map(|model| elpd(&sample("reedfrogs", model, 5000, LogLik::Auto), Criterion::Waic));
    let rows = [first.pointwise(), second.pointwise()];
    let weight = pseudo_bma(&[&rows[0], &rows[1]])[1];
    println!("m12_2: weight {weight:.3}");
    assert!((weight - 0.62).abs() < 0.2, "{weight}");
    // Each row has its own tank, and most variances are large.
    assert_eq!(
        second.own.as_ref().map(|own| own.parameter.as_str()),
        Some("a_tank")
    );
    assert!(second.high_variances() > 10 && first.high_variances() > 10);
}

/// PSIS-LOO can be trusted here: 72 rows to an actor. ArviZ's values carry the noise of their run, as ours do.
#[test]
fn loo_of_actors_and_blocks_is_that_of_long_runs() {
    let compare: Value = serde_json::from_str(include_str!("compare.json")).expect("JSON");
    let expected = &compare["m12_4 vs m12_5 loo pseudo-BMA"];
    let found = ["m12_4", "m12_5"]
        .map(|model| elpd(&sample("chimpanzees", model, 5000, LogLik::None), Criterion::Loo));
    for (elpd, model) in found.iter().zip(["m12_4", "m12_5"]) {
        let number = |key: &str| expected[model][key].as_f64().expect("a number");
        // Two runs of about the same length, each with the error that ours states.
        let tolerance = 4.5 * 2f64.sqrt() * 2.0 * elpd.mcse;
        let deviance = -2.0 * elpd.total().sum;
        println!(
            "{model}: LOO {deviance:.3} ± {:.3} for {:.3}",
            2.0 * elpd.mcse,
            number("elpd_loo")
        );
        assert!(
            tolerance < 1.0 && (deviance - number("elpd_loo")).abs() < tolerance,
            "{model}: {deviance}"
        );
        assert!((2.0 * elpd.total().se - number("se")).abs() < 0.01 * number("se"));
        assert_eq!(
            (elpd.high_pareto_k(), elpd.own.clone()),
            (Some(0), None),
            "{model}"
        );
    }
    let between = difference(&found[0].pointwise(), &found[1].pointwise());
    let dse = expected["m12_5"]["dse"].as_f64().expect("a number");
    assert!((2.0 * between.se - dse).abs() < 0.05 * dse, "{between:?}");
}

/// ArviZ's example of eight schools: elpd −30.78 (SE 1.34), p 0.94, from 2,000 draws.
#[test]
fn loo_of_eight_schools_is_that_of_arviz() {
    let found = elpd(
        &sample("eight_schools", "eight_schools", 5000, LogLik::Auto),
        Criterion::Loo,
    );
    let (total, p) = (found.total(), found.p());
    println!("eight schools: {total:?} p {p:.3} mcse {:.3}", found.mcse);
    // Its run has √10 times our error.
    let tolerance = 4.5 * (11f64).sqrt() * found.mcse;
    assert!(
        tolerance < 0.3 && (total.sum + 30.78).abs() < tolerance + 0.005,
        "{total:?}"
    );
    assert!(
        (total.se - 1.34).abs() < 0.1 && (p - 0.94).abs() < 0.15,
        "{total:?} {p}"
    );
    assert_eq!(found.own.map(|own| own.index).as_deref(), Some("school"));
}

#[test]
fn rows_computed_again_are_the_rows_that_were_stored() {
    for (folder, model) in [
        ("reedfrogs", "m12_2"),
        ("eight_schools", "eight_schools"),
        ("radon_slopes", "radon_slopes"),
    ] {
        let stored = sample(folder, model, 100, LogLik::All);
        let mut bare = stored.clone();
        bare.log_likelihood.clear();
        for criterion in [Criterion::Loo, Criterion::Waic] {
            let (stored, bare) = (elpd(&stored, criterion), elpd(&bare, criterion));
            assert!(bare.is_recomputed && !stored.is_recomputed);
            // Positions from parameters lose a few roundings.
            for (a, b) in stored.rows.iter().zip(&bare.rows) {
                assert!(
                    (a.elpd - b.elpd).abs() < 1e-9 * (1.0 + a.elpd.abs()),
                    "{model}: {a:?} {b:?}"
                );
            }
        }
    }
}
