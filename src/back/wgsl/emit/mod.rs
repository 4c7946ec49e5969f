//! Writes the function `log_density_grad` for one schedule: its frame and the order of the work.

mod loops;
mod places;

use super::data_of;
use super::names::Element;
use crate::back::kernel::{Data, DensityKernel, Form, Memory};
use crate::error::{Error, Result};
use crate::ir::{Graph, Op, SlotId};
use crate::pass::schedule::{Schedule, Target};

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
    data: Data,
    text: String,
    indent: usize,
    slot_offsets: Vec<usize>,
    column_offsets: Vec<usize>,
    index_offsets: Vec<usize>,
    gradients: Vec<Gradient>,
    /// What unrolled text reads by the codes of centring weights, see [`Emitter::all_tuned`].
    tuned: Vec<(usize, usize)>,
    loop_trips: u64,
    /// The element that the running loop is at; none among scalars.
    element: Option<Element>,
    /// Unrolled loops so far: each has a variable of its own for its block of the log density.
    blocks: usize,
}

/// Fails where codes of centring weights choose, or add up into, computed values: an unrolled text has no arrays.
fn check_chosen(graph: &Graph) -> Result<()> {
    let is_chosen = |op: &Op| match *op {
        Op::Gather { source, index } => {
            graph.index_column(index).tuned && !matches!(graph.node(source).op, Op::Column(_))
        }
        Op::SegmentSum { index, .. } => graph.index_column(index).tuned,
        _ => false,
    };
    match graph.nodes.iter().any(|node| is_chosen(&node.op)) {
        true => Err(Error::bug(
            "codes choose among computed values in a program for GPUs",
        )),
        false => Ok(()),
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(schedule: &'a Schedule, form: Form, memory: Memory, data: Data) -> Result<Self> {
        let graph = &schedule.program.graph;
        let running = |lens: &mut dyn Iterator<Item = usize>| {
            let mut offsets = vec![0];
            for len in lens {
                offsets.push(offsets[offsets.len() - 1] + len);
            }
            offsets
        };
        let column_offsets = running(&mut graph.columns.iter().map(|column| column.values.len()));
        if form == Form::Unrolled {
            check_chosen(graph)?;
        }
        let mut this = Self {
            schedule,
            graph,
            form,
            memory,
            data,
            text: String::new(),
            indent: 1,
            slot_offsets: graph.slot_offsets(),
            tuned: match form {
                Form::Unrolled => Self::all_tuned(graph, &column_offsets),
                Form::Buffers | Form::Arrays => Vec::new(),
            },
            column_offsets,
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

    /// What unrolled text reads by the codes of centring weights, by number.
    pub(super) fn tuned(&self) -> Vec<(usize, usize)> {
        self.tuned.clone()
    }

    /// The kernel, whose text is one function of this name.
    pub(super) fn kernel(mut self, function: &str) -> Result<DensityKernel> {
        let schedule = self.schedule;
        self.open(function);
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
        let (columns, constant) = data_of(&schedule.program);
        Ok(DensityKernel {
            wgsl: self.text,
            columns,
            data: self.data,
            indices: graph
                .indices
                .iter()
                .flat_map(|index| &index.codes)
                .copied()
                .collect(),
            dim: graph.dim(),
            centring: graph.tuned().flat_map(|index| &index.codes).copied().collect(),
            constant,
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
    fn open(&mut self, function: &str) {
        self.text
            .push_str(&format!("fn {function}(chain: u32) -> vec2<f32> {{\n"));
        self.line("var lp = vec2<f32>(0.0, 0.0);");
        if (self.form, self.data) == (Form::Buffers, Data::PerEnsemble) {
            let entries = self.column_offsets[self.column_offsets.len() - 1];
            self.line(&format!(
                "let column_base = chain / params.chains_per_ensemble * {entries}u;"
            ));
        }
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
                    format!("var {}: f32 = 0.0;", this.array(array, element))
                }),
                // Stored values are named where they are computed.
                Form::Unrolled => {}
            }
        }
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
}
