//! The flags of `tadpool study`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Subcommand};

use super::simulate::setting;
use super::values::{at_least_one, choice, fraction, iterations, said, stride};
use super::{Cli, Format, ModelArgs, Printing};
use crate::fit::Backend;
use crate::study::batch::WARMUP;
use crate::study::slurm::TimeLimit;
use crate::study::{Alternative, Shard};

/// `tadpool study`.
#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    /// Which study.
    #[command(subcommand)]
    pub(crate) kind: StudyKind,
}

/// The studies, and what is done with their parts.
#[derive(Debug, Subcommand)]
pub(crate) enum StudyKind {
    /// Simulate data sets from known parameters, fit all of them: bias, error, coverage; partial pooling beside none.
    #[command(after_help = RECOVER_EXAMPLES)]
    Recover(Box<RecoverArgs>),
    /// Simulation-based calibration: draw the truth from the prior, and see whether posteriors are right on average.
    #[command(after_help = SBC_EXAMPLES)]
    Sbc(Box<SbcArgs>),
    /// How probable a finding is, for designs of several sizes.
    #[command(after_help = POWER_EXAMPLES)]
    Power(Box<PowerArgs>),
    /// Cross-validation: fit without parts of the rows, single rows or whole groups, and predict these.
    #[command(after_help = KFOLD_EXAMPLES)]
    Kfold(Box<KfoldArgs>),
    /// Join the parts of a study that was run in shards.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Write the scripts that run a study as a job array of Slurm.
    #[command(after_help = SLURM_EXAMPLES)]
    Slurm(Box<SlurmArgs>),
}

const RECOVER_EXAMPLES: &str =
    "Errors of groups are those of their mean outcomes: of probabilities where outcomes are \
     counts of successes. No pooling takes each group's own mean, complete pooling that of all rows.

Example, from the folder of the repository:
  tadpool study recover data/ponds/m12_3.tad --data data/ponds/ponds.csv --replicates 50 \\
      --set a=1.4 --set sigma=1.5 --by pond --against no-pooling,complete-pooling";

const SBC_EXAMPLES: &str = "If prior, data and sampler belong together, the truth's rank among the draws is uniform. Every \
     parameter, every derived quantity and the log likelihood is tested by simultaneous bands of the ranks' distribution \
     function (Säilynoja, Bürkner and Vehtari 2022); the level is that of the whole study. Exits with 4 if one fails.

Example, from the folder of the repository:
  tadpool study sbc data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --replicates 50";

const POWER_EXAMPLES: &str = "A criterion is a posterior probability and a threshold, P(CONDITION) > X; the condition is in the \
     model's language. In --vary an index, or its plural, takes numbers of groups: rows of the design are repeated for them. \
     A column takes numbers.

Example, from the folder of the repository:
  tadpool study power data/ponds/m12_3.tad --data data/ponds/ponds.csv --replicates 20 \\
      --set a=1 --set sigma=1 --vary 'ponds=10,20' --criterion 'P(a > 0) > 0.95'";

const KFOLD_EXAMPLES: &str = "Examples, from the folder of the repository:
  tadpool study kfold data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --folds 10
  tadpool study kfold data/chimpanzees/m12_4.tad --data data/chimpanzees/chimpanzees.csv \\
      --folds actor --draws 100";

const MERGE_EXAMPLES: &str = "Example:
  tadpool study merge m12_2-sbc";

const SLURM_EXAMPLES: &str = "Example:
  tadpool study slurm --shards 8 --time 0:30:00 --out m12_2-sbc -- \\
      sbc m12_2.tad --data reedfrogs.csv --replicates 8000";

/// What all studies that fit have in common.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The model.
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// The folder for tables, pictures and the report [default: MODEL-KIND in the current folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// No progress and no notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Go on with the study in the folder, where it was stopped.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Only this part of the replicates, such as 3/8; `tadpool study merge` joins them.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,

    /// What samples: a real GPU where the work is large enough to pay, else the CPU (auto); or the one named.
    #[arg(long, value_name = "WHERE", default_value = "auto", help_heading = "Sampling", value_parser = choice(&[("auto", Backend::Auto), ("cpu", Backend::Cpu), ("gpu", Backend::Gpu)]))]
    pub(crate) backend: Backend,
    /// The GPU adapter whose name contains this (see `tadpool devices`).
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) adapter: Option<String>,
    /// Chains of each fit [default: 16; kfold 64].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) chains: Option<usize>,
    /// Iterations of warm-up of each chain.
    #[arg(long, value_name = "N", default_value_t = WARMUP, help_heading = "Sampling", value_parser = iterations)]
    pub(crate) warmup: u32,
    /// Draws of each chain [default: 128; kfold 500].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) draws: Option<usize>,
    /// Seed of data sets and chains: the same one gives the same numbers on the same back end, whatever the threads,
    /// shards and stops.
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Sampling")]
    pub(crate) seed: u64,
    /// Threads on the CPU [default: one per core].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,

    /// What is printed, and how.
    #[command(flatten)]
    pub(crate) printing: Printing,
}

/// What the studies over simulated data have in common.
#[derive(Debug, Args)]
pub(crate) struct Simulating {
    /// The design: a CSV file with the predictors and groups of every row; the outcome need not be in it.
    #[arg(long, value_name = "CSV")]
    pub(crate) data: PathBuf,
    /// Number of simulated data sets.
    #[arg(long, value_name = "N", default_value = "500", value_parser = stride)]
    pub(crate) replicates: u32,
}

