//! Rows split over threads: a schedule as a sequence of dispatches, with a thread per (chain, item) in each.
//!
//! A loop over a plate becomes one dispatch whose items are blocks of elements. Its sums leave a partial sum per item,
//! which one or two more dispatches add up in a fixed order. Sums by an index are taken over the elements in order of
//! their codes, cut so that a target is one thread's alone ([`items`]); a loop whose index is not in order runs a second
//! time in that order and computes what it needs anew, which costs less memory than keeping a value per row and chain.
//! No atomic operations: results do not depend on how threads are run.
//!
//! The log density's blocks of rows are added up with double digits, as sums of two f32, and factors that all rows share
//! are multiplied in last and likewise ([`density`]); else their rounding, times a million rows, would spoil the
//! acceptance. So would the rounding of a number by which all rows are multiplied, and it is made up for
//! ([`remainders`]).

mod density;
mod items;
mod passes;
mod reduce;
mod remainders;

use std::collections::{BTreeMap, BTreeSet};

use super::data_of;
use super::ops::{binary, literal, unary};
use crate::back::kernel::{Data, DensityKernel, Dispatch, RowsKernel};
use crate::error::{Error, Result};
use crate::ir::{Graph, Handle, IndexId, Op, SlotId, Unary};
use crate::pass::schedule::{Schedule, Stage, Target};
use density::Density;
use remainders::Remainders;

/// Elements up to which an exponential is rounded right rather than left to the driver, whose errors may be several times
/// as large: scales are such, and all levels of an effect share one.
const FEW: usize = 64;

/// The dispatches of an optimised, differentiated program.
pub(super) fn kernel(schedule: &Schedule) -> Result<RowsKernel> {
    let mut emitter = Emitter::new(schedule);
    let density = Density::of(schedule);
    emitter.remainders = Remainders::of(schedule, &density);
    let wanted = emitter.plan(&density);
    emitter.clear()?;
    for (number, stage) in schedule.stages.iter().enumerate() {
        emitter.scalars(number, stage)?;
        let mut parts = Vec::new();
        for pass in &stage.loops {
            parts.extend(emitter.pass(number, pass, &density, &wanted)?);
        }
        emitter.reductions(number, parts)?;
    }
    emitter.log_density(&density)?;
    let graph = &schedule.program.graph;
    let (columns, constant) = data_of(&schedule.program);
    let loop_trips = emitter.dispatches.iter().map(|dispatch| dispatch.loop_trips);
    Ok(RowsKernel {
        density: DensityKernel {
            loop_trips: loop_trips.max().unwrap_or(0),
            wgsl: emitter.text,
            columns,
            data: Data::Shared,
            indices: emitter.tables,
            centring: graph.tuned().flat_map(|index| &index.codes).copied().collect(),
            dim: graph.dim(),
            constant,
        },
        dispatches: emitter.dispatches,
        work: emitter.work,
    })
}

/// Text under construction, and where everything lies.
struct Emitter<'a> {
    schedule: &'a Schedule,
    graph: &'a Graph,
    text: String,
    indent: usize,
    slot_offsets: Vec<usize>,
    column_offsets: Vec<usize>,
    index_offsets: Vec<usize>,
    /// Index codes, then tables.
    tables: Vec<u32>,
    /// Numbers per chain in `work` so far.
    work: usize,
    /// Where an array's elements begin in `work`; sums by an index come first.
    arrays: BTreeMap<Handle, usize>,
    /// Numbers at the start of `work` that are added into and so must be cleared.
    summed: usize,
    /// Where a scalar, sums included, is kept in `work`.
    scalars: BTreeMap<Handle, usize>,
    /// Where the pair of a sum over elements for the log density is kept, by what is summed.
    pairs: BTreeMap<Handle, usize>,
    /// What counts of the low parts of shared numbers.
    remainders: Remainders,
    /// Where low parts are kept in `work`, of scalars and of arrays.
    low_scalars: BTreeMap<Handle, usize>,
    low_arrays: BTreeMap<Handle, usize>,
    /// Nodes of the running function that are at hand as pairs.
    at_hand: BTreeSet<Handle>,
    dispatches: Vec<Dispatch>,
}

