//! Lays a tree out in a file: superblock, headers, heap, then the arrays.

use super::checksum::checksum;
use super::datatype::Datatype;
use super::header::{Header, RawAttribute, RawDataset};
use super::heap::{Builder, Place};
use super::{Attribute, Body, Data, Object, ObjectId, SIGNATURE, Tree, UNDEFINED};
use std::io::{self, Write};

/// Bytes of the superblock, version 2.
const SUPERBLOCK: u64 = 48;

/// Where everything lies.
#[derive(Debug, Clone)]
struct Addresses {
    headers: Vec<u64>,
    data: Vec<u64>,
    heap: u64,
}

/// Headers, heap and the elements of text data sets for given addresses.
struct Encoded {
    headers: Vec<Vec<u8>>,
    heap: Vec<u8>,
    texts: Vec<Vec<u8>>,
}

/// Writes the tree.
///
/// # Errors
///
/// Whatever the writer reports; `InvalidInput` with the name of a link or attribute that exceeds the 65,535 bytes of
/// a header message.
pub(in crate::fit) fn write(tree: &Tree<'_>, to: &mut impl Write) -> io::Result<()> {
    let count = tree.objects.len();
    // No size depends on an address, so a first pass with blank addresses tells every size.
    let blank = Addresses {
        headers: vec![0; count],
        data: vec![UNDEFINED; count],
        heap: 0,
    };
    let draft = encode(tree, &blank)?;
    let mut end = SUPERBLOCK;
    let mut place = |bytes: u64| {
        let start = end;
        end = (end + bytes).next_multiple_of(8);
        start
    };
    let headers: Vec<u64> = draft
        .headers
        .iter()
        .map(|header| place(header.len() as u64))
        .collect();
    let heap = place(draft.heap.len() as u64);
    let data: Vec<u64> = tree
        .objects
        .iter()
        .map(|object| match stored_bytes(object) {
            0 => UNDEFINED,
            bytes => place(bytes),
        })
        .collect();
    let addresses = Addresses { headers, data, heap };
    let encoded = encode(tree, &addresses)?;

    to.write_all(&superblock(addresses.headers[0], end))?;
    for header in &encoded.headers {
        write_padded(to, header)?;
    }
    write_padded(to, &encoded.heap)?;
    for (object, text) in tree.objects.iter().zip(&encoded.texts) {
        if let Body::Dataset { data, .. } = &object.body {
            write_elements(to, data, text)?;
        }
    }
    Ok(())
}

fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    bytes.extend([2, 8, 8, 0]); // version, bytes of an address, bytes of a length, no consistency flags
    for address in [0, UNDEFINED, end, root] {
        bytes.extend(address.to_le_bytes());
    }
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes
}

