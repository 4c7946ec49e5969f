//! Predictions for some settings of the covariates.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, MARGIN, heading, legend};
use super::super::palette::{BLACK, BLUE};
use super::super::scale::Scale;
use super::super::scene::{Fill, Scene, Shape, Stroke};
use super::groups::labelled;

/// A setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// The values of the columns that vary.
    pub(crate) label: String,
    /// The value on the axis where a single column of numbers varies.
    pub(crate) at: Option<f64>,
    pub(crate) mean: f64,
    pub(crate) interval: (f64, f64),
    /// What was observed in rows of this setting.
    pub(crate) observed: Option<f64>,
}

/// The picture: a band where numbers vary, bars where labels do. `varies` names the columns that vary, `measure` what is
/// predicted; a share lies on an axis from 0 to 1.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    (varies, measure, is_share): (&str, &str, bool),
    settings: &[Setting],
) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let mut entries = vec![
        (Key::Line(Stroke::new(BLUE, 2.0)), "mean"),
        (Key::Band(BLUE, 0.25), "interval"),
    ];
    if settings.iter().any(|setting| setting.observed.is_some()) {
        entries.push((
            Key::Mark(Shape::Disc, BLACK, Fill::Full(1.0)),
            "observed in such rows",
        ));
    }
    let taken = legend(
        &mut scene,
        (MARGIN, BELOW_HEADING + 2.0),
        width - 2.0 * MARGIN,
        &entries,
    );
    let values = settings.iter().flat_map(|setting| {
        [
            Some(setting.interval.0),
            Some(setting.interval.1),
            setting.observed,
        ]
        .into_iter()
        .flatten()
    });
    let numeric: Option<Vec<f64>> = settings.iter().map(|setting| setting.at).collect();
    let numeric = numeric.filter(|values| values.len() > 1);
    let places: Vec<f64> = match &numeric {
        Some(values) => values.clone(),
        None => (1..=settings.len()).map(|place| place as f64).collect(),
    };
    let frame = Frame {
        left: MARGIN + 52.0,
        top: BELOW_HEADING + taken + 8.0,
        width: width - 2.0 * MARGIN - 52.0,
        height: 0.42 * width,
        x: match &numeric {
            Some(values) => Scale::over(values.iter().copied()).padded(0.03, 0.03),
            None => Scale::new(0.4, settings.len() as f64 + 0.6),
        },
        y: if is_share {
            Scale::new(0.0, 1.0)
        } else {
            Scale::over(values).padded(0.05, 0.05)
        },
    };
    scene.height = frame.bottom() + BELOW_AXIS;
    frame.y_grid(&mut scene);
    let lower = places
        .iter()
        .zip(settings)
        .map(|(x, setting)| (*x, setting.interval.0));
    let upper = places
        .iter()
        .zip(settings)
        .map(|(x, setting)| (*x, setting.interval.1));
    let band: Vec<(f64, f64)> = lower.chain(upper.rev()).collect();
    scene.area(frame.all(band), BLUE, 0.2);
    let means: Vec<(f64, f64)> = places
        .iter()
        .zip(settings)
        .map(|(x, setting)| (*x, setting.mean))
        .collect();
    frame.curve(&mut scene, means.iter().copied(), Stroke::new(BLUE, 2.0));
    if settings.len() <= 40 {
        for (x, setting) in places.iter().zip(settings) {
            let ends = [(*x, setting.interval.0), (*x, setting.interval.1)];
            frame.curve(&mut scene, ends, Stroke::new(BLUE, 1.2));
        }
        scene.marks(frame.all(means), 3.6, Shape::Disc, BLUE, Fill::Open);
    }
    let observed = places
        .iter()
        .zip(settings)
        .filter_map(|(x, setting)| Some((*x, setting.observed?)));
    scene.marks(frame.all(observed), 3.6, Shape::Disc, BLACK, Fill::Full(1.0));
    match numeric {
        Some(_) => frame.x_axis(&mut scene, varies),
        None => {
            let labels: Vec<&str> = settings.iter().map(|setting| setting.label.as_str()).collect();
            labelled(&mut scene, &frame, &labels);
            frame.x_title(&mut scene, varies, 34.0);
        }
    }
    frame.y_axis(&mut scene, measure);
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    #[test]
    fn each_setting_has_its_bar_and_mark() {
        let settings: Vec<Setting> = (0..4)
            .map(|n| Setting {
                label: format!("{n}/0"),
                at: None,
                mean: 0.2 * f64::from(n),
                interval: (0.0, 1.0),
                observed: (n == 2).then_some(0.4),
            })
            .collect();
        let scene = scene(700.0, ("", ""), ("x/y", "p", true), &settings);
        let marks: Vec<&Vec<(f64, f64)>> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks { centres, .. } => Some(centres),
                _ => None,
            })
            .collect();
        // The legend's, the means, what was observed.
        assert_eq!(
            marks.iter().map(|centres| centres.len()).collect::<Vec<_>>(),
            [1, 4, 1]
        );
        assert_eq!(
            marks[2][0], marks[1][2],
            "an observation of 0.4 lies on a mean of 0.4"
        );
    }
}
