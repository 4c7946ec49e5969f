//! What a recovery study shows: how near the estimates come to the truth, and the means of groups beside estimates
//! without a model.

use std::sync::Arc;

use super::quantities::{Quantity, no_draws, quantities};
use super::record::{Estimate, Kind, Part};
use crate::diag::{Recovered, Recovery, WithError};
use crate::error::Result;

/// An estimate of a group's mean without the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// The mean of the group's own rows.
    NoPooling,
    /// The mean of all rows.
    CompletePooling,
}

impl Alternative {
    /// Their words on the command line.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("no-pooling", Self::NoPooling),
        ("complete-pooling", Self::CompletePooling),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoPooling => "no-pooling",
            Self::CompletePooling => "complete-pooling",
        }
    }

    /// Its name in sentences and legends.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoPooling => "no pooling",
            Self::CompletePooling => "complete pooling",
        }
    }

    fn of(self, estimate: &Estimate) -> f64 {
        match self {
            Self::NoPooling => estimate.no_pooling,
            Self::CompletePooling => estimate.complete_pooling,
        }
    }
}

/// How a quantity, or the elements of one together, was recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveredQuantity {
    /// What it is.
    pub kind: Kind,
    /// The name of one number, or of all elements of a quantity: `a_pond[*]`.
    pub name: Arc<str>,
    /// Numbers pooled in each replicate.
    pub elements: usize,
    /// The measures.
    pub recovery: Recovery,
}

/// Groups of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeClass {
    /// The size: trials where the outcome counts successes, else rows.
    pub size: f64,
    /// How many groups have it.
    pub groups: usize,
    /// The model.
    pub partial: Recovery,
    /// Mean absolute error of each alternative, and by how much it exceeds the model's.
    pub alternatives: Vec<(Alternative, WithError, WithError)>,
}

/// The groups of one study.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecovery {
    /// Their printed names.
    pub names: Vec<Arc<str>>,
    /// Their sizes.
    pub sizes: Vec<f64>,
    /// By size, the smallest first.
    pub classes: Vec<SizeClass>,
    /// All groups together.
    pub all: SizeClass,
    /// Absolute error of the model's mean in each group, averaged over the replicates; then of each alternative.
    pub absolute_errors: Vec<Vec<f64>>,
    /// The same in the first replicate.
    pub first_absolute_errors: Vec<Vec<f64>>,
}

/// What a recovery study shows.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryStudy {
    /// Replicates with draws.
    pub replicates: usize,
    /// Scalars, and quantities with several elements pooled, in the order of the model.
    pub quantities: Vec<RecoveredQuantity>,
    /// Every element by itself.
    pub elements: Vec<RecoveredQuantity>,
    /// The groups, if there are any.
    pub groups: Option<GroupRecovery>,
    /// What the groups are compared with.
    pub against: Vec<Alternative>,
}

