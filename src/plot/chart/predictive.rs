//! New data of the model beside the data that it was fitted to.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, heading, legend};
use super::super::palette::{BLACK, BLUE};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke};
use super::groups::{self, Measure, labelled, ordered};
use crate::diag::{Density, Interval, Prob};

/// Outcomes and data sets of the model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcomes {
    pub(crate) name: String,
    /// `[row]`.
    pub(crate) observed: Vec<f64>,
    /// `[data set][row]`.
    pub(crate) new: Vec<Vec<f64>>,
    /// Whether outcomes are whole numbers.
    pub(crate) is_discrete: bool,
}

/// Values that bars are drawn for, at most; more are binned.
const BARS: usize = 60;
/// Rows from which on a density of them says something.
const SMOOTH: usize = 25;
/// Data sets whose curves are drawn, at most.
const CURVES: usize = 60;

/// Densities or bars, cumulative shares, and groups.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    outcomes: &Outcomes,
    (measure, panels): (Measure<'_>, &[groups::Panel]),
    (interval, prob): (Interval, Prob),
) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (Key::Line(Stroke::new(BLACK, 2.0)), "observed"),
        (Key::Line(Stroke::new(BLUE, 2.0)), "new data of the model"),
    ];
    let taken = legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let mut distinct = outcomes.observed.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let has_steps = distinct.len() > 2;
    let room = width - 2.0 * MARGIN;
    let mut frame = Frame {
        left: MARGIN + 56.0,
        top: BELOW_HEADING + taken + 24.0,
        width: if has_steps { 0.5 * room - 62.0 } else { 0.6 * room },
        height: 0.28 * width,
        x: Scale::over(
            outcomes
                .observed
                .iter()
                .chain(outcomes.new.iter().flatten())
                .copied(),
        ),
        y: Scale::new(0.0, 1.0),
    };
    let has_left = outcomes.is_discrete || outcomes.observed.len() >= SMOOTH;
    if outcomes.is_discrete {
        bars(&mut scene, frame, outcomes, interval, prob);
    } else if has_left {
        curves(&mut scene, frame, outcomes);
    }
    if has_steps {
        let right = Frame {
            left: if has_left {
                frame.right() + 64.0
            } else {
                frame.left
            },
            x: frame.x.padded(0.02, 0.02),
            ..frame
        };
        steps(&mut scene, &right, outcomes);
    }
    let mut top = frame.bottom() + BELOW_AXIS + 34.0;
    for panel in panels {
        let order = ordered(&panel.groups);
        frame = Frame {
            left: MARGIN + 56.0,
            top,
            width: room - 56.0,
            height: 0.24 * width,
            x: Scale::new(0.4, order.len() as f64 + 0.6),
            y: Scale::over(
                order
                    .iter()
                    .flat_map(|group| [group.observed, group.interval.0, group.interval.1]),
            )
            .padded(0.05, 0.05),
        };
        frame.name(&mut scene, &format!("by {}", panel.index));
        groups::faint_rows(&mut scene, &frame, order.len());
        let at = |place: usize| place as f64 + 1.0;
        for (place, group) in order.iter().enumerate() {
            let ends = [(at(place), group.interval.0), (at(place), group.interval.1)];
            let thick = (0.5 * frame.width / order.len() as f64).clamp(2.0, 9.0);
            frame.curve(&mut scene, ends, Stroke::new(BLUE, thick).faded(0.4));
        }
        let points = |value: &dyn Fn(&groups::Group) -> f64| {
            frame.all(
                order
                    .iter()
                    .enumerate()
                    .map(|(place, group)| (at(place), value(group))),
            )
        };
        scene.marks(
            points(&|group| group.mean),
            2.6,
            Shape::Diamond,
            BLUE,
            Fill::Full(1.0),
        );
        scene.marks(
            points(&|group| group.observed),
            3.2,
            Shape::Disc,
            BLACK,
            Fill::Full(1.0),
        );
        let labels: Vec<&str> = order.iter().map(|group| group.label.as_str()).collect();
        labelled(&mut scene, &frame, &labels);
        frame.x_title(&mut scene, &panel.index, 34.0);
        frame.y_axis(&mut scene, measure.name);
        top = frame.bottom() + BELOW_AXIS + 34.0;
    }
    scene.height = top - 34.0;
    scene
}

fn curves(scene: &mut Scene, mut frame: Frame, outcomes: &Outcomes) {
    let observed = Density::of(&outcomes.observed);
    let new: Vec<Density> = outcomes
        .new
        .iter()
        .take(CURVES)
        .filter_map(|set| Density::of(set))
        .collect();
    let peak = new.iter().chain(&observed).map(Density::peak).fold(0.0, f64::max);
    frame.y = Scale::new(0.0, 1.05 * peak);
    frame.name(scene, "densities");
    for density in &new {
        frame.curve(scene, density.points(), Stroke::new(BLUE, 0.9).faded(0.3));
    }
    if let Some(density) = observed {
        frame.curve(scene, density.points(), Stroke::new(BLACK, 2.0));
    }
    frame.x_axis(scene, &outcomes.name);
    frame.y_axis(scene, "density");
}

