//! `tadpool check`: says what a model is, or prints a stage of it.

use super::Outcome;
use super::args::{CheckArgs, Stage};
use super::describe;
use super::inputs::read_table;
use super::output::{Notes, print};
use super::source::{Source, joined, source};
use crate::data::Table;
use crate::error::{Error, Result};
use crate::lang::{Reports, parse, refuse};
use crate::model::Model;
use crate::trouble::troubles;

/// Prints the page or the stage; notes go to stderr.
pub(super) fn run(args: &CheckArgs) -> Result<Outcome> {
    let source = source(&args.model)?;
    let notes = Notes { quiet: false };
    let page = match &args.data {
        Some(data) => {
            let table = read_table(data)?;
            let table = joined((&source.name, &source.text), table, &args.model.tables, true)?;
            with_data(args, &source, &table, notes)?
        }
        None if !args.model.tables.is_empty() => {
            return Err(
                Error::user("--table is joined to the rows of --data, and there are none")
                    .with_help("name the table of the rows with --data"),
            );
        }
        None => without_data(args, &source, notes)?,
    };
    print(&page)?;
    Ok(Outcome::Done)
}

fn with_data(args: &CheckArgs, source: &Source, table: &Table, notes: Notes) -> Result<String> {
    let model = Model::new(&source.name, &source.text, table)?;
    super::tell(&model, table, notes);
    let lowered = model.lowered();
    Ok(match args.emit {
        None => {
            let page = describe::page(&args.model.name(), table.name(), lowered);
            page + &describe::troubles(&troubles(&model, table)?)
        }
        Some(Stage::Expanded) => format!("{}\n", lowered.expansion.trim_end()),
        Some(Stage::Ir) => format!(
            "# as lowered\n{}\n# the log density with its gradient, after the passes\n{}",
            lowered.program,
            model.density_program()
        ),
        Some(Stage::Wgsl) => format!("{}\n", model.kernel()?.wgsl.trim_end()),
    })
}

/// What the text alone tells: its errors, constructs of later releases, its lines in their canonical spelling.
fn without_data(args: &CheckArgs, source: &Source, notes: Notes) -> Result<String> {
    let parsed = parse(&source.name, &source.text)?;
    let refusals = Reports::new(&source.name, &source.text, refuse(&parsed));
    if refusals.has_errors() {
        return Err(refusals.into());
    }
    match args.emit {
        Some(Stage::Ir | Stage::Wgsl) => Err(Error::user(
            "this stage depends on the data: the sizes of the index sets and what the columns hold",
        )
        .with_help("name the table with --data")),
        Some(Stage::Expanded) => {
            notes.say("without --data, only spellings are expanded, and no formula");
            Ok(parsed.to_string())
        }
        None => {
            notes.say("without --data, names of columns, index sets, sizes and values are not checked");
            let lines: Vec<String> = parsed
                .to_string()
                .lines()
                .map(|line| format!("  {line}\n"))
                .collect();
            Ok(format!(
                "{}: the text is a model\n\n{}",
                args.model.name(),
                lines.concat()
            ))
        }
    }
}
