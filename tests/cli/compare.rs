//! `tadpool compare`: the contract's keys, the words where numbers cannot be trusted, what is refused.

use std::fs;

use serde_json::Value;

use crate::harness::{Folder, Ran};

/// Fits a model of the folder `data` under `data/`, whose table has the folder's name.
fn fit(folder: &Folder, data: &str, model: &str, more: &[&str]) {
    let (model, table) = (
        format!("data/{data}/{model}.tad"),
        format!("data/{data}/{data}.csv"),
    );
    let args = ["fit", &model, "--data", &table, "--quiet"];
    folder.run(args.iter().chain(more)).exits(0);
}

fn compare(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(std::iter::once(&"compare").chain(args))
}

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
    let folder = Folder::new("compare_json");
    for model in ["m12_5", "m12_4"] {
        fit(&folder, "chimpanzees", model, &[]);
    }
    let ran = compare(&folder, &["m12_5.nc", "m12_4.nc", "--format", "json"]).exits(0);
    assert!(
        ran.err.contains("m12_5.nc was written by tadpool 0."),
        "{}",
        ran.err
    );
    let json = ran.json();
    assert_eq!(keys(&json), ["criterion", "rows", "messages"]);
    assert_eq!(json["criterion"], "loo");
    let rows = json["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let expected = [
            "model",
            "elpd",
            "se",
            "p",
            "ic",
            "d_ic",
            "d_se",
            "weight",
            "warning",
            "pareto_k_max",
            "var_warn",
            "pareto_k_bad",
            "mcse",
            "file",
            "refits_bad",
        ];
        assert_eq!(keys(row), expected);
        for key in &expected[1..13] {
            assert!(row[key].is_number() || *key == "warning", "{key}: {row}");
        }
        let number = |key: &str| row[key].as_f64().expect("a number");
        assert_eq!(row["warning"], false);
        assert_eq!(number("ic"), -2.0 * number("elpd"));
    }
    // Best first, and the differences on the deviance scale.
    let ic = |row: usize| rows[row]["ic"].as_f64().expect("a number");
    assert_eq!(
        (&rows[0]["d_ic"], &rows[0]["d_se"]),
        (&Value::from(0.0), &Value::from(0.0))
    );
    assert!((rows[1]["d_ic"].as_f64().expect("a number") - (ic(1) - ic(0))).abs() < 1e-9 && ic(1) >= ic(0));
    let weights: f64 = rows
        .iter()
        .map(|row| row["weight"].as_f64().expect("a weight"))
        .sum();
    assert!((weights - 1.0).abs() < 1e-9);

    // On the log scale a half of it all, but for elpd, se and p.
    let log = compare(
        &folder,
        &["m12_5.nc", "m12_4.nc", "--format", "json", "--scale", "log"],
    )
    .exits(0)
    .json();
    for row in 0..2 {
        for (key, factor) in [
            ("elpd", 1.0),
            ("se", 1.0),
            ("p", 1.0),
            ("d_ic", 0.5),
            ("d_se", 0.5),
            ("ic", -0.5),
        ] {
            let of = |json: &Value| json["rows"][row][key].as_f64().expect("a number");
            assert!((of(&log) - factor * of(&json)).abs() < 1e-9, "{key}");
        }
    }
    let csv = compare(
        &folder,
        &["m12_5.nc", "m12_4.nc", "--format", "csv", "--by", "waic"],
    )
    .exits(0)
    .out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("model,elpd,se,p,ic,d_ic,d_se,weight,warning,pareto_k_max,var_warn"),
        "{csv}"
    );
    let table = compare(&folder, &["m12_4.nc"]).exits(0).out;
    assert!(
        table.contains("504 values of `pulled_left`") && !table.contains("Not to be trusted"),
        "{table}"
    );
}

