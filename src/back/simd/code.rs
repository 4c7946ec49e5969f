//! A schedule as instructions over temporaries, scalars, arrays, columns and the position.

use std::ops::Range;

use super::rows::Rows;
use crate::error::{Error, Result};
use crate::ir::{Binary, Graph, Handle, IndexId, Op, Unary};
use crate::pass::schedule::{Schedule, Target};

/// Where an operand lies. Offsets count elements; each element holds one number per lane, except a column's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A temporary of the running loop: one number per element of the block and lane.
    Temp(u32),
    /// An array of one number per element and lane.
    Array(u32),
    /// Coordinates of the position, one per element.
    Position(u32),
    /// One coordinate of the position.
    Coordinate(u32),
    /// The gradient of a slot that one loop writes, from this coordinate.
    Gradient(u32),
    /// One number per lane.
    Scalar(u32),
    /// Data: one number per element.
    Column(u32),
    /// Data looked up by tuned codes, one number per element: see [`Code::lookups`].
    Lookup(u32),
}

/// Where a result is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// An array, from this element.
    Array(u32),
    /// The gradient, from this coordinate.
    Gradient(u32),
}

/// Signs of a product and of what is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signs {
    /// a·b + c
    Plus,
    /// −a·b + c
    NegatedProduct,
    /// a·b − c
    NegatedAddend,
}

/// One step on a block of elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Instruction {
    Unary(Unary, Operand, Operand),
    Binary(Binary, Operand, Operand, Operand),
    /// ±a·b ± c
    MultiplyAdd {
        signs: Signs,
        a: Operand,
        b: Operand,
        c: Operand,
        result: Operand,
    },
    Select(Operand, Operand, Operand, Operand),
    /// ln(1 + eˣ) and 1/(1 + e⁻ˣ) from one exponential: operand, then the two results.
    SoftplusInvLogit(Operand, Operand, Operand),
    /// From the array or position at the codes of an index column.
    Gather {
        source: Operand,
        codes: u32,
        result: Operand,
    },
    /// From one element.
    Pick {
        source: Operand,
        result: Operand,
    },
    /// Adds up into a scalar.
    Sum {
        source: Operand,
        result: u32,
    },
    /// Adds up into the log density.
    Density(Operand),
    /// Adds up by the codes of an index column.
    Segment {
        source: Operand,
        codes: u32,
        sink: Sink,
    },
    /// Adds element by element.
    Accumulate {
        source: Operand,
        sink: Sink,
    },
    /// Adds up the products of two operands, times a number, into a scalar or else the log density.
    SumProduct {
        scale: f64,
        a: Operand,
        b: Operand,
        result: Option<u32>,
    },
    /// Adds up the products of two operands by the codes of an index column.
    SegmentProduct {
        a: Operand,
        b: Operand,
        codes: u32,
        sink: Sink,
    },
    /// A predictor, a link and sums: the place among the code's.
    Rows(u32),
}

/// Instructions over `len` elements, run block by block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pass {
    pub(super) len: usize,
    pub(super) instructions: Vec<Instruction>,
}

/// Where an output lies when all is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Output {
    pub(super) from: Operand,
    pub(super) len: usize,
}

/// A program as instructions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Code {
    pub(super) dim: usize,
    pub(super) constant: f64,
    /// Passes in order; a pass over scalars has `len` 1.
    pub(super) passes: Vec<Pass>,
    /// Values that scalars have from the start: constants, and 0 for sums.
    pub(super) scalars: Vec<f64>,
    pub(super) rows: Vec<Rows>,
    /// Scalars that are summed into, with the values that they have before each evaluation.
    pub(super) sums: Vec<(u32, f64)>,
    /// Elements of all arrays.
    pub(super) array_len: usize,
    /// Ranges of arrays that are added into and so must be reset.
    pub(super) summed_arrays: Vec<(u32, u32)>,
    /// Coordinates whose gradients are added into.
    pub(super) summed_gradients: Vec<(u32, u32)>,
    /// Temporaries alive at once in the widest loop.
    pub(super) temps: usize,
    pub(super) columns: Vec<f64>,
    pub(super) codes: Vec<u32>,
    /// Places of weights, see [`Softplus`](super::rows::Softplus).
    pub(super) places: Vec<u8>,
    /// Ranges of `codes` that may be set anew, in the order of the tuned indices, with the size of the plate that
    /// they point into.
    pub(super) tuned: Vec<(Range<usize>, u32)>,
    /// Data that tuned codes look up, refreshed when the codes change: where the table begins in `columns`, and the
    /// range of `codes`; the results lie one after another.
    pub(super) lookups: Vec<(u32, Range<usize>)>,
    pub(super) outputs: Vec<Output>,
}

