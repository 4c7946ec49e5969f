//! Scale changes: between the position that samplers move and the parameters as a model names them.
//!
//! May import `error`, `num`, `rng`, `data`, `diag`, `ir`, `dist`.
//!
//! - [`Constraint`]: the set that one number lies in, and the bijection from the real line onto it;
//! - [`correlation_factor`] and its kin: a correlation matrix from numbers in (0, 1), whose distribution LKJ is;
//! - [`Coordinate`]: how one block of the position stands for a parameter: through a constraint, or as the standardised
//!   effect of a location-scale family.
//!
//! Promises: each formula stands once, generic over [`crate::num::Real`], so that `f64` and the IR share it; this is
//! the only folder that knows a Jacobian, and nothing above it adds one.

mod constraint;
mod coordinates;
mod correlation;

pub use constraint::Constraint;
pub use coordinates::{CENTRING_STEPS, Coordinate, centring_weight, inv_power, standard_arguments};
pub use correlation::{
    LARGEST_CORRELATION, correlation_factor, correlations, correlations_of, lkj_shape_offsets, pair_place,
    pairs, partial_correlation, shares_of,
};
