//! Models to measure: those built in, and any other with its table.

use std::time::Instant;

use crate::data::Table;
use crate::error::Result;
use crate::model::Model;

/// A model over its data, compiled.
#[derive(Debug)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// The compiled model.
    pub model: Model,
    /// Seconds from the text and the table to the compiled model.
    pub compile_seconds: f64,
}

/// Name, model text, name of the table, table.
const BUILT_IN: [(&str, &str, &str, &str); 3] = [
    (
        "m12_2",
        include_str!("../../data/reedfrogs/m12_2.tad"),
        "reedfrogs.csv",
        include_str!("../../data/reedfrogs/reedfrogs.csv"),
    ),
    (
        "m12_5",
        include_str!("../../data/chimpanzees/m12_5.tad"),
        "chimpanzees.csv",
        include_str!("../../data/chimpanzees/chimpanzees.csv"),
    ),
    (
        "eight_schools",
        include_str!("../../data/eight_schools/eight_schools.tad"),
        "eight_schools.csv",
        include_str!("../../data/eight_schools/eight_schools.csv"),
    ),
];

impl Subject {
    /// Compiles a model text over a table.
    ///
    /// # Errors
    ///
    /// As [`Model::new`].
    pub fn new(name: &str, text: &str, table: &Table) -> Result<Self> {
        let start = Instant::now();
        Ok(Self {
            name: name.into(),
            model: Model::new(name, text, table)?,
            compile_seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The models that are built in: tadpoles (50 coordinates), chimpanzees (18, from 504 rows), eight schools (10).
    ///
    /// # Errors
    ///
    /// None that the tests have not met.
    pub fn built_in() -> Result<Vec<Self>> {
        BUILT_IN
            .iter()
            .map(|(name, text, file, data)| Self::new(name, text, &Table::from_bytes(file, data.as_bytes())?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_that_are_built_in_compile() {
        let subjects = Subject::built_in().unwrap();
        let dims: Vec<_> = subjects
            .iter()
            .map(|s| (s.name.as_str(), s.model.dim()))
            .collect();
        assert_eq!(dims, [("m12_2", 50), ("m12_5", 18), ("eight_schools", 10)]);
    }
}
