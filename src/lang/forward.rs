//! A model read forward: parameters go in on their natural scales, distributions of outcomes come out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lowered::{Dim, Holds};
use super::report::Reports;
use super::span::Span;
use crate::data::{Learned, Table};
use crate::dist::Family;
use crate::ir::{Graph, Handle};

/// What a lowering learned from its table, by which new rows are read as the first ones were.
///
/// Calls are known by their places: a text that goes on after the model's end has the same ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The levels of each index, in order.
    pub(super) levels: BTreeMap<String, Arc<[String]>>,
    /// The labels of the columns that are compared with a text.
    pub(super) compared: BTreeMap<String, BTreeSet<String>>,
    /// The constants of `standardize`, `center`, `mean`, `sd` and `sum` (as the shift).
    pub(super) constants: BTreeMap<Span, Learned>,
    /// Data of groups by plate and name, one value for each element of the plate.
    pub(super) groups: BTreeMap<(String, String), Arc<[f64]>>,
    /// The level of an index that each element of a plate lies within, by plate and index.
    pub(super) nested: BTreeMap<(String, String), Arc<[u32]>>,
}

impl Known {
    /// The levels of an index.
    pub fn levels(&self, index: &str) -> Option<&[String]> {
        self.levels.get(index).map(|levels| &**levels)
    }
}

/// Whose rows a model is read over.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Rows that `known` was learned from, `drop_missing` done.
    Observed {
        /// What all of them taught.
        known: &'a Known,
        /// Rows before these.
        before: usize,
    },
    /// Further rows, after the `before` first further ones. They are new levels of an index of rows, unless a column
    /// of the index's name says which they are.
    New {
        /// What the first rows taught.
        known: &'a Known,
        /// Further rows in tables before this one.
        before: usize,
    },
    /// A design: constants and levels are learned from it, its outcomes are still to come.
    Design,
}

impl<'a> View<'a> {
    /// What is known from other rows.
    pub(super) fn known(self) -> Option<&'a Known> {
        match self {
            View::Observed { known, .. } | View::New { known, .. } => Some(known),
            View::Design => None,
        }
    }
}

/// A model read forward over a table.
#[derive(Debug, Clone)]
pub struct Forward {
    /// The nodes. Its position is the values of the parameters, `[input][element]`, on their natural scales except for
    /// the shares of correlation matrices.
    pub graph: Graph,
    /// The parameters in the order of the text: the slots of the position.
    pub inputs: Vec<Input>,
    /// The lines with an outcome on their left, in the order of the text.
    pub outcomes: Vec<Outcome>,
    /// The definitions asked for.
    pub definitions: Vec<Definition>,
    /// Indices whose column the table lacks: all rows have their last level, which stands for any of the known ones.
    pub mixed: BTreeSet<String>,
    /// The rows that the graph is over: of a design those that `drop_missing` leaves.
    pub table: Table,
    /// Warnings and notes about the text.
    pub reports: Reports,
}

/// A parameter as it goes in.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The name in the model text.
    pub name: String,
    /// What of the parameter goes in: of correlated effects `a[g, k]` one level of the last axis, of a correlation
    /// matrix its shares.
    pub holds: Holds,
    /// Its axes: the known levels in their order, then those that only this table has.
    pub dims: Vec<Dim>,
    /// The prior's distribution.
    pub family: Family,
    /// The prior's arguments in their order: nodes over the parameter's plate or none.
    pub arguments: Vec<Handle>,
    /// The same of the parameter alone, where `arguments` are those given other correlated effects of the group.
    pub alone: Vec<Handle>,
    /// Whether the prior is truncated to (0, ∞).
    pub truncated: bool,
    /// The set of its values, such as `(0, ∞)`.
    pub support: String,
}

/// An outcome's distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The outcome's name.
    pub name: String,
    /// Whether a definition makes it from columns (`y = log(income)`).
    pub defined: bool,
    /// Its distribution.
    pub family: Family,
    /// The distribution's arguments in their order: nodes over the outcome's plate or none.
    pub arguments: Vec<Handle>,
    /// The linear predictor: what a link is applied to, else the distribution's location; over the plate or none.
    pub linear: Option<Handle>,
    /// For each row of the table the element of the outcome's plate.
    pub elements: Vec<u32>,
    /// The plate's size.
    pub len: usize,
    /// Whether the plate is the rows.
    pub by_row: bool,
}

/// A definition's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The name in the model text.
    pub name: String,
    /// Its axes.
    pub dims: Vec<Dim>,
    /// A node over the axes' plate.
    pub value: Handle,
}
