//! How far estimates are off where the truth is known, group by group.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, heading, legend};
use super::super::palette::{BLACK, BLUE};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke};
use super::groups::{Group, SIZES, labelled, ordered, runs, sizes};

/// Errors of estimates and of raw observations, group by group, with the mean of each size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Errors {
    pub(crate) index: String,
    /// The estimate's error; `size` and `label` as before.
    pub(crate) groups: Vec<Group>,
    /// The errors of what was observed, in the order of the groups; none where it is on another scale.
    pub(crate) raw: Option<Vec<f64>>,
}

/// The picture; `groups[…].mean` hold the estimates' ones.
pub(crate) fn scene(width: f64, title: (&str, &str), quantity: &str, errors: &Errors) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut entries = vec![
        (
            Key::Mark(Shape::Disc, BLACK, Fill::Open),
            "estimated by the model",
        ),
        (Key::Line(Stroke::new(BLACK, 1.4).dashed()), "their mean"),
    ];
    if errors.raw.is_some() {
        entries.push((
            Key::Mark(Shape::Disc, BLUE, Fill::Full(0.85)),
            "observed, group by group",
        ));
        entries.push((Key::Line(Stroke::new(BLUE, 2.0)), "their mean"));
    }
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries);
    let order = ordered(&errors.groups);
    let raw = |group: &Group| -> Option<f64> {
        let place = errors
            .groups
            .iter()
            .position(|other| other.label == group.label)?;
        errors.raw.as_ref()?.get(place).copied()
    };
    let all = order
        .iter()
        .flat_map(|group| [Some(group.mean), raw(group)])
        .flatten();
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + taken + 22.0,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.4 * width,
        x: Scale::new(0.4, order.len() as f64 + 0.6),
        y: Scale::over(all.chain([0.0])).padded(0.0, 0.06),
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    frame.y_grid(&mut scene);
    sizes(&mut scene, &frame, &order);
    let runs = runs(&order);
    let mean_of = |first: usize, last: usize, value: &dyn Fn(&Group) -> Option<f64>| {
        let values: Vec<f64> = order[first..=last]
            .iter()
            .filter_map(|group| value(group))
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    if runs.len() <= SIZES {
        for &(_, first, last) in &runs {
            let ends = |y: f64| [(first as f64 + 0.6, y), (last as f64 + 1.4, y)];
            if let Some(mean) = mean_of(first, last, &raw) {
                frame.curve(&mut scene, ends(mean), Stroke::new(BLUE, 2.0));
            }
            if let Some(mean) = mean_of(first, last, &|group| Some(group.mean)) {
                frame.curve(&mut scene, ends(mean), Stroke::new(BLACK, 1.4).dashed());
            }
        }
    }
    let marks = |value: &dyn Fn(&Group) -> Option<f64>| {
        frame.all(
            order
                .iter()
                .enumerate()
                .filter_map(|(place, group)| Some((place as f64 + 1.0, value(group)?))),
        )
    };
    scene.marks(marks(&raw), 3.4, Shape::Disc, BLUE, Fill::Full(0.85));
    scene.marks(
        marks(&|group| Some(group.mean)),
        3.4,
        Shape::Disc,
        BLACK,
        Fill::Open,
    );
    let labels: Vec<&str> = order.iter().map(|group| group.label.as_str()).collect();
    labelled(&mut scene, &frame, &labels);
    frame.x_title(&mut scene, &errors.index, 34.0);
    frame.y_axis(&mut scene, &format!("absolute error of {quantity}"));
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn every_size_has_the_mean_of_its_errors() {
        let groups: Vec<Group> = [(5.0, 0.1), (5.0, 0.3), (10.0, 0.05)]
            .iter()
            .enumerate()
            .map(|(place, &(size, mean))| Group {
                label: format!("{place}"),
                size,
                observed: 0.5,
                mean,
                interval: (0.0, 1.0),
            })
            .collect();
        let errors = Errors {
            index: "pond".into(),
            groups,
            raw: Some(vec![0.2, 0.2, 0.2]),
        };
        let scene = scene(760.0, ("", ""), "p", &errors);
        let marks: Vec<&Vec<(f64, f64)>> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks { centres, .. } if centres.len() == 3 => Some(centres),
                _ => None,
            })
            .collect();
        let (raw, own) = (marks[0], marks[1]);
        // The legend's line is short; those of the sizes span their groups.
        let means = |dashed: bool| -> Vec<f64> {
            scene
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Line { points, stroke }
                        if stroke.dash.is_some() == dashed && stroke.width > 1.3 =>
                    {
                        (points[1].0 - points[0].0 > 100.0).then_some(points[0].1)
                    }
                    _ => None,
                })
                .collect()
        };
        let middle = 0.5 * (own[0].1 + own[1].1);
        let found = means(true);
        assert!(
            (found[0] - middle).abs() < 1e-9 && (found[1] - own[2].1).abs() < 1e-9,
            "{found:?}"
        );
        assert!(means(false).iter().all(|y| (y - raw[0].1).abs() < 1e-9));
    }
}
