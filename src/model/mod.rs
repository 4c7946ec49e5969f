//! A model over its data, compiled: log density and gradient for every back end, and the named values of draws.
//!
//! May import everything up to `gpu`. Promises: all back ends come from one lowered program; named values are computed
//! from positions in f64, whichever back end drew them.

mod centring;
mod positions;
mod replicate;

use std::sync::OnceLock;

use crate::back::evaluate::{Centring, Density, Evaluator};
use crate::back::kernel::{Data, DensityKernel, Form, FusedKernel, KernelSize, Memory, RowsKernel};
use crate::back::reference::{self, Evaluation};
use crate::back::simd::{OutputWorker, SimdDensity};
use crate::back::wgsl;
use crate::data::{Column, Table, fingerprint};
use crate::error::Result;
use crate::ir::{Handle, Program};
use crate::lang::ast::{Model as Tree, StatementKind};
use crate::lang::{self, Expanded, LowerOptions, Lowered, Reports};
use crate::pass;
use centring::LearnedCentring;
pub use replicate::{Means, ReplicateOptions};

/// The data that a model was compiled over: what a fit file keeps of it.
#[derive(Debug, Clone)]
pub struct ModelData {
    /// The table's name as shown to people.
    pub name: String,
    /// A hash of the used columns, in hexadecimal.
    pub fingerprint: String,
    /// The columns that the model uses, as they were read.
    pub columns: Vec<Column>,
    /// The same without the rows that `drop_missing` drops.
    pub kept: Vec<Column>,
    /// Which rows of the table those are, counted from 1.
    pub kept_rows: Vec<usize>,
}

/// A compiled model.
#[derive(Debug)]
pub struct Model {
    name: String,
    text: String,
    formula: Option<Expanded>,
    lowered: Lowered,
    data: ModelData,
    /// Made when it is first asked for: few runs need the judge, and it holds all rows once more.
    reference: OnceLock<Result<Program>>,
    density: Program,
    simd: SimdDensity,
    named: SimdDensity,
    pointwise: SimdDensity,
    centring: Option<LearnedCentring>,
}

/// The columns whose missing values drop a row, if the model says so.
fn dropped<'a>(tree: &'a Tree, lowered: &'a Lowered) -> Option<Vec<&'a str>> {
    let named = tree
        .statements
        .iter()
        .find_map(|statement| match &statement.kind {
            StatementKind::DropMissing(named) => Some(&named.columns),
            StatementKind::Stochastic(_)
            | StatementKind::Definition(_)
            | StatementKind::Index(_)
            | StatementKind::Table(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => None,
        })?;
    Some(if named.is_empty() {
        lowered.columns.iter().map(|used| used.name.as_str()).collect()
    } else {
        named.iter().map(|name| name.text.as_str()).collect()
    })
}

/// The raw program with these outputs alone, compiled.
fn compiled(program: &Program, outputs: Vec<Handle>) -> Result<SimdDensity> {
    SimdDensity::new(pass::output_program(&Program {
        outputs,
        ..program.clone()
    })?)
}

/// The named quantities, then the logarithm of the Jacobian of each effect with centring weights as data.
fn named(lowered: &Lowered) -> Result<SimdDensity> {
    let quantities = lowered.quantities.iter();
    let values = quantities.map(|quantity| lowered.program.outputs[quantity.output]);
    let jacobians = lowered.tuned.iter().map(|effect| effect.ln_jacobian);
    compiled(&lowered.program, values.chain(jacobians).collect())
}

fn pointwise(lowered: &Lowered) -> Result<SimdDensity> {
    let likelihoods = lowered.likelihoods.iter();
    let values = likelihoods.map(|likelihood| lowered.program.outputs[likelihood.output]);
    compiled(&lowered.program, values.collect())
}

/// Names the values of positions in the coordinates of some centring weights; each thread makes its own.
pub struct NamedWorker<'m> {
    outputs: OutputWorker<'m>,
    quantities: usize,
    /// Of each effect with centring weights as data, `[effect][position]`.
    ln_jacobians: Vec<Vec<f64>>,
}

impl NamedWorker<'_> {
    /// Writes the values of the named quantities at `positions`, `[position][dim]`, to `values`: of each of
    /// [`Lowered`]'s quantities `[position][element]`.
    ///
    /// Adds ln |dη/dξ| to `log_density`, `[position]`: from the density of the coordinates of these centring weights
    /// to that of the coordinates in which every effect is standardised, which can be compared between units.
    ///
    /// # Panics
    /// If the room does not fit the positions.
    pub fn evaluate(&mut self, positions: &[f64], values: &mut [&mut [f64]], log_density: &mut [f64]) {
        assert_eq!(values.len(), self.quantities, "a result for each quantity");
        for values in &mut self.ln_jacobians {
            values.resize(log_density.len(), 0.0);
        }
        let mut results: Vec<&mut [f64]> = values.iter_mut().map(|values| &mut **values).collect();
        results.extend(self.ln_jacobians.iter_mut().map(Vec::as_mut_slice));
        self.outputs.evaluate(positions, &mut results);
        for ln_jacobian in &self.ln_jacobians {
            for (sum, term) in log_density.iter_mut().zip(ln_jacobian) {
                *sum += term;
            }
        }
    }
}

