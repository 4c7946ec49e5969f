//! The layout: a panel for each model, both axes logarithmic and the same in all, a legend below.

use super::super::row::Row;
use crate::plot::palette::{self, FAINT, GRAPHITE, INK};
use crate::plot::scene::{Anchor, Colour, Fill, Scene, Shape, Stroke};

/// Colours, and a shape with each.
const STYLES: [(Colour, Shape); 8] = [
    (GRAPHITE, Shape::Disc),
    (palette::BLUE, Shape::Disc),
    (palette::ORANGE, Shape::Square),
    (palette::VERMILION, Shape::Triangle),
    (palette::GREEN, Shape::Diamond),
    (palette::PURPLE, Shape::Square),
    (palette::SKY, Shape::Triangle),
    (palette::BLACK, Shape::Diamond),
];

/// A panel's inside.
const PANEL: (f64, f64) = (270.0, 250.0);
/// Panels beside each other, at most.
const COLUMNS: usize = 3;
const LEFT: f64 = 78.0;
const GAP: (f64, f64) = (26.0, 74.0);
const TOP: f64 = 88.0;
const LEGEND_LINE: f64 = 20.0;

/// The picture of rows that were measured on `machine`.
pub(super) fn scene(machine: &str, rows: &[Row]) -> Scene {
    let models = distinct(rows.iter().map(|row| row.model.as_str()));
    let drivers = distinct(rows.iter().map(|row| &row.driver));
    let chains = {
        let mut chains = distinct(rows.iter().map(|row| row.chains));
        chains.sort_unstable();
        chains
    };
    let columns = models.len().clamp(1, COLUMNS);
    let lines = models.len().div_ceil(columns).max(1);
    let below = TOP + lines as f64 * (PANEL.1 + GAP.1);
    let mut scene = Scene::new(
        (LEFT + columns as f64 * (PANEL.0 + GAP.0)).max(620.0),
        below + drivers.len() as f64 * LEGEND_LINE + 12.0,
    );
    scene.word(
        (LEFT, 30.0),
        "Gradients per second, by number of chains",
        17.0,
        Anchor::Start,
        INK,
    );
    scene.word((LEFT, 52.0), machine, 12.0, Anchor::Start, INK);
    let axes = Axes::of(rows, &chains);
    for (place, model) in models.iter().enumerate() {
        let corner = (
            LEFT + (place % columns) as f64 * (PANEL.0 + GAP.0),
            TOP + (place / columns) as f64 * (PANEL.1 + GAP.1),
        );
        axes.draw(&mut scene, corner, model, place % columns == 0, &chains);
        for (number, driver) in drivers.iter().enumerate() {
            let mut points: Vec<(usize, f64)> = rows
                .iter()
                .filter(|row| row.model == *model && row.driver == **driver)
                .map(|row| (row.chains, row.gradients_per_second))
                .collect();
            points.sort_by_key(|point| point.0);
            let points: Vec<(f64, f64)> = points
                .iter()
                .map(|&(x, y)| axes.at(corner, x as f64, y))
                .collect();
            marks(&mut scene, Vec::clone(&points), number);
            series(&mut scene, points, number);
        }
    }
    for (number, driver) in drivers.iter().enumerate() {
        let y = below - 14.0 + number as f64 * LEGEND_LINE;
        marks(&mut scene, vec![(LEFT + 17.0, y)], number);
        series(&mut scene, vec![(LEFT, y), (LEFT + 34.0, y)], number);
        scene.word(
            (LEFT + 44.0, y + 4.5),
            &driver.to_string(),
            12.5,
            Anchor::Start,
            INK,
        );
    }
    scene
}

/// Each value once, in the order of appearance.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for value in values {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

/// A driver's line.
fn series(scene: &mut Scene, points: Vec<(f64, f64)>, number: usize) {
    scene.line(points, Stroke::new(STYLES[number % STYLES.len()].0, 2.0));
}

/// A driver's marks.
fn marks(scene: &mut Scene, points: Vec<(f64, f64)>, number: usize) {
    let (colour, shape) = STYLES[number % STYLES.len()];
    scene.marks(points, 3.6, shape, colour, Fill::Full(1.0));
}

