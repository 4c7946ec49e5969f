//! What the model learned of a population: the distribution that its groups come from, and groups yet unseen.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, MARGIN, heading};
use super::super::palette::{BLUE, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};
use crate::diag::Density;

/// One population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    /// The effect, such as `a_tank`, and its index.
    pub(crate) effect: String,
    pub(crate) index: String,
    /// Sizes of the effect.
    pub(crate) grid: Vec<f64>,
    /// The density of the effect at each of them, in some draws of the posterior.
    pub(crate) curves: Vec<Vec<f64>>,
    /// What is measured in new groups, and draws of it; none where an effect of the same groups shows them.
    pub(crate) measure: String,
    pub(crate) new: Vec<f64>,
    /// Whether it is a share, from 0 to 1.
    pub(crate) is_share: bool,
}

/// Two panels for each population, one where it has no draws of new groups.
pub(crate) fn scene(width: f64, title: (&str, &str), panels: &[Panel]) -> Scene {
    let height = 0.3 * width;
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut top = BELOW_HEADING + 18.0;
    let each = 0.5 * (width - 2.0 * MARGIN) - 62.0;
    for panel in panels {
        let most = panel.curves.iter().flatten().copied().fold(0.0, f64::max);
        // Draws of a narrow population would flatten all others: their tops are cut.
        let mut peaks: Vec<f64> = panel
            .curves
            .iter()
            .map(|curve| curve.iter().copied().fold(0.0, f64::max))
            .collect();
        peaks.sort_by(f64::total_cmp);
        let usual = peaks.get(peaks.len() / 2).copied().unwrap_or(most);
        let left = Frame {
            left: MARGIN + 52.0,
            top,
            width: each,
            height,
            x: Scale::over(panel.grid.iter().copied()),
            y: Scale::new(0.0, 1.05 * most.min(3.0 * usual)),
        };
        left.name(&mut scene, &format!("population of {}", panel.effect));
        for curve in &panel.curves {
            let points = panel.grid.iter().copied().zip(curve.iter().copied());
            let points = points.map(|(x, y)| (x, y.min(left.y.high)));
            left.curve(&mut scene, points, Stroke::new(BLUE, 1.0).faded(0.22));
        }
        left.x_axis(&mut scene, &panel.effect);
        left.y_axis(&mut scene, "density");
        if let Some(density) = Density::of(&panel.new) {
            let whole = Scale::over(density.grid.iter().copied());
            let right = Frame {
                left: left.right() + 62.0,
                x: if panel.is_share {
                    Scale::new(0.0, 1.0)
                } else {
                    whole
                },
                y: Scale::new(0.0, 1.06 * density.peak()),
                ..left
            };
            right.name(&mut scene, &format!("new levels of {}", panel.index));
            let points: Vec<(f64, f64)> = density.points().collect();
            right.below(&mut scene, &points, 0.0, VERMILION, 0.22);
            right.curve(&mut scene, points, Stroke::new(VERMILION, 1.8));
            right.x_axis(&mut scene, &panel.measure);
            right.y_axis(&mut scene, "");
        }
        top = left.bottom() + BELOW_AXIS + 34.0;
    }
    scene.height = top - 34.0;
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn every_draw_has_its_curve() {
        let grid: Vec<f64> = (0..50).map(|i| f64::from(i) / 10.0).collect();
        let panel = Panel {
            effect: "a".into(),
            index: "g".into(),
            curves: vec![grid.iter().map(|x| (-x).exp()).collect(); 100],
            grid,
            measure: "y".into(),
            new: (0..200).map(|i| f64::from(i) / 200.0).collect(),
            is_share: true,
        };
        let scene = scene(700.0, ("", ""), &[panel]);
        let curves = scene
            .items
            .iter()
            .filter(|item| matches!(item, Item::Line { points, .. } if points.len() == 50));
        assert_eq!(curves.count(), 100);
    }
}
