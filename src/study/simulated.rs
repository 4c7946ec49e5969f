//! Replicates whose truth is known: parameters drawn or set, outcomes drawn from them over a design, and fitted.

use std::sync::Arc;

use super::batch::{Prepared, Study};
use super::designs::Criterion;
use super::draws::{Draws, rank};
use super::record::{Estimate, Kind};
use crate::data::Table;
use crate::diag::{Chains, Interval, Prob, Summariser};
use crate::error::{Error, Result};
use crate::model::{Means, Model, ReplicateOptions};
use crate::predict::Simulator;

/// What is asked about each replicate, besides its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// Kind of the intervals.
    pub interval: Interval,
    /// Probability of the intervals.
    pub prob: Prob,
    /// Whether the log likelihood of all observations is ranked too.
    pub log_lik: bool,
    /// The index whose groups' mean outcomes are estimated, and compared with estimates without a model.
    pub by: Option<String>,
    /// What the posterior probability is asked of.
    pub criteria: Vec<Criterion>,
}

/// A study over simulated data sets of one design.
#[derive(Debug)]
pub struct Simulations {
    simulator: Simulator,
    name: String,
    text: String,
    seed: u64,
    questions: Questions,
    groups: Option<Groups>,
    /// Observed rows that simulated ones are fitted together with.
    observed: Option<Table>,
    alike: bool,
    forgets_jacobians: bool,
}

/// Replicates among which one has to be possible.
const EXAMPLES: u32 = 32;

/// What the condition of a criterion is called in the model that is fitted.
fn condition(place: usize) -> String {
    format!("criterion_{}", place + 1)
}

/// The groups that mean outcomes are estimated of.
#[derive(Debug)]
struct Groups {
    /// The printed name of each group.
    names: Vec<Arc<str>>,
    /// Of each row its group.
    codes: Vec<u32>,
    /// The place of the outcome among the likelihoods, and its name.
    outcome: (usize, String),
}

/// What is known about a simulated replicate.
#[derive(Debug)]
pub struct Known {
    /// Of every element of every quantity, in the order of the model's.
    truth: Vec<f64>,
    /// The log likelihood of all observations at the truth.
    log_lik: f64,
    groups: Option<KnownGroups>,
}

#[derive(Debug)]
struct KnownGroups {
    means: Means,
    /// Weight of each row in its group's mean: its trials, or 1.
    weights: Vec<f64>,
    /// `[group]` each.
    truth: Vec<f64>,
    size: Vec<f64>,
    no_pooling: Vec<f64>,
    complete_pooling: f64,
}

impl Simulations {
    /// Data sets of `simulator`, to which the model `text` is fitted, which errors call `name`.
    ///
    /// # Errors
    ///
    /// A user error if the model does not fit the simulator's design or lacks what the questions name.
    pub fn new(
        simulator: Simulator,
        (name, text): (&str, &str),
        seed: u64,
        questions: Questions,
    ) -> Result<Self> {
        let mut text = match simulator.formula() {
            Some(expanded) => expanded.text.clone(),
            None => text.to_owned(),
        };
        for (place, criterion) in questions.criteria.iter().enumerate() {
            text.push_str(&format!("\n{} = {}\n", condition(place), criterion.condition));
        }
        let mut study = Self {
            simulator,
            name: name.to_owned(),
            text,
            seed,
            questions,
            groups: None,
            observed: None,
            alike: false,
            forgets_jacobians: false,
        };
        let model = study.example()?;
        // A condition is 0 or 1 wherever the parameters are; these positions are as good as any.
        let somewhere: Vec<f64> = (0..3 * model.dim())
            .map(|place| (1.7 * place as f64 + 0.3).sin())
            .collect();
        let values = model.named_values(&somewhere);
        for (place, criterion) in study.questions.criteria.iter().enumerate() {
            let name = condition(place);
            let quantities = &model.lowered().quantities;
            let found = quantities.iter().position(|quantity| quantity.name == name);
            let Some(place) = found.filter(|place| quantities[*place].dims.is_empty()) else {
                return Err(
                    Error::user(format!("`{}` is not about one number", criterion.text))
                        .with_help("name one element, such as P(b[2] > 0) > 0.95"),
                );
            };
            if values[place].iter().any(|x| *x != 0.0 && *x != 1.0) {
                return Err(Error::user(format!(
                    "`{}` is no condition, which is either true or false",
                    criterion.condition
                ))
                .with_help("write a comparison inside P( ), such as P(b > 0) > 0.95"));
            }
        }
        if let Some(by) = &study.questions.by {
            study.groups = Some(Groups::of(&model, by)?);
        }
        Ok(study)
    }

