//! Studies from outside: what they find out and what they do not, whatever they are cut into.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::diag::{Interval, Prob};
use tadpool::predict::Simulator;
use tadpool::study::batch::{Done, Sampling, fit_wave, least_ess};
use tadpool::study::{
    Alternative, Calibration, CrossValidation, Folds, Kind, Part, Power, Predictive, Questions,
    RecoveryStudy, Simulations, posterior_of, vary, with_row_labels,
};

const LEVEL: f64 = 0.001;
const CHAINS: usize = 16;
const DRAWS: usize = 128;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(data(name)).expect("a model")
}

fn table(name: &str) -> Table {
    Table::from_path(&data(name)).expect("a table")
}

fn questions() -> Questions {
    Questions {
        interval: Interval::Eti,
        prob: Prob::default(),
        log_lik: true,
        by: None,
        criteria: Vec::new(),
    }
}

fn sampling(seed: u64) -> Sampling {
    Sampling {
        chains: CHAINS,
        warmup: 300,
        draws: DRAWS,
        seed,
        min_ess: least_ess(CHAINS, DRAWS),
        threads: 2,
    }
}

fn fitted<S: tadpool::study::batch::Study>(
    study: &S,
    sampling: &Sampling,
    range: std::ops::Range<u32>,
) -> Part {
    fit_wave(study, sampling, range, &Done::default(), &AtomicBool::new(false))
        .expect("a wave")
        .expect("not stopped")
}

/// A model small enough that hundreds of replicates take seconds: six groups, one observation each.
const SCHOOLS: &str = "y ~ Normal(theta[school], s)
theta[school] ~ Normal(mu, tau)
mu ~ Normal(0, 2)
tau ~ Exponential(1)
";

fn schools() -> Table {
    Table::from_bytes("schools.csv", b"school,s\n1,1\n2,1.5\n3,0.5\n4,1\n5,2\n6,1\n").expect("a table")
}

/// One group: a mean and a spread from three observations, which leave the prior much to say.
const SPREAD: &str = "y ~ Normal(mu, sigma)\nmu ~ Normal(0, 2)\nsigma ~ Exponential(1)\n";

fn three() -> Table {
    Table::from_bytes("three.csv", b"id\n1\n2\n3\n").expect("a table")
}

fn calibrated(
    (simulated, fit): (&str, &str),
    design: &Table,
    break_it: bool,
    replicates: u32,
) -> (Calibration, Part) {
    let simulator = Simulator::new("simulated", simulated, design).expect("a simulator");
    let mut study = Simulations::new(simulator, ("fitted", fit), 7, questions()).expect("a study");
    if break_it {
        study = study.forgetting_jacobians();
    }
    let part = fitted(&study, &sampling(7), 0..replicates);
    assert_eq!(part.records.len(), replicates as usize);
    (Calibration::of(&part, 127, LEVEL).expect("ranks"), part)
}

#[test]
fn a_right_sampler_is_calibrated() {
    let (found, part) = calibrated((SCHOOLS, SCHOOLS), &schools(), false, 150);
    let outside: Vec<_> = found
        .outside()
        .map(|quantity| (&quantity.name, quantity.judged.p_value))
        .collect();
    assert!(found.ok(), "{outside:?}");
    // Six effects, mu, tau and the log likelihood.
    assert_eq!(found.quantities.len(), 9);
    assert!(
        found
            .quantities
            .iter()
            .any(|quantity| quantity.kind == Kind::LogLik)
    );
    // Spreads near 0 are hard where each group has one row; what diverges twice is kept and ranked all the same.
    let sound = part
        .records
        .iter()
        .filter(|record| record.status.is_sound())
        .count();
    assert!(sound >= 135, "{sound} of 150");
    assert!(found.quantities.iter().all(|quantity| quantity.replicates == 150));
    let (found, _) = calibrated((SPREAD, SPREAD), &three(), false, 400);
    assert!(found.ok());
}

#[test]
fn a_missing_jacobian_is_found() {
    let (found, _) = calibrated((SPREAD, SPREAD), &three(), true, 400);
    let names: Vec<&str> = found.outside().map(|quantity| &*quantity.name).collect();
    assert!(!found.ok() && names.contains(&"sigma"), "{names:?}");
}

