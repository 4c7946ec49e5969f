//! Axes and plates: what subscripts range over, and the maps between plates.

use std::sync::Arc;

use super::{Context, Eval, Lowering, Poison};
use crate::data::{Column, Factor, Table, number_label};
use crate::error::{Error, Result};
use crate::ir::PlateId;
use crate::lang::ast::{Index, Literal, LiteralValue};
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// What one subscript ranges over.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) labels: Arc<[String]>,
    /// The level of each row; none for the places of a vector: a fixed length, or levels that the text names.
    pub(super) rows: Option<Vec<u32>>,
}

/// A place in [`Lowering::axes`].
pub(super) type AxisId = usize;

/// An index set of the IR with its axes, the last one fastest.
#[derive(Debug)]
pub(super) struct Plate {
    pub(super) ir: PlateId,
    pub(super) name: String,
    pub(super) axes: Vec<AxisId>,
    pub(super) len: usize,
}

/// The plate of the rows is made first.
pub(super) const ROWS: usize = 0;

impl<'a, 'b> Lowering<'a, 'b> {
    /// The axis of an index, a column, a data definition or `row`.
    pub(super) fn axis(&mut self, name: &'a str, span: Span) -> Eval<AxisId> {
        if let Some(known) = self.axis_names.get(name) {
            return *known;
        }
        if let Some(index) = self.labelled(name) {
            let made = self.labelled_axis(index);
            self.axis_names.insert(name, made);
            return made;
        }
        let made = match self.factor(name, span) {
            Ok(factor) => {
                let axis = match factor {
                    Some(factor) => Some(self.known_first(&factor)),
                    None => self.any_level(name),
                };
                axis.ok_or(Poison).map(|axis| {
                    self.axes.push(axis);
                    self.axes.len() - 1
                })
            }
            Err(Poison) => Err(Poison),
        };
        self.axis_names.insert(name, made);
        made
    }

    /// The axis of a vector of fixed length: its places 1, 2, …
    pub(super) fn fixed_axis(&mut self, owner: &str, len: usize) -> AxisId {
        self.axes.push(Axis {
            name: owner.to_owned(),
            labels: (1..=len).map(|place| place.to_string()).collect(),
            rows: None,
        });
        self.axes.len() - 1
    }

