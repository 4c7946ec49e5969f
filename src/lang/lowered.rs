//! A lowered model: the program over the data, and what its parts are called.

use std::sync::Arc;

use super::ast::Link;
use super::forward::Known;
use super::report::Reports;
use crate::data::{Learned, element_name};
use crate::dist::Family;
use crate::error::{Error, Result};
use crate::ir::{Binary, Column, ColumnId, Graph, Handle, Op, Program, SlotId, Type, Unary};
use crate::transform::{Constraint, Coordinate, shares_of};

/// Choices of the lowering that the model text leaves open.
#[derive(Debug, Clone, Copy)]
pub struct LowerOptions {
    /// Centres every effect (`true`) or none (`false`), hints of the text notwithstanding; by default each effect has
    /// its hint, or centring weights that are learned.
    pub centring: Option<bool>,
    /// Whether an intercept that is added to an effect enters the effect's coordinate (the totals are sampled), so that
    /// the two do not trade against each other.
    pub ridges: bool,
    /// Whether such choices between effects, of which one takes an intercept in, look at the text alone and not at the
    /// outcomes, so that replicates of a study have one program.
    pub alike: bool,
}

impl Default for LowerOptions {
    fn default() -> Self {
        Self {
            centring: None,
            ridges: true,
            alike: false,
        }
    }
}

/// Why a model was not lowered.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// Findings about the text or its data, with their places.
    Reports(Reports),
    /// A fault of tadpool itself.
    Error(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Reports(reports) => reports.into(),
            Failure::Error(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl From<Reports> for Failure {
    fn from(reports: Reports) -> Self {
        Failure::Reports(reports)
    }
}

/// A model over a table, ready for the passes.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The raw program: density (one term for each target of a `~`, with all constants and Jacobians) and outputs.
    pub program: Program,
    /// What people see of a draw: the parameters in the order of the text, then the derived quantities in theirs.
    pub quantities: Vec<Quantity>,
    /// The lines with data on their left, in the order of the text.
    pub likelihoods: Vec<Likelihood>,
    /// The parameters in the order of the position's slots: one slot each, in the order of the text; correlated effects
    /// `a[g, k]` have one for each level of the last axis.
    pub parameters: Vec<Parameter>,
    /// Effects whose parameterisation was chosen, in the order of the text.
    pub effects: Vec<Effect>,
    /// Those of the effects whose centring weights are data, in the order of the program's tuned indices.
    pub tuned: Vec<TunedEffect>,
    /// The index sets that the model uses: the rows first.
    pub plates: Vec<PlateTable>,
    /// The columns that the model uses, in the table's order.
    pub columns: Vec<UsedColumn>,
    /// What `standardize` and `center` learned, in the order of the text.
    pub learned: Vec<LearnedCall>,
    /// What the table taught, for reading new rows.
    pub known: Known,
    /// Rows of the table as read.
    pub rows_read: usize,
    /// Rows that `drop_missing` left.
    pub rows_kept: usize,
    /// Warnings and notes about the model text.
    pub reports: Reports,
    /// Notes about the table, each one sentence.
    pub notes: Vec<String>,
    /// The model text with canonical names, truncations and parameterisations made visible; itself a model text.
    pub expansion: String,
}

/// One named quantity of a draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The name in the model text.
    pub name: String,
    /// The axes of its subscripts, last one fastest; empty for a single number.
    pub dims: Vec<Dim>,
    /// What it is.
    pub kind: QuantityKind,
    /// Its place in the program's outputs; one value per element.
    pub output: usize,
    /// The set of its values, such as `(0, ∞)`.
    pub support: String,
}

/// One axis of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dim {
    /// The index, or for a fixed length the quantity's own name.
    pub name: String,
    /// The labels of the levels, in order; shared, since rows have one each.
    pub labels: Arc<[String]>,
}

/// Where a quantity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityKind {
    /// Left of a `~`: part of what is sampled.
    Parameter,
    /// Defined by `=` and needed by no `~`: computed from the draws.
    Derived,
}

impl Quantity {
    /// The printed name of each element, in order: `a_tank[1]`, `alpha[2,3]`.
    pub fn elements(&self) -> Vec<String> {
        element_names(&self.name, &self.dims)
    }
}

/// The printed name of each element over some axes, the last axis fastest.
pub fn element_names(name: &str, dims: &[Dim]) -> Vec<String> {
    labels(dims)
        .iter()
        .map(|labels| {
            element_name(
                name,
                dims.iter()
                    .map(|dim| dim.name.as_str())
                    .zip(labels.iter().copied()),
            )
        })
        .collect()
}

