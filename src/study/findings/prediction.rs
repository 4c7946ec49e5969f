//! What a cross-validation shows.

use serde_json::json;

use super::{Findings, finite, option, title, too_many_unsound};
use crate::error::Result;
use crate::study::manifest::Manifest;
use crate::study::predictive::Predictive;
use crate::study::record::Part;
use crate::study::sheet::{Grid, Section, Sheet, measured, plain};

pub(super) fn findings(manifest: &Manifest, part: &Part) -> Result<Findings> {
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
