//! How the text names coordinates, derivatives and elements in each form of a kernel.

use crate::back::kernel::{Data, Form, Memory};

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

/// An element of intermediate values over a plate: of a local array, or a variable of its own in unrolled text.
pub(super) fn array(form: Form, number: usize, element: &Element) -> String {
    match (form, element) {
        (Form::Unrolled, Element::Known(k)) => format!("a{number}_{k}"),
        (Form::Buffers | Form::Arrays | Form::Unrolled, _) => {
            format!("a{number}[{}]", element.expression())
        }
    }
}

/// Entry `at` of the data columns, a place known when the text is written.
pub(super) fn known_column(form: Form, memory: Memory, data: Data, at: usize) -> String {
    match (form, memory, data) {
        (Form::Unrolled, Memory::Held, _) => format!("k{at}"),
        (Form::Unrolled, Memory::Buffers, Data::Shared) => {
            format!("known_columns[{}u].{}", at / 4, ["x", "y", "z", "w"][at % 4])
        }
        (Form::Unrolled, Memory::Buffers, Data::PerEnsemble) | (Form::Buffers | Form::Arrays, ..) => {
            column(data, &format!("{at}u"))
        }
    }
}

/// An entry of the data columns, its place as an expression.
pub(super) fn column(data: Data, at: &str) -> String {
    match data {
        Data::Shared => format!("columns[{at}]"),
        Data::PerEnsemble => format!("columns[column_base + {at}]"),
    }
}

/// Number `place` of the data that the codes of centring weights choose, in unrolled text.
pub(super) fn tuned(memory: Memory, place: usize) -> String {
    match memory {
        Memory::Held => format!("c{place}"),
        Memory::Buffers => format!("hmc_tuned({place}u)"),
    }
}

/// The code of the centring weight of `level`, in text with loops.
pub(super) fn code(level: &Element) -> String {
    format!("centring_code(chain, {})", level.expression())
}
