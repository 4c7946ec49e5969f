//! How much work code is, counted in multiplications.
//!
//! To within a factor of two or so: it tells whether an operation on every coordinate is small beside a gradient.

use super::code::{Code, Instruction};
use super::rows::{Link, Rows};
use crate::ir::{Binary, Unary};

/// An exponential, a logarithm and what is made of one of them.
const EXPONENTIAL: f64 = 15.0;
/// Series and continued fractions.
const SPECIAL: f64 = 60.0;

impl Code {
    /// Multiplications, or what takes as long, of one evaluation at one position.
    pub(super) fn work(&self) -> f64 {
        self.passes
            .iter()
            .map(|pass| {
                let each: f64 = pass
                    .instructions
                    .iter()
                    .map(|instruction| match instruction {
                        Instruction::Rows(at) => of_rows(&self.rows[*at as usize]),
                        Instruction::Unary(operation, ..) => of_unary(*operation),
                        Instruction::SoftplusInvLogit(..) => 2.0 * EXPONENTIAL,
                        Instruction::Binary(operation, ..) => of_binary(*operation),
                        Instruction::MultiplyAdd { .. }
                        | Instruction::Select(..)
                        | Instruction::Gather { .. }
                        | Instruction::Pick { .. }
                        | Instruction::Sum { .. }
                        | Instruction::Density(_)
                        | Instruction::Segment { .. }
                        | Instruction::Accumulate { .. }
                        | Instruction::SumProduct { .. }
                        | Instruction::SegmentProduct { .. } => 1.0,
                    })
                    .sum();
                pass.len as f64 * each
            })
            .sum()
    }
}

fn of_unary(operation: Unary) -> f64 {
    match operation {
        Unary::Neg | Unary::Square | Unary::Abs | Unary::Floor => 1.0,
        Unary::Recip | Unary::Sqrt => 5.0,
        Unary::Exp | Unary::Ln | Unary::Log1p | Unary::Expm1 | Unary::InvLogit => EXPONENTIAL,
        Unary::Softplus => 2.0 * EXPONENTIAL,
        Unary::Lgamma | Unary::Digamma | Unary::StdNormalCdf | Unary::LogStdNormalCdf => SPECIAL,
    }
}

fn of_binary(operation: Binary) -> f64 {
    match operation {
        Binary::Add
        | Binary::Sub
        | Binary::Mul
        | Binary::Min
        | Binary::Max
        | Binary::Lt
        | Binary::Le
        | Binary::Eq => 1.0,
        Binary::Div => 5.0,
        Binary::Pow => 2.0 * EXPONENTIAL,
    }
}

/// Of one element.
fn of_rows(rows: &Rows) -> f64 {
    let link = match rows.link {
        Link::Identity => 0.0,
        Link::Exp | Link::InvLogit => EXPONENTIAL,
    };
    let softplus = if rows.softplus.is_some() { EXPONENTIAL } else { 0.0 };
    (rows.terms.len() + rows.spreads.len()) as f64 + link + softplus
}
