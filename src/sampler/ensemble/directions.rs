//! The directions in which an ensemble's diagonal metric is wrong by so much that they pay for themselves.
//!
//! As for a chain of NUTS (see [`crate::sampler::low_rank`]) they are eigenvectors of C_x − C_g, second moments of draws
//! and gradients on the diagonal's scale. Here the draws are many, so that the two matrices are written out, and the
//! directions are orthogonal, so that a step takes all of them in one product.
//!
//! Variances are measured by their geometric mean, not by the diagonal's: where all coordinates have something in common,
//! one direction is long and all others are narrow, and the one makes all the same.

use crate::num::dense::Cholesky;
use crate::sampler::low_rank::{Direction, most_directions, normalise};
use crate::sampler::vectors::{add_scaled, dot};

/// Draws below which no direction is sought.
const FEWEST_DRAWS: usize = 100;
/// Draws that are looked at. There must be more of them than coordinates, so that with this many coordinates and more none
/// are found: the two matrices would take as long as a warm-up.
pub(super) const MOST_DRAWS: usize = 400;
/// Directions whose λ lies between its inverse and this are the noise of the draws as likely as not.
const CUTOFF: f64 = 1.5;
/// By what factor directions must shorten the time of a trajectory.
///
/// That is what they save where the slowest parameter is as normal as the rest. Where it is a scale with a heavy tail, longer
/// trajectories are not for nothing: of m12_5, for which they promise factors up to 2.1, they took a tenth of the effective
/// draws per second, while the crossed effects of `benches/simulated`, with 2.5 and more, gained 2.3 times.
const PAYS: f64 = 2.2;
/// Bounds of −E[(x − x̄)·g] along a direction. By parts it is 1 for draws of any density that ends smoothly; chains that are on
/// their way to it say of its directions what holds where they are.
const VIRIAL: (f64, f64) = (0.6, 1.6);
/// The same for the estimate that decides whether to look at all, which errs by a tenth or two.
const MAY_PAY: f64 = 1.65;
/// Multiplications that a direction costs a leapfrog step for each coordinate.
const WORK_PER_COORDINATE: f64 = 2.0;
/// Steps of a power iteration: eigenvectors are wanted to some percent.
const POWER_STEPS: usize = 24;
/// The same where it is only asked whether any direction can pay, and the vectors that try the narrow ones.
const TRIAL_STEPS: usize = 8;
/// See [`TRIAL_STEPS`].
const TRIAL_VECTORS: usize = 4;

/// Draws of an ensemble and what is found from them.
#[derive(Debug, Clone, Default)]
pub(super) struct Directions {
    /// `[draw][dim]`.
    draws: Vec<f64>,
    /// `[draw][dim]`.
    gradients: Vec<f64>,
}

impl Directions {
    /// Counts `positions` and the `gradients` there, `[chain][dim]`; chains where these are not finite are passed over.
    pub(super) fn add(&mut self, dim: usize, positions: &[f64], gradients: &[f64]) {
        for (position, gradient) in positions.chunks_exact(dim).zip(gradients.chunks_exact(dim)) {
            if self.draws.len() < MOST_DRAWS * dim && gradient.iter().all(|g| g.is_finite()) {
                self.draws.extend_from_slice(position);
                self.gradients.extend_from_slice(gradient);
            }
        }
    }

