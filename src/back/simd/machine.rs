//! Runs code on blocks of `W` lanes, compiled once per instruction set and chosen at run time.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::code::{Code, Instruction, Operand, Output, Pass, Sink};
use super::isa::{self, Isa};
use super::kernels::Source;
use super::row_kernels::{FactorAt, PlaceAt, RowsAt, SoftplusAt, SpreadAt, ToAt};
use super::rows::{Factor, MAX_SPREADS, MAX_TERMS, Place, Rows, To};
use crate::back::evaluate::Evaluator;

/// The vector instructions that a machine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// One number at a time, with the same fused multiply–add: the yardstick that lanes are measured by.
    Scalar,
    /// Whatever every processor of the target has.
    Baseline,
    /// AVX2 with fused multiply–add: 4 numbers at a time.
    Avx2,
    /// AVX-512: 8 numbers at a time.
    Avx512,
}

impl InstructionSet {
    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            InstructionSet::Baseline => true,
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Scalar | InstructionSet::Avx2 => {
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => {
                InstructionSet::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => false,
        }
    }

    /// The widest that this processor has.
    pub fn detect() -> Self {
        let all = [InstructionSet::Avx512, InstructionSet::Avx2];
        all.into_iter()
            .find(|set| set.is_available())
            .unwrap_or(InstructionSet::Baseline)
    }
}

/// Bytes of temporaries that a block may fill: most of a first-level cache.
const BLOCK_BYTES: usize = 32 * 1024;
/// Elements of a block at least and, times lanes, at most.
const BLOCK_LIMITS: (usize, usize) = (8, 2048);

/// The memory of one worker: `W` lanes of temporaries, scalars and arrays.
#[derive(Debug)]
pub(super) struct Machine<'c, const W: usize> {
    code: &'c Code,
    set: InstructionSet,
    /// Elements per block.
    block: usize,
    temps: Vec<f64>,
    scalars: Vec<f64>,
    arrays: Vec<f64>,
    /// The code's own unless there are tuned ones.
    codes: Cow<'c, [u32]>,
    /// Data found by tuned codes, see [`Code::lookups`].
    lookups: Vec<f64>,
    /// Positions are copied here for outputs that are coordinates of the position.
    position: Vec<f64>,
}

impl<'c, const W: usize> Machine<'c, W> {
    /// A worker for `code`.
    pub(super) fn new(code: &'c Code, set: InstructionSet) -> Self {
        let bytes_per_element = code.temps.max(1) * W * size_of::<f64>();
        // Kernels take eight elements at a time.
        let block = (BLOCK_BYTES / bytes_per_element).clamp(BLOCK_LIMITS.0, BLOCK_LIMITS.1 / W);
        let block = block - block % BLOCK_LIMITS.0;
        let codes = if code.tuned.is_empty() {
            Cow::Borrowed(code.codes.as_slice())
        } else {
            Cow::Owned(code.codes.clone())
        };
        Self {
            lookups: look_up(code, &codes),
            codes,
            code,
            set,
            block,
            temps: vec![0.0; code.temps * block * W],
            scalars: code
                .scalars
                .iter()
                .flat_map(|&x| std::iter::repeat_n(x, W))
                .collect(),
            arrays: vec![0.0; code.array_len * W],
            position: Vec::new(),
        }
    }

    /// Sets the codes of all tuned indices, one after another; others than the program knows are a fault of the caller.
    pub(super) fn set_tuned(&mut self, codes: &[u32]) {
        let expected: usize = self.code.tuned.iter().map(|(places, _)| places.len()).sum();
        assert_eq!(codes.len(), expected, "one code per level");
        let mut rest = codes;
        for (places, range) in &self.code.tuned {
            let (own, others) = rest.split_at(places.len());
            assert!(
                own.iter().all(|code| code < range),
                "a code of {range} or above in {own:?}"
            );
            self.codes.to_mut()[places.clone()].copy_from_slice(own);
            rest = others;
        }
        self.lookups = look_up(self.code, &self.codes);
    }

