//! The command line's definition: from it come the parser, the usage errors and `--help`.

mod bench;
mod compare;
mod export;
mod fit;
mod mistakes;
mod model;
mod plot;
mod predict;
mod printing;
mod report;
mod simulate;
mod study;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use values::choice;

pub(crate) use bench::{BenchArgs, Places};
pub(crate) use compare::{CompareArgs, Method, Scale, Weights};
pub(crate) use export::{ExportArgs, Form};
pub(crate) use fit::FitArgs;
pub(crate) use mistakes::with_tip;
pub(crate) use model::ModelArgs;
pub(crate) use plot::{Files, PlotArgs, Wanted};
pub(crate) use predict::PredictArgs;
pub(crate) use printing::{Format, Printing};
pub(crate) use report::ReportArgs;
pub(crate) use simulate::SimulateArgs;
pub(crate) use study::{
    Common, KfoldArgs, MergeArgs, PowerArgs, RecoverArgs, SbcArgs, SlurmArgs, StudyArgs, StudyKind,
};

/// Fits Bayesian multilevel models with thousands of Markov chains in parallel.
///
/// A model is a text file, written as it is on paper; the data is a CSV file. tadpool samples the posterior by
/// Hamiltonian Monte Carlo on the CPU or on a GPU, says whether the result can be trusted, and keeps the draws in a
/// NetCDF file that ArviZ opens.
#[derive(Debug, Parser)]
#[command(name = "tadpool", version, max_term_width = 100, after_help = FOOT)]
pub(crate) struct Cli {
    /// Colours in messages; `auto` obeys NO_COLOR and uses none on a pipe.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = choice(Colour::WORDS))]
    pub(crate) color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const FOOT: &str = "Results go to stdout, progress and notes to stderr.

Exit codes: 0 ok; 1 failure of the environment or of tadpool; 2 usage; 3 error in the model or the data; 4 diagnostics \
     failed, with --strict; 130 stopped by Ctrl-C.

Example, from the folder of the repository:
  tadpool fit data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sample the posterior of a model; print its summary; write the draws to a file.
    #[command(after_help = FIT_EXAMPLES)]
    Fit(Box<FitArgs>),
    /// Print the table of a fit file again: other intervals, selections, formats.
    #[command(after_help = SUMMARY_EXAMPLES)]
    Summary(SummaryArgs),
    /// Draw pictures of fits, as SVG and PNG.
    #[command(after_help = plot::explanations())]
    Plot(Box<PlotArgs>),
    /// Predict from a fit file: its rows, other covariates, new groups; contrasts; expressions over parameters.
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(Box<PredictArgs>),
    /// Draw parameters and outcomes from a model: a data set whose truth is known, and the prior predictive.
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(Box<SimulateArgs>),
    /// Run a simulation study or a cross-validation as one batch of fits: recovery, calibration, power, k-fold.
    Study(Box<StudyArgs>),
    /// Compare how well models predict rows that they were not fitted to: LOO or WAIC, differences, weights.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Write a report of fits: one HTML page with model, parameters, diagnostics, pictures, to read and to hand on.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Write the draws for other programs: CSV, Parquet, CmdStan's CSV.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Say what a model is: lines as they are read, plates, parameters, supports, likely trouble; or print a stage.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Measure the back ends of this machine side by side: CPU, lanes, every GPU adapter.
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Box<BenchArgs>),
    /// List the GPU adapters and say which one `--backend auto` takes, and why.
    #[command(after_help = DEVICES_EXAMPLES)]
    Devices,
}

const FIT_EXAMPLES: &str = "A formula is that of lme4 and brms: `1 + x*z + (1 + x | g)`, `(x || g)`, `(1 | a/b)`, `0 +`, \
     `factor(k)`, `I(x^2)`, `offset(log(n))`, on its left `y | trials(n) + weights(w)`. `tadpool check` prints the lines \
     that it stands for, default priors and all; a line of yours, `b ~ Normal(0, 1)`, takes the place of a default.

Not in this release: --resume. It is refused by name.

