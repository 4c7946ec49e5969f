//! Global heap collections: where strings and lists of references lie.

use super::bytes::Cursor;
use super::{Fault, UNDEFINED};
use std::collections::BTreeMap;

/// The smallest collection that libhdf5 accepts, in bytes.
const SMALLEST: usize = 4096;
/// A collection is closed once it holds this many bytes, so that a reader need not load all labels for one.
const FULL: usize = 1 << 18;
/// Object numbers are 16-bit and number 0 is the free space.
const MOST_OBJECTS: u16 = u16::MAX - 1;

/// Where a heap object lies, as a variable-length element stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) collection: u64,
    pub(super) index: u32,
}

/// Collections in the making; they will lie one after the other from `start` on.
#[derive(Debug)]
pub(super) struct Builder {
    start: u64,
    closed: Vec<u8>,
    open: Vec<u8>,
    objects: u16,
}

impl Builder {
    /// An empty heap whose first byte will lie at address `start`.
    pub(super) fn new(start: u64) -> Self {
        Self {
            start,
            closed: Vec::new(),
            open: Vec::new(),
            objects: 0,
        }
    }

    /// Adds an object.
    pub(super) fn add(&mut self, object: &[u8]) -> Place {
        let needed = 16 + object.len();
        if self.objects == MOST_OBJECTS || (self.objects > 0 && self.open.len() + needed > FULL) {
            self.close();
        }
        self.objects += 1;
        self.open.extend(self.objects.to_le_bytes());
        self.open.extend([0; 6]); // reference count and padding; an immutable file counts nothing
        self.open.extend((object.len() as u64).to_le_bytes());
        self.open.extend(object);
        self.open.resize(self.open.len().next_multiple_of(8), 0);
        Place {
            collection: self.start + self.closed.len() as u64,
            index: u32::from(self.objects),
        }
    }

    /// The bytes of all collections.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.objects > 0 {
            self.close();
        }
        self.closed
    }

    fn close(&mut self) {
        let used = 16 + self.open.len();
        let size = used.max(SMALLEST);
        self.closed.extend(b"GCOL\x01\0\0\0");
        self.closed.extend((size as u64).to_le_bytes());
        self.closed.append(&mut self.open);
        let free = size - used;
        if free >= 16 {
            self.closed.extend([0; 8]); // object 0: the free space, its own header counted
            self.closed.extend((free as u64).to_le_bytes());
            self.closed.resize(self.closed.len() + free - 16, 0);
        } else {
            self.closed.resize(self.closed.len() + free, 0);
        }
        self.objects = 0;
    }
}

/// Objects of the collections looked at so far, by collection and number.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a [u8],
    collections: BTreeMap<u64, BTreeMap<u32, &'a [u8]>>,
}

impl<'a> Reader<'a> {
    /// The heap of a whole file.
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self {
            file,
            collections: BTreeMap::new(),
        }
    }

    /// The bytes of one object; none where the element says that it is empty.
    pub(super) fn get(&mut self, place: Place) -> Result<&'a [u8], Fault> {
        if place.collection == 0 || place.collection == UNDEFINED {
            return Ok(&[]);
        }
        if !self.collections.contains_key(&place.collection) {
            let objects = collection(self.file, place.collection)?;
            self.collections.insert(place.collection, objects);
        }
        self.collections
            .get(&place.collection)
            .and_then(|objects| objects.get(&place.index))
            .copied()
            .ok_or_else(|| Fault::Damaged(format!("heap object {} is missing", place.index)))
    }
}

fn collection(file: &[u8], address: u64) -> Result<BTreeMap<u32, &[u8]>, Fault> {
    let mut head = Cursor::at(file, address)?;
    if head.take(4)? != b"GCOL" {
        return Err(Fault::Damaged("a heap collection lacks its signature".to_owned()));
    }
    head.take(4)?;
    let size = head.u64()?;
    let body = size.checked_sub(16).ok_or(Fault::Truncated)?;
    let mut rest = Cursor::new(head.take(body)?);
    let mut objects = BTreeMap::new();
    while rest.rest().len() >= 16 {
        let index = rest.u16()?;
        rest.take(6)?;
        let length = rest.u64()?;
        if index == 0 {
            break;
        }
        objects.insert(u32::from(index), rest.take(length)?);
        let padding = length.next_multiple_of(8) - length;
        rest.take(padding)?;
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_from_several_collections() {
        let start = 48;
        let mut heap = Builder::new(start);
        // Enough objects for three collections by number, the last nearly empty, and one larger than a collection.
        let objects: Vec<Vec<u8>> = (0..140_000_u32)
            .map(|i| i.to_le_bytes()[..(i % 5) as usize].to_vec())
            .chain([vec![7; FULL + 3]])
            .collect();
        let places: Vec<Place> = objects.iter().map(|object| heap.add(object)).collect();
        let mut file = vec![0; start as usize];
        file.extend(heap.finish());
        let mut reader = Reader::new(&file);
        for (object, place) in objects.iter().zip(&places) {
            assert_eq!(reader.get(*place), Ok(object.as_slice()));
        }
        assert!(reader.collections.len() > 3);
    }

    #[test]
    fn a_missing_object_and_a_cut_collection_are_faults() {
        let mut heap = Builder::new(0);
        heap.add(b"abc");
        let mut file = vec![0; 8];
        file.extend(heap.finish());
        let place = Place {
            collection: 8,
            index: 2,
        };
        assert!(matches!(Reader::new(&file).get(place), Err(Fault::Damaged(_))));
        file.truncate(1000);
        assert_eq!(Reader::new(&file).get(place), Err(Fault::Truncated));
    }
}
