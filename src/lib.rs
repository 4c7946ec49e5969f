//! tadpool fits Bayesian multilevel models with thousands of Markov chains in parallel.

pub mod error;

pub mod ad;
pub mod back;
pub mod cli;
pub mod data;
pub mod diag;
pub mod dist;
pub mod fit;
pub mod gpu;
pub mod ir;
pub mod lang;
pub mod model;
pub mod num;
pub mod pass;
pub mod rng;
pub mod sampler;
pub mod transform;

pub use error::Error;
