//! The chosen numbers of a fit, by row and column.

use crate::error::{Error, Result};
use crate::fit::layout::Quantity;
use crate::fit::{Fit, element_names, select};

/// The columns before the numbers, each counted from 1: the chain, the kept draw within the chain, and the draw over all
/// chains. These are the names by which R's posterior knows them.
pub const INDEX: [&str; 3] = [".chain", ".iteration", ".draw"];

/// One number of the fit.
#[derive(Debug, Clone)]
pub(super) struct Column<'a> {
    /// Its printed name, such as `a_tank[1]`.
    pub name: String,
    /// What it is an element of.
    pub quantity: &'a Quantity,
    /// Which element, from 0, of `len`.
    pub element: usize,
    /// The number of elements.
    pub len: usize,
}

impl Column<'_> {
    /// The value in a row, rows being `[chain][draw]`.
    pub(super) fn at(&self, row: usize) -> f64 {
        self.quantity.values[row * self.len + self.element]
    }
}

/// The chosen numbers of a fit: rows are `[chain][draw]`, columns parameters, then derived quantities.
#[derive(Debug, Clone)]
pub struct Draws<'a> {
    pub(super) fit: &'a Fit,
    pub(super) columns: Vec<Column<'a>>,
}

impl<'a> Draws<'a> {
    /// The numbers that `patterns` choose as [`select`] reads them; all without one.
    ///
    /// # Errors
    ///
    /// A user error for a pattern that chooses nothing and for a fit without draws; a bug where a quantity does not fill
    /// its chains and draws.
    pub fn new(fit: &'a Fit, patterns: &[String]) -> Result<Self> {
        let rows = fit.run.chains * fit.run.draws;
        if rows == 0 || fit.posterior.is_empty() {
            return Err(Error::user(format!(
                "the fit of {} holds no draws that could be exported",
                fit.run.model_name
            ))
            .with_help("fit again and let it draw, with `--draws` above 0"));
        }
        let mut columns = Vec::new();
        for quantity in &fit.posterior {
            let names = element_names(quantity);
            let len = names.len();
            if quantity.values.len() != rows * len {
                return Err(Error::bug(format!(
                    "`{}` has {} values, expected {rows} draws of {len}",
                    quantity.name,
                    quantity.values.len()
                )));
            }
            columns.extend(names.into_iter().enumerate().map(|(element, name)| Column {
                name,
                quantity,
                element,
                len,
            }));
        }
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let chosen = select(&names, patterns)?;
        let columns = chosen.into_iter().map(|place| columns[place].clone()).collect();
        Ok(Self { fit, columns })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.fit.run.chains * self.fit.run.draws
    }

    /// The number of columns that are numbers of the model.
    pub fn numbers(&self) -> usize {
        self.columns.len()
    }

    /// Chain, iteration and draw of a row, in the order of [`INDEX`].
    pub(super) fn index(&self, row: usize) -> [usize; 3] {
        let draws = self.fit.run.draws;
        [row / draws + 1, row % draws + 1, row + 1]
    }
}
