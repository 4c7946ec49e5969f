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
//! A part is made in `unfinished` and put in place by one rename of its folder, so that it is there as a whole or not at
//! all, and `DIR/parts/*/estimates.parquet` is always one table. Any number of processes, on any number of machines, may
//! write to one folder.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::gathered::Gathered;
use super::manifest::{Fields, Manifest};
use super::record::Part;
use super::shard::Shard;
use super::tables::{parquet_files, part_of, same};
use crate::data::bytes_fingerprint;
use crate::error::{Error, Result};
use crate::fit::{put, sync_folder};

const MANIFEST: &str = "manifest.json";
const SHARDS: &str = "shards";
const PARTS: &str = "parts";
const UNFINISHED: &str = "unfinished";
const SEAL: &str = "part.json";

/// Names that are tried for an unfinished part, where those before belong to others or were left by killed processes.
const ATTEMPTS: u32 = 1000;

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
        if range.is_empty() || !covers(part, &range) {
            return Err(Error::bug(format!(
                "a part of other replicates than {}",
                spoken(&range)
            )));
        }
        let place = self.folder.join(PARTS).join(part_name(&range));
        let files = parquet_files(part)?;
        let sizes: serde_json::Map<String, Value> = files
            .iter()
            .map(|(name, bytes)| {
                let print = bytes_fingerprint(bytes).to_string();
                (
                    name.clone(),
                    json!({ "bytes": bytes.len(), "fingerprint": print }),
                )
            })
            .collect();
        let seal = json!({ "study": self.key, "first": range.start, "last": range.end - 1, "files": sizes });
        let unfinished = Unfinished::within(&self.folder.join(UNFINISHED), &part_name(&range))
            .map_err(|fault| unwritable(&self.folder, &fault))?;
        let seal = (SEAL.to_owned(), format!("{seal:#}\n").into_bytes());
        for (name, bytes) in files.iter().chain([&seal]) {
            let path = unfinished.0.join(name);
            put(&path, |to| to.write_all(bytes)).map_err(|fault| unwritable(&path, &fault))?;
        }
        let renamed = fs::rename(&unfinished.0, &place);
        match renamed {
            Ok(()) => sync_folder(&self.folder.join(PARTS)).map_err(|fault| unwritable(&place, &fault)),
            Err(_) if place.is_dir() => {
                if same(&self.read(&range)?, part) {
                    return Ok(());
                }
                Err(Error::environment(format!(
                    "{} holds other numbers for the same replicates",
                    place.display()
                ))
                .with_help(
                    "another build of tadpool may have written them: name another folder with `--out`",
                ))
            }
            Err(fault) => Err(unwritable(&place, &fault)),
        }
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
            self.seal(&part)?;
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
            let part = self.read(&range)?;
            gathered.add(&self.folder.join(PARTS).join(part_name(&range)), part)?;
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
        let mut parts: Vec<_> = names.iter().filter_map(|name| part_range(name)).collect();
        parts.sort_unstable_by_key(|part| (part.start, part.end));
        Ok(parts)
    }

    /// What is said of a part beside its tables, once it is sure that it is this study's and its tables have their sizes.
    fn seal(&self, range: &Range<u32>) -> Result<Value> {
        let place = self.folder.join(PARTS).join(part_name(range));
        let path = place.join(SEAL);
        let text = fs::read_to_string(&path).map_err(|fault| damaged(&place, &format!("{SEAL}: {fault}")))?;
        let seal: Value = serde_json::from_str(&text)
            .map_err(|fault| damaged(&place, &format!("{SEAL} is not JSON: {fault}")))?;
        let of = Fields(&seal);
        let told = (|| Ok((of.text("study")?, of.small("first")?, of.small("last")?)))()
            .map_err(|error: Error| damaged(&place, &format!("{SEAL}: {}", error.message())))?;
        if told.0 != self.key {
            return Err(
                Error::environment(format!("{} is part of another study", place.display()))
                    .with_help("delete this folder; `--resume` then fits its replicates again"),
            );
        }
        if (told.1, u64::from(told.2) + 1) != (range.start, u64::from(range.end)) {
            return Err(damaged(
                &place,
                &format!("it holds replicates {} to {}", told.1, told.2),
            ));
        }
        let files = seal["files"]
            .as_object()
            .ok_or_else(|| damaged(&place, &format!("{SEAL} names no files")))?;
        for (name, told) in files {
            let size = fs::metadata(place.join(name))
                .map_err(|fault| damaged(&place, &format!("{name}: {fault}")))?;
            if told["bytes"].as_u64() != Some(size.len()) {
                return Err(damaged(
                    &place,
                    &format!("{name} is {} bytes long instead of {}", size.len(), told["bytes"]),
                ));
            }
        }
        Ok(seal)
    }

    /// The part of that range.
    fn read(&self, range: &Range<u32>) -> Result<Part> {
        let place = self.folder.join(PARTS).join(part_name(range));
        let seal = self.seal(range)?;
        let part = part_of(&|name| {
            let bytes =
                fs::read(place.join(name)).map_err(|fault| damaged(&place, &format!("{name}: {fault}")))?;
            if seal["files"][name]["fingerprint"].as_str() != Some(&bytes_fingerprint(&bytes).to_string()) {
                return Err(damaged(&place, &format!("{name} is not as it was written")));
            }
            Ok(bytes)
        })
        .map_err(|error| match error.help() {
            Some(_) => error,
            None => damaged(&place, error.message()),
        })?;
        if !covers(&part, range) {
            return Err(damaged(&place, "it holds other replicates"));
        }
        Ok(part)
    }
}

