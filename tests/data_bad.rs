//! Every table under `tests/data/bad/` is refused with exactly the text beside it.
//!
//! `NAME.txt` begins with a line that says how `NAME.csv` is used: `use: read`, `use: numeric COLUMN`,
//! `use: complete_numeric COLUMN` or `use: factor COLUMN`; the expected error follows. With `TADPOOL_BLESS=1` the
//! expected texts are rewritten.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tadpool::Error;
use tadpool::data::Table;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad")
}

/// The stems of the files with this extension, sorted.
fn stems(extension: &str) -> BTreeSet<String> {
    fs::read_dir(folder())
        .expect("the folder of bad tables")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().expect("a stem").to_string_lossy().into_owned())
        .collect()
}

/// The error of using a table as the first line of its text says.
fn error_of(stem: &str, usage: &str) -> Error {
    let bytes = fs::read(folder().join(format!("{stem}.csv"))).expect("a bad table");
    let table = Table::from_bytes(&format!("{stem}.csv"), &bytes);
    if usage == "read" {
        return table.expect_err(stem);
    }
    let table = table.unwrap_or_else(|error| panic!("{stem} must be read: {error}"));
    let (accessor, column) = usage
        .split_once(' ')
        .unwrap_or_else(|| panic!("{stem}: a use names a column"));
    match accessor {
        "numeric" => table.numeric(column).expect_err(stem),
        "complete_numeric" => table.complete_numeric(column).expect_err(stem),
        "factor" => table.factor(column).expect_err(stem),
        other => panic!("{stem}: {other} is no use"),
    }
}

#[test]
fn bad_tables_are_refused_with_the_text_beside_them() {
    let bless = std::env::var_os("TADPOOL_BLESS").is_some();
    let names = stems("csv");
    assert_eq!(names, stems("txt"), "each table has its text");
    assert!(names.len() > 30, "the folder of bad tables is complete");
    for stem in names {
        let path = folder().join(format!("{stem}.txt"));
        let text = fs::read_to_string(&path).expect("the expected text");
        let (first, expected) = text.split_once('\n').unwrap_or((&text, ""));
        let usage = first
            .strip_prefix("use: ")
            .unwrap_or_else(|| panic!("{stem}.txt: no line `use: …`"));
        let error = error_of(&stem, usage);
        assert_eq!(error.exit_code(), 3, "{stem}: the user can mend it");
        assert!(error.help().is_some(), "{stem}: the error has a remedy");
        let found = format!("{error}\n");
        if bless {
            fs::write(&path, format!("{first}\n{found}")).expect("the text is written");
        } else {
            assert_eq!(found, expected, "{stem}");
        }
    }
}
