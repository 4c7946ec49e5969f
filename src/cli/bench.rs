//! `tadpool bench`: every back end of this machine on the same models, side by side.

use std::fs;
use std::path::Path;

use super::Outcome;
use super::args::{BenchArgs, Format, Places};
use super::files::model_name;
use super::inputs::{read_model, read_table};
use super::interrupt::stop_saying;
use super::output::{Notes, counted, print};
use super::progress::rounded;
use super::style::{HEADING, styled};
use crate::bench::{
    Driver, Machine, Measured, Options, Row, Subject, drivers, picture, run, to_csv, to_json,
};
use crate::error::{Error, Result};
use crate::gpu::{choose, list_adapters};

/// Measures, writes the picture, prints the rows.
pub(super) fn run_bench(args: &BenchArgs) -> Result<Outcome> {
    let notes = Notes { quiet: args.quiet };
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|fault| cannot_write(folder, &fault))?;
    }
    let subjects = subjects(args)?;
    let drivers = wanted(args, notes)?;
    let options = Options {
        chains: args.chain_counts(),
        seconds: args.seconds,
        seed: args.seed,
    };
    let machine = Machine::this();
    notes.say(&format!(
        "measuring on {machine}, for at most about {} s",
        options.seconds
    ));
    let stop = stop_saying(|| "what was measured so far will be printed")?;
    let mut on_step = |step: crate::bench::Step<'_>| {
        notes.show(&format!(
            "{:>3}/{} {}, {}, {}\n",
            step.number,
            step.of,
            step.model,
            counted(step.chains, "chain"),
            step.driver
        ));
    };
    let measured = run(&subjects, &drivers, &options, &mut on_step, stop)?;
    for note in &measured.notes {
        notes.say(note);
    }
    let json = format!("{:#}\n", to_json(&machine, &measured.rows, &measured.notes));
    if let Some(folder) = &args.out {
        write_all(folder, &machine, &measured, &json, notes)?;
    }
    print(&match args.format {
        Format::Table => table(&machine, &measured.rows),
        Format::Csv => to_csv(&measured.rows),
        Format::Json => json,
    })?;
    Ok(if stop.load(std::sync::atomic::Ordering::Relaxed) {
        Outcome::Interrupted
    } else {
        Outcome::Done
    })
}

fn subjects(args: &BenchArgs) -> Result<Vec<Subject>> {
    let (Some(path), Some(data)) = (&args.model, &args.data) else {
        return Subject::built_in();
    };
    let text = read_model(path)?;
    let table = read_table(data)?;
    let mut subject = Subject::new(&path.display().to_string(), &text, &table)?;
    subject.name = model_name(path);
    super::tell(&subject.model, &table, Notes { quiet: args.quiet });
    Ok(vec![subject])
}

/// The drivers to measure. That there is no GPU is an error only where one is asked for.
fn wanted(args: &BenchArgs, notes: Notes) -> Result<Vec<Driver>> {
    let is_asked = args.backend == Places::Gpu || args.adapter.is_some();
    let adapters = match (args.backend, list_adapters()) {
        (Places::Cpu, _) => Vec::new(),
        (Places::All | Places::Gpu, Ok(mut adapters)) => {
            if is_asked {
                // Finds that there is none, or none of that name.
                let chosen = choose(&adapters, args.adapter.as_deref())?;
                if args.adapter.is_some() {
                    adapters = vec![adapters.swap_remove(chosen)];
                }
            } else if adapters.is_empty() {
                notes.say("no GPU adapter was found: the CPU alone is measured");
            }
            adapters
        }
        (Places::All | Places::Gpu, Err(error)) if is_asked => return Err(error),
        (Places::All | Places::Gpu, Err(error)) => {
            notes.say(&format!("the CPU alone is measured: {}", error.message()));
            Vec::new()
        }
    };
    let mut drivers = drivers(&adapters);
    drivers.retain(|driver| args.backend != Places::Gpu || driver.adapter().is_some());
    Ok(drivers)
}

