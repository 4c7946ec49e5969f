//! Labels and names as they are printed, and the natural order of labels.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A number as a label: the shortest text that reads back as the same number, whole numbers without a point (`1`).
///
/// ```
/// use tadpool::data::number_label;
/// assert_eq!([2.0, -0.0, 0.25, 1e20].map(number_label), ["2", "0", "0.25", "1e20"]);
/// ```
pub fn number_label(x: f64) -> String {
    let magnitude = x.abs();
    if x == 0.0 {
        "0".to_owned()
    } else if (1e-5..1e16).contains(&magnitude) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

/// To three significant digits.
pub fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// A number for a message, to three digits.
pub fn short_number(x: f64) -> String {
    let rounded = three_digits(x);
    if rounded != 0.0 && (rounded.abs() < 1e-4 || rounded.abs() >= 1e7) {
        format!("{rounded:e}")
    } else {
        number_label(rounded)
    }
}

/// A label as it stands between the brackets of a printed name: quoted where it holds a comma, a bracket, a quote, a
/// backslash or a control character, or is empty or blank at an end; quotes and backslashes inside are escaped.
pub fn printed_label(label: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, ',' | '[' | ']' | '"' | '\\') || c.is_control();
    let blank_end = label.trim() != label || label.is_empty();
    if !blank_end && !label.contains(special) {
        return Cow::Borrowed(label);
    }
    let mut quoted = String::with_capacity(label.len() + 2);
    quoted.push('"');
    for c in label.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(c.escape_default()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// The end of the names of axes whose labels are pairs of places, `1,2`: no index of a model can be called so.
const PAIRS: &str = ":pair";

/// The axis of the upper triangle of the matrix `name`, whose labels are pairs of places: `1,2`.
pub fn pair_axis(name: &str) -> String {
    format!("{name}{PAIRS}")
}

/// Whether the labels of the axis are pairs of places.
pub fn is_pair_axis(axis: &str) -> bool {
    axis.ends_with(PAIRS)
}

/// The printed name of an element with its labels by axis: `alpha[2,3]`, `a_actor[lefty]`, `a["c,d"]`, `Rho[1,2]`;
/// without labels the name alone.
pub fn element_name<'l>(name: &str, labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> String {
    let labels: Vec<Cow<'_, str>> = labels
        .into_iter()
        .map(|(axis, label)| match is_pair_axis(axis) {
            true => Cow::Borrowed(label),
            false => printed_label(label),
        })
        .collect();
    if labels.is_empty() {
        return name.to_owned();
    }
    format!("{name}[{}]", labels.join(","))
}

/// A column's name as it is written in a model: in backticks unless it is plain.
pub(super) fn model_name(name: &str) -> Cow<'_, str> {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if starts && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '.') && !name.ends_with('.') {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("`{name}`"))
    }
}

/// The natural order of labels: runs of digits compare as numbers, everything else by character, so that `t2` stands
/// before `t10`; labels that agree so far (`t1`, `t01`) stand in the order of their text. A total order.
pub fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let (digits_a, digits_b) = (leading_digits(a), leading_digits(b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, number_b) = (&a[..digits_a], &b[..digits_b]);
            let (number_a, number_b) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            let order = number_a
                .len()
                .cmp(&number_b.len())
                .then_with(|| number_a.cmp(number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[digits_a..], &b[digits_b..]);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        match (rest_a.next(), rest_b.next()) {
            (None, None) => return left.cmp(right),
            (x, y) if x == y => (a, b) = (rest_a.as_str(), rest_b.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// The number of ASCII digits at the start.
fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn number_labels_read_back_as_the_same_number() {
        for x in [
            1.0,
            -3.0,
            0.1,
            1.0 / 3.0,
            1e15,
            123456789012345680.0,
            1e-7,
            1e300,
            5e-324,
        ] {
            let label = number_label(x);
            assert_eq!(label.parse::<f64>(), Ok(x), "{label}");
            assert!(label.len() < 25, "{label}");
        }
        assert_eq!(number_label(1.0), "1");
    }

    #[test]
    fn labels_are_quoted_only_where_the_brackets_would_mislead() {
        for plain in ["lefty", "2", "0:1", "bob smith", "it's", "a.b", "Å(1)"] {
            assert_eq!(printed_label(plain), plain);
        }
        for (label, printed) in [
            ("c,d", r#""c,d""#),
            ("a]", r#""a]""#),
            ("[b", r#""[b""#),
            ("say \"hi\"", r#""say \"hi\"""#),
            (" x", r#"" x""#),
            ("x ", r#""x ""#),
            ("two\nlines", r#""two\nlines""#),
            ("a\\b", r#""a\\b""#),
            ("", r#""""#),
        ] {
            assert_eq!(printed_label(label), printed);
        }
    }

    #[test]
    fn short_numbers_have_three_digits() {
        for (x, text) in [
            (0.0, "0"),
            (0.138_29, "0.138"),
            (-1234.5, "-1230"),
            (2.0, "2"),
            (0.000_012_34, "1.23e-5"),
            (1.239e9, "1.24e9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(short_number(x), text);
        }
        assert!(three_digits(f64::NAN).is_nan());
    }

    #[test]
    fn element_names_hold_all_labels() {
        assert_eq!(element_name("a", []), "a");
        assert_eq!(element_name("alpha", [("actor", "2"), ("t", "3")]), "alpha[2,3]");
        let labels = [("x", "c,d"), ("actor", "lefty")];
        assert_eq!(element_name("a", labels), "a[\"c,d\",lefty]");
        let axis = pair_axis("Rho");
        assert_eq!(element_name("Rho", [(axis.as_str(), "1,2")]), "Rho[1,2]");
    }

    #[test]
    fn names_that_are_not_plain_stand_in_backticks() {
        for plain in ["x", "_x", "pulled.left", "größe", "x2"] {
            assert_eq!(model_name(plain), plain);
        }
        for other in ["IQ verb", "2x", "x.", "a-b", ".x"] {
            assert_eq!(model_name(other), format!("`{other}`"));
        }
    }

    #[test]
    fn natural_order_counts_runs_of_digits() {
        let mut labels = [
            "t10", "t2", "t1", "a", "t01", "t1b", "t", "10", "9", "b2c10", "b2c9", "t1a",
        ];
        labels.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            labels,
            [
                "9", "10", "a", "b2c9", "b2c10", "t", "t01", "t1", "t1a", "t1b", "t2", "t10"
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn natural_order_is_a_total_order(a in "[a0-3:]{0,5}", b in "[a0-3:]{0,5}", c in "[a0-3:]{0,5}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b).is_eq(), a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le());
            }
        }
    }
}