Examples, from the folder of the repository:
  tadpool fit data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv
  tadpool fit data/chimpanzees/m12_4.tad --data data/chimpanzees/chimpanzees.csv --format json
  tadpool fit data/ponds/m12_3.tad --data data/ponds/ponds.csv --sampler hmc --interval eti
  tadpool fit data/ponds/m12_3.tad --data data/ponds/ponds.csv --mcse 0.05 --max-seconds 60
  tadpool fit data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --keep summary
  tadpool fit 'surv | trials(density) ~ size' --family binomial --data data/reedfrogs/reedfrogs.csv";

const SUMMARY_EXAMPLES: &str = "Examples, after the first example of `tadpool fit --help`:
  tadpool summary m12_2.nc a sigma
  tadpool summary m12_2.nc 'a_tank[1]' 'sigma*' --interval eti --prob 0.5
  tadpool summary m12_2.nc --format csv";

const PREDICT_EXAMPLES: &str =
    "The result has the columns of the rows, then mean, sd, lower and upper end of the interval, \
     and with --draws N those draws.

Examples, after the first example of `tadpool fit --help`, from the folder of the repository:
  tadpool predict m12_2.nc --format table
  tadpool predict m12_2.nc --grid 'tank=1,2,new density=10,35' --kind response
  tadpool predict m12_2.nc --expr 'inv_logit(a)' --expr 'gap[tank] = a_tank[tank] - a'
  tadpool predict m12_2.nc --contrast 'density=35 - density=10' --kind mean --format json";

const SIMULATE_EXAMPLES: &str = "Examples, from the folder of the repository:
  tadpool simulate data/ponds/m12_3.tad --data data/ponds/ponds.csv --set a=1.4 --out sim.csv
  tadpool simulate data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --out prior.csv";

const COMPARE_EXAMPLES: &str = "The columns: p is the effective number of parameters, d the distance to the best \
     model and d_se its standard error over rows, se that of the criterion itself. A difference of less than two of its \
     standard errors says little. Where an estimate cannot be trusted, it says so below the table, and what to do.

Refits, `--by exact` and `--by kfold`, need nothing but the fit files, which hold the models and the data. A refit takes      as long as a short fit, and there are as many as rows or parts, and one to all rows, for each model.

Examples, from the folder of the repository:
  tadpool fit data/chimpanzees/m12_4.tad --data data/chimpanzees/chimpanzees.csv
  tadpool fit data/chimpanzees/m12_5.tad --data data/chimpanzees/chimpanzees.csv
  tadpool compare m12_4.nc m12_5.nc
  tadpool compare m12_4.nc m12_5.nc --by waic --weights pseudo-bma --pointwise rows.csv
  tadpool compare m12_4.nc --format json
  tadpool compare m12_4.nc m12_5.nc --by kfold --folds actor --chains 16 --draws 100";

const REPORT_EXAMPLES: &str =
    "The page is one file that loads nothing from anywhere, and all of it can be read without script. Its path goes to \
     stdout.

Examples, after the first example of `tadpool fit --help` and those of `tadpool compare --help`:
  tadpool report m12_2.nc --out m12_2.html
  tadpool report m12_4.nc m12_5.nc --out chimpanzees.html";
const EXPORT_EXAMPLES: &str = "The tables have the columns .chain, .iteration and .draw, each counted from 1, then one for each \
     number by its printed name. CmdStan's files name a_tank[1] as a_tank.1, count labels from 1 in their order, and have \
     the sampler's columns: lp__, accept_stat__, stepsize__, treedepth__, n_leapfrog__, divergent__, energy__.

Examples, after the first example of `tadpool fit --help`:
  tadpool export m12_2.nc --to csv
  tadpool export m12_2.nc a 'sigma*' --to parquet --out spread.parquet
  tadpool export m12_2.nc --to cmdstan --out chain.csv";

const CHECK_EXAMPLES: &str = "Under \"Likely trouble\" stands what bodes ill for a fit, with the place, the numbers and what to do: groups too few \
     or too small to tell how much they differ, slopes of a column that does not vary within its groups, columns on a \
     scale that their prior does not fit, columns and levels that predict successes without a fault, and priors that \
     make outcomes unlike the data, in 200 simulated data sets. `fit` says the warnings of the text and the data too.

Examples, from the folder of the repository:
  tadpool check data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv
  tadpool check data/reedfrogs/m12_2.tad
  tadpool check 'surv ~ pred*size' --data data/reedfrogs/reedfrogs.csv
  tadpool check data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --emit wgsl";

