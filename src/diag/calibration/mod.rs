//! Whether ranks are uniform: the verdict of simulation-based calibration.
//!
//! A sampler that is right ranks the truth anywhere among the draws with equal probability (Cook, Gelman, Rubin 2006;
//! Talts et al. 2018). [`RankTest`] says whether the ranks of many replicates may be that, at all points of their
//! distribution at once and with the exact probability of a false alarm; [`RankHistogram`] counts them in bins for the
//! eye.
//!
//! Ranks are whole numbers from 0 to the number of draws; who ranks breaks ties at random. Errors are bugs of the
//! caller: a rank above the number of draws, other numbers of ranks than were announced.

mod counts;
mod escape;
mod histogram;
mod uniformity;

pub use histogram::RankHistogram;
pub use uniformity::{Band, RankTest, Uniformity};

use crate::error::{Error, Result};

/// How many ranks there are of each value from 0 to `draws`.
fn tally(ranks: &[u32], draws: usize) -> Result<Vec<usize>> {
    let mut tally = vec![0; draws + 1];
    for (replicate, rank) in ranks.iter().enumerate() {
        let count = tally.get_mut(*rank as usize).ok_or_else(|| {
            Error::bug(format!(
                "rank {rank} of replicate {replicate} among {draws} draws"
            ))
        })?;
        *count += 1;
    }
    Ok(tally)
}
