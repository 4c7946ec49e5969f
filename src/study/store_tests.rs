//! The folder of a study: what is missing, begun twice, killed midway, damaged.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::manifest::tests::manifest;
use super::parquet::part_files;
use super::piece::SEAL;
use super::record::Part;
use super::shard::Shard;
use super::store::{MANIFEST, Store, UNFINISHED, names};
use super::tables::same;
use super::tables::tests::part;

/// An empty folder of a test's own, removed at its end.
pub(super) struct Fresh(PathBuf);

pub(super) fn fresh(name: &str) -> Fresh {
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

/// First and end of what is missing.
fn missing(store: &Store, range: Range<u32>) -> Vec<(u32, u32)> {
    let missing = store.missing(range).expect("sound parts");
    missing
        .into_iter()
        .map(|range| (range.start, range.end))
        .collect()
}

#[test]
fn what_is_missing_is_what_was_not_written() {
    let folder = fresh("missing");
    let store = begin(&folder);
    assert_eq!(missing(&store, 0..20), [(0, 20)]);
    for range in [3..6, 12..13, 6..9] {
        store.write(range.clone(), &part(range)).expect("a part");
    }
    assert_eq!(missing(&store, 0..20), [(0, 3), (9, 12), (13, 20)]);
    assert_eq!(missing(&store, 4..8), []);
    assert_eq!(missing(&store, 8..13), [(9, 12)]);
    assert_eq!(missing(&store, 20..20), []);
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
    assert_eq!(missing(&store, 0..7), [(6, 7)]);
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
    let [(name, bytes), _] = part_files(&part(0..4)).expect("memory");
    fs::write(half.join(name), &bytes[..bytes.len() / 2]).expect("half a file");
    assert_eq!(missing(&store, 0..4), [(0, 4)]);
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
    assert_eq!(missing(&store, 0..8), [(0, 8)]);
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
