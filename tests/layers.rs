//! The order of the layers in `src/lib.rs`: a module imports only from modules before it.

use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 24] = [
    "error",
    "num",
    "rng",
    "data",
    "diag",
    "ir",
    "dist",
    "transform",
    "ad",
    "lang",
    "pass",
    "back",
    "gpu",
    "model",
    "sampler",
    "fit",
    "export",
    "predict",
    "trouble",
    "plot",
    "report",
    "study",
    "bench",
    "cli",
];

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// The text without comments and without the modules of unit tests, which may use anything.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first names after each `crate::`, those of a grouped `use crate::{a, b::{c}}` too.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        let rest = &code[place + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut item) = (0, String::new());
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(word(std::mem::take(&mut item).trim())),
                    c if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            found.push(word(item.trim()));
        } else {
            found.push(word(rest));
        }
    }
    found
}

#[test]
fn modules_import_only_earlier_ones() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut breaches = Vec::new();
    let mut checked = 0;
    for file in &files {
        let relative = file.strip_prefix(&source).expect("below src");
        let module = relative
            .components()
            .next()
            .map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""));
        let Some(own) = module.and_then(|module| LAYERS.iter().position(|layer| *layer == module)) else {
            continue;
        };
        let is_test = relative
            .components()
            .any(|part| part.as_os_str().to_string_lossy().contains("test"));
        if is_test {
            continue;
        }
        for import in imports(&code(&fs::read_to_string(file).expect("UTF-8 source"))) {
            if let Some(layer) = LAYERS.iter().position(|layer| *layer == import) {
                checked += 1;
                if layer > own {
                    breaches.push(format!(
                        "{}: {} imports {import}",
                        relative.display(),
                        LAYERS[own]
                    ));
                }
            }
        }
    }
    assert!(checked > 100, "only {checked} imports were read");
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn grouped_imports_are_read() {
    let found = imports("use crate::{cli, fit::{self, Fit}, num};\nlet x = crate::gpu::open();");
    assert_eq!(found, ["cli", "fit", "num", "gpu"]);
}
