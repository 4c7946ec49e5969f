//! Ctrl-C as a flag that the run looks at.

use std::sync::atomic::{AtomicBool, Ordering};

use super::output::to_stderr;
use crate::error::{Error, Result};

/// Raised by the first Ctrl-C (or SIGTERM); the run ends after the iteration that it is in.
static STOP: AtomicBool = AtomicBool::new(false);

/// Raised once the run has draws that a stop would keep.
static HAS_DRAWS: AtomicBool = AtomicBool::new(false);

/// Tells that there are draws to keep.
pub(super) fn draws_are_there() {
    HAS_DRAWS.store(true, Ordering::Relaxed);
}

/// Takes over Ctrl-C in a fit: the first raises the flag returned, the second quits at once with 130.
///
/// # Errors
///
/// An environment error if the system allows no handler.
pub(super) fn stop_on_interrupt() -> Result<&'static AtomicBool> {
    stop_saying(|| {
        if HAS_DRAWS.load(Ordering::Relaxed) {
            "what was drawn so far will be saved"
        } else {
            "in warm-up there are no draws to save"
        }
    })
}

/// As [`stop_on_interrupt`]; the first Ctrl-C says what is kept.
///
/// # Errors
///
/// As [`stop_on_interrupt`].
pub(super) fn stop_saying(kept: fn() -> &'static str) -> Result<&'static AtomicBool> {
    ctrlc::set_handler(move || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(super::INTERRUPTED.into());
        }
        let kept = kept();
        to_stderr(&format!("\nstopping: {kept}; Ctrl-C again quits at once\n"));
    })
    .map_err(|fault| Error::environment(format!("Ctrl-C cannot be caught: {fault}")))?;
    Ok(&STOP)
}
