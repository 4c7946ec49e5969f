//! Correlated effects on all back ends: every parameterisation of the cafés and of the chimpanzees' crossed effects.

use crate::agree::{FORMS, check};
use crate::dice::Dice;
use crate::gpu;
use crate::points::shipped;

#[test]
fn correlated_effects_agree_on_all_back_ends() {
    let gpu = gpu();
    for (number, name) in ["cafe", "chimps_cross"].into_iter().enumerate() {
        for (place, centred) in [None, Some(true), Some(false)].into_iter().enumerate() {
            let model = shipped(name, centred);
            let dice = &mut Dice::new(3_000_000 + number as u32);
            let positions: Vec<Vec<f64>> = (0..3).map(|_| dice.position(model.dim())).collect();
            let program = &model.lowered().program;
            match check(program, &positions, gpu.as_ref(), &FORMS[place..=place], false) {
                Ok(worst) => println!("{name}, centred {centred:?}: {worst:?}"),
                Err(error) => panic!("{name}, centred {centred:?}: {error}"),
            }
        }
    }
}
