//! The element types in use and their encoding in a datatype message.
//!
//! Reading compares with the encodings written here: another encoding of the same numbers is another program's file.

use super::Fault;

/// An element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datatype {
    F64,
    F32,
    I64,
    I32,
    I8,
    U64,
    /// Variable-length UTF-8 string: length, heap address, heap index.
    Text,
    /// ASCII string of so many bytes, the closing NUL among them.
    FixedText(u32),
    /// Variable-length list of object references: an axis's scales.
    References,
    /// A data set that uses a scale, and with which axis.
    Use,
}

/// Every type whose encoding has no argument.
const PLAIN: [Datatype; 9] = [
    Datatype::F64,
    Datatype::F32,
    Datatype::I64,
    Datatype::I32,
    Datatype::I8,
    Datatype::U64,
    Datatype::Text,
    Datatype::References,
    Datatype::Use,
];

impl Datatype {
    /// Bytes of one element in a data set or attribute.
    pub(super) fn size(self) -> u32 {
        match self {
            Datatype::F64 | Datatype::I64 | Datatype::U64 => 8,
            Datatype::F32 | Datatype::I32 => 4,
            Datatype::I8 => 1,
            Datatype::Text | Datatype::References | Datatype::Use => 16,
            Datatype::FixedText(bytes) => bytes,
        }
    }

    /// The body of a datatype message (section "The Datatype Message").
    pub(super) fn encode(self) -> Vec<u8> {
        let size = self.size();
        match self {
            // Implied leading mantissa bit, sign in the top bit; then mantissa and exponent places, and the bias.
            Datatype::F64 => with_tail(
                head(1, 1, [0x20, 63, 0], size),
                &[0, 0, 64, 0, 52, 11, 0, 52],
                1023,
            ),
            Datatype::F32 => with_tail(head(1, 1, [0x20, 31, 0], size), &[0, 0, 32, 0, 23, 8, 0, 23], 127),
            Datatype::I64 | Datatype::I32 | Datatype::I8 => integer(size, true),
            Datatype::U64 => integer(size, false),
            Datatype::Text => {
                let mut bytes = head(1, 9, [0x01, 0x01, 0], size); // a string, in UTF-8
                bytes.extend(integer(1, false));
                bytes
            }
            Datatype::FixedText(_) => head(1, 3, [0, 0, 0], size),
            Datatype::References => {
                let mut bytes = head(1, 9, [0, 0, 0], size);
                bytes.extend(object_reference());
                bytes
            }
            Datatype::Use => {
                let mut bytes = head(3, 6, [2, 0, 0], size);
                bytes.extend(b"dataset\0\0");
                bytes.extend(object_reference());
                bytes.extend(b"dimension\0\x08");
                bytes.extend(integer(4, true));
                bytes
            }
        }
    }

    /// The type that a message's body stands for. A body may be followed by padding.
    pub(super) fn decode(body: &[u8]) -> Result<Self, Fault> {
        if let Some(found) = PLAIN.into_iter().find(|kind| body.starts_with(&kind.encode())) {
            return Ok(found);
        }
        match body {
            [0x13, 0, 0, 0, a, b, c, d, ..] => Ok(Datatype::FixedText(u32::from_le_bytes([*a, *b, *c, *d]))),
            _ => Err(Fault::Foreign(
                "an element type that tadpool does not write".to_owned(),
            )),
        }
    }
}

/// Version and class, class bits, size: the start of every encoding.
fn head(version: u8, class: u8, bits: [u8; 3], size: u32) -> Vec<u8> {
    let mut bytes = vec![version << 4 | class, bits[0], bits[1], bits[2]];
    bytes.extend(size.to_le_bytes());
    bytes
}

fn with_tail(mut bytes: Vec<u8>, places: &[u8], bias: u32) -> Vec<u8> {
    bytes.extend(places);
    bytes.extend(bias.to_le_bytes());
    bytes
}

/// A little-endian integer without padding bits.
fn integer(size: u32, signed: bool) -> Vec<u8> {
    let mut bytes = head(1, 0, [if signed { 0x08 } else { 0 }, 0, 0], size);
    bytes.extend([0, 0]);
    bytes.extend((8 * size as u16).to_le_bytes());
    bytes
}

fn object_reference() -> Vec<u8> {
    head(1, 7, [0, 0, 0], 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_back_as_its_own_type() {
        for kind in PLAIN.into_iter().chain([Datatype::FixedText(16)]) {
            assert_eq!(Datatype::decode(&kind.encode()), Ok(kind));
        }
        let mut big_endian = Datatype::F64.encode();
        big_endian[1] |= 1;
        assert!(matches!(Datatype::decode(&big_endian), Err(Fault::Foreign(_))));
    }
}
