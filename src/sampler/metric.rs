//! The metric of one chain as a whitening: position = S · whitened position, inverse mass matrix S Sᵀ.
//!
//! Momenta are kept whitened, Sᵀ p, where they are standard normal and their velocity is themselves: kinetic energy,
//! refreshment and the U-turn criterion then do not know the metric, and only the leapfrog applies S.

use super::vectors;

/// S, diagonal: one scale per coordinate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    /// `[dim]`, position units.
    scale: Vec<f64>,
}

impl Metric {
    /// The identity in `dim` coordinates.
    pub(crate) fn identity(dim: usize) -> Self {
        Self {
            scale: vec![1.0; dim],
        }
    }

    /// Takes the diagonal of the inverse mass matrix, `[dim]`, position² units.
    pub(crate) fn set_inv_mass_diag(&mut self, inv_mass_diag: &[f64]) {
        for (scale, variance) in self.scale.iter_mut().zip(inv_mass_diag) {
            *scale = variance.sqrt();
        }
    }

    /// The diagonal of the inverse mass matrix, `[dim]`, position² units.
    pub(crate) fn inv_mass_diag(&self) -> Vec<f64> {
        self.scale.iter().map(|scale| scale * scale).collect()
    }

    /// Begins a leapfrog step: the whitened momentum gains ½ `step` · force, the position `step` · S momentum.
    pub(crate) fn kick_drift(&self, step: f64, force: &[f64], momentum: &mut [f64], position: &mut [f64]) {
        vectors::kick_drift(step, force, momentum, &self.scale, position);
    }

    /// Writes the whitened gradient Sᵀ gradient into `force`.
    pub(crate) fn whiten_gradient(&self, gradient: &[f64], force: &mut [f64]) {
        vectors::scale_into(&self.scale, gradient, force);
    }
}
