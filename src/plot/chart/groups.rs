//! What was observed in each group beside what the model says of it.
//!
//! [`shrinkage`]: observed and estimated, group by group; [`calibration`]: predicted against observed.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, TICK, heading, legend};
use super::super::palette::{BLACK, BLUE, FAINT, GREY, INK, RULE};
use super::super::scale::Scale;
use super::super::scene::{Anchor, Fill, Scene, Shape, Stroke, font};
use super::super::tiles::Tiles;

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) label: String,
    /// Trials, or rows where nothing is counted.
    pub(crate) size: f64,
    pub(crate) observed: f64,
    /// The model's mean and its interval.
    pub(crate) mean: f64,
    pub(crate) interval: (f64, f64),
}

/// The groups of one index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    /// The index.
    pub(crate) index: String,
    pub(crate) groups: Vec<Group>,
    /// What a group at the mean of its population would be expected to be.
    pub(crate) overall: Option<f64>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure<'a> {
    /// For the axis.
    pub(crate) name: &'a str,
    /// Whether it is a share, from 0 to 1.
    pub(crate) is_share: bool,
}

impl Measure<'_> {
    fn scale(self, panel: &Panel) -> Scale {
        if self.is_share {
            return Scale::new(0.0, 1.0);
        }
        let values = panel
            .groups
            .iter()
            .flat_map(|group| [group.observed, group.interval.0, group.interval.1]);
        Scale::over(values).padded(0.05, 0.05)
    }
}

/// Sizes that are told apart by lines, at most.
pub(super) const SIZES: usize = 8;

/// Groups in the order of their sizes where these differ much; else in their own.
pub(crate) fn ordered(groups: &[Group]) -> Vec<&Group> {
    let sizes: Vec<f64> = groups.iter().map(|group| group.size).collect();
    order(&sizes).into_iter().map(|place| &groups[place]).collect()
}

/// As [`ordered`], the places of groups of these sizes.
pub(super) fn order(sizes: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    if !sizes.is_sorted() && distinct(sizes) <= SIZES {
        order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
    }
    order
}

fn distinct(sizes: &[f64]) -> usize {
    let mut sizes = sizes.to_vec();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    sizes.len()
}

/// The places (from 0) of the first and the last group of each size, where groups of these sizes stand side by side.
pub(super) fn runs(sizes: &[f64]) -> Vec<(f64, usize, usize)> {
    let mut runs: Vec<(f64, usize, usize)> = Vec::new();
    for (place, size) in sizes.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.0 == *size => run.2 = place,
            Some(_) | None => runs.push((*size, place, place)),
        }
    }
    runs
}

/// Labels of groups below an axis whose values count them from 1, as many as there is room for.
pub(crate) fn labelled(scene: &mut Scene, frame: &Frame, labels: &[&str]) {
    let pitch = frame.width / labels.len().max(1) as f64;
    let wide = font::widest(labels.iter().copied(), TICK) + 6.0;
    let every = (wide / pitch).ceil().max(1.0) as usize;
    for (place, label) in labels.iter().enumerate().step_by(every) {
        let x = frame.x_at(place as f64 + 1.0);
        let bottom = frame.bottom();
        scene.line(vec![(x, bottom), (x, bottom + 4.0)], Stroke::new(INK, 1.0));
        let room = (pitch * every as f64).max(60.0);
        let label = font::fitted(label, TICK, room);
        scene.word((x, bottom + 16.5), &label, TICK, Anchor::Middle, INK);
    }
    frame.bottom_line(scene);
}

