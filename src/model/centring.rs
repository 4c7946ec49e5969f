//! The levels of a model's effects whose centring weights are learned, and what they stand for at a position.

use crate::back::evaluate::{Centring, Standardised};
use crate::back::simd::SimdDensity;
use crate::error::Result;
use crate::ir::{Handle, Program};
use crate::lang::{Lowered, TunedEffect};
use crate::pass;

/// Outputs of each effect: centre, ln scale, standardised effect.
const OUTPUTS: usize = 3;

/// A model's effects with centring weights as data.
#[derive(Debug)]
pub(super) struct LearnedCentring {
    initial: Vec<u32>,
    coordinates: Vec<usize>,
    /// Centre, ln scale and standardised effect of each effect in turn.
    program: SimdDensity,
    /// Levels of each effect.
    levels: Vec<usize>,
}

impl LearnedCentring {
    /// None for a model without such effects.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(super) fn new(lowered: &Lowered) -> Result<Option<Self>> {
        if lowered.tuned.is_empty() {
            return Ok(None);
        }
        let graph = &lowered.program.graph;
        let offsets = graph.slot_offsets();
        let outputs: Vec<Handle> = lowered
            .tuned
            .iter()
            .flat_map(|effect| [effect.centre, effect.ln_scale, effect.standardised])
            .collect();
        let program = Program {
            outputs,
            ..lowered.program.clone()
        };
        let places = |effect: &TunedEffect| offsets[effect.slot]..offsets[effect.slot + 1];
        Ok(Some(Self {
            initial: graph.tuned().flat_map(|index| &index.codes).copied().collect(),
            coordinates: lowered.tuned.iter().flat_map(places).collect(),
            levels: lowered.tuned.iter().map(|effect| places(effect).len()).collect(),
            program: SimdDensity::new(pass::output_program(&program)?)?,
        }))
    }
}

impl Centring for LearnedCentring {
    fn initial(&self) -> &[u32] {
        &self.initial
    }

    fn effects(&self) -> &[usize] {
        &self.levels
    }

    fn coordinates(&self) -> &[usize] {
        &self.coordinates
    }

    fn standardise(&self, codes: &[u32], positions: &[f64]) -> Standardised {
        let values = self.program.outputs_tuned(Some(codes), positions);
        let count = values[0].len() / self.levels[0];
        // From [effect][position][level] to [position][effect][level].
        let join = |output: usize| -> Vec<f64> {
            let mut joined = Vec::with_capacity(count * self.initial.len());
            for position in 0..count {
                for (effect, levels) in self.levels.iter().enumerate() {
                    let values = &values[effect * OUTPUTS + output];
                    joined.extend_from_slice(&values[position * levels..(position + 1) * levels]);
                }
            }
            joined
        };
        Standardised {
            location: join(0),
            ln_scale: join(1),
            effect: join(2),
        }
    }
}
