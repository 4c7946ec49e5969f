//! The four studies: what each takes from its flags.

use std::time::Instant;

use super::super::Outcome;
use super::super::args::{Common, KfoldArgs, PowerArgs, RecoverArgs, SbcArgs};
use super::super::inputs::read_table;
use super::super::output::{Notes, counted};
use super::super::source::{Source, joined, source};
use super::asked::{Asked, adapter, sampling};
use crate::data::{Table, number_label};
use crate::error::{Error, Result};
use crate::fit::Backend;
use crate::model::Model;
use crate::predict::Simulator;
use crate::study::batch::{MANY, PRECISE};
use crate::study::{
    Aim, Criterion, CrossValidation, Design, DesignStudy, Folds, Questions, Simulations, posterior_of, vary,
    with_row_labels,
};

/// The table that a flag names, second tables joined.
fn table(common: &Common, source: &Source, path: &std::path::Path) -> Result<Table> {
    let given = read_table(path)?;
    let joined = joined((&source.name, &source.text), given, &common.model.tables, true)?;
    let notes = Notes { quiet: common.quiet };
    joined.notes().iter().for_each(|note| notes.say(note));
    Ok(joined)
}

/// What data sets come from, with what the text and the design make one say.
fn simulator(common: &Common, source: &Source, design: &Table, set: &[(String, f64)]) -> Result<Simulator> {
    let notes = Notes { quiet: common.quiet };
    let mut simulator = Simulator::new(&source.name, &source.text, design)?;
    for (name, value) in set {
        simulator.set(name, *value)?;
    }
    let (reports, about_rows) = simulator.reports();
    for note in about_rows.iter().filter(|note| !design.notes().contains(note)) {
        notes.say(note);
    }
    if !reports.reports.is_empty() {
        notes.show(&reports.render(true));
    }
    if let Some(formula) = simulator.formula() {
        super::super::tell_formula(formula, notes);
    }
    Ok(simulator)
}

fn questions(common: &Common) -> Questions {
    Questions {
        interval: common.printing.interval,
        prob: common.printing.prob,
        log_lik: false,
        by: None,
        criteria: Vec::new(),
    }
}

fn settings(set: &[(String, f64)]) -> Vec<(String, String)> {
    set.iter()
        .map(|(name, value)| ("set".to_owned(), format!("{name}={}", number_label(*value))))
        .collect()
}

/// `tadpool study recover`.
pub(super) fn recover(args: &RecoverArgs) -> Result<Outcome> {
    let started = Instant::now();
    let common = &args.common;
    let source = source(&common.model)?;
    let design = table(common, &source, &args.simulating.data)?;
    let simulator = simulator(common, &source, &design, &args.set)?;
    let mut questions = questions(common);
    questions.by = match &args.by {
        Some(by) => Some(by.clone()),
        None => own_index(&source, &simulator, args)?,
    };
    let adapter = adapter(common)?;
    let study = Simulations::new(
        simulator,
        (&source.name, &source.text),
        common.seed,
        questions.clone(),
    )?;
    let study = if adapter.is_some() { study.alike() } else { study };
    let mut options = settings(&args.set);
    if let Some(by) = questions.by {
        options.push(("by".to_owned(), by));
    }
    for alternative in &args.against {
        options.push(("against".to_owned(), alternative.word().to_owned()));
    }
    Asked {
        aim: Aim::Recover,
        common,
        text: study.text().to_owned(),
        study,
        replicates: args.simulating.replicates,
        design: &design,
        options,
        sampling: sampling(common, MANY),
        adapter,
        started,
    }
    .run()
}

/// The index of the model's effects, if all have the same one.
fn own_index(source: &Source, simulator: &Simulator, args: &RecoverArgs) -> Result<Option<String>> {
    let simulated = simulator.some_replicate(args.common.seed)?;
    let text = simulator
        .formula()
        .map_or(source.text.as_str(), |formula| formula.text.as_str());
    let model = Model::new(&source.name, text, &simulator.data_set(&simulated, 0)?)?;
    let mut groups: Vec<String> = Vec::new();
    for effect in &model.lowered().effects {
        if let Some(group) = &effect.group
            && !groups.contains(group)
        {
            groups.push(group.clone());
        }
    }
    match groups.as_slice() {
        [only] => Ok(Some(only.clone())),
        several if !args.against.is_empty() => Err(Error::user(format!(
            "--against compares the means of groups, and the model has {}",
            match several.len() {
                0 => "no effects by group".to_owned(),
                _ => format!("effects by several: {}", several.join(", ")),
            }
        ))
        .with_help("name an index of the model with `--by INDEX`")),
        _ => Ok(None),
    }
}

