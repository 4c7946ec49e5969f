//! Stan's windowed adaptation of the diagonal metric, for NUTS.
//!
//! Stan Reference Manual, "Automatic parameter tuning": a fast interval (75), doubling slow windows (from 25) that
//! estimate the metric each from its own draws alone, a last fast interval (50); a warm-up below 150 keeps the
//! proportions 15 %, 75 %, 10 %.

/// Iterations below which the metric stays as it is.
const SHORTEST: u32 = 20;

/// The iterations of warm-up whose draws estimate the metric, and where each estimate is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    /// The first iteration of the first slow window.
    start: u32,
    /// The last iteration of each slow window, ascending.
    ends: Vec<u32>,
}

impl Windows {
    /// The windows of a warm-up of `warmup` iterations, counted from 0.
    pub(crate) fn new(warmup: u32) -> Self {
        if warmup < SHORTEST {
            return Self {
                start: warmup,
                ends: Vec::new(),
            };
        }
        let (start, last_fast, mut size) = if warmup < 150 {
            let start = warmup * 15 / 100;
            let last_fast = warmup / 10;
            (start, last_fast, warmup - start - last_fast)
        } else {
            (75, 50, 25)
        };
        let slow_end = warmup - last_fast;
        let mut ends = Vec::new();
        let mut begin = start;
        while begin < slow_end {
            // A window after which the next, twice as long, would not fit takes the rest.
            let end = if begin + size + 2 * size > slow_end {
                slow_end
            } else {
                begin + size
            };
            ends.push(end - 1);
            begin = end;
            size *= 2;
        }
        Self { start, ends }
    }

    /// Whether the draw of `iteration` counts towards the metric.
    pub(crate) fn collects(&self, iteration: u32) -> bool {
        iteration >= self.start && self.ends.last().is_some_and(|&end| iteration <= end)
    }

    /// Whether the metric is to be renewed after `iteration`.
    pub(crate) fn ends_at(&self, iteration: u32) -> bool {
        self.ends.binary_search(&iteration).is_ok()
    }
}

/// Running variances of one window, one per coordinate (Welford 1962).
#[derive(Debug, Clone)]
pub(crate) struct WindowVariance {
    count: f64,
    mean: Vec<f64>,
    /// Sum of squared deviations, `[dim]`.
    squares: Vec<f64>,
}

impl WindowVariance {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            count: 0.0,
            mean: vec![0.0; dim],
            squares: vec![0.0; dim],
        }
    }

    /// Counts one position, `[dim]`.
    pub(crate) fn add(&mut self, position: &[f64]) {
        self.count += 1.0;
        for i in 0..position.len() {
            let deviation = position[i] - self.mean[i];
            self.mean[i] += deviation / self.count;
            self.squares[i] += deviation * (position[i] - self.mean[i]);
        }
    }

    /// Writes the regularised variances into `inv_mass` and starts the next window.
    ///
    /// Stan's shrinkage: (n s² + 5 · 10⁻³) / (n + 5), with n the draws of the window.
    pub(crate) fn finish(&mut self, inv_mass: &mut [f64]) {
        if self.count >= 2.0 {
            for i in 0..inv_mass.len() {
                let variance = self.squares[i] / (self.count - 1.0);
                inv_mass[i] = (self.count * variance + 5e-3) / (self.count + 5.0);
            }
        }
        self.count = 0.0;
        self.mean.fill(0.0);
        self.squares.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schedule that Stan prints for 1000 warm-up iterations.
    #[test]
    fn the_windows_of_a_thousand_iterations_are_stans() {
        let windows = Windows::new(1000);
        assert_eq!(windows.ends, [99, 149, 249, 449, 949]);
        assert!(!windows.collects(74) && windows.collects(75));
        assert!(windows.collects(949) && !windows.collects(950));
    }

    #[test]
    fn every_warmup_ends_with_a_fast_interval() {
        for warmup in 0..2000 {
            let windows = Windows::new(warmup);
            assert!(windows.ends.is_sorted());
            match windows.ends.last() {
                Some(&last) => {
                    let fast = if warmup < 150 { warmup / 10 } else { 50 };
                    assert_eq!(last + 1 + fast, warmup);
                    assert!(windows.ends_at(last) && !windows.ends_at(last + 1));
                }
                None => assert!(warmup < SHORTEST),
            }
        }
    }

    #[test]
    fn variances_are_shrunk_as_in_stan() {
        let mut variance = WindowVariance::new(1);
        for x in [1.0, 2.0, 4.0, 9.0] {
            variance.add(&[x]);
        }
        let mut inv_mass = [1.0];
        variance.finish(&mut inv_mass);
        // Sample variance of 1, 2, 4, 9 is 38/3.
        let expected = 4.0 / 9.0 * (38.0 / 3.0) + 1e-3 * 5.0 / 9.0;
        assert!((inv_mass[0] - expected).abs() < 1e-14);
    }
}
