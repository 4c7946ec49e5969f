//! How probable it is that a study of a size finds what it is after.

use super::batch::{Prepared, Study};
use super::designs::{Criterion, DesignSize};
use super::draws::Draws;
use super::quantities::quantities;
use super::record::{Estimate, Kind, Part, Status};
use super::simulated::{Known, Simulations};
use crate::diag::{Prob, wilson};
use crate::error::{Error, Result};

/// Several designs, each with as many replicates: those of the first come first.
#[derive(Debug)]
pub struct DesignStudy {
    designs: Vec<Simulations>,
    each: u32,
}

impl DesignStudy {
    /// `each` replicates of every design.
    pub fn new(designs: Vec<Simulations>, each: u32) -> Self {
        Self { designs, each }
    }

    /// All replicates.
    ///
    /// # Errors
    ///
    /// A user error if they are too many to be counted.
    pub fn replicates(&self) -> Result<u32> {
        let all = u32::try_from(self.designs.len())
            .ok()
            .and_then(|designs| designs.checked_mul(self.each));
        all.ok_or_else(|| {
            Error::user(format!(
                "{} designs of {} replicates are too many",
                self.designs.len(),
                self.each
            ))
            .with_help("ask for fewer replicates")
        })
    }

    fn design(&self, replicate: u32) -> Result<&Simulations> {
        self.designs
            .get((replicate / self.each) as usize)
            .ok_or_else(|| Error::bug(format!("replicate {replicate} is of no design")))
    }
}

impl Study for DesignStudy {
    type Known = Known;

    fn prepare(&self, replicate: u32) -> Result<Prepared<Known>> {
        self.design(replicate)?.prepare(replicate)
    }

    fn digest(&self, replicate: u32, prepared: &Prepared<Known>, draws: &Draws<'_>) -> Result<Vec<Estimate>> {
        self.design(replicate)?.digest(replicate, prepared, draws)
    }
}

/// How often a criterion was met.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// The criterion's text.
    pub criterion: String,
    /// Replicates that met it.
    pub met: usize,
    /// Replicates with draws.
    pub of: usize,
    /// Their ratio.
    pub share: f64,
    /// Wilson's interval of it.
    pub interval: (f64, f64),
}

/// One design.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignPower {
    /// What sets it apart.
    pub sizes: Vec<(String, String)>,
    /// Rows.
    pub rows: usize,
    /// By criterion.
    pub shares: Vec<Share>,
    /// Replicates whose fit cannot be trusted, counted above all the same.
    pub unsound: usize,
    /// Replicates without draws, not counted above.
    pub failed: usize,
}

/// All designs.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// In the order in which they were given.
    pub designs: Vec<DesignPower>,
    /// Probability of the intervals.
    pub prob: Prob,
}

impl Power {
    /// Counts a part of `each` replicates of every design.
    pub fn of(part: &Part, designs: &[DesignSize], each: u32, criteria: &[Criterion], prob: Prob) -> Self {
        let of_design = |place: usize| {
            let first = place as u32 * each;
            first..first + each
        };
        let designs = designs.iter().enumerate().map(|(place, design)| {
            let range = of_design(place);
            let own = part
                .estimates
                .iter()
                .filter(|estimate| estimate.kind == Kind::Criterion && range.contains(&estimate.replicate));
            let found = quantities(own);
            let shares = criteria.iter().map(|criterion| {
                let estimates = found
                    .iter()
                    .find(|quantity| *quantity.name == *criterion.text)
                    .map_or(&[][..], |quantity| &quantity.estimates);
                let met = estimates
                    .iter()
                    .filter(|estimate| criterion.is_met(estimate.mean))
                    .count();
                Share {
                    criterion: criterion.text.clone(),
                    met,
                    of: estimates.len(),
                    share: met as f64 / estimates.len() as f64,
                    interval: wilson(met, estimates.len(), prob),
                }
            });
            let records = || {
                part.records
                    .iter()
                    .filter(|record| range.contains(&record.replicate))
            };
            let failed = records().filter(|record| record.status == Status::Failed).count();
            DesignPower {
                sizes: design.sizes.clone(),
                rows: design.rows,
                shares: shares.collect(),
                unsound: records().filter(|record| !record.status.is_sound()).count() - failed,
                failed,
            }
        });
        Self {
            designs: designs.collect(),
            prob,
        }
    }
}