#[test]
fn what_cannot_be_trusted_is_said_with_a_remedy() {
    let folder = Folder::new("compare_doubts");
    fit(&folder, "reedfrogs", "m12_1", &[]);
    fit(&folder, "reedfrogs", "m12_2", &[]);
    let files = ["m12_1.nc", "m12_2.nc"];
    let loo = compare(&folder, &files).exits(0).out;
    for words in [
        "Not to be trusted:",
        "each row has its own `a_tank[tank]`",
        "have a Pareto k above",
        "use `--by exact`",
        "`tadpool compare FIT … --by exact` fits each model again without each row",
    ] {
        assert!(loo.contains(words), "{words}: {loo}");
    }
    let waic = compare(
        &folder,
        &[&files[..], &["--by", "waic", "--weights", "pseudo-bma"]].concat(),
    );
    let waic = waic.exits(0).out;
    assert!(
        waic.contains("variance of the log likelihood above 0.4") && !waic.contains("Use `--by loo`"),
        "{waic}"
    );
    let json = compare(&folder, &[&files[..], &["--format", "json"]].concat())
        .exits(0)
        .json();
    for row in json["rows"].as_array().expect("rows") {
        assert_eq!(row["warning"], true);
        assert!(
            row["pareto_k_bad"].as_u64() > Some(5) && row["var_warn"].as_u64() > Some(5),
            "{row}"
        );
    }
    // Weights are drawn with the seed.
    let bootstrapped = |seed: &str| {
        let more = ["--weights", "pseudo-bma-plus", "--format", "csv", "--seed", seed];
        compare(&folder, &[&files[..], &more].concat()).exits(0).out
    };
    assert_eq!(bootstrapped("1"), bootstrapped("1"));
    assert_ne!(bootstrapped("1"), bootstrapped("2"));
}

#[test]
fn a_poor_sample_is_told_of() {
    let folder = Folder::new("compare_poor");
    fit(&folder, "chimpanzees", "m12_4", &["--draws", "20"]);
    let ran = compare(&folder, &["m12_4.nc"]).exits(0);
    let words =
        "the diagnostics of m12_4.nc found fault with its draws; `tadpool summary m12_4.nc` tells which";
    assert!(ran.err.contains(words), "{}", ran.err);
}

/// Short refits: the error that they tell of themselves is the tolerance.
const SHORT: [&str; 6] = ["--chains", "32", "--warmup", "200", "--draws", "150"];

