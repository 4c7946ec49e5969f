//! What a study shows, from what it is and what it kept: the sheet for people, and the same as JSON.

use serde_json::{Map, Value, json};

use super::batch::RHAT_LIMIT;
use super::calibration::{BIN_PROB, Calibration};
use super::designs::{Criterion, DesignSize};
use super::draws::ranked_of;
use super::manifest::{Aim, Manifest};
use super::power::Power;
use super::predictive::Predictive;
use super::quantities::faults;
use super::record::{Part, Status};
use super::recovery::{Alternative, GroupRecovery, RecoveredQuantity, RecoveryStudy, SizeClass};
use super::sheet::{Grid, Section, Sheet, Shown, measured, plain};
use crate::data::number_label;
use crate::diag::{Prob, Recovery, WithError, wilson};
use crate::error::Result;
use crate::num::Real;
use crate::plot::Options;
use crate::plot::study::{
    Curve, Heading, Method, Place, Places, Ranked, Recovered, Spread, absolute_errors, coverages, powers,
    rank_ecdfs, rank_histograms,
};

/// Panels of a picture.
const PANELS: usize = 24;
/// Rows of a table on a terminal.
const ROWS: usize = 24;
/// Rows of the picture of coverage.
const COVERED: usize = 40;
/// The power that is asked of a design.
const ENOUGH: f64 = 0.8;
/// Replicates below which coverage is not judged.
const FEW: usize = 20;
/// The share of replicates that may stay without a sound fit before a study says that something is wrong.
const UNSOUND_LIMIT: f64 = 0.01;

/// What a study shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// For people.
    pub sheet: Sheet,
    /// For programs.
    pub json: Value,
}

impl Findings {
    /// Of a whole study.
    ///
    /// # Errors
    ///
    /// A user error if no replicate has draws.
    pub fn of(manifest: &Manifest, part: &Part) -> Result<Self> {
        let mut findings = match manifest.aim {
            Aim::Recover => recovery(manifest, part)?,
            Aim::Sbc => calibration(manifest, part)?,
            Aim::Power => power(manifest, part)?,
            Aim::Kfold => prediction(manifest, part)?,
        };
        let unsound = part
            .records
            .iter()
            .filter(|record| !record.status.is_sound())
            .count();
        let share = unsound as f64 / part.records.len().max(1) as f64;
        findings.sheet.messages.extend(faults(part));
        findings.sheet.sections.push(fits(part));
        let mut json = Map::new();
        json.insert("study".to_owned(), manifest.aim.word().into());
        json.insert("model".to_owned(), manifest.model_name.as_str().into());
        json.insert("seed".to_owned(), manifest.seed.into());
        json.insert("replicates".to_owned(), manifest.replicates.into());
        json.insert("chains".to_owned(), manifest.chains.into());
        json.insert("warmup".to_owned(), manifest.warmup.into());
        json.insert("draws".to_owned(), manifest.draws.into());
        json.insert("backend".to_owned(), manifest.backend.as_str().into());
        json.insert("device".to_owned(), manifest.device.as_str().into());
        json.insert("prob".to_owned(), manifest.prob.get().into());
        json.insert("interval".to_owned(), manifest.interval.name().into());
        let mut options: Map<String, Value> = Map::new();
        for (name, value) in &manifest.options {
            // An option may be given several times: each is a list.
            let list = options.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(value.as_str().into());
            }
        }
        json.insert("options".to_owned(), Value::Object(options));
        let counts: Map<String, Value> = Status::ALL
            .iter()
            .map(|status| (status.word().to_owned(), part.count(*status).into()))
            .collect();
        json.insert("status".to_owned(), Value::Object(counts));
        json.insert("unsound_share".to_owned(), share.into());
        json.insert(
            "verdict".to_owned(),
            json!({
                "ok": findings.sheet.ok,
                "text": findings.sheet.verdict,
                "messages": findings.sheet.messages,
            }),
        );
        if let Value::Object(own) = findings.json {
            json.extend(own);
        }
        findings.json = Value::Object(json);
        Ok(findings)
    }
}

/// The value of one of the aim's options.
fn option<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    let mut options = manifest.options.iter();
    options
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// All values of an option that may be given several times.
fn all_of<'m>(manifest: &'m Manifest, name: &'m str) -> impl Iterator<Item = &'m str> {
    let own = manifest.options.iter().filter(move |(known, _)| known == name);
    own.map(|(_, value)| value.as_str())
}

