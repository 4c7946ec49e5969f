//! Centring: how the coordinate of an effect stands for it, and where the learning of its weights begins.
//!
//! For a Normal likelihood with sd s, an effect with sd τ and n rows in a group have the reliability Iτ²/(1 + Iτ²) with
//! the group's information I = n/s²; it is the best centring weight (Papaspiliopoulos, Roberts, Sköld 2007). F, the
//! variation of the outcome between groups over that expected within them, estimates 1 + Iτ², so that 1 − 1/F estimates
//! the reliability: the weights begin there, and warm-up refits them. Where nothing is known they begin at 0.

use super::axes::ROWS;
use super::likelihood::location_argument;
use super::{Context, Eval, Lowering, Poison};
use crate::dist::{Family, Support};
use crate::ir::Expr as Node;
use crate::lang::analyse::{Relation, Symbol};
use crate::lang::ast::Hint;
use crate::lang::lowered::{Effect, Parameterisation};
use crate::lang::report::{Report, quoted};
use crate::num::Real;
use crate::transform::{CENTRING_STEPS, Coordinate, centring_weight, inv_power, standard_arguments};

impl<'a, 'b> Lowering<'a, 'b> {
    /// How the coordinate of the parameter stands for it. Decided once, and kept with the reason.
    pub(super) fn parameterisation(&mut self, place: usize) -> Parameterisation {
        if let Some(known) = self.effects.get(&place) {
            return known.parameterisation.clone();
        }
        let relation = &self.analysis.relations[place];
        let Some((location, scale)) = standard_arguments(relation.family) else {
            return Parameterisation::Centred;
        };
        let (location, scale) = (relation.arguments[location], relation.arguments[scale]);
        let name = relation.target.name.text.as_str();
        if self.analysis.is_data_expression(location) && self.analysis.is_data_expression(scale) {
            if let Some((hint, span)) = relation.hint.filter(|(hint, _)| *hint != Hint::Auto) {
                let report = Report::warning(
                    format!("`@{}` has no effect on {}", hint.word(), quoted(name)),
                    span,
                    "location and scale are constants",
                )
                .with_help(
                    "remove the hint: only effects whose location or scale is a parameter have a centring",
                );
                self.reports.push(report);
            }
            return Parameterisation::Centred;
        }
        let hint = relation.hint.map(|(hint, _)| hint);
        let (parameterisation, why) = match (self.options.centring, hint) {
            (Some(true), _) => (Parameterisation::Centred, "asked for by an option".to_owned()),
            (Some(false), _) => (Parameterisation::Noncentred, "asked for by an option".to_owned()),
            (None, Some(Hint::Centered)) => {
                (Parameterisation::Centred, "`@centered` in the model".to_owned())
            }
            (None, Some(Hint::Noncentered)) => (
                Parameterisation::Noncentred,
                "`@noncentered` in the model".to_owned(),
            ),
            (None, Some(Hint::Auto) | None) => self.learned(place),
        };
        let group = match self.parameter_plate(place) {
            Ok(Some(plate)) => Some(self.plates[plate].name.clone()),
            Ok(None) | Err(_) => None,
        };
        self.effects.insert(
            place,
            Effect {
                name: name.to_owned(),
                group,
                location: self.written(location).to_owned(),
                scale: self.written(scale).to_owned(),
                parameterisation: parameterisation.clone(),
                why,
            },
        );
        parameterisation
    }

    /// Weights to be learned, from the reliability that the data suggest; a single number has none.
    fn learned(&mut self, place: usize) -> (Parameterisation, String) {
        if !matches!(self.parameter_plate(place), Ok(Some(_))) {
            return (Parameterisation::Noncentred, "it has no groups".to_owned());
        }
        let (ratio, why) = match self.options.alike {
            true => (None, "the outcomes are not looked at".to_owned()),
            false => self.variation(place),
        };
        // The reliability 1 - 1/F is the weight that a Gaussian posterior wants.
        let reliability = ratio.map_or(0.0, |ratio| 1.0 - 1.0 / ratio.max(1.0));
        let start = (reliability * f64::from(CENTRING_STEPS)).round() as u32;
        let with = if self.options.ridges {
            self.ridge(place)
        } else {
            None
        };
        let with = with.map(|partner| self.analysis.relations[partner].target.name.text.clone());
        (Parameterisation::Learned { start, with }, why)
    }