fn write_all(folder: &Path, machine: &Machine, measured: &Measured, json: &str, notes: Notes) -> Result<()> {
    let picture = picture::gradients(machine, &measured.rows)?;
    for (name, bytes) in [
        ("bench.svg", picture.svg.as_bytes()),
        ("bench.png", &picture.png),
        ("bench.json", json.as_bytes()),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|fault| cannot_write(&path, &fault))?;
    }
    notes.say(&format!(
        "the picture is in {} and {}, the numbers in {}",
        folder.join("bench.svg").display(),
        folder.join("bench.png").display(),
        folder.join("bench.json").display()
    ));
    Ok(())
}

fn cannot_write(path: &Path, fault: &std::io::Error) -> Error {
    Error::environment(format!("{} cannot be written: {fault}", path.display()))
        .with_help("name a folder that can be written with `--out DIR`")
}

/// The page for people: a table for each model.
fn table(machine: &Machine, rows: &[Row]) -> String {
    let mut text = format!("{machine}\n");
    let mut models: Vec<&str> = Vec::new();
    for row in rows {
        if !models.contains(&row.model.as_str()) {
            models.push(&row.model);
        }
    }
    for model in models {
        text.push_str(&format!("\n{}\n", styled(HEADING, model)));
        text.push_str(&model_table(rows.iter().filter(|row| row.model == model)));
    }
    if rows.is_empty() {
        text.push_str("\nNothing was measured.\n");
        return text;
    }
    text.push_str(
        "\nper core-s: gradients per second that a core worked. ESS: the smallest bulk effective sample size of all\n\
         parameters; with warm-up: for as many iterations as `tadpool fit` takes unasked; memory: of that fit's draws.\n\
         first draw, to ESS 1000: from the model text on. ~: from the ESS per gradient of fewer chains, whose tuning was\n\
         taken over to save time. -: not measured, for lack of time.\n",
    );
    text
}

const HEADS: [&str; 9] = [
    "chains",
    "gradients/s",
    "per core-s",
    "ESS/s",
    "with warm-up",
    "first draw",
    "to ESS 1000",
    "memory",
    "driver",
];

fn model_table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut lines: Vec<[String; 9]> = vec![HEADS.map(str::to_owned)];
    for row in rows {
        let own = row.ess_measured_at_chains == Some(row.chains);
        let ess = match row.ess_per_second {
            Some(ess) if own => rounded(ess),
            Some(ess) => format!("~{}", rounded(ess)),
            None => "-".into(),
        };
        let maybe = |x: Option<f64>| x.map_or("-".to_owned(), rounded);
        lines.push([
            row.chains.to_string(),
            rounded(row.gradients_per_second),
            maybe(row.gradients_per_core_second),
            ess,
            maybe(row.ess_per_second_with_warmup),
            row.time_to_first_draw_seconds.map_or("-".into(), in_seconds),
            row.seconds_to_ess_1000.map_or("-".into(), in_seconds),
            bytes(row.bytes),
            row.driver.to_string(),
        ]);
    }
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths).take(HEADS.len() - 1) {
            text.push_str(&format!("{cell:>width$}  "));
        }
        text.push_str(&format!("{}\n", line[HEADS.len() - 1]));
    }
    text
}

/// Seconds with two or three significant digits.
fn in_seconds(seconds: f64) -> String {
    let places = match seconds {
        s if s < 0.1 => 3,
        s if s < 10.0 => 2,
        _ => 0,
    };
    format!("{seconds:.places$} s")
}

/// A size with two or three significant digits.
fn bytes(size: u64) -> String {
    let scales = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match scales.into_iter().find(|(scale, _)| size >= *scale) {
        Some((scale, unit)) => {
            let x = size as f64 / scale as f64;
            let places = usize::from(x < 9.95);
            format!("{x:.places$} {unit}")
        }
        None => format!("{size} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (seconds, text) in [(0.0123, "0.012 s"), (1.234, "1.23 s"), (123.4, "123 s")] {
            assert_eq!(in_seconds(seconds), text);
        }
        for (size, text) in [(100, "100 B"), (3 << 19, "1.5 MiB"), (200 << 10, "200 KiB")] {
            assert_eq!(bytes(size), text);
        }
    }
}