/// Every combination of the axes' labels, last axis fastest.
fn labels(dims: &[Dim]) -> Vec<Vec<&str>> {
    let mut combinations = vec![Vec::new()];
    for dim in dims {
        combinations = combinations
            .iter()
            .flat_map(|head: &Vec<&str>| {
                dim.labels.iter().map(move |label| {
                    let mut labels = head.clone();
                    labels.push(label.as_str());
                    labels
                })
            })
            .collect();
    }
    combinations
}

/// A line with data on its left.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    /// The outcome's name.
    pub outcome: String,
    /// Its distribution.
    pub family: Family,
    /// The outcome's values, a node of data over `plate`.
    pub observed: Handle,
    /// The distribution's arguments in their order: nodes over the same plate or none.
    pub arguments: Vec<Handle>,
    /// The link of the argument that gives the mean, with the node of the linear predictor, where a line defines one.
    pub link: Option<(Link, Handle)>,
    /// The name of the plate: the rows, or an index for an outcome per group.
    pub plate: String,
    /// The place of its term in the program's density.
    pub term: usize,
    /// The place of the pointwise log likelihood in the program's outputs; one value per element of the plate.
    pub output: usize,
}

/// What of a parameter stands in a slot of the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// All elements.
    Whole,
    /// Every `of`-th element from `place` on: one level of the last axis, of correlated effects `a[g, k]`.
    Component {
        /// The level.
        place: usize,
        /// The axis's levels.
        of: usize,
    },
    /// The shares of a correlation matrix, see [`shares_of`](crate::transform::shares_of).
    Correlation {
        /// Its order.
        order: usize,
    },
}

impl Holds {
    /// The values in the slot of a parameter with the elements `values`; none for correlations of no matrix.
    pub fn of(self, values: &[f64]) -> Option<Vec<f64>> {
        match self {
            Holds::Whole => Some(values.to_vec()),
            Holds::Component { place, of } => Some(values.iter().skip(place).step_by(of).copied().collect()),
            Holds::Correlation { order } => shares_of(values, order),
        }
    }

    /// The elements of the parameter for `len` values in the slot.
    pub fn elements(self, len: usize) -> usize {
        match self {
            Holds::Whole | Holds::Correlation { .. } => len,
            Holds::Component { of, .. } => len * of,
        }
    }
}

/// A parameter: a slot of the position.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name in the model text.
    pub name: String,
    /// What of it stands in this slot.
    pub holds: Holds,
    /// The prior's distribution.
    pub family: Family,
    /// The prior's arguments in their order: nodes over the parameter's plate or none.
    pub arguments: Vec<Handle>,
    /// How the slot stands for the parameter; nodes over the parameter's plate or none.
    pub coordinate: Coordinate<Handle>,
    /// The parameter on its natural scale.
    pub value: Handle,
    /// Whether the prior was truncated to (0, ∞) because the parameter is used as a scale.
    pub truncated: bool,
    /// The place of its term in the program's density.
    pub term: usize,
}

/// An effect: a parameter of a location-scale family whose location or scale is itself a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The parameter's name.
    pub name: String,
    /// The name of its plate; none for a single number.
    pub group: Option<String>,
    /// The location as written.
    pub location: String,
    /// The scale as written.
    pub scale: String,
    /// How its coordinate stands for it.
    pub parameterisation: Parameterisation,
    /// The reason for it, one phrase.
    pub why: String,
}

/// How the coordinate of an effect stands for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameterisation {
    /// The effect is its own coordinate.
    Centred,
    /// The coordinate is the standardised effect.
    Noncentred,
    /// A centring weight λ per level, learned in warm-up.
    Learned {
        /// The code of λ that every level begins with, see [`CENTRING_STEPS`](crate::transform::CENTRING_STEPS).
        start: u32,
        /// The intercept whose total with the effect is the coordinate at λ = 1.
        with: Option<String>,
    },
}

/// An effect with learned centring weights: η = λ·centre + scale^λ·ξ, one λ for each element of its plate.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedEffect {
    /// The slot of the parameter.
    pub slot: usize,
    /// The centre, over the effect's plate.
    pub centre: Handle,
    /// ln scale, over the effect's plate.
    pub ln_scale: Handle,
    /// The standardised effect ξ, over its plate.
    pub standardised: Handle,
    /// ln |dη/dξ| = Σ λ·ln scale, over all of its levels together.
    pub ln_jacobian: Handle,
}

