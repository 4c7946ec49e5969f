//! Recording formulas: a builder of graphs, and expressions that implement [`Real`].

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::graph::{Column, Event, Graph, Index, Plate, Slot, Type};
use super::op::{Binary, ColumnId, Handle, IndexId, Op, PlateId, SlotId, Unary};
use crate::error::{Error, Result};
use crate::num::Real;

/// Builds a graph; faults are kept and reported by [`Builder::finish`].
#[derive(Debug, Default)]
pub struct Builder {
    graph: RefCell<Graph>,
    fault: RefCell<Option<String>>,
}

/// A node of a graph under construction.
#[derive(Debug, Clone, Copy)]
pub struct Expr<'b> {
    builder: &'b Builder,
    handle: Handle,
}

const PLAIN: Type = Type {
    plate: None,
    event: Event::Scalar,
    per_chain: false,
};

impl Builder {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder that goes on from `graph`.
    pub fn resume(graph: Graph) -> Self {
        Self {
            graph: RefCell::new(graph),
            fault: RefCell::new(None),
        }
    }

    /// The graph, validated; a fault in its construction is a bug of tadpool.
    pub fn finish(self) -> Result<Graph> {
        let graph = self.graph.into_inner();
        if let Some(fault) = self.fault.into_inner() {
            return Err(Error::bug(format!("{fault}\n{graph}")));
        }
        graph.validate()?;
        Ok(graph)
    }

    /// Adds a plate.
    pub fn plate(&self, name: &str, len: usize) -> PlateId {
        let mut graph = self.graph.borrow_mut();
        graph.plates.push(Plate {
            name: name.into(),
            len,
        });
        PlateId::new(graph.plates.len() - 1)
    }

    /// Adds an index column.
    pub fn index(&self, name: &str, domain: Option<PlateId>, range: PlateId, codes: Vec<u32>) -> IndexId {
        let mut graph = self.graph.borrow_mut();
        graph.indices.push(Index {
            name: name.into(),
            domain,
            range,
            codes,
            tuned: false,
        });
        IndexId::new(graph.indices.len() - 1)
    }

    /// Adds an index column whose codes can be set anew between evaluations; see [`Index::tuned`].
    pub fn tuned_index(&self, name: &str, domain: PlateId, range: PlateId, codes: Vec<u32>) -> IndexId {
        let id = self.index(name, Some(domain), range, codes);
        self.graph.borrow_mut().indices[id.index()].tuned = true;
        id
    }

    /// Adds a data column and a node that reads it.
    pub fn column(&self, name: &str, plate: Option<PlateId>, values: Vec<f64>) -> Expr<'_> {
        let id = {
            let mut graph = self.graph.borrow_mut();
            graph.columns.push(Column {
                name: name.into(),
                plate,
                values,
                varying: false,
            });
            ColumnId::new(graph.columns.len() - 1)
        };
        self.push(Op::Column(id), Type { plate, ..PLAIN })
    }

    /// A node that reads a column of the graph.
    pub fn read_column(&self, id: ColumnId) -> Expr<'_> {
        let plate = self.graph.borrow().column(id).plate;
        self.push(Op::Column(id), Type { plate, ..PLAIN })
    }

    /// Adds a block of the position and a node that reads it.
    pub fn position(&self, name: &str, plate: Option<PlateId>, event: Event) -> Expr<'_> {
        let id = {
            let mut graph = self.graph.borrow_mut();
            graph.slots.push(Slot {
                name: name.into(),
                plate,
                event,
            });
            SlotId::new(graph.slots.len() - 1)
        };
        self.push(
            Op::Position(id),
            Type {
                plate,
                event,
                per_chain: true,
            },
        )
    }

    /// A constant.
    pub fn constant(&self, x: f64) -> Expr<'_> {
        self.push(Op::Const(x), PLAIN)
    }

    /// An expression for a node that exists.
    pub fn expr(&self, handle: Handle) -> Expr<'_> {
        Expr {
            builder: self,
            handle,
        }
    }

    /// The number of elements of a plate; 1 for none.
    pub fn plate_len(&self, plate: Option<PlateId>) -> usize {
        self.graph.borrow().plate_len(plate)
    }

    /// The type of a node.
    pub fn ty(&self, handle: Handle) -> Type {
        self.graph.borrow().ty(handle)
    }

    /// Several scalars of one plate as a vector or matrix event, row-major.
    pub fn stack<'b>(&'b self, parts: &[Expr<'b>], event: Event) -> Expr<'b> {
        let mut ty = PLAIN;
        for part in parts {
            ty = self.unify(ty, part.ty(), "stack");
        }
        if parts.len() != event.len() {
            self.blame(format!("stack of {} parts as {event:?}", parts.len()));
        }
        self.push(
            Op::Stack(parts.iter().map(|part| part.handle).collect()),
            Type { event, ..ty },
        )
    }

    fn push(&self, op: Op, ty: Type) -> Expr<'_> {
        Expr {
            builder: self,
            handle: self.graph.borrow_mut().push(op, ty),
        }
    }

    fn blame(&self, fault: String) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    /// The type of an elementwise result.
    fn unify(&self, a: Type, b: Type, what: &str) -> Type {
        let shape = |ty: Type| (ty.plate, ty.event);
        let plain = (None, Event::Scalar);
        let per_chain = a.per_chain || b.per_chain;
        let winner = if shape(a) == plain { b } else { a };
        if shape(a) != plain && shape(b) != plain && shape(a) != shape(b) {
            self.blame(format!("operands of `{what}` have types {a:?} and {b:?}"));
        }
        Type { per_chain, ..winner }
    }
}

