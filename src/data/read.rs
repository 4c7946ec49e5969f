//! From text to a table: the header, the rows, their lines, and what is wrong with the file as a whole.

use super::cell::{self, Cell};
use super::column::Column;
use super::delimiter::{Delimiter, check_quotes};
use super::lines::LineCounter;
use super::table::Table;
use crate::error::{Error, Result};

/// Reads a table from its text, which is not blank.
///
/// # Errors
///
/// As [`Table::from_bytes`], encodings excepted.
pub(super) fn table(name: &str, text: &str) -> Result<Table> {
    let delimiter = Delimiter::recognise(text);
    check_quotes(name, text, delimiter)?;
    let mut reader = Records::new(name, text, delimiter);
    let Some(header) = reader.next_record()? else {
        return Err(Error::bug(format!(
            "{name} is not blank, yet no record was found in it"
        )));
    };
    let names = column_names(name, &header, delimiter)?;

    let mut rows: Vec<Record> = Vec::new();
    while let Some(row) = reader.next_record()? {
        if row.cells.len() != names.len() {
            return Err(ragged(name, &header, &row, rows.first()));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(Error::user(format!(
            "in {name}: line {} names {} columns, but no row follows",
            header.line,
            names.len()
        ))
        .with_help("below the line of column names, a table has a line for each row"));
    }

    let mut notes = Vec::new();
    if delimiter != Delimiter::Comma {
        notes.push(format!(
            "{name}: the columns are separated by {}",
            delimiter.plural()
        ));
    }
    if names
        .iter()
        .all(|column| matches!(cell::read(column), Cell::Number(_)))
    {
        notes.push(format!(
            "{name}: line {} holds only numbers, and was taken for the names of the columns",
            header.line
        ));
    }
    if let [only] = names.as_slice()
        && only.contains([' ', '|'])
    {
        notes.push(format!(
            "{name}: there is only one column, `{only}`; columns are separated by commas, semicolons or tabs"
        ));
    }
    if reader.blank_lines > 0 {
        notes.push(blank_lines_note(name, reader.blank_lines, names.len()));
    }
    let columns = names
        .into_iter()
        .enumerate()
        .map(|(place, name)| Column::from_cells(name, rows.iter().map(|row| &row.cells[place])))
        .collect();
    let lines = rows.iter().map(|row| row.line).collect();
    Ok(Table::read_from(
        name.to_owned(),
        delimiter,
        columns,
        lines,
        notes,
    ))
}

/// One row of cells and where it stands.
struct Record {
    cells: csv::StringRecord,
    /// The line on which the record begins, counted from 1.
    line: u64,
    /// The line on which it ends; greater where a quoted field holds a line end.
    last_line: u64,
}

/// The records of a text, one after another, blank lines skipped.
struct Records<'a> {
    name: &'a str,
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    lines: LineCounter<'a>,
    /// The line on which the record before this one ends; 0 before the first.
    last_line: u64,
    /// Blank lines found between records so far.
    blank_lines: u64,
}

impl<'a> Records<'a> {
    fn new(name: &'a str, text: &'a str, delimiter: Delimiter) -> Self {
        let bytes = text.as_bytes();
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter.byte())
            .from_reader(bytes);
        Self {
            name,
            bytes,
            reader,
            lines: LineCounter::new(bytes),
            last_line: 0,
            blank_lines: 0,
        }
    }

    fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            let start = self.offset();
            let mut cells = csv::StringRecord::new();
            let found = self.reader.read_record(&mut cells).map_err(|fault| {
                Error::bug(format!("{} is UTF-8, yet its reader failed: {fault}", self.name))
            })?;
            if !found {
                return Ok(None);
            }
            // The reader counts line ends before and behind a record as parts of it; the record itself neither begins
            // nor ends with one.
            let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let span = &self.bytes[start..self.offset()];
            let before = span.iter().take_while(|byte| is_line_end(byte)).count();
            let behind = span[before..]
                .iter()
                .rev()
                .take_while(|byte| is_line_end(byte))
                .count();
            let record = &span[before..span.len() - behind];
            if cells.len() == 1 && record.trim_ascii().is_empty() {
                continue;
            }
            let line = self.lines.line_of(start + before);
            let last_line = self.lines.line_of(start + before + record.len());
            if self.last_line > 0 {
                self.blank_lines += line - self.last_line - 1;
            }
            self.last_line = last_line;
            return Ok(Some(Record {
                cells,
                line,
                last_line,
            }));
        }
    }

    fn offset(&self) -> usize {
        // The text is a slice in memory, so every offset into it fits.
        self.reader.position().byte() as usize
    }
}

