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
mod folds;
mod power;
mod predictive;
mod quantities;
mod record;
mod recovery;
mod simulated;

pub use calibration::{BIN_PROB, Calibrated, Calibration};
pub use designs::{Criterion, Design, vary};
pub use draws::Draws;
pub use folds::{CrossValidation, Folds};
pub use power::{DesignPower, DesignStudy, Power, Share};
pub use predictive::{LeftOut, Predictive};
pub use record::{Estimate, Kind, Part, Record, Status};
pub use recovery::{Alternative, GroupRecovery, RecoveredQuantity, RecoveryStudy, SizeClass};
pub use simulated::{Known, Questions, Simulations};
