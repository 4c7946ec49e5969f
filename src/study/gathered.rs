//! Replicates from several files, put together in order; what is there twice must be the same.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::record::Part;
use super::tables::same;
use crate::error::{Error, Result};

/// Replicates by their number, and the file that each came from.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    sources: Vec<PathBuf>,
    /// A part of one replicate, and its place in `sources`.
    replicates: BTreeMap<u32, (Part, usize)>,
}

impl Gathered {
    /// Adds the replicates of a part that was read from `source`.
    ///
    /// # Errors
    ///
    /// An environment error if one is there already with other numbers.
    pub(super) fn add(&mut self, source: &Path, part: Part) -> Result<()> {
        let place = self.sources.len();
        self.sources.push(source.to_owned());
        let mut estimates = part.estimates.into_iter().peekable();
        for record in part.records {
            let replicate = record.replicate;
            let mut one = Part {
                records: vec![record],
                estimates: Vec::new(),
            };
            while let Some(estimate) = estimates.next_if(|estimate| estimate.replicate == replicate) {
                one.estimates.push(estimate);
            }
            if let Some((there, other)) = self.replicates.get(&replicate) {
                if same(there, &one) {
                    continue;
                }
                return Err(Error::environment(format!(
                    "replicate {replicate} has other numbers in {} than in {}",
                    source.display(),
                    self.sources[*other].display()
                ))
                .with_help(
                    "one of them was made by another build of tadpool or on another machine: delete it; `--resume` then \
                     fits its replicates again",
                ));
            }
            one.estimates.shrink_to_fit();
            self.replicates.insert(replicate, (one, place));
        }
        Ok(())
    }

    /// The numbers of `range` that are not there.
    pub(super) fn missing(&self, range: Range<u32>) -> Vec<Range<u32>> {
        let mut missing = Vec::new();
        let mut next = range.start;
        for &there in self
            .replicates
            .range(range.clone())
            .map(|(replicate, _)| replicate)
        {
            if there > next {
                missing.push(next..there);
            }
            next = there + 1;
        }
        if next < range.end {
            missing.push(next..range.end);
        }
        missing
    }

    /// All in order.
    pub(super) fn into_part(self) -> Part {
        let mut whole = Part::default();
        self.replicates
            .into_values()
            .for_each(|(part, _)| whole.append(part));
        whole
    }
}
