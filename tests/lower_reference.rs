//! Lowered models against log densities and gradients that another program computed, at both centrings.

use serde_json::Value;
use tadpool::back::reference;
use tadpool::data::Table;
use tadpool::ir::Program;
use tadpool::lang::{self, LowerOptions, Lowered, Parameterisation};
use tadpool::pass;

const REEDFROGS: &[u8] = include_bytes!("../data/reedfrogs/reedfrogs.csv");
const PONDS: &[u8] = include_bytes!("../data/ponds/ponds.csv");
const CHIMPANZEES: &[u8] = include_bytes!("../data/chimpanzees/chimpanzees.csv");
const SCHOOLS: &[u8] = include_bytes!("../data/eight_schools/eight_schools.csv");

fn lower(text: &str, csv: &[u8], centring: Option<bool>) -> Lowered {
    let model = lang::parse("m.tad", text).unwrap_or_else(|reports| panic!("{reports}"));
    let table = Table::from_bytes("d.csv", csv).expect("a table");
    let options = LowerOptions {
        centring,
        ..LowerOptions::default()
    };
    lang::lower(&model, ("m.tad", text), &table, &options)
        .unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)))
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().map(|x| x.as_f64().expect("a number")).collect(),
        other => vec![other.as_f64().expect("a number or an array")],
    }
}

/// The parameter that a block of the reference's point stands for: `sigma_log__` for `sigma`, `z` and `z_actor` for the
/// effects `a_tank`, `theta`, `a_actor`.
fn slot(lowered: &Lowered, block: &str) -> usize {
    let name = block.strip_suffix("_log__").unwrap_or(block);
    let found = match name.strip_prefix('z') {
        Some("") => lowered
            .parameters
            .iter()
            .position(|parameter| parameter.name.contains("a_") || parameter.name == "theta"),
        Some(rest) => lowered.slot_of(&format!("a{rest}")),
        None => lowered.slot_of(name),
    };
    found.unwrap_or_else(|| panic!("no parameter for `{block}`"))
}

fn close(found: f64, expected: f64, what: &str) {
    // Sums of a few hundred terms of order 1 to 10, of which the reference has some constants to 10 digits.
    assert!(
        (found - expected).abs() <= 1e-10 * expected.abs().max(1.0),
        "{what}: {found}, expected {expected}"
    );
}

/// What the reference's log densities lack: its program folds the logarithms of the priors' constant scales in single
/// precision (ln 5 of 48 tanks, of mu and of tau; ln 10 of a, bp and bpC).
fn lost_in_single_precision(case: &str) -> f64 {
    let lost = |x: f64| f64::from(x.ln() as f32) - x.ln();
    match case.split('/').next() {
        Some("m12_1") => 48.0 * lost(5.0),
        Some("eight_schools") => 2.0 * lost(5.0),
        Some("m12_4" | "m12_5") => 3.0 * lost(10.0),
        _ => 0.0,
    }
}

fn agree(lowered: &Lowered, case: &str, differentiate: impl Fn(&Program) -> tadpool::error::Result<Program>) {
    let file: Value =
        serde_json::from_str(include_str!("../data/log_density_points.json")).expect("the reference is JSON");
    let program = differentiate(&lowered.program).expect("a program");
    let offsets = lowered.program.graph.slot_offsets();
    let points = file["cases"][case].as_array().expect("points");
    assert!(!points.is_empty());
    for point in points {
        let mut position = vec![f64::NAN; lowered.program.graph.dim()];
        for (block, values) in point["point"].as_object().expect("blocks") {
            let slot = slot(lowered, block);
            position[offsets[slot]..offsets[slot + 1]].copy_from_slice(&numbers(values));
        }
        let found = reference::evaluate(&program, &position).expect("an evaluation");
        let expected = point["logp"].as_f64().expect("a number") + lost_in_single_precision(case);
        close(found.log_density, expected, case);
        let gradient = numbers(&point["grad"]);
        let mut at = 0;
        for block in point["grad_order"].as_array().expect("an order") {
            let slot = slot(lowered, block.as_str().expect("a name"));
            for (place, element) in (offsets[slot]..offsets[slot + 1]).enumerate() {
                close(
                    found.gradient[element],
                    gradient[at],
                    &format!("{case}, {block} {place}"),
                );
                at += 1;
            }
        }
        assert_eq!(at, gradient.len());
    }
}

fn check(text: &str, csv: &[u8], model: &str, centrings: &[(&str, bool)]) {
    for (name, centred) in centrings {
        let lowered = lower(text, csv, Some(*centred));
        let case = format!("{model}/{name}");
        agree(&lowered, &case, pass::reference_program);
        agree(&lowered, &case, pass::density_program);
    }
}

const CENTRED: (&str, bool) = ("centred", true);
const NONCENTRED: (&str, bool) = ("noncentred", false);

#[test]
fn m12_1() {
    // Without hyperparameters there is no effect, whatever the option.
    check(
        include_str!("../data/reedfrogs/m12_1.tad"),
        REEDFROGS,
        "m12_1",
        &[CENTRED, ("centred", false)],
    );
}

