//! Scales: what a coefficient's prior lets its column do, against what the outcome does.
//!
//! A prior of scale s on the coefficient of a column with sd d lets their product vary with sd s·d. The outcome's own
//! spread, on the scale of the linear predictor, says how much of that can be meant.

use super::super::Lowering;
use super::Predictor;
use super::product::{Product, Width};
use crate::data::short_number;
use crate::dist::Family;
use crate::lang::ast::{Expr, ExprKind, Link};
use crate::lang::report::{Report, quoted};

/// So many times the outcome's spread is too much through a link: where one is a lot, ten is beyond any probability
/// that data can tell from 0 or 1, and a factor of 20,000 for counts.
const MUCH_LINKED: f64 = 10.0;
/// The same without a link, where a wide prior leaves a coefficient to the data and does little else.
const MUCH: f64 = 100.0;
/// Below this share of the outcome's spread the prior itself says that the column does nothing.
const LITTLE: f64 = 0.05;
/// A coefficient's prior of so many spreads, per sd of its column, hardly moves what data determine.
const WEAK: f64 = 2.5;

/// How much the column varies.
struct Spread {
    size: f64,
    said: String,
}

impl<'a> Lowering<'a, '_> {
    /// Products that the prior lets vary by far more or far less than the outcome does.
    pub(super) fn misfit_scales(&mut self, predictor: &Predictor<'a>) -> Vec<Report> {
        let Some(outcome) = outcome_spread(predictor) else {
            return Vec::new();
        };
        let much = if predictor.link.is_some() {
            MUCH_LINKED
        } else {
            MUCH
        };
        let mut reports = Vec::new();
        let own = predictor
            .products
            .iter()
            .map(|product| (predictor.plate, product));
        let of_means = predictor
            .means
            .iter()
            .map(|(plate, product)| (Some(*plate), product));
        for (plate, product) in own.chain(of_means).filter(|(_, product)| product.has_column) {
            let Some(width) = self.width(product) else {
                continue;
            };
            let len = plate.map_or(1, |plate| self.plates[plate].len);
            let Some(column) = self
                .multiplier(&product.data, plate, len)
                .and_then(|x| column_spread(&x))
            else {
                continue;
            };
            let ratio = width.scale * column.size / outcome;
            // A prior that is narrow about a size of its own says what it means.
            let least = width.scale.hypot(width.location) * column.size / outcome;
            if ratio > much || least < LITTLE {
                reports.push(self.misfit(predictor, product, width, &column, outcome));
            }
        }
        reports
    }

    fn misfit(
        &self,
        predictor: &Predictor<'a>,
        product: &Product<'a>,
        width: Width,
        column: &Spread,
        outcome: f64,
    ) -> Report {
        let relation = &self.analysis.relations[product.parameter];
        let y = quoted(&predictor.relation.target.name.text);
        let moved = width.scale * column.size;
        let above = moved > outcome;
        let name = product.column(self.text);
        let title = format!(
            "the prior of {} lets {} move {y} by far {} than it varies",
            quoted(product.factor.span.of(self.text)),
            quoted(&name),
            if above { "more" } else { "less" }
        );
        let span = product.column_span();
        let unit = match predictor.link {
            None => format!("the sd of {y} is {}", short_number(outcome)),
            Some(Link::Logit | Link::Probit | Link::Cloglog) => {
                format!(
                    "a move of {} is a lot for a probability on this scale",
                    short_number(outcome)
                )
            }
            Some(Link::Log | Link::Sqrt) => {
                format!(
                    "{y} has a spread of about {} on the scale of the link",
                    short_number(outcome)
                )
            }
        };
        let fitting = short_number(WEAK * outcome / column.size);
        let kind = if above { "narrower" } else { "wider" };
        let prior = format!("a {kind} prior, of a scale of about {fitting}");
        let single = match product.data.as_slice() {
            [one] => one.bare_name(),
            _ => None,
        };
        let help = match single {
            Some(column) => {
                let spread = short_number(WEAK * outcome);
                format!("write `standardize({column})` with a prior of a scale of about {spread}, or {prior}")
            }
            None if is_standardized(&product.data) && predictor.link.is_none() => {
                format!("write {prior}, or standardize {y} too")
            }
            None => format!("write {prior}"),
        };
        Report::warning(title, span, column.said.clone())
            .with_label(
                relation.target.span,
                format!("its prior has a scale of {}", short_number(width.scale)),
            )
            .with_note(format!(
                "together they vary by about {}; {unit}",
                short_number(moved)
            ))
            .with_help(help)
    }
}

/// How much the outcome varies on the scale of the linear predictor; none where that is unknown.
fn outcome_spread(predictor: &Predictor<'_>) -> Option<f64> {
    let y = &predictor.y;
    let spread = match (predictor.link, predictor.relation.family) {
        (Some(Link::Logit | Link::Probit | Link::Cloglog), _) => 1.0,
        (Some(Link::Log), _) => {
            // Zero counts have no logarithm.
            let ln: Vec<f64> = y
                .iter()
                .map(|y| if *y > 0.0 { *y } else { y.abs() + 0.1 }.ln())
                .collect();
            sd(&ln).max(1.0)
        }
        (Some(Link::Sqrt), _) => sd(&y.iter().map(|y| y.max(0.0).sqrt()).collect::<Vec<f64>>()).max(1.0),
        (
            None,
            Family::Normal
            | Family::StudentT
            | Family::Cauchy
            | Family::Logistic
            | Family::Laplace
            | Family::Poisson
            | Family::NegBinomial,
        ) => sd(y),
        (None, Family::LogNormal) => sd(&y.iter().map(|y| y.ln()).collect::<Vec<f64>>()),
        (
            None,
            Family::HalfNormal
            | Family::HalfCauchy
            | Family::HalfStudentT
            | Family::Exponential
            | Family::Gamma
            | Family::InvGamma
            | Family::Beta
            | Family::Uniform
            | Family::Weibull
            | Family::Binomial
            | Family::Bernoulli
            | Family::Geometric
            | Family::BetaBinomial,
        ) => return None,
    };
    (spread > 0.0 && spread.is_finite()).then_some(spread)
}

/// The column's sd, or for two values, one of them rare perhaps, half of what lies between; none for a constant.
fn column_spread(x: &[f64]) -> Option<Spread> {
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high {
        return None;
    }
    if x.iter().all(|x| *x == low || *x == high) {
        return Some(Spread {
            size: (high - low) / 2.0,
            said: format!("is {} or {}", short_number(low), short_number(high)),
        });
    }
    let size = sd(x);
    Some(Spread {
        size,
        said: format!("has an sd of {}", short_number(size)),
    })
}

fn sd(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

fn is_standardized(data: &[&Expr]) -> bool {
    matches!(data, [one] if matches!(&one.kind, ExprKind::Call(call) if call.name.text == "standardize"))
}