    /// The coordinate with weights as data; its standardised effect is kept, for learning them.
    pub(super) fn weighted(
        &mut self,
        (place, slot): (usize, usize),
        (location, scale): (Node<'b>, Node<'b>),
        (position, plate): (Node<'b>, usize),
        start: u32,
    ) -> Eval<Coordinate<Node<'b>>> {
        let (ir, len) = (self.plates[plate].ir, self.plates[plate].len);
        let builder = self.builder;
        let grid = match &self.centring_grid {
            Some(grid) => *grid,
            None => {
                let plate = builder.plate("centring weights", CENTRING_STEPS as usize + 1);
                let values = (0..=CENTRING_STEPS).map(centring_weight).collect();
                let grid = (plate, builder.column("centring weight", Some(plate), values));
                self.centring_grid = Some(grid);
                grid
            }
        };
        let name = self.analysis.relations[place].target.name.text.as_str();
        let codes = builder.tuned_index(&format!("centring of {name}"), ir, grid.0, vec![start; len]);
        let weight = grid.1.gather(codes);
        // A scale that all levels share has one power for each weight of the grid, fewer than levels as a rule.
        let inv_power = if scale.ty().plate.is_none() && len > CENTRING_STEPS as usize + 1 {
            inv_power(&scale, &grid.1).gather(codes)
        } else {
            inv_power(&scale, &weight)
        };
        let centre = match self.effects.get(&place).map(|effect| &effect.parameterisation) {
            Some(Parameterisation::Learned {
                with: Some(intercept),
                ..
            }) => {
                let symbol = self.analysis.symbols.get(intercept.as_str());
                let Some(Symbol::Parameter(intercept)) = symbol else {
                    return Err(Poison);
                };
                location + self.parameter_value(*intercept)?.expr
            }
            Some(_) | None => location,
        };
        let coordinate = Coordinate::Weighted {
            location,
            scale,
            centre,
            weight,
            inv_power,
        };
        let over = |node: Node<'b>| match node.ty().plate {
            Some(_) => node,
            None => builder.column("one", Some(ir), vec![1.0; len]) * node,
        };
        let standardised = coordinate.standardised(&position).ok_or(Poison)?;
        let ln_scale = over(scale.ln());
        let ln_jacobian = (weight * ln_scale).sum();
        self.tuned.push((
            slot,
            [over(centre), ln_scale, standardised, ln_jacobian].map(Node::handle),
        ));
        Ok(coordinate)
    }

    /// F of the first outcome whose mean the effect enters, where the data tell it, and a phrase about it.
    pub(super) fn variation(&mut self, place: usize) -> (Option<f64>, String) {
        if let Some(known) = self.variations.get(&place) {
            return known.clone();
        }
        let found = self.find_variation(place);
        self.variations.insert(place, found.clone());
        found
    }

    fn find_variation(&mut self, place: usize) -> (Option<f64>, String) {
        let plate = match self.parameter_plate(place) {
            Ok(Some(plate)) => plate,
            Ok(None) | Err(_) => return (None, "it has no groups".to_owned()),
        };
        let analysis = self.analysis;
        let mut gathered = false;
        for relation in analysis.relations.iter().filter(|relation| relation.observed) {
            let arguments = match location_argument(relation.family) {
                Some(location) => &relation.arguments[location..=location],
                None => relation.arguments.as_slice(),
            };
            let reached = arguments.iter().any(|argument| analysis.reaches(argument, place));
            if !reached {
                continue;
            }
            gathered = true;
            if let Some(ratio) = self.ratio(relation, plate) {
                let name = self.plates[plate].name.clone();
                let outcome = quoted(&relation.target.name.text);
                let why = format!(
                    "{outcome} varies {ratio:.2} times as much between the levels of `{name}` as chance would make it"
                );
                return (Some(ratio), why);
            }
        }
        let why = if gathered {
            "the data do not tell how much the groups differ"
        } else {
            "no likelihood gathers it in its mean"
        };
        (None, why.to_owned())
    }

    /// F of an outcome by the elements of `plate`; none where the data cannot tell.
    fn ratio(&mut self, relation: &'a Relation<'a>, plate: usize) -> Option<f64> {
        let (outcome, over) = self.outcome(relation).ok()?;
        let groups = match over {
            Some(ROWS) => self.row_elements(plate)?,
            Some(own) if own == plate => (0..self.plates[plate].len as u32).collect(),
            Some(_) | None => return None,
        };
        let y = outcome.numbers?;
        if y.len() != groups.len() {
            return None;
        }
        let levels = self.plates[plate].len;
        let groups = Groups {
            codes: &groups,
            levels,
        };
        let numbers = |lowering: &mut Self, argument: usize, context: Context| -> Option<Vec<f64>> {
            let expr = relation.arguments[argument];
            if !lowering.analysis.is_data_expression(expr) {
                return None;
            }
            let numbers = lowering.expression(expr, context).ok()?.numbers?;
            let at = |i: usize| {
                if numbers.len() == 1 {
                    numbers[0]
                } else {
                    numbers[i]
                }
            };
            Some((0..y.len()).map(at).collect())
        };
        match relation.family {
            Family::Bernoulli => groups.binomial(&y, &vec![1.0; y.len()]),
            Family::Binomial | Family::BetaBinomial => groups.binomial(&y, &numbers(self, 0, over)?),
            Family::Poisson | Family::NegBinomial | Family::Geometric => groups.counts(&y),
            Family::Normal | Family::Cauchy | Family::StudentT | Family::Logistic | Family::Laplace => {
                let scale =
                    standard_arguments(relation.family).and_then(|(_, scale)| numbers(self, scale, over));
                match scale {
                    Some(sd) => groups.known_sd(&y, &sd),
                    None => groups.anova(&y),
                }
            }
            Family::LogNormal
            | Family::HalfNormal
            | Family::HalfCauchy
            | Family::HalfStudentT
            | Family::Exponential
            | Family::Gamma
            | Family::InvGamma
            | Family::Weibull => {
                debug_assert!(matches!(
                    relation.family.support(),
                    Support::Positive | Support::NonNegative
                ));
                if y.iter().any(|y| *y <= 0.0) {
                    return None;
                }
                groups.anova(&y.iter().map(|y| y.ln()).collect::<Vec<f64>>())
            }
            Family::Beta | Family::Uniform => groups.anova(&y),
        }
    }
}

