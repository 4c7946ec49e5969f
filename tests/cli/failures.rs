//! Failures end to end: the exact words, the exit code, and what is left on the disk.
//!
//! The texts stand in `tests/cli/bad/`, one file each.

use std::fs;
use std::path::Path;

use crate::harness::{Folder, REED_FROGS, Ran, ran};

/// The text expected on stderr.
fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/bad")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

#[track_caller]
fn says(ran: &Ran, name: &str) {
    assert_eq!(
        ran.err,
        text(name),
        "{name} does not hold this text:\n{}",
        ran.err
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_anything_else() {
    let folder = Folder::new("unwritable");
    // Neither model nor data exist: the folder is looked at first.
    let at = |out: &str| {
        folder
            .run(["fit", "no.tad", "--data", "no.csv", "--out", out])
            .exits(1)
    };
    says(&at("missing/m.nc"), "missing_folder.txt");
    folder.write("file", "");
    says(&at("file/m.nc"), "file_as_folder.txt");
    assert!(!folder.path("missing").exists());
}

#[test]
fn impossible_data_leave_an_older_fit_alone() {
    let folder = Folder::new("impossible");
    folder.write(
        "m.tad",
        "index tank = row\nsurv ~ Binomial(density, p)\nlogit(p) = a[tank]\na[tank] ~ Normal(0, 1)\n",
    );
    folder.write("d.csv", "surv,density\n3,10\n12,10\n");
    // What an older fit begins with.
    let older = b"\x89HDF\r\n\x1a\nan older fit";
    fs::write(folder.path("m.nc"), older).expect("a file is written");
    let ran = folder.run(["fit", "m.tad", "--data", "d.csv"]).exits(3);
    says(&ran, "impossible.txt");
    assert_eq!(fs::read(folder.path("m.nc")).expect("the older file"), older);
    let names: Vec<_> = fs::read_dir(folder.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| {
            !["m.tad", "d.csv", "m.nc", "data"]
                .iter()
                .any(|known| name == known)
        })
        .collect();
    assert!(names.is_empty(), "left over: {names:?}");
}

#[test]
fn the_fit_file_replaces_no_other_file() {
    let folder = Folder::new("replaces");
    let data = "data/reedfrogs/reedfrogs.csv";
    let before = |name: &str| fs::read(folder.path(name)).expect("a file");
    let (model, table) = (before(REED_FROGS[1]), before(data));
    for (out, what) in [
        (REED_FROGS[1], "is the model file itself"),
        ("data/../data/reedfrogs/reedfrogs.csv", "is the data file itself"),
        ("data/chimpanzees/chimpanzees.csv", "is no fit file"),
    ] {
        let ran = folder.fit(&["--out", out]).exits(3);
        assert!(
            ran.err.contains(what) && ran.err.contains("help: name another file"),
            "{}",
            ran.err
        );
    }
    assert_eq!((before(REED_FROGS[1]), before(data)), (model, table));
    // An empty file, as a script makes it to reserve a name, holds nothing to lose.
    folder.write("new.nc", "");
    folder.fit(&["--out", "new.nc", "--quiet"]).exits(0);
    folder.fit(&["--out", "new.nc", "--quiet"]).exits(0);
}

#[test]
fn more_draws_than_memory_holds_are_refused_with_the_numbers() {
    let folder = Folder::new("memory");
    for flags in [["--chains", "4000000000"], ["--draws", "4000000000"]] {
        let ran = folder.run(REED_FROGS.iter().chain(&flags)).exits(1);
        assert!(
            ran.err.contains("GiB of memory")
                && ran.err.contains("available")
                && ran.err.contains("--keep summary"),
            "{}",
            ran.err
        );
    }
    assert!(!folder.path("m12_2.nc").exists());
}

#[test]
fn missing_files_are_the_users_to_mend() {
    let folder = Folder::new("missing");
    let ran = folder
        .run(["fit", "no.tad", "--data", "data/reedfrogs/reedfrogs.csv"])
        .exits(3);
    // The message names the folder that the program runs in.
    let here = folder.path("");
    let here = here.to_str().expect("a folder in UTF-8").trim_end_matches('/');
    let anywhere = |ran: Ran| Ran {
        err: ran.err.replace(here, "FOLDER"),
        ..ran
    };
    says(&anywhere(ran), "missing_model.txt");
    let ran = folder.run(["fit", REED_FROGS[1], "--data", "no.csv"]).exits(3);
    says(&anywhere(ran), "missing_data.txt");
    let ran = folder.run(["summary", "no.nc"]).exits(3);
    says(&anywhere(ran), "missing_fit.txt");
    fs::write(folder.path("latin1.tad"), b"# caf\xe9\ny ~ Normal(0, 1)\n").expect("a file is written");
    let ran = folder
        .run(["fit", "latin1.tad", "--data", "data/reedfrogs/reedfrogs.csv"])
        .exits(3);
    says(&ran, "latin1.txt");
}

#[test]
fn a_gpu_that_is_not_there_is_named_with_a_remedy() {
    let folder = Folder::new("no_adapter");
    let mut command = folder.command(REED_FROGS.iter().chain(&["--backend", "gpu"]));
    command
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent");
    let ran = ran(&mut command);
    if cfg!(feature = "gpu") {
        // Metal and DX12 ask no Vulkan loader.
        if cfg!(target_os = "linux") {
            says(&ran.exits(1), "no_adapter.txt");
        }
    } else {
        says(&ran.exits(1), "no_gpu_in_build.txt");
    }
    assert!(!folder.path("m12_2.nc").exists());
}

#[test]
fn what_is_no_fit_file_is_refused() {
    let folder = Folder::new("no_fit");
    let ran = folder.run(["summary", "data/reedfrogs/reedfrogs.csv"]).exits(3);
    assert!(ran.err.contains("help: "), "{}", ran.err);
}

/// The first Ctrl-C ends the run; what was drawn is saved and can be read.
#[cfg(unix)]
#[test]
fn an_interrupt_saves_what_was_drawn() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = Folder::new("interrupt");
    let endless = ["--draws", "100000", "--thin", "50"];
    let mut child = folder
        .command(REED_FROGS.iter().chain(&endless))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    // The first line of progress comes after two seconds; by then the short warm-up of the first chains is over.
    let sampling = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.starts_with("sampling"));
    assert!(sampling, "the run ended before it was stopped");
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    assert!(
        rest.iter()
            .any(|line| line.contains("what was drawn so far will be saved")),
        "{rest:?}"
    );
    assert!(
        rest.iter()
            .any(|line| line.contains("stopped by Ctrl-C: kept ") && line.contains(" of 4 chains, ")),
        "{rest:?}"
    );
    let page = folder.run(["summary", "m12_2.nc"]).exits(0).out;
    assert!(page.contains("a_tank[48]"), "{page}");
}
