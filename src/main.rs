//! The `tadpool` command: runs [`tadpool::cli`] and turns what comes of it into an exit code.

use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Mesa's device selection layer, which reorders adapters that we choose among ourselves, complains on stderr where
    // there is no desktop. SAFETY: no other thread runs yet that could read the environment.
    unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    panic::set_hook(Box::new(|fault| {
        eprintln!(
            "internal error: {fault}\nThis is a fault of tadpool, not of your model; please report it with the command, \
             the model and, if you can, the data."
        );
    }));
    let words: Vec<OsString> = std::env::args_os().collect();
    // An unwound panic was told by the hook; 1 is the exit code of tadpool's own faults.
    panic::catch_unwind(|| ExitCode::from(tadpool::cli::run(&words))).unwrap_or(ExitCode::from(1))
}
