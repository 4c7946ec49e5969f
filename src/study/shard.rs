//! A shard: one of several equal shares of a study, for a machine of its own.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::{Error, Result};

/// One of `of` shares of a study's replicates, counted from 1; written `3/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    of: u32,
    index: u32,
}

impl Shard {
    /// # Errors
    ///
    /// A user error unless 1 ≤ `index` ≤ `of`.
    pub fn new(index: u32, of: u32) -> Result<Self> {
        if (1..=of).contains(&index) {
            return Ok(Self { of, index });
        }
        Err(if of == 0 {
            Error::user("a study has at least 1 shard, but 0 were given")
        } else {
            Error::user(format!(
                "shards are counted from 1 to {of}, but shard {index} was given"
            ))
        })
    }

    /// Its number, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// All shards of that many.
    pub fn all(of: u32) -> impl Iterator<Item = Self> {
        (1..=of).map(move |index| Self { of, index })
    }

    /// Its replicates: consecutive ones, as many as any other shard has or one more. Where there are more shards than
    /// replicates, some are empty.
    pub fn range(self, replicates: u32) -> Range<u32> {
        // Below `replicates`, so that it fits.
        let bound = |index: u32| (u64::from(replicates) * u64::from(index) / u64::from(self.of)) as u32;
        bound(self.index - 1)..bound(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::user(format!(
                "a shard is written as its number, `/` and how many there are, but `{text}` was given"
            ))
            .with_help("the third of eight is `3/8`")
        };
        let number = |text: &str| {
            // `parse` would take a sign.
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten()
        };
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        match (number(index), number(of)) {
            (Some(index), Some(of)) => Self::new(index, of),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn a_shard_reads_back_as_it_prints() {
        let shard: Shard = "3/8".parse().expect("a shard");
        assert_eq!((shard.index(), shard.of()), (3, 8));
        assert_eq!(shard.to_string(), "3/8");
    }

    #[test]
    fn what_is_no_shard_says_what_one_is() {
        let said = |text: &str| text.parse::<Shard>().expect_err("no shard").message().to_owned();
        assert_eq!(
            said("9/8"),
            "shards are counted from 1 to 8, but shard 9 was given"
        );
        assert_eq!(
            said("0/8"),
            "shards are counted from 1 to 8, but shard 0 was given"
        );
        assert_eq!(said("0/0"), "a study has at least 1 shard, but 0 were given");
        for text in [
            "",
            "3",
            "3/",
            "/8",
            "+3/8",
            "3/-8",
            " 3/8",
            "3/8/9",
            "a/b",
            "4294967296/1",
        ] {
            assert!(said(text).contains(&format!("`{text}` was given")), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn shards_partition_the_replicates_evenly(replicates in any::<u32>(), of in 1u32..2000) {
            let ranges: Vec<_> = Shard::all(of).map(|shard| shard.range(replicates)).collect();
            prop_assert_eq!(ranges.len(), of as usize);
            prop_assert_eq!(ranges[0].start, 0);
            prop_assert_eq!(ranges[ranges.len() - 1].end, replicates);
            let least = (replicates / of) as usize;
            for (one, next) in ranges.iter().zip(&ranges[1..]) {
                prop_assert_eq!(one.end, next.start);
            }
            for range in &ranges {
                prop_assert!(range.len() == least || range.len() == least + 1);
            }
        }
    }
}
