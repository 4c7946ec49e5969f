//! Writes the function `log_density_grad` for one schedule.

use super::BLOCK;
use crate::back::kernel::DensityKernel;
use crate::error::{Error, Result};
use crate::ir::{Binary, Graph, Handle, IndexId, Op, SlotId, Unary};
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
    /// Added up in the buffer.
    Buffer,
    /// Nothing contributes.
    Zero,
}

/// Text under construction.
pub(super) struct Emitter<'a> {
    schedule: &'a Schedule,
    graph: &'a Graph,
    text: String,
    indent: usize,
    slot_offsets: Vec<usize>,
    column_offsets: Vec<usize>,
    index_offsets: Vec<usize>,
    gradients: Vec<Gradient>,
    loop_trips: u64,
    /// The element that the running loop is at; empty among scalars.
    element: &'static str,
}

/// A constant in f32, exact to the last bit; one that is not finite must not be folded by the shader compiler.
fn literal(x: f64) -> String {
    let x = x as f32;
    if x.is_finite() {
        format!("({x:?}f)")
    } else {
        format!("bitcast<f32>({:#x}u | (chain & 0u))", x.to_bits())
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(schedule: &'a Schedule) -> Result<Self> {
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
            text: String::new(),
            indent: 1,
            slot_offsets: graph.slot_offsets(),
            column_offsets: running(&mut graph.columns.iter().map(|column| column.values.len())),
            index_offsets: running(&mut graph.indices.iter().map(|index| index.codes.len())),
            gradients: Vec::new(),
            loop_trips: schedule.trips(),
            element: "",
        };
        this.gradients = (0..graph.slots.len())
            .map(|slot| this.gradient_kind(SlotId::new(slot)))
            .collect();
        this.check_size()?;
        Ok(this)
    }

    fn gradient_kind(&self, slot: SlotId) -> Gradient {
        if self.graph.slots[slot.index()].plate.is_none() {
            return Gradient::Scalar;
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
        match (plain, added) {
            (0, 0) => Gradient::Zero,
            (1, 0) => Gradient::Written,
            _ if self.graph.slot_len(slot) <= PRIVATE_GRADIENT => Gradient::Private,
            _ => Gradient::Buffer,
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
                self.line(&format!("g{} += {value};", slot.index()));
            }
            for scatter in &stage.scatters {
                let value = self.value(scatter.source)?;
                let element = format!("{}u", self.graph.index_column(scatter.index).codes[0]);
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
            let at = self.at_position(SlotId::new(slot), "0u");
            self.line(&format!("let q{slot} = {at};"));
        }
        for slot in 0..self.gradients.len() {
            let len = self.graph.slot_len(SlotId::new(slot));
            match self.gradients[slot] {
                Gradient::Scalar => self.line(&format!("var g{slot}: f32 = 0.0;")),
                Gradient::Private => self.line(&format!("var g{slot} = array<f32, {len}>();")),
                Gradient::Buffer | Gradient::Zero => {
                    let at = self.at_gradient(slot, "i");
                    self.each(len, &format!("{at} = 0.0;"));
                }
                Gradient::Written => {}
            }
        }
        for &array in &self.schedule.arrays {
            let len = self.graph.plate_len(self.graph.ty(array).plate);
            self.line(&format!("var a{} = array<f32, {len}>();", array.index()));
        }
    }

    /// Writes out the gradients that were added up in private memory.
    fn close(&mut self) {
        for slot in 0..self.gradients.len() {
            match self.gradients[slot] {
                Gradient::Scalar => {
                    let at = self.at_gradient(slot, "0u");
                    self.line(&format!("{at} = g{slot};"));
                }
                Gradient::Private => {
                    let at = self.at_gradient(slot, "i");
                    let len = self.graph.slot_len(SlotId::new(slot));
                    self.each(len, &format!("{at} = g{slot}[i];"));
                }
                Gradient::Written | Gradient::Buffer | Gradient::Zero => {}
            }
        }
        self.line("return lp;");
        self.text.push_str("}\n");
    }

    /// A loop of one line.
    fn each(&mut self, len: usize, line: &str) {
        self.loop_trips += len as u64;
        self.line(&format!("for (var i = 0u; i < {len}u; i++) {{ {line} }}"));
    }

    fn at_gradient(&self, slot: usize, element: &str) -> String {
        format!(
            "gradient[({}u + {element}) * params.chains + chain]",
            self.slot_offsets[slot]
        )
    }

    fn at_position(&self, slot: SlotId, element: &str) -> String {
        format!(
            "position[({}u + {element}) * params.chains + chain]",
            self.slot_offsets[slot.index()]
        )
    }

    fn code(&self, index: IndexId) -> String {
        let start = self.index_offsets[index.index()];
        match self.graph.index_column(index).domain {
            Some(_) if self.graph.index_column(index).tuned => {
                format!(
                    "centring_code(chain, {}u + {})",
                    self.graph.tuned_offset(index),
                    self.element
                )
            }
            Some(_) => format!("indices[{start}u + {}]", self.element),
            None => format!("{}u", self.graph.index_column(index).codes[0]),
        }
    }

    fn add_to(&mut self, target: Target, element: &str, value: &str) {
        let place = match target {
            Target::Array(array) => format!("a{}[{element}]", array.index()),
            Target::Gradient(slot) => match self.gradients[slot.index()] {
                Gradient::Private => format!("g{}[{element}]", slot.index()),
                _ => self.at_gradient(slot.index(), element),
            },
        };
        self.line(&format!("{place} += {value};"));
    }

    /// An operand as an expression.
    fn value(&self, handle: Handle) -> Result<String> {
        let node = self.graph.node(handle);
        let array = || self.schedule.arrays.binary_search(&handle).is_ok();
        Ok(match node.op {
            Op::Const(x) => literal(x),
            Op::Column(id) => {
                let start = self.column_offsets[id.index()];
                match node.ty.plate {
                    Some(_) => format!("columns[{start}u + {}]", self.element),
                    None => format!("columns[{start}u]"),
                }
            }
            Op::Position(slot) => format!("q{}", slot.index()),
            Op::Sum(_) => format!("s{}", handle.index()),
            Op::Gather { index, .. } if let Some((column, _)) = self.graph.tuned_data(handle) => {
                let start = self.column_offsets[column.index()];
                format!("columns[{start}u + {}]", self.code(index))
            }
            _ if array() => format!("a{}[{}]", handle.index(), self.element),
            Op::Unary(..) | Op::Binary(..) | Op::Select(..) | Op::Gather { .. } => {
                format!("v{}", handle.index())
            }
            Op::SegmentSum { .. } | Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug(format!("{handle} has no place in the shader")));
            }
        })
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
                    _ => format!("a{}[{code}]", source.index()),
                }
            }
            other => return Err(Error::bug(format!("{other:?} is not computed in place"))),
        };
        if self.schedule.arrays.binary_search(&handle).is_ok() {
            self.line(&format!("a{}[{}] = {expression};", handle.index(), self.element));
        } else {
            self.line(&format!("let v{} = {expression};", handle.index()));
        }
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
        let blocks = !pass.density.is_empty();
        if blocks {
            self.line("{");
            self.indent += 1;
            self.line("var block: f32 = 0.0;");
        }
        self.line(&format!("for (var i = 0u; i < {len}u; i++) {{"));
        self.indent += 1;
        self.element = "i";
        for slot in self.slots_read(pass) {
            let at = self.at_position(slot, "i");
            self.line(&format!("let q{} = {at};", slot.index()));
        }
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
            self.line(&format!("block += {value};"));
        }
        for &(source, index, target) in &pass.segments {
            let (value, code) = (self.value(source)?, self.code(index));
            self.add_to(target, &code, &value);
        }
        for &(source, slot) in &pass.gradient {
            let value = self.value(source)?;
            match self.gradients[slot.index()] {
                Gradient::Written => {
                    let at = self.at_gradient(slot.index(), "i");
                    self.line(&format!("{at} = {value};"));
                }
                _ => self.add_to(Target::Gradient(slot), "i", &value),
            }
        }
        if blocks && len > BLOCK as usize {
            let last = BLOCK - 1;
            self.line(&format!(
                "if ((i & {last}u) == {last}u) {{ lp = accumulate(lp, block); block = 0.0; }}"
            ));
        }
        self.element = "";
        self.indent -= 1;
        self.line("}");
        if blocks {
            self.line("lp = accumulate(lp, block);");
            self.indent -= 1;
            self.line("}");
        }
        Ok(())
    }
}

