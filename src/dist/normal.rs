//! Normal(mean, sd): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use crate::num::Real;

const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// −½((y − mean)/sd)² − ln sd − ½ ln 2π.
pub(super) fn lpdf<R: Real>(y: &R, mean: &R, sd: &R) -> R {
    let z = (y.clone() - mean.clone()) / sd.clone();
    -(z.square() * z.lit(0.5)) - sd.ln() - z.lit(HALF_LN_2PI)
}