    /// Forgets all draws.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The orthonormal directions that pay on the scale of the diagonal `inv_mass`, where a gradient takes as long as
    /// `work` multiplications; none where none do.
    pub(super) fn find(&self, inv_mass: &[f64], work: f64) -> Option<Found> {
        let dim = inv_mass.len();
        let count = self.draws.len() / dim;
        if count < FEWEST_DRAWS || count <= dim {
            return None;
        }
        let draws = whitened(&self.draws, inv_mass.iter().map(|v| 1.0 / v.sqrt()));
        let gradients = whitened(&self.gradients, inv_mass.iter().map(|v| v.sqrt()));
        if most_saved(&draws, &gradients, dim) < MAY_PAY {
            return None;
        }
        let (mut of_draws, mut of_gradients) = (Moments::new(&draws, dim), Moments::new(&gradients, dim));
        let variance = (0.5 * (of_draws.ln_det()? - of_gradients.ln_det()?) / dim as f64).exp();
        of_draws.scale(1.0 / variance);
        of_gradients.scale(variance);
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        while found.len() < most_directions(dim) {
            match worst(&of_draws, &of_gradients, &found) {
                Some((lambda, unit)) if lambda.ln().abs() > CUTOFF.ln() => found.push((lambda, unit)),
                _ => break,
            }
        }
        let lambdas: Vec<f64> = found.iter().map(|(lambda, _)| *lambda).collect();
        let directions: Vec<Direction> = worthwhile(&lambdas, dim, work)
            .into_iter()
            .map(|place| Direction {
                stretch: found[place].0.sqrt() - 1.0,
                unit: std::mem::take(&mut found[place].1),
            })
            .collect();
        let is_settled = |direction: &Direction| {
            let (x, g) = (draws.chunks_exact(dim), gradients.chunks_exact(dim));
            let along = x
                .zip(g)
                .map(|(x, g)| -dot(x, &direction.unit) * dot(g, &direction.unit));
            let virial = along.sum::<f64>() / count as f64;
            VIRIAL.0 < virial && virial < VIRIAL.1
        };
        (!directions.is_empty() && directions.iter().all(is_settled))
            .then_some(Found { directions, variance })
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) directions: Vec<Direction>,
    /// The variance on the diagonal's scale that they leave in every direction, about.
    pub(super) variance: f64,
}

/// The places of those directions, of all that have variances `lambdas` where others have 1, that are worth taking in `dim`
/// coordinates.
fn worthwhile(lambdas: &[f64], dim: usize, work: f64) -> Vec<usize> {
    let steps = |taken: &[usize]| {
        let left = || {
            (0..lambdas.len())
                .filter(|place| !taken.contains(place))
                .map(|place| lambdas[place])
        };
        let longest = left().fold(1.0, f64::max);
        // Independent normals of variances λ have a mean energy error that goes with ε⁴ Σ λ⁻² (Neal 2011, section 5.4.4,
        // has it for equal ones), and the longest of them asks for a trajectory of √λ.
        let narrow: f64 = left().map(|lambda| lambda.powi(-2)).sum();
        let others = dim - left().count();
        longest.sqrt() * (others as f64 + narrow).powf(0.25)
    };
    let cost = |taken: &[usize]| steps(taken) * (work + WORK_PER_COORDINATE * (taken.len() * dim) as f64);
    // One after another is taken, each time the one that saves most.
    let mut best: (f64, Vec<usize>) = (cost(&[]) / PAYS, Vec::new());
    let mut taken = Vec::new();
    while taken.len() < lambdas.len() {
        let with = |place: usize| [&taken[..], &[place]].concat();
        let next = (0..lambdas.len())
            .filter(|place| !taken.contains(place))
            .min_by(|&a, &b| steps(&with(a)).total_cmp(&steps(&with(b))));
        let Some(next) = next else { break };
        taken.push(next);
        if cost(&taken) < best.0 {
            best = (cost(&taken), taken.clone());
        }
    }
    best.1
}

/// `values`, `[draw][dim]`, less their mean, times the `scale` of each coordinate.
fn whitened(values: &[f64], scale: impl ExactSizeIterator<Item = f64>) -> Vec<f64> {
    let dim = scale.len();
    let mut mean = vec![0.0; dim];
    let weight = dim as f64 / values.len() as f64;
    for value in values.chunks_exact(dim) {
        add_scaled(weight, value, &mut mean);
    }
    let scale: Vec<f64> = scale.collect();
    let mut whitened = values.to_vec();
    for value in whitened.chunks_exact_mut(dim) {
        for ((x, mean), scale) in value.iter_mut().zip(&mean).zip(&scale) {
            *x = (*x - mean) * scale;
        }
    }
    whitened
}

