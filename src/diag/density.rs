//! Kernel density estimates of draws, as ArviZ makes them.

use std::f64::consts::PI;

use super::moments::variance;
use super::quantile::quantile;

/// Points at which a density is known.
const GRID: usize = 512;
/// A Gaussian kernel is cut this many bandwidths from its centre, where less than 1e-4 of it is left.
const REACH: f64 = 4.0;

/// A density over an even grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// The middles of the grid's cells, ascending.
    pub grid: Vec<f64>,
    /// The density at each of them.
    pub values: Vec<f64>,
    /// The kernel's standard deviation.
    pub bandwidth: f64,
}

impl Density {
    /// The Gaussian kernel density of the finite ones among `draws`, in any order, between the least and the largest of
    /// them: what a kernel would put beyond is reflected, so that a density that ends abruptly, as that of a scale at 0
    /// may, keeps its height there.
    ///
    /// The bandwidth is the mean of Silverman's and of the improved Sheather-Jones plug-in one (Botev, Grotowski &
    /// Kroese 2010), ArviZ's default. `None` if the draws are all the same or there are none.
    pub fn of(draws: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = draws.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let width = (high - low) / GRID as f64;
        if !(width > 0.0 && width.is_finite()) {
            return None;
        }
        let mut shares = vec![0.0; GRID];
        for x in &sorted {
            let cell = (((x - low) / width) as usize).min(GRID - 1);
            shares[cell] += 1.0 / sorted.len() as f64;
        }
        let silverman = silverman(&sorted);
        let plug_in = plug_in(&shares, sorted.len()).map_or(silverman, |t| t.sqrt() * (high - low));
        let bandwidth = 0.5 * (silverman + plug_in);
        Some(Self {
            grid: (0..GRID).map(|cell| low + (cell as f64 + 0.5) * width).collect(),
            values: smooth(&shares, bandwidth / width)
                .into_iter()
                .map(|share| share / width)
                .collect(),
            bandwidth,
        })
    }

    /// The points of the curve.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.grid.iter().copied().zip(self.values.iter().copied())
    }

    /// The largest value.
    pub fn peak(&self) -> f64 {
        self.values.iter().copied().fold(0.0, f64::max)
    }
}

/// Silverman's rule of thumb (1986, eq. 3.31) for ascending draws.
fn silverman(ascending: &[f64]) -> f64 {
    let n = ascending.len() as f64;
    // ArviZ's standard deviation here is that of the population.
    let sd = (variance(ascending) * (n - 1.0) / n).sqrt();
    let quartiles = (quantile(ascending, 0.75) - quantile(ascending, 0.25)) / 1.34;
    // Draws of which more than half are one value have no quartiles apart.
    let spread = if quartiles > 0.0 { sd.min(quartiles) } else { sd };
    0.9 * spread * n.powf(-0.2)
}