fn title(manifest: &Manifest, what: &str) -> String {
    format!("{}: {what}", manifest.model_name)
}

fn heading<'a>(title: &'a str, subtitle: &'a str) -> Heading<'a> {
    Heading { title, subtitle }
}

/// How many replicates cannot be trusted, if they are too many.
fn too_many_unsound(part: &Part) -> Option<String> {
    let unsound = part
        .records
        .iter()
        .filter(|record| !record.status.is_sound())
        .count();
    let all = part.records.len();
    (unsound as f64 > UNSOUND_LIMIT * all as f64).then(|| {
        format!(
            "{unsound} of {all} fits are not sound; a longer `--warmup` or more `--draws` may mend them, or other priors"
        )
    })
}

/// Whether so few fits did not converge, or gave no draws, that the study can be judged. Divergent transitions alone, of
/// which a message tells, do not keep it from that.
fn is_judged(part: &Part) -> bool {
    let lost = part.count(Status::Unconverged) + part.count(Status::Failed);
    lost as f64 <= UNSOUND_LIMIT * part.records.len() as f64
}

/// How the fits went.
fn fits(part: &Part) -> Section {
    let all = part.records.len();
    let rows = Status::ALL
        .iter()
        .map(|status| {
            let count = part.count(*status);
            let means = match status {
                Status::Ok => "converged at once",
                Status::Retried => "converged at the second try, with a longer warm-up",
                Status::Diverged => "diverged at the second try too; kept",
                Status::Unconverged => "did not converge at the second try either; kept",
                Status::Failed => "gave no draws; named in the table of replicates",
            };
            vec![
                status.word().to_owned(),
                count.to_string(),
                format!("{:.1} %", 100.0 * count as f64 / all.max(1) as f64),
                means.to_owned(),
            ]
        })
        .collect();
    Section {
        title: "Fits".to_owned(),
        text: vec![format!(
            "A fit is tried again if it diverges, if some R-hat is above {RHAT_LIMIT}, or if some quantity has too few \
             effective draws."
        )],
        grid: Grid {
            heads: ["fits", "count", "share", ""].map(str::to_owned).to_vec(),
            rows,
        },
        most: Status::ALL.len(),
        pictures: Vec::new(),
    }
}

