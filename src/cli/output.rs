//! Where words go: results to stdout, notes and errors to stderr.

use std::io::{self, ErrorKind, Write};

use super::style::{ERROR, NOTE, styled};
use crate::error::{Error, Result};

/// Writes a result to stdout. A reader that has gone away is no error: it has what it wanted.
///
/// # Errors
///
/// An environment error if stdout cannot be written.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(Error::environment(format!(
            "the result cannot be written to stdout: {fault}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Notes on stderr, or nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notes {
    /// Whether nothing is to be said.
    pub quiet: bool,
}

impl Notes {
    /// Writes `note: text` to stderr.
    pub(super) fn say(self, text: &str) {
        if !self.quiet {
            to_stderr(&format!("{} {text}\n", styled(NOTE, "note:")));
        }
    }

    /// Writes a text that has its own heading to stderr.
    pub(super) fn show(self, text: &str) {
        if !self.quiet {
            to_stderr(text);
        }
    }
}

/// A number with its noun: `1 chain`, `4 chains`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Writes an error with its remedy to stderr.
pub(super) fn print_error(error: &Error) {
    let mut text = String::new();
    for line in error.to_string().lines() {
        let coloured = [("error:", ERROR), ("internal error:", ERROR), ("help:", NOTE)]
            .into_iter()
            .find_map(|(word, style)| {
                let rest = line.strip_prefix(word)?;
                Some(format!("{}{rest}", styled(style, word)))
            });
        text.push_str(coloured.as_deref().unwrap_or(line));
        text.push('\n');
    }
    to_stderr(&text);
}

/// Writes to stderr. Where even that fails there is nobody left to tell.
pub(super) fn to_stderr(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _: io::Result<()> = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
