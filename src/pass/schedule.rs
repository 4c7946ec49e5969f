//! Loops over plates and the barriers between them: the order of work that the SIMD and the WGSL back ends share.
//!
//! Work is cut into stages. A stage first computes scalars (one per chain), then runs at most one loop per plate. A
//! sum, a segment sum, or an array that another loop reads at other places is complete at the end of its stage and
//! read in a later one. Within a loop every value lives for one element only, unless it is stored.

use super::simplify::live;
use crate::error::{Error, Result};
use crate::ir::{Graph, Handle, IndexId, Op, PlateId, Program, SlotId};

/// Where a loop's value is added up by an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The array of this segment sum.
    Array(Handle),
    /// The gradient of this slot.
    Gradient(SlotId),
}

/// One pass over the elements of a plate.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// The plate.
    pub plate: PlateId,
    /// Elementwise operations and gathers, operands first.
    pub body: Vec<Handle>,
    /// Nodes `Sum(source)`: their sources are added up.
    pub sums: Vec<Handle>,
    /// Values added up into the log density.
    pub density: Vec<Handle>,
    /// Values added up by an index: source, index, target.
    pub segments: Vec<(Handle, IndexId, Target)>,
    /// Values added to the gradient, element by element.
    pub gradient: Vec<(Handle, SlotId)>,
    /// Body values kept in an array for later loops or as outputs.
    pub stores: Vec<Handle>,
}

/// A value of one chain added to one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scatter {
    /// The scalar.
    pub source: Handle,
    /// An index without a domain: its one code is the element.
    pub index: IndexId,
    /// Where to.
    pub target: Target,
}

/// Scalars first, then loops.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stage {
    /// Operations on one value per chain, operands first.
    pub scalars: Vec<Handle>,
    /// Scalars added to the log density.
    pub density: Vec<Handle>,
    /// Scalars added to the gradient of a slot without a plate.
    pub gradient: Vec<(Handle, SlotId)>,
    /// Scalars added to one element of an array.
    pub scatters: Vec<Scatter>,
    /// Passes over plates.
    pub loops: Vec<Loop>,
}

/// A program in the order in which it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The program.
    pub program: Program,
    /// Its stages.
    pub stages: Vec<Stage>,
    /// Nodes over plates that are kept in arrays (stores and segment sums), in order of their handles.
    pub arrays: Vec<Handle>,
}

/// Whether a node can be read anywhere at any time; no loop computes it.
fn is_leaf(graph: &Graph, handle: Handle) -> bool {
    matches!(
        graph.node(handle).op,
        Op::Const(_) | Op::Column(_) | Op::Position(_)
    ) || graph.tuned_data(handle).is_some()
}

struct Scheduler<'a> {
    program: &'a Program,
    /// Which nodes the roots need; the others are left out.
    live: Vec<bool>,
    /// The stage in which each node is computed.
    stage: Vec<usize>,
    stages: Vec<Stage>,
    stored: Vec<bool>,
}

impl<'a> Scheduler<'a> {
    fn graph(&self) -> &'a Graph {
        &self.program.graph
    }

    /// The first stage in which every element of the node can be read.
    fn ready(&self, handle: Handle) -> usize {
        let node = self.graph().node(handle);
        match node.op {
            _ if is_leaf(self.graph(), handle) => 0,
            Op::SegmentSum { .. } => self.stage[handle.index()],
            _ if node.ty.plate.is_none() => self.stage[handle.index()],
            _ => self.stage[handle.index()] + 1,
        }
    }

    fn place(&mut self, handle: Handle) -> Result<usize> {
        let graph = self.graph();
        let node = graph.node(handle);
        Ok(match &node.op {
            Op::Const(_) | Op::Column(_) | Op::Position(_) => 0,
            Op::Sum(source) => self.stage[source.index()] + 1,
            Op::SegmentSum { source, .. } => self.stage[source.index()] + 1,
            Op::Gather { source, .. } => self.ready(*source),
            Op::Unary(..) | Op::Binary(..) | Op::Select(..) => {
                let mut stage = 0;
                node.op
                    .for_each_operand(|operand| stage = stage.max(self.stage[operand.index()]));
                stage
            }
            Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug("event operations must be expanded before scheduling"));
            }
        })
    }

    /// Moves loop values that only later stages read into these, so that they need not be kept in an array.
    fn sink(&mut self) {
        let graph = self.graph();
        let computed = |handle: Handle| {
            let node = graph.node(handle);
            let elementwise = matches!(
                node.op,
                Op::Unary(..) | Op::Binary(..) | Op::Select(..) | Op::Gather { .. }
            );
            elementwise && node.ty.plate.is_some() && !is_leaf(graph, handle)
        };
        // The earliest stage that reads each node; one that is read as a whole, or by the caller, stays.
        let mut wanted: Vec<Option<usize>> = vec![None; graph.nodes.len()];
        for root in self.program.roots() {
            wanted[root.index()] = Some(self.stage[root.index()]);
        }
        for place in (0..graph.nodes.len()).rev().filter(|&place| self.live[place]) {
            let node = &graph.nodes[place];
            let mut parts = 0;
            node.op.for_each_operand(|operand| {
                let same_loop = matches!(node.op, Op::Unary(..) | Op::Binary(..) | Op::Select(..));
                parts += usize::from(same_loop && computed(operand));
            });
            if let (Some(stage), true) = (wanted[place], computed(Handle::new(place)) && parts <= 1) {
                self.stage[place] = self.stage[place].max(stage);
            }
            let stage = self.stage[place];
            node.op.for_each_operand(|operand| {
                let reads = match node.op {
                    Op::Unary(..) | Op::Binary(..) | Op::Select(..) => stage,
                    _ => self.stage[operand.index()],
                };
                let known = &mut wanted[operand.index()];
                *known = Some(known.map_or(reads, |earliest| earliest.min(reads)));
            });
        }
    }

    fn stage_mut(&mut self, stage: usize) -> &mut Stage {
        if self.stages.len() <= stage {
            self.stages.resize(stage + 1, Stage::default());
        }
        &mut self.stages[stage]
    }

    fn loop_mut(&mut self, stage: usize, plate: PlateId) -> &mut Loop {
        let loops = &mut self.stage_mut(stage).loops;
        let place = loops
            .iter()
            .position(|known| known.plate == plate)
            .unwrap_or_else(|| {
                loops.push(Loop {
                    plate,
                    body: Vec::new(),
                    sums: Vec::new(),
                    density: Vec::new(),
                    segments: Vec::new(),
                    gradient: Vec::new(),
                    stores: Vec::new(),
                });
                loops.len() - 1
            });
        &mut loops[place]
    }

    /// Marks `handle` as kept in an array if a loop of `stage` over its plate does not compute it.
    fn need(&mut self, handle: Handle, everywhere: bool, stage: usize) {
        let node = self.graph().node(handle);
        let computed = !is_leaf(self.graph(), handle)
            && !matches!(node.op, Op::SegmentSum { .. })
            && node.ty.plate.is_some();
        if computed && (everywhere || self.stage[handle.index()] != stage) {
            self.stored[handle.index()] = true;
        }
    }

    /// Adds `source` by `index` to `target`.
    fn scatter(&mut self, source: Handle, index: IndexId, target: Target) {
        let stage = self.stage[source.index()];
        match self.graph().index_column(index).domain {
            Some(plate) => self.loop_mut(stage, plate).segments.push((source, index, target)),
            None => self.stage_mut(stage).scatters.push(Scatter {
                source,
                index,
                target,
            }),
        }
    }
}

