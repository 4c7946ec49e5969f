//! Every two of some numbers against each other, with the draws that diverged; each one's density on the diagonal.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{BLUE, INK, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke, font};
use crate::diag::Density;

/// The draws of a number.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) draws: Vec<f64>,
}

/// Marks of a picture at most, so that it opens fast; of more draws, some at even distances.
const MARKS: usize = 8000;

/// The picture; `divergent` are places among the draws, all of which are shown.
pub(crate) fn scene(width: f64, title: (&str, &str), axes: &[Axis], divergent: &[usize]) -> Scene {
    let count = axes.len();
    let left = MARGIN + 62.0;
    let side = (width - left - MARGIN) / count.max(1) as f64;
    let gap = 10.0;
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut top = BELOW_HEADING;
    let panels = count * count.saturating_sub(1) / 2;
    let draws = axes.first().map_or(0, |axis| axis.draws.len());
    let every = draws.div_ceil((MARKS / panels.max(1)).max(100)).max(1);
    let mark = |colour, opacity| Key::Mark(Shape::Disc, colour, Fill::Full(opacity));
    let shown = match every {
        1 => "draws".to_owned(),
        many => format!("one draw in {many}"),
    };
    let diverged = match divergent.len() {
        1 => "the draw that diverged".to_owned(),
        many => format!("all {many} draws that diverged"),
    };
    let mut entries = vec![(mark(BLUE, 0.5), shown.as_str())];
    if !divergent.is_empty() {
        entries.push((mark(VERMILION, 1.0), diverged.as_str()));
    }
    top += legend(&mut scene, (left, top + 2.0), width - left - MARGIN, &entries);
    let height = side * 0.86;
    scene.height = top + 8.0 + height * count as f64 + BELOW_AXIS;
    for (line, down) in axes.iter().enumerate() {
        for (column, across) in axes.iter().enumerate().take(line + 1) {
            let mut frame = Frame {
                left: left + column as f64 * side,
                top: top + 8.0 + line as f64 * height,
                width: side - gap,
                height: height - gap,
                x: Scale::over(across.draws.iter().copied()).padded(0.04, 0.04),
                y: Scale::over(down.draws.iter().copied()).padded(0.05, 0.05),
            };
            if line == column {
                diagonal(&mut scene, &mut frame, across);
            } else {
                let shown = (0..draws).step_by(every);
                let points = frame.all(shown.map(|draw| (across.draws[draw], down.draws[draw])));
                scene.marks(points, 1.6, Shape::Disc, BLUE, Fill::Full(0.28));
                let points = frame.all(
                    divergent
                        .iter()
                        .map(|&draw| (across.draws[draw], down.draws[draw])),
                );
                scene.marks(points, 2.6, Shape::Disc, VERMILION, Fill::Full(0.9));
            }
            if line + 1 == count {
                frame.x_axis(&mut scene, "");
                let name = font::fitted(&across.name, LABEL, side - 4.0);
                frame.x_title(&mut scene, &name, 34.0);
            } else {
                frame.bottom_line(&mut scene);
            }
            if column == 0 && line > 0 {
                frame.y_axis(&mut scene, "");
                let at = (MARGIN + 8.0, frame.top + 0.5 * frame.height);
                scene.upright(at, &font::fitted(&down.name, LABEL, height - 4.0), LABEL, INK);
            } else if line != column {
                scene.line(
                    vec![(frame.left, frame.top), (frame.left, frame.bottom())],
                    Stroke::new(INK, 0.7),
                );
            }
        }
    }
    scene
}

fn diagonal(scene: &mut Scene, frame: &mut Frame, axis: &Axis) {
    let Some(density) = Density::of(&axis.draws) else {
        return;
    };
    frame.y = Scale::new(0.0, 1.08 * density.peak());
    let points: Vec<(f64, f64)> = density.points().collect();
    frame.below(scene, &points, 0.0, BLUE, 0.2);
    frame.curve(scene, points, Stroke::new(BLUE, 1.6));
    // The last one's name stands below its axis.
    frame.name(scene, "");
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn divergent_draws_are_marked_in_every_panel_at_their_place() {
        let axes: Vec<Axis> = (0..3)
            .map(|n| Axis {
                name: format!("p{n}"),
                draws: (0..500).map(|i| f64::from((i * (7 + n) + i * i) % 101)).collect(),
            })
            .collect();
        let scene = scene(700.0, ("", ""), &axes, &[3, 77]);
        let panels: Vec<&Vec<(f64, f64)>> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks {
                    centres,
                    colour: VERMILION,
                    radius,
                    ..
                } if *radius < 3.0 => Some(centres),
                _ => None,
            })
            .collect();
        assert_eq!(panels.len(), 3);
        assert!(panels.iter().all(|centres| centres.len() == 2));
        let all = scene.items.iter().any(|item| {
            matches!(item, Item::Marks { centres, colour: BLUE, .. } if centres.contains(&panels[0][0]))
        });
        assert!(all, "a divergent draw is one of the draws, at the same place");
    }
}
