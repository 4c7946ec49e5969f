//! Moving moments of an ensemble's positions: variances and the largest eigenvalue of the whitened covariance.

use crate::num::sum::sum_pairs;
use crate::sampler::low_rank::Direction;
use crate::sampler::vectors::{add_scaled, dot};

/// Chains whose positions in two iterations, the shortest window, estimate a variance: as many as ensembles have unless
/// there are not as many.
const ENOUGH: usize = 8;

/// Mean and variance of every coordinate over a window that grows with the run.
///
/// Every iteration counts its chains as one batch of weight 1/(n + 1), n ← min(n + 1, max(1, step/8)): the estimate
/// forgets whatever is older than about an eighth of the run, so a bad early one never stays (Sountsov, Hoffman 2021,
/// section 3.3).
#[derive(Debug, Clone)]
pub(crate) struct MovingMoments {
    chains: usize,
    /// n, iterations that the window holds; 0 before the first.
    window: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
    /// Of the last batch alone.
    batch_mean: Vec<f64>,
    batch_variance: Vec<f64>,
}

impl MovingMoments {
    /// Moments of `dim` coordinates over `chains` chains.
    pub(crate) fn new(dim: usize, chains: usize) -> Self {
        Self {
            chains,
            window: 0.0,
            mean: vec![0.0; dim],
            variance: vec![0.0; dim],
            batch_mean: vec![0.0; dim],
            batch_variance: vec![0.0; dim],
        }
    }

    /// The weight that [`MovingMoments::update`] gave to the last batch.
    pub(crate) fn weight(&self) -> f64 {
        1.0 / (self.window + 1.0)
    }

    /// The means, `[dim]`.
    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Counts `positions`, `[chain][dim]`, of the `step`-th iteration of warm-up.
    pub(crate) fn update(&mut self, step: u32, positions: &[f64]) {
        let dim = self.mean.len();
        let is_first = self.window == 0.0;
        self.window = (self.window + 1.0).min((f64::from(step) / 8.0).max(1.0));
        let weight = if is_first { 1.0 } else { self.weight() };
        // Position after position, as they lie in memory.
        let count = self.chains as f64;
        self.batch_mean.fill(0.0);
        for position in positions.chunks_exact(dim) {
            for (sum, x) in self.batch_mean.iter_mut().zip(position) {
                *sum += x;
            }
        }
        self.batch_mean.iter_mut().for_each(|sum| *sum /= count);
        self.batch_variance.fill(0.0);
        for position in positions.chunks_exact(dim) {
            for ((sum, x), mean) in self.batch_variance.iter_mut().zip(position).zip(&self.batch_mean) {
                *sum += (x - mean) * (x - mean);
            }
        }
        for i in 0..dim {
            let shift = self.batch_mean[i] - self.mean[i];
            let variance = self.batch_variance[i] / count;
            self.mean[i] += weight * shift;
            // The variance of the mixture of window and batch.
            self.variance[i] +=
                weight * (variance - self.variance[i]) + weight * (1.0 - weight) * shift * shift;
        }
    }

    /// Replaces the moments of some `coordinates`, whose meaning has changed; they count as the window's.
    pub(crate) fn replace(&mut self, coordinates: &[usize], mean: &[f64], variance: &[f64]) {
        for ((&i, mean), variance) in coordinates.iter().zip(mean).zip(variance) {
            self.mean[i] = *mean;
            self.variance[i] = *variance;
        }
    }

    /// Writes the variances. Fewer than [`ENOUGH`] chains have theirs shrunk as Stan's single ones have,
    /// (N s² + 5 · 10⁻³) / (N + 5) with N positions in the window; more need no help, and that absolute share would swamp
    /// what a long table knows to four digits.
    pub(crate) fn regularised(&self, inv_mass: &mut [f64]) {
        let share = if self.chains < ENOUGH { 5.0 } else { 0.0 };
        let count = self.chains as f64 * (self.window + 1.0);
        for (v, variance) in inv_mass.iter_mut().zip(&self.variance) {
            let shrunk = (count * variance + share * 1e-3) / (count + share);
            // A metric is positive, in f32 too, even where all positions are the same.
            *v = shrunk.max(f64::from(f32::MIN_POSITIVE));
        }
    }
}

