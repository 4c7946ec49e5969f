//! What is predicted by each predictor alone, a panel each: bands where numbers vary, bars where labels do.

use super::super::frame::{BELOW_HEADING, Key, MARGIN, heading, legend};
use super::super::palette::{BLUE, GRAPHITE};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke};
use super::super::tiles::Tiles;
use super::groups::labelled;

/// A predictor with what is predicted along it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    /// The column.
    pub(crate) name: String,
    /// Where the predictions stand.
    pub(crate) places: Places,
    /// Of the average group, in the order of the places: mean, lower and upper end.
    pub(crate) average: Vec<(f64, f64, f64)>,
    /// Means of single groups.
    pub(crate) groups: Vec<Vec<f64>>,
}

/// The x axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub enum Places {
    /// Numbers in rising order.
    Numbers(Vec<f64>),
    /// Labels beside each other.
    Labels(Vec<String>),
}

/// The picture. `measure` is what is predicted; a share lies on an axis from 0 to 1. `by` is the index of the groups
/// whose lines are drawn.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    (measure, is_share): (&str, bool),
    by: Option<&str>,
    panels: &[Panel],
) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let lines = by.map(|index| format!("each {index}"));
    let mut entries = vec![
        (Key::Line(Stroke::new(BLUE, 2.0)), "mean"),
        (Key::Band(BLUE, 0.25), "interval"),
    ];
    if let Some(lines) = &lines {
        entries.push((Key::Line(Stroke::new(GRAPHITE, 1.0).faded(0.5)), lines));
    }
    legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let values = panels.iter().flat_map(|panel| {
        let ends = panel
            .average
            .iter()
            .flat_map(|(_, lower, upper)| [*lower, *upper]);
        ends.chain(panel.groups.iter().flatten().copied())
    });
    // One scale for all, so that effects can be compared.
    let y = match is_share {
        true => Scale::new(0.0, 1.0),
        false => Scale::over(values).padded(0.05, 0.05),
    };
    let tiles = Tiles::new(panels.len(), width, 58.0, 170.0, 190.0);
    for (place, panel) in panels.iter().enumerate() {
        let (x, at): (Scale, Vec<f64>) = match &panel.places {
            Places::Numbers(numbers) => (
                Scale::over(numbers.iter().copied()).padded(0.03, 0.03),
                numbers.clone(),
            ),
            Places::Labels(labels) => (
                Scale::new(0.4, labels.len() as f64 + 0.6),
                (1..=labels.len()).map(|place| place as f64).collect(),
            ),
        };
        let mut frame = tiles.frame(place, x, y);
        frame.top += 20.0;
        frame.y_grid(&mut scene);
        let is_number = matches!(panel.places, Places::Numbers(_));
        for group in &panel.groups {
            let points: Vec<(f64, f64)> = at.iter().copied().zip(group.iter().copied()).collect();
            frame.curve(
                &mut scene,
                points.iter().copied(),
                Stroke::new(GRAPHITE, 1.0).faded(0.35),
            );
        }
        let points = |end: &dyn Fn(&(f64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
            at.iter().copied().zip(panel.average.iter().map(end)).collect()
        };
        let (means, lower, upper) = (
            points(&|spread| spread.0),
            points(&|spread| spread.1),
            points(&|spread| spread.2),
        );
        if is_number && at.len() > 1 {
            let band = lower.iter().chain(upper.iter().rev()).copied();
            scene.area(frame.all(band), BLUE, 0.2);
            frame.curve(&mut scene, means, Stroke::new(BLUE, 2.0));
        } else {
            for (low, high) in lower.iter().zip(&upper) {
                frame.curve(&mut scene, [*low, *high], Stroke::new(BLUE, 1.4));
            }
            scene.marks(frame.all(means), 3.8, Shape::Disc, BLUE, Fill::Full(1.0));
        }
        match &panel.places {
            Places::Numbers(_) => frame.x_axis(&mut scene, &panel.name),
            Places::Labels(labels) => {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                labelled(&mut scene, &frame, &labels);
                frame.x_title(&mut scene, &panel.name, 34.0);
            }
        }
        frame.y_axis(&mut scene, if tiles.is_first(place) { measure } else { "" });
    }
    scene.height = tiles.bottom(panels.len()) + 20.0;
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn numbers_have_bands_and_labels_have_marks() {
        let panels = [
            Panel {
                name: "x".into(),
                places: Places::Numbers(vec![0.0, 1.0, 2.0]),
                average: vec![(0.2, 0.1, 0.3), (0.4, 0.3, 0.5), (0.6, 0.5, 0.7)],
                groups: vec![vec![0.1, 0.5, 0.9]],
            },
            Panel {
                name: "f".into(),
                places: Places::Labels(vec!["a".into(), "b".into()]),
                average: vec![(0.2, 0.1, 0.3), (0.4, 0.3, 0.5)],
                groups: Vec::new(),
            },
        ];
        let scene = scene(700.0, ("", ""), ("p", true), Some("g"), &panels);
        let areas = scene
            .items
            .iter()
            .filter(|item| matches!(item, Item::Area { .. }))
            .count();
        assert_eq!(areas, 2, "the legend's and the band");
        let marks = scene.items.iter().filter_map(|item| match item {
            Item::Marks { centres, .. } => Some(centres.len()),
            _ => None,
        });
        assert_eq!(marks.collect::<Vec<_>>(), [2]);
        let words: Vec<&str> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        for word in ["x", "f", "a", "b", "each g"] {
            assert!(words.contains(&word), "{word}: {words:?}");
        }
    }
}
