//! The rules of simplification, applied as each node is made: its operands are simplified already.

use super::fold::fold;
use super::rewrite::Rewriter;
use crate::error::{Error, Result};
use crate::ir::{Binary, Handle, IndexId, Op, PlateId, Unary};

/// Whole exponents up to this size become multiplications.
const LARGEST_POWER: f64 = 64.0;

impl Rewriter {
    fn as_const(&self, handle: Handle) -> Option<f64> {
        match self.op(handle) {
            Op::Const(x) => Some(*x),
            _ => None,
        }
    }

    fn is_data(&self, handle: Handle) -> bool {
        !self.ty(handle).per_chain
    }

    fn is_scalar(&self, handle: Handle) -> bool {
        self.ty(handle).plate.is_none()
    }

    /// One per chain: cheaper outside of a loop than in it.
    fn is_chain_scalar(&self, handle: Handle) -> bool {
        self.is_scalar(handle) && !self.is_data(handle)
    }

    fn unary_operand(&self, handle: Handle, wanted: Unary) -> Option<Handle> {
        match self.op(handle) {
            Op::Unary(op, a) if *op == wanted => Some(*a),
            _ => None,
        }
    }

    fn product(&self, handle: Handle) -> Option<(Handle, Handle)> {
        match self.op(handle) {
            Op::Binary(Binary::Mul, a, b) => Some((*a, *b)),
            _ => None,
        }
    }

    /// Splits a product into (factor without a plate, rest).
    fn scalar_factor(&self, handle: Handle) -> Option<(Handle, Handle)> {
        let (a, b) = self.product(handle)?;
        match (self.is_scalar(a), self.is_scalar(b)) {
            (true, false) => Some((a, b)),
            (false, true) => Some((b, a)),
            _ => None,
        }
    }

    /// Splits a product over a plate into (factor that is one number per chain, rest).
    pub(super) fn chain_factor(&self, handle: Handle) -> Option<(Handle, Handle)> {
        self.scalar_factor(handle)
            .filter(|(scalar, _)| self.is_chain_scalar(*scalar))
    }

    /// Splits a product into (data factor, rest).
    fn data_factor(&self, handle: Handle) -> Option<(Handle, Handle)> {
        let (a, b) = self.product(handle)?;
        match (self.is_data(a), self.is_data(b)) {
            (true, false) => Some((a, b)),
            (false, true) => Some((b, a)),
            _ => None,
        }
    }

    pub(super) fn unary(&mut self, op: Unary, a: Handle) -> Result<Handle> {
        if self.is_data(a) {
            return fold(self, &Op::Unary(op, a), self.ty(a).plate);
        }
        let inner = |this: &Self, wanted| this.unary_operand(a, wanted);
        match op {
            Unary::Neg => {
                if let Some(x) = inner(self, Unary::Neg) {
                    return Ok(x);
                }
                if let Op::Binary(Binary::Sub, x, y) = *self.op(a) {
                    return self.binary(Binary::Sub, y, x);
                }
                // The sign goes where it costs nothing: into data, or out of a loop.
                if let Some((factor, x)) = self.data_factor(a).or_else(|| self.scalar_factor(a)) {
                    let factor = self.unary(Unary::Neg, factor)?;
                    return self.binary(Binary::Mul, factor, x);
                }
            }
            Unary::Recip => {
                if let Some(x) = inner(self, Unary::Recip) {
                    return Ok(x);
                }
                if let Some(x) = inner(self, Unary::Exp) {
                    let x = self.unary(Unary::Neg, x)?;
                    return self.unary(Unary::Exp, x);
                }
            }
            Unary::Ln => {
                if let Some(x) = inner(self, Unary::Exp) {
                    return Ok(x);
                }
                if let Some(x) = inner(self, Unary::InvLogit) {
                    let softplus = self.unary(Unary::Softplus, x)?;
                    return self.binary(Binary::Sub, x, softplus);
                }
                if let Some(x) = inner(self, Unary::StdNormalCdf) {
                    return self.unary(Unary::LogStdNormalCdf, x);
                }
                if let Some(x) = inner(self, Unary::Recip) {
                    let x = self.unary(Unary::Ln, x)?;
                    return self.unary(Unary::Neg, x);
                }
                if let Op::Binary(Binary::Sub, one, p) = *self.op(a)
                    && self.as_const(one) == Some(1.0)
                {
                    let p = self.unary(Unary::Neg, p)?;
                    return self.unary(Unary::Log1p, p);
                }
            }
            Unary::Log1p => {
                if let Some(x) = inner(self, Unary::Exp) {
                    return self.unary(Unary::Softplus, x);
                }
                if let Some(x) = inner(self, Unary::Expm1) {
                    return Ok(x);
                }
                if let Some(p) = inner(self, Unary::Neg) {
                    if let Some(x) = self.unary_operand(p, Unary::InvLogit) {
                        let softplus = self.unary(Unary::Softplus, x)?;
                        return self.unary(Unary::Neg, softplus);
                    }
                    if let Some(x) = self.unary_operand(p, Unary::StdNormalCdf) {
                        let x = self.unary(Unary::Neg, x)?;
                        return self.unary(Unary::LogStdNormalCdf, x);
                    }
                }
            }
            Unary::Exp => {
                if let Some(x) = inner(self, Unary::Ln) {
                    return Ok(x);
                }
            }
            Unary::Square => {
                if let Some(x) = inner(self, Unary::Neg) {
                    return self.unary(Unary::Square, x);
                }
                if let Some((scalar, x)) = self.scalar_factor(a) {
                    let scalar = self.unary(Unary::Square, scalar)?;
                    let x = self.unary(Unary::Square, x)?;
                    return self.binary(Binary::Mul, scalar, x);
                }
            }
            Unary::Abs => {
                if let Some(x) = inner(self, Unary::Neg) {
                    return self.unary(Unary::Abs, x);
                }
            }
            Unary::Expm1
            | Unary::Sqrt
            | Unary::Floor
            | Unary::InvLogit
            | Unary::Softplus
            | Unary::Lgamma
            | Unary::Digamma
            | Unary::StdNormalCdf
            | Unary::LogStdNormalCdf => {}
        }
        self.emit(Op::Unary(op, a))
    }