/// Assigns places while the schedule is walked.
pub(super) struct Assembler<'a> {
    pub(super) graph: &'a Graph,
    pub(super) offsets: Vec<usize>,
    pub(super) place: Vec<Option<Operand>>,
    column_start: Vec<u32>,
    code_start: Vec<u32>,
    /// Start and length of every column.
    pub(super) columns: Vec<(u32, usize)>,
    /// How often each node is read, by operations or as a root.
    pub(super) uses: Vec<usize>,
    /// Contributions to each slot's gradient, and whether its one contribution is written in place.
    pub(super) contributions: Vec<usize>,
    pub(super) written: Vec<bool>,
    pub(super) code: Code,
}

pub(super) fn narrow(n: usize) -> Result<u32> {
    u32::try_from(n)
        .map_err(|_| Error::environment(format!("the model needs {n} numbers of one kind, at most 2^32")))
}

impl Code {
    /// Assembles a schedule.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool: a graph that breaks the IR's rules, on which the machine's memory safety rests.
    pub(super) fn new(schedule: &Schedule) -> Result<Self> {
        let graph = &schedule.program.graph;
        graph.validate()?;
        let mut code = Code {
            dim: graph.dim(),
            constant: schedule.program.constant,
            passes: Vec::new(),
            scalars: Vec::new(),
            sums: Vec::new(),
            array_len: 0,
            summed_arrays: Vec::new(),
            summed_gradients: Vec::new(),
            temps: 0,
            columns: Vec::new(),
            codes: Vec::new(),
            places: Vec::new(),
            rows: Vec::new(),
            tuned: Vec::new(),
            lookups: Vec::new(),
            outputs: Vec::new(),
        };
        let mut column_start = Vec::new();
        for column in &graph.columns {
            column_start.push(narrow(code.columns.len())?);
            code.columns.extend(&column.values);
        }
        let mut code_start = Vec::new();
        for index in &graph.indices {
            let start = code.codes.len();
            code_start.push(narrow(start)?);
            code.codes.extend(&index.codes);
            if index.tuned {
                let range = narrow(graph.plate_len(Some(index.range)))?;
                code.tuned.push((start..code.codes.len(), range));
            }
        }
        let offsets = graph.slot_offsets();
        let place = vec![None; graph.nodes.len()];
        let mut this = Assembler {
            graph,
            offsets,
            place,
            columns: column_start
                .iter()
                .zip(&graph.columns)
                .map(|(&start, column)| (start, column.values.len()))
                .collect(),
            column_start,
            code_start,
            uses: vec![0; graph.nodes.len()],
            contributions: schedule.program.gradient.iter().map(Vec::len).collect(),
            written: vec![false; graph.slots.len()],
            code,
        };
        for node in &graph.nodes {
            node.op
                .for_each_operand(|operand| this.uses[operand.index()] += 1);
        }
        schedule
            .program
            .roots()
            .for_each(|root| this.uses[root.index()] += 1);
        for &array in &schedule.arrays {
            let len = graph.plate_len(graph.ty(array).plate);
            let start = narrow(this.code.array_len)?;
            this.code.array_len += len;
            this.place[array.index()] = Some(Operand::Array(start));
            if matches!(graph.node(array).op, Op::SegmentSum { .. }) {
                this.code.summed_arrays.push((start, start + narrow(len)?));
            }
        }
        for stage in &schedule.stages {
            let mut instructions = Vec::new();
            for &node in &stage.scalars {
                let result = this.scalar(0.0)?;
                this.place[node.index()] = Some(Operand::Scalar(result));
                this.operation(node, &mut instructions)?;
            }
            for &term in &stage.density {
                instructions.push(Instruction::Density(this.operand(term)?));
            }
            for &(value, slot) in &stage.gradient {
                let sink = Sink::Gradient(narrow(this.offsets[slot.index()])?);
                instructions.push(Instruction::Accumulate {
                    source: this.operand(value)?,
                    sink,
                });
            }
            for scatter in &stage.scatters {
                let element = graph.index_column(scatter.index).codes[0];
                let sink = match this.sink(scatter.target)? {
                    Sink::Array(start) => Sink::Array(start + element),
                    Sink::Gradient(start) => Sink::Gradient(start + element),
                };
                instructions.push(Instruction::Accumulate {
                    source: this.operand(scatter.source)?,
                    sink,
                });
            }
            if !instructions.is_empty() {
                this.code.passes.push(Pass { len: 1, instructions });
            }
            for pass in &stage.loops {
                this.pass(pass)?;
            }
        }
        for &output in &schedule.program.outputs {
            let len = graph.plate_len(graph.ty(output).plate);
            let from = this.operand(output)?;
            this.code.outputs.push(Output { from, len });
        }
        for slot in (0..graph.slots.len()).filter(|&slot| !this.written[slot]) {
            let range = (narrow(this.offsets[slot])?, narrow(this.offsets[slot + 1])?);
            this.code.summed_gradients.push(range);
        }
        Ok(this.code)
    }
}

