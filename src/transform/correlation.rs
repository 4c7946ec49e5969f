//! Correlation matrices: their Cholesky factor from canonical partial correlations, and the LKJ distribution of these.
//!
//! A correlation matrix of order K has one partial correlation c(i, j) for each pair i < j, that of i and j given
//! 1 … i − 1 (a C-vine). Each ranges freely over (−1, 1), and under LKJ(η), whose density is proportional to
//! det(R)^(η − 1), they are independent with (1 + c(i, j))/2 ~ Beta(β, β), β = η + (K − 1 − i)/2: Lewandowski,
//! Kurowicka, Joe (2009), Generating random correlation matrices based on vines and extended onion method, Journal of
//! Multivariate Analysis 100, 1989–2001. So the Jacobian from partial to plain correlations is never needed.
//!
//! The shares u = (1 + c)/2 stand for the matrix, in the order of [`pairs`]: the upper triangle by rows.

use crate::num::Real;

/// The largest order of a correlation matrix.
pub const LARGEST_CORRELATION: usize = 16;

/// The pairs (i, j), i < j < `order`, counted from 0, in the order of the upper triangle by rows.
pub fn pairs(order: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..order).flat_map(move |i| (i + 1..order).map(move |j| (i, j)))
}

/// The place of the pair (i, j), i < j, among [`pairs`].
pub fn pair_place(order: usize, i: usize, j: usize) -> usize {
    i * order - i * (i + 1) / 2 + j - i - 1
}

/// What is added to η for the shape β of each pair's share, `[pair]`.
pub fn lkj_shape_offsets(order: usize) -> Vec<f64> {
    pairs(order).map(|(i, _)| (order - 2 - i) as f64 / 2.0).collect()
}

/// The partial correlation c = 2u − 1 of a share u, and √(1 − c²), without loss where u is near 1.
pub fn partial_correlation<R: Real>(share: &R) -> (R, R) {
    let (half, one, two) = (share.lit(0.5), share.lit(1.0), share.lit(2.0));
    let rest = (half * (share.ln() + (-share.clone()).log1p())).exp();
    (two.clone() * share.clone() - one, two * rest)
}

/// The lower Cholesky factor of a correlation matrix: row r has r + 1 entries, the first row `one`. `partials` are
/// those of [`partial_correlation`], `[pair]`.
///
/// # Panics
/// If there is not one for each pair.
pub fn correlation_factor<R: Real>(one: &R, partials: &[(R, R)], order: usize) -> Vec<Vec<R>> {
    assert_eq!(partials.len(), order * (order - 1) / 2, "one for each pair");
    (0..order)
        .map(|row| {
            // What the columns so far leave of the row's length 1.
            let mut rest: Option<R> = None;
            let mut entries = Vec::with_capacity(row + 1);
            for column in 0..row {
                let (partial, left) = &partials[pair_place(order, column, row)];
                match rest.take() {
                    None => {
                        entries.push(partial.clone());
                        rest = Some(left.clone());
                    }
                    Some(before) => {
                        entries.push(partial.clone() * before.clone());
                        rest = Some(before * left.clone());
                    }
                }
            }
            entries.push(rest.unwrap_or_else(|| one.clone()));
            entries
        })
        .collect()
}

/// The correlations that shares stand for, `[pair]` both.
pub fn correlations_of(shares: &[f64], order: usize) -> Vec<f64> {
    let partials: Vec<(f64, f64)> = shares.iter().map(partial_correlation).collect();
    correlations(&correlation_factor(&1.0, &partials, order))
}

/// The correlations of a factor, `[pair]`.
pub fn correlations<R: Real>(factor: &[Vec<R>]) -> Vec<R> {
    pairs(factor.len())
        .map(|(i, j)| {
            let products = factor[i].iter().zip(&factor[j]);
            let mut sum: Option<R> = None;
            for (place, (a, b)) in products.enumerate() {
                // The first row is 1.
                let product = if i == 0 && place == 0 {
                    b.clone()
                } else {
                    a.clone() * b.clone()
                };
                sum = Some(match sum {
                    None => product,
                    Some(sum) => sum + product,
                });
            }
            sum.expect("a row of a factor has an entry")
        })
        .collect()
}

/// By how much a partial correlation may leave (−1, 1) through rounding; f32 has 6e-8 of a correlation near 1, which
/// small remainders magnify.
const ROUNDING: f64 = 1e-3;
/// The nearest that a share comes to 0 and 1.
const LEAST_SHARE: f64 = 1e-12;

