//! The flags of `tadpool plot`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::values::{choice, factor, pixels, probability};
use crate::diag::{Interval, Prob};
use crate::plot::{Kind, Options};

/// `tadpool plot`.
#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Kinds of pictures, separated by commas, or `all`: whatever the fits can give.
    #[arg(value_name = "KIND", value_delimiter = ',', required = true, value_parser = kinds())]
    pub(crate) kinds: Vec<Wanted>,
    /// The fit files that `tadpool fit` wrote.
    #[arg(value_name = "FIT", required = true)]
    pub(crate) fits: Vec<PathBuf>,
    /// Folder for the pictures, made where there is none: KIND.svg and KIND.png, or FIT-KIND.svg and FIT-KIND.png.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Parameters to show, names or patterns: `a_tank` (all its elements), `a_tank[1]`, `sigma*` [default: by kind].
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) vars: Vec<String>,
    /// Probability that an interval holds, between 0 and 1.
    #[arg(long, value_name = "P", default_value = "0.89", value_parser = probability)]
    pub(crate) prob: Prob,
    /// Kind of interval: the narrowest one (highest density) or the one with equal tails.
    #[arg(long, value_name = "KIND", default_value = "hdi", value_parser = choice(&[("hdi", Interval::Hdi), ("eti", Interval::Eti)]))]
    pub(crate) interval: Interval,
    /// The outcome that predictions are of, if the model has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) outcome: Option<String>,
    /// Settings of the covariates for `predictions`: every combination of these values.
    #[arg(long, value_name = "SETTINGS")]
    pub(crate) grid: Option<String>,
    /// True values for `error`: a CSV file with the columns `name` and `value`, as `tadpool simulate` writes it.
    #[arg(long, value_name = "CSV")]
    pub(crate) truth: Option<PathBuf>,
    /// Seed of new groups, new outcomes and draws from priors.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Files to write: SVG for papers and pages, PNG for everything else, or both.
    #[arg(long, value_name = "FORMAT", default_value = "both", value_parser = choice(&[("svg", Files::Svg), ("png", Files::Png), ("both", Files::Both)]))]
    pub(crate) format: Files,
    /// Width of a picture in SVG's pixels (96 to an inch), from 400 to 4000; heights follow from the content.
    #[arg(long, value_name = "PIXELS", default_value = "760", value_parser = pixels)]
    pub(crate) width: f64,
    /// Pixels of a PNG for each of its SVG's, from 0.5 to 8.
    #[arg(long, value_name = "FACTOR", default_value = "2", value_parser = factor)]
    pub(crate) scale: f64,
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whatever the fits can give.
    All,
    /// One kind.
    One(Kind),
}

/// Which files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// `.svg`
    Svg,
    /// `.png`
    Png,
    /// Both.
    Both,
}

/// The kinds with their explanations.
fn kinds() -> impl TypedValueParser<Value = Wanted> {
    let all =
        PossibleValue::new("all").help("every kind that the fits can give; says what is left out, and why");
    let words = Kind::ALL.map(|kind| PossibleValue::new(kind.name()).help(kind.about()));
    PossibleValuesParser::new([all].into_iter().chain(words)).try_map(|given| {
        if given == "all" {
            return Ok(Wanted::All);
        }
        Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == given)
            .map(Wanted::One)
            .ok_or("it is no kind of picture")
    })
}

impl PlotArgs {
    /// How the pictures are drawn.
    pub(crate) fn options(&self, truth: Vec<(String, f64)>) -> Options {
        Options {
            vars: self.vars.clone(),
            prob: self.prob,
            interval: self.interval,
            outcome: self.outcome.clone(),
            grid: self.grid.clone(),
            truth,
            seed: self.seed,
            width: self.width,
            scale: self.scale,
        }
    }
}
