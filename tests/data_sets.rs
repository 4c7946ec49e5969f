//! The shipped data sets read, mean what their notes say, and their reference values name their labels.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tadpool::data::{Factor, Table, element_name};

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)
}

fn table(name: &str) -> Table {
    let table = Table::from_path(&path(&format!("{name}/{name}.csv"))).expect("a shipped table");
    assert!(table.notes().is_empty(), "{name}: {:?}", table.notes());
    table
}

fn reference(file: &str) -> Value {
    let text = fs::read_to_string(path(file)).expect("reference values");
    serde_json::from_str(&text).expect("JSON")
}

/// Names of the reference parameters of a model.
fn parameters(model: &str) -> BTreeSet<String> {
    let values = reference(&format!("{model}.json"));
    values["params"]
        .as_object()
        .expect("parameters")
        .keys()
        .cloned()
        .collect()
}

fn elements(name: &str, factor: &Factor) -> Vec<String> {
    factor
        .labels()
        .iter()
        .map(|label| element_name(name, [("index", label.as_str())]))
        .collect()
}

fn expected(scalars: &[&str], plates: &[(&str, &Factor)]) -> BTreeSet<String> {
    let scalars = scalars.iter().map(|name| (*name).to_owned());
    scalars
        .chain(plates.iter().flat_map(|(name, factor)| elements(name, factor)))
        .collect()
}

#[test]
fn survivors_are_counts_within_the_number_at_risk() {
    for (name, rows, at_risk, alive) in [("reedfrogs", 48, "density", "surv"), ("ponds", 60, "ni", "si")] {
        let table = table(name);
        assert_eq!(table.rows(), rows);
        let at_risk = table.complete_numeric(at_risk).expect("counts");
        let alive = table.complete_numeric(alive).expect("counts");
        assert!(
            at_risk
                .iter()
                .zip(alive)
                .all(|(n, k)| k.fract() == 0.0 && (0.0..=*n).contains(k)),
            "{name}"
        );
    }
}

#[test]
fn reedfrogs_have_their_reference_parameters() {
    let table = table("reedfrogs");
    assert_eq!(table.factor("pred").expect("labels").labels(), ["no", "pred"]);
    assert_eq!(table.factor("size").expect("labels").labels(), ["big", "small"]);
    let tank = Factor::rows("tank", table.rows()).expect("few rows");
    assert_eq!(parameters("reedfrogs/m12_1"), expected(&[], &[("a_tank", &tank)]));
    assert_eq!(
        parameters("reedfrogs/m12_2"),
        expected(&["a", "sigma"], &[("a_tank", &tank)])
    );
}

#[test]
fn chimpanzees_have_their_reference_parameters() {
    let table = table("chimpanzees");
    assert_eq!(table.rows(), 504);
    for name in ["condition", "prosoc_left", "pulled_left"] {
        assert!(
            table
                .complete_numeric(name)
                .expect("numbers")
                .iter()
                .all(|&x| x == 0.0 || x == 1.0),
            "{name}"
        );
    }
    let (actor, block) = (
        table.factor("actor").expect("labels"),
        table.factor("block").expect("labels"),
    );
    assert_eq!((actor.levels(), block.levels()), (7, 6));
    let slopes = ["a", "bp", "bpC", "sigma_actor"];
    assert_eq!(
        parameters("chimpanzees/m12_4"),
        expected(&slopes, &[("a_actor", &actor), ("total_a_actor", &actor)])
    );
    assert_eq!(
        parameters("chimpanzees/m12_5"),
        expected(
            &[&slopes[..], &["sigma_block"]].concat(),
            &[("a_actor", &actor), ("a_block", &block)]
        )
    );
}

#[test]
fn ponds_and_schools_have_their_reference_parameters() {
    let ponds = table("ponds");
    let pond = ponds.factor("pond").expect("labels");
    let found = parameters("ponds/m12_3");
    assert!(expected(&["a", "sigma"], &[("a_pond", &pond)]).is_subset(&found));

    let schools = table("eight_schools");
    let school = schools.factor("school").expect("labels");
    assert!(
        schools
            .complete_numeric("sigma_obs")
            .expect("scales")
            .iter()
            .all(|&s| s > 0.0)
    );
    assert_eq!(
        parameters("eight_schools/eight_schools"),
        expected(&["mu", "tau"], &[("theta", &school)])
    );
}

#[test]
fn every_point_has_a_log_density_and_a_gradient_of_its_size() {
    let points = reference("log_density_points.json");
    let cases = points["cases"].as_object().expect("cases");
    assert_eq!(cases.len(), 10);
    for (case, points) in cases {
        for point in points.as_array().expect("points") {
            let size: usize = point["point"]
                .as_object()
                .expect("blocks")
                .values()
                .map(|block| block.as_array().map_or(1, Vec::len))
                .sum();
            assert!(point["logp"].as_f64().is_some_and(f64::is_finite), "{case}");
            assert_eq!(
                point["grad"].as_array().expect("a gradient").len(),
                size,
                "{case}"
            );
        }
    }
}
