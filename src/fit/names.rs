//! Names in the file for the model's names.
//!
//! NetCDF forbids some names, and xarray wants that no variable other than a coordinate is called like a dimension and
//! that no variable has a dimension twice. A name that had to change is kept as the attribute [`TRUE_NAME`].

use super::netcdf::Attribute;
use std::collections::BTreeSet;

/// The attribute with the model's own name.
pub(super) const TRUE_NAME: &str = "tadpool_name";

/// The names that are taken in one group.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// No name but the reserved ones is taken.
    pub(super) fn reserving(reserved: &[&str]) -> Self {
        Self {
            taken: reserved.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// A free name in the file, as like `wanted` as can be.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let mut name: String = wanted
            .chars()
            .map(|c| if c == '/' || c.is_control() { '_' } else { c })
            .collect();
        // A NetCDF name starts with a letter, digit or underscore, and does not end in a blank.
        if !name.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            name.insert(0, '_');
        }
        if name.ends_with(char::is_whitespace) {
            name.push('_');
        }
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// The attribute that keeps `name` where the file calls it otherwise.
pub(super) fn true_name(name: &str, in_file: &str) -> Vec<(String, Attribute)> {
    if name == in_file {
        Vec::new()
    } else {
        vec![(TRUE_NAME.to_owned(), Attribute::Text(name.to_owned()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_unique() {
        let mut names = Names::reserving(&["chain"]);
        let wanted = ["a", "a", "chain", "a/b", ".", "", "x "];
        let given = wanted.map(|name| names.take(name));
        assert_eq!(given, ["a", "a_", "chain_", "a_b", "_.", "_", "x _"]);
    }
}
