//! `check` and `devices`.

use crate::harness::{Folder, ran};

const CHECK: [&str; 4] = [
    "check",
    "data/reedfrogs/m12_2.tad",
    "--data",
    "data/reedfrogs/reedfrogs.csv",
];

#[test]
fn check_says_what_the_model_is() {
    let folder = Folder::new("check");
    let page = folder.run(CHECK).exits(0).out;
    for text in [
        "data/reedfrogs/reedfrogs.csv, 48 rows",
        "  tank  48  1, 2, 3, … 48",
        "(50 numbers to sample)",
        "  sigma         1   (0, ∞)   HalfCauchy(1)",
        "  surv ~ Binomial  over row  logit link",
        "weights learned from 0.9",
    ] {
        assert!(page.contains(text), "no {text:?} in:\n{page}");
    }
}

#[test]
fn check_without_data_reads_the_text() {
    let folder = Folder::new("check_text");
    let ran = folder.run(&CHECK[..2]).exits(0);
    assert!(ran.out.contains("  sigma ~ HalfCauchy(1)"), "{}", ran.out);
    assert!(ran.err.contains("without --data"), "{}", ran.err);
    let ran = folder.run(CHECK[..2].iter().chain(&["--emit", "wgsl"])).exits(3);
    assert!(ran.err.contains("name the table with --data"), "{}", ran.err);

    folder.write(
        "shares.tad",
        "y ~ Normal(m, s)\nm = a[g]\nsimplex a[g] ~ Dirichlet(2)\n",
    );
    let ran = folder.run(["check", "shares.tad"]).exits(3);
    assert!(
        ran.err.contains("shares.tad:3") && ran.err.contains("Dirichlet"),
        "{}",
        ran.err
    );
}

#[test]
fn the_expansion_is_a_model_with_the_same_draws() {
    let folder = Folder::new("expansion");
    let expansion = folder
        .run(CHECK.iter().chain(&["--emit", "expanded"]))
        .exits(0)
        .out;
    assert!(expansion.contains("@auto"), "{expansion}");
    folder.write("again.tad", &expansion);
    let csv = |model: &str| {
        let args = [
            "fit",
            model,
            "--data",
            "data/reedfrogs/reedfrogs.csv",
            "--draws",
            "50",
            "--format",
            "csv",
        ];
        folder.run(args).exits(0).out
    };
    assert_eq!(csv("again.tad"), csv("data/reedfrogs/m12_2.tad"));
}

#[test]
fn stages_are_printed() {
    let folder = Folder::new("stages");
    let ir = folder.run(CHECK.iter().chain(&["--emit", "ir"])).exits(0).out;
    assert!(
        ir.contains("# as lowered") && ir.contains("gradient of a_tank"),
        "{ir}"
    );
    let wgsl = folder.run(CHECK.iter().chain(&["--emit", "wgsl"])).exits(0).out;
    assert!(wgsl.contains("fn log_density_grad("), "{wgsl}");
}

#[test]
fn devices_works_without_any() {
    let folder = Folder::new("devices");
    folder.run(["devices"]).exits(0);
    let mut command = folder.command(["devices"]);
    command
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent");
    let page = ran(&mut command).exits(0).out;
    assert!(page.contains("`--backend auto` takes"), "{page}");
}