/// The group of each observation.
struct Groups<'g> {
    codes: &'g [u32],
    levels: usize,
}

impl Groups<'_> {
    /// Σ x by group.
    fn sums(&self, x: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.levels];
        for (x, code) in x.zip(self.codes) {
            sums[*code as usize] += x;
        }
        sums
    }

    /// Observations by group.
    fn sizes(&self) -> Vec<f64> {
        self.sums(std::iter::repeat_n(1.0, self.codes.len()))
    }

    /// Σ of squares over groups, divided by groups − 1; none for a single group or an undefined result.
    fn per_group(&self, squares: impl Iterator<Item = f64>) -> Option<f64> {
        let mut groups = 0.0;
        let mut sum = 0.0;
        for square in squares {
            groups += 1.0;
            sum += square;
        }
        let ratio: f64 = sum / (groups - 1.0);
        (groups > 1.0 && ratio.is_finite()).then_some(ratio)
    }

    /// Pearson's X²/(J − 1) of proportions against the pooled one.
    fn binomial(&self, y: &[f64], n: &[f64]) -> Option<f64> {
        let (successes, trials) = (self.sums(y.iter().copied()), self.sums(n.iter().copied()));
        let p = successes.iter().sum::<f64>() / trials.iter().sum::<f64>();
        let squares = successes.iter().zip(&trials).filter(|(_, trials)| **trials > 0.0);
        self.per_group(squares.map(|(s, n)| (s - n * p).powi(2) / (n * p * (1.0 - p))))
    }

    /// Pearson's X²/(J − 1) of counts against the pooled mean.
    fn counts(&self, y: &[f64]) -> Option<f64> {
        let (totals, sizes) = (self.sums(y.iter().copied()), self.sizes());
        let mean = totals.iter().sum::<f64>() / y.len() as f64;
        let squares = totals.iter().zip(&sizes).filter(|(_, n)| **n > 0.0);
        self.per_group(squares.map(|(total, n)| (total - n * mean).powi(2) / (n * mean)))
    }

    /// Cochran's Q/(J − 1): observations with known standard deviations.
    fn known_sd(&self, y: &[f64], sd: &[f64]) -> Option<f64> {
        let weight = |sd: &f64| 1.0 / (sd * sd);
        let weights = self.sums(sd.iter().map(weight));
        let totals = self.sums(y.iter().zip(sd).map(|(y, sd)| y * weight(sd)));
        let mean = totals.iter().sum::<f64>() / weights.iter().sum::<f64>();
        let squares = totals.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
        self.per_group(squares.map(|(total, w)| w * (total / w - mean).powi(2)))
    }

    /// The F ratio of a one-way analysis of variance; none without replication within groups.
    fn anova(&self, y: &[f64]) -> Option<f64> {
        let (totals, sizes) = (self.sums(y.iter().copied()), self.sizes());
        let mean = totals.iter().sum::<f64>() / y.len() as f64;
        let occupied = sizes.iter().filter(|n| **n > 0.0).count();
        let within: f64 = y
            .iter()
            .zip(self.codes)
            .map(|(y, code)| (y - totals[*code as usize] / sizes[*code as usize]).powi(2))
            .sum();
        let freedom = y.len().checked_sub(occupied).filter(|freedom| *freedom > 0)?;
        let squares = totals.iter().zip(&sizes).filter(|(_, n)| **n > 0.0);
        let between = self.per_group(squares.map(|(total, n)| n * (total / n - mean).powi(2)))?;
        let ratio = between / (within / freedom as f64);
        ratio.is_finite().then_some(ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: [u32; 6] = [0, 0, 1, 1, 2, 2];
    const GROUPS: Groups<'static> = Groups {
        codes: &CODES,
        levels: 3,
    };

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("a ratio");
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn anova_is_that_of_the_textbook() {
        // Means 1, 2, 6 around 3: between 2·(4 + 1 + 9)/2 = 14, within 6·1/3 = 2.
        close(GROUPS.anova(&[0.0, 2.0, 1.0, 3.0, 5.0, 7.0]), 7.0);
        assert_eq!(
            Groups {
                codes: &[0, 1, 2],
                levels: 3
            }
            .anova(&[1.0, 2.0, 3.0]),
            None
        );
    }

    #[test]
    fn pearson_ratios_are_those_by_hand() {
        // Totals 1, 3, 8 around 2·2: (9 + 1 + 16)/4/2.
        close(GROUPS.counts(&[0.0, 1.0, 2.0, 1.0, 4.0, 4.0]), 26.0 / 8.0);
        // Successes 1, 2, 3 of 4 each, p = 1/2: (1 + 0 + 1)/1/2.
        close(GROUPS.binomial(&[0.0, 1.0, 1.0, 1.0, 1.0, 2.0], &[2.0; 6]), 1.0);
        assert_eq!(GROUPS.binomial(&[0.0; 6], &[2.0; 6]), None);
    }

    #[test]
    fn cochran_weighs_by_precision() {
        // Weights 4, 1; means 1, 6 around (4 + 6)/5 = 2: 4·1 + 1·16.
        let two = Groups {
            codes: &[0, 1],
            levels: 2,
        };
        close(two.known_sd(&[1.0, 6.0], &[0.5, 1.0]), 20.0);
    }
}
