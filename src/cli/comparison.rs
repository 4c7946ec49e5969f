//! A comparison of models as a table for people, as CSV and as JSON.

use serde_json::{Value, json};

use super::args::{Scale, Weights};
use super::output::counted;
use super::style::{HEADING, WARNING, styled};
use super::table::{field, on_the_point, right, width};
use crate::diag::elpd::{Total, VARIANCE_LIMIT, difference};
use crate::fit::{Criterion, Elpd, REFITS_LATER};
use crate::report::digits::{Places, fewest, number, places};

/// A model of a comparison.
#[derive(Debug)]
pub(super) struct Compared {
    /// What it is called; unique.
    pub(super) name: String,
    /// The file it was read from.
    pub(super) file: String,
    /// How well it predicts.
    pub(super) elpd: Elpd,
    /// Its weight among the models.
    pub(super) weight: f64,
}

/// Models of the same data, best first.
#[derive(Debug)]
pub(super) struct Comparison {
    models: Vec<Compared>,
    /// Against the best one, elpd of the best less its own.
    differences: Vec<Total>,
    criterion: Criterion,
    scale: Scale,
    weights: Weights,
    /// The outcomes with the number of their observations.
    outcomes: Vec<(String, usize)>,
}

impl Comparison {
    /// Orders the models, which are of the same observations.
    pub(super) fn new(
        mut models: Vec<Compared>,
        criterion: Criterion,
        scale: Scale,
        weights: Weights,
        outcomes: Vec<(String, usize)>,
    ) -> Self {
        // Undefined ones last; equal ones in the order given.
        let key = |model: &Compared| match model.elpd.total().sum {
            sum if sum.is_nan() => f64::INFINITY,
            sum => -sum,
        };
        models.sort_by(|a, b| key(a).total_cmp(&key(b)));
        let best = models
            .first()
            .map(|model| model.elpd.pointwise())
            .unwrap_or_default();
        let differences = models
            .iter()
            .map(|model| difference(&best, &model.elpd.pointwise()))
            .collect();
        Self {
            models,
            differences,
            criterion,
            scale,
            weights,
            outcomes,
        }
    }

    /// What the criterion is called.
    fn name(&self) -> &'static str {
        match self.criterion {
            Criterion::Loo => "loo",
            Criterion::Waic => "waic",
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
            .outcomes
            .iter()
            .map(|(name, count)| format!("{} of `{name}`", counted(*count, "value")))
            .collect();
        let criterion = match self.criterion {
            Criterion::Loo => "LOO (leave-one-out by Pareto smoothed importance sampling)",
            Criterion::Waic => "WAIC",
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

    /// The aligned columns: numbers end where their Monte Carlo error begins.
    fn columns(&self) -> String {
        let unit = self.unit();
        let errors = self.models.iter().map(|model| places(unit * model.elpd.mcse, 1));
        let decimals = match fewest(errors) {
            Places::Fixed(decimals) => Places::Fixed(decimals.min(2)),
            Places::Any => Places::Fixed(1),
            Places::Exponent => Places::Exponent,
        };
        let doubtful = match self.criterion {
            Criterion::Loo => format!(
                "k > {}",
                number(
                    self.models
                        .iter()
                        .map(|model| model.elpd.pareto_k_threshold())
                        .fold(f64::INFINITY, f64::min),
                    Places::Fixed(2)
                )
            ),
            Criterion::Waic => format!("var > {VARIANCE_LIMIT}"),
        };
        let distance = format!("d_{}", self.name());
        let titles = [self.name(), "se", &distance, "d_se", "p", "weight", &doubtful];
        let rows: Vec<[String; 7]> = self
            .models
            .iter()
            .zip(&self.differences)
            .enumerate()
            .map(|(place, (model, difference))| {
                let total = model.elpd.total();
                let bad = match self.criterion {
                    Criterion::Loo => model.elpd.high_pareto_k().unwrap_or_default(),
                    Criterion::Waic => model.elpd.high_variances(),
                };
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
                    number(model.elpd.p(), decimals),
                    number(model.weight, Places::Fixed(2)),
                    bad.to_string(),
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
            for doubt in model.elpd.doubts(self.criterion) {
                match doubts.iter_mut().find(|(known, _)| *known == doubt) {
                    Some((_, names)) => names.push(&model.name),
                    None => doubts.push((doubt, vec![&model.name])),
                }
            }
        }
        let mut messages: Vec<String> = doubts
            .iter()
            .map(|(doubt, names)| format!("{}: {doubt}", names.join(", ")))
            .collect();
        if messages.iter().any(|message| message.contains("`--by exact`")) {
            messages.push(REFITS_LATER.to_owned());
        }
        messages
    }

    /// Whether any doubt is told of a model.
    fn is_doubtful(&self, model: &Compared) -> bool {
        !model.elpd.doubts(self.criterion).is_empty()
    }

    /// The contract's JSON; numbers that are undefined are null.
    pub(super) fn json(&self) -> Value {
        let finite = |x: f64| x.is_finite().then_some(x);
        let rows: Vec<Value> = self
            .models
            .iter()
            .zip(&self.differences)
            .map(|(model, difference)| {
                let total = model.elpd.total();
                json!({
                    "model": model.name,
                    "elpd": finite(total.sum),
                    "se": finite(total.se),
                    "p": finite(model.elpd.p()),
                    "ic": finite(self.ic(total.sum)),
                    "d_ic": finite(self.unit() * difference.sum),
                    "d_se": finite(self.unit() * difference.se),
                    "weight": finite(model.weight),
                    "warning": self.is_doubtful(model),
                    "pareto_k_max": model.elpd.max_pareto_k().and_then(finite),
                    "var_warn": model.elpd.high_variances(),
                    "pareto_k_bad": model.elpd.high_pareto_k(),
                    "mcse": finite(model.elpd.mcse),
                    "file": model.file,
                })
            })
            .collect();
        json!({ "criterion": self.name(), "rows": rows, "messages": self.messages() })
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
            for (observation, row) in model.elpd.observations.iter().zip(&model.elpd.rows) {
                text.push_str(&format!(
                    "{},{},{},{},{},{},{}\n",
                    field(&model.name),
                    field(&observation.outcome),
                    field(&observation.label),
                    cell(row.elpd),
                    cell(row.p),
                    cell(row.variance),
                    row.pareto_k.map(cell).unwrap_or_default(),
                ));
            }
        }
        text
    }
}
