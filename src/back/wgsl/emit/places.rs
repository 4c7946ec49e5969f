//! Where the text keeps coordinates, data, codes and intermediate values.

use super::super::names::{self, Element};
use super::{Emitter, Gradient};
use crate::back::kernel::Form;
use crate::error::{Error, Result};
use crate::ir::{ColumnId, Graph, Handle, IndexId, Op, SlotId};
use crate::pass::schedule::Target;

impl Emitter<'_> {
    pub(super) fn array(&self, array: Handle, element: &Element) -> String {
        names::array(self.form, array.index(), element)
    }

    pub(super) fn is_segment_sum(&self, handle: Handle) -> bool {
        matches!(self.graph.node(handle).op, Op::SegmentSum { .. })
    }

    pub(super) fn at_gradient(&self, slot: SlotId, element: &Element) -> String {
        names::gradient(self.form, self.slot_offsets[slot.index()], element)
    }

    pub(super) fn at_position(&self, slot: SlotId, element: &Element) -> String {
        names::position(self.form, self.slot_offsets[slot.index()], element)
    }

    pub(super) fn known_column(&self, at: usize) -> String {
        names::known_column(self.form, self.memory, self.data, at)
    }

    pub(super) fn column(&self, at: &str) -> String {
        names::column(self.data, at)
    }

    /// The element that an index column points to from the running element.
    pub(super) fn code(&self, index: IndexId) -> Element {
        let column = self.graph.index_column(index);
        let start = self.index_offsets[index.index()];
        match (&column.domain, &self.element) {
            (None, _) => Element::Known(column.codes[0] as usize),
            (Some(_), _) if column.tuned => Element::Dynamic(names::code(&self.level(index))),
            // The design is part of the shape: unrolled text names the element itself.
            (Some(_), Some(Element::Known(k))) => Element::Known(column.codes[*k] as usize),
            (Some(_), Some(Element::Dynamic(text))) => {
                Element::Dynamic(format!("indices[{start}u + {text}]"))
            }
            (Some(_), None) => Element::Dynamic(format!("indices[{start}u]")),
        }
    }

    /// The centring weight of the running element of a tuned index.
    pub(super) fn level(&self, index: IndexId) -> Element {
        let offset = self.graph.tuned_offset(index);
        match &self.element {
            Some(Element::Known(k)) => Element::Known(offset + k),
            Some(Element::Dynamic(text)) => Element::Dynamic(format!("{offset}u + {text}")),
            None => Element::Known(offset),
        }
    }

    /// Data that the code of a centring weight chooses.
    pub(super) fn tuned_data(&self, column: ColumnId, index: IndexId) -> Result<String> {
        let start = self.column_offsets[column.index()];
        Ok(match (self.level(index), self.form) {
            (Element::Known(level), Form::Unrolled) => {
                let place = self.tuned.binary_search(&(start, level));
                let place = place.map_err(|_| Error::bug("data chosen by codes that has no place"))?;
                names::tuned(self.memory, place)
            }
            (_, Form::Buffers | Form::Arrays | Form::Unrolled) => {
                self.column(&format!("{start}u + {}", self.code(index).expression()))
            }
        })
    }

    /// What the text reads by the codes of centring weights: where the column begins, and the weight's level; ascending.
    pub(super) fn all_tuned(graph: &Graph, column_offsets: &[usize]) -> Vec<(usize, usize)> {
        let mut places: Vec<(usize, usize)> = (0..graph.nodes.len())
            .filter_map(|node| graph.tuned_data(Handle::new(node)))
            .flat_map(|(column, index)| {
                let (start, offset) = (column_offsets[column.index()], graph.tuned_offset(index));
                (0..graph.index_column(index).codes.len()).map(move |k| (start, offset + k))
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    pub(super) fn add_to(&mut self, target: Target, element: &Element, value: &str) {
        let place = match target {
            Target::Array(array) => self.array(array, element),
            Target::Gradient(slot) => match self.gradients[slot.index()] {
                Gradient::Private => format!("g{}[{}]", slot.index(), element.expression()),
                Gradient::Scalar | Gradient::Written | Gradient::InPlace | Gradient::Zero => {
                    self.at_gradient(slot, element)
                }
            },
        };
        self.line(&format!("{place} += {value};"));
    }
}
