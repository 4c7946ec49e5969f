//! The judgement of a fit: means and standard deviations in Monte Carlo standard errors, R-hat, divergences.

use std::collections::BTreeMap;

use tadpool::data::element_name;
use tadpool::diag::{Chains, ebfmi, ess_sd, mcse_mean};
use tadpool::fit::Fit;

use crate::reference::Expected;

/// Standard errors that a mean or a standard deviation may be off. For the about 3,700 numbers of all fits together,
/// independent normals would exceed it with probability .025; the numbers of a fit share much of their error.
const LARGEST: f64 = 4.5;
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
    divergences: u64,
    ebfmi: f64,
    min_ess: f64,
    gradients: f64,
    seconds: f64,
    f32_discrepancy: Option<f64>,
}

/// Compares `fit` with `expected`.
pub(crate) fn judge(fit: &Fit, expected: &[Expected], limits: Limits) -> Judgement {
    let draws = draws_by_name(fit);
    let mut violations = Vec::new();
    let (mut means, mut sds) = (Vec::new(), Vec::new());
    for expected in expected {
        let name = &expected.name;
        let Some(draws) = draws.get(name) else {
            violations.push(format!("{name}: the fit lacks it"));
            continue;
        };
        let (mean, sd) = compare(draws, fit.run.chains, expected);
        for (what, deviation) in [("mean", &mean), ("sd", &sd)] {
            // A NaN is no agreement.
            if !(deviation.z.abs() < LARGEST) {
                violations.push(format!("{what} of {name}: {:+.2} standard errors", deviation.z));
            }
        }
        means.push(mean);
        sds.push(sd);
    }
    for quantity in fit.posterior.iter().filter(|quantity| !quantity.derived) {
        let known = |e: &Expected| e.name.split('[').next() == Some(&quantity.name);
        if !expected.iter().any(known) {
            violations.push(format!("{}: no reference values", quantity.name));
        }
    }
    let stats = fit.sample_stats.as_ref().expect("a fit has sample statistics");
    let number = |key: &str| fit.run.diagnostics[key].as_f64();
    let timing = |key: &str| fit.run.timing[key].as_f64().unwrap_or(f64::NAN);
    let rhat = number("nested_rhat").or(number("max_rhat")).unwrap_or(f64::NAN);
    if !(rhat < limits.rhat) {
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
        means,
        sds,
        violations,
        rhat,
        divergences: divergences as u64,
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
        let names: Vec<String> = match quantity.dims.as_slice() {
            [] => vec![quantity.name.clone()],
            [dim] => dim
                .labels
                .iter()
                .map(|label| element_name(&quantity.name, &[label]))
                .collect(),
            more => panic!(
                "{} has {} axes, the references know one",
                quantity.name,
                more.len()
            ),
        };
        let len = names.len();
        for (element, name) in names.into_iter().enumerate() {
            let values = quantity.values.iter().skip(element).step_by(len);
            draws.insert(name, values.copied().collect());
        }
    }
    draws
}

/// The deviations of mean and standard deviation, in standard errors of the fit and the reference together.
///
/// A standard deviation from n independent draws has the relative variance (κ − 1)/(4n), κ the kurtosis (the delta
/// method on the variance of the variance, Kenney & Keeping 1951, p. 141); for n stands the ESS of the squared
/// deviations. κ is that of the draws, at least the normal's 3.
fn compare(draws: &[f64], chains: usize, expected: &Expected) -> (Deviation, Deviation) {
    let view = Chains::new(draws, chains).expect("draws of all chains");
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let moment = |power: i32| draws.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    let kurtosis = (moment(4) / variance.powi(2)).max(3.0);
    let sd = (variance * n / (n - 1.0)).sqrt();
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
