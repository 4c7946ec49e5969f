//! Densities of many numbers above each other, each a low hill that may reach over the one above.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{FAINT, INK, RULE};
use super::super::scale::Scale;
use super::super::scene::{Anchor, Colour, Fill, Scene, Shape, Stroke, font};
use super::density::{Curve, visible};

/// A number: a curve for each fit that has it.
#[derive(Debug, Clone)]
pub(crate) struct Ridge {
    pub(crate) name: String,
    pub(crate) quantity: String,
    pub(crate) curves: Vec<Curve>,
}

const PITCH: f64 = 21.0;
/// The highest hill, in lines.
const REACH: f64 = 2.6;

/// The picture; heights of a quantity's hills are on one scale.
pub(crate) fn scene(width: f64, title: (&str, &str), fits: &[(&str, Colour)], ridges: &[Ridge]) -> Scene {
    let names: Vec<String> = ridges
        .iter()
        .map(|ridge| font::fitted(&ridge.name, LABEL, 230.0))
        .collect();
    let left = MARGIN + 10.0 + font::widest(names.iter().map(String::as_str), LABEL);
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut top = BELOW_HEADING;
    if fits.len() > 1 {
        let entries: Vec<(Key, &str)> = fits
            .iter()
            .map(|(name, colour)| (Key::Line(Stroke::new(*colour, 2.2)), *name))
            .collect();
        top += legend(&mut scene, (MARGIN, top + 2.0), width - 2.0 * MARGIN, &entries);
    }
    let frame = Frame {
        left,
        top: top + (REACH - 1.3) * PITCH,
        width: width - left - MARGIN,
        height: PITCH * ridges.len() as f64 + 4.0,
        x: visible(ridges.iter().flat_map(|ridge| &ridge.curves)).padded(0.02, 0.02),
        y: Scale::new(0.0, 1.0),
    };
    scene.height = frame.bottom() + BELOW_AXIS - 12.0;
    // Hills of a set of numbers are on one scale; another set may be much narrower.
    let peak = |quantity: &str| {
        let same = ridges.iter().filter(|ridge| ridge.quantity == quantity);
        let peaks = same
            .flat_map(|ridge| &ridge.curves)
            .map(|curve| curve.density.peak());
        peaks.fold(0.0, f64::max)
    };
    if frame.x.low < 0.0 && frame.x.high > 0.0 {
        frame.vertical(&mut scene, 0.0, Stroke::new(RULE, 1.2).dashed());
    }
    for (place, ridge) in ridges.iter().enumerate() {
        let base = frame.top + (place as f64 + 1.0) * PITCH;
        scene.line(
            vec![(frame.left, base), (frame.right(), base)],
            Stroke::new(FAINT, 1.0),
        );
        scene.word((left - 8.0, base - 1.0), &names[place], LABEL, Anchor::End, INK);
        let peak = peak(&ridge.quantity);
        for curve in &ridge.curves {
            let points: Vec<(f64, f64)> = curve
                .density
                .points()
                .filter(|point| frame.x.holds(point.0))
                .map(|(x, y)| (frame.x_at(x), base - y / peak * REACH * PITCH))
                .collect();
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                continue;
            };
            let around = [(first.0, base)]
                .into_iter()
                .chain(points.iter().copied())
                .chain([(last.0, base)]);
            if fits.len() > 1 {
                scene.area(around.collect(), curve.colour, 0.25);
            } else {
                // Hills in front hide those behind them.
                scene.area(around.collect(), curve.colour.pale(0.28), 0.92);
            }
            scene.line(points, Stroke::new(curve.colour, 1.3));
        }
    }
    // Above all hills, which would hide those behind them.
    for (place, ridge) in ridges.iter().enumerate() {
        let base = frame.top + (place as f64 + 1.0) * PITCH;
        for curve in &ridge.curves {
            let mean = vec![(frame.x_at(curve.mean), base)];
            scene.marks(mean, 2.8, Shape::Disc, curve.colour, Fill::Full(1.0));
        }
    }
    frame.x_axis(&mut scene, "");
    scene
}
