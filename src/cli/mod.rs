//! The command line: what is typed, what is printed, the exit codes.
//!
//! May import every other module of the crate; none imports this one. One file per command (`fit`, `summary`, `compare`,
//! `predict`, `plot`, `report`, `simulate`, `study`, `export`, `check`, `bench`, `devices`) and one per thing they share: the flags
//! (`args`), the printed page (`page`, `table`, `spreads`, `comparison`, `describe`), selections, progress, Ctrl-C, the
//! streams.
//!
//! Promises: results go to stdout, progress and notes to stderr; exit codes are those of `--help`; a fit file is
//! touched only once a new one is whole; a flag is obeyed or refused, never ignored; a reader that closes the pipe is
//! no error. Clocks and files are read here and in `fit`, nowhere else.

mod args;
mod batched;
mod bench;
mod check;
mod compare;
mod comparison;
mod describe;
mod devices;
mod export;
mod files;
mod fit;
mod inputs;
mod interrupt;
mod output;
mod page;
mod plot;
mod predict;
mod predicted;
mod progress;
mod refits;
mod report;
mod simulate;
mod source;
mod spreads;
mod study;
mod style;
mod summary;
mod table;
mod ticker;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Command};
use output::Notes;

use crate::data::Table;
use crate::lang::Expanded;
use crate::model::Model;

/// The exit code of usage errors.
const USAGE: u8 = 2;
/// The exit code with `--strict` where the diagnostics failed.
const DIAGNOSTICS_FAILED: u8 = 4;
/// The exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// How a command ended that met no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All was done.
    Done,
    /// `--strict` was given and the diagnostics failed.
    DiagnosticsFailed,
    /// Ctrl-C ended it early; what was drawn is saved.
    Interrupted,
}

impl Outcome {
    fn judged(strict: bool, ok: bool) -> Self {
        if strict && !ok {
            Outcome::DiagnosticsFailed
        } else {
            Outcome::Done
        }
    }

    fn exit_code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::DiagnosticsFailed => DIAGNOSTICS_FAILED,
            Outcome::Interrupted => INTERRUPTED,
        }
    }
}

/// Runs the command line `words` (the program's name first) and returns the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let (stream, usage) = args::colour_of(words).choice();
    stream.write_global();
    let parsed = Cli::command()
        .color(usage)
        .try_get_matches_from(words)
        .map_err(|error| args::with_tip(error, words))
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .and_then(|cli| match &cli.command {
            Command::Fit(args) => args.check().map(|()| cli),
            Command::Bench(args) => args.check().map(|()| cli),
            Command::Simulate(args) => args.model.check().map(|()| cli),
            Command::Study(args) => args.check().map(|()| cli),
            Command::Check(args) => args.model.check().map(|()| cli),
            Command::Summary(_)
            | Command::Plot(_)
            | Command::Predict(_)
            | Command::Export(_)
            | Command::Report(_)
            | Command::Devices => Ok(cli),
            Command::Compare(args) => args.check().map(|()| cli),
        });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is the only way that printing help can fail.
            drop(error.print());
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    let outcome = match &cli.command {
        Command::Fit(args) => fit::run(args, args::as_typed(words)),
        Command::Summary(args) => summary::run(args),
        Command::Plot(args) => plot::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Study(args) => study::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
        Command::Check(args) => check::run(args),
        Command::Bench(args) => bench::run_bench(args),
        Command::Devices => devices::run(),
    };
    match outcome {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            output::print_error(&error);
            error.exit_code()
        }
    }
}

/// Says what was noticed about the table and the model text.
fn tell(model: &Model, table: &Table, notes: Notes) {
    for note in table.notes() {
        notes.say(note);
    }
    let lowered = model.lowered();
    // The lowering passes on what it was told of the table.
    for note in lowered.notes.iter().filter(|note| !table.notes().contains(note)) {
        notes.say(note);
    }
    if !lowered.reports.reports.is_empty() {
        notes.show(&lowered.reports.render(true));
    }
    if let Some(formula) = model.formula() {
        tell_formula(formula, notes);
    }
}

/// Says which priors a formula got by default.
fn tell_formula(formula: &Expanded, notes: Notes) {
    for note in &formula.notes {
        notes.say(note);
    }
    for line in &formula.defaults {
        notes.say(&format!("default prior: {line}"));
    }
}
