//! Joining: the columns of a second table, one row for each group, carried to the rows of the first.

use std::collections::BTreeMap;

use super::cell;
use super::column::Column;
use super::label::model_name;
use super::table::Table;
use crate::error::{Error, Result};

/// Labels that an error shows.
const SHOWN: usize = 5;

impl Table {
    /// This table with the columns of `second`, a table with one row for each value of the column `key`, which both
    /// have. Rows keep their order and their lines; a note says what was joined, and which rows of `second` match none.
    ///
    /// Keys are compared as labels: as numbers where both columns are numbers, so that `2.0` is `2`.
    ///
    /// ```
    /// use tadpool::data::Table;
    ///
    /// let pupils = Table::from_bytes("pupils.csv", b"school,score\na,1\nb,2\na,3\n")?;
    /// let schools = Table::from_bytes("schools.csv", b"school,size\na,10\nb,20\nc,30\n")?;
    /// let joined = pupils.join(&schools, "school")?;
    /// assert_eq!(joined.complete_numeric("size")?, [10.0, 20.0, 10.0]);
    /// assert_eq!(
    ///     joined.notes(),
    ///     ["schools.csv: joined to pupils.csv by `school`: `size`; 1 of its 3 rows matches none (c)"]
    /// );
    /// # Ok::<(), tadpool::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A user error if one of the tables has no such column, if a key is missing or stands in `second` twice, if a key of
    /// this table has no row in `second`, or if both have another column of the same name.
    pub fn join(&self, second: &Table, key: &str) -> Result<Self> {
        let keys = second.labels(key)?;
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, label) in keys.iter().enumerate() {
            if let Some(first) = places.insert(label, row) {
                return Err(Error::user(format!(
                    "in {}: `{key}` is {} in line {} and in line {}",
                    second.name(),
                    cell::shown(label),
                    second.line_of(first),
                    second.line_of(row)
                ))
                .with_help(format!("leave one row for each `{key}`")));
            }
        }
        if let Some(twice) = second
            .names()
            .find(|name| *name != key && self.column(name).is_some())
        {
            return Err(Error::user(format!(
                "{} and {} both have a column `{twice}`",
                self.name(),
                second.name()
            ))
            .with_help("rename it in one of them, or remove it"));
        }
        let own = self.labels(key)?;
        let found: Vec<Option<usize>> = own
            .iter()
            .map(|label| places.get(label.as_str()).copied())
            .collect();
        if let Some(row) = found.iter().position(Option::is_none) {
            return Err(self.without_match(second, key, &own, &found, row));
        }
        let rows: Vec<usize> = found.into_iter().flatten().collect();
        let mut joined = self.clone();
        let mut names = Vec::new();
        for column in second.columns().iter().filter(|column| column.name() != key) {
            let cells = rows.iter().map(|&row| column.cell(row));
            joined = joined.with_column(Column::from_cells(column.name(), cells))?;
            names.push(model_name(column.name()));
        }
        let mut used = vec![false; keys.len()];
        rows.iter().for_each(|&row| used[row] = true);
        let unused: Vec<&str> = keys
            .iter()
            .zip(&used)
            .filter(|(_, used)| !**used)
            .map(|(label, _)| label.as_str())
            .collect();
        let list: Vec<String> = names
            .iter()
            .map(|name| format!("`{}`", name.trim_matches('`')))
            .collect();
        let mut note = format!(
            "{}: joined to {} by `{key}`: {}",
            second.name(),
            self.name(),
            list.join(", ")
        );
        if !unused.is_empty() {
            let verb = if unused.len() == 1 { "matches" } else { "match" };
            note.push_str(&format!(
                "; {} of its {} rows {verb} none ({})",
                unused.len(),
                keys.len(),
                some(&unused)
            ));
        }
        Ok(joined.with_note(note))
    }

    fn without_match(
        &self,
        second: &Table,
        key: &str,
        own: &[String],
        found: &[Option<usize>],
        row: usize,
    ) -> Error {
        let mut lacking: Vec<&str> = Vec::new();
        for (label, place) in own.iter().zip(found) {
            if place.is_none() && !lacking.contains(&label.as_str()) {
                lacking.push(label);
            }
        }
        let more = match lacking.len() {
            1 => String::new(),
            n => format!("; {n} values of `{key}` have none: {}", some(&lacking)),
        };
        Error::user(format!(
            "in {}, line {}: `{key}` is {}, which has no row in {}{more}",
            self.name(),
            self.line_of(row),
            cell::shown(&own[row]),
            second.name()
        ))
        .with_help(format!(
            "add a row for each `{key}` to {}, or correct the label",
            second.name()
        ))
    }
}

/// The first labels of a list.
fn some(labels: &[&str]) -> String {
    let mut shown = labels[..labels.len().min(SHOWN)].to_vec();
    if labels.len() > shown.len() {
        shown.push("…");
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Table {
        Table::from_bytes(name, text.as_bytes()).expect("a table")
    }

    fn error(second: &str) -> String {
        let pupils = table("pupils.csv", "school,score\n1,5\n2.0,6\n3,7\n4,8\n");
        let joined = pupils.join(&table("schools.csv", second), "school");
        joined.expect_err("no join").to_string()
    }

    #[test]
    fn keys_are_compared_as_numbers_and_rows_keep_their_order() {
        let pupils = table("pupils.csv", "school,score\n2.0,5\n1,6\n2,7\n");
        let schools = table("schools.csv", "school,kind\n1,x\n2,y\n");
        let joined = pupils.join(&schools, "school").expect("a join");
        assert_eq!(joined.labels("kind").expect("labels"), ["y", "x", "y"]);
        assert_eq!(
            joined.complete_numeric("score").expect("numbers"),
            [5.0, 6.0, 7.0]
        );
        assert_eq!(joined.line_of(2), 4);
    }

    #[test]
    fn missing_and_double_keys_are_errors() {
        assert_eq!(
            error("school,u\n1,5\n2,6\n"),
            "error: in pupils.csv, line 4: `school` is \"3\", which has no row in schools.csv; 2 values of `school` \
             have none: 3, 4\nhelp: add a row for each `school` to schools.csv, or correct the label"
        );
        assert_eq!(
            error("school,u\n1,5\n2,6\n1,7\n"),
            "error: in schools.csv: `school` is \"1\" in line 2 and in line 4\nhelp: leave one row for each `school`"
        );
        assert!(error("school,u\n1,5\nNA,6\n").contains("missing"));
    }

    #[test]
    fn columns_of_one_name_are_an_error() {
        assert_eq!(
            error("school,score\n1,1\n2,1\n3,1\n4,1\n"),
            "error: pupils.csv and schools.csv both have a column `score`\nhelp: rename it in one of them, or remove it"
        );
        assert!(error("college,u\n1,1\n").contains("no column `school`"));
    }
}
