//! Operations one by one, and the loops that run them over plates, as loops or unrolled.

use super::super::BLOCK;
use super::super::names::Element;
use super::super::ops::{binary, literal, unary};
use super::{Emitter, Gradient};
use crate::back::kernel::Form;
use crate::error::{Error, Result};
use crate::ir::{Handle, Op, SlotId};
use crate::pass::schedule::{Loop, Target};

impl Emitter<'_> {
    /// An operand as an expression.
    pub(super) fn value(&self, handle: Handle) -> Result<String> {
        let node = self.graph.node(handle);
        let has_plate = node.ty.plate.is_some();
        Ok(match node.op {
            Op::Const(x) => literal(x),
            Op::Column(id) => {
                let start = self.column_offsets[id.index()];
                match &self.element {
                    Some(Element::Dynamic(text)) if has_plate => self.column(&format!("{start}u + {text}")),
                    Some(Element::Known(k)) if has_plate => self.known_column(start + k),
                    Some(Element::Known(_) | Element::Dynamic(_)) | None => self.known_column(start),
                }
            }
            Op::Position(slot) => match &self.element {
                Some(element @ Element::Known(_)) if has_plate => self.at_position(slot, element),
                Some(Element::Known(_) | Element::Dynamic(_)) | None => format!("q{}", slot.index()),
            },
            Op::Sum(_) => format!("s{}", handle.index()),
            Op::Gather { .. } if let Some((column, index)) = self.graph.tuned_data(handle) => {
                self.tuned_data(column, index)?
            }
            _ if self.is_array(handle) => match &self.element {
                Some(element) => self.array(handle, element),
                None => return Err(Error::bug(format!("{handle} is read outside of its loop"))),
            },
            Op::Unary(..) | Op::Binary(..) | Op::Select(..) | Op::Gather { .. } => match &self.element {
                Some(Element::Known(k)) if has_plate => format!("v{}_{k}", handle.index()),
                Some(Element::Known(_) | Element::Dynamic(_)) | None => format!("v{}", handle.index()),
            },
            Op::SegmentSum { .. } | Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug(format!("{handle} has no place in the shader")));
            }
        })
    }

    pub(super) fn is_array(&self, handle: Handle) -> bool {
        self.schedule.arrays.binary_search(&handle).is_ok()
    }

    /// Computes a node into its variable.
    pub(super) fn define(&mut self, handle: Handle) -> Result<()> {
        let node = self.graph.node(handle);
        let expression = match &node.op {
            Op::Unary(op, a) => unary(*op, &self.value(*a)?),
            Op::Binary(op, a, b) => binary(*op, &self.value(*a)?, &self.value(*b)?),
            Op::Select(c, a, b) => {
                format!(
                    "select({}, {}, {} != 0.0)",
                    self.value(*b)?,
                    self.value(*a)?,
                    self.value(*c)?
                )
            }
            Op::Gather { source, index } => {
                let code = self.code(*index);
                match self.graph.node(*source).op {
                    Op::Position(slot) => self.at_position(slot, &code),
                    _ => self.array(*source, &code),
                }
            }
            other => return Err(Error::bug(format!("{other:?} is not computed in place"))),
        };
        let name = self.value(handle)?;
        let is_variable = self.is_array(handle) && self.form != Form::Unrolled;
        self.line(&match is_variable {
            true => format!("{name} = {expression};"),
            false => format!("let {name} = {expression};"),
        });
        Ok(())
    }

    /// The slots whose coordinates a loop reads element by element, in order.
    fn slots_read(&self, pass: &Loop) -> Vec<SlotId> {
        let mut slots = Vec::new();
        let mut read = |handle: Handle| {
            let node = self.graph.node(handle);
            if let (Op::Position(slot), Some(_)) = (&node.op, node.ty.plate) {
                slots.push(*slot);
            }
        };
        for &node in pass.body.iter().chain(&pass.sums) {
            if !matches!(self.graph.node(node).op, Op::Gather { .. }) {
                self.graph.node(node).op.for_each_operand(&mut read);
            }
        }
        pass.density.iter().for_each(|term| read(*term));
        pass.segments.iter().for_each(|(source, ..)| read(*source));
        pass.gradient.iter().for_each(|(source, _)| read(*source));
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    pub(super) fn pass(&mut self, pass: &Loop) -> Result<()> {
        let len = self.graph.plate_len(Some(pass.plate));
        for sum in &pass.sums {
            self.line(&format!("var s{}: f32 = 0.0;", sum.index()));
        }
        match self.form {
            Form::Buffers | Form::Arrays => self.rolled(pass, len),
            Form::Unrolled => self.unrolled(pass, len),
        }
    }

    fn rolled(&mut self, pass: &Loop, len: usize) -> Result<()> {
        let blocks = !pass.density.is_empty();
        if blocks {
            self.line("{");
            self.indent += 1;
            self.line("var block: f32 = 0.0;");
        }
        self.line(&format!("for (var i = 0u; i < {len}u; i++) {{"));
        self.indent += 1;
        self.element = Some(Element::running());
        for slot in self.slots_read(pass) {
            let at = self.at_position(slot, &Element::running());
            self.line(&format!("let q{} = {at};", slot.index()));
        }
        self.body(pass, &Element::running(), "block")?;
        if blocks && len > BLOCK as usize {
            let last = BLOCK - 1;
            self.line(&format!(
                "if ((i & {last}u) == {last}u) {{ lp = accumulate(lp, block); block = 0.0; }}"
            ));
        }
        self.element = None;
        self.indent -= 1;
        self.line("}");
        if blocks {
            self.line("lp = accumulate(lp, block);");
            self.indent -= 1;
            self.line("}");
        }
        Ok(())
    }

    fn unrolled(&mut self, pass: &Loop, len: usize) -> Result<()> {
        let blocks = !pass.density.is_empty();
        let block = format!("block{}", self.blocks);
        if blocks {
            self.blocks += 1;
            self.line(&format!("var {block}: f32 = 0.0;"));
        }
        for k in 0..len {
            let element = Element::Known(k);
            self.element = Some(element.clone());
            self.body(pass, &element, &block)?;
            // In the same blocks as the loop, so that the forms round alike.
            if blocks && len > BLOCK as usize && (k + 1).is_multiple_of(BLOCK as usize) {
                self.line(&format!("lp = accumulate(lp, {block}); {block} = 0.0;"));
            }
        }
        self.element = None;
        if blocks {
            self.line(&format!("lp = accumulate(lp, {block});"));
        }
        Ok(())
    }

    /// What a loop does for one element.
    fn body(&mut self, pass: &Loop, element: &Element, block: &str) -> Result<()> {
        for &node in &pass.body {
            self.define(node)?;
        }
        for &sum in &pass.sums {
            let Op::Sum(source) = self.graph.node(sum).op else {
                return Err(Error::bug(format!("{sum} is no sum")));
            };
            let value = self.value(source)?;
            self.line(&format!("s{} += {value};", sum.index()));
        }
        for &term in &pass.density {
            let value = self.value(term)?;
            self.line(&format!("{block} += {value};"));
        }
        for &(source, index, target) in &pass.segments {
            let (value, code) = (self.value(source)?, self.code(index));
            self.add_to(target, &code, &value);
        }
        for &(source, slot) in &pass.gradient {
            let value = self.value(source)?;
            match self.gradients[slot.index()] {
                Gradient::Written => {
                    let at = self.at_gradient(slot, element);
                    self.line(&format!("{at} = {value};"));
                }
                Gradient::Scalar | Gradient::Private | Gradient::InPlace | Gradient::Zero => {
                    self.add_to(Target::Gradient(slot), element, &value)
                }
            }
        }
        Ok(())
    }
}
