//! `tadpool export`: files, names, selections, refusals. `tests/arviz/check_export.py` reads the files by other programs.

use std::fs;

use crate::harness::Folder;

fn fitted(name: &str, more: &[&str]) -> Folder {
    let folder = Folder::new(name);
    folder.fit(&[&["--quiet"], more].concat()).exits(0);
    folder
}

/// What lies in the folder beside the data.
fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path("")).expect("the folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "data")
        .collect();
    names.sort();
    names
}

#[test]
fn the_table_has_every_draw_of_what_was_chosen() {
    let folder = fitted("export_csv", &[]);
    let ran = folder
        .run(["export", "m12_2.nc", "a_tank[3]", "sig*", "--to", "csv"])
        .exits(0);
    assert_eq!(ran.out, "m12_2.csv\n");
    assert!(
        ran.err.contains("800 draws of 2 numbers in 1 file"),
        "{}",
        ran.err
    );
    let text = fs::read_to_string(folder.path("m12_2.csv")).expect("the table");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 801);
    assert_eq!(lines[0], ".chain,.iteration,.draw,a_tank[3],sigma");
    assert!(lines[1].starts_with("1,1,1,"), "{}", lines[1]);
    assert!(lines[200].starts_with("1,200,200,"), "{}", lines[200]);
    assert!(lines[201].starts_with("2,1,201,"), "{}", lines[201]);
    assert!(lines[800].starts_with("4,200,800,"), "{}", lines[800]);
    assert_eq!(files(&folder), ["m12_2.csv", "m12_2.nc"]);
}

#[test]
fn parquet_goes_where_it_is_told() {
    let folder = fitted("export_parquet", &[]);
    let args = [
        "export", "m12_2.nc", "--to", "parquet", "--out", "draws.pq", "--quiet",
    ];
    let ran = folder.run(args).exits(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("draws.pq\n", ""));
    let bytes = fs::read(folder.path("draws.pq")).expect("the file");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    // 50 numbers of 800 draws, and three counts.
    assert!(bytes.len() > 800 * 53 * 8, "{} bytes", bytes.len());
}

#[test]
fn cmdstan_has_a_file_for_each_chain() {
    let folder = fitted("export_cmdstan", &[]);
    let ran = folder
        .run(["export", "m12_2.nc", "--to", "cmdstan", "--out", "stan.csv"])
        .exits(0);
    assert_eq!(ran.out, "stan_1.csv\nstan_2.csv\nstan_3.csv\nstan_4.csv\n");
    let text = fs::read_to_string(folder.path("stan_3.csv")).expect("the third chain");
    let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 201);
    assert!(
        rows[0].starts_with(
            "lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,a_tank.1,a_tank.2,"
        ) && rows[0].ends_with(",a_tank.48,a,sigma"),
        "{}",
        rows[0]
    );
    for row in &rows[1..] {
        let cells: Vec<&str> = row.split(',').collect();
        let depth: u32 = cells[3].parse().expect("a whole number");
        let steps: u32 = cells[4].parse().expect("a whole number");
        // Whole doublings, and part of one more.
        assert!(
            2u32.pow(depth) <= steps + 1 && steps + 1 < 2u32.pow(depth + 1),
            "{row}"
        );
        assert_eq!(cells.len(), 57);
    }
    for line in [
        "# id = 3",
        "#     num_samples = 200",
        "#     num_warmup = 200",
        "#     thin = 1",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}");
    }
}

#[test]
fn an_ensemble_is_the_static_engine() {
    let folder = fitted(
        "export_static",
        &["--sampler", "hmc", "--backend", "cpu", "--chains", "32"],
    );
    let ran = folder
        .run(["export", "m12_2.nc", "a", "--to", "cmdstan"])
        .exits(0);
    assert_eq!(ran.out.lines().count(), 32);
    let text = fs::read_to_string(folder.path("m12_2_32.csv")).expect("the last chain");
    assert!(text.contains("engine = static\n") && !text.contains("max_depth"));
    assert!(text.contains("\nlp__,accept_stat__,stepsize__,int_time__,divergent__,energy__,a\n"));
}

#[test]
fn what_cannot_be_exported_is_refused_before_anything_is_written() {
    let folder = fitted("export_refused", &[]);
    let part = folder
        .run(["export", "m12_2.nc", "a_tank[3]", "--to", "cmdstan"])
        .exits(3);
    assert!(
        part.err.contains("1 of the 48 elements of `a_tank` are chosen"),
        "{}",
        part.err
    );
    let unknown = folder
        .run(["export", "m12_2.nc", "sigam", "--to", "csv"])
        .exits(3);
    assert!(unknown.err.contains("did you mean `sigma`?"), "{}", unknown.err);
    let itself = folder
        .run(["export", "m12_2.nc", "--to", "csv", "--out", "./m12_2.nc"])
        .exits(3);
    assert!(
        itself.err.contains("the result would replace it"),
        "{}",
        itself.err
    );
    let nowhere = folder
        .run(["export", "m12_2.nc", "--to", "csv", "--out", "no/such.csv"])
        .exits(1);
    assert!(
        nowhere.err.contains("no/such.csv cannot be written"),
        "{}",
        nowhere.err
    );
    folder.run(["export", "m12_2.nc"]).exits(2);
    assert_eq!(files(&folder), ["m12_2.nc"]);
}
