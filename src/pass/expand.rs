//! Vector and matrix events become scalars, entry by entry: Cholesky factors and triangular solves are unrolled.
//!
//! A slot with an event becomes one slot per entry (`name.0`, `name.1`, …, row-major), so that every block of the
//! position is laid out `[plate element]`.

use crate::error::Result;
use crate::ir::{Builder, Event, Expr, Graph, Handle, Op, Program, Unary};
use crate::num::Real;

/// The entries of one source node.
type Entries<'b> = Vec<Expr<'b>>;

/// The same program over scalar events; a root with an event becomes one root per entry.
pub fn expand(program: &Program) -> Result<Program> {
    let source = &program.graph;
    let tables = Graph {
        slots: Vec::new(),
        nodes: Vec::new(),
        ..source.clone()
    };
    let builder = Builder::resume(tables);
    let mut slots: Vec<Entries> = Vec::new();
    for slot in &source.slots {
        slots.push(match slot.event {
            Event::Scalar => vec![builder.position(&slot.name, slot.plate, Event::Scalar)],
            event => (0..event.len())
                .map(|entry| builder.position(&format!("{}.{entry}", slot.name), slot.plate, Event::Scalar))
                .collect(),
        });
    }
    let mut map: Vec<Entries> = Vec::with_capacity(source.nodes.len());
    for node in &source.nodes {
        let event = |handle: Handle| source.ty(handle).event;
        let entries = |handle: Handle| &map[handle.index()];
        // A scalar operand serves every entry.
        let entry = |handle: Handle, i: usize| {
            if entries(handle).len() == 1 {
                entries(handle)[0]
            } else {
                entries(handle)[i]
            }
        };
        let len = node.ty.event.len();
        let expanded: Entries = match &node.op {
            Op::Position(slot) => slots[slot.index()].clone(),
            Op::Const(x) => vec![builder.constant(*x)],
            Op::Column(id) => vec![builder.read_column(*id)],
            Op::Unary(op, a) => entries(*a).iter().map(|x| x.unary(*op)).collect(),
            Op::Binary(op, a, b) => (0..len).map(|i| entry(*a, i).binary(*op, entry(*b, i))).collect(),
            Op::Select(a, b, c) => (0..len)
                .map(|i| entry(*a, i).select(&entry(*b, i), &entry(*c, i)))
                .collect(),
            Op::Gather { source, index } => entries(*source).iter().map(|x| x.gather(*index)).collect(),
            Op::SegmentSum { source, index } => {
                entries(*source).iter().map(|x| x.segment_sum(*index)).collect()
            }
            Op::Sum(a) => entries(*a).iter().map(|x| x.sum()).collect(),
            Op::Element(a, i) => vec![entries(*a)[*i as usize]],
            Op::Stack(parts) => parts.iter().map(|part| entries(*part)[0]).collect(),
            Op::Cholesky(a) => cholesky(&builder, entries(*a), order(event(*a))),
            Op::SolveLower(l, b) => solve_lower(entries(*l), entries(*b)),
        };
        map.push(expanded);
    }
    let list = |handles: &[Handle]| -> Vec<Handle> {
        handles
            .iter()
            .flat_map(|handle| map[handle.index()].iter().map(|entry| entry.handle()))
            .collect()
    };
    let (density, outputs) = (list(&program.density), list(&program.outputs));
    Ok(Program {
        density,
        outputs,
        constant: program.constant,
        gradient: Vec::new(),
        graph: builder.finish()?,
    })
}

/// Rows of a square matrix event.
fn order(event: Event) -> usize {
    match event {
        Event::Scalar => 1,
        Event::Vector(n) | Event::Matrix(n, _) => n as usize,
    }
}

/// Cholesky–Banachiewicz, row by row; the upper triangle of the result is 0.
fn cholesky<'b>(builder: &'b Builder, a: &[Expr<'b>], n: usize) -> Entries<'b> {
    let mut l = vec![builder.constant(0.0); n * n];
    for i in 0..n {
        for j in 0..=i {
            let rest = (0..j).fold(a[i * n + j], |rest, k| rest - l[i * n + k] * l[j * n + k]);
            l[i * n + j] = if i == j {
                rest.unary(Unary::Sqrt)
            } else {
                rest / l[j * n + j]
            };
        }
    }
    l
}

/// Forward substitution.
fn solve_lower<'b>(l: &[Expr<'b>], b: &[Expr<'b>]) -> Entries<'b> {
    let n = b.len();
    let mut x: Entries = Vec::with_capacity(n);
    for i in 0..n {
        let rest = (0..i).fold(b[i], |rest, k| rest - l[i * n + k] * x[k]);
        x.push(rest / l[i * n + i]);
    }
    x
}
