//! Means and intervals of many numbers below each other, of several fits beside each other.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{FAINT, INK, RULE, series};
use super::super::scale::Scale;
use super::super::scene::{Anchor, Fill, Scene, Shape, Stroke, font};

/// A number in one fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub(crate) mean: f64,
    /// The interval of half of the probability.
    pub(crate) inner: (f64, f64),
    /// The interval that was asked for.
    pub(crate) outer: (f64, f64),
}

/// A number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Rows of one quantity stand together.
    pub(crate) quantity: String,
    /// One for each fit; none in a fit that lacks the number.
    pub(crate) bars: Vec<Option<Bar>>,
}

/// Names longer than this are cut.
const NAMES: f64 = 230.0;
/// Between rows of different quantities.
const APART: f64 = 9.0;

/// The picture; `fits` name the bars where there are several.
pub(crate) fn scene(width: f64, title: (&str, &str), fits: &[&str], rows: &[Row]) -> Scene {
    let lane = if fits.len() > 1 { 8.5 } else { 0.0 };
    let pitch = 17.0 + lane * (fits.len().max(1) - 1) as f64;
    let breaks = rows
        .windows(2)
        .filter(|pair| pair[0].quantity != pair[1].quantity)
        .count();
    let names: Vec<String> = rows
        .iter()
        .map(|row| font::fitted(&row.name, LABEL, NAMES))
        .collect();
    let left = MARGIN + 10.0 + font::widest(names.iter().map(String::as_str), LABEL);
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut top = BELOW_HEADING;
    if fits.len() > 1 {
        let entries: Vec<(Key, &str)> = fits
            .iter()
            .enumerate()
            .map(|(number, fit)| (Key::Mark(Shape::Disc, series(number), Fill::Full(1.0)), *fit))
            .collect();
        top += legend(&mut scene, (MARGIN, top + 2.0), width - 2.0 * MARGIN, &entries) + 4.0;
    }
    let bars = rows.iter().flat_map(|row| row.bars.iter().flatten());
    let frame = Frame {
        left,
        top,
        width: width - left - MARGIN,
        height: pitch * rows.len() as f64 + APART * breaks as f64 + 8.0,
        x: Scale::over(bars.flat_map(|bar| [bar.outer.0, bar.outer.1, bar.mean])).padded(0.03, 0.03),
        y: Scale::new(0.0, 1.0),
    };
    scene.height = frame.bottom() + BELOW_AXIS - 12.0;
    frame.x_grid(&mut scene);
    if frame.x.low < 0.0 && frame.x.high > 0.0 {
        frame.vertical(&mut scene, 0.0, Stroke::new(RULE, 1.2).dashed());
    }
    let mut y = frame.top + 4.0 + 0.5 * pitch;
    for (place, row) in rows.iter().enumerate() {
        if place > 0 && rows[place - 1].quantity != row.quantity {
            let line = y - 0.5 * pitch + 0.5 * APART;
            scene.line(
                vec![(frame.left, line), (frame.right(), line)],
                Stroke::new(FAINT, 1.0),
            );
            y += APART;
        }
        scene.word((left - 8.0, y + 4.0), &names[place], LABEL, Anchor::End, INK);
        for (number, bar) in row.bars.iter().enumerate() {
            let Some(bar) = bar else { continue };
            let at = y + lane * (number as f64 - 0.5 * (fits.len().max(1) - 1) as f64);
            let colour = series(number);
            let span = |(low, high): (f64, f64)| vec![(frame.x_at(low), at), (frame.x_at(high), at)];
            scene.line(span(bar.outer), Stroke::new(colour, 1.5));
            scene.line(span(bar.inner), Stroke::new(colour, 3.8));
            scene.marks(
                vec![(frame.x_at(bar.mean), at)],
                3.4,
                Shape::Disc,
                colour,
                Fill::Open,
            );
        }
        y += pitch;
    }
    frame.x_axis(&mut scene, "");
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    fn row(name: &str, means: &[Option<f64>]) -> Row {
        Row {
            name: name.into(),
            quantity: name.split('[').next().unwrap_or_default().into(),
            bars: means
                .iter()
                .map(|mean| {
                    mean.map(|mean| Bar {
                        mean,
                        inner: (mean - 1.0, mean + 1.0),
                        outer: (mean - 2.0, mean + 2.0),
                    })
                })
                .collect(),
        }
    }

    #[test]
    fn every_number_of_every_fit_has_its_mark_in_its_place() {
        let rows = [
            row("a[1]", &[Some(-1.0), Some(3.0)]),
            row("a[2]", &[Some(0.0), None]),
            row("sigma", &[None, Some(7.0)]),
        ];
        let scene = scene(700.0, ("", ""), &["one", "two"], &rows);
        let marks: Vec<(f64, f64)> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks {
                    centres,
                    fill: Fill::Open,
                    ..
                } => Some(centres[0]),
                _ => None,
            })
            .collect();
        assert_eq!(marks.len(), 4);
        // Of the means −1, 3, 0 and 7 distances along x keep their proportions.
        let unit = (marks[1].0 - marks[0].0) / 4.0;
        assert!((marks[2].0 - marks[0].0 - unit).abs() < 1e-9);
        assert!((marks[3].0 - marks[0].0 - 8.0 * unit).abs() < 1e-9);
        assert!(marks.iter().all(|mark| mark.0 > 0.0 && mark.0 < scene.width));
        assert!(marks[3].1 > marks[2].1 && marks[3].1 < scene.height);
    }

    #[test]
    fn names_of_many_rows_stand_apart() {
        let rows: Vec<Row> = (1..=48)
            .map(|n| row(&format!("a_tank[{n}]"), &[Some(0.0)]))
            .collect();
        let scene = scene(700.0, ("", ""), &["one"], &rows);
        let ys: Vec<f64> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word { at, text, .. } if text.starts_with("a_tank") => Some(at.1),
                _ => None,
            })
            .collect();
        assert_eq!(ys.len(), 48);
        assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= LABEL));
    }
}
