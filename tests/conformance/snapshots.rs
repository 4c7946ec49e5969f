//! Texts that change only with a reason: a kernel, and the stages of a program. `TADPOOL_BLESS=1` rewrites them.

use std::fs;
use std::path::Path;

use tadpool::back::kernel::{Form, Memory};
use tadpool::model::Model;

use crate::points::shipped;

/// Compares a text with its file below `tests/`.
fn snapshot(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    if std::env::var("TADPOOL_BLESS").is_ok_and(|v| v == "1") {
        fs::write(&path, text).expect("a writable tests folder");
        return;
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let (old, new): (Vec<&str>, Vec<&str>) = (known.lines().collect(), text.lines().collect());
    let line = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    assert!(
        old == new,
        "{file} differs from line {}:\n  file: {:?}\n  now:  {:?}\nTADPOOL_BLESS=1 rewrites it",
        line + 1,
        old.get(line),
        new.get(line)
    );
}

#[test]
fn the_kernel_of_m12_2() {
    let model = shipped("m12_2", None);
    snapshot("wgsl/m12_2.wgsl", &model.kernel().expect("a kernel").wgsl);
}

#[test]
fn the_unrolled_kernel_of_eight_schools() {
    let model = shipped("eight_schools", None);
    let kernel = model
        .fused_kernel(Form::Unrolled, Memory::Held)
        .expect("a kernel");
    snapshot("wgsl/eight_schools.unrolled.wgsl", &kernel.density.wgsl);
}

#[test]
fn the_stages_of_m12_5() {
    let model: Model = shipped("m12_5", None);
    snapshot("ir/m12_5.lowered.txt", &model.lowered().program.to_string());
    snapshot("ir/m12_5.optimised.txt", &model.density_program().to_string());
}
