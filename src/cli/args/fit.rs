//! The flags of `tadpool fit`.

use std::path::PathBuf;
use std::time::Instant;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::values::{at_least_one, choice, fraction, iterations, precision, seconds, stride};
use super::{Cli, ModelArgs, Printing};
use crate::fit::{Backend, Keep, LogLik, Options, Sampler};
use crate::gpu::Driver;

/// `tadpool fit`.
#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// The model.
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// The data: a CSV file with a line of column names; commas, semicolons or tabs.
    #[arg(long, value_name = "CSV")]
    pub(crate) data: PathBuf,
    /// The fit file to write; an existing one is replaced only whole, at the end [default: the model's name with .nc,
    /// in the current folder].
    #[arg(long, value_name = "FIT.nc")]
    pub(crate) out: Option<PathBuf>,
    /// No progress and no notes on stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// More notes on stderr: how a GPU is driven, and the numbers that decided it.
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Exit with 4 if the diagnostics fail.
    #[arg(long)]
    pub(crate) strict: bool,

    /// What samples: a real GPU where the work is large enough to pay, else the CPU (auto); or the one named.
    #[arg(long, value_name = "WHERE", default_value = "auto", help_heading = "Sampling", value_parser = choice(&[("auto", Backend::Auto), ("cpu", Backend::Cpu), ("gpu", Backend::Gpu)]))]
    pub(crate) backend: Backend,
    /// The GPU adapter whose name contains this (see `tadpool devices`).
    #[arg(long, value_name = "NAME", help_heading = "Sampling")]
    pub(crate) adapter: Option<String>,
    /// How a GPU is driven: whole iterations in one go where the model fits its threads (fused), else step by step
    /// (stepped); or the one named.
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Sampling", value_parser = choice(&[("auto", Driver::Auto), ("stepped", Driver::Stepped), ("fused", Driver::Fused)]))]
    pub(crate) driver: Driver,
    /// The algorithm: NUTS for few chains on a CPU, ensemble HMC else (auto); or the one named.
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Sampling", value_parser = choice(&[("auto", Sampler::Auto), ("nuts", Sampler::Nuts), ("hmc", Sampler::Hmc)]))]
    pub(crate) sampler: Sampler,
    /// Number of chains [default: nuts 4; hmc 64 on a CPU, 1024 on a GPU].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) chains: Option<usize>,
    /// Iterations of warm-up for each chain, not kept [default: nuts 1000; hmc 400].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = iterations)]
    pub(crate) warmup: Option<u32>,
    /// Draws of each chain [default: nuts 1000; hmc 250 on a CPU, 100 on a GPU]; with --mcse the most that are made
    /// [default: what fits 1 GiB, or half of the memory available].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) draws: Option<usize>,
    /// Stop once the Monte Carlo standard error of every parameter's mean is below this part of its posterior sd, with
    /// 95 % confidence, and R-hat is below 1.01.
    #[arg(long, value_name = "X", help_heading = "Sampling", allow_negative_numbers = true, value_parser = precision)]
    pub(crate) mcse: Option<f64>,
    /// End the run after this many seconds, with the draws that it has; diagnostics and the fit file come on top.
    #[arg(long, value_name = "S", help_heading = "Sampling", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) max_seconds: Option<f64>,
    /// What is kept: all draws; or, in memory that does not grow with them (64 MiB of draws, more for very many
    /// chains), moments and errors over all draws and every 2nd, 4th, 8th … draw.
    #[arg(long, value_name = "WHAT", default_value = "all", help_heading = "Sampling", value_parser = choice(&[("all", Keep::All), ("summary", Keep::Summary)]))]
    pub(crate) keep: Keep,
    /// Iterations per draw.
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Sampling", value_parser = stride)]
    pub(crate) thin: u32,
    /// Seed: the same one gives the same draws on the same back end, whatever the number of threads.
    #[arg(long, value_name = "N", default_value_t = Options::default().seed, help_heading = "Sampling")]
    pub(crate) seed: u64,
    /// Acceptance that the step size is adapted to, between 0 and 1; nearer to 1 means smaller steps [default: nuts 0.9,
    /// hmc 0.8].
    #[arg(long, value_name = "X", help_heading = "Sampling", value_parser = fraction)]
    pub(crate) target_accept: Option<f64>,
    /// Threads on the CPU [default: one per core].
    #[arg(long, value_name = "N", help_heading = "Sampling", value_parser = at_least_one)]
    pub(crate) threads: Option<usize>,
    /// Log likelihood of every row and draw in the fit file: up to 64 MiB (auto), always, or never.
    #[arg(long, value_name = "WHICH", default_value = "auto", help_heading = "Sampling", value_parser = choice(&[("auto", LogLik::Auto), ("all", LogLik::All), ("none", LogLik::None)]))]
    pub(crate) log_lik: LogLik,

    /// What is printed, and how.
    #[command(flatten)]
    pub(crate) printing: Printing,
    /// Flags of later releases.
    #[command(flatten)]
    pub(crate) later: Later,
}