#[test]
fn m12_2() {
    check(
        include_str!("../data/reedfrogs/m12_2.tad"),
        REEDFROGS,
        "m12_2",
        &[CENTRED, NONCENTRED],
    );
}

#[test]
fn m12_3() {
    check(
        include_str!("../data/ponds/m12_3.tad"),
        PONDS,
        "m12_3",
        &[CENTRED],
    );
}

#[test]
fn m12_4() {
    check(
        include_str!("../data/chimpanzees/m12_4.tad"),
        CHIMPANZEES,
        "m12_4",
        &[CENTRED, NONCENTRED],
    );
}

#[test]
fn m12_5() {
    check(
        include_str!("../data/chimpanzees/m12_5.tad"),
        CHIMPANZEES,
        "m12_5",
        &[CENTRED, NONCENTRED],
    );
}

#[test]
fn eight_schools() {
    let text = include_str!("../data/eight_schools/eight_schools.tad");
    check(text, SCHOOLS, "eight_schools", &[CENTRED, NONCENTRED]);
}

#[test]
fn book_spellings_are_the_same_model() {
    let text = "\
alist(
    index tank = row,
    surv ~ dbinom(density, p),
    logit(p) <- a_tank[tank],
    a_tank[tank] ~ dnorm(a, sigma),
    a ~ dnorm(0, 1),
    sigma ~ dhalfcauchy(0, 1),
)";
    check(text, REEDFROGS, "m12_2", &[CENTRED, NONCENTRED]);
}

#[test]
fn a_truncated_prior_is_the_half_distribution() {
    let text = include_str!("../data/reedfrogs/m12_2.tad").replace("HalfCauchy(1)", "Cauchy(0, 1)");
    check(&text, REEDFROGS, "m12_2", &[CENTRED, NONCENTRED]);
    let lowered = lower(&text, REEDFROGS, None);
    assert!(
        lowered.expansion.contains("sigma ~ HalfCauchy(1)"),
        "{}",
        lowered.expansion
    );
    let notes: Vec<&str> = lowered
        .reports
        .reports
        .iter()
        .map(|report| report.title.as_str())
        .collect();
    assert_eq!(notes, ["the prior on `sigma` is truncated to (0, ∞)"]);
}

#[test]
fn the_default_centring_is_learned_from_what_the_data_suggest() {
    use Parameterisation::{Centred, Learned, Noncentred};
    let chosen = |text: &str, csv: &[u8]| -> Vec<(String, Parameterisation)> {
        let lowered = lower(text, csv, None);
        lowered
            .effects
            .iter()
            .map(|effect| (effect.name.clone(), effect.parameterisation.clone()))
            .collect()
    };
    let learned = |name: &str, start: u32, with: Option<&str>| {
        let with = with.map(str::to_owned);
        (name.to_owned(), Learned { start, with })
    };
    assert_eq!(
        chosen(include_str!("../data/reedfrogs/m12_2.tad"), REEDFROGS),
        [learned("a_tank", 9, None)]
    );
    // The intercept joins the actors, which differ more than the blocks.
    assert_eq!(
        chosen(include_str!("../data/chimpanzees/m12_5.tad"), CHIMPANZEES),
        [learned("a_actor", 10, Some("a")), learned("a_block", 0, None)]
    );
    let schools = include_str!("../data/eight_schools/eight_schools.tad");
    let theta = |parameterisation| [("theta".to_owned(), parameterisation)];
    assert_eq!(chosen(schools, SCHOOLS), theta(Noncentred));
    assert_eq!(
        chosen(&schools.replace("@noncentered", ""), SCHOOLS),
        [learned("theta", 0, None)]
    );
    assert_eq!(
        chosen(&schools.replace("@noncentered", "@centered"), SCHOOLS),
        theta(Centred)
    );
}

#[test]
fn a_position_is_found_from_values_on_the_natural_scale() {
    let text = include_str!("../data/chimpanzees/m12_5.tad");
    for centred in [true, false] {
        let lowered = lower(text, CHIMPANZEES, Some(centred));
        let actor: Vec<f64> = (0..7).map(|i| 0.3 * f64::from(i) - 1.0).collect();
        let block: Vec<f64> = (0..6).map(|i| 0.1 - 0.05 * f64::from(i)).collect();
        let named = [
            ("a_actor", actor),
            ("a_block", block),
            ("a", vec![0.5]),
            ("bp", vec![0.7]),
            ("bpC", vec![-0.1]),
            ("sigma_actor", vec![2.2]),
            ("sigma_block", vec![0.3]),
        ];
        let position = lowered
            .position_from(&named, reference::values)
            .expect("a position");
        let outputs = reference::outputs(&lowered.program, &position).expect("outputs");
        for (quantity, (name, expected)) in lowered.quantities.iter().zip(&named) {
            assert_eq!(quantity.name, *name);
            for (found, expected) in outputs[quantity.output].iter().zip(expected) {
                close(*found, *expected, name);
            }
        }
        let wrong = [("a", vec![0.5])];
        assert!(lowered.position_from(&wrong, reference::values).is_err());
    }
}
