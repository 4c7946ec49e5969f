//! Stacking weights: the mixture of the models that predicts best (Yao, Vehtari, Simpson, Gelman 2018, "Using stacking
//! to average Bayesian predictive distributions", Bayesian Analysis 13), with the logarithmic score.
//!
//! With p_ik = exp(elpd of row i in model k) the weights maximise (1/n) Σᵢ ln Σₖ wₖ p_ik over the simplex, a concave
//! problem. Its derivative along w is 1 everywhere, so its solution also maximises (1/n) Σᵢ ln (p w)ᵢ − Σₖ wₖ over w ≥ 0
//! (Kim, Carbonetto, Stephens, Anitescu 2020, "A fast algorithm for maximum likelihood estimation of mixture proportions
//! using sequential quadratic programming", JCGS 29), and a logarithmic barrier is all that is left of the constraints
//! (Boyd and Vandenberghe 2004, section 11.3): Newton steps maximise that plus μ Σₖ ln wₖ, with μ falling to
//! [`LAST_BARRIER`].

use crate::num::dense::Cholesky;

/// The barrier that ends the search: the objective is then within K times this of its maximum, and a weight that should
/// be 0 at this over its multiplier, or at worst near its square root. A thousand times what the slope loses to rounding,
/// which would push weights along directions that the objective does not see.
const LAST_BARRIER: f64 = 1e-13;
/// By what the barrier falls each time.
const FALL: f64 = 0.1;
/// Newton steps at one barrier; from the last one's solution a handful suffice.
const MAX_STEPS: usize = 100;
/// A squared Newton decrement, in units of the barrier, at which the solution at one barrier is exact enough.
const DECREMENT: f64 = 1e-10;