/// By what factor all directions together could shorten trajectories, about: √λ_max · (Σ λ⁻² / dim)^¼, see [`worthwhile`].
///
/// For few multiplications, so that models without such directions hardly wait for it. Either number is a product of two
/// halves of the draws, so that noise, which is all there is in many dimensions, does not look like directions: λ_max by
/// a power iteration on the one, measured on the other, and Σ λ⁻² = tr C_g² as the mean of v·C_g C_g'v over vectors v of
/// signs (Hutchinson 1990).
fn most_saved(draws: &[f64], gradients: &[f64], dim: usize) -> f64 {
    fn half(values: &[f64], dim: usize, which: usize) -> impl Iterator<Item = &[f64]> {
        values.chunks_exact(dim).skip(which).step_by(2)
    }
    // Second moments of a half times a vector, but for the number of draws.
    let product = |values: &[f64], which: usize, vector: &[f64]| {
        let mut image = vec![0.0; dim];
        half(values, dim, which).for_each(|value| add_scaled(dot(value, vector), value, &mut image));
        image
    };
    let count = draws.len() as f64 / dim as f64 / 2.0;
    let mut long = start(dim);
    for _ in 0..TRIAL_STEPS {
        long = product(draws, 0, &long);
        if normalise(&mut long).is_none() {
            return 0.0;
        }
    }
    let longest = half(draws, dim, 1)
        .map(|draw| dot(draw, &long).powi(2))
        .sum::<f64>()
        / count;
    let mut narrow = 0.0;
    for vector in 0..TRIAL_VECTORS {
        let signs: Vec<f64> = (0..dim)
            .map(|i| 1.0f64.copysign(((i * TRIAL_VECTORS + vector) as f64).powi(2).sin()))
            .collect();
        let images = [0, 1].map(|which| product(gradients, which, &signs));
        narrow += dot(&images[0], &images[1]) / (count * count * TRIAL_VECTORS as f64);
    }
    // On the diagonal's scale the mean of λ is 1, and that of λ⁻² no less.
    longest.max(1.0).sqrt() * (narrow / dim as f64).max(1.0).powf(0.25)
}

/// A unit vector that has a share in every direction but by chance.
fn start(dim: usize) -> Vec<f64> {
    let mut start: Vec<f64> = (0..dim).map(|i| (1.0 + i as f64).sin()).collect();
    let length = dot(&start, &start).sqrt();
    start.iter_mut().for_each(|x| *x /= length);
    start
}

/// A symmetric matrix of second moments, row after row.
struct Moments {
    dim: usize,
    rows: Vec<f64>,
}

impl Moments {
    /// Of `values`, `[draw][dim]`, whose means are 0.
    fn new(values: &[f64], dim: usize) -> Self {
        let count = values.len() / dim;
        // By coordinate, so that every moment is a product of two slices.
        let mut coordinates = Vec::with_capacity(values.len());
        for i in 0..dim {
            coordinates.extend(values.iter().skip(i).step_by(dim));
        }
        let coordinate = |i: usize| &coordinates[i * count..(i + 1) * count];
        let mut rows = vec![0.0; dim * dim];
        for i in 0..dim {
            for j in 0..=i {
                let moment = dot(coordinate(i), coordinate(j)) / count as f64;
                rows[i * dim + j] = moment;
                rows[j * dim + i] = moment;
            }
        }
        Self { dim, rows }
    }

    /// The logarithm of the determinant; none if there are fewer draws than coordinates, or they lie in a plane.
    fn ln_det(&self) -> Option<f64> {
        Some(Cholesky::new(&self.rows, self.dim)?.ln_det())
    }

    /// The matrix less another.
    fn minus(&self, other: &Self) -> Self {
        Self {
            dim: self.dim,
            rows: self.rows.iter().zip(&other.rows).map(|(a, b)| a - b).collect(),
        }
    }

    /// Multiplies by `factor`.
    fn scale(&mut self, factor: f64) {
        self.rows.iter_mut().for_each(|moment| *moment *= factor);
    }

    /// image += factor · matrix · vector.
    fn add_product(&self, factor: f64, vector: &[f64], image: &mut [f64]) {
        for (row, image) in self.rows.chunks_exact(self.dim).zip(image) {
            *image += factor * dot(row, vector);
        }
    }

    /// The second moment along a unit vector.
    fn along(&self, unit: &[f64]) -> f64 {
        let mut image = vec![0.0; self.dim];
        self.add_product(1.0, unit, &mut image);
        dot(unit, &image)
    }
}

