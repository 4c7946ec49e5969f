//! Rows of numbers with their spread, as CSV, as JSON and as a table: predictions, contrasts, simulated quantities.

use serde_json::{Map, Value, json};

use super::table::{GAP, field, on_the_point, right, width};
use crate::diag::{Interval, Prob};
use crate::predict::Spread;
use crate::report::digits::{Places, fewest, number, places};

/// The names of the columns of a spread.
pub(super) const MEASURES: [&str; 4] = ["mean", "sd", "lower", "upper"];

/// Rows with the same columns.
#[derive(Debug)]
pub(super) struct Spreads {
    /// The names of the columns in front.
    pub(super) head: Vec<String>,
    /// The rows.
    pub(super) rows: Vec<Line>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Line {
    /// What stands in the columns in front.
    pub(super) cells: Vec<String>,
    /// The numbers.
    pub(super) spread: Spread,
    /// Some draws, as many in each row.
    pub(super) draws: Vec<f64>,
}

impl Spreads {
    /// As CSV with every digit; an empty field where a number is undefined.
    pub(super) fn csv(&self) -> String {
        let mut head: Vec<String> = self.head.iter().map(|name| field(name)).collect();
        head.extend(MEASURES.map(str::to_owned));
        let draws = self.rows.first().map_or(0, |row| row.draws.len());
        head.extend((1..=draws).map(|draw| format!("draw_{draw}")));
        let mut text = head.join(",");
        text.push('\n');
        for row in &self.rows {
            let cells: Vec<String> = row.cells.iter().map(|cell| field(cell)).collect();
            text.push_str(&cells.join(","));
            let numbers = row.measures().into_iter().chain(row.draws.iter().copied());
            for (place, x) in numbers.enumerate() {
                if place > 0 || !row.cells.is_empty() {
                    text.push(',');
                }
                if x.is_finite() {
                    text.push_str(&x.to_string());
                }
            }
            text.push('\n');
        }
        text
    }

    /// As JSON, one object a row; null where a number is undefined.
    pub(super) fn json(&self) -> Vec<Value> {
        let finite = |x: f64| Some(x).filter(|x| x.is_finite());
        let one = |row: &Line| {
            let mut object = Map::new();
            let columns: Map<String, Value> = self
                .head
                .iter()
                .zip(&row.cells)
                .map(|(name, cell)| {
                    let number = cell.trim().parse::<f64>().ok().filter(|x| x.is_finite());
                    (name.clone(), number.map_or_else(|| json!(cell), |x| json!(x)))
                })
                .collect();
            object.insert("columns".to_owned(), Value::Object(columns));
            for (name, x) in MEASURES.iter().zip(row.measures()) {
                object.insert((*name).to_owned(), json!(finite(x)));
            }
            if !row.draws.is_empty() {
                let draws: Vec<Option<f64>> = row.draws.iter().map(|x| finite(*x)).collect();
                object.insert("draws".to_owned(), json!(draws));
            }
            Value::Object(object)
        };
        self.rows.iter().map(one).collect()
    }

    /// As an aligned table, with two or more significant digits of every standard deviation.
    pub(super) fn aligned(&self, interval: Interval, prob: Prob) -> String {
        let ends = match interval {
            Interval::Hdi => [format!("hdi {}%", percent(prob.get())), String::new()],
            Interval::Eti => {
                [(1.0 - prob.get()) / 2.0, (1.0 + prob.get()) / 2.0].map(|x| format!("{}%", percent(x)))
            }
        };
        let mut titles = self.head.clone();
        titles.extend(["mean".to_owned(), "sd".to_owned()]);
        titles.extend(ends);
        let places = fewest(self.rows.iter().map(|row| decimals(&row.spread)));
        let written: Vec<[String; 4]> = self
            .rows
            .iter()
            .map(|row| row.measures().map(|x| number(x, places)))
            .collect();
        let mut columns: Vec<Vec<String>> = Vec::new();
        for column in 0..self.head.len() {
            columns.push(self.rows.iter().map(|row| row.cells[column].clone()).collect());
        }
        for measure in 0..MEASURES.len() {
            let cells: Vec<&str> = written.iter().map(|row| row[measure].as_str()).collect();
            columns.push(on_the_point(&cells));
        }
        let widths: Vec<usize> = columns
            .iter()
            .zip(&titles)
            .map(|(cells, title)| {
                let longest = cells.iter().map(|cell| width(cell)).max();
                longest.unwrap_or(0).max(width(title))
            })
            .collect();
        let line = |cells: &[&str]| {
            let cells: Vec<String> = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| right(cell, *width))
                .collect();
            format!("{}\n", cells.join(GAP).trim_end())
        };
        let mut text = line(&titles.iter().map(String::as_str).collect::<Vec<_>>());
        for row in 0..self.rows.len() {
            text.push_str(&line(
                &columns
                    .iter()
                    .map(|cells| cells[row].as_str())
                    .collect::<Vec<_>>(),
            ));
        }
        text
    }
}

impl Line {
    fn measures(&self) -> [f64; 4] {
        let spread = &self.spread;
        [spread.mean, spread.sd, spread.lower, spread.upper]
    }
}

/// Two significant digits of the standard deviation; of numbers that do not vary three of their own.
fn decimals(spread: &Spread) -> Places {
    if spread.sd > 0.0 {
        places(spread.sd, 2)
    } else {
        places(spread.mean.abs(), 3)
    }
}

fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}
