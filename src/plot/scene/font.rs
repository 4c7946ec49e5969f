//! The built-in font: widths of words, outlines of letters.

use std::sync::LazyLock;

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Latin, Greek and Cyrillic letters, digits and signs of DejaVu Sans 2.37.
static FACE: LazyLock<Face<'static>> = LazyLock::new(|| {
    Face::parse(include_bytes!("font/DejaVuSans-part.ttf"), 0)
        .expect("the built-in font is whole, as a test says")
});

/// The letter's place in the font; an empty box stands for what it lacks.
fn glyph(sign: char) -> GlyphId {
    FACE.glyph_index(sign).unwrap_or(GlyphId(0))
}

fn advance(glyph: GlyphId) -> f64 {
    f64::from(FACE.glyph_hor_advance(glyph).unwrap_or_default())
}

/// The width of a line of text in letters of `size`.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text.chars().map(|sign| advance(glyph(sign))).sum();
    units * size / f64::from(FACE.units_per_em())
}

/// The widest of some lines of text.
pub(crate) fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    texts.map(|text| width(text, size)).fold(0.0, f64::max)
}

/// The text, cut so that it is no wider than `room`.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for sign in text.chars() {
        kept.push(sign);
        if width(&kept, size) + width("…", size) > room {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// The outline of a line of text in letters of `size` that starts at the origin; none for blanks alone.
pub(super) fn outline(text: &str, size: f64) -> Option<Path> {
    let scale = size as f32 / f32::from(FACE.units_per_em());
    let mut pen = Pen {
        path: PathBuilder::new(),
        at: 0.0,
        scale,
    };
    for glyph in text.chars().map(glyph) {
        FACE.outline_glyph(glyph, &mut pen);
        pen.at += advance(glyph) as f32 * scale;
    }
    pen.path.finish()
}

/// Draws glyphs one after another. Fonts count y upwards.
struct Pen {
    path: PathBuilder,
    at: f32,
    scale: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at + self.scale * x, -self.scale * y)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_every_sign_of_the_pictures_and_of_european_names() {
        for sign in (' '..='~').chain("×−–…≥≤σμτβñéøßŁőžΩЖя²√".chars()) {
            assert!(FACE.glyph_index(sign).is_some(), "{sign:?} is missing");
        }
        assert!(outline("ii", 10.0).is_some() && outline("  ", 10.0).is_none());
        assert!(outline("字", 10.0).is_some(), "a box for what is missing");
    }

    #[test]
    fn widths_grow_with_letters_and_size() {
        assert!(width("mm", 10.0) > 2.0 * width("ii", 10.0));
        assert!((width("abc", 20.0) - 2.0 * width("abc", 10.0)).abs() < 1e-9);
        // An em of DejaVu Sans is 2048 units, a digit 1303 of them.
        assert!((width("0", 2048.0) - 1303.0).abs() < 1e-9);
    }

    #[test]
    fn long_names_are_cut_to_their_room() {
        assert_eq!(fitted("short", 10.0, 100.0), "short");
        let cut = fitted("a_very_long_name_of_a_place", 10.0, 60.0);
        assert!(cut.ends_with('…') && cut.starts_with("a_v"), "{cut}");
        assert!(width(&cut, 10.0) <= 60.0);
    }
}