/// The column names of the header, trimmed: not empty, and distinct.
fn column_names(name: &str, header: &Record, delimiter: Delimiter) -> Result<Vec<String>> {
    let line = header.line;
    let names: Vec<String> = header.cells.iter().map(|cell| cell.trim().to_owned()).collect();
    if let Some(place) = names.iter().position(String::is_empty) {
        let remedy = if place == 0 && names.len() > 1 {
            "name the column; row names written by R or pandas have no name (leave them out with `row.names = FALSE` \
             or `index=False`)"
                .to_owned()
        } else if place + 1 == names.len() {
            format!(
                "name the column, or remove {} at the ends of lines",
                delimiter.plural()
            )
        } else {
            "name the column".to_owned()
        };
        return Err(Error::user(format!(
            "in {name}, line {line}: column {} of {} has no name",
            place + 1,
            names.len()
        ))
        .with_help(remedy));
    }
    let mut sorted: Vec<(&String, usize)> = names.iter().zip(1..).collect();
    sorted.sort_unstable();
    let twice = sorted
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .min_by_key(|pair| pair[1].1);
    if let Some([(twice, first), (_, second)]) = twice {
        return Err(Error::user(format!(
            "in {name}, line {line}: columns {first} and {second} have the same name, `{twice}`"
        ))
        .with_help("rename or remove one of them: a model knows columns by their names"));
    }
    Ok(names)
}

fn ragged(name: &str, header: &Record, row: &Record, first_row: Option<&Record>) -> Error {
    let (found, expected) = (row.cells.len(), header.cells.len());
    let count = if found == 1 {
        "1 cell".to_owned()
    } else {
        format!("{found} cells")
    };
    let remedy = if row.last_line > row.line {
        format!(
            "a quoted cell runs on to line {}: check that the quotes of this row are closed where they should be",
            row.last_line
        )
    } else if first_row.is_none() && found == expected + 1 {
        "if the rows begin with row names (R's `write.table`), leave these out with `row.names = FALSE`; a cell that \
         holds the delimiter must be quoted"
            .to_owned()
    } else if found > expected {
        "a cell that holds the delimiter must be quoted; numbers are written with a decimal point".to_owned()
    } else {
        "an empty cell still needs its delimiter; write NA for a missing value".to_owned()
    };
    Error::user(format!(
        "in {name}, line {}: the row has {count}, but line {} names {expected} columns",
        row.line, header.line
    ))
    .with_help(remedy)
}

