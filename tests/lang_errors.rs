//! What the analysis and the lowering say about faulty models: every `tests/lang/errors/NAME.tad` over `NAME.csv`
//! against the exact text of `NAME.txt`. With `TADPOOL_BLESS=1` the texts are written anew, to be read before they are
//! committed.

use std::fs;
use std::path::{Path, PathBuf};

use tadpool::data::Table;
use tadpool::lang::{self, Failure, LowerOptions};

/// What a user reads: the errors, or the notes and warnings of a model that can be used.
fn message(path: &Path) -> String {
    let name = path.file_name().expect("a file has a name").to_string_lossy();
    let text = fs::read_to_string(path).expect("a model in UTF-8");
    let data = path.with_extension("csv");
    let data_name = data.file_name().expect("a file has a name").to_string_lossy();
    let table = Table::from_bytes(&data_name, &fs::read(&data).expect("a table")).expect("a sound table");
    let mut model = lang::parse(&name, &text).unwrap_or_else(|reports| panic!("{reports}"));
    let text = match lang::expand(&model, (&name, &text), &table, false) {
        Ok(Some(expanded)) => {
            model = lang::parse(&name, &expanded.text).unwrap_or_else(|reports| panic!("{reports}"));
            expanded.text
        }
        Ok(None) => text,
        Err(failure) => return said(failure),
    };
    match lang::lower(&model, (&name, &text), &table, &LowerOptions::default()) {
        Ok(lowered) => lowered.reports.render(false),
        Err(failure) => said(failure),
    }
}

fn said(failure: Failure) -> String {
    match failure {
        Failure::Reports(reports) => reports.render(false),
        Failure::Error(error) => format!("{error}\n"),
    }
}

#[test]
fn messages_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/errors");
    let mut models: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of faulty models")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tad"))
        .collect();
    models.sort();
    assert!(models.len() >= 40, "only {} models were found", models.len());
    let mut different = Vec::new();
    for path in models {
        let found = message(&path);
        let recorded = path.with_extension("txt");
        if std::env::var_os("TADPOOL_BLESS").is_some() {
            fs::write(&recorded, &found).expect("the text is written");
            continue;
        }
        let expected = fs::read_to_string(&recorded).unwrap_or_default();
        if found != expected {
            different.push(format!(
                "{}\n--- expected\n{expected}\n--- found\n{found}",
                path.display()
            ));
        }
        assert!(!found.is_empty(), "{} has nothing to say", path.display());
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}