    /// Runs the program at `position` (`[dim][lane]`); adds up `log_density` (`[lane]`) and `gradient` (`[dim][lane]`).
    pub(super) fn evaluate(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        let dim = self.code.dim;
        assert_eq!(position.len(), dim * W, "a position holds dim × lanes numbers");
        assert_eq!(gradient.len(), dim * W, "a gradient holds dim × lanes numbers");
        assert_eq!(log_density.len(), W, "one log density per lane");
        log_density.fill(self.code.constant);
        for &(start, end) in &self.code.summed_gradients {
            gradient[start as usize * W..end as usize * W].fill(0.0);
        }
        for &(sum, start) in &self.code.sums {
            self.scalars[sum as usize * W..][..W].fill(start);
        }
        for &(start, end) in &self.code.summed_arrays {
            self.arrays[start as usize * W..end as usize * W].fill(0.0);
        }
        if self
            .code
            .outputs
            .iter()
            .any(|output| matches!(output.from, Operand::Position(_) | Operand::Coordinate(_)))
        {
            self.position.clear();
            self.position.extend_from_slice(position);
        }
        match self.set {
            InstructionSet::Scalar => self.run::<isa::Scalar>(position, log_density, gradient),
            InstructionSet::Baseline => self.run::<isa::Baseline>(position, log_density, gradient),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => self.run::<isa::Avx2>(position, log_density, gradient),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => self.run::<isa::Avx512>(position, log_density, gradient),
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => {
                self.run::<isa::Baseline>(position, log_density, gradient)
            }
        }
    }

    fn run<I: Isa>(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        let code = self.code;
        let memory = Memory {
            block: self.block,
            temps: self.temps.as_mut_ptr(),
            scalars: self.scalars.as_mut_ptr(),
            arrays: self.arrays.as_mut_ptr(),
            position: position.as_ptr(),
            columns: code.columns.as_ptr(),
            lookups: self.lookups.as_ptr(),
            log_density: log_density.as_mut_ptr(),
            gradient: gradient.as_mut_ptr(),
        };
        for pass in &code.passes {
            for first in (0..pass.len).step_by(self.block) {
                let n = self.block.min(pass.len - first);
                // SAFETY: `set` is one that this processor has. The assembler places every operand and sink inside the
                // memory that `new` and `evaluate` sized for it, each block covers elements below the pass's length,
                // and a result is never given the place of an operand of its own instruction.
                unsafe { memory.run_block::<W, I>(code, &self.codes, pass, first, n) };
            }
        }
    }

    /// Writes an output's values of the first lanes, `[lane][element]`: as many as there is room for.
    pub(super) fn write_output(&self, output: usize, out: &mut [f64]) {
        let Output { from, len } = self.code.outputs[output];
        if len == 0 {
            return;
        }
        let lanes = |memory: &[f64], start: u32, out: &mut [f64]| {
            let elements = memory[start as usize * W..][..len * W].chunks_exact(W);
            for (lane, values) in out.chunks_exact_mut(len).enumerate() {
                for (value, element) in values.iter_mut().zip(elements.clone()) {
                    *value = element[lane];
                }
            }
        };
        let same = |values: &[f64], start: u32, out: &mut [f64]| {
            for lane in out.chunks_exact_mut(len) {
                lane.copy_from_slice(&values[start as usize..][..len]);
            }
        };
        match from {
            Operand::Array(start) => lanes(&self.arrays, start, out),
            Operand::Scalar(start) => lanes(&self.scalars, start, out),
            Operand::Position(start) | Operand::Coordinate(start) => lanes(&self.position, start, out),
            Operand::Column(start) => same(&self.code.columns, start, out),
            Operand::Lookup(start) => same(&self.lookups, start, out),
            // Outputs over plates are stored in arrays by the schedule.
            Operand::Temp(_) | Operand::Gradient(_) => out.fill(f64::NAN),
        }
    }
}

/// What the tuned codes find.
fn look_up(code: &Code, codes: &[u32]) -> Vec<f64> {
    let found = |(table, places): &(u32, Range<usize>)| {
        let table = *table as usize;
        codes[places.clone()]
            .iter()
            .map(move |&code| table + code as usize)
            .collect::<Vec<usize>>()
    };
    let places = code.lookups.iter().flat_map(found);
    places.map(|place| code.columns[place]).collect()
}

/// Where everything lies during a run.
#[derive(Clone, Copy)]
struct Memory {
    block: usize,
    temps: *mut f64,
    scalars: *mut f64,
    arrays: *mut f64,
    position: *const f64,
    columns: *const f64,
    lookups: *const f64,
    log_density: *mut f64,
    gradient: *mut f64,
}

impl Memory {
    #[inline(always)]
    unsafe fn source<const W: usize>(self, operand: Operand, first: usize) -> Source {
        unsafe {
            match operand {
                Operand::Temp(temp) => Source::Lanes(self.temps.add(temp as usize * self.block * W)),
                Operand::Array(start) => Source::Lanes(self.arrays.add((start as usize + first) * W)),
                Operand::Position(start) => Source::Lanes(self.position.add((start as usize + first) * W)),
                Operand::Coordinate(i) => Source::Scalar(self.position.add(i as usize * W)),
                Operand::Scalar(scalar) => Source::Scalar(self.scalars.add(scalar as usize * W)),
                Operand::Gradient(start) => Source::Lanes(self.gradient.add((start as usize + first) * W)),
                Operand::Column(start) => Source::Column(self.columns.add(start as usize + first)),
                Operand::Lookup(start) => Source::Column(self.lookups.add(start as usize + first)),
            }
        }
    }

