//! The columns that an outcome's prediction depends on, apart from the groups whose effects have a population.

use std::collections::BTreeSet;

use super::fitted::{Fitted, Options};
use crate::error::Result;
use crate::lang::Holds;
use crate::lang::ast::StatementKind;

/// A column with the values that it may be set to.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    /// Its name.
    pub name: String,
    /// The values that occur.
    pub values: Values,
}

/// Values of a predictor.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of a column that enters as a number, in rising order, each once; and their mean over the rows.
    Numbers(Vec<f64>, f64),
    /// Of a column that enters by its labels, in their order; and the most frequent one.
    Labels(Vec<String>, String),
}

/// An index whose effects come from a population, so that there is an average group.
#[derive(Debug, Clone, PartialEq)]
pub struct Varying {
    /// The index.
    pub index: String,
    /// The columns that say which group a row belongs to; none for an index of rows.
    pub columns: Vec<String>,
}

impl Fitted<'_> {
    /// The groups whose effects have a population, in the order of the model.
    pub fn varying(&self) -> Vec<Varying> {
        let lowered = self.model.lowered();
        let mut found: Vec<Varying> = Vec::new();
        for effect in &lowered.effects {
            let plate = lowered
                .plates
                .iter()
                .find(|plate| Some(&plate.name) == effect.group.as_ref());
            let Some(plate) = plate else { continue };
            let of_levels = lowered.parameters.iter().any(|parameter| {
                parameter.name == effect.name && matches!(parameter.holds, Holds::Component { .. })
            });
            // The last index of correlated effects `a[g, k]` names the components.
            let dims = plate.dims.len() - usize::from(of_levels);
            for dim in &plate.dims[..dims] {
                let of_rows = lowered.known.levels(&dim.name).is_some();
                if of_rows && found.iter().all(|known| known.index != dim.name) {
                    let mut columns = BTreeSet::new();
                    self.columns_of(&dim.name, &mut columns);
                    found.push(Varying {
                        index: dim.name.clone(),
                        columns: columns.into_iter().collect(),
                    });
                }
            }
        }
        found
    }

    /// The columns that an index is made of.
    fn columns_of(&self, index: &str, columns: &mut BTreeSet<String>) {
        let declared = self
            .tree
            .statements
            .iter()
            .find_map(|statement| match &statement.kind {
                StatementKind::Index(own) if own.name.text == index => Some(own),
                _ => None,
            });
        match declared {
            Some(own) if !own.factors.is_empty() => {
                for factor in own.factors.iter().filter(|factor| factor.text != index) {
                    self.columns_of(&factor.text, columns);
                }
                if own.factors.iter().any(|factor| factor.text == index) {
                    columns.insert(index.to_owned());
                }
            }
            Some(_) | None if self.observed().column(index).is_some() => {
                columns.insert(index.to_owned());
            }
            Some(_) | None => {}
        }
    }

    /// The columns that predictions of the outcome depend on, without outcomes, counts of trials and the columns of
    /// [`Fitted::varying`], in the table's order.
    ///
    /// # Errors
    ///
    /// As [`Fitted::outcome`]; faults of tadpool.
    pub fn predictors(&self, options: &Options) -> Result<Vec<Predictor>> {
        let lowered = self.model.lowered();
        let outcomes = self.outcomes();
        let trials = self.nature(options)?.trials;
        let groups: BTreeSet<String> = self
            .varying()
            .into_iter()
            .flat_map(|group| group.columns)
            .collect();
        let mut found = Vec::new();
        for used in &lowered.columns {
            let name = used.name.as_str();
            if outcomes.contains(&name) || groups.contains(name) || self.is_of_outcome(name) {
                continue;
            }
            let table = self.observed();
            if used.index {
                let factor = table.factor(name)?;
                let mut counts = vec![0_usize; factor.labels().len()];
                for code in factor.codes() {
                    counts[*code as usize] += 1;
                }
                let most = counts.iter().copied().max().unwrap_or(0);
                let first = counts.iter().position(|count| *count == most).unwrap_or(0);
                found.push(Predictor {
                    name: name.to_owned(),
                    values: Values::Labels(factor.labels().to_vec(), factor.labels()[first].clone()),
                });
            } else if used.numeric {
                let numbers = table.numeric(name)?;
                if trials.as_deref() == Some(numbers) {
                    continue;
                }
                let known: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
                let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
                let mut values = known;
                values.sort_by(f64::total_cmp);
                values.dedup();
                found.push(Predictor {
                    name: name.to_owned(),
                    values: Values::Numbers(values, mean),
                });
            }
        }
        Ok(found)
    }

    /// Whether the column serves only to compute an outcome: `y = log(income)`.
    fn is_of_outcome(&self, column: &str) -> bool {
        let outcomes = self.outcomes();
        let mut of_outcome = false;
        for statement in &self.tree.statements {
            let (target, names) = match &statement.kind {
                StatementKind::Definition(own) => {
                    let mut names = Vec::new();
                    crate::lang::visit_names(&own.value, &mut |name, _| names.push(name));
                    (Some(own.target.name.text.as_str()), names)
                }
                StatementKind::Stochastic(own) => {
                    let mut names = Vec::new();
                    for argument in &own.distribution.args {
                        crate::lang::visit_names(&argument.value, &mut |name, _| names.push(name));
                    }
                    (None, names)
                }
                _ => continue,
            };
            if names.contains(&column) {
                match target {
                    Some(target) if outcomes.contains(&target) => of_outcome = true,
                    Some(_) | None => return false,
                }
            }
        }
        of_outcome
    }
}