const BENCH_EXAMPLES: &str =
    "Every row names its adapter, and whether that is software. What takes longer than its \
     share of the time is left out, and says so; Ctrl-C ends with what was measured.

Examples, the second from the folder of the repository:
  tadpool bench --chains 64,1024 --seconds 10
  tadpool bench data/ponds/m12_3.tad --data data/ponds/ponds.csv --chains 64 --seconds 4 --out bench";

const DEVICES_EXAMPLES: &str = "Example:
  tadpool devices";

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Even on a pipe.
    Always,
    /// Not at all.
    Never,
}

impl Colour {
    const WORDS: &[(&str, Self)] = &[
        ("auto", Self::Auto),
        ("always", Self::Always),
        ("never", Self::Never),
    ];

    /// The same choice for the streams that strip colours, and for clap.
    pub(crate) fn choice(self) -> (anstream::ColorChoice, clap::ColorChoice) {
        match self {
            Colour::Auto => (anstream::ColorChoice::Auto, clap::ColorChoice::Auto),
            Colour::Always => (anstream::ColorChoice::Always, clap::ColorChoice::Always),
            Colour::Never => (anstream::ColorChoice::Never, clap::ColorChoice::Never),
        }
    }
}

/// `tadpool summary`.
#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    /// The fit file that `tadpool fit` wrote.
    #[arg(value_name = "FIT")]
    pub(crate) fit: PathBuf,
    /// Names or patterns: `a_tank` (all its elements), `a_tank[1]`, `sigma*`; all parameters if none is given.
    #[arg(value_name = "NAME")]
    pub(crate) select: Vec<String>,
    /// What is printed, and how.
    #[command(flatten)]
    pub(crate) printing: Printing,
    /// Exit with 4 if the diagnostics fail.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// `tadpool check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The model.
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// The data, a CSV file with a line of column names; without it, only the text is checked.
    #[arg(long, value_name = "CSV")]
    pub(crate) data: Option<PathBuf>,
    /// Print a stage instead: the model with everything spelled out (itself a model file), the graph of the log density
    /// as lowered and as optimised, or the shader's source.
    #[arg(long, value_name = "STAGE", value_parser = choice(&[("expanded", Stage::Expanded), ("ir", Stage::Ir), ("wgsl", Stage::Wgsl)]))]
    pub(crate) emit: Option<Stage>,
}

/// What `check --emit` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The model text with everything spelled out.
    Expanded,
    /// The log density's graph, before and after the passes.
    Ir,
    /// The log density and its gradient as a shader.
    Wgsl,
}

/// The colours asked for, read before anything is parsed: usage errors obey them too.
pub(crate) fn colour_of(words: &[OsString]) -> Colour {
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let given = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(|when| when.to_owned().into()),
            None => None,
        };
        let known = given.and_then(|when| Colour::WORDS.iter().find(|(word, _)| *word == when));
        if let Some((_, colour)) = known {
            return *colour;
        }
    }
    Colour::Auto
}

/// The command line as it can be typed into a shell again; the program goes by its name.
pub(crate) fn as_typed(words: &[OsString]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    let mut line = "tadpool".to_owned();
    for word in words.iter().skip(1).map(|word| word.to_string_lossy()) {
        line.push(' ');
        if !word.is_empty() && word.chars().all(plain) {
            line.push_str(&word);
        } else {
            line.push_str(&format!("'{}'", word.replace('\'', "'\\''")));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[&str]) -> Vec<OsString> {
        line.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_command_can_be_typed_again() {
        let line = words(&[
            "/usr/bin/tadpool",
            "summary",
            "my fit.nc",
            "a_tank[1]",
            "it's",
            "",
        ]);
        assert_eq!(
            as_typed(&line),
            "tadpool summary 'my fit.nc' 'a_tank[1]' 'it'\\''s' ''"
        );
    }

    #[test]
    fn colours_are_known_before_parsing() {
        assert_eq!(
            colour_of(&words(&["t", "fit", "--color", "never"])),
            Colour::Never
        );
        assert_eq!(colour_of(&words(&["t", "--color=always", "fit"])), Colour::Always);
        assert_eq!(colour_of(&words(&["t", "fit", "--color"])), Colour::Auto);
        assert_eq!(colour_of(&words(&["t", "--colour=never"])), Colour::Auto);
    }
}
