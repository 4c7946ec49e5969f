//! Factors: a column's labels as codes 0, 1, …, in the order in which they are printed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::shown;
use super::column::Values;
use super::label::{natural_order, number_label};
use super::table::Table;
use crate::error::{Error, Result};

/// A factor over the rows of a table: distinct labels, and for each row the place of its label among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    name: String,
    labels: Vec<String>,
    codes: Vec<u32>,
}

impl Table {
    /// The factor of a column. Levels stand in natural order: numbers by value, text so that `t2` precedes `t10`.
    ///
    /// ```
    /// let table = tadpool::data::Table::from_bytes("d.csv", b"actor\n10\n2\n10\n")?;
    /// let actor = table.factor("actor")?;
    /// assert_eq!(actor.labels(), ["2", "10"]);
    /// assert_eq!(actor.codes(), [1, 0, 1]);
    /// # Ok::<(), tadpool::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A user error if there is no such column, a value is missing, or a number is infinite or beyond ±1e30.
    pub fn factor(&self, name: &str) -> Result<Factor> {
        let column = self.existing(name)?;
        self.complete(column)?;
        match column.values() {
            Values::Number(_) => {
                // Adding 0 turns −0 into 0, which is the same level.
                let values: Vec<f64> = self.numeric(name)?.iter().map(|x| x + 0.0).collect();
                let mut levels = values.clone();
                levels.sort_unstable_by(f64::total_cmp);
                levels.dedup();
                let codes = values
                    .iter()
                    .map(|x| levels.partition_point(|level| level < x))
                    .collect();
                Factor::new(name, levels.into_iter().map(number_label).collect(), codes)
            }
            Values::Text => {
                let texts: Vec<&str> = (0..self.rows()).map(|row| column.cell(row)).collect();
                let mut levels = texts.clone();
                levels.sort_unstable_by(|a, b| natural_order(a, b));
                levels.dedup();
                let codes = texts
                    .iter()
                    .map(|text| levels.partition_point(|level| natural_order(level, text).is_lt()))
                    .collect();
                Factor::new(name, levels.into_iter().map(str::to_owned).collect(), codes)
            }
        }
    }
}

impl Factor {
    /// A factor whose codes are places among its labels, for fewer than 2³² labels.
    ///
    /// # Errors
    ///
    /// A user error if there are more labels than a code can tell apart.
    pub(super) fn new(name: &str, labels: Vec<String>, codes: Vec<usize>) -> Result<Self> {
        if u32::try_from(labels.len()).is_err() {
            return Err(Error::user(format!(
                "the index {name} has {} levels, and at most {} can be told apart",
                labels.len(),
                u32::MAX
            )));
        }
        // A code is below the number of labels, which was just seen to fit.
        let codes = codes.into_iter().map(|code| code as u32).collect();
        Ok(Self {
            name: name.to_owned(),
            labels,
            codes,
        })
    }

    /// The factor `row`: each row its own level, labelled 1, 2, … in the table's order.
    ///
    /// # Errors
    ///
    /// A user error if there are 2³² rows or more.
    pub fn rows(name: &str, rows: usize) -> Result<Self> {
        Self::new(
            name,
            (1..=rows).map(|row| row.to_string()).collect(),
            (0..rows).collect(),
        )
    }

    /// The factor of rows that come after the `before` first ones: labelled `before` + 1, `before` + 2, …
    ///
    /// # Errors
    ///
    /// A user error if there are 2³² rows or more.
    pub fn rows_after(name: &str, before: usize, rows: usize) -> Result<Self> {
        Self::new(
            name,
            (before + 1..=before + rows).map(|row| row.to_string()).collect(),
            (0..rows).collect(),
        )
    }

    /// The same factor under another name.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }

    /// The labels `known` followed by those that only this factor has, in its order; and the level of each row among
    /// them.
    pub fn after(&self, known: &Arc<[String]>) -> (Arc<[String]>, Vec<u32>) {
        let places: BTreeMap<&str, u32> = known.iter().map(String::as_str).zip(0..).collect();
        let mut labels: Vec<String> = Vec::new();
        let moved: Vec<u32> = self
            .labels
            .iter()
            .map(|label| {
                places.get(label.as_str()).copied().unwrap_or_else(|| {
                    labels.push(label.clone());
                    // Both factors have fewer labels than a code can tell apart.
                    (known.len() + labels.len() - 1) as u32
                })
            })
            .collect();
        let codes = self.codes.iter().map(|&code| moved[code as usize]).collect();
        if labels.is_empty() {
            return (known.clone(), codes);
        }
        (known.iter().cloned().chain(labels).collect(), codes)
    }

    /// The factor's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The labels of the levels, distinct, in order. Shape `[levels]`.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The level of each row. Shape `[rows]`, each below `levels`.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The number of levels.
    pub fn levels(&self) -> usize {
        self.labels.len()
    }

