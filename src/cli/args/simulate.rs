//! The flags of `tadpool simulate`.

use std::path::PathBuf;

use clap::Args;

use super::{ModelArgs, Printing};

/// `tadpool simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The model.
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// The design: a CSV file with the predictors and groups of every row; the outcome need not be in it, and is replaced
    /// if it is.
    #[arg(long, value_name = "CSV")]
    pub(crate) data: PathBuf,
    /// A parameter's value in place of a draw from its prior: "a=1.4", "a_tank[3]=0", "b=0" for all elements of b. May
    /// be given several times; the last one counts.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, f64)>,
    /// The data set to write: the design with the outcomes. The values of the parameters go beside it, as
    /// `NAME.truth.csv`.
    #[arg(long, value_name = "CSV")]
    pub(crate) out: PathBuf,
    /// Seed of all draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Data sets that the printed prior predictive summary is over; the first of them is the one that is written.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) replicates: u32,
    /// No notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// What is printed, and how.
    #[command(flatten)]
    pub(crate) printing: Printing,
}

/// `NAME=VALUE`, the value a number.
pub(super) fn setting(text: &str) -> Result<(String, f64), String> {
    let expected = "expected NAME=VALUE with a number, such as sigma=1.5";
    let (name, value) = text.rsplit_once('=').ok_or(expected)?;
    match value.trim().parse() {
        Ok(value) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value)),
        Ok(_) | Err(_) => Err(expected.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_names_and_numbers() {
        assert_eq!(setting("a=1.4"), Ok(("a".to_owned(), 1.4)));
        assert_eq!(setting("a[x=y]=-1e3"), Ok(("a[x=y]".to_owned(), -1e3)));
        for bad in ["a", "=1", "a=", "a=x", ""] {
            assert!(setting(bad).is_err(), "{bad}");
        }
    }
}
