//! From bytes to text: UTF-8 with or without byte order mark; anything else is named as what it is.

use super::lines::LineCounter;
use crate::error::{Error, Result};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How files that people mistake for tables begin, what they are, and how to get a table from them.
const FOREIGN: [(&[u8], &str, &str); 14] = [
    (
        b"PK\x03\x04",
        "a zip archive, as .xlsx and .ods files are",
        SPREADSHEET,
    ),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook (.xls)", SPREADSHEET),
    (b"\x89HDF\r\n\x1a\n", "a NetCDF-4 or HDF5 file", FIT),
    (b"CDF\x01", "a NetCDF file", FIT),
    (b"CDF\x02", "a NetCDF file", FIT),
    (b"CDF\x05", "a NetCDF file", FIT),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"ARROW1", "an Arrow file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (
        b"\x1f\x8b",
        "compressed with gzip, as R's .rds and .RData files are",
        UNPACK,
    ),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xFD7zXZ\0", "compressed with xz", UNPACK),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", UNPACK),
    (b"%PDF", "a PDF document", EXPORT),
];
const SPREADSHEET: &str = "open it in the spreadsheet program and save the sheet as CSV (UTF-8)";
const FIT: &str =
    "a table is expected here; a fit file is read by `summary`, `compare`, `predict` and `plot`";
const EXPORT: &str = "export the table as CSV (UTF-8)";
const UNPACK: &str = "unpack it first, or export the table as CSV (UTF-8)";
const TO_UTF8: &str = "save the file as UTF-8";

/// The text of a file, without its byte order mark.
///
/// # Errors
///
/// A user error if the bytes are empty or blank, binary, or text in another encoding than UTF-8.
pub(super) fn decode<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    if let Some((_, kind, remedy)) = FOREIGN.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(Error::user(format!("in {name}: this is no table, it is {kind}")).with_help(*remedy));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let encoding = if bytes.starts_with(b"\xFF\xFE\0\0") {
            "UTF-32"
        } else {
            "UTF-16"
        };
        return Err(wide(name, encoding));
    }
    let whole = bytes;
    let bytes = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole);
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(with_nul(name, bytes, at));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(fault) => {
            return Err(not_utf8(
                name,
                whole,
                whole.len() - bytes.len() + fault.valid_up_to(),
            ));
        }
    };
    if text.trim().is_empty() {
        return Err(Error::user(format!("in {name}: the file is empty"))
            .with_help("a table has a line of column names and, below it, a line for each row"));
    }
    if ["<!doctype", "<html", "<?xml"]
        .iter()
        .any(|start| begins(text, start))
    {
        return Err(
            Error::user(format!("in {name}: this is no table, it is a web page or XML"))
                .with_help("download the table itself: a link to a page about a file often saves the page"),
        );
    }
    Ok(text)
}

/// Whether the text begins with `start`, after blanks and in any case.
fn begins(text: &str, start: &str) -> bool {
    let text = text.trim_start().as_bytes();
    text.len() >= start.len() && text[..start.len()].eq_ignore_ascii_case(start.as_bytes())
}

fn wide(name: &str, encoding: &str) -> Error {
    Error::user(format!(
        "in {name}: the text is encoded as {encoding}, and UTF-8 is expected"
    ))
    .with_help(format!("{TO_UTF8} (in Excel: \"CSV UTF-8\")"))
}

fn with_nul(name: &str, bytes: &[u8], at: usize) -> Error {
    // Latin text in UTF-16 has its NUL bytes at every odd or at every even place.
    let start = &bytes[..bytes.len().min(64)];
    let nul_every_other =
        |first: usize| start.len() > 2 && start.iter().skip(first).step_by(2).all(|&b| b == 0);
    if nul_every_other(0) || nul_every_other(1) {
        return wide(name, "UTF-16");
    }
    let line = LineCounter::new(bytes).line_of(at);
    Error::user(format!(
        "in {name}, line {line}: a NUL byte, so this is a binary file and no table"
    ))
    .with_help(EXPORT)
}

