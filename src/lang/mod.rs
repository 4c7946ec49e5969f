//! The model language: text to syntax tree, with reports in the manner of rustc.
//!
//! May import `error`, `num`, `rng`, `data`, `diag`, `ir`, `dist`, `transform`, `ad`.
//!
//! - [`span`], [`report`]: places in the text, and what is said about them;
//! - [`ast`]: the tree;
//! - [`parser`]: text to tree; all errors of a text come in one go, no text makes it panic;
//! - `print`: tree to text (`Display`), which parses to the same tree;
//! - [`spelling`]: the nearest known name for a mistyped one.

pub mod ast;
mod lexer;
pub mod parser;
mod print;
pub mod report;
pub mod span;
pub mod spelling;

pub use parser::parse;
pub use report::{Report, Reports};
pub use span::Span;
