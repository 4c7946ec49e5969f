//! Directions in which a diagonal metric is wrong, found from draws and their gradients.
//!
//! With covariance Σ in place of the identity the Fisher divergence of whitened draws x and gradients g from a normal
//! is tr(Σ C_g) + tr(Σ⁻¹ C_x) up to a constant, C the second moments about the means (Seyboldt, Carlson, Carpenter,
//! "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence"; their low-rank metric takes the geometric
//! mean of the two). Its steepest descent from the identity is C_x − C_g, in which the noise of few draws cancels, since
//! for a normal g = −Σ⁻¹ x. So one direction after another is taken: the unit eigenvector u of C_x − C_g that is largest
//! in size, with the best variance along it, λ = √(u·C_x u / u·C_g u).

use super::vectors::{add_scaled, dot};

/// Directions of a metric at most.
const MOST_DIRECTIONS: usize = 8;
/// Directions whose λ lies between its inverse and this are left to the diagonal.
const CUTOFF: f64 = 2.0;
/// Ratio of largest to smallest λ, 1 included, from which directions pay: the root of it is saved in leapfrog steps, while
/// every direction costs a step 8 flops per coordinate.
const PAYS: f64 = 4.0;
/// Draws below which no direction is sought.
const FEWEST_DRAWS: usize = 30;
/// Draws that are kept.
const KEPT: usize = 256;
/// Coordinates above which no draws are kept: directions are sought among some hundreds.
const MOST_COORDINATES: usize = 1024;
/// Steps of a power iteration: eigenvectors are wanted to some percent.
const POWER_STEPS: usize = 24;

/// The most directions that a metric of `dim` coordinates may have.
pub(crate) fn most_directions(dim: usize) -> usize {
    if dim > MOST_COORDINATES {
        0
    } else {
        MOST_DIRECTIONS.min(dim)
    }
}

/// A symmetric factor I + stretch · u uᵀ of the whitening.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// √λ − 1.
    pub stretch: f64,
    /// u, of length 1, `[dim]`.
    pub unit: Vec<f64>,
}

impl Direction {
    /// Multiplies `values` by the factor.
    pub(crate) fn apply(&self, values: &mut [f64]) {
        add_scaled(self.stretch * dot(&self.unit, values), &self.unit, values);
    }

    /// Multiplies `values` by the factor's inverse.
    pub(crate) fn apply_inverse(&self, values: &mut [f64]) {
        let shrink = 1.0 / (1.0 + self.stretch) - 1.0;
        add_scaled(shrink * dot(&self.unit, values), &self.unit, values);
    }
}

/// Directions in `dim` coordinates as a [`Tuning`](super::samples::Tuning) holds them: stretches and unit vectors, filled
/// up with zeros to as many as there may be.
pub(crate) fn tuned_directions(directions: &[Direction], dim: usize) -> (Vec<f64>, Vec<f64>) {
    let room = most_directions(dim);
    let mut stretches: Vec<f64> = directions.iter().map(|direction| direction.stretch).collect();
    let mut units: Vec<f64> = directions
        .iter()
        .flat_map(|direction| &direction.unit)
        .copied()
        .collect();
    stretches.resize(room, 0.0);
    units.resize(room * dim, 0.0);
    (stretches, units)
}

/// The latest draws with their gradients, in a ring.
#[derive(Debug, Clone)]
pub(crate) struct LatestDraws {
    /// `[draw][dim]` each.
    positions: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
    /// The place of the next draw.
    next: usize,
}

impl LatestDraws {
    pub(crate) fn new() -> Self {
        Self {
            positions: Vec::new(),
            gradients: Vec::new(),
            next: 0,
        }
    }

    /// Keeps a draw in place of the oldest.
    pub(crate) fn add(&mut self, position: &[f64], gradient: &[f64]) {
        if position.len() > MOST_COORDINATES {
            return;
        }
        if self.positions.len() < KEPT {
            self.positions.push(position.to_vec());
            self.gradients.push(gradient.to_vec());
        } else {
            self.positions[self.next].copy_from_slice(position);
            self.gradients[self.next].copy_from_slice(gradient);
        }
        self.next = (self.next + 1) % KEPT;
    }

    pub(crate) fn clear(&mut self) {
        self.positions.clear();
        self.gradients.clear();
        self.next = 0;
    }

