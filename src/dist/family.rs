//! The list of distributions, and every question that may be asked of one.

use rand::Rng;

use super::{Argument, Facts, LARGEST_COUNT, Role, Support};
use crate::error::{Error, Result};
use crate::num::Real;

/// A distribution of the model language; each file of this folder gives its formula, support and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Normal(mean, sd).
    Normal,
    /// HalfNormal(sd).
    HalfNormal,
    /// Cauchy(location, scale).
    Cauchy,
    /// HalfCauchy(scale).
    HalfCauchy,
    /// StudentT(nu, mu, sigma).
    StudentT,
    /// HalfStudentT(nu, sigma).
    HalfStudentT,
    /// Exponential(rate).
    Exponential,
    /// Gamma(shape, rate).
    Gamma,
    /// InvGamma(shape, scale).
    InvGamma,
    /// Beta(a, b).
    Beta,
    /// Uniform(lower, upper).
    Uniform,
    /// LogNormal(meanlog, sdlog).
    LogNormal,
    /// Logistic(location, scale).
    Logistic,
    /// Laplace(location, scale).
    Laplace,
    /// Weibull(shape, scale).
    Weibull,
    /// Binomial(n, p).
    Binomial,
    /// Bernoulli(p).
    Bernoulli,
    /// Poisson(mu).
    Poisson,
    /// NegBinomial(mu, phi).
    NegBinomial,
    /// Geometric(p).
    Geometric,
    /// BetaBinomial(n, a, b).
    BetaBinomial,
}