fn calibration(manifest: &Manifest, part: &Part) -> Result<Findings> {
    let level = option(manifest, "level")
        .and_then(|level| level.parse().ok())
        .unwrap_or(0.001);
    let draws = ranked_of(manifest.chains as usize, manifest.draws as usize).len();
    let found = Calibration::of(part, draws, level)?;
    let outside: Vec<&str> = found.outside().map(|quantity| &*quantity.name).collect();
    let tested = found.quantities.len();
    let mut messages = Vec::new();
    if found.failed > 0 {
        messages.push(format!(
            "{} replicates have no draws, and so no ranks",
            found.failed
        ));
    }
    messages.extend(too_many_unsound(part));
    let verdict = match outside.as_slice() {
        [] if !found.can_tell => format!(
            "Not to be told: {} are too few replicates, whatever their ranks.",
            part.records.len()
        ),
        [] if !is_judged(part) => "Not to be told: too many fits did not converge.".to_owned(),
        [] if found.failed == 0 => format!(
            "Calibrated: the ranks of all {tested} quantities stay inside their simultaneous bands (a study with nothing \
             wrong fails with probability {level})."
        ),
        [] => "Not to be told: replicates without draws have no ranks.".to_owned(),
        names => format!(
            "Not calibrated: the ranks of {} of {tested} quantities leave their simultaneous bands: {}.",
            names.len(),
            listed(names)
        ),
    };
    let mut order: Vec<_> = found.quantities.iter().collect();
    order.sort_by(|a, b| a.judged.p_value.total_cmp(&b.judged.p_value));
    let rows = order
        .iter()
        .map(|quantity| {
            let z = &quantity.judged;
            let point = found.band.points.get(z.worst).copied().unwrap_or(f64::NAN);
            let ecdf = z.ecdf.get(z.worst).copied().unwrap_or(f64::NAN);
            vec![
                quantity.name.to_string(),
                quantity.replicates.to_string(),
                plain(z.p_value),
                format!("{:+.4}", ecdf - point),
                format!("{point:.3}"),
                if quantity.is_outside { "outside" } else { "inside" }.to_owned(),
            ]
        })
        .collect();
    let ranked: Vec<Ranked<'_>> = found
        .quantities
        .iter()
        .map(|quantity| Ranked {
            name: &quantity.name,
            judged: &quantity.judged,
            histogram: &quantity.histogram,
        })
        .collect();
    let options = Options::default();
    let kind = match option(manifest, "posterior") {
        Some("true") => "posterior calibration",
        Some(_) | None => "calibration",
    };
    let heads = title(manifest, kind);
    let subtitle = format!("{} replicates, ranks among {draws} draws", manifest.replicates);
    let ecdf = rank_ecdfs(heading(&heads, &subtitle), &found.band, &ranked, PANELS, &options)?;
    let interval = format!("{:.0} % interval", 100.0 * BIN_PROB);
    let bars = rank_histograms(heading(&heads, &subtitle), &interval, &ranked, PANELS, &options)?;
    let sections = vec![Section {
        title: "Ranks".to_owned(),
        text: vec![format!(
            "Ranks of the truth among {draws} draws. `p` is the exact probability that uniform ranks are as far from even in \
             some point; a quantity is outside below {}, which is {level} shared out among {tested}.",
            plain(found.each)
        )],
        grid: Grid {
            heads: ["quantity", "ranks", "p", "largest difference", "at", "band"]
                .map(str::to_owned)
                .to_vec(),
            rows,
        },
        most: ROWS,
        pictures: vec![
            Shown {
                stem: "ecdf".to_owned(),
                caption: "The distribution function of the ranks less that of uniform ranks, with the band that it stays \
                          in if nothing is wrong."
                    .to_owned(),
                picture: ecdf,
            },
            Shown {
                stem: "ranks".to_owned(),
                caption: "Histograms of the ranks. A hump says that posteriors are too wide, a trough that they are too \
                          narrow, a slope that they are shifted."
                    .to_owned(),
                picture: bars,
            },
        ],
    }];
    let quantities: Vec<Value> = found
        .quantities
        .iter()
        .map(|quantity| {
            json!({
                "name": &*quantity.name,
                "kind": quantity.kind.word(),
                "ranks": quantity.replicates,
                "p": quantity.judged.p_value,
                "outside": quantity.is_outside,
                "counts": quantity.histogram.counts,
            })
        })
        .collect();
    Ok(Findings {
        sheet: Sheet {
            title: title(manifest, &format!("{kind}, {} replicates", manifest.replicates)),
            ok: found.ok() && is_judged(part),
            verdict,
            messages,
            sections,
        },
        json: json!({
            "ranked_draws": draws,
            "level": level,
            "level_each": found.each,
            "quantities": quantities,
        }),
    })
}

/// Names in a row, cut where they are many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 6;
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    text
}