/// A folder under a name of its own, removed unless it was renamed.
struct Unfinished(PathBuf);

impl Unfinished {
    fn within(folder: &Path, name: &str) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let path = folder.join(format!("{name}.{}-{attempt}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => attempt += 1,
                Err(fault) => return Err(fault),
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename it is not there; after a failure the error that led here is returned.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Whether the records of a part are those of `range`, and its estimates in order and of these.
fn covers(part: &Part, range: &Range<u32>) -> bool {
    let estimates = &part.estimates;
    part.records
        .iter()
        .map(|record| record.replicate)
        .eq(range.clone())
        && estimates
            .iter()
            .all(|estimate| range.contains(&estimate.replicate))
        && estimates.is_sorted_by_key(|estimate| estimate.replicate)
}

/// First and last replicate.
fn part_name(range: &Range<u32>) -> String {
    format!("{:06}-{:06}", range.start, range.end - 1)
}

fn part_range(name: &str) -> Option<Range<u32>> {
    let (first, last) = name.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<u32>().ok()?.checked_add(1)?;
    // Only names that a part would get.
    (!range.is_empty() && part_name(&range) == name).then_some(range)
}

/// `replicate 7` or `replicates 7 to 9`.
pub(super) fn spoken(range: &Range<u32>) -> String {
    match range.len() {
        0 => "no replicates".to_owned(),
        1 => format!("replicate {}", range.start),
        _ => format!("replicates {} to {}", range.start, range.end - 1),
    }
}

/// The names in a folder that are UTF-8, ascending; none if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>> {
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

fn damaged(place: &Path, why: &str) -> Error {
    Error::environment(format!("{} is damaged: {why}", place.display()))
        .with_help("delete this folder; `--resume` then fits its replicates again")
}

fn unwritable(path: &Path, fault: &io::Error) -> Error {
    Error::environment(format!("{} cannot be written: {fault}", path.display())).with_help(
        "check that you may write there and that there is space, or name another folder with `--out`",
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::manifest::tests::manifest;
    use super::super::tables::tests::part;
    use super::*;

    /// An empty folder of a test's own, removed at its end.
    pub(in crate::study) struct Fresh(PathBuf);

    pub(in crate::study) fn fresh(name: &str) -> Fresh {
        let folder = std::env::temp_dir().join(format!("tadpool-study-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a writable temporary folder");
        Fresh(folder)
    }

    impl std::ops::Deref for Fresh {
        type Target = Path;

        fn deref(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Fresh {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn begin(folder: &Path) -> Store {
        Store::begin(folder, manifest(), None, true).expect("a writable folder")
    }

    #[test]
    fn what_is_missing_is_what_was_not_written() {
        let folder = fresh("missing");
        let store = begin(&folder);
        assert_eq!(store.missing(0..20), Ok(vec![0..20]));
        for range in [3..6, 12..13, 6..9] {
            store.write(range.clone(), &part(range)).expect("a part");
        }
        assert_eq!(store.missing(0..20), Ok(vec![0..3, 9..12, 13..20]));
        assert_eq!(store.missing(4..8), Ok(vec![]));
        assert_eq!(store.missing(8..13), Ok(vec![9..12]));
        assert_eq!(store.missing(20..20), Ok(vec![]));
        let there = store.load().expect("whole parts");
        let numbers: Vec<u32> = there.records.iter().map(|record| record.replicate).collect();
        assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 12]);
        let mut expected = part(3..9);
        expected.append(part(12..13));
        assert!(same(&there, &expected));
        assert_eq!(names(&folder.join(UNFINISHED)), Ok(vec![]));
    }

    #[test]
    fn a_folder_is_of_one_study_and_begun_once() {
        let folder = fresh("begin");
        fs::write(folder.join("notes.txt"), "mine").expect("a foreign file");
        let store = Store::begin(&folder, manifest(), None, false).expect("a foreign file does no harm");
        // Begun, but without any replicate, it may be begun again.
        Store::begin(&folder, manifest(), None, false).expect("nothing is lost");
        store.write(0..5, &part(0..5)).expect("a part");
        let again = Store::begin(&folder, manifest(), None, false).expect_err("begun already");
        assert!(
            again
                .message()
                .ends_with("holds 5 of the 20 replicates of this study already"),
            "{again}"
        );
        assert!(again.help().expect("a remedy").contains("--resume"), "{again}");
        // Another shard of it is not begun yet.
        let shard = |index| Shard::new(index, 4).ok();
        Store::begin(&folder, manifest(), shard(2), false).expect("another share");
        assert!(Store::begin(&folder, manifest(), shard(1), false).is_err());
        Store::begin(&folder, manifest(), shard(1), true).expect("it goes on");
        let other = Manifest {
            chains: 4,
            ..manifest()
        };
        for resume in [false, true] {
            let error = Store::begin(&folder, other.clone(), None, resume).expect_err("another study");
            assert!(
                error
                    .message()
                    .ends_with("holds another study: chains is 16 there, and 4 was asked for"),
                "{error}"
            );
        }
        assert_eq!(Store::open(&folder).expect("a study").manifest(), &manifest());
        assert_eq!(
            fs::read_to_string(folder.join("notes.txt")).expect("still there"),
            "mine"
        );
    }

    #[test]
    fn a_manifest_of_others_is_not_replaced() {
        let folder = fresh("foreign");
        fs::write(folder.join(MANIFEST), "{\"name\": \"an app\"}").expect("a foreign file");
        let error = Store::begin(&folder, manifest(), None, true).expect_err("not ours");
        assert!(
            error
                .message()
                .ends_with("manifest.json names no study: `format` is missing in it"),
            "{error}"
        );
    }

    #[test]
    fn writing_again_changes_nothing() {
        let folder = fresh("again");
        let store = begin(&folder);
        store.write(0..4, &part(0..4)).expect("a part");
        store.write(0..4, &part(0..4)).expect("the same part");
        // Waves of another size, as a second run of the same shard may have them.
        store.write(0..2, &part(0..2)).expect("an overlapping part");
        store.write(2..6, &part(2..6)).expect("an overlapping part");
        assert_eq!(store.missing(0..7), Ok(vec![6..7]));
        assert!(same(&store.load().expect("equal numbers"), &part(0..6)));
        let mut other = part(0..4);
        other.records[1].min_ess += 1.0;
        let error = store.write(0..4, &other).expect_err("other numbers");
        assert!(
            error
                .message()
                .ends_with("holds other numbers for the same replicates"),
            "{error}"
        );
        store.write(3..5, &part(3..5)).expect("an overlapping part");
        let mut odd = part(5..7);
        odd.records[0].draws += 1;
        store.write(5..7, &odd).expect("it is not read yet");
        let error = store.load().expect_err("replicate 5 twice");
        assert!(
            error.message().starts_with("replicate 5 has other numbers in "),
            "{error}"
        );
    }

    #[test]
    fn many_writers_of_the_same_part_agree() {
        let folder = fresh("race");
        let store = begin(&folder);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        for start in (0..20).step_by(4) {
                            begin(&folder)
                                .write(start..start + 4, &part(start..start + 4))
                                .expect("a part");
                        }
                    })
                })
                .collect();
            writers
                .into_iter()
                .for_each(|writer| writer.join().expect("no panic"));
        });
        assert!(same(&store.load().expect("whole parts"), &part(0..20)));
        assert_eq!(names(&folder.join(UNFINISHED)), Ok(vec![]));
    }

