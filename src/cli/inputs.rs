//! Reading what the command line names: model texts, tables, fit files; and what is said of a name that is no such file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::output::Notes;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::lang::nearest;

/// The text of a model file.
///
/// # Errors
///
/// A user error if there is no such file, if it is a directory, a table by its name, or not UTF-8; an environment error
/// if it cannot be read.
pub(super) fn read_model(path: &Path) -> Result<String> {
    let name = path.display();
    if path.is_dir() {
        return Err(
            Error::user(format!("{name} is a directory, and a model file is expected"))
                .with_help("name a `.tad` file inside it"),
        );
    }
    // Read as a model it would be an error in every line.
    if is_table_name(path) {
        return Err(Error::user(format!(
            "{name} is a table by its name, and a model file is expected"
        ))
        .with_help("name the model first, and the table with `--data`"));
    }
    let bytes = std::fs::read(path).map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => missing("model file", path, "tad"),
        _ => Error::environment(format!("the model file {name} cannot be read: {fault}"))
            .with_help("check the permissions of the file and of the folders above it"),
    })?;
    let text = String::from_utf8(bytes).map_err(|fault| {
        let valid = fault.utf8_error().valid_up_to();
        let line = fault.as_bytes()[..valid]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        Error::user(format!(
            "the model file {name} is not UTF-8 text: line {line} holds byte 0x{:02X}",
            fault.as_bytes()[valid]
        ))
        .with_help("save it as UTF-8; a model is a plain text such as `y ~ Normal(mu, sigma)`")
    })?;
    // A byte order mark is no part of the text.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A table.
///
/// # Errors
///
/// Those of [`Table::from_path`]; where there is no such file, with the name of one like it.
pub(super) fn read_table(path: &Path) -> Result<Table> {
    Table::from_path(path).map_err(|error| {
        if is_missing(path) {
            missing("file", path, "csv")
        } else {
            error
        }
    })
}

/// A fit, after a note that says which version wrote it.
///
/// # Errors
///
/// Those of [`Fit::read`]; with the name of a file like it where there is none, and what to do where the file is a model
/// or a table.
pub(super) fn read_fit(path: &Path, notes: Notes) -> Result<Fit> {
    if is_missing(path) {
        return Err(missing("fit file", path, "nc"));
    }
    let fit = Fit::read(path).map_err(|error| {
        let name = path.display();
        match extension(path).as_deref() {
            Some("tad") => error.with_help(format!(
                "the name is that of a model; `tadpool fit {name} --data CSV` writes its fit file"
            )),
            Some(_) if is_table_name(path) => error.with_help(
                "the name is that of a table; `tadpool fit MODEL --data CSV` writes the fit file of a model",
            ),
            Some(_) | None => error,
        }
    })?;
    notes.say(&format!(
        "{} was written by tadpool {}",
        path.display(),
        fit.run.version
    ));
    Ok(fit)
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

/// Whether a file's name is one that tables have.
pub(super) fn is_table_name(path: &Path) -> bool {
    extension(path).is_some_and(|end| ["csv", "tsv"].contains(&end.as_str()))
}

/// Whether there is certainly no file of this name.
fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// The error for a file that is not there; `what` it was to be, and the extension that such files have.
fn missing(what: &str, path: &Path, extension: &str) -> Error {
    let error = Error::user(format!("there is no {what} {}", path.display()));
    if let Some(other) = neighbour(path, extension) {
        return error.with_help(format!("did you mean {}?", other.display()));
    }
    // Of an absolute path the current folder says nothing.
    let folder = std::env::current_dir().ok().filter(|_| path.is_relative());
    error.with_help(match folder {
        Some(folder) => format!(
            "check the path; it is looked up from the current folder, {}",
            folder.display()
        ),
        None => "check the path".to_owned(),
    })
}

/// The file in the same folder that a name most likely stands for: the name with a forgotten extension, or one with a
/// few letters changed.
fn neighbour(path: &Path, extension: &str) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
            entry.file_name().into_string().ok().filter(|_| is_file)
        })
        .collect();
    // The order of a folder's entries is none.
    names.sort();
    let extended = format!("{name}.{extension}");
    let whole = names.iter().find(|other| **other == extended);
    // Of another kind of file it is not the one meant.
    let alike = names
        .iter()
        .map(String::as_str)
        .filter(|other| Path::new(other).extension() == path.extension());
    let found = match whole {
        Some(found) => found,
        None => nearest(name, alike)?,
    };
    Some(path.with_file_name(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_text_is_named() {
        let missing = read_model(Path::new("no/such.tad")).unwrap_err();
        assert_eq!(missing.exit_code(), 3);
        assert_eq!(missing.message(), "there is no model file no/such.tad");
        let folder = read_model(Path::new("src")).unwrap_err();
        assert_eq!(
            folder.message(),
            "src is a directory, and a model file is expected"
        );
        let table = read_model(Path::new("data/reedfrogs/reedfrogs.csv")).unwrap_err();
        assert_eq!(
            table.help(),
            Some("name the model first, and the table with `--data`")
        );
    }

    #[test]
    fn a_name_that_is_no_file_is_met_with_one_like_it() {
        let help = |error: Error| error.help().map(str::to_owned).unwrap_or_default();
        let table = help(read_table(Path::new("data/reedfrogs/reedfrog.csv")).unwrap_err());
        assert_eq!(table, "did you mean data/reedfrogs/reedfrogs.csv?");
        let model = help(read_model(Path::new("data/reedfrogs/m12-2.tad")).unwrap_err());
        assert_eq!(model, "did you mean data/reedfrogs/m12_2.tad?");
        let bare = help(read_model(Path::new("data/reedfrogs/m12_1")).unwrap_err());
        assert_eq!(bare, "did you mean data/reedfrogs/m12_1.tad?");
        let far = help(read_table(Path::new("data/reedfrogs/sheep.csv")).unwrap_err());
        assert!(far.starts_with("check the path; it is looked up from"), "{far}");
    }

    #[test]
    fn a_model_in_the_place_of_a_fit_is_to_be_fitted() {
        let quiet = Notes { quiet: true };
        let path = "data/reedfrogs/m12_2.tad";
        let error = read_fit(Path::new(path), quiet).expect_err("no fit file");
        let help = error.help().unwrap_or_default();
        assert!(
            help.contains("`tadpool fit data/reedfrogs/m12_2.tad --data CSV`"),
            "{help}"
        );
    }
}
