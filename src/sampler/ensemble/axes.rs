//! What directions add to the diagonal metric of an ensemble's blocks of lanes.
//!
//! With the diagonal D² and directions of stretch √λ − 1 along orthonormal u, the inverse mass matrix is
//! Σ = D (I + Σ (λ − 1) u uᵀ) D: beside what the diagonal does, a step takes the products of the momentum with D u and
//! adds as many multiples of D u to the position. Momenta have the covariance
//! Σ⁻¹ = D⁻¹ (I + Σ (1/λ − 1) u uᵀ) D⁻¹, and are those of the diagonal times D⁻¹ (I + Σ (1/√λ − 1) u uᵀ) D.

use super::lanes::{AXES, LANES, add_axes, project};
use crate::sampler::low_rank::Direction;

/// [`AXES`] directions; those that are not there are zeros.
#[derive(Debug, Clone)]
struct Group {
    /// D u, `[dim][axis]`.
    axes: Vec<f64>,
    /// u / D, `[dim][axis]`.
    duals: Vec<f64>,
    /// λ − 1.
    excess: [f64; AXES],
    /// 1/√λ − 1.
    shrink: [f64; AXES],
}

/// The directions on the scale of a diagonal.
#[derive(Debug, Clone, Default)]
pub(super) struct Axes {
    groups: Vec<Group>,
}

impl Axes {
    /// The orthonormal `directions` on the scale of the diagonal `inv_mass`, D².
    pub(super) fn new(directions: &[Direction], inv_mass: &[f64]) -> Self {
        let group = |directions: &[Direction]| {
            let mut group = Group {
                axes: vec![0.0; inv_mass.len() * AXES],
                duals: vec![0.0; inv_mass.len() * AXES],
                excess: [0.0; AXES],
                shrink: [0.0; AXES],
            };
            for (axis, direction) in directions.iter().enumerate() {
                let root = 1.0 + direction.stretch;
                group.excess[axis] = root * root - 1.0;
                group.shrink[axis] = 1.0 / root - 1.0;
                for (i, (u, v)) in direction.unit.iter().zip(inv_mass).enumerate() {
                    group.axes[i * AXES + axis] = u * v.sqrt();
                    group.duals[i * AXES + axis] = u / v.sqrt();
                }
            }
            group
        };
        Self {
            groups: directions.chunks(AXES).map(group).collect(),
        }
    }

    /// Makes momenta of the diagonal metric, `[dim][lane]`, those of the whole one.
    pub(super) fn refresh(&self, momentum: &mut [f64]) {
        for group in &self.groups {
            let along = scaled(group, momentum, &group.shrink);
            add_axes(momentum, &group.duals, &along);
        }
    }

    /// Adds to the `position` what a `drift` lacks after the diagonal's part of it.
    pub(super) fn drift(&self, position: &mut [f64], momentum: &[f64], drift: f64) {
        for group in &self.groups {
            let along = scaled(group, momentum, &group.excess.map(|excess| drift * excess));
            add_axes(position, &group.axes, &along);
        }
    }

    /// Adds to every lane's `energy` what the kinetic energy lacks after the diagonal's part of it.
    pub(super) fn energies(&self, energy: &mut [f64; LANES], momentum: &[f64]) {
        for group in &self.groups {
            let mut along = [[0.0; LANES]; AXES];
            project(&mut along, &group.axes, momentum);
            for (along, excess) in along.iter().zip(group.excess) {
                for lane in 0..LANES {
                    energy[lane] += 0.5 * excess * along[lane] * along[lane];
                }
            }
        }
    }
}

