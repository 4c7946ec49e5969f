//! Draws over time, chain by chain, and beside them how the ranks of each chain spread over those of all.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, MARGIN, heading};
use super::super::palette::{BLACK, INK, RULE, series};
use super::super::scale::Scale;
use super::super::scene::{Scene, Stroke};

/// Chains that are drawn at most; of more, some at even distances.
pub(crate) const CHAINS: usize = 8;
/// Rank bars of each chain.
const BINS: usize = 20;
const HEIGHT: f64 = 92.0;
const GAP: f64 = 62.0;

/// The draws of one number.
pub(crate) struct Traced {
    pub(crate) name: String,
    /// `[chain][draw]`.
    pub(crate) draws: Vec<f64>,
}

/// A line of panels for each number; `divergent` are places in `[chain][draw]`.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    rows: &[Traced],
    chains: usize,
    divergent: &[usize],
) -> Scene {
    let bottom = BELOW_HEADING + 18.0 + rows.len() as f64 * (HEIGHT + GAP) - GAP + BELOW_AXIS;
    let mut scene = Scene::new(width, bottom);
    heading(&mut scene, title.0, title.1);
    let every = chains.div_ceil(CHAINS).max(1);
    let shown: Vec<usize> = (0..chains).step_by(every).collect();
    for (place, row) in rows.iter().enumerate() {
        let top = BELOW_HEADING + 18.0 + place as f64 * (HEIGHT + GAP);
        let last = place + 1 == rows.len();
        let draws = row.draws.len() / chains.max(1);
        let room = width - 2.0 * MARGIN;
        let over_time = Frame {
            left: MARGIN + 52.0,
            top,
            width: 0.62 * room - 52.0,
            height: HEIGHT,
            x: Scale::new(0.0, draws as f64),
            y: Scale::over(row.draws.iter().copied()).padded(0.06, 0.06),
        };
        over_time.name(&mut scene, &row.name);
        over_time.y_axis(&mut scene, "");
        over_time.x_axis(&mut scene, if last { "draw" } else { "" });
        for (number, &chain) in shown.iter().enumerate() {
            let one = &row.draws[chain * draws..(chain + 1) * draws];
            over_time.curve(
                &mut scene,
                thinned(one, over_time.width),
                Stroke::new(series(number), 0.8).faded(0.75),
            );
        }
        for draw in divergent
            .iter()
            .filter(|place| shown.contains(&(*place / draws.max(1))))
            .map(|place| place % draws)
        {
            let x = over_time.x_at(draw as f64);
            scene.line(
                vec![(x, over_time.bottom() - 9.0), (x, over_time.bottom())],
                Stroke::new(BLACK, 1.2),
            );
        }
        let ranks = Frame {
            left: over_time.right() + 40.0,
            width: room - over_time.right() - 40.0 + MARGIN - 12.0,
            x: Scale::new(0.0, row.draws.len() as f64),
            y: Scale::new(0.0, shown.len() as f64),
            ..over_time
        };
        rank_bars(&mut scene, &ranks, &row.draws, chains, &shown);
        ranks.x_axis(
            &mut scene,
            if last {
                "rank among all draws, by chain"
            } else {
                ""
            },
        );
    }
    scene
}

/// A lane for each chain shown, the first at the bottom, with a dashed line where all bars of a well mixed chain end.
fn rank_bars(scene: &mut Scene, frame: &Frame, draws: &[f64], chains: usize, shown: &[usize]) {
    let counts = rank_counts(draws, chains);
    let most = counts.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let even = draws.len() as f64 / (chains * BINS) as f64;
    for (lane, &chain) in shown.iter().enumerate() {
        let base = lane as f64;
        for (bin, &count) in counts[chain].iter().enumerate() {
            let edge = |bin: usize| bin as f64 / BINS as f64 * draws.len() as f64;
            let top = base + 0.92 * count as f64 / most;
            let corners = [
                (edge(bin), base),
                (edge(bin), top),
                (edge(bin + 1), top),
                (edge(bin + 1), base),
            ];
            scene.area(frame.all(corners), series(lane), 0.45);
        }
        frame.horizontal(scene, base + 0.92 * even / most, Stroke::new(INK, 0.8).dashed());
        frame.horizontal(scene, base, Stroke::new(RULE, 0.6));
    }
}

/// How many draws of each chain fall into each bin of ranks, `[chain][bin]`; ties in the order of the chains.
fn rank_counts(draws: &[f64], chains: usize) -> Vec<[usize; BINS]> {
    let mut order: Vec<usize> = (0..draws.len()).collect();
    order.sort_by(|&a, &b| draws[a].total_cmp(&draws[b]));
    let of_each = draws.len() / chains.max(1);
    let mut counts = vec![[0; BINS]; chains];
    for (rank, place) in order.into_iter().enumerate() {
        counts[place / of_each][rank * BINS / draws.len()] += 1;
    }
    counts
}

/// The points of a trace; of more than fit the pixels, the least and the largest of each half pixel.
fn thinned(draws: &[f64], pixels: f64) -> Vec<(f64, f64)> {
    let buckets = (2.0 * pixels) as usize;
    if draws.len() <= 2 * buckets {
        return (0u32..).map(f64::from).zip(draws.iter().copied()).collect();
    }
    let mut points = Vec::with_capacity(2 * buckets);
    for bucket in 0..buckets {
        let (from, to) = (
            bucket * draws.len() / buckets,
            (bucket + 1) * draws.len() / buckets,
        );
        let part = &draws[from..to];
        let least = (from..to).min_by(|&a, &b| draws[a].total_cmp(&draws[b]));
        let most = (from..to).max_by(|&a, &b| draws[a].total_cmp(&draws[b]));
        debug_assert!(!part.is_empty());
        let mut ends: Vec<usize> = [least, most].into_iter().flatten().collect();
        ends.sort_unstable();
        points.extend(ends.into_iter().map(|place| (place as f64, draws[place])));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_ranks_fill_every_bin_alike_and_a_stuck_chain_does_not() {
        // Two chains that take turns.
        let draws: Vec<f64> = (0..200).map(|i| f64::from(2 * (i % 100) + i / 100)).collect();
        assert_eq!(rank_counts(&draws, 2), vec![[5; BINS]; 2]);
        let apart: Vec<f64> = (0..200).map(f64::from).collect();
        let counts = rank_counts(&apart, 2);
        assert_eq!(counts[0][..10], [10; 10]);
        assert_eq!(counts[0][10..], [0; 10]);
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let mut draws = vec![0.0; 10_000];
        (draws[1234], draws[8765]) = (7.0, -7.0);
        let points = thinned(&draws, 100.0);
        assert!(points.len() <= 400);
        assert!(points.contains(&(1234.0, 7.0)) && points.contains(&(8765.0, -7.0)));
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert_eq!(thinned(&draws[..300], 100.0).len(), 300);
    }
}
