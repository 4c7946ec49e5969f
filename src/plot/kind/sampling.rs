//! Pictures of how the sampler went, each of one fit.

use super::super::chart::{
    autocorrelation as memory, energy as energies, ess as growth, pair as pairs, trace as traces,
};
use super::super::scale::short;
use super::super::scene::Scene;
use super::super::source::{Options, Source};
use crate::diag::{Chains, ebfmi};
use crate::error::{Error, Result};

/// Rows of a trace at most, as many as fit a page that scrolls.
const ROWS: usize = 24;
/// Panels of small pictures at most.
const PANELS: usize = 40;
/// Numbers of a pair picture at most: with more, panels are too small to see.
const PAIRED: usize = 8;

/// `4 chains × 1000 draws`, or which of them are left.
fn extent(fit: &Source<'_>) -> String {
    let run = &fit.fit.run;
    match &fit.fit.streamed {
        Some(streamed) if streamed.stride > 1 => format!(
            "{} chains × {} draws, of which {} are kept",
            run.chains, streamed.draws, run.draws
        ),
        Some(_) | None => format!("{} chains × {} draws", run.chains, run.draws),
    }
}

pub(super) fn trace(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let chains = fit.fit.run.chains;
    let rows: Vec<traces::Traced> = fit
        .telling(&options.vars, ROWS)?
        .into_iter()
        .map(|one| traces::Traced {
            draws: one.draws(),
            name: one.name,
        })
        .collect();
    let divergent = fit.divergent();
    let mut subtitle = extent(fit);
    if chains > traces::CHAINS {
        subtitle.push_str(&format!(
            "; one chain in {} is shown",
            chains.div_ceil(traces::CHAINS)
        ));
    }
    subtitle.push_str(Source::telling_note(&options.vars));
    if !divergent.is_empty() {
        subtitle.push_str("; black: divergent draws");
    }
    let title = format!("{}: traces and ranks", fit.name);
    Ok(traces::scene(
        options.width,
        (&title, &subtitle),
        &rows,
        chains,
        &divergent,
    ))
}

pub(super) fn pair(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let most = if options.vars.is_empty() { 5 } else { PAIRED };
    let chosen = fit.telling(&options.vars, most)?;
    if chosen.len() < 2 {
        return Err(Error::user(format!(
            "a pair picture needs two parameters, and of {} there is {}",
            fit.name,
            chosen.len()
        ))
        .with_help("choose two or more with --vars"));
    }
    let axes: Vec<pairs::Axis> = chosen
        .into_iter()
        .map(|one| pairs::Axis {
            draws: one.draws(),
            name: one.name,
        })
        .collect();
    let divergent = fit.divergent();
    let mut subtitle = extent(fit);
    subtitle.push_str(match (&fit.fit.sample_stats, divergent.len()) {
        (None, _) => "; which of them diverged was not kept",
        (Some(_), 0) => "; none diverged",
        (Some(_), _) => "",
    });
    subtitle.push_str(Source::telling_note(&options.vars));
    let title = format!("{}: parameters in pairs", fit.name);
    Ok(pairs::scene(
        options.width,
        (&title, &subtitle),
        &axes,
        &divergent,
    ))
}

pub(super) fn energy(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let stats = fit.fit.sample_stats.as_ref().ok_or_else(|| {
        Error::user(format!(
            "{} has no energies: only a summary of its draws was kept",
            fit.name
        ))
        .with_help("fit again without --keep summary; its E-BFMI is in `tadpool summary`")
    })?;
    if let Some(streamed) = fit.fit.streamed.as_ref().filter(|streamed| streamed.stride > 1) {
        return Err(Error::user(format!(
            "of {} one draw in {} was kept, and energies are compared from each draw to the next",
            fit.name, streamed.stride
        ))
        .with_help("fit again without --keep summary; the E-BFMI of all draws is in `tadpool summary`"));
    }
    let chains = fit.fit.run.chains;
    let found = ebfmi(Chains::new(&stats.energy, chains)?);
    let title = format!("{}: energies", fit.name);
    let least = found.min().map_or("none".to_owned(), short);
    let subtitle = format!(
        "{}; E-BFMI {} over all, least of a chain {least}",
        extent(fit),
        short(found.pooled)
    );
    energies::scene(options.width, (&title, &subtitle), &stats.energy, chains).ok_or_else(|| {
        Error::user(format!(
            "the energies of {} never change: its chains did not move",
            fit.name
        ))
    })
}

pub(super) fn ess(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let chains = fit.fit.run.chains;
    let numbers = fit
        .telling(&options.vars, PANELS)?
        .into_iter()
        .map(|one| growth::Growth::of(one.name.clone(), &one.draws(), chains))
        .collect::<Result<Vec<_>>>()?;
    let title = format!("{}: effective draws", fit.name);
    let subtitle = format!("{}{}", extent(fit), Source::telling_note(&options.vars));
    Ok(growth::scene(options.width, (&title, &subtitle), &numbers))
}

pub(super) fn autocorrelation(fit: &Source<'_>, options: &Options) -> Result<Scene> {
    let chains = fit.fit.run.chains;
    let numbers = fit
        .telling(&options.vars, PANELS)?
        .into_iter()
        .map(|one| memory::Memory::of(one.name.clone(), &one.draws(), chains))
        .collect::<Result<Vec<_>>>()?;
    let title = format!("{}: autocorrelations", fit.name);
    let subtitle = format!("{}{}", extent(fit), Source::telling_note(&options.vars));
    Ok(memory::scene(options.width, (&title, &subtitle), &numbers))
}
