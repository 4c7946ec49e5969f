//! What was thought before the data, and what after.

use super::super::frame::{Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, GREY};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};
use super::super::tiles::Tiles;
use crate::diag::Density;

/// A number before and after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) prior: Vec<f64>,
    pub(crate) posterior: Vec<f64>,
}

/// A panel for each number.
pub(crate) fn scene(width: f64, title: (&str, &str), pairs: &[Pair]) -> Scene {
    let tiles = Tiles::new(pairs.len(), width, 10.0, 200.0, 110.0);
    let below = tiles.bottom(pairs.len());
    let mut scene = Scene::new(width, below);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (Key::Line(Stroke::new(GREY, 1.8)), "prior"),
        (Key::Line(Stroke::new(BLUE, 2.2)), "posterior"),
    ];
    scene.height = below + legend(&mut scene, (MARGIN, below + 6.0), width - 2.0 * MARGIN, &entries) + 6.0;
    for (place, pair) in pairs.iter().enumerate() {
        let Some(posterior) = Density::of(&pair.posterior) else {
            continue;
        };
        let window = window(pair);
        let within: Vec<f64> = pair.prior.iter().copied().filter(|x| window.holds(*x)).collect();
        let share = within.len() as f64 / pair.prior.len().max(1) as f64;
        let prior = Density::of(&within);
        let top = posterior
            .peak()
            .max(prior.as_ref().map_or(0.0, Density::peak) * share);
        let frame = tiles.frame(place, window, Scale::new(0.0, 1.06 * top));
        frame.name(&mut scene, &pair.name);
        if let Some(prior) = prior {
            let points: Vec<(f64, f64)> = prior.points().map(|(x, y)| (x, y * share)).collect();
            frame.below(&mut scene, &points, 0.0, GREY, 0.15);
            frame.curve(&mut scene, points, Stroke::new(GREY, 1.6));
        }
        let points: Vec<(f64, f64)> = posterior.points().collect();
        frame.below(&mut scene, &points, 0.0, BLUE, 0.2);
        frame.curve(&mut scene, points, Stroke::new(BLUE, 1.8));
        frame.x_axis(&mut scene, "");
    }
    scene
}

/// The posterior's range and as much again on both sides, as far as there is prior.
fn window(pair: &Pair) -> Scale {
    let posterior = Scale::over(pair.posterior.iter().copied());
    let wide = posterior.padded(1.0, 1.0);
    let prior = Scale::over(pair.prior.iter().copied());
    Scale::new(
        wide.low.max(prior.low).min(posterior.low),
        wide.high.min(prior.high).max(posterior.high),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_where_the_prior_does() {
        let pair = |prior: [f64; 2], posterior: [f64; 2]| Pair {
            name: String::new(),
            prior: prior.to_vec(),
            posterior: posterior.to_vec(),
        };
        assert_eq!(window(&pair([0.0, 100.0], [1.0, 3.0])), Scale::new(0.0, 5.0));
        assert_eq!(window(&pair([-100.0, 100.0], [1.0, 3.0])), Scale::new(-1.0, 5.0));
        assert_eq!(window(&pair([2.0, 2.5], [1.0, 3.0])), Scale::new(1.0, 3.0));
    }
}