fn not_utf8(name: &str, bytes: &[u8], at: usize) -> Error {
    let line = LineCounter::new(bytes).line_of(at);
    let byte = bytes[at];
    let error = Error::user(format!(
        "in {name}, line {line}: the byte 0x{byte:02X} at byte {} of the file is not UTF-8",
        at + 1
    ));
    let convert = format!("{TO_UTF8}, for instance with `iconv -f WINDOWS-1252 -t UTF-8`");
    // From 0xA0 on, Latin-1 and Windows-1252 agree, and a Latin-1 byte is its own code point.
    if byte >= 0xA0 {
        let letter = char::from(byte);
        error.with_help(format!(
            "it would be \"{letter}\" in Latin-1 (Windows-1252); {convert}"
        ))
    } else {
        error.with_help(format!("the file may be in Windows-1252; {convert}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        decode("d.csv", bytes).expect_err("must be refused").to_string()
    }

    #[test]
    fn plain_text_passes_and_a_byte_order_mark_is_dropped() {
        assert_eq!(decode("d.csv", "a,ä\n".as_bytes()), Ok("a,ä\n"));
        assert_eq!(decode("d.csv", b"\xEF\xBB\xBFa,b\n"), Ok("a,b\n"));
    }

    #[test]
    fn empty_files_are_said_to_be_empty() {
        let expected = "error: in d.csv: the file is empty\nhelp: a table has a line of column names and, below it, \
                        a line for each row";
        for bytes in [&b""[..], b"\n\r\n  \n", b"\xEF\xBB\xBF"] {
            assert_eq!(message(bytes), expected);
        }
    }

    #[test]
    fn utf16_is_named_with_and_without_its_mark() {
        let expected = "error: in d.csv: the text is encoded as UTF-16, and UTF-8 is expected\nhelp: save the file \
                        as UTF-8 (in Excel: \"CSV UTF-8\")";
        for bytes in [
            &b"\xFF\xFEa\0,\0b\0\n\0"[..],
            b"\xFE\xFF\0a\0,\0b",
            b"a\0,\0b\0\n\0",
            b"\0a\0,\0b\0\n",
        ] {
            assert_eq!(message(bytes), expected);
        }
        assert!(message(b"\xFF\xFE\0\0a\0\0\0").contains("UTF-32"));
    }

    #[test]
    fn binary_files_are_named_as_what_they_are() {
        assert_eq!(
            message(b"PK\x03\x04\x14\0rest"),
            "error: in d.csv: this is no table, it is a zip archive, as .xlsx and .ods files are\nhelp: open it in \
             the spreadsheet program and save the sheet as CSV (UTF-8)"
        );
        assert!(message(b"\x89HDF\r\n\x1a\n\0\0").contains("NetCDF-4 or HDF5"));
        assert!(message(b"CDF\x01\0\0").contains("a NetCDF file"));
        assert!(message(b"\x1f\x8b\x08\0").contains("gzip"));
        assert!(message(b" <!DOCTYPE html><html>").contains("web page"));
        assert_eq!(
            message(b"a,b\n1,\x002\n"),
            "error: in d.csv, line 2: a NUL byte, so this is a binary file and no table\nhelp: export the table as \
             CSV (UTF-8)"
        );
    }

    #[test]
    fn latin1_is_suspected_with_the_letter_it_would_be() {
        assert_eq!(
            message(b"name,x\nJos\xE9,3\n"),
            "error: in d.csv, line 2: the byte 0xE9 at byte 11 of the file is not UTF-8\nhelp: it would be \"é\" in \
             Latin-1 (Windows-1252); save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
        );
        assert!(message(b"a\n\x80\n").contains("help: the file may be in Windows-1252; save"));
        assert!(message(b"\xEF\xBB\xBFa\n\xE9\n").contains("line 2: the byte 0xE9 at byte 6 of the file"));
    }
}
