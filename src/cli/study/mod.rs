//! `tadpool study`: many data sets fitted in one run; what they show goes to stdout and, with tables and pictures, into a
//! folder.

mod asked;
mod kinds;
mod shards;
mod written;

use super::Outcome;
use super::args::{StudyArgs, StudyKind};
use crate::error::Result;

/// Runs the study, or does what is asked with its parts.
pub(super) fn run(args: &StudyArgs) -> Result<Outcome> {
    match &args.kind {
        StudyKind::Recover(args) => kinds::recover(args),
        StudyKind::Sbc(args) => kinds::sbc(args),
        StudyKind::Power(args) => kinds::power(args),
        StudyKind::Kfold(args) => kinds::kfold(args),
        StudyKind::Merge(args) => shards::merged(args),
        StudyKind::Slurm(args) => shards::slurm(args),
    }
}