/// An index set with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlateTable {
    /// The index, or `actor:treatment` for a crossing.
    pub name: String,
    /// The axes; one for a factor. The plate's size is the product of their lengths.
    pub dims: Vec<Dim>,
    /// For each row of the table its element; none for a fixed length.
    pub codes: Option<Vec<u32>>,
}

impl PlateTable {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.dims.iter().map(|dim| dim.labels.len()).product()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels of all elements; those of several axes with commas between: `2,low`.
    pub fn element_labels(&self) -> Vec<String> {
        let mut all: Vec<String> = vec![String::new()];
        for (place, dim) in self.dims.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            all = all
                .iter()
                .flat_map(|head| {
                    dim.labels
                        .iter()
                        .map(move |label| format!("{head}{comma}{label}"))
                })
                .collect();
        }
        all
    }
}

/// A column that the model uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedColumn {
    /// Its name.
    pub name: String,
    /// Whether its numbers enter (else only its labels, as an index).
    pub numeric: bool,
    /// Whether its labels serve as an index.
    pub index: bool,
}

/// What a call of `standardize` or `center` learned from the data.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedCall {
    /// The call as written.
    pub call: String,
    /// Its constants.
    pub constants: Learned,
}

impl Lowered {
    /// The name of the plate of the rows, the first one.
    fn rows(&self) -> &str {
        self.plates.first().map_or("", |plate| plate.name.as_str())
    }

    /// Whether every outcome belongs to single rows.
    pub fn is_by_row(&self) -> bool {
        self.likelihoods
            .iter()
            .all(|likelihood| likelihood.plate == self.rows())
    }

    /// Multiplies the log density of every observation over the rows by its row's weight, `[row]` of those kept: 0 leaves
    /// a row out. The pointwise log likelihoods stay as they are.
    ///
    /// # Errors
    ///
    /// A user error if an outcome does not belong to single rows; a fault of tadpool for another number of weights.
    pub fn weigh_rows(&mut self, weights: &[f64]) -> Result<()> {
        let graph = &mut self.program.graph;
        let rows = self.plates.first().map_or("", |plate| plate.name.as_str());
        for likelihood in &self.likelihoods {
            if likelihood.plate != rows {
                return Err(Error::user(format!(
                    "the outcome `{}` belongs to `{}`, not to single rows, and no row of it can be left out",
                    likelihood.outcome, likelihood.plate
                ))
                .with_help("write one row for each outcome"));
            }
            let term = self.program.density[likelihood.term];
            let ty = graph.ty(term);
            if graph.plate_len(ty.plate) != weights.len() {
                return Err(Error::bug(format!(
                    "{} weights for {} rows",
                    weights.len(),
                    graph.plate_len(ty.plate)
                )));
            }
            let id = ColumnId::new(graph.columns.len());
            graph.columns.push(Column {
                name: "row weight".to_owned(),
                plate: ty.plate,
                values: weights.to_vec(),
                varying: true,
            });
            let weight = graph.push(
                Op::Column(id),
                Type {
                    per_chain: false,
                    ..ty
                },
            );
            self.program.density[likelihood.term] = graph.push(Op::Binary(Binary::Mul, term, weight), ty);
        }
        Ok(())
    }

    /// Marks the outcomes as data of which other replicates have other values, see [`Column::varying`].
    pub fn vary_outcomes(&mut self) {
        let graph = &mut self.program.graph;
        for likelihood in &self.likelihoods {
            if let Op::Column(id) = graph.node(likelihood.observed).op {
                graph.columns[id.index()].varying = true;
            }
        }
    }

    /// Takes the Jacobians of the positive parameters out of the density: a fault on purpose, by which tests find out
    /// whether a calibration study would notice.
    #[doc(hidden)]
    pub fn forget_jacobians(&mut self) {
        for (slot, parameter) in self.parameters.iter().enumerate() {
            if let Coordinate::Constrained(Constraint::Positive) = parameter.coordinate {
                let graph = &mut self.program.graph;
                let ty = Type {
                    plate: graph.slots[slot].plate,
                    event: graph.slots[slot].event,
                    per_chain: true,
                };
                // θ = eˣ has the Jacobian eˣ, whose logarithm is the position itself.
                let position = graph.push(Op::Position(SlotId::new(slot)), ty);
                let less = graph.push(Op::Unary(Unary::Neg, position), ty);
                self.program.density.push(less);
            }
        }
    }

