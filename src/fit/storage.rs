//! Puts a file in place as a whole or not at all.

use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Names that are tried for a temporary file, where those before belong to others or were left by killed processes.
const ATTEMPTS: u32 = 100;

/// Removes the temporary file unless it was renamed.
struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing is left to tell: the caller already returns the error that led here.
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Temporary {
    /// A new file beside `path`, on the same file system, so that a rename can replace `path` at once.
    fn beside(path: &Path) -> io::Result<(Self, File)> {
        // Of several machines on one file system, or in containers, another process may have this one's number.
        let mut attempt = 0;
        loop {
            let mut name = OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push(format!(".{}-{attempt}.part", std::process::id()));
            let path = folder(path).join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, kept: false }, file)),
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                    attempt += 1
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Checks, before any sampling, that a file can be put at `path`; leaves nothing behind.
///
/// # Errors
///
/// A user error where `path` is a folder or no regular file, an environment error where its folder is missing or
/// cannot be written.
pub fn writable(path: &Path) -> Result<()> {
    check_target(path)?;
    Temporary::beside(path)
        .map(drop)
        .map_err(|cause| unwritable(path, &cause))
}

/// Writes to a temporary file, flushes it to the disk and renames it to `path`.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    check_target(path)?;
    put(path, write).map_err(|cause| unwritable(path, &cause))
}

/// As [`replace`], for any file; what the fault means is the caller's to say.
pub(crate) fn put(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let (mut temporary, file) = Temporary::beside(path)?;
    let mut to = BufWriter::with_capacity(1 << 20, file);
    write(&mut to)?;
    to.flush()?;
    to.get_ref().sync_all()?;
    drop(to);
    fs::rename(&temporary.path, path)?;
    temporary.kept = true;
    sync_folder(folder(path))
}

/// The bytes of a file.
pub(super) fn load(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| {
        let help = match cause.kind() {
            io::ErrorKind::NotFound => "check the name; `tadpool fit` says where it wrote the file",
            io::ErrorKind::IsADirectory => "give the file itself, not its folder",
            _ => "check that you may read the file",
        };
        Error::environment(format!("cannot read `{}`: {cause}", path.display())).with_help(help)
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// A rename would put a plain file in the place of a device, or fail on a folder.
fn check_target(path: &Path) -> Result<()> {
    let what = match fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(found) if found.is_dir() => "is a folder",
        Ok(_) => "is a device or a pipe",
        Err(_) if path.file_name().is_some() => return Ok(()),
        Err(_) => "names no file",
    };
    Err(Error::user(format!(
        "cannot write a fit file to `{}`: it {what}",
        path.display()
    ))
    .with_help("name a file with `--out FIT.nc`"))
}

/// Makes the names in a folder durable. Only Unix lets a program flush a folder.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn unwritable(path: &Path, cause: &io::Error) -> Error {
    let folder = folder(path).display();
    let help = match cause.kind() {
        io::ErrorKind::NotFound => {
            format!("create the folder `{folder}`, or choose another with `--out FIT.nc`")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("free some space in `{folder}`, or choose another folder with `--out FIT.nc`")
        }
        _ => format!("check that you may write in `{folder}`, or choose another folder with `--out FIT.nc`"),
    };
    Error::environment(format!("cannot write `{}`: {cause}", path.display())).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    /// An empty folder of this test's own.
    fn fresh(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tadpool-storage-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a writable temporary folder");
        folder
    }

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable entry").file_name())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_midway_keeps_the_old_file_and_leaves_nothing() {
        let folder = fresh("midway");
        let path = folder.join("fit.nc");
        replace(&path, |to| to.write_all(b"old")).expect("first write");
        let error = replace(&path, |to| {
            to.write_all(&[0; 1 << 21])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .expect_err("the disk is full");
        assert_eq!(error.kind(), Kind::Environment);
        assert!(
            error.help().expect("a remedy").contains("free some space"),
            "{error}"
        );
        assert_eq!(fs::read(&path).expect("old file"), b"old");
        assert_eq!(names(&folder), ["fit.nc"]);
        replace(&path, |to| to.write_all(b"new")).expect("second write");
        assert_eq!(fs::read(&path).expect("new file"), b"new");
        assert_eq!(names(&folder), ["fit.nc"]);
    }

    #[test]
    fn what_a_killed_process_of_the_same_number_left_does_no_harm() {
        let folder = fresh("leftover");
        let leftover = format!(".fit.nc.{}-0.part", std::process::id());
        fs::write(folder.join(&leftover), b"half").expect("a leftover");
        let path = folder.join("fit.nc");
        replace(&path, |to| to.write_all(b"whole")).expect("another name is free");
        assert_eq!(fs::read(&path).expect("the file"), b"whole");
        assert_eq!(names(&folder), [OsString::from(leftover), "fit.nc".into()]);
    }

    #[test]
    fn checking_leaves_nothing_and_names_the_remedy() {
        let folder = fresh("check");
        assert_eq!(writable(&folder.join("fit.nc")), Ok(()));
        assert!(names(&folder).is_empty());
        let missing = writable(&folder.join("none/fit.nc")).expect_err("no such folder");
        assert_eq!(missing.kind(), Kind::Environment);
        assert!(
            missing.help().expect("a remedy").starts_with("create the folder"),
            "{missing}"
        );
        let directory = writable(&folder).expect_err("a folder");
        assert_eq!(directory.kind(), Kind::User);
        assert!(directory.message().contains("is a folder"), "{directory}");
    }

    #[test]
    fn a_missing_file_says_so() {
        let error = load(&fresh("missing").join("none.nc")).expect_err("no such file");
        assert_eq!(error.kind(), Kind::Environment);
        assert!(error.message().contains("none.nc"), "{error}");
    }
}
