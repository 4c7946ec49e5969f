//! Using a column: the checks that a table is spared until a model asks for the column.

use super::cell::{self, Cell, LARGEST};
use super::column::{Column, Values};
use super::label::{model_name, number_label};
use super::table::Table;
use crate::error::{Error, Result};

/// How many lines or names an error lists before it counts the rest.
const LISTED: usize = 5;

impl Table {
    /// The numbers of a column, NaN where missing. Shape `[rows]`.
    ///
    /// # Errors
    ///
    /// A user error if there is no such column, a cell is text, or a value is infinite or beyond ±1e30.
    pub fn numeric(&self, name: &str) -> Result<&[f64]> {
        let column = self.existing(name)?;
        match column.values() {
            Values::Text => Err(self.text_among_numbers(column)),
            Values::Number(values) => {
                // NaN is missing here, and compares false.
                match values.iter().position(|x| x.abs() > LARGEST) {
                    Some(row) => Err(self.out_of_range(column, row)),
                    None => Ok(values),
                }
            }
        }
    }

    /// The numbers of a column that must not have missing values. Shape `[rows]`.
    ///
    /// # Errors
    ///
    /// As [`Table::numeric`], and a user error that counts and locates missing values.
    pub fn complete_numeric(&self, name: &str) -> Result<&[f64]> {
        let values = self.numeric(name)?;
        self.complete(self.existing(name)?)?;
        Ok(values)
    }

    /// The cells of a column as labels: text as it was written, numbers by [`number_label`]. Shape `[rows]`.
    ///
    /// # Errors
    ///
    /// A user error if there is no such column, a value is missing, or a number is infinite or beyond ±1e30.
    pub fn labels(&self, name: &str) -> Result<Vec<String>> {
        let column = self.existing(name)?;
        self.complete(column)?;
        match column.values() {
            Values::Text => Ok((0..self.rows()).map(|row| column.cell(row).to_owned()).collect()),
            Values::Number(_) => Ok(self.numeric(name)?.iter().map(|&x| number_label(x)).collect()),
        }
    }

    /// The column of this name.
    ///
    /// # Errors
    ///
    /// A user error that lists the columns there are.
    pub(super) fn existing(&self, name: &str) -> Result<&Column> {
        self.column(name).ok_or_else(|| {
            let names: Vec<String> = self.names().map(str::to_owned).collect();
            Error::user(format!("in {}: there is no column `{name}`", self.name()))
                .with_help(format!("the columns are: {}", listed(&names, 4 * LISTED)))
        })
    }

    /// Checks that no value is missing.
    ///
    /// # Errors
    ///
    /// A user error that counts and locates the missing values.
    pub(super) fn complete(&self, column: &Column) -> Result<()> {
        let count = column.missing_count();
        if count == 0 {
            return Ok(());
        }
        let (name, rows) = (column.name(), self.rows());
        let head = format!("in {}, column `{name}`", self.name());
        if count == rows {
            return Err(Error::user(format!("{head}: all {rows} values are missing"))
                .with_help("fill them in, or leave the column out of the model"));
        }
        let lines: Vec<String> = (0..rows)
            .filter(|&row| column.missing()[row])
            .map(|row| self.line_of(row).to_string())
            .collect();
        let (are, line) = if count == 1 {
            ("is", "line")
        } else {
            ("are", "lines")
        };
        Err(Error::user(format!(
            "{head}: {count} of {rows} values {are} missing ({line} {})",
            listed(&lines, LISTED)
        ))
        .with_help(format!(
            "add `drop_missing({})` to the model, or fill them in",
            model_name(name)
        )))
    }

    fn at(&self, row: usize, column: &Column) -> String {
        format!(
            "in {}, line {}, column `{}`",
            self.name(),
            self.line_of(row),
            column.name()
        )
    }

    fn text_among_numbers(&self, column: &Column) -> Error {
        let texts: Vec<usize> = (0..self.rows())
            .filter(|&row| cell::read(column.cell(row)) == Cell::Text)
            .collect();
        let row = texts[0];
        let found = column.cell(row);
        let numbers = self.rows() - column.missing_count() - texts.len();
        let remedy = match cell::remedy(found) {
            Some(remedy) => remedy,
            None if numbers == 0 => format!(
                "the column holds text: use it as an index (`a[{}]`), or write numbers in its place",
                model_name(column.name())
            ),
            None => "write a number such as 3.5, or NA where the value is missing".to_owned(),
        };
        let rows = self.rows();
        let count = match texts.len() {
            1 => format!("1 of {rows} values is no number"),
            n => format!("{n} of {rows} values are no numbers"),
        };
        Error::user(format!(
            "{}: expected a number, found {} ({count})",
            self.at(row, column),
            cell::shown(found)
        ))
        .with_help(remedy)
    }

