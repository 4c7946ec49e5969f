//! The parts of a study from one folder or several, put together and found complete.

use std::ops::Range;
use std::path::PathBuf;

use super::gathered::Gathered;
use super::manifest::Manifest;
use super::piece::spoken;
use super::record::Part;
use super::shard::Shard;
use super::store::Store;
use crate::error::{Error, Result};

/// How many missing pieces are named.
const NAMED: usize = 10;

/// Puts a study together from the folders that its shards wrote to, one of all or one of each; the same replicates may
/// be in several.
///
/// # Errors
///
/// A user error if no folder is given, if the folders are of several studies, with the field in which they differ, or if
/// replicates are missing, with their shards where these are known; those of [`Store::open`] and [`Store::load`].
pub fn merge(folders: &[PathBuf]) -> Result<(Manifest, Part)> {
    let stores = folders
        .iter()
        .map(|folder| Store::open(folder))
        .collect::<Result<Vec<_>>>()?;
    let first = stores
        .first()
        .ok_or_else(|| Error::user("there is no folder to merge"))?;
    for other in &stores[1..] {
        if let Some(difference) = first.manifest().difference(other.manifest())? {
            return Err(Error::user(format!(
                "{} and {} hold different studies: {} is {} in the first, {} in the second",
                first.folder().display(),
                other.folder().display(),
                difference.field,
                difference.mine,
                difference.theirs
            ))
            .with_help("merge the folders of one study"));
        }
    }
    let mut gathered = Gathered::default();
    let mut cuts = Vec::new();
    for store in &stores {
        cuts.extend(store.cuts()?);
        store.load_into(&mut gathered)?;
    }
    cuts.sort_unstable();
    cuts.dedup();
    let replicates = first.manifest().replicates;
    let missing = gathered.missing(0..replicates);
    if missing.is_empty() {
        return Ok((first.manifest().clone(), gathered.into_part()));
    }
    // Cut into several numbers of shards, none of them says what to do.
    let of = match cuts[..] {
        [of] => Some(of),
        _ => None,
    };
    Err(incomplete(replicates, &missing, of))
}

fn incomplete(replicates: u32, missing: &[Range<u32>], of: Option<u32>) -> Error {
    let count: usize = missing.iter().map(ExactSizeIterator::len).sum();
    let pieces: Vec<String> = match of {
        None => missing.iter().map(spoken).collect(),
        Some(of) => Shard::all(of)
            .filter_map(|shard| {
                let own = shard.range(replicates);
                let lacking: Vec<String> = missing
                    .iter()
                    .map(|range| range.start.max(own.start)..range.end.min(own.end))
                    .filter(|range| !range.is_empty())
                    .map(|range| spoken(&range))
                    .collect();
                (!lacking.is_empty()).then(|| format!("of shard {shard} {}", shortened(&lacking)))
            })
            .collect(),
    };
    let help = match of {
        Some(_) => "run these shards again with `--resume`: what is there is not fitted again",
        None => "run the study again with `--resume`: what is there is not fitted again",
    };
    Error::user(format!(
        "the study is not complete: {count} of its {replicates} replicates are missing: {}",
        shortened(&pieces)
    ))
    .with_help(help)
}

