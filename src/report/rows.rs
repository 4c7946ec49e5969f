//! The numbers of a fit as texts: how many digits of each, and which rows of a large table.

use super::digits::{Places, decimals, fewest, number, places};
use crate::fit::Row;

/// Numbers of a row, in the order printed.
pub(crate) const COLUMNS: usize = 8;
/// Where the two ends of the interval stand among them.
pub(crate) const LOWER: usize = 2;

/// Quantities of more elements than this show only their ends.
pub(crate) const LARGE: usize = 500;
/// Elements shown at each end.
const ENDS: usize = 5;

/// A line of the table.
pub(crate) enum Shown<'a> {
    /// The row at this place.
    Row(usize),
    /// That many rows of a quantity are left out.
    Left {
        /// The quantity's name.
        quantity: &'a str,
        /// The rows.
        count: usize,
    },
}

/// What is shown of the rows: all, or of large quantities the ends.
pub(crate) fn shown(rows: &[Row], shorten: bool) -> Vec<Shown<'_>> {
    let mut all = Vec::new();
    let mut start = 0;
    for elements in rows.chunk_by(|left, right| left.quantity == right.quantity) {
        let end = start + elements.len();
        if shorten && elements.len() > LARGE {
            all.extend((start..start + ENDS).map(Shown::Row));
            all.push(Shown::Left {
                quantity: &elements[0].quantity,
                count: elements.len() - 2 * ENDS,
            });
            all.extend((end - ENDS..end).map(Shown::Row));
        } else {
            all.extend((start..end).map(Shown::Row));
        }
        start = end;
    }
    all
}

/// The cells of every row; the elements of one quantity have the same number of decimals.
pub(crate) fn cells(rows: &[Row], nested: bool) -> Vec<[String; COLUMNS]> {
    let mut cells = Vec::with_capacity(rows.len());
    for elements in rows.chunk_by(|left, right| left.quantity == right.quantity) {
        let summaries = || elements.iter().map(|row| &row.summary);
        let values = fewest(summaries().map(decimals));
        let errors = fewest(summaries().map(|row| places(row.mcse_mean, 2)));
        cells.extend(summaries().map(|row| {
            [
                number(row.mean, values),
                number(row.sd, values),
                number(row.lower, values),
                number(row.upper, values),
                number(row.mcse_mean, errors),
                number(row.ess_bulk, Places::Fixed(0)),
                number(row.ess_tail, Places::Fixed(0)),
                number(if nested { row.nested_rhat } else { row.rhat }, Places::Fixed(3)),
            ]
        }));
    }
    cells
}
