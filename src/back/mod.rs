//! Back ends: `reference` (f64, slow, obvious: the judge), `simd` (f64, blocks of lanes), `wgsl` (f32, generated text).
//!
//! May import everything up to `pass`. Promises: the three compute the same log density and gradient.

pub mod evaluate;
pub mod kernel;
pub mod reference;
pub mod simd;
pub mod wgsl;
