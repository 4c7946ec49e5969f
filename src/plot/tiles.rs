//! Panels of one size beside and below each other.

use super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, MARGIN};
use super::scale::Scale;

/// Where panels lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tiles {
    columns: usize,
    width: f64,
    height: f64,
    /// What the numbers of an axis take left of each panel.
    before: f64,
    /// Between one line of panels and the next.
    gap: f64,
    top: f64,
}

impl Tiles {
    /// `count` panels on a picture of `width`, with `before` left of each, at least `least` wide each.
    pub(super) fn new(count: usize, width: f64, before: f64, least: f64, height: f64) -> Self {
        let room = width - 2.0 * MARGIN;
        let columns = ((room / (before + least)) as usize).clamp(1, count.max(1)).min(4);
        // A single panel or two would be drawn out too far.
        let each = (room / columns as f64 - before).min(0.72 * room);
        Self {
            columns,
            width: each,
            height,
            before,
            gap: 70.0,
            top: BELOW_HEADING + 18.0,
        }
    }

    /// The `place`th panel.
    pub(super) fn frame(&self, place: usize, x: Scale, y: Scale) -> Frame {
        let (column, line) = (place % self.columns, place / self.columns);
        Frame {
            left: MARGIN + self.before + column as f64 * (self.before + self.width),
            top: self.top + line as f64 * (self.height + self.gap),
            width: self.width - 8.0,
            height: self.height,
            x,
            y,
        }
    }

    /// Where `count` panels with their axes end.
    pub(super) fn bottom(&self, count: usize) -> f64 {
        let lines = count.div_ceil(self.columns);
        self.top + lines as f64 * (self.height + self.gap) - self.gap + BELOW_AXIS
    }

    /// Whether the panel is the first of its line.
    pub(super) fn is_first(&self, place: usize) -> bool {
        place.is_multiple_of(self.columns)
    }
}
