//! The autocovariance function, averaged over chains, by fast Fourier transform.
//!
//! ESS needs the mean over chains alone, so the power spectra are added up and transformed back once. Two real chains ride
//! in one complex transform: |Z(k)|², made even in k, is the sum of both spectra, and taking the real part of the inverse
//! does that. The forward transform leaves bit-reversed order, which the inverse starts from: nothing is ever reordered.

use std::f64::consts::PI;

use super::chains::Chains;
use super::moments::mean;
use crate::num::sum::sum_pairs;

#[derive(Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    const ZERO: Self = Self { re: 0.0, im: 0.0 };

    fn plus(self, o: Self) -> Self {
        Self {
            re: self.re + o.re,
            im: self.im + o.im,
        }
    }

    fn minus(self, o: Self) -> Self {
        Self {
            re: self.re - o.re,
            im: self.im - o.im,
        }
    }

    fn times(self, o: Self) -> Self {
        Self {
            re: self.re * o.re - self.im * o.im,
            im: self.re * o.im + self.im * o.re,
        }
    }

    fn conjugate(self) -> Self {
        Self {
            re: self.re,
            im: -self.im,
        }
    }
}

/// Lags up to which a sum of products is faster than the transform, which yields all lags at once.
const DIRECT: usize = 12;

/// Autocovariances, computed as far as they are asked for: of short chains, or of draws that hardly depend on each
/// other, few lags are.
pub(super) struct Autocovariance<'a> {
    chains: Chains<'a>,
    means: &'a [f64],
    /// Lags 0, 1, 2, …
    known: Vec<f64>,
}

impl<'a> Autocovariance<'a> {
    /// Those of `chains`, whose means are `means`.
    pub(super) fn new(chains: Chains<'a>, means: &'a [f64]) -> Self {
        Self {
            chains,
            means,
            known: Vec::new(),
        }
    }

    /// The autocovariance at `lag`, below the number of draws; see [`mean_autocovariance`].
    pub(super) fn at(&mut self, lag: usize) -> f64 {
        if lag >= self.known.len() && lag >= DIRECT {
            self.known = mean_autocovariance(self.chains, self.means);
        }
        while self.known.len() <= lag {
            self.known.push(direct(self.chains, self.means, self.known.len()));
        }
        self.known[lag]
    }
}

/// Autocorrelations at lags 0 to `lags`, at most as many as there are draws: the mean autocovariance over the chains, each
/// about its own mean, as a share of the mean variance. NaN for draws that never change.
pub fn autocorrelation(chains: Chains, lags: usize) -> Vec<f64> {
    let means: Vec<f64> = chains.iter().map(mean).collect();
    let mut covariance = Autocovariance::new(chains, &means);
    let variance = covariance.at(0);
    (0..=lags.min(chains.num_draws() - 1))
        .map(|lag| covariance.at(lag) / variance)
        .collect()
}

/// The definition, for one lag.
fn direct(chains: Chains, means: &[f64], lag: usize) -> f64 {
    let one = |(x, &mean): (&[f64], &f64)| -> f64 { sum_pairs(x, &x[lag..], |a, b| (a - mean) * (b - mean)) };
    let sum: f64 = chains.iter().zip(means).map(one).sum();
    sum / (chains.num_draws() as f64 * chains.num_chains() as f64)
}

/// Autocovariances at lags 0 … n − 1, the mean over chains; at each lag the sum of products over n, not n − lag (the
/// biased estimate that Geyer 1992 recommends). `means` are the chains' means.
fn mean_autocovariance(chains: Chains, means: &[f64]) -> Vec<f64> {
    let n = chains.num_draws();
    // Room for n − 1 lags without wrapping around.
    let size = (2 * n).next_power_of_two();
    let stages = twiddles(size);
    let mut spectrum = vec![0.0; size];
    let mut work = vec![Complex::ZERO; size];
    let centred: Vec<(&[f64], f64)> = chains.iter().zip(means.iter().copied()).collect();
    for pair in centred.chunks(2) {
        work.fill(Complex::ZERO);
        for (w, x) in work.iter_mut().zip(pair[0].0) {
            w.re = x - pair[0].1;
        }
        if let Some((chain, mean)) = pair.get(1) {
            for (w, x) in work.iter_mut().zip(*chain) {
                w.im = x - mean;
            }
        }
        forward(&mut work, &stages);
        for (sum, z) in spectrum.iter_mut().zip(&work) {
            *sum += z.re * z.re + z.im * z.im;
        }
    }
    for (w, power) in work.iter_mut().zip(&spectrum) {
        *w = Complex { re: *power, im: 0.0 };
    }
    inverse(&mut work, &stages);
    let scale = 1.0 / (size as f64 * n as f64 * chains.num_chains() as f64);
    work[..n].iter().map(|w| w.re * scale).collect()
}

