//! Cross-validation: the model fitted again without some of the rows, and how well it predicts those.
//!
//! A row that is left out keeps its place: constants that the model learns from the table stay those of all rows, and a
//! group whose rows are all left out keeps its effect, of which its prior alone then speaks. A replicate is a fold;
//! the last one leaves nothing out and gives the effective number of parameters.

use std::sync::Arc;

use super::batch::{Prepared, Study};
use super::draws::Draws;
use super::record::{Estimate, Kind};
use crate::data::Table;
use crate::diag::{Chains, Interval, Prob, mcse_mean};
use crate::error::{Error, Result};
use crate::model::{Model, ReplicateOptions};
use crate::rng::{Purpose, Stream};

/// Draws whose log likelihoods of all rows are held at once.
const BLOCK: usize = 256;

/// What is left out at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folds {
    /// Each row by itself.
    Rows,
    /// The rows of each level of an index.
    Groups(String),
    /// Parts of the rows, as equal as can be, chosen at random.
    Parts(usize),
}

impl Folds {
    /// Reads `loo`, a number of parts, or the name of an index.
    ///
    /// # Errors
    ///
    /// A user error for a number below 2.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim().parse::<usize>() {
            Ok(parts) if parts >= 2 => Ok(Self::Parts(parts)),
            Ok(parts) => Err(
                Error::user(format!("{parts} folds leave nothing to fit or to predict")).with_help(
                    "give at least 2 folds, `loo` for each row by itself, or the name of an index",
                ),
            ),
            Err(_) if text.trim() == "loo" => Ok(Self::Rows),
            Err(_) => Ok(Self::Groups(text.trim().to_owned())),
        }
    }
}

/// Which rows are left out together. Models of the same rows can share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Of each row that the model keeps its fold.
    fold_of: Vec<u32>,
    /// What each fold leaves out: `row 17`, `part 3`, `actor 2`.
    names: Vec<String>,
}

impl Cut {
    /// Cuts the rows that `model` keeps.
    ///
    /// # Errors
    ///
    /// A user error for folds that do not suit the model.
    pub fn of(model: &Model, folds: &Folds, seed: u64) -> Result<Self> {
        let lowered = model.lowered();
        let rows = lowered.rows_kept;
        let (fold_of, names): (Vec<u32>, Vec<String>) = match folds {
            Folds::Rows => (
                (0..rows as u32).collect(),
                model
                    .data()
                    .kept_rows
                    .iter()
                    .map(|row| format!("row {row}"))
                    .collect(),
            ),
            Folds::Parts(parts) => {
                if *parts > rows {
                    return Err(
                        Error::user(format!("{parts} folds are more than the {rows} rows"))
                            .with_help("ask for fewer folds, or `loo` for each row by itself"),
                    );
                }
                (
                    parts_of(rows, *parts, seed),
                    (1..=*parts).map(|part| format!("part {part}")).collect(),
                )
            }
            Folds::Groups(index) => {
                let indices = || {
                    lowered
                        .plates
                        .iter()
                        .skip(1)
                        .filter(|plate| plate.codes.is_some())
                };
                let found = indices().find(|plate| plate.name == *index);
                match found.and_then(|plate| Some((plate, plate.codes.clone()?))) {
                    Some((plate, codes)) => {
                        let labels = plate.element_labels();
                        (
                            codes,
                            labels.iter().map(|label| format!("{index} {label}")).collect(),
                        )
                    }
                    None => {
                        let names: Vec<&str> = indices().map(|plate| plate.name.as_str()).collect();
                        let indices = match names.as_slice() {
                            [] => "it has none".to_owned(),
                            names => format!("it has {}", names.join(", ")),
                        };
                        return Err(
                            Error::user(format!("`{index}` is no index of the model; {indices}"))
                                .with_help("give one of its indices, a number of folds, or `loo`"),
                        );
                    }
                }
            }
        };
        let folds = fold_of.iter().max().map_or(0, |most| most + 1);
        if folds < 2 {
            return Err(
                Error::user("all rows are in one fold, so that nothing is left to fit")
                    .with_help("choose other folds"),
            );
        }
        Ok(Self { fold_of, names })
    }

