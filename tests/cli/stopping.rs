//! Runs that end by themselves, and runs whose draws are not kept.

use crate::harness::{Folder, REED_FROGS};

#[test]
fn a_run_stops_by_precision_and_says_so() {
    let folder = Folder::new("mcse");
    let args = [&REED_FROGS[..], &["--mcse", "0.1", "--format", "json"]].concat();
    let ran = folder.run(&args).exits(0);
    assert!(
        ran.err.contains("then draws until --mcse 0.1 is met, "),
        "{}",
        ran.err
    );
    let json = ran.json();
    let messages = json["diagnostics"]["messages"].as_array().expect("messages");
    let last = messages.last().and_then(|m| m.as_str()).expect("a message");
    let draws = json["draws"].as_u64().expect("a number");
    assert!(
        last.starts_with(&format!(
            "stopped by --mcse 0.1 after {draws} draws of each chain"
        )),
        "{last}"
    );
    // A hundred effective draws are soon there.
    assert!(draws < 500, "{draws}");
    for row in json["parameters"].as_array().expect("parameters") {
        let of = |key: &str| row[key].as_f64().expect("a number");
        assert!(of("mcse_mean") < 0.1 * of("sd"), "{row}");
    }
    let page = folder.run(["summary", "m12_2.nc"]).exits(0).out;
    assert!(page.contains(last), "{page}");
}

#[test]
fn seconds_end_a_run_with_what_it_has() {
    let folder = Folder::new("seconds");
    for (keep, name) in [("all", "all.nc"), ("summary", "summary.nc")] {
        let limits = [
            "--max-seconds",
            "1.5",
            "--draws",
            "2000000",
            "--keep",
            keep,
            "--log-lik",
            "none",
        ];
        let args = [
            &REED_FROGS[..],
            &["--warmup", "50", "--chains", "2", "--out", name],
            &limits,
        ]
        .concat();
        let ran = folder.run(&args).exits(0);
        assert!(
            ran.out.contains("stopped by --max-seconds 1.5 after ") && ran.out.contains(" of 2000000 draws"),
            "{}",
            ran.out
        );
        let json = folder.run(["summary", name, "--format", "json"]).exits(0).json();
        let last = json["diagnostics"]["messages"].as_array().and_then(|m| m.last());
        let last = last.and_then(|m| m.as_str()).expect("a message");
        let draws = json["draws"].as_u64().expect("a number");
        assert!(draws >= 64, "{draws}");
        assert!(
            last.starts_with(&format!("stopped by --max-seconds 1.5 after {draws} of")),
            "{last}"
        );
    }
    let args = [&REED_FROGS[..], &["--max-seconds", "0.0001", "--out", "none.nc"]].concat();
    let ran = folder.run(&args).exits(1);
    assert!(
        ran.err.contains("the run was stopped before its first draw"),
        "{}",
        ran.err
    );
    assert!(!folder.path("none.nc").exists());
}

#[test]
fn a_precision_out_of_reach_is_told_with_what_is_missing() {
    let folder = Folder::new("out_of_reach");
    let args = [&REED_FROGS[..], &["--mcse", "0.001", "--draws", "100"]].concat();
    let page = folder.run(&args).exits(0).out;
    let told = page.lines().last().expect("a last line");
    assert!(
        told.contains("--mcse 0.001 was not reached: the standard error of the mean of ")
            && told.ends_with("Raise --draws, which is 100."),
        "{page}"
    );
}

#[test]
fn a_summary_can_be_read_again() {
    let folder = Folder::new("keep_summary");
    folder.write("m.tad", "y ~ Normal(mu, 1)\nmu ~ Normal(0, 1)\nall = mu + 0*y\n");
    let rows: String = (0..1000).map(|row| format!("{}\n", row % 3)).collect();
    folder.write("d.csv", &format!("y\n{rows}"));
    let ran = folder
        .run([
            "fit",
            "m.tad",
            "--data",
            "d.csv",
            "--sampler",
            "hmc",
            "--chains",
            "64",
            "--warmup",
            "100",
            "--draws",
            "400",
            "--keep",
            "summary",
            "--format",
            "json",
        ])
        .exits(0);
    let note = "note: the summary of all draws, and one draw in 4, are in m.nc";
    assert!(
        ran.err.contains(note) && ran.err.contains("`--keep all` keeps it"),
        "{}",
        ran.err
    );
    let json = ran.json();
    assert_eq!(json["draws"], 400);
    let again = folder
        .run(["summary", "m.nc", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(again, json, "the fit file gives what the fit printed");
    let page = folder
        .run(["summary", "m.nc", "mu", "--interval", "eti", "--prob", "0.5"])
        .exits(0)
        .out;
    assert!(
        page.contains("64 chains × 400 draws") && page.contains("from one draw in 4") && page.contains("25%"),
        "{page}"
    );
}