    /// The same with the rows of `observed` before those that are simulated: each replicate is fitted to both.
    ///
    /// # Errors
    ///
    /// A user error if the model cannot be fitted to both, or learns constants from the table, which would be others.
    pub fn beside(mut self, observed: Table) -> Result<Self> {
        self.observed = Some(observed);
        let model = self.example()?;
        if let Some(learned) = model.lowered().learned.first() {
            return Err(Error::user(format!(
                "`{}` would learn other constants from the observed rows and new ones together than it learned from the \
                 observed rows, and the model that is fitted would not be the one that new rows come from",
                learned.call
            ))
            .with_help("put the standardised values into the table as a column, and read that"));
        }
        Ok(self)
    }

    /// The same with the Jacobians of positive parameters left out of the fitted model: a fault on purpose.
    #[doc(hidden)]
    #[must_use]
    pub fn forgetting_jacobians(mut self) -> Self {
        self.forgets_jacobians = true;
        self
    }

    /// The same with one program for all replicates, as a [`super::Device`] needs it.
    #[must_use]
    pub fn alike(mut self) -> Self {
        self.alike = true;
        self
    }

    /// The text that is fitted: that of the model, a formula's lines in place of it, with a line for each criterion.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the data come from.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// The model of the first replicate that can be made: what all have in common can be seen by it.
    ///
    /// # Errors
    ///
    /// A user error if none of the first replicates can be simulated and fitted: that of the first.
    pub fn example(&self) -> Result<Model> {
        let first = match self.model(0) {
            Ok((model, _)) => return Ok(model),
            Err(error) => error,
        };
        (1..EXAMPLES)
            .find_map(|replicate| self.model(replicate).ok())
            .map(|(model, _)| model)
            .ok_or(first)
    }

    fn model(&self, replicate: u32) -> Result<(Model, crate::predict::Simulated)> {
        let simulated = self.simulator.replicates(self.seed, replicate..replicate + 1)?;
        let mut table = self.simulator.data_set(&simulated, 0)?;
        if let Some(observed) = &self.observed {
            table = observed.followed_by(&table)?;
        }
        let options = ReplicateOptions {
            alike: self.alike,
            forgets_jacobians: self.forgets_jacobians,
            ..ReplicateOptions::default()
        };
        let model = Model::replicate(&self.name, &self.text, &table, &options)?;
        Ok((model, simulated))
    }
}

impl Groups {
    /// Of the index `by` of the model.
    fn of(model: &Model, by: &str) -> Result<Self> {
        let lowered = model.lowered();
        let rows = lowered.plates.first().map_or("", |plate| plate.name.as_str());
        let indices = || {
            lowered
                .plates
                .iter()
                .filter(|plate| plate.codes.is_some() && plate.dims.len() == 1)
        };
        let plate = indices().find(|plate| plate.name == by);
        let Some((plate, codes)) = plate.and_then(|plate| plate.codes.as_ref().map(|codes| (plate, codes)))
        else {
            let names: Vec<&str> = indices()
                .map(|plate| plate.name.as_str())
                .filter(|name| *name != rows)
                .collect();
            return Err(Error::user(format!("`{by}` is no index of the model"))
                .with_help(format!("its indices are: {}", names.join(", "))));
        };
        let outcome = lowered
            .likelihoods
            .iter()
            .position(|likelihood| likelihood.plate == rows)
            .ok_or_else(|| {
                Error::user("the model has no outcome over the rows, so that groups have no mean of it")
            })?;
        Ok(Self {
            names: plate.dims[0]
                .labels
                .iter()
                .map(|label| Arc::from(crate::data::element_name(by, [(by, label.as_str())]).as_str()))
                .collect(),
            codes: codes.clone(),
            outcome: (outcome, lowered.likelihoods[outcome].outcome.clone()),
        })
    }

    /// The means of groups from those of rows, weighted.
    fn means(&self, rows: &[f64], weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.names.len()];
        for ((&code, &mean), &weight) in self.codes.iter().zip(rows).zip(weights) {
            if weight > 0.0 {
                let sum = &mut sums[code as usize];
                sum.0 += weight * mean;
                sum.1 += weight;
            }
        }
        sums.into_iter().map(|(sum, weight)| sum / weight).collect()
    }
}

impl Study for Simulations {
    type Known = Known;

