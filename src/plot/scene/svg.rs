//! A scene as SVG.

use super::{Anchor, Colour, Fill, Item, Scene, Shape, Stroke};

/// The file's text.
pub(super) fn text(scene: &Scene) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
         {height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    for item in &scene.items {
        element(item, &mut out);
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn element(item: &Item, out: &mut String) {
    match item {
        Item::Line { points, stroke } => out.push_str(&format!(
            "<polyline points=\"{}\" fill=\"none\"{}/>",
            listed(points),
            stroked(stroke)
        )),
        Item::Area {
            points,
            colour,
            opacity,
        } => out.push_str(&format!(
            "<polygon points=\"{}\" fill=\"{}\"{}/>",
            listed(points),
            hex(*colour),
            opaque("fill-opacity", *opacity)
        )),
        Item::Marks {
            centres,
            radius,
            shape,
            colour,
            fill,
        } => {
            let look = match fill {
                Fill::Full(opacity) => {
                    format!("fill=\"{}\"{}", hex(*colour), opaque("fill-opacity", *opacity))
                }
                Fill::Open => format!("fill=\"white\" stroke=\"{}\" stroke-width=\"1.4\"", hex(*colour)),
            };
            out.push_str(&format!("<g {look}>"));
            for &centre in centres {
                let mark = match shape {
                    Shape::Disc => format!(
                        "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                        number(centre.0),
                        number(centre.1),
                        number(*radius)
                    ),
                    Shape::Square | Shape::Triangle | Shape::Diamond => {
                        format!(
                            "<polygon points=\"{}\"/>",
                            listed(&shape.corners(centre, *radius))
                        )
                    }
                };
                out.push_str(&mark);
            }
            out.push_str("</g>");
        }
        Item::Word {
            at,
            text,
            size,
            anchor,
            upright,
            colour,
        } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let (x, y) = (number(at.0), number(at.1));
            let turn = if *upright {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            out.push_str(&format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{turn}>{}</text>",
                number(*size),
                hex(*colour),
                escaped(text)
            ));
        }
    }
}

fn stroked(stroke: &Stroke) -> String {
    let dash = stroke.dash.map_or(String::new(), |(on, off)| {
        format!(" stroke-dasharray=\"{} {}\"", number(on), number(off))
    });
    format!(
        " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}{dash}",
        hex(stroke.colour),
        number(stroke.width),
        opaque("stroke-opacity", stroke.opacity)
    )
}

fn opaque(attribute: &str, opacity: f64) -> String {
    if opacity < 1.0 {
        format!(" {attribute}=\"{}\"", number(opacity))
    } else {
        String::new()
    }
}

fn listed(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{},{}", number(*x), number(*y)))
        .collect();
    points.join(" ")
}

/// A hundredth of a pixel is finer than any screen or printer shows.
fn number(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text that cannot end its element; signs that XML 1.0 forbids are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if sign.is_control() => out.push('\u{fffd}'),
            _ => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(item: &Item) -> String {
        let mut out = String::new();
        element(item, &mut out);
        out
    }

    #[test]
    fn names_cannot_break_the_file() {
        let word = Item::Word {
            at: (1.0, 2.0),
            text: "a<b & c\u{7}".into(),
            size: 10.0,
            anchor: Anchor::End,
            upright: true,
            colour: Colour(0, 0, 255),
        };
        assert_eq!(
            one(&word),
            "<text x=\"1\" y=\"2\" font-size=\"10\" text-anchor=\"end\" fill=\"#0000ff\" \
             transform=\"rotate(-90 1 2)\">a&lt;b &amp; c\u{fffd}</text>"
        );
    }

    #[test]
    fn positions_are_written_to_a_hundredth() {
        for (x, text) in [
            (1.0, "1"),
            (0.126, "0.13"),
            (-0.001, "0"),
            (100.0, "100"),
            (12.5, "12.5"),
        ] {
            assert_eq!(number(x), text);
        }
        let line = Item::Line {
            points: vec![(0.0, 1.0), (10.126, 20.5)],
            stroke: Stroke::new(Colour(1, 2, 3), 1.5).dashed().faded(0.5),
        };
        assert_eq!(
            one(&line),
            "<polyline points=\"0,1 10.13,20.5\" fill=\"none\" stroke=\"#010203\" stroke-width=\"1.5\" \
             stroke-linejoin=\"round\" stroke-opacity=\"0.5\" stroke-dasharray=\"5 3.5\"/>"
        );
    }

    #[test]
    fn every_mark_is_an_element_of_its_own() {
        let marks = |shape| Item::Marks {
            centres: vec![(1.0, 1.0), (2.0, 2.0)],
            radius: 1.0,
            shape,
            colour: Colour(0, 0, 0),
            fill: Fill::Full(1.0),
        };
        assert_eq!(one(&marks(Shape::Disc)).matches("<circle").count(), 2);
        for shape in [Shape::Square, Shape::Triangle, Shape::Diamond] {
            assert_eq!(one(&marks(shape)).matches("<polygon").count(), 2);
        }
    }
}
