//! The generalised Pareto distribution: fitted to the tail of importance ratios, and its quantiles.
//!
//! Zhang and Stephens 2009, "A new and efficient estimation method for the generalized Pareto distribution",
//! Technometrics 51, in the form of Vehtari, Simpson, Gelman, Yao, Gabry 2024 ("Pareto smoothed importance sampling",
//! JMLR 25(72)), whose shape k has the sign opposite to theirs.

/// Points of the grid for a sample of one; ⌊√n⌋ more for n values (the paper takes 20, PSIS 30).
const GRID: usize = 30;
/// The spread of the prior of θ: the larger, the closer θ lies to 0 (Zhang and Stephens 2009, section 3).
const PRIOR_SPREAD: f64 = 3.0;
/// The weak prior of the shape: so many observations at [`PRIOR_SHAPE`].
const PRIOR_WEIGHT: f64 = 10.0;
/// Where they stand.
const PRIOR_SHAPE: f64 = 0.5;

/// Shape and scale of a generalised Pareto distribution over exceedances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pareto {
    /// The shape k: moments below 1/k exist. NaN where the tail has no scale.
    pub(super) k: f64,
    /// The scale σ, in the units of the exceedances.
    pub(super) sigma: f64,
}

impl Pareto {
    /// Fits `exceedances`: ascending, none negative, the last positive, five or more.
    pub(super) fn fit(exceedances: &[f64]) -> Self {
        let n = exceedances.len() as f64;
        let points = GRID + n.sqrt().floor() as usize;
        let quartile = exceedances[((n / 4.0 + 0.5).floor() as usize).max(1) - 1];
        let largest = exceedances[exceedances.len() - 1];
        // The shape that maximises the likelihood at θ = −k/σ.
        let shape_at = |theta: f64| exceedances.iter().map(|x| (-theta * x).ln_1p()).sum::<f64>() / n;
        let thetas: Vec<f64> = (1..=points)
            .map(|j| {
                let step = 1.0 - (points as f64 / (j as f64 - 0.5)).sqrt();
                1.0 / largest + step / (PRIOR_SPREAD * quartile)
            })
            .collect();
        let profile: Vec<f64> = thetas
            .iter()
            .map(|&theta| {
                let k = shape_at(theta);
                n * ((-theta / k).ln() - k - 1.0)
            })
            .collect();
        // The posterior mean of θ over the grid.
        let weights = super::softmax(&profile);
        let theta: f64 = thetas.iter().zip(&weights).map(|(theta, w)| theta * w).sum();
        let k = shape_at(theta);
        Self {
            k: (n * k + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT),
            sigma: -k / theta,
        }
    }

    /// The exceedance below which the share `prob` lies.
    pub(super) fn quantile(&self, prob: f64) -> f64 {
        let exponential = -(-prob).ln_1p();
        if self.k == 0.0 {
            self.sigma * exponential
        } else {
            self.sigma * (self.k * exponential).exp_m1() / self.k
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_a_distribution_give_it_back() {
        // Of n values the standard error of k is about (1 + k)/√n; the evenly spaced ones have far less, and the prior
        // moves k by 10 (0.5 − k)/n.
        let n = 10_000;
        for (k, sigma) in [(-0.3, 1.0), (0.0, 2.0), (0.4, 0.01), (0.9, 5.0)] {
            let pareto = Pareto { k, sigma };
            let x: Vec<f64> = (0..n)
                .map(|i| pareto.quantile((i as f64 + 0.5) / n as f64))
                .collect();
            let found = Pareto::fit(&x);
            let error = (1.0 + k) / (n as f64).sqrt();
            assert!((found.k - k).abs() < error, "{k}: {found:?}");
            assert!(
                (found.sigma / sigma - 1.0).abs() < 2.0 * error,
                "{sigma}: {found:?}"
            );
        }
    }
}
