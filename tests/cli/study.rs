//! `tadpool study`: folders, verdicts, shards, going on after a stop.

use std::fs;

use serde_json::Value;

use crate::harness::{Folder, Ran};

/// A calibration that takes a second.
const SBC: [&str; 8] = [
    "study",
    "sbc",
    "data/reedfrogs/m12_2.tad",
    "--data",
    "data/reedfrogs/reedfrogs.csv",
    "--quiet",
    "--replicates",
    "12",
];

fn sbc(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(SBC.iter().chain(more))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).expect("JSON on stdout")
}

#[test]
fn a_calibration_leaves_tables_pictures_and_a_verdict() {
    let folder = Folder::new("study-sbc");
    let ran = sbc(&folder, &["--format", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let found = json(&ran);
    assert_eq!(found["study"], "sbc");
    assert_eq!(found["replicates"], 12);
    assert_eq!(found["verdict"]["ok"], true);
    assert_eq!(found["quantities"].as_array().map(Vec::len), Some(51));
    let counts: u64 = ["ok", "retried", "diverged", "unconverged", "failed"]
        .iter()
        .map(|status| found["status"][*status].as_u64().expect("a count"))
        .sum();
    assert_eq!(counts, 12);
    assert!(
        found["timing"]["replicates_per_second"]
            .as_f64()
            .is_some_and(|rate| rate > 0.0)
    );
    for name in [
        "study.json",
        "report.html",
        "ecdf.svg",
        "ecdf.png",
        "ranks.svg",
        "estimates.csv",
        "estimates.parquet",
        "replicates.csv",
        "manifest.json",
    ] {
        let bytes = fs::read(folder.path("m12_2-sbc").join(name)).expect(name);
        assert!(!bytes.is_empty(), "{name}");
    }
    let page = fs::read_to_string(folder.path("m12_2-sbc/report.html")).expect("a page");
    assert!(page.contains("Calibrated") && page.contains("<figure>") && page.contains("a_tank[1]"));
    let rows = fs::read_to_string(folder.path("m12_2-sbc/estimates.csv")).expect("a table");
    assert_eq!(rows.lines().count(), 1 + 12 * 51);

    // Once more in the same folder is refused, and changes nothing.
    let again = sbc(&folder, &[]);
    assert_eq!(again.code, Some(3));
    assert!(again.err.contains("--resume"), "{}", again.err);
    let other = sbc(&folder, &["--seed", "2", "--resume"]);
    assert!(other.err.contains("seed is 1"), "{}", other.err);
    assert_eq!(
        fs::read_to_string(folder.path("m12_2-sbc/estimates.csv")).expect("a table"),
        rows
    );
}

#[test]
fn shards_merge_to_what_one_run_gives() {
    let folder = Folder::new("study-shards");
    assert_eq!(sbc(&folder, &["--out", "whole"]).code, Some(0));
    for shard in ["1/3", "3/3"] {
        assert_eq!(sbc(&folder, &["--out", "cut", "--shard", shard]).code, Some(0));
    }
    let early = folder.run(["study", "merge", "cut"]);
    assert_eq!(early.code, Some(3));
    assert!(early.err.contains("2/3"), "{}", early.err);
    assert_eq!(sbc(&folder, &["--out", "cut", "--shard", "2/3"]).code, Some(0));
    let merged = folder.run(["study", "merge", "cut", "--format", "json"]);
    assert_eq!(merged.code, Some(0), "{}", merged.err);
    for name in [
        "estimates.parquet",
        "replicates.parquet",
        "estimates.csv",
        "ecdf.svg",
    ] {
        let of = |run: &str| fs::read(folder.path(run).join(name)).expect(name);
        assert!(of("cut") == of("whole"), "{name} differs");
    }
    // A part that is lost is fitted again.
    let parts: Vec<_> = fs::read_dir(folder.path("whole/parts"))
        .expect("parts")
        .map(|entry| entry.expect("a part").path())
        .collect();
    fs::remove_dir_all(&parts[0]).expect("a part is removed");
    assert_eq!(sbc(&folder, &["--out", "whole", "--resume"]).code, Some(0));
    let tables = |run: &str| fs::read(folder.path(run).join("estimates.csv")).expect("a table");
    assert!(tables("whole") == tables("cut"));
}

#[test]
fn recovery_compares_with_what_needs_no_model() {
    let folder = Folder::new("study-recover");
    let ran = folder.run([
        "study",
        "recover",
        "data/ponds/m12_3.tad",
        "--data",
        "data/ponds/ponds.csv",
        "--set",
        "a=1.4",
        "--set",
        "sigma=1.5",
        "--against",
        "no-pooling,complete-pooling",
        "--replicates",
        "6",
        "--quiet",
        "--format",
        "json",
    ]);
    assert!(matches!(ran.code, Some(0 | 4)), "{ran:?}");
    let found = json(&ran);
    let classes = found["groups"]["classes"].as_array().expect("classes");
    let sizes: Vec<f64> = classes
        .iter()
        .filter_map(|class| class["size"].as_f64())
        .collect();
    assert_eq!(sizes, [5.0, 10.0, 25.0, 35.0]);
    for class in classes {
        assert!(
            class["no-pooling"]["mean_absolute_error"]["value"]
                .as_f64()
                .is_some_and(|error| error > 0.0)
        );
    }
    assert!(folder.path("m12_3-recover/errors.png").exists());
    let none = folder.run([
        "study",
        "recover",
        "data/chimpanzees/m12_5.tad",
        "--data",
        "data/chimpanzees/chimpanzees.csv",
        "--against",
        "no-pooling",
        "--replicates",
        "2",
    ]);
    assert_eq!(none.code, Some(3));
    assert!(
        none.err.contains("--by INDEX") && none.err.contains("actor"),
        "{}",
        none.err
    );
}

#[test]
fn power_varies_designs_and_refuses_what_it_cannot_read() {
    let folder = Folder::new("study-power");
    let run = |vary: &str, criterion: &str| {
        folder.run([
            "study",
            "power",
            "data/ponds/m12_3.tad",
            "--data",
            "data/ponds/ponds.csv",
            "--set",
            "a=2",
            "--vary",
            vary,
            "--criterion",
            criterion,
            "--replicates",
            "3",
            "--quiet",
            "--format",
            "json",
            "--out",
            "power",
        ])
    };
    for (vary, criterion, told) in [
        ("lakes=3", "P(a > 0) > 0.9", "lakes"),
        ("ponds=0", "P(a > 0) > 0.9", "number of groups"),
        ("ponds=3", "a > 0", "posterior probability"),
        ("ponds=3", "P(a_pond[pond] > 0) > 0.9", "one number"),
        ("ponds=3", "P(zzz > 0) > 0.9", "zzz"),
        ("ponds=3", "P(a) > 0.9", "no condition"),
    ] {
        let ran = run(vary, criterion);
        assert_eq!(ran.code, Some(3), "{vary} {criterion}: {ran:?}");
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let ran = run("ponds=3,8 ni=4", "P(a > 0) > 0.9");
    assert!(matches!(ran.code, Some(0 | 4)), "{ran:?}");
    let designs = json(&ran)["designs"].as_array().expect("designs").clone();
    let rows: Vec<u64> = designs
        .iter()
        .filter_map(|design| design["rows"].as_u64())
        .collect();
    assert_eq!(rows, [3, 8]);
    assert_eq!(designs[1]["sizes"]["ponds"], "8");
    assert_eq!(designs[0]["criteria"][0]["of"], 3);
}

#[test]
fn folds_are_parts_groups_or_rows() {
    let folder = Folder::new("study-kfold");
    let run = |folds: &str| {
        folder.run([
            "study",
            "kfold",
            "data/chimpanzees/m12_4.tad",
            "--data",
            "data/chimpanzees/chimpanzees.csv",
            "--folds",
            folds,
            "--chains",
            "16",
            "--draws",
            "60",
            "--warmup",
            "150",
            "--quiet",
            "--format",
            "json",
            "--out",
            folds,
        ])
    };
    let found = json(&run("actor"));
    assert_eq!(found["folds"], 7);
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(504));
    // Whoever has not been seen is a coin to be tossed: near ln ½ a row.
    let elpd = found["elpd"].as_f64().expect("a number");
    assert!((-400.0..-330.0).contains(&elpd), "{elpd}");
    let wrong = run("ape");
    assert_eq!(wrong.code, Some(3));
    assert!(wrong.err.contains("actor"), "{}", wrong.err);
    assert_eq!(run("1").code, Some(3));
}

#[test]
fn scripts_for_a_cluster_name_shards_and_merge() {
    let folder = Folder::new("study-slurm");
    let ran = folder.run([
        "study",
        "slurm",
        "--shards",
        "4",
        "--time",
        "0:30:00",
        "--sbatch=--constraint=avx512",
        "--sbatch",
        "--qos=long",
        "--out",
        "o",
        "--",
        "sbc",
        "m 1.tad",
        "--data",
        "d.csv",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("sbatch --parsable study.sbatch") && ran.out.contains("study-merge.sbatch"));
    let script = fs::read_to_string(folder.path("study.sbatch")).expect("a script");
    for line in [
        "#SBATCH --array=1-4",
        "#SBATCH --time=0:30:00",
        "study sbc 'm 1.tad' --data d.csv",
        "--resume --out o",
    ] {
        assert!(script.contains(line), "{line}: {script}");
    }
    let merge = fs::read_to_string(folder.path("study-merge.sbatch")).expect("a script");
    for line in ["#SBATCH --constraint=avx512\n", "#SBATCH --qos=long\n"] {
        assert!(
            script.contains(line) && merge.contains(line),
            "{line}: {script}{merge}"
        );
    }
    let own = folder.run([
        "study", "slurm", "--shards", "4", "--out", "o", "--", "sbc", "m.tad", "--shard", "1/2",
    ]);
    assert_eq!(own.code, Some(3), "{own:?}");
}
