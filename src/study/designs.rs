//! Designs of several sizes, built from one: groups repeated or left out, columns set.

use serde_json::{Value, json};

use crate::data::{Column, Table, number_label};
use crate::error::{Error, Result};
use crate::lang::nearest;
use crate::model::Model;
use crate::predict::{Settings, Simulator};

/// A design with what sets it apart.
#[derive(Debug, Clone)]
pub struct Design {
    /// The values of the varied sizes, in the order in which they were given; for a design of its own file, its name.
    pub sizes: Vec<(String, String)>,
    /// The rows.
    pub table: Table,
}

impl Design {
    /// Its sizes.
    pub fn size(&self) -> DesignSize {
        DesignSize {
            sizes: self.sizes.clone(),
            rows: self.table.rows(),
        }
    }
}

/// The sizes of a design, without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesignSize {
    /// The varied sizes with their values.
    pub sizes: Vec<(String, String)>,
    /// Number of rows.
    pub rows: usize,
}

impl DesignSize {
    /// Sizes as people write them: `ponds=15 n=5`.
    pub fn written(sizes: &[(String, String)]) -> String {
        let words: Vec<String> = sizes
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        words.join(" ")
    }

    /// As JSON in one line, which [`DesignSize::parse`] reads.
    pub fn to_text(&self) -> String {
        json!({ "sizes": self.sizes, "rows": self.rows }).to_string()
    }

    /// Reads what [`DesignSize::to_text`] wrote.
    ///
    /// # Errors
    ///
    /// A user error for anything else: the file that it comes from was changed.
    pub fn parse(text: &str) -> Result<Self> {
        let read = || -> Option<Self> {
            let value: Value = serde_json::from_str(text).ok()?;
            let pair = |pair: &Value| {
                Some((
                    pair.get(0)?.as_str()?.to_owned(),
                    pair.get(1)?.as_str()?.to_owned(),
                ))
            };
            Some(Self {
                sizes: value
                    .get("sizes")?
                    .as_array()?
                    .iter()
                    .map(pair)
                    .collect::<Option<_>>()?,
                rows: value.get("rows")?.as_u64()? as usize,
            })
        };
        read().ok_or_else(|| {
            Error::user(format!("`{text}` is no size of a design"))
                .with_help("the study's manifest was changed since it was written; run the study again")
        })
    }
}

/// The designs of `vary` (`ponds=15,30,60 n=5,10,25`), every combination, the last size fastest.
///
/// The name of an index of the model, or its plural, takes numbers of groups: the rows of the design's groups are repeated
/// in turn, under new labels, for as many groups as are wanted. The name of a column takes its values, one for all rows.
///
/// # Errors
///
/// A user error for a name that is neither, a number of groups that is none, or a model that the design does not suit.
pub fn vary((name, text): (&str, &str), design: &Table, vary: &str) -> Result<Vec<Design>> {
    let settings = Settings::parse(vary)?;
    let mut designs = vec![Design {
        sizes: Vec::new(),
        table: design.clone(),
    }];
    for (size, values) in settings.columns() {
        let mut next = Vec::with_capacity(designs.len() * values.len());
        for design in &designs {
            for value in values {
                let mut sizes = design.sizes.clone();
                sizes.push((size.to_owned(), value.clone()));
                next.push(Design {
                    sizes,
                    table: resized((name, text), &design.table, size, value)?,
                });
            }
        }
        designs = next;
    }
    Ok(designs)
}

/// One size applied.
fn resized(source: (&str, &str), table: &Table, size: &str, value: &str) -> Result<Table> {
    let indices = indices(source, table)?;
    let singular = size.strip_suffix('s').unwrap_or(size);
    let index = indices
        .iter()
        .find(|index| index.name == size)
        .or_else(|| indices.iter().find(|index| index.name == singular));
    if let Some(index) = index {
        let groups = value.parse::<usize>().ok().filter(|groups| *groups > 0);
        let groups = groups.ok_or_else(|| {
            Error::user(format!(
                "`{size}={value}`: `{}` is an index, and `{value}` no number of groups",
                index.name
            ))
            .with_help("give whole numbers, at least 1")
        })?;
        return index.with_groups(table, groups);
    }
    if table.column(size).is_none() {
        let mut names: Vec<&str> = indices.iter().map(|index| index.name.as_str()).collect();
        names.extend(table.names());
        let error = Error::user(format!(
            "`{size}` is neither an index of the model nor a column of {}",
            table.name()
        ));
        return Err(match nearest(size, names.iter().copied()) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help(format!("there are: {}", names.join(", "))),
        });
    }
    let cells = std::iter::repeat_n(value, table.rows());
    table.with_column(Column::from_cells(size, cells))
}

