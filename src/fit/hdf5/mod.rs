//! The part of HDF5 that a NetCDF-4 fit file needs, written and read without the C library.
//!
//! May import `error` and the standard library. The layout is that of the "HDF5 File Format Specification Version 3.0"
//! (The HDF Group); section names below and in the files are its own. What is used of it:
//!
//! - superblock version 2, 8-byte addresses and lengths;
//! - version 2 object headers of one chunk, checksummed; links and attributes stay inside their header and keep the
//!   order in which they were added (NetCDF-4 wants that order tracked);
//! - contiguous little-endian data sets, without filters: draws hardly compress, and any program can map them;
//! - variable-length UTF-8 strings in global heap collections; long attributes (the model's text) are such strings
//!   too, since a header message holds at most 65,535 bytes;
//! - dimension scales ("HDF5 Dimension Scale Specification"), through which NetCDF-4 names the axes of its variables.
//!
//! Promises: what [`write()`] wrote, [`read()`] returns unchanged, and libhdf5 opens; `read` never panics and never
//! trusts a length that the file does not hold, whatever bytes it is given.

mod bytes;
mod checksum;
mod datatype;
mod header;
mod heap;
mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;

use std::borrow::Cow;
use std::fmt;

/// An address that stands for "nothing there" (section "Superblock", undefined address).
const UNDEFINED: u64 = u64::MAX;

/// The first eight bytes of every HDF5 file.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// The place of an object in [`Tree::objects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectId(pub(super) usize);

/// All groups and data sets of a file. Object 0 is the root group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree<'a> {
    pub(super) objects: Vec<Object<'a>>,
}

/// A group or a data set, with its attributes in the order of their making.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object<'a> {
    pub(super) attributes: Vec<(String, Attribute)>,
    pub(super) body: Body<'a>,
}

/// What an object holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body<'a> {
    /// A group: names and objects, in the order of their making.
    Group(Vec<(String, ObjectId)>),
    /// An array, row-major; an empty shape is a scalar.
    Dataset { shape: Vec<u64>, data: Data<'a> },
}

/// The elements of a data set.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data<'a> {
    F64(Cow<'a, [f64]>),
    F32(Cow<'a, [f32]>),
    I64(Cow<'a, [i64]>),
    I8(Cow<'a, [i8]>),
    Text(Cow<'a, [String]>),
    /// Elements that were never stored: a dimension without a coordinate variable.
    Absent,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    /// A UTF-8 string of any length.
    Text(String),
    /// An ASCII string inside the header, for the marks of dimension scales.
    FixedText(String),
    I32(i32),
    I64(i64),
    U64(u64),
    F64(f64),
    /// `DIMENSION_LIST`: the scale of each axis.
    Scales(Vec<ObjectId>),
    /// `REFERENCE_LIST`: the data sets that use this scale, each with the axis. Dropped by [`read()`], which has
    /// the same from `DIMENSION_LIST`.
    Uses(Vec<(ObjectId, i32)>),
}

/// Why bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The signature is missing.
    NotHdf5,
    /// The file ends before the byte that was needed.
    Truncated,
    /// A rule of the format is broken.
    Damaged(String),
    /// Sound HDF5, but of a kind that this program does not write.
    Foreign(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotHdf5 => f.write_str("the HDF5 signature is missing"),
            Fault::Truncated => f.write_str("the file ends too early"),
            Fault::Damaged(what) | Fault::Foreign(what) => f.write_str(what),
        }
    }
}
