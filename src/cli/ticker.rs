//! Shows progress while a run goes on: one line redrawn on a terminal, a plain line now and then on a pipe.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::output::to_stderr;

/// Between two drawings of the line on a terminal.
const REDRAW: Duration = Duration::from_millis(120);
/// Between two lines on a pipe; runs shorter than [`FIRST_LINE`] leave none.
const PLAIN: Duration = Duration::from_secs(5);
/// Before the first line on a pipe.
const FIRST_LINE: Duration = Duration::from_secs(2);

/// Runs `work` and shows the line that `line` makes of the time since it began meanwhile, unless `quiet`.
pub(super) fn watched<T>(
    line: &(dyn Fn(Duration) -> String + Sync),
    quiet: bool,
    work: impl FnOnce() -> T,
) -> T {
    if quiet {
        return work();
    }
    let (done, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| show(line, finished));
        let result = work();
        // Dropping the sender ends the showing; also when `work` panics.
        drop(done);
        result
    })
}

/// Shows the line until the other end of `finished` is dropped.
fn show(line_at: &(dyn Fn(Duration) -> String + Sync), finished: mpsc::Receiver<()>) {
    let start = Instant::now();
    let on_terminal = stderr().is_terminal();
    let mut wait = if on_terminal { REDRAW } else { FIRST_LINE };
    let mut shown: usize = 0;
    while finished.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let mut line = line_at(start.elapsed());
        if on_terminal {
            // A line that wraps could not be redrawn in place.
            let columns: usize =
                terminal_size::terminal_size_of(stderr()).map_or(80, |(width, _)| width.0.into());
            line = line.chars().take(columns.saturating_sub(1)).collect();
            let length = line.chars().count();
            to_stderr(&format!("\r{line}{}", " ".repeat(shown.saturating_sub(length))));
            shown = length;
        } else {
            to_stderr(&format!("{line}\n"));
            wait = PLAIN;
        }
    }
    if shown > 0 {
        to_stderr(&format!("\r{}\r", " ".repeat(shown)));
    }
}