/// Cuts a simplified program into stages.
pub fn schedule(program: Program) -> Result<Schedule> {
    let graph = &program.graph;
    let count = graph.nodes.len();
    let live = live(&program);
    let mut used = vec![false; count];
    for (node, _) in graph.nodes.iter().zip(&live).filter(|(_, live)| **live) {
        node.op.for_each_operand(|operand| used[operand.index()] = true);
    }
    program
        .density
        .iter()
        .chain(&program.outputs)
        .for_each(|root| used[root.index()] = true);
    let mut this = Scheduler {
        program: &program,
        live,
        stage: vec![0; count],
        stages: Vec::new(),
        stored: vec![false; count],
    };
    for place in 0..count {
        this.stage[place] = this.place(Handle::new(place))?;
    }
    this.sink();
    for place in 0..count {
        if !this.live[place] {
            continue;
        }
        let handle = Handle::new(place);
        let stage = this.stage[place];
        let node = graph.node(handle);
        match node.op {
            _ if is_leaf(graph, handle) => {}
            Op::Const(_) | Op::Column(_) | Op::Position(_) => {}
            Op::Sum(source) => match graph.ty(source).plate {
                Some(plate) => this.loop_mut(stage - 1, plate).sums.push(handle),
                None => return Err(Error::bug("a sum over no plate survived simplification")),
            },
            // One that only the gradient wants is added there directly, below.
            Op::SegmentSum { source, index } if used[place] => {
                this.scatter(source, index, Target::Array(handle))
            }
            Op::SegmentSum { .. } => {}
            Op::Gather { .. } | Op::Unary(..) | Op::Binary(..) | Op::Select(..) => {
                let everywhere = matches!(node.op, Op::Gather { .. });
                node.op
                    .for_each_operand(|operand| this.need(operand, everywhere, stage));
                match node.ty.plate {
                    Some(plate) => this.loop_mut(stage, plate).body.push(handle),
                    None => this.stage_mut(stage).scalars.push(handle),
                }
            }
            Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
                return Err(Error::bug("event operations must be expanded before scheduling"));
            }
        }
    }
    for &term in &program.density {
        let stage = this.stage[term.index()];
        match graph.ty(term).plate {
            Some(plate) => this.loop_mut(stage, plate).density.push(term),
            None => this.stage_mut(stage).density.push(term),
        }
    }
    for (slot, contributions) in program.gradient.iter().enumerate() {
        let slot = SlotId::new(slot);
        for &contribution in contributions {
            let stage = this.stage[contribution.index()];
            match (&graph.node(contribution).op, graph.ty(contribution).plate) {
                (Op::SegmentSum { source, index }, _) if !used[contribution.index()] => {
                    this.scatter(*source, *index, Target::Gradient(slot));
                }
                (_, Some(plate)) => this.loop_mut(stage, plate).gradient.push((contribution, slot)),
                (_, None) => this.stage_mut(stage).gradient.push((contribution, slot)),
            }
        }
    }
    for &output in &program.outputs {
        this.need(output, true, 0);
    }
    let Scheduler {
        mut stages, stored, ..
    } = this;
    for stage in &mut stages {
        for pass in &mut stage.loops {
            pass.stores = pass
                .body
                .iter()
                .copied()
                .filter(|node| stored[node.index()])
                .collect();
        }
    }
    let arrays = (0..count)
        .filter(|&place| {
            let segment_sum = matches!(graph.nodes[place].op, Op::SegmentSum { .. }) && used[place];
            stored[place] || segment_sum
        })
        .map(Handle::new)
        .collect();
    Ok(Schedule {
        stages,
        arrays,
        program,
    })
}

impl Schedule {
    /// The loop trips of one evaluation.
    pub fn trips(&self) -> u64 {
        let graph = &self.program.graph;
        let loops = self.stages.iter().flat_map(|stage| &stage.loops);
        loops.map(|pass| graph.plate_len(Some(pass.plate)) as u64).sum()
    }
}
