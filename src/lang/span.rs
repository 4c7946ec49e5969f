//! Byte ranges of the model text, carried by every token and every node.

/// Bytes `start..end` of a model text; both ends lie on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span ends where it starts or later");
        Self { start, end }
    }

    /// The place between two characters, before byte `at`.
    pub fn at(at: usize) -> Self {
        Self { start: at, end: at }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The text under the span; empty where the span does not belong to `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_span_covers_both_and_what_lies_between() {
        let text = "mu = a + b";
        assert_eq!(Span::new(5, 6).to(Span::new(9, 10)).of(text), "a + b");
        assert_eq!(Span::new(9, 10).to(Span::new(5, 6)).of(text), "a + b");
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_empty() {
        assert_eq!(Span::new(5, 9).of("abc"), "");
        assert_eq!(Span::new(0, 1).of("σ"), "");
    }
}