    fn prepare(&self, replicate: u32) -> Result<Prepared<Known>> {
        let (model, simulated) = self.model(replicate)?;
        let mut truth = Vec::new();
        for quantity in &model.lowered().quantities {
            let known = simulated
                .quantities
                .iter()
                .find(|known| known.name == quantity.name);
            let len = quantity.elements().len();
            match known.filter(|known| known.values.len() == len) {
                Some(known) => truth.extend(&known.values),
                None => truth.extend(vec![f64::NAN; len]),
            }
        }
        let needs_position = self.questions.log_lik || self.groups.is_some();
        let mut known = Known {
            truth,
            log_lik: f64::NAN,
            groups: None,
        };
        if needs_position {
            let parameters: Vec<(&str, Vec<f64>)> = simulated
                .quantities
                .iter()
                .filter(|quantity| !quantity.derived)
                .map(|quantity| (quantity.name.as_str(), quantity.values.clone()))
                .collect();
            let position = model.position(&parameters)?;
            if self.questions.log_lik {
                known.log_lik = model.pointwise_log_likelihood(&position).iter().flatten().sum();
            }
            if let Some(groups) = &self.groups {
                let (place, name) = &groups.outcome;
                let means = model.means()?;
                let codes = crate::back::evaluate::Density::centring(&model)
                    .map_or_else(Vec::new, |centring| centring.initial().to_vec());
                let mut worker = means.worker(&codes);
                let weights = worker.trials(&position).swap_remove(*place);
                let rows = worker.evaluate(&position, 1).swap_remove(*place);
                let observed = simulated
                    .outcomes
                    .iter()
                    .find(|(outcome, _)| outcome == name)
                    .ok_or_else(|| Error::bug(format!("no outcome `{name}` was simulated")))?;
                let raw: Vec<f64> = observed.1.iter().zip(&weights).map(|(y, n)| y / n).collect();
                let all: f64 = weights.iter().sum();
                known.groups = Some(KnownGroups {
                    truth: groups.means(&rows, &weights),
                    no_pooling: groups.means(&raw, &weights),
                    complete_pooling: observed.1.iter().sum::<f64>() / all,
                    size: {
                        let mut sums = vec![0.0; groups.names.len()];
                        for (&code, weight) in groups.codes.iter().zip(&weights) {
                            sums[code as usize] += weight;
                        }
                        sums
                    },
                    weights,
                    means,
                });
            }
        }
        Ok(Prepared { model, known })
    }

    fn example(&self) -> Result<Model> {
        Simulations::example(self)
    }

    fn digest(&self, replicate: u32, prepared: &Prepared<Known>, draws: &Draws<'_>) -> Result<Vec<Estimate>> {
        let (interval, prob) = (self.questions.interval, self.questions.prob);
        let known = &prepared.known;
        let mut estimates = draws.estimates(replicate, Some(&known.truth), (interval, prob), self.seed)?;
        for (place, criterion) in self.questions.criteria.iter().enumerate() {
            let name = condition(place);
            for estimate in estimates
                .iter_mut()
                .filter(|estimate| *estimate.quantity == *name)
            {
                estimate.kind = Kind::Criterion;
                estimate.quantity = Arc::from(criterion.text.as_str());
            }
        }
        let (chains, _) = draws.shape();
        if self.questions.log_lik {
            let totals = draws.joined_ranked(|codes, positions| {
                let pointwise = prepared.model.pointwise_log_likelihood_in(codes, positions);
                let mut totals = vec![0.0; positions.len() / prepared.model.dim()];
                for values in &pointwise {
                    let rows = (values.len() / totals.len()).max(1);
                    for (total, own) in totals.iter_mut().zip(values.chunks(rows)) {
                        *total += own.iter().sum::<f64>();
                    }
                }
                vec![totals]
            });
            let totals = totals.concat();
            let place = estimates.len();
            estimates.push(Estimate {
                truth: known.log_lik,
                mean: totals.iter().sum::<f64>() / totals.len() as f64,
                rank: rank(known.log_lik, totals.into_iter(), (self.seed, replicate, place)),
                ..Estimate::unknown(replicate, Kind::LogLik, Arc::from("log likelihood"))
            });
        }
        if let (Some(groups), Some(known)) = (&self.groups, &known.groups) {
            let rows = draws.joined(|codes, positions| {
                let count = positions.len() / prepared.model.dim();
                known.means.worker(codes).evaluate(positions, count)
            });
            let of_draws: Vec<Vec<f64>> = rows[groups.outcome.0]
                .chunks(known.weights.len())
                .map(|rows| groups.means(rows, &known.weights))
                .collect();
            let summariser = Summariser::new(chains, draws.shape().1, interval, prob, None);
            for (group, name) in groups.names.iter().enumerate() {
                let column: Vec<f64> = of_draws.iter().map(|means| means[group]).collect();
                let estimate = Estimate {
                    truth: known.truth[group],
                    size: known.size[group],
                    no_pooling: known.no_pooling[group],
                    complete_pooling: known.complete_pooling,
                    ..Estimate::unknown(replicate, Kind::Mean, name.clone())
                };
                let summary = summariser.summarise(Chains::new(&column, chains)?);
                estimates.push(estimate.summarised(&summary));
            }
        }
        Ok(estimates)
    }
}
