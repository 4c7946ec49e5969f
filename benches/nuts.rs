//! Effective draws per gradient of NUTS, four chains on one core.
//!
//! `cargo bench --no-default-features --bench nuts [-- MODEL …]` samples the models of `data/` with five seeds each
//! (1,000 iterations of warm-up, 1,000 draws) and prints, as a Markdown table, medians over the seeds: the smallest bulk
//! ESS of all quantities by gradients of the draws alone and with those of warm-up, gradients and seconds, and the
//! divergent draws of all seeds together.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tadpool::data::Table;
use tadpool::diag::{Chains, Status, ess_bulk};
use tadpool::error::Result;
use tadpool::model::Model;
use tadpool::sampler::{Sampler, Samples, Settings, State, Watch, run};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const CHAINS: usize = 4;
const ITERATIONS: usize = 1000;
const MODELS: [(&str, &str); 6] = [
    ("reedfrogs/m12_1", "reedfrogs/reedfrogs"),
    ("reedfrogs/m12_2", "reedfrogs/reedfrogs"),
    ("ponds/m12_3", "ponds/ponds"),
    ("chimpanzees/m12_4", "chimpanzees/chimpanzees"),
    ("chimpanzees/m12_5", "chimpanzees/chimpanzees"),
    ("eight_schools/eight_schools", "eight_schools/eight_schools"),
];

/// What one seed gives.
struct Fit {
    min_ess: f64,
    sampling_gradients: f64,
    gradients: f64,
    seconds: f64,
    divergences: usize,
}

/// The smallest bulk ESS of all quantities that vary.
fn min_ess(model: &Model, samples: &Samples) -> Result<f64> {
    let centring = samples
        .state
        .tuning
        .as_ref()
        .map_or(&[][..], |tuning| &tuning.centring);
    let levels = centring.len() / samples.chains;
    // Every chain's draws are in the coordinates of its own centring: `[quantity][chain][draw][element]`.
    let mut named: Vec<Vec<f64>> = Vec::new();
    for (chain, positions) in samples.positions.chunks(samples.draws * samples.dim).enumerate() {
        let values = match levels {
            0 => model.named_values(positions),
            _ => model.named_values_in(&centring[chain * levels..][..levels], positions),
        };
        named.resize(values.len(), Vec::new());
        for (all, values) in named.iter_mut().zip(values) {
            all.extend(values);
        }
    }
    let mut smallest = f64::INFINITY;
    let cells = samples.chains * samples.draws;
    for values in named {
        let width = values.len() / cells;
        for element in 0..width {
            let column: Vec<f64> = (0..cells).map(|cell| values[cell * width + element]).collect();
            let chains = Chains::new(&column, samples.chains)?;
            if chains.status() == Status::Varying {
                smallest = smallest.min(ess_bulk(chains));
            }
        }
    }
    Ok(smallest)
}

fn fit(model: &Model, seed: u64) -> Result<Fit> {
    let settings = Settings {
        sampler: Sampler::Nuts,
        chains: CHAINS,
        warmup: ITERATIONS as u32,
        draws: ITERATIONS,
        thin: 1,
        seed,
        replicate: 0,
        target_accept: 0.8,
        directions: true,
        threads: 1,
    };
    let state = State::dispersed(model, &settings)?;
    let watch = Watch {
        observer: &|_| {},
        stop: &AtomicBool::new(false),
    };
    let start = Instant::now();
    let samples = run(model, &settings, &state, watch)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Fit {
        min_ess: min_ess(model, &samples)?,
        sampling_gradients: (samples.gradient_evaluations - samples.warmup_gradient_evaluations) as f64,
        gradients: samples.gradient_evaluations as f64,
        seconds,
        divergences: samples.is_divergent.iter().filter(|d| **d).count(),
    })
}

fn median(fits: &[Fit], value: impl Fn(&Fit) -> f64) -> f64 {
    let mut values: Vec<f64> = fits.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    println!(
        "| model | d | ESS/gradient | with warm-up | gradients, warm-up | draws | µs/gradient | divergent |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, table) in MODELS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            continue;
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
        let table = Table::from_path(format!("{folder}/{table}.csv").as_ref())?;
        let text = std::fs::read_to_string(format!("{folder}/{name}.tad"))
            .map_err(|error| tadpool::Error::environment(error.to_string()))?;
        let model = Model::new(name, &text, &table)?;
        let fits = SEEDS
            .into_iter()
            .map(|seed| fit(&model, seed))
            .collect::<Result<Vec<_>>>()?;
        println!(
            "| {name} | {} | {:.4} | {:.4} | {:.0} | {:.0} | {:.3} | {} |",
            model.dim(),
            median(&fits, |fit| fit.min_ess / fit.sampling_gradients),
            median(&fits, |fit| fit.min_ess / fit.gradients),
            median(&fits, |fit| fit.gradients - fit.sampling_gradients),
            median(&fits, |fit| fit.sampling_gradients),
            median(&fits, |fit| fit.seconds / fit.gradients) * 1e6,
            fits.iter().map(|fit| fit.divergences).sum::<usize>(),
        );
    }
    Ok(())
}
