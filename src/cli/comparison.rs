//! A comparison of models as a table for people, as CSV and as JSON.

use serde_json::{Value, json};

use super::args::{Method, Scale, Weights};
use super::output::counted;
use super::predicted::{Against, Predicted};
use super::style::{HEADING, WARNING, styled};
use super::table::{field, on_the_point, right, width};
use crate::diag::elpd::{Total, VARIANCE_LIMIT, difference};
use crate::fit::{Criterion, REFITS};
use crate::report::digits::{Places, fewest, number, places};
use crate::study::Folds;

/// A model of a comparison.
#[derive(Debug)]
pub(super) struct Compared {
    /// What it is called; unique.
    pub(super) name: String,
    /// The file it was read from.
    pub(super) file: String,
    /// How well it predicts.
    pub(super) predicted: Predicted,
    /// Its weight among the models.
    pub(super) weight: f64,
}

/// Models of the same data, best first.
#[derive(Debug)]
pub(super) struct Comparison {
    models: Vec<Compared>,
    /// Against the best one, elpd of the best less its own.
    differences: Vec<Total>,
    method: Method,
    scale: Scale,
    weights: Weights,
}

impl Comparison {
    /// Orders the models, which are of the same observations.
    pub(super) fn new(mut models: Vec<Compared>, method: Method, scale: Scale, weights: Weights) -> Self {
        // Undefined ones last; equal ones in the order given.
        let key = |model: &Compared| match model.predicted.total().sum {
            sum if sum.is_nan() => f64::INFINITY,
            sum => -sum,
        };
        models.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let best = models
            .first()
            .map(|model| model.predicted.pointwise())
            .unwrap_or_default();
        let differences = models
            .iter()
            .map(|model| difference(&best, &model.predicted.pointwise()))
            .collect();
        Self {
            models,
            differences,
            method,
            scale,
            weights,
        }
    }