impl Assembler<'_> {
    /// A new scalar with its value from the start.
    pub(super) fn scalar(&mut self, value: f64) -> Result<u32> {
        self.code.scalars.push(value);
        narrow(self.code.scalars.len() - 1)
    }

    pub(super) fn operand(&mut self, handle: Handle) -> Result<Operand> {
        if let Some(place) = self.place[handle.index()] {
            return Ok(place);
        }
        let node = self.graph.node(handle);
        let operand = match node.op {
            Op::Const(x) => Operand::Scalar(self.scalar(x)?),
            Op::Position(slot) => {
                let start = narrow(self.offsets[slot.index()])?;
                if node.ty.plate.is_some() {
                    Operand::Position(start)
                } else {
                    Operand::Coordinate(start)
                }
            }
            Op::Column(id) => {
                let start = self.column_start[id.index()];
                match node.ty.plate {
                    Some(_) => Operand::Column(start),
                    None => Operand::Scalar(self.scalar(self.code.columns[start as usize])?),
                }
            }
            Op::Gather { index, .. } if let Some((column, _)) = self.graph.tuned_data(handle) => {
                let from = self.code_start[index.index()] as usize;
                let codes = from..from + self.graph.index_column(index).codes.len();
                let start = self.code.lookups.iter().map(|(_, codes)| codes.len()).sum();
                self.code.lookups.push((self.column_start[column.index()], codes));
                Operand::Lookup(narrow(start)?)
            }
            _ => {
                return Err(Error::bug(format!(
                    "{handle} is read before it is computed\n{}",
                    self.graph
                )));
            }
        };
        self.place[handle.index()] = Some(operand);
        Ok(operand)
    }

    pub(super) fn codes(&self, index: IndexId) -> u32 {
        self.code_start[index.index()]
    }

    pub(super) fn sink(&mut self, target: Target) -> Result<Sink> {
        Ok(match target {
            Target::Gradient(slot) => Sink::Gradient(narrow(self.offsets[slot.index()])?),
            Target::Array(node) => match self.operand(node)? {
                Operand::Array(start) => Sink::Array(start),
                other => return Err(Error::bug(format!("segment sum {node} lies in {other:?}"))),
            },
        })
    }

    /// The instruction that computes `node` into the place it was given.
    pub(super) fn operation(&mut self, node: Handle, out: &mut Vec<Instruction>) -> Result<()> {
        let graph = self.graph;
        let Some(result) = self.place[node.index()] else {
            return Err(Error::bug(format!("{node} has no place")));
        };
        out.push(match graph.node(node).op {
            Op::Unary(op, a) => Instruction::Unary(op, self.operand(a)?, result),
            Op::Binary(op, a, b) => Instruction::Binary(op, self.operand(a)?, self.operand(b)?, result),
            Op::Select(a, b, c) => {
                Instruction::Select(self.operand(a)?, self.operand(b)?, self.operand(c)?, result)
            }
            Op::Gather { source, index } => {
                let codes = self.codes(index);
                let source = self.operand(source)?;
                if !matches!(source, Operand::Array(_) | Operand::Position(_)) {
                    return Err(Error::bug(format!("a gather from {source:?}")));
                }
                match graph.index_column(index).domain {
                    Some(_) => Instruction::Gather {
                        source,
                        codes,
                        result,
                    },
                    None => {
                        let element = self.code.codes[codes as usize];
                        let source = match source {
                            Operand::Array(start) => Operand::Array(start + element),
                            Operand::Position(start) => Operand::Position(start + element),
                            other => return Err(Error::bug(format!("a pick from {other:?}"))),
                        };
                        Instruction::Pick { source, result }
                    }
                }
            }
            ref other => return Err(Error::bug(format!("{other:?} is no instruction"))),
        });
        Ok(())
    }
}
