//! Reading JSON that a study wrote: each field there, and of its type.

use serde_json::Value;

use crate::error::{Error, Result};

/// The fields of a JSON object, each of the type that it must have.
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl Fields<'_> {
    pub(super) fn get(&self, name: &str) -> Result<&Value> {
        self.0
            .get(name)
            .ok_or_else(|| Error::user(format!("`{name}` is missing in it")))
    }

    pub(super) fn wrong(&self, name: &str, expected: &str) -> Error {
        Error::user(format!(
            "its `{name}` is {}, and {expected} is expected",
            self.0[name]
        ))
    }

    pub(super) fn text(&self, name: &str) -> Result<String> {
        self.get(name)?
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(name, "a text"))
    }

    pub(super) fn count(&self, name: &str) -> Result<u64> {
        self.get(name)?
            .as_u64()
            .ok_or_else(|| self.wrong(name, "a whole number"))
    }

    pub(super) fn small(&self, name: &str) -> Result<u32> {
        u32::try_from(self.count(name)?).map_err(|_| self.wrong(name, "a whole number below 2³²"))
    }

    pub(super) fn number(&self, name: &str) -> Result<f64> {
        self.get(name)?
            .as_f64()
            .ok_or_else(|| self.wrong(name, "a number"))
    }
}
