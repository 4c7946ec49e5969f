//! Work on data alone, done once: the value of an operation whose operands are constants and columns.

use super::rewrite::Rewriter;
use crate::error::{Error, Result};
use crate::ir::{Handle, Op, PlateId};

/// The values of a data-only node, one if it is a constant, else one per element of its plate; and whether they vary
/// between replicates.
fn values(rewriter: &Rewriter, handle: Handle) -> Result<(Vec<f64>, bool)> {
    match rewriter.op(handle) {
        Op::Const(x) => Ok((vec![*x], false)),
        Op::Column(id) => {
            let column = rewriter.graph().column(*id);
            Ok((column.values.clone(), column.varying))
        }
        other => Err(Error::bug(format!(
            "data-only node {handle} was not folded: {other:?}"
        ))),
    }
}

/// Evaluates a data-only operation over `plate` and yields the node of its value.
pub(super) fn fold(rewriter: &mut Rewriter, op: &Op, plate: Option<PlateId>) -> Result<Handle> {
    let mut operands = Vec::new();
    let mut failure = None;
    let mut varying = false;
    op.for_each_operand(|operand| match values(rewriter, operand) {
        Ok((values, varies)) => {
            operands.push(values);
            varying |= varies;
        }
        Err(error) => failure = Some(error),
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let len = rewriter.graph().plate_len(plate);
    let at = |operand: usize, i: usize| {
        let values: &Vec<f64> = &operands[operand];
        if values.len() == 1 { values[0] } else { values[i] }
    };
    let result = match op {
        Op::Unary(op, _) => (0..len).map(|i| op.apply(at(0, i))).collect(),
        Op::Binary(op, ..) => (0..len).map(|i| op.apply(at(0, i), at(1, i))).collect(),
        Op::Select(..) => (0..len)
            .map(|i| if at(0, i) != 0.0 { at(1, i) } else { at(2, i) })
            .collect(),
        Op::Gather { index, .. } => rewriter
            .graph()
            .index_column(*index)
            .codes
            .iter()
            .map(|&code| at(0, code as usize))
            .collect(),
        Op::SegmentSum { index, .. } => {
            let mut sums = vec![0.0; len];
            for (i, &code) in rewriter.graph().index_column(*index).codes.iter().enumerate() {
                sums[code as usize] += at(0, i);
            }
            sums
        }
        // The operand's plate is the one summed over; a constant operand was multiplied by its length before.
        Op::Sum(_) => vec![operands[0].iter().sum()],
        Op::Const(_)
        | Op::Column(_)
        | Op::Position(_)
        | Op::Element(..)
        | Op::Stack(_)
        | Op::Cholesky(_)
        | Op::SolveLower(..) => return Err(Error::bug(format!("cannot fold {op:?}"))),
    };
    let origin = if varying { format!("{op:?}") } else { String::new() };
    Ok(rewriter.data_of(origin, ("folded", plate), result, varying))
}
