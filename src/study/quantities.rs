//! The numbers of a part by quantity.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::{Estimate, Kind, Part};

/// A quantity with what is known of it in each replicate that has draws, ascending.
#[derive(Debug, Clone)]
pub(super) struct Quantity<'p> {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
    pub(super) estimates: Vec<&'p Estimate>,
}

/// The quantities in the order of the model.
pub(super) fn quantities<'p>(estimates: impl Iterator<Item = &'p Estimate>) -> Vec<Quantity<'p>> {
    let mut places: BTreeMap<(Kind, Arc<str>), usize> = BTreeMap::new();
    let mut all: Vec<Quantity<'p>> = Vec::new();
    for estimate in estimates {
        let place = *places
            .entry((estimate.kind, estimate.quantity.clone()))
            .or_insert_with(|| {
                all.push(Quantity {
                    kind: estimate.kind,
                    name: estimate.quantity.clone(),
                    estimates: Vec::new(),
                });
                all.len() - 1
            });
        all[place].estimates.push(estimate);
    }
    all
}

/// Why no replicate has draws, from the first that says so.
pub(super) fn no_draws(part: &Part, what: &str) -> crate::error::Error {
    let why = part
        .records
        .first()
        .map_or("", |record| record.message.lines().next().unwrap_or_default());
    crate::error::Error::user(format!("no replicate has draws, so {what}: {why}"))
        .with_help("the table of replicates in the folder of the study says why each of them failed")
}

/// The replicates that cannot be trusted, or that have no draws, each in a sentence, the worst ones first; of many the first
/// few, and how many more there are.
pub(super) fn faults(part: &Part) -> Vec<String> {
    const MOST: usize = 5;
    let mut unsound: Vec<_> = part
        .records
        .iter()
        .filter(|record| !record.status.is_sound())
        .collect();
    unsound.sort_by_key(|record| Reverse(record.status));
    let mut faults: Vec<String> = unsound
        .iter()
        .take(MOST)
        .map(|record| {
            format!(
                "replicate {} {}: {}",
                record.replicate,
                record.status.word(),
                record.message.lines().next().unwrap_or_default()
            )
        })
        .collect();
    if unsound.len() > MOST {
        faults.push(format!(
            "{} more, which the table of replicates names",
            unsound.len() - MOST
        ));
    }
    faults
}