/// λ and u of the eigenvalue of C_x − C_g that is largest by size among the directions at right angles to those `found`;
/// none where there is no number to find.
fn worst(of_draws: &Moments, of_gradients: &Moments, found: &[(f64, Vec<f64>)]) -> Option<(f64, Vec<f64>)> {
    let dim = of_draws.dim;
    let mut image = vec![0.0; dim];
    let difference = of_draws.minus(of_gradients);
    // Yields the length of the last image.
    let mut iterate = |unit: &mut Vec<f64>, sign: f64, shift: f64| -> Option<f64> {
        let mut length = 0.0;
        for _ in 0..POWER_STEPS {
            image.fill(0.0);
            add_scaled(shift, unit, &mut image);
            difference.add_product(sign, unit, &mut image);
            for (_, known) in found {
                let along = dot(known, &image);
                add_scaled(-along, known, &mut image);
            }
            length = dot(&image, &image).sqrt();
            normalise(&mut image)?;
            std::mem::swap(unit, &mut image);
        }
        Some(length)
    };
    let start = start(dim);
    // A long and a narrow direction may be as large as each other, with opposite signs, and iteration ends between them.
    // So it finds how large first, and then either end of the spectrum, shifted by that.
    let mut mixed = start.clone();
    let size = iterate(&mut mixed, 1.0, 0.0)?;
    let mut best: Option<(f64, Vec<f64>)> = None;
    for sign in [1.0, -1.0] {
        let mut unit = mixed.clone();
        add_scaled(0.1, &start, &mut unit);
        normalise(&mut unit)?;
        if iterate(&mut unit, sign, size).is_none() {
            continue;
        }
        let lambda = (of_draws.along(&unit) / of_gradients.along(&unit)).sqrt();
        let is_better = best
            .as_ref()
            .is_none_or(|(known, _)| lambda.ln().abs() > known.ln().abs());
        if lambda.is_finite() && lambda > 0.0 && is_better {
            best = Some((lambda, unit));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    const DIM: usize = 12;

    /// (1, 1, …)/√12 and (1, −1, …)/√12.
    fn axes() -> [Vec<f64>; 2] {
        [1.0f64, -1.0].map(|sign| {
            (0..DIM)
                .map(|i| sign.powi(i as i32) / (DIM as f64).sqrt())
                .collect()
        })
    }

    /// Draws of a normal whose covariance is that of independent coordinates of sd `scale`, but for variances λ along the
    /// two axes.
    fn draws(count: u32, lambdas: [f64; 2], scale: &[f64]) -> Directions {
        let mut directions = Directions::default();
        for iteration in 0..count {
            let mut z = vec![0.0; DIM];
            Stream {
                seed: 5,
                replicate: 0,
                chain: 0,
                iteration,
                purpose: Purpose::Predictive,
            }
            .fill_normal(&mut z);
            let (mut position, mut gradient) = (z.clone(), z.clone());
            for (lambda, unit) in lambdas.iter().zip(&axes()) {
                let along = dot(&z, unit);
                add_scaled((lambda.sqrt() - 1.0) * along, unit, &mut position);
                add_scaled((1.0 / lambda.sqrt() - 1.0) * along, unit, &mut gradient);
            }
            position.iter_mut().zip(scale).for_each(|(x, s)| *x *= s);
            gradient.iter_mut().zip(scale).for_each(|(g, s)| *g /= -s);
            directions.add(DIM, &position, &gradient);
        }
        directions
    }

    #[test]
    fn a_long_and_a_narrow_direction_are_found_on_the_diagonals_scale() {
        let scale: Vec<f64> = (0..DIM).map(|i| 10f64.powi(i as i32 % 5)).collect();
        let inv_mass: Vec<f64> = scale.iter().map(|s| s * s).collect();
        let Found { directions, variance } = draws(400, [25.0, 0.04], &scale).find(&inv_mass, 1e4).unwrap();
        assert_eq!(directions.len(), 2, "{directions:?}");
        assert!((0.9..1.1).contains(&variance), "{variance}");
        for (lambda, unit) in [25.0, 0.04].iter().zip(&axes()) {
            let nearest = directions
                .iter()
                .max_by(|a, b| dot(&a.unit, unit).abs().total_cmp(&dot(&b.unit, unit).abs()))
                .unwrap();
            // Draws and gradients of a normal err in opposite directions; what is left is what the finite power
            // iteration and the correlation of the two samples (1/√400) leave.
            assert!(dot(&nearest.unit, unit).abs() > 0.99, "{nearest:?}");
            let ratio = (1.0 + nearest.stretch).powi(2) / lambda;
            assert!((0.9..1.1).contains(&ratio), "λ {lambda}: off by {ratio}");
        }
        assert!(dot(&directions[0].unit, &directions[1].unit).abs() < 1e-12);
    }

    /// Eleven directions of variance .25 and one of 9: that one is taken, and leaves all at .25.
    #[test]
    fn one_long_direction_among_narrow_ones_is_enough() {
        let unit = [1.0; DIM];
        let narrow = [0.5; DIM];
        // On a scale twice too long all is a quarter of what it is there.
        let found = draws(400, [36.0, 1.0], &narrow).find(&unit, 200.0).unwrap();
        assert_eq!(found.directions.len(), 1, "{found:?}");
        assert!(dot(&found.directions[0].unit, &axes()[0]).abs() > 0.99);
        let left = 9.0 / (1.0 + found.directions[0].stretch).powi(2);
        // The geometric mean has a twelfth of the long one's logarithm.
        assert!(
            (left / found.variance - 1.0).abs() < 0.1,
            "{left}, {}",
            found.variance
        );
        assert!((found.variance.ln() - (0.25f64.ln() + 36f64.ln() / 12.0)).abs() < 0.1);
    }

    #[test]
    fn a_right_diagonal_or_few_draws_have_no_directions() {
        let unit = [1.0; DIM];
        assert_eq!(draws(400, [1.0; 2], &unit).find(&unit, f64::INFINITY), None);
        assert_eq!(draws(99, [25.0, 0.04], &unit).find(&unit, 1e4), None);
        let many = draws(MOST_DRAWS as u32 + 50, [25.0, 0.04], &unit);
        assert_eq!(many.draws.len(), MOST_DRAWS * DIM);
    }

    /// Chains spread three times as wide as a density whose curvature is the same everywhere.
    #[test]
    fn chains_on_their_way_tell_no_directions() {
        let unit = [1.0; DIM];
        let mut wide = draws(400, [25.0, 0.04], &unit);
        assert!(wide.find(&unit, 1e4).is_some());
        wide.draws.iter_mut().for_each(|x| *x *= 3.0);
        wide.gradients.iter_mut().for_each(|g| *g *= 3.0);
        assert_eq!(wide.find(&unit, 1e4), None);
    }

    #[test]
    fn draws_without_a_gradient_are_passed_over() {
        let unit = [1.0; DIM];
        let mut broken = draws(400, [25.0, 0.04], &unit);
        broken.add(DIM, &[1e9; DIM], &[f64::NAN; DIM]);
        assert_eq!(
            broken.find(&unit, 1e4),
            draws(400, [25.0, 0.04], &unit).find(&unit, 1e4)
        );
    }

    /// Two hundred coordinates, and no more draws than that: no direction, and noise is not taken for one.
    #[test]
    fn what_can_be_saved_is_told_without_noise() {
        let unit = [1.0; DIM];
        let saved = |lambdas| {
            let draws = draws(400, lambdas, &unit);
            most_saved(&draws.draws, &draws.gradients, DIM)
        };
        // √25 · ((11 + 1/625)/12)^¼; ((11 + 625)/12)^¼ by the signs' share in the direction.
        assert!((4.0..6.0).contains(&saved([25.0, 1.0])), "{}", saved([25.0, 1.0]));
        assert!((1.5..6.0).contains(&saved([1.0, 0.04])), "{}", saved([1.0, 0.04]));
        assert!(saved([1.0; 2]) < 1.3);
        let dim = 200;
        let mut noise = vec![0.0; 200 * dim];
        Stream {
            seed: 6,
            replicate: 0,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Predictive,
        }
        .fill_normal(&mut noise);
        assert!(
            most_saved(&noise, &noise, dim) < 1.5,
            "{}",
            most_saved(&noise, &noise, dim)
        );
    }

    /// The work of a direction is two multiplications a coordinate.
    #[test]
    fn directions_are_taken_where_they_save_more_than_they_cost() {
        // One λ of 16 makes trajectories four times as long.
        assert_eq!(worthwhile(&[16.0], 100, 1000.0), [0]);
        assert_eq!(worthwhile(&[16.0], 100, 260.0), [0], "460 for 4 · 260");
        assert!(worthwhile(&[16.0], 100, 220.0).is_empty(), "420 for 4 · 220");
        // A narrow one among many coordinates shortens steps by little: (1 + 15/100)^¼ = 1.04.
        assert!(worthwhile(&[0.25], 100, 1e9).is_empty());
        assert_eq!(worthwhile(&[0.01], 7, 1e9), [0]);
        // The second is worth its price only where gradients are dear.
        assert_eq!(worthwhile(&[2.0, 64.0], 100, 1e9), [1, 0]);
        assert_eq!(worthwhile(&[2.0, 64.0], 100, 200.0), [1]);
        // A narrow one that is farther from 1 is not in the way of the long one: (1 + 68/100)^¼ = 1.14 is too little for 1.17.
        assert_eq!(worthwhile(&[0.12, 8.0], 100, 1000.0), [1]);
    }
}