fn shortened(pieces: &[String]) -> String {
    let named = pieces[..pieces.len().min(NAMED)].join(", ");
    match pieces.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::manifest;
    use super::super::store_tests::{Fresh, fresh};
    use super::super::tables::same;
    use super::super::tables::tests::part;
    use super::*;

    /// Shards of the study, each in waves of three replicates, in the folder that `of` gives for it.
    fn shards(of: u32, done: impl Iterator<Item = u32>, folder: impl Fn(u32) -> PathBuf) {
        for index in done {
            let shard = Shard::new(index, of).expect("a shard");
            let store = Store::begin(&folder(index), manifest(), Some(shard), false).expect("a new shard");
            let range = shard.range(manifest().replicates);
            for start in range.clone().step_by(3) {
                let wave = start..(start + 3).min(range.end);
                store.write(wave.clone(), &part(wave)).expect("a new part");
            }
        }
    }

    fn said(folders: &[PathBuf]) -> String {
        merge(folders)
            .expect_err("not one whole study")
            .message()
            .to_owned()
    }

    #[test]
    fn shards_of_one_folder_or_many_make_the_unsharded_study() {
        let one: Fresh = fresh("merge-one");
        shards(3, 1..=3, |_| one.to_path_buf());
        let (found, whole) = merge(&[one.to_path_buf()]).expect("complete");
        assert_eq!(found, manifest());
        assert!(same(&whole, &part(0..20)));
        let many = fresh("merge-many");
        shards(7, (1..=7).rev(), |index| many.join(index.to_string()));
        let mut folders: Vec<PathBuf> = (1..=7).map(|index| many.join(index.to_string())).collect();
        // Twice the same does no harm.
        folders.push(one.to_path_buf());
        let (_, whole) = merge(&folders).expect("complete");
        assert!(same(&whole, &part(0..20)));
    }

    #[test]
    fn missing_shards_and_replicates_are_named() {
        let folder = fresh("merge-missing");
        shards(4, [1, 3].into_iter(), |_| folder.to_path_buf());
        assert_eq!(
            said(&[folder.to_path_buf()]),
            "the study is not complete: 10 of its 20 replicates are missing: of shard 2/4 replicates 5 to 9, of shard \
             4/4 replicates 15 to 19"
        );
        std::fs::remove_dir_all(folder.join("parts/000003-000004")).expect("a part");
        assert!(
            said(&[folder.to_path_buf()])
                .contains("are missing: of shard 1/4 replicates 3 to 4, of shard 2/4")
        );
        std::fs::remove_dir_all(folder.join("shards")).expect("marks");
        assert_eq!(
            said(&[folder.to_path_buf()]),
            "the study is not complete: 12 of its 20 replicates are missing: replicates 3 to 9, replicates 15 to 19"
        );
    }

    #[test]
    fn a_mix_of_studies_is_refused() {
        let folder = fresh("merge-mix");
        shards(2, 1..=1, |_| folder.join("a"));
        let other = Manifest {
            seed: 2,
            ..manifest()
        };
        Store::begin(&folder.join("b"), other, None, false).expect("another folder");
        let message = said(&[folder.join("a"), folder.join("b")]);
        assert!(
            message.ends_with(
                "hold different studies: seed is 18446744073709551615 in the first, 2 in the second"
            ),
            "{message}"
        );
        assert!(
            message.contains("merge-mix") && message.contains("/a and "),
            "{message}"
        );
        // A part that was carried into the folder of another study.
        let from = folder.join("a/parts/000000-000002");
        std::fs::rename(from, folder.join("b/parts/000000-000002")).expect("one file system");
        assert!(said(&[folder.join("b")]).ends_with("000000-000002 is part of another study"));
    }

    #[test]
    fn replicates_that_differ_are_refused() {
        let folder = fresh("merge-differ");
        shards(1, 1..=1, |_| folder.join("a"));
        let store = Store::begin(&folder.join("b"), manifest(), None, false).expect("another folder");
        let mut other = part(4..9);
        other.estimates[7].mean = other.estimates[7].mean.next_up();
        let replicate = other.estimates[7].replicate;
        store.write(4..9, &other).expect("a part");
        let message = said(&[folder.join("a"), folder.join("b")]);
        assert!(
            message.starts_with(&format!("replicate {replicate} has other numbers in ")),
            "{message}"
        );
        assert!(
            message.contains("b/parts/000004-000008 than in ") && message.contains("a/parts/"),
            "{message}"
        );
    }

    #[test]
    fn what_is_no_study_is_named() {
        let folder = fresh("merge-none");
        assert!(said(&[folder.to_path_buf()]).ends_with("holds no study: there is no manifest.json"));
        assert_eq!(said(&[]), "there is no folder to merge");
    }
}
