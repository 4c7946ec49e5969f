//! How far the distribution function of ranks is from that of uniform ones, a panel a quantity, with the band that
//! uniform ranks stay in.

use super::super::frame::{BELOW_HEADING, Frame, Key, LABEL, MARGIN, SUBTITLE, heading, legend};
use super::super::palette::{BLUE, GREY, INK, RULE, VERMILION};
use super::super::scale::Scale;
use super::super::scene::{Anchor, Fill, Scene, Shape, Stroke, font};
use super::super::tiles::Tiles;
use crate::diag::calibration::{Band, RankHistogram, Uniformity};

/// The ranks of a quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked<'a> {
    /// The quantity.
    pub name: &'a str,
    /// What the test says, at the points of the band.
    pub judged: &'a Uniformity,
    /// Its ranks in bins.
    pub histogram: &'a RankHistogram,
}

/// Points that are marked one by one, at most.
const FEW: usize = 30;

/// Those of the quantities that are shown, in their own order: all, or the `most` with the smallest p-values; and what to
/// say of the others.
pub(super) fn shown<'a>(ranked: &[Ranked<'a>], most: usize) -> (Vec<Ranked<'a>>, Option<String>) {
    let mut order: Vec<usize> = (0..ranked.len()).collect();
    order.sort_by(|a, b| ranked[*a].judged.p_value.total_cmp(&ranked[*b].judged.p_value));
    let note = order.get(most).map(|next| {
        format!(
            "{most} of {} quantities: those with the smallest p; the others have {} and more",
            ranked.len(),
            chance(ranked[*next].judged.p_value)
        )
    });
    order.truncate(most);
    order.sort_unstable();
    (order.into_iter().map(|place| ranked[place]).collect(), note)
}

/// A probability in two digits, after its sign of equality.
fn chance(p: f64) -> String {
    if p <= 0.0 {
        return "p < 1e−300".to_owned();
    }
    format!("p = {}", probability(p))
}

fn probability(p: f64) -> String {
    // As 0.95 and 0.0012 have two digits each, and nothing is rounded up to 1.
    match -p.log10().floor() {
        places if places <= 1.0 => format!("{:.2}", (100.0 * p).floor() / 100.0),
        places if places <= 3.0 => format!("{p:.*}", places as usize + 1),
        _ => format!("{p:.1e}").replace('-', "−"),
    }
}

