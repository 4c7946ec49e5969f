//! Derivatives of a program by finite differences, with an estimate of their error.

use tadpool::back::reference;
use tadpool::ir::Program;

/// A derivative, and how far it may be off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slope {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

/// Central differences at h, h/2 and h/4 with Richardson's extrapolation (error h⁴), h narrowed until the estimate is
/// sharp: a kink of |x|, min or max within h spoils wide ones, rounding narrow ones.
///
/// The estimated error is the change between the two extrapolations, fifteen times the leading term of the better one's
/// truncation, plus rounding: the sums of `size` (Σ|terms|) err by a few units of 2⁻⁵³, and the extrapolation
/// multiplies that by up to 4/(h/4).
pub(crate) fn slope(density: &Program, position: &[f64], coordinate: usize, size: f64) -> Slope {
    let mut moved = position.to_vec();
    let mut at = |offset: f64| {
        moved[coordinate] = position[coordinate] + offset;
        reference::evaluate(density, &moved).map_or(f64::NAN, |found| found.log_density)
    };
    let mut best = Slope {
        value: f64::NAN,
        error: f64::INFINITY,
    };
    for exponent in [6, 9, 12, 15] {
        let h = 0.5f64.powi(exponent);
        let mut central = |h: f64| (at(h) - at(-h)) / (2.0 * h);
        let (wide, middle, narrow) = (central(h), central(h / 2.0), central(h / 4.0));
        let coarse = middle + (middle - wide) / 3.0;
        let value = narrow + (narrow - middle) / 3.0;
        let error = (value - coarse).abs() + 16.0 * f64::EPSILON * (1.0 + size) * 4.0 / h;
        if error < best.error {
            best = Slope { value, error };
        }
        if best.error < 1e-8 * (1.0 + value.abs()) {
            break;
        }
    }
    best
}
