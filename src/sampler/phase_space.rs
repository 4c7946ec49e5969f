//! Position and momentum of one chain, and the leapfrog that moves them (one lane; the ensembles have their own).

use crate::back::evaluate::{Density, Evaluator};
use crate::rng::Stream;

/// A state of one chain with the density evaluated at its position.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// `[dim]`, unconstrained scale.
    pub(crate) position: Vec<f64>,
    /// `[dim]`, 1 / position units.
    pub(crate) momentum: Vec<f64>,
    /// Gradient of the log density at `position`, `[dim]`.
    pub(crate) gradient: Vec<f64>,
    /// Log density at `position`.
    pub(crate) log_density: f64,
}

impl Point {
    /// A state at the origin whose density is not evaluated yet.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            position: vec![0.0; dim],
            momentum: vec![0.0; dim],
            gradient: vec![0.0; dim],
            log_density: f64::NAN,
        }
    }

    /// Becomes `other` without allocating.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.position.copy_from_slice(&other.position);
        self.momentum.copy_from_slice(&other.momentum);
        self.gradient.copy_from_slice(&other.gradient);
        self.log_density = other.log_density;
    }
}

/// A log density with a diagonal metric: energy = −log_density + ½ Σ inv_massᵢ momentumᵢ².
pub(crate) struct Hamiltonian<'d> {
    evaluator: Box<dyn Evaluator + 'd>,
    /// Diagonal of the inverse mass matrix, `[dim]`, position² units.
    pub(crate) inv_mass: Vec<f64>,
    /// Gradients evaluated so far.
    pub(crate) gradient_evaluations: u64,
}

impl<'d> Hamiltonian<'d> {
    /// With the identity as metric.
    pub(crate) fn new(density: &'d dyn Density) -> Self {
        Self {
            evaluator: density.evaluator(1),
            inv_mass: vec![1.0; density.dim()],
            gradient_evaluations: 0,
        }
    }

    /// Evaluates log density and gradient at the point's position.
    pub(crate) fn evaluate(&mut self, point: &mut Point) {
        self.evaluator.log_density_grad(
            &point.position,
            std::slice::from_mut(&mut point.log_density),
            &mut point.gradient,
        );
        self.gradient_evaluations += 1;
    }

    /// Draws the momentum from Normal(0, 1 / inv_mass).
    pub(crate) fn refresh_momentum(&self, point: &mut Point, stream: Stream) {
        stream.fill_normal(&mut point.momentum);
        for (p, v) in point.momentum.iter_mut().zip(&self.inv_mass) {
            *p /= v.sqrt();
        }
    }

    /// Potential plus kinetic energy.
    pub(crate) fn energy(&self, point: &Point) -> f64 {
        let kinetic: f64 = point
            .momentum
            .iter()
            .zip(&self.inv_mass)
            .map(|(p, v)| v * p * p)
            .sum();
        0.5 * kinetic - point.log_density
    }

    /// One leapfrog step (Neal 2011, equations 5.18 to 5.20); a negative `step` goes back in time.
    pub(crate) fn leapfrog(&mut self, point: &mut Point, step: f64) {
        for i in 0..self.inv_mass.len() {
            point.momentum[i] += 0.5 * step * point.gradient[i];
            point.position[i] += step * self.inv_mass[i] * point.momentum[i];
        }
        self.evaluate(point);
        for (p, g) in point.momentum.iter_mut().zip(&point.gradient) {
            *p += 0.5 * step * g;
        }
    }
}
