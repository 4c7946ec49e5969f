//! `tadpool predict`: a fit file in, predictions out.

use serde_json::json;

use super::Outcome;
use super::args::{Format, PredictArgs};
use super::files::{keeps_inputs, write_text};
use super::inputs::{read_fit, read_table};
use super::output::{Notes, counted, print};
use super::source::joined;
use super::spreads::{Line, MEASURES, Spreads};
use super::table;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::fit::{Fit, Report, available_threads};
use crate::predict::{Contrast, Fitted, Options, Rows, Settings, Spread, Told, expressions, grid};

/// Reads the fit, predicts, prints or writes.
pub(super) fn run(args: &PredictArgs) -> Result<Outcome> {
    let notes = Notes { quiet: args.quiet };
    if let Some(out) = &args.out {
        let inputs = [Some(&args.fit), args.data.as_ref()];
        keeps_inputs(out, inputs.into_iter().flatten().map(|path| path.as_path()))?;
    }
    let fit = read_fit(&args.fit, notes)?;
    if let Some(streamed) = fit.streamed.as_ref().filter(|streamed| streamed.stride > 1) {
        notes.say(&format!(
            "predictions are made from one draw in {}, which were kept",
            streamed.stride
        ));
    }
    let fitted = Fitted::new(&fit)?;
    let text = if args.expr.is_empty() {
        predictions(args, &fitted, notes)?
    } else {
        of_expressions(args, &fitted)?
    };
    match &args.out {
        None => print(&text)?,
        Some(path) => {
            write_text(path, &text)?;
            notes.say(&format!("written to {}", path.display()));
        }
    }
    Ok(Outcome::Done)
}

/// What is needed for one row of the result.
struct Writer<'a> {
    args: &'a PredictArgs,
    /// The draws that have columns of their own.
    kept: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(args: &'a PredictArgs, draws: usize) -> Result<Self> {
        let wanted = args.draws.unwrap_or(0);
        if wanted > draws {
            return Err(Error::user(format!(
                "--draws {wanted} asks for more draws than the fit has, {draws}"
            ))
            .with_help(format!("give at most {draws}, or fit again with more --draws")));
        }
        Ok(Self {
            args,
            kept: (0..wanted).map(|column| column * draws / wanted).collect(),
        })
    }

    fn line(&self, cells: Vec<String>, draws: &[f64]) -> Line {
        Line {
            cells,
            spread: Spread::of(draws, self.args.interval, self.args.prob),
            draws: self.kept.iter().map(|&draw| draws[draw]).collect(),
        }
    }
}

fn predictions(args: &PredictArgs, fitted: &Fitted<'_>, notes: Notes) -> Result<String> {
    let options = Options {
        kind: args.kind,
        groups: args.groups,
        outcome: args.outcome.clone(),
        seed: args.seed,
    };
    let outcome = fitted.outcome(&options)?.to_owned();
    let contrasts: Vec<Contrast> = args
        .contrast
        .iter()
        .map(|text| Contrast::parse(text))
        .collect::<Result<_>>()?;
    let table = new_table(args, fitted, &contrasts, notes)?;
    let rows = match &table {
        Some(table) => Rows::New(table),
        None => Rows::Observed(fitted.observed()),
    };
    let writer = Writer::new(args, fitted.draws())?;
    let mut told = Told::default();
    for contrast in &contrasts {
        contrast.check(fitted)?;
    }
    let average = args.average || (table.is_none() && !contrasts.is_empty());
    let result = if !contrasts.is_empty() {
        compared(&contrasts, fitted, rows, &options, &writer, average, &mut told)?
    } else if average {
        let mut sum = vec![0.0; fitted.draws()];
        fitted.predict(rows, &options, 0, &mut told, &mut |_, draws| {
            sum.iter_mut().zip(draws).for_each(|(sum, x)| *sum += x);
            Ok(())
        })?;
        let count = rows.table().rows();
        sum.iter_mut().for_each(|sum| *sum /= count as f64);
        Spreads {
            head: vec!["over".to_owned()],
            rows: vec![writer.line(vec![counted(count, "row")], &sum)],
        }
    } else {
        let head = names(rows.table())?;
        let mut lines = Vec::with_capacity(rows.table().rows());
        fitted.predict(rows, &options, 0, &mut told, &mut |row, draws| {
            lines.push(writer.line(cells(rows.table(), row), draws));
            Ok(())
        })?;
        Spreads { head, rows: lines }
    };
    tell(&told, args, notes);
    Ok(match args.format {
        Format::Csv => result.csv(),
        Format::Table => result.aligned(args.interval, args.prob),
        Format::Json => format!(
            "{:#}\n",
            json!({
                "model": fitted.fit().run.model_name,
                "outcome": outcome,
                "kind": args.kind.name(),
                "groups": args.groups.name(),
                "seed": args.seed,
                "draws": fitted.draws(),
                "prob": args.prob.get(),
                "interval": args.interval.name(),
                "rows": result.json(),
            })
        ),
    })
}

