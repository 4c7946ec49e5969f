//! One part in its folder: two tables, and a seal that says whose they are and how they were written.
//!
//! A part is made in another folder and put in place by one rename, so that it is there as a whole or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fields::Fields;
use super::parquet::{part_files, part_of};
use super::record::Part;
use super::tables::same;
use crate::data::bytes_fingerprint;
use crate::error::{Error, Result};
use crate::fit::{put, sync_folder};

pub(super) const SEAL: &str = "part.json";

/// Names that are tried for an unfinished part, where those before belong to others or were left by killed processes.
const ATTEMPTS: u32 = 1000;

/// The place of a part; whether it is there is another matter.
pub(super) struct Piece<'a> {
    range: Range<u32>,
    /// The key of the study.
    key: &'a str,
    folder: PathBuf,
}

impl<'a> Piece<'a> {
    /// The place of the replicates of `range` in a folder of parts.
    pub(super) fn within(parts: &Path, range: Range<u32>, key: &'a str) -> Self {
        Self {
            folder: parts.join(name(&range)),
            range,
            key,
        }
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a part there; it is made in the folder `unfinished`.
    ///
    /// # Errors
    ///
    /// An environment error if that cannot be done, or if other numbers are there; a fault of tadpool if the part holds
    /// other replicates.
    pub(super) fn write(&self, unfinished: &Path, part: &Part) -> Result<()> {
        if self.range.is_empty() || !self.covers(part) {
            return Err(Error::bug(format!(
                "a part of other replicates than {}",
                spoken(&self.range)
            )));
        }
        let files = part_files(part)?;
        let told: serde_json::Map<String, Value> = files
            .iter()
            .map(|(name, bytes)| {
                let fingerprint = bytes_fingerprint(bytes).to_string();
                (
                    name.clone(),
                    json!({ "bytes": bytes.len(), "fingerprint": fingerprint }),
                )
            })
            .collect();
        let (first, last) = (self.range.start, self.range.end - 1);
        let seal = json!({ "study": self.key, "first": first, "last": last, "files": told });
        let seal = (SEAL.to_owned(), format!("{seal:#}\n").into_bytes());
        let mut made = Unfinished::within(unfinished, &name(&self.range))
            .map_err(|fault| unwritable(unfinished, &fault))?;
        for (name, bytes) in files.iter().chain([&seal]) {
            let path = made.folder.join(name);
            put(&path, |to| to.write_all(bytes)).map_err(|fault| unwritable(&path, &fault))?;
        }
        match fs::rename(&made.folder, &self.folder) {
            Ok(()) => {
                made.is_renamed = true;
                let parts = self.folder.parent();
                parts
                    .map_or(Ok(()), sync_folder)
                    .map_err(|fault| unwritable(&self.folder, &fault))
            }
            Err(_) if self.folder.is_dir() => {
                if same(&self.read()?, part) {
                    return Ok(());
                }
                Err(Error::environment(format!(
                    "{} holds other numbers for the same replicates",
                    self.folder.display()
                ))
                .with_help(
                    "another build of tadpool may have written them: name another folder with `--out`",
                ))
            }
            Err(fault) => Err(unwritable(&self.folder, &fault)),
        }
    }

    /// Makes sure, without reading the tables, that the part is of this study and its tables have their sizes.
    ///
    /// # Errors
    ///
    /// An environment error if not.
    pub(super) fn check(&self) -> Result<()> {
        self.seal().map(drop)
    }

    /// Reads the part.
    ///
    /// # Errors
    ///
    /// An environment error if it is damaged, or of another study.
    pub(super) fn read(&self) -> Result<Part> {
        let files = self.seal()?;
        let bytes = |name: &str| {
            let bytes = fs::read(self.folder.join(name)).map_err(|fault| format!("{name}: {fault}"))?;
            if files[name]["fingerprint"].as_str() != Some(&bytes_fingerprint(&bytes).to_string()) {
                return Err(format!("{name} is not as it was written"));
            }
            Ok(bytes)
        };
        let part = part_of(&bytes).map_err(|why| self.damaged(&why))?;
        if !self.covers(&part) {
            return Err(self.damaged("it holds other replicates"));
        }
        Ok(part)
    }

    /// What the seal says of the files, by their names, once [`Self::check`] holds.
    fn seal(&self) -> Result<Value> {
        let seal = fs::read_to_string(self.folder.join(SEAL))
            .map_err(|fault| fault.to_string())
            .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|fault| fault.to_string()))
            .map_err(|why| self.damaged(&format!("{SEAL}: {why}")))?;
        let of = Fields(&seal);
        let told = || {
            Ok((
                of.text("study")?,
                of.small("first")?,
                of.small("last")?,
                of.get("files")?.clone(),
            ))
        };
        let (key, first, last, files) =
            told().map_err(|error: Error| self.damaged(&format!("{SEAL}: {}", error.message())))?;
        if key != self.key {
            return Err(
                Error::environment(format!("{} is part of another study", self.folder.display()))
                    .with_help(REMEDY),
            );
        }
        if (first, u64::from(last) + 1) != (self.range.start, self.range.end.into()) {
            return Err(self.damaged(&format!("it holds replicates {first} to {last}")));
        }
        for (name, told) in files.as_object().into_iter().flatten() {
            let found = fs::metadata(self.folder.join(name))
                .map_err(|fault| self.damaged(&format!("{name}: {fault}")))?;
            if told["bytes"].as_u64() != Some(found.len()) {
                let why = format!(
                    "{name} is {} bytes long instead of {}",
                    found.len(),
                    told["bytes"]
                );
                return Err(self.damaged(&why));
            }
        }
        Ok(files)
    }

    /// Whether the records of a part are those of the range, and its estimates in order and of these.
    fn covers(&self, part: &Part) -> bool {
        let estimates = &part.estimates;
        let records = part.records.iter().map(|record| record.replicate);
        records.eq(self.range.clone())
            && estimates
                .iter()
                .all(|estimate| self.range.contains(&estimate.replicate))
            && estimates.is_sorted_by_key(|estimate| estimate.replicate)
    }

    fn damaged(&self, why: &str) -> Error {
        Error::environment(format!("{} is damaged: {why}", self.folder.display())).with_help(REMEDY)
    }
}