    /// The slot of a parameter.
    pub fn slot_of(&self, name: &str) -> Option<usize> {
        self.parameters
            .iter()
            .position(|parameter| parameter.name == name)
    }

    /// The position, `[dim]`, at which the parameters have the values given on their natural scales, each `[element]`.
    ///
    /// `evaluate` yields the values of every node of a graph at a position, as `back::reference::values` does.
    ///
    /// # Errors
    ///
    /// A user error if a parameter is missing, has another number of values or one outside its support; errors of
    /// `evaluate`.
    pub fn position_from(
        &self,
        named: &[(&str, Vec<f64>)],
        evaluate: impl Fn(&Graph, &[f64]) -> Result<Vec<Vec<f64>>>,
    ) -> Result<Vec<f64>> {
        let graph = &self.program.graph;
        let offsets = graph.slot_offsets();
        let mut position = vec![0.0; graph.dim()];
        let mut wanted = Vec::with_capacity(self.parameters.len());
        for (slot, parameter) in self.parameters.iter().enumerate() {
            let name = &parameter.name;
            let expected = parameter.holds.elements(offsets[slot + 1] - offsets[slot]);
            match named.iter().find(|(known, _)| known == name) {
                None => {
                    return Err(Error::user(format!(
                        "no value is given for the parameter `{name}`"
                    )));
                }
                Some((_, values)) if values.len() != expected => {
                    return Err(Error::user(format!(
                        "the parameter `{name}` has {expected} values, {} are given",
                        values.len()
                    )));
                }
                Some((_, values)) => {
                    wanted.push(parameter.holds.of(values).ok_or_else(|| outside(name))?);
                }
            }
        }
        // A coordinate may depend on parameters whose positions are not known yet. Each round settles at least the
        // parameters whose coordinates depend on settled ones, and there is no circle among them.
        for _ in 0..self.parameters.len() {
            let values = evaluate(graph, &position)?;
            let before = position.clone();
            for (slot, (parameter, wanted)) in self.parameters.iter().zip(&wanted).enumerate() {
                for (element, value) in wanted.iter().enumerate() {
                    let coordinate = at(&parameter.coordinate, &values, element);
                    position[offsets[slot] + element] = coordinate.position(value);
                }
            }
            if position == before {
                break;
            }
        }
        for (slot, parameter) in self.parameters.iter().enumerate() {
            let own = &position[offsets[slot]..offsets[slot + 1]];
            if own.iter().any(|x| !x.is_finite()) {
                return Err(outside(&parameter.name));
            }
        }
        Ok(position)
    }
}

fn outside(name: &str) -> Error {
    Error::user(format!(
        "a value of the parameter `{name}` lies outside its support"
    ))
}

/// The coordinate of one element, its nodes replaced by their values.
fn at(coordinate: &Coordinate<Handle>, values: &[Vec<f64>], element: usize) -> Coordinate<f64> {
    let value = |handle: &Handle| {
        let values = &values[handle.index()];
        if values.len() == 1 {
            values[0]
        } else {
            values[element]
        }
    };
    match coordinate {
        Coordinate::Constrained(constraint) => Coordinate::Constrained(match constraint {
            Constraint::Real => Constraint::Real,
            Constraint::Positive => Constraint::Positive,
            Constraint::Unit => Constraint::Unit,
            Constraint::Interval { lower, upper } => Constraint::Interval {
                lower: value(lower),
                upper: value(upper),
            },
        }),
        Coordinate::Noncentred { location, scale } => Coordinate::Noncentred {
            location: value(location),
            scale: value(scale),
        },
        Coordinate::Weighted {
            location,
            scale,
            centre,
            weight,
            inv_power,
        } => Coordinate::Weighted {
            location: value(location),
            scale: value(scale),
            centre: value(centre),
            weight: value(weight),
            inv_power: value(inv_power),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_carry_the_labels_with_the_last_axis_fastest() {
        let dim = |labels: &[&str]| Dim {
            name: "g".into(),
            labels: labels.iter().map(ToString::to_string).collect(),
        };
        let quantity = Quantity {
            name: "a".into(),
            dims: vec![dim(&["1", "2"]), dim(&["x", "c,d"])],
            kind: QuantityKind::Parameter,
            output: 0,
            support: String::new(),
        };
        assert_eq!(
            quantity.elements(),
            ["a[1,x]", "a[1,\"c,d\"]", "a[2,x]", "a[2,\"c,d\"]"]
        );
        let single = Quantity {
            dims: Vec::new(),
            ..quantity
        };
        assert_eq!(single.elements(), ["a"]);
    }
}
