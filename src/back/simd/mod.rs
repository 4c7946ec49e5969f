//! The CPU back end: a schedule as code for blocks of lanes, in f64.
//!
//! One instruction works on a block of elements times `W` lanes (lane = chain, fastest index), so that the cost of
//! reading the code is spread over hundreds of numbers and the compiler's vector instructions do the work. The lane
//! kernels are plain loops, compiled once per instruction set and chosen at run time. `W` = 1 serves a single chain:
//! the same code then runs over rows.
//!
//! Most of a likelihood's work is done by few instructions: a linear predictor, its link and the sums of it by data
//! are one (`rows`), and a product that is only summed is not written (`products`).
//!
//! Files: `code` turns a schedule into instructions, with `loops` and `shares` for a loop's, `plan` and `form` finding
//! those of `rows`; `kernels`, `row_kernels` and `products` execute one, `isa` compiles these for each instruction set,
//! `machine` runs them all; `work` says how much that is.

mod code;
mod form;
mod isa;
mod kernels;
mod loops;
mod machine;
mod plan;
mod products;
mod row_kernels;
mod rows;
mod shares;
mod work;

use code::Code;
pub use machine::InstructionSet;
use machine::Machine;

use super::evaluate::{Density, Evaluator};
use crate::error::{Error, Result};
use crate::ir::Program;
use crate::pass::schedule::schedule;

/// Lanes of a block: two registers of the widest set, so that one works while the other waits, and what an instruction
/// costs besides its numbers is spread over twice as many.
pub const LANES: usize = 16;

/// A compiled program, ready to be evaluated by any number of threads.
#[derive(Debug, Clone)]
pub struct SimdDensity {
    code: Code,
    /// What computes the gradient without the density; none for a program that has not both.
    slopes: Option<Code>,
    instruction_set: InstructionSet,
}

impl SimdDensity {
    /// Compiles an optimised program (see [`crate::pass`]) for the widest instruction set of this machine.
    pub fn new(program: Program) -> Result<Self> {
        let slopes = match program.density.is_empty() || program.gradient.is_empty() {
            true => None,
            false => {
                let slopes = Program {
                    density: Vec::new(),
                    outputs: Vec::new(),
                    ..program.clone()
                };
                Some(Code::new(&schedule(slopes)?)?)
            }
        };
        Ok(Self {
            code: Code::new(&schedule(program)?)?,
            slopes,
            instruction_set: InstructionSet::detect(),
        })
    }

    /// The same program on another instruction set, for comparisons; an error if this machine lacks it.
    pub fn with_instruction_set(mut self, set: InstructionSet) -> Result<Self> {
        if !set.is_available() {
            return Err(Error::environment(format!("this processor has no {set:?}")));
        }
        self.instruction_set = set;
        Ok(self)
    }

    /// The instruction set in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.instruction_set
    }

    /// The number of values of each of the program's outputs.
    pub fn output_lens(&self) -> Vec<usize> {
        self.code.outputs.iter().map(|output| output.len).collect()
    }

    /// Evaluates the program's outputs for every position of `positions`, `[position][dim]`.
    ///
    /// Yields for each output `[position][element]`.
    pub fn outputs(&self, positions: &[f64]) -> Vec<Vec<f64>> {
        self.outputs_tuned(None, positions)
    }

    /// The same with other codes of the tuned indices, one after another.
    ///
    /// # Panics
    /// If there is not one code for each element of the tuned indices, or one points past its plate.
    pub fn outputs_tuned(&self, codes: Option<&[u32]>, positions: &[f64]) -> Vec<Vec<f64>> {
        // A model without parameters has one position, the empty one.
        let count = positions.len().checked_div(self.code.dim).unwrap_or(1);
        let lens = self.code.outputs.iter().map(|output| output.len);
        let mut results: Vec<Vec<f64>> = lens.map(|len| vec![0.0; len * count]).collect();
        let mut places: Vec<&mut [f64]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        self.output_worker(codes).evaluate(positions, &mut places);
        results
    }

    /// A worker that evaluates the outputs; each thread makes its own.
    ///
    /// # Panics
    /// As [`SimdDensity::outputs_tuned`].
    pub fn output_worker(&self, codes: Option<&[u32]>) -> OutputWorker<'_> {
        let mut machine = Machine::new(&self.code, self.instruction_set);
        if let Some(codes) = codes {
            machine.set_tuned(codes);
        }
        let dim = self.code.dim;
        OutputWorker {
            machine,
            dim,
            lens: self.output_lens(),
            block: vec![0.0; dim * LANES],
            gradient: vec![0.0; dim * LANES],
        }
    }
}

/// Evaluates a program's outputs; owns the scratch memory, so that evaluating allocates nothing.
#[derive(Debug)]
pub struct OutputWorker<'d> {
    machine: Machine<'d, LANES>,
    dim: usize,
    lens: Vec<usize>,
    block: Vec<f64>,
    gradient: Vec<f64>,
}

impl OutputWorker<'_> {
    /// Writes the outputs at `positions`, `[position][dim]`, to `results`: of each output `[position][element]`.
    ///
    /// # Panics
    /// If there is not a result for each output, or one has not the room for all positions.
    pub fn evaluate(&mut self, positions: &[f64], results: &mut [&mut [f64]]) {
        let dim = self.dim;
        assert_eq!(results.len(), self.lens.len(), "a result for each output");
        let count = positions.len().checked_div(dim).unwrap_or(1);
        let mut log_density = [0.0; LANES];
        for first in (0..count).step_by(LANES) {
            let lanes = LANES.min(count - first);
            for lane in 0..LANES {
                // Idle lanes repeat the last position.
                let from = (first + lane.min(lanes - 1)) * dim;
                for (i, x) in positions[from..from + dim].iter().enumerate() {
                    self.block[i * LANES + lane] = *x;
                }
            }
            self.machine
                .evaluate(&self.block, &mut log_density, &mut self.gradient);
            for (output, (result, &len)) in results.iter_mut().zip(&self.lens).enumerate() {
                self.machine
                    .write_output(output, &mut result[first * len..(first + lanes) * len]);
            }
        }
    }
}

impl Density for SimdDensity {
    fn dim(&self) -> usize {
        self.code.dim
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        match lanes {
            1 => Box::new(Machine::<1>::new(&self.code, self.instruction_set)),
            _ => Box::new(Worker {
                whole: Machine::new(&self.code, self.instruction_set),
                slopes: self
                    .slopes
                    .as_ref()
                    .map(|slopes| Machine::new(slopes, self.instruction_set)),
            }),
        }
    }

    fn work(&self) -> f64 {
        self.slopes
            .as_ref()
            .unwrap_or(&self.code)
            .work()
            .max(self.code.dim as f64)
    }
}

/// Evaluates blocks of lanes: the density with its gradient, or the gradient alone.
struct Worker<'c> {
    whole: Machine<'c, LANES>,
    slopes: Option<Machine<'c, LANES>>,
}

impl Evaluator for Worker<'_> {
    fn lanes(&self) -> usize {
        LANES
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        self.whole.evaluate(position, log_density, gradient);
    }

    fn grad(&mut self, position: &[f64], gradient: &mut [f64]) {
        let machine = self.slopes.as_mut().unwrap_or(&mut self.whole);
        machine.evaluate(position, &mut [0.0; LANES], gradient);
    }

    fn set_centring(&mut self, codes: &[u32]) {
        self.whole.set_centring(codes);
        if let Some(slopes) = &mut self.slopes {
            slopes.set_centring(codes);
        }
    }
}
