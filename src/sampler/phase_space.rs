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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;
    use crate::sampler::targets::{Target, correlated_normal, eight_schools};

    fn start(system: &mut Hamiltonian<'_>, dim: usize) -> Point {
        let mut point = Point::new(dim);
        point.position.fill(0.3);
        system.evaluate(&mut point);
        let stream = Stream {
            seed: 3,
            replicate: 0,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Momentum,
        };
        system.refresh_momentum(&mut point, stream);
        point
    }

    #[test]
    fn the_leapfrog_retraces_its_steps_backwards() {
        let target = eight_schools();
        let mut system = Hamiltonian::new(&target);
        let begin = start(&mut system, 10);
        let mut point = begin.clone();
        for _ in 0..100 {
            system.leapfrog(&mut point, 0.1);
        }
        assert!((point.position[0] - begin.position[0]).abs() > 0.01);
        for _ in 0..100 {
            system.leapfrog(&mut point, -0.1);
        }
        for i in 0..10 {
            // 200 steps of rounding at 1e-16 on values of order 10, with room for the flow's own growth of errors.
            assert!(
                (point.position[i] - begin.position[i]).abs() < 1e-10,
                "position {i}"
            );
            assert!(
                (point.momentum[i] - begin.momentum[i]).abs() < 1e-10,
                "momentum {i}"
            );
        }
    }

    /// The energy at a fixed time converges with the square of the step: halving it quarters the error.
    #[test]
    fn the_energy_error_is_of_second_order() {
        let target = eight_schools();
        let mut system = Hamiltonian::new(&target);
        let begin = start(&mut system, 10);
        let mut error = |steps: u32| {
            let mut point = begin.clone();
            for _ in 0..steps {
                system.leapfrog(&mut point, 1.0 / f64::from(steps));
            }
            (system.energy(&point) - system.energy(&begin)).abs()
        };
        let ratio = error(64) / error(128);
        assert!((ratio - 4.0).abs() < 0.1, "ratio {ratio}");
    }

    /// J = ∂(q′, p′)/∂(q, p) of a step satisfies Jᵀ Ω J = Ω: here for a non-linear force, by central differences.
    #[test]
    fn the_leapfrog_is_symplectic() {
        let target = Target::new(2, |q, gradient| {
            gradient[0] = -q[0].powi(3) - q[1];
            gradient[1] = -q[1].sinh() - q[0];
            -0.25 * q[0].powi(4) - q[1].cosh() - q[0] * q[1]
        });
        let mut system = Hamiltonian::new(&target);
        system.inv_mass.copy_from_slice(&[0.5, 2.0]);
        let mut image = |z: [f64; 4]| {
            let mut point = Point::new(2);
            point.position.copy_from_slice(&z[..2]);
            point.momentum.copy_from_slice(&z[2..]);
            system.evaluate(&mut point);
            system.leapfrog(&mut point, 0.4);
            [
                point.position[0],
                point.position[1],
                point.momentum[0],
                point.momentum[1],
            ]
        };
        let z = [0.3, -0.7, 1.1, 0.4];
        let h = 1e-5;
        let columns: Vec<[f64; 4]> = (0..4)
            .map(|j| {
                let (mut up, mut down) = (z, z);
                up[j] += h;
                down[j] -= h;
                let (up, down) = (image(up), image(down));
                [0, 1, 2, 3].map(|i| (up[i] - down[i]) / (2.0 * h))
            })
            .collect();
        for a in 0..4 {
            for b in 0..4 {
                let (x, y) = (&columns[a], &columns[b]);
                let form = x[0] * y[2] - x[2] * y[0] + x[1] * y[3] - x[3] * y[1];
                let omega = if b == a + 2 {
                    1.0
                } else if a == b + 2 {
                    -1.0
                } else {
                    0.0
                };
                // Central differences: truncation h² and rounding 1e-16/h.
                assert!((form - omega).abs() < 1e-8, "({a}, {b}): {form}");
            }
        }
    }

    #[test]
    fn momenta_have_the_metrics_variances() {
        let target = correlated_normal(0.0);
        let mut system = Hamiltonian::new(&target);
        system.inv_mass.copy_from_slice(&[4.0, 0.25]);
        let mut point = Point::new(2);
        let mut squares = [0.0; 2];
        for iteration in 0..20_000 {
            let stream = Stream {
                seed: 3,
                replicate: 0,
                chain: 0,
                iteration,
                purpose: Purpose::Momentum,
            };
            system.refresh_momentum(&mut point, stream);
            for i in 0..2 {
                squares[i] += point.momentum[i] * point.momentum[i] / 20_000.0;
            }
        }
        // Relative standard error √(2/20000) = .01, four and a half of them.
        assert!((squares[0] * 4.0 - 1.0).abs() < 0.045);
        assert!((squares[1] * 0.25 - 1.0).abs() < 0.045);
    }
}