/// Flags that are part of the contract and come in later releases: known, and refused by name.
#[derive(Debug, Args)]
pub(crate) struct Later {
    #[arg(long, hide = true, value_name = "FIT.nc")]
    resume: Option<String>,
}

impl Later {
    /// The first flag that this release cannot honour, with what to do instead.
    fn refused(&self) -> Option<(&'static str, &'static str)> {
        let resume = ("--resume", "fit again with more --draws");
        self.resume.is_some().then_some(resume)
    }
}

impl FitArgs {
    /// Checks what no single flag can know.
    ///
    /// # Errors
    ///
    /// A usage error for a flag of a later release, for a family without a formula, and for an adapter where no GPU is to be used.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        self.model.check()?;
        if let Some((flag, remedy)) = self.later.refused() {
            return Err(Cli::command().error(
                ErrorKind::InvalidValue,
                format!("{flag} comes in a later release and cannot be used yet; {remedy}"),
            ));
        }
        if self.adapter.is_some() && self.backend == Backend::Cpu {
            return Err(Cli::command().error(
                ErrorKind::ArgumentConflict,
                "--adapter names a GPU adapter, and --backend cpu uses none; leave one of them out",
            ));
        }
        Ok(())
    }

    /// Where the fit file goes.
    pub(crate) fn out_path(&self) -> PathBuf {
        match &self.out {
            Some(path) => path.clone(),
            None => {
                let mut name = self.model.name();
                name.push_str(".nc");
                PathBuf::from(name)
            }
        }
    }

    /// The options of the run; `command` is the command line as typed, `started` when work began.
    pub(crate) fn options(&self, command: String, started: Instant) -> Options {
        Options {
            backend: self.backend,
            adapter: self.adapter.clone(),
            driver: self.driver,
            sampler: self.sampler,
            chains: self.chains,
            warmup: self.warmup,
            draws: self.draws,
            mcse: self.mcse,
            max_seconds: self.max_seconds,
            keep: self.keep,
            thin: self.thin,
            seed: self.seed,
            target_accept: self.target_accept,
            prob: self.printing.prob,
            interval: self.printing.interval,
            log_lik: self.log_lik,
            threads: self.threads,
            command,
            started,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::super::Command;
    use super::*;

    fn parsed(flags: &str) -> FitArgs {
        let line = format!("tadpool fit some/m1.tad --data d.csv {flags}");
        match Cli::try_parse_from(line.split_whitespace())
            .expect("a good line")
            .command
        {
            Command::Fit(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn later_flags_are_refused_by_name() {
        let error = parsed("--resume m1.nc").check().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        assert!(
            text.contains("--resume") && text.contains("later release"),
            "{text}"
        );
        for flag in ["--keep all", "--driver auto", "--driver fused"] {
            assert!(parsed(flag).check().is_ok(), "{flag}");
        }
    }

    #[test]
    fn flags_become_options() {
        let options = parsed("--chains 8 --thin 2 --seed 7 --prob 0.5 --interval eti --log-lik none")
            .options(String::new(), Instant::now());
        assert_eq!((options.chains, options.thin, options.seed), (Some(8), 2, 7));
        assert_eq!(
            (options.prob.get(), options.interval),
            (0.5, crate::diag::Interval::Eti)
        );
        assert_eq!((options.log_lik, options.draws), (LogLik::None, None));
        assert_eq!(
            (options.mcse, options.max_seconds, options.keep),
            (None, None, Keep::All)
        );
        let options =
            parsed("--mcse 0.05 --max-seconds 2 --keep summary").options(String::new(), Instant::now());
        assert_eq!(
            (options.mcse, options.max_seconds, options.keep),
            (Some(0.05), Some(2.0), Keep::Summary)
        );
    }

    #[test]
    fn the_fit_file_is_named_after_the_model() {
        assert_eq!(parsed("").out_path(), Path::new("m1.nc"));
        assert_eq!(parsed("--out x/y.nc").out_path(), Path::new("x/y.nc"));
    }

    #[test]
    fn an_adapter_without_a_gpu_is_a_contradiction() {
        assert!(parsed("--backend cpu --adapter NVIDIA").check().is_err());
        assert!(parsed("--backend gpu --adapter NVIDIA").check().is_ok());
    }
}
