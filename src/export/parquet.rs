//! The draws as one Parquet file.

use std::io::{self, Write};
use std::sync::Arc;

use ::parquet::basic::{LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{DataType, DoubleType, Int64Type};
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::{Type, TypePtr};

use super::draws::{Draws, INDEX};

/// Rows of a row group: what is held of one column at a time, half a megabyte, and enough that a reader need not seek.
pub const ROWS: usize = 1 << 16;

/// Writes the same columns as [`super::csv()`]: counts as INT64, numbers as DOUBLE, none of them nullable. Neither
/// dictionary nor compression: the digits of draws repeat too seldom to gain from them.
///
/// # Errors
///
/// Those of the file.
pub fn parquet(draws: &Draws<'_>, to: &mut (dyn Write + Send)) -> io::Result<()> {
    write(draws, to).map_err(io::Error::other)
}

fn write(draws: &Draws<'_>, to: &mut (dyn Write + Send)) -> ParquetResult<()> {
    let counts = INDEX.into_iter().map(|name| field(name, Physical::INT64));
    let numbers = draws
        .columns
        .iter()
        .map(|column| field(&column.name, Physical::DOUBLE));
    let schema = Type::group_type_builder("schema")
        .with_fields(counts.chain(numbers).collect::<ParquetResult<_>>()?)
        .build()?;
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut file = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties))?;
    for start in (0..draws.rows()).step_by(ROWS) {
        let rows = start..(start + ROWS).min(draws.rows());
        let mut group = file.next_row_group()?;
        for place in 0..INDEX.len() {
            let counts: Vec<i64> = rows.clone().map(|row| draws.index(row)[place] as i64).collect();
            write_column::<Int64Type, _>(&mut group, &counts)?;
        }
        for column in &draws.columns {
            let values: Vec<f64> = rows.clone().map(|row| column.at(row)).collect();
            write_column::<DoubleType, _>(&mut group, &values)?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

/// A column that is never null; bytes are texts.
pub(crate) fn field(name: &str, physical: Physical) -> ParquetResult<TypePtr> {
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type((physical == Physical::BYTE_ARRAY).then_some(LogicalType::String))
        .build()
        .map(Arc::new)
}

/// Writes the values of the next column of a group of rows.
pub(crate) fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> ParquetResult<()> {
    let mut column = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("more columns than the schema has".to_owned()))?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}