    /// What the criterion is called.
    fn name(&self) -> &'static str {
        match &self.method {
            Method::Draws(Criterion::Loo) => "loo",
            Method::Draws(Criterion::Waic) => "waic",
            Method::Refits(Folds::Rows) => "exact",
            Method::Refits(Folds::Groups(_) | Folds::Parts(_)) => "kfold",
        }
    }

    /// Units of the printed scale in one of the log scale.
    fn unit(&self) -> f64 {
        match self.scale {
            Scale::Deviance => 2.0,
            Scale::Log => 1.0,
        }
    }

    /// The criterion on the printed scale.
    fn ic(&self, elpd: f64) -> f64 {
        match self.scale {
            Scale::Deviance => -2.0 * elpd,
            Scale::Log => elpd,
        }
    }

    /// The page for people.
    pub(super) fn table(&self) -> String {
        let mut text = self.heading();
        text.push_str("\n\n");
        text.push_str(&self.columns());
        let messages = self.messages();
        if !messages.is_empty() {
            text.push('\n');
            text.push_str(&styled(WARNING, "Not to be trusted:"));
            text.push('\n');
            for message in messages {
                text.push_str(&format!("  - {message}\n"));
            }
        }
        text
    }

    fn heading(&self) -> String {
        let outcomes: Vec<String> = self
            .models
            .first()
            .map(|model| model.predicted.outcomes())
            .unwrap_or_default()
            .iter()
            .map(|(name, count)| format!("{} of `{name}`", counted(*count, "value")))
            .collect();
        let criterion = match &self.method {
            Method::Draws(Criterion::Loo) => {
                "LOO (leave-one-out by Pareto smoothed importance sampling)".to_owned()
            }
            Method::Draws(Criterion::Waic) => "WAIC".to_owned(),
            Method::Refits(Folds::Rows) => "exact LOO (a refit without each row)".to_owned(),
            Method::Refits(Folds::Parts(parts)) => {
                format!(
                    "{parts}-fold cross-validation (a refit without each of {parts} random parts of the rows)"
                )
            }
            Method::Refits(Folds::Groups(index)) => {
                format!("leave-one-group-out (a refit without the rows of each `{index}`)")
            }
        };
        let scale = match self.scale {
            Scale::Deviance => "on the deviance scale, smaller is better",
            Scale::Log => "as log predictive density, larger is better",
        };
        let weights = match (self.models.len(), self.weights) {
            (0 | 1, _) => "",
            (_, Weights::Stacking) => "; weights by stacking",
            (_, Weights::PseudoBma) => "; pseudo-BMA weights",
            (_, Weights::PseudoBmaPlus) => "; pseudo-BMA+ weights",
        };
        format!(
            "{}: {criterion}\n{scale}{weights}",
            styled(HEADING, &outcomes.join(", "))
        )
    }

    /// The title of the column of what is counted against each model.
    fn doubtful(&self) -> String {
        let limits = self
            .models
            .iter()
            .filter_map(|model| match model.predicted.against {
                Against::ParetoK { limit, .. } => Some(limit),
                Against::Variance { .. } | Against::Refits { .. } => None,
            });
        match &self.method {
            Method::Draws(Criterion::Loo) => {
                format!(
                    "k > {}",
                    number(limits.fold(f64::INFINITY, f64::min), Places::Fixed(2))
                )
            }
            Method::Draws(Criterion::Waic) => format!("var > {VARIANCE_LIMIT}"),
            Method::Refits(_) => "unsound".to_owned(),
        }
    }

    /// The aligned columns: numbers end where their Monte Carlo error begins.
    fn columns(&self) -> String {
        let unit = self.unit();
        let errors = self
            .models
            .iter()
            .map(|model| places(unit * model.predicted.mcse, 1));
        let decimals = match fewest(errors) {
            Places::Fixed(decimals) => Places::Fixed(decimals.min(2)),
            Places::Any => Places::Fixed(1),
            Places::Exponent => Places::Exponent,
        };
        let doubtful = self.doubtful();
        let distance = format!("d_{}", self.name());
        let titles = [self.name(), "se", &distance, "d_se", "p", "weight", &doubtful];
        let rows: Vec<[String; 7]> = self
            .models
            .iter()
            .zip(&self.differences)
            .enumerate()
            .map(|(place, (model, difference))| {
                let total = model.predicted.total();
                [
                    number(self.ic(total.sum), decimals),
                    number(unit * total.se, decimals),
                    number(unit * difference.sum, decimals),
                    // The best one's distance to itself is no estimate.
                    number(
                        if place == 0 {
                            f64::NAN
                        } else {
                            unit * difference.se
                        },
                        decimals,
                    ),
                    number(model.predicted.p(), decimals),
                    number(model.weight, Places::Fixed(2)),
                    model.predicted.against.count().to_string(),
                ]
            })
            .collect();
        let names = self
            .models
            .iter()
            .map(|model| width(&model.name))
            .max()
            .unwrap_or(0);
        let mut lines = vec![" ".repeat(names)];
        lines.extend(
            self.models
                .iter()
                .map(|model| format!("{}{}", model.name, " ".repeat(names - width(&model.name)))),
        );
        for (column, title) in titles.iter().enumerate() {
            let cells = on_the_point(&rows.iter().map(|row| row[column].as_str()).collect::<Vec<_>>());
            let longest = cells
                .iter()
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
                .max(width(title));
            let texts = std::iter::once(*title).chain(cells.iter().map(String::as_str));
            for (line, text) in lines.iter_mut().zip(texts) {
                line.push_str("  ");
                line.push_str(&right(text, longest));
            }
        }
        lines
            .iter()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }

    /// Where the numbers cannot be trusted, and what to do; each a sentence or two, what holds of several models once.
    pub(super) fn messages(&self) -> Vec<String> {
        let mut doubts: Vec<(String, Vec<&str>)> = Vec::new();
        for model in &self.models {
            for doubt in &model.predicted.doubts {
                match doubts.iter_mut().find(|(known, _)| known == doubt) {
                    Some((_, names)) => names.push(&model.name),
                    None => doubts.push((doubt.clone(), vec![&model.name])),
                }
            }
        }
        let mut messages: Vec<String> = doubts
            .iter()
            .map(|(doubt, names)| format!("{}: {doubt}", names.join(", ")))
            .collect();
        if messages.iter().any(|message| message.contains("`--by exact`")) {
            messages.push(REFITS.to_owned());
        }
        messages
    }

    /// What refits left out at a time, and how many such parts there are.
    fn folds(&self) -> Option<Value> {
        let Method::Refits(folds) = &self.method else {
            return None;
        };
        let by = match folds {
            Folds::Rows => "row",
            Folds::Parts(_) => "part",
            Folds::Groups(index) => index,
        };
        let count = self
            .models
            .iter()
            .find_map(|model| match model.predicted.against {
                Against::Refits { folds, .. } => Some(folds),
                Against::ParetoK { .. } | Against::Variance { .. } => None,
            });
        Some(json!({ "by": by, "count": count }))
    }

    /// The contract's JSON; numbers that are undefined are null.
    pub(super) fn json(&self) -> Value {
        let finite = |x: f64| x.is_finite().then_some(x);
        let rows: Vec<Value> = self
            .models
            .iter()
            .zip(&self.differences)
            .map(|(model, difference)| {
                let total = model.predicted.total();
                let (bad_k, unsound) = match model.predicted.against {
                    Against::ParetoK { rows, .. } => (Some(rows), None),
                    Against::Variance { .. } => (None, None),
                    Against::Refits { unsound, .. } => (None, Some(unsound)),
                };
                json!({
                    "model": model.name,
                    "elpd": finite(total.sum),
                    "se": finite(total.se),
                    "p": finite(model.predicted.p()),
                    "ic": finite(self.ic(total.sum)),
                    "d_ic": finite(self.unit() * difference.sum),
                    "d_se": finite(self.unit() * difference.se),
                    "weight": finite(model.weight),
                    "warning": !model.predicted.doubts.is_empty(),
                    "pareto_k_max": model.predicted.max_pareto_k().and_then(finite),
                    "var_warn": model.predicted.high_variances(),
                    "pareto_k_bad": bad_k,
                    "mcse": finite(model.predicted.mcse),
                    "file": model.file,
                    "refits_bad": unsound,
                })
            })
            .collect();
        let mut json = json!({ "criterion": self.name(), "rows": rows, "messages": self.messages() });
        if let Some(folds) = self.folds() {
            json["folds"] = folds;
        }
        json
    }

    /// The rows of the JSON as CSV.
    pub(super) fn csv(&self) -> String {
        let json = self.json();
        let rows: Vec<&Value> = json["rows"].as_array().into_iter().flatten().collect();
        let keys: Vec<&String> = rows
            .first()
            .and_then(|row| row.as_object())
            .into_iter()
            .flat_map(|row| row.keys())
            .collect();
        let mut text = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(",");
        text.push('\n');
        for row in rows {
            let cells: Vec<String> = keys
                .iter()
                .map(|key| match &row[key.as_str()] {
                    Value::Null => String::new(),
                    Value::String(text) => field(text),
                    other => other.to_string(),
                })
                .collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }

    /// What each observation contributes to each model, on the log scale.
    pub(super) fn pointwise_csv(&self) -> String {
        let mut text = String::from("model,outcome,row,elpd,p,var,pareto_k\n");
        let cell = |x: f64| {
            if x.is_finite() {
                x.to_string()
            } else {
                String::new()
            }
        };
        for model in &self.models {
            for (observation, share) in model.predicted.observations.iter().zip(&model.predicted.shares) {
                text.push_str(&format!(
                    "{},{},{},{},{},{},{}\n",
                    field(&model.name),
                    field(&observation.outcome),
                    field(&observation.label),
                    cell(share.elpd),
                    cell(share.p),
                    share.variance.map(cell).unwrap_or_default(),
                    share.pareto_k.map(cell).unwrap_or_default(),
                ));
            }
        }
        text
    }
}
