//! The first step size of a NUTS chain: doubled or halved until one leapfrog step crosses the target acceptance.
//!
//! Hoffman & Gelman 2014, algorithm 4, with Stan's threshold .8 and a new momentum per trial.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::phase_space::{Hamiltonian, Point};
use crate::rng::{Purpose, Stream};

/// Acceptance of a single step that the search crosses.
const THRESHOLD: f64 = 0.8;
/// Bounds of what is returned: beyond them the density is flat or has no scale at all, and dual averaging must decide.
const BOUNDS: (f64, f64) = (1e-9, 1e7);

/// Searches from `start` for a step size at which one leapfrog step from `point` is accepted with about .8.
///
/// `point` holds the evaluated position; `scratch` is overwritten. A start that is wrong by orders of magnitude, or a
/// point far in a tail, costs one gradient per factor of two. `stream` names seed, replicate, chain and iteration.
pub(crate) fn find_step_size(
    system: &mut Hamiltonian<'_>,
    point: &Point,
    scratch: &mut Point,
    start: f64,
    stream: Stream,
) -> f64 {
    let mut step = start.clamp(BOUNDS.0, BOUNDS.1);
    let mut grows = None;
    // A NUTS chain has no ensemble to be jittered in, so this purpose is free for the trial momenta.
    let mut rng = Stream {
        purpose: Purpose::Jitter,
        ..stream
    }
    .rng();
    loop {
        scratch.copy_place(point);
        for p in &mut scratch.momentum {
            *p = rng.sample(StandardNormal);
        }
        system.begin(scratch);
        let before = scratch.energy();
        system.leapfrog(scratch, step);
        let energy_error = scratch.energy() - before;
        let is_accepted = energy_error <= -THRESHOLD.ln();
        if *grows.get_or_insert(is_accepted) != is_accepted {
            return step;
        }
        step *= if is_accepted { 2.0 } else { 0.5 };
        if !(BOUNDS.0..=BOUNDS.1).contains(&step) {
            return step.clamp(BOUNDS.0, BOUNDS.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::targets::{Target, normal};

    fn search(density: &dyn crate::back::evaluate::Density, position: f64, start: f64) -> f64 {
        let dim = density.dim();
        let mut system = Hamiltonian::new(density);
        let (mut point, mut scratch) = (Point::new(dim), Point::new(dim));
        point.position.fill(position);
        system.evaluate(&mut point);
        let stream = Stream {
            seed: 1,
            replicate: 0,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Momentum,
        };
        find_step_size(&mut system, &point, &mut scratch, start, stream)
    }

    /// A leapfrog on a normal of scale s is stable below 2s, and hardly errs below s/8.
    #[test]
    fn any_start_leads_to_the_targets_scale() {
        for scale in [1e-4, 1.0, 1e3] {
            let target = normal(vec![0.0; 10], vec![scale; 10]);
            for start in [1e-8, 1.0, 1e6] {
                let step = search(&target, scale, start) / scale;
                assert!((0.125..4.0).contains(&step), "scale {scale} from {start}: {step}");
            }
        }
    }

    #[test]
    fn densities_without_a_scale_end_the_search() {
        let flat = Target::new(1, |_, gradient| {
            gradient[0] = 0.0;
            0.0
        });
        assert_eq!(search(&flat, 0.0, 1.0), BOUNDS.1);
        let spike = Target::new(1, |q, gradient| {
            gradient[0] = 0.0;
            if q[0] == 0.5 { 0.0 } else { f64::NAN }
        });
        assert_eq!(search(&spike, 0.5, 1.0), BOUNDS.0);
    }
}
