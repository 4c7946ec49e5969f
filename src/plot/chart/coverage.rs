//! Bias of estimates and coverage of intervals, quantity by quantity, with what Monte Carlo error leaves open.

use super::super::frame::{BELOW_AXIS, BELOW_HEADING, Frame, Key, LABEL, MARGIN, heading, legend};
use super::super::palette::{BLUE, FAINT, INK, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Anchor, Fill, Scene, Shape, Stroke, font};

/// A number with the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The number.
    pub value: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Spread {
    fn all(self) -> [f64; 3] {
        [self.value, self.lower, self.upper]
    }
}

/// A quantity, or a group of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// Its name.
    pub name: String,
    /// Bias over root mean square error: of any unit, between −1 and 1.
    pub bias: Spread,
    /// Share of intervals that hold the truth.
    pub coverage: Spread,
}

/// Names longer than this are cut.
const NAMES: f64 = 190.0;
/// From one row to the next.
const PITCH: f64 = 18.0;
/// Between the two panels.
const BETWEEN: f64 = 26.0;

/// The picture: bias left, about 0; coverage right, about `nominal`. `interval` names that of the Monte Carlo error.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    (nominal, interval): (f64, &str),
    rows: &[Recovered],
) -> Scene {
    let mut scene = Scene::new(width, 100.0);
    heading(&mut scene, title.0, title.1);
    let entries = [
        (Key::Mark(Shape::Disc, BLUE, Fill::Full(1.0)), interval),
        (
            Key::Mark(Shape::Disc, VERMILION, Fill::Full(1.0)),
            "not where it should be",
        ),
        (Key::Line(Stroke::new(INK, 1.2).dashed()), "where it should be"),
    ];
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries);
    let names: Vec<String> = rows
        .iter()
        .map(|row| font::fitted(&row.name, LABEL, NAMES))
        .collect();
    let left = MARGIN + 10.0 + font::widest(names.iter().map(String::as_str), LABEL);
    let each = 0.5 * (width - left - MARGIN - BETWEEN);
    let spreads =
        |spread: &dyn Fn(&Recovered) -> Spread| -> Vec<Spread> { rows.iter().map(spread).collect() };
    let panels = [
        ("bias / root mean square error", 0.0, spreads(&|row| row.bias)),
        ("coverage", nominal, spreads(&|row| row.coverage)),
    ];
    let top = BELOW_HEADING + taken + 8.0;
    for (number, (name, wanted, spreads)) in panels.iter().enumerate() {
        let all = spreads.iter().flat_map(|spread| spread.all());
        let frame = Frame {
            left: left + number as f64 * (each + BETWEEN),
            top,
            width: each,
            height: PITCH * rows.len() as f64 + 6.0,
            x: Scale::over(all.chain([*wanted])).padded(0.05, 0.05),
            y: Scale::new(0.0, 1.0),
        };
        scene.height = frame.bottom() + BELOW_AXIS;
        frame.x_grid(&mut scene);
        frame.vertical(&mut scene, *wanted, Stroke::new(INK, 1.2).dashed());
        for (place, spread) in spreads.iter().enumerate() {
            let y = frame.top + 3.0 + (place as f64 + 0.5) * PITCH;
            if number == 0 {
                scene.word((left - 8.0, y + 4.0), &names[place], LABEL, Anchor::End, INK);
                let line = vec![(left, y + 0.5 * PITCH), (width - MARGIN, y + 0.5 * PITCH)];
                scene.line(line, Stroke::new(FAINT, 0.6));
            }
            let misses = spread.lower > *wanted || spread.upper < *wanted;
            let colour = if misses { VERMILION } else { BLUE };
            if spread.lower.is_finite() && spread.upper.is_finite() {
                let ends = vec![(frame.x_at(spread.lower), y), (frame.x_at(spread.upper), y)];
                scene.line(ends, Stroke::new(colour, 1.6));
            }
            if spread.value.is_finite() {
                let at = vec![(frame.x_at(spread.value), y)];
                scene.marks(at, 3.2, Shape::Disc, colour, Fill::Full(1.0));
            }
        }
        frame.x_axis(&mut scene, name);
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::Item;
    use super::*;

    fn spread(value: f64, half: f64) -> Spread {
        Spread {
            value,
            lower: value - half,
            upper: value + half,
        }
    }

    #[test]
    fn intervals_that_miss_stand_out_each_in_its_row() {
        let row = |name: &str, bias: f64, coverage: f64| Recovered {
            name: name.into(),
            bias: spread(bias, 0.1),
            coverage: spread(coverage, 0.02),
        };
        let rows = [
            row("a", 0.05, 0.89),
            row("b", 0.3, 0.9),
            row("c", -0.02, 0.6),
            Recovered {
                name: "d".into(),
                bias: spread(f64::NAN, f64::NAN),
                coverage: spread(0.89, f64::NAN),
            },
        ];
        let scene = scene(760.0, ("", ""), (0.89, "± 2 errors"), &rows);
        let marks: Vec<((f64, f64), bool)> = scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Marks {
                    centres,
                    radius,
                    colour,
                    ..
                } if *radius < 4.0 => Some((centres[0], *colour == VERMILION)),
                _ => None,
            })
            .collect();
        let misses: Vec<bool> = marks.iter().map(|mark| mark.1).collect();
        assert_eq!(misses, [false, true, false, false, false, true, false]);
        // The same row in both panels is at one height.
        assert_eq!(marks[0].0.1, marks[3].0.1);
        assert!(marks[2].0.1 > marks[1].0.1);
    }
}
