//! What a recovery study shows.

use serde_json::{Value, json};

use super::{Findings, ROWS, all_of, finite, heading, is_judged, listed, option, title, too_many_unsound};
use crate::data::number_label;
use crate::diag::{Prob, Recovery, WithError, wilson};
use crate::error::Result;
use crate::num::Real;
use crate::plot::Options;
use crate::plot::study::{Method, Place, Recovered, Spread, absolute_errors, coverages};
use crate::study::manifest::Manifest;
use crate::study::record::Part;
use crate::study::recovery::{Alternative, GroupRecovery, RecoveredQuantity, RecoveryStudy, SizeClass};
use crate::study::sheet::{Grid, Section, Sheet, Shown, measured, plain};

/// Rows of the picture of coverage.
const COVERED: usize = 40;

/// Replicates below which coverage is not judged.
const FEW: usize = 20;

pub(super) fn findings(manifest: &Manifest, part: &Part) -> Result<Findings> {
    let against: Vec<Alternative> = all_of(manifest, "against")
        .filter_map(|word| Alternative::WORDS.iter().find(|(known, _)| *known == word))
        .map(|(_, alternative)| *alternative)
        .collect();
    let found = RecoveryStudy::of(part, &against)?;
    let nominal = manifest.prob.get();
    let mut sections = vec![quantities(&found, nominal, manifest)?];
    if let Some(groups) = &found.groups {
        let by = option(manifest, "by").unwrap_or("group");
        sections.push(group_section(groups, &found.against, by, manifest)?);
    }
    let mut messages = Vec::new();
    messages.extend(too_many_unsound(part));
    let verdict = verdict_of(&found, nominal);
    Ok(Findings {
        sheet: Sheet {
            title: title(manifest, &format!("recovery, {} replicates", manifest.replicates)),
            ok: is_judged(part),
            verdict,
            messages,
            sections,
        },
        json: json!({
            "quantities": found.quantities.iter().map(of_quantity).collect::<Vec<_>>(),
            "elements": found.elements.iter().map(of_quantity).collect::<Vec<_>>(),
            "groups": found.groups.as_ref().map(|groups| json!({
                "classes": groups.classes.iter().map(of_class).collect::<Vec<_>>(),
                "all": of_class(&groups.all),
                "names": groups.names.iter().map(|name| &**name).collect::<Vec<_>>(),
                "sizes": groups.sizes,
                "absolute_errors": groups.absolute_errors,
            })),
        }),
    })
}

fn verdict_of(found: &RecoveryStudy, nominal: f64) -> String {
    if let Some(groups) = &found.groups
        && !found.against.is_empty()
    {
        let better = |class: &SizeClass| {
            class
                .alternatives
                .iter()
                .all(|(_, _, beyond)| beyond.value > 2.0 * beyond.mcse)
        };
        let names: Vec<&str> = found
            .against
            .iter()
            .map(|alternative| alternative.name())
            .collect();
        let wins = groups.classes.iter().filter(|class| better(class)).count();
        return format!(
            "Partial pooling errs less than {} in {wins} of {} size classes, by more than two Monte Carlo errors.",
            names.join(" and "),
            groups.classes.len()
        );
    }
    if found.replicates < FEW {
        return format!(
            "{} replicates are too few to judge how often intervals hold the truth.",
            found.replicates
        );
    }
    let far: Vec<&str> = found
        .quantities
        .iter()
        .filter(|quantity| is_far(quantity, found.replicates, nominal))
        .map(|quantity| &*quantity.name)
        .collect();
    match far.as_slice() {
        [] => format!(
            "Intervals of {:.0} % hold the truth as often as they should, within four Monte Carlo errors.",
            100.0 * nominal
        ),
        names => format!(
            "Intervals of {:.0} % hold the truth not as often as they should: {}. With parameters that are set they need not: \
             a prior that is far from the truth draws intervals towards itself.",
            100.0 * nominal,
            listed(names)
        ),
    }
}

