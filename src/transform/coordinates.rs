//! Coordinates: how a block of the position stands for a parameter, and what that adds to the log density.
//!
//! A coordinate maps elementwise. An effect of a location-scale family is either its own coordinate (centred, the
//! identity) or stands as its standardised value z (non-centred), θ = location + scale·z: Papaspiliopoulos, Roberts,
//! Sköld (2007), A general framework for the parametrization of hierarchical models, Statistical Science 22, 59–73.
//! Between the two lies the centring weight λ (Gorinova, Moore, Hoffman 2020, "Automatic Reparameterisation of
//! Probabilistic Programs"), here with a centre of choice: where an effect is used together with an intercept, the
//! coordinate with λ = 1 is their total, which leaves the ridge between the two.

use super::Constraint;
use crate::dist::Family;
use crate::num::Real;

/// Intervals of the grid of centring weights: λ = code/10, code 0 non-centred, code 10 centred.
pub const CENTRING_STEPS: u32 = 10;

/// The centring weight that a code stands for.
pub fn centring_weight(code: u32) -> f64 {
    f64::from(code) / f64::from(CENTRING_STEPS)
}

/// How a coordinate of the position stands for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Coordinate<R> {
    /// Through a constraint; [`Constraint::Real`] is the parameter itself (a centred effect).
    Constrained(Constraint<R>),
    /// The standardised effect: parameter = location + scale·position.
    Noncentred {
        /// Where the effects lie, in the parameter's units.
        location: R,
        /// How far they spread, in the parameter's units, above 0.
        scale: R,
    },
    /// Between standardised and centred: position = λ·centre + scale^λ·ξ, parameter = location + scale·ξ.
    Weighted {
        /// Where the effects lie, in the parameter's units.
        location: R,
        /// How far they spread, in the parameter's units, above 0.
        scale: R,
        /// Where the coordinates lie at λ = 1: the location, plus any number that is added to the effect.
        centre: R,
        /// λ, 1 centred … 0 non-centred.
        weight: R,
        /// scale^−λ, see [`inv_power`].
        inv_power: R,
    },
}

/// scale^−λ of a [`Coordinate::Weighted`].
pub fn inv_power<R: Real>(scale: &R, weight: &R) -> R {
    (-(weight.clone() * scale.ln())).exp()
}

/// The standardised effect ξ of a [`Coordinate::Weighted`].
fn standardised<R: Real>(position: &R, centre: &R, weight: &R, inv_power: &R) -> R {
    inv_power.clone() * (position.clone() - weight.clone() * centre.clone())
}

impl<R: Real> Coordinate<R> {
    /// The parameter at `position`.
    pub fn value(&self, position: &R) -> R {
        match self {
            Coordinate::Constrained(constraint) => constraint.constrain(position),
            Coordinate::Noncentred { location, scale } => location.clone() + scale.clone() * position.clone(),
            Coordinate::Weighted {
                location,
                scale,
                centre,
                weight,
                inv_power,
            } => location.clone() + scale.clone() * standardised(position, centre, weight, inv_power),
        }
    }

    /// The coordinate of a parameter's `value`.
    pub fn position(&self, value: &R) -> R {
        match self {
            Coordinate::Constrained(constraint) => constraint.unconstrain(value),
            Coordinate::Noncentred { location, scale } => (value.clone() - location.clone()) / scale.clone(),
            Coordinate::Weighted {
                location,
                scale,
                centre,
                weight,
                inv_power,
            } => {
                let effect = (value.clone() - location.clone()) / scale.clone();
                weight.clone() * centre.clone() + effect / inv_power.clone()
            }
        }
    }

    /// The standardised effect at `position`; none for a coordinate that does not standardise.
    pub fn standardised(&self, position: &R) -> Option<R> {
        match self {
            Coordinate::Constrained(_) => None,
            Coordinate::Noncentred { .. } => Some(position.clone()),
            Coordinate::Weighted {
                centre,
                weight,
                inv_power,
                ..
            } => Some(standardised(position, centre, weight, inv_power)),
        }
    }

    /// The prior's log density with respect to the position: that of the parameter, with the log Jacobian.
    ///
    /// With θ = m + s·z the density of z is s·f((θ − m)/s)/s: the family at its standard arguments, so that no scale
    /// is divided by and multiplied again.
    ///
    /// # Panics
    /// If `arguments` has not one value for each of [`Family::arguments`], or a family that is not of location and
    /// scale stands in a coordinate that standardises.
    pub fn log_density(&self, family: Family, position: &R, arguments: &[R]) -> R {
        match self {
            Coordinate::Constrained(constraint) => {
                let density = family.log_density(&constraint.constrain(position), arguments);
                match constraint.log_abs_det_jacobian(position) {
                    Some(jacobian) => density + jacobian,
                    None => density,
                }
            }
            Coordinate::Noncentred { .. } => standard_log_density(family, position, arguments),
            // With the position η, dξ/dη = scale^−λ.
            Coordinate::Weighted {
                scale,
                centre,
                weight,
                inv_power,
                ..
            } => {
                let effect = standardised(position, centre, weight, inv_power);
                standard_log_density(family, &effect, arguments) - weight.clone() * scale.ln()
            }
        }
    }
}

