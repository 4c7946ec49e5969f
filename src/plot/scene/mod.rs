//! What a picture consists of: lines, areas, marks, words; and its two writers.
//!
//! Lengths are in SVG's pixels, y grows downwards. `svg` and `raster` write a scene each in its own way, so that both
//! show the same. `font` measures words and outlines their letters; `font/` holds the part of DejaVu Sans (free to use
//! and to change, see its licence) with the Latin, Greek and Cyrillic letters: no font of the system is asked for.

pub(crate) mod font;
mod raster;
mod svg;

use crate::error::Result;

/// A picture in both forms.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// For papers and pages: text that stays text, sharp at every size.
    pub svg: String,
    /// For everything else: by default twice the SVG's size in pixels.
    pub png: Vec<u8>,
}

/// A colour of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Colour {
    /// The colour laid over white so that `share` of it shows.
    pub(crate) fn pale(self, share: f64) -> Self {
        let mix = |x: u8| (255.0 - share * (255.0 - f64::from(x))).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) colour: Colour,
    pub(crate) width: f64,
    /// From 0, unseen, to 1.
    pub(crate) opacity: f64,
    /// Lengths of strokes and of the gaps between them.
    pub(crate) dash: Option<(f64, f64)>,
}

impl Stroke {
    /// An unbroken line.
    pub(crate) fn new(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            width,
            opacity: 1.0,
            dash: None,
        }
    }

    /// The same line, broken.
    pub(crate) fn dashed(self) -> Self {
        Self {
            dash: Some((5.0, 3.5)),
            ..self
        }
    }

    /// The same line, through which others are seen.
    pub(crate) fn faded(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

/// Where a word's position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// The shape of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// ●
    Disc,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
}

/// The inside of a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fill {
    /// Of the mark's colour, with this opacity.
    Full(f64),
    /// White within an edge of the mark's colour.
    Open,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// Straight pieces from point to point.
    Line { points: Vec<(f64, f64)>, stroke: Stroke },
    /// The inside of a polygon.
    Area {
        points: Vec<(f64, f64)>,
        colour: Colour,
        opacity: f64,
    },
    /// Marks of one kind about their centres, `radius` from there to the edge.
    Marks {
        centres: Vec<(f64, f64)>,
        radius: f64,
        shape: Shape,
        colour: Colour,
        fill: Fill,
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
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// In the order in which they are drawn.
    pub(crate) items: Vec<Item>,
}

impl Shape {
    /// The corners of a mark; none for a disc.
    fn corners(self, (x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
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

impl Scene {
    /// Nothing on white.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            items: Vec::new(),
        }
    }

    /// Adds a line; of fewer than two points there is none.
    pub(crate) fn line(&mut self, points: Vec<(f64, f64)>, stroke: Stroke) {
        if points.len() > 1 {
            self.items.push(Item::Line { points, stroke });
        }
    }

    /// Adds the inside of a polygon.
    pub(crate) fn area(&mut self, points: Vec<(f64, f64)>, colour: Colour, opacity: f64) {
        if points.len() > 2 {
            self.items.push(Item::Area {
                points,
                colour,
                opacity,
            });
        }
    }

    /// Adds marks of one kind.
    pub(crate) fn marks(
        &mut self,
        centres: Vec<(f64, f64)>,
        radius: f64,
        shape: Shape,
        colour: Colour,
        fill: Fill,
    ) {
        if !centres.is_empty() {
            self.items.push(Item::Marks {
                centres,
                radius,
                shape,
                colour,
                fill,
            });
        }
    }

    /// Adds a line of text.
    pub(crate) fn word(&mut self, at: (f64, f64), text: &str, size: f64, anchor: Anchor, colour: Colour) {
        self.items.push(Item::Word {
            at,
            text: text.to_owned(),
            size,
            anchor,
            upright: false,
            colour,
        });
    }

    /// Adds a line of text that reads from below, its middle at `at`.
    pub(crate) fn upright(&mut self, at: (f64, f64), text: &str, size: f64, colour: Colour) {
        self.items.push(Item::Word {
            at,
            text: text.to_owned(),
            size,
            anchor: Anchor::Middle,
            upright: true,
            colour,
        });
    }

    /// The text of the SVG alone.
    pub(crate) fn svg(&self) -> String {
        svg::text(self)
    }

    /// Both files; the PNG has `scale` pixels for each of the scene's.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool: a picture of no size.
    pub(crate) fn picture(&self, scale: f64) -> Result<Picture> {
        Ok(Picture {
            svg: self.svg(),
            png: raster::png(self, scale)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pale_colours_lie_between_the_colour_and_white() {
        let colour = Colour(0, 100, 255);
        assert_eq!(colour.pale(1.0), colour);
        assert_eq!(colour.pale(0.0), Colour(255, 255, 255));
        assert_eq!(colour.pale(0.5), Colour(128, 178, 255));
    }

    #[test]
    fn what_has_no_extent_is_left_out() {
        let mut scene = Scene::new(10.0, 10.0);
        scene.line(vec![(0.0, 0.0)], Stroke::new(Colour(0, 0, 0), 1.0));
        scene.area(vec![(0.0, 0.0), (1.0, 1.0)], Colour(0, 0, 0), 1.0);
        scene.marks(Vec::new(), 1.0, Shape::Disc, Colour(0, 0, 0), Fill::Open);
        assert!(scene.items.is_empty());
    }
}
