//! The model language: text to syntax tree, with reports in the manner of rustc.
//!
//! May import `error`, `num`, `rng`, `data`, `diag`, `ir`, `dist`, `transform`, `ad`.
//!
//! - [`span`], [`report`]: places in the text, and what is said about them;
//! - [`ast`]: the tree.

pub mod ast;
pub mod report;
pub mod span;

pub use report::{Report, Reports};
pub use span::Span;
