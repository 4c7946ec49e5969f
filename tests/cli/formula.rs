//! Formulae in place of model files, and second tables.

use crate::harness::Folder;

const FORMULA: [&str; 6] = [
    "surv | trials(density) ~ pred*size + (1 | row)\nb[predpred] ~ Normal(-1, 2)",
    "--family",
    "binomial",
    "--data",
    "data/reedfrogs/reedfrogs.csv",
    "--seed=3",
];
const SHORT: [&str; 4] = ["--warmup", "200", "--draws", "200"];

#[test]
fn a_formula_is_fitted_without_a_file() {
    let folder = Folder::new("formula");
    let ran = folder
        .run(
            ["fit"]
                .iter()
                .chain(&FORMULA)
                .chain(&SHORT)
                .chain(&["--format", "json"]),
        )
        .exits(0);
    for line in [
        "default prior: Intercept ~ StudentT(3, 0, 2.5)",
        "default prior: sd_row ~ HalfStudentT(3, 2.5)",
        "the draws are in glm_surv.nc",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    // A prior of the text is no default.
    assert!(!ran.err.contains("default prior: b"), "{}", ran.err);
    let fit = ran.json();
    assert_eq!(fit["model"], "glm_surv");
    let names: Vec<&str> = fit["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .filter(|name| !name.starts_with("r_row"))
        .collect();
    assert_eq!(
        names,
        [
            "Intercept",
            "b[predpred]",
            "b[sizesmall]",
            "b[predpred:sizesmall]",
            "sd_row",
            "b_Intercept"
        ]
    );

    // The expansion is a model file with the same draws.
    let check = ["check"]
        .iter()
        .chain(&FORMULA[..5])
        .chain(&["--emit", "expanded"]);
    let expanded = folder.run(check).exits(0).out;
    assert!(
        expanded.contains("b[coef] ~ Normal([-1, 0, 0], [2, "),
        "{expanded}"
    );
    folder.write("plain.tad", &expanded);
    let plain = folder
        .run(
            ["fit", "plain.tad"]
                .iter()
                .chain(&FORMULA[3..])
                .chain(&SHORT)
                .chain(&["--format", "json"]),
        )
        .exits(0);
    assert_eq!(plain.json()["parameters"], fit["parameters"]);

    // New rows are coded as the fit's rows were, though they have one level only.
    folder.write(
        "new.csv",
        "density,pred,size,row\n10,pred,small,1\n10,no,small,1\n",
    );
    let predicted = folder
        .run(["predict", "glm_surv.nc", "--data", "new.csv", "--format", "json"])
        .exits(0)
        .json();
    let all = folder
        .run(["predict", "glm_surv.nc", "--format", "json"])
        .exits(0)
        .json();
    let mean = |row: &serde_json::Value| row["mean"].as_f64().expect("a mean");
    assert!(mean(&predicted["rows"][0]) < mean(&predicted["rows"][1]));
    assert!(all["rows"].as_array().is_some_and(|rows| rows.len() == 48));
    let unseen = "density,pred,size,row\n10,perhaps,small,1\n";
    folder.write("unseen.csv", unseen);
    let ran = folder
        .run(["predict", "glm_surv.nc", "--data", "unseen.csv"])
        .exits(3);
    assert!(ran.err.contains("which the fit has not seen"), "{}", ran.err);
}

#[test]
fn a_formula_is_simulated_without_its_outcome() {
    let folder = Folder::new("formula_design");
    folder.write("design.csv", "x,g\n0,a\n1,a\n2,b\n3,b\n4,c\n5,c\n");
    let ran = folder
        .run([
            "simulate",
            "y ~ x + (1 | g)\nsigma ~ Exponential(1)",
            "--data",
            "design.csv",
            "--set",
            "b[x]=2",
            "--out",
            "sim.csv",
        ])
        .exits(0);
    assert!(
        ran.err.contains("default prior: Intercept ~ StudentT(3, 0, 2.5)"),
        "{}",
        ran.err
    );
    let text = std::fs::read_to_string(folder.path("sim.csv")).expect("a data set");
    assert_eq!(text.lines().next(), Some("x,g,y"));
    let truth = std::fs::read_to_string(folder.path("sim.truth.csv")).expect("the truth");
    assert!(truth.contains("b[x],2,set"), "{truth}");
}

#[test]
fn a_family_belongs_to_a_formula() {
    let folder = Folder::new("formula_family");
    let ran = folder
        .run(["check", "data/reedfrogs/m12_2.tad", "--family", "binomial"])
        .exits(2);
    assert!(ran.err.contains("--family belongs to a formula"), "{}", ran.err);
    let ran = folder
        .run([
            "check",
            "surv ~ pred",
            "--family",
            "binominal",
            "--data",
            "data/reedfrogs/reedfrogs.csv",
        ])
        .exits(3);
    assert!(ran.err.contains("did you mean `binomial`?"), "{}", ran.err);
    let ran = folder.run(["check", "no_such.tad"]).exits(3);
    assert!(
        ran.err.contains("there is no model file no_such.tad"),
        "{}",
        ran.err
    );
}

const SCHOOLS: &str = "\
table schools by school
y ~ Normal(a[school], sigma)
a[school] ~ Normal(g0 + g1*u[school], tau)
g0, g1 ~ Normal(0, 5)
tau, sigma ~ Exponential(1)
";

fn pupils() -> String {
    let mut text = String::from("school,y\n");
    for pupil in 0..40 {
        let school = pupil % 5;
        let noise = f64::from((pupil * 7) % 11) / 11.0 - 0.5;
        text.push_str(&format!("s{school},{}\n", f64::from(school) + noise));
    }
    text
}

#[test]
fn a_second_table_is_joined() {
    let folder = Folder::new("second_table");
    folder.write("m.tad", SCHOOLS);
    folder.write("pupils.csv", &pupils());
    folder.write("schools.csv", "school,u\ns4,4\ns3,3\ns2,2\ns1,1\ns0,0\ns9,9\n");
    let fit = |table: &[&str]| {
        folder.run(
            ["fit", "m.tad", "--data", "pupils.csv"]
                .iter()
                .chain(table)
                .chain(&SHORT),
        )
    };
    let ran = fit(&["--table", "schools=schools.csv"]).exits(0);
    assert!(
        ran.err.contains(
            "schools.csv: joined to pupils.csv by `school`: `u`; 1 of its 6 rows matches none (s9)"
        ),
        "{}",
        ran.err
    );
    let ran = fit(&[]).exits(3);
    assert!(
        ran.err.contains("no file is given for the table `schools`")
            && ran.err.contains("--table schools=schools.csv"),
        "{}",
        ran.err
    );
    let ran = fit(&["--table", "school=schools.csv"]).exits(3);
    assert!(
        ran.err.contains("did you mean `--table schools=…`?"),
        "{}",
        ran.err
    );

    // A new school has its own u; without the table the fit knows only those that it has seen.
    folder.write("new.csv", "school\ns0\ns9\n");
    let predict = |more: &[&str]| {
        folder.run(
            [
                "predict", "m.nc", "--data", "new.csv", "--groups", "average", "--format", "json",
            ]
            .iter()
            .chain(more),
        )
    };
    let rows = predict(&["--table", "schools=schools.csv"]).exits(0).json();
    let mean = |row: usize| rows["rows"][row]["mean"].as_f64().expect("a mean");
    // The schools' means rise by 1 with u, which is 9 there; the prior of g1 hardly counts.
    assert!(
        (mean(0) - 0.0).abs() < 0.5 && (mean(1) - 9.0).abs() < 1.5,
        "{rows}"
    );
    folder.write("new.csv", "school\ns0\ns3\n");
    let known = predict(&[]).exits(0).json();
    assert_eq!(known["rows"][0]["mean"], rows["rows"][0]["mean"]);

    // The design of a simulation keeps its columns; the second table stays a file of its own.
    folder
        .run([
            "simulate",
            "m.tad",
            "--data",
            "pupils.csv",
            "--table",
            "schools=schools.csv",
            "--out",
            "sim.csv",
        ])
        .exits(0);
    let text = std::fs::read_to_string(folder.path("sim.csv")).expect("a data set");
    assert_eq!(text.lines().next(), Some("school,y"));

    folder.write("schools.csv", "school,u\ns4,4\ns3,3\ns2,2\ns1,1\n");
    let ran = fit(&["--table", "schools=schools.csv"]).exits(3);
    assert!(
        ran.err
            .contains("line 2: `school` is \"s0\", which has no row in schools.csv"),
        "{}",
        ran.err
    );
    let page = folder
        .run([
            "check",
            "m.tad",
            "--data",
            "pupils.csv",
            "--table",
            "schools=schools.csv",
        ])
        .exits(3);
    assert!(page.err.contains("table schools by school"), "{}", page.err);
}
