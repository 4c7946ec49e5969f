//! Simulation: parameters from their priors or as set, and outcomes from them.
//!
//! A replicate is one set of parameters with its outcomes over the design; a seed and its number name it, so replicates
//! can be made in any order, in parts, on any machine.

use std::ops::Range;

use super::forward::{Values, element_labels, fill, from_prior, printed_name, stream};
use crate::data::{Column, Table, number_label};
use crate::dist::Support;
use crate::error::{Error, Result};
use crate::lang::{self, Dim, Expanded, Forward, Holds, Input, View, nearest};
use crate::transform::{correlations_of, shares_of};

/// A model over a design, from which replicates come.
#[derive(Debug)]
pub struct Simulator {
    forward: Forward,
    formula: Option<Expanded>,
    /// By coordinate of the position.
    set: Vec<Option<f64>>,
    /// Parameters of one replicate after another, `[replicate][dim]`, in place of the prior; none: the prior.
    given: Option<Vec<f64>>,
}

/// Some replicates.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Parameters, then derived quantities, each `[replicate][element]`.
    pub quantities: Vec<Truth>,
    /// The outcomes in the order of the text, each `[replicate][row]`.
    pub outcomes: Vec<(String, Vec<f64>)>,
}

/// The values of a parameter or a derived quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The name in the model text.
    pub name: String,
    /// The printed name of each element.
    pub elements: Vec<String>,
    /// Whether it is computed from the parameters.
    pub derived: bool,
    /// `[replicate][element]`.
    pub values: Vec<f64>,
}

impl Simulator {
    /// Reads the model `text`, which errors call `name`, over a design. Outcomes need not be columns of it.
    ///
    /// # Errors
    ///
    /// A user error with all findings about the text and the design.
    pub fn new(name: &str, text: &str, design: &Table) -> Result<Self> {
        let mut tree = lang::parse(name, text)?;
        let expanded = lang::expand(&tree, (name, text), design, true)?;
        let text = match &expanded {
            Some(expanded) => {
                tree = lang::parse(name, &expanded.text)?;
                expanded.text.as_str()
            }
            None => text,
        };
        let mut columns: Vec<&str> = design.names().collect();
        for outcome in lang::unused_targets(&tree) {
            if !columns.contains(&outcome) {
                columns.push(outcome);
            }
        }
        let forward = lang::lower_forward(&tree, (name, text), design, &columns, View::Design, None)
            .map_err(Error::from)?;
        if let Some(outcome) = forward.outcomes.iter().find(|outcome| outcome.defined) {
            return Err(Error::user(format!(
                "the outcome `{}` is computed from columns, and a simulated one would have to be undone to them",
                outcome.name
            ))
            .with_help(format!(
                "write the model for a column of its own: delete the line that defines `{}`",
                outcome.name
            )));
        }
        Ok(Self {
            set: vec![None; forward.graph.dim()],
            given: None,
            formula: expanded,
            forward,
        })
    }

    /// What the formula of the text stands for, if it has one.
    pub fn formula(&self) -> Option<&Expanded> {
        self.formula.as_ref()
    }

    /// The design's rows, `drop_missing` done.
    pub fn design(&self) -> &Table {
        &self.forward.table
    }

    /// The larger of the number of parameters' values and the number of outcomes of one replicate.
    pub fn size(&self) -> usize {
        let outcomes: usize = self
            .forward
            .outcomes
            .iter()
            .map(|outcome| outcome.elements.len())
            .sum();
        outcomes.max(self.forward.graph.dim())
    }

    /// Warnings and notes about the text, and notes about the design.
    pub fn reports(&self) -> (&lang::Reports, &[String]) {
        (&self.forward.reports, self.forward.table.notes())
    }

    /// The outcomes' names.
    pub fn outcomes(&self) -> Vec<&str> {
        self.forward
            .outcomes
            .iter()
            .map(|outcome| outcome.name.as_str())
            .collect()
    }