#[test]
fn exact_leave_one_out_is_that_of_quadrature_within_its_own_error() {
    let folder = Folder::new("compare_exact");
    let files = ["m12_1.nc", "m12_2.nc"];
    fit(
        &folder,
        "reedfrogs",
        "m12_1",
        &["--draws", "50", "--log-lik", "none"],
    );
    fit(&folder, "reedfrogs", "m12_2", &["--draws", "50"]);
    let more = ["--exact", "--format", "json", "--pointwise", "rows.csv"];
    let ran = compare(&folder, &[&files[..], &SHORT, &more].concat()).exits(0);
    for words in [
        "98 refits, 49 of each model, each 32 chains with 200 iterations of warm-up and 150 draws; seed 1",
        "98 refits in ",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    // Draws of the fit itself are not used.
    assert!(
        !ran.err.contains("computed again") && !ran.err.contains("found fault"),
        "{}",
        ran.err
    );
    let json = ran.json();
    assert_eq!(keys(&json), ["criterion", "rows", "messages", "folds"]);
    assert_eq!(json["criterion"], "exact");
    assert_eq!(json["folds"], serde_json::json!({ "by": "row", "count": 48 }));
    let rows = json["rows"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["model"].as_str()).collect();
    assert_eq!(names, ["m12_2", "m12_1"]);
    for row in rows {
        let name = row["model"].as_str().expect("a name");
        let text =
            fs::read_to_string(folder.path(&format!("data/reedfrogs/{name}.json"))).expect("the values");
        let known: Value = serde_json::from_str(&text).expect("JSON");
        let known = &known["information_criteria"]["loo_exact"];
        let number = |key: &str| row[key].as_f64().expect("a number");
        let expected = |key: &str| known[key].as_f64().expect("a number");
        let mcse = number("mcse");
        println!(
            "{name}: {} ± {mcse} for {}, p {}",
            number("elpd"),
            expected("elpd"),
            number("p")
        );
        // By importance sampling the first is off by more than 40.
        assert!(mcse > 0.0 && mcse < 1.0, "{row}");
        assert!((number("elpd") - expected("elpd")).abs() < 4.5 * mcse, "{row}");
        // p's own error is that of two sums, of which the second is the smaller.
        assert!((number("p") - expected("p")).abs() < 4.5 * 1.5 * mcse, "{row}");
        // A sum over rows that err by no more than the sum itself does.
        assert!((number("se") - expected("se_elpd")).abs() < 4.5 * mcse, "{row}");
        assert_eq!(number("ic"), -2.0 * number("elpd"));
        for key in ["pareto_k_max", "pareto_k_bad", "var_warn"] {
            assert!(row[key].is_null(), "{key}: {row}");
        }
        assert_eq!(
            (&row["warning"], &row["refits_bad"]),
            (&Value::from(false), &Value::from(0))
        );
    }
    let text = fs::read_to_string(folder.path("rows.csv")).expect("the file");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let (mut elpd, mut p, mut count) = (0.0, 0.0, 0);
    for record in reader.records().map(|record| record.expect("a row")) {
        if &record[0] == "m12_1" {
            count += 1;
            assert_eq!(
                (&record[2], &record[5], &record[6]),
                (count.to_string().as_str(), "", "")
            );
            elpd += record[3].parse::<f64>().expect("a number");
            p += record[4].parse::<f64>().expect("a number");
        }
    }
    assert_eq!(count, 48);
    let sum = |key: &str| rows[1][key].as_f64().expect("a number");
    assert!((elpd - sum("elpd")).abs() < 1e-9 && (p - sum("p")).abs() < 1e-9);
}

#[test]
fn models_without_the_index_are_cut_along_it_too() {
    let folder = Folder::new("compare_kfold");
    fit(&folder, "chimpanzees", "m12_4", &["--draws", "50"]);
    folder.write(
        "pooled.tad",
        "pulled_left ~ Bernoulli(inv_logit(a))\na ~ Normal(0, 10)\n",
    );
    let table = "data/chimpanzees/chimpanzees.csv";
    folder
        .run(["fit", "pooled.tad", "--data", table, "--draws", "50", "--quiet"])
        .exits(0);
    let cut = ["pooled.nc", "m12_4.nc", "--by", "kfold", "--folds", "actor"];
    let args = [&cut[..], &SHORT, &["--format", "json", "--pointwise", "rows.csv"]].concat();
    let json = compare(&folder, &args).exits(0).json();
    assert_eq!(json["criterion"], "kfold");
    assert_eq!(json["folds"], serde_json::json!({ "by": "actor", "count": 7 }));
    // A refit of the pooled model without an actor: its rows have the density of the others' share of successes, up to
    // the prior and the posterior's width, whose effect on a row is of the order of 1/432.
    let mut reader = csv::Reader::from_path(folder.path(table)).expect("the table");
    let head = reader.headers().expect("a head").clone();
    let column = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let rows: Vec<(String, f64)> = reader
        .records()
        .map(|row| row.expect("a row"))
        .map(|row| {
            let pulled = row[column("pulled_left")].parse().expect("a number");
            (row[column("actor")].to_owned(), pulled)
        })
        .collect();
    let mut written = csv::Reader::from_path(folder.path("rows.csv")).expect("the file");
    let mut checked = 0;
    for record in written.records().map(|record| record.expect("a row")) {
        if &record[0] == "pooled" {
            let place = record[2].parse::<usize>().expect("a row") - 1;
            let (actor, pulled) = &rows[place];
            let others: Vec<f64> = rows
                .iter()
                .filter(|row| row.0 != *actor)
                .map(|row| row.1)
                .collect();
            let share = others.iter().sum::<f64>() / others.len() as f64;
            let expected = (if *pulled == 1.0 { share } else { 1.0 - share }).ln();
            let found: f64 = record[3].parse().expect("a number");
            assert!(
                (found - expected).abs() < 0.01,
                "row {}: {found} for {expected}",
                place + 1
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 504);

    let table = compare(&folder, &[&cut[..], &SHORT].concat()).exits(0).out;
    assert!(
        table.contains("leave-one-group-out (a refit without the rows of each `actor`)"),
        "{table}"
    );
    // Random parts: those of the seed, whatever the threads.
    let parts = |more: &[&str]| {
        let flags = ["m12_4.nc", "--by", "kfold", "--folds", "4", "--format", "csv"];
        compare(&folder, &[&flags[..], &SHORT, more].concat())
            .exits(0)
            .out
    };
    let one = parts(&["--threads", "1"]);
    assert_eq!(one, parts(&["--threads", "2"]));
    assert_ne!(one, parts(&["--seed", "2"]));
    let unknown = compare(&folder, &["m12_4.nc", "--by", "kfold", "--folds", "tank"]).exits(3);
    assert!(
        unknown
            .err
            .contains("m12_4.nc: `tank` is no index of the model; it has actor"),
        "{}",
        unknown.err
    );
}

#[test]
fn unsound_refits_are_named() {
    let folder = Folder::new("compare_unsound");
    fit(&folder, "reedfrogs", "m12_2", &["--draws", "50"]);
    let hasty = ["--chains", "16", "--warmup", "1", "--draws", "4"];
    let flags = ["m12_2.nc", "--by", "kfold", "--folds", "3"];
    let table = compare(&folder, &[&flags[..], &hasty].concat()).exits(0).out;
    for words in [
        "3-fold cross-validation",
        "Not to be trusted:",
        "refits are not sound",
        "to all rows but part 1 (",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let json = compare(&folder, &[&flags[..], &hasty, &["--format", "json"]].concat())
        .exits(0)
        .json();
    assert_eq!(json["rows"][0]["warning"], true);
    assert_eq!(json["rows"][0]["refits_bad"], 4);
    assert_eq!(json["folds"], serde_json::json!({ "by": "part", "count": 3 }));
}

#[test]
fn outcomes_of_groups_have_no_refits() {
    let folder = Folder::new("compare_groups");
    folder.write("d.csv", "school,y\na,1\na,2\nb,1.5\nb,0.5\nc,0.7\nc,0.9\n");
    folder.write("schools.csv", "school,score\na,0.1\nb,0.4\nc,0.2\n");
    let text = "table schools by school\ny ~ Normal(t[school], 1)\nscore[school] ~ Normal(t[school], 0.2)\n\
                t[school] ~ Normal(0, 1)\n";
    folder.write("m.tad", text);
    let args = [
        "fit",
        "m.tad",
        "--data",
        "d.csv",
        "--table",
        "schools=schools.csv",
        "--quiet",
    ];
    folder.run(args).exits(0);
    // Each score has its own t[school], so that importance sampling fails; what cannot be had is not proposed.
    let loo = compare(&folder, &["m.nc"]).exits(0).out;
    assert!(
        loo.contains("Not to be trusted:") && !loo.contains("--by exact"),
        "{loo}"
    );
    let ran = compare(&folder, &["m.nc", "--exact"]).exits(3);
    assert!(
        ran.err
            .contains("m.nc: the outcome `score` belongs to `school`, not to single rows"),
        "{}",
        ran.err
    );
}

#[test]
fn flags_of_refits_need_refits() {
    let folder = Folder::new("compare_refits");
    for (flags, words) in [
        (&["--draws", "100"][..], "--draws is for refits"),
        (&["--by", "waic", "--chains", "8"], "--chains is for refits"),
        (&["--folds", "5"], "--folds needs --by kfold"),
        (&["--exact", "--folds", "5"], "--folds needs --by kfold"),
        (&["--by", "kfold", "--folds", "1"], "1 folds leave nothing"),
        (&["--by", "loo", "--exact"], "cannot be used with"),
    ] {
        let ran = compare(&folder, &[&["a.nc"][..], flags].concat()).exits(2);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    // Without such a flag the files are looked at.
    compare(&folder, &["a.nc"]).exits(3);
    compare(&folder, &["a.nc", "--exact"]).exits(3);
}

#[test]
fn fits_of_different_data_are_refused_with_what_differs() {
    let folder = Folder::new("compare_data");
    fit(&folder, "reedfrogs", "m12_2", &[]);
    fit(&folder, "chimpanzees", "m12_4", &[]);
    let ran = compare(&folder, &["m12_2.nc", "m12_4.nc"]).exits(3);
    assert!(
        ran.err
            .contains("m12_2.nc predicts `surv`, m12_4.nc predicts `pulled_left`"),
        "{}",
        ran.err
    );

    let table = fs::read_to_string(folder.path("data/reedfrogs/reedfrogs.csv")).expect("the table");
    let lines: Vec<&str> = table.lines().collect();
    let other = |name: &str, text: String| {
        folder.write(&format!("{name}.csv"), &text);
        let (data, out) = (format!("{name}.csv"), format!("{name}.nc"));
        let args = [
            "fit",
            "data/reedfrogs/m12_2.tad",
            "--data",
            &data,
            "--out",
            &out,
            "--quiet",
            "--draws",
            "50",
        ];
        folder.run(args).exits(0);
        compare(&folder, &["m12_2.nc", &out]).exits(3).err
    };
    let shorter = other("shorter", lines[..48].join("\n"));
    assert!(
        shorter.contains("m12_2.nc predicts 48 rows, shorter.nc predicts 47"),
        "{shorter}"
    );
    // The first row with another count.
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let head = reader.headers().expect("a head").clone();
    let change = |column: &str, by: i64| {
        let place = head.iter().position(|name| name == column).expect("a column");
        let mut cells: Vec<String> = lines[1].split(',').map(str::to_owned).collect();
        let value: i64 = cells[place].parse().expect("a count");
        cells[place] = (value + by).to_string();
        let changed = cells.join(",");
        [&[lines[0], &changed][..], &lines[2..]].concat().join("\n")
    };
    let outcome = other("outcome", change("surv", -1));
    assert!(
        outcome.contains("`surv` of row 1 is 9 in m12_2.nc and 8 in outcome.nc"),
        "{outcome}"
    );
    let trials = other("trials", change("density", 1));
    assert!(
        trials.contains("the column `density` of row 1 is 10 in m12_2.nc and 11 in trials.nc"),
        "{trials}"
    );
}

#[test]
fn one_model_in_two_files_goes_by_the_files() {
    let folder = Folder::new("compare_names");
    fit(&folder, "chimpanzees", "m12_4", &[]);
    fit(
        &folder,
        "chimpanzees",
        "m12_4",
        &["--out", "bare.nc", "--log-lik", "none"],
    );
    let ran = compare(&folder, &["m12_4.nc", "bare.nc", "--format", "json"]).exits(0);
    assert!(
        ran.err
            .contains("which bare.nc does not hold, was computed again"),
        "{}",
        ran.err
    );
    let json = ran.json();
    let names: Vec<&str> = (0..2)
        .map(|row| json["rows"][row]["model"].as_str().expect("a name"))
        .collect();
    assert!(
        names.contains(&"m12_4 (m12_4.nc)") && names.contains(&"m12_4 (bare.nc)"),
        "{names:?}"
    );
    // Same draws, same numbers, up to the rounding of going through positions.
    let elpd = |row: usize| json["rows"][row]["elpd"].as_f64().expect("a number");
    assert!((elpd(0) - elpd(1)).abs() < 1e-8, "{json}");
    let twice = compare(&folder, &["m12_4.nc", "./m12_4.nc"]).exits(3);
    assert!(twice.err.contains("is given twice"), "{}", twice.err);
}

#[test]
fn pointwise_values_are_those_of_the_rows_as_read() {
    let folder = Folder::new("compare_pointwise");
    folder.write("d.csv", "y,x\n1.5,1\n,2\n0.5,3\n-1,NA\n2,5\n0,6\n");
    folder.write(
        "m.tad",
        "drop_missing\ny ~ Normal(a + b*x, 1)\na ~ Normal(0, 1)\nb ~ Normal(0, 1)\n",
    );
    folder
        .run(["fit", "m.tad", "--data", "d.csv", "--quiet"])
        .exits(0);
    compare(&folder, &["m.nc", "--pointwise", "rows.csv"]).exits(0);
    let text = fs::read_to_string(folder.path("rows.csv")).expect("the file");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(
        reader.headers().expect("a head"),
        vec!["model", "outcome", "row", "elpd", "p", "var", "pareto_k"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let labels: Vec<&str> = rows.iter().map(|row| &row[2]).collect();
    assert_eq!(labels, ["1", "3", "5", "6"]);
    let sum: f64 = rows
        .iter()
        .map(|row| row[3].parse::<f64>().expect("a number"))
        .sum();
    let json = compare(&folder, &["m.nc", "--format", "json"]).exits(0).json();
    assert!((sum - json["rows"][0]["elpd"].as_f64().expect("a number")).abs() < 1e-9);

    let before = fs::read(folder.path("m.nc")).expect("the fit");
    compare(&folder, &["m.nc", "--pointwise", "./m.nc"]).exits(3);
    assert_eq!(before, fs::read(folder.path("m.nc")).expect("the fit"));
}
