//! Dual averaging of the log step size towards a target acceptance (Hoffman & Gelman 2014, section 3.2, equation 6).

/// Weight of the shrinkage towards μ, γ.
const SHRINKAGE: f64 = 0.05;
/// Iterations by which the first errors are damped, t₀.
const DELAY: f64 = 10.0;
/// Exponent by which the average forgets, κ.
const FORGETTING: f64 = 0.75;

/// The state of one dual averaging: feed it acceptance statistics, read the step size.
#[derive(Debug, Clone)]
pub struct DualAveraging {
    target: f64,
    /// μ, by default ln(10 ε₀): the log step size that the iterates shrink towards.
    centre: f64,
    /// t, the number of updates.
    count: f64,
    /// H̄, the damped mean of target − accept_prob.
    mean_error: f64,
    log_step: f64,
    log_step_averaged: f64,
}

impl DualAveraging {
    /// Starts at `step_size` (> 0), aiming at the acceptance `target` in (0, 1).
    pub fn new(step_size: f64, target: f64) -> Self {
        let near = Self::near(step_size, target);
        Self {
            centre: near.centre + 10f64.ln(),
            ..near
        }
    }

    /// Starts at a `step_size` that is known to be about right: iterates shrink towards it, μ = ln ε₀, and do not begin
    /// with steps ten times as long.
    pub(crate) fn near(step_size: f64, target: f64) -> Self {
        let log_step = step_size.ln();
        Self {
            target,
            centre: log_step,
            count: 0.0,
            mean_error: 0.0,
            log_step,
            log_step_averaged: log_step,
        }
    }

    /// Learns from one iteration's acceptance statistic in [0, 1]; a NaN counts as 0.
    pub fn update(&mut self, accept_prob: f64) {
        let accept = if accept_prob.is_nan() {
            0.0
        } else {
            accept_prob.min(1.0)
        };
        self.count += 1.0;
        let weight = 1.0 / (self.count + DELAY);
        self.mean_error += weight * (self.target - accept - self.mean_error);
        self.log_step = self.centre - self.count.sqrt() / SHRINKAGE * self.mean_error;
        let forget = self.count.powf(-FORGETTING);
        self.log_step_averaged += forget * (self.log_step - self.log_step_averaged);
    }

    /// The step size to explore with in the next warm-up iteration.
    pub fn step_size(&self) -> f64 {
        self.log_step.exp()
    }

    /// The averaged step size, for sampling after warm-up.
    pub fn averaged(&self) -> f64 {
        self.log_step_averaged.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// Acceptance falls as exp(−ε/s) with noise: the step size that gives the target is −s·ln(target).
    #[test]
    fn converges_to_the_target_acceptance() {
        for (scale, target) in [(1.0, 0.8), (1e-3, 0.8), (50.0, 0.95), (1.0, 0.6)] {
            let mut noise = vec![0.0; 2000];
            Stream {
                seed: 1,
                replicate: 0,
                chain: 0,
                iteration: 0,
                purpose: Purpose::Jitter,
            }
            .fill_normal(&mut noise);
            let mut adapt = DualAveraging::new(0.3, target);
            for z in &noise {
                let accept = (-adapt.step_size() / scale).exp() + 0.1 * z;
                adapt.update(accept.clamp(0.0, 1.0));
            }
            let reached = (-adapt.averaged() / scale).exp();
            // Clipped noise of sd .1 over an average of some hundreds of iterations: sd .01, and a small bias of
            // the clipping at 1 for the high target.
            assert!(
                (reached - target).abs() < 0.04,
                "target {target}, reached {reached}"
            );
        }
    }

    #[test]
    fn too_low_acceptance_shrinks_the_step_and_too_high_grows_it() {
        let mut shrinking = DualAveraging::new(0.1, 0.8);
        let mut growing = DualAveraging::new(0.1, 0.8);
        for _ in 0..20 {
            shrinking.update(f64::NAN);
            growing.update(1.0);
        }
        assert!(shrinking.step_size() < 0.1);
        assert!(growing.step_size() > 1.0);
    }
}
