//! The findings behind a verdict: each one line that states the cause, names the worst parameters, and gives a remedy.

use super::chains::Status;
use super::energy::Ebfmi;
use super::summary::Summary;

/// R-hat must lie below this (Vehtari et al. 2021, section 4).
pub const RHAT_LIMIT: f64 = 1.01;
/// Bulk and tail ESS must reach this (Vehtari et al. 2021, section 4).
pub const ESS_LIMIT: f64 = 400.0;
/// E-BFMI below this deserves a message (Betancourt 2016).
pub const EBFMI_LIMIT: f64 = 0.3;
/// From this many chains on, nested R-hat is judged in place of the ordinary one, which rises above [`RHAT_LIMIT`] for
/// many short chains that are fine; and E-BFMI is judged pooled, since the smallest of many noisy ones is always low.
pub const NESTED_FROM_CHAINS: usize = 64;

/// Facts about the run as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Number of chains.
    pub num_chains: usize,
    /// Kept draws per chain.
    pub num_draws: usize,
    /// Divergent trajectories among all kept draws, counted before any filtering or thinning.
    pub divergences: usize,
    /// E-BFMI, where energies were recorded.
    pub ebfmi: Option<&'a Ebfmi>,
}

/// A parameter's name with its summary.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// As in the table: `a`, `a_tank[1]`.
    pub name: &'a str,
    /// Its summary over the draws of the run.
    pub summary: &'a Summary,
}

/// How many parameters a message names.
const NAMED_AT_MOST: usize = 3;

/// Draws that are NaN or infinite.
pub(super) fn non_finite(run: Run, parameters: &[Named]) -> Option<String> {
    let broken: Vec<(&str, usize)> = parameters
        .iter()
        .filter_map(|p| match p.summary.status {
            Status::NonFinite { count } => Some((p.name, count)),
            Status::Varying | Status::Constant => None,
        })
        .collect();
    let total = run.num_chains * run.num_draws;
    let named = list(&broken, |(name, count)| format!("{name} ({count} of {total})"))?;
    Some(format!(
        "draws that are not finite numbers: {named}. The quantity overflows for some draws: look for exp, a ratio or a \
         power in its definition, and put tighter priors on what enters it."
    ))
}

/// Every draw of every parameter is the same.
pub(super) fn nothing_moved(parameters: &[Named]) -> Option<String> {
    let stuck = !parameters.is_empty() && parameters.iter().all(|p| p.summary.status == Status::Constant);
    stuck.then(|| {
        "no parameter ever changed: the sampler never accepted a move. Check the scale of the data (standardise \
         predictors), give a longer --warmup, or raise --target-accept."
            .to_owned()
    })
}

/// Divergent trajectories.
pub(super) fn divergences(run: Run) -> Option<String> {
    if run.divergences == 0 {
        return None;
    }
    let total = run.num_chains * run.num_draws;
    let percent = 100.0 * run.divergences as f64 / total as f64;
    let share = match percent < 0.01 {
        true => "below 0.01 %".to_owned(),
        false => format!("{percent:.2} %"),
    };
    Some(format!(
        "{} of {total} draws ended in a divergence ({share}): the posterior bends more sharply there than the step size \
         can follow, so that region is under-represented and means and intervals may be biased. Raise --target-accept \
         (0.95, then 0.99), put tighter priors on the standard deviations of groups, and try @noncentered \
         (or @centered) on the effect; `tadpool check` shows what was chosen and why.",
        run.divergences
    ))
}

/// R-hat and ESS are undefined though the draws vary: there are too few of them, or their squares overflow.
pub(super) fn too_short(run: Run, moving: &[Named]) -> Option<String> {
    let undefined = |s: &Summary| s.rhat.is_nan() || s.ess_bulk.is_nan() || s.ess_tail.is_nan();
    let affected: Vec<&str> = moving
        .iter()
        .filter(|p| undefined(p.summary))
        .map(|p| p.name)
        .collect();
    let named = list(&affected, |name| (*name).to_owned())?;
    Some(format!(
        "convergence cannot be judged for {named} from {} draws per chain. Set --draws to at least 4, better to a few \
         hundred.",
        run.num_draws
    ))
}

