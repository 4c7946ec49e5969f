//! Contrasts: the difference of predictions between two settings of covariates.

use super::fitted::{Fitted, Options, Rows, Told};
use super::settings::Settings;
use crate::data::Table;
use crate::error::{Error, Result};

/// `condition=1 - condition=0`: the first setting less the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contrast {
    /// As it was typed.
    pub text: String,
    sides: [Settings; 2],
}

impl Contrast {
    /// Reads two settings with a minus sign between blanks.
    ///
    /// # Errors
    ///
    /// A user error that shows what is not of this form.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((left, right)) = text.split_once(" - ") else {
            return Err(Error::user(format!(
                "`{text}` is no contrast: expected two settings with ` - ` between them"
            ))
            .with_help("write `condition=1 - condition=0`, with a blank on each side of the minus sign"));
        };
        let sides = [Settings::parse(left)?, Settings::parse(right)?];
        for side in &sides {
            if let Some(name) = side.several() {
                return Err(Error::user(format!(
                    "`{text}` gives `{name}` several values, and a contrast compares two settings"
                ))
                .with_help("write one contrast for each pair of values"));
            }
        }
        Ok(Self {
            text: text.trim().to_owned(),
            sides,
        })
    }

    /// Checks the names that are set, as [`Settings::check`].
    ///
    /// # Errors
    ///
    /// As [`Settings::check`].
    pub fn check(&self, fitted: &Fitted<'_>) -> Result<()> {
        self.sides.iter().try_for_each(|side| side.check(fitted))
    }

    /// The name that both the contrast and these settings set, if there is one.
    pub fn shares(&self, settings: &Settings) -> Option<&str> {
        let mut names = self.sides.iter().flat_map(Settings::names);
        names.find(|name| settings.names().any(|other| other == *name))
    }

    /// The differences in each of the rows, `[row][draw]`.
    ///
    /// New levels are the same on both sides; new outcomes are drawn independently.
    ///
    /// # Errors
    ///
    /// As [`Fitted::predict`].
    pub fn differences(
        &self,
        fitted: &Fitted<'_>,
        rows: Rows<'_>,
        options: &Options,
        told: &mut Told,
    ) -> Result<Vec<Vec<f64>>> {
        let mut differences: Vec<Vec<f64>> = Vec::with_capacity(rows.table().rows());
        self.of_side(0, fitted, rows, options, told, &mut |_, draws| {
            differences.push(draws.to_vec());
        })?;
        self.of_side(1, fitted, rows, options, told, &mut |row, draws| {
            subtract(&mut differences[row], draws);
        })?;
        Ok(differences)
    }

    /// The difference averaged over the rows, `[draw]`.
    ///
    /// # Errors
    ///
    /// As [`Fitted::predict`].
    pub fn average(
        &self,
        fitted: &Fitted<'_>,
        rows: Rows<'_>,
        options: &Options,
        told: &mut Told,
    ) -> Result<Vec<f64>> {
        let mut sums = [vec![0.0; fitted.draws()], vec![0.0; fitted.draws()]];
        for (side, sum) in sums.iter_mut().enumerate() {
            self.of_side(side, fitted, rows, options, told, &mut |_, draws| {
                for (sum, x) in sum.iter_mut().zip(draws) {
                    *sum += x;
                }
            })?;
        }
        let [mut average, right] = sums;
        subtract(&mut average, &right);
        let count = rows.table().rows() as f64;
        average.iter_mut().for_each(|x| *x /= count);
        Ok(average)
    }

    fn of_side(
        &self,
        side: usize,
        fitted: &Fitted<'_>,
        rows: Rows<'_>,
        options: &Options,
        told: &mut Told,
        each: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<()> {
        let table: Table = self.sides[side].applied(rows.table())?;
        let rows = match rows {
            Rows::Observed(_) => Rows::Observed(&table),
            Rows::New(_) => Rows::New(&table),
        };
        fitted.predict(rows, options, side as u32, told, &mut |row, draws| {
            each(row, draws);
            Ok(())
        })
    }
}

fn subtract(from: &mut [f64], what: &[f64]) {
    for (x, y) in from.iter_mut().zip(what) {
        *x -= y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contrast_has_two_settings_of_one_value_each() {
        let contrast = Contrast::parse("x=-1 g=a - x=1").expect("a contrast");
        assert_eq!(contrast.sides[0], Settings::parse("x=-1 g=a").expect("settings"));
        assert_eq!(contrast.sides[1], Settings::parse("x=1").expect("settings"));
        for text in ["x=1", "x=1-x=0", "x=0,1 - x=2", " - x=1", "x=1 - "] {
            assert!(Contrast::parse(text).is_err(), "{text}");
        }
    }
}
