//! Groups: too few to tell how much they differ, too small to tell it from the noise, and slopes that do not vary in them.

use std::collections::BTreeMap;

use super::super::Lowering;
use super::Predictor;
use super::product::Product;
use crate::dist::Family;
use crate::lang::ast::Expr;
use crate::lang::report::{Report, quoted};
use crate::transform::standard_arguments;

/// From so many groups on, their standard deviation is learned from the data for the most part.
const FEW: usize = 5;

impl<'a> Lowering<'a, '_> {
    /// The scale of the effect where it is learned.
    fn learned_scale(&self, place: usize) -> Option<&'a Expr> {
        let relation = &self.analysis.relations[place];
        let (_, scale) = standard_arguments(relation.family)?;
        let scale = relation.arguments[scale];
        let effect = !relation.observed && !relation.target.subs.is_empty();
        (effect && !self.analysis.is_data_expression(scale)).then_some(scale)
    }

    /// Effects of one group, whose sd nothing informs, or of fewer than five, whose sd the prior informs too.
    pub(super) fn few_groups(&mut self) -> Vec<Report> {
        let mut by_plate: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.analysis.relations.len() {
            if self.learned_scale(place).is_none() {
                continue;
            }
            if let Ok(Some(plate)) = self.parameter_plate(place)
                && let Some((groups, _)) = self.groups_of(place, plate)
            {
                by_plate.entry(groups).or_default().push(place);
            }
        }
        let mut reports = Vec::new();
        for (plate, effects) in by_plate {
            let Some(elements) = self.row_elements(plate) else {
                continue;
            };
            let occupied = sizes(&elements, self.plates[plate].len)
                .iter()
                .filter(|size| **size > 0)
                .count();
            if occupied >= FEW {
                continue;
            }
            let name = quoted(&self.plates[plate].name);
            let mut scales: Vec<&str> = effects
                .iter()
                .filter_map(|place| Some(self.written(self.learned_scale(*place)?)))
                .collect();
            scales.dedup();
            let scales = listed(&scales);
            let target = self.analysis.relations[effects[0]].target;
            let report = if occupied == 1 {
                Report::warning(
                    format!("{name} has one level, so the data do not tell how much levels differ"),
                    target.span,
                    "an effect of one group",
                )
                .with_note(format!(
                    "the posterior of {scales} is its prior, and the effect and its mean trade against each other"
                ))
                .with_help("leave the effect out, or look whether this is the column that was meant")
            } else {
                Report::note(
                    format!("{name} has {occupied} levels, so the prior of {scales} will matter"),
                    target.span,
                    "an effect of few groups",
                )
                .with_help(
                    "choose that prior by how much levels can differ, and look how the result changes with another; \
                     `tadpool plot prior` shows prior and posterior together",
                )
            };
            reports.push(report);
        }
        reports
    }

    /// Groups of one row each, beside a residual sd that is learned, or an outcome of 0 and 1.
    pub(super) fn single_rows(&mut self, predictor: &Predictor<'a>) -> Vec<Report> {
        let relation = predictor.relation;
        let residual = match relation.family {
            Family::Normal | Family::StudentT | Family::Logistic | Family::Laplace | Family::LogNormal => {
                let scale = standard_arguments(relation.family).map_or(1, |(_, scale)| scale);
                let scale = relation.arguments[scale];
                if self.analysis.is_data_expression(scale) {
                    return Vec::new();
                }
                Some(self.written(scale))
            }
            Family::Bernoulli => None,
            Family::Cauchy
            | Family::HalfNormal
            | Family::HalfCauchy
            | Family::HalfStudentT
            | Family::Exponential
            | Family::Gamma
            | Family::InvGamma
            | Family::Beta
            | Family::Uniform
            | Family::Weibull
            | Family::Binomial
            | Family::Poisson
            | Family::NegBinomial
            | Family::Geometric
            | Family::BetaBinomial => return Vec::new(),
        };
        let mut reports = Vec::new();
        for product in predictor.products.iter().filter(|product| !product.has_column) {
            let (Some((plate, groups)), Some(scale)) =
                (&product.groups, self.learned_scale(product.parameter))
            else {
                continue;
            };
            let sizes = sizes(groups, self.plates[*plate].len);
            // Of one group alone is said that it is alone.
            let levels = sizes.iter().filter(|size| **size > 0).count();
            if levels < 2 || sizes.iter().any(|size| *size > 1) {
                continue;
            }
            let (name, scale) = (quoted(&self.plates[*plate].name), quoted(self.written(scale)));
            let target = self.analysis.relations[product.parameter].target;
            reports.push(match residual {
                Some(residual) => Report::warning(
                    format!("each level of {name} has one row, so {scale} is not told from {}", quoted(residual)),
                    product.factor.span,
                    format!("{levels} levels, {} rows", groups.len()),
                )
                .with_label(target.span, "its prior")
                .with_note("the data know the sum of the two variances alone; how it is shared is up to their priors")
                .with_help(format!(
                    "leave the effect out, or write a known standard error in the place of {}: a column, as in \
                     `Normal(mu, se)`",
                    quoted(residual)
                )),
                None => Report::warning(
                    format!("each level of {name} has one row, and a single 0 or 1 does not tell {scale}"),
                    product.factor.span,
                    format!("{levels} levels, {} rows", groups.len()),
                )
                .with_label(target.span, "its prior")
                .with_note(format!("the data tell the mean probability alone, which any {scale} can make"))
                .with_help("leave the effect out, or group by a column whose levels have several rows"),
            });
        }
        reports
    }

    /// Slopes of a column that is the same in all rows of each group: they only shift the groups.
    pub(super) fn constant_slopes(&mut self, predictor: &Predictor<'a>) -> Vec<Report> {
        let mut reports = Vec::new();
        let slopes = predictor.products.iter().enumerate();
        for (place, product) in slopes.filter(|(_, product)| product.has_column) {
            let Some((plate, groups)) = &product.groups else {
                continue;
            };
            let levels = self.plates[*plate].len;
            let Some(x) = self.multiplier(&product.data, predictor.plate, predictor.y.len()) else {
                continue;
            };
            let Some(own) = within(&x, groups, levels) else {
                continue;
            };
            let mut beside = None;
            let mut apart = false;
            let rivals = predictor.products.iter().enumerate();
            for (rival, other) in rivals {
                let same = other.groups.as_ref().is_some_and(|(other, _)| other == plate);
                // Of two slopes that shift the same groups the second is the one too many.
                if !same || rival == place || (other.has_column && rival > place) {
                    continue;
                }
                let Some(others) = self
                    .multiplier(&other.data, predictor.plate, predictor.y.len())
                    .and_then(|x| within(&x, groups, levels))
                else {
                    continue;
                };
                if own.iter().zip(&others).any(|(a, b)| *a != 0.0 && *b != 0.0) {
                    beside = Some(other);
                } else {
                    apart = true;
                }
            }
            // `a[g]*left` alone, with 1 or 0 for each group, is an effect of some of the groups.
            if beside.is_none() && (apart || is_indicator(&own)) {
                continue;
            }
            reports.push(self.constant_slope(product, *plate, beside));
        }
        reports
    }

    fn constant_slope(&self, product: &Product<'a>, plate: usize, beside: Option<&Product<'a>>) -> Report {
        let column = product.column(self.text);
        let name = &self.plates[plate].name;
        let effect = product.factor.span.of(self.text);
        let span = product.column_span();
        let report = Report::warning(
            format!(
                "{} is a slope that does not vary within {}",
                quoted(&product.written(self.text)),
                quoted(name)
            ),
            span,
            format!("{column} is the same in all rows of each {name}"),
        );
        let report = match beside {
            Some(other) => report.with_label(
                other.factor.span,
                format!("shifts each {name} already: the two are not told apart"),
            ),
            None => report.with_note(format!(
                "no {name} has two values of {column} to draw a line through: {effect} is a shift of the {name}, and no slope"
            )),
        };
        report.with_help(format!(
            "write a slope that all of {name} share, as in `b*{column}`, or look whether {} is the index that was meant",
            quoted(name)
        ))
    }
}

/// Elements of the outcome by group.
fn sizes(groups: &[u32], levels: usize) -> Vec<usize> {
    let mut sizes = vec![0; levels];
    for group in groups {
        sizes[*group as usize] += 1;
    }
    sizes
}

/// The one value that `x` has in each group, 0 where there is none; nothing if it varies within one.
fn within(x: &[f64], groups: &[u32], levels: usize) -> Option<Vec<f64>> {
    let mut values: Vec<Option<f64>> = vec![None; levels];
    for (x, group) in x.iter().zip(groups) {
        let value = values[*group as usize].get_or_insert(*x);
        if *value != *x {
            return None;
        }
    }
    Some(values.into_iter().map(|value| value.unwrap_or(0.0)).collect())
}

/// Whether there are two values, one of them 0.
fn is_indicator(x: &[f64]) -> bool {
    let mut other = None;
    x.iter().all(|x| *x == 0.0 || *other.get_or_insert(*x) == *x) && x.contains(&0.0)
}

/// `a`, `b` and `c`.
fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match names.as_slice() {
        [head @ .., last] if !head.is_empty() => format!("{} and {last}", head.join(", ")),
        _ => names.concat(),
    }
}
