//! What is printed of a fit: the table's rows and the diagnostics, and their JSON.

use std::ops::Range;

use serde_json::{Value, json};

use super::layout::{Fit, Quantity};
use crate::data::element_name;
use crate::diag::{Chains, Interval, Named, Prob, Run, Summariser, Summary, Verdict, ebfmi, judge};
use crate::error::Result;
use crate::sampler::{Layout, share_out};

/// A GPU's log density may differ from that of f64 by this much: a small part of the energy errors that the step size
/// allows all the time.
const F32_LIMIT: f64 = 0.05;

/// Numbers of a draw whose columns are read at once: half a line of the cache.
const TOGETHER: usize = 4;

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// With the data's own labels: `a_tank[1]`.
    pub name: String,
    /// The name without labels.
    pub quantity: String,
    /// Its numbers.
    pub summary: Summary,
}

/// The table and the verdict of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One row per number, in the order of the fit.
    pub rows: Vec<Row>,
    /// Whether the draws can be trusted, and why not.
    pub verdict: Verdict,
    /// Probability of the intervals.
    pub prob: Prob,
    /// Their kind.
    pub interval: Interval,
    /// The largest difference between the GPU's log density and that of f64; none for a fit on the CPU.
    pub max_f32_discrepancy: Option<f64>,
    /// Groups of chains that adapted together; each chain of NUTS for itself.
    pub ensembles: usize,
}

/// The ensembles of a fit by HMC; files of the first days do not name them.
fn ensembles(fit: &Fit) -> usize {
    let stored = fit.run.diagnostics.get("ensembles").and_then(Value::as_u64);
    stored
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or_else(|| Layout::of(fit.run.chains).ensembles)
}

/// The stored discrepancy of a fit on a GPU; NaN stands for one that no number can say.
fn f32_discrepancy(fit: &Fit) -> Option<f64> {
    let stored = fit
        .run
        .diagnostics
        .get("max_f32_discrepancy")
        .and_then(Value::as_f64);
    (fit.run.backend == "gpu").then(|| stored.unwrap_or(f64::NAN))
}

/// The printed name of each element, in order: `a_tank[1]`, `a_tank[2]`, ….
pub fn element_names(quantity: &Quantity) -> Vec<String> {
    let mut labels: Vec<Vec<&str>> = vec![Vec::new()];
    for dim in &quantity.dims {
        labels = labels
            .iter()
            .flat_map(|head| {
                dim.labels
                    .iter()
                    .map(|label| head.iter().copied().chain([label.as_str()]).collect::<Vec<_>>())
            })
            .collect();
    }
    labels
        .iter()
        .map(|labels| {
            let axes = quantity.dims.iter().map(|dim| dim.name.as_str());
            element_name(&quantity.name, axes.zip(labels.iter().copied()))
        })
        .collect()
}

/// The printed name of the `element`th number of a fit.
pub(super) fn element_name_at(fit: &Fit, element: usize) -> Option<String> {
    fit.posterior.iter().flat_map(element_names).nth(element)
}

