//! Densities with known moments, for the tests of the samplers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::back::evaluate::{Density, Evaluator};

/// A target given by its log density and gradient at one position.
pub(crate) struct Target<F> {
    pub(crate) dim: usize,
    /// Writes the gradient and returns the log density.
    pub(crate) log_density_grad: F,
    /// Gradients evaluated: lanes times calls.
    pub(crate) gradients: AtomicU64,
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Sync> Target<F> {
    pub(crate) fn new(dim: usize, log_density_grad: F) -> Self {
        Self {
            dim,
            log_density_grad,
            gradients: AtomicU64::new(0),
        }
    }
}

struct TargetEvaluator<'t, F> {
    target: &'t Target<F>,
    lanes: usize,
    position: Vec<f64>,
    gradient: Vec<f64>,
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Sync> Density for Target<F> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        Box::new(TargetEvaluator {
            target: self,
            lanes,
            position: vec![0.0; self.dim],
            gradient: vec![0.0; self.dim],
        })
    }
}

impl<F: Fn(&[f64], &mut [f64]) -> f64 + Sync> Evaluator for TargetEvaluator<'_, F> {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        let lanes = self.lanes;
        self.target.gradients.fetch_add(lanes as u64, Ordering::Relaxed);
        for lane in 0..lanes {
            for i in 0..self.target.dim {
                self.position[i] = position[i * lanes + lane];
            }
            log_density[lane] = (self.target.log_density_grad)(&self.position, &mut self.gradient);
            for i in 0..self.target.dim {
                gradient[i * lanes + lane] = self.gradient[i];
            }
        }
    }
}

/// Independent normals with means `mean` and standard deviations `sd`.
pub(crate) fn normal(mean: Vec<f64>, sd: Vec<f64>) -> Target<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Target::new(sd.len(), move |q, gradient| {
        let mut sum = 0.0;
        for i in 0..q.len() {
            let z = (q[i] - mean[i]) / sd[i];
            gradient[i] = -z / sd[i];
            sum -= 0.5 * z * z;
        }
        sum
    })
}

/// A bivariate normal with standard deviations 1 and 3 and correlation `rho`.
pub(crate) fn correlated_normal(rho: f64) -> Target<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Target::new(2, move |q, gradient| {
        let (a, b) = (q[0], q[1] / 3.0);
        let scale = 1.0 / (1.0 - rho * rho);
        gradient[0] = -scale * (a - rho * b);
        gradient[1] = -scale * (b - rho * a) / 3.0;
        -0.5 * scale * (a * a - 2.0 * rho * a * b + b * b)
    })
}

/// The logit of a Beta(a, b) variable: mean ψ(a) − ψ(b), variance ψ′(a) + ψ′(b).
pub(crate) fn logit_beta(a: f64, b: f64) -> Target<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Target::new(1, move |q, gradient| {
        let p = 1.0 / (1.0 + (-q[0]).exp());
        gradient[0] = a - (a + b) * p;
        // ln p and ln(1 − p) without cancellation.
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        -a * softplus(-q[0]) - b * softplus(q[0])
    })
}

/// Outcomes and standard errors of the eight schools (Rubin 1981).
const SCHOOLS: [(f64, f64); 8] = [
    (28.0, 15.0),
    (8.0, 10.0),
    (-3.0, 16.0),
    (7.0, 11.0),
    (-1.0, 9.0),
    (1.0, 11.0),
    (18.0, 10.0),
    (12.0, 18.0),
];

/// ln τ's prior here: Normal(1, 1). μ's: Normal(0, 5).
fn hyperprior(mu: f64, log_tau: f64) -> f64 {
    -0.5 * (mu / 5.0).powi(2) - 0.5 * (log_tau - 1.0).powi(2)
}

/// The eight schools, non-centred: (μ, ln τ, z₁ … z₈), effects μ + τ zⱼ.
pub(crate) fn eight_schools() -> Target<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Target::new(10, |q, gradient| {
        let (mu, tau) = (q[0], q[1].exp());
        let mut sum = hyperprior(mu, q[1]);
        gradient[0] = -mu / 25.0;
        gradient[1] = 1.0 - q[1];
        for (j, (y, sd)) in SCHOOLS.iter().enumerate() {
            let z = q[2 + j];
            let residual = (y - mu - tau * z) / sd;
            sum -= 0.5 * residual * residual + 0.5 * z * z;
            gradient[0] += residual / sd;
            gradient[1] += residual / sd * tau * z;
            gradient[2 + j] = residual / sd * tau - z;
        }
        sum
    })
}

/// Posterior means and variances of (μ, ln τ) by the trapezoidal rule on the marginal yⱼ ~ Normal(μ, √(τ² + sdⱼ²)).
pub(crate) fn eight_schools_moments() -> ([f64; 2], [f64; 2]) {
    let mut sums = [0.0; 5];
    for i in 0..=400 {
        let mu = -30.0 + 0.15 * f64::from(i);
        for j in 0..=400 {
            let log_tau = -5.0 + 0.03 * f64::from(j);
            let tau2 = (2.0 * log_tau).exp();
            let mut log_density = hyperprior(mu, log_tau);
            for (y, sd) in SCHOOLS {
                let variance = tau2 + sd * sd;
                log_density -= 0.5 * ((y - mu) * (y - mu) / variance + variance.ln());
            }
            let weight = (log_density + 30.0).exp();
            let terms = [1.0, mu, log_tau, mu * mu, log_tau * log_tau];
            for (sum, term) in sums.iter_mut().zip(terms) {
                *sum += weight * term;
            }
        }
    }
    let means = [sums[1] / sums[0], sums[2] / sums[0]];
    let variances = [
        sums[3] / sums[0] - means[0] * means[0],
        sums[4] / sums[0] - means[1] * means[1],
    ];
    (means, variances)
}
