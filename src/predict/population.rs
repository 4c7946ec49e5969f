//! Groups of rows, and the distributions that their effects come from.

use super::fitted::{Fitted, Options, Told};
use super::forward::{Values, from_prior, slots, stream};
use super::groups::{Groups, positions};
use super::kind::Kind;
use crate::data::printed_label;
use crate::dist::{Family, Role};
use crate::error::{Error, Result};
use crate::lang::{Holds, Input, QuantityKind, View};

/// An index of the rows whose levels have parameters of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The index, such as `tank`.
    pub index: String,
    /// Its levels.
    pub labels: Vec<String>,
    /// For each row the place of its level.
    pub codes: Vec<usize>,
}

/// What kind of outcome a model has.
#[derive(Debug, Clone, PartialEq)]
pub struct Nature {
    /// Its name.
    pub name: String,
    /// The trials that each row counts successes among; none where nothing is counted.
    pub trials: Option<Vec<f64>>,
    /// Whether its mean, for each trial, is a probability.
    pub is_share: bool,
    /// Whether it is a whole number.
    pub is_discrete: bool,
    /// Whether each row has its own; else groups of rows share one.
    pub is_by_row: bool,
}

/// The distribution that the levels of an effect come from, for each draw of the posterior.
#[derive(Debug, Clone)]
pub struct Population {
    /// The effect, such as `a_tank`.
    pub effect: String,
    /// The index of its levels.
    pub index: String,
    input: Input,
    /// `[draw][argument]`.
    arguments: Vec<f64>,
}

impl Population {
    /// Draws of the posterior.
    pub fn draws(&self) -> usize {
        self.arguments.len() / self.input.arguments.len().max(1)
    }

    fn at(&self, draw: usize) -> &[f64] {
        let width = self.input.arguments.len();
        &self.arguments[draw * width..(draw + 1) * width]
    }

    /// The density of an effect of size `x` in the population of a draw; 0 outside its support.
    pub fn density(&self, draw: usize, x: f64) -> f64 {
        let family: Family = self.input.family;
        let arguments = self.at(draw);
        if family.contains(x, arguments).is_err() || (self.input.truncated && x <= 0.0) {
            return 0.0;
        }
        let kept = match self.input.truncated {
            true => family.ln_upper_mass(arguments).unwrap_or(0.0),
            false => 0.0,
        };
        (family.log_density(&x, arguments) - kept).exp()
    }

    /// The effect of a new level in each draw of the posterior.
    ///
    /// # Errors
    ///
    /// A user error where the distribution yields no finite value.
    pub fn new_levels(&self, seed: u64) -> Result<Vec<f64>> {
        let mut rng = stream(seed, 0, &["population", &self.effect]).rng();
        (0..self.draws())
            .map(|draw| from_prior(&self.input, &mut rng, self.at(draw)))
            .collect()
    }
}

impl Fitted<'_> {
    /// The groups of the rows that have parameters, in the order of the model's index sets.
    pub fn groupings(&self) -> Vec<Grouping> {
        let lowered = self.model.lowered();
        let has_parameters = |index: &str| {
            lowered.quantities.iter().any(|quantity| {
                quantity.kind == QuantityKind::Parameter && quantity.dims.iter().any(|dim| dim.name == index)
            })
        };
        lowered
            .plates
            .iter()
            .filter_map(|plate| match (plate.dims.as_slice(), &plate.codes) {
                ([dim], Some(codes)) if has_parameters(&dim.name) => Some(Grouping {
                    index: dim.name.clone(),
                    labels: dim.labels.to_vec(),
                    codes: codes.iter().map(|&code| code as usize).collect(),
                }),
                (_, _) => None,
            })
            .collect()
    }

    /// What kind of outcome is predicted.
    ///
    /// # Errors
    ///
    /// As [`Fitted::outcome`].
    pub fn nature(&self, options: &Options) -> Result<Nature> {
        let name = self.outcome(options)?.to_owned();
        let forward = self.forward(self.observed(), self.view())?;
        let outcome = forward
            .outcomes
            .iter()
            .find(|outcome| outcome.name == name)
            .ok_or_else(|| Error::bug(format!("the outcome {name} was lost")))?;
        let arguments = outcome.family.arguments();
        let counts = arguments.iter().position(|argument| argument.role == Role::Count);
        let trials = match counts {
            None => None,
            Some(place) => {
                // Counts are data: any position has them.
                let values = Values::of(
                    &forward.graph,
                    &outcome.arguments[place..=place],
                    &vec![0.0; forward.graph.dim()],
                )?;
                let at = |element: &u32| {
                    let mut count = [0.0];
                    values.read(0, 0, *element as usize, &mut count);
                    count[0]
                };
                Some(outcome.elements.iter().map(at).collect())
            }
        };
        Ok(Nature {
            name,
            is_share: trials.is_some() || Kind::Prob.nodes(outcome).is_ok(),
            is_discrete: outcome.family.is_discrete(),
            is_by_row: outcome.len == outcome.elements.len(),
            trials,
        })
    }

    /// The distributions of effects whose arguments are parameters themselves, the same for all levels.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub fn populations(&self) -> Result<Vec<Population>> {
        let forward = self.forward(self.observed(), self.view())?;
        let options = Options {
            kind: Kind::Mean,
            groups: Groups::Sample,
            outcome: None,
            seed: 1,
        };
        let positions = positions(self.fit(), &forward, &options, &mut Told::default())?;
        let mut found = Vec::new();
        for input in &forward.inputs {
            let (dim, effect) = match (input.dims.as_slice(), input.holds) {
                ([dim], _) => (dim, input.name.clone()),
                ([dim, level], Holds::Component { .. }) => (
                    dim,
                    format!(
                        "{}[{}, {}]",
                        input.name,
                        dim.name,
                        printed_label(&level.labels[0])
                    ),
                ),
                (_, _) => continue,
            };
            if slots(&forward.graph, &input.alone).is_empty() {
                continue;
            }
            let values = Values::of(&forward.graph, &input.alone, &positions)?;
            let width = input.alone.len();
            let read = |element: usize| {
                let mut arguments = vec![0.0; self.draws() * width];
                for (draw, out) in arguments.chunks_exact_mut(width).enumerate() {
                    values.read(0, draw, element, out);
                }
                arguments
            };
            let first = read(0);
            if (1..dim.labels.len()).any(|element| read(element) != first) {
                continue;
            }
            found.push(Population {
                effect,
                index: dim.name.clone(),
                input: input.clone(),
                arguments: first,
            });
        }
        Ok(found)
    }

    fn view(&self) -> View<'_> {
        View::Observed {
            known: &self.model.lowered().known,
            before: 0,
        }
    }
}
