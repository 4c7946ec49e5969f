//! Object headers (version 2) and the messages in them.

use super::bytes::Cursor;
use super::checksum::checksum;
use super::datatype::Datatype;
use super::{Fault, UNDEFINED};

const NIL: u8 = 0x00;
const DATASPACE: u8 = 0x01;
const LINK_INFO: u8 = 0x02;
const DATATYPE: u8 = 0x03;
const FILL_VALUE: u8 = 0x05;
const LINK: u8 = 0x06;
const LAYOUT: u8 = 0x08;
const GROUP_INFO: u8 = 0x0A;
const ATTRIBUTE: u8 = 0x0C;
const ATTRIBUTE_INFO: u8 = 0x15;

/// Header flags: the chunk's size takes four bytes, and attributes keep their order.
const FLAGS: u8 = 0x02 | 0x04;

/// What the messages of one header say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Header<'a> {
    pub(super) attributes: Vec<RawAttribute<'a>>,
    /// Member names and header addresses; none means that this is no group.
    pub(super) links: Option<Vec<(String, u64)>>,
    /// Shape, type, address and bytes of the elements; none means that this is no data set.
    pub(super) dataset: Option<RawDataset>,
}

/// An attribute whose value is still in its file encoding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawAttribute<'a> {
    pub(super) name: String,
    pub(super) datatype: Datatype,
    /// None: a scalar; else the length of the only axis.
    pub(super) length: Option<u64>,
    pub(super) value: std::borrow::Cow<'a, [u8]>,
}

/// A contiguous data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawDataset {
    pub(super) shape: Vec<u64>,
    pub(super) datatype: Datatype,
    /// [`UNDEFINED`] where nothing is stored.
    pub(super) address: u64,
    pub(super) bytes: u64,
}

impl Header<'_> {
    /// The header's bytes, checksum last. Its length does not depend on the addresses in it.
    ///
    /// Fails with the name of the link or attribute that is larger than a header message may be (65,535 bytes).
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let mut messages = Vec::new();
        if let Some(dataset) = &self.dataset {
            push(&mut messages, DATASPACE, 0, &dataspace(&dataset.shape))?;
            push(&mut messages, DATATYPE, 0, &dataset.datatype.encode())?;
            // Version 3, space allocated late, fill value written if set; none is set.
            push(&mut messages, FILL_VALUE, 0, &[3, 0x0A])?;
            let mut layout = vec![3, 1]; // version 3, contiguous
            layout.extend(dataset.address.to_le_bytes());
            layout.extend(dataset.bytes.to_le_bytes());
            push(&mut messages, LAYOUT, 0, &layout)?;
        }
        if let Some(links) = &self.links {
            let mut info = vec![0, 1]; // version 0, creation order tracked
            info.extend((links.len() as u64).to_le_bytes());
            info.extend([UNDEFINED.to_le_bytes(), UNDEFINED.to_le_bytes()].concat());
            push(&mut messages, LINK_INFO, 0, &info)?;
            push(&mut messages, GROUP_INFO, 0, &[0, 0])?;
            for (order, (name, address)) in links.iter().enumerate() {
                // Version 1; a two-byte name length, creation order and character set are given; UTF-8.
                let mut link = vec![1, 0x01 | 0x04 | 0x10];
                link.extend((order as u64).to_le_bytes());
                link.push(1);
                link.extend(short(name.len(), name)?.to_le_bytes());
                link.extend(name.as_bytes());
                link.extend(address.to_le_bytes());
                push(&mut messages, LINK, 0, &link).map_err(|_| name.clone())?;
            }
        }
        let mut info = vec![0, 1];
        info.extend(short(self.attributes.len(), "too many attributes")?.to_le_bytes());
        info.extend([UNDEFINED.to_le_bytes(), UNDEFINED.to_le_bytes()].concat());
        push(&mut messages, ATTRIBUTE_INFO, 0, &info)?;
        for (order, attribute) in self.attributes.iter().enumerate() {
            let body = attribute.encode()?;
            push(&mut messages, ATTRIBUTE, order as u16, &body).map_err(|_| attribute.name.clone())?;
        }

        let mut bytes = b"OHDR\x02".to_vec();
        bytes.push(FLAGS);
        bytes.extend((messages.len() as u32).to_le_bytes());
        bytes.extend(messages);
        bytes.extend(checksum(&bytes).to_le_bytes());
        Ok(bytes)
    }
}

