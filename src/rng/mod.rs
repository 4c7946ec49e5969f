//! Random streams: counter-based, so that a draw depends on its name and never on threads or the order of work.
//!
//! May import `error` and `num`. Promises: the same integers on the CPU and on the GPU (`shaders/philox.wgsl` follows
//! this page word for word), and no two streams of one seed share a counter.

mod philox;

pub use philox::{Purpose, Stream, StreamRng, philox4x32};
