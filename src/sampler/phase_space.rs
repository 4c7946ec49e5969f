//! Position and momentum of one chain, and the leapfrog that moves them (one lane; the ensembles have their own).

use super::ensemble::momentum::fill_normals;
use super::metric::Metric;
use super::vectors::{dot, kick};
use crate::back::evaluate::{Density, Evaluator};
use crate::rng::Stream;

/// A state of one chain with the density evaluated at its position.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// `[dim]`, unconstrained scale.
    pub(crate) position: Vec<f64>,
    /// Whitened momentum Sᵀ p, see [`Metric`]: `[dim]`, without units.
    pub(crate) momentum: Vec<f64>,
    /// Gradient of the log density at `position`, `[dim]`.
    pub(crate) gradient: Vec<f64>,
    /// The whitened gradient Sᵀ gradient, `[dim]`, without units; belongs to the metric in force.
    pub(crate) force: Vec<f64>,
    /// Log density at `position`.
    pub(crate) log_density: f64,
    /// ½ |momentum|².
    pub(crate) kinetic: f64,
}

impl Point {
    /// A state at the origin whose density is not evaluated yet.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            position: vec![0.0; dim],
            momentum: vec![0.0; dim],
            gradient: vec![0.0; dim],
            force: vec![0.0; dim],
            log_density: f64::NAN,
            kinetic: 0.0,
        }
    }

    /// Becomes `other` without allocating.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.copy_place(other);
        self.momentum.copy_from_slice(&other.momentum);
        self.force.copy_from_slice(&other.force);
        self.kinetic = other.kinetic;
    }

    /// Takes over position, log density and gradient of `other`: all that outlives a trajectory.
    pub(crate) fn copy_place(&mut self, other: &Self) {
        self.position.copy_from_slice(&other.position);
        self.gradient.copy_from_slice(&other.gradient);
        self.log_density = other.log_density;
    }

    /// Potential plus kinetic energy.
    pub(crate) fn energy(&self) -> f64 {
        self.kinetic - self.log_density
    }
}

/// A log density with a metric: energy = −log_density + ½ |whitened momentum|².
pub(crate) struct Hamiltonian<'d> {
    evaluator: Box<dyn Evaluator + 'd>,
    metric: Metric,
    /// Gradients evaluated so far.
    pub(crate) gradient_evaluations: u64,
}

impl<'d> Hamiltonian<'d> {
    /// With the identity as metric.
    pub(crate) fn new(density: &'d dyn Density) -> Self {
        Self {
            evaluator: density.evaluator(1),
            metric: Metric::identity(density.dim()),
            gradient_evaluations: 0,
        }
    }

    /// The metric in force.
    pub(crate) fn metric(&self) -> &Metric {
        &self.metric
    }

    /// The metric, to be changed; trajectories begin with [`Self::begin`], which looks at it anew.
    pub(crate) fn metric_mut(&mut self) -> &mut Metric {
        &mut self.metric
    }

    /// Sets the centring weights' codes, `[level]`; positions stand for other values then.
    pub(crate) fn set_centring(&mut self, codes: &[u32]) {
        self.evaluator.set_centring(codes);
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

    /// Makes the evaluated `point` the begin of a trajectory, with a momentum from `stream`.
    pub(crate) fn refresh_momentum(&self, point: &mut Point, stream: Stream) {
        fill_normals(&mut point.momentum, stream);
        self.begin(point);
    }

    /// Makes the evaluated `point` with its whitened momentum the begin of a trajectory under the metric in force.
    pub(crate) fn begin(&self, point: &mut Point) {
        point.kinetic = 0.5 * dot(&point.momentum, &point.momentum);
        self.metric.whiten_gradient(&point.gradient, &mut point.force);
    }

    /// One leapfrog step (Neal 2011, equations 5.18 to 5.20); a negative `step` goes back in time.
    pub(crate) fn leapfrog(&mut self, point: &mut Point, step: f64) {
        self.metric
            .kick_drift(step, &point.force, &mut point.momentum, &mut point.position);
        self.evaluate(point);
        self.metric.whiten_gradient(&point.gradient, &mut point.force);
        point.kinetic = kick(step, &point.force, &mut point.momentum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;
    use crate::sampler::targets::{Target, eight_schools};

    fn start(system: &mut Hamiltonian<'_>, dim: usize) -> Point {
        let mut point = Point::new(dim);
        point.position.fill(0.3);
        system.evaluate(&mut point);
        system.refresh_momentum(&mut point, stream());
        point
    }

    fn stream() -> Stream {
        Stream {
            seed: 3,
            replicate: 0,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Momentum,
        }
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
            (point.energy() - begin.energy()).abs()
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
        system.metric_mut().set_inv_mass_diag(&[0.25, 4.0]);
        // Momenta p of the position; the whitened ones are S p.
        let scale = [0.5, 2.0];
        let mut image = |z: [f64; 4]| {
            let mut point = Point::new(2);
            point.position.copy_from_slice(&z[..2]);
            system.evaluate(&mut point);
            for i in 0..2 {
                point.momentum[i] = scale[i] * z[2 + i];
            }
            system.begin(&mut point);
            system.leapfrog(&mut point, 0.4);
            [
                point.position[0],
                point.position[1],
                point.momentum[0] / scale[0],
                point.momentum[1] / scale[1],
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
}
