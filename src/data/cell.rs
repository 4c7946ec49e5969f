//! One cell: what its text means, and how it is shown in an error.

/// The largest magnitude that a number may have: its square root and small multiples stay far from overflow.
pub(super) const LARGEST: f64 = 1e30;

/// What the text of a cell means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// Empty, NA, NaN or null, in any case.
    Missing,
    /// A number, perhaps infinite or too large to be used.
    Number(f64),
    /// Anything else.
    Text,
}

/// Reads a cell; blanks around a number or a mark of missingness do not count.
pub(super) fn read(text: &str) -> Cell {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("na") || text.eq_ignore_ascii_case("null") {
        return Cell::Missing;
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_nan() => Cell::Missing,
        Ok(x) => Cell::Number(x),
        Err(_) => Cell::Text,
    }
}

/// The cell in double quotes, control characters escaped, cut after 40 characters.
pub(super) fn shown(text: &str) -> String {
    const WIDTH: usize = 40;
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The cell with its decimal comma written as a point, if that makes it a number.
fn with_decimal_point(text: &str) -> Option<String> {
    let text = text.trim();
    if text.matches(',').count() != 1 || text.contains('.') {
        return None;
    }
    let pointed = text.replace(',', ".");
    pointed.parse::<f64>().is_ok().then_some(pointed)
}

/// How to mend a cell that should be a number, where the text says what was meant.
pub(super) fn remedy(text: &str) -> Option<String> {
    const ABSENT: [&str; 9] = ["n/a", "#n/a", "<na>", ".", "-", "--", "?", "none", "missing"];
    if let Some(pointed) = with_decimal_point(text) {
        return Some(format!(
            "decimal commas are not read: write {pointed}, or save the file with decimal points (in R: `write.csv`, \
             not `write.csv2`)"
        ));
    }
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "true" | "false" | "t" | "f" => Some("write 1 for TRUE and 0 for FALSE".to_owned()),
        other if ABSENT.contains(&other) => {
            Some("a missing value is written NA, NaN or null, or its cell is left empty".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_known_in_any_case() {
        for text in [
            "", "  ", "NA", "na", "Na", "NaN", "nan", "NAN", "-nan", "null", "NULL", " NA ",
        ] {
            assert_eq!(read(text), Cell::Missing, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_with_blanks_signs_and_exponents() {
        for (text, x) in [
            ("3", 3.0),
            (" 3 ", 3.0),
            ("+3.5", 3.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1e-3", -1e-3),
        ] {
            assert_eq!(read(text), Cell::Number(x), "{text:?}");
        }
        assert_eq!(read("-Inf"), Cell::Number(f64::NEG_INFINITY));
        assert_eq!(read("1e999"), Cell::Number(f64::INFINITY));
    }

    #[test]
    fn what_is_no_number_is_text() {
        for text in ["3,5", "1 000", "0x10", "lefty", "n/a", "NaN3", "−3", "5%"] {
            assert_eq!(read(text), Cell::Text, "{text:?}");
        }
    }

    #[test]
    fn the_remedy_fits_the_cell() {
        assert!(remedy("-3,5").is_some_and(|text| text.contains("write -3.5")));
        assert!(remedy("TRUE").is_some_and(|text| text.contains("1 for TRUE")));
        assert!(remedy("n/a").is_some_and(|text| text.contains("written NA")));
        assert_eq!(remedy("abc"), None);
        assert_eq!(remedy("1,234,567"), None);
    }

    #[test]
    fn long_cells_are_cut_between_characters() {
        let cell = "ä".repeat(60);
        assert_eq!(shown(&cell), format!("\"{}\"…", "ä".repeat(40)));
        assert_eq!(shown("a\"b\n"), r#""a\"b\n""#);
    }
}
