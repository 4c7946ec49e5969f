//! Reading the model file, keeping results off other files, writing texts.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// The text of a model file.
///
/// # Errors
///
/// A user error if there is no such file, if it is a directory, or if it is not UTF-8; an environment error if it cannot
/// be read.
pub(super) fn read_model(path: &Path) -> Result<String> {
    let name = path.display();
    if path.is_dir() {
        return Err(
            Error::user(format!("{name} is a directory, and a model file is expected"))
                .with_help("name a `.tad` file inside it"),
        );
    }
    let bytes = std::fs::read(path).map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => Error::user(format!("there is no model file {name}"))
            .with_help("check the path; it is looked up from the current folder"),
        _ => Error::environment(format!("the model file {name} cannot be read: {fault}"))
            .with_help("check the permissions of the file and of the folders above it"),
    })?;
    let text = String::from_utf8(bytes).map_err(|fault| {
        let valid = fault.utf8_error().valid_up_to();
        let line = fault.as_bytes()[..valid]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        Error::user(format!(
            "the model file {name} is not UTF-8 text: line {line} holds byte 0x{:02X}",
            fault.as_bytes()[valid]
        ))
        .with_help("save it as UTF-8; a model is a plain text such as `y ~ Normal(mu, sigma)`")
    })?;
    // A byte order mark is no part of the text.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

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
    fn what_is_no_model_text_is_named() {
        let missing = read_model(Path::new("no/such.tad")).unwrap_err();
        assert_eq!(missing.exit_code(), 3);
        assert_eq!(missing.message(), "there is no model file no/such.tad");
        let folder = read_model(Path::new("src")).unwrap_err();
        assert_eq!(
            folder.message(),
            "src is a directory, and a model file is expected"
        );
    }

    #[test]
    fn names_are_stems() {
        assert_eq!(model_name(Path::new("data/reedfrogs/m12_2.tad")), "m12_2");
        assert_eq!(model_name(Path::new("model")), "model");
    }
}
