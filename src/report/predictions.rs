//! What the model predicts for the rows of the fit: means over all rows and by group, beside what was observed.

use super::digits::{Places, fewest, number, places};
use super::markup::{Align, Cell, Page};
use super::parameters::interval_name;
use super::{Options, Subject};
use crate::error::{Kind as Blame, Result};
use crate::plot::{Means, means};

/// Levels of a grouping at most: longer tables are what `tadpool predict` is for.
const LEVELS: usize = 100;

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>, options: &Options) -> Result<()> {
    page.heading(depth, "Predictions");
    page.paragraph(
        "note",
        &format!(
            "Means over the rows of the fit, as observed and as the model expects them, with its {}. For other covariates, \
             new groups and contrasts: `tadpool predict {} --help`.",
            interval_name(options.interval, options.prob.get()),
            subject.file
        ),
    );
    for outcome in subject.fitted.outcomes() {
        let asked = options.pictures(Some(outcome.to_owned()));
        match means(&subject.source, &asked, LEVELS) {
            Ok(means) => table(page, &means),
            Err(error) if error.kind() == Blame::User => {
                page.paragraph("", &format!("None of `{outcome}`: {}.", error.message()));
            }
            Err(error) => return Err(error),
        }
    }
    let long: Vec<String> = subject
        .fitted
        .groupings()
        .into_iter()
        .filter(|grouping| grouping.labels.len() > LEVELS)
        .map(|grouping| {
            format!(
                "The {} levels of `{}` are not shown one by one: `tadpool predict {}` does so.",
                grouping.labels.len(),
                grouping.index,
                subject.file
            )
        })
        .collect();
    page.list("notes", &long);
    Ok(())
}

fn table(page: &mut Page, means: &Means) {
    let panels = || std::iter::once(&means.all).chain(&means.by_group);
    let widths = panels().flat_map(|panel| &panel.groups).map(|group| {
        let (lower, upper) = group.interval;
        places(upper - lower, 2)
    });
    let digits = match fewest(widths) {
        Places::Any => Places::Fixed(2),
        known => known,
    };
    let shown = |x: f64| Cell::number(&number(x, digits), x);
    for panel in panels() {
        let rows: Vec<Vec<Cell>> = panel
            .groups
            .iter()
            .map(|group| {
                let label = match panel.index.as_str() {
                    "" => "all rows",
                    _ => &group.label,
                };
                vec![
                    Cell::text(label),
                    Cell::number(&group.size.to_string(), group.size),
                    shown(group.observed),
                    shown(group.mean),
                    shown(group.interval.0),
                    shown(group.interval.1),
                ]
            })
            .collect();
        let observed = format!("observed {}", means.measured);
        let heads = [
            (panel.index.as_str(), Align::Left),
            ("size", Align::Right),
            (observed.as_str(), Align::Right),
            ("expected", Align::Right),
            ("lower", Align::Right),
            ("upper", Align::Right),
        ];
        page.raw(&super::markup::table(&heads, &rows, rows.len() > 1));
    }
}