impl RawAttribute<'_> {
    fn encode(&self) -> Result<Vec<u8>, String> {
        let shape: Vec<u64> = self.length.into_iter().collect();
        let (datatype, space) = (self.datatype.encode(), dataspace(&shape));
        let mut body = vec![3, 0];
        body.extend(short(self.name.len() + 1, &self.name)?.to_le_bytes());
        body.extend((datatype.len() as u16).to_le_bytes());
        body.extend((space.len() as u16).to_le_bytes());
        body.push(1); // the name is UTF-8
        body.extend(self.name.as_bytes());
        body.push(0);
        body.extend(datatype);
        body.extend(space);
        body.extend(self.value.iter());
        Ok(body)
    }
}

fn push(messages: &mut Vec<u8>, kind: u8, order: u16, body: &[u8]) -> Result<(), String> {
    messages.push(kind);
    messages.extend(short(body.len(), "message")?.to_le_bytes());
    messages.push(0);
    messages.extend(order.to_le_bytes());
    messages.extend(body);
    Ok(())
}

fn short(length: usize, name: &str) -> Result<u16, String> {
    u16::try_from(length).map_err(|_| name.to_owned())
}

/// A dataspace message of version 2.
fn dataspace(shape: &[u64]) -> Vec<u8> {
    let kind = if shape.is_empty() { 0 } else { 1 }; // scalar or simple
    let mut bytes = vec![2, shape.len() as u8, 0, kind];
    bytes.extend(shape.iter().flat_map(|length| length.to_le_bytes()));
    bytes
}

/// The header at `address` of the file.
pub(super) fn decode(file: &[u8], address: u64) -> Result<Header<'_>, Fault> {
    let mut cursor = Cursor::at(file, address)?;
    let all = cursor.rest();
    if cursor.take(4)? != b"OHDR" {
        return Err(Fault::Damaged(format!("no object header at byte {address}")));
    }
    if (cursor.u8()?, cursor.u8()?) != (2, FLAGS) {
        return Err(foreign("an object header of another kind"));
    }
    let size = u64::from(cursor.u32()?);
    let mut messages = Cursor::new(cursor.take(size)?);
    let signed = Cursor::new(all).take(10 + size)?;
    if cursor.u32()? != checksum(signed) {
        return Err(Fault::Damaged(format!(
            "the checksum of the header at byte {address} is wrong"
        )));
    }
    let mut header = Header::default();
    let (mut shape, mut datatype, mut layout) = (None, None, None);
    while !messages.is_empty() {
        let kind = messages.u8()?;
        let length = u64::from(messages.u16()?);
        messages.take(3)?; // flags and creation order
        let body = messages.take(length)?;
        match kind {
            NIL | FILL_VALUE | GROUP_INFO => {}
            DATASPACE => shape = Some(decode_dataspace(body)?),
            DATATYPE => datatype = Some(Datatype::decode(body)?),
            LAYOUT => layout = Some(decode_layout(body)?),
            LINK_INFO => {
                require_compact(body, 10)?;
                header.links.get_or_insert_default();
            }
            LINK => header.links.get_or_insert_default().push(decode_link(body)?),
            ATTRIBUTE_INFO => require_compact(body, 4)?,
            ATTRIBUTE => header.attributes.push(decode_attribute(body)?),
            other => return Err(foreign(&format!("a header message of type {other}"))),
        }
    }
    header.dataset = match (shape, datatype, layout) {
        (Some(shape), Some(datatype), Some((address, bytes))) => Some(RawDataset {
            shape,
            datatype,
            address,
            bytes,
        }),
        (None, None, None) => None,
        (Some(_), _, _) | (_, Some(_), _) | (_, _, Some(_)) => {
            return Err(Fault::Damaged(format!(
                "the data set at byte {address} is described in part only"
            )));
        }
    };
    Ok(header)
}