#[test]
fn a_wrong_prior_is_found() {
    let wrong = SPREAD.replace("Exponential(1)", "Exponential(0.4)");
    let (found, _) = calibrated((&wrong, SPREAD), &three(), false, 400);
    let names: Vec<&str> = found.outside().map(|quantity| &*quantity.name).collect();
    assert!(!found.ok() && names.contains(&"sigma"), "{names:?}");
}

/// What is kept of a replicate depends on nothing but the seed and its number.
#[test]
fn replicates_are_the_same_however_they_are_cut() {
    let simulator = || {
        Simulator::new(
            "m12_2",
            &text("reedfrogs/m12_2.tad"),
            &table("reedfrogs/reedfrogs.csv"),
        )
    };
    let study = Simulations::new(
        simulator().expect("a simulator"),
        ("m12_2", &text("reedfrogs/m12_2.tad")),
        3,
        questions(),
    )
    .expect("a study");
    let whole = fitted(&study, &sampling(3), 0..12);
    let mut cut = fitted(
        &study,
        &Sampling {
            threads: 1,
            ..sampling(3)
        },
        0..5,
    );
    cut.append(fitted(&study, &sampling(3), 5..6));
    cut.append(fitted(&study, &sampling(3), 6..12));
    assert_eq!(whole.records.len(), 12);
    // NaN stands for what is not known, and is equal to itself in the text.
    assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
    let other = fitted(&study, &sampling(4), 0..1);
    assert_ne!(
        format!("{:?}", other.estimates),
        format!("{:?}", &whole.estimates[..other.estimates.len()])
    );
}

#[test]
fn partial_pooling_beats_none_where_groups_are_small() {
    let mut simulator =
        Simulator::new("m12_3", &text("ponds/m12_3.tad"), &table("ponds/ponds.csv")).expect("a simulator");
    simulator.set("a", 1.4).expect("a parameter");
    simulator.set("sigma", 1.5).expect("a parameter");
    let study = Simulations::new(
        simulator,
        ("m12_3", &text("ponds/m12_3.tad")),
        1,
        Questions {
            by: Some("pond".to_owned()),
            ..questions()
        },
    )
    .expect("a study");
    let part = fitted(&study, &sampling(1), 0..60);
    let against = [Alternative::NoPooling, Alternative::CompletePooling];
    let found = RecoveryStudy::of(&part, &against).expect("estimates");
    let groups = found.groups.expect("groups");
    assert_eq!(groups.names.len(), 60);
    let sizes: Vec<f64> = groups.classes.iter().map(|class| class.size).collect();
    assert_eq!(sizes, [5.0, 10.0, 25.0, 35.0]);
    let gains: Vec<f64> = groups
        .classes
        .iter()
        .map(|class| class.alternatives[0].2.value)
        .collect();
    let (_, _, smallest) = groups.classes[0].alternatives[0];
    assert!(smallest.value > 4.0 * smallest.mcse, "{smallest:?}");
    assert!(gains.iter().all(|gain| *gain > 0.0), "{gains:?}");
    assert!(gains[1..].iter().all(|gain| *gain < gains[0]), "{gains:?}");
    // No pooling is the raw proportion, on the scale of probabilities.
    let one = part
        .estimates
        .iter()
        .find(|estimate| estimate.kind == Kind::Mean)
        .expect("a mean");
    let tries = one.no_pooling * one.size;
    assert!((tries - tries.round()).abs() < 1e-9 && (0.0..=1.0).contains(&one.no_pooling));
    let coverage = groups.all.partial.coverage.expect("intervals");
    assert!(
        (coverage.value - 0.89).abs() < 4.0 * coverage.mcse,
        "{coverage:?}"
    );
}

