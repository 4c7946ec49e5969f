//! `tadpool simulate`: a model and a design in, a data set and its truth out.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Outcome;
use super::args::{Format, SimulateArgs};
use super::files::{keeps_inputs, write_text};
use super::inputs::read_table;
use super::output::{Notes, counted, print};
use super::source::{joined, source};
use super::spreads::{Line, Spreads};
use super::table::field;
use crate::data::{Table, number_label};
use crate::error::Result;
use crate::predict::{Simulated, Simulator, Spread};

/// The most numbers that the summary's replicates may take, of parameters and of outcomes each.
const MOST_NUMBERS: usize = 1 << 25;

/// Simulates, writes the data set and the truth, prints the prior predictive summary.
pub(super) fn run(args: &SimulateArgs) -> Result<Outcome> {
    let notes = Notes { quiet: args.quiet };
    let truth = beside(&args.out);
    for out in [&args.out, &truth] {
        keeps_inputs(out, [args.model.path.as_path(), args.data.as_path()].into_iter())?;
    }
    let source = source(&args.model)?;
    let given = read_table(&args.data)?;
    let own: Vec<String> = given.names().map(str::to_owned).collect();
    let design = joined((&source.name, &source.text), given, &args.model.tables, true)?;
    for note in design.notes() {
        notes.say(note);
    }
    let mut simulator = Simulator::new(&source.name, &source.text, &design)?;
    for (name, value) in &args.set {
        simulator.set(name, *value)?;
    }
    let (reports, table_notes) = simulator.reports();
    for note in table_notes.iter().filter(|note| !design.notes().contains(note)) {
        notes.say(note);
    }
    if !reports.reports.is_empty() {
        notes.show(&reports.render(true));
    }
    if let Some(formula) = simulator.formula() {
        super::tell_formula(formula, notes);
    }
    for outcome in simulator.outcomes() {
        if design.column(outcome).is_some() {
            notes.say(&format!(
                "the column `{outcome}` of {} is the outcome: simulated values take its place",
                design.name()
            ));
        }
    }
    let each = simulator.size().max(1);
    let replicates = args.replicates.min((MOST_NUMBERS / each).max(1) as u32);
    if replicates < args.replicates {
        notes.say(&format!(
            "the summary is over {} instead of {}: each has {each} numbers",
            counted(replicates as usize, "replicate"),
            args.replicates
        ));
    }
    let simulated = simulator.replicates(args.seed, 0..replicates)?;
    let data_set = simulator.data_set(&simulated, 0)?;
    // The second tables are files of their own.
    let outcomes = simulator.outcomes();
    let wanted = |name: &str| own.iter().any(|known| known == name) || outcomes.contains(&name);
    write_text(&args.out, &table_csv(&data_set, &wanted))?;
    write_text(&truth, &truth_csv(&simulated, args))?;
    notes.say(&format!(
        "the data set is in {}, the parameters behind it in {}",
        args.out.display(),
        truth.display()
    ));
    print(&summary(args, replicates, &simulator, &simulated))?;
    Ok(Outcome::Done)
}

/// `DATA.truth.csv` for `DATA.csv`.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("truth.csv")
}

fn table_csv(table: &Table, wanted: &dyn Fn(&str) -> bool) -> String {
    let line = |cells: Vec<String>| format!("{}\n", cells.join(","));
    let columns = || table.columns().iter().filter(|column| wanted(column.name()));
    let mut text = line(columns().map(|column| field(column.name())).collect());
    for row in 0..table.rows() {
        text.push_str(&line(columns().map(|column| field(column.cell(row))).collect()));
    }
    text
}

/// The first replicate's parameters and derived quantities: name, value, and where it comes from.
fn truth_csv(simulated: &Simulated, args: &SimulateArgs) -> String {
    let mut text = String::from("name,value,origin\n");
    for quantity in &simulated.quantities {
        for (name, value) in quantity.elements.iter().zip(&quantity.values) {
            let set = args
                .set
                .iter()
                .any(|(given, _)| given == name || *given == quantity.name);
            let origin = match (quantity.derived, set) {
                (true, _) => "derived",
                (false, true) => "set",
                (false, false) => "prior",
            };
            text.push_str(&format!("{},{},{origin}\n", field(name), number_label(*value)));
        }
    }
    text
}

/// The prior predictive summary: parameters and outcomes over all replicates; rows of an outcome are pooled.
fn summary(args: &SimulateArgs, replicates: u32, simulator: &Simulator, simulated: &Simulated) -> String {
    let printing = &args.printing;
    let line = |name: &str, draws: &[f64]| Line {
        cells: vec![name.to_owned()],
        spread: Spread::of(draws, printing.interval, printing.prob),
        draws: Vec::new(),
    };
    let of = |rows| Spreads {
        head: vec!["name".to_owned()],
        rows,
    };
    let mut parameters = Vec::new();
    for quantity in &simulated.quantities {
        let len = quantity.elements.len();
        for (element, name) in quantity.elements.iter().enumerate() {
            let draws: Vec<f64> = quantity
                .values
                .iter()
                .skip(element)
                .step_by(len)
                .copied()
                .collect();
            parameters.push(line(name, &draws));
        }
    }
    let outcomes = simulated
        .outcomes
        .iter()
        .map(|(name, values)| line(name, values))
        .collect();
    let (parameters, outcomes) = (of(parameters), of(outcomes));
    match printing.format {
        Format::Table => format!(
            "{}: {}, {} of seed {}\n\nOutcomes, all rows of all replicates\n{}\nParameters\n{}",
            args.model.name(),
            counted(simulator.design().rows(), "row"),
            counted(replicates as usize, "replicate"),
            args.seed,
            outcomes.aligned(printing.interval, printing.prob),
            parameters.aligned(printing.interval, printing.prob),
        ),
        Format::Csv => {
            let mut all = outcomes;
            all.rows.extend(parameters.rows);
            all.csv()
        }
        Format::Json => format!(
            "{:#}\n",
            json!({
                "model": args.model.name(),
                "seed": args.seed,
                "rows": simulator.design().rows(),
                "replicates": replicates,
                "prob": printing.prob.get(),
                "interval": printing.interval.name(),
                "outcomes": outcomes.json(),
                "parameters": parameters.json(),
            })
        ),
    }
}