/// R-hat, nested from [`NESTED_FROM_CHAINS`] chains on.
pub(super) fn disagreement(run: Run, moving: &[Named]) -> Option<String> {
    let has_nested = moving.iter().any(|p| !p.summary.nested_rhat.is_nan());
    if run.num_chains >= NESTED_FROM_CHAINS && has_nested {
        let named = worst(
            moving,
            |s| s.nested_rhat,
            |x| x >= RHAT_LIMIT,
            Order::HighFirst,
            3,
        )?;
        Some(format!(
            "nested R-hat is {RHAT_LIMIT} or more for {named}: groups of chains that started apart still differ, so they \
             have not forgotten where they started. Give a longer --warmup; if it stays, the posterior may have several \
             modes or parameters that the data cannot tell apart, which tighter priors cure."
        ))
    } else {
        let named = worst(moving, |s| s.rhat, |x| x >= RHAT_LIMIT, Order::HighFirst, 3)?;
        Some(format!(
            "R-hat is {RHAT_LIMIT} or more for {named}: the chains disagree on the distribution. Give a longer --warmup \
             and more --draws; if it stays, the posterior may have several modes or parameters that the data cannot tell \
             apart, which tighter priors cure."
        ))
    }
}

/// What an effective sample size is about.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Bulk,
    Tail,
}

/// Too few effective draws in one part of the distribution.
pub(super) fn low_ess(run: Run, moving: &[Named], part: Part) -> Option<String> {
    let (field, name, effect): (fn(&Summary) -> f64, _, _) = match part {
        Part::Bulk => (|s| s.ess_bulk, "bulk", "means and medians"),
        Part::Tail => (|s| s.ess_tail, "tail", "interval ends"),
    };
    let named = worst(moving, field, |x| x < ESS_LIMIT, Order::LowFirst, 0)?;
    let smallest = moving
        .iter()
        .map(|p| field(p.summary))
        .filter(|x| !x.is_nan())
        .reduce(f64::min)?;
    // ESS grows in proportion to the draws.
    let draws = (run.num_draws as f64 * ESS_LIMIT / smallest).ceil();
    let advice = if draws > 100.0 * run.num_draws as f64 {
        "More draws alone will hardly do: look at the messages on R-hat and divergences, or at the priors, first."
            .to_owned()
    } else {
        format!("Set --draws to about {draws} or run more chains.")
    };
    Some(format!(
        "{name} ESS is below {ESS_LIMIT} for {named}: neighbouring draws are so alike that {effect} are uncertain. \
         {advice}"
    ))
}

/// E-BFMI, pooled from [`NESTED_FROM_CHAINS`] chains on.
pub(super) fn low_ebfmi(run: Run) -> Option<String> {
    let ebfmi = run.ebfmi?;
    let what = if run.num_chains >= NESTED_FROM_CHAINS {
        let smallest = ebfmi.min().filter(|_| ebfmi.pooled < EBFMI_LIMIT)?;
        format!(
            "E-BFMI pooled over all {} chains is {:.2}, below {EBFMI_LIMIT} ({smallest:.2} in the lowest single chain, \
             which is not judged among so many)",
            run.num_chains, ebfmi.pooled
        )
    } else {
        let count = ebfmi.per_chain.iter().filter(|x| **x < EBFMI_LIMIT).count();
        let smallest = ebfmi.min().filter(|_| count > 0)?;
        format!(
            "E-BFMI is {smallest:.2} in the lowest chain, below {EBFMI_LIMIT} in {count} of {} chains",
            run.num_chains
        )
    };
    Some(format!(
        "{what}: the energy changes too slowly between draws to reach the tails. Often a group's standard deviation runs \
         near 0 or a prior has very heavy tails: try @noncentered (or @centered) on the effect; `tadpool \
         check` shows what was chosen and why; or tighten that prior."
    ))
}

/// Which end of the numbers is the bad one.
#[derive(Clone, Copy)]
enum Order {
    HighFirst,
    LowFirst,
}

/// The parameters whose number is bad, worst first, equal ones in the table's order; `None` if there are none.
fn worst(
    parameters: &[Named],
    field: fn(&Summary) -> f64,
    is_bad: fn(f64) -> bool,
    order: Order,
    decimals: usize,
) -> Option<String> {
    let mut bad: Vec<(&str, f64)> = parameters.iter().map(|p| (p.name, field(p.summary))).collect();
    bad.retain(|(_, x)| is_bad(*x));
    match order {
        Order::HighFirst => bad.sort_by(|a, b| b.1.total_cmp(&a.1)),
        Order::LowFirst => bad.sort_by(|a, b| a.1.total_cmp(&b.1)),
    }
    list(&bad, |(name, x)| {
        if x.is_infinite() {
            format!("{name} (infinite: no chain moved)")
        } else {
            format!("{name} ({x:.decimals$})")
        }
    })
}

/// The first few items and the number of others; `None` for none.
fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let shown: Vec<String> = items.iter().take(NAMED_AT_MOST).map(show).collect();
    let shown = shown.join(", ");
    Some(match items.len().saturating_sub(NAMED_AT_MOST) {
        0 => shown,
        others => format!("{shown} and {others} more"),
    })
}
