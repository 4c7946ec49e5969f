//! Studies over several machines: joining shards, and scripts for a cluster.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory;

use super::super::Outcome;
use super::super::args::{Cli, MergeArgs, SlurmArgs};
use super::super::files::write_text;
use super::super::output::{Notes, print};
use super::written::finish;
use crate::error::{Error, Result};
use crate::study::merge;
use crate::study::slurm::{Job, array_script, merge_script, submission};

/// Joins the shards and finishes the study.
pub(super) fn merged(args: &MergeArgs) -> Result<Outcome> {
    let notes = Notes { quiet: args.quiet };
    let (manifest, part) = merge(&args.dirs)?;
    let folder = args.out.as_ref().unwrap_or(&args.dirs[0]);
    fs::create_dir_all(folder).map_err(|fault| {
        Error::environment(format!("the folder {} cannot be made: {fault}", folder.display()))
            .with_help("name another with `--out`")
    })?;
    finish(folder, &manifest, &part, None, args.format, notes)
}

/// Writes the scripts, prints how they are submitted.
pub(super) fn slurm(args: &SlurmArgs) -> Result<Outcome> {
    let typed = match args.study.first().map(String::as_str) {
        Some("study") => &args.study[1..],
        Some(_) | None => &args.study[..],
    };
    let mut words = vec!["study".to_owned()];
    words.extend(typed.iter().cloned());
    // Wrong words are found here, not by every task.
    let program = std::iter::once("tadpool".to_owned());
    if let Err(fault) = Cli::command().try_get_matches_from(program.chain(words.iter().cloned())) {
        let said = fault.to_string();
        let what = said
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        return Err(
            Error::user(format!("the study behind `--` cannot be run: {what}")).with_help(
                "write it as behind `tadpool study`, such as `-- sbc m12_2.tad --data reedfrogs.csv`",
            ),
        );
    }
    let job = Job {
        name: typed.first().cloned().unwrap_or_default(),
        program: args.program.clone(),
        words,
        out: args.out.clone(),
        shards: args.shards as u32,
        cpus: args.cpus as u32,
        memory: args.memory as u64,
        time: args.time.clone(),
        partition: args.partition.clone(),
        account: args.account.clone(),
        options: args.sbatch.clone(),
    };
    let (array, merge) = (array_script(&job)?, merge_script(&job)?);
    let mut name = args.script.file_stem().unwrap_or_default().to_owned();
    name.push("-merge");
    let mut beside = args.script.with_file_name(name);
    if let Some(ending) = args.script.extension() {
        beside.set_extension(ending);
    }
    write_text(&args.script, &array)?;
    write_text(&beside, &merge)?;
    let shown = |path: &PathBuf| path.display().to_string();
    print(&submission(&shown(&args.script), &shown(&beside)))?;
    Ok(Outcome::Done)
}
