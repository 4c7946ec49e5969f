//! How far estimates are off where the truth is known, group by group.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{BLACK, BLUE, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Colour, Fill, Scene, Shape, Stroke, font};
use super::groups::{SIZES, labelled, order, runs, told};

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its label in the data.
    pub label: String,
    /// Trials, or rows where nothing is counted.
    pub size: f64,
}

/// A way to estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// For the legend.
    pub name: String,
    /// Absolute errors, in the order of the groups; of one data set or means over many.
    pub errors: Vec<f64>,
}

/// How a method is drawn.
struct Look {
    shape: Shape,
    colour: Colour,
    fill: Fill,
    mean: Stroke,
}

/// As many methods as can be told apart, the model in question first: the looks of McElreath (2020, figure 13.3) and
/// one more.
fn looks() -> [Look; 3] {
    [
        Look {
            shape: Shape::Disc,
            colour: BLACK,
            fill: Fill::Open,
            mean: Stroke::new(BLACK, 1.4).dashed(),
        },
        Look {
            shape: Shape::Disc,
            colour: BLUE,
            fill: Fill::Full(0.85),
            mean: Stroke::new(BLUE, 2.0),
        },
        Look {
            shape: Shape::Triangle,
            colour: VERMILION,
            fill: Fill::Full(0.7),
            mean: Stroke {
                dash: Some((2.0, 3.0)),
                ..Stroke::new(VERMILION, 1.8)
            },
        },
    ]
}

/// The picture, with the mean of each size of groups as a line. `index` is what the groups are, `measure` the title of
/// the errors' axis. Of the methods the first three are drawn.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    (index, measure): (&str, &str),
    places: &[Place],
    methods: &[Method],
) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let looks = looks();
    let drawn: Vec<(&Method, &Look)> = methods.iter().zip(&looks).collect();
    let entries: Vec<(Key, &str)> = drawn
        .iter()
        .flat_map(|(method, look)| {
            [
                (
                    Key::Mark(look.shape, look.colour, look.fill),
                    method.name.as_str(),
                ),
                (Key::Line(look.mean), "their mean"),
            ]
        })
        .collect();
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries);
    let sizes: Vec<f64> = places.iter().map(|place| place.size).collect();
    let order = order(&sizes);
    let sizes: Vec<f64> = order.iter().map(|place| sizes[*place]).collect();
    // Beside each other as the groups stand.
    let errors = |method: &Method| -> Vec<f64> {
        let error = |place: &usize| method.errors.get(*place).copied().unwrap_or(f64::NAN);
        order.iter().map(error).collect()
    };
    let all = drawn.iter().flat_map(|(method, _)| errors(method));
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
    told(&mut scene, &frame, &sizes);
    let runs = runs(&sizes);
    // The model last, on top of the others.
    if runs.len() <= SIZES {
        for (method, look) in drawn.iter().rev() {
            let errors = errors(method);
            for &(_, first, last) in &runs {
                let values: Vec<f64> = errors[first..=last]
                    .iter()
                    .copied()
                    .filter(|error| error.is_finite())
                    .collect();
                if !values.is_empty() {
                    let mean = crate::diag::mean(&values);
                    let ends = [(first as f64 + 0.6, mean), (last as f64 + 1.4, mean)];
                    frame.curve(&mut scene, ends, look.mean);
                }
            }
        }
    }
    for (method, look) in drawn.iter().rev() {
        let points = errors(method)
            .into_iter()
            .enumerate()
            .map(|(place, error)| (place as f64 + 1.0, error))
            .filter(|point| point.1.is_finite());
        scene.marks(frame.all(points), 3.4, look.shape, look.colour, look.fill);
    }
    let labels: Vec<&str> = order.iter().map(|place| places[*place].label.as_str()).collect();
    labelled(&mut scene, &frame, &labels);
    frame.x_title(&mut scene, index, 34.0);
    frame.y_axis(&mut scene, &font::fitted(measure, LABEL, frame.height));
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    fn lines(scene: &Scene, look: &Look) -> Vec<f64> {
        scene
            .items
            .iter()
            .filter_map(|item| match item {
                // The legend's line is short; those of the sizes span their groups.
                Item::Line { points, stroke } if *stroke == look.mean => {
                    (points[1].0 - points[0].0 > 100.0).then_some(points[0].1)
                }
                _ => None,
            })
            .collect()
    }

    fn marks(scene: &Scene, look: &Look, count: usize) -> Vec<(f64, f64)> {
        scene
            .items
            .iter()
            .find_map(|item| match item {
                Item::Marks {
                    centres,
                    shape,
                    colour,
                    fill,
                    ..
                } if (*shape, *colour, *fill) == (look.shape, look.colour, look.fill)
                    && centres.len() == count =>
                {
                    Some(centres.clone())
                }
                _ => None,
            })
            .expect("marks of the method")
    }

    /// Two groups of one size, one of another that stands first in the data.
    #[test]
    fn every_size_has_the_mean_of_its_errors() {
        let places: Vec<Place> = [10.0, 5.0, 5.0]
            .iter()
            .zip(["c", "a", "b"])
            .map(|(&size, label)| Place {
                label: label.into(),
                size,
            })
            .collect();
        let method = |name: &str, errors: [f64; 3]| Method {
            name: name.into(),
            errors: errors.to_vec(),
        };
        let methods = [
            method("partial", [0.05, 0.1, 0.3]),
            method("none", [0.2, 0.2, 0.2]),
            method("complete", [0.4, f64::NAN, 0.1]),
        ];
        let scene = scene(760.0, ("", ""), ("pond", "absolute error"), &places, &methods);
        let looks = looks();
        let own = marks(&scene, &looks[0], 3);
        assert!(own[0].1 > own[1].1 && own[2].1 > own[0].1, "0.1, 0.3 | 0.05");
        let found = lines(&scene, &looks[0]);
        let middle = 0.5 * (own[0].1 + own[1].1);
        assert!((found[0] - middle).abs() < 1e-9 && (found[1] - own[2].1).abs() < 1e-9);
        let raw = marks(&scene, &looks[1], 3);
        assert!(
            lines(&scene, &looks[1])
                .iter()
                .all(|y| (y - raw[0].1).abs() < 1e-9)
        );
        // What has no error has no mark, and the mean is that of the others.
        let complete = marks(&scene, &looks[2], 2);
        let means = lines(&scene, &looks[2]);
        assert!((means[0] - complete[0].1).abs() < 1e-9 && (means[1] - complete[1].1).abs() < 1e-9);
    }
}
