//! A scene as PNG: shapes by tiny-skia, words as outlines of the built-in font.

use tiny_skia::{Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, StrokeDash, Transform};

use super::{Anchor, Colour, Fill, Item, Scene, Shape, Stroke, font};
use crate::error::{Error, Result};

/// The edge of an open mark.
const EDGE: f64 = 1.4;

/// The file's bytes, with `scale` pixels for each of the scene's.
///
/// # Errors
///
/// A fault of tadpool if the scene has no size.
pub(super) fn png(scene: &Scene, scale: f64) -> Result<Vec<u8>> {
    let fault = |what: &str| Error::bug(format!("the picture as PNG: {what}"));
    let size = |length: f64| (length * scale).ceil() as u32;
    let mut pixels =
        Pixmap::new(size(scene.width), size(scene.height)).ok_or_else(|| fault("it has no size"))?;
    pixels.fill(Color::WHITE);
    let scaled = Transform::from_scale(scale as f32, scale as f32);
    for item in &scene.items {
        draw(&mut pixels, scaled, item);
    }
    pixels.encode_png().map_err(|error| fault(&error.to_string()))
}

fn draw(pixels: &mut Pixmap, scaled: Transform, item: &Item) {
    match item {
        Item::Line { points, stroke } => {
            if let Some(path) = path(points, false) {
                trace(pixels, scaled, &path, stroke);
            }
        }
        Item::Area {
            points,
            colour,
            opacity,
        } => {
            if let Some(path) = path(points, true) {
                fill(pixels, scaled, &path, *colour, *opacity);
            }
        }
        Item::Marks {
            centres,
            radius,
            shape,
            colour,
            fill: inside,
        } => {
            for &centre in centres {
                let mark = match shape {
                    Shape::Disc => PathBuilder::from_circle(centre.0 as f32, centre.1 as f32, *radius as f32),
                    Shape::Square | Shape::Triangle | Shape::Diamond => {
                        path(&shape.corners(centre, *radius), true)
                    }
                };
                let Some(mark) = mark else { continue };
                match inside {
                    Fill::Full(opacity) => fill(pixels, scaled, &mark, *colour, *opacity),
                    Fill::Open => {
                        fill(pixels, scaled, &mark, Colour(255, 255, 255), 1.0);
                        trace(pixels, scaled, &mark, &Stroke::new(*colour, EDGE));
                    }
                }
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
            let length = font::width(text, *size) as f32;
            let before = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -0.5 * length,
                Anchor::End => -length,
            };
            let turn = if *upright { -90.0 } else { 0.0 };
            let placed = Transform::from_translate(before, 0.0)
                .post_concat(Transform::from_rotate(turn))
                .post_translate(at.0 as f32, at.1 as f32)
                .post_concat(scaled);
            if let Some(outline) = font::outline(text, *size) {
                fill(pixels, placed, &outline, *colour, 1.0);
            }
        }
    }
}

fn fill(pixels: &mut Pixmap, placed: Transform, path: &Path, colour: Colour, opacity: f64) {
    pixels.fill_path(path, &paint(colour, opacity), FillRule::Winding, placed, None);
}

fn trace(pixels: &mut Pixmap, scaled: Transform, path: &Path, stroke: &Stroke) {
    let pen = tiny_skia::Stroke {
        width: stroke.width as f32,
        line_join: LineJoin::Round,
        dash: stroke
            .dash
            .and_then(|(on, off)| StrokeDash::new(vec![on as f32, off as f32], 0.0)),
        ..tiny_skia::Stroke::default()
    };
    pixels.stroke_path(path, &paint(stroke.colour, stroke.opacity), &pen, scaled, None);
}

fn paint(Colour(red, green, blue): Colour, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (255.0 * opacity).round() as u8);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(scene: &Scene, scale: f64) -> Pixmap {
        Pixmap::decode_png(&png(scene, scale).unwrap()).unwrap()
    }

    #[test]
    fn the_pixels_are_where_the_scene_says() {
        let mut scene = Scene::new(10.0, 6.0);
        scene.area(
            vec![(2.0, 1.0), (8.0, 1.0), (8.0, 5.0), (2.0, 5.0)],
            Colour(0, 114, 178),
            1.0,
        );
        let pixels = pixels(&scene, 2.0);
        assert_eq!((pixels.width(), pixels.height()), (20, 12));
        for x in 0..20 {
            for y in 0..12 {
                let inside = (4..16).contains(&x) && (2..10).contains(&y);
                let pixel = pixels.pixel(x, y).unwrap();
                let colour = Colour(pixel.red(), pixel.green(), pixel.blue());
                let expected = if inside {
                    Colour(0, 114, 178)
                } else {
                    Colour(255, 255, 255)
                };
                assert_eq!(colour, expected, "at {x}, {y}");
            }
        }
    }

    #[test]
    fn words_leave_ink_where_they_are_anchored() {
        for (anchor, from, to) in [
            (Anchor::Start, 50, 100),
            (Anchor::End, 0, 50),
            (Anchor::Middle, 25, 75),
        ] {
            let mut scene = Scene::new(100.0, 20.0);
            scene.word((50.0, 15.0), "MMMM", 12.0, anchor, Colour(0, 0, 0));
            let pixels = pixels(&scene, 1.0);
            let ink: Vec<u32> = (0..100)
                .filter(|&x| (0..20).any(|y| pixels.pixel(x, y).unwrap().red() < 128))
                .collect();
            assert!(
                !ink.is_empty() && ink.iter().all(|x| (from..to).contains(x)),
                "{anchor:?}: {ink:?}"
            );
        }
    }

    #[test]
    fn a_scene_of_no_size_is_a_fault() {
        assert!(png(&Scene::new(0.0, 10.0), 2.0).is_err());
    }
}
