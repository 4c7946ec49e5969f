//! What f32 drops of a number that many elements share.
//!
//! A scale is one number per chain, or one of few levels, or its power for one of few centring weights; a rounding error δ of it moves all N elements the same way, and
//! the log density by some N·δ. So such a number is computed as a pair (high, low), and where elements are multiplied by
//! it, the product with its low part is added. Errors of single elements are left: they add up like √N.

use std::collections::BTreeSet;

use super::density::{Density, is_exact};
use super::{Emitter, FEW};
use crate::error::Result;
use crate::ir::{Binary, Graph, Handle, Op, Unary};
use crate::pass::schedule::Schedule;

/// The nodes whose low parts count, and those that read them.
#[derive(Debug, Default)]
pub(super) struct Remainders {
    /// Numbers of the chain.
    pub(super) scalars: BTreeSet<Handle>,
    /// Nodes over few elements, or of few values, that are computed as pairs.
    pub(super) pairs: BTreeSet<Handle>,
    /// Those of them whose low parts are kept as well.
    pub(super) arrays: BTreeSet<Handle>,
    /// Gathers from those.
    pub(super) gathers: BTreeSet<Handle>,
    /// Products with any of these.
    products: BTreeSet<Handle>,
}

/// Whether a number of the chain, made by an operation, follows from the position by operations on pairs.
fn is_exact_scalar(graph: &Graph, node: Handle) -> bool {
    let op = &graph.node(node).op;
    let mut all =
        graph.ty(node).plate.is_none() && matches!(op, Op::Unary(..) | Op::Binary(..)) && is_exact(op);
    op.for_each_operand(|operand| {
        all = all
            && (matches!(graph.node(operand).op, Op::Const(_) | Op::Position(_))
                || is_exact_scalar(graph, operand));
    });
    all
}

/// Whether a node lies over few elements and an operation on pairs computes it there.
fn is_few(graph: &Graph, node: Handle) -> bool {
    let op = &graph.node(node).op;
    let plate = graph.ty(node).plate;
    plate.is_some()
        && graph.plate_len(plate) <= FEW
        && matches!(op, Op::Unary(..) | Op::Binary(..))
        && is_exact(op)
}

/// Whether a node over a plate follows from numbers of the chain and centring weights alone, by operations on pairs: all
/// levels of one weight share it.
fn is_shared(graph: &Graph, node: Handle) -> bool {
    let op = &graph.node(node).op;
    let mut all =
        graph.ty(node).plate.is_some() && matches!(op, Op::Unary(..) | Op::Binary(..)) && is_exact(op);
    op.for_each_operand(|operand| {
        all = all
            && (graph.tuned_data(operand).is_some()
                || matches!(graph.node(operand).op, Op::Const(_) | Op::Position(_))
                    && graph.ty(operand).plate.is_none()
                || is_exact_scalar(graph, operand)
                || is_shared(graph, operand));
    });
    all
}

impl Remainders {
    pub(super) fn of(schedule: &Schedule, density: &Density) -> Self {
        let graph = &schedule.program.graph;
        let mut this = Self::default();
        let mut open: Vec<Handle> = density.pairs.iter().copied().collect();
        let (mut seen, mut shared) = (BTreeSet::new(), Vec::new());
        while let Some(node) = open.pop() {
            if !seen.insert(node) {
                continue;
            }
            let op = &graph.node(node).op;
            op.for_each_operand(|operand| open.push(operand));
            let Op::Binary(Binary::Mul, a, b) = *op else {
                continue;
            };
            if graph.plate_len(graph.ty(node).plate) <= FEW {
                continue;
            }
            for factor in [a, b] {
                match graph.node(factor).op {
                    Op::Gather { source, .. } if is_few(graph, source) => {
                        this.arrays.insert(source);
                        this.gathers.insert(factor);
                        this.products.insert(node);
                    }
                    _ if is_exact_scalar(graph, factor) => {
                        this.scalars.insert(factor);
                        this.products.insert(node);
                    }
                    _ if is_shared(graph, factor) => {
                        shared.push(factor);
                        this.products.insert(node);
                    }
                    _ => {}
                }
            }
        }
        let mut open: Vec<Handle> = this.arrays.iter().copied().chain(shared).collect();
        while let Some(node) = open.pop() {
            if (is_few(graph, node) || is_shared(graph, node)) && this.pairs.insert(node) {
                graph.node(node).op.for_each_operand(|operand| open.push(operand));
            } else if is_exact_scalar(graph, node) {
                this.scalars.insert(node);
            }
        }
        this
    }
}

impl Emitter<'_> {
    /// An operand as a pair.
    fn as_pair(&self, handle: Handle) -> String {
        let value = self.value(handle);
        if self.at_hand.contains(&handle) {
            format!("x{}", handle.index())
        } else if self.low_scalars.contains_key(&handle) {
            format!("vec2<f32>({value}, l{})", handle.index())
        } else {
            format!("vec2<f32>({value}, 0.0)")
        }
    }

    /// Computes a node over few elements as a pair, and names its high part as the others.
    pub(super) fn define_pair(&mut self, handle: Handle) -> Result<()> {
        let mut operands = Vec::new();
        let op = self.graph.node(handle).op.clone();
        op.for_each_operand(|operand| operands.push(self.as_pair(operand)));
        let expression = exact_operation(&op, &operands)?;
        let name = self.value(handle);
        let number = handle.index();
        self.line(&format!("let x{number} = {expression};"));
        self.line(&format!("let {name} = x{number}.x;"));
        self.at_hand.insert(handle);
        Ok(())
    }

    /// A product of elements with what their factors' high parts leave out; none if that does not count.
    pub(super) fn whole_product(&self, handle: Handle) -> Option<String> {
        let Op::Binary(Binary::Mul, a, b) = self.graph.node(handle).op else {
            return None;
        };
        if !self.remainders.products.contains(&handle) {
            return None;
        }
        let pair = |factor: Handle| {
            if self.remainders.gathers.contains(&factor) {
                format!("vec2<f32>({}, l{})", self.value(factor), factor.index())
            } else {
                self.as_pair(factor)
            }
        };
        Some(format!("ex_scaled({}, {})", pair(a), pair(b)))
    }
}

/// An operation on pairs, of those that [`is_exact`] names.
pub(super) fn exact_operation(op: &Op, operands: &[String]) -> Result<String> {
    let unknown = || crate::error::Error::bug(format!("{op:?} has no form for pairs"));
    Ok(match (op, operands) {
        (Op::Unary(Unary::Neg, _), [a]) => format!("-{a}"),
        (Op::Unary(Unary::Square, _), [a]) => format!("ex_mul({a}, {a})"),
        (Op::Unary(Unary::Exp, _), [a]) => format!("ex_exp({a})"),
        (Op::Unary(Unary::Recip, _), [a]) => format!("ex_div(vec2<f32>(1.0, 0.0), {a})"),
        (Op::Binary(Binary::Add, ..), [a, b]) => format!("ex_add({a}, {b})"),
        (Op::Binary(Binary::Sub, ..), [a, b]) => format!("ex_add({a}, -{b})"),
        (Op::Binary(Binary::Mul, ..), [a, b]) => format!("ex_mul({a}, {b})"),
        (Op::Binary(Binary::Div, ..), [a, b]) => format!("ex_div({a}, {b})"),
        _ => return Err(unknown()),
    })
}
