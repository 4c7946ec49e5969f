//! Starting points: one dispersed centre per superchain, a small jitter per chain, retried until the density is finite.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::phase_space::{Hamiltonian, Point};
use super::settings::Layout;
use crate::back::evaluate::Density;
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};

/// Half width of the uniform that centres come from, on the unconstrained scale.
const SPREAD: f64 = 2.0;
/// Standard deviation of a chain's jitter around its centre.
const JITTER: f64 = 0.05;
/// Tries per starting point.
const ATTEMPTS: u32 = 100;

/// Starting positions, `[chain][dim]`, of the superchains of `layout`.
///
/// A superchain starts around one centre, uniform on (−2, 2) per coordinate, as
/// nested R-hat asks (Margossian et al. 2024, section 2); with one chain per superchain there is no jitter. The k-th
/// try shrinks both by the factor 1 − k/100, so that the last ones lie next to the origin. Each `round` has other points.
///
/// # Errors
///
/// [`crate::error::Kind::User`] if after 100 tries some chain's log density or gradient is still not finite.
pub fn starting_positions(
    density: &dyn Density,
    seed: u64,
    replicate: u32,
    layout: Layout,
    round: u32,
) -> Result<Vec<f64>> {
    let Layout {
        ensembles,
        chains_per_ensemble,
    } = layout;
    let dim = density.dim();
    let mut system = Hamiltonian::new(density);
    let mut point = Point::new(dim);
    let mut positions = Vec::with_capacity(ensembles * chains_per_ensemble * dim);
    'ensembles: for ensemble in 0..ensembles {
        let begin = positions.len();
        'attempts: for attempt in 0..ATTEMPTS {
            let stream = |chain: usize, purpose| Stream {
                seed,
                replicate,
                chain: chain as u32,
                iteration: round * ATTEMPTS + attempt,
                purpose,
            };
            let shrink = 1.0 - f64::from(attempt) / f64::from(ATTEMPTS);
            positions.truncate(begin);
            let mut rng = stream(ensemble, Purpose::Initial).rng();
            let centre: Vec<f64> = (0..dim)
                .map(|_| shrink * SPREAD * (2.0 * rng.random::<f64>() - 1.0))
                .collect();
            for member in 0..chains_per_ensemble {
                point.position.copy_from_slice(&centre);
                if chains_per_ensemble > 1 {
                    let chain = ensemble * chains_per_ensemble + member;
                    let mut rng = stream(chain, Purpose::Jitter).rng();
                    for x in &mut point.position {
                        let normal: f64 = rng.sample(StandardNormal);
                        *x += shrink * JITTER * normal;
                    }
                }
                system.evaluate(&mut point);
                if !point.log_density.is_finite() || point.gradient.iter().any(|g| !g.is_finite()) {
                    continue 'attempts;
                }
                positions.extend_from_slice(&point.position);
            }
            continue 'ensembles;
        }
        return Err(no_start(&point));
    }
    Ok(positions)
}

/// The error for a density that is nowhere finite, with the last point tried.
fn no_start(point: &Point) -> Error {
    let what = match point.gradient.iter().position(|g| !g.is_finite()) {
        Some(i) if point.log_density.is_finite() => {
            format!("the gradient's coordinate {i} is {} there", point.gradient[i])
        }
        Some(_) | None => format!("the log density is {} there", point.log_density),
    };
    Error::user(format!(
        "no starting point found: {ATTEMPTS} random points within ±{SPREAD} on the unconstrained scale were tried, \
         the last next to 0, and {what}"
    ))
    .with_help(
        "check that the outcome's values are possible under its distribution, that a sum of effects which is a \
         probability or a rate stands under its link (`logit(p) = …`, `log(mu) = …`), and that the priors keep scales \
         and probabilities away from impossible values",
    )
}
