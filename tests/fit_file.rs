//! The fit file as others see it: written here, read back here, and opened by ArviZ where one is at hand.
//!
//! With `TADPOOL_PYTHON` naming a Python that has ArviZ (`tests/arviz/requirements.txt`), `tests/arviz/open_fit.py`
//! compares what ArviZ sees with the same numbers in JSON. Without it only the Rust side is tested, and the test says so.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tadpool::diag::{Interval, Prob, Status};
use tadpool::error::Kind;
use tadpool::fit::Report;
use tadpool::fit::layout::{
    Array, Column, ColumnValues, Dimension, Fit, Quantity, Run, SampleStats, State, StateArray, Streamed,
};
use tadpool::fit::netcdf::{self, Attribute, Values};

const CHAINS: usize = 3;
const DRAWS: usize = 20;

/// Numbers of a linear congruential generator (Knuth, MMIX), in (-1, 1): any fixed sequence would do.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn many(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn dimension(name: &str, labels: &[&str]) -> Dimension {
    Dimension {
        name: name.to_owned(),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
    }
}

fn fit() -> Fit {
    let mut noise = Noise(1);
    let per_draw = CHAINS * DRAWS;
    let tank = dimension("tank", &["1", "2", "10"]);
    let actor = dimension("actor", &["lefty", "", "söze, k"]);
    let effect = dimension("effect", &["a", "b"]);
    let row = dimension("row", &["1", "2", "3", "4"]);
    let mut quantity = |name: &str, dims: &[&Dimension]| {
        let elements: usize = dims.iter().map(|plate| plate.labels.len()).product();
        Quantity {
            name: name.to_owned(),
            dims: dims.iter().map(|&plate| plate.clone()).collect(),
            derived: name == "total",
            values: noise.many(per_draw * elements),
        }
    };
    let mut posterior = vec![
        quantity("a", &[]),
        quantity("a_tank", &[&tank]),
        quantity("alpha", &[&actor, &tank]),
        quantity("Rho", &[&effect, &effect]), // a plate twice
        quantity("actor", &[]),               // called like a plate
        quantity("b/c", &[]),                 // no NetCDF name
        quantity("total", &[&tank]),
    ];
    posterior[0].values[5] = f64::NAN;
    posterior[0].values[6] = f64::NEG_INFINITY;
    let log_likelihood = vec![quantity("surv", &[&row])];
    Fit {
        run: Run {
            model_name: "m12_2".to_owned(),
            model_text: "# größer als eine Nachricht\n".repeat(3000),
            expansion: "a ~ Normal(0, 1)\n".to_owned(),
            command: "tadpool fit m12_2.tad --data 'reed frogs.csv'".to_owned(),
            version: "0.1.0".to_owned(),
            created_at: "2026-11-22T12:00:00+00:00".to_owned(),
            seed: u64::MAX,
            backend: "cpu".to_owned(),
            adapter: None,
            sampler: "nuts".to_owned(),
            chains: CHAINS,
            warmup: 10,
            draws: DRAWS,
            thin: 1,
            prob: 0.89,
            interval: "hdi".to_owned(),
            data_name: "reed frogs.csv".to_owned(),
            data_fingerprint: "00ff".to_owned(),
            rows: 4,
            ending: None,
            timing: json!({ "total_seconds": 1.5, "gradient_evaluations": 1200 }),
            diagnostics: json!({ "divergences": 1, "nested_rhat": null, "messages": ["1 divergence"] }),
        },
        posterior,
        sample_stats: Some(SampleStats {
            diverging: (0..per_draw).map(|draw| draw == 7).collect(),
            energy: noise.many(per_draw),
            lp: noise.many(per_draw),
            acceptance_rate: noise.many(per_draw),
            step_size: noise.many(per_draw),
            n_steps: (0..per_draw as i64).collect(),
        }),
        streamed: None,
        log_likelihood,
        observed: vec![Array {
            name: "surv".to_owned(),
            dims: vec![row.clone()],
            values: Values::I64(vec![9, 10, 7, 0]),
        }],
        constant: vec![
            Array {
                name: "row".to_owned(),
                dims: vec![row],
                values: Values::F64(vec![0.5, -0.5, 1e300, f64::MIN_POSITIVE].into()),
            },
            Array {
                name: "n".to_owned(),
                dims: vec![],
                values: Values::I64(vec![4]),
            },
        ],
        columns: vec![
            Column {
                table: String::new(),
                name: "actor".to_owned(),
                values: ColumnValues::Labels {
                    levels: vec!["lefty".to_owned(), "söze, k".to_owned()],
                    codes: vec![0, 1, -1, 0],
                },
            },
            Column {
                table: "schools".to_owned(),
                name: "IQ verb".to_owned(),
                values: ColumnValues::Numbers(vec![1.25, 2.0]),
            },
        ],
        state: State {
            version: 1,
            arrays: vec![
                StateArray {
                    name: "positions".to_owned(),
                    shape: vec![CHAINS, 2],
                    values: Values::F64(noise.many(2 * CHAINS).into()),
                },
                StateArray {
                    name: "counters".to_owned(),
                    shape: vec![2],
                    values: Values::I64(vec![i64::MAX, 0]),
                },
            ],
        },
    }
}

