//! Random models with random data.

use tadpool::gpu::Gpu;
use tadpool::model::Model;
use tadpool::num::parallel::in_parallel;

use crate::agree::{FORMS, Worst, check};
use crate::dice::Dice;
use crate::{generator, gpu, tables};

const MODELS: u32 = 200;
const POSITIONS: usize = 3;

#[test]
fn random_models_agree_on_all_back_ends() {
    let gpu = gpu();
    let mut worst = Worst::default();
    let mut failures = Vec::new();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for checked in in_parallel((0..MODELS).collect(), threads, |case| {
        check_case(case, gpu.as_ref())
    }) {
        match checked {
            Ok(found) => worst.include(found),
            Err(error) => failures.push(error),
        }
    }
    println!("largest discrepancies, as fractions of their bounds: {worst:?}");
    assert!(
        failures.is_empty(),
        "{} of {MODELS} models disagree:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

fn check_case(case: u32, gpu: Option<&Gpu>) -> Result<Worst, String> {
    let dice = &mut Dice::new(case);
    let rows = 12 + dice.below(50);
    let csv = tables::csv(dice, rows);
    let text = generator::model(dice);
    let table = tables::table(&csv);
    let model = Model::new("random", &text, &table)
        .unwrap_or_else(|error| panic!("model {case}:\n{text}\n{csv}\n{error}"));
    let positions: Vec<Vec<f64>> = (0..POSITIONS).map(|_| dice.position(model.dim())).collect();
    // Compiling takes a second on software Vulkan: every tenth model runs in one of the fused forms.
    let fused = match case % 10 {
        0 => &FORMS[case as usize / 10 % 4..][..1],
        _ => &[],
    };
    check(
        &model.lowered().program,
        &positions,
        gpu,
        fused,
        case.is_multiple_of(50),
    )
    .map_err(|error| format!("model {case}: {error}\n{text}\n{csv}\npositions {positions:?}"))
}
