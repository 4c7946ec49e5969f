//! The metric of one chain as a whitening: position = S · whitened position, inverse mass matrix S Sᵀ.
//!
//! Momenta are kept whitened, Sᵀ p, where they are standard normal and their velocity is themselves: kinetic energy,
//! refreshment and the U-turn criterion then do not know the metric, and only the leapfrog applies S.

use super::low_rank::Direction;
use super::samples::Tuning;
use super::vectors;

/// S = D F₁ F₂ …: a scale per coordinate, then a factor per direction, see [`super::low_rank`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    /// D, `[dim]`, position units.
    scale: Vec<f64>,
    /// F.
    directions: Vec<Direction>,
    /// The whitened velocity of a drift, `[dim]`.
    velocity: Vec<f64>,
}

impl Metric {
    /// The identity in `dim` coordinates.
    pub(crate) fn identity(dim: usize) -> Self {
        Self {
            scale: vec![1.0; dim],
            directions: Vec::new(),
            velocity: vec![0.0; dim],
        }
    }

    /// Takes D² from `inv_mass_diag`, `[dim]`, position² units; the inverse mass matrix where there are no directions.
    pub(crate) fn set_inv_mass_diag(&mut self, inv_mass_diag: &[f64]) {
        for (scale, variance) in self.scale.iter_mut().zip(inv_mass_diag) {
            *scale = variance.sqrt();
        }
    }

    /// D², `[dim]`, position² units.
    pub(crate) fn inv_mass_diag(&self) -> Vec<f64> {
        self.scale.iter().map(|scale| scale * scale).collect()
    }

    /// D, `[dim]`, position units.
    pub(crate) fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Takes the factors after D.
    pub(crate) fn set_directions(&mut self, directions: Vec<Direction>) {
        self.directions = directions;
    }

    /// The factors after D.
    pub(crate) fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// Takes scale and factors from the `tuning` of one chain.
    pub(crate) fn set_from(&mut self, tuning: &Tuning) {
        self.set_inv_mass_diag(&tuning.inv_mass_diag);
        self.directions = tuning.directions_of(0, self.scale.len());
    }

    /// Begins a leapfrog step: the whitened momentum gains ½ `step` · force, the position `step` · S momentum.
    pub(crate) fn kick_drift(
        &mut self,
        step: f64,
        force: &[f64],
        momentum: &mut [f64],
        position: &mut [f64],
    ) {
        if self.directions.is_empty() {
            vectors::kick_drift(step, force, momentum, &self.scale, position);
            return;
        }
        vectors::add_scaled(0.5 * step, force, momentum);
        self.velocity.copy_from_slice(momentum);
        for direction in self.directions.iter().rev() {
            direction.apply(&mut self.velocity);
        }
        vectors::drift(step, &self.scale, &self.velocity, position);
    }

    /// Writes the whitened gradient Sᵀ gradient into `force`.
    pub(crate) fn whiten_gradient(&self, gradient: &[f64], force: &mut [f64]) {
        vectors::scale_into(&self.scale, gradient, force);
        for direction in &self.directions {
            direction.apply(force);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns of the matrix that `apply` stands for, by unit vectors.
    fn columns(apply: &mut dyn FnMut(&[f64; 3]) -> Vec<f64>) -> [Vec<f64>; 3] {
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|unit| apply(&unit))
    }

    /// Positions drift by S, gradients are whitened by its transpose, and S is the product that it is said to be.
    #[test]
    fn forces_are_whitened_by_the_transpose_of_what_positions_drift_by() {
        let mut metric = Metric::identity(3);
        metric.set_inv_mass_diag(&[4.0, 0.25, 9.0]);
        let directions = [(1.5, vec![0.6, 0.8, 0.0]), (-0.5, vec![0.0, -0.6, 0.8])];
        let directions = directions.map(|(stretch, unit)| Direction { stretch, unit });
        for count in 0..=2 {
            metric.set_directions(directions[..count].to_vec());
            let drift = columns(&mut |momentum| {
                let mut position = vec![0.0; 3];
                metric.kick_drift(1.0, &[0.0; 3], &mut momentum.to_vec(), &mut position);
                position
            });
            let force = columns(&mut |gradient| {
                let mut force = vec![0.0; 3];
                metric.whiten_gradient(gradient, &mut force);
                force
            });
            // D (I + s₁ u₁ u₁ᵀ)(I + s₂ u₂ u₂ᵀ), multiplied out.
            let factor = |k: usize, i: usize, j: usize| {
                let identity = f64::from(u8::from(i == j));
                match directions[..count].get(k) {
                    Some(f) => identity + f.stretch * f.unit[i] * f.unit[j],
                    None => identity,
                }
            };
            for i in 0..3 {
                for j in 0..3 {
                    let product: f64 = (0..3).map(|k| factor(0, i, k) * factor(1, k, j)).sum();
                    let expected = [2.0, 0.5, 3.0][i] * product;
                    assert!((drift[j][i] - expected).abs() < 1e-14, "{count}: S[{i}][{j}]");
                    assert!((force[i][j] - expected).abs() < 1e-14, "{count}: Sᵀ[{j}][{i}]");
                }
            }
        }
    }
}
