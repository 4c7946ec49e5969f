//! From parameters on their natural scales back to positions, for many draws at once.

use super::Model;
use crate::back::reference;
use crate::error::{Error, Result};
use crate::transform::{Constraint, Coordinate};

impl Model {
    /// The positions, `[draw][dim]`, at which the parameters have the values of `named`, each `[draw][element]`.
    ///
    /// Quick for a model whose effects are all centred ([`LowerOptions::centring`](crate::lang::LowerOptions) true,
    /// `ridges` false), whose coordinates do not depend on one another; a draw at a time otherwise.
    ///
    /// # Errors
    ///
    /// A user error if a parameter is missing, has another number of values, or for coordinates that depend on one
    /// another a value outside its support; elsewhere such a value's position is not finite.
    pub fn positions(&self, named: &[(&str, &[f64])], draws: usize) -> Result<Vec<f64>> {
        let lowered = &self.lowered;
        let graph = &lowered.program.graph;
        let offsets = graph.slot_offsets();
        let dim = graph.dim();
        let mut positions = vec![0.0; draws * dim];
        let mut constraints = Vec::with_capacity(lowered.parameters.len());
        for (slot, parameter) in lowered.parameters.iter().enumerate() {
            let len = offsets[slot + 1] - offsets[slot];
            let Some((_, values)) = named.iter().find(|(name, _)| *name == parameter.name) else {
                return Err(Error::user(format!(
                    "no value is given for the parameter `{}`",
                    parameter.name
                )));
            };
            let elements = parameter.holds.elements(len);
            if values.len() != draws * elements {
                return Err(Error::user(format!(
                    "the parameter `{}` has {elements} values in each draw, and {} are given for {draws} draws",
                    parameter.name,
                    values.len()
                )));
            }
            let bounds = |handle| reference::data(graph, handle).ok();
            let constraint = match parameter.coordinate {
                Coordinate::Constrained(Constraint::Real) => Some(Constraint::Real),
                Coordinate::Constrained(Constraint::Positive) => Some(Constraint::Positive),
                Coordinate::Constrained(Constraint::Unit) => Some(Constraint::Unit),
                Coordinate::Constrained(Constraint::Interval { lower, upper }) => bounds(lower)
                    .zip(bounds(upper))
                    .map(|(lower, upper)| Constraint::Interval { lower, upper }),
                Coordinate::Noncentred { .. } | Coordinate::Weighted { .. } => None,
            };
            let Some(constraint) = constraint else {
                return self.positions_one_by_one(named, draws);
            };
            constraints.push((slot, *values, constraint));
        }
        for (slot, values, constraint) in constraints {
            let holds = lowered.parameters[slot].holds;
            for draw in 0..draws {
                let len = values.len() / draws;
                let own = holds.of(&values[draw * len..(draw + 1) * len]);
                let own = own.unwrap_or_else(|| vec![f64::NAN; offsets[slot + 1] - offsets[slot]]);
                for (element, value) in own.iter().enumerate() {
                    let constraint = of_element(&constraint, element);
                    positions[draw * dim + offsets[slot] + element] = constraint.unconstrain(value);
                }
            }
        }
        Ok(positions)
    }

    fn positions_one_by_one(&self, named: &[(&str, &[f64])], draws: usize) -> Result<Vec<f64>> {
        let mut positions = Vec::new();
        for draw in 0..draws {
            let of_draw: Vec<(&str, Vec<f64>)> = named
                .iter()
                .map(|(name, values)| {
                    let len = values.len() / draws;
                    (*name, values[draw * len..(draw + 1) * len].to_vec())
                })
                .collect();
            positions.extend(self.position(&of_draw)?);
        }
        Ok(positions)
    }
}

/// The constraint of one element; an end that is one number serves all.
fn of_element(constraint: &Constraint<Vec<f64>>, element: usize) -> Constraint<f64> {
    let at = |values: &Vec<f64>| values[if values.len() == 1 { 0 } else { element }];
    match constraint {
        Constraint::Real => Constraint::Real,
        Constraint::Positive => Constraint::Positive,
        Constraint::Unit => Constraint::Unit,
        Constraint::Interval { lower, upper } => Constraint::Interval {
            lower: at(lower),
            upper: at(upper),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::data::Table;
    use crate::lang::LowerOptions;
    use crate::model::Model;

    const TEXT: &str = "
y ~ Normal(m, sigma)
m = a + b[g] + c
a ~ Normal(0, 1)
b[g] ~ Normal(0, tau)
tau ~ HalfNormal(1)
sigma ~ Uniform(0, 5)
c ~ Uniform(-1, top)
top ~ Exponential(1)
";

    /// Draws of the quantities at some positions lead back to draws of the same quantities, in whatever coordinates.
    #[test]
    fn named_values_lead_back_to_their_positions() {
        let table = Table::from_bytes("d.csv", b"y,g\n1,u\n2,v\n0.5,u\n").unwrap();
        let fixed = TEXT.replace("top)", "3)").replace("top ~ Exponential(1)", "");
        for (text, centring, ridges) in [
            (TEXT, None, true),
            (TEXT, Some(true), false),
            (&fixed, Some(true), false),
        ] {
            let options = LowerOptions {
                centring,
                ridges,
                ..LowerOptions::default()
            };
            let model = Model::with_options("m", text, &table, &options).unwrap();
            let positions: Vec<f64> = (0..3 * model.dim()).map(|i| (i as f64 * 0.9).sin()).collect();
            let values = model.named_values(&positions);
            let quantities = &model.lowered().quantities;
            let named: Vec<(&str, &[f64])> = quantities
                .iter()
                .zip(&values)
                .map(|(quantity, values)| (quantity.name.as_str(), values.as_slice()))
                .collect();
            let found = model.positions(&named, 3).unwrap();
            // A few roundings of numbers near 1.
            assert!(
                positions.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-13),
                "{positions:?}\n{found:?}"
            );
            assert!(model.positions(&named[1..], 3).is_err());
            assert!(model.positions(&named, 2).is_err());
        }
    }
}