/// A fit file in a folder of this test's own.
fn place(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tadpool-fit-file-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a writable temporary folder");
    folder.join("fit.nc")
}

/// Bits rather than numbers, so that NaN equals itself.
fn bits(quantities: &[Quantity]) -> Vec<Vec<u64>> {
    quantities
        .iter()
        .map(|quantity| quantity.values.iter().map(|x| x.to_bits()).collect())
        .collect()
}

#[test]
fn a_fit_reads_back_equal() {
    let path = place("round-trip");
    let mut original = fit();
    original.write(&path).expect("writable");
    let mut read = Fit::read(&path).expect("just written");
    assert_eq!(bits(&read.posterior), bits(&original.posterior));
    // NaN is the one value that equality cannot judge; it was compared above.
    for fit in [&mut read, &mut original] {
        fit.posterior[0].values[5] = 0.0;
    }
    assert_eq!(read, original);
}

#[test]
fn a_summary_without_draws_reads_back_equal() {
    let path = place("summary");
    let original = Fit {
        posterior: vec![],
        sample_stats: None,
        log_likelihood: vec![],
        ..fit()
    };
    original.write(&path).expect("writable");
    assert_eq!(Fit::read(&path), Ok(original));
}

/// A fit that kept every eighth of its draws; one number was not finite everywhere.
fn summary() -> Fit {
    let mut fit = fit();
    let numbers = 1 + 3 + 6 + 4 + 1 + 1 + 3;
    let mut noise = Noise(2);
    fit.streamed = Some(Streamed {
        draws: 8 * DRAWS,
        stride: 8,
        divergences: 3,
        ebfmi: noise.many(CHAINS),
        ebfmi_pooled: 0.9,
        mean: noise.many(numbers),
        sd: noise.many(numbers),
        mcse_mean: noise.many(numbers),
        mcse_sd: noise.many(numbers),
        ess_bulk: noise.many(numbers),
        ess_tail: noise.many(numbers),
        non_finite: (0..numbers as i64).map(|i| i64::from(i == 5)).collect(),
    });
    fit.run.ending = Some("stopped by --max-seconds 1 after 160 of 1000 draws of each chain.".to_owned());
    for value in &mut fit.posterior[0].values {
        *value = value.max(-1.0);
    }
    fit
}

#[test]
fn a_summary_of_streamed_draws_reads_back_equal() {
    let path = place("streamed");
    let original = summary();
    original.write(&path).expect("writable");
    assert_eq!(Fit::read(&path), Ok(original.clone()));
    let file = netcdf::read(&path).expect("just written");
    let text = |name: &str| netcdf::attribute(&file.attributes, name).cloned();
    assert_eq!(text("keep"), Some(Attribute::Text("summary".to_owned())));
    // Programs of before would take the kept draws for all.
    assert_eq!(text("format_version"), Some(Attribute::I64(2)));

    let report = Report::of(&original, Prob::default(), Interval::Eti, 1).expect("a report");
    let streamed = original.streamed.as_ref().expect("set above");
    assert_eq!(report.rows[3].summary.mean, streamed.mean[3]);
    assert_eq!(report.rows[3].summary.ess_tail, streamed.ess_tail[3]);
    assert_eq!(report.rows[5].summary.status, Status::NonFinite { count: 1 });
    assert_eq!(report.verdict.divergences, 3);
    assert_eq!(report.to_json(&original)["draws"], 8 * DRAWS);
    assert_eq!(report.verdict.messages.last(), original.run.ending.as_ref());
}

