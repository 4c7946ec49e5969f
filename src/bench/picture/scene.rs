//! What a picture consists of: lines, marks, words. Lengths are in SVG's pixels, y grows downwards.

/// A colour of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

/// Where a word's position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// The shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// ●
    Disc,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// Straight pieces from point to point.
    Line {
        points: Vec<(f64, f64)>,
        colour: Colour,
        width: f64,
    },
    /// A filled mark about its centre, `radius` from there to its edge.
    Mark {
        centre: (f64, f64),
        radius: f64,
        shape: Shape,
        colour: Colour,
    },
    /// A line of text; `at` is on its baseline; upright text is turned by a right angle, and reads from below.
    Word {
        at: (f64, f64),
        text: String,
        size: f64,
        anchor: Anchor,
        upright: bool,
        colour: Colour,
    },
}

/// A picture on white.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    /// In the order in which they are drawn.
    pub(super) items: Vec<Item>,
}

impl Shape {
    /// The corners of a mark; none for a disc.
    pub(super) fn corners(self, (x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
        let at = |corners: &[(f64, f64)]| {
            corners
                .iter()
                .map(|(dx, dy)| (x + dx * radius, y + dy * radius))
                .collect()
        };
        match self {
            Shape::Disc => Vec::new(),
            Shape::Square => at(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Shape::Triangle => at(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]),
            Shape::Diamond => at(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
        }
    }
}