impl Model {
    /// Compiles `text` over `table`; `name` is shown in errors and results (a file's stem, say).
    ///
    /// # Errors
    ///
    /// A user error with all findings about the text, or about the columns that it uses.
    pub fn new(name: &str, text: &str, table: &Table) -> Result<Self> {
        Self::with_options(name, text, table, &LowerOptions::default())
    }

    /// As [`Model::new`], with the choices that the text leaves open.
    ///
    /// # Errors
    ///
    /// As [`Model::new`].
    pub fn with_options(name: &str, text: &str, table: &Table, options: &LowerOptions) -> Result<Self> {
        Self::changed(name, text, table, options, |_| Ok(()))
    }

    /// As [`Model::with_options`], with the lowered model changed by `change` before it is compiled.
    fn changed(
        name: &str,
        text: &str,
        table: &Table,
        options: &LowerOptions,
        change: impl FnOnce(&mut Lowered) -> Result<()>,
    ) -> Result<Self> {
        let mut tree = lang::parse(name, text)?;
        let expanded = lang::expand(&tree, (name, text), table, false)?;
        let text = match &expanded {
            Some(expanded) => {
                tree = lang::parse(name, &expanded.text)?;
                expanded.text.as_str()
            }
            None => text,
        };
        let mut lowered = lang::lower(&tree, (name, text), table, options)?;
        change(&mut lowered)?;
        let used_of = |table: &Table| -> Vec<Column> {
            lowered
                .columns
                .iter()
                .filter_map(|used| table.column(&used.name))
                .cloned()
                .collect()
        };
        let columns = used_of(table);
        let (kept, kept_rows) = match dropped(&tree, &lowered) {
            Some(names) => {
                let kept = table.drop_missing(&names)?;
                // Rows remember their lines, which rise.
                let lines: Vec<u64> = (0..table.rows()).map(|row| table.line_of(row)).collect();
                let row_of = |row| lines.partition_point(|line| *line <= kept.line_of(row));
                (used_of(&kept), (0..kept.rows()).map(row_of).collect())
            }
            None => (columns.clone(), (1..=table.rows()).collect()),
        };
        let used: Vec<&Column> = columns.iter().collect();
        let fingerprint = fingerprint(&used).to_string();
        let density = pass::density_program(&lowered.program)?;
        Ok(Self {
            name: name.into(),
            text: text.into(),
            formula: expanded,
            reference: OnceLock::new(),
            simd: SimdDensity::new(pass::density_program_f64(&lowered.program)?)?,
            named: named(&lowered)?,
            pointwise: pointwise(&lowered)?,
            centring: LearnedCentring::new(&lowered)?,
            data: ModelData {
                name: table.name().into(),
                fingerprint,
                columns,
                kept,
                kept_rows,
            },
            density,
            lowered,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that it was compiled from, the plain lines of a formula in place of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the formula of the text stands for, if it has one.
    pub fn formula(&self) -> Option<&Expanded> {
        self.formula.as_ref()
    }

    /// What its parts are called, and the raw program.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// Warnings and notes about what its text and `table`, which it was compiled over, bode for a fit.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool, and another table than its own.
    pub fn troubles(&self, table: &Table) -> Result<Reports> {
        let tree = lang::parse(&self.name, &self.text)?;
        Ok(lang::troubles(&tree, (&self.name, &self.text), table)?)
    }

    /// What it was compiled over.
    pub fn data(&self) -> &ModelData {
        &self.data
    }

    /// Coordinates of a position.
    pub fn dim(&self) -> usize {
        self.density.graph.dim()
    }

    /// The optimised, differentiated program that the fast back ends run.
    pub fn density_program(&self) -> &Program {
        &self.density
    }

    /// Log density and gradient on the CPU's lanes, in f64.
    pub fn density(&self) -> &SimdDensity {
        &self.simd
    }

    /// Log density and gradient as WGSL, in f32.
    ///
    /// # Errors
    ///
    /// An environment error with the numbers if the model does not fit a GPU thread.
    pub fn kernel(&self) -> Result<DensityKernel> {
        wgsl::kernel(self.density.clone(), Data::Shared)
    }

    /// The same for replicates of the data side by side: each ensemble reads columns of its own, and
    /// [`wgsl::data_of`] a replicate's program gives them.
    ///
    /// # Errors
    ///
    /// As [`Model::kernel`].
    pub fn batch_kernel(&self) -> Result<DensityKernel> {
        wgsl::kernel(self.density.clone(), Data::PerEnsemble)
    }

    /// What that text comes to in its forms.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn kernel_size(&self) -> Result<KernelSize> {
        wgsl::size(self.density.clone())
    }

    /// The same over a thread's own memory, as `form` and `memory` say.
    ///
    /// # Errors
    ///
    /// As [`Model::kernel`].
    pub fn fused_kernel(&self, form: Form, memory: Memory) -> Result<FusedKernel> {
        wgsl::fused_kernel(self.density.clone(), form, memory, Data::Shared)
    }

    /// The same for replicates of the data side by side, see [`Model::batch_kernel`].
    ///
    /// # Errors
    ///
    /// As [`Model::kernel`].
    pub fn batch_fused_kernel(&self, form: Form, memory: Memory) -> Result<FusedKernel> {
        wgsl::fused_kernel(self.density.clone(), form, memory, Data::PerEnsemble)
    }

    /// The same with its rows split over threads, for long tables.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn rows_kernel(&self) -> Result<RowsKernel> {
        wgsl::rows_kernel(self.density.clone())
    }

    fn reference(&self) -> Result<&Program> {
        let made = self
            .reference
            .get_or_init(|| pass::reference_program(&self.lowered.program));
        made.as_ref().map_err(Clone::clone)
    }

    /// Log density and gradient of the program as written, `position` being `[dim]`: slow, the judge of the others.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn evaluate_reference(&self, position: &[f64]) -> Result<Evaluation> {
        reference::evaluate(self.reference()?, position)
    }