fn foreign(what: &str) -> Fault {
    Fault::Foreign(what.to_owned())
}

/// Checks that links or attributes lie in the header itself: no fractal heap at byte `at` of the message.
fn require_compact(body: &[u8], at: u64) -> Result<(), Fault> {
    let mut cursor = Cursor::new(body);
    cursor.take(at)?;
    match cursor.u64()? {
        UNDEFINED => Ok(()),
        _ => Err(foreign("links or attributes in a fractal heap")),
    }
}

fn decode_dataspace(body: &[u8]) -> Result<Vec<u64>, Fault> {
    let mut cursor = Cursor::new(body);
    let (version, rank, flags, kind) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    if version != 2 || flags != 0 || kind > 1 {
        return Err(foreign("a dataspace of another kind"));
    }
    (0..rank).map(|_| cursor.u64()).collect()
}

fn decode_layout(body: &[u8]) -> Result<(u64, u64), Fault> {
    let mut cursor = Cursor::new(body);
    if (cursor.u8()?, cursor.u8()?) != (3, 1) {
        return Err(foreign("a data set in chunks"));
    }
    Ok((cursor.u64()?, cursor.u64()?))
}

fn decode_link(body: &[u8]) -> Result<(String, u64), Fault> {
    let mut cursor = Cursor::new(body);
    if (cursor.u8()?, cursor.u8()?) != (1, 0x15) {
        return Err(foreign("a link of another kind"));
    }
    cursor.take(9)?; // creation order, character set
    let length = u64::from(cursor.u16()?);
    let name = text(cursor.take(length)?)?;
    Ok((name, cursor.u64()?))
}

fn decode_attribute(body: &[u8]) -> Result<RawAttribute<'_>, Fault> {
    let mut cursor = Cursor::new(body);
    if (cursor.u8()?, cursor.u8()?) != (3, 0) {
        return Err(foreign("an attribute of another kind"));
    }
    let lengths = [cursor.u16()?, cursor.u16()?, cursor.u16()?].map(u64::from);
    cursor.take(1)?;
    let name = cursor.take(lengths[0])?;
    let name = text(name.strip_suffix(b"\0").unwrap_or(name))?;
    let datatype = Datatype::decode(cursor.take(lengths[1])?)?;
    let shape = decode_dataspace(cursor.take(lengths[2])?)?;
    let length = match shape.as_slice() {
        [] => None,
        [length] => Some(*length),
        [_, _, ..] => return Err(foreign("an attribute with several axes")),
    };
    Ok(RawAttribute {
        name,
        datatype,
        length,
        value: cursor.rest().into(),
    })
}

/// UTF-8 text of the file.
pub(super) fn text(bytes: &[u8]) -> Result<String, Fault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Fault::Damaged("a text is not UTF-8".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header<'static> {
        Header {
            attributes: vec![RawAttribute {
                name: "größe".to_owned(),
                datatype: Datatype::I64,
                length: None,
                value: 12_i64.to_le_bytes().to_vec().into(),
            }],
            links: Some(vec![("a b".to_owned(), 48), ("β".to_owned(), 96)]),
            dataset: None,
        }
    }

    #[test]
    fn a_header_reads_back() {
        let bytes = header().encode().expect("small messages");
        assert_eq!(decode(&bytes, 0), Ok(header()));
    }

    #[test]
    fn one_flipped_bit_is_noticed_and_a_cut_never_panics() {
        let bytes = header().encode().expect("small messages");
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0x10;
            assert!(decode(&broken, 0).is_err(), "bit flip at byte {at}");
            assert!(decode(&bytes[..at], 0).is_err(), "cut at byte {at}");
        }
    }

    #[test]
    fn an_oversized_message_is_refused_by_name() {
        let mut large = header();
        large.attributes[0].value = vec![0; 70_000].into();
        assert_eq!(large.encode(), Err("größe".to_owned()));
    }
}
