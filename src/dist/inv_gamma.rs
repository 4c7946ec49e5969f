//! InvGamma(shape, scale): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "InvGamma",
    arguments: &[
        Argument {
            name: "shape",
            aliases: &["alpha"],
            role: Role::Positive,
        },
        Argument {
            name: "scale",
            aliases: &["beta"],
            role: Role::Positive,
        },
    ],
    support: Support::Positive,
    formula: "shape·ln scale − ln Γ(shape) − (shape + 1) ln y − scale/y",
};

/// shape·ln scale − ln Γ(shape) − (shape + 1) ln y − scale/y.
pub(super) fn lpdf<R: Real>(y: &R, shape: &R, scale: &R) -> R {
    shape.clone() * scale.ln()
        - shape.lgamma()
        - (shape.clone() + y.lit(1.0)) * y.ln()
        - scale.clone() / y.clone()
}

/// The mean; none where it is not finite.
pub(super) fn mean(shape: f64, scale: f64) -> Option<f64> {
    (shape > 1.0).then(|| scale / (shape - 1.0))
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, shape: f64, scale: f64) -> Result<f64, String> {
    Ok(scale / super::gamma::standard(rng, shape)?)
}
