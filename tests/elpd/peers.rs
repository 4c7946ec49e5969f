//! Diagnostics and PSIS against R's posterior and loo, and against arviz-stats, on the same draws.
//!
//! With `TADPOOL_RSCRIPT` naming an Rscript that has posterior, loo and jsonlite, and `TADPOOL_PYTHON` a Python that has
//! arviz-stats (`tests/arviz/requirements.txt`). Without them the tests say that they asked nobody.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tadpool::diag::elpd::{loo, loo_at, psis, total, waic};
use tadpool::diag::{
    Chains, ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, mcse_mean, mcse_median, mcse_quantile,
    mcse_sd, rhat,
};
use tadpool::fit::{Fit, LogLik};

use crate::sample;

const CHAINS: usize = 4;

/// The same formulas in double precision, whose sums run in another order: leaves room for a thousand times that.
const TOLERANCE: f64 = 1e-6;

/// The draws that all are asked about: a fit's parameters, and the log likelihoods of its rows.
struct Subject {
    quantities: Vec<(String, Vec<f64>)>,
    log_lik: Vec<Vec<f64>>,
    r_eff: Vec<f64>,
}

fn columns(fit: &Fit, name: &str, values: &[f64]) -> Vec<(String, Vec<f64>)> {
    let len = values.len() / (fit.run.chains * fit.run.draws);
    (0..len)
        .map(|element| {
            let column = values.iter().skip(element).step_by(len);
            (format!("{name}[{element}]"), column.copied().collect())
        })
        .collect()
}

impl Subject {
    /// m12_2, 4 × 900 draws; the r_eff make tails of 180, 90 and 360 of 3,600 draws.
    fn new() -> Self {
        let fit = sample("reedfrogs", "m12_2", 900, LogLik::All);
        assert_eq!(fit.run.chains, CHAINS);
        let quantities = fit
            .posterior
            .iter()
            .flat_map(|quantity| columns(&fit, &quantity.name, &quantity.values))
            .collect();
        let log_lik: Vec<Vec<f64>> = columns(&fit, "surv", &fit.log_likelihood[0].values)
            .into_iter()
            .map(|(_, values)| values)
            .collect();
        let r_eff = (0..log_lik.len()).map(|row| [1.0, 4.0, 0.25][row % 3]).collect();
        Self {
            quantities,
            log_lik,
            r_eff,
        }
    }

    /// What a script says of it.
    fn ask(&self, program: OsString, script: &str) -> Value {
        let quantities: Vec<Value> = self
            .quantities
            .iter()
            .map(|(name, values)| json!({ "name": name, "values": values }))
            .collect();
        let input = json!({
            "chains": CHAINS, "quantities": quantities, "log_lik": self.log_lik, "r_eff": self.r_eff,
        });
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elpd");
        std::fs::create_dir_all(&folder).expect("a folder");
        // Each script has its own file: tests run side by side.
        let path = folder.join(format!("{}.json", script.replace(['/', '.'], "_")));
        std::fs::write(&path, input.to_string()).expect("the input is written");
        let output = Command::new(program)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
            .arg(&path)
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {err}");
        serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{script}: {fault}\n{text}\n{err}"))
    }

    /// Our numbers for one quantity, by the scripts' names.
    fn diagnostics(values: &[f64]) -> BTreeMap<&'static str, f64> {
        let x = Chains::new(values, CHAINS).expect("whole chains");
        BTreeMap::from([
            ("rhat", rhat(x)),
            ("ess_bulk", ess_bulk(x)),
            ("ess_tail", ess_tail(x)),
            ("ess_mean", ess_mean(x)),
            ("ess_sd", ess_sd(x)),
            ("ess_q10", ess_quantile(x, 0.1)),
            ("ess_q50", ess_quantile(x, 0.5)),
            ("mcse_mean", mcse_mean(x)),
            ("mcse_sd", mcse_sd(x)),
            ("mcse_q10", mcse_quantile(x, 0.1)),
            ("mcse_median", mcse_median(x)),
        ])
    }

    /// Compares everything that the answer says of diagnostics, weights, tails and LOO.
    fn compare(&self, answer: &Value, diagnostics: usize) {
        println!("{}", answer["versions"]);
        let mut off = Differences::default();
        let quantities = answer["quantities"].as_array().expect("a list");
        assert_eq!(quantities.len(), self.quantities.len());
        for ((name, values), theirs) in self.quantities.iter().zip(quantities) {
            let ours = Self::diagnostics(values);
            let theirs = theirs.as_object().expect("numbers by name");
            assert_eq!(theirs.len(), diagnostics, "{name}");
            for (what, expected) in theirs {
                off.note(&format!("{name} {what}"), ours[what.as_str()], expected);
            }
        }
        for (row, (log_lik, r_eff)) in self.log_lik.iter().zip(&self.r_eff).enumerate() {
            let ratios: Vec<f64> = log_lik.iter().map(|x| -x).collect();
            let smoothed = psis(&ratios, *r_eff);
            off.note(
                &format!("k of row {row}"),
                smoothed.pareto_k,
                &answer["pareto_k"][row],
            );
            let theirs = answer["log_weights"][row]
                .as_array()
                .expect("a weight for each draw");
            let theirs: Vec<f64> = theirs.iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect();
            let pairs = by_ratio(log_lik, &smoothed.log_weights);
            for (place, (ours, theirs)) in pairs.iter().zip(by_ratio(log_lik, &theirs)).enumerate() {
                off.note(&format!("weight {place} of row {row}"), *ours, &json!(theirs));
            }
            let ours = loo_at(log_lik, *r_eff);
            off.note(
                &format!("elpd of row {row}"),
                ours.elpd,
                &answer["loo"]["elpd"][row],
            );
            off.note(&format!("p of row {row}"), ours.p, &answer["loo"]["p"][row]);
        }
        off.none();
    }
}

