//! No bytes may make the reader of tables panic: `cargo +nightly fuzz run table`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tadpool::data::Table;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = Table::from_bytes("fuzz.csv", bytes) {
        assert!(!error.to_string().is_empty());
    }
});
