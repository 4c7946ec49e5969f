//! What is predicted of an outcome.

use crate::dist::{Family, Role};
use crate::error::{Error, Result};
use crate::ir::Handle;
use crate::lang::Outcome;

/// What is predicted of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The linear predictor, on the scale of the link.
    Link,
    /// The distribution's probability.
    Prob,
    /// The distribution's mean.
    Mean,
    /// A new outcome, drawn from the distribution.
    Response,
}

impl Kind {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Link => "link",
            Kind::Prob => "prob",
            Kind::Mean => "mean",
            Kind::Response => "response",
        }
    }

    /// The nodes that it is computed from.
    ///
    /// # Errors
    ///
    /// A user error if the outcome has no such thing.
    pub(super) fn nodes(self, outcome: &Outcome) -> Result<Vec<Handle>> {
        let family = outcome.family;
        let name = &outcome.name;
        match self {
            Kind::Link => outcome.linear.map(|linear| vec![linear]).ok_or_else(|| {
                Error::user(format!(
                    "`{name}` has no linear predictor: no line with a link, such as `logit(p) = …`, defines an argument \
                     of {}",
                    family.name()
                ))
                .with_help("use --kind mean or --kind response")
            }),
            Kind::Prob => match probability(family) {
                Some(place) => Ok(vec![outcome.arguments[place]]),
                None => Err(Error::user(format!(
                    "`{name}` has no probability: it is {}",
                    family.name()
                ))
                .with_help("use --kind link, mean or response")),
            },
            Kind::Mean | Kind::Response => Ok(outcome.arguments.clone()),
        }
    }
}

/// The place of the argument that is a probability.
fn probability(family: Family) -> Option<usize> {
    family
        .arguments()
        .iter()
        .position(|argument| argument.role == Role::Unit)
}
