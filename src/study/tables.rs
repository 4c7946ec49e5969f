//! Records and estimates as the two tables of a study, in Parquet and CSV.
//!
//! `replicates`: a row for each replicate; `estimates`: a row for each quantity of each replicate. A number that there is
//! none of is NaN.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::parquet::parquet;
use super::piece::unwritable;
use super::record::{Estimate, Kind, Part, Record, Status};
use crate::data::number_label;
use crate::error::Result;
use crate::fit::put;

/// One column of a table: its name, and how its value is read off a row and put into one.
pub(super) struct Column<R> {
    pub(super) name: &'static str,
    pub(super) cell: Cell<R>,
}

pub(super) enum Cell<R> {
    Count(fn(&R) -> u64, fn(&mut R, u64) -> Option<()>),
    Number(fn(&R) -> f64, fn(&mut R, f64)),
    Text(fn(&R) -> &str, fn(&mut R, Arc<str>) -> Option<()>),
}

/// A column of the field that it is named after.
macro_rules! count {
    ($name:ident) => {
        Column {
            name: stringify!($name),
            cell: Cell::Count(
                |row| row.$name.into(),
                |row, n| n.try_into().ok().map(|n| row.$name = n),
            ),
        }
    };
}

macro_rules! number {
    ($name:ident) => {
        Column {
            name: stringify!($name),
            cell: Cell::Number(|row| row.$name, |row, x| row.$name = x),
        }
    };
}

macro_rules! word {
    ($name:ident, $of:ty) => {
        Column {
            name: stringify!($name),
            cell: Cell::Text(
                |row| row.$name.word(),
                |row, word| <$of>::from_word(&word).map(|known| row.$name = known),
            ),
        }
    };
}

macro_rules! text {
    ($name:ident) => {
        Column {
            name: stringify!($name),
            cell: Cell::Text(
                |row| &row.$name,
                |row, text| {
                    row.$name = text.as_ref().into();
                    Some(())
                },
            ),
        }
    };
}

/// A row of one of the tables.
pub(super) trait Row: Sized + Clone + 'static {
    /// The table's name, and its files' without the extension.
    const TABLE: &'static str;
    const COLUMNS: &'static [Column<Self>];

    /// A row to be filled.
    fn blank() -> Self;
}

impl Row for Record {
    const TABLE: &'static str = "replicates";
    const COLUMNS: &'static [Column<Self>] = &[
        count!(replicate),
        word!(status, Status),
        count!(draws),
        count!(divergences),
        number!(max_rhat),
        number!(min_ess),
        count!(gradient_evaluations),
        text!(message),
    ];

    fn blank() -> Self {
        Self {
            replicate: 0,
            status: Status::Failed,
            draws: 0,
            divergences: 0,
            max_rhat: f64::NAN,
            min_ess: f64::NAN,
            gradient_evaluations: 0,
            message: String::new(),
        }
    }
}

impl Row for Estimate {
    const TABLE: &'static str = "estimates";
    const COLUMNS: &'static [Column<Self>] = &[
        count!(replicate),
        word!(kind, Kind),
        text!(quantity),
        number!(truth),
        number!(mean),
        number!(sd),
        number!(mcse_mean),
        number!(median),
        number!(lower),
        number!(upper),
        number!(ess_bulk),
        number!(rhat),
        number!(rank),
        number!(size),
        number!(no_pooling),
        number!(complete_pooling),
    ];

    fn blank() -> Self {
        Self::unknown(0, Kind::Parameter, Arc::from(""))
    }
}

/// Writes both tables of a study into a folder, each whole or not at all: `replicates.parquet`, `replicates.csv`,
/// `estimates.parquet` and `estimates.csv`.
///
/// # Errors
///
/// An environment error if a file cannot be written.
pub fn write_tables(folder: &Path, part: &Part) -> Result<()> {
    write_table(folder, &part.records)?;
    write_table(folder, &part.estimates)
}

fn write_table<R: Row>(folder: &Path, rows: &[R]) -> Result<()> {
    let table = folder.join(R::TABLE);
    for (extension, write) in [
        (
            "parquet",
            parquet as fn(&[R], &mut (dyn Write + Send)) -> io::Result<()>,
        ),
        ("csv", |rows, to| csv(rows, to)),
    ] {
        let path = table.with_extension(extension);
        put(&path, |to| write(rows, to)).map_err(|fault| unwritable(&path, &fault))?;
    }
    Ok(())
}

