//! Models of a study's replicates: one design, other outcomes or weights of rows; and the means of outcomes.

use super::{Model, compiled};
use crate::back::simd::{OutputWorker, SimdDensity};
use crate::data::Table;
use crate::dist::{Family, Support};
use crate::error::Result;
use crate::ir::Handle;
use crate::lang::LowerOptions;

/// What sets a replicate apart, besides its table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplicateOptions<'a> {
    /// Multiplies the log likelihood of each row that `drop_missing` keeps, `[row]`: 0 leaves a row out of the fit, while
    /// its group keeps its effect and its pointwise log likelihood is still computed.
    pub row_weights: Option<&'a [f64]>,
    /// Whether the program is to be the same for all replicates of the design but for the numbers in its data, as it must
    /// be where a GPU runs them together. Else it may make use of what the outcomes happen to be.
    pub alike: bool,
    /// Leaves the Jacobians of positive parameters out: a fault on purpose, see `Lowered::forget_jacobians`.
    #[doc(hidden)]
    pub forgets_jacobians: bool,
}

impl Model {
    /// Compiles `text` over the `table` of one replicate.
    ///
    /// # Errors
    ///
    /// As [`Model::new`]; a user error if rows have weights and an outcome does not belong to single rows.
    pub fn replicate(name: &str, text: &str, table: &Table, options: &ReplicateOptions<'_>) -> Result<Self> {
        let lowering = LowerOptions {
            alike: options.alike,
            ..LowerOptions::default()
        };
        Self::changed(name, text, table, &lowering, |lowered| {
            if let Some(weights) = options.row_weights {
                lowered.weigh_rows(weights)?;
            }
            if options.alike {
                lowered.vary_outcomes();
            }
            if options.forgets_jacobians {
                lowered.forget_jacobians();
            }
            Ok(())
        })
    }

    /// The means of the outcomes over the rows, as functions of the position.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn means(&self) -> Result<Means> {
        let mut outcomes = Vec::new();
        let mut outputs: Vec<Handle> = Vec::new();
        let graph = &self.lowered.program.graph;
        for likelihood in &self.lowered.likelihoods {
            let rows = graph.plate_len(graph.ty(self.lowered.program.density[likelihood.term]).plate);
            outcomes.push(Outcome {
                family: likelihood.family,
                trials: match likelihood.family.support() {
                    Support::CountsUpTo => Some(0),
                    Support::Real
                    | Support::Positive
                    | Support::NonNegative
                    | Support::Unit
                    | Support::Interval
                    | Support::Binary
                    | Support::Counts => None,
                },
                rows,
                first: outputs.len(),
                arguments: likelihood.arguments.len(),
            });
            outputs.extend(&likelihood.arguments);
        }
        Ok(Means {
            program: compiled(&self.lowered.program, outputs)?,
            outcomes,
        })
    }
}

/// One outcome.
#[derive(Debug)]
struct Outcome {
    family: Family,
    /// The place of the number of trials among the arguments.
    trials: Option<usize>,
    rows: usize,
    /// The place of the first argument among the outputs.
    first: usize,
    arguments: usize,
}

/// Means of outcomes at positions: E y, or for counts out of n trials E y / n.
#[derive(Debug)]
pub struct Means {
    program: SimdDensity,
    outcomes: Vec<Outcome>,
}

impl Means {
    /// A worker in the coordinates of `codes`, `[level]`, see [`crate::back::evaluate::Centring`]; each thread makes its
    /// own.
    ///
    /// # Panics
    /// If there is not one code for each level.
    pub fn worker(&self, codes: &[u32]) -> MeansWorker<'_> {
        MeansWorker {
            lens: self.program.output_lens(),
            worker: self.program.output_worker(Some(codes)),
            means: self,
        }
    }
}

/// Evaluates [`Means`].
#[derive(Debug)]
pub struct MeansWorker<'m> {
    means: &'m Means,
    worker: OutputWorker<'m>,
    lens: Vec<usize>,
}

impl MeansWorker<'_> {
    /// The trials of each row at a position, for each likelihood `[row]`: 1 where the outcome does not count successes.
    pub fn trials(&mut self, position: &[f64]) -> Vec<Vec<f64>> {
        let mut arguments: Vec<Vec<f64>> = self.lens.iter().map(|len| vec![0.0; *len]).collect();
        let mut places: Vec<&mut [f64]> = arguments.iter_mut().map(Vec::as_mut_slice).collect();
        self.worker.evaluate(position, &mut places);
        let of = |outcome: &Outcome| match outcome.trials {
            None => vec![1.0; outcome.rows],
            Some(place) => {
                let own = &arguments[outcome.first + place];
                (0..outcome.rows)
                    .map(|row| own[if own.len() == 1 { 0 } else { row }])
                    .collect()
            }
        };
        self.means.outcomes.iter().map(of).collect()
    }

    /// The means at `positions`, `[position][dim]`, `count` of them: for each likelihood `[position][row]`, NaN where a
    /// distribution has no mean or a row no trials.
    pub fn evaluate(&mut self, positions: &[f64], count: usize) -> Vec<Vec<f64>> {
        let mut arguments: Vec<Vec<f64>> = self.lens.iter().map(|len| vec![0.0; len * count]).collect();
        let mut places: Vec<&mut [f64]> = arguments.iter_mut().map(Vec::as_mut_slice).collect();
        self.worker.evaluate(positions, &mut places);
        self.means
            .outcomes
            .iter()
            .map(|outcome| {
                let mut own = vec![0.0; outcome.arguments];
                let mut all = Vec::with_capacity(outcome.rows * count);
                for position in 0..count {
                    for row in 0..outcome.rows {
                        for (argument, x) in own.iter_mut().enumerate() {
                            let output = outcome.first + argument;
                            let len = self.lens[output];
                            *x = arguments[output][position * len + if len == 1 { 0 } else { row }];
                        }
                        let n = outcome.trials.map_or(1.0, |trials| own[trials]);
                        let mean = outcome.family.mean(&own).filter(|_| n > 0.0);
                        all.push(mean.map_or(f64::NAN, |mean| mean / n));
                    }
                }
                all
            })
            .collect()
    }
}
