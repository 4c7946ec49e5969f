//! Differences and weights from given pointwise values, by WAIC and by exact leave-one-out: those under `data/`, and
//! what `compare.json` says of them.

use serde_json::Value;
use tadpool::diag::elpd::{difference, pseudo_bma, pseudo_bma_plus, stacking, total};

const COMPARE: &str = include_str!("compare.json");
const M12_1: &str = include_str!("../../data/reedfrogs/m12_1.json");
const M12_2: &str = include_str!("../../data/reedfrogs/m12_2.json");

/// Sums of 48 numbers of 16 digits.
const TOLERANCE: f64 = 1e-6;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// The entry of `compare.json`, and the pointwise values of m12_1 and m12_2 behind it.
fn cases() -> Vec<(&'static str, Value, [Vec<f64>; 2])> {
    let compare = parsed(COMPARE);
    let models = [parsed(M12_1), parsed(M12_2)];
    [("waic", "pointwise_waic"), ("loo_exact", "pointwise_loo")]
        .into_iter()
        .map(|(criterion, pointwise)| {
            let entry = compare[format!("EXACT m12_1 vs m12_2 {criterion}")].clone();
            let of = |model: &Value| numbers(&model["information_criteria"][pointwise]);
            (criterion, entry, [of(&models[0]), of(&models[1])])
        })
        .collect()
}

fn assert_near(what: &str, found: f64, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    assert!(
        (found - expected).abs() < TOLERANCE,
        "{what}: {found} for {expected}"
    );
}

#[test]
fn totals_and_their_errors_are_those_given() {
    for (criterion, _, rows) in cases() {
        for (rows, model) in rows.iter().zip([M12_1, M12_2]) {
            let expected = &parsed(model)["information_criteria"][criterion];
            let found = total(rows);
            assert_near(criterion, found.sum, &expected["elpd"]);
            assert_near(criterion, found.se, &expected["se_elpd"]);
        }
    }
}

#[test]
fn differences_and_their_errors_are_those_given() {
    for (criterion, entry, [first, second]) in cases() {
        let found = difference(&first, &second);
        assert_near(criterion, found.sum, &entry["elpd_diff(m12_1-m12_2)"]);
        assert_near(criterion, -2.0 * found.sum, &entry["d_deviance"]);
        assert_near(criterion, 2.0 * found.se, &entry["dSE_deviance"]);
    }
}

#[test]
fn pseudo_bma_weights_are_those_given() {
    for (criterion, entry, [first, second]) in cases() {
        let weights = pseudo_bma(&[&first, &second]);
        let expected = &entry["weights[m12_1,m12_2]"];
        for (weight, expected) in weights.iter().zip(expected.as_array().expect("two weights")) {
            assert_near(criterion, *weight, expected);
        }
    }
}

/// The weight of the first of two models where the slope of the objective vanishes, by bisection; on the border if it
/// does not.
fn bisected(first: &[f64], second: &[f64]) -> f64 {
    let slope = |w: f64| -> f64 {
        first
            .iter()
            .zip(second)
            .map(|(a, b)| {
                let ratio = (b - a).exp();
                (1.0 - ratio) / (w + (1.0 - w) * ratio)
            })
            .sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if slope(middle) > 0.0 {
            low = middle
        } else {
            high = middle
        }
    }
    (low + high) / 2.0
}

#[test]
fn stacking_weights_are_where_the_slope_vanishes() {
    for (criterion, _, [first, second]) in cases() {
        let expected = bisected(&first, &second);
        let weights = stacking(&[&first, &second]);
        assert!(
            (weights[0] - expected).abs() < TOLERANCE,
            "{criterion}: {weights:?} for {expected}"
        );
        // The order of the models means nothing.
        let swapped = stacking(&[&second, &first]);
        assert!(
            (swapped[1] - expected).abs() < TOLERANCE,
            "{criterion}: {swapped:?} for {expected}"
        );
    }
}

/// The weights of 1,000 bootstraps differ between seeds by their sampling alone: the sd of a weight is at most ½, so two
/// averages differ by less than 5·√2·½/√1000.
#[test]
fn bootstrapped_weights_lie_between_equal_ones_and_pseudo_bma() {
    let [(_, _, [first, second]), ..] = &cases()[..] else {
        panic!("cases");
    };
    let rows: [&[f64]; 2] = [first, second];
    let weights = pseudo_bma_plus(&rows, 1);
    assert_eq!(weights, pseudo_bma_plus(&rows, 1));
    assert!((weights[0] - pseudo_bma_plus(&rows, 2)[0]).abs() < 0.112);
    assert!(
        (weights[1] - 0.5).abs() < (pseudo_bma(&rows)[1] - 0.5).abs() + 0.08,
        "{weights:?}"
    );
}
