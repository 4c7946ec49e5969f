//! How the elements of a plate are cut into items, one thread's work, and where sums by an index begin and end.

/// Terms of the log density that are added in plain f32 before they enter a pair; items are multiples of it.
pub(super) const BLOCK: usize = 32;
/// Elements of an item at most, where no index decides.
const LONGEST: usize = 256;
/// Items of a plate at least, if blocks allow: 16 chains of them fill a large device.
const ITEMS: usize = 1024;

/// The elements of an item of a plate of `len` elements.
pub(super) fn item_len(len: usize) -> usize {
    (len / ITEMS).next_multiple_of(BLOCK).clamp(BLOCK, LONGEST)
}

/// The items of a group when `items` partial sums are added in two steps: as many groups as items in a group.
pub(super) fn group_len(items: usize) -> usize {
    if items <= 2 * BLOCK {
        items.max(1)
    } else {
        (items as f64).sqrt().ceil() as usize
    }
}

/// A target whose elements are spread over several items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// The target's code.
    pub(super) code: u32,
    /// Its first partial sum.
    pub(super) first: u32,
    /// The number of its partial sums.
    pub(super) count: u32,
}

/// The elements in the order of an index's codes, cut so that each code's elements lie in one item, or fill several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Runs {
    /// The elements in order of their codes, stable; empty if they are in order already.
    pub(super) order: Vec<u32>,
    /// Where each code's elements end in that order, `[code]`.
    pub(super) ends: Vec<u32>,
    /// Start and end of each item in that order, and the number of its partial sum or [`WHOLE`].
    pub(super) items: Vec<[u32; 3]>,
    /// The codes that are spread over items.
    pub(super) splits: Vec<Split>,
    /// The most elements of an item.
    pub(super) longest: usize,
}

/// Marks an item that holds all elements of its codes.
pub(super) const WHOLE: u32 = u32::MAX;

impl Runs {
    /// The runs of `codes`, each below `range`.
    pub(super) fn new(codes: &[u32], range: usize) -> Self {
        // Counting sort; lengths are below 2^32, since the codes of a plate are counted in 32 bits.
        let mut ends = vec![0u32; range];
        for &code in codes {
            ends[code as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        let order = if codes.is_sorted() {
            Vec::new()
        } else {
            let mut next: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
            let mut order = vec![0u32; codes.len()];
            for (element, &code) in (0u32..).zip(codes) {
                let place = &mut next[code as usize];
                order[*place as usize] = element;
                *place += 1;
            }
            order
        };
        let most = item_len(codes.len());
        let mut this = Self {
            order,
            items: Vec::new(),
            splits: Vec::new(),
            longest: 0,
            ends: Vec::new(),
        };
        let (mut first, mut begin, mut partials) = (0u32, 0u32, 0u32);
        for (code, &end) in (0u32..).zip(&ends) {
            let len = (end - begin) as usize;
            if len > most {
                this.close(first, begin);
                // As many parts as elements in each: neither thread nor sum of parts is longer than need be.
                let part = most
                    .max((len as f64).sqrt().ceil() as usize)
                    .next_multiple_of(BLOCK);
                let from = partials;
                for start in (begin as usize..end as usize).step_by(part) {
                    let stop = end.min((start + part) as u32);
                    this.items.push([start as u32, stop, partials]);
                    this.longest = this.longest.max(part);
                    partials += 1;
                }
                this.splits.push(Split {
                    code,
                    first: from,
                    count: partials - from,
                });
                first = end;
            } else if (end - first) as usize > most {
                this.close(first, begin);
                first = begin;
            }
            begin = end;
        }
        this.close(first, begin);
        this.ends = ends;
        this
    }

    /// Ends an item of whole codes, if it holds any element.
    fn close(&mut self, first: u32, end: u32) {
        if end > first {
            self.items.push([first, end, WHOLE]);
            self.longest = self.longest.max((end - first) as usize);
        }
    }

    /// Partial sums of spread codes.
    pub(super) fn partials(&self) -> usize {
        self.splits.iter().map(|split| split.count as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds up by the items as the device does.
    fn sums(codes: &[u32], range: usize, values: &[f64]) -> Vec<f64> {
        let runs = Runs::new(codes, range);
        let row = |k: u32| {
            if runs.order.is_empty() {
                k as usize
            } else {
                runs.order[k as usize] as usize
            }
        };
        let mut sums = vec![0.0; range];
        let mut written = vec![0; range];
        let mut partials = vec![f64::NAN; runs.partials()];
        let mut at = 0;
        for &[start, end, part] in &runs.items {
            assert_eq!(start, at, "items follow each other");
            at = end;
            let mut k = start;
            while k < end {
                let code = codes[row(k)] as usize;
                let stop = end.min(runs.ends[code]);
                assert!(stop > k);
                let sum: f64 = (k..stop).map(|k| values[row(k)]).sum();
                if part == WHOLE {
                    sums[code] += sum;
                    written[code] += 1;
                } else {
                    partials[part as usize] = sum;
                }
                k = stop;
            }
        }
        assert_eq!(at as usize, codes.len());
        assert!(written.iter().all(|n| *n <= 1), "one thread per target");
        for split in &runs.splits {
            assert_eq!(written[split.code as usize], 0);
            sums[split.code as usize] = partials[split.first as usize..][..split.count as usize]
                .iter()
                .sum();
        }
        sums
    }

    #[test]
    fn items_cover_all_elements_once() {
        let mixed = |n: usize, range: u32| -> Vec<u32> {
            (0..n as u32)
                .map(|i| i.wrapping_mul(2_654_435_761) % range)
                .collect()
        };
        let mut cases = vec![
            (vec![], 3),
            (vec![2], 3),
            (vec![0; 5000], 1),
            (mixed(5000, 7), 7),
            (mixed(5000, 4000), 4000),
            (mixed(70_000, 2), 5),
        ];
        let mut sorted = mixed(9000, 50);
        sorted.sort_unstable();
        cases.push((sorted, 60));
        // One long code among short ones.
        let mut uneven = mixed(3000, 900);
        uneven.extend(vec![900; 4000]);
        uneven.extend([901, 901, 903]);
        cases.push((uneven, 904));
        for (codes, range) in cases {
            let values: Vec<f64> = (0..codes.len()).map(|i| f64::from(i as u32)).collect();
            let mut expected = vec![0.0; range];
            for (&code, x) in codes.iter().zip(&values) {
                expected[code as usize] += x;
            }
            assert_eq!(sums(&codes, range, &values), expected);
        }
    }

    #[test]
    fn no_thread_has_more_than_its_share() {
        let runs = Runs::new(&vec![0; 1_000_000], 1);
        assert!(
            runs.longest <= 1024 && runs.partials() <= 1024,
            "{}",
            runs.longest
        );
        let groups: Vec<u32> = (0..1_000_000).map(|i| i / 100).collect();
        let runs = Runs::new(&groups, 10_000);
        assert!(runs.longest <= LONGEST && runs.splits.is_empty() && runs.order.is_empty());
        assert_eq!(item_len(100), 32);
        assert_eq!(group_len(3907), 63);
    }
}
