//! Effective draws by number of draws: they should grow in proportion.

use super::super::frame::{Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, INK, RULE, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke};
use super::super::tiles::Tiles;
use crate::diag::{Chains, ESS_LIMIT, ess_bulk, ess_tail};
use crate::error::Result;

/// A number's effective draws after more and more draws of all chains.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Growth {
    pub(crate) name: String,
    /// Draws of all chains, effective draws of the bulk and of the tails.
    pub(crate) points: Vec<(f64, f64, f64)>,
}

/// Numbers of draws that are looked at.
const STEPS: usize = 20;

impl Growth {
    /// Of `[chain][draw]`.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(crate) fn of(name: String, draws: &[f64], chains: usize) -> Result<Self> {
        let each = draws.len() / chains.max(1);
        let mut points = Vec::new();
        for step in 1..=STEPS {
            let until = each * step / STEPS;
            if until < 4
                || points
                    .last()
                    .is_some_and(|last: &(f64, f64, f64)| last.0 == (until * chains) as f64)
            {
                continue;
            }
            let part: Vec<f64> = draws
                .chunks_exact(each)
                .flat_map(|chain| &chain[..until])
                .copied()
                .collect();
            let part = Chains::new(&part, chains)?;
            points.push(((until * chains) as f64, ess_bulk(part), ess_tail(part)));
        }
        Ok(Self { name, points })
    }
}

/// A panel for each number.
pub(crate) fn scene(width: f64, title: (&str, &str), numbers: &[Growth]) -> Scene {
    let tiles = Tiles::new(numbers.len(), width, 48.0, 180.0, 130.0);
    let below = tiles.bottom(numbers.len());
    let mut scene = Scene::new(width, below);
    heading(&mut scene, title.0, title.1);
    let limit = format!("{ESS_LIMIT}, the least to trust");
    let entries = [
        (Key::Mark(Shape::Disc, BLUE, Fill::Full(1.0)), "bulk"),
        (Key::Mark(Shape::Diamond, VERMILION, Fill::Full(1.0)), "tail"),
        (Key::Line(Stroke::new(INK, 1.2).dashed()), limit.as_str()),
        (Key::Line(Stroke::new(RULE, 1.0)), "as many as draws"),
    ];
    scene.height = below + 18.0 + legend(&mut scene, (MARGIN, below + 12.0), width - 2.0 * MARGIN, &entries);
    for (place, number) in numbers.iter().enumerate() {
        let most = number.points.iter().flat_map(|point| [point.1, point.2]);
        let draws = number.points.last().map_or(1.0, |point| point.0);
        let frame = tiles.frame(
            place,
            Scale::new(0.0, draws * 1.03),
            Scale::over(most.chain([0.0, ESS_LIMIT * 1.2])).padded(0.0, 0.08),
        );
        frame.y_grid(&mut scene);
        frame.name(&mut scene, &number.name);
        let until = draws.min(frame.y.high);
        frame.curve(&mut scene, [(0.0, 0.0), (until, until)], Stroke::new(RULE, 1.0));
        frame.horizontal(&mut scene, ESS_LIMIT, Stroke::new(INK, 1.2).dashed());
        for (colour, shape, tail) in [(BLUE, Shape::Disc, false), (VERMILION, Shape::Diamond, true)] {
            let points = frame.all(
                number
                    .points
                    .iter()
                    .map(|&(draws, bulk, tails)| (draws, if tail { tails } else { bulk }))
                    .filter(|point| point.1.is_finite()),
            );
            scene.line(points.clone(), Stroke::new(colour, 1.2));
            scene.marks(points, 2.6, shape, colour, Fill::Full(1.0));
        }
        frame.x_axis(&mut scene, "draws of all chains");
        frame.y_axis(
            &mut scene,
            if tiles.is_first(place) {
                "effective draws"
            } else {
                ""
            },
        );
    }
    scene
}