/// Lines between groups of different sizes, and the sizes above; without where there are too many.
pub(super) fn told(scene: &mut Scene, frame: &Frame, sizes: &[f64]) {
    let runs = runs(sizes);
    // Groups of a single row each have no sizes worth a word.
    if runs.len() > SIZES || matches!(runs.as_slice(), [(1.0, _, _)]) {
        return;
    }
    for (number, (size, first, last)) in runs.iter().enumerate() {
        if number > 0 {
            frame.vertical(scene, *first as f64 + 0.5, Stroke::new(RULE, 1.0));
        }
        let middle = frame.x_at(0.5 * (*first + *last) as f64 + 1.0);
        let text = format!("n = {size}");
        scene.word((middle, frame.top - 6.0), &text, TICK, Anchor::Middle, GREY);
    }
}

/// Observed values filled, estimates open, a panel for each index.
pub(crate) fn shrinkage(width: f64, title: (&str, &str), measure: Measure<'_>, panels: &[Panel]) -> Scene {
    let height = 0.36 * width;
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut entries = vec![
        (Key::Mark(Shape::Disc, BLUE, Fill::Full(1.0)), "observed"),
        (
            Key::Mark(Shape::Disc, BLACK, Fill::Open),
            "estimated, with its interval",
        ),
    ];
    if panels.iter().any(|panel| panel.overall.is_some()) {
        entries.push((
            Key::Line(Stroke::new(INK, 1.2).dashed()),
            "a group at its population's mean",
        ));
    }
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let mut top = BELOW_HEADING + legend(&mut scene, at, width - 2.0 * MARGIN, &entries) + 22.0;
    for panel in panels {
        let order = ordered(&panel.groups);
        let frame = Frame {
            left: MARGIN + 52.0,
            top,
            width: width - 2.0 * MARGIN - 52.0,
            height,
            x: Scale::new(0.4, order.len() as f64 + 0.6),
            y: measure.scale(panel),
        };
        frame.y_grid(&mut scene);
        let sizes: Vec<f64> = order.iter().map(|group| group.size).collect();
        told(&mut scene, &frame, &sizes);
        if let Some(overall) = panel.overall {
            frame.horizontal(&mut scene, overall, Stroke::new(INK, 1.2).dashed());
        }
        let place = |place: usize| place as f64 + 1.0;
        for (number, group) in order.iter().enumerate() {
            let x = place(number);
            let ends = [(x, group.interval.0), (x, group.interval.1)];
            frame.curve(&mut scene, ends, Stroke::new(BLACK, 1.0).faded(0.35));
        }
        let marks = |value: &dyn Fn(&Group) -> f64| {
            frame.all(
                order
                    .iter()
                    .enumerate()
                    .map(|(number, group)| (place(number), value(group)))
                    .filter(|point| point.1.is_finite()),
            )
        };
        scene.marks(
            marks(&|group| group.observed),
            3.6,
            Shape::Disc,
            BLUE,
            Fill::Full(1.0),
        );
        scene.marks(marks(&|group| group.mean), 3.6, Shape::Disc, BLACK, Fill::Open);
        let labels: Vec<&str> = order.iter().map(|group| group.label.as_str()).collect();
        labelled(&mut scene, &frame, &labels);
        frame.x_title(&mut scene, &panel.index, 34.0);
        frame.y_axis(&mut scene, measure.name);
        top = frame.bottom() + BELOW_AXIS + 30.0;
    }
    scene.height = top - 30.0;
    scene
}

