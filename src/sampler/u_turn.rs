//! Stretches of a trajectory, and the generalised U-turn criterion over two adjacent ones.
//!
//! Betancourt 2017, "A conceptual introduction to Hamiltonian Monte Carlo", appendix A.4.2, with the two extra checks
//! across the seam of adjacent subtrees that Stan has made since 2.22. Momenta are whitened, so that velocities are
//! the momenta themselves and no metric is needed.

use super::vectors::{sum_pair, sum_stretches};

/// The momenta that the criterion asks of a stretch: at its two ends, and their sum.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// At the end where building began, `[dim]`.
    pub(crate) first: Vec<f64>,
    /// At the other end, `[dim]`.
    pub(crate) last: Vec<f64>,
    /// Over all states, ρ of the criterion, `[dim]`.
    sum: Vec<f64>,
}

impl Stretch {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            first: vec![0.0; dim],
            last: vec![0.0; dim],
            sum: vec![0.0; dim],
        }
    }

    /// Becomes the stretch of one state.
    pub(crate) fn set_single(&mut self, momentum: &[f64]) {
        self.first.copy_from_slice(momentum);
        self.last.copy_from_slice(momentum);
        self.sum.copy_from_slice(momentum);
    }

    /// Becomes the stretch of the state whose momentum is `first` and the next one; false if it turns.
    ///
    /// Of two states the three checks of [`Self::join`] are one.
    pub(crate) fn close_pair(&mut self, momentum: &[f64]) -> bool {
        self.last.copy_from_slice(momentum);
        let dots = sum_pair(&self.first, &self.last, &mut self.sum);
        dots.iter().all(|dot| *dot > 0.0)
    }

    /// Appends the adjacent stretch `next`, whose `last` is swapped away; false if the union turns, or its seam.
    pub(crate) fn join(&mut self, next: &mut Self) -> bool {
        let dots = sum_stretches(
            [&self.first, &self.last],
            [&next.first, &next.last, &next.sum],
            &mut self.sum,
        );
        std::mem::swap(&mut self.last, &mut next.last);
        dots.iter().all(|dot| *dot > 0.0)
    }

    /// Reads the stretch from its other end.
    pub(crate) fn reverse(&mut self) {
        std::mem::swap(&mut self.first, &mut self.last);
    }
}
