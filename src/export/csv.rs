//! The draws as one comma-separated table.

use std::io::{self, Write};

use super::draws::{Draws, INDEX};
use crate::data::number_label;

/// Writes a line of names, then a row for each draw. Names that hold a comma are quoted; numbers are the shortest texts
/// that read back as the same, `NaN` and `inf` by these names.
///
/// # Errors
///
/// Those of the file.
pub fn csv(draws: &Draws<'_>, to: &mut dyn Write) -> io::Result<()> {
    let mut table = ::csv::Writer::from_writer(to);
    let names = draws.columns.iter().map(|column| column.name.as_str());
    table.write_record(INDEX.into_iter().chain(names))?;
    for row in 0..draws.rows() {
        for count in draws.index(row) {
            table.write_field(count.to_string())?;
        }
        for column in &draws.columns {
            table.write_field(number_label(column.at(row)))?;
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.flush()
}