/// For each stage of the transform, widest first, its factors exp(−πi·k/half), k below half.
fn twiddles(size: usize) -> Vec<Vec<Complex>> {
    let halves = std::iter::successors(Some(size / 2), |half| (*half > 1).then_some(half / 2));
    halves
        .map(|half| {
            let angle = |k: usize| PI * k as f64 / half as f64;
            (0..half)
                .map(|k| {
                    let (sin, cos) = angle(k).sin_cos();
                    Complex { re: cos, im: -sin }
                })
                .collect()
        })
        .collect()
}

/// Discrete Fourier transform, decimation in frequency: natural order in, bit-reversed order out.
fn forward(x: &mut [Complex], stages: &[Vec<Complex>]) {
    for stage in stages {
        for block in x.chunks_exact_mut(2 * stage.len()) {
            let (low, high) = block.split_at_mut(stage.len());
            for ((a, b), factor) in low.iter_mut().zip(high).zip(stage) {
                let difference = a.minus(*b);
                *a = a.plus(*b);
                *b = difference.times(*factor);
            }
        }
    }
}

/// Inverse of [`forward`] but for the factor 1/size: bit-reversed order in, natural order out.
fn inverse(x: &mut [Complex], stages: &[Vec<Complex>]) {
    for stage in stages.iter().rev() {
        for block in x.chunks_exact_mut(2 * stage.len()) {
            let (low, high) = block.split_at_mut(stage.len());
            for ((a, b), factor) in low.iter_mut().zip(high).zip(stage) {
                let turned = b.times(factor.conjugate());
                *b = a.minus(turned);
                *a = a.plus(turned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_start_at_one_and_see_a_period() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 4)).collect();
        let found = autocorrelation(Chains::new(&values, 2).unwrap(), 20);
        assert_eq!(found.len(), 21);
        assert!((found[0] - 1.0).abs() < 1e-12);
        // Of the 200 draws of a chain, 4 lags lose 4 products of equal size.
        assert!((found[4] - 0.98).abs() < 1e-9, "{}", found[4]);
        assert!(found[2] < -0.5);
        assert_eq!(
            autocorrelation(Chains::new(&values[..8], 2).unwrap(), 20).len(),
            4
        );
    }

    #[test]
    fn transform_matches_the_definition_at_every_lag() {
        // Lengths around powers of two, and odd numbers of chains, which leave one without a partner.
        for (num_chains, num_draws) in [(1, 2), (2, 4), (3, 5), (5, 16), (4, 17), (3, 33)] {
            let values: Vec<f64> = (0..num_chains * num_draws)
                .map(|i| ((i * i * 7 + i) % 23) as f64)
                .collect();
            let chains = Chains::new(&values, num_chains).unwrap();
            let means: Vec<f64> = chains.iter().map(mean).collect();
            let got = mean_autocovariance(chains, &means);
            assert_eq!(got.len(), num_draws);
            let mut asked = Autocovariance::new(chains, &means);
            for lag in 0..num_draws {
                // Sums of at most 33 products below 23²; the transform has log2(128) stages.
                let expected = direct(chains, &means, lag);
                assert!((asked.at(lag) - expected).abs() < 1e-11, "lag {lag}");
                assert!(
                    (got[lag] - expected).abs() < 1e-11,
                    "lag {lag}: {} for {expected}",
                    got[lag]
                );
            }
        }
    }
}