    #[inline(always)]
    unsafe fn result<const W: usize>(self, operand: Operand, first: usize) -> *mut f64 {
        unsafe {
            match operand {
                Operand::Temp(temp) => self.temps.add(temp as usize * self.block * W),
                Operand::Array(start) => self.arrays.add((start as usize + first) * W),
                Operand::Gradient(start) => self.gradient.add((start as usize + first) * W),
                Operand::Scalar(scalar) => self.scalars.add(scalar as usize * W),
                // The assembler gives results no other place.
                Operand::Position(_) | Operand::Coordinate(_) | Operand::Column(_) | Operand::Lookup(_) => {
                    std::ptr::null_mut()
                }
            }
        }
    }

    /// The start of the memory that an index column's codes point into.
    #[inline(always)]
    unsafe fn base<const W: usize>(self, operand: Operand) -> *const f64 {
        unsafe {
            match operand {
                Operand::Array(start) => self.arrays.add(start as usize * W),
                Operand::Position(start) => self.position.add(start as usize * W),
                Operand::Temp(_)
                | Operand::Coordinate(_)
                | Operand::Gradient(_)
                | Operand::Scalar(_)
                | Operand::Column(_)
                | Operand::Lookup(_) => std::ptr::null(),
            }
        }
    }

    #[inline(always)]
    unsafe fn sink<const W: usize>(self, sink: Sink, first: usize) -> *mut f64 {
        unsafe {
            match sink {
                Sink::Array(start) => self.arrays.add((start as usize + first) * W),
                Sink::Gradient(start) => self.gradient.add((start as usize + first) * W),
            }
        }
    }

    #[inline(always)]
    unsafe fn factor<const W: usize>(self, factor: Factor, first: usize) -> FactorAt {
        unsafe {
            match factor {
                Factor::Constant(x) => FactorAt::Constant(x),
                Factor::Column(start) => FactorAt::Column(self.columns.add(start as usize + first)),
                Factor::Lookup(start) => FactorAt::Column(self.lookups.add(start as usize + first)),
                Factor::Scalar(operand) => FactorAt::Scalar(self.number::<W>(operand, first)),
            }
        }
    }

    /// The address of an operand of numbers per lane, at the block's first element if it has elements.
    #[inline(always)]
    unsafe fn number<const W: usize>(self, operand: Operand, first: usize) -> *const f64 {
        match unsafe { self.source::<W>(operand, first) } {
            Source::Lanes(from) | Source::Scalar(from) => from,
            // The assembler turns columns into factors.
            Source::Column(_) => std::ptr::null(),
        }
    }

    /// The instruction of [`super::rows`], with the addresses of its operands.
    #[inline(always)]
    unsafe fn rows<const W: usize, I: Isa>(
        self,
        code: &Code,
        all: &[u32],
        rows: &Rows,
        first: usize,
        n: usize,
    ) {
        unsafe {
            let codes = |start: u32| all.as_ptr().add(start as usize + first);
            let mut terms = [const { MaybeUninit::uninit() }; MAX_TERMS];
            let mut spreads = [const { MaybeUninit::uninit() }; MAX_SPREADS];
            for (at, term) in terms.iter_mut().zip(&rows.terms) {
                let place = match term.place {
                    Place::Fixed(operand) => PlaceAt::Fixed(self.number::<W>(operand, first)),
                    Place::Each(operand) => PlaceAt::Each(self.number::<W>(operand, first)),
                    Place::Coded { source, codes: start } => {
                        PlaceAt::Coded(self.base::<W>(source), codes(start))
                    }
                };
                at.write((place, self.factor::<W>(term.factor, first)));
            }
            for (at, spread) in spreads.iter_mut().zip(&rows.spreads) {
                let to = match spread.to {
                    To::Density => ToAt::Total(self.log_density),
                    To::Scalar(scalar) => ToAt::Total(self.scalars.add(scalar as usize * W)),
                    To::Segment {
                        codes: start,
                        ascending,
                        sink,
                    } => ToAt::Segment(self.sink::<W>(sink, 0), codes(start), ascending),
                    To::Accumulate(sink) => ToAt::Accumulate(self.sink::<W>(sink, first)),
                    To::Each(operand) => ToAt::Each(self.result::<W>(operand, first)),
                };
                at.write(SpreadAt {
                    of: spread.of,
                    factor: self.factor::<W>(spread.factor, first),
                    to,
                });
            }
            let softplus = rows.softplus.as_ref().map(|softplus| {
                // With one lane a vector's rows may have different weights.
                let is_whole = W > 1 || softplus.levels.len() == 1;
                SoftplusAt {
                    weight: self.factor::<W>(softplus.weight, first),
                    above: self.factor::<W>(softplus.above, first),
                    below: self.factor::<W>(softplus.below, first),
                    levels: if is_whole { &softplus.levels } else { &[] },
                    // Not read, and maybe outside, where there are no levels to tell apart.
                    places: code
                        .places
                        .as_ptr()
                        .wrapping_add(softplus.places as usize + first),
                }
            });
            // As many entries as the instruction has are written: the planner heeds the limits.
            I::rows::<W>(&RowsAt {
                n,
                terms: std::slice::from_raw_parts(terms.as_ptr().cast(), rows.terms.len()),
                offset: self.factor::<W>(rows.offset, first),
                link: rows.link,
                softplus,
                spreads: std::slice::from_raw_parts(spreads.as_ptr().cast(), rows.spreads.len()),
                log_density: self.log_density,
            });
        }
    }