/// The largest eigenvalue of the covariance of whitened positions, by a batched Oja iteration in two halves.
///
/// Either half of the chains, those of even and of odd number, has a direction of its own, which follows the amnesic
/// power iteration u ← (1 − w) u + w · mean(x (x·u/|u|)) (Weng, Zhang, Hwang 2003, equation 4); the eigenvalue is a moving
/// mean of (x·u/|u|)² over the chains of the other half. A direction is full of the noise of its own chains, which move
/// little from one iteration to the next: measured on them, the eigenvalue of 2,000 independent coordinates came out as 7.
#[derive(Debug, Clone)]
pub(crate) struct LargestEigenvalue {
    directions: [Vec<f64>; 2],
    value: f64,
    /// What no estimate is below.
    least: f64,
    sd: Vec<f64>,
    /// The unit directions over the standard deviations: their products with a deviation are those of the whitened one.
    duals: [Vec<f64>; 2],
    deviation: Vec<f64>,
    batches: [Vec<f64>; 2],
}

impl LargestEigenvalue {
    /// Begins with the estimate `value`.
    pub(crate) fn new(dim: usize, value: f64) -> Self {
        let direction = vec![1.0 / (dim as f64).sqrt(); dim];
        Self {
            directions: [direction.clone(), direction],
            value,
            least: value.min(1.0),
            sd: vec![1.0; dim],
            duals: [vec![0.0; dim], vec![0.0; dim]],
            deviation: vec![0.0; dim],
            batches: [vec![0.0; dim], vec![0.0; dim]],
        }
    }

    /// Counts `positions`, `[chain][dim]`, whitened by their means and by the metric of the diagonal `inv_mass` and the
    /// orthonormal `metric` directions on its scale, with the moments' weight.
    pub(crate) fn update(
        &mut self,
        moments: &MovingMoments,
        inv_mass: &[f64],
        metric: &[Direction],
        positions: &[f64],
    ) {
        let dim = self.deviation.len();
        for (sd, v) in self.sd.iter_mut().zip(inv_mass) {
            *sd = v.sqrt();
        }
        for (dual, direction) in self.duals.iter_mut().zip(&self.directions) {
            let norm = dot(direction, direction).sqrt();
            dual.copy_from_slice(direction);
            metric.iter().for_each(|factor| factor.apply_inverse(dual));
            for (dual, sd) in dual.iter_mut().zip(&self.sd) {
                *dual /= norm * sd;
            }
        }
        for batch in &mut self.batches {
            batch.fill(0.0);
        }
        let (mut squares, mut counts) = (0.0, [0.0f64; 2]);
        for (chain, position) in positions.chunks_exact(dim).enumerate() {
            for ((deviation, x), mean) in self.deviation.iter_mut().zip(position).zip(&moments.mean) {
                *deviation = x - mean;
            }
            let (own, other) = (chain % 2, 1 - chain % 2);
            let onto = |dual: &[f64]| sum_pairs(&self.deviation, dual, |a, b| a * b);
            squares += onto(&self.duals[other]).powi(2);
            let projection = onto(&self.duals[own]);
            counts[own] += 1.0;
            add_scaled(projection, &self.deviation, &mut self.batches[own]);
        }
        let weight = moments.weight();
        self.value += weight * (squares / (counts[0] + counts[1]) - self.value);
        for ((direction, batch), count) in self.directions.iter_mut().zip(&mut self.batches).zip(counts) {
            // A single chain leaves the other half without any.
            if count > 0.0 {
                for (sum, sd) in batch.iter_mut().zip(&self.sd) {
                    *sum /= count * sd;
                }
                metric.iter().for_each(|factor| factor.apply_inverse(batch));
                for (u, mean) in direction.iter_mut().zip(batch) {
                    *u += weight * (*mean - *u);
                }
            }
        }
    }

