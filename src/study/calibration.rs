//! What a calibration study shows: whether the truth's ranks among the draws are uniform.
//!
//! Talts et al. 2018 (arXiv 1804.06788); the test is that of Säilynoja, Bürkner and Vehtari 2022, and the log likelihood
//! is a quantity of its own, which finds faults that no single parameter shows (Modrák et al. 2023).

use std::sync::Arc;

use super::quantities::{no_draws, quantities};
use super::record::{Kind, Part, Status};
use crate::diag::Prob;
use crate::diag::calibration::{Band, RankHistogram, RankTest, Uniformity};
use crate::error::Result;

/// Probability of the interval of a histogram's bin.
pub const BIN_PROB: f64 = 0.99;

/// What is said of one quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// What it is.
    pub kind: Kind,
    /// Its printed name.
    pub name: Arc<str>,
    /// Replicates that were ranked.
    pub replicates: usize,
    /// The test.
    pub judged: Uniformity,
    /// The ranks in bins.
    pub histogram: RankHistogram,
    /// Whether the ranks leave the band.
    pub is_outside: bool,
}

/// The verdict over all quantities.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Draws that the truth was ranked among.
    pub draws: usize,
    /// Probability that a study with nothing wrong fails.
    pub level: f64,
    /// The same for one quantity: the level shared out equally.
    pub each: f64,
    /// The band of one quantity, for as many replicates as the first has.
    pub band: Band,
    /// In the order of the model.
    pub quantities: Vec<Calibrated>,
    /// Replicates without draws, which have no ranks.
    pub failed: usize,
    /// Whether ranks that are all 0 would leave the band: of fewer replicates nothing can be told.
    pub can_tell: bool,
}

impl Calibration {
    /// Judges the ranks of a part, which are among `draws` draws.
    ///
    /// # Errors
    ///
    /// A user error if no replicate has draws.
    pub fn of(part: &Part, draws: usize, level: f64) -> Result<Self> {
        let ranked: Vec<_> = quantities(part.estimates.iter())
            .into_iter()
            .map(|quantity| {
                let ranks: Vec<u32> = quantity
                    .estimates
                    .iter()
                    .filter(|estimate| estimate.rank.is_finite())
                    .map(|estimate| estimate.rank as u32)
                    .collect();
                (quantity, ranks)
            })
            .filter(|(_, ranks)| !ranks.is_empty())
            .collect();
        let Some((_, first)) = ranked.first() else {
            return Err(no_draws(part, "there are no ranks to judge"));
        };
        let each = level / ranked.len() as f64;
        let mut replicates = first.len();
        let mut test = RankTest::new(replicates, draws)?;
        let band = test.band(each);
        let bins = RankHistogram::bins(replicates, draws);
        let prob = Prob::new(BIN_PROB)?;
        let mut all = Vec::with_capacity(ranked.len());
        for (quantity, ranks) in ranked {
            if ranks.len() != replicates {
                replicates = ranks.len();
                test = RankTest::new(replicates, draws)?;
            }
            let judged = test.judge(&ranks)?;
            all.push(Calibrated {
                kind: quantity.kind,
                name: quantity.name,
                replicates: ranks.len(),
                is_outside: judged.p_value <= each,
                judged,
                histogram: RankHistogram::new(&ranks, draws, bins, prob)?,
            });
        }
        let can_tell = RankTest::new(replicates, draws)?
            .judge(&vec![0; replicates])?
            .p_value
            <= each;
        Ok(Self {
            can_tell,
            draws,
            level,
            each,
            band,
            quantities: all,
            failed: part.count(Status::Failed),
        })
    }

    /// Quantities whose ranks leave the band.
    pub fn outside(&self) -> impl Iterator<Item = &Calibrated> {
        self.quantities.iter().filter(|quantity| quantity.is_outside)
    }

    /// Whether nothing speaks against model and sampler.
    pub fn ok(&self) -> bool {
        self.can_tell && self.failed == 0 && self.outside().next().is_none()
    }
}