    /// The number of folds.
    pub fn folds(&self) -> u32 {
        self.fold_of.iter().max().map_or(0, |most| most + 1)
    }

    /// What a replicate of a cross-validation is fitted to: `all rows but part 3`, or `all rows`.
    pub fn fitted_rows(&self, replicate: u32) -> String {
        match self.names.get(replicate as usize) {
            Some(name) if replicate < self.folds() => format!("all rows but {name}"),
            Some(_) | None => "all rows".to_owned(),
        }
    }
}

/// A cross-validation of one model over one table.
#[derive(Debug)]
pub struct CrossValidation {
    name: String,
    text: String,
    table: Table,
    cut: Cut,
    seed: u64,
    /// The row of the table as read, counted from 1, of each row kept.
    labels: Vec<usize>,
    alike: bool,
    intervals: (Interval, Prob),
}

impl CrossValidation {
    /// Cuts the rows of `table`, to which the model `text` is fitted, which errors call `name`.
    ///
    /// # Errors
    ///
    /// A user error for a model that cannot be fitted, without an outcome over the rows, or for folds that do not suit it.
    pub fn new((name, text): (&str, &str), table: Table, folds: &Folds, seed: u64) -> Result<Self> {
        let model = Model::new(name, text, &table)?;
        let cut = Cut::of(&model, folds, seed)?;
        Self::along(&model, table, cut, seed)
    }

    /// The cross-validation of `model`, compiled over `table`, along a cut that may be another model's of the same rows.
    ///
    /// # Errors
    ///
    /// A user error for a model without an outcome over the rows; a bug if the cut is of other rows.
    pub fn along(model: &Model, table: Table, cut: Cut, seed: u64) -> Result<Self> {
        let lowered = model.lowered();
        if cut.fold_of.len() != lowered.rows_kept {
            return Err(Error::bug(format!(
                "{} rows were cut into folds, and {} keeps {}",
                cut.fold_of.len(),
                model.name(),
                lowered.rows_kept
            )));
        }
        // Refuses what does not belong to single rows.
        let weights = vec![1.0; lowered.rows_kept];
        let options = ReplicateOptions {
            row_weights: Some(&weights),
            ..ReplicateOptions::default()
        };
        Model::replicate(model.name(), model.text(), &table, &options)?;
        if lowered.likelihoods.is_empty() {
            return Err(Error::user("the model has no outcome, so it predicts no row")
                .with_help("give a model with a column left of a `~`"));
        }
        Ok(Self {
            name: model.name().to_owned(),
            text: model.text().to_owned(),
            labels: model.data().kept_rows.clone(),
            table,
            cut,
            seed,
            alike: false,
            intervals: (Interval::Eti, Prob::default()),
        })
    }

    /// The same with other intervals of the parameters than equal-tailed ones of 89 %.
    #[must_use]
    pub fn with_intervals(mut self, interval: Interval, prob: Prob) -> Self {
        self.intervals = (interval, prob);
        self
    }

    /// The same with one program for all folds, as a [`super::Device`] needs it.
    #[must_use]
    pub fn alike(mut self) -> Self {
        self.alike = true;
        self
    }

    /// The number of replicates: the folds, and one that leaves nothing out.
    pub fn replicates(&self) -> u32 {
        self.cut.folds() + 1
    }
}

/// Of each of `rows` rows its part: every part has as many rows as any other, or one more.
fn parts_of(rows: usize, parts: usize, seed: u64) -> Vec<u32> {
    let stream = Stream {
        seed,
        replicate: 0,
        chain: u32::MAX,
        iteration: 0,
        purpose: Purpose::Subsample,
    };
    let mut order: Vec<(u32, u32, usize)> = (0..rows)
        .map(|row| {
            let words = stream.block(row as u32);
            (words[0], words[1], row)
        })
        .collect();
    order.sort_unstable();
    let mut fold_of = vec![0; rows];
    for (place, (_, _, row)) in order.into_iter().enumerate() {
        fold_of[row] = (place % parts) as u32;
    }
    fold_of
}