    /// Sets a parameter (`sigma`), all its elements (`a_tank`), or one (`a_tank[3]`), in place of a draw from the prior.
    ///
    /// # Errors
    ///
    /// A user error if there is no such parameter or the value is not finite or outside its support. Ends of a support
    /// that themselves depend on parameters are looked at with each replicate.
    pub fn set(&mut self, name: &str, value: f64) -> Result<()> {
        let offsets = self.forward.graph.slot_offsets();
        let mut found = false;
        for (input, offset) in self.forward.inputs.iter().zip(&offsets) {
            for (element, printed) in elements(&input.name, &input.dims).iter().enumerate() {
                if input.name != name && printed != name {
                    continue;
                }
                found = true;
                if let Holds::Correlation { order } = input.holds {
                    let pairs = size(&input.dims);
                    if input.name != name && pairs > 1 {
                        return Err(Error::user(format!(
                            "`{printed}` cannot be set alone: what it may be depends on the other correlations"
                        ))
                        .with_help(format!("set all of them to one number: `{}={value}`", input.name)));
                    }
                    let shares = shares_of(&vec![value; pairs], order);
                    let shares = shares.ok_or_else(|| match value.abs() < 1.0 {
                        true => Error::user(format!(
                            "the {pairs} correlations of `{}` cannot all be {}: there is no such matrix",
                            input.name,
                            number_label(value)
                        ))
                        .with_help(format!(
                            "correlations that are all the same lie above {}",
                            number_label(-1.0 / (order - 1) as f64)
                        )),
                        false => outside(printed, value, &input.support),
                    })?;
                    self.set[offset + element] = Some(shares[element]);
                    continue;
                }
                let positive = input.support == "(0, ∞)";
                let unit = input.support == "(0, 1)";
                if !value.is_finite() || (positive && value <= 0.0) || (unit && !(value > 0.0 && value < 1.0))
                {
                    return Err(outside(printed, value, &input.support));
                }
                self.set[offset + element] = Some(value);
            }
        }
        if found {
            return Ok(());
        }
        let error = Error::user(format!("`{name}` is no parameter of the model"));
        let mut names: Vec<String> = Vec::new();
        for input in &self.forward.inputs {
            names.push(input.name.clone());
            if name.contains('[') {
                names.extend(elements(&input.name, &input.dims));
            }
        }
        Err(match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => {
                let inputs: Vec<&str> = self
                    .forward
                    .inputs
                    .iter()
                    .map(|input| input.name.as_str())
                    .collect();
                error.with_help(format!("there are: {}", inputs.join(", ")))
            }
        })
    }

    /// Takes the parameters from `named`, each `[replicate][element]`, `replicates` of them, in place of draws from the prior:
    /// draws of a posterior, say. Replicates beyond them begin with the first again.
    ///
    /// # Errors
    ///
    /// A user error if a parameter is missing, has another number of values or one that is no value of it.
    pub fn give(&mut self, named: &[(&str, &[f64])], replicates: usize) -> Result<()> {
        let graph = &self.forward.graph;
        let (dim, offsets) = (graph.dim(), graph.slot_offsets());
        let mut positions = vec![0.0; dim * replicates];
        for (slot, input) in self.forward.inputs.iter().enumerate() {
            let len = offsets[slot + 1] - offsets[slot];
            let elements = input.holds.elements(len);
            let known = named.iter().find(|(name, _)| *name == input.name);
            let values = known
                .map(|(_, values)| *values)
                .filter(|values| values.len() == elements * replicates)
                .ok_or_else(|| {
                    Error::user(format!("no values are given for the parameter `{}`", input.name))
                })?;
            for (replicate, own) in values.chunks(elements.max(1)).enumerate() {
                let held = input.holds.of(own).ok_or_else(|| {
                    Error::user(format!("a value of `{}` is none of its support", input.name))
                })?;
                positions[replicate * dim + offsets[slot]..][..len].copy_from_slice(&held);
            }
        }
        self.given = Some(positions);
        Ok(())
    }

    /// Makes these replicates of the seed. Priors of groups are those given the parameters that were set or drawn.
    ///
    /// # Errors
    ///
    /// A user error where a distribution's arguments are impossible, with the parameter or row.
    pub fn replicates(&self, seed: u64, replicates: Range<u32>) -> Result<Simulated> {
        let forward = &self.forward;
        let graph = &forward.graph;
        let dim = graph.dim();
        let numbers: Vec<u32> = replicates.collect();
        let count = numbers.len();
        let positions = self.positions(seed, &numbers)?;
        let offsets = graph.slot_offsets();
        let mut quantities = Vec::new();
        for (place, input) in forward.inputs.iter().enumerate() {
            let len = size(&input.dims);
            let read = |r: usize| &positions[r * dim + offsets[place]..][..len];
            quantities.push(match input.holds {
                Holds::Whole | Holds::Component { .. } => Truth {
                    name: input.name.clone(),
                    elements: elements(&input.name, &input.dims),
                    derived: false,
                    values: (0..count).flat_map(|r| read(r).iter().copied()).collect(),
                },
                Holds::Correlation { order } => Truth {
                    name: input.name.clone(),
                    elements: elements(&input.name, &input.dims),
                    derived: false,
                    values: (0..count).flat_map(|r| correlations_of(read(r), order)).collect(),
                },
            });
        }
        let mut quantities = joined(quantities, &forward.inputs, count);
        for definition in &forward.definitions {
            let values = Values::of(graph, &[definition.value], &positions)?;
            let len = size(&definition.dims);
            let mut all = vec![0.0; len * count];
            for r in 0..count {
                for element in 0..len {
                    values.read(0, r, element, &mut all[r * len + element..][..1]);
                }
            }
            quantities.push(Truth {
                name: definition.name.clone(),
                elements: elements(&definition.name, &definition.dims),
                derived: true,
                values: all,
            });
        }
        let outcomes = self.draw_outcomes(&positions, seed, &numbers)?;
        Ok(Simulated { quantities, outcomes })
    }

    /// The first replicate of the seed that can be made, of the first few.
    ///
    /// # Errors
    ///
    /// That of the first if none can.
    pub fn some_replicate(&self, seed: u64) -> Result<Simulated> {
        const TRIED: u32 = 32;
        let first = match self.replicates(seed, 0..1) {
            Ok(simulated) => return Ok(simulated),
            Err(error) => error,
        };
        (1..TRIED)
            .find_map(|replicate| self.replicates(seed, replicate..replicate + 1).ok())
            .ok_or(first)
    }

    /// The parameters of these replicates, `[replicate][dim]`.
    fn positions(&self, seed: u64, replicates: &[u32]) -> Result<Vec<f64>> {
        let forward = &self.forward;
        let count = replicates.len();
        let dim = forward.graph.dim();
        if let Some(given) = self.given.as_ref().filter(|given| !given.is_empty()) {
            let known = given.len() / dim;
            let of = |replicate: &u32| &given[(*replicate as usize % known) * dim..][..dim];
            return Ok(replicates.iter().flat_map(of).copied().collect());
        }
        let mut positions = vec![0.0; count * dim];
        let offsets = forward.graph.slot_offsets();
        let wanted: Vec<Vec<usize>> = forward
            .inputs
            .iter()
            .map(|input| (0..size(&input.dims)).collect())
            .collect();
        fill(
            forward,
            &wanted,
            (&mut positions, count),
            |input, element, arguments| {
                let set = self.set[offsets[input] + element];
                self.parameter(
                    &forward.inputs[input],
                    element,
                    arguments,
                    set,
                    (seed, replicates),
                )
            },
        )?;
        Ok(positions)
    }

    /// The probabilities of success in these replicates, `[replicate][row]`, of each outcome that counts successes, by
    /// its name. Rows without trials are left out.
    ///
    /// # Errors
    ///
    /// As [`Simulator::replicates`].
    pub fn probabilities(&self, seed: u64, replicates: Range<u32>) -> Result<Vec<(String, Vec<f64>)>> {
        let numbers: Vec<u32> = replicates.collect();
        let positions = self.positions(seed, &numbers)?;
        let mut all = Vec::new();
        for outcome in &self.forward.outcomes {
            let trials = match outcome.family.support() {
                Support::Binary => None,
                Support::CountsUpTo => Some(0),
                Support::Real
                | Support::Positive
                | Support::NonNegative
                | Support::Unit
                | Support::Interval
                | Support::Counts => continue,
            };
            let values = Values::of(&self.forward.graph, &outcome.arguments, &positions)?;
            let mut arguments = vec![0.0; outcome.arguments.len()];
            let mut probabilities = Vec::with_capacity(outcome.elements.len() * numbers.len());
            for position in 0..numbers.len() {
                for element in &outcome.elements {
                    values.read(0, position, *element as usize, &mut arguments);
                    let n = trials.map_or(1.0, |trials: usize| arguments[trials]);
                    if let Some(mean) = outcome.family.mean(&arguments).filter(|_| n > 0.0) {
                        probabilities.push(mean / n);
                    }
                }
            }
            all.push((outcome.name.clone(), probabilities));
        }
        Ok(all)
    }

    fn parameter(
        &self,
        input: &Input,
        element: usize,
        (values, first): (&Values, usize),
        set: Option<f64>,
        (seed, replicates): (u64, &[u32]),
    ) -> Result<Vec<f64>> {
        let labels = element_labels(input, element);
        let named = [&["parameter", input.name.as_str()], labels.as_slice()].concat();
        let mut arguments = vec![0.0; input.arguments.len()];
        let mut made = Vec::with_capacity(replicates.len());
        for (position, &replicate) in replicates.iter().enumerate() {
            values.read(first, position, element, &mut arguments);
            made.push(match set {
                None => {
                    let mut rng = stream(seed, replicate, &named).rng();
                    from_prior(input, &mut rng, &arguments)
                        .map_err(|error| prefixed(&error, &printed_name(input, element)))?
                }
                Some(value) => {
                    if input.family.contains(value, &arguments).is_err() {
                        let name = printed_name(input, element);
                        return Err(outside(&name, value, &input.support));
                    }
                    value
                }
            });
        }
        Ok(made)
    }

    fn draw_outcomes(
        &self,
        positions: &[f64],
        seed: u64,
        replicates: &[u32],
    ) -> Result<Vec<(String, Vec<f64>)>> {
        let mut all = Vec::new();
        for outcome in &self.forward.outcomes {
            let values = Values::of(&self.forward.graph, &outcome.arguments, positions)?;
            let rows = outcome.elements.len();
            let mut drawn = Vec::with_capacity(rows * replicates.len());
            let mut arguments = vec![0.0; outcome.arguments.len()];
            let mut of_elements = vec![0.0; outcome.len];
            for (position, &replicate) in replicates.iter().enumerate() {
                let mut rng = stream(seed, replicate, &["outcome", &outcome.name]).rng();
                for (element, y) in of_elements.iter_mut().enumerate() {
                    values.read(0, position, element, &mut arguments);
                    *y = outcome.family.sample(&mut rng, &arguments).map_err(|error| {
                        let row = outcome.elements.iter().position(|own| *own as usize == element);
                        let line = row.map_or_else(String::new, |row| {
                            format!(
                                " in {}, line {}",
                                self.design().name(),
                                self.design().line_of(row)
                            )
                        });
                        prefixed(&error, &format!("{}{line}", outcome.name))
                    })?;
                }
                drawn.extend(
                    outcome
                        .elements
                        .iter()
                        .map(|&element| of_elements[element as usize]),
                );
            }
            all.push((outcome.name.clone(), drawn));
        }
        Ok(all)
    }

    /// The design with the outcomes of one replicate of `simulated`, in the place of its own or behind its columns.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    ///
    /// # Panics
    ///
    /// If there is no such replicate.
    pub fn data_set(&self, simulated: &Simulated, replicate: usize) -> Result<Table> {
        let mut table = self.design().clone();
        let rows = table.rows();
        for (name, values) in &simulated.outcomes {
            let cells: Vec<String> = values[replicate * rows..][..rows]
                .iter()
                .map(|x| number_label(*x))
                .collect();
            table = table.with_column(Column::from_cells(name, cells.iter().map(String::as_str)))?;
        }
        Ok(table)
    }
}

