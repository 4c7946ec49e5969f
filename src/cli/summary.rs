//! `tadpool summary`: the table of a fit file again, with other intervals, selections, formats.

use super::Outcome;
use super::args::SummaryArgs;
use super::inputs::read_fit;
use super::output::{Notes, print};
use super::page::page;
use crate::error::Result;
use crate::fit::{Report, available_threads, select};

/// Reads the file, summarises it, prints. Diagnostics are those of all parameters, whichever are printed.
pub(super) fn run(args: &SummaryArgs) -> Result<Outcome> {
    let notes = Notes { quiet: false };
    let fit = read_fit(&args.fit, notes)?;
    let mut report = Report::of(
        &fit,
        args.printing.prob,
        args.printing.interval,
        available_threads(),
    )?;
    let names: Vec<&str> = report.rows.iter().map(|row| row.name.as_str()).collect();
    let chosen = select(&names, &args.select)?;
    report.rows = chosen
        .into_iter()
        .map(|place| report.rows[place].clone())
        .collect();
    // Who names parameters wants to see all of them.
    let file = args.select.is_empty().then_some(args.fit.as_path());
    print(&page(&fit, &report, &args.printing, file, notes))?;
    Ok(Outcome::judged(args.strict, report.verdict.ok))
}
