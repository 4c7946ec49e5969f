//! Rebuilds a program through the rules, from its roots: what nothing needs is dropped.

use super::rewrite::Rewriter;
use crate::error::{Error, Result};
use crate::ir::{Binary, Graph, Handle, Op, PlateId, Program, Unary};

/// Which nodes the program's roots need.
pub(super) fn live(program: &Program) -> Vec<bool> {
    let graph = &program.graph;
    let mut live = vec![false; graph.nodes.len()];
    program.roots().for_each(|root| live[root.index()] = true);
    for place in (0..graph.nodes.len()).rev() {
        if live[place] {
            graph.nodes[place]
                .op
                .for_each_operand(|operand| live[operand.index()] = true);
        }
    }
    live
}

/// The node of `op`, simplified; its operands are nodes of the rewriter, its column is one of `source`'s, `summed` is
/// the plate that a sum runs over.
pub(super) fn rebuild(
    rewriter: &mut Rewriter,
    source: &Graph,
    op: &Op,
    summed: Option<PlateId>,
) -> Result<Handle> {
    match *op {
        Op::Column(id) => {
            let column = source.column(id);
            Ok(rewriter.data_of(
                format!("{id:?}"),
                (&column.name, column.plate),
                column.values.clone(),
                column.varying,
            ))
        }
        Op::Const(_) | Op::Position(_) => rewriter.emit(op.clone()),
        Op::Unary(op, a) => rewriter.unary(op, a),
        Op::Binary(op, a, b) => rewriter.binary(op, a, b),
        Op::Select(a, b, c) => rewriter.select(a, b, c),
        Op::Gather { source, index } => rewriter.gather(source, index),
        Op::SegmentSum { source, index } => rewriter.segment_sum(source, index),
        Op::Sum(a) => rewriter.sum(a, summed),
        Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => Err(Error::bug(
            "event operations must be expanded before simplification",
        )),
    }
}

/// `node` as a node over `plate`, also where simplification found that it does not vary.
pub(super) fn anchored(rewriter: &mut Rewriter, node: Handle, plate: Option<PlateId>) -> Result<Handle> {
    if plate.is_none() || rewriter.ty(node).plate.is_some() {
        return Ok(node);
    }
    let ones = rewriter.raw_column("one", plate, vec![1.0; rewriter.graph().plate_len(plate)], false);
    rewriter.emit(Op::Binary(Binary::Mul, ones, node))
}

/// The signed terms of a sum of scalars; for others the node itself.
fn flatten(rewriter: &mut Rewriter, node: Handle, out: &mut Vec<Handle>) -> Result<()> {
    match *rewriter.op(node) {
        Op::Binary(Binary::Add, a, b) => {
            flatten(rewriter, a, out)?;
            flatten(rewriter, b, out)
        }
        Op::Binary(Binary::Sub, a, b) => {
            flatten(rewriter, a, out)?;
            let negative = rewriter.unary(Unary::Neg, b)?;
            if matches!(rewriter.op(negative), Op::Unary(Unary::Neg, _)) {
                out.push(negative);
                Ok(())
            } else {
                flatten(rewriter, negative, out)
            }
        }
        _ => {
            out.push(node);
            Ok(())
        }
    }
}

/// An equivalent program: folded, interned, fused, without dead nodes.
pub fn simplify(program: &Program) -> Result<Program> {
    let source: &Graph = &program.graph;
    let live = live(program);
    let mut rewriter = Rewriter::new(source);
    let zero = rewriter.constant(0.0);
    let mut map = vec![zero; source.nodes.len()];
    for (place, node) in source.nodes.iter().enumerate() {
        if !live[place] {
            continue;
        }
        let mut summed = None;
        if let Op::Sum(a) = node.op {
            summed = source.ty(a).plate;
        }
        let op = node.op.map_operands(|operand| map[operand.index()]);
        map[place] = rebuild(&mut rewriter, source, &op, summed)?;
    }
    let mut constant = program.constant;
    let mut density = Vec::new();
    for term in &program.density {
        let node = map[term.index()];
        let plate = source.ty(*term).plate;
        // A term that does not vary over its plate counts once per element.
        let node = if rewriter.ty(node).plate.is_none() {
            rewriter.sum(node, plate)?
        } else {
            node
        };
        let mut terms = Vec::new();
        if rewriter.ty(node).plate.is_none() {
            flatten(&mut rewriter, node, &mut terms)?;
        } else {
            terms.push(node);
        }
        for term in terms {
            match *rewriter.op(term) {
                Op::Const(x) => constant += x,
                Op::Column(id) => constant += rewriter.graph().column(id).values.iter().sum::<f64>(),
                _ => density.push(term),
            }
        }
    }
    let mut gradient = Vec::new();
    for (slot, contributions) in program.gradient.iter().enumerate() {
        let plate = source.slots[slot].plate;
        let mut kept = Vec::new();
        for contribution in contributions {
            let node = map[contribution.index()];
            if !matches!(rewriter.op(node), Op::Const(x) if *x == 0.0) {
                kept.push(anchored(&mut rewriter, node, plate)?);
            }
        }
        gradient.push(kept);
    }
    let mut outputs = Vec::new();
    for output in &program.outputs {
        outputs.push(anchored(
            &mut rewriter,
            map[output.index()],
            source.ty(*output).plate,
        )?);
    }
    let graph = rewriter.finish()?;
    compact(Program {
        graph,
        density,
        constant,
        gradient,
        outputs,
    })
}

/// Drops the nodes and columns that no root needs: simplification leaves intermediates behind.
fn compact(program: Program) -> Result<Program> {
    let live = live(&program);
    let mut rewriter = Rewriter::new(&program.graph);
    let mut map: Vec<Option<Handle>> = vec![None; live.len()];
    for (place, node) in program.graph.nodes.iter().enumerate() {
        if live[place] {
            let mut missing = false;
            let op = node.op.map_operands(|operand| {
                map[operand.index()].unwrap_or_else(|| {
                    missing = true;
                    operand
                })
            });
            if missing {
                return Err(Error::bug("a live node has a dead operand"));
            }
            map[place] = Some(match op {
                Op::Column(id) => {
                    let column = program.graph.column(id);
                    rewriter.raw_column(&column.name, column.plate, column.values.clone(), column.varying)
                }
                op => rewriter.emit(op)?,
            });
        }
    }
    let at = |handle: &Handle| map[handle.index()].ok_or_else(|| Error::bug("a root was dropped"));
    let list = |handles: &[Handle]| handles.iter().map(at).collect::<Result<Vec<_>>>();
    Ok(Program {
        density: list(&program.density)?,
        gradient: program
            .gradient
            .iter()
            .map(|slot| list(slot))
            .collect::<Result<_>>()?,
        outputs: list(&program.outputs)?,
        constant: program.constant,
        graph: rewriter.finish()?,
    })
}
