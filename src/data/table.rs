//! A table: columns of one length, the lines they came from, and what was noticed while reading.

use super::column::Column;
use super::delimiter::Delimiter;
use super::{encoding, read};
use crate::error::{Error, Result};

/// A table of named columns. Using a column goes through [`Table::numeric`], [`Table::complete_numeric`],
/// [`Table::labels`] and [`Table::factor`], which check it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: String,
    delimiter: Delimiter,
    columns: Vec<Column>,
    /// The line of the file on which each row begins, counted from 1. Shape `[rows]`.
    lines: Vec<u64>,
    notes: Vec<String>,
}

impl Table {
    /// Reads a delimited table: UTF-8 with or without byte order mark; comma, semicolon or tab; LF or CR LF; quotes as
    /// in RFC 4180. The first line names the columns. `name` is what errors call the file.
    ///
    /// ```
    /// let table = tadpool::data::Table::from_bytes("ponds.csv", b"pond;n\n1;5\n2;NA\n")?;
    /// assert_eq!(table.rows(), 2);
    /// assert_eq!(table.notes(), ["ponds.csv: the columns are separated by semicolons"]);
    /// assert_eq!(
    ///     table.complete_numeric("n").unwrap_err().message(),
    ///     "in ponds.csv, column `n`: 1 of 2 values is missing (line 3)"
    /// );
    /// # Ok::<(), tadpool::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A user error that names the line where there is one: no text, another encoding or a binary file, no rows, rows of
    /// unequal length, column names that are empty or occur twice, a quote that is never closed.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        read::table(name, encoding::decode(name, bytes)?)
    }

    /// A table from columns that are already in memory. Row `i` counts as line `i + 2`, as if below a line of names.
    ///
    /// # Errors
    ///
    /// A bug error if there is no column, the lengths differ or a name occurs twice.
    pub fn from_columns(name: impl Into<String>, columns: Vec<Column>) -> Result<Self> {
        let name = name.into();
        let Some(rows) = columns.first().map(Column::rows) else {
            return Err(Error::bug(format!("the table {name} is built without columns")));
        };
        if let Some(odd) = columns.iter().find(|column| column.rows() != rows) {
            return Err(Error::bug(format!(
                "column `{}` of the table {name} has {} rows beside columns of {rows}",
                odd.name(),
                odd.rows()
            )));
        }
        let mut names: Vec<&str> = columns.iter().map(Column::name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::bug(format!(
                "the table {name} is built with two columns `{}`",
                twice[0]
            )));
        }
        let lines = (2..).take(rows).collect();
        Ok(Self::read_from(
            name,
            Delimiter::Comma,
            columns,
            lines,
            Vec::new(),
        ))
    }

    /// The table as CSV: a line of names, then the cells as they were written, quoted where need be.
    pub fn to_csv(&self) -> String {
        let line = |cells: Vec<&str>| {
            let quoted = cells.into_iter().map(|cell| {
                if cell.is_empty() || cell.contains([',', '"', '\n', '\r', ';', '\t', ' ']) {
                    format!("\"{}\"", cell.replace('"', "\"\""))
                } else {
                    cell.to_owned()
                }
            });
            quoted.collect::<Vec<_>>().join(",") + "\n"
        };
        let mut text = line(self.names().collect());
        for row in 0..self.rows() {
            text.push_str(&line(
                self.columns.iter().map(|column| column.cell(row)).collect(),
            ));
        }
        text
    }

    /// The rows of this table, then those of `other`, over the columns that both have; lines are counted anew.
    ///
    /// # Errors
    ///
    /// A bug error if they have no column in common.
    pub fn followed_by(&self, other: &Self) -> Result<Self> {
        let columns = self.columns.iter().filter_map(|column| {
            let second = other.column(column.name())?;
            let cells = |column: &Column| -> Vec<String> {
                (0..column.rows())
                    .map(|row| column.cell(row).to_owned())
                    .collect()
            };
            let all = [cells(column), cells(second)].concat();
            Some(Column::from_cells(column.name(), all.iter().map(String::as_str)))
        });
        Self::from_columns(self.name.clone(), columns.collect())
    }

    /// A table as the reader found it; the columns have as many rows as there are lines, and distinct names.
    pub(super) fn read_from(
        name: String,
        delimiter: Delimiter,
        columns: Vec<Column>,
        lines: Vec<u64>,
        notes: Vec<String>,
    ) -> Self {
        Self {
            name,
            delimiter,
            columns,
            lines,
            notes,
        }
    }

    /// The file's name as it is shown in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What separates the columns.
    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// The number of rows, the line of names not counted.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The columns in the file's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The names of the columns in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(Column::name)
    }

    /// The column of this name, unchecked for use.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// What a person should know about the reading of this table (delimiter recognised, lines skipped, rows dropped),
    /// each note one sentence that names the file.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The line of the file on which a row begins, counted from 1; rows are counted from 0.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn line_of(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// The table with one note more.
    pub(super) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// The table with the rows where `keep` is true; they remember their lines. `keep` has shape `[rows]`.
    ///
    /// # Panics
    ///
    /// If `keep` is not as long as the table.
    #[must_use]
    pub fn drop_rows(&self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.rows(), "one flag for each row");
        Self {
            name: self.name.clone(),
            delimiter: self.delimiter,
            columns: self.columns.iter().map(|column| column.keep(keep)).collect(),
            lines: (0..self.rows())
                .filter(|&row| keep[row])
                .map(|row| self.lines[row])
                .collect(),
            notes: self.notes.clone(),
        }
    }

    /// The table with this column in the place of that of its name, or behind the others.
    ///
    /// # Errors
    ///
    /// A bug error if the column has another number of rows.
    pub fn with_column(&self, column: Column) -> Result<Self> {
        if column.rows() != self.rows() {
            return Err(Error::bug(format!(
                "column `{}` of {} rows for the table {} of {}",
                column.name(),
                column.rows(),
                self.name,
                self.rows()
            )));
        }
        let mut table = self.clone();
        match table
            .columns
            .iter()
            .position(|known| known.name() == column.name())
        {
            Some(place) => table.columns[place] = column,
            None => table.columns.push(column),
        }
        Ok(table)
    }

    /// `drop_missing`: the table without the rows in which one of these columns is missing, and a note that says how
    /// many they were.
    ///
    /// # Errors
    ///
    /// A user error if a column does not exist or no row would remain.
    pub fn drop_missing(&self, names: &[&str]) -> Result<Self> {
        let mut keep = vec![true; self.rows()];
        for name in names {
            for (keep, missing) in keep.iter_mut().zip(self.existing(name)?.missing()) {
                *keep &= !missing;
            }
        }
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let list = list.join(" or ");
        let dropped = keep.iter().filter(|&&keep| !keep).count();
        if dropped == self.rows() {
            return Err(Error::user(format!(
                "in {}: drop_missing leaves no row, since {list} is missing in all {dropped}",
                self.name
            ))
            .with_help("name only columns that the model needs"));
        }
        let mut table = self.drop_rows(&keep);
        table.notes.push(match dropped {
            0 => format!(
                "{}: drop_missing dropped no row, since {list} is never missing",
                self.name
            ),
            1 => format!(
                "{}: 1 of {} rows was dropped: {list} is missing there",
                self.name,
                self.rows()
            ),
            _ => format!(
                "{}: {dropped} of {} rows were dropped: {list} is missing there",
                self.name,
                self.rows()
            ),
        });
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::from_bytes("d.csv", text.as_bytes()).expect("a table")
    }

    #[test]
    fn dropped_rows_leave_the_others_with_their_lines() {
        let kept = table("x,y\n1,a\n2,b\n3,c\n").drop_rows(&[true, false, true]);
        assert_eq!(kept.rows(), 2);
        assert_eq!((kept.line_of(0), kept.line_of(1)), (2, 4));
        assert_eq!(kept.labels("y"), Ok(vec!["a".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn drop_missing_says_how_many() {
        let all = table("x,y,z\n1,NA,1\n2,b,2\n,c,3\n4,d,4\n");
        let kept = all.drop_missing(&["x", "y"]).expect("rows remain");
        assert_eq!(kept.numeric("z"), Ok(&[2.0, 4.0][..]));
        assert_eq!(
            kept.notes(),
            ["d.csv: 2 of 4 rows were dropped: `x` or `y` is missing there"]
        );
        let kept = all.drop_missing(&["z"]).expect("rows remain");
        assert_eq!(
            kept.notes(),
            ["d.csv: drop_missing dropped no row, since `z` is never missing"]
        );
        assert_eq!(
            all.drop_missing(&["w"]).expect_err("no such column").to_string(),
            "error: in d.csv: there is no column `w`\nhelp: the columns are: x, y, z"
        );
    }

    #[test]
    fn drop_missing_refuses_to_drop_everything() {
        let error = table("x,y\nNA,1\nNA,2\n")
            .drop_missing(&["x"])
            .expect_err("nothing remains");
        assert_eq!(
            error.to_string(),
            "error: in d.csv: drop_missing leaves no row, since `x` is missing in all 2\nhelp: name only columns that \
             the model needs"
        );
    }

    #[test]
    fn tables_in_memory_are_checked() {
        let good = Table::from_columns("t", vec![Column::from_cells("x", ["1", "2"])]).expect("a table");
        assert_eq!((good.rows(), good.line_of(1)), (2, 3));
        let short = vec![
            Column::from_cells("x", ["1", "2"]),
            Column::from_cells("y", ["1"]),
        ];
        assert!(Table::from_columns("t", short).is_err());
        let twice = vec![Column::from_cells("x", ["1"]), Column::from_cells("x", ["1"])];
        assert!(Table::from_columns("t", twice).is_err());
        assert!(Table::from_columns("t", Vec::new()).is_err());
    }
}
