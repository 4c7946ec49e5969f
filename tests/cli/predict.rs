//! `tadpool predict` and `tadpool simulate`.

use crate::harness::{Folder, Ran};

fn fitted(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.fit(&["--quiet"]).exits(0);
    folder
}

fn lines(ran: &Ran) -> Vec<&str> {
    ran.out.lines().collect()
}

#[test]
fn the_rows_of_the_fit_come_back_with_their_predictions() {
    let folder = fitted("predict_observed");
    let ran = folder.run(["predict", "m12_2.nc"]).exits(0);
    let lines = lines(&ran);
    assert_eq!(lines.len(), 49);
    assert_eq!(lines[0], "density,surv,mean,sd,lower,upper");
    assert!(lines[1].starts_with("10,9,"), "{}", lines[1]);
    let again = folder.run(["predict", "m12_2.nc", "--out", "p.csv"]).exits(0);
    assert_eq!(again.out, "");
    let written = std::fs::read_to_string(folder.path("p.csv")).expect("the file");
    assert_eq!(written, ran.out);
}

#[test]
fn a_grid_and_draws_and_json_say_the_same() {
    let folder = fitted("predict_grid");
    let grid = [
        "predict",
        "m12_2.nc",
        "--grid",
        "tank=1,new density=10",
        "--kind",
        "response",
        "--draws",
        "2",
    ];
    let csv = folder.run(grid).exits(0);
    let lines = lines(&csv);
    assert_eq!(lines[0], "tank,density,mean,sd,lower,upper,draw_1,draw_2");
    assert!(
        csv.err
            .contains("1 level of `tank` that the fit has not seen (new): --groups sample"),
        "{}",
        csv.err
    );
    let json = folder
        .run(grid.iter().chain(&["--format", "json", "--quiet"]))
        .exits(0);
    assert_eq!(json.err, "");
    let json = json.json();
    assert_eq!(json["kind"], "response");
    assert_eq!(json["draws"], 800);
    let row = &json["rows"][1];
    assert_eq!(row["columns"]["tank"], "new");
    let fields: Vec<f64> = lines[2]
        .split(',')
        .skip(2)
        .map(|x| x.parse().expect("a number"))
        .collect();
    assert_eq!(row["mean"], fields[0]);
    assert_eq!(row["upper"], fields[3]);
    assert_eq!(row["draws"][1], fields[5]);
    let other = folder.run(grid.iter().chain(&["--seed", "2"])).exits(0);
    assert_ne!(other.out, csv.out);
    assert_eq!(folder.run(grid).exits(0).out, csv.out);
}

