//! No model text may make the parser, its reports or the printer panic: `cargo +nightly fuzz run parser`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tadpool::lang::{self, Reports};

fuzz_target!(|text: &str| {
    match lang::parse("fuzz.tad", text) {
        Ok(model) => {
            Reports::new("fuzz.tad", text, lang::refuse(&model)).render(false);
            let printed = model.to_string();
            match lang::parse("fuzz.tad", &printed) {
                Ok(again) => assert_eq!(again.to_string(), printed),
                Err(reports) => panic!("what was printed does not parse\n{reports}"),
            }
        }
        Err(reports) => {
            assert!(reports.has_errors());
            reports.render(true);
        }
    }
});
