//! A graph under reconstruction: nodes are interned, so that equal expressions are one node.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::ir::{
    Binary, Column, ColumnId, Event, Graph, Handle, Index, IndexId, Op, Plate, PlateId, Type, Unary,
};

/// What identifies a node: its operation, with the bits of a constant.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Const(u64),
    Column(ColumnId),
    Position(u32),
    Unary(Unary, Handle),
    Binary(Binary, Handle, Handle),
    Select(Handle, Handle, Handle),
    Gather(Handle, IndexId),
    SegmentSum(Handle, IndexId),
    Sum(Handle),
}

/// Builds a graph whose equal nodes are one; every plate, index and slot of the source keeps its id, columns are
/// imported as they are needed.
pub(super) struct Rewriter {
    graph: Graph,
    nodes: HashMap<Key, Handle>,
    columns: HashMap<(Option<PlateId>, Vec<u64>), Handle>,
    /// Columns that vary between replicates, by what they come from: a column of the source, an operation.
    varying: HashMap<String, Handle>,
}

impl Rewriter {
    /// An empty graph with the tables of `source`.
    pub(super) fn new(source: &Graph) -> Self {
        let graph = Graph {
            plates: source.plates.clone(),
            indices: source.indices.clone(),
            columns: Vec::new(),
            slots: source.slots.clone(),
            nodes: Vec::with_capacity(source.nodes.len()),
        };
        Self {
            graph,
            nodes: HashMap::new(),
            columns: HashMap::new(),
            varying: HashMap::new(),
        }
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn ty(&self, handle: Handle) -> Type {
        self.graph.ty(handle)
    }

    pub(super) fn op(&self, handle: Handle) -> &Op {
        &self.graph.node(handle).op
    }

    /// The finished graph, validated.
    pub(super) fn finish(self) -> Result<Graph> {
        self.graph.validate()?;
        Ok(self.graph)
    }

    pub(super) fn plate(&mut self, name: String, len: usize) -> PlateId {
        self.graph.plates.push(Plate { name, len });
        PlateId::new(self.graph.plates.len() - 1)
    }

    pub(super) fn index(&mut self, index: Index) -> IndexId {
        self.graph.indices.push(index);
        IndexId::new(self.graph.indices.len() - 1)
    }

    /// Data as a node: a constant where all values are equal, else a column; equal columns are one. Those that vary
    /// between replicates are always columns of their own, whatever their values are in this one.
    pub(super) fn data(
        &mut self,
        name: &str,
        plate: Option<PlateId>,
        values: Vec<f64>,
        varying: bool,
    ) -> Handle {
        if !varying
            && let Some(&first) = values.first()
            && values.iter().all(|x| x.to_bits() == first.to_bits())
        {
            return self.constant(first);
        }
        self.raw_column(name, plate, values, varying)
    }

    /// Data as a column even where all values are equal.
    pub(super) fn raw_column(
        &mut self,
        name: &str,
        plate: Option<PlateId>,
        values: Vec<f64>,
        varying: bool,
    ) -> Handle {
        let bits = values.iter().map(|x| x.to_bits()).collect();
        if let Some(&known) = self.columns.get(&(plate, bits))
            && !varying
        {
            return known;
        }
        let bits = values.iter().map(|x| x.to_bits()).collect();
        self.graph.columns.push(Column {
            name: name.into(),
            plate,
            values,
            varying,
        });
        let id = ColumnId::new(self.graph.columns.len() - 1);
        let ty = Type {
            plate,
            event: Event::Scalar,
            per_chain: false,
        };
        let handle = self.intern(Key::Column(id), Op::Column(id), ty);
        if !varying {
            self.columns.insert((plate, bits), handle);
        }
        handle
    }

    /// Data that come from `origin`: as [`Rewriter::data`], but of those that vary there is one column for each origin,
    /// since what two columns hold says nothing about other replicates.
    pub(super) fn data_of(
        &mut self,
        origin: String,
        (name, plate): (&str, Option<PlateId>),
        values: Vec<f64>,
        varying: bool,
    ) -> Handle {
        if !varying {
            return self.data(name, plate, values, false);
        }
        if let Some(&known) = self.varying.get(&origin) {
            return known;
        }
        let handle = self.raw_column(name, plate, values, true);
        self.varying.insert(origin, handle);
        handle
    }

    /// A number of the data: a constant, or a column of its own where it varies between replicates.
    pub(super) fn number(&mut self, name: &str, x: f64, varying: bool) -> Handle {
        if varying {
            return self.raw_column(name, None, vec![x], true);
        }
        self.constant(x)
    }

    pub(super) fn constant(&mut self, x: f64) -> Handle {
        let ty = Type {
            plate: None,
            event: Event::Scalar,
            per_chain: false,
        };
        self.intern(Key::Const(x.to_bits()), Op::Const(x), ty)
    }

    /// Adds the operation as it stands, or finds its equal. Events must have been expanded.
    pub(super) fn emit(&mut self, op: Op) -> Result<Handle> {
        let graph = &self.graph;
        let (key, ty) = match op {
            Op::Const(x) => return Ok(self.constant(x)),
            Op::Column(_) => return Err(Error::bug("columns are imported by value")),
            Op::Position(slot) => {
                let plate = graph.slots[slot.index()].plate;
                (
                    Key::Position(slot.0),
                    Type {
                        plate,
                        event: Event::Scalar,
                        per_chain: true,
                    },
                )
            }
            Op::Unary(unary, a) => (Key::Unary(unary, a), graph.ty(a)),
            Op::Binary(binary, a, b) => {
                let commutes = matches!(
                    binary,
                    Binary::Add | Binary::Mul | Binary::Min | Binary::Max | Binary::Eq
                );
                let (a, b) = if commutes && b < a { (b, a) } else { (a, b) };
                let ty = joined(&[graph.ty(a), graph.ty(b)]);
                return Ok(self.intern(Key::Binary(binary, a, b), Op::Binary(binary, a, b), ty));
            }
            Op::Select(a, b, c) => (
                Key::Select(a, b, c),
                joined(&[graph.ty(a), graph.ty(b), graph.ty(c)]),
            ),
            Op::Gather { source, index } => (
                Key::Gather(source, index),
                Type {
                    plate: graph.index_column(index).domain,
                    per_chain: graph.ty(source).per_chain || graph.index_column(index).tuned,
                    ..graph.ty(source)
                },
            ),
            Op::SegmentSum { source, index } => (
                Key::SegmentSum(source, index),
                Type {
                    plate: Some(graph.index_column(index).range),
                    per_chain: graph.ty(source).per_chain || graph.index_column(index).tuned,
                    ..graph.ty(source)
                },
            ),
            Op::Sum(a) => (
                Key::Sum(a),
                Type {
                    plate: None,
                    ..graph.ty(a)
                },
            ),
            Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug("event operations must be expanded before this pass"));
            }
        };
        Ok(self.intern(key, op, ty))
    }

    fn intern(&mut self, key: Key, op: Op, ty: Type) -> Handle {
        if let Some(&known) = self.nodes.get(&key) {
            return known;
        }
        let handle = self.graph.push(op, ty);
        self.nodes.insert(key, handle);
        handle
    }
}

/// The type of an elementwise result.
fn joined(types: &[Type]) -> Type {
    Type {
        plate: types.iter().find_map(|ty| ty.plate),
        event: Event::Scalar,
        per_chain: types.iter().any(|ty| ty.per_chain),
    }
}
