//! The flags of `tadpool bench`.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::values::{at_least_one, choice, seconds};
use super::{Cli, Format};
use crate::bench::CHAINS;

/// `tadpool bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The model file to measure; without it, three models that are built in: m12_2, m12_5, eight_schools.
    #[arg(value_name = "MODEL", requires = "data")]
    pub(crate) model: Option<PathBuf>,
    /// The model's data: a CSV file with a line of column names.
    #[arg(long, value_name = "CSV", requires = "model")]
    pub(crate) data: Option<PathBuf>,
    /// Numbers of chains, separated by commas [default: 64,256,1024,4096,16384,65536].
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = at_least_one)]
    pub(crate) chains: Vec<usize>,
    /// Seconds that everything together may take; they are shared out over all measurements.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(crate) seconds: f64,
    /// What is measured: the CPU (one number at a time, and its lanes), the GPU adapters, or all (auto).
    #[arg(long, value_name = "WHERE", default_value = "auto", value_parser = choice(&[("auto", Places::All), ("cpu", Places::Cpu), ("gpu", Places::Gpu)]))]
    pub(crate) backend: Places,
    /// Only the GPU adapter whose name contains this (see `tadpool devices`).
    #[arg(long, value_name = "NAME")]
    pub(crate) adapter: Option<String>,
    /// Seed of the chains.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) seed: u64,
    /// Folder for a picture of gradients per second against chains, bench.svg and bench.png, and for bench.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Form of what goes to stdout: for people, or with every digit for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = choice(&[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json)]))]
    pub(crate) format: Format,
    /// No progress and no notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Where to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// On the CPU and on every adapter.
    All,
    /// On the CPU alone.
    Cpu,
    /// On GPU adapters alone.
    Gpu,
}

impl BenchArgs {
    /// Checks what no single flag can know.
    ///
    /// # Errors
    ///
    /// A usage error for an adapter where no GPU is to be measured.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        if self.adapter.is_some() && self.backend == Places::Cpu {
            return Err(Cli::command().error(
                ErrorKind::ArgumentConflict,
                "--adapter names a GPU adapter, and --backend cpu measures none; leave one of them out",
            ));
        }
        Ok(())
    }

    /// The numbers of chains to measure.
    pub(crate) fn chain_counts(&self) -> Vec<usize> {
        if self.chains.is_empty() {
            CHAINS.to_vec()
        } else {
            self.chains.clone()
        }
    }
}
