//! What messages look like: their colours, and the streams that strip them where they do not belong.

use anstyle::{AnsiColor, Style};

/// Headings of a page.
pub(super) const HEADING: Style = Style::new().bold();
/// All is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Something needs a look.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The first word of an error.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The first word of a note or a remedy.
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// `text` in a style; the stream that it goes to strips the colours where none are wanted.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
