//! Replicates side by side: every ensemble has the log density of its own data, in every driver and form.

use tadpool::back::evaluate::{CENTRING_STEPS, Density};
use tadpool::back::reference;
use tadpool::back::wgsl::{data_of, has_same_text};
use tadpool::data::{Column, Table};
use tadpool::gpu::{BatchData, FusedHmc, SteppedHmc};
use tadpool::ir::Program;
use tadpool::model::{Model, ReplicateOptions};

use crate::agree::{FORMS, norm};
use crate::dice::Dice;
use crate::points::shipped;
use crate::{gpu, shader};

/// Chains of an ensemble: no divisor of a workgroup, so that ensembles begin anywhere in it.
const SIZE: usize = 3;

/// The replicates of the ensembles, one of which has two.
const REPLICATES: [u32; 5] = [4, 9, 9, 0, 2];

/// The program with other values in all its columns, the grid of centring weights included, and another constant.
fn altered(program: &Program, replicate: u32) -> Program {
    let mut program = program.clone();
    let mut dice = Dice::new(5000 + replicate);
    for column in &mut program.graph.columns {
        for value in &mut column.values {
            // Numbers that f32 holds, as it does counts.
            *value = f64::from((*value * (0.7 + 0.6 * dice.unit())) as f32);
        }
    }
    program.constant += 10.0 * f64::from(replicate);
    program
}

/// A model's replicates, with positions and codes of centring weights for their ensembles.
struct Study {
    name: &'static str,
    programs: Vec<Program>,
    batch: BatchData,
    positions: Vec<Vec<f64>>,
    codes: Vec<u32>,
}

impl Study {
    fn of(name: &'static str, model: &Model) -> Self {
        let mut batch = BatchData::default();
        let mut programs = Vec::new();
        let mut codes = Vec::new();
        let mut dice = Dice::new(6000);
        for replicate in REPLICATES {
            let mut program = altered(model.density_program(), replicate);
            assert!(has_same_text(model.density_program(), &program));
            let (columns, constant) = data_of(&program);
            batch.push(replicate, 1, &columns, constant);
            let levels = program.graph.tuned().map(|index| index.codes.len()).sum();
            let own: Vec<u32> = (0..levels)
                .map(|_| dice.below(CENTRING_STEPS as usize + 1) as u32)
                .collect();
            program.graph.set_tuned(&own);
            codes.extend(own);
            programs.push(program);
        }
        let positions = (0..REPLICATES.len() * SIZE).map(|_| dice.position(model.dim()));
        Self {
            name,
            programs,
            batch,
            positions: positions.collect(),
            codes,
        }
    }

    fn compare(&self, driver: &str, (values, gradients): &(Vec<f64>, Vec<f64>)) {
        for (chain, position) in self.positions.iter().enumerate() {
            let program = &self.programs[chain / SIZE];
            let wanted = reference::evaluate(program, position).expect("a value");
            let what = format!("{}, {driver}, chain {chain}", self.name);
            let off = (values[chain] - wanted.log_density).abs();
            // Some hundred terms, each the end of some ten f32 operations.
            let bound = 2e-4_f64.max(1e-6 * wanted.log_density.abs());
            assert!(off < bound, "{what}: {} {}", values[chain], wanted.log_density);
            let found = &gradients[chain * position.len()..][..position.len()];
            let difference: Vec<f64> = found.iter().zip(&wanted.gradient).map(|(a, b)| a - b).collect();
            assert!(norm(&difference) <= 1e-5 * norm(&wanted.gradient), "{what}");
        }
    }
}

#[test]
fn ensembles_have_the_log_densities_of_their_own_data() {
    let gpu = gpu();
    // Compiling is slow on software Vulkan: all forms for one model, some for others. m12_2 and m12_5 learn weights.
    for (name, forms) in [
        ("m12_2", &FORMS[..]),
        ("m12_5", &FORMS[..2]),
        ("cafe", &FORMS[1..2]),
        ("eight_schools", &FORMS[3..]),
    ] {
        let model = shipped(name, None);
        let study = Study::of(name, &model);
        let kernel = model.batch_kernel().expect("a kernel");
        shader::validate(&kernel.wgsl).expect("valid");
        for (form, memory) in FORMS {
            let kernel = model.batch_fused_kernel(form, memory).expect("a kernel");
            shader::validate_fused(&kernel).expect("valid");
        }
        let Some(gpu) = &gpu else { continue };
        let mut device = SteppedHmc::with_batch(gpu, &kernel, &study.batch, SIZE, 0).expect("a driver");
        device
            .set_positions(&study.positions.concat())
            .expect("positions");
        device.set_centring(&study.codes).expect("codes");
        study.compare("stepped", &device.log_density_grad().expect("values"));
        for &(form, memory) in forms {
            let kernel = model.batch_fused_kernel(form, memory).expect("a kernel");
            let mut device = FusedHmc::with_batch(gpu, &kernel, &study.batch, SIZE, 0).expect("a driver");
            device
                .set_positions(&study.positions.concat())
                .expect("positions");
            device.set_centring(&study.codes).expect("codes");
            let found = device.log_density_grad().expect("values");
            study.compare(&format!("fused {form:?} {memory:?}"), &found);
        }
    }
}

