//! The functions that an expression may call.

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Exp,
    Log,
    Log1p,
    Expm1,
    Sqrt,
    Abs,
    Square,
    Floor,
    /// 1 where the argument is 0 or above, else 0.
    Step,
    Logit,
    InvLogit,
    InvCloglog,
    /// The standard normal distribution function.
    Phi,
    Lgamma,
    Pow,
    Min,
    Max,
    Ifelse,
    Standardize,
    Center,
    Mean,
    Sd,
    Sum,
}

impl Function {
    /// Every function, in the order of the documentation.
    pub(super) const ALL: [Self; 23] = [
        Self::Exp,
        Self::Log,
        Self::Log1p,
        Self::Expm1,
        Self::Sqrt,
        Self::Abs,
        Self::Square,
        Self::Floor,
        Self::Step,
        Self::Logit,
        Self::InvLogit,
        Self::InvCloglog,
        Self::Phi,
        Self::Lgamma,
        Self::Pow,
        Self::Min,
        Self::Max,
        Self::Ifelse,
        Self::Standardize,
        Self::Center,
        Self::Mean,
        Self::Sd,
        Self::Sum,
    ];

    /// The name of the language.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Log1p => "log1p",
            Self::Expm1 => "expm1",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Square => "square",
            Self::Floor => "floor",
            Self::Step => "step",
            Self::Logit => "logit",
            Self::InvLogit => "inv_logit",
            Self::InvCloglog => "inv_cloglog",
            Self::Phi => "Phi",
            Self::Lgamma => "lgamma",
            Self::Pow => "pow",
            Self::Min => "min",
            Self::Max => "max",
            Self::Ifelse => "ifelse",
            Self::Standardize => "standardize",
            Self::Center => "center",
            Self::Mean => "mean",
            Self::Sd => "sd",
            Self::Sum => "sum",
        }
    }

    /// The function of this name, if there is one; `logistic` is the book's word for `inv_logit`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = match name {
            "logistic" => "inv_logit",
            other => other,
        };
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// How many arguments it takes.
    pub(super) fn arity(self) -> usize {
        match self {
            Self::Exp
            | Self::Log
            | Self::Log1p
            | Self::Expm1
            | Self::Sqrt
            | Self::Abs
            | Self::Square
            | Self::Floor
            | Self::Step
            | Self::Logit
            | Self::InvLogit
            | Self::InvCloglog
            | Self::Phi
            | Self::Lgamma
            | Self::Standardize
            | Self::Center
            | Self::Mean
            | Self::Sd
            | Self::Sum => 1,
            Self::Pow | Self::Min | Self::Max => 2,
            Self::Ifelse => 3,
        }
    }

    /// Whether it learns from all values of its argument, which must therefore be data.
    pub(super) fn learns(self) -> bool {
        self.summarises() || matches!(self, Self::Standardize | Self::Center)
    }

    /// Whether it yields one number for all values of its argument.
    pub(super) fn summarises(self) -> bool {
        matches!(self, Self::Mean | Self::Sd | Self::Sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_once() {
        for function in Function::ALL {
            assert_eq!(Function::from_name(function.name()), Some(function));
        }
        assert_eq!(Function::from_name("logistic"), Some(Function::InvLogit));
        assert_eq!(Function::from_name("Exp"), None);
    }

    #[test]
    fn the_page_of_the_language_lists_every_function() {
        let page = include_str!("../../docs/language.md");
        let arguments = [["x"].as_slice(), &["x", "y"], &["c", "x", "y"]];
        for function in Function::ALL {
            let call = format!(
                "`{}({})`",
                function.name(),
                arguments[function.arity() - 1].join(", ")
            );
            assert!(page.contains(&call), "docs/language.md has no {call}");
        }
    }
}