/// The log density of the standardised effect: the family with location 0 and scale 1.
fn standard_log_density<R: Real>(family: Family, effect: &R, arguments: &[R]) -> R {
    let (location, scale) =
        standard_arguments(family).expect("only families of location and scale are standardised");
    let mut standard = arguments.to_vec();
    standard[location] = effect.lit(0.0);
    standard[scale] = effect.lit(1.0);
    family.log_density(effect, &standard)
}

/// The places of location and scale among the arguments of a location-scale family; none for other families.
pub fn standard_arguments(family: Family) -> Option<(usize, usize)> {
    match family {
        Family::Normal | Family::Cauchy | Family::Logistic | Family::Laplace => Some((0, 1)),
        Family::StudentT => Some((1, 2)),
        Family::HalfNormal
        | Family::HalfCauchy
        | Family::HalfStudentT
        | Family::Exponential
        | Family::Gamma
        | Family::InvGamma
        | Family::Beta
        | Family::Uniform
        | Family::LogNormal
        | Family::Weibull
        | Family::Binomial
        | Family::Bernoulli
        | Family::Poisson
        | Family::NegBinomial
        | Family::Geometric
        | Family::BetaBinomial => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Families of location and scale with the arguments 3.5, −0.7, 1.8 in their places.
    fn families() -> impl Iterator<Item = (Family, Vec<f64>)> {
        Family::ALL.iter().filter_map(|&family| {
            let (location, scale) = standard_arguments(family)?;
            let mut arguments = vec![3.5; family.arguments().len()];
            arguments[location] = -0.7;
            arguments[scale] = 1.8;
            Some((family, arguments))
        })
    }

    #[test]
    fn the_location_scale_families_are_those_on_the_whole_line() {
        let names: Vec<&str> = families().map(|(family, _)| family.name()).collect();
        assert_eq!(names, ["Normal", "Cauchy", "StudentT", "Logistic", "Laplace"]);
        for family in Family::ALL {
            if let Some((_, scale)) = standard_arguments(*family) {
                assert_eq!(family.arguments()[scale].role, crate::dist::Role::Positive);
            }
        }
    }

    proptest! {
        #[test]
        fn both_centrings_are_the_same_distribution(z in -4.0..4.0) {
            for (family, arguments) in families() {
                let noncentred = Coordinate::Noncentred { location: -0.7, scale: 1.8 };
                let effect = noncentred.value(&z);
                prop_assert!((noncentred.position(&effect) - z).abs() < 1e-14);
                // Densities with respect to z and to the effect differ by the scale.
                let centred = Coordinate::Constrained(Constraint::Real).log_density(family, &effect, &arguments);
                let difference = noncentred.log_density(family, &z, &arguments) - centred;
                prop_assert!((difference - 1.8_f64.ln()).abs() < 1e-13, "{:?} {}", family, difference);
            }
        }

        #[test]
        fn every_weight_is_the_same_distribution(z in -4.0..4.0, weight in 0.0..=1.0) {
            for (family, arguments) in families() {
                let noncentred = Coordinate::Noncentred { location: -0.7, scale: 1.8 };
                let weighted = Coordinate::Weighted {
                    location: -0.7,
                    scale: 1.8,
                    centre: 2.3,
                    weight,
                    inv_power: inv_power(&1.8, &weight),
                };
                let effect = noncentred.value(&z);
                let position = weighted.position(&effect);
                prop_assert!((position - (weight * 2.3 + 1.8_f64.powf(weight) * z)).abs() < 1e-13);
                prop_assert!((weighted.value(&position) - effect).abs() < 1e-13);
                // dz/dη = scale^−λ.
                let difference = weighted.log_density(family, &position, &arguments)
                    - noncentred.log_density(family, &z, &arguments);
                prop_assert!((difference + weight * 1.8_f64.ln()).abs() < 1e-12, "{:?} {}", family, difference);
            }
        }

        #[test]
        fn a_constrained_prior_counts_its_jacobian(x in -3.0..3.0) {
            let on_log_scale = Coordinate::Constrained(Constraint::Positive).log_density(Family::Exponential, &x, &[2.0]);
            let expected = 2.0_f64.ln() - 2.0 * x.exp() + x;
            prop_assert!((on_log_scale - expected).abs() < 1e-12);
        }
    }
}