/// Gelman's exact answers: with μ known the left-out y is Normal(μ, √(s² + τ²)) when its group has no other row.
#[test]
fn leaving_out_a_row_predicts_from_its_prior() {
    let text = "y ~ Normal(theta[school], 1)\ntheta[school] ~ Normal(1, 2)\n";
    let table = Table::from_bytes("s.csv", b"school,y\na,0.5\nb,3\nc,-4\n").expect("a table");
    let study = CrossValidation::new(("m", text), table, &Folds::Rows, 1).expect("folds");
    assert_eq!(study.replicates(), 4);
    let settings = Sampling {
        chains: 64,
        draws: 250,
        ..sampling(1)
    };
    let found = Predictive::of(&fitted(&study, &settings, 0..4), 4).expect("all folds");
    let sd: f64 = 5_f64.sqrt();
    for (row, y) in found.rows.iter().zip([0.5, 3.0, -4.0]) {
        let z = (y - 1.0) / sd;
        let exact = -0.5 * z * z - sd.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
        assert!((row.elpd - exact).abs() < 4.5 * row.mcse, "{row:?}, {exact}");
        assert!(row.mcse < 0.1, "{row:?}");
        assert!(row.lpd > row.elpd);
    }
    let folds = |text: &str| Folds::parse(text).expect("folds");
    let grouped = |folds: &Folds| {
        CrossValidation::new(
            ("m12_4", &self::text("chimpanzees/m12_4.tad")),
            self::table("chimpanzees/chimpanzees.csv"),
            folds,
            1,
        )
    };
    assert_eq!(grouped(&folds("actor")).expect("folds").replicates(), 8);
    assert_eq!(grouped(&folds("10")).expect("folds").replicates(), 11);
    assert!(grouped(&folds("ape")).unwrap_err().message().contains("actor"));
}

#[test]
fn larger_designs_find_more() {
    let model = "y ~ Normal(b, 1)\nb ~ Normal(0, 1)\n";
    let base = Table::from_bytes("d.csv", b"id\n1\n2\n3\n4\n").expect("a table");
    let criteria = vec![tadpool::study::Criterion::parse("P(b > 0) > 0.95").expect("a criterion")];
    let sizes = [2_usize, 30];
    let designs: Vec<_> = sizes
        .iter()
        .map(|rows| {
            let cells: Vec<String> = (0..*rows).map(|row| row.to_string()).collect();
            let column = tadpool::data::Column::from_cells("id", cells.iter().map(String::as_str));
            tadpool::study::Design {
                sizes: vec![("rows".to_owned(), rows.to_string())],
                table: Table::from_columns("d", vec![column]).expect("a table"),
            }
        })
        .collect();
    let studies = designs
        .iter()
        .map(|design| {
            let mut simulator = Simulator::new("m", model, &design.table).expect("a simulator");
            simulator.set("b", 0.5).expect("a parameter");
            let questions = Questions {
                criteria: criteria.clone(),
                log_lik: false,
                ..questions()
            };
            Simulations::new(simulator, ("m", model), 1, questions).expect("a study")
        })
        .collect();
    let each = 100;
    let study = tadpool::study::DesignStudy::new(studies, each);
    let part = fitted(&study, &sampling(1), 0..study.replicates().expect("a number"));
    let sizes: Vec<_> = designs.iter().map(tadpool::study::Design::size).collect();
    let power = Power::of(&part, &sizes, each, &criteria, Prob::default());
    // Exactly: P(b > 0 | y) = Φ(Σy / √(n + 1)) > .95 where ȳ > 1.645·√(n + 1)/n.
    for (design, n) in power.designs.iter().zip([2.0_f64, 30.0]) {
        let needed = 1.644_854 * (n + 1.0).sqrt() / n;
        let z = (needed - 0.5) * n.sqrt();
        let exact = 1.0 - tadpool::num::Real::std_normal_cdf(&z);
        let share = &design.shares[0];
        assert_eq!(share.of, each as usize);
        let sd = (exact * (1.0 - exact) / f64::from(each)).sqrt();
        assert!(
            (share.share - exact).abs() < 4.5 * sd,
            "n = {n}: {share:?}, {exact}"
        );
    }
    assert!(
        vary(("m", model), &base, "ids=3").is_err(),
        "`id` is a column that no index reads"
    );
}

