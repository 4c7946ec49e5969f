//! Small dense symmetric matrices: the Cholesky factor and what follows from it.

/// The lower triangular factor L of a symmetric positive definite matrix A = L Lᵀ, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors the `size` × `size` matrix `a` (row after row; only its lower triangle is read). None where it is not
    /// positive definite.
    ///
    /// # Panics
    /// If `a` has not `size`² elements.
    pub fn new(a: &[f64], size: usize) -> Option<Self> {
        assert_eq!(a.len(), size * size, "a square matrix");
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let dot: f64 = (0..column)
                    .map(|k| lower[row * size + k] * lower[column * size + k])
                    .sum();
                let rest = a[row * size + column] - dot;
                lower[row * size + column] = if row == column {
                    // Written so that a NaN fails too.
                    if rest > 0.0 && rest.is_finite() {
                        rest.sqrt()
                    } else {
                        return None;
                    }
                } else {
                    rest / lower[column * size + column]
                };
            }
        }
        Some(Self { size, lower })
    }

    /// L, row after row, zeros above the diagonal.
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// ln det A = 2 Σ ln L_ii.
    pub fn ln_det(&self) -> f64 {
        (0..self.size)
            .map(|i| 2.0 * self.lower[i * self.size + i].ln())
            .sum()
    }

    /// The solution x of A x = b.
    ///
    /// # Panics
    /// If `b` has not as many elements as A has rows.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        assert_eq!(b.len(), self.size, "one element for each row");
        let (n, lower) = (self.size, &self.lower);
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| lower[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / lower[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / lower[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::Cholesky;

    #[test]
    fn a_known_matrix_is_factored_and_solved() {
        // L = [2 0 0; 6 1 0; −8 5 3], det A = 36.
        let a = [4.0, 12.0, -16.0, 12.0, 37.0, -43.0, -16.0, -43.0, 98.0];
        let cholesky = Cholesky::new(&a, 3).unwrap();
        assert_eq!(cholesky.lower(), [2.0, 0.0, 0.0, 6.0, 1.0, 0.0, -8.0, 5.0, 3.0]);
        assert!((cholesky.ln_det() - 36f64.ln()).abs() < 1e-14);
        // A·(1, 2, 3).
        assert_eq!(cholesky.solve(&[-20.0, -43.0, 192.0]), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert_eq!(Cholesky::new(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(Cholesky::new(&[f64::NAN], 1), None);
        assert_eq!(Cholesky::new(&[0.0], 1), None);
    }
}