    /// The estimate; at least 1, as the largest eigenvalue of a correlation matrix is, or the value that it began with if
    /// the metric is not the diagonal of the variances alone and this is less.
    pub(crate) fn value(&self) -> f64 {
        self.value.max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// Positions of 16 chains at one step: equicorrelated with correlation `rho`, scale `sd[i]`, shifted by `offset`.
    fn batch(step: u32, sd: &[f64], rho: f64, offset: f64) -> Vec<f64> {
        let dim = sd.len();
        let mut z = vec![0.0; 16 * (dim + 1)];
        Stream {
            seed: 5,
            replicate: 0,
            chain: 0,
            iteration: step,
            purpose: Purpose::Predictive,
        }
        .fill_normal(&mut z);
        let mut positions = Vec::new();
        for row in z.chunks_exact(dim + 1) {
            for i in 0..dim {
                let x = rho.sqrt() * row[dim] + (1.0 - rho).sqrt() * row[i];
                positions.push(offset + sd[i] * x);
            }
        }
        positions
    }

    #[test]
    fn variances_and_largest_eigenvalue_of_an_equicorrelated_normal() {
        let sd: Vec<f64> = (0..10).map(|i| 10f64.powi(i % 3)).collect();
        let rho = 0.5;
        let mut moments = MovingMoments::new(10, 16);
        let mut eigen = LargestEigenvalue::new(10, 1.0);
        let mut inv_mass = vec![1.0; 10];
        for step in 0..400 {
            let positions = batch(step, &sd, rho, 7.0);
            moments.update(step, &positions);
            moments.regularised(&mut inv_mass);
            eigen.update(&moments, &inv_mass, &[], &positions);
        }
        // An exponential window of n = 50 batches of 16: a variance's relative standard error is √(2/1600); 4.5 of them.
        let bound = 4.5 * (2.0f64 / 1600.0).sqrt();
        for i in 0..10 {
            assert!(
                (inv_mass[i] / (sd[i] * sd[i]) - 1.0).abs() < bound,
                "variance {i}"
            );
        }
        // λ = 1 + 9ρ = 5.5; its own standard error, plus the whitening's.
        assert!(
            (eigen.value() / 5.5 - 1.0).abs() < 2.0 * bound,
            "λ = {}",
            eigen.value()
        );
    }

    /// 16 chains that stay where they are, in 2,000 dimensions without any correlation.
    #[test]
    fn chains_that_hardly_move_are_no_long_direction() {
        let dim = 2000;
        let there = batch(0, &vec![1.0; dim], 0.0, 0.0);
        let mut moments = MovingMoments::new(dim, 16);
        let mut eigen = LargestEigenvalue::new(dim, 1.0);
        let inv_mass = vec![1.0; dim];
        for step in 0..100 {
            moments.update(step, &there);
            eigen.update(&moments, &inv_mass, &[], &there);
        }
        // Projections of one half are G p, p a unit vector and G the 8 by 8 scalar products with the other half over
        // √dim, nearly standard normals: their squares add up to less than G's largest singular value squared, (2√8)²,
        // shared by 8 chains. A chain on its own direction would have dim / 16 = 125.
        assert!(eigen.value() < 8.0, "λ = {}", eigen.value());
    }

    /// Batches whose means alternate between −2 and 2 around chains of variance 1 have variance 5 together.
    #[test]
    fn movement_of_the_whole_ensemble_counts_as_variance() {
        let mut moments = MovingMoments::new(3, 16);
        for step in 0..400 {
            let offset = if step % 2 == 0 { 2.0 } else { -2.0 };
            moments.update(step, &batch(step, &[1.0; 3], 0.0, offset));
        }
        let mut inv_mass = [0.0; 3];
        moments.regularised(&mut inv_mass);
        // Within: a relative standard error √(2/1600) as above. Between: the batch means' errors of sd ¼ on ±2 make a
        // standard error of 2·2·¼/√100; 4.5 of both.
        let bound = 4.5 * ((2.0f64 / 1600.0).sqrt() + 0.1);
        assert!(inv_mass.iter().all(|v| (v - 5.0).abs() < bound), "{inv_mass:?}");
    }

    #[test]
    fn a_bad_early_estimate_is_forgotten() {
        let sd = [1.0; 3];
        let mut moments = MovingMoments::new(3, 16);
        for step in 0..20 {
            moments.update(step, &batch(step, &[1e-3; 3], 0.0, 1e4));
        }
        for step in 20..400 {
            moments.update(step, &batch(step, &sd, 0.0, 0.0));
        }
        let mut inv_mass = [0.0; 3];
        moments.regularised(&mut inv_mass);
        let bound = 4.5 * (2.0f64 / 1600.0).sqrt();
        assert!(inv_mass.iter().all(|v| (v - 1.0).abs() < bound), "{inv_mass:?}");
    }
}
