//! The judgement of a fit: means and standard deviations in Monte Carlo standard errors, R-hat, divergences.

use std::collections::BTreeMap;

use tadpool::diag::{Chains, ebfmi, ess_sd, mcse_mean};
use tadpool::fit::{Fit, element_names};

use crate::reference::Expected;

/// Standard errors that a mean or a standard deviation may be off. For the about 5,900 numbers of all fits together,
/// independent normals would exceed it with probability .025; the numbers of a fit share much of their error.
const LARGEST: f64 = 4.6;
/// The root mean square of all means' errors, in standard errors, must stay below this.
pub(crate) const LARGEST_RMS: f64 = 1.4;

/// What the diagnostics of a fit must stay below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// R-hat: nested where the chains are grouped.
    pub(crate) rhat: f64,
    /// Share of draws that may diverge.
    pub(crate) divergent: f64,
}

/// A number of the posterior and how far it is off, in standard errors.
#[derive(Debug, Clone)]
struct Deviation {
    name: String,
    z: f64,
}

/// How a fit compares with what is known.
#[derive(Debug)]
pub(crate) struct Judgement {
    means: Vec<Deviation>,
    sds: Vec<Deviation>,
    /// Everything that is not as it must be, one line each.
    pub(crate) violations: Vec<String>,
    rhat: f64,
    divergences: usize,
    ebfmi: f64,
    min_ess: f64,
    gradients: f64,
    seconds: f64,
    f32_discrepancy: Option<f64>,
}

/// Compares each of `fits`, fits of one model that differ in their seed alone, with `expected`.
pub(crate) fn judge(fits: &[Fit], expected: &[Expected], limits: Limits) -> Vec<Judgement> {
    let draws: Vec<BTreeMap<String, Vec<f64>>> = fits.iter().map(draws_by_name).collect();
    let mut judgements: Vec<Judgement> = fits.iter().map(|fit| diagnosed(fit, limits)).collect();
    for expected in expected {
        let name = &expected.name;
        let of_all: Vec<&[f64]> = draws
            .iter()
            .filter_map(|d| d.get(name).map(Vec::as_slice))
            .collect();
        let kurtosis = kurtosis(&of_all);
        for ((fit, draws), judgement) in fits.iter().zip(&draws).zip(&mut judgements) {
            let Some(draws) = draws.get(name) else {
                judgement.violations.push(format!("{name}: the fit lacks it"));
                continue;
            };
            let (mean, sd) = compare(draws, fit.run.chains, kurtosis, expected);
            for (what, deviation) in [("mean", &mean), ("sd", &sd)] {
                if !is_below(deviation.z.abs(), LARGEST) {
                    let what = format!("{what} of {name}: {:+.2} standard errors", deviation.z);
                    judgement.violations.push(what);
                }
            }
            judgement.means.push(mean);
            judgement.sds.push(sd);
        }
    }
    for (fit, judgement) in fits.iter().zip(&mut judgements) {
        for quantity in fit.posterior.iter().filter(|quantity| !quantity.derived) {
            let known = |e: &Expected| e.name.split('[').next() == Some(&quantity.name);
            if !expected.iter().any(known) {
                let what = format!("{}: no reference values", quantity.name);
                judgement.violations.push(what);
            }
        }
    }
    judgements
}

/// What the diagnostics of a fit say, before any number is compared.
fn diagnosed(fit: &Fit, limits: Limits) -> Judgement {
    let mut violations = Vec::new();
    let stats = fit.sample_stats.as_ref().expect("a fit has sample statistics");
    let number = |key: &str| fit.run.diagnostics[key].as_f64();
    let timing = |key: &str| fit.run.timing[key].as_f64().unwrap_or(f64::NAN);
    let rhat = number("nested_rhat").or(number("max_rhat")).unwrap_or(f64::NAN);
    if !is_below(rhat, limits.rhat) {
        violations.push(format!(
            "R-hat {rhat:.4}, must be below {}: {}",
            limits.rhat, fit.run.diagnostics["messages"]
        ));
    }
    let divergences = stats.diverging.iter().filter(|d| **d).count();
    if divergences as f64 > limits.divergent * stats.diverging.len() as f64 {
        violations.push(format!(
            "{divergences} of {} draws diverged, at most {} % may",
            stats.diverging.len(),
            100.0 * limits.divergent
        ));
    }
    let energy = Chains::new(&stats.energy, fit.run.chains).expect("energies of all chains");
    Judgement {
        means: Vec::new(),
        sds: Vec::new(),
        violations,
        rhat,
        divergences,
        ebfmi: ebfmi(energy).pooled,
        min_ess: number("min_ess_bulk").unwrap_or(f64::NAN),
        gradients: timing("gradient_evaluations"),
        seconds: timing("total_seconds"),
        f32_discrepancy: number("max_f32_discrepancy"),
    }
}