/// The picture: `most` panels at most.
pub(crate) fn scene(
    width: f64,
    title: (&str, &str),
    band: &Band,
    ranked: &[Ranked<'_>],
    most: usize,
) -> Scene {
    let (shown, note) = shown(ranked, most);
    let tiles = Tiles::new(shown.len(), width, 58.0, 170.0, 120.0);
    let mut scene = Scene::new(width, tiles.bottom(shown.len()));
    heading(&mut scene, title.0, title.1);
    let text = format!(
        "uniform ranks leave it with probability {}",
        probability(band.escape)
    );
    let entries = [
        (Key::Line(Stroke::new(BLUE, 1.8)), "ranks"),
        (Key::Line(Stroke::new(VERMILION, 2.4)), "outside"),
        (Key::Band(GREY, 0.25), text.as_str()),
    ];
    let at = (MARGIN, BELOW_HEADING + 2.0);
    let taken = legend(&mut scene, at, width - 2.0 * MARGIN, &entries) + 3.0;
    scene.height += taken;
    let difference = |shares: &[f64]| -> Vec<(f64, f64)> {
        let points = band
            .points
            .iter()
            .zip(shares)
            .map(|(at, share)| (*at, share - at));
        [(0.0, 0.0)].into_iter().chain(points).collect()
    };
    let (lower, upper) = (difference(&band.lower), difference(&band.upper));
    for (place, one) in shown.iter().enumerate() {
        let own = difference(&one.judged.ecdf);
        // A quantity far out would hide the band of the others on a common scale.
        let all = [&lower, &upper, &own].into_iter().flatten();
        let height = all.map(|point| point.1.abs()).fold(0.0, f64::max);
        let mut frame = tiles.frame(
            place,
            Scale::new(0.0, 1.0),
            Scale::new(-1.08 * height, 1.08 * height),
        );
        frame.top += taken;
        let around = lower.iter().chain(upper.iter().rev()).copied();
        scene.area(frame.all(around), GREY, 0.25);
        frame.horizontal(&mut scene, 0.0, Stroke::new(RULE, 1.0));
        frame.curve(&mut scene, own.iter().copied(), Stroke::new(BLUE, 1.8));
        let outside: Vec<bool> = (0..own.len())
            .map(|i| own[i].1 < lower[i].1 || own[i].1 > upper[i].1)
            .collect();
        excursions(&mut scene, &frame, &own, &outside);
        named(&mut scene, &frame, one, outside.contains(&true));
        frame.x_axis(&mut scene, "rank, as a share");
        frame.y_axis(
            &mut scene,
            if tiles.is_first(place) {
                "ECDF − uniform"
            } else {
                ""
            },
        );
    }
    noted(&mut scene, note.as_deref());
    scene
}

/// What lies outside: lines from point to point, and the points where they are few enough to be told apart or one is
/// alone.
fn excursions(scene: &mut Scene, frame: &Frame, own: &[(f64, f64)], outside: &[bool]) {
    let are_few = own.len() <= FEW;
    let mut place = 0;
    for run in outside.chunk_by(|a, b| a == b) {
        let part = &own[place..place + run.len()];
        place += run.len();
        let colour = if run[0] { VERMILION } else { BLUE };
        if run[0] {
            frame.curve(scene, part.iter().copied(), Stroke::new(colour, 2.4));
        }
        if are_few || (run[0] && run.len() == 1) {
            let points = frame.all(part.iter().copied());
            scene.marks(points, 2.4, Shape::Disc, colour, Fill::Full(1.0));
        }
    }
}

/// The quantity above its panel, with its p-value, which stands out where the ranks are outside.
fn named(scene: &mut Scene, frame: &Frame, one: &Ranked<'_>, is_outside: bool) {
    let p = chance(one.judged.p_value);
    let colour = if is_outside { VERMILION } else { GREY };
    scene.word(
        (frame.right(), frame.top - 6.0),
        &p,
        SUBTITLE,
        Anchor::End,
        colour,
    );
    let room = frame.width - font::width(&p, SUBTITLE) - 10.0;
    let name = font::fitted(one.name, LABEL, room);
    scene.word((frame.left, frame.top - 6.0), &name, LABEL, Anchor::Start, INK);
}

/// What is not shown, below everything.
pub(super) fn noted(scene: &mut Scene, note: Option<&str>) {
    if let Some(note) = note {
        let at = (MARGIN, scene.height + 14.0);
        let note = font::fitted(note, SUBTITLE, scene.width - 2.0 * MARGIN);
        scene.word(at, &note, SUBTITLE, Anchor::Start, GREY);
        scene.height += 24.0;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::scene::Item;
    use super::*;
    use crate::diag::Prob;
    use crate::diag::calibration::RankTest;

    pub(crate) type Quantity = (String, Uniformity, RankHistogram);

    /// 200 ranks among 19 draws; of each ten the first `low` at the bottom.
    pub(crate) fn quantity(name: &str, low: u32) -> Quantity {
        let ranks: Vec<u32> = (0..200).map(|i| if i % 10 < low { 0 } else { i % 20 }).collect();
        (
            name.to_owned(),
            RankTest::new(200, 19).unwrap().judge(&ranks).unwrap(),
            RankHistogram::new(&ranks, 19, 10, Prob::default()).unwrap(),
        )
    }

    pub(crate) fn ranked(quantities: &[Quantity]) -> Vec<Ranked<'_>> {
        quantities
            .iter()
            .map(|(name, judged, histogram)| Ranked {
                name,
                judged,
                histogram,
            })
            .collect()
    }

    pub(crate) fn words(scene: &Scene) -> Vec<&str> {
        scene
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Word { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    fn has_accent(scene: &Scene) -> bool {
        scene.items.iter().any(|item| match item {
            // The legend's is 22 long.
            Item::Line { points, stroke } => {
                stroke.colour == VERMILION && (points[1].0 - points[0].0 - 22.0).abs() > 1e-9
            }
            Item::Marks { colour, .. } => *colour == VERMILION,
            Item::Area { .. } | Item::Word { .. } => false,
        })
    }

    #[test]
    fn what_leaves_the_band_stands_out_and_nothing_else() {
        let band = RankTest::new(200, 19).unwrap().band(1e-3);
        for (low, is_outside) in [(0, false), (5, true)] {
            let quantities = [quantity("a", low)];
            let scene = scene(760.0, ("", ""), &band, &ranked(&quantities), 12);
            assert_eq!(has_accent(&scene), is_outside);
            assert!(words(&scene).contains(&"a"));
        }
    }

    #[test]
    fn of_many_quantities_the_worst_are_shown_in_their_order() {
        let quantities: Vec<Quantity> = [0, 4, 1, 5, 2]
            .iter()
            .zip(["a", "b", "c", "d", "e"])
            .map(|(low, name)| quantity(name, *low))
            .collect();
        let ranked = ranked(&quantities);
        let (some, note) = shown(&ranked, 3);
        let names: Vec<&str> = some.iter().map(|one| one.name).collect();
        assert_eq!(names, ["b", "d", "e"]);
        let note = note.unwrap();
        assert!(note.starts_with("3 of 5 quantities"), "{note}");
        assert_eq!(shown(&ranked, 5), (ranked.clone(), None));
        let band = RankTest::new(200, 19).unwrap().band(1e-3);
        let scene = scene(760.0, ("", ""), &band, &ranked, 3);
        assert!(words(&scene).contains(&note.as_str()));
    }

    #[test]
    fn probabilities_keep_two_digits() {
        assert_eq!(chance(0.0), "p < 1e−300");
        assert_eq!(chance(0.9999), "p = 0.99");
        assert_eq!(chance(1.0), "p = 1.00");
        assert_eq!(chance(0.0123), "p = 0.012");
        assert_eq!(chance(0.001_23), "p = 0.0012");
        assert_eq!(chance(1.25e-7), "p = 1.2e−7");
    }
}
