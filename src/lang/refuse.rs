//! Refuses what the grammar has but this release cannot fit yet: each construct by name, at its place, with a way round.

use super::analyse::MV_NORMAL;
use super::ast::{
    Call, ConstraintKind, Definition, Expr, ExprKind, Model, Modifier, ModifierKind, StatementKind,
    Stochastic, Sub, Targets,
};
use super::report::Report;
use super::span::Span;
use super::spelling::canonical_name;

/// Distributions to come: canonical name, what they are for, the way round.
const DISTRIBUTIONS: [(&str, &str, &str); 8] = [
    (
        "OrderedLogit",
        "ordered outcomes with `OrderedLogit` are",
        "model whether the response exceeds one category: `high = response > 4`, `high ~ Bernoulli(p)`",
    ),
    (
        "OrderedProbit",
        "ordered outcomes with `OrderedProbit` are",
        "model whether the response exceeds one category: `high = response > 4`, `high ~ Bernoulli(p)`",
    ),
    (
        "Dirichlet",
        "simplexes with `Dirichlet` are",
        "two shares can be written with one probability: `p ~ Beta(2, 2)`, and `1 - p`",
    ),
    (
        "Categorical",
        "unordered outcomes with `Categorical` are",
        "model one category against the others: `first = kind == 1`, `first ~ Bernoulli(p)`",
    ),
    (
        "Multinomial",
        "counts of several kinds with `Multinomial` are",
        "model one kind against the others with `Binomial(n, p)`",
    ),
    (
        "ZIPoisson",
        "zero-inflated counts with `ZIPoisson` are",
        "overdispersed counts can be written with `NegBinomial(mu, phi)`",
    ),
    (
        "ZIBinomial",
        "zero-inflated counts with `ZIBinomial` are",
        "overdispersed counts can be written with `BetaBinomial(n, a, b)`",
    ),
    (
        "VonMises",
        "angles with `VonMises` are",
        "angles far from the ends of their range can be written with `Normal(mean, sd)`",
    ),
];

/// A report for each construct of the model that this release does not implement; empty if there is none.
pub fn refuse(model: &Model) -> Vec<Report> {
    let mut refusals = Refusals(Vec::new());
    for statement in &model.statements {
        match &statement.kind {
            StatementKind::Stochastic(stochastic) => refusals.stochastic(stochastic),
            StatementKind::Definition(Definition { target, value, .. }) => {
                refusals.subs(&target.subs);
                refusals.expr(value);
            }
            StatementKind::Index(_) | StatementKind::DropMissing(_) => {}
            StatementKind::Setting(_) => refusals.add(
                "settings in the model (`option`) are",
                statement.span,
                "remove the line; settings are flags of the command line: `tadpool fit --help`",
            ),
            // Joined and expanded before anything is lowered.
            StatementKind::Table(_) | StatementKind::Glm(_) => {}
        }
    }
    refusals.0
}

struct Refusals(Vec<Report>);

impl Refusals {
    /// `what` ends in "is" or "are".
    fn add(&mut self, what: &str, span: Span, instead: &str) {
        let title = format!("{what} not in this release yet");
        self.0
            .push(Report::error(title, span, "cannot be fitted yet").with_help(instead));
    }

    fn stochastic(&mut self, stochastic: &Stochastic) {
        // One report a line: what else stands there belongs to the distribution.
        if self.distribution(&stochastic.distribution) {
            return;
        }
        if let Some(constraint) = stochastic.constraint {
            let instead = match constraint.kind {
                ConstraintKind::Ordered => {
                    "cutpoints come together with `OrderedLogit`; until then model whether the response exceeds one category: `high = response > 4`, `high ~ Bernoulli(p)`"
                }
                ConstraintKind::Simplex => {
                    "shares come together with `Dirichlet`; two shares can be written `p` and `1 - p`, with `p ~ Beta(2, 2)`"
                }
                ConstraintKind::Positive => {
                    "choose a prior on positive numbers, such as `Exponential(1)`, `HalfNormal(1)` or `LogNormal(0, 1)`; a name used as a scale is positive anyway"
                }
                ConstraintKind::Unit => "choose a prior on probabilities: `Beta(2, 2)` or `Uniform(0, 1)`",
                ConstraintKind::Real => "remove the word: the distribution says what the support is",
            };
            let what = format!("targets declared `{}` are", constraint.kind.word());
            self.add(&what, constraint.span, instead);
        }
        match &stochastic.targets {
            Targets::Separate(vars) => vars.iter().for_each(|var| self.subs(&var.subs)),
            Targets::Joint(joint) => {
                self.subs(&joint.subs);
            }
        }
        for argument in &stochastic.distribution.args {
            match &argument.value.kind {
                // An element for each place of the target.
                ExprKind::Vector(elements) => elements.iter().for_each(|element| self.expr(element)),
                ExprKind::Number(_)
                | ExprKind::Text(_)
                | ExprKind::Name(_)
                | ExprKind::Indexed(..)
                | ExprKind::Call(_)
                | ExprKind::Unary(..)
                | ExprKind::Binary(..) => self.expr(&argument.value),
            }
        }
        stochastic
            .modifiers
            .iter()
            .for_each(|modifier| self.modifier(modifier));
    }