/// A shipped model over other outcomes in its data's rows, as a replicate of a study that GPUs may run.
fn replicate(name: &str, outcomes: &dyn Fn(usize) -> f64, row_weights: Option<&[f64]>) -> Model {
    let model = shipped(name, None);
    let mut columns = model.data().columns.clone();
    let outcome = match name {
        "m12_2" => "surv",
        "m12_5" => "pulled_left",
        "cafe" => "wait",
        other => panic!("no outcome of {other} is known"),
    };
    for column in columns.iter_mut().filter(|column| column.name() == outcome) {
        let cells: Vec<String> = (0..column.rows()).map(|row| outcomes(row).to_string()).collect();
        *column = Column::from_cells(outcome, cells.iter().map(String::as_str));
    }
    let table = Table::from_columns(name, columns).expect("a table");
    let options = ReplicateOptions {
        row_weights,
        alike: true,
        ..ReplicateOptions::default()
    };
    Model::replicate(name, model.text(), &table, &options).expect("a model")
}

/// Holds a batch of `models` to the reference of each.
fn check_replicates(what: &str, models: &[Model]) {
    let mut batch = BatchData::default();
    for (number, model) in (0..).zip(models) {
        let program = model.density_program();
        let (first, own) = (models[0].density_program(), program);
        let texts = (first.to_string(), own.to_string());
        let differs = texts.0.lines().zip(texts.1.lines()).find(|(a, b)| a != b);
        assert!(has_same_text(first, own), "{what}, {number}: {differs:?}");
        let (columns, constant) = data_of(program);
        batch.push(number, 1, &columns, constant);
    }
    let Some(gpu) = gpu() else { return };
    let kernel = models[0].batch_kernel().expect("a kernel");
    let mut device = SteppedHmc::with_batch(&gpu, &kernel, &batch, 1, 0).expect("a driver");
    let dim = models[0].dim();
    let position = Dice::new(7000).position(dim);
    device
        .set_positions(&position.repeat(models.len()))
        .expect("positions");
    let levels = models[0]
        .centring()
        .map_or(0, |centring| centring.initial().len());
    let codes = vec![3; levels];
    device.set_centring(&codes.repeat(models.len())).expect("codes");
    let (values, gradients) = device.log_density_grad().expect("values");
    for (number, model) in models.iter().enumerate() {
        let wanted = model.evaluate_reference_in(&codes, &position).expect("a value");
        let bound = 2e-4_f64.max(1e-6 * wanted.log_density.abs());
        let off = (values[number] - wanted.log_density).abs();
        assert!(
            off < bound,
            "{what}, {number}: {} {}",
            values[number],
            wanted.log_density
        );
        let found = &gradients[number * dim..][..dim];
        let difference: Vec<f64> = found.iter().zip(&wanted.gradient).map(|(a, b)| a - b).collect();
        assert!(
            norm(&difference) <= 1e-5 * norm(&wanted.gradient),
            "{what}, {number}"
        );
    }
}

/// What replicates of a study are: one model over other outcomes, odd ones included, and over other weights of rows.
#[test]
fn models_over_other_outcomes_or_weights_fit_one_kernel() {
    let density = |tank: usize| [10, 25, 35][tank / 16];
    let of_m12_2: [&dyn Fn(usize) -> f64; 4] = [
        &|tank| (density(tank) - tank % 5) as f64,
        &|tank| (density(tank) / 2 + tank % 3) as f64,
        &|_| 0.0,
        &|tank| density(tank) as f64,
    ];
    check_replicates(
        "m12_2",
        &of_m12_2.map(|outcomes| replicate("m12_2", outcomes, None)),
    );
    let of_m12_5: [&dyn Fn(usize) -> f64; 3] =
        [&|row| (row % 2) as f64, &|row| f64::from(row % 7 < 4), &|_| 1.0];
    check_replicates(
        "m12_5",
        &of_m12_5.map(|outcomes| replicate("m12_5", outcomes, None)),
    );
    let of_cafe: [&dyn Fn(usize) -> f64; 2] = [&|row| 3.0 + 0.25 * (row % 9) as f64, &|row| {
        4.0 - 0.125 * (row % 5) as f64
    }];
    check_replicates("cafe", &of_cafe.map(|outcomes| replicate("cafe", outcomes, None)));
    // All rows but those of one fold.
    let folds = [0, 1, 2].map(|fold| {
        let weights: Vec<f64> = (0..48).map(|row| f64::from(row % 3 != fold)).collect();
        replicate("m12_2", of_m12_2[0], Some(&weights))
    });
    check_replicates("m12_2, folds", &folds);
    // Another model is no replicate.
    let other = shipped("m12_2", Some(true));
    assert!(!has_same_text(
        folds[0].density_program(),
        other.density_program()
    ));
}
