//! Densities: several on one axis, or one panel for each number or set of numbers.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, heading, legend};
use super::super::scale::Scale;
use super::super::scene::{Colour, Fill, Scene, Shape, Stroke};
use super::super::tiles::Tiles;
use crate::diag::Density;

/// A density and what is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    /// For the legend.
    pub(crate) name: String,
    pub(crate) density: Density,
    pub(crate) mean: f64,
    /// The interval, filled below the curve.
    pub(crate) interval: (f64, f64),
    pub(crate) colour: Colour,
}

/// Curves with a panel of their own.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) name: String,
    pub(crate) curves: Vec<Curve>,
    /// Of a set of many numbers only lines are drawn.
    pub(crate) lines_only: bool,
}

/// The range of x that shows curves, without the far ends of tails in which a curve is lower than a hundredth of its
/// peak.
pub(super) fn visible<'a>(curves: impl Iterator<Item = &'a Curve>) -> Scale {
    Scale::over(curves.flat_map(|curve| {
        let least = curve.density.peak() / 100.0;
        let points: Vec<f64> = curve
            .density
            .points()
            .filter(|point| point.1 >= least)
            .map(|point| point.0)
            .collect();
        [points.first().copied(), points.last().copied()]
            .into_iter()
            .flatten()
            .collect::<Vec<f64>>()
    }))
}

fn peaks(curves: &[Curve]) -> Scale {
    let peak = curves
        .iter()
        .map(|curve| curve.density.peak())
        .fold(0.0, f64::max);
    Scale::new(0.0, 1.06 * peak)
}

fn draw(scene: &mut Scene, frame: &Frame, curve: &Curve, lines_only: bool) {
    let points: Vec<(f64, f64)> = curve
        .density
        .points()
        .filter(|point| frame.x.holds(point.0))
        .collect();
    if lines_only {
        frame.curve(scene, points, Stroke::new(curve.colour, 1.0).faded(0.55));
        return;
    }
    let (low, high) = curve.interval;
    let within: Vec<(f64, f64)> = points
        .iter()
        .copied()
        .filter(|point| (low..=high).contains(&point.0))
        .collect();
    frame.below(scene, &within, 0.0, curve.colour, 0.22);
    // Where the draws end while the density is high, as that of a scale at 0, the curve comes down.
    let first = points.first().map(|point| (point.0, 0.0));
    let last = points.last().map(|point| (point.0, 0.0));
    let closed = first.into_iter().chain(points).chain(last);
    frame.curve(scene, closed, Stroke::new(curve.colour, 1.8));
    scene.marks(
        vec![frame.at(curve.mean, 0.0)],
        4.0,
        Shape::Disc,
        curve.colour,
        Fill::Open,
    );
}

/// All curves on one axis.
pub(crate) fn shared(width: f64, title: (&str, &str), curves: &[Curve]) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let entries: Vec<(Key, &str)> = curves
        .iter()
        .map(|curve| (Key::Line(Stroke::new(curve.colour, 2.2)), curve.name.as_str()))
        .collect();
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries);
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + taken + 6.0,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.36 * width,
        x: visible(curves.iter()).padded(0.02, 0.02),
        y: peaks(curves),
    };
    scene.height = frame.bottom() + BELOW_AXIS - 12.0;
    for curve in curves {
        draw(&mut scene, &frame, curve, false);
    }
    frame.x_axis(&mut scene, "");
    frame.y_axis(&mut scene, "density");
    scene
}

/// A panel for each number; `fits` with their colours where there are several.
pub(crate) fn panels(width: f64, title: (&str, &str), fits: &[(&str, Colour)], panels: &[Panel]) -> Scene {
    let tiles = Tiles::new(panels.len(), width, 10.0, 200.0, 110.0);
    let mut scene = Scene::new(width, tiles.bottom(panels.len()));
    heading(&mut scene, title.0, title.1);
    let entries: Vec<(Key, &str)> = fits
        .iter()
        .map(|(name, colour)| (Key::Line(Stroke::new(*colour, 2.2)), *name))
        .collect();
    if fits.len() > 1 {
        let below = tiles.bottom(panels.len());
        scene.height = below + legend(&mut scene, (MARGIN, below), width - 2.0 * MARGIN, &entries);
    }
    for (place, panel) in panels.iter().enumerate() {
        let frame = tiles.frame(
            place,
            visible(panel.curves.iter()).padded(0.02, 0.02),
            peaks(&panel.curves),
        );
        frame.name(&mut scene, &panel.name);
        for curve in &panel.curves {
            draw(&mut scene, &frame, curve, panel.lines_only);
        }
        frame.x_axis(&mut scene, "");
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::palette::{BLUE, VERMILION};
    use super::super::super::scene::Item;
    use super::*;

    fn curve(centre: f64, colour: Colour) -> Curve {
        let draws: Vec<f64> = (1..400)
            .map(|i| {
                let p = f64::from(i) / 400.0;
                centre + (p / (1.0 - p)).ln()
            })
            .collect();
        Curve {
            name: format!("at {centre}"),
            density: Density::of(&draws).unwrap(),
            mean: centre,
            interval: (centre - 2.0, centre + 2.0),
            colour,
        }
    }

    #[test]
    fn each_curve_has_a_line_a_filled_interval_and_a_mean_on_one_axis() {
        let curves = [curve(0.0, BLUE), curve(10.0, VERMILION)];
        let scene = shared(700.0, ("", ""), &curves);
        for colour in [BLUE, VERMILION] {
            let has = |wanted: &dyn Fn(&Item) -> bool| scene.items.iter().any(wanted);
            assert!(has(
                &|item| matches!(item, Item::Area { colour: c, .. } if *c == colour)
            ));
            assert!(has(
                &|item| matches!(item, Item::Marks { colour: c, .. } if *c == colour)
            ));
        }
        let means: Vec<f64> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks { centres, .. } => Some(centres[0].0),
                _ => None,
            })
            .collect();
        // The filled interval of the first, 4 wide, gives the unit of the axis.
        let edges: Vec<f64> = scene
            .items
            .iter()
            .find_map(|item| match item {
                Item::Area { points, .. } => Some(points.iter().map(|point| point.0).collect()),
                _ => None,
            })
            .unwrap();
        let span = edges.iter().copied().fold(0.0, f64::max) - edges.iter().copied().fold(1e9, f64::min);
        let unit = (means[1] - means[0]) / 10.0;
        // The interval ends at cells of the grid, of which 512 span about 12 units.
        assert!((span / unit - 4.0).abs() < 0.1, "{}", span / unit);
    }
}
