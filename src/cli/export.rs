//! `tadpool export`: the draws of a fit file, for other programs.

use std::path::PathBuf;

use super::Outcome;
use super::args::{ExportArgs, Form};
use super::files::{keeps_inputs, model_name, write_whole};
use super::inputs::read_fit;
use super::output::{Notes, counted, print};
use crate::error::Result;
use crate::export::{CmdStan, Draws, csv, parquet};

/// Reads the fit, writes its draws, prints the names of the files.
pub(super) fn run(args: &ExportArgs) -> Result<Outcome> {
    let notes = Notes { quiet: args.quiet };
    let fit = read_fit(&args.fit, notes)?;
    let draws = Draws::new(&fit, &args.select)?;
    let extension = match args.to {
        Form::Csv | Form::CmdStan => "csv",
        Form::Parquet => "parquet",
    };
    let out = match &args.out {
        Some(out) => out.clone(),
        None => PathBuf::from(format!("{}.{extension}", model_name(&args.fit))),
    };
    if let Some(streamed) = fit.streamed.as_ref().filter(|streamed| streamed.stride > 1) {
        notes.say(&format!(
            "one draw in {} is exported, which were kept",
            streamed.stride
        ));
    }
    let mut written = Vec::new();
    let mut place = |path: PathBuf, write: &dyn Fn(&mut super::files::Target) -> std::io::Result<()>| {
        keeps_inputs(&path, std::iter::once(args.fit.as_path()))?;
        write_whole(&path, write)?;
        written.push(path);
        Result::Ok(())
    };
    match args.to {
        Form::Csv => place(out, &|to| csv(&draws, to))?,
        Form::Parquet => place(out, &|to| parquet(&draws, to))?,
        Form::CmdStan => {
            let chains = CmdStan::new(&draws)?;
            for chain in 0..chains.chains() {
                let name = format!("{}_{}.{extension}", model_name(&out), chain + 1);
                place(out.with_file_name(name), &|to| chains.write(chain, to))?;
            }
        }
    }
    notes.say(&format!(
        "{} of {} in {}",
        counted(draws.rows(), "draw"),
        counted(draws.numbers(), "number"),
        counted(written.len(), "file")
    ));
    let names: Vec<String> = written
        .iter()
        .map(|path| format!("{}\n", path.display()))
        .collect();
    print(&names.concat())?;
    Ok(Outcome::Done)
}
