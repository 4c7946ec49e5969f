//! What separates the columns, and whether every quote is closed.

use super::lines::LineCounter;
use crate::error::{Error, Result};

/// The character between two cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// The tabulator.
    Tab,
}

impl Delimiter {
    /// The delimiter as a byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// The delimiter's name in the plural, as messages use it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
        }
    }

    /// The delimiter that occurs most often in the line of column names outside quotes; the comma in a tie and where
    /// there is none (a table of one column).
    pub(super) fn recognise(text: &str) -> Self {
        let mut best = (0, Self::Comma);
        for delimiter in [Self::Comma, Self::Semicolon, Self::Tab] {
            let found = count_in_header(text.as_bytes(), delimiter.byte());
            if found > best.0 {
                best = (found, delimiter);
            }
        }
        best.1
    }
}

/// Where a scan of delimited text stands; a quote opens a field only at its start (RFC 4180, section 2, rules 5 to 7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: a second one is a literal quote, anything else ends the quoted part.
    QuoteInQuoted,
}

impl State {
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::Quoted, _) => Self::Quoted,
            (Self::FieldStart | Self::QuoteInQuoted, b'"') => Self::Quoted,
            (Self::FieldStart | Self::Plain | Self::QuoteInQuoted, _)
                if byte == delimiter || byte == b'\n' || byte == b'\r' =>
            {
                Self::FieldStart
            }
            (Self::FieldStart | Self::Plain | Self::QuoteInQuoted, _) => Self::Plain,
        }
    }
}

fn count_in_header(bytes: &[u8], delimiter: u8) -> usize {
    let first = bytes
        .iter()
        .position(|b| !matches!(b, b'\n' | b'\r'))
        .unwrap_or(0);
    let mut state = State::FieldStart;
    let mut count = 0;
    for &byte in &bytes[first..] {
        if state != State::Quoted {
            if matches!(byte, b'\n' | b'\r') {
                break;
            }
            count += usize::from(byte == delimiter);
        }
        state = state.after(byte, delimiter);
    }
    count
}

/// Checks that every quoted field ends, and ends where its cell does; otherwise rows would vanish inside a cell.
///
/// # Errors
///
/// A user error that names the line on which the field begins.
pub(super) fn check_quotes(name: &str, text: &str, delimiter: Delimiter) -> Result<()> {
    let bytes = text.as_bytes();
    let place = |at: usize| format!("in {name}, line {}", LineCounter::new(bytes).line_of(at));
    let mut state = State::FieldStart;
    let mut opened = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let next = state.after(byte, delimiter.byte());
        if state == State::FieldStart && next == State::Quoted {
            opened = at;
        }
        if state == State::QuoteInQuoted && next == State::Plain {
            let shown: String = text[at..]
                .chars()
                .take_while(|c| !c.is_control())
                .take(10)
                .collect();
            return Err(Error::user(format!(
                "{}: a quoted cell begins here, and {shown:?} follows its closing quote on line {} (expected a \
                 delimiter or the end of the line)",
                place(opened),
                LineCounter::new(bytes).line_of(at)
            ))
            .with_help(QUOTING));
        }
        state = next;
    }
    if state == State::Quoted {
        return Err(Error::user(format!(
            "{}: a quoted cell begins here and never ends (expected a closing quote before the end of the file)",
            place(opened)
        ))
        .with_help(QUOTING));
    }
    Ok(())
}

const QUOTING: &str =
    "close the quote at the end of the cell; a quote inside a quoted cell is written twice (\"\")";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_delimiter_of_the_header_wins() {
        assert_eq!(Delimiter::recognise("a,b,c\n1;2;3;4;5\n"), Delimiter::Comma);
        assert_eq!(Delimiter::recognise("a;b;c\n1,5;2,5;3,5\n"), Delimiter::Semicolon);
        assert_eq!(Delimiter::recognise("a\tb\n"), Delimiter::Tab);
        assert_eq!(Delimiter::recognise("x\n3,5\n"), Delimiter::Comma);
        assert_eq!(Delimiter::recognise("\n\na;b\n"), Delimiter::Semicolon);
    }

    #[test]
    fn delimiters_inside_quotes_do_not_count() {
        assert_eq!(Delimiter::recognise("\"a,b,c\";d\n"), Delimiter::Semicolon);
        assert_eq!(Delimiter::recognise("\"a;b;c\"\"\",d\n"), Delimiter::Comma);
        assert_eq!(Delimiter::recognise("\"a\nb\";\"c\nd\"\n"), Delimiter::Semicolon);
    }

    #[test]
    fn an_open_quote_is_located_where_it_begins() {
        let error =
            check_quotes("d.csv", "a,b\n1,\"x\"\n2,\"y\n3,z\n", Delimiter::Comma).expect_err("open quote");
        assert_eq!(
            error.to_string(),
            "error: in d.csv, line 3: a quoted cell begins here and never ends (expected a closing quote before the \
             end of the file)\nhelp: close the quote at the end of the cell; a quote inside a quoted cell is written \
             twice (\"\")"
        );
    }

    #[test]
    fn a_quote_that_swallows_rows_is_located() {
        let error =
            check_quotes("d.csv", "a,b,c\n1,\"2,3\n4,\"5,6\n", Delimiter::Comma).expect_err("stray quotes");
        assert_eq!(
            error.to_string(),
            "error: in d.csv, line 2: a quoted cell begins here, and \"5,6\" follows its closing quote on line 3 \
             (expected a delimiter or the end of the line)\nhelp: close the quote at the end of the cell; a quote \
             inside a quoted cell is written twice (\"\")"
        );
        assert!(check_quotes("d.csv", "a,b\n\"x\" ,2\n", Delimiter::Comma).is_err());
    }

    #[test]
    fn closed_doubled_and_inner_quotes_are_no_fault() {
        for text in [
            "a,\"b\"\n",
            "a,\"b\"\"c\"",
            "size 5\",b\n1,2\n",
            "\"\"",
            "a,\"x\r\ny\"\n",
        ] {
            assert_eq!(check_quotes("d.csv", text, Delimiter::Comma), Ok(()), "{text:?}");
        }
    }
}