    #[test]
    fn what_a_killed_process_left_is_not_there() {
        let folder = fresh("killed");
        let store = begin(&folder);
        // Killed before the second table, by a process of the same number.
        let half = folder
            .join(UNFINISHED)
            .join(format!("000000-000003.{}-0", std::process::id()));
        fs::create_dir(&half).expect("a folder");
        let [(name, bytes), _] = parquet_files(&part(0..4)).expect("memory");
        fs::write(half.join(name), &bytes[..bytes.len() / 2]).expect("half a file");
        assert_eq!(store.missing(0..4), Ok(vec![0..4]));
        assert_eq!(store.load(), Ok(Part::default()));
        store.write(0..4, &part(0..4)).expect("its own name");
        assert!(same(&store.load().expect("a part"), &part(0..4)));
        assert!(half.exists());
    }

    #[test]
    fn any_damage_is_found_and_named() {
        let folder = fresh("damage");
        let store = begin(&folder);
        store.write(0..4, &part(0..4)).expect("a part");
        let place = folder.join("parts/000000-000003");
        for file in ["replicates.parquet", "estimates.parquet", SEAL] {
            let path = place.join(file);
            let whole = fs::read(&path).expect("a file");
            let check = |bytes: &[u8], what: &str| {
                fs::write(&path, bytes).expect("a writable file");
                match store.load() {
                    // A space more or less in the JSON.
                    Ok(found) => assert!(file == SEAL && same(&found, &part(0..4)), "{file} {what}"),
                    Err(error) => {
                        assert_eq!(error.kind(), crate::error::Kind::Environment, "{error}");
                        assert!(error.message().contains("000000-000003 is "), "{error}");
                        assert!(
                            error.help().expect("a remedy").starts_with("delete this folder"),
                            "{error}"
                        );
                    }
                }
            };
            for place in (0..whole.len()).step_by(7) {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << (place % 8);
                check(&flipped, &format!("flipped at {place}"));
            }
            for len in [0, 3, whole.len() / 2, whole.len() - 2] {
                check(&whole[..len], &format!("cut to {len}"));
                assert!(store.missing(0..4).is_err(), "{file} cut to {len}");
            }
            fs::remove_file(&path).expect("a file");
            assert!(store.load().expect_err("a file is gone").message().contains(file));
            fs::write(&path, &whole).expect("a writable file");
        }
        assert!(same(&store.load().expect("mended"), &part(0..4)));
        let moved = folder.join("parts/000004-000007");
        fs::rename(&place, &moved).expect("one file system");
        let error = store.load().expect_err("a part under another name");
        assert!(
            error
                .message()
                .ends_with("000004-000007 is damaged: it holds replicates 0 to 3"),
            "{error}"
        );
        // The remedy helps.
        fs::remove_dir_all(moved).expect("a folder");
        assert_eq!(store.missing(0..8), Ok(vec![0..8]));
    }

    #[test]
    fn a_part_holds_the_replicates_that_it_says() {
        let folder = fresh("covers");
        let store = begin(&folder);
        for (range, part) in [(0..4, part(0..3)), (0..4, part(1..5)), (2..2, part(2..2))] {
            let error = store.write(range, &part).expect_err("other replicates");
            assert_eq!(error.kind(), crate::error::Kind::Bug);
        }
        let mut shuffled = part(0..4);
        shuffled.estimates.reverse();
        assert!(store.write(0..4, &shuffled).is_err());
    }
}