/// `tadpool study recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// The simulated data.
    #[command(flatten)]
    pub(crate) simulating: Simulating,
    /// A parameter's true value in every data set, in place of a draw from its prior: "a=1.4", "b=0" for all elements of b.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, f64)>,
    /// The index whose groups' means are estimated [default: the model's own if it has one].
    #[arg(long, value_name = "INDEX")]
    pub(crate) by: Option<String>,
    /// Estimates without the model to compare its own with.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = choice(Alternative::WORDS))]
    pub(crate) against: Vec<Alternative>,
    /// What all studies have in common.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `tadpool study sbc`.
#[derive(Debug, Args)]
pub(crate) struct SbcArgs {
    /// The simulated data.
    #[command(flatten)]
    pub(crate) simulating: Simulating,
    /// Probability that a study whose model and sampler are right fails.
    #[arg(long, value_name = "P", default_value = "0.001", value_parser = fraction)]
    pub(crate) level: f64,
    /// Posterior calibration: draw the truth from the posterior of the outcomes in the data, and fit these and new ones
    /// together.
    #[arg(long)]
    pub(crate) posterior: bool,
    /// What all studies have in common.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `tadpool study power`.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    /// The designs: CSV files with the predictors and groups of every row. May be given several times.
    #[arg(long, value_name = "CSV", required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Number of simulated data sets of each design.
    #[arg(long, value_name = "N", default_value = "500", value_parser = stride)]
    pub(crate) replicates: u32,
    /// A parameter's true value in every data set, in place of a draw from its prior.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, f64)>,
    /// Sizes of the design: "ponds=15,30,60 n=5,10,25".
    #[arg(long, value_name = "SIZES")]
    pub(crate) vary: Option<String>,
    /// What counts as a finding: "P(b > 0) > 0.95". May be given several times.
    #[arg(long, value_name = "TEXT", required = true)]
    pub(crate) criterion: Vec<String>,
    /// What all studies have in common.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `tadpool study kfold`.
#[derive(Debug, Args)]
pub(crate) struct KfoldArgs {
    /// The data: a CSV file with a line of column names.
    #[arg(long, value_name = "CSV")]
    pub(crate) data: PathBuf,
    /// What is left out at a time: a number of random parts, the name of an index for its groups, or `loo` for single
    /// rows.
    #[arg(long, value_name = "FOLDS", default_value = "10")]
    pub(crate) folds: String,
    /// What all studies have in common.
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `tadpool study merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The folders of the shards; one if all wrote to the same.
    #[arg(value_name = "DIR", required = true)]
    pub(crate) dirs: Vec<PathBuf>,
    /// The folder for tables, pictures and the report [default: the first folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// No notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Form of what goes to stdout: for people, or with every digit for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
}

/// `tadpool study slurm`.
#[derive(Debug, Args)]
pub(crate) struct SlurmArgs {
    /// Tasks of the job array.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) shards: usize,
    /// Cores of each task.
    #[arg(long, value_name = "N", default_value = "2", value_parser = at_least_one)]
    pub(crate) cpus: usize,
    /// Memory of each task, in MiB.
    #[arg(long, value_name = "MIB", default_value = "2048", value_parser = at_least_one)]
    pub(crate) memory: usize,
    /// The most time a task may take: minutes, `2:00:00`, or days and hours `1-12`.
    #[arg(long, value_name = "TIME", default_value = "1:00:00", value_parser = time_limit)]
    pub(crate) time: TimeLimit,
    /// The partition.
    #[arg(long, value_name = "NAME")]
    pub(crate) partition: Option<String>,
    /// The account.
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// A further option of sbatch, for the array and the merge, such as `--sbatch=--constraint=avx512`. May be given several
    /// times.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(crate) sbatch: Vec<String>,
    /// The folder of the study, which all nodes see.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: String,
    /// The program on the nodes.
    #[arg(long, value_name = "PATH", default_value = "tadpool")]
    pub(crate) program: String,
    /// The script of the job array to write; that of the merge goes beside it, as `NAME-merge`.
    #[arg(long, value_name = "FILE", default_value = "study.sbatch")]
    pub(crate) script: PathBuf,
    /// The study, as it is typed behind `tadpool study`.
    #[arg(value_name = "STUDY", required = true, last = true)]
    pub(crate) study: Vec<String>,
}

impl StudyArgs {
    /// Checks what no single flag can know.
    ///
    /// # Errors
    ///
    /// A usage error for a family without a formula, and for an adapter where no GPU is to be used.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let common = match &self.kind {
            StudyKind::Recover(args) => &args.common,
            StudyKind::Sbc(args) => &args.common,
            StudyKind::Power(args) => &args.common,
            StudyKind::Kfold(args) => &args.common,
            StudyKind::Merge(_) | StudyKind::Slurm(_) => return Ok(()),
        };
        common.model.check()?;
        if common.adapter.is_some() && common.backend == Backend::Cpu {
            return Err(Cli::command().error(
                ErrorKind::ArgumentConflict,
                "--adapter names a GPU adapter, and --backend cpu uses none; leave one of them out",
            ));
        }
        Ok(())
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    text.parse().map_err(said)
}

fn time_limit(text: &str) -> Result<TimeLimit, String> {
    text.parse().map_err(said)
}