    /// The same factor with its levels in the order given (`levels(…)` in a model). A level may be named that no row
    /// has; see [`Factor::unused`].
    ///
    /// # Errors
    ///
    /// A user error if a label occurs twice in `order`, or a row has a label that `order` leaves out.
    pub fn with_levels(&self, order: &[String]) -> Result<Self> {
        let name = &self.name;
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, label) in order.iter().enumerate() {
            if places.insert(label, place).is_some() {
                return Err(
                    Error::user(format!("the levels of {name} name {} twice", shown(label)))
                        .with_help("name each level once"),
                );
            }
        }
        let mut moved = Vec::with_capacity(self.labels.len());
        for label in &self.labels {
            let Some(&place) = places.get(label.as_str()) else {
                return Err(Error::user(format!(
                    "the levels of {name} leave out {}, which occurs in the data",
                    shown(label)
                ))
                .with_help("name every level that occurs, spelled as in the data"));
            };
            moved.push(place);
        }
        let codes = self.codes.iter().map(|&code| moved[code as usize]).collect();
        Self::new(name, order.to_vec(), codes)
    }

    /// The labels of levels that no row has, in order: to be said, since only their prior informs them.
    pub fn unused(&self) -> Vec<&str> {
        let mut used = vec![false; self.labels.len()];
        for &code in &self.codes {
            used[code as usize] = true;
        }
        self.labels
            .iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .map(|(label, _)| label.as_str())
            .collect()
    }

    /// The levels of other labels, such as those of new data; none where the factor does not have the label.
    pub fn encode(&self, labels: &[String]) -> Vec<Option<u32>> {
        let places: BTreeMap<&str, u32> = self.labels.iter().map(String::as_str).zip(0..).collect();
        labels
            .iter()
            .map(|label| places.get(label.as_str()).copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(text: &str) -> Factor {
        let table = Table::from_bytes("d.csv", text.as_bytes()).expect("a table");
        table.factor("g").expect("a factor")
    }

    #[test]
    fn numbers_sort_by_value_and_print_whole() {
        let numbers = factor("g\n10\n2\n2.0\n-1\n0.5\n-0\n0\n");
        assert_eq!(numbers.labels(), ["-1", "0", "0.5", "2", "10"]);
        assert_eq!(numbers.codes(), [4, 3, 3, 0, 2, 1, 1]);
    }

    #[test]
    fn text_sorts_naturally() {
        let text = factor("g,x\nt10,1\nt2,1\nt1,1\nt2,1\n");
        assert_eq!(text.labels(), ["t1", "t2", "t10"]);
        assert_eq!(text.codes(), [2, 1, 0, 1]);
    }

    #[test]
    fn a_missing_label_is_an_error() {
        let table = Table::from_bytes("d.csv", b"g,x\na,1\nNA,2\n").expect("a table");
        assert_eq!(
            table.factor("g").expect_err("missing").to_string(),
            "error: in d.csv, column `g`: 1 of 2 values is missing (line 3)\nhelp: add `drop_missing(g)` to the model, \
             or fill them in"
        );
        assert!(table.factor("h").is_err());
    }

    #[test]
    fn levels_take_the_order_given() {
        let sizes = factor("g\nsmall\nbig\nsmall\n");
        let order = ["small", "big", "huge"].map(str::to_owned);
        let ordered = sizes.with_levels(&order).expect("all named");
        assert_eq!(ordered.labels(), order);
        assert_eq!(ordered.codes(), [0, 1, 0]);
        assert_eq!(ordered.unused(), ["huge"]);
        assert!(sizes.unused().is_empty());
    }

    #[test]
    fn levels_must_be_all_and_distinct() {
        let sizes = factor("g\nsmall\nbig\n");
        assert_eq!(
            sizes
                .with_levels(&["big".to_owned()])
                .expect_err("left out")
                .to_string(),
            "error: the levels of g leave out \"small\", which occurs in the data\nhelp: name every level that occurs, \
             spelled as in the data"
        );
        assert_eq!(
            sizes
                .with_levels(&["big", "small", "big"].map(str::to_owned))
                .expect_err("twice")
                .to_string(),
            "error: the levels of g name \"big\" twice\nhelp: name each level once"
        );
    }

    #[test]
    fn labels_of_new_data_find_their_levels() {
        let sizes = factor("g\nsmall\nbig\n");
        assert_eq!(
            sizes.encode(&["small", "new", "big"].map(str::to_owned)),
            [Some(1), None, Some(0)]
        );
    }

    #[test]
    fn rows_are_counted_from_one() {
        let rows = Factor::rows("tank", 3).expect("few rows");
        assert_eq!(
            (rows.labels(), rows.codes()),
            (&["1", "2", "3"].map(str::to_owned)[..], &[0, 1, 2][..])
        );
        assert_eq!((rows.name(), rows.levels()), ("tank", 3));
    }
}
