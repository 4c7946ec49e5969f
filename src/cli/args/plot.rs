//! The flags of `tadpool plot`.

use std::path::PathBuf;

use clap::Args;

use super::values::{choice, factor, pixels, probability};
use crate::diag::{Interval, Prob};
use crate::lang::nearest;
use crate::plot::{Kind, Options};

/// `tadpool plot`.
#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Kinds of pictures, separated by commas, or `all`: whatever the fits can give.
    #[arg(value_name = "KIND,KIND", value_parser = kinds)]
    pub(crate) kinds: Kinds,
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
    /// The group that `effects` draws a line for each level of, beside the average one.
    #[arg(long, value_name = "GROUP")]
    pub(crate) by: Option<String>,
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

/// What is to be drawn, in the order typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kinds(pub(crate) Vec<Wanted>);

/// One thing to be drawn.
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

/// The kinds that a word with commas names.
fn kinds(text: &str) -> Result<Kinds, String> {
    let one = |word: &str| -> Result<Wanted, String> {
        if word == "all" {
            return Ok(Wanted::All);
        }
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == word);
        found.map(Wanted::One).ok_or_else(|| {
            if word.ends_with(".nc") {
                return format!("kinds of pictures come first, then the fits: `tadpool plot all {word}`");
            }
            let names = Kind::ALL.map(Kind::name);
            let near = nearest(word, names.into_iter().chain(["all"]));
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            format!(
                "`{word}` is no kind of picture; {near}there are: all, {}",
                names.join(", ")
            )
        })
    };
    text.split(',').map(one).collect::<Result<_, _>>().map(Kinds)
}

/// What stands below the flags in `tadpool plot --help`: the kinds, and examples.
pub(super) fn explanations() -> String {
    let mut text = String::from("Kinds:\n");
    for kind in Kind::ALL {
        text.push_str(&format!("  {:16} {}\n", kind.name(), kind.about()));
    }
    text.push_str(EXAMPLES);
    text
}

const EXAMPLES: &str = "
The paths of the files go to stdout. Traces, pairs, ESS, autocorrelations and priors show single parameters and of each \
     set of them the one with the fewest effective draws, unless --vars chooses.

Examples, after the first example of `tadpool fit --help`, from the folder of the repository:
  tadpool plot all m12_2.nc --out pictures
  tadpool plot forest,shrinkage m12_2.nc --format svg
  tadpool plot density m12_2.nc --vars a sigma --prob 0.95 --interval eti
  tadpool plot predictions m12_2.nc --grid 'tank=1,2,new density=10'
  tadpool fit 'wait ~ afternoon + (afternoon | cafe)' --data data/cafes/cafes.csv
  tadpool plot effects glm_wait.nc --by cafe";

impl PlotArgs {
    /// How the pictures are drawn.
    pub(crate) fn options(&self, truth: Vec<(String, f64)>) -> Options {
        Options {
            vars: self.vars.clone(),
            prob: self.prob,
            interval: self.interval,
            outcome: self.outcome.clone(),
            grid: self.grid.clone(),
            by: self.by.clone(),
            truth,
            seed: self.seed,
            width: self.width,
            scale: self.scale,
        }
    }
}
