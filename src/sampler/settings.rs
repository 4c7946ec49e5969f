//! What a run is asked for, and how chains are grouped into ensembles.

use crate::error::{Error, Result};

/// The algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Multinomial NUTS, every chain for itself: for few chains on a CPU.
    Nuts,
    /// Ensemble HMC: chains that adapt together, for many chains.
    Hmc,
}

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The algorithm.
    pub sampler: Sampler,
    /// Number of chains, at least 1.
    pub chains: usize,
    /// Iterations of warm-up; 0 keeps the metric and step size that the run starts with.
    pub warmup: u32,
    /// Draws kept per chain, at least 1.
    pub draws: usize,
    /// Iterations per kept draw, at least 1.
    pub thin: u32,
    /// Seed of every random stream.
    pub seed: u64,
    /// Replicate of a study; 0 for a single fit.
    pub replicate: u32,
    /// Acceptance that the step size is adapted to, in (0, 1); .8 unless asked otherwise.
    pub target_accept: f64,
    /// Whether warm-up may add directions to the diagonal metric, where they pay and the engine has them.
    pub directions: bool,
    /// Threads to spread chains or ensembles over, at least 1. No number depends on it.
    pub threads: usize,
}

/// The chains of an ensemble where the number of chains allows it.
pub const CHAINS_PER_ENSEMBLE: usize = 16;

/// The number of ensembles, and chains in each, for a number of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Ensembles (superchains of nested R-hat).
    pub ensembles: usize,
    /// Chains of every ensemble.
    pub chains_per_ensemble: usize,
}

impl Layout {
    /// The equal division of `chains` whose ensembles come nearest to 16 chains, by ratio.
    ///
    /// Divisions into ensembles below 8 chains are not taken: such a few chains estimate no metric. A number without
    /// a suitable divisor, a prime say, makes one ensemble of all chains; the number of chains is never changed.
    pub fn of(chains: usize) -> Self {
        // Divisors come in pairs, one of each at most the root: millions of chains are divided in no time.
        let size = (1..=chains.isqrt())
            .filter(|&divisor| chains.is_multiple_of(divisor))
            .flat_map(|divisor| [divisor, chains / divisor])
            .filter(|&size| size >= 8)
            .min_by_key(|&size| {
                let (low, high) = (size.min(CHAINS_PER_ENSEMBLE), size.max(CHAINS_PER_ENSEMBLE));
                // The ratio as an integer that orders like it; of equal ones the smaller ensembles.
                (high as u128 * 1_000_000 / low as u128, size)
            })
            .unwrap_or(chains.max(1));
        Self {
            ensembles: chains / size,
            chains_per_ensemble: size,
        }
    }

    /// Chains of all ensembles together.
    pub fn chains(&self) -> usize {
        self.ensembles * self.chains_per_ensemble
    }
}

impl Settings {
    /// The grouping of the chains: NUTS chains stand alone.
    pub fn layout(&self) -> Layout {
        match self.sampler {
            Sampler::Nuts => Layout {
                ensembles: self.chains,
                chains_per_ensemble: 1,
            },
            Sampler::Hmc => Layout::of(self.chains),
        }
    }

    /// Iterations of the sampling phase.
    pub(crate) fn sampling_iterations(&self) -> u32 {
        self.draws as u32 * self.thin
    }

    /// Checks every field for a run of a model with `dim` coordinates that begins with `first_iteration`.
    pub(crate) fn check(&self, dim: usize, first_iteration: u32) -> Result<()> {
        if dim == 0 {
            return Err(Error::user("the model has no parameters to sample")
                .with_help("give at least one parameter a prior"));
        }
        for (name, value) in [
            ("chains", self.chains),
            ("draws", self.draws),
            ("threads", self.threads),
            ("thin", self.thin as usize),
        ] {
            if value == 0 {
                return Err(Error::user(format!("{name} is 0, at least 1 is needed")));
            }
        }
        if !(self.target_accept > 0.0 && self.target_accept < 1.0) {
            return Err(Error::user(format!(
                "the target acceptance is {}, expected a number between 0 and 1",
                self.target_accept
            ))
            .with_help(
                "0.8 suits most models; 0.9 to 0.99 takes smaller steps where there are divergences",
            ));
        }
        let iterations = u128::from(first_iteration)
            + u128::from(self.warmup)
            + self.draws as u128 * u128::from(self.thin);
        if iterations >= u128::from(u32::MAX) {
            return Err(Error::user(format!(
                "{iterations} iterations per chain are asked for, at most {} are possible",
                u32::MAX
            ))
            .with_help("ask for fewer draws per chain and more chains"));
        }
        if self.chains > u32::MAX as usize {
            return Err(Error::user(format!("{} chains are too many", self.chains)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ensembles_are_equal_and_lose_no_chain() {
        for chains in 1..600 {
            let layout = Layout::of(chains);
            assert_eq!(layout.chains(), chains);
            assert!(layout.chains_per_ensemble >= 8 || layout.ensembles == 1);
        }
        for (chains, ensembles, size) in [
            (64, 4, 16),
            (1024, 64, 16),
            (100, 5, 20),
            (16, 1, 16),
            (24, 2, 12),
            (4, 1, 4),
            (37, 1, 37),
            (90, 6, 15),
        ] {
            let expected = Layout {
                ensembles,
                chains_per_ensemble: size,
            };
            assert_eq!(Layout::of(chains), expected, "{chains} chains");
        }
    }

    #[test]
    fn settings_without_sense_are_refused_by_name() {
        let good = Settings {
            sampler: Sampler::Hmc,
            chains: 16,
            warmup: 0,
            draws: 1,
            thin: 1,
            seed: 1,
            replicate: 0,
            target_accept: 0.8,
            directions: true,
            threads: 1,
        };
        assert!(good.check(1, 0).is_ok());
        let message = |settings: &Settings, dim| settings.check(dim, 0).unwrap_err().message().to_owned();
        assert!(message(&good, 0).contains("no parameters"));
        assert!(
            message(
                &Settings {
                    thin: 0,
                    ..good.clone()
                },
                1
            )
            .contains("thin")
        );
        let accept = Settings {
            target_accept: 1.0,
            ..good.clone()
        };
        assert!(message(&accept, 1).contains("target acceptance is 1"));
        let long = Settings {
            draws: 1 << 31,
            thin: 2,
            ..good
        };
        assert!(message(&long, 1).contains("iterations per chain"));
    }
}