/// Whether coverage is further from what it should be than four standard errors explain: Wilson's for single numbers, whose
/// own error is 0 where all intervals hold the truth; that between replicates for several together.
fn is_far(quantity: &RecoveredQuantity, replicates: usize, nominal: f64) -> bool {
    let Some(coverage) = quantity.recovery.coverage else {
        return false;
    };
    if quantity.elements == 1 {
        let held = (coverage.value * replicates as f64).round() as usize;
        let (lower, upper) = wilson(held, replicates, errors(4.0));
        return !(lower..=upper).contains(&nominal);
    }
    coverage.mcse > 0.0 && (coverage.value - nominal).abs() > 4.0 * coverage.mcse
}

fn value_of(measure: WithError) -> Value {
    json!({ "value": finite(measure.value), "mcse": finite(measure.mcse) })
}

fn of_recovery(recovery: &Recovery) -> Value {
    json!({
        "bias": value_of(recovery.bias),
        "rmse": value_of(recovery.rmse),
        "mean_absolute_error": value_of(recovery.mean_absolute_error),
        "coverage": recovery.coverage.map(value_of),
        "width": recovery.width.map(value_of),
    })
}

fn of_quantity(quantity: &RecoveredQuantity) -> Value {
    let mut value = json!({
        "name": &*quantity.name,
        "kind": quantity.kind.word(),
        "elements": quantity.elements,
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut value, of_recovery(&quantity.recovery)) {
        all.extend(own);
    }
    value
}

fn of_class(class: &SizeClass) -> Value {
    let mut value = json!({ "size": finite(class.size), "groups": class.groups });
    if let (Value::Object(all), Value::Object(own)) = (&mut value, of_recovery(&class.partial)) {
        all.extend(own);
        for (alternative, error, beyond) in &class.alternatives {
            all.insert(
                alternative.word().to_owned(),
                json!({ "mean_absolute_error": value_of(*error), "beyond": value_of(*beyond) }),
            );
        }
    }
    value
}

fn with_error(measure: WithError) -> [String; 2] {
    [measured(measure.value, measure.mcse), plain(measure.mcse)]
}

fn quantities(found: &RecoveryStudy, nominal: f64, manifest: &Manifest) -> Result<Section> {
    let rows = found
        .quantities
        .iter()
        .map(|quantity| {
            let recovery = &quantity.recovery;
            let mut row = vec![quantity.name.to_string()];
            row.extend(with_error(recovery.bias));
            row.extend(with_error(recovery.rmse));
            row.push(measured(
                recovery.mean_absolute_error.value,
                recovery.mean_absolute_error.mcse,
            ));
            match recovery.coverage {
                Some(coverage) => {
                    row.extend([format!("{:.3}", coverage.value), format!("{:.3}", coverage.mcse)])
                }
                None => row.extend(["-".to_owned(), "-".to_owned()]),
            }
            row.push(
                recovery
                    .width
                    .map_or("-".to_owned(), |width| measured(width.value, width.mcse)),
            );
            row
        })
        .collect();
    let replicates = found.replicates;
    let two = |measure: WithError, scale: f64| Spread {
        value: measure.value / scale,
        lower: (measure.value - 2.0 * measure.mcse) / scale,
        upper: (measure.value + 2.0 * measure.mcse) / scale,
    };
    let covered: Vec<Recovered> = found
        .quantities
        .iter()
        .take(COVERED)
        .map(|quantity| {
            let coverage = quantity.recovery.coverage.unwrap_or(WithError {
                value: f64::NAN,
                mcse: f64::NAN,
            });
            let is_single = quantity.elements == 1;
            let held = (coverage.value * replicates as f64).round() as usize;
            let (lower, upper) = match is_single {
                // Where all intervals hold the truth, their spread says nothing.
                true => wilson(held, replicates, errors(2.0)),
                false => (
                    coverage.value - 2.0 * coverage.mcse,
                    coverage.value + 2.0 * coverage.mcse,
                ),
            };
            Recovered {
                name: quantity.name.to_string(),
                bias: two(quantity.recovery.bias, quantity.recovery.rmse.value),
                coverage: Spread {
                    value: coverage.value,
                    lower,
                    upper,
                },
            }
        })
        .collect();
    let heads = title(manifest, "bias and coverage");
    let subtitle = format!(
        "{replicates} replicates; posterior means, {:.0} % intervals",
        100.0 * nominal
    );
    let picture = coverages(
        heading(&heads, &subtitle),
        nominal,
        "± 2 Monte Carlo errors",
        &covered,
        &Options::default(),
    )?;
    Ok(Section {
        title: "Parameters".to_owned(),
        text: vec![format!(
            "Posterior means against the truth, and how often {:.0} % intervals hold it. `[*]` pools all elements; errors \
             (se) are clustered by replicate.",
            100.0 * nominal
        )],
        grid: Grid {
            heads: [
                "parameter",
                "bias",
                "se",
                "rmse",
                "se",
                "mae",
                "coverage",
                "se",
                "width",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows,
        },
        most: ROWS,
        pictures: vec![Shown {
            stem: "coverage".to_owned(),
            caption:
                "Bias in units of the root mean square error, and the share of intervals that hold the truth."
                    .to_owned(),
            picture,
        }],
    })
}

/// The probability that so many standard errors of a normal hold.
fn errors(count: f64) -> Prob {
    Prob::new(1.0 - 2.0 * (-count).std_normal_cdf()).unwrap_or_default()
}

fn group_section(
    groups: &GroupRecovery,
    against: &[Alternative],
    by: &str,
    manifest: &Manifest,
) -> Result<Section> {
    let mut heads: Vec<String> = ["size", "groups", "partial pooling", "se", "coverage", "se"]
        .map(str::to_owned)
        .to_vec();
    for alternative in against {
        heads.extend([
            alternative.name().to_owned(),
            "more by".to_owned(),
            "se".to_owned(),
        ]);
    }
    let row = |class: &SizeClass| {
        let size = if class.size.is_nan() {
            "all".to_owned()
        } else {
            number_label(class.size)
        };
        let mut row = vec![size, class.groups.to_string()];
        row.extend(with_error(class.partial.mean_absolute_error));
        match class.partial.coverage {
            Some(coverage) => row.extend([format!("{:.3}", coverage.value), format!("{:.3}", coverage.mcse)]),
            None => row.extend(["-".to_owned(), "-".to_owned()]),
        }
        for (_, error, beyond) in &class.alternatives {
            row.push(measured(error.value, error.mcse));
            row.extend(with_error(*beyond));
        }
        row
    };
    let mut rows: Vec<Vec<String>> = groups.classes.iter().map(row).collect();
    rows.push(row(&groups.all));
    let places: Vec<Place> = groups
        .names
        .iter()
        .zip(&groups.sizes)
        .map(|(name, size)| Place {
            label: label_of(name).to_owned(),
            size: *size,
        })
        .collect();
    let methods = |errors: &[Vec<f64>]| -> Vec<Method> {
        let names =
            std::iter::once("partial pooling").chain(against.iter().map(|alternative| alternative.name()));
        names
            .zip(errors)
            .map(|(name, errors)| Method {
                name: name.to_owned(),
                errors: errors.clone(),
            })
            .collect()
    };
    let mut pictures = Vec::new();
    let shown = [
        (
            "errors",
            format!("{} replicates", manifest.replicates),
            "mean absolute error",
            &groups.absolute_errors,
        ),
        (
            "errors-first",
            "the first replicate".to_owned(),
            "absolute error",
            &groups.first_absolute_errors,
        ),
    ];
    for (stem, of, axis, errors) in shown {
        let heads = title(manifest, &format!("error by {by}"));
        let subtitle = format!("{of}; lines are the means of each size");
        pictures.push(Shown {
            stem: stem.to_owned(),
            caption: format!("Absolute error of the mean outcome of each {by}, sorted by size: {of}."),
            picture: absolute_errors(
                heading(&heads, &subtitle),
                (by, axis),
                &places,
                &methods(errors),
                &Options::default(),
            )?,
        });
    }
    Ok(Section {
        title: format!("Groups: mean outcome of each {by}"),
        text: vec![
            "Mean absolute error by size of the group (trials, or rows); errors (se) are clustered by replicate, differences \
             are paired."
                .to_owned(),
        ],
        grid: Grid { heads, rows },
        most: ROWS,
        pictures,
    })
}

/// The label of a printed name: `3` of `pond[3]`.
fn label_of(name: &str) -> &str {
    let inner = name.split_once('[').map(|(_, rest)| rest);
    inner.and_then(|rest| rest.strip_suffix(']')).unwrap_or(name)
}
