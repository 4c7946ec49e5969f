//! What a driver is told to do in an iteration, and what it tells of it.

/// Energy error above which a trajectory counts as divergent (Betancourt 2017; Stan's threshold).
pub const MAX_ENERGY_ERROR: f64 = 1000.0;

/// One ensemble's trajectory in one iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Step size ε of the leapfrog integrator, above 0; position units over √inv_mass.
    pub step_size: f64,
    /// Leapfrog steps L, at least 1.
    pub num_leapfrog_steps: u32,
}

/// One iteration of all chains; where a run is thinned, one that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationResult {
    /// Positions after the iteration, `[chain][dim]`.
    pub positions: Vec<f64>,
    /// Acceptance probability of the proposal, 0 where the trajectory diverged, `[chain]`.
    pub accept_prob: Vec<f64>,
    /// Log density at `positions`, the kernel's constant included, `[chain]`.
    pub log_density: Vec<f64>,
    /// Energy −log_density + kinetic of the state that was kept, with its own momentum, `[chain]`.
    pub energy: Vec<f64>,
    /// Energy of the proposal less that of the start, +∞ where it is not finite, `[chain]`.
    pub energy_error: Vec<f64>,
    /// Whether `energy_error` was above 1000 or not finite, in this iteration or one since the last that was kept; such
    /// proposals are rejected, `[chain]`.
    pub is_divergent: Vec<bool>,
    /// How often that was, all chains together; of one chain at most 2,047 times are counted.
    pub divergences: u64,
}

impl IterationResult {
    /// Room for the results of `chains` chains of `dim` coordinates.
    pub fn zeros(chains: usize, dim: usize) -> Self {
        Self {
            positions: vec![0.0; chains * dim],
            accept_prob: vec![0.0; chains],
            log_density: vec![0.0; chains],
            energy: vec![0.0; chains],
            energy_error: vec![0.0; chains],
            is_divergent: vec![false; chains],
            divergences: 0,
        }
    }
}
