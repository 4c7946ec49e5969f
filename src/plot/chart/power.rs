//! How probable it is that a design meets a criterion: the power of designs.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{GREY, series};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke, font};
use super::coverage::Spread;
use super::effects::Places;
use super::groups::labelled;

/// The designs that share the value of a second variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The value: `n = 5`; empty where there is no second variable.
    pub name: String,
    /// The share of replicates that meet the criterion, in the order of the places; none where there is no such design.
    pub shares: Vec<Option<Spread>>,
}

/// Lines beside each other are this far apart, so that intervals of one design do not cover each other.
const APART: f64 = 5.0;

/// The picture. `axes` are the titles of both; `interval` names that of the shares.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    axes: (&str, &str),
    interval: &str,
    places: &Places,
    curves: &[Curve],
) -> Scene {
    const SHAPES: [Shape; 4] = [Shape::Disc, Shape::Square, Shape::Triangle, Shape::Diamond];
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let shape = |number: usize| SHAPES[number % SHAPES.len()];
    // Intervals have the colours of their lines.
    let any = if curves.len() > 1 { GREY } else { series(0) };
    let entries: Vec<(Key, &str)> = curves
        .iter()
        .enumerate()
        .filter(|(_, curve)| !curve.name.is_empty())
        .map(|(number, curve)| {
            let key = Key::Mark(shape(number), series(number), Fill::Full(1.0));
            (key, curve.name.as_str())
        })
        .chain([(Key::Line(Stroke::new(any, 1.4).faded(0.6)), interval)])
        .collect();
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries);
    let (x, values): (Scale, Vec<f64>) = match places {
        Places::Numbers(numbers) => (
            Scale::over(numbers.iter().copied()).padded(0.05, 0.05),
            numbers.clone(),
        ),
        Places::Labels(labels) => (
            Scale::new(0.4, labels.len() as f64 + 0.6),
            (1..=labels.len()).map(|place| place as f64).collect(),
        ),
    };
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + taken + 8.0,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.42 * width,
        x,
        y: Scale::new(0.0, 1.0),
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    frame.y_grid(&mut scene);
    for (number, curve) in curves.iter().enumerate() {
        let colour = series(number);
        let beside = APART * (number as f64 - 0.5 * (curves.len() - 1) as f64);
        let at = |x: f64, y: f64| (frame.x_at(x) + beside, frame.y_at(y));
        let known: Vec<(f64, Spread)> = values
            .iter()
            .zip(&curve.shares)
            .filter_map(|(x, share)| Some((*x, (*share)?)))
            .collect();
        let points: Vec<(f64, f64)> = known.iter().map(|(x, share)| at(*x, share.value)).collect();
        scene.line(points.clone(), Stroke::new(colour, 1.8));
        for (x, share) in &known {
            let ends = vec![at(*x, share.lower), at(*x, share.upper)];
            scene.line(ends, Stroke::new(colour, 1.4).faded(0.6));
        }
        scene.marks(points, 3.8, shape(number), colour, Fill::Full(1.0));
    }
    match places {
        Places::Numbers(_) => frame.x_axis(&mut scene, axes.0),
        Places::Labels(labels) => {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            labelled(&mut scene, &frame, &labels);
            frame.x_title(&mut scene, axes.0, 34.0);
        }
    }
    frame.y_axis(&mut scene, &font::fitted(axes.1, LABEL, frame.height + 20.0));
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn every_design_has_its_mark_and_interval() {
        let share = |value: f64| {
            Some(Spread {
                value,
                lower: value - 0.05,
                upper: value + 0.05,
            })
        };
        let curve = |name: &str, shares: [Option<Spread>; 3]| Curve {
            name: name.into(),
            shares: shares.to_vec(),
        };
        let curves = [
            curve("n = 5", [share(0.2), share(0.4), share(0.6)]),
            curve("n = 10", [share(0.4), None, share(0.8)]),
        ];
        for places in [
            Places::Numbers(vec![15.0, 30.0, 60.0]),
            Places::Labels(vec!["a".into(), "b".into(), "c".into()]),
        ] {
            let scene = scene(760.0, ("", ""), ("ponds", "power"), "89 %", &places, &curves);
            let marks: Vec<&Vec<(f64, f64)>> = scene
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Marks { centres, radius, .. } if *radius < 4.0 => Some(centres),
                    _ => None,
                })
                .collect();
            assert_eq!((marks[0].len(), marks[1].len()), (3, 2));
            // 0.4 is 0.4 on both lines, and the lines stand apart.
            assert!((marks[0][1].1 - marks[1][0].1).abs() < 1e-9);
            assert!((marks[1][0].0 - marks[0][0].0 - APART).abs() < 1e-9);
            let intervals = scene.items.iter().filter(|item| match item {
                Item::Line { points, stroke } => stroke.opacity < 1.0 && points[0].0 == points[1].0,
                _ => false,
            });
            assert_eq!(intervals.count(), 5);
        }
    }
}
