//! The reverse sweep: adjoints from the density's terms back to the slots of the position.

use super::rules;
use crate::error::{Error, Result};
use crate::ir::{Builder, Expr, Handle, IndexId, Node, Op, PlateId, Program};
use crate::num::Real;

/// The contributions to one node's adjoint, kept apart by shape so that sums over a plate are taken once.
#[derive(Default, Clone)]
struct Adjoint {
    /// Of the node's own plate, added up.
    plain: Option<Handle>,
    /// Of another plate, to be summed over it: the broadcast of a scalar.
    sums: Vec<(PlateId, Handle)>,
    /// To be summed by an index: the adjoint of a gather.
    segments: Vec<(IndexId, Handle)>,
}

impl Adjoint {
    fn is_empty(&self) -> bool {
        self.plain.is_none() && self.sums.is_empty() && self.segments.is_empty()
    }

    /// The parts as nodes of the differentiated node's plate.
    fn parts<'b>(&self, builder: &'b Builder) -> Vec<Expr<'b>> {
        let plain = self.plain.map(|handle| builder.expr(handle));
        let sums = self.sums.iter().map(|(_, handle)| builder.expr(*handle).sum());
        let segments = self
            .segments
            .iter()
            .map(|(index, handle)| builder.expr(*handle).segment_sum(*index));
        plain.into_iter().chain(sums).chain(segments).collect()
    }
}

/// Adds `value` to the entry of `key`, so that each key is summed once.
fn merge<K: PartialEq>(list: &mut Vec<(K, Handle)>, key: K, value: Expr<'_>, builder: &Builder) {
    match list.iter_mut().find(|(known, _)| *known == key) {
        Some((_, handle)) => *handle = (builder.expr(*handle) + value).handle(),
        None => list.push((key, value.handle())),
    }
}

struct Sweep<'b> {
    builder: &'b Builder,
    adjoints: Vec<Adjoint>,
}

impl<'b> Sweep<'b> {
    /// `value` as a node over `plate`.
    fn broadcast(&self, value: Expr<'b>, plate: Option<PlateId>) -> Expr<'b> {
        match plate {
            Some(_) if value.ty().plate.is_none() => {
                let ones = vec![1.0; self.builder.plate_len(plate)];
                self.builder.column("one", plate, ones) * value
            }
            Some(_) | None => value,
        }
    }

    /// Adds `value`, one per element of `over`, to the adjoint of `operand`; a broadcast operand receives the sum.
    fn add(&mut self, operand: Handle, over: Option<PlateId>, value: Expr<'b>) {
        let wanted = self.builder.ty(operand);
        if !wanted.per_chain {
            return;
        }
        let adjoint = &mut self.adjoints[operand.index()];
        match (wanted.plate, over, value.ty().plate) {
            (None, Some(_), Some(plate)) => merge(&mut adjoint.sums, plate, value, self.builder),
            (wanted, over, _) => {
                let value = if wanted.is_none() && over.is_some() {
                    value * self.builder.constant(self.builder.plate_len(over) as f64)
                } else {
                    value
                };
                adjoint.plain = Some(match adjoint.plain {
                    Some(known) => (self.builder.expr(known) + value).handle(),
                    None => value.handle(),
                });
            }
        }
    }

    fn visit(&mut self, handle: Handle, node: &Node, adjoint: Expr<'b>) -> Result<()> {
        let builder = self.builder;
        let over = node.ty.plate;
        let per_chain = |operand: Handle| builder.ty(operand).per_chain;
        match node.op {
            Op::Const(_) | Op::Column(_) | Op::Position(_) => {}
            Op::Unary(op, x) => {
                if let Some(slope) = rules::unary(op, builder.expr(x), builder.expr(handle))? {
                    self.add(x, over, adjoint * slope);
                }
            }
            Op::Binary(op, a, b) => {
                let (da, db) = rules::binary(op, builder.expr(a), builder.expr(b), builder.expr(handle));
                for (operand, slope) in [(a, da), (b, db)] {
                    if let Some(slope) = slope.filter(|_| per_chain(operand)) {
                        self.add(operand, over, adjoint * slope);
                    }
                }
            }
            Op::Select(condition, then, otherwise) => {
                let condition = builder.expr(condition);
                let zero = builder.constant(0.0);
                if per_chain(then) {
                    self.add(then, over, condition.select(&adjoint, &zero));
                }
                if per_chain(otherwise) {
                    self.add(otherwise, over, condition.select(&zero, &adjoint));
                }
            }
            Op::Gather { source, index } => {
                if per_chain(source) {
                    let adjoint = self.broadcast(adjoint, over);
                    merge(
                        &mut self.adjoints[source.index()].segments,
                        index,
                        adjoint,
                        builder,
                    );
                }
            }
            Op::SegmentSum { source, index } => {
                let value = if adjoint.ty().plate.is_some() {
                    adjoint.gather(index)
                } else {
                    adjoint
                };
                let source_plate = builder.ty(source).plate;
                self.add(source, source_plate, value);
            }
            Op::Sum(source) => {
                let source_plate = builder.ty(source).plate;
                self.add(source, source_plate, adjoint);
            }
            Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug(
                    "event operations must be expanded before differentiation",
                ));
            }
        }
        Ok(())
    }
}

/// Adds to `program` the gradient of its density with respect to every slot.
///
/// The density's terms count as summed over their plates. Event operations must have been expanded.
pub fn differentiate(program: Program) -> Result<Program> {
    let Program {
        graph,
        density,
        constant,
        outputs,
        ..
    } = program;
    let nodes = graph.nodes.clone();
    let slots = graph.slots.len();
    let builder = Builder::resume(graph);
    let mut sweep = Sweep {
        builder: &builder,
        adjoints: vec![Adjoint::default(); nodes.len()],
    };
    for &term in &density {
        let one = builder.constant(1.0);
        // A term over a plate is summed: the adjoint of each element is 1, a scalar that broadcasts.
        let plate = builder.ty(term).plate;
        sweep.add(term, plate, one);
    }
    let mut gradient = vec![Vec::new(); slots];
    for (place, node) in nodes.iter().enumerate().rev() {
        let adjoint = std::mem::take(&mut sweep.adjoints[place]);
        if adjoint.is_empty() {
            continue;
        }
        let parts = adjoint.parts(&builder);
        if let Op::Position(slot) = node.op {
            let parts = parts
                .into_iter()
                .map(|part| sweep.broadcast(part, node.ty.plate).handle());
            gradient[slot.index()].extend(parts);
            continue;
        }
        if let Some(total) = parts.into_iter().reduce(|sum, part| sum + part) {
            sweep.visit(Handle::new(place), node, total)?;
        }
    }
    Ok(Program {
        graph: builder.finish()?,
        density,
        constant,
        gradient,
        outputs,
    })
}
