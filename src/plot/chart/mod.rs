//! One drawing a file: plain numbers in, a scene out. Nothing here knows a fit.

pub(crate) mod autocorrelation;
pub(crate) mod coverage;
pub(crate) mod criteria;
pub(crate) mod density;
pub(crate) mod effects;
pub(crate) mod energy;
pub(crate) mod errors;
pub(crate) mod ess;
pub(crate) mod forest;
pub(crate) mod groups;
pub(crate) mod pair;
pub(crate) mod population;
pub(crate) mod power;
pub(crate) mod predictions;
pub(crate) mod predictive;
pub(crate) mod prior;
pub(crate) mod rank_bars;
pub(crate) mod rank_ecdf;
pub(crate) mod ridge;
pub(crate) mod trace;
