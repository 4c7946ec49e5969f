//! Sums: with an error that does not grow with the number of terms, and fast ones.

/// Σ f(xᵢ) in eight sums side by side, so that no addition waits for the one before.
#[inline]
pub fn sum_each(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    sum_pairs(values, values, |x, _| f(x))
}

/// Σ f(aᵢ, bᵢ), as [`sum_each`]; of slices of unequal length the first numbers count.
#[inline]
pub fn sum_pairs(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    let len = a.len().min(b.len());
    let ((a, a_rest), (b, b_rest)) = (a[..len].as_chunks::<8>(), b[..len].as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for k in 0..8 {
            sums[k] += f(a[k], b[k]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f(*a, *b)).sum();
    sums.iter().sum::<f64>() + rest
}

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
    use super::{Sum, sum_each, sum_pairs};

    #[test]
    fn sums_side_by_side_are_the_sum() {
        // Whole numbers: any order of additions is exact.
        for len in [0, 1, 7, 8, 9, 40, 61] {
            let a: Vec<f64> = (0..len).map(f64::from).collect();
            let b: Vec<f64> = (0..len + 3).map(|i| f64::from(2 * i + 1)).collect();
            let squares: f64 = a.iter().map(|x| x * x).sum();
            assert_eq!(sum_each(&a, |x| x * x), squares, "{len}");
            let products: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(sum_pairs(&a, &b, |a, b| a * b), products, "{len}");
        }
    }

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