fn recovery(manifest: &Manifest, part: &Part) -> Result<Findings> {
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

fn finite(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
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

fn power(manifest: &Manifest, part: &Part) -> Result<Findings> {
    let designs: Vec<DesignSize> = all_of(manifest, "size")
        .map(DesignSize::parse)
        .collect::<Result<_>>()?;
    let criteria: Vec<Criterion> = all_of(manifest, "criterion")
        .map(Criterion::parse)
        .collect::<Result<_>>()?;
    let each = manifest.replicates / (designs.len().max(1) as u32);
    let found = Power::of(part, &designs, each, &criteria, manifest.prob);
    let names: Vec<String> = found.designs.first().map_or_else(Vec::new, |design| {
        design.sizes.iter().map(|(name, _)| name.clone()).collect()
    });
    let mut sections = Vec::new();
    let percent = format!("{:.0} % interval", 100.0 * found.prob.get());
    for (place, criterion) in criteria.iter().enumerate() {
        let mut heads = vec!["design".to_owned(), "rows".to_owned()];
        heads.extend(["share", "lower", "upper", "met", "of", "not sound"].map(str::to_owned));
        let rows = found
            .designs
            .iter()
            .map(|design| {
                let share = &design.shares[place];
                vec![
                    DesignSize::written(&design.sizes),
                    design.rows.to_string(),
                    format!("{:.3}", share.share),
                    format!("{:.3}", share.interval.0),
                    format!("{:.3}", share.interval.1),
                    share.met.to_string(),
                    share.of.to_string(),
                    (design.unsound + design.failed).to_string(),
                ]
            })
            .collect();
        let picture = power_picture(manifest, &found, place, &names, &percent)?;
        sections.push(Section {
            title: criterion.text.clone(),
            text: vec![format!(
                "The share of {each} simulated data sets of each design in which `{}`, with its {percent} (Wilson).",
                criterion.text
            )],
            grid: Grid { heads, rows },
            most: usize::MAX,
            pictures: vec![Shown {
                stem: if criteria.len() == 1 { "power".to_owned() } else { format!("power-{}", place + 1) },
                caption: format!("How probable it is that `{}`, by design.", criterion.text).replace('`', ""),
                picture,
            }],
        });
    }
    let mut messages = Vec::new();
    messages.extend(too_many_unsound(part));
    let verdict = criteria
        .iter()
        .enumerate()
        .map(|(place, criterion)| {
            let reached: Vec<String> = found
                .designs
                .iter()
                .filter(|design| design.shares[place].share >= ENOUGH)
                .map(|design| DesignSize::written(&design.sizes))
                .collect();
            let reached: Vec<&str> = reached.iter().map(String::as_str).collect();
            let percent = 100.0 * ENOUGH;
            match reached.as_slice() {
                [] => format!(
                    "No design meets {} in {percent:.0} % of its data sets.",
                    criterion.text
                ),
                names => format!(
                    "{} is met in {percent:.0} % of the data sets or more with the designs: {}.",
                    criterion.text,
                    listed(names)
                ),
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    let json_designs: Vec<Value> = found
        .designs
        .iter()
        .map(|design| {
            let sizes: Map<String, Value> = design
                .sizes
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().into()))
                .collect();
            let shares: Vec<Value> = design
                .shares
                .iter()
                .map(|share| {
                    json!({
                        "criterion": share.criterion,
                        "met": share.met,
                        "of": share.of,
                        "share": finite(share.share),
                        "lower": finite(share.interval.0),
                        "upper": finite(share.interval.1),
                    })
                })
                .collect();
            json!({
                "sizes": sizes,
                "rows": design.rows,
                "criteria": shares,
                "unsound": design.unsound,
                "failed": design.failed,
            })
        })
        .collect();
    Ok(Findings {
        sheet: Sheet {
            title: title(manifest, &format!("power, {each} replicates of each design")),
            ok: is_judged(part),
            verdict,
            messages,
            sections,
        },
        json: json!({ "designs": json_designs }),
    })
}

fn power_picture(
    manifest: &Manifest,
    found: &Power,
    criterion: usize,
    names: &[String],
    interval: &str,
) -> Result<crate::plot::Picture> {
    let first = |sizes: &[(String, String)]| sizes.first().map_or(String::new(), |(_, value)| value.clone());
    let rest = |sizes: &[(String, String)]| DesignSize::written(sizes.get(1..).unwrap_or_default());
    let mut along: Vec<String> = Vec::new();
    let mut curves: Vec<String> = Vec::new();
    for design in &found.designs {
        let (x, curve) = (first(&design.sizes), rest(&design.sizes));
        if !along.contains(&x) {
            along.push(x);
        }
        if !curves.contains(&curve) {
            curves.push(curve);
        }
    }
    let number = |x: &String| x.parse::<f64>().ok();
    let numbers: Option<Vec<f64>> = along.iter().map(number).collect();
    let places = match numbers {
        Some(mut numbers) => {
            numbers.sort_by(f64::total_cmp);
            along.sort_by(|a, b| {
                number(a)
                    .partial_cmp(&number(b))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            Places::Numbers(numbers)
        }
        None => Places::Labels(along.clone()),
    };
    let curves: Vec<Curve> = curves
        .into_iter()
        .map(|name| Curve {
            shares: along
                .iter()
                .map(|x| {
                    let design = found
                        .designs
                        .iter()
                        .find(|design| first(&design.sizes) == *x && rest(&design.sizes) == name)?;
                    let share = &design.shares[criterion];
                    share.share.is_finite().then_some(Spread {
                        value: share.share,
                        lower: share.interval.0,
                        upper: share.interval.1,
                    })
                })
                .collect(),
            name,
        })
        .collect();
    let text = found
        .designs
        .first()
        .map_or("", |design| design.shares[criterion].criterion.as_str());
    let heads = title(manifest, "power");
    powers(
        heading(&heads, text),
        (
            names.first().map_or("design", String::as_str),
            "share of data sets",
        ),
        interval,
        &places,
        &curves,
        &Options::default(),
    )
}

fn prediction(manifest: &Manifest, part: &Part) -> Result<Findings> {
    let found = Predictive::of(part, manifest.replicates)?;
    let folds = match option(manifest, "folds") {
        Some("loo") => "exact leave-one-out".to_owned(),
        Some(number) if number.parse::<usize>().is_ok() => format!("{number}-fold cross-validation"),
        Some(index) => format!("leave-one-{index}-out"),
        None => "cross-validation".to_owned(),
    };
    let mut messages = Vec::new();
    messages.extend(too_many_unsound(part));
    let unsure = found.rows.iter().filter(|row| !(row.mcse <= 0.5)).count();
    if unsure > 0 {
        messages.push(format!(
            "the predictions of {unsure} rows have a Monte Carlo error above 0.5, or too few draws for one; more `--draws` or \
             `--chains` lower it"
        ));
    }
    if !(2.0 * found.mcse <= 0.1 * found.elpd.se) {
        messages.push(format!(
            "the Monte Carlo error of the sum is {}; more `--draws` or `--chains` lower it",
            plain(found.mcse)
        ));
    }
    let totals = [
        ("elpd", found.elpd.sum, found.elpd.se, found.mcse),
        (
            "deviance (-2 elpd)",
            -2.0 * found.elpd.sum,
            2.0 * found.elpd.se,
            2.0 * found.mcse,
        ),
        ("p", found.p, f64::NAN, f64::NAN),
    ];
    let rows = totals
        .iter()
        .map(|(name, value, se, mcse)| {
            vec![
                (*name).to_owned(),
                format!("{value:.2}"),
                plain(*se),
                plain(*mcse),
            ]
        })
        .collect();
    let mut worst: Vec<_> = found.rows.iter().collect();
    worst.sort_by(|a, b| a.elpd.total_cmp(&b.elpd));
    let pointwise = worst
        .iter()
        .map(|row| {
            vec![
                row.name.clone(),
                (row.fold + 1).to_string(),
                measured(row.elpd, row.mcse),
                plain(row.mcse),
                format!("{:.3}", row.lpd - row.elpd),
            ]
        })
        .collect();
    Ok(Findings {
        sheet: Sheet {
            title: title(manifest, &folds),
            ok: part.records.iter().all(|record| record.status.is_sound()),
            verdict: format!(
                "The log predictive density of {} rows, each from a fit without it, is {:.1} (standard error {}).",
                found.rows.len(),
                found.elpd.sum,
                plain(found.elpd.se)
            ),
            messages,
            sections: vec![
                Section {
                    title: "Predictions of rows that were left out".to_owned(),
                    text: vec![format!(
                        "{} folds. The standard error is that over rows; `mcse` is what is left of randomness in the fits. `p` is the \
                         effective number of parameters.",
                        found.folds
                    )],
                    grid: Grid {
                        heads: ["", "value", "se", "mcse"].map(str::to_owned).to_vec(),
                        rows,
                    },
                    most: 3,
                    pictures: Vec::new(),
                },
                Section {
                    title: "Rows, the least expected first".to_owned(),
                    text: Vec::new(),
                    grid: Grid {
                        heads: ["row", "fold", "elpd", "mcse", "p"].map(str::to_owned).to_vec(),
                        rows: pointwise,
                    },
                    most: 5,
                    pictures: Vec::new(),
                },
            ],
        },
        json: json!({
            "elpd": finite(found.elpd.sum),
            "se": finite(found.elpd.se),
            "mcse": finite(found.mcse),
            "p": finite(found.p),
            "ic": finite(-2.0 * found.elpd.sum),
            "folds": found.folds,
            "rows": found.rows.iter().map(|row| json!({
                "name": row.name,
                "fold": row.fold + 1,
                "elpd": finite(row.elpd),
                "mcse": finite(row.mcse),
                "lpd": finite(row.lpd),
            })).collect::<Vec<_>>(),
        }),
    })
}
