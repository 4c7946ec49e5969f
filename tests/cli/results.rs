//! What is printed: table, JSON, CSV, selections, intervals; the same for the same seed.

use std::fs;

use serde_json::Value;

use crate::harness::Folder;

/// The keys of an object, in order.
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn the_json_has_the_keys_of_the_contract() {
    let folder = Folder::new("json");
    let json = folder.fit(&["--format", "json"]).exits(0).json();
    assert_eq!(
        keys(&json),
        [
            "model",
            "backend",
            "adapter",
            "sampler",
            "seed",
            "rows",
            "chains",
            "warmup",
            "draws",
            "timing",
            "diagnostics",
            "prob",
            "interval",
            "parameters"
        ]
    );
    assert_eq!(
        keys(&json["timing"]),
        [
            "prepare_seconds",
            "warmup_seconds",
            "sampling_seconds",
            "total_seconds",
            "gradient_evaluations",
            "gradients_per_second"
        ]
    );
    assert_eq!(
        keys(&json["diagnostics"]),
        [
            "divergences",
            "max_rhat",
            "min_ess_bulk",
            "min_ess_tail",
            "nested_rhat",
            "ebfmi_min",
            "max_f32_discrepancy",
            "ok",
            "messages"
        ]
    );
    for (key, value) in [
        ("model", "m12_2"),
        ("backend", "cpu"),
        ("sampler", "nuts"),
        ("interval", "hdi"),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(json["adapter"], Value::Null);
    for (key, value) in [
        ("seed", 1),
        ("rows", 48),
        ("chains", 4),
        ("warmup", 200),
        ("draws", 200),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(json["prob"], 0.89);
    assert!(
        json["timing"]
            .as_object()
            .expect("timing")
            .values()
            .all(Value::is_number)
    );
    assert!(json["diagnostics"]["ok"].is_boolean() && json["diagnostics"]["messages"].is_array());
    let parameters = json["parameters"].as_array().expect("parameters");
    assert_eq!(parameters.len(), 50);
    assert_eq!(parameters[0]["name"], "a_tank[1]");
    for parameter in parameters {
        assert_eq!(
            keys(parameter),
            [
                "name",
                "mean",
                "sd",
                "mcse_mean",
                "median",
                "mcse_sd",
                "lower",
                "upper",
                "ess_bulk",
                "ess_tail",
                "rhat"
            ]
        );
        assert!(
            parameter
                .as_object()
                .expect("a row")
                .iter()
                .all(|(key, value)| key == "name" || value.is_number())
        );
    }
    let again = folder
        .run(["summary", "m12_2.nc", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(again, json, "the fit file gives what the fit printed");
}

#[test]
fn undefined_numbers_are_null_and_fail_strict() {
    let folder = Folder::new("undefined");
    let few = ["--draws", "2", "--warmup", "5", "--format", "json"];
    let args = [&crate::harness::REED_FROGS[..], &few, &["--strict"]].concat();
    let json = folder.run(args).exits(4).json();
    assert_eq!(json["diagnostics"]["ok"], false);
    assert_eq!(json["diagnostics"]["max_rhat"], Value::Null);
    assert_eq!(json["parameters"][0]["rhat"], Value::Null);
    assert!(json["diagnostics"]["messages"][0].is_string());
    folder.run(["summary", "m12_2.nc"]).exits(0);
    folder.run(["summary", "m12_2.nc", "--strict"]).exits(4);
    let csv = folder
        .run(["summary", "m12_2.nc", "a", "--format", "csv"])
        .exits(0);
    assert!(csv.out.trim_end().ends_with(",,,"), "{}", csv.out);
    assert!(csv.err.contains("2 draws per chain"), "{}", csv.err);
}

#[test]
fn the_table_is_aligned_and_complete() {
    let folder = Folder::new("table");
    let page = folder.fit(&[]).exits(0).out;
    assert!(
        page.starts_with(
            "m12_2: 48 rows, NUTS on the CPU, seed 1\n4 chains × 200 draws after 200 of warm-up"
        ),
        "{page}"
    );
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("a_tank[") || line.starts_with("a ") || line.starts_with("sigma "))
        .collect();
    assert_eq!(rows.len(), 50);
    let head = page
        .lines()
        .find(|line| line.contains("rhat"))
        .expect("a line of titles");
    assert!(head.contains("hdi 89%") && head.contains("ess_bulk"), "{head}");
    assert!(
        rows.iter().all(|row| row.chars().count() == head.chars().count()),
        "{page}"
    );
    assert!(
        page.lines().any(|line| line.starts_with("Diagnostics: ")),
        "{page}"
    );
}

#[test]
fn summary_prints_other_intervals_and_selections() {
    let folder = Folder::new("summary");
    folder.fit(&["--quiet"]).exits(0);
    let eti = folder
        .run(["summary", "m12_2.nc", "sigma", "--interval", "eti"])
        .exits(0);
    assert!(
        eti.out.contains(" 5.5% ") && eti.out.contains(" 94.5% "),
        "{}",
        eti.out
    );
    assert!(eti.err.contains("was written by tadpool"), "{}", eti.err);
    let width = |prob: &str, kind: &str| {
        let args = [
            "summary",
            "m12_2.nc",
            "sigma",
            "--prob",
            prob,
            "--interval",
            kind,
            "--format",
            "json",
        ];
        let json = folder.run(args).exits(0).json();
        assert_eq!(json["parameters"].as_array().map(Vec::len), Some(1));
        assert_eq!(json["interval"], kind);
        let end = |key: &str| json["parameters"][0][key].as_f64().expect("a number");
        end("upper") - end("lower")
    };
    assert!(width("0.5", "eti") < width("0.89", "eti"));
    // But for a draw or two: quantiles are interpolated, an hdi ends at draws.
    assert!(
        width("0.89", "hdi") <= 1.02 * width("0.89", "eti"),
        "the hdi is the narrowest"
    );

    let csv = folder
        .run(["summary", "m12_2.nc", "a_tank[1?]", "sig*", "--format", "csv"])
        .exits(0)
        .out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row")[0].to_owned())
        .collect();
    assert_eq!(names.len(), 11, "{names:?}");
    assert_eq!((names[0].as_str(), names[10].as_str()), ("a_tank[10]", "sigma"));

    let unknown = folder.run(["summary", "m12_2.nc", "sigmb"]).exits(3);
    assert!(unknown.err.contains("did you mean `sigma`?"), "{}", unknown.err);
}

#[test]
fn one_seed_gives_one_result_whatever_the_threads() {
    let folder = Folder::new("seed");
    let csv = |more: &[&str]| {
        folder
            .fit(&[&["--format", "csv", "--quiet"], more].concat())
            .exits(0)
            .out
    };
    let first = csv(&["--threads", "1"]);
    assert_eq!(first, csv(&["--threads", "3"]));
    assert_ne!(first, csv(&["--seed", "2"]));
    let many = ["--sampler", "hmc", "--chains", "48"];
    let first = csv(&[&many[..], &["--threads", "1"]].concat());
    assert_eq!(first, csv(&[&many[..], &["--threads", "2"]].concat()));
}

#[test]
fn a_table_with_semicolons_is_read_and_said() {
    let folder = Folder::new("semicolons");
    let commas = fs::read_to_string(folder.path("data/reedfrogs/reedfrogs.csv")).expect("the data");
    folder.write("semi.csv", &commas.replace(',', ";"));
    let args = [
        "fit",
        "data/reedfrogs/m12_2.tad",
        "--data",
        "semi.csv",
        "--warmup",
        "50",
        "--draws",
        "50",
    ];
    let ran = folder.run(args).exits(0);
    assert!(
        ran.err
            .contains("note: semi.csv: the columns are separated by semicolons"),
        "{}",
        ran.err
    );
    assert_eq!(
        ran.err.matches("separated by semicolons").count(),
        1,
        "{}",
        ran.err
    );
}

#[test]
fn one_is_written_in_the_singular() {
    let folder = Folder::new("singular");
    let ran = folder
        .run(
            crate::harness::REED_FROGS
                .iter()
                .chain(&["--chains", "1", "--draws", "1"]),
        )
        .exits(0);
    assert!(
        ran.err.contains("1 chain, ") && ran.err.contains("then 1 draw;"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("\n1 chain × 1 draw after"), "{}", ran.out);
}

#[test]
fn a_log_likelihood_left_out_is_told_with_its_flag() {
    let folder = Folder::new("log_lik");
    folder.write("m.tad", "y ~ Normal(mu, 1)\nmu ~ Normal(0, 1)\n");
    let rows: String = (0..1000).map(|row| format!("{}\n", row % 3)).collect();
    folder.write("d.csv", &format!("y\n{rows}"));
    // 1,000 rows × 4 chains × 2,200 draws × 8 bytes are 67.1 MiB.
    let ran = folder
        .run([
            "fit", "m.tad", "--data", "d.csv", "--warmup", "100", "--draws", "2200",
        ])
        .exits(0);
    assert!(
        ran.err.contains("67 MiB") && ran.err.contains("`--log-lik all` keeps it"),
        "{}",
        ran.err
    );
    let ran = folder.fit(&[]).exits(0);
    assert!(!ran.err.contains("--log-lik"), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new("pipe");
    folder.fit(&["--quiet"]).exits(0);
    let mut command = folder.command(["summary", "m12_2.nc", "--format", "json"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(!err.contains("error"), "{err}");
}
