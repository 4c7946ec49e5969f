//! One drawing a file: plain numbers in, a scene out. Nothing here knows a fit.

pub(crate) mod autocorrelation;
pub(crate) mod density;
pub(crate) mod energy;
pub(crate) mod ess;
pub(crate) mod forest;
pub(crate) mod pair;
pub(crate) mod ridge;
pub(crate) mod trace;
