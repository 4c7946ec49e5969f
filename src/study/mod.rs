//! Simulation studies: many data sets fitted in one run.
//!
//! A study has replicates: data sets that share a design (rows, predictors, groups) and have outcomes, weights of rows and
//! random streams of their own. [`batch`] fits them, an ensemble each, and keeps of each a [`Record`] and an [`Estimate`]
//! per quantity, never the draws.
//!
//! May import everything but `bench` and `cli`. Promises: what is kept of a replicate depends on the study's seed and
//! the replicate's number alone, so that a study can be cut into waves, shards and machines; no replicate is dropped:
//! one that fails is counted, named and kept.

pub mod batch;
mod calibration;
mod designs;
mod draws;
mod findings;
mod folds;
mod gathered;
mod manifest;
mod merge;
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
mod tables;

pub use calibration::{BIN_PROB, Calibrated, Calibration};
pub use designs::{Criterion, Design, DesignSize, vary};
pub use draws::Draws;
pub use findings::Findings;
pub use folds::{CrossValidation, Cut, Folds};
pub use manifest::{Aim, Difference, Manifest};
pub use merge::merge;
pub use posterior::posterior_of;
pub use power::{DesignPower, DesignStudy, Power, Share};
pub use predictive::{LeftOut, Predictive};
pub use record::{Estimate, Kind, Part, Record, Status};
pub use recovery::{Alternative, GroupRecovery, RecoveredQuantity, RecoveryStudy, SizeClass};
pub use shard::Shard;
pub use sheet::{Grid, Section, Sheet, Shown};
pub use simulated::{Known, Questions, Simulations};
pub use store::Store;
pub use tables::write_tables;
