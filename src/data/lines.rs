//! Line numbers of byte offsets, counted once from front to back.

/// Walks forward over a text and knows the line it stands on. A line ends with LF, CR LF or a lone CR.
pub(super) struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    /// Stands at the first byte, on line 1.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the byte at `offset`, counted from 1. Offsets must not decrease from call to call.
    pub(super) fn line_of(&mut self, offset: usize) -> u64 {
        while self.at < offset.min(self.bytes.len()) {
            let next_is_feed = self.bytes.get(self.at + 1) == Some(&b'\n');
            match self.bytes[self.at] {
                b'\n' => self.line += 1,
                b'\r' if !next_is_feed => self.line += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let mut lines = LineCounter::new(b"a\nb\r\nc\rd\n\ne");
        let found: Vec<u64> = [0, 2, 5, 7, 9, 10].map(|at| lines.line_of(at)).to_vec();
        assert_eq!(found, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn offsets_past_the_end_are_on_the_last_line() {
        assert_eq!(LineCounter::new(b"a\nb").line_of(99), 2);
    }
}
