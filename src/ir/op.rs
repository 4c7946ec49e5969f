//! The op set. Each primitive has one implementation per back end, in an exhaustive `match`.

use crate::num::Real;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The place in its arena.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("an arena holds fewer than 2^32 entries"))
            }
        }
    )*};
}

ids! {
    /// A node of a [`super::Graph`].
    Handle;
    /// A plate of a graph.
    PlateId;
    /// An index column of a graph.
    IndexId;
    /// A data column of a graph.
    ColumnId;
    /// A block of the position vector.
    SlotId;
}

/// Elementwise operations of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unary {
    /// −x
    Neg,
    /// 1 / x
    Recip,
    /// eˣ
    Exp,
    /// ln x
    Ln,
    /// ln(1 + x)
    Log1p,
    /// eˣ − 1
    Expm1,
    /// √x
    Sqrt,
    /// x²
    Square,
    /// |x|
    Abs,
    /// The largest whole number not above x; its derivative is 0.
    Floor,
    /// 1 / (1 + e⁻ˣ)
    InvLogit,
    /// ln(1 + eˣ)
    Softplus,
    /// ln Γ(x), x > 0
    Lgamma,
    /// ψ(x), x > 0
    Digamma,
    /// Φ(x)
    StdNormalCdf,
    /// ln Φ(x)
    LogStdNormalCdf,
}

/// Elementwise operations of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// a to the power of b, a > 0 or b a whole constant
    Pow,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// 1 where a < b, else 0
    Lt,
    /// 1 where a ≤ b, else 0
    Le,
    /// 1 where a = b, else 0
    Eq,
}

/// An operation with its operands.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// A constant.
    Const(f64),
    /// A data column.
    Column(ColumnId),
    /// A block of the position vector.
    Position(SlotId),
    /// Elementwise, one operand.
    Unary(Unary, Handle),
    /// Elementwise, two operands.
    Binary(Binary, Handle, Handle),
    /// The second operand where the first is not 0, else the third.
    Select(Handle, Handle, Handle),
    /// `result[i] = source[codes[i]]`, from the index's range to its domain.
    Gather {
        /// A node over the index's range.
        source: Handle,
        /// The index column.
        index: IndexId,
    },
    /// `result[k] = Σ source[i] over codes[i] = k`, from the index's domain to its range.
    SegmentSum {
        /// A node over the index's domain.
        source: Handle,
        /// The index column.
        index: IndexId,
    },
    /// The sum over the operand's plate.
    Sum(Handle),
    /// One entry of a vector or matrix event (row-major).
    Element(Handle, u32),
    /// Scalars into a vector or matrix event (row-major), of the node's type.
    Stack(Vec<Handle>),
    /// The lower Cholesky factor of a symmetric matrix event (the lower triangle is read).
    Cholesky(Handle),
    /// x with L·x = b, for a lower triangular matrix event L and a vector event b.
    SolveLower(Handle, Handle),
}

impl Op {
    /// Calls `f` with each operand, in order.
    pub fn for_each_operand(&self, mut f: impl FnMut(Handle)) {
        match self {
            Op::Const(_) | Op::Column(_) | Op::Position(_) => {}
            Op::Unary(_, a) | Op::Sum(a) | Op::Element(a, _) | Op::Cholesky(a) => f(*a),
            Op::Gather { source, .. } | Op::SegmentSum { source, .. } => f(*source),
            Op::Binary(_, a, b) | Op::SolveLower(a, b) => {
                f(*a);
                f(*b);
            }
            Op::Select(a, b, c) => {
                f(*a);
                f(*b);
                f(*c);
            }
            Op::Stack(parts) => parts.iter().for_each(|part| f(*part)),
        }
    }

    /// The same operation on other operands.
    #[must_use]
    pub fn map_operands(&self, mut f: impl FnMut(Handle) -> Handle) -> Op {
        match self {
            Op::Const(_) | Op::Column(_) | Op::Position(_) => self.clone(),
            Op::Unary(op, a) => Op::Unary(*op, f(*a)),
            Op::Sum(a) => Op::Sum(f(*a)),
            Op::Element(a, i) => Op::Element(f(*a), *i),
            Op::Cholesky(a) => Op::Cholesky(f(*a)),
            Op::Gather { source, index } => Op::Gather {
                source: f(*source),
                index: *index,
            },
            Op::SegmentSum { source, index } => Op::SegmentSum {
                source: f(*source),
                index: *index,
            },
            Op::Binary(op, a, b) => {
                let a = f(*a);
                Op::Binary(*op, a, f(*b))
            }
            Op::SolveLower(a, b) => {
                let a = f(*a);
                Op::SolveLower(a, f(*b))
            }
            Op::Select(a, b, c) => {
                let (a, b) = (f(*a), f(*b));
                Op::Select(a, b, f(*c))
            }
            Op::Stack(parts) => Op::Stack(parts.iter().map(|part| f(*part)).collect()),
        }
    }
}

impl Unary {
    /// The value in f64.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Recip => 1.0 / x,
            Unary::Exp => Real::exp(&x),
            Unary::Ln => Real::ln(&x),
            Unary::Log1p => Real::log1p(&x),
            Unary::Expm1 => Real::expm1(&x),
            Unary::Sqrt => Real::sqrt(&x),
            Unary::Square => x * x,
            Unary::Abs => Real::abs(&x),
            Unary::Floor => x.floor(),
            Unary::InvLogit => x.inv_logit(),
            Unary::Softplus => x.softplus(),
            Unary::Lgamma => x.lgamma(),
            Unary::Digamma => x.digamma(),
            Unary::StdNormalCdf => x.std_normal_cdf(),
            Unary::LogStdNormalCdf => x.log_std_normal_cdf(),
        }
    }
}

impl Binary {
    /// The value in f64.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Pow => Real::pow(&a, &b),
            Binary::Min => a.min(b),
            Binary::Max => a.max(b),
            Binary::Lt => truth(a < b),
            Binary::Le => truth(a <= b),
            Binary::Eq => truth(a == b),
        }
    }
}
