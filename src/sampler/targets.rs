//! Densities with known moments, for the tests of the samplers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::back::evaluate::{CENTRING_STEPS, Centring, Density, Evaluator, Standardised};

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

/// Normals of mean 0 and standard deviations 1, 2, …, `dim`, any two with correlation `rho`: on the diagonal's scale one
/// direction of variance 1 + (dim − 1)·rho, all others of 1 − rho.
pub(crate) fn equicorrelated_normal(
    dim: usize,
    rho: f64,
) -> Target<impl Fn(&[f64], &mut [f64]) -> f64 + Sync> {
    Target::new(dim, move |q, gradient| {
        let z = |i: usize| q[i] / (i + 1) as f64;
        let common = rho * (0..dim).map(z).sum::<f64>() / (1.0 + (dim - 1) as f64 * rho);
        let mut log_density = 0.0;
        for i in 0..dim {
            let slope = -(z(i) - common) / (1.0 - rho);
            log_density += 0.5 * z(i) * slope;
            gradient[i] = slope / (i + 1) as f64;
        }
        log_density
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

/// Posterior means and variances of (μ, ln τ) of the eight schools.
pub(crate) fn eight_schools_moments() -> ([f64; 2], [f64; 2]) {
    hyper_moments(&SCHOOLS)
}

/// Posterior means and variances of (μ, ln τ) by the trapezoidal rule on the marginal yⱼ ~ Normal(μ, √(τ² + sdⱼ²)), for
/// `data` of (yⱼ, sdⱼ).
pub(crate) fn hyper_moments(data: &[(f64, f64)]) -> ([f64; 2], [f64; 2]) {
    let mut sums = [0.0; 5];
    for i in 0..=400 {
        let mu = -30.0 + 0.15 * f64::from(i);
        for j in 0..=400 {
            let log_tau = -5.0 + 0.03 * f64::from(j);
            let tau2 = (2.0 * log_tau).exp();
            let mut log_density = hyperprior(mu, log_tau);
            for (y, sd) in data {
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

/// Groups yⱼ ~ Normal(θⱼ, sdⱼ) with θⱼ ~ Normal(μ, τ) and the priors of [`eight_schools`], in the coordinates
/// (μ, ln τ, η₁ … ηⱼ) of whichever centring weights are set.
pub(crate) struct Groups {
    /// (yⱼ, sdⱼ).
    pub(crate) data: Vec<(f64, f64)>,
    coordinates: Vec<usize>,
    initial: Vec<u32>,
    levels: [usize; 1],
}

impl Groups {
    /// Starts from the same `code` for all groups.
    pub(crate) fn new(data: Vec<(f64, f64)>, code: u32) -> Self {
        Self {
            coordinates: (2..2 + data.len()).collect(),
            initial: vec![code; data.len()],
            levels: [data.len()],
            data,
        }
    }

    /// θⱼ at a position in the coordinates of `codes`.
    pub(crate) fn natural(&self, codes: &[u32], position: &[f64]) -> Vec<f64> {
        let values = self.standardise(codes, position);
        (0..self.data.len())
            .map(|j| values.location[j] + values.ln_scale[j].exp() * values.effect[j])
            .collect()
    }
}

impl Centring for Groups {
    fn effects(&self) -> &[usize] {
        &self.levels
    }

    fn initial(&self) -> &[u32] {
        &self.initial
    }

    fn coordinates(&self) -> &[usize] {
        &self.coordinates
    }

    fn standardise(&self, codes: &[u32], positions: &[f64]) -> Standardised {
        let mut values = Standardised::default();
        for position in positions.chunks_exact(2 + self.data.len()) {
            for (eta, code) in position[2..].iter().zip(codes) {
                let weight = f64::from(*code) / f64::from(CENTRING_STEPS);
                values.location.push(position[0]);
                values.ln_scale.push(position[1]);
                values
                    .effect
                    .push((eta - weight * position[0]) / (weight * position[1]).exp());
            }
        }
        values
    }
}

impl Density for Groups {
    fn dim(&self) -> usize {
        2 + self.data.len()
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        Box::new(GroupsEvaluator {
            groups: self,
            codes: self.initial.clone(),
            lanes,
        })
    }

    fn centring(&self) -> Option<&dyn Centring> {
        Some(self)
    }
}

struct GroupsEvaluator<'t> {
    groups: &'t Groups,
    codes: Vec<u32>,
    lanes: usize,
}

impl Evaluator for GroupsEvaluator<'_> {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn set_centring(&mut self, codes: &[u32]) {
        self.codes.copy_from_slice(codes);
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        let lanes = self.lanes;
        for lane in 0..lanes {
            let (mu, log_tau) = (position[lane], position[lanes + lane]);
            let mut sum = hyperprior(mu, log_tau);
            let mut by_mu = -mu / 25.0;
            let mut by_log_tau = 1.0 - log_tau;
            for (j, ((y, sd), code)) in self.groups.data.iter().zip(&self.codes).enumerate() {
                let weight = f64::from(*code) / f64::from(CENTRING_STEPS);
                let at = (2 + j) * lanes + lane;
                // η ~ Normal(λμ, τ^λ), θ = μ + τ^(1−λ)(η − λμ).
                let deviation = position[at] - weight * mu;
                let (prior, rest) = ((-weight * log_tau).exp(), ((1.0 - weight) * log_tau).exp());
                let xi = deviation * prior;
                let residual = (y - mu - rest * deviation) / sd;
                sum -= 0.5 * (residual * residual + xi * xi) + weight * log_tau;
                gradient[at] = residual * rest / sd - xi * prior;
                by_mu += residual * (1.0 - weight * rest) / sd + weight * xi * prior;
                by_log_tau += residual * (1.0 - weight) * rest * deviation / sd + weight * (xi * xi - 1.0);
            }
            log_density[lane] = sum;
            gradient[lane] = by_mu;
            gradient[lanes + lane] = by_log_tau;
        }
    }
}
