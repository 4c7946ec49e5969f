//! How much a draw still says about those after it.

use super::super::frame::{Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, GREY, INK};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};
use super::super::tiles::Tiles;
use crate::diag::{Chains, autocorrelation};
use crate::error::Result;

/// A number's autocorrelations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    pub(crate) name: String,
    /// Of all chains together, by lag from 0.
    pub(crate) all: Vec<f64>,
    /// Of each chain.
    pub(crate) chains: Vec<Vec<f64>>,
    /// Draws in all.
    pub(crate) draws: usize,
}

/// Lags shown at most.
const LAGS: usize = 60;
/// Chains whose own lines are shown, at most.
const CHAINS: usize = 8;

impl Memory {
    /// Of `[chain][draw]`.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(crate) fn of(name: String, draws: &[f64], chains: usize) -> Result<Self> {
        let lags = LAGS.min(draws.len() / chains.max(1) / 4);
        let each = draws.len() / chains.max(1);
        let own = if chains <= CHAINS { chains } else { 0 };
        Ok(Self {
            name,
            all: autocorrelation(Chains::new(draws, chains)?, lags),
            chains: draws
                .chunks_exact(each)
                .take(own)
                .map(|chain| Ok(autocorrelation(Chains::new(chain, 1)?, lags)))
                .collect::<Result<_>>()?,
            draws: draws.len(),
        })
    }
}

/// A panel for each number.
pub(crate) fn scene(width: f64, title: (&str, &str), numbers: &[Memory]) -> Scene {
    let tiles = Tiles::new(numbers.len(), width, 44.0, 180.0, 110.0);
    let below = tiles.bottom(numbers.len());
    let mut scene = Scene::new(width, below);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (Key::Line(Stroke::new(BLUE, 3.0)), "all chains"),
        (Key::Line(Stroke::new(GREY, 0.8)), "each chain"),
        (
            Key::Band(GREY, 0.18),
            "where 95 % of independent draws' would lie",
        ),
    ];
    scene.height = below + 18.0 + legend(&mut scene, (MARGIN, below + 12.0), width - 2.0 * MARGIN, &entries);
    for (place, number) in numbers.iter().enumerate() {
        let lags = number.all.len().saturating_sub(1) as f64;
        let least = number
            .all
            .iter()
            .chain(number.chains.iter().flatten())
            .copied()
            .filter(|x| x.is_finite());
        let frame = tiles.frame(
            place,
            Scale::new(-0.5, lags + 0.5),
            Scale::over(least.chain([-0.15, 1.0])).padded(0.02, 0.04),
        );
        frame.name(&mut scene, &number.name);
        let noise = 1.96 / (number.draws as f64).sqrt();
        scene.area(
            frame.all([
                (0.5, -noise),
                (0.5, noise),
                (lags + 0.5, noise),
                (lags + 0.5, -noise),
            ]),
            GREY,
            0.18,
        );
        frame.horizontal(&mut scene, 0.0, Stroke::new(INK, 0.8));
        for (lag, &value) in number
            .all
            .iter()
            .enumerate()
            .filter(|(_, value)| value.is_finite())
        {
            let x = lag as f64;
            frame.curve(&mut scene, [(x, 0.0), (x, value)], Stroke::new(BLUE, 2.2));
        }
        for chain in &number.chains {
            let points = chain.iter().enumerate().map(|(lag, &value)| (lag as f64, value));
            frame.curve(
                &mut scene,
                points.filter(|point| point.1.is_finite()),
                Stroke::new(GREY, 0.8).faded(0.7),
            );
        }
        frame.x_axis(&mut scene, "lag");
        frame.y_axis(
            &mut scene,
            if tiles.is_first(place) {
                "autocorrelation"
            } else {
                ""
            },
        );
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn every_lag_has_its_bar() {
        let draws: Vec<f64> = (0..400).map(|i| f64::from((i * i) % 13)).collect();
        let memory = Memory::of("a".into(), &draws, 2).unwrap();
        assert_eq!((memory.all.len(), memory.chains.len()), (51, 2));
        let scene = scene(700.0, ("", ""), &[memory]);
        let bars = scene.items.iter().filter(
            |item| matches!(item, Item::Line { stroke, points } if stroke.width == 2.2 && points.len() == 2),
        );
        assert_eq!(bars.count(), 51);
    }
}
