//! Reading new rows as the fit's rows were read: by the levels, constants and values of groups that the fit learned.
//!
//! What only the prior of a level without rows would need may be unknown; it is NaN, and so is what is made of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::axes::{Axis, Plate, ROWS};
use super::{Lowering, Poison};
use crate::data::Factor;
use crate::error::Result;
use crate::lang::analyse::{Symbol, visit_names};
use crate::lang::forward::{Known, View};
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// The label of the level that stands for any of the known ones.
const ANY: &str = "(any)";

impl<'a> Lowering<'a, '_> {
    /// From here on parameters are inputs, and the rows are `view`'s.
    pub(super) fn read_forward(&mut self, view: View<'a>) {
        self.view = Some(view);
        if !self.analysis.is_column("row")
            && let Ok(factor) = self.row_factor("row")
        {
            let labels: Arc<[String]> = factor
                .codes()
                .iter()
                .map(|&code| factor.labels()[code as usize].clone())
                .collect();
            self.axes[ROWS].labels = labels;
        }
    }

    /// What is known from the fit's rows.
    pub(super) fn known(&self) -> Option<&'a Known> {
        self.view.and_then(View::known)
    }

    /// Whether the number may be unknown: of a level without rows, about which nothing is asked but by its own prior.
    pub(super) fn may_be_unknown(&self, x: f64) -> bool {
        x.is_nan() && self.known().is_some()
    }

    /// Whether the table has all columns that the value of this name is made of.
    pub(super) fn available(&self, name: &str) -> bool {
        if self.known().is_none() {
            return true;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            match self.analysis.symbols.get(name) {
                Some(Symbol::Definition(place)) if seen.insert(*place) => {
                    visit_names(self.analysis.definitions[*place].value, &mut |name, _| {
                        open.push(name);
                    });
                }
                Some(Symbol::Definition(_) | Symbol::Parameter(_)) => {}
                None if self.table.column(name).is_none() => return false,
                None => {}
            }
        }
        true
    }

    /// The factor of an index of rows.
    pub(super) fn row_factor(&self, name: &str) -> Result<Factor> {
        let rows = self.table.rows();
        let given = self.known().is_some() && !self.analysis.is_column(name);
        if given && self.table.column(name).is_some() {
            return self.table.factor(name);
        }
        match self.view {
            Some(View::New { known, before }) => {
                let first = known.levels.get(name).map_or(0, |levels| levels.len()) + before;
                Factor::rows_after(name, first, rows)
            }
            Some(View::Observed { before, .. }) => Factor::rows_after(name, before, rows),
            Some(View::Design) | None => Factor::rows(name, rows),
        }
    }

    /// The error of rows without a column that the model needs.
    pub(super) fn lacking(&mut self, name: &str, span: Span) -> Poison {
        let columns: Vec<&str> = self.table.names().collect();
        let report = Report::error(
            format!("{} has no column {}", self.table.name(), quoted(name)),
            span,
            "needed here",
        )
        .with_note(format!("its columns are {}", columns.join(", ")))
        .with_help(format!("give every row a value of {}", quoted(name)));
        self.blame(report)
    }

    /// Whether an index is made of a column that the new rows do not have.
    pub(super) fn lacks(&self, column: &str) -> bool {
        self.known().is_some()
            && column != "row"
            && self.analysis.is_column(column)
            && self.table.column(column).is_none()
    }

    /// The axis of a factor, after the levels that are known.
    pub(super) fn known_first(&self, factor: &Factor) -> Axis {
        let name = factor.name();
        let (labels, codes) = match self.known().and_then(|known| known.levels.get(name)) {
            None => (factor.labels().into(), factor.codes().to_vec()),
            Some(known) => factor.after(known),
        };
        Axis {
            name: name.to_owned(),
            labels,
            rows: Some(codes),
        }
    }

    /// The axis of an index whose column is missing: every row has one level more, which stands for any known one.
    pub(super) fn any_level(&mut self, name: &str) -> Option<Axis> {
        let known = self.known()?.levels.get(name)?;
        self.mixed.insert(name.to_owned());
        let code = known.len() as u32;
        Some(Axis {
            name: name.to_owned(),
            labels: known.iter().cloned().chain([ANY.to_owned()]).collect(),
            rows: Some(vec![code; self.table.rows()]),
        })
    }

    /// The place among the known elements of an element of a plate; none where one of its levels is not known.
    pub(super) fn known_element(&self, plate: &Plate, element: usize) -> Option<usize> {
        let known = self.known()?;
        let mut rest = element;
        let mut levels = Vec::new();
        for axis in plate.axes.iter().rev() {
            let axis = &self.axes[*axis];
            let len = axis.labels.len();
            let all = known.levels.get(&axis.name).map_or(len, |levels| levels.len());
            levels.push((rest % len, all));
            rest /= len;
        }
        levels.iter().rev().try_fold(0, |place, (level, all)| {
            (level < all).then_some(place * all + level)
        })
    }

    /// Whether an element stands for any of the known ones.
    pub(super) fn stands_for_any(&self, plate: &Plate, element: usize) -> bool {
        let mut rest = element;
        for axis in plate.axes.iter().rev() {
            let axis = &self.axes[*axis];
            let len = axis.labels.len();
            if rest % len == len - 1 && self.mixed.contains(&axis.name) {
                return true;
            }
            rest /= len;
        }
        false
    }

    /// `values` for each element, with what is known where the table says nothing, else `unknown`.
    pub(super) fn completed<T: Copy>(
        &self,
        plate: usize,
        values: Vec<Option<T>>,
        known: Option<&Arc<[T]>>,
        unknown: T,
    ) -> Vec<T> {
        let plate = &self.plates[plate];
        let from_fit = |element: usize| {
            let place = self.known_element(plate, element)?;
            known?.get(place).copied()
        };
        values
            .into_iter()
            .enumerate()
            .map(|(element, value)| value.or_else(|| from_fit(element)).unwrap_or(unknown))
            .collect()
    }

    /// Whether a text stands in the column of the fit.
    pub(super) fn was_compared(&self, column: &str) -> Option<&'a BTreeSet<String>> {
        self.known()?.compared.get(column)
    }
}
