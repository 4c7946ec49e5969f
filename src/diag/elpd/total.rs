//! Sums over rows, with the standard errors that rows of a larger population give them.

use crate::diag::moments::{mean, variance_about};

/// A sum over rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// The sum.
    pub sum: f64,
    /// Its standard error; NaN for fewer than two rows.
    pub se: f64,
}

/// The sum of `rows` and its standard error √(n·Var) (Vehtari, Gelman, Gabry 2017, eq. 23).
///
/// The variance has the divisor n, as in ArviZ; in R's loo it is n − 1, so that errors are √(n/(n − 1)) times these.
pub fn total(rows: &[f64]) -> Total {
    let n = rows.len() as f64;
    Total {
        sum: rows.iter().sum(),
        // n·Var with divisor n is the sum of squares.
        se: (variance_about(rows, mean(rows)) * (n - 1.0)).sqrt(),
    }
}

/// The sum of `a − b` over the rows that both have, and its standard error (Vehtari, Gelman, Gabry 2017, eq. 24): rows
/// that are hard to predict are so for both, so the difference is better known than either.
///
/// # Panics
/// If they are not of the same length.
pub fn difference(a: &[f64], b: &[f64]) -> Total {
    assert_eq!(a.len(), b.len(), "one value of each for every row");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    total(&differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let total = total(&[-1.0, -2.0, -6.0]);
        assert_eq!(total.sum, -9.0);
        assert!((total.se - 14f64.sqrt()).abs() < 1e-15);
        let same = difference(&[-1.0, -2.0], &[-1.5, -2.5]);
        assert_eq!((same.sum, same.se), (1.0, 0.0));
    }

    #[test]
    fn one_row_tells_nothing_of_others() {
        assert!(total(&[-1.0]).se.is_nan());
    }
}