fn blank_lines_note(name: &str, count: u64, columns: usize) -> String {
    let lines = if count == 1 {
        "1 empty line was skipped".to_owned()
    } else {
        format!("{count} empty lines were skipped")
    };
    if columns == 1 {
        format!("{name}: {lines}; in a table of one column a missing value is written NA")
    } else {
        format!("{name}: {lines}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        table("d.csv", text).expect("a table")
    }

    fn refused(text: &str) -> String {
        table("d.csv", text).expect_err("must be refused").to_string()
    }

    #[test]
    fn semicolons_and_tabs_are_read_and_said() {
        let semicolons = read("a;b\n1;2\n");
        assert_eq!(semicolons.delimiter(), Delimiter::Semicolon);
        assert_eq!(
            semicolons.notes(),
            ["d.csv: the columns are separated by semicolons"]
        );
        let tabs = read("a\tb\n1\t2\n");
        assert_eq!(tabs.delimiter(), Delimiter::Tab);
        assert_eq!(tabs.notes(), ["d.csv: the columns are separated by tabs"]);
        assert_eq!(semicolons.complete_numeric("b"), tabs.complete_numeric("b"));
        assert!(read("a,b\n1,2\n").notes().is_empty());
    }

    #[test]
    fn line_ends_of_any_kind_and_none_at_the_end_read_alike() {
        for text in [
            "a,b\n1,2\n3,4\n",
            "a,b\r\n1,2\r\n3,4\r\n",
            "a,b\r1,2\r3,4",
            "a,b\n1,2\n3,4",
        ] {
            let table = read(text);
            assert_eq!(table.complete_numeric("b"), Ok(&[2.0, 4.0][..]), "{text:?}");
            assert_eq!((table.line_of(0), table.line_of(1)), (2, 3), "{text:?}");
        }
    }

    #[test]
    fn quoted_cells_may_hold_delimiters_quotes_and_line_ends() {
        let table = read("g,\"x\"\n\"c,d\",1\n\"say \"\"hi\"\"\",2\n\"two\nlines\",3\nlast,4\n");
        let labels = ["c,d", "say \"hi\"", "two\nlines", "last"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(table.labels("g"), Ok(labels));
        let lines: Vec<u64> = (0..4).map(|row| table.line_of(row)).collect();
        assert_eq!(lines, [2, 3, 4, 6]);
    }

    #[test]
    fn blank_lines_are_skipped_counted_and_keep_the_line_numbers_true() {
        let table = read("\na,b\r\n\r\n1,2\n  \n3,4\n\n\n");
        assert_eq!((table.line_of(0), table.line_of(1)), (4, 6));
        assert_eq!(table.notes(), ["d.csv: 2 empty lines were skipped"]);
        assert_eq!(
            read("a\n1\n\n2\n").notes(),
            ["d.csv: 1 empty line was skipped; in a table of one column a missing value is written NA"]
        );
        assert!(read("a,b\n1,2\n\n").notes().is_empty());
    }

    #[test]
    fn a_header_only_is_refused() {
        assert_eq!(
            refused("a,b\n\n"),
            "error: in d.csv: line 1 names 2 columns, but no row follows\nhelp: below the line of column names, a \
             table has a line for each row"
        );
    }

    #[test]
    fn ragged_rows_are_located_and_counted() {
        assert_eq!(
            refused("a,b,c\n1,2,3\n4,5\n"),
            "error: in d.csv, line 3: the row has 2 cells, but line 1 names 3 columns\nhelp: an empty cell still needs \
             its delimiter; write NA for a missing value"
        );
        assert_eq!(
            refused("a,b\n1,2\nx, y,3\n"),
            "error: in d.csv, line 3: the row has 3 cells, but line 1 names 2 columns\nhelp: a cell that holds the \
             delimiter must be quoted; numbers are written with a decimal point"
        );
        assert!(refused("a\tb\n1\t0.2\t0.3\n").contains("write.table"));
        assert_eq!(
            refused("a,b,c\n1,\"2\n3\"\n"),
            "error: in d.csv, line 2: the row has 2 cells, but line 1 names 3 columns\nhelp: a quoted cell runs on to \
             line 3: check that the quotes of this row are closed where they should be"
        );
    }

    #[test]
    fn column_names_are_trimmed_present_and_distinct() {
        assert_eq!(read("a, b\n1,2\n").names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            refused("x,y,b,y,b\n1,2,3,4,5\n"),
            "error: in d.csv, line 1: columns 2 and 4 have the same name, `y`\nhelp: rename or remove one of them: a \
             model knows columns by their names"
        );
        assert_eq!(
            refused("\"\",x\n1,2\n"),
            "error: in d.csv, line 1: column 1 of 2 has no name\nhelp: name the column; row names written by R or \
             pandas have no name (leave them out with `row.names = FALSE` or `index=False`)"
        );
        assert_eq!(
            refused("x,y,\n1,2,\n"),
            "error: in d.csv, line 1: column 3 of 3 has no name\nhelp: name the column, or remove commas at the ends \
             of lines"
        );
        assert!(refused("x,,y\n1,2,3\n").ends_with("help: name the column"));
    }

    #[test]
    fn a_header_that_looks_wrong_is_noted() {
        assert_eq!(
            read("1,2.5\n3,4\n").notes(),
            ["d.csv: line 1 holds only numbers, and was taken for the names of the columns"]
        );
        assert_eq!(
            read("a b\n1 2\n").notes(),
            ["d.csv: there is only one column, `a b`; columns are separated by commas, semicolons or tabs"]
        );
    }
}