fn encode(tree: &Tree<'_>, addresses: &Addresses) -> io::Result<Encoded> {
    let mut heap = Builder::new(addresses.heap);
    let mut headers = Vec::new();
    let mut texts = Vec::new();
    for (index, object) in tree.objects.iter().enumerate() {
        let mut header = Header {
            attributes: attributes(object, addresses, &mut heap),
            ..Header::default()
        };
        let mut text = Vec::new();
        match &object.body {
            Body::Group(members) => {
                let link = |(name, id): &(String, ObjectId)| (name.clone(), addresses.headers[id.0]);
                header.links = Some(members.iter().map(link).collect());
            }
            Body::Dataset { shape, data } => {
                if let Data::Text(values) = data {
                    text = values
                        .iter()
                        .flat_map(|value| in_heap(value, &mut heap))
                        .collect();
                }
                header.dataset = Some(RawDataset {
                    shape: shape.clone(),
                    datatype: datatype(data),
                    address: addresses.data[index],
                    bytes: match data {
                        Data::Absent => shape.iter().product::<u64>() * u64::from(datatype(data).size()),
                        Data::F64(_) | Data::F32(_) | Data::I64(_) | Data::I8(_) | Data::Text(_) => {
                            stored_bytes(object)
                        }
                    },
                });
            }
        }
        let bytes = header.encode().map_err(|name| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{name}` exceeds an HDF5 header message"),
            )
        })?;
        headers.push(bytes);
        texts.push(text);
    }
    Ok(Encoded {
        headers,
        heap: heap.finish(),
        texts,
    })
}

fn attributes(object: &Object<'_>, addresses: &Addresses, heap: &mut Builder) -> Vec<RawAttribute<'static>> {
    let mut raw = Vec::new();
    for (name, value) in &object.attributes {
        let (datatype, length, value) = match value {
            Attribute::Text(text) => (Datatype::Text, None, in_heap(text, heap)),
            Attribute::FixedText(text) => {
                let mut bytes = text.as_bytes().to_vec();
                bytes.push(0);
                (Datatype::FixedText(bytes.len() as u32), None, bytes)
            }
            Attribute::I32(x) => (Datatype::I32, None, x.to_le_bytes().to_vec()),
            Attribute::I64(x) => (Datatype::I64, None, x.to_le_bytes().to_vec()),
            Attribute::U64(x) => (Datatype::U64, None, x.to_le_bytes().to_vec()),
            Attribute::F64(x) => (Datatype::F64, None, x.to_le_bytes().to_vec()),
            Attribute::Scales(scales) => {
                let one = |id: &ObjectId| {
                    let place = heap.add(&addresses.headers[id.0].to_le_bytes());
                    variable_length(1, place)
                };
                (
                    Datatype::References,
                    Some(scales.len() as u64),
                    scales.iter().flat_map(one).collect(),
                )
            }
            Attribute::Uses(uses) => {
                let one = |(id, axis): &(ObjectId, i32)| {
                    let mut bytes = addresses.headers[id.0].to_le_bytes().to_vec();
                    bytes.extend(axis.to_le_bytes());
                    bytes.extend([0; 4]);
                    bytes
                };
                (
                    Datatype::Use,
                    Some(uses.len() as u64),
                    uses.iter().flat_map(one).collect(),
                )
            }
        };
        raw.push(RawAttribute {
            name: name.clone(),
            datatype,
            length,
            value: value.into(),
        });
    }
    raw
}

/// Puts a text into the heap and returns its element.
///
/// An empty text becomes a lone NUL, which C readers see as an empty string; a length of 0 they see as a null pointer.
fn in_heap(text: &str, heap: &mut Builder) -> Vec<u8> {
    let bytes = if text.is_empty() { b"\0" } else { text.as_bytes() };
    let place = heap.add(bytes);
    variable_length(bytes.len() as u32, place)
}

fn variable_length(length: u32, place: Place) -> Vec<u8> {
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(place.collection.to_le_bytes());
    bytes.extend(place.index.to_le_bytes());
    bytes
}

fn datatype(data: &Data<'_>) -> Datatype {
    match data {
        Data::F64(_) => Datatype::F64,
        Data::F32(_) | Data::Absent => Datatype::F32,
        Data::I64(_) => Datatype::I64,
        Data::I8(_) => Datatype::I8,
        Data::Text(_) => Datatype::Text,
    }
}

/// Bytes that the object's elements take in the file.
fn stored_bytes(object: &Object<'_>) -> u64 {
    let Body::Dataset { data, .. } = &object.body else {
        return 0;
    };
    let elements = match data {
        Data::F64(values) => values.len(),
        Data::F32(values) => values.len(),
        Data::I64(values) => values.len(),
        Data::I8(values) => values.len(),
        Data::Text(values) => values.len(),
        Data::Absent => 0,
    };
    elements as u64 * u64::from(datatype(data).size())
}

fn write_elements(to: &mut impl Write, data: &Data<'_>, text: &[u8]) -> io::Result<()> {
    match data {
        Data::F64(values) => write_numbers(to, values, |x| x.to_le_bytes()),
        Data::F32(values) => write_numbers(to, values, |x| x.to_le_bytes()),
        Data::I64(values) => write_numbers(to, values, |x| x.to_le_bytes()),
        Data::I8(values) => write_numbers(to, values, |x| x.to_le_bytes()),
        Data::Text(_) => write_padded(to, text),
        Data::Absent => Ok(()),
    }
}

fn write_numbers<T: Copy, const N: usize>(
    to: &mut impl Write,
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    // A block at a time: draws may be as large as memory, their bytes need not be there twice.
    for block in values.chunks(8192) {
        let bytes: Vec<u8> = block.iter().flat_map(|x| encode(*x)).collect();
        to.write_all(&bytes)?;
    }
    pad(to, values.len() * N)
}

fn write_padded(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    pad(to, bytes.len())
}

/// Fills up to a multiple of eight bytes.
fn pad(to: &mut impl Write, length: usize) -> io::Result<()> {
    to.write_all(&[0; 8][..length.next_multiple_of(8) - length])
}