/// The products of the momentum with the axes, each times its factor.
fn scaled(group: &Group, momentum: &[f64], factors: &[f64; AXES]) -> [[f64; LANES]; AXES] {
    let mut along = [[0.0; LANES]; AXES];
    project(&mut along, &group.axes, momentum);
    for (along, factor) in along.iter_mut().zip(factors) {
        along.iter_mut().for_each(|value| *value *= factor);
    }
    along
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::ensemble::lanes::{energies, kick_drift};

    const DIM: usize = 4;
    const INV_MASS: [f64; DIM] = [4.0, 0.25, 9.0, 1.0];

    /// Three directions, one more than a group takes.
    fn directions() -> Vec<Direction> {
        let unit = |signs: [f64; DIM]| signs.map(|sign| 0.5 * sign).to_vec();
        [
            (2.0, unit([1.0, 1.0, 1.0, 1.0])),
            (-0.75, unit([1.0, -1.0, 1.0, -1.0])),
            (0.5, unit([1.0, 1.0, -1.0, -1.0])),
        ]
        .map(|(stretch, unit)| Direction { stretch, unit })
        .to_vec()
    }

    /// Σ, multiplied out.
    fn inverse_mass(i: usize, j: usize) -> f64 {
        let correction: f64 = directions()
            .iter()
            .map(|d| ((1.0 + d.stretch).powi(2) - 1.0) * d.unit[i] * d.unit[j])
            .sum();
        (INV_MASS[i] * INV_MASS[j]).sqrt() * (f64::from(u8::from(i == j)) + correction)
    }

    /// The lanes' vectors are the first of these, as many as there are coordinates: `[dim][lane]`.
    fn unit_vectors() -> Vec<f64> {
        let mut values = vec![0.0; DIM * LANES];
        (0..DIM).for_each(|i| values[i * LANES + i] = 1.0);
        values
    }

    #[test]
    fn a_drift_moves_by_the_inverse_mass_matrix_times_the_momentum() {
        let axes = Axes::new(&directions(), &INV_MASS);
        let (mut position, mut momentum) = (vec![0.0; DIM * LANES], unit_vectors());
        let still = vec![0.0; DIM * LANES];
        kick_drift(&mut position, &mut momentum, &still, &INV_MASS, 0.3, 0.3);
        axes.drift(&mut position, &momentum, 0.3);
        for i in 0..DIM {
            for j in 0..DIM {
                let (got, want) = (position[i * LANES + j], 0.3 * inverse_mass(i, j));
                assert!((got - want).abs() < 1e-14, "{i}, {j}: {got}, {want}");
            }
        }
    }

    /// Momenta are R z of standard normals z: their covariance R Rᵀ is the inverse of Σ, so that Σ R Rᵀ = 1.
    #[test]
    fn momenta_have_the_mass_matrix_as_covariance() {
        let axes = Axes::new(&directions(), &INV_MASS);
        let mut momentum = unit_vectors();
        for (row, variance) in momentum.chunks_exact_mut(LANES).zip(INV_MASS) {
            row.iter_mut().for_each(|p| *p /= variance.sqrt());
        }
        axes.refresh(&mut momentum);
        let covariance = |i: usize, j: usize| -> f64 {
            (0..DIM)
                .map(|z| momentum[i * LANES + z] * momentum[j * LANES + z])
                .sum()
        };
        for i in 0..DIM {
            for j in 0..DIM {
                let product: f64 = (0..DIM).map(|k| inverse_mass(i, k) * covariance(k, j)).sum();
                let want = f64::from(u8::from(i == j));
                assert!((product - want).abs() < 1e-13, "{i}, {j}: {product}");
            }
        }
    }

    #[test]
    fn the_energy_is_half_the_form_of_the_inverse_mass_matrix() {
        let axes = Axes::new(&directions(), &INV_MASS);
        let p = |i: usize| (1.0 + i as f64).sin();
        let momentum: Vec<f64> = (0..DIM * LANES).map(|at| p(at / LANES)).collect();
        let mut energy = [0.0; LANES];
        energies(&mut energy, &momentum, &INV_MASS, &[0.0; LANES]);
        axes.energies(&mut energy, &momentum);
        let want: f64 = (0..DIM * DIM)
            .map(|at| 0.5 * p(at / DIM) * inverse_mass(at / DIM, at % DIM) * p(at % DIM))
            .sum();
        assert!(
            energy.iter().all(|e| (e - want).abs() < 1e-13),
            "{energy:?}, {want}"
        );
    }
}
