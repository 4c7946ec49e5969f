//! Crossings: several factors as one, the last of them fastest.

use std::collections::{BTreeMap, BTreeSet};

use super::factor::Factor;
use crate::error::{Error, Result};

/// The most levels that a full crossing may have; beyond, the labels alone would fill gigabytes.
const MOST_LEVELS: usize = 1 << 24;

impl Factor {
    /// The crossing of all levels of these factors, as in `a[actor, treatment]`: the last factor is fastest, labels are
    /// joined by colons (`0:1`).
    ///
    /// # Errors
    ///
    /// A user error if there are too many combinations, or two of them have the same joined label; a bug error if there
    /// is no factor or their numbers of rows differ.
    pub fn cross(name: &str, factors: &[&Factor]) -> Result<Factor> {
        let rows = common_rows(name, factors)?;
        let size = factors
            .iter()
            .try_fold(1_usize, |size, factor| size.checked_mul(factor.levels()))
            .filter(|&size| size <= MOST_LEVELS);
        let Some(size) = size else {
            let sizes: Vec<String> = factors.iter().map(|factor| factor.levels().to_string()).collect();
            return Err(Error::user(format!(
                "the crossing {name} of {} levels has more than {MOST_LEVELS} combinations",
                sizes.join(" × ")
            ))
            .with_help("declare it with `index`, which keeps only the combinations that occur"));
        };
        let mut labels = vec![String::new()];
        for factor in factors {
            labels = labels
                .iter()
                .flat_map(|head| factor.labels().iter().map(move |label| join(head, label)))
                .collect();
        }
        debug_assert_eq!(labels.len(), size);
        let codes = (0..rows)
            .map(|row| {
                factors.iter().fold(0, |code, factor| {
                    code * factor.levels() + factor.codes()[row] as usize
                })
            })
            .collect();
        distinct(name, &labels)?;
        Factor::new(name, labels, codes)
    }

    /// The crossing of the combinations that occur in a row, as in `index t = a*b`: the last factor is fastest, labels
    /// are joined by colons.
    ///
    /// # Errors
    ///
    /// As [`Factor::cross`].
    pub fn cross_occurring(name: &str, factors: &[&Factor]) -> Result<Factor> {
        let rows = common_rows(name, factors)?;
        let combination =
            |row: usize| -> Vec<u32> { factors.iter().map(|factor| factor.codes()[row]).collect() };
        // Codes compare as their levels do, so sorted combinations have the last factor fastest.
        let occurring: BTreeSet<Vec<u32>> = (0..rows).map(combination).collect();
        let labels: Vec<String> = occurring
            .iter()
            .map(|codes| {
                let parts = factors
                    .iter()
                    .zip(codes)
                    .map(|(factor, &code)| &factor.labels()[code as usize]);
                parts.fold(String::new(), |head, label| join(&head, label))
            })
            .collect();
        distinct(name, &labels)?;
        let places: BTreeMap<Vec<u32>, usize> = occurring.into_iter().zip(0..).collect();
        let codes = (0..rows).map(|row| places[&combination(row)]).collect();
        Factor::new(name, labels, codes)
    }
}

/// Labels are never empty, so an empty head is the start.
fn join(head: &str, label: &str) -> String {
    if head.is_empty() {
        label.to_owned()
    } else {
        format!("{head}:{label}")
    }
}

fn common_rows(name: &str, factors: &[&Factor]) -> Result<usize> {
    let Some(first) = factors.first() else {
        return Err(Error::bug(format!("the crossing {name} is of no factor")));
    };
    let rows = first.codes().len();
    if factors.iter().any(|factor| factor.codes().len() != rows) {
        return Err(Error::bug(format!(
            "the crossing {name} is of factors over different rows"
        )));
    }
    Ok(rows)
}

/// Checks that labels which hold colons themselves do not make two combinations look alike.
fn distinct(name: &str, labels: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match labels.iter().find(|label| !seen.insert(label.as_str())) {
        None => Ok(()),
        Some(twice) => Err(Error::user(format!(
            "two combinations of the crossing {name} have the same label, {twice}"
        ))
        .with_help("write the labels of its columns without colons")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Table;

    const TEXT: &[u8] = b"p,c,t\n0,1,x\n1,0,x:y\n0,0,y\n0,1,x\n";

    fn factors(first: &str, second: &str) -> [Factor; 2] {
        let table = Table::from_bytes("d.csv", TEXT).expect("a table");
        [first, second].map(|name| table.factor(name).expect("a factor"))
    }

    #[test]
    fn all_combinations_with_the_last_factor_fastest() {
        let [p, c] = factors("p", "c");
        let crossed = Factor::cross("t", &[&p, &c]).expect("a crossing");
        assert_eq!(crossed.labels(), ["0:0", "0:1", "1:0", "1:1"]);
        assert_eq!(crossed.codes(), [1, 2, 0, 1]);
        assert_eq!(crossed.unused(), ["1:1"]);
    }

    #[test]
    fn only_the_combinations_that_occur() {
        let [p, c] = factors("p", "c");
        let crossed = Factor::cross_occurring("t", &[&p, &c]).expect("a crossing");
        assert_eq!(crossed.labels(), ["0:0", "0:1", "1:0"]);
        assert_eq!(crossed.codes(), [1, 2, 0, 1]);
    }

    #[test]
    fn a_crossing_of_one_is_the_factor_itself() {
        let [p, t] = factors("p", "t");
        let crossed = Factor::cross("p", &[&p]).expect("a crossing");
        assert_eq!(crossed, p);
        assert_eq!(Factor::cross_occurring("t", &[&t]).expect("a crossing"), t);
    }

    #[test]
    fn colons_that_make_two_labels_alike_are_refused() {
        let table = Table::from_bytes("d.csv", b"a,b\nx,y:z\nx:y,z\n").expect("a table");
        let [a, b] = ["a", "b"].map(|name| table.factor(name).expect("a factor"));
        for crossed in [
            Factor::cross("t", &[&a, &b]),
            Factor::cross_occurring("t", &[&a, &b]),
        ] {
            assert_eq!(
                crossed.expect_err("alike").to_string(),
                "error: two combinations of the crossing t have the same label, x:y:z\nhelp: write the labels of its \
                 columns without colons"
            );
        }
    }

    #[test]
    fn crossings_beyond_all_memory_are_refused() {
        let rows = Factor::rows("row", 5000).expect("few rows");
        let error = Factor::cross("t", &[&rows, &rows]).expect_err("25 million combinations");
        assert_eq!(
            error.message(),
            "the crossing t of 5000 × 5000 levels has more than 16777216 combinations"
        );
        assert_eq!(
            Factor::cross_occurring("t", &[&rows, &rows]).map(|factor| factor.levels()),
            Ok(5000)
        );
    }

    #[test]
    fn factors_over_different_rows_are_a_bug() {
        let [p, _] = factors("p", "c");
        let rows = Factor::rows("row", 3).expect("few rows");
        assert_eq!(
            Factor::cross("t", &[&p, &rows]).expect_err("rows differ").kind(),
            crate::error::Kind::Bug
        );
        assert_eq!(
            Factor::cross("t", &[]).expect_err("no factor").kind(),
            crate::error::Kind::Bug
        );
    }
}
