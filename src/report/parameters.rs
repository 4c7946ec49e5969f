//! The table of the parameters.

use super::Subject;
use super::markup::{Align, Cell, Page, table};
use super::rows::{Shown, cells, shown};
use crate::diag::{ESS_LIMIT, Interval, RHAT_LIMIT, Summary};

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>) {
    let report = &subject.report;
    page.heading(depth, "Parameters");
    let interval = interval_name(report.interval, report.prob.get());
    page.paragraph(
        "note",
        &format!(
            "Posterior mean, standard deviation and {interval}; mcse is the Monte Carlo error of the mean, and digits end \
             where it begins; ess are draws that independent ones would be worth, in the middle and in the tails. The \
             file has all digits: `tadpool summary {} --format csv`.",
            subject.file
        ),
    );
    let rhat = if subject.nested { "rhat (nested)" } else { "rhat" };
    let heads = [
        ("parameter", Align::Left),
        ("mean", Align::Right),
        ("sd", Align::Right),
        ("lower", Align::Right),
        ("upper", Align::Right),
        ("mcse", Align::Right),
        ("ess bulk", Align::Right),
        ("ess tail", Align::Right),
        (rhat, Align::Right),
    ];
    let texts = cells(&report.rows, subject.nested);
    let mut left = Vec::new();
    let mut rows = Vec::new();
    for place in shown(&report.rows, true) {
        match place {
            Shown::Row(place) => {
                let row = &report.rows[place];
                let mut line = vec![Cell::code(&row.name)];
                let values = values(&row.summary, subject.nested);
                line.extend(
                    texts[place]
                        .iter()
                        .zip(values)
                        .map(|(text, x)| Cell::number(text, x)),
                );
                for (cell, bad) in line
                    .iter_mut()
                    .skip(6)
                    .zip(doubtful(&row.summary, subject.nested))
                {
                    if bad {
                        cell.html = format!("<strong title=\"beyond the limit\">{}</strong>", cell.html);
                    }
                }
                rows.push(line);
            }
            Shown::Left { quantity, count } => left.push(format!(
                "{count} more of `{quantity}`: `tadpool summary {} {quantity}`",
                subject.file
            )),
        }
    }
    page.raw(&table(&heads, &rows, true));
    page.list("notes", &left);
}

/// The name of an interval in a sentence.
pub(super) fn interval_name(interval: Interval, prob: f64) -> String {
    let percent = (prob * 1e8).round() / 1e6;
    match interval {
        Interval::Hdi => format!("{percent} % highest density interval"),
        Interval::Eti => format!("{percent} % interval with equal tails"),
    }
}

/// The numbers behind the texts of a row.
fn values(row: &Summary, nested: bool) -> [f64; 8] {
    [
        row.mean,
        row.sd,
        row.lower,
        row.upper,
        row.mcse_mean,
        row.ess_bulk,
        row.ess_tail,
        if nested { row.nested_rhat } else { row.rhat },
    ]
}

/// Which of the two ESS and R-hat are beyond their limits.
fn doubtful(row: &Summary, nested: bool) -> [bool; 3] {
    let rhat = if nested { row.nested_rhat } else { row.rhat };
    [
        row.ess_bulk < ESS_LIMIT,
        row.ess_tail < ESS_LIMIT,
        rhat >= RHAT_LIMIT,
    ]
}