impl Study for CrossValidation {
    /// The rows that are left out.
    type Known = Vec<usize>;

    fn prepare(&self, replicate: u32) -> Result<Prepared<Vec<usize>>> {
        let out: Vec<usize> = (0..self.cut.fold_of.len())
            .filter(|row| self.cut.fold_of[*row] == replicate)
            .collect();
        let mut weights = vec![1.0; self.cut.fold_of.len()];
        out.iter().for_each(|row| weights[*row] = 0.0);
        let options = ReplicateOptions {
            row_weights: Some(&weights),
            alike: self.alike,
            ..ReplicateOptions::default()
        };
        let model = Model::replicate(&self.name, &self.text, &self.table, &options)?;
        let known = if replicate == self.cut.folds() {
            (0..self.cut.fold_of.len()).collect()
        } else {
            out
        };
        Ok(Prepared { model, known })
    }

    /// Of each row that is left out the logarithm of its mean likelihood over the draws, with its Monte Carlo error; of the
    /// fit to all rows the same of every row. Then the parameters.
    fn digest(
        &self,
        replicate: u32,
        prepared: &Prepared<Vec<usize>>,
        draws: &Draws<'_>,
    ) -> Result<Vec<Estimate>> {
        let (chains, _) = draws.shape();
        let model = &prepared.model;
        let mut estimates = draws.estimates(replicate, None, self.intervals, self.seed)?;
        let len = self.cut.fold_of.len();
        // Of each outcome and row left out `[chain][draw]`; some draws at a time, since those of all rows are many.
        let mut left_out: Vec<Vec<Vec<f64>>> =
            vec![vec![Vec::new(); prepared.known.len()]; model.lowered().likelihoods.len()];
        for (codes, positions) in draws.ensembles() {
            for block in positions.chunks(BLOCK * model.dim()) {
                let pointwise = model.pointwise_log_likelihood_in(codes, block);
                for (left_out, values) in left_out.iter_mut().zip(&pointwise) {
                    for (own, &row) in left_out.iter_mut().zip(&prepared.known) {
                        own.extend(values.iter().skip(row).step_by(len));
                    }
                }
            }
        }
        for (likelihood, left_out) in model.lowered().likelihoods.iter().zip(left_out) {
            for (log_lik, &row) in left_out.into_iter().zip(&prepared.known) {
                let largest = log_lik.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let ratios: Vec<f64> = log_lik.iter().map(|x| (x - largest).exp()).collect();
                let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
                let name = format!("{}[{}]", likelihood.outcome, self.labels[row]);
                estimates.push(Estimate {
                    mean: largest + mean.ln(),
                    // Of the logarithm, by the delta method.
                    mcse_mean: mcse_mean(Chains::new(&ratios, chains)?) / mean,
                    ..Estimate::unknown(replicate, Kind::Elpd, Arc::from(name.as_str()))
                });
            }
        }
        Ok(estimates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_equal_and_hold_every_row_once() {
        for (rows, parts) in [(48, 10), (7, 7), (100, 3)] {
            let fold_of = parts_of(rows, parts, 5);
            let sizes: Vec<usize> = (0..parts as u32)
                .map(|part| fold_of.iter().filter(|fold| **fold == part).count())
                .collect();
            assert_eq!(sizes.iter().sum::<usize>(), rows);
            assert!(
                sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1,
                "{sizes:?}"
            );
        }
        assert_ne!(parts_of(48, 10, 5), parts_of(48, 10, 6));
    }

    #[test]
    fn folds_are_words_or_numbers() {
        assert_eq!(Folds::parse("loo").unwrap(), Folds::Rows);
        assert_eq!(Folds::parse("10").unwrap(), Folds::Parts(10));
        assert_eq!(Folds::parse("actor").unwrap(), Folds::Groups("actor".to_owned()));
        assert!(Folds::parse("1").unwrap_err().message().contains("1 folds"));
    }
}
