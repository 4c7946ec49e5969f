//! The flags of `tadpool predict`.

use std::path::PathBuf;

use clap::Args;

use super::Format;
use super::model::named_file;
use super::values::{at_least_one, choice, probability};
use crate::diag::{Interval, Prob};
use crate::predict::{Groups, Kind};

/// `tadpool predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The fit file that `tadpool fit` wrote; nothing else of the fit is needed.
    #[arg(value_name = "FIT")]
    pub(crate) fit: PathBuf,

    /// Rows to predict, a CSV file [default: the rows of the fit].
    #[arg(long, value_name = "CSV", help_heading = "Rows")]
    pub(crate) data: Option<PathBuf>,
    /// The file of a second table that the fitted model names, for the rows to predict: "schools=schools.csv". Without it
    /// groups of the fit have what it knows of them. May be given several times.
    #[arg(long = "table", value_name = "NAME=CSV", help_heading = "Rows", value_parser = named_file)]
    pub(crate) tables: Vec<(String, PathBuf)>,
    /// Rows to predict: every combination of these values, such as "condition=0,1 actor=2".
    #[arg(long, value_name = "SETTINGS", conflicts_with = "data", help_heading = "Rows")]
    pub(crate) grid: Option<String>,
    /// What a group's label is that the fit has not seen: a draw from the population for each draw of the posterior
    /// (sample), the population's mean (average), or an effect of 0 (zero). Where a group's column is missing, every
    /// draw takes one of the groups of the fit.
    #[arg(long, value_name = "WHAT", default_value = "sample", help_heading = "Rows", value_parser = choice(&[("sample", Groups::Sample), ("average", Groups::Average), ("zero", Groups::Zero)]))]
    pub(crate) groups: Groups,

    /// What is predicted: the linear predictor, the distribution's probability, its mean (n·p for Binomial), or a new
    /// outcome.
    #[arg(long, value_name = "KIND", default_value = "mean", help_heading = "Prediction", value_parser = choice(&[("link", Kind::Link), ("prob", Kind::Prob), ("mean", Kind::Mean), ("response", Kind::Response)]))]
    pub(crate) kind: Kind,
    /// The outcome, if the model has several.
    #[arg(long, value_name = "NAME", help_heading = "Prediction")]
    pub(crate) outcome: Option<String>,
    /// The first setting less the second, in each row of --data or --grid; without them averaged over the rows of the
    /// fit (the average marginal effect). May be given several times.
    #[arg(long, value_name = "\"A=1 - A=0\"", help_heading = "Prediction")]
    pub(crate) contrast: Vec<String>,
    /// Average over the rows, draw by draw.
    #[arg(long, help_heading = "Prediction")]
    pub(crate) average: bool,
    /// An expression over the parameters, such as "inv_logit(a)" or "total[actor] = a + a_actor[actor]", summarised as
    /// the parameters are. May be given several times; no rows are predicted then.
    #[arg(long, value_name = "EXPR", help_heading = "Prediction", conflicts_with_all = ["data", "grid", "contrast", "average", "outcome", "draws", "kind", "groups"])]
    pub(crate) expr: Vec<String>,
    /// Seed of new groups and new outcomes: the same label has the same draws in every row and every command.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Prediction")]
    pub(crate) seed: u64,

    /// Probability that an interval holds, between 0 and 1.
    #[arg(long, value_name = "P", default_value = "0.89", help_heading = "Printing", value_parser = probability)]
    pub(crate) prob: Prob,
    /// Kind of interval: the narrowest one (highest density) or the one with equal tails.
    #[arg(long, value_name = "KIND", default_value = "hdi", help_heading = "Printing", value_parser = choice(&[("hdi", Interval::Hdi), ("eti", Interval::Eti)]))]
    pub(crate) interval: Interval,
    /// Also one column for each of N draws, evenly spread over all.
    #[arg(long, value_name = "N", help_heading = "Printing", value_parser = at_least_one)]
    pub(crate) draws: Option<usize>,
    /// Form of the result: with every digit for programs, or for people.
    #[arg(long, value_name = "FORMAT", default_value = "csv", help_heading = "Printing", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
    /// The file to write [default: stdout].
    #[arg(long, value_name = "FILE", help_heading = "Printing")]
    pub(crate) out: Option<PathBuf>,
    /// No notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
}
