//! Colours that those who see few colours tell apart (Okabe and Ito 2008), and inks.

use super::scene::Colour;

/// Words and axes.
pub(crate) const INK: Colour = Colour(40, 40, 40);
/// Words of less weight.
pub(crate) const GREY: Colour = Colour(110, 110, 110);
/// Lines to compare with.
pub(crate) const RULE: Colour = Colour(150, 150, 150);
/// Lines of a grid.
pub(crate) const FAINT: Colour = Colour(228, 228, 228);

pub(crate) const BLUE: Colour = Colour(0, 114, 178);
pub(crate) const VERMILION: Colour = Colour(213, 94, 0);
pub(crate) const GREEN: Colour = Colour(0, 158, 115);
pub(crate) const ORANGE: Colour = Colour(230, 159, 0);
pub(crate) const PURPLE: Colour = Colour(204, 121, 167);
pub(crate) const SKY: Colour = Colour(86, 180, 233);
pub(crate) const GRAPHITE: Colour = Colour(86, 86, 86);
pub(crate) const BLACK: Colour = Colour(0, 0, 0);

/// Colours of things beside each other, the best told apart first.
pub(crate) const SERIES: [Colour; 8] = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GRAPHITE, BLACK];

/// The colour of the `number`th of several things.
pub(crate) fn series(number: usize) -> Colour {
    SERIES[number % SERIES.len()]
}
