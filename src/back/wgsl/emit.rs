//! Writes the function `log_density_grad` for one schedule.

use super::BLOCK;
use super::names::{self, Element};
use super::ops::{binary, literal, unary};
use crate::back::kernel::{DensityKernel, Form, Memory};
use crate::error::{Error, Result};
use crate::ir::{ColumnId, Graph, Handle, IndexId, Op, SlotId};
use crate::pass::schedule::{Loop, Schedule, Target};

/// Numbers that one thread may keep in private arrays.
const PRIVATE_NUMBERS: usize = 16_384;
/// Gradients of slots up to this size are added up in a private array; of larger ones in the buffer itself.
const PRIVATE_GRADIENT: usize = 1_024;

/// How the gradient of a slot comes together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gradient {
    /// A variable of its own.
    Scalar,
    /// One loop writes every element once.
    Written,
    /// Added up in a private array.
    Private,
    /// Added up where it is to lie in the end.
    InPlace,
    /// Nothing contributes.
    Zero,
}

/// Text under construction.
pub(super) struct Emitter<'a> {
    schedule: &'a Schedule,
    graph: &'a Graph,
    form: Form,
    memory: Memory,
    text: String,
    indent: usize,
    slot_offsets: Vec<usize>,
    column_offsets: Vec<usize>,
    index_offsets: Vec<usize>,
    gradients: Vec<Gradient>,
    loop_trips: u64,
    /// The element that the running loop is at; none among scalars.
    element: Option<Element>,
    /// Unrolled loops so far: each has a variable of its own for its block of the log density.
    blocks: usize,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(schedule: &'a Schedule, form: Form, memory: Memory) -> Result<Self> {
        let graph = &schedule.program.graph;
        let running = |lens: &mut dyn Iterator<Item = usize>| {
            let mut offsets = vec![0];
            for len in lens {
                offsets.push(offsets[offsets.len() - 1] + len);
            }
            offsets
        };
        let mut this = Self {
            schedule,
            graph,
            form,
            memory,
            text: String::new(),
            indent: 1,
            slot_offsets: graph.slot_offsets(),
            column_offsets: running(&mut graph.columns.iter().map(|column| column.values.len())),
            index_offsets: running(&mut graph.indices.iter().map(|index| index.codes.len())),
            gradients: Vec::new(),
            loop_trips: match form {
                Form::Buffers | Form::Arrays => schedule.trips(),
                Form::Unrolled => 0,
            },
            element: None,
            blocks: 0,
        };
        this.gradients = (0..graph.slots.len())
            .map(|slot| this.gradient_kind(SlotId::new(slot)))
            .collect();
        this.check_size()?;
        Ok(this)
    }

    fn gradient_kind(&self, slot: SlotId) -> Gradient {
        if self.graph.slots[slot.index()].plate.is_none() {
            return match self.form {
                Form::Buffers | Form::Arrays => Gradient::Scalar,
                Form::Unrolled => Gradient::InPlace,
            };
        }
        let stages = &self.schedule.stages;
        let loops = || stages.iter().flat_map(|stage| &stage.loops);
        let plain = loops()
            .flat_map(|pass| &pass.gradient)
            .filter(|(_, into)| *into == slot)
            .count();
        let added = loops()
            .flat_map(|pass| &pass.segments)
            .filter(|(.., target)| *target == Target::Gradient(slot))
            .count()
            + stages
                .iter()
                .flat_map(|stage| &stage.scatters)
                .filter(|s| s.target == Target::Gradient(slot))
                .count();
        let is_small = self.graph.slot_len(slot) <= PRIVATE_GRADIENT;
        match (plain, added, self.form) {
            (0, 0, _) => Gradient::Zero,
            (1, 0, _) => Gradient::Written,
            (_, _, Form::Buffers) if is_small => Gradient::Private,
            // The gradient itself is private memory in the other forms.
            (_, _, Form::Buffers | Form::Arrays | Form::Unrolled) => Gradient::InPlace,
        }
    }

    fn check_size(&self) -> Result<()> {
        let arrays = self
            .schedule
            .arrays
            .iter()
            .map(|array| self.graph.plate_len(self.graph.ty(*array).plate));
        let private: usize = arrays.sum();
        if private > PRIVATE_NUMBERS {
            return Err(Error::environment(format!(
                "the model needs {private} intermediate numbers per chain, a GPU thread holds {PRIVATE_NUMBERS}"
            ))
            .with_help("use `--backend cpu`"));
        }
        Ok(())
    }

    pub(super) fn kernel(mut self) -> Result<DensityKernel> {
        let schedule = self.schedule;
        self.open();
        for stage in &schedule.stages {
            for &node in &stage.scalars {
                self.define(node)?;
            }
            for &term in &stage.density {
                let term = self.value(term)?;
                self.line(&format!("lp = accumulate(lp, {term});"));
            }
            for &(value, slot) in &stage.gradient {
                let value = self.value(value)?;
                match self.form {
                    Form::Buffers | Form::Arrays => self.line(&format!("g{} += {value};", slot.index())),
                    Form::Unrolled => self.add_to(Target::Gradient(slot), &Element::Known(0), &value),
                }
            }
            for scatter in &stage.scatters {
                let value = self.value(scatter.source)?;
                let element = Element::Known(self.graph.index_column(scatter.index).codes[0] as usize);
                self.add_to(scatter.target, &element, &value);
            }
            for pass in &stage.loops {
                self.pass(pass)?;
            }
        }
        self.close();
        let graph = self.graph;
        Ok(DensityKernel {
            wgsl: self.text,
            columns: graph
                .columns
                .iter()
                .flat_map(|column| &column.values)
                .map(|&x| x as f32)
                .collect(),
            indices: graph
                .indices
                .iter()
                .flat_map(|index| &index.codes)
                .copied()
                .collect(),
            dim: graph.dim(),
            centring: graph.tuned().flat_map(|index| &index.codes).copied().collect(),
            constant: schedule.program.constant,
            loop_trips: self.loop_trips,
        })
    }

    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str("    ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The head of the function and everything that is added up.
    fn open(&mut self) {
        self.text
            .push_str("fn log_density_grad(chain: u32) -> vec2<f32> {\n");
        self.line("var lp = vec2<f32>(0.0, 0.0);");
        // Read once: the compiler must assume that writing the gradient changes the position.
        for slot in (0..self.graph.slots.len()).filter(|&slot| self.graph.slots[slot].plate.is_none()) {
            let at = self.at_position(SlotId::new(slot), &Element::Known(0));
            self.line(&format!("let q{slot} = {at};"));
        }
        for slot in 0..self.gradients.len() {
            let id = SlotId::new(slot);
            let len = self.graph.slot_len(id);
            match self.gradients[slot] {
                Gradient::Scalar => self.line(&format!("var g{slot}: f32 = 0.0;")),
                Gradient::Private => self.line(&format!("var g{slot} = array<f32, {len}>();")),
                Gradient::InPlace | Gradient::Zero => {
                    self.each(len, |this, element| {
                        format!("{} = 0.0;", this.at_gradient(id, element))
                    });
                }
                Gradient::Written => {}
            }
        }
        for &array in &self.schedule.arrays {
            let len = self.graph.plate_len(self.graph.ty(array).plate);
            let number = array.index();
            match self.form {
                Form::Buffers | Form::Arrays => self.line(&format!("var a{number} = array<f32, {len}>();")),
                Form::Unrolled if self.is_segment_sum(array) => self.each(len, |this, element| {
                    format!("var {}: f32 = 0.0;", names::array(this.form, number, element))
                }),
                // Stored values are named where they are computed.
                Form::Unrolled => {}
            }
        }
    }

    fn is_segment_sum(&self, handle: Handle) -> bool {
        matches!(self.graph.node(handle).op, Op::SegmentSum { .. })
    }

    /// Writes out the gradients that were added up in private memory.
    fn close(&mut self) {
        for slot in 0..self.gradients.len() {
            let id = SlotId::new(slot);
            match self.gradients[slot] {
                Gradient::Scalar => {
                    let at = self.at_gradient(id, &Element::Known(0));
                    self.line(&format!("{at} = g{slot};"));
                }
                Gradient::Private => {
                    let len = self.graph.slot_len(id);
                    self.each(len, |this, element| {
                        format!(
                            "{} = g{slot}[{}];",
                            this.at_gradient(id, element),
                            element.expression()
                        )
                    });
                }
                Gradient::Written | Gradient::InPlace | Gradient::Zero => {}
            }
        }
        self.line("return lp;");
        self.text.push_str("}\n");
    }

    /// A loop of one line.
    fn each(&mut self, len: usize, line: impl Fn(&Self, &Element) -> String) {
        match self.form {
            Form::Buffers | Form::Arrays => {
                self.loop_trips += len as u64;
                let line = line(self, &Element::running());
                self.line(&format!("for (var i = 0u; i < {len}u; i++) {{ {line} }}"));
            }
            Form::Unrolled => {
                for k in 0..len {
                    let line = line(self, &Element::Known(k));
                    self.line(&line);
                }
            }
        }
    }

    fn at_gradient(&self, slot: SlotId, element: &Element) -> String {
        names::gradient(self.form, self.slot_offsets[slot.index()], element)
    }

    fn at_position(&self, slot: SlotId, element: &Element) -> String {
        names::position(self.form, self.slot_offsets[slot.index()], element)
    }

    fn known_column(&self, at: usize) -> String {
        names::known_column(self.form, self.memory, at)
    }

    /// The element that an index column points to from the running element.
    fn code(&self, index: IndexId) -> Element {
        let column = self.graph.index_column(index);
        let start = self.index_offsets[index.index()];
        match (&column.domain, &self.element) {
            (None, _) => Element::Known(column.codes[0] as usize),
            (Some(_), _) if column.tuned => Element::Dynamic(format!(
                "centring_code(chain, {})",
                self.level(index).expression()
            )),
            // The design is part of the shape: unrolled text names the element itself.
            (Some(_), Some(Element::Known(k))) => Element::Known(column.codes[*k] as usize),
            (Some(_), Some(Element::Dynamic(text))) => {
                Element::Dynamic(format!("indices[{start}u + {text}]"))
            }
            (Some(_), None) => Element::Dynamic(format!("indices[{start}u]")),
        }
    }

    /// The centring weight of the running element of a tuned index.
    fn level(&self, index: IndexId) -> Element {
        let offset = self.graph.tuned_offset(index);
        match &self.element {
            Some(Element::Known(k)) => Element::Known(offset + k),
            Some(Element::Dynamic(text)) => Element::Dynamic(format!("{offset}u + {text}")),
            None => Element::Known(offset),
        }
    }

    /// Data that the code of a centring weight chooses.
    fn tuned_data(&self, column: ColumnId, index: IndexId) -> String {
        let start = self.column_offsets[column.index()];
        match (self.level(index), self.form, self.memory) {
            (Element::Known(level), Form::Unrolled, Memory::Held) => names::tuned(start, level),
            (_, Form::Buffers | Form::Arrays | Form::Unrolled, _) => {
                format!("columns[{start}u + {}]", self.code(index).expression())
            }
        }
    }

    /// What an unrolled text reads by the code of a centring weight: where the column begins, and the weight's level.
    pub(super) fn tuned(&self) -> Vec<(usize, usize)> {
        let graph = self.graph;
        let mut places: Vec<(usize, usize)> = (0..graph.nodes.len())
            .filter_map(|node| graph.tuned_data(Handle::new(node)))
            .flat_map(|(column, index)| {
                let (start, offset) = (self.column_offsets[column.index()], graph.tuned_offset(index));
                (0..graph.index_column(index).codes.len()).map(move |k| (start, offset + k))
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn add_to(&mut self, target: Target, element: &Element, value: &str) {
        let place = match target {
            Target::Array(array) => names::array(self.form, array.index(), element),
            Target::Gradient(slot) => match self.gradients[slot.index()] {
                Gradient::Private => format!("g{}[{}]", slot.index(), element.expression()),
                Gradient::Scalar | Gradient::Written | Gradient::InPlace | Gradient::Zero => {
                    self.at_gradient(slot, element)
                }
            },
        };
        self.line(&format!("{place} += {value};"));
    }

    /// An operand as an expression.
    fn value(&self, handle: Handle) -> Result<String> {
        let node = self.graph.node(handle);
        let has_plate = node.ty.plate.is_some();
        Ok(match node.op {
            Op::Const(x) => literal(x),
            Op::Column(id) => {
                let start = self.column_offsets[id.index()];
                match &self.element {
                    Some(Element::Dynamic(text)) if has_plate => format!("columns[{start}u + {text}]"),
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
                self.tuned_data(column, index)
            }
            _ if self.is_array(handle) => match &self.element {
                Some(element) => names::array(self.form, handle.index(), element),
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

    fn is_array(&self, handle: Handle) -> bool {
        self.schedule.arrays.binary_search(&handle).is_ok()
    }

    /// Computes a node into its variable.
    fn define(&mut self, handle: Handle) -> Result<()> {
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
                    _ => names::array(self.form, source.index(), &code),
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

    fn pass(&mut self, pass: &Loop) -> Result<()> {
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
