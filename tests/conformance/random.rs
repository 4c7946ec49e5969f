//! Random models with random data.

use tadpool::model::Model;

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
    for case in 0..MODELS {
        let dice = &mut Dice::new(case);
        let rows = 12 + dice.below(50);
        let csv = tables::csv(dice, rows);
        let text = generator::model(dice);
        let table = tables::table(&csv);
        let model = Model::new("random", &text, &table)
            .unwrap_or_else(|error| panic!("model {case}:\n{text}\n{csv}\n{error}"));
        let positions: Vec<Vec<f64>> = (0..POSITIONS).map(|_| dice.position(model.dim())).collect();
        // Compiling takes a second on software Vulkan: every fifth model runs in one of the fused forms.
        let fused = match case % 5 {
            0 => &FORMS[case as usize / 5 % 4..][..1],
            _ => &[],
        };
        match check(&model.lowered().program, &positions, gpu.as_ref(), fused) {
            Ok(found) => worst.include(found),
            Err(error) => failures.push(format!(
                "model {case}: {error}\n{text}\n{csv}\npositions {positions:?}"
            )),
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
