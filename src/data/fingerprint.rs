//! The fingerprint of a data set: the same for the same used columns, on every machine and in every version.

use std::fmt;

use super::column::{Column, Values};

/// A 128-bit digest, printed as 32 hexadecimal digits. It finds changed data; it does not resist forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// FNV-1a with 128 bits (Fowler, Noll, Vo and Eastlake, RFC 9923).
struct Fnv1a(u128);

impl Fnv1a {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013B;

    fn new() -> Self {
        Self(0x6C62_272E_07BB_0142_62B8_2175_6295_C58D)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(Self::PRIME);
        }
    }

    /// Text with its length first, so that neighbouring texts cannot run into one another.
    fn write_text(&mut self, text: &str) {
        self.write(&(text.len() as u64).to_le_bytes());
        self.write(text.as_bytes());
    }
}

/// The fingerprint of columns: names, types, values and which are missing; the order of the columns and how a number is
/// written (`1`, `1.0`) do not matter, the order of the rows does.
pub fn fingerprint(columns: &[&Column]) -> Fingerprint {
    let mut digests: Vec<u128> = columns.iter().map(|column| digest(column)).collect();
    digests.sort_unstable();
    digests.dedup();
    let mut hash = Fnv1a::new();
    for digest in digests {
        hash.write(&digest.to_le_bytes());
    }
    Fingerprint(hash.0)
}

/// A number that stands for some texts in their order, for the keys of random streams: other texts, another number, but
/// for one chance in 2⁶⁴.
pub fn text_key(texts: &[&str]) -> u64 {
    let mut hash = Fnv1a::new();
    for text in texts {
        hash.write_text(text);
    }
    // Both halves matter: the low one of FNV-1a sees little of its high bits.
    (hash.0 >> 64) as u64 ^ hash.0 as u64
}

/// The fingerprint of the bytes of a file.
pub fn bytes_fingerprint(bytes: &[u8]) -> Fingerprint {
    let mut hash = Fnv1a::new();
    hash.write(bytes);
    Fingerprint(hash.0)
}

fn digest(column: &Column) -> u128 {
    let mut hash = Fnv1a::new();
    hash.write_text(column.name());
    hash.write(&(column.rows() as u64).to_le_bytes());
    match column.values() {
        Values::Number(values) => {
            hash.write(b"n");
            for (x, &missing) in values.iter().zip(column.missing()) {
                hash.write(&[u8::from(missing)]);
                if !missing {
                    // Adding 0 turns −0 into 0.
                    hash.write(&(x + 0.0).to_bits().to_le_bytes());
                }
            }
        }
        Values::Text => {
            hash.write(b"t");
            for (row, &missing) in column.missing().iter().enumerate() {
                hash.write(&[u8::from(missing)]);
                if !missing {
                    hash.write_text(column.cell(row));
                }
            }
        }
    }
    hash.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column<const N: usize>(name: &str, cells: [&str; N]) -> Column {
        Column::from_cells(name, cells)
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The published test vectors.
        for (text, expected) in [
            ("", 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D),
            ("a", 0xD228_CB69_6F1A_8CAF_7891_2B70_4E4A_8964),
            ("foobar", 0x343E_1662_793C_64BF_6F0D_3597_BA44_6F18_u128),
        ] {
            assert_eq!(bytes_fingerprint(text.as_bytes()).0, expected, "{text}");
        }
    }

    #[test]
    fn the_fingerprint_never_changes() {
        let (x, g) = (column("x", ["1", "NA", "2.5"]), column("g", ["a", "b", "a"]));
        assert_eq!(
            fingerprint(&[&x, &g]).to_string(),
            "919e7a637175cdf78c5fd8a26f6428c3"
        );
    }

    #[test]
    fn the_order_of_columns_and_the_spelling_of_values_do_not_matter() {
        let (x, g) = (column("x", ["1", "NA", "0"]), column("g", ["a", "", "a"]));
        let (spelled, same) = (column("x", ["1.0", "", "-0"]), column("g", ["a", "null", "a"]));
        assert_eq!(fingerprint(&[&x, &g]), fingerprint(&[&same, &spelled]));
        assert_eq!(fingerprint(&[&x, &g]), fingerprint(&[&x, &g, &x]));
    }

    #[test]
    fn names_values_types_missing_and_row_order_matter() {
        let all = [
            column("x", ["1", "2"]),
            column("y", ["1", "2"]),
            column("x", ["2", "1"]),
            column("x", ["1", "NA"]),
            column("x", ["NA", "1"]),
            column("x", ["1", "2a"]),
            column("x", ["12", "a"]),
            column("x", ["1", "2", "2"]),
        ];
        let mut prints: Vec<Fingerprint> = all.iter().map(|column| fingerprint(&[column])).collect();
        prints.push(fingerprint(&[]));
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), all.len() + 1);
    }
}
