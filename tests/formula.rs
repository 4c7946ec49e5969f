//! Formulae: every `tests/formula/NAME.tad` with its expansion (`NAME.expanded.tad`) and the same model as a person
//! would write it (`NAME.by_hand.tad`), over one table. With `TADPOOL_BLESS=1` the expansions are written anew, to be
//! read before they are committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::fit::{self, Fit};
use tadpool::lang;
use tadpool::model::Model;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formula")
}

fn table() -> Table {
    let bytes = fs::read(folder().join("d.csv")).expect("a table");
    Table::from_bytes("d.csv", &bytes).expect("a sound table")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// The names of the formulae, in order.
fn formulae() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the folder of formulae")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter_map(|name| name.strip_suffix(".tad").map(str::to_owned))
        .filter(|name| !name.contains('.'))
        .collect();
    names.sort();
    names
}

fn expansion(name: &str) -> String {
    let text = read(&format!("{name}.tad"));
    let tree = lang::parse(name, &text).unwrap_or_else(|reports| panic!("{reports}"));
    let expanded = lang::expand(&tree, (name, &text), &table(), false);
    let expanded = expanded.unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)));
    expanded.expect("a formula").text
}

fn drawn(name: &str, text: &str) -> Fit {
    let model = Model::new(name, text, &table()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let options = fit::Options {
        backend: fit::Backend::Cpu,
        sampler: fit::Sampler::Nuts,
        chains: Some(2),
        warmup: Some(60),
        draws: Some(40),
        seed: 7,
        ..fit::Options::default()
    };
    fit::fit(&model, &options, &|_| {}, &AtomicBool::new(false)).expect("draws")
}

/// The draws of all quantities, in the order of the text, names left aside.
fn draws(fit: &Fit, derived: bool) -> Vec<&[f64]> {
    let quantities = fit
        .posterior
        .iter()
        .filter(|quantity| quantity.derived == derived);
    quantities.map(|quantity| quantity.values.as_slice()).collect()
}

#[test]
fn expansions_are_as_recorded() {
    assert!(formulae().len() >= 10);
    let mut different = Vec::new();
    for name in formulae() {
        let found = expansion(&name);
        let recorded = format!("{name}.expanded.tad");
        if std::env::var_os("TADPOOL_BLESS").is_some() {
            fs::write(folder().join(&recorded), &found).expect("the expansion is written");
            continue;
        }
        let expected = fs::read_to_string(folder().join(&recorded)).unwrap_or_default();
        if found != expected {
            different.push(format!("{name}\n--- expected\n{expected}\n--- found\n{found}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// Names stand in the same alphabetical order on both sides: sums are taken in the order of names, and two orders differ
/// by rounding, which a trajectory soon magnifies.
#[test]
fn a_formula_draws_what_the_model_by_hand_draws() {
    for name in formulae() {
        let formula = drawn(&name, &read(&format!("{name}.tad")));
        let by_hand = drawn(&name, &read(&format!("{name}.by_hand.tad")));
        assert!(!draws(&formula, false).is_empty());
        assert_eq!(draws(&formula, false), draws(&by_hand, false), "{name}");
    }
}

/// The expansion that `check --emit expanded` prints is a model text of its own, and so is the one that is stored.
#[test]
fn an_expansion_is_a_model_with_the_same_draws() {
    for name in formulae() {
        let formula = drawn(&name, &read(&format!("{name}.tad")));
        for text in [&formula.run.expansion, &formula.run.model_text] {
            assert!(
                !text.lines().any(|line| line.starts_with("glm")),
                "{name}: {text}"
            );
            let again = drawn(&name, text);
            for derived in [false, true] {
                assert_eq!(draws(&formula, derived), draws(&again, derived), "{name}: {text}");
            }
            let names = |fit: &Fit| -> Vec<String> {
                fit.posterior
                    .iter()
                    .map(|quantity| quantity.name.clone())
                    .collect()
            };
            assert_eq!(names(&formula), names(&again));
        }
    }
}

/// Columns without a coefficient are named, as are those that the names of an expansion give way to.
#[test]
fn what_a_formula_leaves_out_is_said() {
    let rows = "b,y,same,one,g\n1,2,3,only,p\n2,4,3,only,p\n4,5,3,only,q\n3,3,3,only,q\n";
    let table = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
    let text = "glm y ~ b + same + one + (1 | g)\nb_[b] ~ Normal(0, 2)\nc(sd_g, sigma) ~ dexp(1)";
    let tree = lang::parse("m", text).expect("a formula");
    let expanded = lang::expand(&tree, ("m", text), &table, false).expect("a sound formula");
    let expanded = expanded.expect("an expansion");
    assert_eq!(
        expanded.notes,
        [
            "formula: `one` has one level, so it has no coefficient",
            "formula: `same` is the same in every row, so it has no coefficient"
        ]
    );
    assert_eq!(expanded.defaults, ["Intercept ~ StudentT(3, 3.5, 2.5)"]);
    let model = Model::new("m", text, &table).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(model.text(), expanded.text);
    assert!(
        model.text().contains("b_[coef] ~ Normal(0, 2)\n"),
        "{}",
        model.text()
    );
}

/// Level `bc` of `a` and level `c` of `ab` would both be `abc`: each has a coefficient, and a name of its own.
#[test]
fn labels_that_coincide_are_told_apart() {
    let rows = "y,a,ab,g\n1,b,a,p\n2,bc,a,q\n4,b,c,p\n3,bc,c,q\n5,b,a,q\n";
    let table = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
    let text = "glm y ~ a + ab + (0 + a || g) + (0 + ab || g)\nb[abc_2] ~ Normal(0, 0.5)\n";
    let model = Model::new("m", text, &table).unwrap_or_else(|error| panic!("{error}"));
    for piece in [
        "index coef levels(\"abc\", \"abc_2\")\n",
        "b[\"abc\"] * center(a == \"bc\") + b[\"abc_2\"] * center(ab == \"c\")",
        "index coef_g levels(\"ab\", \"abc\", \"aba\", \"abc_2\")\n",
        "r_g[g, \"abc_2\"] * (ab == \"c\")",
    ] {
        assert!(model.text().contains(piece), "{piece}\n{}", model.text());
    }
    // The intercept, 2 coefficients, 4 effects in each of 2 groups with their sds, sigma.
    assert_eq!(model.dim(), 1 + 2 + 4 * 2 + 4 + 1);
}

/// `cbind(k, n - k)` is `k | trials(n)`: the trials are known before the outcome is, and nothing is warned about.
#[test]
fn failures_that_are_a_difference_give_the_trials() {
    let expanded = |text: &str, table: &Table, design: bool| {
        let tree = lang::parse("m", text).expect("a formula");
        let expanded = lang::expand(&tree, ("m", text), table, design);
        let expanded = expanded.unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)));
        expanded.expect("an expansion").text
    };
    let behind = |text: &str| text.split_once('\n').expect("lines").1.to_owned();
    let (bound, trials) = (
        "glm cbind(k, n - k) ~ x + (1 | g) family binomial\n",
        "glm k | trials(n) ~ x + (1 | g) family binomial\n",
    );
    let text = expanded(bound, &table(), false);
    assert_eq!(behind(&text), behind(&expanded(trials, &table(), false)));
    let tree = lang::parse("m", &text).expect("plain lines");
    let lowered = lang::lower(&tree, ("m", &text), &table(), &lang::LowerOptions::default());
    let lowered = lowered.unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)));
    assert_eq!(lowered.reports.render(false), "");
    // A design without the outcome.
    let rows = "x,n,g\n1,5,p\n2,6,q\n4,5,q\n";
    let design = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
    let text = expanded(bound, &design, true);
    assert!(text.contains("\nk ~ Binomial(n, p)\n"), "{text}");
}