#[test]
fn expressions_are_summarised_as_parameters_are() {
    let folder = fitted("predict_expr");
    let table = folder
        .run([
            "predict",
            "m12_2.nc",
            "--expr",
            "a",
            "--expr",
            "twice[tank] = 2*a_tank[tank]",
            "--format",
            "json",
        ])
        .exits(0)
        .json();
    let summary = folder
        .run(["summary", "m12_2.nc", "a", "a_tank[48]", "--format", "json"])
        .exits(0)
        .json();
    let rows = table["parameters"].as_array().expect("rows");
    assert_eq!(rows.len(), 49);
    let of = |name: &str| {
        summary["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|row| row["name"] == name)
            .cloned()
    };
    let a = of("a").expect("a");
    for key in ["mean", "sd", "lower", "upper", "ess_bulk", "rhat"] {
        assert_eq!(rows[0][key], a[key], "{key}");
    }
    assert_eq!(rows[48]["name"], "twice[48]");
    let tank = of("a_tank[48]").expect("a tank");
    // Twice a number is exact in binary.
    assert_eq!(rows[48]["mean"].as_f64(), tank["mean"].as_f64().map(|x| 2.0 * x));
    let wrong = folder
        .run(["predict", "m12_2.nc", "--expr", "inv_logit(aa)"])
        .exits(3);
    assert!(wrong.err.contains("unknown name `aa`"), "{}", wrong.err);
}

#[test]
fn mistakes_are_named() {
    let folder = fitted("predict_mistakes");
    folder.write("bad.csv", "density,surv\n10,12\n");
    folder.write("named.csv", "density,mean\n10,1\n");
    for (args, code, expected) in [
        (&["--grid", "tnak=1"][..], 3, "help: did you mean `tank`?"),
        (&["--grid", "surv=1"], 3, "`surv` is the outcome"),
        (&["--grid", "tank=1"], 3, "the grid has no column `density`"),
        (&["--grid", "tank=1 density=-3"], 3, "is -3 in the grid, line 2"),
        (&["--grid", "tank"], 3, "expected NAME=VALUE"),
        (&["--data", "bad.csv"], 3, "`surv` is 12 in bad.csv, line 2"),
        (&["--data", "named.csv"], 3, "named.csv has a column `mean`"),
        (&["--data", "none.csv"], 3, "none.csv"),
        (&["--draws", "9999"], 3, "the fit has, 800"),
        (&["--contrast", "density=1"], 3, "expected two settings"),
        (&["--outcome", "y"], 3, "`y` is no outcome of the model"),
        (&["--out", "m12_2.nc"], 3, "the result would replace it"),
        (&["--expr", "a", "--grid", "tank=1"], 2, "cannot be used with"),
        (
            &["--kind", "mode"],
            2,
            "possible values: link, prob, mean, response",
        ),
    ] {
        let ran = folder.run(["predict", "m12_2.nc"].iter().chain(args)).exits(code);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn a_simulated_data_set_can_be_fitted_and_its_truth_is_beside_it() {
    let folder = Folder::new("simulate");
    let model = "data/reedfrogs/m12_2.tad";
    folder.write("design.csv", "density,note\n10,\"a, b\"\n25,c\n35,d\n");
    let simulate = [
        "simulate",
        model,
        "--data",
        "design.csv",
        "--set",
        "a=1.4",
        "--out",
        "new.csv",
    ];
    let ran = folder.run(simulate).exits(0);
    assert!(
        ran.out.contains("3 rows, 1000 replicates of seed 1"),
        "{}",
        ran.out
    );
    let data = std::fs::read_to_string(folder.path("new.csv")).expect("the data");
    let truth = std::fs::read_to_string(folder.path("new.truth.csv")).expect("the truth");
    assert!(data.starts_with("density,note,surv\n10,\"a, b\","), "{data}");
    assert_eq!(data.lines().count(), 4);
    assert!(truth.starts_with("name,value,origin\na_tank[1],"), "{truth}");
    assert!(
        truth.contains("\na,1.4,set\n") && truth.contains("\nsigma,"),
        "{truth}"
    );
    folder
        .run([
            "fit", model, "--data", "new.csv", "--warmup", "100", "--draws", "50", "--quiet",
        ])
        .exits(0);
    // The written replicate does not depend on how many are summarised.
    folder.run(simulate.iter().chain(&["--replicates", "1"])).exits(0);
    assert_eq!(
        std::fs::read_to_string(folder.path("new.csv")).expect("the data"),
        data
    );
    for (args, expected) in [
        (["--set", "sigm=1"], "help: did you mean `sigma`?"),
        (["--set", "sigma=0"], "its values lie in (0, ∞)"),
        (["--out", "design.csv"], "the result would replace it"),
    ] {
        let simulate = ["simulate", model, "--data", "design.csv", "--quiet"];
        let out = if args[0] == "--out" {
            vec![]
        } else {
            vec!["--out", "x.csv"]
        };
        let ran = folder.run(simulate.iter().chain(&args).chain(&out)).exits(3);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert!(!folder.path("x.csv").exists());
    }
}

/// A fit that keeps moments instead of all draws predicts from the draws that it kept.
#[test]
fn a_fit_that_kept_every_fourth_draw_predicts_from_those() {
    let folder = Folder::new("predict_kept");
    let rows: String = (0..1000).map(|row| format!("{}\n", row % 3)).collect();
    folder.write("d.csv", &format!("y\n{rows}"));
    let fit = "fit m.tad --data d.csv --sampler hmc --chains 64 --warmup 100 --draws 400 --keep summary";
    // A thousand derived values: all draws of them would be more than 64 MiB.
    folder.write("m.tad", "y ~ Normal(mu, 1)\nmu ~ Normal(0, 1)\nall = mu + 0*y\n");
    let fitted = folder
        .run(fit.split(' ').chain(["--format", "json"]))
        .exits(0)
        .json();
    folder.run(["export", "m.nc", "mu", "--to", "csv"]).exits(0);
    let exported = std::fs::read_to_string(folder.path("m.csv")).expect("the draws");
    let kept: Vec<f64> = exported
        .lines()
        .skip(1)
        .map(|line| {
            line.rsplit(',')
                .next()
                .expect("a cell")
                .parse()
                .expect("a number")
        })
        .collect();
    assert_eq!(kept.len(), 64 * 100);
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;

    let ran = folder
        .run(["predict", "m.nc", "--average", "--format", "json"])
        .exits(0);
    assert!(
        ran.err
            .contains("predictions are made from one draw in 4, which were kept"),
        "{}",
        ran.err
    );
    let json = ran.json();
    assert_eq!(json["draws"], 64 * 100);
    let predicted = json["rows"][0]["mean"].as_f64().expect("a mean");
    // Sums in another order.
    assert!((predicted - mean).abs() < 1e-12, "{predicted} and {mean}");
    // A quarter of the draws has at most twice the standard error of all of them.
    let mu = fitted["parameters"]
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["name"] == "mu"))
        .expect("mu");
    let number = |key: &str| mu[key].as_f64().expect("a number");
    let (all, error) = (number("mean"), number("mcse_mean"));
    assert!(
        (predicted - all).abs() < 5.0 * 2.0 * error,
        "{predicted} and {all} ± {error}"
    );

    let ran = folder
        .run(["predict", "m.nc", "--expr", "mu", "--format", "json"])
        .exits(0);
    let expression = ran.json()["parameters"][0]["mean"].as_f64().expect("a mean");
    assert!((expression - mean).abs() < 1e-12, "{expression} and {mean}");
    let more = ["predict", "m.nc", "--draws", "6401"];
    let ran = folder.run(more).exits(3);
    assert!(ran.err.contains("6400"), "{}", ran.err);
}

#[test]
fn a_grid_and_a_contrast_do_not_set_the_same_column() {
    let folder = fitted("predict_twice_set");
    let contrast = ["--contrast", "density=35 - density=10"];
    let grid = |grid: &'static str| {
        let front = ["predict", "m12_2.nc", "--grid", grid];
        folder.run(front.iter().chain(&contrast))
    };
    let ran = grid("tank=1,2 density=10,35").exits(3);
    assert!(
        ran.err
            .contains("the grid sets `density`, and so does the contrast")
            && ran.err.contains("help: leave `density` out of the grid"),
        "{}",
        ran.err
    );
    assert_eq!(lines(&grid("tank=1,2").exits(0)).len(), 3);
}
