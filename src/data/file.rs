//! Reading a table from a file: the only page of `data` that touches the file system.

use std::io::ErrorKind;
use std::path::Path;

use super::table::Table;
use crate::error::{Error, Result};

impl Table {
    /// Reads a table from a file, as [`Table::from_bytes`] does; errors call it by the path as given.
    ///
    /// # Errors
    ///
    /// A user error if there is no such file, if it is a directory, or if its content is refused; an environment error
    /// if it cannot be read.
    pub fn from_path(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if path.is_dir() {
            return Err(
                Error::user(format!("{name} is a directory, and a table is expected"))
                    .with_help("name a CSV file inside it"),
            );
        }
        let bytes = std::fs::read(path).map_err(|fault| match fault.kind() {
            ErrorKind::NotFound => Error::user(format!("there is no file {name}"))
                .with_help("check the path; it is looked up from the current folder"),
            ErrorKind::PermissionDenied => {
                Error::environment(format!("the file {name} may not be read: {fault}"))
                    .with_help("change the permissions of the file or of the folders above it")
            }
            _ => Error::environment(format!("the file {name} cannot be read: {fault}")),
        })?;
        Self::from_bytes(&name, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_missing_file_is_the_users_to_mend() {
        let error = Table::from_path(Path::new("no/such/tanks.csv")).expect_err("no such file");
        assert_eq!(error.kind(), Kind::User);
        assert_eq!(error.exit_code(), 3);
        assert_eq!(
            error.to_string(),
            "error: there is no file no/such/tanks.csv\nhelp: check the path; it is looked up from the current folder"
        );
    }

    #[test]
    fn a_directory_is_named_as_one() {
        let error = Table::from_path(Path::new("src")).expect_err("a directory");
        assert_eq!(error.kind(), Kind::User);
        assert_eq!(
            error.to_string(),
            "error: src is a directory, and a table is expected\nhelp: name a CSV file inside it"
        );
    }

    #[test]
    fn a_file_is_read_under_its_path() {
        let table =
            Table::from_path(Path::new("data/eight_schools/eight_schools.csv")).expect("shipped data");
        assert_eq!(table.name(), "data/eight_schools/eight_schools.csv");
        assert_eq!(table.rows(), 8);
    }
}
