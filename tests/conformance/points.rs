//! The shipped models at the points of `data/log_density_points.json`, whose values come from elsewhere.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tadpool::back::reference::Evaluation;
use tadpool::data::Table;
use tadpool::gpu::{FusedHmc, SteppedHmc};
use tadpool::lang::LowerOptions;
use tadpool::model::Model;

use crate::agree::{FORMS, check_lanes, norm};
use crate::gpu;

/// A file below `data/`.
fn path(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)
}

/// A shipped model, with the centring that a case names.
pub(crate) fn shipped(name: &str, centred: Option<bool>) -> Model {
    let folder = match name {
        "m12_1" | "m12_2" => "reedfrogs",
        "m12_3" => "ponds",
        "m12_4" | "m12_5" | "chimps_cross" => "chimpanzees",
        "cafe" => "cafes",
        "eight_schools" => "eight_schools",
        other => panic!("no shipped model {other}"),
    };
    let text = fs::read_to_string(path(&format!("{folder}/{name}.tad"))).expect("a model");
    let table = Table::from_path(&path(&format!("{folder}/{folder}.csv"))).expect("a table");
    Model::with_options(
        name,
        &text,
        &table,
        &LowerOptions {
            centring: centred,
            ..LowerOptions::default()
        },
    )
    .expect("a model")
}

/// The numbers of one block of a point.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
        single => single.as_f64().into_iter().collect(),
    }
}

/// The blocks of a vector that the file lists in its own order, put in the order of the model's slots.
fn in_slots(model: &Model, blocks: &[(String, Vec<f64>)]) -> Vec<f64> {
    let parameters = &model.lowered().parameters;
    assert_eq!(parameters.len(), blocks.len());
    let mut position = Vec::new();
    for parameter in parameters {
        let name = parameter.name.as_str();
        // A scale `s` stands as `s_log__`, standardised effects `a_g` or `theta` as `z_g` or `z`.
        let standardised = |block: &str| match block.strip_prefix('z') {
            Some("") => matches!(name, "a_tank" | "theta"),
            Some(rest) => name.strip_prefix('a') == Some(rest),
            None => false,
        };
        let (_, values) = blocks
            .iter()
            .find(|(block, _)| block == name || *block == format!("{name}_log__"))
            .or_else(|| blocks.iter().find(|(block, _)| standardised(block)))
            .unwrap_or_else(|| panic!("no values for {name}"));
        position.extend(values);
    }
    assert_eq!(position.len(), model.dim());
    position
}

/// What the file's log densities have too much: its program folded the logarithms of the priors' constant scales in
/// single precision (ln 5 of 48 tanks, or of mu and tau; ln 10 of a, bp and bpC).
fn rounded_constants(model: &str) -> f64 {
    let excess = |x: f64| x.ln() - f64::from(x.ln() as f32);
    match model {
        "m12_1" => 48.0 * excess(5.0),
        "eight_schools" => 2.0 * excess(5.0),
        "m12_4" | "m12_5" => 3.0 * excess(10.0),
        _ => 0.0,
    }
}

#[test]
fn shipped_models_have_the_log_densities_and_gradients_of_the_file() {
    let gpu = gpu();
    let text = fs::read_to_string(path("log_density_points.json")).expect("points");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    for (number, (case, points)) in file["cases"].as_object().expect("cases").iter().enumerate() {
        let (name, centring) = case.split_once('/').expect("model/centring");
        let model = shipped(name, Some(centring == "centred"));
        let mut positions = Vec::new();
        let mut expected = Vec::new();
        for point in points.as_array().expect("points") {
            let at = point["point"].as_object().expect("blocks");
            let blocks: Vec<(String, Vec<f64>)> = at
                .iter()
                .map(|(name, value)| (name.clone(), numbers(value)))
                .collect();
            positions.push(in_slots(&model, &blocks));
            let mut gradient = numbers(&point["grad"]);
            let mut parts = Vec::new();
            for name in point["grad_order"].as_array().expect("names") {
                let name = name.as_str().expect("a name");
                let rest = gradient.split_off(numbers(&at[name]).len());
                parts.push((name.to_owned(), std::mem::replace(&mut gradient, rest)));
            }
            expected.push(Evaluation {
                log_density: point["logp"].as_f64().expect("a number") - rounded_constants(name),
                gradient: in_slots(&model, &parts),
            });
        }
        let same = |what: &str, found: &Evaluation, wanted: &Evaluation, value: f64, gradient: f64| {
            let off = (found.log_density - wanted.log_density).abs();
            assert!(
                off <= value,
                "{case}, {what}: {} {}",
                found.log_density,
                wanted.log_density
            );
            let difference: Vec<f64> = (found.gradient.iter().zip(&wanted.gradient))
                .map(|(a, b)| a - b)
                .collect();
            assert!(
                norm(&difference) <= gradient * norm(&wanted.gradient),
                "{case}, {what}: {:?} {:?}",
                found.gradient,
                wanted.gradient
            );
        };
        for (position, wanted) in positions.iter().zip(&expected) {
            let found = model.evaluate_reference(position).expect("a value");
            let value = 1e-9 * wanted.log_density.abs();
            same("reference", &found, wanted, value, 1e-9);
        }
        if let Err(error) = check_lanes(model.density_program(), &positions, &expected) {
            panic!("{case}: {error}");
        }
        let Some(gpu) = &gpu else { continue };
        let compare = |what: &str, (values, gradients): (Vec<f64>, Vec<f64>)| {
            for (chain, wanted) in expected.iter().enumerate() {
                let found = Evaluation {
                    log_density: values[chain],
                    gradient: gradients[chain * model.dim()..][..model.dim()].to_vec(),
                };
                // The error of f32 has an sd of 6e-5 in m12_2.
                same(what, &found, wanted, 2e-4, 1e-5);
            }
        };
        let kernel = model.kernel().expect("a kernel");
        let mut device = SteppedHmc::new(gpu, &kernel, positions.len(), 1, 0, 0).expect("a driver");
        device.set_positions(&positions.concat()).expect("positions");
        compare("stepped", device.log_density_grad().expect("values"));
        // Compiling is slow on software Vulkan: the forms take turns.
        let (form, memory) = FORMS[number % FORMS.len()];
        let kernel = model.fused_kernel(form, memory).expect("a kernel");
        let mut device = FusedHmc::new(gpu, &kernel, positions.len(), 1, 0, 0).expect("a driver");
        device.set_positions(&positions.concat()).expect("positions");
        let found = device.log_density_grad().expect("values");
        compare(&format!("fused {form:?} {memory:?}"), found);
    }
}