#[test]
fn a_summary_of_other_numbers_than_the_posteriors_is_refused() {
    let path = place("streamed-short");
    let mut broken = summary();
    if let Some(streamed) = &mut broken.streamed {
        for values in [
            &mut streamed.mean,
            &mut streamed.sd,
            &mut streamed.mcse_mean,
            &mut streamed.mcse_sd,
            &mut streamed.ess_bulk,
            &mut streamed.ess_tail,
        ] {
            values.truncate(4);
        }
        streamed.non_finite.truncate(4);
    }
    broken.write(&path).expect("writable");
    let error = Fit::read(&path).expect_err("4 numbers for 19");
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.message().contains("19 numbers"), "{error}");
}

#[test]
fn plates_with_two_sets_of_labels_are_a_bug() {
    let mut broken = fit();
    let labels = &mut broken.posterior[1].dims[0].labels;
    *labels = std::iter::once("other".to_owned())
        .chain(labels[1..].iter().cloned())
        .collect();
    let error = broken
        .write(&place("labels"))
        .expect_err("tank has two sets of labels");
    assert_eq!(error.kind(), Kind::Bug);
}

#[test]
fn other_files_are_refused_by_name() {
    let path = place("refused");
    let message = |expected: Kind| {
        let error = Fit::read(&path).expect_err("no fit file");
        assert_eq!(error.kind(), expected, "{error}");
        assert!(error.help().is_some(), "{error}");
        assert!(error.message().contains(&path.display().to_string()), "{error}");
        error.message().to_owned()
    };
    std::fs::write(&path, "mean,sd\n1,2\n").expect("writable");
    assert!(message(Kind::User).contains("no NetCDF-4 file"));

    netcdf::write(&netcdf::File::default(), &path).expect("writable");
    assert!(message(Kind::User).contains("`tadpool_version` is missing"));

    let mut signed = netcdf::File::default();
    signed
        .attributes
        .push(("tadpool_version".to_owned(), Attribute::Text("9.1.0".to_owned())));
    signed
        .attributes
        .push(("format_version".to_owned(), Attribute::I64(99)));
    netcdf::write(&signed, &path).expect("writable");
    assert!(message(Kind::User).contains("written by tadpool 9.1.0 in format 99"));

    signed.attributes[1].1 = Attribute::I64(1);
    netcdf::write(&signed, &path).expect("writable");
    assert!(message(Kind::Environment).contains("is incomplete"));

    fit().write(&path).expect("writable");
    let whole = std::fs::read(&path).expect("just written");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("writable");
    assert!(message(Kind::Environment).contains("ends too early"));

    std::fs::remove_file(&path).expect("just written");
    assert!(message(Kind::Environment).contains("cannot read"));
}

/// Numbers as JSON; those that JSON cannot write are null.
fn numbers(values: &[f64]) -> Value {
    values.iter().map(|x| json!(x)).collect()
}

#[test]
fn arviz_sees_the_same_numbers() {
    let Some(python) = std::env::var_os("TADPOOL_PYTHON") else {
        println!("TADPOOL_PYTHON is not set: ArviZ was not asked");
        return;
    };
    let path = place("arviz");
    let fit = fit();
    fit.write(&path).expect("writable");
    let quantities: Vec<Value> = fit
        .posterior
        .iter()
        .map(|quantity| {
            let labels: Vec<&[String]> = quantity.dims.iter().map(|plate| &*plate.labels).collect();
            let plates: Vec<&String> = quantity.dims.iter().map(|plate| &plate.name).collect();
            json!({ "name": quantity.name, "plates": plates, "labels": labels, "values": numbers(&quantity.values) })
        })
        .collect();
    let stats = fit.sample_stats.as_ref().expect("set above");
    let expected = json!({
        "chains": CHAINS, "draws": DRAWS, "model_text": fit.run.model_text, "seed": fit.run.seed,
        "posterior": quantities, "diverging": stats.diverging, "n_steps": stats.n_steps,
        "energy": numbers(&stats.energy), "log_likelihood": numbers(&fit.log_likelihood[0].values),
    });
    let beside = path.with_extension("json");
    std::fs::write(&beside, expected.to_string()).expect("writable");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arviz/open_fit.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&path)
        .arg(&beside)
        .output()
        .expect("TADPOOL_PYTHON runs");
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("open_fit: all equal"), "{said}");
    // The same contents, saved by ArviZ, are laid out in ways that tadpool does not read; it must say so.
    for engine in ["h5netcdf", "netcdf4"] {
        let error = Fit::read(&path.with_extension(format!("nc.{engine}.nc"))).expect_err("another layout");
        assert_eq!(error.kind(), Kind::User);
        assert!(
            error
                .message()
                .contains("is an HDF5 file that tadpool did not write"),
            "{error}"
        );
    }
}
