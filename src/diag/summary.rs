//! The summary of one parameter: a row of the table that people read.

use super::chains::{Chains, Status};
use super::ess::{ess_mean, split_ess, tail_of};
use super::interval::{Interval, Prob};
use super::mcse::mcse_sd_about;
use super::moments::{mean, variance_about};
use super::normal_scores::NormalScores;
use super::quantile::median;
use super::rank::Ordered;
use super::rhat::{nested_of, rhat_of};

/// Everything said about one scalar quantity. Undefined numbers are NaN; units are the draws' own unless said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Whether the draws vary. All numbers are NaN if some draws are not finite; if all are equal, the location is theirs,
    /// `sd` is 0, and the diagnostics are NaN.
    pub status: Status,
    /// Posterior mean.
    pub mean: f64,
    /// Posterior standard deviation (divisor S − 1).
    pub sd: f64,
    /// Monte Carlo standard error of `mean`.
    pub mcse_mean: f64,
    /// Monte Carlo standard error of `sd`.
    pub mcse_sd: f64,
    /// Posterior median.
    pub median: f64,
    /// Lower end of the interval asked for.
    pub lower: f64,
    /// Upper end of the interval asked for.
    pub upper: f64,
    /// Effective sample size of the bulk, in draws.
    pub ess_bulk: f64,
    /// Effective sample size of the tails, in draws.
    pub ess_tail: f64,
    /// R-hat, no unit; infinite where chains stand still apart.
    pub rhat: f64,
    /// Nested R-hat, no unit; NaN unless superchains were named and are at least two.
    pub nested_rhat: f64,
}

impl Summary {
    /// Nothing is known.
    pub const UNDEFINED: Self = Self {
        status: Status::NonFinite { count: 0 },
        mean: f64::NAN,
        sd: f64::NAN,
        mcse_mean: f64::NAN,
        mcse_sd: f64::NAN,
        median: f64::NAN,
        lower: f64::NAN,
        upper: f64::NAN,
        ess_bulk: f64::NAN,
        ess_tail: f64::NAN,
        rhat: f64::NAN,
        nested_rhat: f64::NAN,
    };
}

/// Summarises quantities of one run, each with one sort.
pub struct Summariser {
    interval: Interval,
    prob: Prob,
    chains_per_superchain: Option<usize>,
    /// The scores of the ranks depend on the number of draws alone.
    scores: NormalScores,
}

impl Summariser {
    /// For quantities of `num_chains` chains of `num_draws` draws.
    ///
    /// `chains_per_superchain` is the number of consecutive chains that started at one point (an ensemble), if there
    /// are such.
    pub fn new(
        num_chains: usize,
        num_draws: usize,
        interval: Interval,
        prob: Prob,
        chains_per_superchain: Option<usize>,
    ) -> Self {
        Self {
            interval,
            prob,
            chains_per_superchain,
            // Halves leave out the middle draw of an odd number.
            scores: NormalScores::new(num_chains * (num_draws / 2 * 2)),
        }
    }

    /// The summary of one quantity, which has the numbers of chains and draws given.
    pub fn summarise(&self, chains: Chains) -> Summary {
        let status = chains.status();
        if let Status::NonFinite { .. } = status {
            return Summary {
                status,
                ..Summary::UNDEFINED
            };
        }
        let ordered = Ordered::new(chains);
        let centre = mean(chains.values());
        let sd = variance_about(chains.values(), centre).sqrt();
        let (lower, upper) = self.interval.of(ordered.values(), self.prob);
        let location = Summary {
            status,
            mean: centre,
            sd,
            median: median(ordered.values()),
            lower,
            upper,
            ..Summary::UNDEFINED
        };
        if !chains.is_diagnosable() {
            return location;
        }
        let bulk = ordered.bulk_scores(&self.scores);
        let folded = ordered.folded_scores(&self.scores);
        let nested = |m| nested_of(bulk.view(), folded.view(), m);
        Summary {
            mcse_mean: sd / ess_mean(chains).sqrt(),
            mcse_sd: mcse_sd_about(chains, centre),
            ess_bulk: split_ess(bulk.view()),
            ess_tail: tail_of(chains, &ordered),
            rhat: rhat_of(bulk.view(), folded.view()),
            nested_rhat: self.chains_per_superchain.map_or(f64::NAN, nested),
            ..location
        }
    }
}

/// Summarises the draws of one quantity; see [`Summariser`] for many of one run.
pub fn summarise(
    chains: Chains,
    interval: Interval,
    prob: Prob,
    chains_per_superchain: Option<usize>,
) -> Summary {
    let (num_chains, num_draws) = (chains.num_chains(), chains.num_draws());
    Summariser::new(num_chains, num_draws, interval, prob, chains_per_superchain).summarise(chains)
}

#[cfg(test)]
mod tests {
    use super::super::{ess_bulk, ess_tail, hdi, mcse_mean, mcse_sd, rhat, rhat_nested};
    use super::*;

    #[test]
    fn one_pass_gives_what_the_single_functions_give() {
        for num_draws in [25, 26] {
            let values: Vec<f64> = (0..4 * num_draws).map(|i| f64::from(i * i * 31 % 97)).collect();
            let chains = Chains::new(&values, 4).unwrap();
            let got = summarise(chains, Interval::Hdi, Prob::default(), Some(2));
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!((got.lower, got.upper), hdi(&sorted, Prob::default()));
            assert_eq!(got.mcse_mean, mcse_mean(chains));
            assert_eq!(got.mcse_sd, mcse_sd(chains));
            assert_eq!(got.ess_bulk, ess_bulk(chains));
            assert_eq!(got.ess_tail, ess_tail(chains));
            assert_eq!(got.rhat, rhat(chains));
            assert_eq!(got.nested_rhat, rhat_nested(chains, 2));
        }
    }

    #[test]
    fn constant_draws_keep_their_location_and_earn_no_diagnostics() {
        let chains = Chains::new(&[0.1; 40], 4).unwrap();
        let got = summarise(chains, Interval::Eti, Prob::default(), Some(2));
        assert_eq!(got.status, Status::Constant);
        assert_eq!(
            (got.mean, got.median, got.lower, got.upper, got.sd),
            (0.1, 0.1, 0.1, 0.1, 0.0)
        );
        let undefined = [
            got.rhat,
            got.ess_bulk,
            got.ess_tail,
            got.mcse_mean,
            got.mcse_sd,
            got.nested_rhat,
        ];
        assert!(undefined.iter().all(|x| x.is_nan()), "{undefined:?}");
    }

    #[test]
    fn broken_draws_are_counted_not_averaged() {
        let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        values[2] = f64::NAN;
        values[5] = f64::NEG_INFINITY;
        let got = summarise(
            Chains::new(&values, 2).unwrap(),
            Interval::Hdi,
            Prob::default(),
            None,
        );
        assert_eq!(got.status, Status::NonFinite { count: 2 });
        assert!(got.mean.is_nan() && got.median.is_nan() && got.lower.is_nan() && got.rhat.is_nan());
    }
}