/// The draws of every number of the posterior, each `[chain][draw]`, by its printed name.
fn draws_by_name(fit: &Fit) -> BTreeMap<String, Vec<f64>> {
    let mut draws = BTreeMap::new();
    for quantity in &fit.posterior {
        let names = element_names(quantity);
        let len = names.len();
        for (element, name) in names.into_iter().enumerate() {
            let values = quantity.values.iter().skip(element).step_by(len);
            draws.insert(name, values.copied().collect());
        }
    }
    draws
}

/// The kurtosis of the draws of several fits of one posterior, at least the normal's 3.
///
/// It is a property of the posterior, hence taken from all draws there are: a run that by chance saw little of a long
/// tail finds too small an sd and too small a kurtosis, and would be judged by too small an error. Over 150 runs of NUTS
/// on `m12_4`, whose pooled variance of `a_actor[2]` (kurtosis 10.7) agreed with the reference to 0.3 of its standard
/// error of 1.1 %, the errors of its sd in standard errors had the root mean square 1.28 and the range −4.5 to 1.8 by
/// the kurtosis of each run, 1.14 and −3.4 to 2.3 by that of three runs, 1.05 and −2.7 to 3.3 by that of all.
fn kurtosis(fits: &[&[f64]]) -> f64 {
    let n = fits.iter().map(|draws| draws.len()).sum::<usize>() as f64;
    let average = |f: &dyn Fn(f64) -> f64| fits.iter().flat_map(|d| d.iter()).map(|x| f(*x)).sum::<f64>() / n;
    let mean = average(&|x| x);
    let moment = |power: i32| average(&|x| (x - mean).powi(power));
    let kurtosis = moment(4) / moment(2).powi(2);
    // Not `max`, which would turn the NaN of broken draws into 3.
    if kurtosis < 3.0 { 3.0 } else { kurtosis }
}

/// The deviations of mean and standard deviation, in standard errors of the fit and the reference together.
///
/// A standard deviation from n independent draws has the relative variance (κ − 1)/(4n), κ the kurtosis (the delta
/// method on the variance of the variance, Kenney & Keeping 1951, p. 141); for n stands the ESS of the squared
/// deviations.
fn compare(draws: &[f64], chains: usize, kurtosis: f64, expected: &Expected) -> (Deviation, Deviation) {
    let view = Chains::new(draws, chains).expect("draws of all chains");
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let sd = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let mean_error = mcse_mean(view).hypot(expected.mcse_mean);
    let sd_error = ((kurtosis - 1.0) / 4.0 * (1.0 / ess_sd(view) + expected.inverse_ess())).sqrt();
    let deviation = |z: f64| Deviation {
        name: expected.name.clone(),
        z,
    };
    (
        deviation((mean - expected.mean) / mean_error),
        deviation((sd / expected.sd - 1.0) / sd_error),
    )
}

/// The deviation that is farthest from 0.
fn worst(deviations: &[Deviation]) -> Option<&Deviation> {
    deviations.iter().max_by(|a, b| a.z.abs().total_cmp(&b.z.abs()))
}

/// Whether `x` is a number below `limit`: a NaN is no agreement.
pub(crate) fn is_below(x: f64, limit: f64) -> bool {
    x < limit
}

/// Root mean square.
pub(crate) fn rms(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0.0), |(sum, count), z| (sum + z * z, count + 1.0));
    f64::sqrt(sum / count)
}

impl Judgement {
    /// The errors of all means, in standard errors.
    pub(crate) fn mean_errors(&self) -> impl Iterator<Item = f64> {
        self.means.iter().map(|mean| mean.z)
    }

    /// The names of the columns of [`Judgement::line`].
    pub(crate) const HEADING: &str = concat!(
        "engine model         seed  mean: worst           rms  sd: worst             rms   R-hat  div",
        "  E-BFMI    min ESS  ESS/grad      s  f32 error"
    );

    /// A row of the table.
    pub(crate) fn line(&self, engine: &str, model: &str, seed: u64) -> String {
        let shown = |deviations: &[Deviation]| {
            let worst = worst(deviations)
                .map_or_else(String::new, |worst| format!("{:+5.2} {:15}", worst.z, worst.name));
            format!("{worst} {:4.2}", rms(deviations.iter().map(|d| d.z)))
        };
        let f32_error = self
            .f32_discrepancy
            .map_or_else(String::new, |error| format!("{error:.1e}"));
        format!(
            "{engine:6} {model:13} {seed:4}  {}  {}  {:.4} {:4}  {:6.2} {:10.0} {:9.4} {:6.1}  {f32_error}",
            shown(&self.means),
            shown(&self.sds),
            self.rhat,
            self.divergences,
            self.ebfmi,
            self.min_ess,
            self.min_ess / self.gradients,
            self.seconds,
        )
    }
}
