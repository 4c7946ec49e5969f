//! The model language: text to syntax tree, with reports in the manner of rustc.
//!
//! May import `error`, `num`, `rng`, `data`, `diag`, `ir`, `dist`, `transform`, `ad`.
//!
//! - [`span`], [`report`]: places in the text, and what is said about them;
//! - [`ast`]: the tree;
//! - [`parser`]: text to tree; all errors of a text come in one go, no text makes it panic;
//! - `print`: tree to text (`Display`), which parses to the same tree;
//! - [`refuse()`]: what the grammar has but this release cannot fit yet, reported by name;
//! - [`spelling`], [`nearest()`]: the book's names of distributions; the nearest known name for a mistyped one.
//! - `analyse`: names resolved, against the table's column names;
//! - [`join()`]: second tables, carried to the rows;
//! - `formula`: a `glm` line as the plain lines that it stands for;
//! - [`lower()`]: the model over a table as a program of the IR;
//! - [`troubles()`]: what the text and the data say against a fit before it is made;
//! - [`lower_forward()`]: the same text read forward, from parameters to the distributions of outcomes.
//!
//! Every report has a place, says what was expected there and offers a remedy.

mod analyse;
pub mod ast;
mod formula;
mod forward;
mod function;
mod joining;
mod lexer;
mod lower;
mod lowered;
mod mistaken;
mod nearest;
pub mod parser;
mod print;
mod refuse;
pub mod report;
#[cfg(test)]
mod roundtrip;
pub mod span;
pub mod spelling;

pub(crate) use analyse::visit_names;
pub use formula::{Expanded, expand};
pub use forward::{Definition, Forward, Input, Known, Outcome, View};
pub use joining::join;
pub use lower::{lower, lower_forward, troubles, unused_targets};
pub use lowered::{
    Dim, Effect, Failure, Holds, LearnedCall, Likelihood, LowerOptions, Lowered, Parameter, Parameterisation,
    PlateTable, Quantity, QuantityKind, TunedEffect, UsedColumn, element_names,
};
pub use nearest::nearest;
pub use parser::parse;
pub use refuse::refuse;
pub use report::{Report, Reports};
pub use span::Span;
