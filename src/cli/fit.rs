//! `tadpool fit`: model and table in, posterior out.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Outcome;
use super::args::FitArgs;
use super::files::keeps_others;
use super::inputs::read_table;
use super::interrupt::{draws_are_there, stop_on_interrupt};
use super::output::{Notes, counted, print, print_error};
use super::page::page;
use super::progress::{Counters, Size};
use super::source::{joined, source};
use super::ticker::watched;
use crate::error::Result;
use crate::fit::{Keep, LogLik, fit_as_planned, plan, writable};
use crate::lang::report::Level;
use crate::model::Model;
use crate::sampler::{Phase, Progress};

/// Samples, writes the fit file, prints the page. `command` is the command line as typed.
pub(super) fn run(args: &FitArgs, command: String) -> Result<Outcome> {
    let started = Instant::now();
    let notes = Notes { quiet: args.quiet };
    let out = args.out_path();
    // A folder that cannot be written is found now, not after an hour of sampling.
    writable(&out)?;
    keeps_others(&out, &[("model", &args.model.path), ("data", &args.data)])?;
    let source = source(&args.model)?;
    let table = read_table(&args.data)?;
    let table = joined((&source.name, &source.text), table, &args.model.tables, true)?;
    let model = Model::new(&source.name, &source.text, &table)?;
    super::tell(&model, &table, notes);
    // What is a matter of taste, and what needs simulation, is left to `check`.
    let mut troubles = model.troubles(&table)?;
    troubles.reports.retain(|report| report.level == Level::Warning);
    if !troubles.reports.is_empty() {
        notes.show(&troubles.render(true));
    }

    let options = args.options(command, started);
    let plan = plan(&model, &options)?;
    let draws = match options.mcse {
        None => counted(plan.draws, "draw"),
        Some(target) => format!("draws until --mcse {target} is met, {} at most", plan.draws),
    };
    notes.say(&format!(
        "back end {}; {}, each {} of warm-up, then {draws}; seed {}",
        plan.why,
        counted(plan.chains, "chain"),
        counted(plan.warmup as usize, "iteration"),
        options.seed
    ));
    for note in &plan.notes {
        notes.say(note);
    }
    if let (true, Some(mapping)) = (args.verbose, &plan.mapping) {
        notes.say(&format!("driver {mapping}"));
    }
    let stop = stop_on_interrupt()?;
    let counters = Counters::new(
        Size {
            chains: plan.chains,
            warmup: plan.warmup,
            sampling: options.mcse.is_none().then(|| {
                u32::try_from(plan.draws)
                    .unwrap_or(u32::MAX)
                    .saturating_mul(options.thin)
            }),
        },
        stop,
    );
    let observer = |progress: Progress| {
        if progress.phase == Phase::Sampling && progress.iterations >= options.thin {
            draws_are_there();
        }
        counters.observe(progress);
    };
    let drawn = watched(&|elapsed| counters.line(elapsed), args.quiet, || {
        fit_as_planned(&model, &options, &plan, &observer, stop)
    });
    let (mut result, report) = match drawn {
        Err(error) if stop.load(Relaxed) => {
            print_error(&error);
            return Ok(Outcome::Interrupted);
        }
        drawn => drawn?,
    };

    if stop.load(Relaxed) {
        notes.say(&format!(
            "stopped by Ctrl-C: kept {} of {}, {} of {} each",
            result.run.chains,
            counted(plan.chains, "chain"),
            result.draws(),
            counted(plan.draws, "draw"),
        ));
    }
    result.run.model_name = args.model.name();
    result.write(&out)?;
    let observations = model.num_observations();
    if options.keep == Keep::Summary && observations > 0 {
        notes.say("the log likelihood of each row is not kept; `--keep all` keeps it");
    } else if options.log_lik == LogLik::Auto && result.log_likelihood.is_empty() && observations > 0 {
        notes.say(&format!(
            "the log likelihood of each row and draw, {} MiB, was left out of the fit file; `--log-lik all` keeps it",
            (observations * result.run.chains * result.run.draws * size_of::<f64>()) >> 20
        ));
    }
    notes.say(&match &result.streamed {
        Some(streamed) if streamed.stride > 1 => format!(
            "the summary of all draws, and one draw in {}, are in {}",
            streamed.stride,
            out.display()
        ),
        Some(_) | None => format!("the draws are in {}", out.display()),
    });
    print(&page(&result, &report, &args.printing, Some(&out), notes))?;
    if stop.load(Relaxed) {
        return Ok(Outcome::Interrupted);
    }
    Ok(Outcome::judged(args.strict, report.verdict.ok))
}