/// An index of the model over a table.
struct Index {
    name: String,
    /// Of each row its group.
    codes: Vec<u32>,
    groups: usize,
    /// The column that holds the labels; none where every row is a group.
    column: Option<String>,
}

fn indices((name, text): (&str, &str), table: &Table) -> Result<Vec<Index>> {
    let simulator = Simulator::new(name, text, table)?;
    let text = simulator
        .formula()
        .map_or(text, |expanded| expanded.text.as_str());
    let simulated = simulator.some_replicate(1)?;
    let data = simulator.data_set(&simulated, 0)?;
    let model = Model::new(name, text, &data)?;
    let mut all = Vec::new();
    for plate in model
        .lowered()
        .plates
        .iter()
        .skip(1)
        .filter(|plate| plate.dims.len() == 1)
    {
        let Some(codes) = &plate.codes else { continue };
        if codes.len() != table.rows() {
            return Err(
                Error::user("the design has missing values, and rows of it would be repeated")
                    .with_help("give a design without missing values"),
            );
        }
        let labels = &plate.dims[0].labels;
        let holds = |column: &&str| {
            table.column(column).is_some_and(|column| {
                (0..column.rows()).all(|row| {
                    let label = &labels[codes[row] as usize];
                    column.cell(row) == label || number_label_of(column.cell(row)).as_ref() == Some(label)
                })
            })
        };
        let names: Vec<&str> = table.names().collect();
        let own = names
            .iter()
            .copied()
            .find(|column| *column == plate.name && holds(column));
        all.push(Index {
            name: plate.name.clone(),
            groups: labels.len(),
            column: own
                .or_else(|| names.iter().copied().find(|column| holds(column)))
                .map(str::to_owned),
            codes: codes.clone(),
        });
    }
    Ok(all)
}

fn number_label_of(cell: &str) -> Option<String> {
    cell.parse().ok().map(number_label)
}

impl Index {
    /// The table with so many groups.
    fn with_groups(&self, table: &Table, groups: usize) -> Result<Table> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.groups];
        for (row, &code) in self.codes.iter().enumerate() {
            members[code as usize].push(row);
        }
        members.retain(|rows| !rows.is_empty());
        let is_own_row = members.iter().all(|rows| rows.len() == 1);
        if self.column.is_none() && !is_own_row {
            return Err(Error::user(format!(
                "the groups of `{}` cannot be repeated: no column of {} holds their labels",
                self.name,
                table.name()
            ))
            .with_help("give the design a column with one label a group, or design files of your own"));
        }
        let rows: Vec<(usize, usize)> = (0..groups)
            .flat_map(|group| {
                members[group % members.len()]
                    .iter()
                    .map(move |row| (group, *row))
            })
            .collect();
        let columns = table.columns().iter().map(|column| {
            if Some(column.name()) == self.column.as_deref() {
                let labels: Vec<String> = rows.iter().map(|(group, _)| (group + 1).to_string()).collect();
                return Column::from_cells(column.name(), labels.iter().map(String::as_str));
            }
            Column::from_cells(column.name(), rows.iter().map(|(_, row)| column.cell(*row)))
        });
        Table::from_columns(table.name(), columns.collect())
    }
}

/// A posterior probability with a threshold: `P(b > 0) > 0.95`.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// As it was written.
    pub text: String,
    /// What it is the probability of, in the model's language.
    pub condition: String,
    /// Whether the probability has to be above the threshold; else below.
    pub above: bool,
    /// The threshold.
    pub threshold: f64,
    /// Whether the threshold itself will do, `>=`.
    pub inclusive: bool,
}

