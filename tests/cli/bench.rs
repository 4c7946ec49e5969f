//! `tadpool bench` with tiny budgets: the contract's keys, the files, what is refused.

use std::fs;

use serde_json::Value;

use crate::harness::Folder;

/// A short measurement of the CPU alone.
const SHORT: [&str; 6] = ["bench", "--backend", "cpu", "--seconds", "12", "--chains=128,64"];

#[test]
fn the_json_has_the_keys_of_the_contract() {
    let folder = Folder::new("bench_json");
    let model = ["data/ponds/m12_3.tad", "--data", "data/ponds/ponds.csv"];
    let ran = folder
        .run(SHORT.iter().chain(&model).chain(&["--format", "json"]))
        .exits(0);
    let json = ran.json();
    assert!(
        json["machine"]
            .as_str()
            .is_some_and(|machine| machine.contains("core")),
        "{json}"
    );
    let rows = json["rows"].as_array().expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["chains"].as_u64(),
                row["driver"].as_str(),
                row["backend"].as_str(),
            )
        })
        .collect();
    let cpu = Some("cpu");
    assert_eq!(
        told,
        [
            (Some(64), Some("scalar"), cpu),
            (Some(64), Some("simd"), cpu),
            (Some(128), Some("scalar"), cpu),
            (Some(128), Some("simd"), cpu),
        ]
    );
    let contract = [
        "backend",
        "adapter",
        "software",
        "driver",
        "model",
        "chains",
        "gradients_per_second",
        "gradients_per_core_second",
        "ess_per_second",
        "time_to_first_draw_seconds",
        "ess_per_second_with_warmup",
        "seconds_to_ess_1000",
        "warmup_seconds",
        "warmup",
        "draws",
        "ess_per_gradient",
        "ess_measured_at_chains",
        "bytes",
    ];
    for row in rows {
        let keys: Vec<&str> = row
            .as_object()
            .expect("a row")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, contract);
        assert_eq!(
            (&row["model"], &row["adapter"], &row["software"]),
            (&Value::from("m12_3"), &Value::Null, &Value::from(false))
        );
        for key in ["gradients_per_second", "gradients_per_core_second"] {
            assert!(row[key].as_f64().is_some_and(|rate| rate > 0.0), "{key}: {row}");
        }
    }
    // Of all processors' lanes, none is as slow as one number at a time.
    let rate = |place: usize| {
        rows[place]["gradients_per_core_second"]
            .as_f64()
            .unwrap_or_default()
    };
    assert!(rate(1) > rate(0) && rate(3) > rate(2), "{rows:?}");
    assert!(ran.err.contains("2/4 m12_3, 64 chains, CPU simd"), "{}", ran.err);
}

#[test]
fn the_models_built_in_need_no_files_and_the_picture_shows_them() {
    let folder = Folder::new("bench_picture");
    let ran = folder
        .run(SHORT.iter().chain(&["--out", "shots", "--quiet"]))
        .exits(0);
    assert_eq!(ran.err, "");
    for word in [
        "m12_2",
        "m12_5",
        "eight_schools",
        "gradients/s",
        "CPU simd",
        "128",
    ] {
        assert!(ran.out.contains(word), "{word} is not in\n{}", ran.out);
    }
    let svg = fs::read_to_string(folder.path("shots/bench.svg")).expect("the picture");
    for word in ["m12_2", "m12_5", "eight_schools", "CPU scalar", "CPU simd"] {
        assert!(svg.contains(word), "{word} is not in the picture");
    }
    let png = fs::read(folder.path("shots/bench.png")).expect("the picture as PNG");
    assert_eq!(png[..4], *b"\x89PNG");
    let json: Value =
        serde_json::from_slice(&fs::read(folder.path("shots/bench.json")).expect("the numbers"))
            .expect("JSON");
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(12));
}

#[test]
fn csv_has_a_line_for_each_row() {
    let folder = Folder::new("bench_csv");
    let out = folder
        .run(SHORT.iter().chain(&["--format", "csv", "--quiet"]))
        .exits(0)
        .out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 13, "{out}");
    assert!(lines[0].starts_with("backend,adapter,software,driver,model,chains,gradients_per_second,"));
    assert!(lines[1].starts_with("cpu,,false,scalar,m12_2,64,"), "{out}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("bench_refused");
    for (args, word) in [
        (&["bench", "--seconds", "0"][..], "above 0"),
        (&["bench", "--seconds", "soon"], "number of seconds"),
        (&["bench", "--chains", "64,0"], "at least 1"),
        (&["bench", "--chains", "64,many"], "whole number"),
        (&["bench", "data/ponds/m12_3.tad"], "--data"),
        (&["bench", "--backend", "cpu", "--adapter", "x"], "--adapter"),
        (&["bench", "--driver", "scalar"], "--driver"),
    ] {
        let ran = folder.run(args).exits(2);
        assert!(ran.err.contains(word), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
    let ran = folder
        .run(["bench", "no.tad", "--data", "data/ponds/ponds.csv"])
        .exits(3);
    assert!(ran.err.contains("no.tad"), "{}", ran.err);
    folder.write("file", "");
    let ran = folder.run(["bench", "--out", "file"]).exits(1);
    assert!(
        ran.err.contains("cannot be written") && ran.err.contains("--out DIR"),
        "{}",
        ran.err
    );
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_before_anything_is_measured() {
    let folder = Folder::new("bench_adapter");
    let ran = folder.run(["bench", "--adapter", "no such adapter"]);
    assert!(matches!(ran.code, Some(1 | 3)), "{}", ran.err);
    assert!(
        ran.err.contains("help: ") && !ran.err.contains("1/"),
        "{}",
        ran.err
    );
}