    pub(super) fn binary(&mut self, op: Binary, a: Handle, b: Handle) -> Result<Handle> {
        if self.is_data(a) && self.is_data(b) {
            let plate = self.ty(a).plate.or(self.ty(b).plate);
            return fold(self, &Op::Binary(op, a, b), plate);
        }
        let (ca, cb) = (self.as_const(a), self.as_const(b));
        match op {
            Binary::Add => {
                if ca == Some(0.0) {
                    return Ok(b);
                }
                if cb == Some(0.0) {
                    return Ok(a);
                }
                if let Some(y) = self.unary_operand(b, Unary::Neg) {
                    return self.binary(Binary::Sub, a, y);
                }
                if let Some(x) = self.unary_operand(a, Unary::Neg) {
                    return self.binary(Binary::Sub, b, x);
                }
            }
            Binary::Sub => {
                if cb == Some(0.0) {
                    return Ok(a);
                }
                if ca == Some(0.0) {
                    return self.unary(Unary::Neg, b);
                }
                if let Some(y) = self.unary_operand(b, Unary::Neg) {
                    return self.binary(Binary::Add, a, y);
                }
            }
            Binary::Mul => return self.times(a, b),
            Binary::Div => {
                if ca == Some(1.0) {
                    return self.unary(Unary::Recip, b);
                }
                if self.is_data(b) || (self.is_scalar(b) && !self.is_scalar(a)) {
                    let inverse = self.unary(Unary::Recip, b)?;
                    return self.binary(Binary::Mul, a, inverse);
                }
            }
            Binary::Pow => return self.power(a, b),
            Binary::Min | Binary::Max | Binary::Lt | Binary::Le | Binary::Eq => {}
        }
        self.emit(Op::Binary(op, a, b))
    }

    fn times(&mut self, a: Handle, b: Handle) -> Result<Handle> {
        for (this, other) in [(a, b), (b, a)] {
            match self.as_const(this) {
                Some(0.0) => return Ok(self.constant(0.0)),
                Some(1.0) => return Ok(other),
                Some(-1.0) => return self.unary(Unary::Neg, other),
                _ => {}
            }
        }
        if a == b {
            return self.unary(Unary::Square, a);
        }
        for (this, other) in [(a, b), (b, a)] {
            let is_factor = self.is_scalar(this) && !self.is_scalar(other);
            if let Some(x) = self.unary_operand(this, Unary::Neg).filter(|_| !is_factor) {
                let product = self.binary(Binary::Mul, x, other)?;
                return self.unary(Unary::Neg, product);
            }
            // Data meets data, so that their product is taken once.
            if self.is_data(this)
                && let Some((data, x)) = self.data_factor(other)
            {
                let data = self.binary(Binary::Mul, this, data)?;
                return self.binary(Binary::Mul, data, x);
            }
        }
        // Scalars move outwards, where sums let go of them, and meet there.
        for (this, other) in [(a, b), (b, a)] {
            if let Some((scalar, x)) = self.scalar_factor(this)
                && (self.is_chain_scalar(scalar) || self.is_chain_scalar(other))
            {
                if self.is_scalar(other) {
                    let scalar = self.binary(Binary::Mul, scalar, other)?;
                    return self.binary(Binary::Mul, scalar, x);
                }
                let rest = self.binary(Binary::Mul, x, other)?;
                return self.binary(Binary::Mul, scalar, rest);
            }
        }
        self.emit(Op::Binary(Binary::Mul, a, b))
    }