    /// The same in the coordinates of `codes`, `[level]`, see [`Centring`].
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    ///
    /// # Panics
    /// If there is not one code for each level.
    pub fn evaluate_reference_in(&self, codes: &[u32], position: &[f64]) -> Result<Evaluation> {
        let mut program = self.reference()?.clone();
        program.graph.set_tuned(codes);
        reference::evaluate(&program, position)
    }

    /// The position at which the parameters have these values on their natural scales, each `[element]`.
    ///
    /// # Errors
    ///
    /// A user error if a parameter is missing or a value lies outside its support.
    pub fn position(&self, named: &[(&str, Vec<f64>)]) -> Result<Vec<f64>> {
        self.lowered.position_from(named, reference::values)
    }

    /// The values of the named quantities at `positions`, `[position][dim]`, in the coordinates of the initial
    /// centring weights.
    ///
    /// Yields for each of [`Lowered`]'s quantities `[position][element]`.
    pub fn named_values(&self, positions: &[f64]) -> Vec<Vec<f64>> {
        self.without_jacobians(self.named.outputs(positions))
    }

    /// The same in the coordinates of `codes`, `[level]`, see [`Centring`].
    ///
    /// # Panics
    /// If there is not one code for each level, or one is too large.
    pub fn named_values_in(&self, codes: &[u32], positions: &[f64]) -> Vec<Vec<f64>> {
        self.without_jacobians(self.named.outputs_tuned(Some(codes), positions))
    }

    /// A worker that names values in the coordinates of `codes`, `[level]`, see [`Centring`].
    ///
    /// # Panics
    /// As [`Model::named_values_in`].
    pub fn named_worker(&self, codes: &[u32]) -> NamedWorker<'_> {
        NamedWorker {
            outputs: self.named.output_worker(Some(codes)),
            quantities: self.lowered.quantities.len(),
            ln_jacobians: vec![Vec::new(); self.lowered.tuned.len()],
        }
    }

    /// A worker that evaluates the pointwise log likelihoods in the coordinates of `codes`, `[level]`, see [`Centring`].
    ///
    /// # Panics
    /// As [`Model::named_values_in`].
    pub fn pointwise_worker(&self, codes: &[u32]) -> OutputWorker<'_> {
        self.pointwise.output_worker(Some(codes))
    }

    fn without_jacobians(&self, mut outputs: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        outputs.truncate(self.lowered.quantities.len());
        outputs
    }

    /// The pointwise log likelihoods at `positions`, `[position][dim]`, in the coordinates of the initial centring
    /// weights.
    ///
    /// Yields for each of [`Lowered`]'s likelihoods `[position][element]`.
    pub fn pointwise_log_likelihood(&self, positions: &[f64]) -> Vec<Vec<f64>> {
        self.pointwise.outputs(positions)
    }

    /// The same in the coordinates of `codes`, `[level]`, see [`Centring`].
    ///
    /// # Panics
    /// If there is not one code for each level, or one is too large.
    pub fn pointwise_log_likelihood_in(&self, codes: &[u32], positions: &[f64]) -> Vec<Vec<f64>> {
        self.pointwise.outputs_tuned(Some(codes), positions)
    }

    /// The number of log likelihoods at one position, for each of [`Lowered`]'s likelihoods.
    pub fn pointwise_lens(&self) -> Vec<usize> {
        self.pointwise.output_lens()
    }

    /// The number of log likelihoods at one position: observations of all outcomes.
    pub fn num_observations(&self) -> usize {
        self.pointwise_lens().iter().sum()
    }
}

impl Density for Model {
    fn dim(&self) -> usize {
        self.simd.dim()
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        self.simd.evaluator(lanes)
    }

    fn work(&self) -> f64 {
        self.simd.work()
    }

    fn centring(&self) -> Option<&dyn Centring> {
        self.centring.as_ref().map(|centring| centring as &dyn Centring)
    }
}
