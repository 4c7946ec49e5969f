//! What samplers see of a CPU back end: a log density over positions, evaluated for a block of lanes at once.

/// A log density with its gradient on the unconstrained scale.
pub trait Density: Sync {
    /// The number of coordinates of a position.
    fn dim(&self) -> usize;

    /// A worker that evaluates `lanes` positions at a time; each thread makes its own.
    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_>;

    /// About how many multiplications a gradient takes, by which other work of a leapfrog step is weighed; no fewer than
    /// one for each coordinate.
    fn work(&self) -> f64 {
        self.dim() as f64
    }

    /// The effects whose centring weights can be chosen anew without compiling again; none if there are none.
    fn centring(&self) -> Option<&dyn Centring> {
        None
    }
}

pub use crate::transform::CENTRING_STEPS;

/// Effects whose centring weight λ is data: one code per level, all effects' levels one after another.
///
/// With location m, scale τ and the standardised effect ξ = (θ − m)/τ, the coordinate of a level is
/// η = λ·(m + shift) + τ^λ·ξ (Papaspiliopoulos, Roberts, Sköld 2007; Gorinova, Moore, Hoffman 2020). The shift is 0, or
/// an intercept that is added to the effect wherever it is used: at λ = 1 the coordinate is then their total.
pub trait Centring: Sync {
    /// The codes that a model starts from, `[level]`, each at most [`CENTRING_STEPS`].
    fn initial(&self) -> &[u32];

    /// The numbers of levels of the effects, in their order; they add up to all levels.
    fn effects(&self) -> &[usize];

    /// The coordinate of the position that each level has, `[level]`.
    fn coordinates(&self) -> &[usize];

    /// What the levels stand for at `positions` (`[position][dim]`), which are in the coordinates of `codes` (`[level]`).
    fn standardise(&self, codes: &[u32], positions: &[f64]) -> Standardised;
}

/// Levels of effects at some positions; each `[position][level]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standardised {
    /// m + shift, in the effect's units.
    pub location: Vec<f64>,
    /// ln τ.
    pub ln_scale: Vec<f64>,
    /// ξ = (θ − m)/τ.
    pub effect: Vec<f64>,
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

    /// The gradient alone at `position`, for steps whose density nobody asks for; shapes as in
    /// [`Evaluator::log_density_grad`].
    fn grad(&mut self, position: &[f64], gradient: &mut [f64]) {
        let mut unasked = vec![0.0; self.lanes()];
        self.log_density_grad(position, &mut unasked, gradient);
    }

    /// Sets the centring weights' codes, `[level]`, for the calls that follow; see [`Centring`]. A density without
    /// such effects ignores the call.
    fn set_centring(&mut self, codes: &[u32]) {
        let _ = codes;
    }
}
