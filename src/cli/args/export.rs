//! The flags of `tadpool export`.

use std::path::PathBuf;

use clap::Args;

use super::values::choice;

/// `tadpool export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The fit file that `tadpool fit` wrote.
    #[arg(value_name = "FIT")]
    pub(crate) fit: PathBuf,
    /// Names or patterns: `a_tank` (all its elements), `a_tank[1]`, `sigma*`; all parameters and derived quantities if
    /// none is given.
    #[arg(value_name = "NAME")]
    pub(crate) select: Vec<String>,
    /// The form: one CSV table, one Parquet table, or CmdStan's CSV, a file for each chain.
    #[arg(long, value_name = "FORM", value_parser = choice(&[("csv", Form::Csv), ("parquet", Form::Parquet), ("cmdstan", Form::CmdStan)]))]
    pub(crate) to: Form,
    /// The file to write; for cmdstan the chain's number is put before `.csv` [default: the fit file's name with `.csv`
    /// or `.parquet`, in the current folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// No notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// The form of exported draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Comma separated.
    Csv,
    /// Parquet.
    Parquet,
    /// CmdStan's CSV.
    CmdStan,
}