impl Criterion {
    /// Reads `P(CONDITION) > X` or `P(CONDITION) < X`.
    ///
    /// # Errors
    ///
    /// A user error for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || {
            Error::user(format!("`{text}` is no criterion"))
                .with_help("write a posterior probability and a threshold, such as \"P(b > 0) > 0.95\"")
        };
        let trimmed = text.trim();
        let open = trimmed
            .strip_prefix('P')
            .map(str::trim_start)
            .filter(|rest| rest.starts_with('('));
        let rest = open.ok_or_else(malformed)?;
        let mut depth = 0;
        let close = rest
            .char_indices()
            .find(|(_, c)| {
                depth += i32::from(*c == '(') - i32::from(*c == ')');
                depth == 0
            })
            .ok_or_else(malformed)?
            .0;
        let condition = rest[1..close].trim().to_owned();
        let tail = rest[close + 1..].trim();
        let above = match tail.chars().next() {
            Some('>') => true,
            Some('<') => false,
            Some(_) | None => return Err(malformed()),
        };
        let (inclusive, number) = match tail[1..].strip_prefix('=') {
            Some(number) => (true, number),
            None => (false, &tail[1..]),
        };
        let threshold = number.trim().parse::<f64>().map_err(|_| malformed())?;
        if condition.is_empty() || !(0.0..=1.0).contains(&threshold) {
            return Err(malformed());
        }
        Ok(Self {
            text: trimmed.to_owned(),
            condition,
            above,
            threshold,
            inclusive,
        })
    }

    /// Whether a probability meets it.
    pub fn is_met(&self, probability: f64) -> bool {
        match self.above {
            _ if probability == self.threshold => self.inclusive,
            true => probability > self.threshold,
            false => probability < self.threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_probabilities_with_a_threshold() {
        let criterion = Criterion::parse(" P(exp(b[1]) > (1 + 1)) > 0.95").unwrap();
        assert_eq!(criterion.condition, "exp(b[1]) > (1 + 1)");
        assert!(criterion.above && criterion.is_met(0.96) && !criterion.is_met(0.95));
        let below = Criterion::parse("P(b>0)<=.05").unwrap();
        assert!(!below.above && below.is_met(0.05) && !below.is_met(0.06));
        for bad in [
            "b > 0",
            "P(b > 0)",
            "P(b > 0) > 2",
            "P() > 0.5",
            "P(b > 0 > 0.95",
            "P(b>0) > x",
        ] {
            assert!(Criterion::parse(bad).is_err(), "{bad}");
        }
    }

    const TEXT: &str = "y ~ Binomial(n, p)\nlogit(p) = a_pond[pond]\na_pond[pond] ~ Normal(0, 1)\n";

    #[test]
    fn groups_are_repeated_under_new_labels_and_columns_are_set() {
        let table = Table::from_bytes("d.csv", b"pond,n\nx,5\nx,6\ny,7\n").unwrap();
        let designs = vary(("m", TEXT), &table, "ponds=1,3 n=4,9").unwrap();
        let names: Vec<String> = designs
            .iter()
            .map(|design| DesignSize::written(&design.sizes))
            .collect();
        assert_eq!(
            names,
            ["ponds=1 n=4", "ponds=1 n=9", "ponds=3 n=4", "ponds=3 n=9"]
        );
        let size = designs[3].size();
        assert_eq!(DesignSize::parse(&size.to_text()).unwrap(), size);
        let cells = |table: &Table, name: &str| -> Vec<String> {
            let column = table.column(name).unwrap();
            (0..table.rows()).map(|row| column.cell(row).to_owned()).collect()
        };
        // Three groups: both of the design's, then the first one again.
        assert_eq!(cells(&designs[3].table, "pond"), ["1", "1", "2", "3", "3"]);
        assert_eq!(cells(&designs[3].table, "n"), ["9"; 5]);
        assert_eq!(cells(&designs[0].table, "pond"), ["1", "1"]);
        let wrong = vary(("m", TEXT), &table, "pounds=3").unwrap_err();
        assert!(wrong.help().unwrap().contains("pond"), "{wrong}");
        assert!(vary(("m", TEXT), &table, "ponds=0").is_err());
    }
}
