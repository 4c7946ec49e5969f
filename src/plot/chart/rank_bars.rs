//! Ranks in bins beside what is expected of uniform ones, a panel a quantity.

use super::super::frame::{BELOW_HEADING, Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, GREY, INK, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};
use super::super::tiles::Tiles;
use super::rank_ecdf::{Ranked, noted, shown};

/// The picture: `most` panels at most. Counts are drawn as multiples of the expected ones, so that bins of unequal
/// widths compare; `interval` names that of the bins: `89 % interval`.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    interval: &str,
    ranked: &[Ranked<'_>],
    most: usize,
) -> Scene {
    let (shown, note) = shown(ranked, most);
    let tiles = Tiles::new(shown.len(), width, 58.0, 170.0, 110.0);
    let mut scene = Scene::new(width, tiles.bottom(shown.len()));
    heading(&mut scene, title.0, title.1);
    let text = format!("{interval} of each bin alone");
    let entries = [
        (Key::Band(BLUE, 0.45), "ranks in a bin"),
        (Key::Band(VERMILION, 0.6), "outside"),
        (Key::Band(GREY, 0.3), text.as_str()),
    ];
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries) + 3.0;
    scene.height += taken;
    for (place, one) in shown.iter().enumerate() {
        let histogram = one.histogram;
        let cells = *histogram.edges.last().unwrap_or(&1) as f64;
        let edge = |number: usize| histogram.edges[number] as f64 / cells;
        let bins = 0..histogram.counts.len();
        let height = |bin: usize, count: usize| count as f64 / histogram.expected[bin];
        let highest = bins
            .clone()
            .map(|bin| height(bin, histogram.counts[bin].max(histogram.band[bin].1)));
        // A quantity far out would hide the band of the others on a common scale.
        let y = Scale::new(0.0, 1.06 * highest.fold(1.0, f64::max));
        let mut frame = tiles.frame(place, Scale::new(0.0, 1.0), y);
        frame.top += taken;
        for bin in bins.clone() {
            let (count, band) = (histogram.counts[bin], histogram.band[bin]);
            let gap = 0.06 * (edge(bin + 1) - edge(bin));
            let (from, to) = (edge(bin) + gap, edge(bin + 1) - gap);
            let top = height(bin, count);
            let bar = [(from, 0.0), (from, top), (to, top), (to, 0.0)];
            let is_outside = count < band.0 || count > band.1;
            let (colour, opacity) = if is_outside {
                (VERMILION, 0.6)
            } else {
                (BLUE, 0.45)
            };
            scene.area(frame.all(bar), colour, opacity);
        }
        // One outline: areas side by side would show their seams.
        let side = |end: &dyn Fn(usize) -> usize| -> Vec<(f64, f64)> {
            let step = |bin: usize| [edge(bin), edge(bin + 1)].map(|x| (x, height(bin, end(bin))));
            bins.clone().flat_map(step).collect()
        };
        let (lower, upper) = (
            side(&|bin| histogram.band[bin].0),
            side(&|bin| histogram.band[bin].1),
        );
        let around = lower.into_iter().chain(upper.into_iter().rev());
        scene.area(frame.all(around), GREY, 0.3);
        frame.horizontal(&mut scene, 1.0, Stroke::new(INK, 1.0).dashed());
        frame.name(&mut scene, one.name);
        frame.x_axis(&mut scene, "rank, as a share");
        frame.y_axis(
            &mut scene,
            if tiles.is_first(place) {
                "count / expected"
            } else {
                ""
            },
        );
    }
    noted(&mut scene, note.as_deref());
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::super::rank_ecdf::tests::{Quantity, quantity, ranked, words};
    use super::*;

    /// Half of the ranks moved to the bottom: the first bin of ten holds more than half, the others half of their due.
    #[test]
    fn bars_are_multiples_of_what_is_expected() {
        let quantities: [Quantity; 1] = [quantity("a", 5)];
        let scene = scene(760.0, ("", ""), "89 % interval", &ranked(&quantities), 9);
        let tops: Vec<f64> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                // The legend's are 10 high.
                Item::Area { points, colour, .. }
                    if *colour != GREY && (points[1].1 - points[3].1).abs() > 10.1 =>
                {
                    Some(points[0].1 - points[1].1)
                }
                _ => None,
            })
            .collect();
        let counts = &quantities[0].2.counts;
        assert_eq!(tops.len(), counts.iter().filter(|count| **count > 0).count());
        for (top, count) in tops.iter().zip(counts.iter().filter(|count| **count > 0)) {
            assert!((top / tops[0] - *count as f64 / counts[0] as f64).abs() < 1e-9);
        }
        assert!(words(&scene).contains(&"89 % interval of each bin alone"));
    }
}
