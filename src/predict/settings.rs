//! Covariates set by hand: `condition=1 prosoc_left=0,1`.

use super::fitted::Fitted;
use crate::data::{Column, Table};
use crate::error::{Error, Result};
use crate::lang::nearest;

/// Columns with the values that they are set to, in the order typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    columns: Vec<(String, Vec<String>)>,
}

impl Settings {
    /// Reads `NAME=VALUE,VALUE NAME=VALUE`: names and values that hold blanks, commas or equals signs stand in quotes.
    ///
    /// # Errors
    ///
    /// A user error that shows what is not of this form.
    pub fn parse(text: &str) -> Result<Self> {
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        for word in words(text)? {
            let (name, values) = match word.split_first() {
                Some((Piece::Text(name), [Piece::Equals, values @ ..])) if !values.is_empty() => {
                    (name.clone(), values)
                }
                Some(_) | None => return Err(malformed(text)),
            };
            let mut list = Vec::new();
            for (place, piece) in values.iter().enumerate() {
                match (place % 2, piece) {
                    (0, Piece::Text(value)) => list.push(value.clone()),
                    (1, Piece::Comma) => {}
                    (_, _) => return Err(malformed(text)),
                }
            }
            if values.len().is_multiple_of(2) {
                return Err(malformed(text));
            }
            if columns.iter().any(|(known, _)| *known == name) {
                return Err(Error::user(format!("`{text}` sets `{name}` twice"))
                    .with_help("give each name once, with all its values: `x=0,1`"));
            }
            columns.push((name, list));
        }
        if columns.is_empty() {
            return Err(malformed(text));
        }
        Ok(Self { columns })
    }

    /// The names that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The names with the values that they are set to.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.columns
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Checks that every name is one that predictions depend on.
    ///
    /// # Errors
    ///
    /// A user error for a name that is no column of the fit or is its outcome.
    pub fn check(&self, fitted: &Fitted<'_>) -> Result<()> {
        let columns = fitted.columns();
        for name in self.names() {
            if fitted.outcomes().contains(&name) {
                return Err(Error::user(format!(
                    "`{name}` is the outcome, which is predicted and cannot be set"
                ))
                .with_help("leave it out"));
            }
            if !columns.contains(&name) {
                let error = Error::user(format!("the model uses no column `{name}`"));
                return Err(match nearest(name, columns.iter().copied()) {
                    Some(near) => error.with_help(format!("did you mean `{near}`?")),
                    None => error.with_help(format!("it uses: {}", columns.join(", "))),
                });
            }
        }
        Ok(())
    }

    /// The table with these columns, which have one value each, in the place of its own.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(super) fn applied(&self, table: &Table) -> Result<Table> {
        let mut table = table.clone();
        for (name, values) in &self.columns {
            let cells = std::iter::repeat_n(values[0].as_str(), table.rows());
            table = table.with_column(Column::from_cells(name, cells))?;
        }
        Ok(table)
    }

    /// The name that has several values, if one does.
    pub(super) fn several(&self) -> Option<&str> {
        let found = self.columns.iter().find(|(_, values)| values.len() > 1);
        found.map(|(name, _)| name.as_str())
    }
}

/// The most rows of a grid.
const MOST_ROWS: usize = 10_000_000;

/// The table of every combination of the values, the last name fastest.
///
/// # Errors
///
/// A user error if it would have more than ten million rows.
pub fn grid(settings: &Settings) -> Result<Table> {
    let rows = settings
        .columns
        .iter()
        .try_fold(1_usize, |rows, (_, values)| rows.checked_mul(values.len()))
        .filter(|rows| *rows <= MOST_ROWS)
        .ok_or_else(|| {
            Error::user(format!("the grid has more than {MOST_ROWS} rows"))
                .with_help("give fewer values, or fewer names several of them")
        })?;
    let mut repeats = rows;
    let mut columns = Vec::new();
    for (name, values) in &settings.columns {
        repeats /= values.len();
        let cells = (0..rows).map(|row| values[row / repeats % values.len()].as_str());
        columns.push(Column::from_cells(name, cells));
    }
    Table::from_columns("the grid", columns)
}

/// A part of a word.
enum Piece {
    Text(String),
    Equals,
    Comma,
}

/// The words between blanks, in pieces.
fn words(text: &str) -> Result<Vec<Vec<Piece>>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut open: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' | '\'' | '`' => {
                let text_inside = open.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some(end) if end == c => break,
                        Some(inside) => text_inside.push(inside),
                        None => {
                            return Err(Error::user(format!("in `{text}` a quote is never closed"))
                                .with_help(format!("close it with {c}")));
                        }
                    }
                }
            }
            '=' | ',' => {
                word.extend(open.take().map(Piece::Text));
                word.push(if c == '=' { Piece::Equals } else { Piece::Comma });
            }
            c if c.is_whitespace() => {
                word.extend(open.take().map(Piece::Text));
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => open.get_or_insert_default().push(c),
        }
    }
    word.extend(open.map(Piece::Text));
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn malformed(text: &str) -> Error {
    Error::user(format!("`{text}` sets no columns: expected NAME=VALUE, several separated by blanks")).with_help(
        "write `condition=1 prosoc_left=0`, with commas between the values of a grid (`condition=0,1`); quote what holds \
         blanks: `\"IQ verb\"=100`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<String>)> {
        Settings::parse(text).expect("settings").columns
    }

    #[test]
    fn names_have_values() {
        let of =
            |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(ToString::to_string).collect());
        assert_eq!(read("a=0,1  b=x"), [of("a", &["0", "1"]), of("b", &["x"])]);
        assert_eq!(
            read("\"IQ verb\"=1.5 g='a, b',\"=\""),
            [of("IQ verb", &["1.5"]), of("g", &["a, b", "="])]
        );
        assert_eq!(read("x=-1e-3"), [of("x", &["-1e-3"])]);
    }

    #[test]
    fn what_sets_nothing_is_refused() {
        for text in [
            "", "a", "a=", "=1", "a=1,", "a=,1", "a==1", "a=1,b=2", "a=1 a=2", "a='1", "a=1,,2",
        ] {
            assert!(Settings::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_name_of_a_grid_is_fastest() {
        let table = grid(&Settings::parse("a=0,1 b=x,y,z c=5").expect("settings")).expect("a table");
        assert_eq!(table.rows(), 6);
        assert_eq!(table.numeric("a"), Ok(&[0.0, 0.0, 0.0, 1.0, 1.0, 1.0][..]));
        assert_eq!(
            table.labels("b").expect("labels"),
            ["x", "y", "z", "x", "y", "z"].map(str::to_owned)
        );
        assert_eq!(table.numeric("c"), Ok(&[5.0; 6][..]));
    }
}
