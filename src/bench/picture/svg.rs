//! A scene as SVG.

use super::scene::{Anchor, Colour, Item, Scene, Shape};

/// The file's text.
pub(super) fn text(scene: &Scene) -> String {
    let Scene { width, height, .. } = scene;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
         {height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    for item in &scene.items {
        out.push_str(&element(item));
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn element(item: &Item) -> String {
    match item {
        Item::Line {
            points,
            colour,
            width,
        } => format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>",
            listed(points),
            hex(*colour)
        ),
        Item::Mark {
            centre,
            radius,
            shape: Shape::Disc,
            colour,
        } => format!(
            "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"{radius}\" fill=\"{}\"/>",
            centre.0,
            centre.1,
            hex(*colour)
        ),
        Item::Mark {
            centre,
            radius,
            shape,
            colour,
        } => format!(
            "<polygon points=\"{}\" fill=\"{}\"/>",
            listed(&shape.corners(*centre, *radius)),
            hex(*colour)
        ),
        Item::Word {
            at: (x, y),
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
            let turn = if *upright {
                format!(" transform=\"rotate(-90 {x:.2} {y:.2})\"")
            } else {
                String::new()
            };
            format!(
                "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{}\"{turn}>{}</text>",
                hex(*colour),
                escaped(text)
            )
        }
    }
}

fn listed(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
    points.join(" ")
}

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_file() {
        let word = Item::Word {
            at: (1.0, 2.0),
            text: "a<b & c".into(),
            size: 10.0,
            anchor: Anchor::End,
            upright: true,
            colour: Colour(0, 0, 255),
        };
        assert_eq!(
            element(&word),
            "<text x=\"1.00\" y=\"2.00\" font-size=\"10\" text-anchor=\"end\" fill=\"#0000ff\" \
             transform=\"rotate(-90 1.00 2.00)\">a&lt;b &amp; c</text>"
        );
    }
}