/// How often values from `low` on, `width` apart, occur.
fn counts(values: &[f64], low: f64, width: f64, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    for x in values {
        let bin = ((x - low) / width).floor();
        if (0.0..bins as f64).contains(&bin) {
            counts[bin as usize] += 1.0;
        }
    }
    counts
}

fn bars(scene: &mut Scene, mut frame: Frame, outcomes: &Outcomes, interval: Interval, prob: Prob) {
    let (low, high) = (frame.x.low.floor(), frame.x.high.ceil());
    let values = (high - low) as usize + 1;
    let width = values.div_ceil(BARS).max(1) as f64;
    let bins = ((high - low + 1.0) / width).ceil() as usize;
    let observed = counts(&outcomes.observed, low, width, bins);
    let new: Vec<Vec<f64>> = outcomes
        .new
        .iter()
        .map(|set| counts(set, low, width, bins))
        .collect();
    let spreads: Vec<(f64, f64, f64)> = (0..bins)
        .map(|bin| {
            let mut draws: Vec<f64> = new.iter().map(|set| set[bin]).collect();
            let mean = draws.iter().sum::<f64>() / draws.len().max(1) as f64;
            draws.sort_by(f64::total_cmp);
            let (lower, upper) = interval.of(&draws, prob);
            (mean, lower, upper)
        })
        .collect();
    let most = spreads
        .iter()
        .map(|spread| spread.2)
        .chain(observed.iter().copied())
        .fold(1.0, f64::max);
    frame.x = Scale::new(low - 0.6, low + bins as f64 * width - 0.4);
    frame.y = Scale::new(0.0, 1.06 * most);
    frame.name(
        scene,
        if width > 1.0 {
            "counts of values, binned"
        } else {
            "counts of values"
        },
    );
    for bin in 0..bins {
        let start = low + bin as f64 * width - 0.5;
        let (from, to) = (start + 0.1 * width, start + 0.9 * width);
        let corners = [(from, 0.0), (from, observed[bin]), (to, observed[bin]), (to, 0.0)];
        scene.area(frame.all(corners), BLACK, 0.28);
    }
    for (bin, &(mean, lower, upper)) in spreads.iter().enumerate() {
        let middle = low + (bin as f64 + 0.5) * width - 0.5;
        frame.curve(scene, [(middle, lower), (middle, upper)], Stroke::new(BLUE, 1.6));
        scene.marks(
            vec![frame.at(middle, mean)],
            2.6,
            Shape::Disc,
            BLUE,
            Fill::Full(1.0),
        );
    }
    if width > 1.0 || bins > 12 {
        frame.x_axis(scene, &outcomes.name);
    } else {
        // Every value by its name: an axis of few whole numbers would have halves between them.
        let labels: Vec<String> = (0..bins).map(|bin| format!("{}", low + bin as f64)).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let shifted = Frame {
            x: Scale::new(frame.x.low - low + 1.0, frame.x.high - low + 1.0),
            ..frame
        };
        labelled(scene, &shifted, &labels);
        frame.x_title(scene, &outcomes.name, 34.0);
    }
    frame.y_axis(scene, "rows");
}

/// The steps of the cumulative shares of values.
fn cumulative(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut points = Vec::with_capacity(2 * sorted.len());
    let mut below = 0.0;
    for (rank, x) in sorted.iter().enumerate() {
        if sorted.get(rank + 1) != Some(x) {
            points.push((*x, below));
            below = (rank + 1) as f64 / sorted.len() as f64;
            points.push((*x, below));
        }
    }
    points
}

fn steps(scene: &mut Scene, frame: &Frame, outcomes: &Outcomes) {
    frame.name(scene, "cumulative shares");
    for set in outcomes.new.iter().take(CURVES) {
        frame.curve(scene, cumulative(set), Stroke::new(BLUE, 0.9).faded(0.25));
    }
    frame.curve(scene, cumulative(&outcomes.observed), Stroke::new(BLACK, 2.0));
    frame.x_axis(scene, &outcomes.name);
    frame.y_axis(scene, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cumulative_shares_step_up_to_one() {
        let points = cumulative(&[2.0, 1.0, 2.0, 4.0]);
        let expected = [
            (1.0, 0.0),
            (1.0, 0.25),
            (2.0, 0.25),
            (2.0, 0.75),
            (4.0, 0.75),
            (4.0, 1.0),
        ];
        assert_eq!(points, expected);
    }

    #[test]
    fn every_value_is_counted_once() {
        assert_eq!(
            counts(&[0.0, 1.0, 1.0, 5.0], 0.0, 1.0, 6),
            [1.0, 2.0, 0.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(counts(&[0.0, 1.0, 1.0, 5.0], 0.0, 2.0, 3), [3.0, 0.0, 1.0]);
    }
}
