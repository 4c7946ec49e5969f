//! Reads back the objects that [`super::write()`] lays out.

use super::bytes::Cursor;
use super::checksum::checksum;
use super::datatype::Datatype;
use super::header::{self, Header, RawAttribute, RawDataset};
use super::heap::{Place, Reader};
use super::{Attribute, Body, Data, Fault, Object, ObjectId, SIGNATURE, Tree, UNDEFINED};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The tree in a file's bytes.
///
/// # Errors
///
/// The [`Fault`] that was met first.
pub(in crate::fit) fn read(file: &[u8]) -> Result<Tree<'static>, Fault> {
    let root = superblock(file)?;
    let mut headers: Vec<Header<'_>> = vec![header::decode(file, root)?];
    let mut ids = BTreeMap::from([(root, ObjectId(0))]);
    let mut next = 0;
    // Every address is decoded once, so a group that holds itself ends the walk too.
    while next < headers.len() {
        let members: Vec<u64> = headers[next]
            .links
            .iter()
            .flatten()
            .map(|(_, address)| *address)
            .collect();
        for address in members {
            if let Entry::Vacant(id) = ids.entry(address) {
                id.insert(ObjectId(headers.len()));
                headers.push(header::decode(file, address)?);
            }
        }
        next += 1;
    }
    let mut heap = Reader::new(file);
    let objects = headers
        .iter()
        .map(|header| object(file, header, &ids, &mut heap))
        .collect::<Result<_, Fault>>()?;
    Ok(Tree { objects })
}

/// The address of the root group's header.
fn superblock(file: &[u8]) -> Result<u64, Fault> {
    let mut cursor = Cursor::new(file);
    let signature = cursor.take(8).map_err(|_| Fault::NotHdf5)?;
    if signature != SIGNATURE {
        return Err(Fault::NotHdf5);
    }
    let version = cursor.u8()?;
    if version != 2 {
        return Err(Fault::Foreign(format!("a superblock of version {version}")));
    }
    if (cursor.u8()?, cursor.u8()?) != (8, 8) {
        return Err(Fault::Foreign("addresses of another width".to_owned()));
    }
    cursor.take(1)?;
    let [base, _extension, end, root] = [cursor.u64()?, cursor.u64()?, cursor.u64()?, cursor.u64()?];
    if cursor.u32()? != checksum(&file[..44]) {
        return Err(Fault::Damaged(
            "the checksum of the superblock is wrong".to_owned(),
        ));
    }
    if base != 0 {
        return Err(Fault::Foreign("a user block".to_owned()));
    }
    if (file.len() as u64) < end {
        return Err(Fault::Truncated);
    }
    Ok(root)
}

fn object(
    file: &[u8],
    header: &Header<'_>,
    ids: &BTreeMap<u64, ObjectId>,
    heap: &mut Reader<'_>,
) -> Result<Object<'static>, Fault> {
    let mut attributes = Vec::new();
    for raw in &header.attributes {
        if let Some(value) = attribute(raw, ids, heap)? {
            attributes.push((raw.name.clone(), value));
        }
    }
    let body = match (&header.links, &header.dataset) {
        (None, Some(raw)) => Body::Dataset {
            shape: raw.shape.clone(),
            data: elements(file, raw, heap)?,
        },
        // Every address in a link was decoded, hence has an id.
        (Some(links), None) => Body::Group(
            links
                .iter()
                .map(|(name, address)| (name.clone(), ids[address]))
                .collect(),
        ),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Fault::Damaged(
                "an object is neither group nor data set".to_owned(),
            ));
        }
    };
    Ok(Object { attributes, body })
}

