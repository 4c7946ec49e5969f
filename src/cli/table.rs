//! A report as an aligned table for people, and as CSV for programs.

use crate::diag::Interval;
use crate::fit::Report;
use crate::report::rows::{COLUMNS, LOWER, Shown, cells, shown};

/// The table: a line of names, a line for every parameter. Lines end in `\n`.
///
/// The mean, sd and interval of a quantity are shown to the decimal place of the first digit of its largest Monte Carlo
/// error (see [`crate::report::digits::decimals`]); decimal points stand under each other.
///
/// `nested` shows the nested R-hat, where that one is judged, in place of the ordinary one. A quantity of more than
/// [`crate::report::rows::LARGE`] elements shows only its ends, if `more` yields what to type for the rest.
pub(super) fn aligned(report: &Report, nested: bool, more: Option<&dyn Fn(&str) -> String>) -> String {
    let rows = cells(&report.rows, nested);
    let places = shown(&report.rows, more.is_some());
    let interval = interval_name(report.interval, report.prob.get());
    let rhat = if nested { "rhat (nested)" } else { "rhat" };
    let titles: [&str; COLUMNS] = match &interval {
        Title::Ends(lower, upper) => ["mean", "sd", lower, upper, "mcse", "ess_bulk", "ess_tail", rhat],
        // One title over both columns.
        Title::Both(_) => ["mean", "sd", "", "", "mcse", "ess_bulk", "ess_tail", rhat],
    };
    let mut columns: Vec<Vec<String>> = (0..COLUMNS)
        .map(|column| on_the_point(&rows.iter().map(|row| row[column].as_str()).collect::<Vec<_>>()))
        .collect();
    let mut widths: Vec<usize> = (0..COLUMNS)
        .map(|column| {
            let longest = columns[column].iter().map(|cell| width(cell)).max();
            longest.unwrap_or(0).max(width(titles[column]))
        })
        .collect();
    if let Title::Both(title) = &interval {
        let both = widths[LOWER] + GAP.len() + widths[LOWER + 1];
        widths[LOWER] += width(title).saturating_sub(both);
    }
    for (column, cells) in columns.iter_mut().enumerate() {
        for cell in cells {
            *cell = right(cell, widths[column]);
        }
    }
    let names = report.rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);

    let mut head = " ".repeat(names);
    let mut column = 0;
    while column < COLUMNS {
        head.push_str(GAP);
        match &interval {
            Title::Both(title) if column == LOWER => {
                let both = widths[LOWER] + GAP.len() + widths[LOWER + 1];
                head.push_str(&right(title, both - (both - width(title)) / 2));
                head.push_str(&" ".repeat((both - width(title)) / 2));
                column += 2;
            }
            Title::Both(_) | Title::Ends(..) => {
                head.push_str(&right(titles[column], widths[column]));
                column += 1;
            }
        }
    }
    let mut text = head.trim_end().to_owned();
    text.push('\n');
    for place in places {
        let place = match place {
            Shown::Row(place) => place,
            Shown::Left { quantity, count } => {
                let command = more.map_or(String::new(), |more| more(quantity));
                text.push_str(&format!("… {count} more: `{command}`\n"));
                continue;
            }
        };
        let row = &report.rows[place];
        let mut line = row.name.clone();
        line.push_str(&" ".repeat(names - width(&row.name)));
        for cells in &columns {
            line.push_str(GAP);
            line.push_str(&cells[place]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What stands between two columns.
pub(super) const GAP: &str = "  ";

/// The title of the interval: one for each end, or one for both.
enum Title {
    /// The quantiles at the ends.
    Ends(String, String),
    /// The name of the interval.
    Both(String),
}

fn interval_name(interval: Interval, prob: f64) -> Title {
    let percent = |share: f64| format!("{}%", (share * 1e8).round() / 1e6);
    match interval {
        Interval::Hdi => Title::Both(format!("hdi {}", percent(prob))),
        Interval::Eti => Title::Ends(percent((1.0 - prob) / 2.0), percent((1.0 + prob) / 2.0)),
    }
}

/// The same numbers, padded on the right so that their decimal points stand under each other when aligned right.
pub(super) fn on_the_point(cells: &[&str]) -> Vec<String> {
    let behind = |cell: &str| match cell.find('.') {
        Some(point) => cell.len() - point,
        None => 0,
    };
    let most = cells.iter().map(|cell| behind(cell)).max().unwrap_or(0);
    cells
        .iter()
        .map(|cell| format!("{cell}{}", " ".repeat(most - behind(cell))))
        .collect()
}

/// Columns that a text takes on a terminal, one for each character.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

pub(super) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The parameters as CSV with every digit: the keys of the JSON as names of the columns, an empty field where a number
/// is undefined.
pub(super) fn csv(report: &Report) -> String {
    let mut text = String::from("name,mean,sd,mcse_mean,median,mcse_sd,lower,upper,ess_bulk,ess_tail,rhat\n");
    for row in &report.rows {
        text.push_str(&field(&row.name));
        let row = &row.summary;
        for x in [
            row.mean,
            row.sd,
            row.mcse_mean,
            row.median,
            row.mcse_sd,
            row.lower,
            row.upper,
            row.ess_bulk,
            row.ess_tail,
            row.rhat,
        ] {
            text.push(',');
            if x.is_finite() {
                text.push_str(&x.to_string());
            }
        }
        text.push('\n');
    }
    text
}

/// A text as a field of CSV (RFC 4180, section 2).
pub(super) fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Prob, Status, Summary, Verdict};
    use crate::fit::Row;

    const FINE: Summary = Summary {
        status: Status::Varying,
        mean: 2.1253,
        sd: 0.8717,
        mcse_mean: 0.0123,
        mcse_sd: 0.01,
        median: 2.06,
        lower: -0.8123,
        upper: 13.4412,
        ess_bulk: 5973.4,
        ess_tail: 2682.0,
        rhat: 1.0004,
        nested_rhat: f64::NAN,
    };

    fn report(interval: Interval, rows: &[(&str, Summary)]) -> Report {
        Report {
            rows: rows
                .iter()
                .map(|(name, summary)| Row {
                    name: (*name).to_owned(),
                    quantity: name.split('[').next().unwrap_or_default().to_owned(),
                    summary: *summary,
                })
                .collect(),
            verdict: Verdict {
                ok: true,
                divergences: 0,
                max_rhat: None,
                min_ess_bulk: None,
                min_ess_tail: None,
                nested_rhat: None,
                ebfmi_min: None,
                messages: Vec::new(),
            },
            prob: Prob::default(),
            interval,
            max_f32_discrepancy: None,
            ensembles: 1,
        }
    }

    #[test]
    fn decimal_points_stand_under_each_other() {
        let precise = Summary {
            mcse_mean: 0.0041,
            lower: 1.3,
            ..FINE
        };
        let table = aligned(
            &report(Interval::Eti, &[("a[1]", FINE), ("sigma", precise)]),
            false,
            None,
        );
        let expected = "        mean     sd    5.5%   94.5%    mcse  ess_bulk  ess_tail   rhat
a[1]   2.13   0.87   -0.81   13.44   0.012       5973      2682  1.000
sigma  2.125  0.872   1.300  13.441  0.0041      5973      2682  1.000
";
        assert_eq!(table, expected, "\n{table}");
    }

    #[test]
    fn one_title_stands_over_a_highest_density_interval() {
        let table = aligned(&report(Interval::Hdi, &[("a", FINE)]), false, None);
        let head = table.lines().next().unwrap_or_default();
        assert_eq!(
            head,
            "   mean    sd     hdi 89%     mcse  ess_bulk  ess_tail   rhat"
        );
    }

    #[test]
    fn elements_of_a_quantity_share_their_decimals() {
        let precise = Summary {
            mcse_mean: 0.0041,
            ..FINE
        };
        let table = aligned(
            &report(Interval::Eti, &[("a[1]", FINE), ("a[2]", precise)]),
            false,
            None,
        );
        assert!(
            table.contains("a[2]  2.13  0.87  -0.81  13.44  0.004 "),
            "{table}"
        );
    }

    #[test]
    fn undefined_numbers_are_dashes_and_empty_fields() {
        let unknown = Summary {
            rhat: f64::NAN,
            ess_tail: f64::INFINITY,
            ..FINE
        };
        let report = report(Interval::Hdi, &[("a", unknown)]);
        assert!(
            aligned(&report, false, None).trim_end().ends_with("  inf     -"),
            "{}",
            aligned(&report, false, None)
        );
        assert!(csv(&report).trim_end().ends_with(",5973.4,,"), "{}", csv(&report));
    }

    #[test]
    fn nested_rhat_is_shown_where_it_is_judged() {
        let many = Summary {
            rhat: 1.02,
            nested_rhat: 1.003,
            ..FINE
        };
        let table = aligned(&report(Interval::Hdi, &[("a", many)]), true, None);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].ends_with("  rhat (nested)"), "{table}");
        assert!(lines[1].ends_with("  1.003"), "{table}");
    }

    #[test]
    fn large_quantities_show_their_ends() {
        let names: Vec<String> = (1..=501).map(|i| format!("a[{i}]")).collect();
        let mut rows: Vec<(&str, Summary)> = names.iter().map(|name| (name.as_str(), FINE)).collect();
        rows.push(("sigma", FINE));
        let report = report(Interval::Hdi, &rows);
        let more = |name: &str| format!("tadpool summary m.nc {name}");
        let table = aligned(&report, false, Some(&more));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 13, "{table}");
        assert_eq!(lines[6], "… 491 more: `tadpool summary m.nc a`");
        assert!(
            lines[7].starts_with("a[497]") && lines[12].starts_with("sigma"),
            "{table}"
        );
        assert_eq!(aligned(&report, false, None).lines().count(), 503);
        assert_eq!(csv(&report).lines().count(), 503);
    }

    #[test]
    fn names_with_commas_are_quoted_in_csv() {
        let csv = csv(&report(Interval::Hdi, &[("a[1,2]", FINE), ("b[\"x\"]", FINE)]));
        let names: Vec<&str> = csv
            .lines()
            .skip(1)
            .filter_map(|line| line.split(",2.1253").next())
            .collect();
        assert_eq!(names, ["\"a[1,2]\"", "\"b[\"\"x\"\"]\""]);
    }
}
