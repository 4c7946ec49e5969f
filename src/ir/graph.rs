//! The arena: plates, index and data columns, slots of the position, nodes with their types.

use super::op::{ColumnId, Handle, IndexId, Op, PlateId, SlotId};

/// An index set: rows of the table, levels of a factor, a crossing, the places of a fixed-length vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plate {
    /// Its name in the model text.
    pub name: String,
    /// Its size.
    pub len: usize,
}

/// A map between plates by 0-based codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name in the model text.
    pub name: String,
    /// The plate of the codes' positions; `None` for a single code (one chosen level).
    pub domain: Option<PlateId>,
    /// The plate that the codes point into.
    pub range: PlateId,
    /// One code per element of the domain, each below the range's length.
    pub codes: Vec<u32>,
    /// Whether the codes may be set anew between evaluations (the codes here are the first ones): what is gathered
    /// through it counts as depending on the chain, and no pass looks at the codes. A domain is required.
    pub tuned: bool,
}

/// Observed or derived numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the model text.
    pub name: String,
    /// Its plate; `None` for a single number.
    pub plate: Option<PlateId>,
    /// One value per element of the plate.
    pub values: Vec<f64>,
    /// Whether other replicates of a study have other values here: passes fold them as they do any data, but decide
    /// nothing by them, so that all replicates have the same program with other numbers.
    pub varying: bool,
}

/// A block of the position vector: one coordinate per element of its plate (and of its event).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The parameter's name.
    pub name: String,
    /// Its plate; `None` for a scalar parameter.
    pub plate: Option<PlateId>,
    /// Its event shape; scalar once the events are expanded.
    pub event: Event,
}

/// The shape of one value: the axes that belong together in a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A number.
    Scalar,
    /// A vector of this length.
    Vector(u32),
    /// A matrix of these rows and columns, row-major.
    Matrix(u32, u32),
}

impl Event {
    /// Numbers in one value.
    pub fn len(self) -> usize {
        match self {
            Event::Scalar => 1,
            Event::Vector(n) => n as usize,
            Event::Matrix(rows, columns) => rows as usize * columns as usize,
        }
    }

    /// Whether the value holds no number.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a node's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type {
    /// The plate that the value varies over; `None`: one per chain.
    pub plate: Option<PlateId>,
    /// The shape of one value.
    pub event: Event,
    /// Whether the value depends on the position; otherwise on data alone.
    pub per_chain: bool,
}

/// An operation and the type of its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// The result's type.
    pub ty: Type,
}

/// A graph with everything that it refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// Index sets.
    pub plates: Vec<Plate>,
    /// Maps between them.
    pub indices: Vec<Index>,
    /// Data.
    pub columns: Vec<Column>,
    /// Blocks of the position, in its order.
    pub slots: Vec<Slot>,
    /// Operations, operands first.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// The node behind a handle.
    pub fn node(&self, handle: Handle) -> &Node {
        &self.nodes[handle.index()]
    }

    /// The type of a node.
    pub fn ty(&self, handle: Handle) -> Type {
        self.nodes[handle.index()].ty
    }

    /// The number of elements of a plate; 1 for none.
    pub fn plate_len(&self, plate: Option<PlateId>) -> usize {
        plate.map_or(1, |plate| self.plates[plate.index()].len)
    }

    /// The index column behind an id.
    pub fn index_column(&self, id: IndexId) -> &Index {
        &self.indices[id.index()]
    }

    /// The data column behind an id.
    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[id.index()]
    }

    /// The data column and the tuned index of a node that gathers data through such an index: data as far as one
    /// evaluation is concerned.
    pub fn tuned_data(&self, handle: Handle) -> Option<(ColumnId, IndexId)> {
        match self.node(handle).op {
            Op::Gather { source, index } if self.index_column(index).tuned => match self.node(source).op {
                Op::Column(column) => Some((column, index)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The indices whose codes can be set anew, in their order.
    pub fn tuned(&self) -> impl Iterator<Item = &Index> {
        self.indices.iter().filter(|index| index.tuned)
    }

    /// Where the codes of a tuned index begin among those of all tuned indices, one after another.
    pub fn tuned_offset(&self, id: IndexId) -> usize {
        let before = self.indices[..id.index()].iter();
        before
            .filter(|index| index.tuned)
            .map(|index| index.codes.len())
            .sum()
    }

    /// Sets the codes of all tuned indices, one after another.
    ///
    /// # Panics
    /// If there is another number of codes.
    pub fn set_tuned(&mut self, codes: &[u32]) {
        let mut rest = codes;
        for index in self.indices.iter_mut().filter(|index| index.tuned) {
            let (own, others) = rest.split_at(index.codes.len());
            index.codes.copy_from_slice(own);
            rest = others;
        }
        assert!(rest.is_empty(), "{} codes too many", rest.len());
    }

    /// The number of coordinates of a slot.
    pub fn slot_len(&self, slot: SlotId) -> usize {
        let slot = &self.slots[slot.index()];
        self.plate_len(slot.plate) * slot.event.len()
    }

    /// Where each slot begins in the position, and, last, the position's dimension.
    pub fn slot_offsets(&self) -> Vec<usize> {
        let mut offsets = vec![0];
        for slot in 0..self.slots.len() {
            offsets.push(offsets[slot] + self.slot_len(SlotId::new(slot)));
        }
        offsets
    }

    /// The number of coordinates of a position.
    pub fn dim(&self) -> usize {
        (0..self.slots.len())
            .map(|slot| self.slot_len(SlotId::new(slot)))
            .sum()
    }

    pub(crate) fn push(&mut self, op: Op, ty: Type) -> Handle {
        let handle = Handle::new(self.nodes.len());
        self.nodes.push(Node { op, ty });
        handle
    }
}

/// A graph with the nodes that are wanted from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// The graph.
    pub graph: Graph,
    /// Terms of the log density: each is summed over its plate, and all are added.
    pub density: Vec<Handle>,
    /// A constant part of the log density.
    pub constant: f64,
    /// Contributions to the gradient, per slot: each of the slot's plate, all added. Empty before differentiation.
    pub gradient: Vec<Vec<Handle>>,
    /// Other wanted values (named parameters, pointwise log likelihoods), in the caller's order.
    pub outputs: Vec<Handle>,
}

impl Program {
    /// Every wanted node.
    pub fn roots(&self) -> impl Iterator<Item = Handle> + '_ {
        self.density
            .iter()
            .chain(self.gradient.iter().flatten())
            .chain(&self.outputs)
            .copied()
    }
}
