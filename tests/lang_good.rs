//! Every model of `tests/lang/good/` parses, and printing it gives a text that parses to the same printed text.

use std::fs;
use std::path::Path;

use tadpool::lang;

#[test]
fn good_models_parse_and_print() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/good");
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the folder of good models") {
        let path = entry.expect("an entry of the folder").path();
        let text = fs::read_to_string(&path).expect("a model in UTF-8");
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        let model = lang::parse(&name, &text).unwrap_or_else(|reports| panic!("{reports}"));
        let printed = model.to_string();
        let again = lang::parse(&name, &printed).unwrap_or_else(|reports| panic!("{reports}"));
        assert_eq!(again.to_string(), printed, "{name}");
        count += 1;
    }
    assert!(count >= 17, "only {count} models were found");
}