impl<'a> Emitter<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        let graph = &schedule.program.graph;
        let mut column_offsets = Vec::new();
        let mut total = 0;
        for column in &graph.columns {
            column_offsets.push(total);
            total += column.values.len();
        }
        let mut index_offsets = Vec::new();
        let mut tables = Vec::new();
        for index in &graph.indices {
            index_offsets.push(tables.len());
            tables.extend_from_slice(&index.codes);
        }
        let mut this = Self {
            schedule,
            graph,
            text: String::new(),
            indent: 0,
            slot_offsets: graph.slot_offsets(),
            column_offsets,
            index_offsets,
            tables,
            work: 0,
            arrays: BTreeMap::new(),
            summed: 0,
            scalars: BTreeMap::new(),
            pairs: BTreeMap::new(),
            remainders: Remainders::default(),
            low_scalars: BTreeMap::new(),
            low_arrays: BTreeMap::new(),
            at_hand: BTreeSet::new(),
            dispatches: Vec::new(),
        };
        let is_sum = |array: &&Handle| matches!(graph.node(**array).op, Op::SegmentSum { .. });
        for &array in schedule.arrays.iter().filter(is_sum) {
            this.place_array(array);
        }
        this.summed = this.work;
        for &array in schedule.arrays.iter().filter(|array| !is_sum(array)) {
            this.place_array(array);
        }
        this
    }

    /// Whether an operation computes the node in place; else it is read from where it lies.
    fn is_computed(&self, node: Handle) -> bool {
        let is_operation = matches!(
            self.graph.node(node).op,
            Op::Unary(..) | Op::Binary(..) | Op::Select(..) | Op::Gather { .. }
        );
        is_operation && self.graph.tuned_data(node).is_none()
    }

    fn place_array(&mut self, array: Handle) {
        let place = self.room(self.graph.plate_len(self.graph.ty(array).plate));
        self.arrays.insert(array, place);
    }

    /// Room for `len` numbers per chain.
    fn room(&mut self, len: usize) -> usize {
        let place = self.work;
        self.work += len;
        place
    }

    /// Gives sums and pairs their places; returns the sums that are wanted as plain numbers, since those that only the
    /// log density reads are kept as pairs alone.
    fn plan(&mut self, density: &Density) -> BTreeSet<Handle> {
        for &source in &density.pairs {
            let place = self.room(2);
            self.pairs.insert(source, place);
        }
        for array in self.remainders.arrays.clone() {
            let place = self.room(self.graph.plate_len(self.graph.ty(array).plate));
            self.low_arrays.insert(array, place);
        }
        let mut roots = density.plain.clone();
        for stage in &self.schedule.stages {
            roots.extend(stage.gradient.iter().map(|(value, _)| *value));
            roots.extend(stage.scatters.iter().map(|scatter| scatter.source));
            roots.extend(self.scalars_of_loops(stage));
        }
        let computed = self.closure(&roots, |node| self.graph.ty(node).plate.is_none());
        let wanted: BTreeSet<Handle> = self
            .reads(&computed, &roots)
            .into_iter()
            .filter(|node| matches!(self.graph.node(*node).op, Op::Sum(_)))
            .collect();
        for &sum in &wanted {
            let place = self.room(1);
            self.scalars.insert(sum, place);
        }
        wanted
    }

    /// The scalars that a stage's loops read.
    fn scalars_of_loops(&self, stage: &Stage) -> Vec<Handle> {
        let mut found = BTreeSet::new();
        for pass in &stage.loops {
            let roots: Vec<Handle> = pass
                .sums
                .iter()
                .filter_map(|sum| match self.graph.node(*sum).op {
                    Op::Sum(source) => Some(source),
                    _ => None,
                })
                .chain(pass.density.iter().copied())
                .chain(pass.segments.iter().map(|(source, ..)| *source))
                .chain(pass.gradient.iter().map(|(source, _)| *source))
                .chain(pass.stores.iter().copied())
                .collect();
            let computed = self.closure(&roots, |node| pass.body.binary_search(&node).is_ok());
            found.extend(self.reads(&computed, &roots));
        }
        found.retain(|node| {
            let is_sum = matches!(self.graph.node(*node).op, Op::Sum(_));
            self.graph.ty(*node).plate.is_none() && (self.is_computed(*node) || is_sum)
        });
        found.into_iter().collect()
    }

    /// The nodes behind `roots` that `inside` holds and that an operation computes, operands first.
    fn closure(&self, roots: &[Handle], inside: impl Fn(Handle) -> bool) -> Vec<Handle> {
        let mut found = BTreeSet::new();
        let mut open = roots.to_vec();
        while let Some(node) = open.pop() {
            let op = &self.graph.node(node).op;
            if !self.is_computed(node) || !inside(node) || !found.insert(node) {
                continue;
            }
            if !matches!(op, Op::Gather { .. }) {
                op.for_each_operand(|operand| open.push(operand));
            }
        }
        found.into_iter().collect()
    }

    /// What the nodes `computed`, and `roots`, read that is not computed among them, constants apart.
    fn reads(&self, computed: &[Handle], roots: &[Handle]) -> Vec<Handle> {
        let mut found: BTreeSet<Handle> = roots.iter().copied().collect();
        for &node in computed {
            let op = &self.graph.node(node).op;
            if !matches!(op, Op::Gather { .. }) {
                op.for_each_operand(|operand| {
                    found.insert(operand);
                });
            }
        }
        found.retain(|node| {
            computed.binary_search(node).is_err() && !matches!(self.graph.node(*node).op, Op::Const(_))
        });
        found.into_iter().collect()
    }

    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.text.push_str("    ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Begins a function of the sequence.
    fn open(&mut self, name: &str, items: usize, loop_trips: u64) {
        self.line(&format!("fn {name}(chain: u32, item: u32) {{"));
        self.indent += 1;
        self.at_hand.clear();
        self.dispatches.push(Dispatch {
            function: name.into(),
            items,
            loop_trips,
        });
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    fn at_work(&self, place: &str) -> String {
        format!("work[({place}) * params.chains + chain]")
    }

    fn at_gradient(&self, slot: SlotId, element: &str) -> String {
        let start = self.slot_offsets[slot.index()];
        format!("gradient[({start}u + {element}) * params.chains + chain]")
    }

    fn at_position(&self, slot: SlotId, element: &str) -> String {
        let start = self.slot_offsets[slot.index()];
        format!("position[({start}u + {element}) * params.chains + chain]")
    }

    /// An element of the array that belongs to a node.
    fn at_array(&self, node: Handle, element: &str) -> Result<String> {
        let start = self
            .arrays
            .get(&node)
            .ok_or_else(|| Error::bug(format!("{node} is kept nowhere")))?;
        Ok(self.at_work(&format!("{start}u + {element}")))
    }

    fn at_target(&self, target: Target, element: &str) -> Result<String> {
        match target {
            Target::Array(array) => self.at_array(array, element),
            Target::Gradient(slot) => Ok(self.at_gradient(slot, element)),
        }
    }

    /// An operand's name or literal; [`Self::read`] or [`Self::define`] gave it.
    fn value(&self, handle: Handle) -> String {
        match self.graph.node(handle).op {
            Op::Const(x) => literal(x),
            Op::Column(id) => format!("c{}", id.index()),
            Op::Position(slot) => format!("q{}", slot.index()),
            _ => format!("v{}", handle.index()),
        }
    }

    /// Names a value that lies in a buffer; `element` is that of the running loop.
    fn read(&mut self, handle: Handle, element: &str) -> Result<()> {
        let node = self.graph.node(handle);
        let element = if node.ty.plate.is_some() { element } else { "0u" };
        let from = match node.op {
            Op::Column(id) => format!("columns[{}u + {element}]", self.column_offsets[id.index()]),
            Op::Position(slot) => self.at_position(slot, element),
            Op::Gather { index, .. } if let Some((column, _)) = self.graph.tuned_data(handle) => {
                let (start, level) = (
                    self.column_offsets[column.index()],
                    self.graph.tuned_offset(index),
                );
                format!("columns[{start}u + centring_code(chain, {level}u + {element})]")
            }
            _ if node.ty.plate.is_some() => self.at_array(handle, element)?,
            _ => {
                let place = self
                    .scalars
                    .get(&handle)
                    .ok_or_else(|| Error::bug(format!("{handle} is kept nowhere")))?;
                self.at_work(&format!("{place}u"))
            }
        };
        let name = self.value(handle);
        self.line(&format!("let {name} = {from};"));
        if let Some(place) = self.low_scalars.get(&handle) {
            let from = self.at_work(&format!("{place}u"));
            self.line(&format!("let l{} = {from};", handle.index()));
        }
        if let Op::Gather { index, .. } = node.op {
            let code = self.code(index, element);
            self.read_low(handle, &code);
        }
        Ok(())
    }

    /// Names the low part of what a gather reads at `code`, if it counts.
    fn read_low(&mut self, gather: Handle, code: &str) {
        if let Op::Gather { source, .. } = self.graph.node(gather).op
            && self.remainders.gathers.contains(&gather)
            && let Some(place) = self.low_arrays.get(&source)
        {
            let from = self.at_work(&format!("{place}u + {code}"));
            self.line(&format!("let l{} = {from};", gather.index()));
        }
    }

    /// The code of an index at an element.
    fn code(&self, index: IndexId, element: &str) -> String {
        format!("indices[{}u + {element}]", self.index_offsets[index.index()])
    }

    /// Computes a node into its name; `code` yields the element that a gather reads.
    fn define(&mut self, handle: Handle, code: impl Fn(&Self, IndexId) -> String) -> Result<()> {
        if self.remainders.pairs.contains(&handle) {
            return self.define_pair(handle);
        }
        let plate = self.graph.ty(handle).plate;
        let mut low_code = None;
        let expression = match &self.graph.node(handle).op {
            _ if let Some(product) = self.whole_product(handle) => product,
            // Its rounding is that of all rows that share it.
            Op::Unary(Unary::Exp, a) if self.graph.plate_len(plate) <= FEW => {
                format!("ex_exp(vec2<f32>({}, 0.0)).x", self.value(*a))
            }
            Op::Unary(op, a) => unary(*op, &self.value(*a)),
            Op::Binary(op, a, b) => binary(*op, &self.value(*a), &self.value(*b)),
            Op::Select(c, a, b) => {
                let (c, a, b) = (self.value(*c), self.value(*a), self.value(*b));
                format!("select({b}, {a}, {c} != 0.0)")
            }
            Op::Gather { source, index } => {
                let code = code(self, *index);
                let from = match self.graph.node(*source).op {
                    Op::Position(slot) => self.at_position(slot, &code),
                    _ => self.at_array(*source, &code)?,
                };
                low_code = Some(code);
                from
            }
            other => return Err(Error::bug(format!("{other:?} is not computed in place"))),
        };
        let name = self.value(handle);
        self.line(&format!("let {name} = {expression};"));
        if let Some(code) = low_code {
            self.read_low(handle, &code);
        }
        Ok(())
    }

    /// The code of an index without a domain: one chosen level.
    fn chosen(&self, index: IndexId) -> String {
        format!("{}u", self.graph.index_column(index).codes[0])
    }

    /// Reads and computes the scalars behind `roots` that are not kept yet.
    fn define_scalars(&mut self, roots: &[Handle]) -> Result<()> {
        let computed = self.closure(roots, |node| {
            self.graph.ty(node).plate.is_none() && !self.scalars.contains_key(&node)
        });
        for node in self.reads(&computed, roots) {
            self.read(node, "0u")?;
        }
        for node in computed {
            self.define(node, Self::chosen)?;
        }
        Ok(())
    }

    /// Sets what is added into to zero: the gradient and the sums by an index.
    fn clear(&mut self) -> Result<()> {
        let dim = self.graph.dim();
        self.open("rows_clear", dim + self.summed, 0);
        self.line(&format!("if item < {dim}u {{"));
        self.line("    gradient[item * params.chains + chain] = 0.0;");
        if self.summed > 0 {
            self.line("} else {");
            self.line(&format!(
                "    work[(item - {dim}u) * params.chains + chain] = 0.0;"
            ));
        }
        self.line("}");
        self.close();
        Ok(())
    }

    /// The scalars that a stage's loops read, once per chain.
    fn scalars(&mut self, number: usize, stage: &Stage) -> Result<()> {
        let mut wanted = self.scalars_of_loops(stage);
        wanted.retain(|node| !self.scalars.contains_key(node));
        let into_arrays: Vec<_> = stage
            .scatters
            .iter()
            .filter(|scatter| matches!(scatter.target, Target::Array(_)))
            .collect();
        if wanted.is_empty() && into_arrays.is_empty() {
            return Ok(());
        }
        self.open(&format!("rows_scalars_{number}"), 1, 0);
        let (exact, plain): (Vec<Handle>, Vec<Handle>) = wanted
            .into_iter()
            .partition(|node| self.remainders.scalars.contains(node));
        let roots: Vec<Handle> = plain
            .iter()
            .copied()
            .chain(into_arrays.iter().map(|scatter| scatter.source))
            .collect();
        self.define_scalars(&roots)?;
        let mut known = BTreeSet::new();
        for node in exact {
            let name = self.exact(node, &mut known)?;
            let place = self.room(2);
            self.scalars.insert(node, place);
            self.low_scalars.insert(node, place + 1);
            self.write_sum(place, 1, "0u", &name, true);
        }
        for node in plain {
            let place = self.room(1);
            self.scalars.insert(node, place);
            let (at, value) = (self.at_work(&format!("{place}u")), self.value(node));
            self.line(&format!("{at} = {value};"));
        }
        for scatter in into_arrays {
            let at = self.at_target(scatter.target, &self.chosen(scatter.index))?;
            let value = self.value(scatter.source);
            self.line(&format!("{at} += {value};"));
        }
        self.close();
        Ok(())
    }
}
