//! The diagonal metric of a NUTS chain from its draws and their gradients.
//!
//! σ² = √(Var draws / Var gradients) minimises the Fisher divergence between the posterior and a normal that has this
//! diagonal covariance (Seyboldt, Carlson, Carpenter: "Preconditioning Hamiltonian Monte Carlo by minimizing Fisher
//! divergence", section 3.2; nutpie's default). Draws and gradients err in opposite directions, so that for a normal a
//! few draws give its scale exactly, where a sample variance needs hundreds.

/// Bounds of a variance, position² units.
const BOUNDS: (f64, f64) = (1e-20, 1e20);
/// Draws from which the estimate is used.
const FEWEST_DRAWS: u32 = 3;

/// Running variances of positions and gradients (Welford 1962).
#[derive(Debug, Clone)]
struct Variances {
    count: u32,
    /// `[dim]` each: positions, gradients.
    means: [Vec<f64>; 2],
    /// Sums of squared deviations, as above.
    squares: [Vec<f64>; 2],
}

impl Variances {
    fn new(dim: usize) -> Self {
        let zeros = || [vec![0.0; dim], vec![0.0; dim]];
        Self {
            count: 0,
            means: zeros(),
            squares: zeros(),
        }
    }

    fn add(&mut self, position: &[f64], gradient: &[f64]) {
        self.count += 1;
        let weight = 1.0 / f64::from(self.count);
        for (values, (means, squares)) in [position, gradient]
            .into_iter()
            .zip(self.means.iter_mut().zip(&mut self.squares))
        {
            for ((value, mean), square) in values.iter().zip(means).zip(squares) {
                let deviation = value - *mean;
                *mean += weight * deviation;
                *square += deviation * (value - *mean);
            }
        }
    }

    fn clear(&mut self) {
        self.count = 0;
        for values in self.means.iter_mut().chain(&mut self.squares) {
            values.fill(0.0);
        }
    }
}

/// The foreground and background estimates of one chain, see [`super::windows`].
#[derive(Debug, Clone)]
pub(crate) struct ScaleEstimate {
    foreground: Variances,
    background: Variances,
}

impl ScaleEstimate {
    /// Without any draws, for `dim` coordinates.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            foreground: Variances::new(dim),
            background: Variances::new(dim),
        }
    }

    /// Counts a draw: its position and the gradient of the log density there, `[dim]`, all finite.
    pub(crate) fn add(&mut self, position: &[f64], gradient: &[f64]) {
        self.foreground.add(position, gradient);
        self.background.add(position, gradient);
    }

    /// Draws in the background.
    pub(crate) fn background_count(&self) -> u32 {
        self.background.count
    }

    /// Makes the background the foreground and begins a new background.
    pub(crate) fn switch(&mut self) {
        std::mem::swap(&mut self.foreground, &mut self.background);
        self.background.clear();
    }

    /// Forgets all draws.
    pub(crate) fn clear(&mut self) {
        self.foreground.clear();
        self.background.clear();
    }

    /// Writes the foreground's estimate into `inv_mass_diag`, `[dim]`; false if there are too few draws for one.
    ///
    /// A coordinate whose ratio is not a number (no variance in draws and gradients) keeps its value.
    pub(crate) fn write(&self, inv_mass_diag: &mut [f64]) -> bool {
        if self.foreground.count < FEWEST_DRAWS {
            return false;
        }
        let [positions, gradients] = &self.foreground.squares;
        for ((variance, q), g) in inv_mass_diag.iter_mut().zip(positions).zip(gradients) {
            let ratio = (q / g).sqrt();
            if !ratio.is_nan() {
                *variance = ratio.clamp(BOUNDS.0, BOUNDS.1);
            }
        }
        true
    }
}

/// Writes the metric of a starting point into `inv_mass_diag`: 1/|gradient|, the estimate from one draw that is one
/// unit from the mean; 1 where the gradient says nothing.
pub(crate) fn initial_inv_mass_diag(gradient: &[f64], inv_mass_diag: &mut [f64]) {
    for (variance, g) in inv_mass_diag.iter_mut().zip(gradient) {
        let estimate = 1.0 / g.abs();
        *variance = if estimate.is_finite() {
            estimate.clamp(BOUNDS.0, BOUNDS.1)
        } else {
            1.0
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(draws: &[[f64; 2]], gradient: impl Fn(&[f64; 2]) -> [f64; 2]) -> ScaleEstimate {
        let mut estimate = ScaleEstimate::new(2);
        for draw in draws {
            estimate.add(draw, &gradient(draw));
        }
        estimate
    }

    const DRAWS: [[f64; 2]; 4] = [[1.0, 10.0], [2.0, -30.0], [4.0, 20.0], [9.0, 25.0]];

    #[test]
    fn three_draws_give_the_variances_of_a_normal() {
        // Normals with means 3 and −1, variances .25 and 400.
        let normal = |q: &[f64; 2]| [-(q[0] - 3.0) / 0.25, -(q[1] + 1.0) / 400.0];
        let mut inv_mass = [1.0; 2];
        assert!(!estimate(&DRAWS[..2], normal).write(&mut inv_mass));
        assert_eq!(inv_mass, [1.0; 2]);
        assert!(estimate(&DRAWS[..3], normal).write(&mut inv_mass));
        for (found, expected) in inv_mass.into_iter().zip([0.25, 400.0]) {
            assert!((found / expected - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn beyond_normals_it_is_the_root_of_the_ratio_of_variances() {
        let cubic = |q: &[f64; 2]| [-q[0].powi(3), -q[1].powi(3)];
        let mut inv_mass = [1.0; 2];
        estimate(&DRAWS, cubic).write(&mut inv_mass);
        let variance = |values: [f64; 4]| {
            let mean = values.iter().sum::<f64>() / 4.0;
            values.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
        };
        for i in 0..2 {
            let draws = DRAWS.map(|draw| draw[i]);
            let expected = (variance(draws) / variance(draws.map(|x| x.powi(3)))).sqrt();
            assert!((inv_mass[i] / expected - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn a_switch_forgets_what_is_older_than_the_background() {
        let normal = |q: &[f64; 2]| [-(q[0] - 3.0) / 0.25, -(q[1] + 1.0) / 400.0];
        let mut both = estimate(&DRAWS, |q| [q[0].exp(), -q[1]]);
        both.switch();
        assert_eq!(both.background_count(), 0);
        for draw in &DRAWS {
            both.add(draw, &normal(draw));
        }
        assert_eq!(both.background_count(), 4);
        let mut inv_mass = [1.0; 2];
        both.write(&mut inv_mass);
        assert!((inv_mass[0] / 0.25 - 1.0).abs() > 0.1);
        both.switch();
        both.write(&mut inv_mass);
        assert!((inv_mass[0] / 0.25 - 1.0).abs() < 1e-14);
    }

    #[test]
    fn coordinates_that_say_nothing_keep_their_scale() {
        let mut inv_mass = [3.0, 7.0];
        estimate(&[[1.0, 2.0]; 4], |_| [0.0, 0.0]).write(&mut inv_mass);
        assert_eq!(inv_mass, [3.0, 7.0]);
        // A flat coordinate is as wide as the bounds allow.
        estimate(&DRAWS, |q| [-q[0], 0.0]).write(&mut inv_mass);
        assert_eq!(inv_mass[1], 1e20);
        initial_inv_mass_diag(&[0.0, -4.0], &mut inv_mass);
        assert_eq!(inv_mass, [1.0, 0.25]);
    }
}
