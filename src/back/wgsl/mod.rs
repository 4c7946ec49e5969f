//! The GPU back end's text: a schedule as WGSL, one thread per chain, in f32.
//!
//! The generated function keeps to the contract of [`super::kernel::DensityKernel`]. Data values and index codes are
//! read from buffers, sizes are baked in. The log density is added up in blocks of [`BLOCK`] terms that enter a pair of
//! (whole part, remainder), so that its error does not grow with the number of rows; loops run in a fixed order, so
//! that results are deterministic. Compensated summation is not used: shader compilers remove it.

mod emit;
mod names;
mod ops;
mod rows;

use super::kernel::{Data, DensityKernel, Form, FusedKernel, KernelSize, Memory, RowsKernel};
use crate::error::Result;
use crate::ir::{Column, Index, Program};
use crate::pass::schedule::{Loop, Stage, schedule};

/// The name of the generated function, and of the one that a fused kernel has for all steps but a trajectory's last.
const WHOLE: &str = "log_density_grad";
const SLOPES: &str = "only_grad";

/// Terms of the log density added in plain f32 before they enter the pair.
pub const BLOCK: u32 = 32;

/// The kernel of an optimised, differentiated program over `data`; refuses, with the numbers, what does not fit one
/// thread.
///
/// # Errors
///
/// Environment: the intermediate numbers of a chain do not fit a thread. Bug: a program that is not simplified.
pub fn kernel(program: Program, data: Data) -> Result<DensityKernel> {
    emit::Emitter::new(&schedule(program)?, Form::Buffers, Memory::Buffers, data)?.kernel(WHOLE)
}

/// The same with position and gradient in the thread's own memory, as `form` and `memory` say, and a second function that
/// leaves the log density out.
///
/// # Errors
///
/// As [`kernel`].
pub fn fused_kernel(program: Program, form: Form, memory: Memory, data: Data) -> Result<FusedKernel> {
    let slopes = schedule(Program {
        density: Vec::new(),
        ..program.clone()
    })?;
    let schedule = schedule(program)?;
    let emitter = emit::Emitter::new(&schedule, form, memory, data)?;
    let tuned = emitter.tuned();
    let mut density = emitter.kernel(WHOLE)?;
    let slopes = emit::Emitter::new(&slopes, form, memory, data)?.kernel(SLOPES)?;
    density.wgsl = format!("{}\n{}", density.wgsl, slopes.wgsl);
    Ok(FusedKernel {
        density,
        form,
        memory,
        tuned,
    })
}

/// What a kernel of `program` reads besides its text: the data columns one after another, and the constant of the log
/// density. Another program [of the same text](has_same_text) gives another replicate's data for the same kernel.
pub fn data_of(program: &Program) -> (Vec<f32>, f64) {
    let values = program.graph.columns.iter().flat_map(|column| &column.values);
    (values.map(|&x| x as f32).collect(), program.constant)
}

/// Whether a kernel of the one program serves the other with the other's [data](data_of): they are the same but for the
/// values of their columns, the constant, and the codes that centring weights start from.
pub fn has_same_text(one: &Program, other: &Program) -> bool {
    let (a, b) = (&one.graph, &other.graph);
    let index = |(a, b): (&Index, &Index)| {
        let same_codes = a.codes == b.codes || (a.tuned && a.codes.len() == b.codes.len());
        (a.range, a.domain, a.tuned) == (b.range, b.domain, b.tuned) && same_codes
    };
    let column = |(a, b): (&Column, &Column)| a.plate == b.plate && a.values.len() == b.values.len();
    (&a.plates, &a.slots, &a.nodes) == (&b.plates, &b.slots, &b.nodes)
        && (&one.density, &one.gradient, &one.outputs) == (&other.density, &other.gradient, &other.outputs)
        && a.indices.len() == b.indices.len()
        && a.indices.iter().zip(&b.indices).all(index)
        && a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(column)
}

/// What the text of a program comes to in its forms, without writing it.
///
/// # Errors
///
/// Bug: a program that is not simplified.
pub fn size(program: Program) -> Result<KernelSize> {
    let schedule = schedule(program)?;
    let graph = &schedule.program.graph;
    let of_loop = |pass: &Loop| {
        let per_element = pass.body.len()
            + pass.sums.len()
            + pass.density.len()
            + pass.segments.len()
            + pass.gradient.len();
        (graph.plate_len(Some(pass.plate)) as u64).saturating_mul(per_element as u64)
    };
    let of_stage = |stage: &Stage| {
        let scalars = stage.scalars.len() + stage.density.len() + stage.gradient.len() + stage.scatters.len();
        scalars as u64 + stage.loops.iter().map(of_loop).sum::<u64>()
    };
    Ok(KernelSize {
        dim: graph.dim(),
        unrolled_statements: schedule.stages.iter().map(of_stage).sum(),
        loop_trips: schedule.trips(),
        private_numbers: schedule
            .arrays
            .iter()
            .map(|array| graph.plate_len(graph.ty(*array).plate))
            .sum(),
    })
}

/// The same program with its rows split over threads, as a sequence of dispatches: for tables that a thread per chain
/// does not fit, or would take too long over.
///
/// # Errors
///
/// Bug: a program that is not simplified.
pub fn rows_kernel(program: Program) -> Result<RowsKernel> {
    rows::kernel(&schedule(program)?)
}