/// Residuals are in units of the outcome, also where the mean is on a logarithmic scale.
#[test]
fn a_log_link_leaves_the_residual_scale_in_the_outcomes_units() {
    let rows = "y,x\n100,0\n200,1\n300,2\n400,4\n1000,3\n";
    let table = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
    let model = Model::new("m", "glm y ~ x family gaussian link log\n", &table)
        .unwrap_or_else(|error| panic!("{error}"));
    // 1.4826 times the median distance from 300, which is 100.
    let line = "\nsigma ~ HalfStudentT(3, 148)  # default\n";
    assert!(model.text().contains(line), "{}", model.text());
}

/// A sum of any length is cut into lines that the parser takes.
#[test]
fn a_factor_may_have_hundreds_of_levels() {
    let mut rows = String::from("y,kind\n");
    for row in 0..900 {
        rows.push_str(&format!("{},k{}\n", f64::from(row % 7), row % 450));
    }
    let table = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
    let model =
        Model::new("m", "glm y ~ kind family student\n", &table).unwrap_or_else(|error| panic!("{error}"));
    // The intercept, 449 levels against the first one, sigma, nu.
    assert_eq!(model.dim(), 1 + 449 + 2);
}

/// The level where all columns are 0 is the intercept less the means' part, as lme4 and brms print it.
#[test]
fn the_intercept_at_zero_is_derived() {
    let fit = drawn("m", "glm y ~ x\n");
    let of = |name: &str| -> &[f64] {
        let found = fit.posterior.iter().find(|quantity| quantity.name == name);
        &found.unwrap_or_else(|| panic!("no {name}")).values
    };
    let table = table();
    let x = table.complete_numeric("x").expect("numbers");
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    for ((level, intercept), b) in of("b_Intercept").iter().zip(of("Intercept")).zip(of("b")) {
        assert!((level - (intercept - b * mean)).abs() < 1e-12 * intercept.abs());
    }
}

/// A weight of 2 counts a row twice, one of 0 not at all.
#[test]
fn weights_count_rows() {
    use tadpool::back::evaluate::Density;
    let rows = "y,x,w\n1,0,2\n2,1,1\n4,2,0\n3,3,1\n";
    let repeated = "y,x,w\n1,0,1\n1,0,1\n2,1,1\n3,3,1\n";
    let text = "y ~ Normal(a + b*x, s) weight(w)\na, b ~ Normal(0, 5)\ns ~ Exponential(1)\n";
    let at = |rows: &str, text: &str| {
        let table = Table::from_bytes("d.csv", rows.as_bytes()).expect("a table");
        let model = Model::new("m", text, &table).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(model.dim(), 3);
        let position = [0.3, 0.7, -0.2];
        let judged = model.evaluate_reference(&position).expect("a density");
        let mut evaluator = model.density().evaluator(1);
        let lanes = evaluator.lanes();
        let positions: Vec<f64> = position.iter().flat_map(|x| vec![*x; lanes]).collect();
        let (mut log_density, mut gradient) = (vec![0.0; lanes], vec![0.0; 3 * lanes]);
        evaluator.log_density_grad(&positions, &mut log_density, &mut gradient);
        assert!((judged.log_density - log_density[0]).abs() < 1e-12 * judged.log_density.abs());
        judged.log_density
    };
    let plain = text.replace(" weight(w)", "");
    let (weighted, counted) = (at(rows, text), at(repeated, &plain));
    assert!(
        (weighted - counted).abs() < 1e-12 * counted.abs(),
        "{weighted} {counted}"
    );
    assert!((weighted - at(rows, &plain)).abs() > 0.1);
}