const REMEDY: &str = "delete this folder; `--resume` then fits its replicates again";

/// A folder under a name of its own, removed unless it was renamed: then the name may be another process's already.
struct Unfinished {
    folder: PathBuf,
    is_renamed: bool,
}

impl Unfinished {
    fn within(folder: &Path, name: &str) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let folder = folder.join(format!("{name}.{}-{attempt}", std::process::id()));
            match fs::create_dir(&folder) {
                Ok(()) => {
                    return Ok(Self {
                        folder,
                        is_renamed: false,
                    });
                }
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => attempt += 1,
                Err(fault) => return Err(fault),
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_renamed {
            // Nothing is left to tell: the caller already returns the error that led here.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// The name of a part's folder: its first and last replicate.
fn name(range: &Range<u32>) -> String {
    format!("{:06}-{:06}", range.start, range.end.saturating_sub(1))
}

/// The replicates of the part whose folder has that name, if a part's could.
pub(super) fn range_of(text: &str) -> Option<Range<u32>> {
    let (first, last) = text.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<u32>().ok()?.checked_add(1)?;
    (!range.is_empty() && name(&range) == text).then_some(range)
}

/// `replicate 7` or `replicates 7 to 9`.
pub(super) fn spoken(range: &Range<u32>) -> String {
    match range.len() {
        0 => "no replicates".to_owned(),
        1 => format!("replicate {}", range.start),
        _ => format!("replicates {} to {}", range.start, range.end - 1),
    }
}

/// The error for a file or folder of a study that cannot be written.
pub(super) fn unwritable(path: &Path, fault: &io::Error) -> Error {
    Error::environment(format!("{} cannot be written: {fault}", path.display())).with_help(
        "check that you may write there and that there is space, or name another folder with `--out`",
    )
}
