//! The flags that `fit` and `summary` share: which interval is printed, and in what form.

use clap::Args;

use super::values::{choice, probability};
use crate::diag::{Interval, Prob};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Aligned columns with sensible digits, for people.
    Table,
    /// Comma separated, every digit; an empty field where a number is undefined.
    Csv,
    /// One object: the run, its diagnostics, its parameters; null where a number is undefined.
    Json,
}

/// Which interval is printed, and in what form.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Printing")]
pub(crate) struct Printing {
    /// Probability that an interval holds, between 0 and 1.
    #[arg(long, value_name = "P", default_value = "0.89", value_parser = probability)]
    pub(crate) prob: Prob,
    /// Kind of interval: the narrowest one (highest density) or the one with equal tails.
    #[arg(long, value_name = "KIND", default_value = "hdi", value_parser = choice(&[("hdi", Interval::Hdi), ("eti", Interval::Eti)]))]
    pub(crate) interval: Interval,
    /// Form of what goes to stdout: for people, or with every digit for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
}
