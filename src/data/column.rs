//! A column: its cells as they were written, and their typed view.

use std::sync::Arc;

use super::cell::{self, Cell};

/// The cells of one column in one buffer, since a table may have millions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Cells {
    text: String,
    /// Where each cell ends in `text`, in bytes.
    ends: Vec<usize>,
}

impl Cells {
    fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Every cell that is not missing is a number. Shape `[rows]`; NaN where missing; infinite and huge values are kept
    /// and refused on use.
    Number(Vec<f64>),
    /// At least one cell is neither a number nor missing; the text is [`Column::cell`].
    Text,
}

/// A named column of a table; cheap to clone.
#[derive(Debug, Clone)]
pub struct Column {
    name: String,
    content: Arc<Content>,
}

/// What a column holds; clones of the column share it.
#[derive(Debug)]
struct Content {
    cells: Cells,
    values: Values,
    missing: Vec<bool>,
}

/// Equal where name, cells as written and so types agree; NaN stands for missing here and equals itself.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.content.cells == other.content.cells
    }
}

impl Column {
    /// A column from the text of its cells, in row order.
    pub fn from_cells<'a>(name: impl Into<String>, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut cells = Cells::default();
        let mut numbers = Vec::new();
        let mut missing = Vec::new();
        let mut is_number = true;
        for text in texts {
            let read = cell::read(text);
            numbers.push(match read {
                Cell::Number(x) => x,
                Cell::Missing | Cell::Text => f64::NAN,
            });
            missing.push(read == Cell::Missing);
            is_number &= read != Cell::Text;
            cells.push(text);
        }
        let values = if is_number {
            Values::Number(numbers)
        } else {
            Values::Text
        };
        Self {
            name: name.into(),
            content: Arc::new(Content {
                cells,
                values,
                missing,
            }),
        }
    }

    /// The column's name as the table's first line has it, without blanks at its ends.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.content.missing.len()
    }

    /// The typed view of the cells. [`super::Table::numeric`] and its like also check it for use.
    pub fn values(&self) -> &Values {
        &self.content.values
    }

    /// The cell of a row as it was written, quotes removed.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn cell(&self, row: usize) -> &str {
        self.content.cells.get(row)
    }

    /// Which rows are missing (empty, NA, NaN, null). Shape `[rows]`.
    pub fn missing(&self) -> &[bool] {
        &self.content.missing
    }

    /// How many rows are missing.
    pub fn missing_count(&self) -> usize {
        self.missing().iter().filter(|&&missing| missing).count()
    }

    /// The same cells as text, even where all are numbers.
    #[must_use]
    pub fn as_text(&self) -> Self {
        Self {
            name: self.name.clone(),
            content: Arc::new(Content {
                cells: self.content.cells.clone(),
                values: Values::Text,
                missing: self.content.missing.clone(),
            }),
        }
    }

    /// The column with the rows where `keep` is true; its type is judged anew from what remains.
    pub(super) fn keep(&self, keep: &[bool]) -> Self {
        let kept = (0..self.rows())
            .filter(|&row| keep[row])
            .map(|row| self.cell(row));
        Self::from_cells(self.name.clone(), kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_missing_cells_make_a_number_column() {
        let column = Column::from_cells("x", ["1", "NA", " 2.5", ""]);
        let Values::Number(x) = column.values() else {
            panic!("a column of numbers");
        };
        assert_eq!((x[0], x[2]), (1.0, 2.5));
        assert!(x[1].is_nan() && x[3].is_nan());
        assert_eq!(column.missing(), [false, true, false, true]);
        assert_eq!(column.missing_count(), 2);
        assert_eq!(column.cell(2), " 2.5");
    }

    #[test]
    fn one_text_cell_makes_a_text_column() {
        let column = Column::from_cells("x", ["1", "2a", "NA"]);
        assert_eq!(column.values(), &Values::Text);
        assert_eq!(column.missing_count(), 1);
        assert_eq!(column.cell(1), "2a");
    }

    #[test]
    fn the_type_is_judged_anew_when_rows_are_dropped() {
        let column = Column::from_cells("x", ["1", "oops", "3"]).keep(&[true, false, true]);
        assert_eq!(column.values(), &Values::Number(vec![1.0, 3.0]));
    }
}