    /// The declaration of an index whose levels the text names and no column has: `index coef levels("x", "z")`.
    fn labelled(&self, name: &str) -> Option<&'a Index> {
        let index = self.analysis.indices.get(name)?;
        let own = index.factors.is_empty() && !index.levels.is_empty();
        (own && !self.analysis.is_column(name)).then_some(index)
    }

    fn labelled_axis(&mut self, index: &Index) -> Eval<AxisId> {
        let labels: Vec<String> = index.levels.iter().map(level_label).collect();
        for (place, label) in labels.iter().enumerate() {
            if let Some(first) = labels[..place].iter().position(|known| known == label) {
                let report = Report::error(
                    format!("the level {} is named twice", quoted(label)),
                    index.levels[place].span,
                    "named again here",
                )
                .with_label(index.levels[first].span, "named here first")
                .with_help("name each level once");
                return Err(self.blame(report));
            }
        }
        self.axes.push(Axis {
            name: index.name.text.clone(),
            labels: labels.into(),
            rows: None,
        });
        Ok(self.axes.len() - 1)
    }

    /// The factor of an index; none where new rows lack a column that it is made of.
    fn factor(&mut self, name: &'a str, span: Span) -> Eval<Option<Factor>> {
        let analysis = self.analysis;
        if let Some(index) = analysis.indices.get(name) {
            return if self.lacks_part(index) {
                Ok(None)
            } else {
                self.declared(index).map(Some)
            };
        }
        if self.lacks(name) {
            return Ok(None);
        }
        let found = if analysis.definition(name).is_some() {
            let value = self.definition(name, Some(ROWS), span)?;
            let numbers = value.numbers.ok_or(Poison)?;
            let rows = self.table.rows();
            let cells: Vec<String> = (0..rows)
                .map(|row| number_label(numbers[row.min(numbers.len() - 1)]))
                .collect();
            let column = Column::from_cells(name, cells.iter().map(String::as_str));
            Table::from_columns(self.table.name(), vec![column]).and_then(|table| table.factor(name))
        } else {
            self.read_factor(name, name)
        };
        found.map(Some).map_err(|error| self.data_error(&error, span))
    }

    /// The factor of a column or of the rows, for the index `index`.
    fn read_factor(&self, name: &str, index: &str) -> Result<Factor> {
        if name == "row" && !self.analysis.is_column(name) {
            self.row_factor(index)
        } else {
            self.table.factor(name)
        }
    }

    /// Whether new rows lack a column that the index is made of.
    fn lacks_part(&self, index: &Index) -> bool {
        let own = [&index.name];
        let parts = match index.factors.as_slice() {
            [] => own.iter().map(|name| name.text.as_str()).collect(),
            several => several.iter().map(|name| name.text.as_str()).collect::<Vec<_>>(),
        };
        parts.iter().any(|part| match self.analysis.indices.get(part) {
            Some(earlier) if earlier.name.span.start < index.name.span.start => self.lacks_part(earlier),
            Some(_) | None => self.lacks(part),
        })
    }

    fn declared(&mut self, index: &'a Index) -> Eval<Factor> {
        let name = index.name.text.as_str();
        let span = index.name.span;
        let mut parts = Vec::new();
        for factor in &index.factors {
            let earlier = self.analysis.indices.get(factor.text.as_str());
            parts.push(match earlier.filter(|known| known.name.span.start < span.start) {
                Some(known) => self.declared(known)?,
                None => {
                    let alone = index.factors.len() == 1;
                    let owner = if alone { name } else { factor.text.as_str() };
                    self.column_or_row(&factor.text, owner, factor.span)?
                }
            });
        }
        let made = match parts.as_slice() {
            [] => {
                return self
                    .column_or_row(name, name, span)
                    .and_then(|factor| self.ordered(index, factor));
            }
            [one] => Ok(one.named(name)),
            several => Factor::cross_occurring(name, &several.iter().collect::<Vec<_>>()),
        };
        let factor = made.map_err(|error| self.data_error(&error, span))?;
        self.ordered(index, factor)
    }

    fn column_or_row(&mut self, name: &str, index: &str, span: Span) -> Eval<Factor> {
        let found = self.read_factor(name, index);
        found.map_err(|error| self.data_error(&error, span))
    }

    /// `levels(…)`: the order wanted, and a note on levels that no row has.
    fn ordered(&mut self, index: &Index, factor: Factor) -> Eval<Factor> {
        // The known levels stand in their order already.
        if index.levels.is_empty() || self.known().is_some() {
            return Ok(factor);
        }
        let order: Vec<String> = index.levels.iter().map(level_label).collect();
        let span = index.levels[0].span.to(index.levels[index.levels.len() - 1].span);
        let factor = factor
            .with_levels(&order)
            .map_err(|error| self.data_error(&error, span))?;
        let unused = factor.unused();
        if !unused.is_empty() {
            let report = Report::note(
                format!(
                    "levels of {} that no row has: {}",
                    quoted(&index.name.text),
                    unused.join(", ")
                ),
                span,
                "only the prior informs them",
            );
            self.reports.push(report);
        }
        Ok(factor)
    }

    /// The plate of some axes; none for no axis.
    pub(super) fn plate(&mut self, axes: &[AxisId]) -> Context {
        if axes.is_empty() {
            return None;
        }
        if let Some(known) = self.plates.iter().position(|plate| plate.axes == axes) {
            return Some(known);
        }
        let names: Vec<&str> = axes.iter().map(|axis| self.axes[*axis].name.as_str()).collect();
        let name = names.join(":");
        let len = axes.iter().map(|axis| self.axes[*axis].labels.len()).product();
        self.plates.push(Plate {
            ir: self.builder.plate(&name, len),
            name,
            axes: axes.to_vec(),
            len,
        });
        Some(self.plates.len() - 1)
    }

    /// The level of `axis` for each element of a plate.
    pub(super) fn codes(&mut self, plate: usize, axis: AxisId, span: Span) -> Eval<Vec<u32>> {
        if let Some(place) = self.plates[plate].axes.iter().position(|own| *own == axis) {
            let own = &self.plates[plate];
            let later: usize = own.axes[place + 1..]
                .iter()
                .map(|axis| self.axes[*axis].labels.len())
                .product();
            let levels = self.axes[axis].labels.len();
            return Ok((0..own.len)
                .map(|element| (element / later % levels) as u32)
                .collect());
        }
        let Some(rows) = self.axes[axis].rows.clone() else {
            let name = self.axes[axis].name.clone();
            let first = self.axes[axis].labels[0].clone();
            return Err(self.blame(
                Report::error(
                    format!("the places of {} are not known here", quoted(&name)),
                    span,
                    format!("expected a place such as {first}"),
                )
                .with_help("write one place: `b[1]`, `b[\"x\"]`"),
            ));
        };
        if plate == ROWS {
            return Ok(rows);
        }
        let labels = self.axes[axis].labels.clone();
        let name = self.axes[axis].name.clone();
        let codes = self.constant_within(plate, &rows, &name, span, |code| labels[*code as usize].clone())?;
        let key = (self.plates[plate].name.clone(), name);
        let known = self.known().and_then(|known| known.nested.get(&key));
        let codes = self.completed(plate, codes, known, 0);
        if self.view.is_none() {
            self.taught.nested.insert(key, codes.clone().into());
        }
        Ok(codes)
    }

    /// The element of a plate that each row belongs to; none for the places of a fixed-length vector.
    pub(super) fn row_elements(&self, plate: usize) -> Option<Vec<u32>> {
        let plate = &self.plates[plate];
        let mut elements = vec![0_u32; self.table.rows()];
        for axis in &plate.axes {
            let axis = &self.axes[*axis];
            let rows = axis.rows.as_ref()?;
            // A plate has fewer elements than a u32 can tell apart, as each factor was checked.
            for (element, code) in elements.iter_mut().zip(rows) {
                *element = *element * axis.labels.len() as u32 + code;
            }
        }
        Some(elements)
    }

    /// The one value of `rows` that the rows of each element share; an error that shows two rows where they differ, or
    /// an element without rows. Read forward, an element without rows has none.
    pub(super) fn constant_within<T: Copy + PartialEq>(
        &mut self,
        plate: usize,
        rows: &[T],
        what: &str,
        span: Span,
        show: impl Fn(&T) -> String,
    ) -> Eval<Vec<Option<T>>> {
        let name = self.plates[plate].name.clone();
        let Some(elements) = self.row_elements(plate) else {
            return Err(self.blame(
                Report::error(
                    format!("{} varies by row", quoted(what)),
                    span,
                    format!("one value for each place of `{name}` is needed"),
                )
                .with_help("use it in a line for rows"),
            ));
        };
        let mut first: Vec<Option<usize>> = vec![None; self.plates[plate].len];
        for (row, element) in elements.iter().enumerate() {
            let slot = &mut first[*element as usize];
            match *slot {
                None => *slot = Some(row),
                Some(known) if rows[known] == rows[row] => {}
                Some(_) if self.stands_for_any(&self.plates[plate], *element as usize) => {}
                Some(known) => {
                    let label = self.element_label(plate, *element as usize);
                    let line = |row: usize| {
                        format!(
                            "line {}: {} = {}",
                            self.table.line_of(row),
                            what,
                            show(&rows[row])
                        )
                    };
                    let report = Report::error(
                        format!("{} is not constant within {}", quoted(what), quoted(&name)),
                        span,
                        format!("needs one value for each `{name}`"),
                    )
                    .with_note(format!(
                        "in {}, where {name} is {label}: {}; {}",
                        self.table.name(),
                        line(known),
                        line(row)
                    ))
                    .with_help(match self.known() {
                        Some(_) => format!("give all rows of one {name} the same `{what}`, or predict them one table at a time"),
                        None => format!("correct the data, or use `{what}` without the subscript, by row"),
                    });
                    return Err(self.blame(report));
                }
            }
        }
        let mut values = Vec::with_capacity(first.len());
        for (element, row) in first.iter().enumerate() {
            if row.is_some() || self.known().is_some() {
                let any = self.stands_for_any(&self.plates[plate], element);
                values.push(row.filter(|_| !any).map(|row| rows[row]));
            } else {
                let label = self.element_label(plate, element);
                let report = Report::error(
                    format!("{} is not known for every {}", quoted(what), quoted(&name)),
                    span,
                    format!("no row has {name} {label}"),
                )
                .with_help("leave out the levels that no row has");
                return Err(self.blame(report));
            }
        }
        Ok(values)
    }

    /// The labels of an element, joined by colons.
    pub(super) fn element_label(&self, plate: usize, element: usize) -> String {
        let plate = &self.plates[plate];
        let mut rest = element;
        let mut labels: Vec<&str> = Vec::new();
        for axis in plate.axes.iter().rev() {
            let own = &self.axes[*axis].labels;
            labels.push(&own[rest % own.len()]);
            rest /= own.len();
        }
        labels.reverse();
        labels.join(":")
    }

    /// A report of an error that the data caused at `span`.
    pub(super) fn data_error(&mut self, error: &Error, span: Span) -> Poison {
        let mut report = Report::error(error.message(), span, "used here");
        if let Some(help) = error.help() {
            report = report.with_help(help);
        }
        self.blame(report)
    }
}

fn level_label(level: &Literal) -> String {
    match &level.value {
        LiteralValue::Number(x) => number_label(*x),
        LiteralValue::Text(text) => text.clone(),
    }
}