impl Report {
    /// Summarises every number of the fit, on `threads` threads.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool: a quantity whose values do not fill its chains and draws.
    pub fn of(fit: &Fit, prob: Prob, interval: Interval, threads: usize) -> Result<Self> {
        let run = &fit.run;
        let cells = run.chains * run.draws;
        let superchain = (run.sampler == "hmc").then(|| run.chains / ensembles(fit).max(1));
        let mut jobs: Vec<(String, &Quantity, usize, usize)> = Vec::new();
        // Neighbours lie side by side in memory, and are read together.
        let mut together: Vec<Range<usize>> = Vec::new();
        for quantity in &fit.posterior {
            let names = element_names(quantity);
            let len = names.len();
            let (start, end) = (jobs.len(), jobs.len() + len);
            let starts = (start..end).step_by(TOGETHER);
            together.extend(starts.map(|first| first..(first + TOGETHER).min(end)));
            jobs.extend(
                names
                    .into_iter()
                    .enumerate()
                    .map(|(element, name)| (name, quantity, element, len)),
            );
        }
        let summariser = Summariser::new(run.chains, run.draws, interval, prob, superchain);
        let some = |place: usize| -> Result<Vec<Summary>> {
            let some = together[place].clone();
            let mut columns = vec![Vec::with_capacity(cells); some.len()];
            let (_, quantity, element, len) = &jobs[some.start];
            for cell in 0..cells {
                let draw = &quantity.values[cell * len + element..][..some.len()];
                for (column, value) in columns.iter_mut().zip(draw) {
                    column.push(*value);
                }
            }
            let of = |draws: &Vec<f64>| Ok(summariser.summarise(Chains::new(draws, run.chains)?));
            columns.iter().map(of).collect()
        };
        let mut summaries = vec![Summary::UNDEFINED; jobs.len()];
        share_out(together.len(), threads, &some, &mut |place, some| {
            summaries[together[place].clone()].copy_from_slice(&some);
        })?;
        let mut rows: Vec<Row> = jobs
            .into_iter()
            .zip(summaries)
            .map(|((name, quantity, _, _), summary)| Row {
                name,
                quantity: quantity.name.clone(),
                summary,
            })
            .collect();
        let stats = fit.sample_stats.as_ref();
        let (energies, divergences) = match &fit.streamed {
            Some(streamed) => (Some(streamed.energies()), streamed.divergences),
            None => (
                stats
                    .map(|stats| Chains::new(&stats.energy, run.chains))
                    .transpose()?
                    .map(ebfmi),
                stats.map_or(0, |stats| stats.diverging.iter().filter(|d| **d).count()),
            ),
        };
        if let Some(streamed) = &fit.streamed {
            for (element, row) in rows.iter_mut().enumerate() {
                streamed.complete(element, &mut row.summary);
            }
        }
        let named: Vec<Named> = rows
            .iter()
            .map(|row| Named {
                name: &row.name,
                summary: &row.summary,
            })
            .collect();
        let facts = Run {
            num_chains: run.chains,
            num_draws: fit.draws(),
            divergences,
            ebfmi: energies.as_ref(),
        };
        let mut verdict = judge(facts, &named);
        let max_f32_discrepancy = f32_discrepancy(fit);
        if let Some(discrepancy) = max_f32_discrepancy.filter(|discrepancy| !(*discrepancy <= F32_LIMIT)) {
            verdict.ok = false;
            let message = format!(
                "the GPU's log density, in f32, is off by up to {discrepancy:.2e}, where {F32_LIMIT} can be trusted: \
                 numbers of very different sizes meet in it. Standardise the predictors and the outcome \
                 (`x = standardize(…)`), or use `--backend cpu`, which computes in f64."
            );
            verdict.messages.insert(0, message);
        }
        verdict.messages.extend(run.ending.clone());
        Ok(Self {
            verdict,
            rows,
            prob,
            interval,
            max_f32_discrepancy,
            ensembles: ensembles(fit),
        })
    }

    /// The diagnostics as in `fit --format json`.
    pub fn diagnostics_json(&self) -> Value {
        let verdict = &self.verdict;
        json!({
            "divergences": verdict.divergences,
            "max_rhat": finite(verdict.max_rhat),
            "min_ess_bulk": finite(verdict.min_ess_bulk),
            "min_ess_tail": finite(verdict.min_ess_tail),
            "nested_rhat": finite(verdict.nested_rhat),
            "ebfmi_min": finite(verdict.ebfmi_min),
            "max_f32_discrepancy": finite(self.max_f32_discrepancy),
            "ok": verdict.ok,
            "messages": verdict.messages,
        })
    }

    /// The whole report as in `fit --format json`; numbers that are undefined are null.
    pub fn to_json(&self, fit: &Fit) -> Value {
        let run = &fit.run;
        let rows: Vec<Value> = self.rows.iter().map(row_json).collect();
        json!({
            "model": run.model_name,
            "backend": run.backend,
            "adapter": run.adapter,
            "sampler": run.sampler,
            "seed": run.seed,
            "rows": run.rows,
            "chains": run.chains,
            "warmup": run.warmup,
            "draws": fit.draws(),
            "timing": run.timing,
            "diagnostics": self.diagnostics_json(),
            "prob": self.prob.get(),
            "interval": self.interval.name(),
            "parameters": rows,
        })
    }
}

/// A number that JSON can hold.
fn finite(x: Option<f64>) -> Option<f64> {
    x.filter(|x| x.is_finite())
}

fn row_json(row: &Row) -> Value {
    let number = |x: f64| finite(Some(x));
    let s = &row.summary;
    json!({
        "name": row.name,
        "mean": number(s.mean),
        "sd": number(s.sd),
        "mcse_mean": number(s.mcse_mean),
        "median": number(s.median),
        "mcse_sd": number(s.mcse_sd),
        "lower": number(s.lower),
        "upper": number(s.upper),
        "ess_bulk": number(s.ess_bulk),
        "ess_tail": number(s.ess_tail),
        "rhat": number(s.rhat),
    })
}
