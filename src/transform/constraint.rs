//! Constraints on one number: the map from the real line, its inverse and its log Jacobian.

use crate::num::Real;

/// The set that a number lies in. The maps are those of the Stan Reference Manual, "Constraint Transforms".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constraint<R> {
    /// All reals: the identity.
    Real,
    /// (0, ∞): y = eˣ.
    Positive,
    /// (0, 1): y = inv_logit(x).
    Unit,
    /// (lower, upper): y = lower + (upper − lower)·inv_logit(x).
    Interval {
        /// The lower end, in the parameter's units.
        lower: R,
        /// The upper end, above the lower one.
        upper: R,
    },
}

impl<R: Real> Constraint<R> {
    /// The number for an unconstrained `x`.
    pub fn constrain(&self, x: &R) -> R {
        match self {
            Constraint::Real => x.clone(),
            Constraint::Positive => x.exp(),
            Constraint::Unit => x.inv_logit(),
            Constraint::Interval { lower, upper } => {
                lower.clone() + (upper.clone() - lower.clone()) * x.inv_logit()
            }
        }
    }

    /// ln |dy/dx| at the unconstrained `x`; none where it is 0 everywhere.
    pub fn log_abs_det_jacobian(&self, x: &R) -> Option<R> {
        match self {
            Constraint::Real => None,
            Constraint::Positive => Some(x.clone()),
            Constraint::Unit => Some(log_inv_logit_slope(x)),
            Constraint::Interval { lower, upper } => {
                Some((upper.clone() - lower.clone()).ln() + log_inv_logit_slope(x))
            }
        }
    }

    /// The unconstrained number for `y` inside the set; ±∞ on its border, NaN outside.
    pub fn unconstrain(&self, y: &R) -> R {
        match self {
            Constraint::Real => y.clone(),
            Constraint::Positive => y.ln(),
            Constraint::Unit => y.ln() - (-y.clone()).log1p(),
            Constraint::Interval { lower, upper } => {
                (y.clone() - lower.clone()).ln() - (upper.clone() - y.clone()).ln()
            }
        }
    }
}

/// ln(p·(1 − p)) for p = inv_logit(x), without overflow.
fn log_inv_logit_slope<R: Real>(x: &R) -> R {
    x.clone() - x.lit(2.0) * x.softplus()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn constraint() -> impl Strategy<Value = Constraint<f64>> {
        prop_oneof![
            Just(Constraint::Real),
            Just(Constraint::Positive),
            Just(Constraint::Unit),
            (-5.0..5.0, 0.1..10.0).prop_map(|(lower, width): (f64, f64)| Constraint::Interval {
                lower,
                upper: lower + width
            }),
        ]
    }

    proptest! {
        #[test]
        fn unconstrain_undoes_constrain(constraint in constraint(), x in -6.0..6.0) {
            let back = constraint.unconstrain(&constraint.constrain(&x));
            // Near the upper end of an interval, 1 − p ≥ e⁻⁶ loses at most 400 ulp of the ends, 5/0.1 times magnified.
            prop_assert!((back - x).abs() < 1e-10, "{} {}", x, back);
        }

        #[test]
        fn the_jacobian_is_the_slope(constraint in constraint(), x in -4.0..4.0) {
            let h = 1e-5;
            let slope = (constraint.constrain(&(x + h)) - constraint.constrain(&(x - h))) / (2.0 * h);
            let jacobian = constraint.log_abs_det_jacobian(&x).unwrap_or(0.0);
            // Truncation h²/6 and rounding ε·|y|/(h·slope), at most 1e-15·5/(1e-5·1e-3).
            prop_assert!((jacobian - slope.ln()).abs() < 1e-6, "{} {}", jacobian, slope.ln());
        }

        #[test]
        fn values_lie_in_the_set(constraint in constraint(), x in -30.0..30.0) {
            let y = constraint.constrain(&x);
            let inside = match constraint {
                Constraint::Real => true,
                Constraint::Positive => y > 0.0,
                Constraint::Unit => y > 0.0 && y < 1.0,
                // Far out the ends themselves are reached by rounding.
                Constraint::Interval { lower, upper } => y >= lower && y <= upper,
            };
            prop_assert!(inside, "{}", y);
        }
    }

    #[test]
    fn far_out_the_jacobian_of_a_probability_stays_finite() {
        let jacobian = Constraint::Unit.log_abs_det_jacobian(&800.0);
        assert_eq!(jacobian, Some(-800.0));
    }
}
