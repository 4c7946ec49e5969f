//! The model text and the data of a command, second tables joined.

use std::path::PathBuf;

use super::args::ModelArgs;
use super::inputs::{read_model, read_table};
use crate::data::Table;
use crate::error::{Error, Result};
use crate::lang;

/// A model's text with what errors call it.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

/// The text of a command's model: that of its file, or the formula.
///
/// # Errors
///
/// Those of [`read_model`].
pub(super) fn source(args: &ModelArgs) -> Result<Source> {
    Ok(match args.formula() {
        Some(text) => Source {
            name: "the formula".to_owned(),
            text,
        },
        None => Source {
            name: args.path.display().to_string(),
            text: read_model(&args.path)?,
        },
    })
}

/// The table with the second tables that the text names, read from `files`.
///
/// # Errors
///
/// Those of reading, of parsing and of joining; a user error for a file that the text does not name.
pub(super) fn joined(
    source: (&str, &str),
    table: Table,
    files: &[(String, PathBuf)],
    all: bool,
) -> Result<Table> {
    let (name, text) = source;
    let mut tables: Vec<(&str, Table)> = Vec::new();
    for (name, path) in files {
        if tables.iter().any(|(known, _)| known == name) {
            return Err(
                Error::user(format!("--table {name} is given twice")).with_help("give each table one file")
            );
        }
        tables.push((name, read_table(path)?));
    }
    let tree = lang::parse(name, text)?;
    lang::join(&tree, source, table, &tables, all).map_err(Error::from)
}
