//! The tables of a study as Parquet files, written and read.
//!
//! Counts are INT64, numbers DOUBLE, words and names UTF-8 BYTE_ARRAY; nothing is null, nothing is compressed.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use ::parquet::basic::Type as Physical;
use ::parquet::column::reader::get_typed_column_reader;
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{ColumnPath, Type};
use bytes::Bytes;

use super::record::Part;
use super::tables::{Cell, Column, Row};
use crate::error::{Error, Result};
use crate::export::{ROWS, field, write_column};

/// The tables of a part as two Parquet files with the names that they have in a folder.
///
/// # Errors
///
/// A fault of tadpool: memory takes everything.
pub(super) fn part_files(part: &Part) -> Result<[(String, Vec<u8>); 2]> {
    fn file<R: Row>(rows: &[R]) -> Result<(String, Vec<u8>)> {
        let mut bytes = Vec::new();
        parquet(rows, &mut bytes)
            .map_err(|fault| Error::bug(format!("the table of {} cannot be written: {fault}", R::TABLE)))?;
        Ok((file_name::<R>(), bytes))
    }
    Ok([file(&part.records)?, file(&part.estimates)?])
}

fn file_name<R: Row>() -> String {
    format!("{}.parquet", R::TABLE)
}

/// Where the bytes of a file come from, by its name; or why they do not.
type Source<'a> = &'a dyn Fn(&str) -> std::result::Result<Vec<u8>, String>;

/// The part in two Parquet files.
///
/// # Errors
///
/// That of `bytes`; or why the file that is named holds no such table.
pub(super) fn part_of(bytes: Source<'_>) -> std::result::Result<Part, String> {
    fn rows<R: Row>(bytes: Source<'_>) -> std::result::Result<Vec<R>, String> {
        let name = file_name::<R>();
        read(bytes(&name)?).map_err(|fault| format!("{name} holds no table of a study: {fault}"))
    }
    Ok(Part {
        records: rows(bytes)?,
        estimates: rows(bytes)?,
    })
}

/// Writes one table.
///
/// # Errors
///
/// Those of the file.
pub(super) fn parquet<R: Row>(rows: &[R], to: &mut (dyn Write + Send)) -> io::Result<()> {
    write_groups(rows, to).map_err(io::Error::other)
}

fn physical<R>(cell: &Cell<R>) -> Physical {
    match cell {
        Cell::Count(..) => Physical::INT64,
        Cell::Number(..) => Physical::DOUBLE,
        Cell::Text(..) => Physical::BYTE_ARRAY,
    }
}

fn schema<R: Row>() -> ParquetResult<Type> {
    let fields = R::COLUMNS
        .iter()
        .map(|column| field(column.name, physical(&column.cell)));
    Type::group_type_builder("schema")
        .with_fields(fields.collect::<ParquetResult<_>>()?)
        .build()
}

fn write_groups<R: Row>(rows: &[R], to: &mut (dyn Write + Send)) -> ParquetResult<()> {
    // Names and words come again with each replicate, numbers do not.
    let mut properties = WriterProperties::builder().set_dictionary_enabled(false);
    for column in R::COLUMNS
        .iter()
        .filter(|column| matches!(column.cell, Cell::Text(..)))
    {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name), true);
    }
    let mut file = SerializedFileWriter::new(to, Arc::new(schema::<R>()?), Arc::new(properties.build()))?;
    for rows in rows.chunks(ROWS) {
        let mut group = file.next_row_group()?;
        for column in R::COLUMNS {
            match column.cell {
                Cell::Count(of, _) => {
                    let counts: Vec<i64> = rows.iter().map(|row| of(row) as i64).collect();
                    write_column::<Int64Type, _>(&mut group, &counts)?;
                }
                Cell::Number(of, _) => {
                    let numbers: Vec<f64> = rows.iter().map(of).collect();
                    write_column::<DoubleType, _>(&mut group, &numbers)?;
                }
                Cell::Text(of, _) => {
                    let texts: Vec<ByteArray> = rows.iter().map(|row| of(row).into()).collect();
                    write_column::<ByteArrayType, _>(&mut group, &texts)?;
                }
            }
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

fn read<R: Row>(bytes: Vec<u8>) -> ParquetResult<Vec<R>> {
    let file = SerializedFileReader::new(Bytes::from(bytes))?;
    let (found, expected) = (file.metadata().file_metadata().schema(), schema::<R>()?);
    // The readers of columns take the types for granted.
    if found.get_fields() != expected.get_fields() {
        return Err(ParquetError::General(
            "it has other columns than this version of tadpool writes".to_owned(),
        ));
    }
    let mut rows = Vec::new();
    for place in 0..file.num_row_groups() {
        let group = file.get_row_group(place)?;
        let start = rows.len();
        rows.resize(start + group.metadata().num_rows() as usize, R::blank());
        for (place, column) in R::COLUMNS.iter().enumerate() {
            fill(&mut rows[start..], column, (&*group, place))?;
        }
    }
    Ok(rows)
}

/// Puts the values of a column into rows.
fn fill<R: Row>(
    rows: &mut [R],
    column: &Column<R>,
    (group, place): (&dyn RowGroupReader, usize),
) -> ParquetResult<()> {
    let unknown = |value: &dyn std::fmt::Display| {
        ParquetError::General(format!(
            "its column {} holds `{value}`, which means nothing there",
            column.name
        ))
    };
    match column.cell {
        Cell::Count(_, set) => {
            for (row, n) in rows.iter_mut().zip(values::<Int64Type>(group, place)?) {
                u64::try_from(n)
                    .ok()
                    .and_then(|n| set(row, n))
                    .ok_or_else(|| unknown(&n))?;
            }
        }
        Cell::Number(_, set) => {
            rows.iter_mut()
                .zip(values::<DoubleType>(group, place)?)
                .for_each(|(row, x)| set(row, x));
        }
        Cell::Text(_, set) => {
            // The same names come again with each replicate.
            let mut known: HashSet<Arc<str>> = HashSet::new();
            for (row, bytes) in rows.iter_mut().zip(values::<ByteArrayType>(group, place)?) {
                let text = bytes.as_utf8()?;
                let shared = match known.get(text) {
                    Some(shared) => shared.clone(),
                    None => {
                        let new: Arc<str> = Arc::from(text);
                        known.insert(new.clone());
                        new
                    }
                };
                set(row, shared).ok_or_else(|| unknown(&text))?;
            }
        }
    }
    Ok(())
}

/// All values of a column of a group of rows.
fn values<T: DataType>(group: &dyn RowGroupReader, place: usize) -> ParquetResult<Vec<T::T>> {
    let count = group.metadata().num_rows() as usize;
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(place)?);
    let mut values = Vec::new();
    while values.len() < count {
        let (_, read, _) = reader.read_records(count - values.len(), None, None, &mut values)?;
        if read == 0 {
            return Err(ParquetError::General(format!(
                "it ends after {} of {count} rows",
                values.len()
            )));
        }
    }
    Ok(values)
}