    /// The directions in which `scale` (`[dim]`, position units) is wrong by much, each found after the ones before
    /// have been applied; none where they would not pay.
    pub(crate) fn directions(&self, scale: &[f64]) -> Vec<Direction> {
        if self.positions.len() < FEWEST_DRAWS {
            return Vec::new();
        }
        let mut draws = centred(&self.positions);
        let mut gradients = centred(&self.gradients);
        for draw in &mut draws {
            draw.iter_mut().zip(scale).for_each(|(x, s)| *x /= s);
        }
        for gradient in &mut gradients {
            gradient.iter_mut().zip(scale).for_each(|(g, s)| *g *= s);
        }
        let mut found = Vec::new();
        let (mut least, mut largest) = (1.0f64, 1.0f64);
        while found.len() < most_directions(scale.len()) {
            let Some((lambda, unit)) = worst_direction(&draws, &gradients) else {
                break;
            };
            if lambda < CUTOFF && lambda > 1.0 / CUTOFF {
                break;
            }
            least = least.min(lambda);
            largest = largest.max(lambda);
            let direction = Direction {
                stretch: lambda.sqrt() - 1.0,
                unit,
            };
            for draw in &mut draws {
                direction.apply_inverse(draw);
            }
            for gradient in &mut gradients {
                direction.apply(gradient);
            }
            found.push(direction);
        }
        if largest < PAYS * least {
            found.clear();
        }
        found
    }
}

/// The values less their means, `[draw][dim]`.
fn centred(values: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let dim = values.first().map_or(0, Vec::len);
    let mut mean = vec![0.0; dim];
    for value in values {
        add_scaled(1.0 / values.len() as f64, value, &mut mean);
    }
    let mut centred = values.to_vec();
    for value in &mut centred {
        add_scaled(-1.0, &mean, value);
    }
    centred
}

/// λ and u of the eigenvalue of C_x − C_g that is largest by size, by power iteration; none where there is no number to
/// find.
///
/// A long and a narrow direction may be as large as each other, with opposite signs, and iteration ends between them. So
/// it finds how large first, and then either end of the spectrum, shifted by that.
fn worst_direction(draws: &[Vec<f64>], gradients: &[Vec<f64>]) -> Option<(f64, Vec<f64>)> {
    // The draw farthest out has a share in the long directions, its gradient in the narrow ones.
    let farthest = draws
        .iter()
        .zip(gradients)
        .max_by(|a, b| (dot(a.0, a.0) + dot(a.1, a.1)).total_cmp(&(dot(b.0, b.0) + dot(b.1, b.1))))?;
    let mut start: Vec<f64> = farthest.0.iter().zip(farthest.1).map(|(x, g)| x - g).collect();
    normalise(&mut start)?;
    let mut image = vec![0.0; start.len()];
    // Yields the length of the last image.
    let mut iterate = |unit: &mut Vec<f64>, sign: f64, shift: f64| -> Option<f64> {
        let mut length = 0.0;
        for _ in 0..POWER_STEPS {
            image.fill(0.0);
            add_scaled(shift, unit, &mut image);
            for (draw, gradient) in draws.iter().zip(gradients) {
                add_scaled(sign * dot(draw, unit), draw, &mut image);
                add_scaled(-sign * dot(gradient, unit), gradient, &mut image);
            }
            length = dot(&image, &image).sqrt();
            normalise(&mut image)?;
            std::mem::swap(unit, &mut image);
        }
        Some(length)
    };
    let mut mixed = start.clone();
    let size = iterate(&mut mixed, 1.0, 0.0)?;
    let mut best: Option<(f64, Vec<f64>)> = None;
    for sign in [1.0, -1.0] {
        // The mixture has a share in both ends.
        let mut unit = mixed.clone();
        add_scaled(0.1, &start, &mut unit);
        normalise(&mut unit)?;
        if iterate(&mut unit, sign, size).is_none() {
            continue;
        }
        let square = |values: &[Vec<f64>]| -> f64 { values.iter().map(|v| dot(v, &unit).powi(2)).sum() };
        let lambda = (square(draws) / square(gradients)).sqrt();
        let is_better = best
            .as_ref()
            .is_none_or(|(known, _)| lambda.ln().abs() > known.ln().abs());
        if lambda.is_finite() && lambda > 0.0 && is_better {
            best = Some((lambda, unit));
        }
    }
    best
}