/// The rows asked for; none for those of the fit.
fn new_table(
    args: &PredictArgs,
    fitted: &Fitted<'_>,
    contrasts: &[Contrast],
    notes: Notes,
) -> Result<Option<Table>> {
    let run = &fitted.fit().run;
    let source = (run.model_name.as_str(), run.model_text.as_str());
    if let Some(text) = &args.grid {
        let settings = Settings::parse(text)?;
        settings.check(fitted)?;
        // The contrast's values would take the place of the grid's, whose rows would then repeat each other.
        for contrast in contrasts {
            if let Some(name) = contrast.shares(&settings) {
                return Err(Error::user(format!(
                    "the grid sets `{name}`, and so does the contrast `{}`",
                    contrast.text
                ))
                .with_help(format!("leave `{name}` out of the grid")));
            }
        }
        return joined(source, grid(&settings)?, &args.tables, false).map(Some);
    }
    let Some(path) = &args.data else {
        if !args.tables.is_empty() {
            return Err(Error::user(
                "--table is joined to the rows of --data, and the rows of the fit have theirs",
            )
            .with_help("leave it out, or name rows with --data"));
        }
        return Ok(None);
    };
    let table = joined(source, read_table(path)?, &args.tables, false)?;
    for note in table.notes() {
        notes.say(note);
    }
    Ok(Some(table))
}

fn compared(
    contrasts: &[Contrast],
    fitted: &Fitted<'_>,
    rows: Rows<'_>,
    options: &Options,
    writer: &Writer<'_>,
    average: bool,
    told: &mut Told,
) -> Result<Spreads> {
    let mut head = vec!["contrast".to_owned()];
    let mut lines = Vec::new();
    if average {
        head.push("over".to_owned());
    } else {
        head.extend(names(rows.table())?);
    }
    for contrast in contrasts {
        if average {
            let draws = contrast.average(fitted, rows, options, told)?;
            let over = counted(rows.table().rows(), "row");
            lines.push(writer.line(vec![contrast.text.clone(), over], &draws));
            continue;
        }
        let differences = contrast.differences(fitted, rows, options, told)?;
        for (row, draws) in differences.iter().enumerate() {
            let mut front = vec![contrast.text.clone()];
            front.extend(cells(rows.table(), row));
            lines.push(writer.line(front, draws));
        }
    }
    Ok(Spreads { head, rows: lines })
}

/// The names of the columns in front of the numbers, which must be told apart.
fn names(table: &Table) -> Result<Vec<String>> {
    if let Some(name) = table
        .names()
        .find(|name| MEASURES.contains(name) || *name == "contrast")
    {
        return Err(Error::user(format!(
            "{} has a column `{name}`, and the result has one of that name too",
            table.name()
        ))
        .with_help(format!("rename or remove the column `{name}`")));
    }
    Ok(table.names().map(str::to_owned).collect())
}

fn cells(table: &Table, row: usize) -> Vec<String> {
    table
        .columns()
        .iter()
        .map(|column| column.cell(row).to_owned())
        .collect()
}

/// Says what was filled in.
fn tell(told: &Told, args: &PredictArgs, notes: Notes) {
    for (index, labels) in &told.new {
        let mut shown: Vec<&str> = labels.iter().take(5).map(String::as_str).collect();
        if labels.len() > shown.len() {
            shown.push("…");
        }
        notes.say(&format!(
            "{} of `{index}` that the fit has not seen ({}): --groups {}",
            counted(labels.len(), "level"),
            shown.join(", "),
            args.groups.name()
        ));
    }
    for index in &told.mixed {
        notes.say(&format!(
            "the rows have no column `{index}`: each draw takes one of its levels in the fit"
        ));
    }
}

/// The table of the expressions, as that of the parameters.
fn of_expressions(args: &PredictArgs, fitted: &Fitted<'_>) -> Result<String> {
    let fit = fitted.fit();
    let derived = Fit {
        posterior: expressions(fitted, &args.expr)?,
        streamed: None,
        ..fit.clone()
    };
    let report = Report::of(&derived, args.prob, args.interval, available_threads())?;
    Ok(match args.format {
        Format::Csv => table::csv(&report),
        Format::Json => format!("{:#}\n", report.to_json(&derived)),
        Format::Table => table::aligned(&report, false, None),
    })
}
