//! The pictures of a fit, inside the page.

use super::markup::{Page, escaped};
use super::{Options, Subject};
use crate::error::{Kind as Blame, Result};
use crate::plot::{self, Kind, Source, drawn_svg};

/// Bytes of all pictures of a page at most, so that it can be sent by mail and opens at once.
const ROOM: usize = 5 << 19;
/// Bytes of one at most.
const LARGEST: usize = 3 << 18;
/// Parameters of the traces at most: the page shows the most telling ones.
const TRACED: usize = 8;

/// What is left for pictures in a page.
pub(super) struct Room {
    left: usize,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { left: ROOM }
    }
}

/// A picture of the page, with what it says in a sentence.
const PICTURES: [(Kind, &str); 9] = [
    (
        Kind::Forest,
        "Where each parameter lies: its mean, and the interval that holds it with the probability named.",
    ),
    (
        Kind::Shrinkage,
        "What was observed in each group, and what the model makes of it: groups with little data are drawn towards the \
         overall mean.",
    ),
    (
        Kind::Population,
        "The distribution that groups come from, drawn a hundred times as uncertain as it is, and what new groups would be.",
    ),
    (
        Kind::Ppc,
        "New data from the fitted model beside the data: where they differ, the model misses something.",
    ),
    (
        Kind::Calibration,
        "New outcomes of the model in each group against what was observed.",
    ),
    (Kind::Density, "The posterior densities."),
    (
        Kind::Trace,
        "The draws of each chain in their order, and their ranks. Good chains look alike and wander over the same range; \
         their rank bars are level.",
    ),
    (
        Kind::Energy,
        "The energies of the draws and their changes: two curves that lie on each other show a sampler that reaches the \
         tails.",
    ),
    (
        Kind::ParetoK,
        "How far leave-one-out can be trusted, row by row: points above the line are rows that the fit depends on too much.",
    ),
];

pub(super) fn section(
    page: &mut Page,
    depth: usize,
    subject: &Subject<'_>,
    options: &Options,
    room: &mut Room,
) -> Result<()> {
    page.heading(depth, "Pictures");
    let outcomes = subject.fitted.outcomes();
    let outcome = outcomes.first().map(|name| (*name).to_owned());
    let mut asked = options.pictures(outcome);
    let mut missing = Vec::new();
    for (kind, says) in PICTURES {
        asked.vars = match kind {
            Kind::Trace => subject.source.most_telling(TRACED)?,
            _ => Vec::new(),
        };
        let fits = std::slice::from_ref(&subject.source);
        missing.extend(add(page, (kind, says), fits, &[subject.file], &asked, room)?);
    }
    if !missing.is_empty() {
        page.part(depth, "Left out");
        page.list("notes", &missing);
    }
    Ok(())
}

/// Adds a picture with its caption; where it cannot be added, the reason in a sentence.
///
/// # Errors
///
/// Faults of tadpool and of the machine.
pub(super) fn add(
    page: &mut Page,
    (kind, says): (Kind, &str),
    fits: &[Source<'_>],
    files: &[&str],
    options: &plot::Options,
    room: &mut Room,
) -> Result<Option<String>> {
    let svg = match drawn_svg(kind, fits, options) {
        Ok(svg) => svg,
        Err(error) if error.kind() == Blame::User => {
            return Ok(Some(format!("{}: {}.", kind.name(), error.message())));
        }
        Err(error) => return Err(error),
    };
    if svg.len() > LARGEST.min(room.left) {
        return Ok(Some(format!(
            "{}: it would take {} kB of this page. `tadpool plot {} {}` draws it.",
            kind.name(),
            svg.len() / 1000,
            kind.name(),
            files.join(" ")
        )));
    }
    room.left -= svg.len();
    let label = escaped(&format!("Picture: {}", kind.about()));
    let labelled = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1);
    page.raw(&format!(
        "<figure class=\"{}\">\n{labelled}<figcaption>{}</figcaption>\n</figure>\n",
        kind.name(),
        escaped(says)
    ));
    Ok(None)
}
