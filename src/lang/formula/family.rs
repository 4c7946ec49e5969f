//! The families of formulae: their links, their distributions, the parameters that they have beside the mean.

use super::pieces::{binary, distribution, number, variable};
use crate::lang::ast::{BinaryOp, Call, Expr, Link, Name};
use crate::lang::nearest;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// A distribution of the outcome, by the name that it has in R.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Gaussian,
    Student,
    Binomial,
    Bernoulli,
    Poisson,
    NegBinomial,
    Gamma,
    Beta,
}

/// How the prior of a parameter beside the mean is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Beside {
    /// A scale of the outcome.
    Scale(&'static str),
    /// Degrees of freedom.
    Freedom(&'static str),
    /// A dispersion: large where there is little.
    Dispersion(&'static str),
}

impl Beside {
    pub(super) fn name(self) -> &'static str {
        match self {
            Beside::Scale(name) | Beside::Freedom(name) | Beside::Dispersion(name) => name,
        }
    }

    /// What it is, with its verb.
    pub(super) fn what(self) -> &'static str {
        match self {
            Beside::Scale(_) => "the residual scale is",
            Beside::Freedom(_) => "the degrees of freedom are",
            Beside::Dispersion(_) => "the dispersion is",
        }
    }
}

impl Family {
    const ALL: [Self; 8] = [
        Self::Gaussian,
        Self::Student,
        Self::Binomial,
        Self::Bernoulli,
        Self::Poisson,
        Self::NegBinomial,
        Self::Gamma,
        Self::Beta,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Student => "student",
            Self::Binomial => "binomial",
            Self::Bernoulli => "bernoulli",
            Self::Poisson => "poisson",
            Self::NegBinomial => "negbinomial",
            Self::Gamma => "gamma",
            Self::Beta => "beta",
        }
    }

    /// The family of a formula; gaussian where none is named.
    pub(super) fn of(named: Option<&Name>) -> Result<Self, Box<Report>> {
        let Some(name) = named else {
            return Ok(Self::Gaussian);
        };
        let lower = name.text.to_lowercase();
        let synonym = match lower.as_str() {
            "normal" => "gaussian",
            "negative_binomial" | "neg_binomial" | "negbin" => "negbinomial",
            "student_t" | "t" => "student",
            other => other,
        };
        Self::ALL
            .into_iter()
            .find(|family| family.name() == synonym)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::name);
                let title = format!("unknown family {}", quoted(&name.text));
                Box::new(
                    Report::error(title, name.span, "not a family of formulae").with_help(
                        match nearest(&lower, all) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!("the families are {}", all.join(", ")),
                        },
                    ),
                )
            })
    }

    /// The links, the default first; none is the identity.
    fn links(self) -> &'static [Option<Link>] {
        match self {
            Self::Gaussian | Self::Student => &[None, Some(Link::Log)],
            Self::Binomial | Self::Bernoulli | Self::Beta => {
                &[Some(Link::Logit), Some(Link::Probit), Some(Link::Cloglog)]
            }
            Self::Poisson => &[Some(Link::Log), Some(Link::Sqrt)],
            Self::NegBinomial | Self::Gamma => &[Some(Link::Log)],
        }
    }

    /// The link of a formula; the family's own where none is named.
    pub(super) fn link(self, named: Option<&Name>) -> Result<Option<Link>, Box<Report>> {
        let links = self.links();
        let Some(name) = named else {
            return Ok(links[0]);
        };
        let word = |link: &Option<Link>| link.map_or("identity", Link::word);
        links
            .iter()
            .find(|link| word(link) == name.text)
            .copied()
            .ok_or_else(|| {
                let all: Vec<&str> = links.iter().map(word).collect();
                let title = format!("{} has no link {}", self.name(), quoted(&name.text));
                Box::new(
                    Report::error(title, name.span, "not a link of this family").with_help(format!(
                        "the links of {} are {}",
                        self.name(),
                        all.join(", ")
                    )),
                )
            })
    }

    /// What the mean, or the probability, is called.
    pub(super) fn mean(self) -> &'static str {
        match self {
            Self::Gaussian | Self::Student | Self::NegBinomial | Self::Gamma | Self::Beta => "mu",
            Self::Binomial | Self::Bernoulli => "p",
            Self::Poisson => "lambda",
        }
    }

    /// The parameters beside the mean.
    pub(super) fn beside(self) -> &'static [Beside] {
        match self {
            Self::Gaussian => &[Beside::Scale("sigma")],
            Self::Student => &[Beside::Scale("sigma"), Beside::Freedom("nu")],
            Self::Binomial | Self::Bernoulli | Self::Poisson => &[],
            Self::NegBinomial | Self::Beta => &[Beside::Dispersion("phi")],
            Self::Gamma => &[Beside::Dispersion("shape")],
        }
    }

    /// The distribution with the mean called `mean`, and the parameters of [`Family::beside`] as `beside` has them.
    pub(super) fn distribution(
        self,
        mean: &str,
        beside: &[String],
        trials: Option<Expr>,
        span: Span,
    ) -> Call {
        let mu = || variable(mean, span);
        let own = |place: usize| variable(&beside[place], span);
        match self {
            Self::Gaussian => distribution("Normal", [mu(), own(0)], span),
            Self::Student => distribution("StudentT", [own(1), mu(), own(0)], span),
            Self::Binomial | Self::Bernoulli => match trials {
                Some(trials) => distribution("Binomial", [trials, mu()], span),
                None => distribution("Bernoulli", [mu()], span),
            },
            Self::Poisson => distribution("Poisson", [mu()], span),
            Self::NegBinomial => distribution("NegBinomial", [mu(), own(0)], span),
            Self::Gamma => distribution("Gamma", [own(0), binary(BinaryOp::Div, own(0), mu())], span),
            Self::Beta => {
                let rest = binary(BinaryOp::Sub, number(1.0, span), mu());
                distribution(
                    "Beta",
                    [
                        binary(BinaryOp::Mul, mu(), own(0)),
                        binary(BinaryOp::Mul, rest, own(0)),
                    ],
                    span,
                )
            }
        }
    }
}