/// Scales to length 1; none for a vector without a direction.
pub(super) fn normalise(values: &mut [f64]) -> Option<()> {
    let length = dot(values, values).sqrt();
    if !(length.is_finite() && length > 0.0) {
        return None;
    }
    for value in values {
        *value /= length;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use crate::sampler::posterior_tests::{sample, sample_from, settings};
    use crate::sampler::targets::correlated_normal;
    use crate::sampler::{Sampler, Settings};

    const DIM: usize = 20;

    /// Draws of a normal whose covariance is the identity but for variance λ along each of orthogonal `axes`.
    fn draws(axes: &[(f64, Vec<f64>)], count: u32) -> LatestDraws {
        let mut latest = LatestDraws::new();
        for iteration in 0..count {
            let mut normals = vec![0.0; DIM];
            Stream {
                seed: 5,
                replicate: 0,
                chain: 0,
                iteration,
                purpose: Purpose::Predictive,
            }
            .fill_normal(&mut normals);
            let (mut position, mut gradient) = (normals.clone(), normals.clone());
            for (lambda, unit) in axes {
                let along = dot(&normals, unit);
                add_scaled((lambda.sqrt() - 1.0) * along, unit, &mut position);
                add_scaled((1.0 / lambda.sqrt() - 1.0) * along, unit, &mut gradient);
            }
            gradient.iter_mut().for_each(|g| *g = -*g);
            latest.add(&position, &gradient);
        }
        latest
    }

    /// (1, 1, …)/√20 and (1, −1, …)/√20.
    fn axes(first: f64, second: f64) -> Vec<(f64, Vec<f64>)> {
        let unit = |sign: f64| {
            (0..DIM)
                .map(|i| sign.powi(i as i32) / (DIM as f64).sqrt())
                .collect()
        };
        vec![(first, unit(1.0)), (second, unit(-1.0))]
    }

    #[test]
    fn forty_draws_find_a_long_and_a_narrow_direction() {
        let axes = axes(100.0, 0.04);
        let found = draws(&axes, 40).directions(&[1.0; DIM]);
        assert!(found.len() >= 2, "{found:?}");
        // What the factors leave of the axes would not pay another one; few draws tilt them by some degrees.
        for (lambda, unit) in &axes {
            let mut left: Vec<f64> = unit.iter().map(|u| lambda.sqrt() * u).collect();
            for direction in &found {
                direction.apply_inverse(&mut left);
            }
            let variance = dot(&left, &left);
            assert!(
                (1.0 / PAYS..PAYS).contains(&variance),
                "λ {lambda}: {variance} left"
            );
        }
    }

    /// However few the draws: the noise of draws and gradients is the same.
    #[test]
    fn a_normal_of_the_right_scale_has_no_direction() {
        for count in [30, 60, 300] {
            assert!(draws(&[], count).directions(&[1.0; DIM]).is_empty());
        }
        assert!(draws(&axes(100.0, 0.04), 29).directions(&[1.0; DIM]).is_empty());
    }

    #[test]
    fn directions_that_would_not_pay_are_left_out() {
        assert!(draws(&axes(3.5, 1.0), 100).directions(&[1.0; DIM]).is_empty());
        assert_eq!(draws(&axes(3.5, 0.4), 100).directions(&[1.0; DIM]).len(), 2);
    }

    #[test]
    fn the_scale_is_taken_out_first() {
        let mut latest = LatestDraws::new();
        let scale: Vec<f64> = (0..DIM).map(|i| 10f64.powi(i as i32 % 5)).collect();
        for k in 0..KEPT {
            let z: Vec<f64> = (0..DIM).map(|i| ((k * (i + 3)) as f64).sin()).collect();
            let position: Vec<f64> = z.iter().zip(&scale).map(|(z, s)| z * s).collect();
            let gradient: Vec<f64> = z.iter().zip(&scale).map(|(z, s)| -z / s).collect();
            latest.add(&position, &gradient);
        }
        assert!(latest.directions(&scale).is_empty());
        assert!(!latest.directions(&[1.0; DIM]).is_empty());
    }

    #[test]
    fn a_factor_and_its_inverse_cancel() {
        let direction = Direction {
            stretch: 3.0,
            unit: axes(1.0, 1.0)[0].1.clone(),
        };
        let before: Vec<f64> = (0..DIM).map(|i| (i as f64).cos()).collect();
        let mut after = before.clone();
        direction.apply(&mut after);
        direction.apply_inverse(&mut after);
        for (a, b) in after.iter().zip(&before) {
            assert!((a - b).abs() < 1e-14);
        }
    }

    /// Correlation .99: after the diagonal λ is 1.99 and .01.
    #[test]
    fn a_correlated_normal_gets_its_direction_and_a_continued_chain_keeps_it() {
        let target = correlated_normal(0.99);
        let whole = Settings {
            chains: 3,
            draws: 20,
            ..settings(Sampler::Nuts, 2)
        };
        let first = Settings {
            draws: 8,
            ..whole.clone()
        };
        let rest = Settings {
            warmup: 0,
            draws: 12,
            ..whole.clone()
        };
        let (whole, first) = (sample(&target, &whole), sample(&target, &first));
        let tuning = whole.state.tuning.as_ref().unwrap();
        let found = |chain: &[f64]| chain.iter().any(|stretch| *stretch != 0.0);
        assert!(
            tuning.stretches.chunks_exact(2).all(found),
            "{:?}",
            tuning.stretches
        );
        // With the directions the target is a standard normal: trajectories of 1 or 3 steps, not of tens.
        assert!(
            whole.n_steps.iter().all(|steps| *steps <= 7),
            "{:?}",
            whole.n_steps
        );
        let second = sample_from(&target, &rest, &first.state);
        assert_eq!(second.state, whole.state);
        for chain in 0..3 {
            assert_eq!(
                whole.positions[(chain * 20 + 8) * 2..(chain + 1) * 40],
                second.positions[chain * 24..(chain + 1) * 24]
            );
        }
    }
}
