//! NetCDF-4 files as plain data: groups, dimensions, variables, attributes.
//!
//! May import `error`, `fit::hdf5` and `fit::storage`. Promises that a written file reads back equal, and that
//! netCDF4-python, h5netcdf and xarray open it.

mod tree;

use super::hdf5::{self, Fault};
use super::storage;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::path::Path;

/// The contents of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct File<'a> {
    /// Attributes of the file itself, in order.
    pub attributes: Vec<(String, Attribute)>,
    /// Groups, in order.
    pub groups: Vec<Group<'a>>,
}

/// Variables that share dimensions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group<'a> {
    /// Name, without `/`.
    pub name: String,
    /// Attributes, in order.
    pub attributes: Vec<(String, Attribute)>,
    /// Names and lengths, in order. A variable of the same name is the dimension's coordinate and has it alone.
    /// A length of 0 reads back, but the NetCDF library takes it for an unlimited dimension.
    pub dimensions: Vec<(String, usize)>,
    /// Variables, in order; a file holds the coordinates first.
    pub variables: Vec<Variable<'a>>,
}

/// An array with named axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable<'a> {
    /// Name, without `/`.
    pub name: String,
    /// The dimension of each axis, slowest first; none for a single number.
    pub dimensions: Vec<String>,
    /// Row-major elements.
    pub values: Values<'a>,
    /// Attributes, in order.
    pub attributes: Vec<(String, Attribute)>,
}

/// Elements of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Values<'a> {
    /// Double precision; borrowed where draws as large as memory are written.
    F64(Cow<'a, [f64]>),
    /// Single precision.
    F32(Vec<f32>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// UTF-8 text. A NUL at the end is lost, since C readers stop there.
    Text(Vec<String>),
}

impl Values<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F64(values) => values.len(),
            Values::F32(values) => values.len(),
            Values::I64(values) => values.len(),
            Values::Bool(values) => values.len(),
            Values::Text(values) => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A single value that describes a file, group or variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// UTF-8 text of any length.
    Text(String),
    /// A whole number.
    I64(i64),
    /// A whole number that may exceed `i64`.
    U64(u64),
    /// A real number.
    F64(f64),
}

impl<'a> Group<'a> {
    /// The variable of this name.
    pub fn variable(&self, name: &str) -> Option<&Variable<'a>> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

/// The attribute of this name.
pub fn attribute<'a>(attributes: &'a [(String, Attribute)], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value)
}

/// Writes the file whole: beside its place first, then moved there. An older file stays as it was if this fails.
///
/// # Errors
///
/// An environment error where the file cannot be written; a bug where a variable's shape and values disagree.
pub fn write(file: &File<'_>, path: &Path) -> Result<()> {
    let tree = tree::to_tree(file)?;
    storage::replace(path, |to| hdf5::write(&tree, to))
}

/// Reads a file that [`write()`] made.
///
/// # Errors
///
/// A user error for files of another kind, an environment error for unreadable, cut or damaged ones.
pub fn read(path: &Path) -> Result<File<'static>> {
    let bytes = storage::load(path)?;
    let shown = path.display();
    let tree = hdf5::read(&bytes).map_err(|fault| match fault {
        Fault::NotHdf5 => Error::user(format!("`{shown}` is not a fit file: it is no NetCDF-4 file"))
            .with_help("give a file that `tadpool fit` wrote"),
        Fault::Truncated => Error::environment(format!(
            "`{shown}` ends too early ({} bytes are there): it was cut while being copied or written",
            bytes.len()
        ))
        .with_help("copy the file again, or repeat `tadpool fit`"),
        Fault::Damaged(what) => Error::environment(format!("`{shown}` is damaged: {what}"))
            .with_help("copy the file again, or repeat `tadpool fit`"),
        Fault::Foreign(what) => Error::user(format!(
            "`{shown}` is an HDF5 file that tadpool did not write: it has {what}"
        ))
        .with_help(
            "give the file as `tadpool fit` wrote it; other programs store the same contents in other ways",
        ),
    })?;
    tree::from_tree(tree).map_err(|what| {
        Error::user(format!(
            "`{shown}` is an HDF5 file that tadpool did not write: {what}"
        ))
        .with_help("give a file that `tadpool fit` wrote")
    })
}
