//! Fits as one page of HTML, and what is said of models and fits in words, here and on the command line.
//!
//! May import everything up to `plot`. What lives here:
//!
//! - [`page`]: the page of one fit or several;
//! - `markup`: text that cannot break the page, tables, headings; `page.css`, `page.js`: its look, sorting of tables;
//! - `mathematics`: a model text as MathML, out of the syntax tree;
//! - one file for each section: `model`, `data`, `parameters`, `diagnostics`, `pictures`, `comparison`, `predictions`,
//!   `provenance`;
//! - `structure`, `rows`, `digits`: what a model consists of, and numbers with the digits that say something.
//!
//! Promises: the page is one file that asks nothing of any network, which it forbids itself; all of it can be read
//! without script; names from model and data stand in it as text, whatever they hold; the same fits give the same bytes.

mod comparison;
mod data;
mod diagnostics;
pub(crate) mod digits;
pub(crate) mod markup;
mod mathematics;
mod model;
mod parameters;
mod pictures;
mod predictions;
mod provenance;
pub(crate) mod rows;
pub(crate) mod structure;

use crate::diag::{Interval, NESTED_FROM_CHAINS, Prob};
use crate::error::{Error, Result};
use crate::fit::{Fit, Report, available_threads};
use crate::plot::{self, Source};
use crate::predict::Fitted;
use markup::{Page, escaped};
use pictures::Room;

/// How a page is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Probability of intervals.
    pub prob: Prob,
    /// Their kind.
    pub interval: Interval,
    /// Seed of new groups and new outcomes.
    pub seed: u64,
}

impl Options {
    fn pictures(&self, outcome: Option<String>) -> plot::Options {
        plot::Options {
            prob: self.prob,
            interval: self.interval,
            seed: self.seed,
            outcome,
            ..plot::Options::default()
        }
    }
}

/// A fit with all that the sections take from it.
struct Subject<'a> {
    source: Source<'a>,
    /// The path of its file.
    file: &'a str,
    fitted: Fitted<'a>,
    report: Report,
    /// Whether the nested R-hat is the one that is judged.
    nested: bool,
}

impl<'a> Subject<'a> {
    fn of(source: Source<'a>, file: &'a str, options: &Options) -> Result<Self> {
        let report = Report::of(source.fit, options.prob, options.interval, available_threads())?;
        Ok(Self {
            source,
            file,
            fitted: Fitted::new(source.fit)?,
            nested: source.fit.run.chains >= NESTED_FROM_CHAINS && report.verdict.nested_rhat.is_some(),
            report,
        })
    }

    fn fit(&self) -> &'a Fit {
        self.source.fit
    }
}

/// The page of fits, each with the path of its file: one section for each, before them a comparison if there are several.
///
/// # Errors
///
/// A user error if a file holds no draws. What a fit cannot give is left out of the page, which says why.
pub fn page(fits: &[(Source<'_>, &str)], options: &Options) -> Result<String> {
    let subjects = fits
        .iter()
        .map(|(source, file)| Subject::of(*source, file, options))
        .collect::<Result<Vec<_>>>()?;
    let Some(first) = subjects.first() else {
        return Err(Error::bug("a report of no fit"));
    };
    let mut page = Page::new();
    let mut room = Room::new();
    let title = match subjects.as_slice() {
        [only] => only.source.name.to_owned(),
        several => several
            .iter()
            .map(|one| one.source.name)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let several = subjects.len() > 1;
    if several {
        comparison::section(&mut page, &subjects, options, &mut room)?;
    }
    for subject in &subjects {
        let depth = if several {
            page.heading(1, subject.source.name);
            2
        } else {
            1
        };
        page.raw(&diagnostics::badge(subject));
        page.paragraph("run", &provenance::in_brief(subject));
        model::section(&mut page, depth, subject);
        data::section(&mut page, depth, subject);
        parameters::section(&mut page, depth, subject);
        diagnostics::section(&mut page, depth, subject);
        predictions::section(&mut page, depth, subject, options)?;
        pictures::section(&mut page, depth, subject, options, &mut room)?;
        if !several {
            comparison::section(&mut page, std::slice::from_ref(first), options, &mut room)?;
        }
        provenance::section(&mut page, depth, subject);
    }
    Ok(page.finish(&escaped(&title)))
}

/// Whether a text is a page such as [`page`] writes, by how it begins.
pub fn is_page(head: &[u8]) -> bool {
    let begin = &head[..head.len().min(markup::BEGIN.len())];
    begin.eq_ignore_ascii_case(markup::BEGIN.as_bytes())
}