    /// Whether the distribution is one to come.
    fn distribution(&mut self, call: &Call) -> bool {
        let name = canonical_name(&call.name.text);
        let later = DISTRIBUTIONS.iter().find(|(later, ..)| *later == name);
        if let Some((_, what, instead)) = later {
            self.add(what, call.name.span, instead);
        }
        later.is_some()
    }

    fn modifier(&mut self, modifier: &Modifier) {
        match modifier.kind {
            ModifierKind::Truncation { .. } => self.add(
                "truncation with `T(lower, upper)` is",
                modifier.span,
                "choose a prior on the range itself, such as `HalfNormal`, `HalfCauchy`, `Exponential`, `Beta` or `Uniform`; a name used as a scale is truncated at 0 anyway",
            ),
            ModifierKind::Censoring { .. } => self.add(
                "censoring with `cens( … )` is",
                modifier.span,
                "leave the modifier out if no row is censored; fitting censored rows as if they were complete biases the result",
            ),
            ModifierKind::Weight(_) | ModifierKind::Hint(_) => {}
        }
    }

    fn subs(&mut self, subs: &[Sub]) {
        for sub in subs {
            self.expr(&sub.low);
            if let Some(high) = &sub.high {
                self.add(
                    "ranges in brackets are",
                    sub.span(),
                    "name the elements one by one: `b[1]`, `b[2]`",
                );
                self.expr(high);
            }
        }
    }

    fn call(&mut self, call: &Call) {
        if call.name.text == "mo" {
            self.add(
                "ordered predictors with `mo( … )` are",
                call.name.span,
                "give each level a coefficient of its own, `b[edu] ~ Normal(0, 1)`, or enter it as a number, `bE*edu`",
            );
        }
        for arg in &call.args {
            match &arg.value.kind {
                // A vector is the mean or the sd of several effects.
                ExprKind::Vector(elements) if canonical_name(&call.name.text) == MV_NORMAL => {
                    elements.iter().for_each(|element| self.expr(element));
                }
                _ => self.expr(&arg.value),
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => {}
            ExprKind::Indexed(_, subs) => self.subs(subs),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Vector(elements) => {
                self.add(
                    "vectors in expressions are",
                    expr.span,
                    "use the elements one by one: `s1*x1 + s2*x2`",
                );
                elements.iter().for_each(|element| self.expr(element));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn titles(text: &str) -> Vec<String> {
        let model = parse("m", text).unwrap_or_else(|reports| panic!("{reports}"));
        refuse(&model).into_iter().map(|report| report.title).collect()
    }

    #[test]
    fn the_first_level_passes() {
        let text = "
            index t = l * c
            index size levels(\"small\", \"big\")
            drop_missing(x)
            y ~ Binomial(n, p)
            logit(p) = a[actor, t] + b[1]*x^2 % 3 + u[county] + (x > 1 && x < 2) + a_actor[\"bob smith\"]
            a[actor, t] ~ dnorm(0, s) @noncentered
            c(s, r) ~ dexp(1)
            b[3] ~ Normal(0, 1)
            [a, b][g] ~ MVNormal([m, n], s, Rho)
            c(a, b)[g] ~ dmvnorm2(c(m, n), s, Rho)
            Rho ~ dlkjcorr(2)
        ";
        assert_eq!(titles(text), Vec::<String>::new());
    }

    #[test]
    fn each_construct_to_come_is_named_once() {
        for (text, what) in [
            ("simplex d[7] ~ Dirichlet(2)", "simplexes with `Dirichlet` are"),
            ("ordered k ~ Normal(0, 1)", "targets declared `ordered` are"),
            ("y ~ Normal(0, 1) T(0, )", "truncation with `T(lower, upper)` is"),
            ("y ~ Normal(0, 1) cens(k)", "censoring with `cens( … )` is"),
            ("m = -(a + b*mo(x, d))", "ordered predictors with `mo( … )` are"),
            ("m = f(k[1:3])", "ranges in brackets are"),
            ("m = k[[1, 2]]", "vectors in expressions are"),
            ("option x = 1", "settings in the model (`option`) are"),
        ] {
            assert_eq!(
                titles(text),
                [format!("{what} not in this release yet")],
                "{text}"
            );
        }
    }
}
