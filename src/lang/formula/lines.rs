//! The expansion of a formula, line by line.

use std::collections::BTreeSet;

use super::Expanded;
use super::groups::Block;
use super::pieces::{binary, call, distribution, indexed, number, sum, text, variable};
use super::reading::{Numbers, Response};
use super::scales::{is_constant, spread};
use super::terms::Column;
use super::writer::Writer;
use crate::data::three_digits;
use crate::lang::ast::{BinaryOp, Call, Expr};
use crate::lang::lowered::Failure;
use crate::lang::report::{Report, quoted};

/// Terms of one line; beyond, the sum is cut into parts, which no text makes too long.
const LONGEST: usize = 50;
/// What the level where all predictors are 0 is called, as in brms.
const AT_ZERO: &str = "b_Intercept";

impl Writer<'_, '_> {
    /// Writes all lines. The order of the parameters is that of the formula.
    pub(super) fn write(
        mut self,
        response: &Response,
        offsets: &[Expr],
        columns: Vec<Column>,
        blocks: &[Block],
        numbers: &Numbers,
    ) -> Result<Expanded, Failure> {
        self.keep_columns(columns, &numbers.columns);
        let span = self.span;
        let intercept = self.intercept.then(|| self.own("Intercept", "the intercept is"));
        let b = if self.columns.is_empty() {
            String::new()
        } else {
            self.own("b", "the coefficients are")
        };
        let mut linear: Vec<Expr> = Vec::new();
        linear.extend(intercept.iter().map(|name| variable(name, span)));
        for (column, _) in &self.columns {
            let coefficient = indexed(&b, [text(&column.label, span)], span);
            let value = match self.intercept {
                // The intercept is the level at the columns' means, which data know about.
                true => call("center", [column.value.clone()], span),
                false => column.value.clone(),
            };
            linear.push(binary(BinaryOp::Mul, coefficient, value));
        }
        linear.extend(offsets.iter().cloned());
        if let Some(name) = &intercept {
            self.no_prior_at_zero(name);
            let prior = self.student(self.outcome.location);
            self.scalar(name, &prior);
        }
        if !self.columns.is_empty() {
            let labels: Vec<String> = self
                .columns
                .iter()
                .map(|(column, _)| column.label.clone())
                .collect();
            let coef = self.index("coef", &labels);
            let scales = self.columns.iter().map(|(_, spread)| self.outcome.slope / spread);
            let priors: Vec<Call> = scales
                .map(|scale| {
                    distribution(
                        "Normal",
                        [number(0.0, span), number(three_digits(scale), span)],
                        span,
                    )
                })
                .collect();
            self.vector(&b, &coef, &labels, &priors);
        }
        let mut spreads = numbers.effects.iter().map(|numbers| spread(numbers));
        let mut prefixes = BTreeSet::new();
        for block in blocks {
            let spreads: Vec<f64> = block
                .effects
                .iter()
                .map(|effect| match effect.column {
                    None => 1.0,
                    Some(_) => spreads.next().unwrap_or(1.0),
                })
                .collect();
            self.block(block, &spreads, &mut linear, &mut prefixes);
        }
        let beside: Vec<String> = self
            .family
            .beside()
            .iter()
            .map(|own| self.own(own.name(), own.what()))
            .collect();
        for (own, name) in self.family.beside().iter().zip(&beside) {
            let prior = self.beside(*own);
            self.scalar(name, &prior);
        }
        self.outcome_lines(response, linear, &beside);
        if let Some(name) = &intercept {
            self.level_at_zero(name, &b);
        }
        self.finish()
    }

    /// Leaves out columns that do not vary beside an intercept, or are 0 without one.
    fn keep_columns(&mut self, columns: Vec<Column>, numbers: &[Vec<f64>]) {
        for (column, numbers) in columns.into_iter().zip(numbers) {
            let useless = is_constant(numbers) && (self.intercept || numbers[0] == 0.0);
            if useless {
                self.notes.push(format!(
                    "formula: {} is the same in every row, so it has no coefficient",
                    quoted(&column.label)
                ));
            } else {
                self.columns.push((column, spread(numbers)));
            }
        }
    }

    /// The effects of a block: their index sets and priors; what they add is pushed to `linear`.
    fn block(
        &mut self,
        block: &Block,
        spreads: &[f64],
        linear: &mut Vec<Expr>,
        prefixes: &mut BTreeSet<String>,
    ) {
        let span = self.span;
        let parts: Vec<&str> = block.factors.iter().map(|factor| factor.text.as_str()).collect();
        let mut group = parts.join("_");
        let mut by = group.clone();
        if parts.len() > 1 {
            by = self.fresh(&group);
            let factors: Vec<String> = block.factors.iter().map(ToString::to_string).collect();
            self.lines
                .push(format!("index {} = {}", self.spelled(&by), factors.join(" * ")));
        }
        // A second block of the same groups: `(1 + x | g) + (0 + z | g)`.
        for again in 2.. {
            if prefixes.insert(group.clone()) {
                break;
            }
            group = format!("{}_{again}", parts.join("_"));
        }
        let effect = self.fresh(&format!("r_{group}"));
        let sd = self.own(&format!("sd_{group}"), "the sd between groups is");
        if block.is_intercept() {
            let of = indexed(&effect, [variable(&by, span)], span);
            let args = [number(0.0, span), variable(&sd, span)];
            self.prior_lines
                .push(format!("{of} ~ {}", distribution("Normal", args, span)));
            let prior = self.half_student(self.outcome.scale);
            self.scalar(&sd, &prior);
            linear.push(of);
            return;
        }
        let labels: Vec<String> = block.effects.iter().map(|effect| effect.label.clone()).collect();
        let coef = self.index(&format!("coef_{group}"), &labels);
        for own in &block.effects {
            let of = indexed(&effect, [variable(&by, span), text(&own.label, span)], span);
            linear.push(match &own.column {
                None => of,
                Some(column) => binary(BinaryOp::Mul, of, column.value.clone()),
            });
        }
        let of = indexed(&effect, [variable(&by, span), variable(&coef, span)], span);
        let correlation = block
            .correlated
            .then(|| self.own(&format!("cor_{group}"), "the correlations are"));
        let call = match &correlation {
            Some(correlation) => {
                let args = [
                    number(0.0, span),
                    variable(&sd, span),
                    variable(correlation, span),
                ];
                distribution("MVNormal", args, span)
            }
            None => {
                let args = [number(0.0, span), indexed(&sd, [variable(&coef, span)], span)];
                distribution("Normal", args, span)
            }
        };
        self.prior_lines.push(format!("{of} ~ {call}"));
        let scale = self.outcome.scale;
        let priors: Vec<Call> = spreads
            .iter()
            .map(|spread| self.half_student(scale / if *spread > 0.0 { *spread } else { 1.0 }))
            .collect();
        self.vector(&sd, &coef, &labels, &priors);
        if let Some(correlation) = &correlation {
            let prior = distribution("LKJ", [number(1.0, span)], span);
            self.scalar(correlation, &prior);
        }
    }