impl Family {
    /// Every distribution, in the order of the documentation.
    pub const ALL: &'static [Family] = &[
        Family::Normal,
        Family::HalfNormal,
        Family::Cauchy,
        Family::HalfCauchy,
        Family::StudentT,
        Family::HalfStudentT,
        Family::Exponential,
        Family::Gamma,
        Family::InvGamma,
        Family::Beta,
        Family::Uniform,
        Family::LogNormal,
        Family::Logistic,
        Family::Laplace,
        Family::Weibull,
        Family::Binomial,
        Family::Bernoulli,
        Family::Poisson,
        Family::NegBinomial,
        Family::Geometric,
        Family::BetaBinomial,
    ];

    fn facts(self) -> &'static Facts {
        match self {
            Family::Normal => &super::normal::FACTS,
            Family::HalfNormal => &super::half_normal::FACTS,
            Family::Cauchy => &super::cauchy::FACTS,
            Family::HalfCauchy => &super::half_cauchy::FACTS,
            Family::StudentT => &super::student_t::FACTS,
            Family::HalfStudentT => &super::half_student_t::FACTS,
            Family::Exponential => &super::exponential::FACTS,
            Family::Gamma => &super::gamma::FACTS,
            Family::InvGamma => &super::inv_gamma::FACTS,
            Family::Beta => &super::beta::FACTS,
            Family::Uniform => &super::uniform::FACTS,
            Family::LogNormal => &super::log_normal::FACTS,
            Family::Logistic => &super::logistic::FACTS,
            Family::Laplace => &super::laplace::FACTS,
            Family::Weibull => &super::weibull::FACTS,
            Family::Binomial => &super::binomial::FACTS,
            Family::Bernoulli => &super::bernoulli::FACTS,
            Family::Poisson => &super::poisson::FACTS,
            Family::NegBinomial => &super::neg_binomial::FACTS,
            Family::Geometric => &super::geometric::FACTS,
            Family::BetaBinomial => &super::beta_binomial::FACTS,
        }
    }

    /// The distribution of this canonical name (case counts), if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.name() == name)
    }

    /// The canonical name.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The arguments, in the order in which the functions below take their values.
    pub fn arguments(self) -> &'static [Argument] {
        self.facts().arguments
    }

    /// The set of outcomes.
    pub fn support(self) -> Support {
        self.facts().support
    }

    /// The log density as one line of text.
    pub fn doc(self) -> &'static str {
        self.facts().formula
    }

    /// Whether outcomes are whole numbers.
    pub fn is_discrete(self) -> bool {
        self.support().is_discrete()
    }

    /// The log density (log probability where discrete) of `y`, normalising constant included; `y` must lie in the
    /// support, which [`Family::contains`] checks for data and a transform ensures for parameters.
    ///
    /// # Panics
    /// If `a` has not one value for each of [`Family::arguments`].
    pub fn log_density<R: Real>(self, y: &R, a: &[R]) -> R {
        match self {
            Family::Normal => super::normal::lpdf(y, &a[0], &a[1]),
            Family::HalfNormal => super::half_normal::lpdf(y, &a[0]),
            Family::Cauchy => super::cauchy::lpdf(y, &a[0], &a[1]),
            Family::HalfCauchy => super::half_cauchy::lpdf(y, &a[0]),
            Family::StudentT => super::student_t::lpdf(y, &a[0], &a[1], &a[2]),
            Family::HalfStudentT => super::half_student_t::lpdf(y, &a[0], &a[1]),
            Family::Exponential => super::exponential::lpdf(y, &a[0]),
            Family::Gamma => super::gamma::lpdf(y, &a[0], &a[1]),
            Family::InvGamma => super::inv_gamma::lpdf(y, &a[0], &a[1]),
            Family::Beta => super::beta::lpdf(y, &a[0], &a[1]),
            Family::Uniform => super::uniform::lpdf(y, &a[0], &a[1]),
            Family::LogNormal => super::log_normal::lpdf(y, &a[0], &a[1]),
            Family::Logistic => super::logistic::lpdf(y, &a[0], &a[1]),
            Family::Laplace => super::laplace::lpdf(y, &a[0], &a[1]),
            Family::Weibull => super::weibull::lpdf(y, &a[0], &a[1]),
            Family::Binomial => super::binomial::lpmf(y, &a[0], &a[1]),
            Family::Bernoulli => super::bernoulli::lpmf(y, &a[0]),
            Family::Poisson => super::poisson::lpmf(y, &a[0]),
            Family::NegBinomial => super::neg_binomial::lpmf(y, &a[0], &a[1]),
            Family::Geometric => super::geometric::lpmf(y, &a[0]),
            Family::BetaBinomial => super::beta_binomial::lpmf(y, &a[0], &a[1], &a[2]),
        }
    }

    /// The mean; none where it does not exist or is infinite.
    ///
    /// # Panics
    /// If `a` has not one value for each of [`Family::arguments`].
    pub fn mean(self, a: &[f64]) -> Option<f64> {
        match self {
            Family::Normal => super::normal::mean(a[0], a[1]),
            Family::HalfNormal => super::half_normal::mean(a[0]),
            Family::Cauchy => super::cauchy::mean(a[0], a[1]),
            Family::HalfCauchy => super::half_cauchy::mean(a[0]),
            Family::StudentT => super::student_t::mean(a[0], a[1], a[2]),
            Family::HalfStudentT => super::half_student_t::mean(a[0], a[1]),
            Family::Exponential => super::exponential::mean(a[0]),
            Family::Gamma => super::gamma::mean(a[0], a[1]),
            Family::InvGamma => super::inv_gamma::mean(a[0], a[1]),
            Family::Beta => super::beta::mean(a[0], a[1]),
            Family::Uniform => super::uniform::mean(a[0], a[1]),
            Family::LogNormal => super::log_normal::mean(a[0], a[1]),
            Family::Logistic => super::logistic::mean(a[0], a[1]),
            Family::Laplace => super::laplace::mean(a[0], a[1]),
            Family::Weibull => super::weibull::mean(a[0], a[1]),
            Family::Binomial => super::binomial::mean(a[0], a[1]),
            Family::Bernoulli => super::bernoulli::mean(a[0]),
            Family::Poisson => super::poisson::mean(a[0]),
            Family::NegBinomial => super::neg_binomial::mean(a[0], a[1]),
            Family::Geometric => super::geometric::mean(a[0]),
            Family::BetaBinomial => super::beta_binomial::mean(a[0], a[1], a[2]),
        }
    }

    /// ln P(Y > 0), the mass that a truncation to (0, ∞) keeps; none where the support is not the real line.
    ///
    /// # Panics
    /// If `a` has not one value for each of [`Family::arguments`].
    pub fn ln_upper_mass(self, a: &[f64]) -> Option<f64> {
        match self {
            Family::Normal => Some(super::normal::ln_upper_mass(a[0], a[1])),
            Family::Cauchy => Some(super::cauchy::ln_upper_mass(a[0], a[1])),
            Family::StudentT => Some(super::student_t::ln_upper_mass(a[0], a[1], a[2])),
            Family::Logistic => Some(super::logistic::ln_upper_mass(a[0], a[1])),
            Family::Laplace => Some(super::laplace::ln_upper_mass(a[0], a[1])),
            Family::HalfNormal
            | Family::HalfCauchy
            | Family::HalfStudentT
            | Family::Exponential
            | Family::Gamma
            | Family::InvGamma
            | Family::Beta
            | Family::Uniform
            | Family::LogNormal
            | Family::Weibull
            | Family::Binomial
            | Family::Bernoulli
            | Family::Poisson
            | Family::NegBinomial
            | Family::Geometric
            | Family::BetaBinomial => None,
        }
    }

    /// A draw.
    ///
    /// # Errors
    /// A user error that names the argument whose value is impossible (a negative scale, a NaN), or that says why
    /// the generator refuses the values (a Poisson mean beyond 1.8e19).
    ///
    /// # Panics
    /// If `a` has not one value for each of [`Family::arguments`].
    pub fn sample<G: Rng + ?Sized>(self, rng: &mut G, a: &[f64]) -> Result<f64> {
        self.check_arguments(a)?;
        let drawn = match self {
            Family::Normal => Ok(super::normal::sample(rng, a[0], a[1])),
            Family::HalfNormal => Ok(super::half_normal::sample(rng, a[0])),
            Family::Cauchy => Ok(super::cauchy::sample(rng, a[0], a[1])),
            Family::HalfCauchy => Ok(super::half_cauchy::sample(rng, a[0])),
            Family::StudentT => super::student_t::sample(rng, a[0], a[1], a[2]),
            Family::HalfStudentT => super::half_student_t::sample(rng, a[0], a[1]),
            Family::Exponential => Ok(super::exponential::sample(rng, a[0])),
            Family::Gamma => super::gamma::sample(rng, a[0], a[1]),
            Family::InvGamma => super::inv_gamma::sample(rng, a[0], a[1]),
            Family::Beta => super::beta::sample(rng, a[0], a[1]),
            Family::Uniform => Ok(super::uniform::sample(rng, a[0], a[1])),
            Family::LogNormal => Ok(super::log_normal::sample(rng, a[0], a[1])),
            Family::Logistic => Ok(super::logistic::sample(rng, a[0], a[1])),
            Family::Laplace => Ok(super::laplace::sample(rng, a[0], a[1])),
            Family::Weibull => Ok(super::weibull::sample(rng, a[0], a[1])),
            Family::Binomial => super::binomial::sample(rng, a[0], a[1]),
            Family::Bernoulli => Ok(super::bernoulli::sample(rng, a[0])),
            Family::Poisson => super::poisson::sample(rng, a[0]),
            Family::NegBinomial => super::neg_binomial::sample(rng, a[0], a[1]),
            Family::Geometric => Ok(super::geometric::sample(rng, a[0])),
            Family::BetaBinomial => super::beta_binomial::sample(rng, a[0], a[1], a[2]),
        };
        drawn.map_err(|cause| {
            let values: Vec<String> = a.iter().map(|value| value.to_string()).collect();
            Error::user(format!(
                "cannot draw from {}({}): {cause}",
                self.name(),
                values.join(", ")
            ))
            .with_help("narrower priors keep simulated values within the range of numbers")
        })
    }

    /// Checks the values of the arguments against their roles.
    ///
    /// # Errors
    /// A user error that names the distribution, the argument, the value and what was expected.
    ///
    /// # Panics
    /// If `a` has not one value for each of [`Family::arguments`].
    pub fn check_arguments(self, a: &[f64]) -> Result<()> {
        for (place, argument) in self.arguments().iter().enumerate() {
            // A mean of a count that underflowed to 0 is a point mass at 0, not a mistake.
            let may_be_zero = place == 0 && matches!(self, Family::Poisson | Family::NegBinomial);
            let fits = argument.role.admits(a[place]) || (may_be_zero && a[place] == 0.0);
            // A success that never comes has no waiting time.
            let impossible = self == Family::Geometric && a[place] == 0.0;
            if !fits || impossible {
                let expected = if impossible {
                    "a number above 0, up to 1"
                } else {
                    argument.role.expected()
                };
                return Err(Error::user(format!(
                    "{}: the argument `{}` is {}, expected {expected}",
                    self.name(),
                    argument.name,
                    a[place],
                )));
            }
        }
        if self == Family::Uniform && a[0] >= a[1] {
            return Err(Error::user(format!(
                "Uniform: the argument `lower` is {}, expected a number below `upper`, which is {}",
                a[0], a[1]
            )));
        }
        Ok(())
    }

    /// Whether the observed outcome `y` is possible under the arguments `a`; only those that bound the support are
    /// looked at ([`Support::Interval`], [`Support::CountsUpTo`]), so the others may be anything.
    ///
    /// # Errors
    /// What was expected, as a phrase that goes on after "expected" (`a whole number from 0 to 10`).
    ///
    /// # Panics
    /// If `a` is shorter than the arguments that bound the support.
    pub fn contains(self, y: f64, a: &[f64]) -> std::result::Result<(), String> {
        let whole = y.fract() == 0.0;
        let (inside, expected) = match self.support() {
            Support::Real => (y.is_finite(), "a finite number".to_owned()),
            Support::Positive => (y > 0.0 && y.is_finite(), "a number above 0".to_owned()),
            Support::NonNegative => (y >= 0.0 && y.is_finite(), "a number not below 0".to_owned()),
            Support::Unit => (
                y > 0.0 && y < 1.0,
                "a number between 0 and 1, both excluded".to_owned(),
            ),
            Support::Interval => (
                y >= a[0] && y <= a[1],
                format!("a number from {} to {}", a[0], a[1]),
            ),
            Support::Binary => (y == 0.0 || y == 1.0, "0 or 1".to_owned()),
            Support::Counts | Support::CountsUpTo if y > LARGEST_COUNT => {
                (false, "a count of at most 1e15".to_owned())
            }
            Support::Counts => (whole && y >= 0.0, "a whole number not below 0".to_owned()),
            Support::CountsUpTo => (
                whole && y >= 0.0 && y <= a[0],
                format!("a whole number from 0 to {}", a[0]),
            ),
        };
        if inside { Ok(()) } else { Err(expected) }
    }
}

impl Role {
    /// Whether the value can stand in this role.
    pub fn admits(self, value: f64) -> bool {
        match self {
            Role::Real => value.is_finite(),
            Role::Positive => value > 0.0 && value.is_finite(),
            Role::Unit => (0.0..=1.0).contains(&value),
            Role::Count => (0.0..=LARGEST_COUNT).contains(&value) && value.fract() == 0.0,
        }
    }

    /// What is expected in this role, as a phrase that goes on after "expected".
    pub fn expected(self) -> &'static str {
        match self {
            Role::Real => "a finite number",
            Role::Positive => "a finite number above 0",
            Role::Unit => "a number from 0 to 1",
            Role::Count => "a whole number from 0 to 1e15",
        }
    }
}
