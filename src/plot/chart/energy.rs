//! How energies spread over the draws, and how they change from one to the next: if the second is much narrower, the
//! momentum cannot carry the chains into the tails (Betancourt 2016).

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};
use crate::diag::Density;

/// The picture; `energies` are `[chain][draw]`. `None` if they never change.
pub(crate) fn scene(width: f64, title: (&str, &str), energies: &[f64], chains: usize) -> Option<Scene> {
    let draws = energies.len().checked_div(chains)?;
    let mean = energies.iter().sum::<f64>() / energies.len() as f64;
    let centred: Vec<f64> = energies.iter().map(|energy| energy - mean).collect();
    let steps: Vec<f64> = energies
        .chunks_exact(draws)
        .flat_map(|chain| chain.windows(2).map(|pair| pair[1] - pair[0]))
        .collect();
    let (marginal, change) = (Density::of(&centred)?, Density::of(&steps)?);
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (Key::Band(BLUE, 0.5), "energy, less its mean"),
        (Key::Band(VERMILION, 0.5), "change of energy from draw to draw"),
    ];
    let taken = legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let both = [(&marginal, BLUE), (&change, VERMILION)];
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + taken + 6.0,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.34 * width,
        x: Scale::over(both.iter().flat_map(|(density, _)| density.grid.iter().copied())).padded(0.02, 0.02),
        y: Scale::new(0.0, 1.06 * marginal.peak().max(change.peak())),
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    for (density, colour) in both {
        let points: Vec<(f64, f64)> = density.points().collect();
        frame.below(&mut scene, &points, 0.0, colour, 0.25);
        frame.curve(&mut scene, points, Stroke::new(colour, 1.8));
    }
    frame.x_axis(&mut scene, "energy");
    frame.y_axis(&mut scene, "density");
    Some(scene)
}
