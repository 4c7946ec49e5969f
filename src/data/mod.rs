//! Data: delimited tables, typed columns, factor codes, what a standardisation learned, the fingerprint of a data set.
//!
//! May import `error`, `num` and `rng`. [`Table`] reads comma, semicolon and tab separated UTF-8 and keeps every cell as
//! it was written beside the column's typed view. What is wrong with the file as a whole (no rows, ragged rows, two
//! columns of one name, another encoding) is an error of reading; what is wrong with one column (text among numbers,
//! missing, infinite or huge values) is an error of using that column, so that a table may hold columns that no model
//! mentions. [`Factor`] turns a column, or a crossing of factors, into codes 0, 1, … with the labels that every result
//! is printed with. [`Learned`] keeps the constants of `standardize` and `center` for new data. [`fingerprint`] names
//! the used columns by their content.
//!
//! Promises: bytes of any kind yield a table or an error, never a panic; every error names the file, and where there is
//! one the line, the column and the value, says what was expected and how to mend it; nothing depends on hash order.
//! `file` is the only page that touches the file system.

mod cell;
mod column;
mod crossing;
mod delimiter;
mod encoding;
mod factor;
mod file;
mod fingerprint;
mod join;
mod label;
mod learned;
mod lines;
mod read;
mod table;
mod usage;

pub use column::{Column, Values};
pub use delimiter::Delimiter;
pub use factor::Factor;
pub use fingerprint::{Fingerprint, bytes_fingerprint, fingerprint, text_key};
pub use label::{
    element_name, is_pair_axis, natural_order, number_label, pair_axis, printed_label, short_number,
    three_digits,
};
pub use learned::Learned;
pub use table::Table;