fn unary(op: Unary, x: &str) -> String {
    let call = match op {
        Unary::Neg => return format!("-({x})"),
        Unary::Recip => return format!("1.0 / {x}"),
        Unary::Square => return format!("{x} * {x}"),
        Unary::Exp => "exp",
        Unary::Ln => "log",
        Unary::Log1p => "tp_log1p",
        Unary::Expm1 => "tp_expm1",
        Unary::Sqrt => "sqrt",
        Unary::Abs => "abs",
        Unary::Floor => "floor",
        Unary::InvLogit => "tp_inv_logit",
        Unary::Softplus => "tp_softplus",
        Unary::Lgamma => "tp_lgamma",
        Unary::Digamma => "tp_digamma",
        Unary::StdNormalCdf => "tp_std_normal_cdf",
        Unary::LogStdNormalCdf => "tp_log_std_normal_cdf",
    };
    format!("{call}({x})")
}

fn binary(op: Binary, a: &str, b: &str) -> String {
    match op {
        Binary::Add => format!("{a} + {b}"),
        Binary::Sub => format!("{a} - {b}"),
        Binary::Mul => format!("{a} * {b}"),
        Binary::Div => format!("{a} / {b}"),
        Binary::Pow => format!("tp_pow({a}, {b})"),
        Binary::Min => format!("min({a}, {b})"),
        Binary::Max => format!("max({a}, {b})"),
        Binary::Lt => format!("select(0.0, 1.0, {a} < {b})"),
        Binary::Le => format!("select(0.0, 1.0, {a} <= {b})"),
        Binary::Eq => format!("select(0.0, 1.0, {a} == {b})"),
    }
}