    #[inline(always)]
    unsafe fn run_block<const W: usize, I: Isa>(
        self,
        code: &Code,
        all: &[u32],
        pass: &Pass,
        first: usize,
        n: usize,
    ) {
        unsafe {
            for instruction in &pass.instructions {
                match *instruction {
                    Instruction::Unary(op, a, out) => {
                        I::unary::<W>(op, n, self.source::<W>(a, first), self.result::<W>(out, first));
                    }
                    Instruction::Binary(op, a, b, out) => {
                        let (a, b) = (self.source::<W>(a, first), self.source::<W>(b, first));
                        I::binary::<W>(op, n, a, b, self.result::<W>(out, first));
                    }
                    Instruction::MultiplyAdd {
                        signs,
                        a,
                        b,
                        c,
                        result,
                    } => {
                        let (a, b) = (self.source::<W>(a, first), self.source::<W>(b, first));
                        let operands = (a, b, self.source::<W>(c, first));
                        I::multiply_add::<W>(n, signs, operands, self.result::<W>(result, first));
                    }
                    Instruction::Select(c, a, b, out) => {
                        let (a, b) = (self.source::<W>(a, first), self.source::<W>(b, first));
                        I::select::<W>(n, self.source::<W>(c, first), a, b, self.result::<W>(out, first));
                    }
                    Instruction::SoftplusInvLogit(x, softplus, inv_logit) => {
                        let (s, p) = (
                            self.result::<W>(softplus, first),
                            self.result::<W>(inv_logit, first),
                        );
                        I::softplus_inv_logit::<W>(n, self.source::<W>(x, first), s, p);
                    }
                    Instruction::Gather {
                        source,
                        codes,
                        result,
                    } => {
                        let codes = &all[codes as usize + first..][..n];
                        I::gather::<W>(codes, self.base::<W>(source), self.result::<W>(result, first));
                    }
                    Instruction::Pick { source, result } => {
                        I::gather::<W>(&[0], self.base::<W>(source), self.result::<W>(result, first));
                    }
                    Instruction::Sum { source, result } => {
                        let total = self.scalars.add(result as usize * W);
                        I::sum::<W>(n, self.source::<W>(source, first), total);
                    }
                    Instruction::Density(source) => {
                        I::sum::<W>(n, self.source::<W>(source, first), self.log_density);
                    }
                    Instruction::Segment { source, codes, sink } => {
                        let codes = &all[codes as usize + first..][..n];
                        I::segment::<W>(codes, self.source::<W>(source, first), self.sink::<W>(sink, 0));
                    }
                    Instruction::Accumulate { source, sink } => {
                        I::accumulate::<W>(n, self.source::<W>(source, first), self.sink::<W>(sink, first));
                    }
                    Instruction::SumProduct { scale, a, b, result } => {
                        let (a, b) = (self.source::<W>(a, first), self.source::<W>(b, first));
                        let total = match result {
                            Some(scalar) => self.scalars.add(scalar as usize * W),
                            None => self.log_density,
                        };
                        I::sum_product::<W>(n, scale, a, b, total);
                    }
                    Instruction::SegmentProduct { a, b, codes, sink } => {
                        let (a, b) = (self.source::<W>(a, first), self.source::<W>(b, first));
                        let codes = &all[codes as usize + first..][..n];
                        I::segment_product::<W>(codes, a, b, self.sink::<W>(sink, 0));
                    }
                    Instruction::Rows(rows) => {
                        self.rows::<W, I>(code, all, &code.rows[rows as usize], first, n);
                    }
                }
            }
        }
    }
}

impl<const W: usize> Evaluator for Machine<'_, W> {
    fn lanes(&self) -> usize {
        W
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        self.evaluate(position, log_density, gradient);
    }

    fn set_centring(&mut self, codes: &[u32]) {
        if !self.code.tuned.is_empty() {
            self.set_tuned(codes);
        }
    }
}
