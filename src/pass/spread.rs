//! What codes of centring weights choose among computed values is computed where it is chosen.
//!
//! A scale's power for each weight of the grid, gathered by the levels' codes, pays where all chains of a vector share
//! the codes: fewer powers than levels, each read by an address. A GPU's threads belong to several ensembles, so that
//! the array would lie in each thread's own memory, read and added up element by element. There the power is computed
//! at each level, and the codes choose data alone.

use super::rewrite::Rewriter;
use super::simplify::{live, rebuild};
use crate::error::Result;
use crate::ir::{Handle, IndexId, Op, Program};

/// `node`, an expression over the range of `index`, at the elements that the codes choose.
fn gathered(rewriter: &mut Rewriter, node: Handle, index: IndexId) -> Result<Handle> {
    if rewriter.ty(node).plate.is_none() {
        return Ok(node);
    }
    match *rewriter.op(node) {
        Op::Unary(op, a) => {
            let a = gathered(rewriter, a, index)?;
            rewriter.unary(op, a)
        }
        Op::Binary(op, a, b) => {
            let (a, b) = (gathered(rewriter, a, index)?, gathered(rewriter, b, index)?);
            rewriter.binary(op, a, b)
        }
        Op::Select(a, b, c) => {
            let (a, b) = (gathered(rewriter, a, index)?, gathered(rewriter, b, index)?);
            let c = gathered(rewriter, c, index)?;
            rewriter.select(a, b, c)
        }
        Op::Const(_)
        | Op::Column(_)
        | Op::Position(_)
        | Op::Gather { .. }
        | Op::SegmentSum { .. }
        | Op::Sum(_)
        | Op::Element(..)
        | Op::Stack(_)
        | Op::Cholesky(_)
        | Op::SolveLower(..) => rewriter.gather(node, index),
    }
}

/// An equivalent program whose tuned indices gather no results of elementwise operations; without a gradient yet.
pub fn spread(program: &Program) -> Result<Program> {
    let source = &program.graph;
    let live = live(program);
    let mut rewriter = Rewriter::new(source);
    let zero = rewriter.constant(0.0);
    let mut map = vec![zero; live.len()];
    for (place, node) in source.nodes.iter().enumerate() {
        if !live[place] {
            continue;
        }
        map[place] = match node.op {
            Op::Gather { source: from, index } if source.index_column(index).tuned => {
                gathered(&mut rewriter, map[from.index()], index)?
            }
            ref op => {
                let summed = match *op {
                    Op::Sum(a) => source.ty(a).plate,
                    _ => None,
                };
                let op = op.map_operands(|operand| map[operand.index()]);
                rebuild(&mut rewriter, source, &op, summed)?
            }
        };
    }
    let list = |handles: &[Handle]| handles.iter().map(|handle| map[handle.index()]).collect();
    Ok(Program {
        density: list(&program.density),
        outputs: list(&program.outputs),
        gradient: Vec::new(),
        constant: program.constant,
        graph: rewriter.finish()?,
    })
}