/// The squared bandwidth t on the unit interval where t = ξγ(t) (Botev et al. 2010, eq. 30) for `n` draws that fall
/// into the cells of the grid in these shares; `None` where there is none up to 0.01.
fn plug_in(shares: &[f64], n: usize) -> Option<f64> {
    let cells = shares.len();
    // cos(π m / 2 cells) for every m that the transform needs: it has the period 4 cells.
    let cosines: Vec<f64> = (0..4 * cells)
        .map(|m| (PI * m as f64 / (2.0 * cells as f64)).cos())
        .collect();
    // The squares of the discrete cosine transform, without the constant and, as in ArviZ, the last term.
    let squares: Vec<(f64, f64)> = (1..cells - 1)
        .map(|k| {
            let sum: f64 = shares
                .iter()
                .enumerate()
                .map(|(cell, share)| share * cosines[(2 * cell + 1) * k % (4 * cells)])
                .sum();
            ((k * k) as f64, (2.0 * sum).powi(2))
        })
        .collect();
    let n = n as f64;
    let norm = |order: i32, t: f64| -> f64 {
        let sum: f64 = squares
            .iter()
            .map(|(k, a)| k.powi(order) * a * (-k * PI * PI * t).exp())
            .sum();
        0.5 * PI.powi(2 * order) * sum
    };
    let gap = |t: f64| -> f64 {
        let mut f = norm(7, t);
        for order in (2..7).rev() {
            let s = f64::from(order);
            let odd: f64 = (1..=order).map(|j| 2.0 * f64::from(j) - 1.0).product();
            let c = (1.0 + 0.5f64.powf(s + 0.5)) / 3.0 * odd / (0.5 * PI).sqrt();
            let time = (c / (n * f)).powf(2.0 / (3.0 + 2.0 * s));
            f = norm(order, time);
        }
        t - (2.0 * n * PI.sqrt() * f).powf(-0.4)
    };
    let (mut low, mut high) = (0.0, 0.01);
    // Halving needs a change of sign; comparisons with NaN fail and end here too.
    if !(gap(low) < 0.0 && gap(high) > 0.0) {
        return None;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if gap(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// The shares under a Gaussian kernel of `bandwidth` cells, reflected at both ends.
fn smooth(shares: &[f64], bandwidth: f64) -> Vec<f64> {
    let reach = (REACH * bandwidth).ceil() as usize;
    let mut kernel: Vec<f64> = (0..=reach)
        .map(|cell| (-0.5 * (cell as f64 / bandwidth).powi(2)).exp())
        .collect();
    let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>();
    kernel.iter_mut().for_each(|weight| *weight /= total);
    let mut out = vec![0.0; shares.len()];
    for (cell, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        out[cell] += share * kernel[0];
        for (away, weight) in kernel.iter().enumerate().skip(1) {
            out[reflected(cell as i64 - away as i64, shares.len())] += share * weight;
            out[reflected((cell + away) as i64, shares.len())] += share * weight;
        }
    }
    out
}

/// The cell among `cells` that a place beyond the ends is mirrored to.
fn reflected(place: i64, cells: usize) -> usize {
    let cells = cells as i64;
    let within = place.rem_euclid(2 * cells);
    within.min(2 * cells - 1 - within) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Evenly spread probabilities, mapped.
    fn sample(map: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..1000).map(|i| map((f64::from(i) + 0.5) / 1000.0)).collect()
    }

    fn exponential(p: f64) -> f64 {
        -(1.0 - p).ln()
    }

    /// Two logistic humps, the second narrow and far.
    fn humps(p: f64) -> f64 {
        let logit = |p: f64| (p / (1.0 - p)).ln();
        if p < 0.6 {
            logit(p / 0.6)
        } else {
            12.0 + 0.3 * logit((p - 0.6) / 0.4)
        }
    }

    #[test]
    fn it_is_arvizs_density() {
        // arviz 0.23: `arviz.kde(x, bw_return=True)` of the same draws; the value at cell 0, 100, 300, and the bandwidth.
        let cases = [
            (
                exponential as fn(f64) -> f64,
                [
                    0.8644231126563116,
                    0.23035338646173095,
                    0.011840370648143275,
                    0.1912549898731123,
                ],
            ),
            (
                humps,
                [
                    0.0015984765228496676,
                    0.03426300685852318,
                    0.004000665763999868,
                    0.7973196418137533,
                ],
            ),
        ];
        for (map, [first, early, late, bandwidth]) in cases {
            let density = Density::of(&sample(map)).unwrap();
            assert!(
                (density.bandwidth / bandwidth - 1.0).abs() < 1e-6,
                "{} for {bandwidth}",
                density.bandwidth
            );
            // ArviZ cuts its kernel π bandwidths from the centre, which loses 0.17 % of it, and of even lengths shifts it
            // by half a cell, here up to a fortieth of a bandwidth.
            let slack = 0.025 * density.peak();
            for (cell, value) in [(0, first), (100, early), (300, late)] {
                assert!(
                    (density.values[cell] - value).abs() < slack,
                    "{cell}: {} for {value}",
                    density.values[cell]
                );
            }
        }
    }

    #[test]
    fn a_density_that_ends_abruptly_keeps_its_height() {
        let density = Density::of(&sample(exponential)).unwrap();
        // Without reflection half of the height, 1, would be lost; the bandwidth of about 0.15 smooths a few per cent away.
        assert!(density.values[0] > 0.85, "{}", density.values[0]);
    }

    #[test]
    fn what_has_no_density_has_none() {
        assert_eq!(Density::of(&[]), None);
        assert_eq!(Density::of(&[2.0; 9]), None);
        assert_eq!(Density::of(&[f64::NAN, 1.0]), None);
        assert!(Density::of(&[f64::NAN, 1.0, 2.0]).is_some());
        assert!(Density::of(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).is_some());
    }

    proptest! {
        #[test]
        fn it_integrates_to_one(mut x in prop::collection::vec(-10.0f64..10.0, 3..300), outlier in 0.0f64..1e6) {
            x.push(outlier);
            if let Some(density) = Density::of(&x) {
                let width = density.grid[1] - density.grid[0];
                let mass: f64 = density.values.iter().sum::<f64>() * width;
                prop_assert!((mass - 1.0).abs() < 1e-6, "{mass}");
                prop_assert!(density.values.iter().all(|v| *v >= 0.0));
            }
        }
    }
}
