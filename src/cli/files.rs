//! Keeping results off other files, writing files whole, the name of a model.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Checks that a fit file at `out` would replace nothing but an older fit file; `inputs` are the model and the data.
///
/// # Errors
///
/// A user error if `out` is one of `inputs`, by whatever path, or holds something that is no NetCDF file.
pub(super) fn keeps_others(out: &Path, inputs: &[(&str, &Path)]) -> Result<()> {
    let Ok(target) = fs::canonicalize(out) else {
        return Ok(());
    };
    let name = out.display();
    for (what, input) in inputs {
        if fs::canonicalize(input).is_ok_and(|input| input == target) {
            return Err(Error::user(format!(
                "the fit file {name} is the {what} file itself, which it would replace"
            ))
            .with_help("name another file with `--out FIT.nc`"));
        }
    }
    if is_replaceable(&target) {
        return Ok(());
    }
    Err(Error::user(format!(
        "{name} exists and is no fit file, and the fit would replace it"
    ))
    .with_help("name another file with `--out FIT.nc`, or delete this one first"))
}

/// Whether a file is empty or begins as NetCDF files do; one that cannot be read is left to who writes it.
fn is_replaceable(path: &Path) -> bool {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    const CLASSIC: &[u8] = b"CDF";
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(HDF5.len() as u64).read_to_end(&mut head)) {
        Ok(_) => head.is_empty() || head.starts_with(HDF5) || head.starts_with(CLASSIC),
        Err(_) => true,
    }
}

/// Checks that a result at `out` would not replace one of the files that it is made from.
///
/// # Errors
///
/// A user error if it would, by whatever path.
pub(super) fn keeps_inputs<'a>(out: &Path, inputs: impl Iterator<Item = &'a Path>) -> Result<()> {
    let Ok(target) = fs::canonicalize(out) else {
        return Ok(());
    };
    for input in inputs {
        if fs::canonicalize(input).is_ok_and(|input| input == target) {
            return Err(Error::user(format!(
                "{} is read here, and the result would replace it",
                out.display()
            ))
            .with_help("name another file with `--out`"));
        }
    }
    Ok(())
}

/// Writes a text to a file as a whole, as [`write_whole`] does.
///
/// # Errors
///
/// An environment error if the file cannot be written.
pub(super) fn write_text(path: &Path, text: &str) -> Result<()> {
    write_whole(path, &|to| to.write_all(text.as_bytes()))
}

/// A file that is being written.
pub(super) type Target = BufWriter<File>;

/// Writes a file as a whole: beside it first, then in its place.
///
/// # Errors
///
/// An environment error if the file cannot be written.
pub(super) fn write_whole(path: &Path, write: &dyn Fn(&mut Target) -> io::Result<()>) -> Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let place = || {
        let mut to = BufWriter::with_capacity(1 << 16, File::create(&beside)?);
        write(&mut to)?;
        to.flush()?;
        drop(to);
        fs::rename(&beside, path)
    };
    place().map_err(|fault| {
        // The error that led here is returned; a leftover may not even exist.
        drop(fs::remove_file(&beside));
        Error::environment(format!("{} cannot be written: {fault}", path.display())).with_help(
            "check that the folder exists and that you may write there, or name another with `--out`",
        )
    })
}

/// The name of a model: its file's name without the extension.
pub(super) fn model_name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stems() {
        assert_eq!(model_name(Path::new("data/reedfrogs/m12_2.tad")), "m12_2");
        assert_eq!(model_name(Path::new("model")), "model");
    }
}