/// `tadpool study sbc`.
pub(super) fn sbc(args: &SbcArgs) -> Result<Outcome> {
    let started = Instant::now();
    let common = &args.common;
    let notes = Notes { quiet: common.quiet };
    let mut source = source(&common.model)?;
    let mut design = table(common, &source, &args.simulating.data)?;
    if args.posterior {
        (source.text, design) = with_row_labels((&source.name, &source.text), &design)?;
    }
    let mut simulator = simulator(common, &source, &design, &[])?;
    let sampling = sampling(common, MANY);
    let mut options = vec![("level".to_owned(), args.level.to_string())];
    let questions = Questions {
        log_lik: true,
        ..questions(common)
    };
    let names = (source.name.as_str(), source.text.as_str());
    let study = if args.posterior {
        options.push(("posterior".to_owned(), "true".to_owned()));
        notes.say("fitting the data, whose posterior the truth is drawn from");
        let posterior = posterior_of(names, &design, args.simulating.replicates, &sampling)?;
        let named: Vec<(&str, &[f64])> = posterior
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
            .collect();
        simulator.give(&named, args.simulating.replicates as usize)?;
        Simulations::new(simulator, names, common.seed, questions)?.beside(design.clone())?
    } else {
        Simulations::new(simulator, names, common.seed, questions)?
    };
    let adapter = adapter(common)?;
    let study = if adapter.is_some() { study.alike() } else { study };
    Asked {
        aim: Aim::Sbc,
        common,
        text: study.text().to_owned(),
        study,
        replicates: args.simulating.replicates,
        design: &design,
        options,
        sampling,
        adapter,
        started,
    }
    .run()
}

/// `tadpool study power`.
pub(super) fn power(args: &PowerArgs) -> Result<Outcome> {
    let started = Instant::now();
    let common = &args.common;
    if common.backend == Backend::Gpu {
        return Err(Error::user(
            "designs of several sizes have programs of their own, and a power study runs on the CPU",
        )
        .with_help("leave out `--backend gpu`"));
    }
    let source = source(&common.model)?;
    let tables = args
        .data
        .iter()
        .map(|path| table(common, &source, path))
        .collect::<Result<Vec<_>>>()?;
    let mut designs = Vec::new();
    for own in &tables {
        let file = || ("design".to_owned(), own.name().to_owned());
        let mut sized = match &args.vary {
            None => vec![Design {
                sizes: vec![file()],
                table: own.clone(),
            }],
            Some(text) => vary((&source.name, &source.text), own, text)?,
        };
        if args.vary.is_some() && tables.len() > 1 {
            sized.iter_mut().for_each(|design| design.sizes.push(file()));
        }
        designs.append(&mut sized);
    }
    let criteria = args
        .criterion
        .iter()
        .map(|text| Criterion::parse(text))
        .collect::<Result<Vec<_>>>()?;
    let mut options = settings(&args.set);
    options.extend(
        designs
            .iter()
            .map(|design| ("size".to_owned(), design.size().to_text())),
    );
    options.extend(
        criteria
            .iter()
            .map(|criterion| ("criterion".to_owned(), criterion.text.clone())),
    );
    options.extend(
        tables
            .iter()
            .skip(1)
            .map(|table| ("design".to_owned(), table.to_csv())),
    );
    let notes = Notes { quiet: common.quiet };
    notes.say(&format!(
        "{}, {} each",
        counted(designs.len(), "design"),
        counted(args.replicates as usize, "replicate")
    ));
    let mut studies = Vec::with_capacity(designs.len());
    for design in &designs {
        let simulator = simulator(common, &source, &design.table, &args.set)?;
        let questions = Questions {
            criteria: criteria.clone(),
            ..questions(common)
        };
        studies.push(Simulations::new(
            simulator,
            (&source.name, &source.text),
            common.seed,
            questions,
        )?);
    }
    let text = studies
        .first()
        .map_or_else(String::new, |study| study.text().to_owned());
    let study = DesignStudy::new(studies, args.replicates);
    Asked {
        aim: Aim::Power,
        common,
        text,
        replicates: study.replicates()?,
        study,
        design: &tables[0],
        options,
        sampling: sampling(common, MANY),
        adapter: None,
        started,
    }
    .run()
}

/// `tadpool study kfold`.
pub(super) fn kfold(args: &KfoldArgs) -> Result<Outcome> {
    let started = Instant::now();
    let common = &args.common;
    let source = source(&common.model)?;
    let data = table(common, &source, &args.data)?;
    let model = Model::new(&source.name, &source.text, &data)?;
    super::super::tell(&model, &data, Notes { quiet: common.quiet });
    let folds = Folds::parse(&args.folds)?;
    let study = CrossValidation::new((&source.name, model.text()), data.clone(), &folds, common.seed)?;
    let adapter = adapter(common)?;
    let study = study.with_intervals(common.printing.interval, common.printing.prob);
    let study = if adapter.is_some() { study.alike() } else { study };
    Asked {
        aim: Aim::Kfold,
        common,
        text: model.text().to_owned(),
        replicates: study.replicates(),
        study,
        design: &data,
        options: vec![("folds".to_owned(), args.folds.trim().to_owned())],
        sampling: sampling(common, PRECISE),
        adapter,
        started,
    }
    .run()
}
