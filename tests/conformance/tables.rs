//! Random tables with an outcome for every kind of support.

use std::fmt::Write;

use tadpool::data::Table;
use tadpool::dist::Support;

use crate::dice::Dice;

/// A table of `rows` rows as CSV: groups `g1`, `g2`, `g3`; covariates `x1` (real), `x2` (0 or 1), `x3` (positive), `u1`
/// (constant within `g1`), `kind` (text), `se` (positive), `n` (trials); outcomes `y_…`, see [`outcome`].
pub(crate) fn csv(dice: &mut Dice, rows: usize) -> String {
    let mut text =
        "g1,g2,g3,x1,x2,x3,u1,kind,se,n,y_real,y_pos,y_nonneg,y_unit,y_bin,y_count,y_upto\n".to_owned();
    let levels = [3 + dice.below(5), 2 + dice.below(4), 2 + dice.below(3)];
    let of_group: Vec<f64> = (0..levels[0]).map(|_| dice.sixteenths(-1.0, 1.0)).collect();
    for row in 0..rows {
        let [g1, g2, g3] = levels.map(|levels| dice.below(levels));
        let x1 = dice.sixteenths(-1.5, 1.5);
        let x2 = dice.below(2);
        let x3 = dice.sixteenths(0.25, 2.0);
        let kind = dice.pick(&["yes", "no", "maybe"]);
        let se = dice.sixteenths(0.5, 2.0);
        let n = 1 + dice.below(12);
        let real = dice.sixteenths(-2.0, 2.0);
        let positive = dice.sixteenths(0.125, 3.0);
        let nonnegative = if row == 0 { 0.0 } else { dice.sixteenths(0.0, 3.0) };
        let unit = dice.sixteenths(0.0625, 0.9375);
        let binary = dice.below(2);
        let count = dice.below(9);
        let up_to = dice.below(n + 1);
        writeln!(
            text,
            "{},{},west {g3},{x1},{x2},{x3},{},{kind},{se},{n},{real},{positive},{nonnegative},{unit},{binary},{count},{up_to}",
            g1 + 8,
            ["lima", "oslo", "rome", "bern", "kiev"][g2],
            of_group[g1],
        )
        .expect("text grows");
    }
    text
}

/// The table that a text of [`csv`] holds.
pub(crate) fn table(csv: &str) -> Table {
    Table::from_bytes("random.csv", csv.as_bytes()).expect("a table")
}

/// The outcome for a support; `Interval` bounds must enclose (0, 1).
pub(crate) fn outcome(support: Support) -> &'static str {
    match support {
        Support::Real => "y_real",
        Support::Positive => "y_pos",
        Support::NonNegative => "y_nonneg",
        Support::Unit | Support::Interval => "y_unit",
        Support::Binary => "y_bin",
        Support::Counts => "y_count",
        Support::CountsUpTo => "y_upto",
    }
}
