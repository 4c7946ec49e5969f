//! Sums whose error does not grow with the number of terms.

/// A running sum with the rounding errors kept apart (Neumaier 1974): the total is that of twice the precision, rounded
/// once, unless the terms cancel beyond 1e16.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        // The larger of the two is the one whose digits survive in `sum`.
        self.lost += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
    }

    /// The sum so far; an infinite or NaN term makes it infinite or NaN.
    pub fn total(&self) -> f64 {
        // Infinities leave inf − inf among the lost parts.
        if self.sum.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        for term in terms {
            sum.add(term);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn small_terms_survive_beside_large_ones() {
        let terms = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(Sum::from_iter(terms).total(), 2.0);
        assert_eq!(Sum::from_iter([0.1; 10]).total(), 1.0);
    }

    #[test]
    fn infinities_and_nans_stay() {
        assert_eq!(
            Sum::from_iter([1.0, f64::NEG_INFINITY, 2.0]).total(),
            f64::NEG_INFINITY
        );
        assert!(
            Sum::from_iter([f64::INFINITY, f64::NEG_INFINITY])
                .total()
                .is_nan()
        );
        assert!(Sum::from_iter([1.0, f64::NAN]).total().is_nan());
        assert_eq!(Sum::default().total(), 0.0);
    }
}