/// The weights in the order of the draws' ratios; those of equal ratios, which of them has which is left open, in their
/// own.
fn by_ratio(log_lik: &[f64], weights: &[f64]) -> Vec<f64> {
    assert_eq!(log_lik.len(), weights.len());
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| {
        log_lik[a]
            .total_cmp(&log_lik[b])
            .then(weights[a].total_cmp(&weights[b]))
    });
    order.into_iter().map(|draw| weights[draw]).collect()
}

/// What differs, and how many numbers were compared.
#[derive(Default)]
struct Differences {
    found: Vec<String>,
    compared: usize,
}

impl Differences {
    /// Relative to the number; to 1 where it is larger, to 0.001 where it is smaller.
    fn note(&mut self, what: &str, ours: f64, theirs: &Value) {
        let theirs = theirs.as_f64().unwrap_or(f64::NAN);
        self.compared += 1;
        let is_near = (ours - theirs).abs() <= TOLERANCE * theirs.abs().clamp(1e-3, 1.0);
        if !is_near {
            self.found.push(format!("{what}: {ours} for {theirs}"));
        }
    }

    #[track_caller]
    fn none(self) {
        println!("{} numbers compared", self.compared);
        assert!(
            self.found.is_empty(),
            "{} of {} differ:\n{}",
            self.found.len(),
            self.compared,
            self.found[..self.found.len().min(30)].join("\n")
        );
    }
}

/// The program that a variable names, unless it is not set.
fn program(variable: &str) -> Option<OsString> {
    let found = std::env::var_os(variable);
    if found.is_none() {
        println!("{variable} is not set: it was not asked");
    }
    found
}

#[test]
fn arviz_stats_agrees() {
    if let Some(python) = program("TADPOOL_PYTHON") {
        let subject = Subject::new();
        subject.compare(&subject.ask(python, "tests/arviz/evaluate.py"), 10);
    }
}

#[test]
fn posterior_and_loo_agree() {
    let Some(rscript) = program("TADPOOL_RSCRIPT") else {
        return;
    };
    let subject = Subject::new();
    let answer = subject.ask(rscript, "tests/r/evaluate.R");
    subject.compare(&answer, 10);

    let mut off = Differences::default();
    let rows: Vec<_> = subject.log_lik.iter().map(|log_lik| waic(log_lik)).collect();
    for (row, ours) in rows.iter().enumerate() {
        off.note(
            &format!("WAIC of row {row}"),
            ours.elpd,
            &answer["waic"]["elpd"][row],
        );
        off.note(&format!("p of row {row}"), ours.p, &answer["waic"]["p"][row]);
    }
    for (row, log_lik) in subject.log_lik.iter().enumerate() {
        let likelihood: Vec<f64> = log_lik.iter().map(|x| x.exp()).collect();
        let ours = ess_mean(Chains::new(&likelihood, CHAINS).expect("chains")) / likelihood.len() as f64;
        off.note(&format!("r_eff of row {row}"), ours, &answer["r_eff"][row]);
    }
    off.none();
    published(&answer["example"]);
}

/// loo's example array: its own numbers for it, and those published with the package.
fn published(example: &Value) {
    let chains = example["chains"].as_u64().expect("a count") as usize;
    let rows: Vec<Vec<f64>> = example["log_lik"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            row.as_array()
                .expect("draws")
                .iter()
                .filter_map(Value::as_f64)
                .collect()
        })
        .collect();
    let by_loo: Vec<_> = rows
        .iter()
        .map(|row| loo(Chains::new(row, chains).expect("chains")))
        .collect();
    let by_waic: Vec<_> = rows.iter().map(|row| waic(row)).collect();
    // Standard errors of loo have the divisor n − 1.
    let n = rows.len() as f64;
    let divisor = (n / (n - 1.0)).sqrt();
    let mut off = Differences::default();
    for (name, rows, elpd, se, p) in [
        ("loo", by_loo, -83.589_262_01, 4.283_835_33, 3.328_833_88),
        ("waic", by_waic, -83.530_326_32, 4.258_047_86, 3.269_898_19),
    ] {
        let elpds: Vec<f64> = rows.iter().map(|row| row.elpd).collect();
        let ours = total(&elpds);
        let our_p: f64 = rows.iter().map(|row| row.p).sum();
        for (what, ours, published, theirs) in [
            ("elpd", ours.sum, elpd, &example[name]["estimate"][0]),
            ("p", our_p, p, &example[name]["estimate"][1]),
            ("se", divisor * ours.se, se, &example[name]["se"]),
        ] {
            off.note(&format!("{name}: {what}"), ours, theirs);
            off.note(&format!("{name}: {what} as published"), ours, &json!(published));
        }
    }
    assert_eq!(off.compared, 12);
    off.none();
}
