//! How well models predict: [`comparison`] of models; [`tails`] of the importance ratios of each row.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{BLACK, BLUE, FAINT, GREY, INK, RULE, VERMILION};
use super::super::scale::{Scale, short};
use super::super::scene::{Anchor, Fill, Scene, Shape, Stroke, font};

/// A model's row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) name: String,
    /// Deviance in the data that was fitted.
    pub(crate) within: f64,
    /// Expected deviance in new data, and its standard error.
    pub(crate) beyond: (f64, f64),
    /// The difference to the best model and its standard error; none of the best itself.
    pub(crate) difference: Option<(f64, f64)>,
}

/// Models below each other, the best on top.
pub(crate) fn comparison(width: f64, title: (&str, &str), models: &[Model]) -> Scene {
    const PITCH: f64 = 44.0;
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (
            Key::Mark(Shape::Disc, BLACK, Fill::Full(1.0)),
            "in the data fitted",
        ),
        (
            Key::Mark(Shape::Disc, BLACK, Fill::Open),
            "expected in new data, ± SE",
        ),
        (
            Key::Mark(Shape::Triangle, GREY, Fill::Open),
            "difference to the best, ± SE",
        ),
    ];
    let taken = legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let names: Vec<String> = models
        .iter()
        .map(|model| font::fitted(&model.name, LABEL, 230.0))
        .collect();
    let left = MARGIN + 12.0 + font::widest(names.iter().map(String::as_str), LABEL);
    let best = models.first().map_or(0.0, |model| model.beyond.0);
    let values = models.iter().flat_map(|model| {
        let (beyond, se) = model.beyond;
        let (difference, d_se) = model.difference.unwrap_or((0.0, 0.0));
        [
            model.within,
            beyond - se,
            beyond + se,
            best + difference - d_se,
            best + difference + d_se,
        ]
    });
    let frame = Frame {
        left,
        top: BELOW_HEADING + taken + 6.0,
        width: width - left - MARGIN,
        height: PITCH * models.len() as f64 + 6.0,
        x: Scale::over(values).padded(0.04, 0.04),
        y: Scale::new(0.0, 1.0),
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    frame.x_grid(&mut scene);
    frame.vertical(&mut scene, best, Stroke::new(RULE, 1.1).dashed());
    for (place, model) in models.iter().enumerate() {
        let y = frame.top + (place as f64 + 0.5) * PITCH;
        scene.word((left - 8.0, y + 4.0), &names[place], LABEL, Anchor::End, INK);
        let (beyond, se) = model.beyond;
        if se.is_finite() {
            let ends = vec![(frame.x_at(beyond - se), y), (frame.x_at(beyond + se), y)];
            scene.line(ends, Stroke::new(BLACK, 1.3));
        }
        scene.marks(vec![(frame.x_at(beyond), y)], 4.0, Shape::Disc, BLACK, Fill::Open);
        let within = vec![(frame.x_at(model.within), y)];
        scene.marks(within, 4.0, Shape::Disc, BLACK, Fill::Full(1.0));
        if let Some((difference, d_se)) = model.difference {
            let (x, y) = (best + difference, y - 0.5 * PITCH + 4.0);
            if d_se.is_finite() {
                let ends = vec![(frame.x_at(x - d_se), y), (frame.x_at(x + d_se), y)];
                scene.line(ends, Stroke::new(GREY, 1.1));
            }
            scene.marks(vec![(frame.x_at(x), y)], 3.6, Shape::Triangle, GREY, Fill::Open);
        }
    }
    frame.x_axis(&mut scene, "deviance (smaller is better)");
    scene
}

/// A row's tail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tail {
    pub(crate) label: String,
    pub(crate) k: f64,
}

/// The Pareto k of each row, and the limit above which its elpd by importance sampling is not to be trusted.
pub(crate) fn tails(width: f64, title: (&str, &str), tails: &[Tail], limit: f64) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let finite = tails.iter().map(|tail| tail.k).filter(|k| k.is_finite());
    let largest = finite.clone().fold(1.0, f64::max);
    // Rows may lie on the line, so its name does not.
    let text = format!("limit {}", short(limit));
    let entries = [(Key::Line(Stroke::new(INK, 1.2).dashed()), text.as_str())];
    let under = legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + 12.0 + under,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.42 * width,
        x: Scale::new(0.0, tails.len() as f64 + 1.0),
        y: Scale::over(finite.chain([0.0, limit, 1.0])).padded(0.05, 0.07),
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    frame.y_grid(&mut scene);
    frame.horizontal(&mut scene, 0.0, Stroke::new(FAINT, 1.5));
    frame.horizontal(&mut scene, limit, Stroke::new(INK, 1.2).dashed());
    // An infinite k stands at the top.
    let value = |tail: &Tail| if tail.k.is_finite() { tail.k } else { largest };
    for (colour, is_bad) in [(BLUE, false), (VERMILION, true)] {
        let points = tails
            .iter()
            .enumerate()
            .filter(|(_, tail)| (tail.k > limit || tail.k.is_nan()) == is_bad)
            .map(|(place, tail)| (place as f64 + 1.0, value(tail)));
        scene.marks(frame.all(points), 3.0, Shape::Disc, colour, Fill::Full(0.8));
    }
    let bad: Vec<(usize, &Tail)> = tails
        .iter()
        .enumerate()
        .filter(|(_, tail)| !(tail.k <= limit))
        .collect();
    // Names where few rows are bad; many would hide each other.
    if bad.len() <= 25 {
        let mut last: Option<(f64, f64)> = None;
        for (place, tail) in bad {
            let (x, y) = frame.at(place as f64 + 1.0, value(tail));
            let is_near = last.is_some_and(|(u, v): (f64, f64)| (x - u).abs() < 22.0 && (y - v).abs() < 11.0);
            if !is_near {
                scene.word((x, y - 6.0), &tail.label, 10.0, Anchor::Middle, VERMILION);
                last = Some((x, y));
            }
        }
    }
    frame.x_axis(&mut scene, "row");
    frame.y_axis(&mut scene, "Pareto k");
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn rows_beyond_the_limit_stand_out_by_name() {
        let rows: Vec<Tail> = [0.1, 0.9, f64::INFINITY, 0.69]
            .iter()
            .enumerate()
            .map(|(place, &k)| Tail {
                label: format!("r{place}"),
                k,
            })
            .collect();
        let scene = tails(700.0, ("", ""), &rows, 0.7);
        let count = |wanted| -> usize {
            scene
                .items
                .iter()
                .map(|item| match item {
                    Item::Marks { centres, colour, .. } if *colour == wanted => centres.len(),
                    _ => 0,
                })
                .sum()
        };
        assert_eq!((count(BLUE), count(VERMILION)), (2, 2));
        let named = |name: &str| {
            scene
                .items
                .iter()
                .any(|item| matches!(item, Item::Word { text, .. } if text == name))
        };
        assert!(named("r1") && named("r2") && !named("r0") && !named("r3"));
    }
}
