//! What a calibration shows.

use serde_json::{Value, json};

use super::{Findings, ROWS, heading, is_judged, listed, option, title, too_many_unsound};
use crate::error::Result;
use crate::plot::Options;
use crate::plot::study::{Ranked, rank_ecdfs, rank_histograms};
use crate::study::calibration::{BIN_PROB, Calibration};
use crate::study::draws::ranked_of;
use crate::study::manifest::Manifest;
use crate::study::record::Part;
use crate::study::sheet::{Grid, Section, Sheet, Shown, plain};

/// Panels of a picture.
const PANELS: usize = 24;

pub(super) fn findings(manifest: &Manifest, part: &Part) -> Result<Findings> {
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
