//! How many digits of a number say something, and the number written with them.

use crate::diag::Summary;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// With that many decimals.
    Fixed(usize),
    /// With an exponent.
    Exponent,
    /// As its neighbours: it has no size of its own.
    Any,
}

/// What suits all of them: the fewest decimals, since no row may show digits that are noise.
pub(crate) fn fewest(places: impl Iterator<Item = Places>) -> Places {
    places
        .reduce(|all, one| match (all, one) {
            (Places::Any, other) | (other, Places::Any) => other,
            (Places::Exponent, _) | (_, Places::Exponent) => Places::Exponent,
            (Places::Fixed(a), Places::Fixed(b)) => Places::Fixed(a.min(b)),
        })
        .unwrap_or(Places::Any)
}

/// How a row's values are written: up to the first digit of the Monte Carlo error of the mean, but with at least two
/// and at most four significant digits of the sd.
pub(crate) fn decimals(row: &Summary) -> Places {
    let scale = if row.sd > 0.0 { row.sd } else { row.mean.abs() };
    if row.mean.abs() >= LARGEST_PLAIN {
        return Places::Exponent;
    }
    match (places(scale, 2), places(row.mcse_mean, 1), places(scale, 4)) {
        (Places::Fixed(least), Places::Fixed(wanted), Places::Fixed(most)) => {
            Places::Fixed(wanted.clamp(least, most))
        }
        (least, _, _) => least,
    }
}

/// What shows `digits` significant digits of `x`.
pub(crate) fn places(x: f64, digits: i32) -> Places {
    if !(x.is_finite() && x > 0.0) {
        return Places::Any;
    }
    let decimals = digits - 1 - x.log10().floor() as i32;
    if decimals > MOST_DECIMALS || x >= LARGEST_PLAIN {
        Places::Exponent
    } else {
        Places::Fixed(decimals.max(0) as usize)
    }
}

/// More decimal places than this are written with an exponent.
const MOST_DECIMALS: i32 = 7;
/// Numbers from here on are written with an exponent.
const LARGEST_PLAIN: f64 = 1e8;

/// A number with that many decimals, or with an exponent; `-` where it is undefined.
pub(crate) fn number(x: f64, places: Places) -> String {
    if x.is_nan() {
        return "-".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = match places {
        Places::Fixed(decimals) => format!("{x:.decimals$}"),
        Places::Exponent => format!("{x:.3e}"),
        Places::Any => format!("{x:.2}"),
    };
    // No minus sign before a number that rounds to zero.
    let is_zero = !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    match text.strip_prefix('-') {
        Some(positive) if is_zero => positive.to_owned(),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_sizes_take_an_exponent_and_zero_no_sign() {
        assert_eq!(places(3e-9, 2), Places::Exponent);
        assert_eq!(places(2e9, 2), Places::Exponent);
        assert_eq!(places(0.0, 2), Places::Any);
        assert_eq!(number(1.5e-9, Places::Exponent), "1.500e-9");
        assert_eq!(number(-0.001, Places::Fixed(2)), "0.00");
        assert_eq!(number(-0.01, Places::Fixed(2)), "-0.01");
    }
}
