//! Whether the draws can be trusted: each diagnostic with what it means, and each finding with its remedy.

use super::Subject;
use super::markup::{Align, Cell, Page};
use crate::diag::{EBFMI_LIMIT, ESS_LIMIT, RHAT_LIMIT};

/// The verdict in a line.
pub(super) fn badge(subject: &Subject<'_>) -> String {
    let (class, text) = if subject.report.verdict.ok {
        ("good", "✓ The diagnostics find no fault with these draws.")
    } else {
        (
            "bad",
            "⚠ These draws are not to be trusted yet; see the diagnostics.",
        )
    };
    format!("<p class=\"badge {class}\">{text}</p>\n")
}

/// A diagnostic: name, value, what is wanted, whether that is so, what it means.
struct Line {
    name: &'static str,
    value: Option<String>,
    wanted: String,
    fine: bool,
    meaning: &'static str,
}

pub(super) fn section(page: &mut Page, depth: usize, subject: &Subject<'_>) {
    let verdict = &subject.report.verdict;
    page.heading(depth, "Diagnostics");
    if verdict.messages.is_empty() {
        page.paragraph("", "Nothing was found against these draws.");
    } else {
        page.list("faults", &verdict.messages);
    }
    let rows: Vec<Vec<Cell>> = lines(subject)
        .into_iter()
        .filter_map(|line| {
            let value = line.value?;
            let value = if line.fine {
                Cell::text(&value)
            } else {
                Cell {
                    html: format!("<strong>{}</strong>", super::escaped(&value)),
                    value: None,
                }
            };
            Some(vec![
                Cell::text(line.name),
                value,
                // Its few words stay in one line.
                Cell::text(&line.wanted.replace(' ', "\u{a0}")),
                Cell::prose(line.meaning),
            ])
        })
        .collect();
    let heads = [
        ("diagnostic", Align::Left),
        ("worst", Align::Right),
        ("wanted", Align::Left),
        ("what it means", Align::Left),
    ];
    page.table(&heads, &rows);
}

fn lines(subject: &Subject<'_>) -> Vec<Line> {
    let report = &subject.report;
    let verdict = &report.verdict;
    let rhat = if subject.nested {
        verdict.nested_rhat
    } else {
        verdict.max_rhat
    };
    let at_least = |least: Option<f64>, limit: f64| least.is_none_or(|x| x >= limit);
    vec![
        Line {
            name: "divergences",
            value: Some(verdict.divergences.to_string()),
            wanted: "0".to_owned(),
            fine: verdict.divergences == 0,
            meaning: "Places where the sampler could not follow the posterior's bends. Draws are missing there, and \
                      means and intervals may be biased.",
        },
        Line {
            name: if subject.nested { "nested R-hat" } else { "R-hat" },
            value: rhat.map(|x| format!("{x:.3}")),
            wanted: format!("below {RHAT_LIMIT}"),
            fine: rhat.is_none_or(|x| x < RHAT_LIMIT),
            meaning: "How much wider all chains together are than each of them. Near 1, the chains agree and have \
                      forgotten where they started.",
        },
        Line {
            name: "bulk ESS",
            value: verdict.min_ess_bulk.map(|x| format!("{x:.0}")),
            wanted: format!("at least {ESS_LIMIT}"),
            fine: at_least(verdict.min_ess_bulk, ESS_LIMIT),
            meaning: "How many independent draws the means and medians are worth: neighbouring draws resemble each other.",
        },
        Line {
            name: "tail ESS",
            value: verdict.min_ess_tail.map(|x| format!("{x:.0}")),
            wanted: format!("at least {ESS_LIMIT}"),
            fine: at_least(verdict.min_ess_tail, ESS_LIMIT),
            meaning: "The same for the ends of intervals.",
        },
        Line {
            name: "E-BFMI",
            value: verdict.ebfmi_min.map(|x| format!("{x:.2}")),
            wanted: format!("at least {EBFMI_LIMIT}"),
            fine: at_least(verdict.ebfmi_min, EBFMI_LIMIT),
            meaning: "How fast the energy changes from draw to draw. Where it is low, the tails are reached seldom. The \
                      lowest of all chains; of many chains it is the pooled one that is judged.",
        },
        Line {
            name: "f32 against f64",
            value: report.max_f32_discrepancy.map(|x| format!("{x:.1e}")),
            wanted: "far below 1".to_owned(),
            fine: true,
            meaning: "The GPU computes with seven digits. This is the largest error of a log density that it made, on a \
                      sample of the draws.",
        },
    ]
}
