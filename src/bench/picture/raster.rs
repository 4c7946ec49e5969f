//! A scene as PNG: shapes by tiny-skia, words as outlines of the built-in font.

use tiny_skia::{Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use ttf_parser::{Face, OutlineBuilder};

use super::scene::{Anchor, Colour, Item, Scene, Shape};
use crate::error::{Error, Result};

/// Pixels for each of the scene's.
const SCALE: f32 = 2.0;
/// Letters, digits and signs of DejaVu Sans.
const FONT: &[u8] = include_bytes!("font/DejaVuSans-part.ttf");

/// The file's bytes.
///
/// # Errors
///
/// A fault of tadpool if the scene has no size.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>> {
    let fault = |what: &str| Error::bug(format!("the picture as PNG: {what}"));
    let size = |length: f64| (length as f32 * SCALE).ceil() as u32;
    let mut pixels =
        Pixmap::new(size(scene.width), size(scene.height)).ok_or_else(|| fault("it has no size"))?;
    pixels.fill(Color::WHITE);
    let face = Face::parse(FONT, 0).map_err(|error| fault(&error.to_string()))?;
    for item in &scene.items {
        draw(&mut pixels, &face, item);
    }
    pixels.encode_png().map_err(|error| fault(&error.to_string()))
}

fn draw(pixels: &mut Pixmap, face: &Face<'_>, item: &Item) {
    let scaled = Transform::from_scale(SCALE, SCALE);
    match item {
        Item::Line {
            points,
            colour,
            width,
        } => {
            let stroke = Stroke {
                width: *width as f32,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            if let Some(path) = path(points, false) {
                pixels.stroke_path(&path, &paint(*colour), &stroke, scaled, None);
            }
        }
        Item::Mark {
            centre,
            radius,
            shape,
            colour,
        } => {
            let shape = match shape {
                Shape::Disc => PathBuilder::from_circle(centre.0 as f32, centre.1 as f32, *radius as f32),
                Shape::Square | Shape::Triangle | Shape::Diamond => {
                    path(&shape.corners(*centre, *radius), true)
                }
            };
            if let Some(shape) = shape {
                pixels.fill_path(&shape, &paint(*colour), FillRule::Winding, scaled, None);
            }
        }
        Item::Word {
            at,
            text,
            size,
            anchor,
            upright,
            colour,
        } => {
            let (outline, length) = outline(face, text);
            let em = *size as f32 / f32::from(face.units_per_em());
            let before = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -0.5 * length,
                Anchor::End => -length,
            };
            // Fonts count y upwards.
            let turn = if *upright { -90.0 } else { 0.0 };
            let placed = Transform::from_translate(before, 0.0)
                .post_scale(em, -em)
                .post_concat(Transform::from_rotate(turn))
                .post_translate(at.0 as f32, at.1 as f32)
                .post_concat(scaled);
            if let Some(outline) = outline {
                pixels.fill_path(&outline, &paint(*colour), FillRule::Winding, placed, None);
            }
        }
    }
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn path(points: &[(f64, f64)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (place, (x, y)) in points.iter().enumerate() {
        match place {
            0 => builder.move_to(*x as f32, *y as f32),
            _ => builder.line_to(*x as f32, *y as f32),
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// A line of text from the origin, in the font's units, and its length. Signs that the font lacks are left blank.
fn outline(face: &Face<'_>, text: &str) -> (Option<Path>, f32) {
    let mut pen = Pen {
        path: PathBuilder::new(),
        at: 0.0,
    };
    for sign in text.chars() {
        let glyph = face
            .glyph_index(sign)
            .or_else(|| face.glyph_index(' '))
            .unwrap_or_default();
        face.outline_glyph(glyph, &mut pen);
        pen.at += f32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
    }
    let length = pen.at;
    (pen.path.finish(), length)
}

/// Draws glyphs one after another.
struct Pen {
    path: PathBuilder,
    at: f32,
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.at + x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.at + x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(self.at + x1, y1, self.at + x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path
            .cubic_to(self.at + x1, y1, self.at + x2, y2, self.at + x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_every_sign_of_the_pictures() {
        let face = Face::parse(FONT, 0).unwrap();
        for sign in (' '..='~').chain(['×']) {
            assert!(face.glyph_index(sign).is_some(), "{sign:?} is missing");
        }
        let (path, length) = outline(&face, "ii");
        assert!(path.is_some() && length > 0.0);
        assert!(outline(&face, "mm").1 > 2.0 * length);
    }
}
