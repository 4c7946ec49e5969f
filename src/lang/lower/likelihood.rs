//! Likelihoods: outcomes, checked against their distributions, and their terms.

use super::axes::ROWS;
use super::expression::shown;
use super::value::Value;
use super::{Context, Defined, Eval, Lowering, Poison};
use crate::dist::{Family, LARGEST_COUNT, Support};
use crate::ir::{Expr as Node, Handle};
use crate::lang::analyse::{Relation, Symbol};
use crate::lang::ast::{Expr, Link};
use crate::lang::lowered::Likelihood;
use crate::lang::report::{Report, quoted};

impl<'a, 'b> Lowering<'a, 'b> {
    /// A line with data on its left, and its term of the density, over the outcome's plate. `term` and `output` of the
    /// result are to be set.
    pub(super) fn likelihood(&mut self, place: usize) -> Eval<(Likelihood, Handle)> {
        let relation = &self.analysis.relations[place];
        let outcome = self.outcome(relation);
        let plate = match &outcome {
            Ok((_, plate)) => *plate,
            Err(Poison) => Some(ROWS),
        };
        // Looked at even where the outcome is wrong, so that both are reported.
        let arguments = self.arguments(relation, plate);
        let ((observed, _), arguments) = (outcome?, arguments?);
        self.fixed_bounds(relation, &arguments)?;
        self.check_support(relation, &observed, &arguments, plate)?;
        let observed = self.over(&observed, plate);
        let nodes: Vec<Node<'b>> = arguments.iter().map(|value| value.expr).collect();
        // A density that ignores its outcome (Uniform) is one number, but counts once for each element.
        let term = Value::parameter(relation.family.log_density(&observed, &nodes));
        let term = self.over(&term, plate);
        let term = match self.weight(relation, plate)? {
            Some(weight) => term * weight,
            None => term,
        };
        let likelihood = Likelihood {
            outcome: relation.target.name.text.clone(),
            family: relation.family,
            observed: observed.handle(),
            arguments: nodes.iter().map(|node| node.handle()).collect(),
            link: location_argument(relation.family)
                .and_then(|argument| self.link(relation.arguments[argument]))
                .map(|(link, linear)| (link, linear.handle())),
            plate: plate.map_or_else(String::new, |plate| self.plates[plate].name.clone()),
            term: 0,
            output: 0,
        };
        Ok((likelihood, term.handle()))
    }

