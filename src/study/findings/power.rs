//! What a power study shows.

use serde_json::{Map, Value, json};

use super::{Findings, all_of, finite, heading, is_judged, listed, title, too_many_unsound};
use crate::error::Result;
use crate::plot::Options;
use crate::plot::study::{Curve, Places, Spread, powers};
use crate::study::designs::{Criterion, DesignSize};
use crate::study::manifest::Manifest;
use crate::study::power::Power;
use crate::study::record::Part;
use crate::study::sheet::{Grid, Section, Sheet, Shown};

/// The power that is asked of a design.
const ENOUGH: f64 = 0.8;

pub(super) fn findings(manifest: &Manifest, part: &Part) -> Result<Findings> {
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