/// The same columns as CSV: a line of names, then a row each; numbers are the shortest texts that read back as the same.
fn csv<R: Row>(rows: &[R], to: &mut dyn Write) -> io::Result<()> {
    let mut table = ::csv::Writer::from_writer(to);
    table.write_record(R::COLUMNS.iter().map(|column| column.name))?;
    for row in rows {
        for column in R::COLUMNS {
            match column.cell {
                Cell::Count(of, _) => table.write_field(of(row).to_string())?,
                Cell::Number(of, _) => table.write_field(number_label(of(row)))?,
                Cell::Text(of, _) => table.write_field(of(row))?,
            }
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.flush()
}

/// Whether two rows are the same to the last bit of every number; missing numbers are the same.
fn same_rows<R: Row>(a: &R, b: &R) -> bool {
    R::COLUMNS.iter().all(|column| match column.cell {
        Cell::Count(of, _) => of(a) == of(b),
        Cell::Number(of, _) => of(a).to_bits() == of(b).to_bits() || (of(a).is_nan() && of(b).is_nan()),
        Cell::Text(of, _) => of(a) == of(b),
    })
}

/// Whether two parts are the same to the last bit of every number; missing numbers are the same.
pub(super) fn same(a: &Part, b: &Part) -> bool {
    fn all<R: Row>(a: &[R], b: &[R]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_rows(a, b))
    }
    all(&a.records, &b.records) && all(&a.estimates, &b.estimates)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::parquet::{part_files, part_of};
    use super::*;
    use crate::export::ROWS;

    /// Replicates with numbers of all sorts, some of them without draws.
    pub(in crate::study) fn part(range: std::ops::Range<u32>) -> Part {
        let mut part = Part::default();
        for replicate in range {
            let status = Status::ALL[replicate as usize % Status::ALL.len()];
            let x = f64::from(replicate);
            let is_failed = status == Status::Failed;
            part.records.push(Record {
                replicate,
                status,
                draws: if is_failed { 0 } else { 400 },
                divergences: replicate % 3,
                max_rhat: if is_failed {
                    f64::NAN
                } else {
                    1.0 + 1.0 / (x + 3.0)
                },
                min_ess: if is_failed { f64::NAN } else { x.sqrt() },
                gradient_evaluations: u64::from(u32::MAX) * 7 + u64::from(replicate),
                message: if is_failed {
                    "σ is −∞,\nsaid \"it\"".into()
                } else {
                    String::new()
                },
            });
            if is_failed {
                continue;
            }
            for (place, name) in ["α_tank[1, \"ü\"]", "σ", "log likelihood"]
                .into_iter()
                .enumerate()
            {
                part.estimates.push(Estimate {
                    truth: [x, f64::NEG_INFINITY, -0.0][place],
                    mean: (x + 0.1).sin(),
                    rank: x % 128.0,
                    lower: f64::MIN_POSITIVE / 3.0,
                    ..Estimate::unknown(
                        replicate,
                        Kind::ALL[(replicate as usize + place) % 6],
                        Arc::from(name),
                    )
                });
            }
        }
        part
    }

    fn round_trip(part: &Part) -> Part {
        let files = part_files(part).expect("memory");
        part_of(&|name| {
            Ok(files
                .iter()
                .find(|file| file.0 == name)
                .expect("both files")
                .1
                .clone())
        })
        .expect("what was written")
    }

    #[test]
    fn parts_read_back_the_same() {
        let part = part(3..47);
        assert!(part.estimates.iter().any(|estimate| estimate.sd.is_nan()));
        assert!(same(&round_trip(&part), &part));
        // More than one group of rows.
        let long = Part {
            records: part.records.clone(),
            estimates: part.estimates.iter().cycle().take(ROWS + 17).cloned().collect(),
        };
        assert!(same(&round_trip(&long), &long));
        let failed = Part {
            records: part.records[1..2].to_vec(),
            estimates: Vec::new(),
        };
        assert!(same(&round_trip(&failed), &failed));
    }

    #[test]
    fn every_column_counts_in_a_comparison() {
        let one = part(0..3);
        let differs = |change: &dyn Fn(&mut Part)| {
            let mut other = one.clone();
            change(&mut other);
            !same(&one, &other) && !same(&round_trip(&other), &one)
        };
        assert!(differs(&|part| part.records[0].message = "other".into()));
        assert!(differs(&|part| part.records[0].status = Status::Retried));
        assert!(differs(&|part| part.records[0].gradient_evaluations += 1));
        assert!(differs(&|part| part.records[0].min_ess = 1e-300));
        assert!(differs(&|part| part.estimates[2].truth = 0.0));
        assert!(differs(&|part| part.estimates[2].complete_pooling = 1.0));
        assert!(differs(&|part| part.estimates[2].quantity = Arc::from("σ2")));
        assert!(differs(&|part| drop(part.estimates.pop())));
        assert!(!differs(&|part| part.estimates[2].size = -f64::NAN));
    }

    #[test]
    fn other_columns_are_refused() {
        let files = part_files(&part(0..2)).expect("memory");
        let error = part_of(&|name| {
            let swapped = files.iter().find(|file| file.0 != name).expect("both files");
            Ok(swapped.1.clone())
        })
        .expect_err("the tables are swapped");
        assert!(
            error.starts_with("replicates.parquet holds no table of a study"),
            "{error}"
        );
        assert!(error.contains("other columns"), "{error}");
    }

    #[test]
    fn the_tables_are_written_whole() {
        let folder = std::env::temp_dir().join(format!("tadpool-tables-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).expect("a writable temporary folder");
        let part = part(0..7);
        write_tables(&folder, &part).expect("a writable folder");
        let again =
            part_of(&|name| Ok(std::fs::read(folder.join(name)).expect("both files"))).expect("tables");
        assert!(same(&again, &part));
        let mut table = ::csv::Reader::from_path(folder.join("replicates.csv")).expect("a table");
        let names = "replicate,status,draws,divergences,max_rhat,min_ess,gradient_evaluations,message";
        assert_eq!(
            table
                .headers()
                .expect("names")
                .iter()
                .collect::<Vec<_>>()
                .join(","),
            names
        );
        let rows: Vec<_> = table.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 7);
        assert_eq!(rows[4][1].to_owned(), "failed");
        assert_eq!(rows[4][7].to_owned(), "σ is −∞,\nsaid \"it\"");
        assert_eq!(rows[4][4].to_owned(), "NaN");
        let text = std::fs::read_to_string(folder.join("estimates.csv")).expect("a table");
        assert!(
            text.starts_with("replicate,kind,quantity,truth,mean,sd,mcse_mean,median,lower,upper,"),
            "{text}"
        );
        assert!(
            text.contains("\n0,parameter,\"α_tank[1, \"\"ü\"\"]\",0,"),
            "{text}"
        );
        std::fs::remove_dir_all(&folder).expect("its own folder");
    }
}
