//! Simulation studies: many data sets fitted in one run.
//!
//! A study has replicates: data sets that share a design (rows, predictors, groups) and have outcomes, weights of rows and
//! random streams of their own. [`batch`] fits them, an ensemble each, and keeps of each a [`Record`] and an [`Estimate`]
//! per quantity, never the draws.
//!
//! What is done is kept in a folder as it comes: [`Manifest`] names the study, [`Store`] holds the parts, so that a run that
//! was stopped goes on and several machines share one. A [`Shard`] is the share of one of them, [`merge()`] puts the shards
//! together, [`slurm`] writes the scripts that run them on a cluster; [`write_tables`] writes the tables of the whole.
//!
//! May import everything but `bench` and `cli`. Promises: what is kept of a replicate depends on the study's seed and
//! the replicate's number alone, so that a study can be cut into waves, shards and machines; no replicate is dropped:
//! one that fails is counted, named and kept; a part in a folder is whole or not there, and damage to it is found.

pub mod batch;
mod calibration;
mod designs;
mod device;
mod draws;
mod fields;
mod findings;
mod folds;
mod gathered;
mod manifest;
mod merge;
mod parquet;
mod piece;
mod posterior;
mod power;
mod predictive;
mod quantities;
mod record;
mod recovery;
mod shard;
mod sheet;
mod simulated;
pub mod slurm;
mod store;
#[cfg(test)]
mod store_tests;
mod tables;

pub use calibration::{BIN_PROB, Calibrated, Calibration};
pub use designs::{Criterion, Design, DesignSize, vary};
pub use device::Device;
pub use draws::Draws;
pub use findings::Findings;
pub use folds::{CrossValidation, Cut, Folds};
pub use manifest::{Aim, Difference, Manifest};
pub use merge::merge;
pub use posterior::{posterior_of, with_row_labels};
pub use power::{DesignPower, DesignStudy, Power, Share};
pub use predictive::{LeftOut, Predictive};
pub use record::{Estimate, Kind, Part, Record, Status};
pub use recovery::{Alternative, GroupRecovery, RecoveredQuantity, RecoveryStudy, SizeClass};
pub use shard::Shard;
pub use sheet::{Grid, Section, Sheet, Shown};
pub use simulated::{Known, Questions, Simulations};
pub use store::Store;
pub use tables::write_tables;
