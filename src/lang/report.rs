//! Reports on the model text: what is wrong, where, and what to do, rendered in the manner of rustc.

use std::borrow::Cow;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level as RenderLevel, Renderer, Snippet};

use super::span::Span;
use crate::Error;

/// Columns that an excerpt may take.
const WIDTH: usize = 140;
/// Reports rendered in full; a file that is no model at all would otherwise print thousands.
const MAX_SHOWN: usize = 20;
/// Characters of a name or token that are repeated in a message.
const MAX_QUOTED: usize = 40;

/// How grave a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The model cannot be used.
    Error,
    /// It can be used but is likely not what was meant.
    Warning,
    /// Something that was done and should be known.
    Note,
}

/// A place with what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said; may be empty, then the place is underlined only.
    pub text: String,
}

/// One finding about the model text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How grave it is.
    pub level: Level,
    /// One line that names the finding.
    pub title: String,
    /// The place that it is about.
    pub primary: Label,
    /// Other places that explain it.
    pub secondary: Vec<Label>,
    /// Facts printed under the excerpt.
    pub notes: Vec<String>,
    /// What to do, printed last.
    pub help: Option<String>,
}

impl Report {
    /// An error at `span`, with what was expected there as its label.
    pub fn error(title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self::new(Level::Error, title.into(), span, label.into())
    }

    /// A warning at `span`.
    pub fn warning(title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self::new(Level::Warning, title.into(), span, label.into())
    }

    /// A note at `span`.
    pub fn note(title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self::new(Level::Note, title.into(), span, label.into())
    }

    fn new(level: Level, title: String, span: Span, text: String) -> Self {
        Self {
            level,
            title,
            primary: Label { span, text },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// The same report with a second place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// The same report with a fact under the excerpt.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same report with its remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The report as text, against the model text it was made for. Lines end in `\n`, the last one too.
    pub fn render(&self, name: &str, text: &str, colour: bool) -> String {
        let level = match self.level {
            Level::Error => RenderLevel::ERROR,
            Level::Warning => RenderLevel::WARNING,
            Level::Note => RenderLevel::NOTE,
        };
        let mut snippet = Snippet::source(text).path(name);
        let labels = std::iter::once((AnnotationKind::Primary, &self.primary)).chain(
            self.secondary
                .iter()
                .map(|label| (AnnotationKind::Context, label)),
        );
        for (kind, label) in labels {
            let span = inside(label.span, text);
            let mut annotation = kind.span(span.start..span.end);
            if !label.text.is_empty() {
                annotation = annotation.label(printable(&label.text));
            }
            snippet = snippet.annotation(annotation);
        }
        let mut group: Group<'_> = level.primary_title(printable(&self.title)).element(snippet);
        for note in &self.notes {
            group = group.element(RenderLevel::NOTE.message(printable(note)));
        }
        if let Some(help) = &self.help {
            group = group.element(RenderLevel::HELP.message(printable(help)));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut rendered = renderer.term_width(WIDTH).render(&[group]);
        rendered.push('\n');
        rendered
    }
}

/// Reports together with the text that they are about. At least one of them is an error where this is the `Err` of a
/// `Result`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The name of the model file, as it is to be printed.
    pub name: String,
    /// The model text.
    pub text: String,
    /// The findings, errors first, then by their place in the text.
    pub reports: Vec<Report>,
}

impl Reports {
    /// The findings about `text`, put in order.
    pub fn new(name: impl Into<String>, text: impl Into<String>, mut reports: Vec<Report>) -> Self {
        reports.sort_by_key(|report| (report.level, report.primary.span));
        Self {
            name: name.into(),
            text: text.into(),
            reports,
        }
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.reports.iter().any(|report| report.level == Level::Error)
    }

    /// Every report as text, an empty line between two of them, with ANSI colours if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let mut rendered: Vec<String> = self
            .reports
            .iter()
            .take(MAX_SHOWN)
            .map(|report| report.render(&self.name, &self.text, colour))
            .collect();
        if self.reports.len() > MAX_SHOWN {
            rendered.push(format!("… and {} more\n", self.reports.len() - MAX_SHOWN));
        }
        rendered.join("\n")
    }
}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Reports {}

impl From<Reports> for Error {
    fn from(reports: Reports) -> Self {
        Error::user(reports.render(false).trim_end())
    }
}

/// A piece of the user's text for a message: in backticks, at most 40 characters.
pub fn quoted(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTED {
        return format!("`{text}`");
    }
    let head: String = text.chars().take(MAX_QUOTED - 1).collect();
    format!("`{head}…`")
}

/// `span` cut to what lies inside `text`, on character boundaries.
fn inside(span: Span, text: &str) -> Span {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    Span::new(start, floor(span.end).max(start))
}

/// Control characters written out, so that a model text cannot steer the terminal through a message.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| {
        if c.is_control() && c != '\n' {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Reports {
        let report = Report::error("unknown distribution `Norml`", Span::new(4, 9), "not known")
            .with_label(Span::new(0, 1), "for this target")
            .with_note("names of distributions begin with a capital letter")
            .with_help("did you mean `Normal`?");
        Reports::new("m.tad", "a ~ Norml(0, 1)\n", vec![report])
    }

    #[test]
    fn a_report_shows_line_place_note_and_help() {
        let expected = "\
error: unknown distribution `Norml`
 --> m.tad:1:5
  |
1 | a ~ Norml(0, 1)
  | -   ^^^^^ not known
  | |
  | for this target
  |
  = note: names of distributions begin with a capital letter
  = help: did you mean `Normal`?
";
        assert_eq!(example().render(false), expected);
    }

    #[test]
    fn colour_changes_the_looks_only() {
        let coloured = example().render(true);
        assert!(coloured.contains("\u{1b}["));
        assert!(!example().render(false).contains('\u{1b}'));
    }

    #[test]
    fn reports_become_a_user_error_without_a_second_heading() {
        let error = Error::from(example());
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().starts_with("error: unknown distribution"));
        assert!(!error.to_string().contains("error: error"));
    }

    #[test]
    fn errors_come_before_warnings_and_then_in_the_order_of_the_text() {
        let at = |start| Span::new(start, start + 1);
        let reports = Reports::new(
            "m.tad",
            "abc",
            vec![
                Report::warning("w", at(0), ""),
                Report::error("late", at(2), ""),
                Report::error("early", at(1), ""),
            ],
        );
        let titles: Vec<&str> = reports
            .reports
            .iter()
            .map(|report| report.title.as_str())
            .collect();
        assert_eq!(titles, ["early", "late", "w"]);
    }

    #[test]
    fn long_lines_and_odd_spans_are_rendered_within_the_width() {
        let text = "x".repeat(10_000);
        let report = Report::error("t", Span::new(5_000, 5_003), "here");
        let rendered = report.render("m.tad", &text, false);
        assert!(
            rendered.lines().all(|line| line.chars().count() <= WIDTH + 10),
            "{rendered}"
        );
        assert!(rendered.contains("^^^ here"));
        // Beyond the end, and inside a character.
        Report::error("t", Span::new(7, 20_000), "").render("m.tad", "σσ", false);
        Report::error("t", Span::new(1, 3), "").render("m.tad", "σσ", false);
        Report::error("t", Span::at(0), "").render("m.tad", "", false);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let report = Report::error("odd \u{1b}[31m name", Span::new(0, 1), "");
        assert!(!report.render("m.tad", "\u{1b}[31m", false).contains('\u{1b}'));
    }
}