    fn out_of_range(&self, column: &Column, row: usize) -> Error {
        let found = column.cell(row).trim();
        let fault = if found.contains(|c: char| c.is_ascii_digit()) {
            format!("{found} is absurdly large: numbers must lie within ±1e30")
        } else {
            format!("{found} is infinite: numbers must be finite")
        };
        Error::user(format!("{}: {fault}", self.at(row, column)))
            .with_help("correct the value, or write NA where it is unknown")
    }
}

/// The items joined by commas, those beyond `most` only counted.
fn listed(items: &[String], most: usize) -> String {
    if items.len() <= most {
        items.join(", ")
    } else {
        format!("{} and {} more", items[..most].join(", "), items.len() - most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::from_bytes("d.csv", text.as_bytes()).expect("a table")
    }

    fn numeric_error(text: &str) -> String {
        table(text).numeric("x").expect_err("must be refused").to_string()
    }

    #[test]
    fn missing_values_are_counted_and_located() {
        let some = table("x,y\n1,1\nNA,2\n3,3\n,4\n");
        assert_eq!(some.numeric("x").map(|x| x[2]), Ok(3.0));
        assert_eq!(some.complete_numeric("y"), Ok(&[1.0, 2.0, 3.0, 4.0][..]));
        assert_eq!(
            some.complete_numeric("x").expect_err("missing").to_string(),
            "error: in d.csv, column `x`: 2 of 4 values are missing (lines 3, 5)\nhelp: add `drop_missing(x)` to the \
             model, or fill them in"
        );
        let many = format!("IQ verb\n{}1\n", "NA\n".repeat(8));
        assert_eq!(
            table(&many).labels("IQ verb").expect_err("missing").to_string(),
            "error: in d.csv, column `IQ verb`: 8 of 9 values are missing (lines 2, 3, 4, 5, 6 and 3 more)\nhelp: add \
             `drop_missing(`IQ verb`)` to the model, or fill them in"
        );
        assert_eq!(
            table("x\nNA\nnan\n")
                .complete_numeric("x")
                .expect_err("missing")
                .message(),
            "in d.csv, column `x`: all 2 values are missing"
        );
    }

    #[test]
    fn text_among_numbers_is_shown_with_its_line() {
        assert_eq!(
            numeric_error("x,y\n1,1\nabc,2\n3,3\n"),
            "error: in d.csv, line 3, column `x`: expected a number, found \"abc\" (1 of 3 values is no number)\nhelp: \
             write a number such as 3.5, or NA where the value is missing"
        );
        assert_eq!(
            numeric_error("x\nno\npred\n"),
            "error: in d.csv, line 2, column `x`: expected a number, found \"no\" (2 of 2 values are no numbers)\nhelp: \
             the column holds text: use it as an index (`a[x]`), or write numbers in its place"
        );
    }

    #[test]
    fn decimal_commas_are_recognised() {
        assert_eq!(
            numeric_error("x;y\n1;2\n3,5;4\n"),
            "error: in d.csv, line 3, column `x`: expected a number, found \"3,5\" (1 of 2 values is no number)\nhelp: \
             decimal commas are not read: write 3.5, or save the file with decimal points (in R: `write.csv`, not \
             `write.csv2`)"
        );
    }

    #[test]
    fn infinite_and_huge_values_are_refused_on_use() {
        assert_eq!(
            numeric_error("x\n1\n-Inf\n"),
            "error: in d.csv, line 3, column `x`: -Inf is infinite: numbers must be finite\nhelp: correct the value, or \
             write NA where it is unknown"
        );
        for huge in ["1e999", "-1.5e30"] {
            assert_eq!(
                numeric_error(&format!("x,y\n{huge},1\n")),
                format!(
                    "error: in d.csv, line 2, column `x`: {huge} is absurdly large: numbers must lie within ±1e30\nhelp: \
                     correct the value, or write NA where it is unknown"
                )
            );
        }
        assert_eq!(table("x\n1e30\n").numeric("x"), Ok(&[1e30][..]));
    }

    #[test]
    fn a_column_that_is_not_used_may_hold_anything() {
        let table = table("x,y\n1,Inf\n2,\n3,1e999\n");
        assert_eq!(table.complete_numeric("x"), Ok(&[1.0, 2.0, 3.0][..]));
    }

    #[test]
    fn labels_are_text_as_written_and_whole_numbers_without_point() {
        let table = table("g,h\n2.0,lefty\n10,\"a,b\"\n0.5, c\n");
        assert_eq!(
            table.labels("g"),
            Ok(["2", "10", "0.5"].map(str::to_owned).to_vec())
        );
        assert_eq!(
            table.labels("h"),
            Ok(["lefty", "a,b", " c"].map(str::to_owned).to_vec())
        );
    }
}
