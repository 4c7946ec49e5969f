//! The intermediate representation: a model's log density as a graph over plates.
//!
//! May import `error`, `num`, `rng`, `data`, `diag`. The rules, which [`Graph::validate`] enforces so that nothing
//! behind it can fail:
//!
//! 1. A node refers only to nodes with smaller handles; the order of the arena is a topological order.
//! 2. A node has a [`Type`]: at most one plate (a crossing of factors is a plate of its own), an event shape of zero
//!    to two axes, and whether it depends on the position (`per_chain`) or on data alone.
//! 3. Operands of an elementwise operation have the plate and the event of the result, or no plate and a scalar
//!    event: such an operand is broadcast. Nothing else is broadcast.
//! 4. Only [`Op::Gather`] goes from a range plate to a domain plate, only [`Op::SegmentSum`] the other way, both
//!    through an [`Index`]; only [`Op::Sum`] leaves a plate altogether. A gather's adjoint is a segment sum and
//!    conversely, so reverse-mode differentiation stays inside the op set.
//! 5. [`Op::Position`] reads a block (a [`Slot`]) of the position vector; slots are laid out in their order, each
//!    `[plate element]`, after the events are expanded (`pass::expand`).
//! 6. Event operations (`Element`, `Stack`, `Cholesky`, `SolveLower`) are expanded into scalar operations before
//!    differentiation; back ends see scalar events only.

mod dump;
mod expr;
mod graph;
mod op;
mod validate;

pub use expr::{Builder, Expr};
pub use graph::{Column, Event, Graph, Index, Node, Plate, Program, Slot, Type};
pub use op::{Binary, ColumnId, Handle, IndexId, Op, PlateId, SlotId, Unary};
