//! A rectangle of a picture with two scales: what is drawn by value stands in one. Also headings and legends.

use super::palette::{FAINT, GREY, INK};
use super::scale::Scale;
use super::scene::{Anchor, Colour, Fill, Scene, Shape, Stroke, font};

/// Sizes of letters.
pub(crate) const TITLE: f64 = 15.0;
pub(crate) const SUBTITLE: f64 = 11.0;
pub(crate) const LABEL: f64 = 11.5;
pub(crate) const TICK: f64 = 10.5;

/// Where what stands below the heading begins.
pub(crate) const BELOW_HEADING: f64 = 62.0;
/// Between a picture's edge and what is nearest to it.
pub(crate) const MARGIN: f64 = 16.0;
/// What an axis with numbers and a title takes below a frame.
pub(crate) const BELOW_AXIS: f64 = 46.0;

/// The part of a picture that two scales span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

impl Frame {
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The place of a value on the x axis.
    pub(crate) fn x_at(&self, x: f64) -> f64 {
        self.left + self.x.share(x) * self.width
    }

    /// The place of a value on the y axis.
    pub(crate) fn y_at(&self, y: f64) -> f64 {
        self.top + (1.0 - self.y.share(y)) * self.height
    }

    /// The place of a point.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x_at(x), self.y_at(y))
    }

    /// The places of points.
    pub(crate) fn all(&self, points: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        points.into_iter().map(|(x, y)| self.at(x, y)).collect()
    }

    /// A curve through points.
    pub(crate) fn curve(
        &self,
        scene: &mut Scene,
        points: impl IntoIterator<Item = (f64, f64)>,
        stroke: Stroke,
    ) {
        scene.line(self.all(points), stroke);
    }

    /// The area between a curve and the height `base`.
    pub(crate) fn below(
        &self,
        scene: &mut Scene,
        points: &[(f64, f64)],
        base: f64,
        colour: Colour,
        opacity: f64,
    ) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let ends = [(first.0, base)]
            .into_iter()
            .chain(points.iter().copied())
            .chain([(last.0, base)]);
        scene.area(self.all(ends), colour, opacity);
    }

    /// A line from bottom to top.
    pub(crate) fn vertical(&self, scene: &mut Scene, x: f64, stroke: Stroke) {
        let x = self.x_at(x);
        scene.line(vec![(x, self.top), (x, self.bottom())], stroke);
    }

    /// A line from left to right.
    pub(crate) fn horizontal(&self, scene: &mut Scene, y: f64, stroke: Stroke) {
        let y = self.y_at(y);
        scene.line(vec![(self.left, y), (self.right(), y)], stroke);
    }

    /// The bottom line, with ticks, numbers that do not run into each other, and a title.
    pub(crate) fn x_axis(&self, scene: &mut Scene, title: &str) {
        let mut most = ((self.width / 40.0) as usize).max(2);
        let (ticks, labels) = loop {
            let ticks = self.x.ticks(most);
            let labels = ticks.labels();
            let step = match ticks.values.as_slice() {
                [first, second, ..] => self.x_at(*second) - self.x_at(*first),
                _ => self.width,
            };
            if most <= 1 || font::widest(labels.iter().map(String::as_str), TICK) + 10.0 <= step {
                break (ticks, labels);
            }
            most -= 1;
        };
        let bottom = self.bottom();
        for (value, label) in ticks.values.iter().zip(&labels) {
            let x = self.x_at(*value);
            scene.line(vec![(x, bottom), (x, bottom + 4.0)], Stroke::new(INK, 1.0));
            scene.word((x, bottom + 16.5), label, TICK, Anchor::Middle, INK);
        }
        self.bottom_line(scene);
        self.x_title(scene, title, 34.0);
    }

    /// The bottom line alone.
    pub(crate) fn bottom_line(&self, scene: &mut Scene) {
        let bottom = self.bottom();
        scene.line(
            vec![(self.left, bottom), (self.right(), bottom)],
            Stroke::new(INK, 1.0),
        );
    }

    /// A title `below` the frame.
    pub(crate) fn x_title(&self, scene: &mut Scene, title: &str, below: f64) {
        if !title.is_empty() {
            let at = (self.left + 0.5 * self.width, self.bottom() + below);
            scene.word(at, title, LABEL, Anchor::Middle, INK);
        }
    }

    /// The left line, with ticks, numbers, and a title that reads from below.
    pub(crate) fn y_axis(&self, scene: &mut Scene, title: &str) {
        let ticks = self.y.ticks(((self.height / 26.0) as usize).max(2));
        let labels = ticks.labels();
        for (value, label) in ticks.values.iter().zip(&labels) {
            let y = self.y_at(*value);
            scene.line(vec![(self.left - 4.0, y), (self.left, y)], Stroke::new(INK, 1.0));
            scene.word((self.left - 7.0, y + 3.8), label, TICK, Anchor::End, INK);
        }
        scene.line(
            vec![(self.left, self.top), (self.left, self.bottom())],
            Stroke::new(INK, 1.0),
        );
        if !title.is_empty() {
            let room = 20.0 + font::widest(labels.iter().map(String::as_str), TICK);
            let at = (self.left - room, self.top + 0.5 * self.height);
            scene.upright(at, title, LABEL, INK);
        }
    }

    /// Faint lines at the ticks of the y axis.
    pub(crate) fn y_grid(&self, scene: &mut Scene) {
        for y in self.y.ticks(((self.height / 26.0) as usize).max(2)).values {
            self.horizontal(scene, y, Stroke::new(FAINT, 1.0));
        }
    }

    /// Faint lines at the ticks of the x axis.
    pub(crate) fn x_grid(&self, scene: &mut Scene) {
        for x in self.x.ticks(((self.width / 40.0) as usize).max(2)).values {
            self.vertical(scene, x, Stroke::new(FAINT, 1.0));
        }
    }

    /// A name above the frame.
    pub(crate) fn name(&self, scene: &mut Scene, name: &str) {
        let name = font::fitted(name, LABEL, self.width);
        scene.word((self.left, self.top - 6.0), &name, LABEL, Anchor::Start, INK);
    }
}

