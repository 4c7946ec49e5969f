//! What is said of words that were typed as other programs take them: their flags, and files without the flag that
//! names them.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};

use super::Cli;
use crate::cli::inputs::is_table_name;

/// Flags of Stan's, brms's and PyMC's interfaces, the flag of ours that a command must have for the tip to be given, and
/// the tip.
const FOREIGN: &[(&[&str], &str, &str)] = &[
    (
        &["iter", "iter-sampling", "num-samples", "samples", "ndraws"],
        "warmup",
        "`--warmup N` and `--draws N` are the iterations of each chain, counted apart",
    ),
    (
        &["tune", "burn", "burnin", "iter-warmup", "num-warmup"],
        "warmup",
        "`--warmup N` sets the iterations that are not kept",
    ),
    (
        &["cores", "jobs", "parallel-chains"],
        "threads",
        "`--threads N` sets the number of threads; without it there is one per core",
    ),
    (
        &["adapt-delta", "delta"],
        "target-accept",
        "`--target-accept X` is the acceptance that step sizes are adapted to",
    ),
    (&["gpu"], "backend", "`--backend gpu` samples on a GPU"),
    (&["cpu"], "backend", "`--backend cpu` samples on the CPU"),
    (&["loo"], "by", "`--by loo`, which is the default"),
    (&["waic"], "by", "`--by waic`"),
    (&["newdata", "new-data"], "data", "`--data CSV` names the rows"),
    (&["output", "file"], "out", "`--out` names what is written"),
    (
        &["ci", "hdi", "hdi-prob", "credible"],
        "prob",
        "`--prob P`, with `--interval hdi` or `eti`",
    ),
    (
        &["var-names", "pars", "variable"],
        "vars",
        "`--vars NAME` chooses parameters",
    ),
];

/// The same error, with a tip where the word is one that other programs know, and without tips that would mislead.
pub(crate) fn with_tip(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let program = Cli::command();
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            context(&error, ContextKind::InvalidSubcommand).and_then(|word| of_a_file(&word))
        }
        ErrorKind::UnknownArgument => {
            let Some(word) = context(&error, ContextKind::InvalidArg) else {
                return error;
            };
            let Some(command) = called(&program, words) else {
                return error;
            };
            if word.starts_with('-') {
                // That the flag might be meant as a value: no value of ours begins so.
                error.remove(ContextKind::Suggested);
            }
            // A flag of a later release helps nobody.
            let is_hidden = context(&error, ContextKind::SuggestedArg)
                .is_some_and(|near| flag(command, near.trim_start_matches('-')).is_none());
            if is_hidden {
                error.remove(ContextKind::SuggestedArg);
            }
            match word.strip_prefix("--") {
                Some(name) => of_a_flag(command, name),
                None => of_a_value(command, &word),
            }
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.remove(ContextKind::SuggestedArg);
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        Some(_) | None => None,
    }
}

/// The command that was called.
fn called<'a>(program: &'a Command, words: &[OsString]) -> Option<&'a Command> {
    let mut words = words.iter().skip(1);
    words.find_map(|word| program.find_subcommand(word))
}

/// A flag of a command that `--help` shows.
fn flag<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name) && !arg.is_hide_set())
}

fn of_a_flag(command: &Command, name: &str) -> Option<String> {
    // Python's spelling is the same word.
    let name = name.split('=').next().unwrap_or(name).replace('_', "-");
    if flag(command, &name).is_some() {
        return Some(format!("`--{name}` is spelled with hyphens"));
    }
    FOREIGN
        .iter()
        .find(|(names, ours, _)| names.contains(&name.as_str()) && flag(command, ours).is_some())
        .map(|(_, _, tip)| (*tip).to_owned())
}

/// What a word is that no flag stands before.
fn of_a_value(command: &Command, word: &str) -> Option<String> {
    let has = |name| flag(command, name).is_some();
    if is_table_name(Path::new(word)) && has("data") {
        Some(format!("a table is named with its flag: `--data {word}`"))
    } else if word.contains('=') && has("grid") {
        Some(format!(
            "all settings of a grid stand in one pair of quotes: `--grid '… {word}'`"
        ))
    } else if word.parse::<f64>().is_ok() && has("set") {
        Some(format!("a value is set in one word: `--set NAME={word}`"))
    } else {
        None
    }
}

/// What to do with a file that stands where a command should.
fn of_a_file(word: &str) -> Option<String> {
    match Path::new(word).extension()?.to_str()? {
        "tad" => Some(format!("a model is fitted with `tadpool fit {word} --data CSV`")),
        "nc" => Some(format!("a fit file is shown with `tadpool summary {word}`")),
        _ => None,
    }
}