    /// The likelihood and the mean.
    fn outcome_lines(&mut self, response: &Response, linear: Vec<Expr>, beside: &[String]) {
        let span = self.span;
        let mean = self.fresh(self.family.mean());
        let outcome = match (&response.name, &response.value) {
            (Some(name), _) => name.clone(),
            (None, Some(value)) => {
                let plain: String = value
                    .to_string()
                    .chars()
                    .map(|c| if c.is_alphanumeric() { c } else { '_' })
                    .collect();
                let parts: Vec<&str> = plain.split('_').filter(|part| !part.is_empty()).collect();
                let outcome = self.fresh(&parts.join("_"));
                self.lines.push(format!("{} = {value}", self.spelled(&outcome)));
                outcome
            }
            (None, None) => String::new(),
        };
        let call = self
            .family
            .distribution(&mean, beside, response.trials.clone(), span);
        let weight = response
            .weight
            .as_ref()
            .map_or_else(String::new, |weight| format!(" weight({weight})"));
        self.lines
            .push(format!("{} ~ {call}{weight}", self.spelled(&outcome)));
        let mut parts: Vec<Expr> = linear;
        if parts.len() > LONGEST {
            let chunks: Vec<Vec<Expr>> = parts.chunks(LONGEST).map(<[Expr]>::to_vec).collect();
            parts = Vec::new();
            for (place, chunk) in chunks.into_iter().enumerate() {
                let part = self.fresh(&format!("{mean}_{}", place + 1));
                if let Some(sum) = sum(chunk) {
                    self.lines.push(format!("{} = {sum}", self.spelled(&part)));
                }
                parts.push(variable(&part, span));
            }
        }
        let value = sum(parts).unwrap_or_else(|| number(0.0, span));
        let mean = self.spelled(&mean);
        self.lines.push(match self.link {
            Some(link) => format!("{}({mean}) = {value}", link.word()),
            None => format!("{mean} = {value}"),
        });
    }

    /// An error where a line gives a prior to the level that [`Self::level_at_zero`] derives.
    fn no_prior_at_zero(&mut self, intercept: &str) {
        if self.formula.table.column(AT_ZERO).is_none()
            && let Some(span) = self.target(AT_ZERO)
        {
            let title = format!(
                "{} follows from {} and has no prior",
                quoted(AT_ZERO),
                quoted(intercept)
            );
            let report = Report::error(title, span, "the level where all predictors are 0");
            self.reports.push(report.with_help(format!(
                "write `{intercept} ~ …`: the prior of the level at the predictors' means"
            )));
        }
    }

    /// The intercept of the columns as they are, which lme4 and brms print.
    fn level_at_zero(&mut self, intercept: &str, b: &str) {
        if self.columns.is_empty() {
            return;
        }
        let span = self.span;
        let level = self.fresh(AT_ZERO);
        let mut parts = vec![variable(intercept, span)];
        for (column, _) in &self.columns {
            let mean = call("mean", [column.value.clone()], span);
            let coefficient = indexed(b, [text(&column.label, span)], span);
            parts.push(binary(BinaryOp::Mul, coefficient, mean));
        }
        let chunks: Vec<&[Expr]> = parts.chunks(LONGEST).collect();
        let mut value: Option<String> = None;
        for (place, chunk) in chunks.iter().enumerate() {
            let difference = chunk
                .iter()
                .cloned()
                .reduce(|left, right| binary(BinaryOp::Sub, left, right));
            let Some(difference) = difference else { continue };
            value = Some(match (value, place) {
                (None, _) | (_, 0) => difference.to_string(),
                (Some(before), place) => {
                    let part = self.fresh(&format!("{AT_ZERO}_{place}"));
                    self.prior_lines
                        .push(format!("{} = {before}", self.spelled(&part)));
                    let mut all = vec![variable(&part, span)];
                    all.extend(chunk.iter().cloned());
                    all.into_iter()
                        .reduce(|left, right| binary(BinaryOp::Sub, left, right))
                        .map_or_else(String::new, |difference| difference.to_string())
                }
            });
        }
        if let Some(value) = value {
            self.prior_lines
                .push(format!("{} = {value}", self.spelled(&level)));
        }
    }
}
