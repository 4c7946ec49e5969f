//! Diagnostics: how far the chains can be trusted, and what the draws say about one quantity.
//!
//! What lives here: R-hat and nested R-hat, effective sample sizes, Monte Carlo standard errors, intervals, the energy
//! diagnostic, autocorrelations, kernel densities, the summary of one parameter, and the verdict that puts all of them
//! into plain words; and, for draws that are not kept, the same numbers from a stream ([`Accumulator`],
//! [`EnergyStream`]). How well a model predicts, and weights of several models, are in [`elpd`].
//! Of simulation studies: whether ranks are uniform is in [`calibration`], how well estimates hit the truth in
//! [`Recovered`], how certain a probability of a few hundred trials is in [`wilson`].
//!
//! May import `error`, `num` and `rng` alone. Slices in, numbers out: no names of files, no clocks, no threads. Draws come as a
//! [`Chains`] view of `[chain][draw]`, on any scale; a caller that has many parameters runs them in parallel.
//!
//! Promises: the numbers of ArviZ and of R's posterior on the same draws to 1e-8, with the choice between the two named
//! where they differ; NaN, never a made-up number, where a diagnostic is undefined (fewer than four draws per chain, a
//! value that is not finite, a quantity that never changes); the same result whatever order the chains come in, up to
//! rounding.

mod accumulator;
mod autocovariance;
pub mod calibration;
mod chains;
mod density;
pub mod elpd;
mod energy;
mod ess;
mod findings;
mod interval;
mod mcse;
mod moments;
mod normal_scores;
mod pilot;
mod proportion;
mod quantile;
mod rank;
mod recovery;
mod rhat;
mod summary;
mod verdict;

pub use accumulator::{Accumulator, Streamed, combine};
pub use autocovariance::autocorrelation;
pub use chains::{Chains, Status};
pub use density::Density;
pub use energy::{Ebfmi, EnergyStream, ebfmi};
pub use ess::{ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail};
pub use findings::{EBFMI_LIMIT, ESS_LIMIT, NESTED_FROM_CHAINS, Named, RHAT_LIMIT, Run};
pub use interval::{Interval, Prob, eti, hdi};
pub use mcse::{mcse_mean, mcse_median, mcse_quantile, mcse_sd};
pub use moments::{mean, variance_about};
pub use normal_scores::std_normal_quantile;
pub use pilot::Pilot;
pub use proportion::wilson;
pub use quantile::quantile;
pub use recovery::{Recovered, Recovery, WithError};
pub use rhat::{rhat, rhat_bulk, rhat_folded, rhat_nested, rhat_nested_basic};
pub use summary::{Summariser, Summary, summarise};
pub use verdict::{Verdict, judge};