/// What a picture shows, and how, at its top.
pub(crate) fn heading(scene: &mut Scene, title: &str, subtitle: &str) {
    let room = scene.width - 2.0 * MARGIN;
    let title = font::fitted(title, TITLE, room);
    scene.word((MARGIN, 27.0), &title, TITLE, Anchor::Start, INK);
    let subtitle = font::fitted(subtitle, SUBTITLE, room);
    scene.word((MARGIN, 45.0), &subtitle, SUBTITLE, Anchor::Start, GREY);
}

/// How a thing is drawn, for a legend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Key {
    Line(Stroke),
    Mark(Shape, Colour, Fill),
    Band(Colour, f64),
}

/// Keys and their words in a line from `at` on, as many lines as they take within `room`; returns the lines' height.
pub(crate) fn legend(scene: &mut Scene, at: (f64, f64), room: f64, entries: &[(Key, &str)]) -> f64 {
    const LINE: f64 = 17.0;
    let (mut x, mut y) = at;
    for (key, text) in entries {
        let length = 30.0 + font::width(text, SUBTITLE);
        if x > at.0 && x + length > at.0 + room {
            (x, y) = (at.0, y + LINE);
        }
        match key {
            Key::Line(stroke) => scene.line(vec![(x, y), (x + 22.0, y)], *stroke),
            Key::Mark(shape, colour, fill) => {
                scene.marks(vec![(x + 16.0, y)], 4.0, *shape, *colour, *fill);
            }
            Key::Band(colour, opacity) => scene.area(
                vec![
                    (x, y - 5.0),
                    (x + 22.0, y - 5.0),
                    (x + 22.0, y + 5.0),
                    (x, y + 5.0),
                ],
                *colour,
                *opacity,
            ),
        }
        scene.word((x + 27.0, y + 4.0), text, SUBTITLE, Anchor::Start, INK);
        x += length + 16.0;
    }
    y + LINE - at.1
}

#[cfg(test)]
mod tests {
    use super::super::scene::Item;
    use super::*;

    fn frame(width: f64, x: Scale) -> Frame {
        Frame {
            left: 50.0,
            top: 20.0,
            width,
            height: 100.0,
            x,
            y: Scale::new(-1.0, 1.0),
        }
    }

    #[test]
    fn values_map_to_places_exactly() {
        let frame = frame(200.0, Scale::new(0.0, 4.0));
        assert_eq!(frame.at(0.0, -1.0), (50.0, 120.0));
        assert_eq!(frame.at(4.0, 1.0), (250.0, 20.0));
        assert_eq!(frame.at(1.0, 0.0), (100.0, 70.0));
    }

    /// The extents of the words of a scene, from left to right.
    fn extents(scene: &Scene) -> Vec<(f64, f64)> {
        let mut extents: Vec<(f64, f64)> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word { at, text, size, .. } => {
                    let half = 0.5 * font::width(text, *size);
                    Some((at.0 - half, at.0 + half))
                }
                Item::Line { .. } | Item::Area { .. } | Item::Marks { .. } => None,
            })
            .collect();
        extents.sort_by(|a, b| a.0.total_cmp(&b.0));
        extents
    }

    #[test]
    fn numbers_on_an_axis_do_not_run_into_each_other() {
        for width in [60.0, 110.0, 250.0, 900.0] {
            for (low, high) in [(0.0, 1.0), (-1e5, 1e5), (0.0, 3e7), (1e-5, 3e-5), (999.0, 1001.0)] {
                let mut scene = Scene::new(width + 100.0, 200.0);
                frame(width, Scale::new(low, high)).x_axis(&mut scene, "");
                let extents = extents(&scene);
                assert!(!extents.is_empty());
                for pair in extents.windows(2) {
                    assert!(pair[0].1 < pair[1].0, "{width}: {low} to {high}: {extents:?}");
                }
            }
        }
    }

    #[test]
    fn a_legend_stays_within_its_room() {
        let mut scene = Scene::new(300.0, 200.0);
        let entry = (Key::Line(Stroke::new(INK, 1.0)), "some fit's name");
        let height = legend(&mut scene, (10.0, 10.0), 280.0, &[entry; 5]);
        assert_eq!(height, 3.0 * 17.0, "two in a line");
        for item in &scene.items {
            if let Item::Word { at, text, size, .. } = item {
                assert!(at.0 + font::width(text, *size) <= 290.0);
            }
        }
    }
}
