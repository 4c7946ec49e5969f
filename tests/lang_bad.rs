//! Every model of `tests/lang/bad/` is refused with exactly the text that stands beside it.
//!
//! `TADPOOL_BLESS=1` writes the texts anew; read each one with a user's eye before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use tadpool::lang::{self, Reports};

fn bad_models() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/bad");
    let entries = fs::read_dir(&folder).expect("the folder of bad models");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of the folder").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tad"));
    paths.sort();
    paths
}

/// What the user sees of a model that is not accepted; `None` for one that is.
fn rendered(name: &str, text: &str) -> Option<String> {
    let reports = match lang::parse(name, text) {
        Ok(model) => Reports::new(name, text, lang::refuse(&model)),
        Err(reports) => reports,
    };
    reports
        .has_errors()
        .then(|| tadpool::Error::from(reports).to_string() + "\n")
}

#[test]
fn bad_models_are_refused_with_the_text_beside_them() {
    let bless = std::env::var_os("TADPOOL_BLESS").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let paths = bad_models();
    assert!(paths.len() > 50, "only {} models were found", paths.len());
    for path in paths {
        let text = fs::read_to_string(&path).expect("a model in UTF-8");
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        let Some(found) = rendered(&name, &text) else {
            wrong.push(format!("{name} is accepted"));
            continue;
        };
        let beside = path.with_extension("txt");
        if bless {
            fs::write(&beside, &found).expect("a folder that can be written to");
            continue;
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_report_offers_a_remedy_and_fits_a_screen() {
    for path in bad_models() {
        let text = fs::read_to_string(&path).expect("a model in UTF-8");
        let reports = match lang::parse("m.tad", &text) {
            Ok(model) => Reports::new("m.tad", &text, lang::refuse(&model)),
            Err(reports) => reports,
        };
        for report in &reports.reports {
            assert!(
                report.help.is_some(),
                "{}: no remedy for {}",
                path.display(),
                report.title
            );
            let rendered = report.render("m.tad", &text, false);
            // Excerpts are cut at 140 columns; titles and remedies are whole sentences and wrap.
            let excerpt = rendered.lines().filter(|line| line.contains(" | "));
            let longest = excerpt.map(|line| line.chars().count()).max();
            assert!(
                longest.is_none_or(|length| length <= 250),
                "{}: {rendered}",
                path.display()
            );
        }
    }
}
