//! How far f32 arithmetic is off in the value of a program: Monte Carlo arithmetic (Parker 1997), which adds a random
//! relative error of a device's size to the result of every operation.

use tadpool::error::{Error, Result};
use tadpool::ir::{Binary, Handle, Op, Program, Unary};

use crate::dice::Dice;

/// Evaluations with random errors.
const SAMPLES: u32 = 16;

/// One unit in the last place of f32, relative.
const ULP: f64 = 1.192_092_9e-7;

/// The largest distance from the exact log density among the samples. Errors of one operation share their sign over a
/// plate, as those of a polynomial or of a hardware function do, so that sums do not average them out.
pub(crate) fn spread(program: &Program, position: &[f64]) -> Result<f64> {
    let exact = sample(program, position, None)?;
    let mut farthest = 0.0_f64;
    for case in 0..SAMPLES {
        let found = sample(program, position, Some(&mut Dice::new(3_000_000 + case)))?;
        farthest = farthest.max((found - exact).abs());
    }
    Ok(farthest)
}

/// The log density with random errors from `dice`, or exactly.
fn sample(program: &Program, position: &[f64], mut dice: Option<&mut Dice>) -> Result<f64> {
    let graph = &program.graph;
    let offsets = graph.slot_offsets();
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let len = graph.plate_len(node.ty.plate);
        let at = |handle: Handle, i: usize| {
            let operand: &Vec<f64> = &values[handle.index()];
            if operand.len() == 1 {
                operand[0]
            } else {
                operand[i]
            }
        };
        let sign = dice.as_mut().map_or(0.0, |dice| 2.0 * dice.unit() - 1.0);
        let noisy = |exact: f64, ulps: f64| exact * (1.0 + sign * ulps * ULP);
        let value: Vec<f64> = match &node.op {
            Op::Const(x) => vec![noisy(*x, 0.5)],
            Op::Column(id) => graph.column(*id).values.iter().map(|x| noisy(*x, 0.5)).collect(),
            Op::Position(slot) => position[offsets[slot.index()]..offsets[slot.index() + 1]].to_vec(),
            Op::Unary(op, a) => values[a.index()]
                .iter()
                .map(|&x| noisy(op.apply(x), unary_ulps(*op, x)))
                .collect(),
            Op::Binary(op, a, b) => (0..len)
                .map(|i| {
                    let (a, b) = (at(*a, i), at(*b, i));
                    noisy(op.apply(a, b), binary_ulps(*op, a, b))
                })
                .collect(),
            Op::Select(a, b, c) => (0..len)
                .map(|i| if at(*a, i) != 0.0 { at(*b, i) } else { at(*c, i) })
                .collect(),
            Op::Gather { source, index } => {
                let codes = &graph.index_column(*index).codes;
                codes
                    .iter()
                    .map(|&code| values[source.index()][code as usize])
                    .collect()
            }
            Op::SegmentSum { source, index } => {
                let mut sums = vec![0.0; len];
                for (&code, x) in graph
                    .index_column(*index)
                    .codes
                    .iter()
                    .zip(&values[source.index()])
                {
                    sums[code as usize] += x;
                }
                sums.into_iter().map(|sum| noisy(sum, 1.0)).collect()
            }
            Op::Sum(a) => vec![noisy(values[a.index()].iter().sum(), 1.0)],
            Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug(
                    "event operations are expanded before they are evaluated",
                ));
            }
        };
        values.push(value);
    }
    let terms = program.density.iter().flat_map(|term| &values[term.index()]);
    Ok(terms.sum())
}

/// Units in the last place that a device may be off: those of the WGSL specification, 8 for the functions of
/// `shaders/special.wgsl`.
fn unary_ulps(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg | Unary::Abs | Unary::Floor => 0.0,
        Unary::Square => 0.5,
        Unary::Recip | Unary::Sqrt => 2.5,
        Unary::Exp => 3.0 + 2.0 * x.abs(),
        Unary::Ln => 3.0,
        Unary::Log1p
        | Unary::Expm1
        | Unary::InvLogit
        | Unary::Softplus
        | Unary::Lgamma
        | Unary::Digamma
        | Unary::StdNormalCdf
        | Unary::LogStdNormalCdf => 8.0,
    }
}

/// As [`unary_ulps`]; a power is exp(b ln a).
fn binary_ulps(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Add | Binary::Sub | Binary::Mul => 0.5,
        Binary::Div => 2.5,
        Binary::Pow => 3.0 + 5.0 * (b * a.ln()).abs(),
        Binary::Min | Binary::Max | Binary::Lt | Binary::Le | Binary::Eq => 0.0,
    }
}
