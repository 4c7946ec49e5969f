//! The folder of a study: what was asked for, and the replicates that are done, as they come.
//!
//! ```text
//! DIR/manifest.json                           what names the study
//! DIR/shards/3-of-8.json                      shard 3 of 8 was begun here
//! DIR/parts/000000-000063/replicates.parquet  the replicates of one wave, first and last
//! DIR/parts/000000-000063/estimates.parquet   their estimates
//! DIR/parts/000000-000063/part.json           the study's key, and size and fingerprint of both tables
//! DIR/unfinished/                             parts that are being written, or were when their process was killed
//! ```
//!
//! `DIR/parts/*/estimates.parquet` is at any time one table. Any number of processes, on any number of machines, may write
//! to one folder.

use std::fs;
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::gathered::Gathered;
use super::manifest::Manifest;
use super::piece::{self, Piece, unwritable};
use super::record::Part;
use super::shard::Shard;
use crate::error::{Error, Result};
use crate::fit::put;

pub(super) const MANIFEST: &str = "manifest.json";
const SHARDS: &str = "shards";
const PARTS: &str = "parts";
pub(super) const UNFINISHED: &str = "unfinished";

/// The folder of one study.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    manifest: Manifest,
    key: String,
}

impl Store {
    /// Begins a study in a folder, which is made if need be, or goes on with it; `shard` is the share that will be done.
    ///
    /// Files of others in the folder are left alone.
    ///
    /// # Errors
    ///
    /// A user error if the folder holds another study, with the field in which they differ, or if it holds replicates of
    /// this share already and `resume` is not set; an environment error if the folder cannot be read or written.
    pub fn begin(folder: &Path, manifest: Manifest, shard: Option<Shard>, resume: bool) -> Result<Self> {
        let store = Self {
            folder: folder.to_owned(),
            key: manifest.key()?,
            manifest,
        };
        let (name, path) = (folder.display(), folder.join(MANIFEST));
        for within in [PARTS, UNFINISHED, SHARDS] {
            let within = folder.join(within);
            fs::create_dir_all(&within).map_err(|fault| unwritable(&within, &fault))?;
        }
        if path.exists() {
            let there = read_manifest(folder)?;
            if let Some(difference) = there.difference(&store.manifest)? {
                return Err(Error::user(format!(
                    "{name} holds another study: {} is {} there, and {} was asked for",
                    difference.field, difference.mine, difference.theirs
                ))
                .with_help("name another folder with `--out`, or ask for the same study"));
            }
        } else {
            let text = store.manifest.to_text()?;
            put(&path, |to| to.write_all(text.as_bytes())).map_err(|fault| unwritable(&path, &fault))?;
        }
        let replicates = store.manifest.replicates;
        let range = shard.map_or(0..replicates, |shard| shard.range(replicates));
        let missing = store.missing(range.clone())?;
        let left: usize = missing.iter().map(ExactSizeIterator::len).sum();
        if left < range.len() && !resume {
            return Err(Error::user(format!(
                "{name} holds {} of the {} replicates of this study already",
                range.len() - left,
                range.len()
            ))
            .with_help("go on with it with `--resume`, or name another folder with `--out`"));
        }
        if let Some(shard) = shard {
            let path = folder
                .join(SHARDS)
                .join(format!("{}-of-{}.json", shard.index(), shard.of()));
            let mark =
                json!({ "shard": shard.index(), "of": shard.of(), "first": range.start, "end": range.end });
            put(&path, |to| writeln!(to, "{mark:#}")).map_err(|fault| unwritable(&path, &fault))?;
        }
        Ok(store)
    }

    /// Opens the folder of a study.
    ///
    /// # Errors
    ///
    /// A user error if it holds none, or its manifest is damaged; an environment error if it cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let manifest = read_manifest(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            key: manifest.key()?,
            manifest,
        })
    }

    /// The study.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the replicates of `range`, for good. To write the same again changes nothing.
    ///
    /// # Errors
    ///
    /// An environment error if that cannot be done, or if other numbers are there; a fault of tadpool if the part holds
    /// other replicates.
    pub fn write(&self, range: Range<u32>, part: &Part) -> Result<()> {
        self.piece(range).write(&self.folder.join(UNFINISHED), part)
    }

    fn piece(&self, range: Range<u32>) -> Piece<'_> {
        Piece::within(&self.folder.join(PARTS), range, &self.key)
    }

    /// The replicates of `range` that are not there yet, as ascending ranges.
    ///
    /// # Errors
    ///
    /// An environment error for a part that is damaged, as far as its files' sizes tell, or of another study.
    pub fn missing(&self, range: Range<u32>) -> Result<Vec<Range<u32>>> {
        let mut missing = Vec::new();
        let mut next = range.start;
        for part in self.parts()? {
            if part.start >= range.end || part.end <= next {
                continue;
            }
            self.piece(part.clone()).check()?;
            if part.start > next {
                missing.push(next..part.start);
            }
            next = part.end;
        }
        if next < range.end {
            missing.push(next..range.end);
        }
        Ok(missing)
    }

    /// All replicates that are there, in order. One that is there twice, with the same numbers, is taken once.
    ///
    /// # Errors
    ///
    /// An environment error that names a part that is damaged, of another study, or at odds with another one.
    pub fn load(&self) -> Result<Part> {
        let mut gathered = Gathered::default();
        self.load_into(&mut gathered)?;
        Ok(gathered.into_part())
    }

    pub(super) fn load_into(&self, gathered: &mut Gathered) -> Result<()> {
        for range in self.parts()? {
            let piece = self.piece(range);
            gathered.add(piece.folder(), piece.read()?)?;
        }
        Ok(())
    }

    /// Into how many shards the study was cut here, as far as their marks tell: each number once, ascending.
    pub(super) fn cuts(&self) -> Result<Vec<u32>> {
        let mut cuts: Vec<u32> = names(&self.folder.join(SHARDS))?
            .iter()
            .filter_map(|name| name.strip_suffix(".json")?.split_once("-of-")?.1.parse().ok())
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        Ok(cuts)
    }

    /// The parts that are there by their names, ascending.
    fn parts(&self) -> Result<Vec<Range<u32>>> {
        let names = names(&self.folder.join(PARTS))?;
        let mut parts: Vec<_> = names.iter().filter_map(|name| piece::range_of(name)).collect();
        parts.sort_unstable_by_key(|part| (part.start, part.end));
        Ok(parts)
    }
}

/// The names in a folder that are UTF-8, ascending; none if there is no such folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let unreadable = |fault| {
        Error::environment(format!("the folder {} cannot be read: {fault}", folder.display()))
            .with_help("check that you may read it")
    };
    let entries = match fs::read_dir(folder) {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(unreadable)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|fault| match fault.kind() {
        ErrorKind::NotFound => Error::user(format!(
            "{} holds no study: there is no {MANIFEST}",
            folder.display()
        ))
        .with_help("name the folder that `--out` named"),
        ErrorKind::InvalidData => {
            Error::user(format!("{} names no study: it is not UTF-8 text", path.display()))
                .with_help("name another folder with `--out`")
        }
        _ => Error::environment(format!("{} cannot be read: {fault}", path.display()))
            .with_help("check that you may read it"),
    })?;
    Manifest::from_text(&text).map_err(|error| {
        let help = error
            .help()
            .map_or_else(|| "name another folder with `--out`".to_owned(), str::to_owned);
        Error::user(format!("{} names no study: {}", path.display(), error.message())).with_help(help)
    })
}