/// Slices `[replicate][element]` of some quantities, which all have the same replicates.
struct Columns {
    estimates: Vec<f64>,
    truths: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Columns {
    fn of(quantities: &[&Quantity<'_>], estimate: impl Fn(&Estimate) -> f64) -> Self {
        let mut columns = Self {
            estimates: Vec::new(),
            truths: Vec::new(),
            lower: Vec::new(),
            upper: Vec::new(),
        };
        let replicates = quantities.first().map_or(0, |quantity| quantity.estimates.len());
        for replicate in 0..replicates {
            for quantity in quantities {
                let own = quantity.estimates[replicate];
                columns.estimates.push(estimate(own));
                columns.truths.push(own.truth);
                columns.lower.push(own.lower);
                columns.upper.push(own.upper);
            }
        }
        columns
    }

    fn recovered(&self, elements: usize, intervals: bool) -> Result<Recovered<'_>> {
        Recovered::new(
            elements,
            &self.estimates,
            &self.truths,
            intervals.then_some((self.lower.as_slice(), self.upper.as_slice())),
        )
    }
}

/// The name of a quantity without its subscripts.
fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

impl RecoveryStudy {
    /// Measures a part.
    ///
    /// # Errors
    ///
    /// A user error if no replicate has draws.
    pub fn of(part: &Part, against: &[Alternative]) -> Result<Self> {
        let all = quantities(
            part.estimates
                .iter()
                .filter(|estimate| matches!(estimate.kind, Kind::Parameter | Kind::Derived | Kind::Mean)),
        );
        let Some(replicates) = all.first().map(|quantity| quantity.estimates.len()) else {
            return Err(no_draws(part, "nothing was estimated"));
        };
        let measured = |kind, name: Arc<str>, quantities: &[&Quantity<'_>]| -> Result<RecoveredQuantity> {
            let columns = Columns::of(quantities, |estimate| estimate.mean);
            Ok(RecoveredQuantity {
                kind,
                name,
                elements: quantities.len(),
                recovery: columns.recovered(quantities.len(), true)?.all(),
            })
        };
        let mut pooled = Vec::new();
        let mut elements = Vec::new();
        let of_model: Vec<&Quantity<'_>> = all
            .iter()
            .filter(|quantity| quantity.kind != Kind::Mean)
            .collect();
        for own in of_model.chunk_by(|a, b| base(&a.name) == base(&b.name)) {
            let is_single = own.len() == 1 && !own[0].name.contains('[');
            let name = match is_single {
                true => own[0].name.clone(),
                false => Arc::from(format!("{}[*]", base(&own[0].name))),
            };
            pooled.push(measured(own[0].kind, name, own)?);
            for quantity in own {
                elements.push(measured(quantity.kind, quantity.name.clone(), &[quantity])?);
            }
        }
        // A group without rows has no mean.
        let means: Vec<&Quantity<'_>> = all
            .iter()
            .filter(|quantity| quantity.kind == Kind::Mean && quantity.estimates[0].size > 0.0)
            .collect();
        let groups = match means.is_empty() {
            true => None,
            false => Some(GroupRecovery::of(&means, against)?),
        };
        Ok(Self {
            replicates,
            quantities: pooled,
            elements,
            groups,
            against: against.to_vec(),
        })
    }
}

impl GroupRecovery {
    fn of(means: &[&Quantity<'_>], against: &[Alternative]) -> Result<Self> {
        let partial = Columns::of(means, |estimate| estimate.mean);
        let partial_recovered = partial.recovered(means.len(), true)?;
        let others: Vec<(Alternative, Columns)> = against
            .iter()
            .map(|alternative| {
                (
                    *alternative,
                    Columns::of(means, |estimate| alternative.of(estimate)),
                )
            })
            .collect();
        let sizes: Vec<f64> = means.iter().map(|quantity| quantity.estimates[0].size).collect();
        let class = |size: f64, elements: &[usize]| -> Result<SizeClass> {
            let mut alternatives = Vec::new();
            for (alternative, columns) in &others {
                let recovered = columns.recovered(means.len(), false)?;
                alternatives.push((
                    *alternative,
                    recovered.of(elements).mean_absolute_error,
                    recovered.absolute_error_beyond(&partial_recovered, elements)?,
                ));
            }
            Ok(SizeClass {
                size,
                groups: elements.len(),
                partial: partial_recovered.of(elements),
                alternatives,
            })
        };
        let mut distinct = sizes.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let mut classes = Vec::new();
        for size in distinct {
            let elements: Vec<usize> = (0..means.len()).filter(|group| sizes[*group] == size).collect();
            classes.push(class(size, &elements)?);
        }
        let every: Vec<usize> = (0..means.len()).collect();
        let absolute = |columns: &Columns| -> Result<Vec<f64>> {
            let errors = columns.recovered(means.len(), false)?.absolute_errors();
            Ok(errors.into_iter().map(|error| error.value).collect())
        };
        let first = |columns: &Columns| -> Vec<f64> {
            let pairs = columns.estimates.iter().zip(&columns.truths).take(means.len());
            pairs.map(|(estimate, truth)| (estimate - truth).abs()).collect()
        };
        let mut absolute_errors = vec![absolute(&partial)?];
        let mut first_absolute_errors = vec![first(&partial)];
        for (_, columns) in &others {
            absolute_errors.push(absolute(columns)?);
            first_absolute_errors.push(first(columns));
        }
        Ok(Self {
            names: means.iter().map(|quantity| quantity.name.clone()).collect(),
            all: class(f64::NAN, &every)?,
            sizes,
            classes,
            absolute_errors,
            first_absolute_errors,
        })
    }
}
