//! Gradients per core-second of the CPU back end: one number at a time, and in lanes.
//!
//! `cargo bench --bench gradients` evaluates log density and gradient of each model at the positions of 4,096 chains,
//! on one core, with each instruction set that the processor has, all in one run. Rates are medians over rounds; the
//! rounds of all rows take turns, so that a change of the machine's speed meets all of them alike.

use std::time::Instant;

use tadpool::back::evaluate::Density;
use tadpool::back::simd::{InstructionSet, LANES, SimdDensity};
use tadpool::data::Table;
use tadpool::error::Result;
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};

const CHAINS: usize = 4096;
const ROUNDS: usize = 21;
const MODELS: [(&str, &str); 3] = [
    ("reedfrogs/m12_2", "reedfrogs/reedfrogs"),
    ("chimpanzees/m12_5", "chimpanzees/chimpanzees"),
    ("eight_schools/eight_schools", "eight_schools/eight_schools"),
];

struct Row {
    driver: &'static str,
    lanes: usize,
    density: SimdDensity,
    seconds: Vec<f64>,
}

/// One evaluation of every chain; the sum of the log densities keeps the work from being optimised away.
fn round(row: &Row, positions: &[f64], dim: usize) -> f64 {
    let mut worker = row.density.evaluator(row.lanes);
    let (mut log_density, mut gradient) = (vec![0.0; row.lanes], vec![0.0; dim * row.lanes]);
    let mut total = 0.0;
    for block in positions.chunks(dim * row.lanes) {
        worker.log_density_grad(block, &mut log_density, &mut gradient);
        total += log_density[0] + gradient[0];
    }
    total
}

fn bench(model: &str, table: &str) -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let table = Table::from_path(format!("{folder}/{table}.csv").as_ref())?;
    let text = std::fs::read_to_string(format!("{folder}/{model}.tad"))
        .map_err(|error| tadpool::Error::environment(error.to_string()))?;
    let model = Model::new(model, &text, &table)?;
    let dim = model.dim();
    let mut positions = vec![0.0; dim * CHAINS];
    Stream {
        seed: 1,
        replicate: 0,
        chain: 0,
        iteration: 0,
        purpose: Purpose::Initial,
    }
    .fill_normal(&mut positions);
    let mut rows = Vec::new();
    for (set, lanes, driver) in [
        (InstructionSet::Scalar, 1, "scalar"),
        (InstructionSet::Baseline, 1, "rows, baseline"),
        (InstructionSet::Baseline, LANES, "lanes, baseline"),
        (InstructionSet::Avx2, 1, "rows, AVX2"),
        (InstructionSet::Avx2, LANES, "lanes, AVX2"),
        (InstructionSet::Avx512, 1, "rows, AVX-512"),
        (InstructionSet::Avx512, LANES, "lanes, AVX-512"),
    ] {
        if set.is_available() {
            let density = SimdDensity::new(model.density_program().clone())?.with_instruction_set(set)?;
            rows.push(Row {
                driver,
                lanes,
                density,
                seconds: Vec::new(),
            });
        }
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let start = Instant::now();
            std::hint::black_box(round(row, std::hint::black_box(&positions), dim));
            row.seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!(
        "{} (d = {dim}), {CHAINS} chains, one core, median of {ROUNDS} rounds",
        model.name()
    );
    let median = |seconds: &[f64]| {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let scalar = median(&rows[0].seconds);
    for row in &rows {
        let seconds = median(&row.seconds);
        println!(
            "  {:16} {:2} lanes  {:7.3} million gradients per core-second  {:5.2} × scalar",
            row.driver,
            row.lanes,
            CHAINS as f64 / seconds * 1e-6,
            scalar / seconds,
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    for (model, table) in MODELS {
        bench(model, table)?;
    }
    Ok(())
}
