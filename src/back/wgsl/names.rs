//! How the text names coordinates, derivatives and elements in each form of a kernel.

use crate::back::kernel::{Form, Memory};

/// One element of a plate: known when the text is written, or an expression of the running shader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Known(usize),
    Dynamic(String),
}

impl Element {
    /// The running variable of a loop.
    pub(super) fn running() -> Self {
        Self::Dynamic("i".into())
    }

    /// As an expression of type u32.
    pub(super) fn expression(&self) -> String {
        match self {
            Self::Known(k) => format!("{k}u"),
            Self::Dynamic(text) => text.clone(),
        }
    }
}

/// A number of the position's shape, element `element` of the slot that begins at `offset`.
///
/// `buffer`, `array` and `scalar` are its names in the three forms.
fn coordinate(
    form: Form,
    offset: usize,
    element: &Element,
    (buffer, array, scalar): (&str, &str, &str),
) -> String {
    match (form, element) {
        (Form::Unrolled, Element::Known(k)) => format!("{scalar}{}", offset + k),
        (Form::Arrays | Form::Unrolled, _) => format!("{array}[{offset}u + {}]", element.expression()),
        (Form::Buffers, _) => format!(
            "{buffer}[({offset}u + {}) * params.chains + chain]",
            element.expression()
        ),
    }
}

/// A coordinate of the position.
pub(super) fn position(form: Form, offset: usize, element: &Element) -> String {
    coordinate(form, offset, element, ("position", "xs", "x"))
}

/// A coordinate of the gradient.
pub(super) fn gradient(form: Form, offset: usize, element: &Element) -> String {
    coordinate(form, offset, element, ("gradient", "ds", "d"))
}

/// An element of intermediate values over a plate: of a local array, or a variable of its own where `is_split`.
pub(super) fn array(is_split: bool, number: usize, element: &Element) -> String {
    match (is_split, element) {
        (true, Element::Known(k)) => format!("a{number}_{k}"),
        (true | false, _) => format!("a{number}[{}]", element.expression()),
    }
}

/// Entry `at` of the data columns, a place known when the text is written.
pub(super) fn known_column(form: Form, memory: Memory, at: usize) -> String {
    match (form, memory) {
        (Form::Unrolled, Memory::Held) => format!("k{at}"),
        (Form::Buffers | Form::Arrays | Form::Unrolled, _) => format!("columns[{at}u]"),
    }
}

/// The entry of the column that begins at `start` which the code of the centring weight of `level` chooses, where a
/// thread keeps it.
pub(super) fn tuned(start: usize, level: usize) -> String {
    format!("c{start}_{level}")
}

/// The code of the centring weight of `level`.
pub(super) fn code(form: Form, memory: Memory, level: &Element) -> String {
    match (form, memory, level) {
        (Form::Unrolled, Memory::Held, Element::Known(level)) => format!("code{level}"),
        (Form::Buffers | Form::Arrays | Form::Unrolled, _, _) => {
            format!("centring_code(chain, {})", level.expression())
        }
    }
}