/// The truth from the posterior of the data, judged together with new outcomes.
#[test]
fn posterior_calibration_holds_around_the_data() {
    let observed = Table::from_bytes(
        "schools.csv",
        b"school,s,y\n1,1,2\n2,1.5,0\n3,0.5,1\n4,1,-1\n5,2,3\n6,1,1\n",
    )
    .expect("a table");
    let replicates = 100;
    let named = posterior_of(("m", SCHOOLS), &observed, replicates, &sampling(2)).expect("a posterior");
    let named: Vec<(&str, &[f64])> = named
        .iter()
        .map(|(name, values)| (name.as_str(), values.as_slice()))
        .collect();
    let mut simulator = Simulator::new("m", SCHOOLS, &observed).expect("a simulator");
    simulator.give(&named, replicates as usize).expect("parameters");
    let study = Simulations::new(simulator, ("m", SCHOOLS), 2, questions())
        .expect("a study")
        .beside(observed)
        .expect("rows of both");
    let part = fitted(&study, &sampling(2), 0..replicates);
    let found = Calibration::of(&part, 127, LEVEL).expect("ranks");
    assert!(
        found.ok(),
        "{:?}",
        found.outside().map(|quantity| &quantity.name).collect::<Vec<_>>()
    );
}

/// A data set that cannot be made is counted and named, not dropped.
#[test]
fn replicates_without_draws_stay_in_the_record() {
    // exp of a wide normal overflows in some replicates, and no rate is infinite.
    let model = "y ~ Poisson(mu)\nlog(mu) = a\na ~ Normal(0, 400)\n";
    let design = Table::from_bytes("d.csv", b"id\n1\n2\n").expect("a table");
    let simulator = Simulator::new("m", model, &design).expect("a simulator");
    let study = Simulations::new(simulator, ("m", model), 5, questions()).expect("a study");
    let part = fitted(&study, &sampling(5), 0..12);
    assert_eq!(part.records.len(), 12);
    let failed: Vec<_> = part
        .records
        .iter()
        .filter(|record| record.status == tadpool::study::Status::Failed)
        .collect();
    assert!(!failed.is_empty() && failed.iter().all(|record| !record.message.is_empty()));
    let found = Calibration::of(&part, 127, LEVEL).expect("ranks");
    assert!(found.failed == failed.len() && !found.ok());
}

/// `index tank = row` makes a group of every row: new rows are to belong to the groups that are there.
#[test]
fn new_rows_belong_to_the_groups_of_the_rows_that_are_there() {
    let observed = table("reedfrogs/reedfrogs.csv");
    let model = text("reedfrogs/m12_2.tad");
    let (model, observed) = with_row_labels(("m12_2", &model), &observed).expect("a text and a table");
    assert!(model.contains("index tank = row_label") && observed.column("row_label").is_some());
    let replicates = 4;
    let named = posterior_of(("m12_2", &model), &observed, replicates, &sampling(2)).expect("a posterior");
    let named: Vec<(&str, &[f64])> = named
        .iter()
        .map(|(name, values)| (name.as_str(), values.as_slice()))
        .collect();
    let mut simulator = Simulator::new("m12_2", &model, &observed).expect("a simulator");
    simulator.give(&named, replicates as usize).expect("parameters");
    let study = Simulations::new(simulator, ("m12_2", &model), 2, questions())
        .expect("a study")
        .beside(observed)
        .expect("rows of both");
    let part = fitted(&study, &sampling(2), 0..replicates);
    assert!(
        part.records.iter().all(|record| record.status.is_sound()),
        "{:?}",
        part.records
    );
    let of_first = part.estimates.iter().filter(|estimate| estimate.replicate == 0);
    assert_eq!(
        of_first
            .filter(|estimate| estimate.kind == Kind::Parameter)
            .count(),
        50
    );
}

#[test]
fn fits_that_cannot_be_diagnosed_are_not_sound() {
    let simulator = Simulator::new("m", SPREAD, &three()).expect("a simulator");
    let study = Simulations::new(simulator, ("m", SPREAD), 1, questions()).expect("a study");
    let settings = Sampling {
        chains: 1,
        draws: 1,
        ..sampling(1)
    };
    let part = fitted(&study, &settings, 0..3);
    assert!(
        part.records.iter().all(|record| !record.status.is_sound()),
        "{:?}",
        part.records
    );
    let found = Calibration::of(&fitted(&study, &sampling(1), 0..1), 127, LEVEL).expect("ranks");
    assert!(!found.can_tell && !found.ok());
}