/// The weights of the models, which sum to 1. `rows` has shape `[model][row]`, all models of the same rows.
///
/// Models that predict every row alike share their weight about equally. NaN if a value is not finite.
pub fn stacking(rows: &[&[f64]]) -> Vec<f64> {
    let models = rows.len();
    if rows.iter().any(|rows| rows.iter().any(|x| !x.is_finite())) {
        return vec![f64::NAN; models];
    }
    // `[row][model]`, each row relative to its best model: a factor of a row moves the objective, not the weights.
    let n = rows.first().map_or(0, |rows| rows.len());
    let mut densities = Vec::with_capacity(n * models);
    for row in 0..n {
        let best = rows
            .iter()
            .map(|rows| rows[row])
            .fold(f64::NEG_INFINITY, f64::max);
        densities.extend(rows.iter().map(|rows| (rows[row] - best).exp()));
    }
    let problem = Problem { densities, models };
    let mut weights = vec![1.0 / models as f64; models];
    let mut barrier = 1.0;
    while barrier > LAST_BARRIER {
        barrier *= FALL;
        problem.climb(&mut weights, barrier);
    }
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

struct Problem {
    /// `[row][model]`, the largest of each row 1.
    densities: Vec<f64>,
    models: usize,
}

impl Problem {
    /// The objective with its barrier; −∞ outside.
    fn value(&self, weights: &[f64], barrier: f64) -> f64 {
        if weights.iter().any(|w| *w <= 0.0) {
            return f64::NEG_INFINITY;
        }
        let rows = self.densities.chunks_exact(self.models);
        let n = rows.len() as f64;
        let fit: f64 = rows.map(|row| dot(row, weights).ln()).sum();
        let walls: f64 = weights.iter().map(|w| w.ln()).sum();
        fit / n - weights.iter().sum::<f64>() + barrier * walls
    }

    /// Newton steps to the maximum at one barrier.
    ///
    /// In units of the weights themselves, Δw = w·d, so that the system stays well conditioned as weights vanish.
    fn climb(&self, weights: &mut [f64], barrier: f64) {
        let k = self.models;
        for _ in 0..MAX_STEPS {
            let rows = self.densities.chunks_exact(k);
            let n = rows.len() as f64;
            let mut gradient: Vec<f64> = weights.iter().map(|w| barrier - w).collect();
            let mut curvature = vec![0.0; k * k];
            for row in rows {
                let mixture = dot(row, weights);
                // The share of each model in the row's mixture.
                let shares: Vec<f64> = row.iter().zip(&*weights).map(|(p, w)| p * w / mixture).collect();
                for (i, a) in shares.iter().enumerate() {
                    gradient[i] += a / n;
                    for (j, b) in shares.iter().enumerate() {
                        curvature[i * k + j] += a * b / n;
                    }
                }
            }
            for i in 0..k {
                curvature[i * k + i] += barrier;
            }
            let Some(factor) = Cholesky::new(&curvature, k) else {
                return;
            };
            let direction = factor.solve(&gradient);
            let decrement = dot(&gradient, &direction);
            if decrement <= DECREMENT * barrier {
                return;
            }
            let before = self.value(weights, barrier);
            let mut step = 1.0;
            let moved = loop {
                let moved: Vec<f64> = weights
                    .iter()
                    .zip(&direction)
                    .map(|(w, d)| w * (1.0 + step * d))
                    .collect();
                // A quarter of what the slope promises (Boyd and Vandenberghe 2004, algorithm 9.2).
                if self.value(&moved, barrier) >= before + 0.25 * step * decrement {
                    break moved;
                }
                step *= 0.5;
                if step < 1e-12 {
                    // The rise is below the rounding of the objective.
                    return;
                }
            };
            weights.copy_from_slice(&moved);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much better the best vertex is than the mixture, by the slope of the objective: 0 at the maximum.
    fn gap(rows: &[&[f64]], weights: &[f64]) -> f64 {
        let n = rows[0].len();
        let slope = |k: usize| {
            (0..n)
                .map(|i| {
                    let best = rows.iter().map(|rows| rows[i]).fold(f64::NEG_INFINITY, f64::max);
                    let p = |k: usize| (rows[k][i] - best).exp();
                    p(k) / (0..rows.len()).map(|k| weights[k] * p(k)).sum::<f64>()
                })
                .sum::<f64>()
                / n as f64
        };
        (0..rows.len()).map(slope).fold(f64::NEG_INFINITY, f64::max) - 1.0
    }

    /// Densities 2:1 in r of n rows and 1:2 in the others: w maximises r ln(1 + w) + (n − r) ln(2 − w), so
    /// w = (2r − (n − r))/n = 3r/n − 1.
    #[test]
    fn two_models_by_hand() {
        let (a, b) = (2f64.ln(), 0.0);
        for (r, expected) in [(6, 0.8), (5, 0.5), (3, 0.0), (9, 1.0), (10, 1.0)] {
            let first: Vec<f64> = (0..10).map(|i| if i < r { a } else { b }).collect();
            let second: Vec<f64> = (0..10).map(|i| if i < r { b } else { a }).collect();
            let weights = stacking(&[&first, &second]);
            assert!((weights[0] - expected).abs() < 1e-7, "{r}: {weights:?}");
        }
    }

    /// r = 20/3 is where the slope at w = 1 vanishes too: the least definite of problems.
    #[test]
    fn a_maximum_on_the_very_border_is_found() {
        let (a, b) = (2f64.ln(), 0.0);
        let first: Vec<f64> = (0..9).map(|i| if i < 6 { a } else { b }).collect();
        let second: Vec<f64> = (0..9).map(|i| if i < 6 { b } else { a }).collect();
        let weights = stacking(&[&first, &second]);
        assert!((weights[0] - 1.0).abs() < 1e-6, "{weights:?}");
    }

    #[test]
    fn many_models_reach_the_maximum() {
        let noise = |k: usize, i: usize| ((k * 31 + i * 17) as f64 * 0.61).sin() * 2.0 - 3.0 - 0.1 * k as f64;
        let rows: Vec<Vec<f64>> = (0..8).map(|k| (0..60).map(|i| noise(k, i)).collect()).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let weights = stacking(&rows);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(
            gap(&rows, &weights) < 1e-10,
            "{weights:?}: {}",
            gap(&rows, &weights)
        );
    }

    #[test]
    fn equal_models_share_and_hopeless_ones_get_nothing() {
        let good: Vec<f64> = (0..20).map(|i| -1.0 - f64::from(i % 3)).collect();
        let poor: Vec<f64> = good.iter().map(|x| x - 900.0).collect();
        let weights = stacking(&[&good, &good, &poor]);
        // Up to the rounding of the slopes, some 1e-16, over the last barrier.
        assert!(
            (weights[0] - 0.5).abs() < 0.01 && weights[2] < 1e-7,
            "{weights:?}"
        );
        assert_eq!(stacking(&[&good]), [1.0]);
        assert!(stacking(&[&good, &[f64::NAN; 20]]).iter().all(|w| w.is_nan()));
    }
}
