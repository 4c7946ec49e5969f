//! How well fits predict rows that they were not fitted to, side by side where there are several of the same data.

use super::digits::{Places, number};
use super::markup::{Align, Cell, Page};
use super::pictures::{self, Room};
use super::{Options, Subject};
use crate::diag::elpd::{difference, stacking};
use crate::error::{Kind as Blame, Result};
use crate::fit::{Criterion, Elpd, Known, REFITS, available_threads, data_difference};
use crate::plot::{Kind, Source};

pub(super) fn section(
    page: &mut Page,
    subjects: &[Subject<'_>],
    options: &Options,
    room: &mut Room,
) -> Result<()> {
    let several = subjects.len() > 1;
    page.heading(
        1,
        if several {
            "Comparison"
        } else {
            "How well it predicts"
        },
    );
    let mut elpds = Vec::new();
    for subject in subjects {
        match Elpd::of(subject.fit(), subject.file, Criterion::Loo, available_threads()) {
            Ok(elpd) => elpds.push(elpd),
            Err(error) if error.kind() == Blame::User => {
                page.paragraph("", &format!("This cannot be told: {}.", error.message()));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(difference) = apart(subjects, &elpds) {
        page.paragraph(
            "",
            &format!(
                "The fits are of different data, so what they predict cannot be compared: {difference}. Compare models of \
                 the same outcome in the same rows of the same table."
            ),
        );
    } else {
        table(page, subjects, &elpds);
    }
    if several {
        let sources: Vec<Source<'_>> = subjects.iter().map(|subject| subject.source).collect();
        let files: Vec<&str> = subjects.iter().map(|subject| subject.file).collect();
        let asked = options.pictures(None);
        let mut missing = Vec::new();
        for picture in [
            (Kind::Compare, "How well the models predict: smaller is better."),
            (Kind::Forest, "The parameters of all fits, side by side."),
        ] {
            missing.extend(pictures::add(page, picture, &sources, &files, &asked, room)?);
        }
        page.list("notes", &missing);
    }
    Ok(())
}

/// What sets the data of the fits apart; none if they are of the same.
fn apart(subjects: &[Subject<'_>], elpds: &[Elpd]) -> Option<String> {
    let known = |place: usize| Known {
        name: subjects[place].source.name,
        fit: subjects[place].fit(),
        observations: &elpds[place].observations,
    };
    (1..subjects.len()).find_map(|place| data_difference(known(0), known(place)))
}

/// The table, best first, with the doubts about it.
fn table(page: &mut Page, subjects: &[Subject<'_>], elpds: &[Elpd]) {
    let several = subjects.len() > 1;
    page.paragraph(
        "note",
        "Leave-one-out by Pareto smoothed importance sampling. elpd is the log density that rows left out are expected \
         to have, larger is better; −2 elpd is the same as a deviance; p is the effective number of parameters. Errors are \
         those of a sum over rows. A difference of less than two of its standard errors says little.",
    );
    let pointwise: Vec<Vec<f64>> = elpds.iter().map(Elpd::pointwise).collect();
    let weights = stacking(&pointwise.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    // Undefined ones last; equal ones in the order given.
    let key = |place: &usize| match elpds[*place].total().sum {
        sum if sum.is_nan() => f64::INFINITY,
        sum => -sum,
    };
    order.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let best = &pointwise[order[0]];
    let shown = |x: f64, decimals: usize| Cell::number(&number(x, Places::Fixed(decimals)), x);
    let rows: Vec<Vec<Cell>> = order
        .iter()
        .enumerate()
        .map(|(rank, &place)| {
            let elpd = &elpds[place];
            let total = elpd.total();
            let mut cells = vec![
                Cell::text(subjects[place].source.name),
                shown(total.sum, 1),
                shown(total.se, 1),
                shown(-2.0 * total.sum, 1),
                shown(elpd.p(), 1),
                shown(elpd.high_pareto_k().unwrap_or_default() as f64, 0),
            ];
            if several {
                let apart = difference(best, &pointwise[place]);
                // The best one's distance to itself is no estimate.
                let se = if rank == 0 { f64::NAN } else { apart.se };
                cells.extend([shown(apart.sum, 1), shown(se, 1), shown(weights[place], 2)]);
            }
            cells
        })
        .collect();
    let doubtful = format!(
        "k > {:.2}",
        elpds
            .iter()
            .map(Elpd::pareto_k_threshold)
            .fold(f64::INFINITY, f64::min)
    );
    let mut heads = vec![
        ("model", Align::Left),
        ("elpd", Align::Right),
        ("se", Align::Right),
        ("−2 elpd", Align::Right),
        ("p", Align::Right),
        (doubtful.as_str(), Align::Right),
    ];
    if several {
        heads.extend([
            ("behind the best", Align::Right),
            ("se of that", Align::Right),
            ("weight", Align::Right),
        ]);
    }
    page.table(&heads, &rows);
    let mut doubts: Vec<String> = Vec::new();
    for (subject, elpd) in subjects.iter().zip(elpds) {
        let said = elpd.doubts(Criterion::Loo).into_iter();
        doubts.extend(said.map(|doubt| format!("{}: {doubt}", subject.source.name)));
    }
    if doubts.iter().any(|doubt| doubt.contains("`--by exact`")) {
        doubts.push(REFITS.to_owned());
    }
    page.list("faults", &doubts);
}