fn attribute(
    raw: &RawAttribute<'_>,
    ids: &BTreeMap<u64, ObjectId>,
    heap: &mut Reader<'_>,
) -> Result<Option<Attribute>, Fault> {
    let mut cursor = Cursor::new(&raw.value);
    let value = match (raw.datatype, raw.length) {
        (Datatype::Use, _) => return Ok(None),
        (Datatype::References, Some(axes)) => {
            let mut scales = Vec::new();
            for _ in 0..axes {
                let list = variable_length(&mut cursor, 8, heap)?;
                let address = Cursor::new(&list).u64()?;
                let id = ids.get(&address);
                scales.push(*id.ok_or_else(|| Fault::Damaged("a dimension points nowhere".to_owned()))?);
            }
            Attribute::Scales(scales)
        }
        (Datatype::Text, None) => Attribute::Text(text(&mut cursor, heap)?),
        (Datatype::FixedText(bytes), None) => {
            let text = header::text(cursor.take(u64::from(bytes))?)?;
            Attribute::FixedText(text.trim_end_matches('\0').to_owned())
        }
        (Datatype::I32, None) => Attribute::I32(cursor.u32()? as i32),
        (Datatype::I64, None) => Attribute::I64(cursor.u64()? as i64),
        (Datatype::U64, None) => Attribute::U64(cursor.u64()?),
        (Datatype::F64, None) => Attribute::F64(f64::from_bits(cursor.u64()?)),
        (
            Datatype::F64
            | Datatype::F32
            | Datatype::I64
            | Datatype::I32
            | Datatype::I8
            | Datatype::U64
            | Datatype::Text
            | Datatype::FixedText(_)
            | Datatype::References,
            _,
        ) => {
            return Err(Fault::Foreign(format!(
                "the attribute `{}` is of another kind",
                raw.name
            )));
        }
    };
    Ok(Some(value))
}

/// The elements of a data set, whose number is checked against the bytes that are there before memory is taken.
fn elements(file: &[u8], raw: &RawDataset, heap: &mut Reader<'_>) -> Result<Data<'static>, Fault> {
    let wrong = || Fault::Damaged("a data set's shape does not fit its bytes".to_owned());
    let size = u64::from(raw.datatype.size());
    let product = raw
        .shape
        .iter()
        .try_fold(1_u64, |product, length| product.checked_mul(*length));
    let count = product.ok_or_else(wrong)?;
    if count.checked_mul(size) != Some(raw.bytes) {
        return Err(wrong());
    }
    if raw.address == UNDEFINED && count > 0 {
        return match raw.datatype {
            Datatype::F32 => Ok(Data::Absent),
            Datatype::F64
            | Datatype::I64
            | Datatype::I32
            | Datatype::I8
            | Datatype::U64
            | Datatype::Text
            | Datatype::FixedText(_)
            | Datatype::References
            | Datatype::Use => Err(Fault::Damaged("a data set was never stored".to_owned())),
        };
    }
    let bytes = if count == 0 {
        &[]
    } else {
        Cursor::at(file, raw.address)?.take(raw.bytes)?
    };
    Ok(match raw.datatype {
        Datatype::F64 => Data::F64(numbers(bytes, f64::from_le_bytes)),
        Datatype::F32 => Data::F32(numbers(bytes, f32::from_le_bytes)),
        Datatype::I64 => Data::I64(numbers(bytes, i64::from_le_bytes)),
        Datatype::I8 => Data::I8(numbers(bytes, i8::from_le_bytes)),
        Datatype::Text => {
            let mut cursor = Cursor::new(bytes);
            let texts: Result<Vec<String>, Fault> = (0..count).map(|_| text(&mut cursor, heap)).collect();
            Data::Text(texts?.into())
        }
        Datatype::I32 | Datatype::U64 | Datatype::FixedText(_) | Datatype::References | Datatype::Use => {
            return Err(Fault::Foreign("a data set of another element type".to_owned()));
        }
    })
}

fn numbers<T: Clone, const N: usize>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> T,
) -> std::borrow::Cow<'static, [T]> {
    let (blocks, _) = bytes.as_chunks::<N>();
    blocks.iter().map(|block| decode(*block)).collect()
}

fn text(cursor: &mut Cursor<'_>, heap: &mut Reader<'_>) -> Result<String, Fault> {
    let bytes = variable_length(cursor, 1, heap)?;
    let text = header::text(&bytes)?;
    Ok(text.trim_end_matches('\0').to_owned())
}