/// The shares of a matrix of correlations, `[pair]`; none if it is not positive definite but for rounding: a partial
/// correlation just outside (−1, 1) is taken for one just inside.
pub fn shares_of(correlations: &[f64], order: usize) -> Option<Vec<f64>> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(order);
    let mut shares = vec![0.0; correlations.len()];
    for row in 0..order {
        let mut entries: Vec<f64> = Vec::with_capacity(row + 1);
        let mut rest = 1.0_f64;
        for (column, above) in factor.iter().enumerate() {
            let dot: f64 = above[..column].iter().zip(&entries).map(|(a, b)| a * b).sum();
            let left = correlations[pair_place(order, column, row)] - dot;
            let scale = above[column] * rest;
            // Of a row that others leave no length the rest cannot be told, nor matters.
            let partial = if scale > ROUNDING * ROUNDING {
                left / scale
            } else if left.abs() <= ROUNDING {
                0.0
            } else {
                f64::NAN
            };
            if !(partial.abs() <= 1.0 + ROUNDING) {
                return None;
            }
            let share = (0.5 * (1.0 + partial)).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
            let partial = 2.0 * share - 1.0;
            let entry = partial * rest;
            shares[pair_place(order, column, row)] = share;
            rest *= (1.0 - partial * partial).sqrt();
            entries.push(entry);
        }
        entries.push(rest);
        factor.push(entries);
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Family;
    use crate::rng::{Purpose, Stream};
    use proptest::prelude::*;
    use rand::RngExt;

    #[test]
    fn pairs_stand_in_the_order_of_their_places() {
        for order in 2..=LARGEST_CORRELATION {
            for (place, (i, j)) in pairs(order).enumerate() {
                assert_eq!(pair_place(order, i, j), place);
            }
        }
    }

    fn factor_of(shares: &[f64], order: usize) -> Vec<Vec<f64>> {
        let partials: Vec<(f64, f64)> = shares.iter().map(partial_correlation).collect();
        correlation_factor(&1.0, &partials, order)
    }

    proptest! {
        #[test]
        fn shares_lead_to_correlations_and_back(shares in proptest::collection::vec(0.02..0.98, 15)) {
            for order in 2..=6 {
                let shares = &shares[..order * (order - 1) / 2];
                let factor = factor_of(shares, order);
                for row in &factor {
                    let length: f64 = row.iter().map(|x| x * x).sum();
                    prop_assert!((length - 1.0).abs() < 1e-14, "{}", length);
                    prop_assert!(row[row.len() - 1] > 0.0);
                }
                let back = shares_of(&correlations(&factor), order).expect("positive definite");
                for (a, b) in shares.iter().zip(&back) {
                    // Divided by up to five factors √(1 − c²) ≥ 0.28.
                    prop_assert!((a - b).abs() < 1e-11, "{} {}", a, b);
                }
            }
        }
    }

    #[test]
    fn correlations_that_contradict_each_other_have_no_shares() {
        assert_eq!(shares_of(&[0.9, 0.9, -0.9], 3), None);
        assert_eq!(shares_of(&[1.01], 2), None);
        assert_eq!(shares_of(&[f64::NAN], 2), None);
        assert!(shares_of(&[0.9, 0.9, 0.9], 3).is_some());
    }

    /// Correlations that were rounded to 1, as sampled ones are, have shares that lead back to them.
    #[test]
    fn correlations_at_the_border_have_shares() {
        for correlations in [
            [1.0, 0.5, 0.5],
            [1.0, 1.0, 1.0],
            [-1.0, 0.3, -0.3],
            [0.999_999_999_9, 0.2, 0.2],
        ] {
            let shares = shares_of(&correlations, 3).expect("shares");
            assert!(shares.iter().all(|share| *share > 0.0 && *share < 1.0));
            for (found, wanted) in correlations_of(&shares, 3).iter().zip(correlations) {
                assert!((found - wanted).abs() < 1e-5, "{found} {wanted}");
            }
        }
        assert_eq!(shares_of(&[1.0, 0.5, -0.5], 3), None);
    }

    /// ln of det R from the factor.
    fn ln_det(factor: &[Vec<f64>]) -> f64 {
        factor.iter().map(|row| 2.0 * row[row.len() - 1].ln()).sum()
    }

    /// ln of the density of the shares, which is that of the product of betas.
    fn ln_density(shares: &[f64], order: usize, eta: f64) -> f64 {
        let offsets = lkj_shape_offsets(order);
        shares
            .iter()
            .zip(offsets)
            .map(|(share, offset)| Family::Beta.log_density(share, &[eta + offset, eta + offset]))
            .sum()
    }

    /// ln |dR/du| by central differences and elimination.
    fn ln_jacobian(shares: &[f64], order: usize) -> f64 {
        let n = shares.len();
        let h = 1e-6;
        let mut rows: Vec<Vec<f64>> = (0..n)
            .map(|at| {
                let moved = |by: f64| {
                    let mut moved = shares.to_vec();
                    moved[at] += by;
                    correlations_of(&moved, order)
                };
                let (up, down) = (moved(h), moved(-h));
                up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * h)).collect()
            })
            .collect();
        let mut ln_det = 0.0;
        for pivot in 0..n {
            let best = (pivot..n)
                .max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))
                .expect("a row");
            rows.swap(pivot, best);
            ln_det += rows[pivot][pivot].abs().ln();
            for row in pivot + 1..n {
                let factor = rows[row][pivot] / rows[pivot][pivot];
                for column in pivot..n {
                    rows[row][column] -= factor * rows[pivot][column];
                }
            }
        }
        ln_det
    }

    /// The density of the matrix, that of the shares less the Jacobian, is det(R)^(η − 1) up to a constant.
    #[test]
    fn the_density_is_a_power_of_the_determinant() {
        for order in [2, 3, 5] {
            for eta in [0.5, 1.0, 2.0, 4.0] {
                let constant = |seed: f64| {
                    let shares: Vec<f64> = (0..order * (order - 1) / 2)
                        .map(|i| 0.5 + 0.4 * (seed + 1.7 * i as f64).sin())
                        .collect();
                    let factor = factor_of(&shares, order);
                    ln_density(&shares, order, eta)
                        - ln_jacobian(&shares, order)
                        - (eta - 1.0) * ln_det(&factor)
                };
                let first = constant(0.3);
                for seed in [1.1, 2.2, 3.9] {
                    // Differences with h = 1e-6: relative errors near 1e-9.
                    assert!((constant(seed) - first).abs() < 1e-6, "{order} {eta}");
                }
            }
        }
    }

    /// ∫ det(R)^(η − 1) dR over all correlation matrices of order 3 by quadrature: the constant of the product of betas.
    #[test]
    fn the_constant_is_that_of_an_integral() {
        for eta in [1.0, 2.0, 3.5] {
            // Midpoints in tanh-like coordinates of each correlation: det = 1 + 2abc − a² − b² − c².
            let n = 160;
            let node = |k: usize| {
                let t = (k as f64 + 0.5) / n as f64 * 2.0 - 1.0;
                // x = t(3 − t²)/2 flattens the ends.
                (0.5 * t * (3.0 - t * t), 1.5 * (1.0 - t * t) * 2.0 / n as f64)
            };
            let mut integral = 0.0;
            for i in 0..n {
                let (a, wa) = node(i);
                for j in 0..n {
                    let (b, wb) = node(j);
                    // The third correlation lies within ab ± √((1 − a²)(1 − b²)).
                    let half = ((1.0 - a * a) * (1.0 - b * b)).sqrt();
                    for k in 0..n {
                        let (t, wt) = node(k);
                        let c = a * b + half * t;
                        let det = 1.0 + 2.0 * a * b * c - a * a - b * b - c * c;
                        integral += wa * wb * wt * half * det.powf(eta - 1.0);
                    }
                }
            }
            let shares = [0.4, 0.7, 0.55];
            let factor = factor_of(&shares, 3);
            let ln_constant =
                ln_density(&shares, 3, eta) - ln_jacobian(&shares, 3) - (eta - 1.0) * ln_det(&factor);
            assert!(
                (ln_constant + integral.ln()).abs() < 2e-4,
                "{eta}: {} {}",
                ln_constant,
                -integral.ln()
            );
        }
    }

    /// ∫ det(R)^(η − 1) dR over the correlation matrices, by drawing the shares uniformly and following them to R: the
    /// constant of the product of betas, for orders where no grid reaches.
    #[test]
    fn the_constant_is_that_of_random_matrices() {
        for (order, eta, draws) in [(2, 2.0, 20_000), (3, 2.0, 20_000), (5, 3.0, 100_000)] {
            let n = order * (order - 1) / 2;
            let stream = Stream {
                seed: 7,
                replicate: 0,
                chain: order as u32,
                iteration: 0,
                purpose: Purpose::Predictive,
            };
            let mut rng = stream.rng();
            let values: Vec<f64> = (0..draws)
                .map(|_| {
                    // Not nearer to the border than the steps of the differences; the integrand is 0 there.
                    let shares: Vec<f64> = (0..n).map(|_| rng.random_range(1e-5..1.0 - 1e-5)).collect();
                    let factor = factor_of(&shares, order);
                    ((eta - 1.0) * ln_det(&factor) + ln_jacobian(&shares, order)).exp()
                })
                .collect();
            let count = draws as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let error = (variance / count).sqrt() / mean;
            let shares: Vec<f64> = (0..n).map(|i| 0.35 + 0.03 * i as f64).collect();
            let factor = factor_of(&shares, order);
            let ln_constant =
                ln_density(&shares, order, eta) - ln_jacobian(&shares, order) - (eta - 1.0) * ln_det(&factor);
            assert!(error < 0.05, "{order}: {error}");
            assert!(
                (ln_constant + mean.ln()).abs() < 4.0 * error,
                "{order}: {ln_constant} {} ± {error}",
                -mean.ln()
            );
        }
    }
}