    fn power(&mut self, base: Handle, exponent: Handle) -> Result<Handle> {
        match self.as_const(exponent) {
            Some(0.0) => return Ok(self.constant(1.0)),
            Some(0.5) => return self.unary(Unary::Sqrt, base),
            Some(n) if n.fract() == 0.0 && n.abs() <= LARGEST_POWER => {
                let power = self.whole_power(base, n.abs() as u32)?;
                return if n < 0.0 {
                    self.unary(Unary::Recip, power)
                } else {
                    Ok(power)
                };
            }
            _ => {}
        }
        if self.is_whole_data(exponent) {
            // The base may be negative: it has no logarithm then.
            return self.emit(Op::Binary(Binary::Pow, base, exponent));
        }
        // 0 to the power of a parameter: the slope of the logarithm, −∞, must not meet the power, 0.
        let zero = self.constant(0.0);
        let one = self.constant(1.0);
        let is_zero = if self.is_data(base) {
            self.binary(Binary::Eq, base, zero)?
        } else {
            zero
        };
        let base = self.select(is_zero, one, base)?;
        let ln = self.unary(Unary::Ln, base)?;
        let product = self.binary(Binary::Mul, exponent, ln)?;
        let power = self.unary(Unary::Exp, product)?;
        self.select(is_zero, zero, power)
    }

    /// Whether a node is data, whole numbers only.
    fn is_whole_data(&self, handle: Handle) -> bool {
        match self.op(handle) {
            Op::Const(x) => x.fract() == 0.0,
            Op::Column(id) => {
                let column = self.graph().column(*id);
                !column.varying && column.values.iter().all(|x| x.fract() == 0.0)
            }
            _ => false,
        }
    }

    fn whole_power(&mut self, base: Handle, n: u32) -> Result<Handle> {
        match n {
            0 => Ok(self.constant(1.0)),
            1 => Ok(base),
            _ => {
                let half = self.whole_power(base, n / 2)?;
                let square = self.unary(Unary::Square, half)?;
                if n % 2 == 1 {
                    self.binary(Binary::Mul, square, base)
                } else {
                    Ok(square)
                }
            }
        }
    }

    pub(super) fn select(&mut self, condition: Handle, then: Handle, otherwise: Handle) -> Result<Handle> {
        if then == otherwise {
            return Ok(then);
        }
        if let Some(truth) = self.as_const(condition) {
            return Ok(if truth != 0.0 { then } else { otherwise });
        }
        let op = Op::Select(condition, then, otherwise);
        if self.is_data(condition) && self.is_data(then) && self.is_data(otherwise) {
            let plate = [condition, then, otherwise]
                .iter()
                .find_map(|&h| self.ty(h).plate);
            return fold(self, &op, plate);
        }
        self.emit(op)
    }

    pub(super) fn gather(&mut self, source: Handle, index: IndexId) -> Result<Handle> {
        if self.is_scalar(source) {
            return Ok(source);
        }
        let op = Op::Gather { source, index };
        if self.is_data(source) && !self.graph().index_column(index).tuned {
            return fold(self, &op, self.graph().index_column(index).domain);
        }
        self.emit(op)
    }

    pub(super) fn segment_sum(&mut self, source: Handle, index: IndexId) -> Result<Handle> {
        let op = Op::SegmentSum { source, index };
        if self.graph().index_column(index).tuned && (self.is_data(source) || self.is_scalar(source)) {
            return Err(Error::bug("a count by codes that are not known yet"));
        }
        if self.is_data(source) {
            return fold(self, &op, Some(self.graph().index_column(index).range));
        }
        if self.is_scalar(source) && self.graph().index_column(index).domain.is_some() {
            // The same scalar in every element: as often as the level occurs.
            let one = self.constant(1.0);
            let counts = fold(
                self,
                &Op::SegmentSum { source: one, index },
                Some(self.graph().index_column(index).range),
            )?;
            return self.binary(Binary::Mul, counts, source);
        }
        if let Some(x) = self.unary_operand(source, Unary::Neg) {
            let sum = self.segment_sum(x, index)?;
            return self.unary(Unary::Neg, sum);
        }
        if let Some((scalar, x)) = self.scalar_factor(source) {
            let sum = self.segment_sum(x, index)?;
            return self.binary(Binary::Mul, scalar, sum);
        }
        self.emit(op)
    }

    /// The sum of `source` over `plate`, which a source without a plate stands for all elements of.
    pub(super) fn sum(&mut self, source: Handle, plate: Option<PlateId>) -> Result<Handle> {
        if self.is_scalar(source) {
            let len = self.constant(self.graph().plate_len(plate) as f64);
            return self.binary(Binary::Mul, len, source);
        }
        if self.is_data(source) {
            return fold(self, &Op::Sum(source), None);
        }
        if let Some(x) = self.unary_operand(source, Unary::Neg) {
            let sum = self.sum(x, plate)?;
            return self.unary(Unary::Neg, sum);
        }
        if let Some((scalar, x)) = self.scalar_factor(source) {
            let sum = self.sum(x, plate)?;
            return self.binary(Binary::Mul, scalar, sum);
        }
        self.emit(Op::Sum(source))
    }
}
