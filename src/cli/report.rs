//! `tadpool report`: fits as one page of HTML.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Outcome;
use super::args::ReportArgs;
use super::files::{keeps_inputs, write_text};
use super::inputs::read_fit;
use super::output::{Notes, print};
use super::plot::names;
use crate::error::{Error, Result};
use crate::plot::Source;
use crate::report::{is_page, page};

/// Reads the fits, writes the page, prints its path.
pub(super) fn run(args: &ReportArgs) -> Result<Outcome> {
    let notes = Notes { quiet: false };
    keeps_inputs(&args.out, args.fits.iter().map(|path| path.as_path()))?;
    keeps_others(&args.out)?;
    let mut fits = Vec::with_capacity(args.fits.len());
    for path in &args.fits {
        fits.push(read_fit(path, notes)?);
    }
    let names = names(&args.fits, &fits);
    let files: Vec<String> = args.fits.iter().map(|path| path.display().to_string()).collect();
    let sources: Vec<(Source<'_>, &str)> = fits
        .iter()
        .zip(&names)
        .zip(&files)
        .map(|((fit, name), file)| (Source { fit, name }, file.as_str()))
        .collect();
    write_text(&args.out, &page(&sources, &args.options())?)?;
    print(&format!("{}\n", args.out.display()))?;
    Ok(Outcome::Done)
}

/// Checks that the page would replace nothing but an older page; a file that cannot be read is left to who writes it.
fn keeps_others(out: &Path) -> Result<()> {
    let mut head = Vec::new();
    let read = File::open(out).and_then(|file| file.take(64).read_to_end(&mut head));
    if read.is_err() || head.is_empty() || is_page(&head) {
        return Ok(());
    }
    Err(Error::user(format!(
        "{} exists and is no page of HTML, and the report would replace it",
        out.display()
    ))
    .with_help("name another file with `--out FILE.html`, or delete this one first"))
}
