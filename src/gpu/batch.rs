//! Replicates of a study side by side in one run, and what every run's ensembles have of their own.

#[cfg(feature = "gpu")]
use crate::back::kernel::{Data, DensityKernel};
#[cfg(feature = "gpu")]
use crate::error::{Error, Result};

/// Replicates for a kernel of [`crate::back::kernel::Data::PerEnsemble`]: data sets that share design, indices and
/// shapes.
///
/// A replicate has one ensemble or several that follow one another. Its random streams are those of a run of it alone:
/// its draws do not depend on which replicates lie beside it, nor on where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchData {
    /// Data columns, `[ensemble][entry]`; ensembles of one replicate have equal ones.
    pub columns: Vec<f32>,
    /// Constants of the log density, `[ensemble]`.
    pub constants: Vec<f64>,
    /// Numbers of the replicates, `[ensemble]`: they name the random streams, within which the chains of a replicate's
    /// ensembles are numbered on from 0.
    pub replicates: Vec<u32>,
}

impl BatchData {
    /// Appends `ensembles` ensembles of one replicate, whose data columns and constant
    /// [`crate::back::wgsl::data_of`] its program gives.
    pub fn push(&mut self, replicate: u32, ensembles: usize, columns: &[f32], constant: f64) {
        for _ in 0..ensembles {
            self.columns.extend_from_slice(columns);
            self.constants.push(constant);
            self.replicates.push(replicate);
        }
    }

    /// Number of ensembles.
    pub fn ensembles(&self) -> usize {
        self.replicates.len()
    }
}

/// Where the ensembles' data and streams come from.
#[cfg(feature = "gpu")]
pub(super) enum Sources<'a> {
    /// One data set for all, and streams of one replicate.
    Shared {
        kernel: &'a DensityKernel,
        replicate: u32,
    },
    /// Replicates side by side.
    Batch(&'a BatchData),
}

#[cfg(feature = "gpu")]
impl<'a> Sources<'a> {
    /// The data of `kernel` for all ensembles.
    ///
    /// # Errors
    /// Bug: the kernel's text reads data per ensemble.
    pub(super) fn shared(kernel: &'a DensityKernel, replicate: u32) -> Result<Self> {
        match kernel.data {
            Data::Shared => Ok(Self::Shared { kernel, replicate }),
            Data::PerEnsemble => Err(Error::bug(
                "a kernel whose ensembles have data of their own was given none",
            )),
        }
    }

    /// The data of `batch` for a kernel that reads `entries` of each ensemble as `data` says.
    ///
    /// # Errors
    /// Bug: numbers of values that do not belong together, or another kind of kernel.
    pub(super) fn of_batch(batch: &'a BatchData, data: Data, entries: usize) -> Result<Self> {
        if data != Data::PerEnsemble {
            return Err(Error::bug(
                "a batch for a kernel whose ensembles share their data",
            ));
        }
        let ensembles = batch.ensembles();
        let expected = ensembles.saturating_mul(entries);
        if (batch.columns.len(), batch.constants.len()) != (expected, ensembles) {
            return Err(Error::bug(format!(
                "a batch of {ensembles} ensembles has {} numbers in its columns and {} constants, {expected} and \
                 {ensembles} were expected",
                batch.columns.len(),
                batch.constants.len(),
            )));
        }
        Ok(Self::Batch(batch))
    }

    /// Of all ensembles, or `[ensemble][entry]`.
    pub(super) fn columns(&self) -> &'a [f32] {
        match self {
            Self::Shared { kernel, .. } => &kernel.columns,
            Self::Batch(batch) => &batch.columns,
        }
    }

    /// The log densities' constants, `[chain]`, for ensembles of `size` chains.
    pub(super) fn constants(&self, ensembles: usize, size: usize) -> Vec<f64> {
        match self {
            Self::Shared { kernel, .. } => vec![kernel.constant; ensembles * size],
            Self::Batch(batch) => {
                let constants = batch.constants.iter();
                constants
                    .flat_map(|&constant| std::iter::repeat_n(constant, size))
                    .collect()
            }
        }
    }

    /// `[ensemble]`: the replicate, and the number of the ensemble's first chain within it.
    ///
    /// # Errors
    /// Bug: a replicate whose ensembles do not follow one another.
    pub(super) fn streams(&self, ensembles: usize, size: usize) -> Result<Vec<[u32; 2]>> {
        match self {
            Self::Shared { replicate, .. } => streams(&vec![*replicate; ensembles], size),
            Self::Batch(batch) => streams(&batch.replicates, size),
        }
    }
}

/// The names of the streams of each ensemble.
#[cfg(feature = "gpu")]
fn streams(replicates: &[u32], size: usize) -> Result<Vec<[u32; 2]>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut streams = Vec::with_capacity(replicates.len());
    for of_replicate in replicates.chunk_by(|a, b| a == b) {
        let replicate = of_replicate[0];
        if !seen.insert(replicate) {
            return Err(Error::bug(format!(
                "the ensembles of replicate {replicate} do not follow one another: their chains would share streams"
            )));
        }
        // Chains beyond 32 bits are refused by their buffers' sizes.
        streams.extend((0..of_replicate.len()).map(|ensemble| [replicate, (ensemble * size) as u32]));
    }
    Ok(streams)
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use super::*;

    #[test]
    fn chains_are_numbered_within_their_replicate() {
        let found = streams(&[7, 7, 2, 9, 9, 9], 16).expect("streams");
        assert_eq!(found, [[7, 0], [7, 16], [2, 0], [9, 0], [9, 16], [9, 32]]);
        let error = streams(&[7, 2, 7], 16).unwrap_err();
        assert!(error.message().contains("replicate 7"), "{error}");
    }

    #[test]
    fn a_batch_has_a_set_of_columns_for_each_ensemble() {
        let mut batch = BatchData::default();
        batch.push(3, 2, &[1.0, 2.0], -5.0);
        batch.push(1, 1, &[3.0, 4.0], -6.0);
        assert_eq!(batch.columns, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0]);
        let sources = Sources::of_batch(&batch, Data::PerEnsemble, 2).expect("sources");
        assert_eq!(sources.constants(3, 2), [-5.0, -5.0, -5.0, -5.0, -6.0, -6.0]);
        assert_eq!(sources.streams(3, 8), Ok(vec![[3, 0], [3, 8], [1, 0]]));
        assert!(Sources::of_batch(&batch, Data::PerEnsemble, 3).is_err());
        assert!(Sources::of_batch(&batch, Data::Shared, 2).is_err());
    }
}