/// Predicted against observed, a panel for each index: intervals that miss the diagonal are groups that the model does
/// not describe.
pub(crate) fn calibration(width: f64, title: (&str, &str), measure: Measure<'_>, panels: &[Panel]) -> Scene {
    let side = if panels.len() == 1 {
        0.5 * width
    } else {
        0.36 * width
    };
    let tiles = Tiles::new(panels.len(), width, 62.0, side, side);
    let mut scene = Scene::new(width, tiles.bottom(panels.len()));
    heading(&mut scene, title.0, title.1);
    for (number, panel) in panels.iter().enumerate() {
        let scale = measure.scale(panel).padded(0.02, 0.02);
        let mut frame = tiles.frame(number, scale, scale);
        frame.width = frame.width.min(frame.height * 1.15);
        frame.y_grid(&mut scene);
        frame.x_grid(&mut scene);
        frame.name(&mut scene, &panel.index);
        let ends = [(scale.low, scale.low), (scale.high, scale.high)];
        frame.curve(&mut scene, ends, Stroke::new(INK, 1.1).dashed());
        for group in &panel.groups {
            let ends = [
                (group.observed, group.interval.0),
                (group.observed, group.interval.1),
            ];
            frame.curve(&mut scene, ends, Stroke::new(BLUE, 1.1).faded(0.5));
        }
        let points = panel.groups.iter().map(|group| (group.observed, group.mean));
        let points = frame.all(points.filter(|point| point.1.is_finite()));
        scene.marks(points, 3.2, Shape::Disc, BLUE, Fill::Full(0.85));
        frame.x_axis(&mut scene, &format!("observed {}", measure.name));
        frame.y_axis(&mut scene, "predicted");
    }
    scene
}

/// A faint line for each group.
pub(crate) fn faint_rows(scene: &mut Scene, frame: &Frame, count: usize) {
    for place in 0..count {
        frame.vertical(scene, place as f64 + 1.0, Stroke::new(FAINT, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    fn groups(sizes: &[f64]) -> Vec<Group> {
        sizes
            .iter()
            .enumerate()
            .map(|(place, &size)| Group {
                label: format!("{}", place + 1),
                size,
                observed: 0.25,
                mean: 0.5,
                interval: (0.4, 0.75),
            })
            .collect()
    }

    #[test]
    fn groups_stand_by_size_and_sizes_are_told() {
        let groups = groups(&[10.0, 35.0, 10.0, 25.0]);
        let order = ordered(&groups);
        let labels: Vec<&str> = order.iter().map(|group| group.label.as_str()).collect();
        assert_eq!(labels, ["1", "3", "4", "2"]);
        let sizes: Vec<f64> = order.iter().map(|group| group.size).collect();
        assert_eq!(runs(&sizes), [(10.0, 0, 1), (25.0, 2, 2), (35.0, 3, 3)]);
    }

    #[test]
    fn observed_is_filled_estimated_open_and_both_at_their_values() {
        let panel = Panel {
            index: "tank".into(),
            groups: groups(&[10.0; 48]),
            overall: Some(0.5),
        };
        let measure = Measure {
            name: "survival",
            is_share: true,
        };
        let scene = shrinkage(760.0, ("", ""), measure, &[panel]);
        let marks = |wanted: Fill| -> Vec<(f64, f64)> {
            scene
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Marks { centres, fill, .. } if *fill == wanted && centres.len() == 48 => {
                        Some(centres.clone())
                    }
                    _ => None,
                })
                .flatten()
                .collect()
        };
        let (filled, open) = (marks(Fill::Full(1.0)), marks(Fill::Open));
        assert_eq!((filled.len(), open.len()), (48, 48));
        let dashed = scene.items.iter().find_map(|item| match item {
            Item::Line { points, stroke }
                if stroke.dash.is_some() && points[0].0 < 100.0 && points.len() == 2 =>
            {
                (points[1].0 - points[0].0 > 300.0).then_some(points[0].1)
            }
            _ => None,
        });
        assert_eq!(
            dashed,
            Some(open[0].1),
            "the line of 0.5 passes through estimates of 0.5"
        );
        assert!(filled[0].1 > open[0].1, "0.25 lies below 0.5");
        // Labels of 48 tanks do not run into each other.
        let mut ends: Vec<(f64, f64)> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word {
                    at,
                    text,
                    size,
                    anchor: Anchor::Middle,
                    ..
                } if text.parse::<u32>().is_ok() => {
                    let half = 0.5 * font::width(text, *size);
                    Some((at.0 - half, at.0 + half))
                }
                _ => None,
            })
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(
            ends.len() >= 16 && ends.windows(2).all(|pair| pair[0].1 < pair[1].0),
            "{ends:?}"
        );
    }
}