    /// What multiplies the log likelihood of each element: data, 0 or above.
    fn weight(&mut self, relation: &'a Relation<'a>, plate: Context) -> Eval<Option<Node<'b>>> {
        let Some(expr) = relation.weight else {
            return Ok(None);
        };
        let value = self.expression(expr, plate)?;
        let Some(numbers) = &value.numbers else {
            let report = Report::error("a weight must be data", expr.span, "depends on parameters")
                .with_help("write a number or a column");
            return Err(self.blame(report));
        };
        let wrong = numbers
            .iter()
            .position(|x| !(self.may_be_unknown(*x) || x.is_finite() && *x >= 0.0));
        if let Some(element) = wrong {
            let at = plate.filter(|_| value.expr.ty().plate.is_some());
            let report = Report::error(
                format!(
                    "the weight is {}{}",
                    shown(numbers[element]),
                    self.place_of(element, at)
                ),
                expr.span,
                "expected 0 or above",
            )
            .with_help("a weight of 0 leaves a row out, one of 2 counts it twice");
            return Err(self.blame(report));
        }
        Ok(Some(value.expr))
    }

    /// The outcome's values and the plate that they are over.
    pub(super) fn outcome(&mut self, relation: &'a Relation<'a>) -> Eval<(Value<'b>, Context)> {
        let name = relation.target.name.text.as_str();
        let span = relation.target.span;
        let defined = matches!(self.analysis.symbols.get(name), Some(Symbol::Definition(_)));
        if relation.target.subs.is_empty() {
            let plate = if defined {
                self.own_plate(name)?
            } else {
                Some(ROWS)
            };
            let value = if defined {
                self.definition(name, plate, span)?
            } else {
                self.column(name, span)?
            };
            return Ok((value, plate));
        }
        let plate = self.target_plate(&relation.target)?;
        let value = self.indexed(relation.target.name, relation.target.subs, plate, span)?;
        Ok((value, plate))
    }

    /// The link and the linear predictor of an argument that a line of its own defines.
    pub(super) fn link(&mut self, argument: &'a Expr) -> Option<(Link, Node<'b>)> {
        let name = argument.bare_name()?;
        let link = self.analysis.definition(name)?.link?;
        match self.defined(name) {
            Ok(Defined {
                linear: Some(linear), ..
            }) => Some((link, linear.expr)),
            Ok(Defined { linear: None, .. }) | Err(Poison) => None,
        }
    }

    /// The density is written for outcomes inside the support, which must not move with a parameter.
    fn fixed_bounds(&mut self, relation: &'a Relation<'a>, arguments: &[Value<'b>]) -> Eval<()> {
        if relation.family.support() != Support::Interval {
            return Ok(());
        }
        let Some(place) = arguments[..2].iter().position(|bound| bound.numbers.is_none()) else {
            return Ok(());
        };
        let name = relation.target.name.text.as_str();
        let family = relation.family.name();
        let argument = relation.family.arguments()[place].name;
        let report = Report::error(
            format!("the argument `{argument}` of {family} depends on parameters"),
            relation.arguments[place].span,
            format!("expected data: the range of {} would move with it", quoted(name)),
        )
        .with_label(relation.target.span, "an outcome")
        .with_help("write bounds that are numbers or columns, or choose a distribution without bounds");
        Err(self.blame(report))
    }

    pub(super) fn check_support(
        &mut self,
        relation: &'a Relation<'a>,
        observed: &Value<'b>,
        arguments: &[Value<'b>],
        plate: Context,
    ) -> Eval<()> {
        let bounds = match relation.family.support() {
            Support::Interval => 2,
            Support::CountsUpTo => 1,
            Support::Real
            | Support::Positive
            | Support::NonNegative
            | Support::Unit
            | Support::Binary
            | Support::Counts => 0,
        };
        let bounds: Option<Vec<&[f64]>> = arguments[..bounds]
            .iter()
            .map(|value| value.numbers.as_deref())
            .collect();
        let (Some(bounds), Some(numbers)) = (bounds, &observed.numbers) else {
            return Ok(());
        };
        let mut wrong: Vec<(usize, String)> = Vec::new();
        for (element, y) in numbers.iter().enumerate() {
            let at: Vec<f64> = bounds
                .iter()
                .map(|x| if x.len() == 1 { x[0] } else { x[element] })
                .collect();
            if let Err(expected) = relation.family.contains(*y, &at)
                && !self.may_be_unknown(*y)
            {
                wrong.push((element, expected));
            }
        }
        let Some((element, expected)) = wrong.first() else {
            return Ok(());
        };
        let name = relation.target.name.text.as_str();
        let texts: Vec<&str> = relation.arguments.iter().map(|expr| self.written(expr)).collect();
        let mut report = Report::error(
            format!(
                "{} is {}{}",
                quoted(name),
                shown(numbers[*element]),
                self.place_of(*element, plate)
            ),
            relation.target.span,
            format!("expected {expected}"),
        )
        .with_label(
            relation.family_span,
            format!("because of {}({})", relation.family.name(), texts.join(", ")),
        );
        if wrong.len() > 1 {
            report = report.with_note(format!(
                "{} of {} values are impossible",
                wrong.len(),
                numbers.len()
            ));
        }
        let y = numbers[*element];
        let report = report.with_help(match relation.family.support() {
            Support::Counts | Support::CountsUpTo if y < 0.0 => {
                format!("look at `{name}` there: a count cannot be negative")
            }
            Support::Counts | Support::CountsUpTo if y > LARGEST_COUNT => {
                format!("look at `{name}` there: the count is absurdly large")
            }
            Support::CountsUpTo if y.fract() != 0.0 => {
                format!("look at `{name}` there: a count is a whole number")
            }
            Support::CountsUpTo => format!(
                "look at `{name}` and `{}` there: a count cannot exceed its number of trials",
                texts[0]
            ),
            Support::Binary => "write 0 or 1; for counts out of several trials use Binomial(n, p)".to_owned(),
            Support::Counts => {
                "write whole numbers; for measurements use a continuous distribution such as Normal"
                    .to_owned()
            }
            Support::Positive | Support::NonNegative | Support::Unit | Support::Interval | Support::Real => {
                "correct the value, or choose a distribution with a wider support".to_owned()
            }
        });
        Err(self.blame(report))
    }
}

/// The argument that carries the mean or location of the outcome, where there is one.
pub(super) fn location_argument(family: Family) -> Option<usize> {
    match family {
        Family::Normal
        | Family::Cauchy
        | Family::Logistic
        | Family::Laplace
        | Family::LogNormal
        | Family::Exponential
        | Family::Bernoulli
        | Family::Poisson
        | Family::NegBinomial
        | Family::Geometric => Some(0),
        Family::StudentT | Family::Binomial => Some(1),
        Family::HalfNormal
        | Family::HalfCauchy
        | Family::HalfStudentT
        | Family::Gamma
        | Family::InvGamma
        | Family::Beta
        | Family::Uniform
        | Family::Weibull
        | Family::BetaBinomial => None,
    }
}
