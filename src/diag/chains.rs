//! A borrowed view of one quantity's draws, `[chain][draw]`.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// Fewest draws per chain for which R-hat and ESS are defined: two in each half.
const MIN_DRAWS: usize = 4;

/// The draws of one quantity: `num_chains` runs of `num_draws` values, chain after chain.
#[derive(Debug, Clone, Copy)]
pub struct Chains<'a> {
    values: &'a [f64],
    num_chains: usize,
    num_draws: usize,
}

/// Whether the draws of a quantity can be diagnosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Finite values, not all equal.
    Varying,
    /// Every draw of every chain has the same value (the diagonal of a correlation matrix, or a sampler that never moved).
    Constant,
    /// `count` draws are NaN or infinite.
    NonFinite {
        /// How many.
        count: usize,
    },
}

impl<'a> Chains<'a> {
    /// Views `values` as `num_chains` chains of equal length.
    ///
    /// # Errors
    ///
    /// An internal error if there is no draw, or if `values` cannot be divided into that many chains.
    pub fn new(values: &'a [f64], num_chains: usize) -> Result<Self> {
        if values.is_empty() || num_chains == 0 || !values.len().is_multiple_of(num_chains) {
            return Err(Error::bug(format!(
                "{} draws cannot be viewed as {num_chains} chains of equal, positive length",
                values.len()
            )));
        }
        Ok(Self {
            values,
            num_chains,
            num_draws: values.len() / num_chains,
        })
    }

    /// Number of chains, at least 1.
    pub fn num_chains(&self) -> usize {
        self.num_chains
    }

    /// Draws per chain, at least 1.
    pub fn num_draws(&self) -> usize {
        self.num_draws
    }

    /// All draws, chain after chain: `num_chains · num_draws` values.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// The chains, each a slice of `num_draws` values.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f64> {
        self.values.chunks_exact(self.num_draws)
    }

    /// Whether the draws can be diagnosed; values that are not finite come before constancy.
    pub fn status(&self) -> Status {
        let count = self.values.iter().filter(|x| !x.is_finite()).count();
        if count > 0 {
            Status::NonFinite { count }
        } else if self.values.iter().all(|x| *x == self.values[0]) {
            Status::Constant
        } else {
            Status::Varying
        }
    }

    /// Whether R-hat and ESS are defined for these draws.
    pub(super) fn is_diagnosable(&self) -> bool {
        self.num_draws >= MIN_DRAWS && self.status() == Status::Varying
    }

    /// Each chain cut into its first and its last half; the middle draw of an odd number is left out.
    ///
    /// The halves of one chain are neighbours, so chains 2k and 2k + 1 of the result come from chain k.
    pub(super) fn split(&self) -> Halves<'a> {
        let half = self.num_draws / 2;
        let values = if self.num_draws.is_multiple_of(2) {
            Cow::Borrowed(self.values)
        } else {
            let halves = self.iter().flat_map(|c| c[..half].iter().chain(&c[half + 1..]));
            Cow::Owned(halves.copied().collect())
        };
        Halves {
            values,
            num_draws: half,
        }
    }
}

/// Half-chains, as [`Chains::split`] makes them; copied only where a middle draw had to go.
pub(super) struct Halves<'a> {
    values: Cow<'a, [f64]>,
    num_draws: usize,
}

impl Halves<'_> {
    /// Half-chains of `num_draws` values each, already laid out.
    pub(super) fn from_vec(values: Vec<f64>, num_draws: usize) -> Self {
        Self {
            values: Cow::Owned(values),
            num_draws,
        }
    }

    /// The half-chains as chains.
    pub(super) fn view(&self) -> Chains<'_> {
        Chains {
            values: &self.values,
            num_chains: self.values.len() / self.num_draws,
            num_draws: self.num_draws,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_drops_the_middle_draw_of_an_odd_number() {
        let values = [1., 2., 3., 4., 5., 10., 20., 30., 40., 50.];
        let halves = Chains::new(&values, 2).unwrap().split();
        assert_eq!(halves.view().values(), [1., 2., 4., 5., 10., 20., 40., 50.]);
        assert_eq!((halves.view().num_chains(), halves.view().num_draws()), (4, 2));
    }

    #[test]
    fn splitting_keeps_every_draw_of_an_even_number() {
        let values = [1., 2., 3., 4.];
        let halves = Chains::new(&values, 1).unwrap().split();
        assert_eq!(halves.view().values(), values);
        assert_eq!(halves.view().num_chains(), 2);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        assert!(Chains::new(&[1., 2., 3.], 2).is_err());
        assert!(Chains::new(&[], 1).is_err());
        assert!(Chains::new(&[1.], 0).is_err());
    }

    #[test]
    fn status_tells_broken_from_constant_from_varying() {
        let status = |v: &[f64]| Chains::new(v, 1).unwrap().status();
        assert_eq!(
            status(&[1., f64::NAN, f64::INFINITY]),
            Status::NonFinite { count: 2 }
        );
        assert_eq!(status(&[2., 2., 2.]), Status::Constant);
        assert_eq!(status(&[2., 2., 2. + 1e-15]), Status::Varying);
    }
}