/// The truths of `inputs`, those of correlated effects `a[g, k]`, one for each level of the last axis, joined.
fn joined(truths: Vec<Truth>, inputs: &[Input], count: usize) -> Vec<Truth> {
    let mut all: Vec<Truth> = Vec::with_capacity(truths.len());
    let mut waiting: Vec<Truth> = Vec::new();
    for (truth, input) in truths.into_iter().zip(inputs) {
        let Holds::Component { of, .. } = input.holds else {
            all.push(truth);
            continue;
        };
        waiting.push(truth);
        if waiting.len() < of {
            continue;
        }
        let groups = waiting[0].elements.len();
        let mut whole = Truth {
            name: input.name.clone(),
            elements: Vec::with_capacity(groups * of),
            derived: false,
            values: Vec::with_capacity(groups * of * count),
        };
        for group in 0..groups {
            whole
                .elements
                .extend(waiting.iter().map(|level| level.elements[group].clone()));
        }
        for place in 0..groups * count {
            whole
                .values
                .extend(waiting.iter().map(|level| level.values[place]));
        }
        all.push(whole);
        waiting.clear();
    }
    all
}

fn size(dims: &[Dim]) -> usize {
    dims.iter().map(|dim| dim.labels.len()).product()
}

fn elements(name: &str, dims: &[Dim]) -> Vec<String> {
    lang::element_names(name, dims)
}

fn outside(name: &str, value: f64, support: &str) -> Error {
    Error::user(format!(
        "`{name}` cannot be {}: its values lie in {support}",
        number_label(value)
    ))
    .with_help(format!("set `{name}` to a finite number of this set"))
}

fn prefixed(error: &Error, what: &str) -> Error {
    let placed = Error::user(format!("{what}: {}", error.message()));
    match error.help() {
        Some(help) => placed.with_help(help),
        None => {
            placed.with_help("set the parameters that its distribution depends on, or narrow their priors")
        }
    }
}
