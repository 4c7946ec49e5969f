//! What samplers see of a CPU back end: a log density over positions, evaluated for a block of lanes at once.

/// A log density with its gradient on the unconstrained scale.
pub trait Density: Sync {
    /// The number of coordinates of a position.
    fn dim(&self) -> usize;

    /// A worker that evaluates `lanes` positions at a time; each thread makes its own.
    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_>;
}

/// Evaluates a block of lanes; owns the scratch memory, so that evaluating allocates nothing.
pub trait Evaluator {
    /// Positions per call.
    fn lanes(&self) -> usize;

    /// Log density and gradient at `position`.
    ///
    /// `position` and `gradient` are `[dim][lane]`, `log_density` is `[lane]`. Where the density is not finite the
    /// value is −∞ or NaN and the gradient of that lane is unspecified; other lanes are not affected.
    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]);
}