/// The bytes of a variable-length element whose items take `width` bytes.
fn variable_length(cursor: &mut Cursor<'_>, width: u64, heap: &mut Reader<'_>) -> Result<Vec<u8>, Fault> {
    let length = u64::from(cursor.u32()?);
    let place = Place {
        collection: cursor.u64()?,
        index: cursor.u32()?,
    };
    Ok(Cursor::new(heap.get(place)?).take(length * width)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::hdf5::write;

    fn tree(text: usize) -> Tree<'static> {
        let dataset = |shape: &[u64], data| Object {
            attributes: vec![(
                "DIMENSION_LIST".to_owned(),
                Attribute::Scales(vec![ObjectId(2); shape.len()]),
            )],
            body: Body::Dataset {
                shape: shape.to_vec(),
                data,
            },
        };
        let labels = vec!["α".to_owned(), String::new(), "a longer label".to_owned()];
        Tree {
            objects: vec![
                Object {
                    attributes: vec![
                        ("text".to_owned(), Attribute::Text("x".repeat(text))),
                        ("real".to_owned(), Attribute::F64(-0.5)),
                        ("integer".to_owned(), Attribute::I64(i64::MIN)),
                        ("count".to_owned(), Attribute::U64(u64::MAX)),
                    ],
                    body: Body::Group(vec![
                        ("posterior".to_owned(), ObjectId(1)),
                        ("level".to_owned(), ObjectId(2)),
                        ("f32".to_owned(), ObjectId(3)),
                    ]),
                },
                Object {
                    attributes: vec![],
                    body: Body::Group(vec![
                        ("f64".to_owned(), ObjectId(4)),
                        ("i64".to_owned(), ObjectId(5)),
                        ("text".to_owned(), ObjectId(6)),
                        ("i8".to_owned(), ObjectId(7)),
                    ]),
                },
                Object {
                    attributes: vec![
                        (
                            "CLASS".to_owned(),
                            Attribute::FixedText("DIMENSION_SCALE".to_owned()),
                        ),
                        ("_Netcdf4Dimid".to_owned(), Attribute::I32(-3)),
                    ],
                    body: Body::Dataset {
                        shape: vec![3],
                        data: Data::Absent,
                    },
                },
                dataset(&[3], Data::F32(vec![1.5, 2.5, -0.0].into())),
                dataset(&[3, 3], Data::F64((0..9).map(f64::from).collect())),
                dataset(&[3], Data::I64(vec![i64::MAX, 0, -1].into())),
                dataset(&[3], Data::Text(labels.into())),
                dataset(&[0], Data::I8(vec![].into())),
            ],
        }
    }

    /// A file whose longest attribute takes `text` bytes.
    fn bytes(text: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&tree(text), &mut bytes).expect("memory takes all");
        bytes
    }

    #[test]
    fn a_tree_of_all_kinds_reads_back() {
        let longer_than_a_message = 100_000;
        assert_eq!(
            read(&bytes(longer_than_a_message)),
            Ok(tree(longer_than_a_message))
        );
    }

    #[test]
    fn every_truncation_is_noticed() {
        let whole = bytes(10);
        for length in (0..whole.len()).rev().step_by(17) {
            let expected = if length < 8 {
                Fault::NotHdf5
            } else {
                Fault::Truncated
            };
            assert_eq!(read(&whole[..length]), Err(expected), "cut to {length} bytes");
        }
    }

    #[test]
    fn no_single_changed_byte_makes_the_reader_panic() {
        let whole = bytes(10);
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xFF] {
                let mut broken = whole.clone();
                broken[at] ^= change;
                // Array elements carry no checksum, so some changes pass; none may panic or ask for huge memory.
                std::hint::black_box(read(&broken).is_ok());
            }
        }
    }

    #[test]
    fn other_files_are_told_apart() {
        assert_eq!(read(b"PK\x03\x04 a zip file"), Err(Fault::NotHdf5));
        let mut old = bytes(10);
        old[8] = 0;
        assert!(matches!(read(&old), Err(Fault::Foreign(_))));
    }
}