impl<'b> Expr<'b> {
    /// The node.
    pub fn handle(self) -> Handle {
        self.handle
    }

    /// Its type.
    pub fn ty(self) -> Type {
        self.builder.ty(self.handle)
    }

    /// Applies a unary operation.
    #[must_use]
    pub fn unary(self, op: Unary) -> Self {
        self.builder.push(Op::Unary(op, self.handle), self.ty())
    }

    /// Applies a binary operation.
    #[must_use]
    pub fn binary(self, op: Binary, other: Self) -> Self {
        let ty = self.builder.unify(self.ty(), other.ty(), "binary");
        self.builder.push(Op::Binary(op, self.handle, other.handle), ty)
    }

    /// Carries a node from the index's range to its domain.
    #[must_use]
    pub fn gather(self, index: IndexId) -> Self {
        let (domain, range) = self.ends(index);
        let ty = self.ty();
        if ty.plate != Some(range) {
            self.builder.blame(format!(
                "gather of a node over {:?} through an index into {range:?}",
                ty.plate
            ));
        }
        self.builder.push(
            Op::Gather {
                source: self.handle,
                index,
            },
            Type {
                plate: domain,
                per_chain: ty.per_chain || self.is_tuned(index),
                ..ty
            },
        )
    }

    /// Sums a node over the index's domain by its codes.
    #[must_use]
    pub fn segment_sum(self, index: IndexId) -> Self {
        let (domain, range) = self.ends(index);
        let ty = self.ty();
        if ty.plate != domain {
            self.builder.blame(format!(
                "segment sum of a node over {:?} through an index from {domain:?}",
                ty.plate
            ));
        }
        self.builder.push(
            Op::SegmentSum {
                source: self.handle,
                index,
            },
            Type {
                plate: Some(range),
                per_chain: ty.per_chain || self.is_tuned(index),
                ..ty
            },
        )
    }

    /// Sums over the plate.
    #[must_use]
    pub fn sum(self) -> Self {
        self.builder.push(
            Op::Sum(self.handle),
            Type {
                plate: None,
                ..self.ty()
            },
        )
    }

    /// One entry of a vector or matrix event.
    #[must_use]
    pub fn element(self, entry: usize) -> Self {
        let ty = self.ty();
        if entry >= ty.event.len() {
            self.builder.blame(format!("element {entry} of {:?}", ty.event));
        }
        self.builder.push(
            Op::Element(self.handle, entry as u32),
            Type {
                event: Event::Scalar,
                ..ty
            },
        )
    }

    /// The lower Cholesky factor of a matrix event.
    #[must_use]
    pub fn cholesky(self) -> Self {
        let ty = self.ty();
        if !matches!(ty.event, Event::Matrix(n, m) if n == m) {
            self.builder.blame(format!("Cholesky factor of {:?}", ty.event));
        }
        self.builder.push(Op::Cholesky(self.handle), ty)
    }

    /// x with `self`·x = `b`, `self` lower triangular.
    #[must_use]
    pub fn solve_lower(self, b: Self) -> Self {
        let (l, r) = (self.ty(), b.ty());
        if !matches!((l.event, r.event), (Event::Matrix(n, m), Event::Vector(k)) if n == m && m == k) {
            self.builder
                .blame(format!("triangular solve of {:?} with {:?}", l.event, r.event));
        }
        if l.plate.is_some() && l.plate != r.plate {
            self.builder.blame("triangular solve across plates".into());
        }
        let ty = Type {
            per_chain: l.per_chain || r.per_chain,
            ..r
        };
        self.builder.push(Op::SolveLower(self.handle, b.handle), ty)
    }

    fn is_tuned(self, index: IndexId) -> bool {
        self.builder.graph.borrow().index_column(index).tuned
    }

    fn ends(self, index: IndexId) -> (Option<PlateId>, PlateId) {
        let graph = self.builder.graph.borrow();
        let index = graph.index_column(index);
        (index.domain, index.range)
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        impl<'b> $trait for Expr<'b> {
            type Output = Expr<'b>;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$op, other)
            }
        }
    )*};
}

operator! { Add add Add; Sub sub Sub; Mul mul Mul; Div div Div; }

impl<'b> Neg for Expr<'b> {
    type Output = Expr<'b>;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

macro_rules! unary_methods {
    ($($method:ident $op:ident;)*) => {$(
        fn $method(&self) -> Self {
            (*self).unary(Unary::$op)
        }
    )*};
}

impl Real for Expr<'_> {
    fn lit(&self, x: f64) -> Self {
        self.builder.constant(x)
    }

    unary_methods! {
        exp Exp; ln Ln; log1p Log1p; expm1 Expm1; sqrt Sqrt; square Square; abs Abs; inv_logit InvLogit;
        softplus Softplus; lgamma Lgamma; digamma Digamma; std_normal_cdf StdNormalCdf;
        log_std_normal_cdf LogStdNormalCdf;
    }

    fn pow(&self, exponent: &Self) -> Self {
        self.binary(Binary::Pow, *exponent)
    }

    fn lt(&self, other: &Self) -> Self {
        self.binary(Binary::Lt, *other)
    }

    fn select(&self, then: &Self, otherwise: &Self) -> Self {
        let builder = self.builder;
        let ty = builder.unify(
            builder.unify(self.ty(), then.ty(), "select"),
            otherwise.ty(),
            "select",
        );
        builder.push(Op::Select(self.handle, then.handle, otherwise.handle), ty)
    }
}