/// The ranges of both axes, as decimal logarithms.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn of(rows: &[Row], chains: &[usize]) -> Self {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values
                .filter(|x| *x > 0.0)
                .map(f64::log10)
                .fold(None, |ends: Option<(f64, f64)>, x| {
                    Some(ends.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
                })
        };
        let x = ends(&mut chains.iter().map(|&n| n as f64)).unwrap_or((1.0, 2.0));
        let y = ends(&mut rows.iter().map(|row| row.gradients_per_second)).unwrap_or((5.0, 6.0));
        Self {
            x: (x.0 - 0.12, x.1 + 0.12),
            // Whole decades would leave much empty; some room above and below is enough.
            y: (y.0 - 0.15, (y.1 + 0.15).max(y.0 + 0.85)),
        }
    }

    /// The place of a point in the panel at `corner`.
    fn at(&self, corner: (f64, f64), x: f64, y: f64) -> (f64, f64) {
        let share = |value: f64, (low, high): (f64, f64)| (value.log10() - low) / (high - low);
        (
            corner.0 + share(x, self.x) * PANEL.0,
            corner.1 + (1.0 - share(y, self.y)) * PANEL.1,
        )
    }

    fn draw(&self, scene: &mut Scene, corner: (f64, f64), model: &str, is_first: bool, chains: &[usize]) {
        let (right, bottom) = (corner.0 + PANEL.0, corner.1 + PANEL.1);
        scene.word((corner.0, corner.1 - 9.0), model, 13.5, Anchor::Start, INK);
        for exponent in self.y.0.floor() as i32..=self.y.1.ceil() as i32 {
            for step in [1.0, 2.0, 5.0] {
                let value = step * 10f64.powi(exponent);
                let y = self.at(corner, 1.0, value).1;
                if y < corner.1 || y > bottom {
                    continue;
                }
                let is_decade = step == 1.0;
                scene.line(
                    vec![(corner.0, y), (right, y)],
                    Stroke::new(FAINT, if is_decade { 1.2 } else { 0.6 }),
                );
                let narrow = self.y.1 - self.y.0 < 2.5;
                if is_first && (is_decade || narrow) {
                    scene.word((corner.0 - 7.0, y + 4.0), &short(value), 11.5, Anchor::End, INK);
                }
            }
        }
        // Labels that would run into each other are left out, from the second on.
        let room = PANEL.0 / 46.0;
        let every = (chains.len() as f64 / room).ceil().max(1.0) as usize;
        for (place, &count) in chains.iter().enumerate() {
            let x = self.at(corner, count as f64, 1.0).0;
            scene.line(vec![(x, bottom), (x, bottom + 4.0)], Stroke::new(INK, 1.0));
            if place % every == 0 {
                scene.word((x, bottom + 18.0), &count.to_string(), 11.5, Anchor::Middle, INK);
            }
        }
        scene.line(
            vec![(corner.0, corner.1), (corner.0, bottom), (right, bottom)],
            Stroke::new(INK, 1.0),
        );
        scene.word(
            (corner.0 + 0.5 * PANEL.0, bottom + 37.0),
            "chains",
            12.0,
            Anchor::Middle,
            INK,
        );
        if is_first {
            let at = (corner.0 - 50.0, corner.1 + 0.5 * PANEL.1);
            scene.upright(at, "gradients per second", 12.0, INK);
        }
    }
}

/// A round number with its scale: `500k`, `2M`, `1G`.
fn short(value: f64) -> String {
    let scales = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match scales.into_iter().find(|(scale, _)| value >= 0.999 * scale) {
        Some((scale, suffix)) => format!("{:.0}{suffix}", value / scale),
        None => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_axes_are_short() {
        for (value, text) in [
            (50.0, "50"),
            (1e3, "1k"),
            (5e5, "500k"),
            (2e6, "2M"),
            (1e10, "10G"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn the_first_styles_are_those_of_the_drivers_of_one_adapter() {
        assert_ne!(STYLES[0].0, STYLES[1].0);
        let mut colours: Vec<_> = STYLES.iter().map(|style| format!("{style:?}")).collect();
        colours.sort();
        colours.dedup();
        assert_eq!(colours.len(), STYLES.len());
    }
}
