//! Parameters drawn from the posterior of the data at hand, for calibration around them.
//!
//! Säilynoja, Schmitt, Bürkner and Vehtari (2025, "Posterior SBC"): if the sampler is right, a truth that is drawn from the
//! posterior of the data, and judged by the posterior of the data together with new ones made from it, has uniform ranks.

use std::sync::atomic::AtomicBool;

use super::batch::Sampling;
use super::draws::Draws;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::lang::QuantityKind;
use crate::model::Model;
use crate::sampler::{self, Sampler, Settings, State, Watch};

/// Chains of the fit.
const CHAINS: usize = 64;
/// Draws between two that are taken, so that they are nearly independent.
const STRIDE: usize = 8;

/// Values of the parameters in `count` draws of the posterior over `table`, each `[draw][element]`.
///
/// # Errors
///
/// A user error for a model that cannot be fitted to the table.
pub fn posterior_of(
    (name, text): (&str, &str),
    table: &Table,
    count: u32,
    sampling: &Sampling,
) -> Result<Vec<(String, Vec<f64>)>> {
    let model = Model::new(name, text, table)?;
    let count = count as usize;
    let draws = (count * STRIDE).div_ceil(CHAINS).max(STRIDE);
    let settings = Settings {
        sampler: Sampler::Hmc,
        chains: CHAINS,
        warmup: sampling.warmup,
        draws,
        thin: 1,
        seed: sampling.seed,
        // No replicate of the study has this number.
        replicate: u32::MAX,
        target_accept: 0.8,
        directions: true,
        threads: sampling.threads,
    };
    let observer = |_| {};
    let watch = Watch {
        observer: &observer,
        stop: &AtomicBool::new(false),
    };
    let state = State::dispersed(&model, &settings)?;
    let samples = sampler::run(&model, &settings, &state, watch)?;
    let draws = Draws::new(&model, samples);
    let total = CHAINS * draws.shape().1;
    if total < count {
        return Err(Error::bug(format!("{total} draws for {count} replicates")));
    }
    let lowered = model.lowered();
    let parameters = lowered.quantities.iter().enumerate();
    Ok(parameters
        .filter(|(_, quantity)| quantity.kind == QuantityKind::Parameter)
        .map(|(place, quantity)| {
            let values = draws.quantity(place);
            let len = values.len() / total;
            let taken = (0..count).flat_map(|replicate| {
                let cell = replicate * total / count;
                values[cell * len..(cell + 1) * len].iter().copied()
            });
            (quantity.name.clone(), taken.collect())
        })
        .collect())
}
