//! Replicates side by side: every ensemble has the log density of its own data, in every driver and form.

use tadpool::back::evaluate::CENTRING_STEPS;
use tadpool::back::kernel::{Form, Memory};
use tadpool::back::reference;
use tadpool::back::wgsl::{data_of, has_same_text};
use tadpool::data::Table;
use tadpool::gpu::{BatchData, FusedHmc, SteppedHmc};
use tadpool::ir::Program;
use tadpool::model::Model;

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

/// m12_2 over survivors that are not the frogs', of as many in each tank.
fn m12_2_over(survivors: impl Fn(usize, usize) -> usize) -> Model {
    let frogs = shipped("m12_2", None);
    let mut text = String::from("surv,density\n");
    for tank in 0..48 {
        let density = [10, 25, 35][tank / 16];
        text.push_str(&format!("{},{density}\n", survivors(tank, density)));
    }
    let table = Table::from_bytes("tanks.csv", text.as_bytes()).expect("a table");
    Model::new("m12_2", frogs.text(), &table).expect("a model")
}

/// What replicates of a study are: the same model over other outcomes.
#[test]
fn models_over_other_outcomes_fit_one_kernel() {
    let models = [
        m12_2_over(|tank, density| density - tank % 5),
        m12_2_over(|tank, density| density / 2 + tank % 3),
    ];
    assert!(has_same_text(
        models[0].density_program(),
        models[1].density_program()
    ));
    let fixed = shipped("m12_2", Some(true));
    assert!(!has_same_text(
        models[0].density_program(),
        fixed.density_program()
    ));
    let Some(gpu) = gpu() else { return };
    let mut batch = BatchData::default();
    for (replicate, model) in (0..).zip(&models) {
        let (columns, constant) = data_of(model.density_program());
        batch.push(replicate, 1, &columns, constant);
    }
    let kernel = models[0]
        .batch_fused_kernel(Form::Unrolled, Memory::Held)
        .expect("a kernel");
    let mut device = FusedHmc::with_batch(&gpu, &kernel, &batch, 1, 0).expect("a driver");
    let dim = models[0].dim();
    let mut dice = Dice::new(7000);
    let position = dice.position(dim);
    device.set_positions(&position.repeat(2)).expect("positions");
    let codes: Vec<u32> = vec![3; 48];
    device.set_centring(&codes.repeat(2)).expect("codes");
    let (values, _) = device.log_density_grad().expect("values");
    for (model, value) in models.iter().zip(values) {
        let wanted = model.evaluate_reference_in(&codes, &position).expect("a value");
        let bound = 2e-4_f64.max(1e-6 * wanted.log_density.abs());
        assert!(
            (value - wanted.log_density).abs() < bound,
            "{value} {}",
            wanted.log_density
        );
    }
}
