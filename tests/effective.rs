//! Effective draws per gradient of ensemble HMC on the book's models and three simulated ones: what learned centring, the
//! ridge's shift, the trajectory rule and directions beside the diagonal metric are for. `cargo bench --bench ess` has the whole table.
//!
//! Five seeds, which were not chosen; the floors hold for the median seed.

#[path = "../benches/simulated/mod.rs"]
mod simulated;

use std::sync::atomic::AtomicBool;

use simulated::Simulated;

use tadpool::data::Table;
use tadpool::diag::{Chains, ess_bulk, rhat_nested};
use tadpool::lang::QuantityKind;
use tadpool::model::Model;
use tadpool::sampler::{Sampler, Samples, Settings, State, Watch, run};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
/// Share of divergent draws, all seeds together.
const DIVERGENT: f64 = 1e-4;

fn sample(model: &Model, seed: u64) -> Samples {
    let settings = Settings {
        sampler: Sampler::Hmc,
        chains: 64,
        warmup: 400,
        draws: 400,
        thin: 1,
        seed,
        replicate: 0,
        target_accept: 0.8,
        directions: true,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let state = State::dispersed(model, &settings).expect("a starting point");
    let watch = Watch {
        observer: &|_| {},
        stop: &AtomicBool::new(false),
    };
    run(model, &settings, &state, watch).expect("a run")
}

/// Least bulk ESS and largest nested R-hat of the parameters.
fn diagnose(model: &Model, samples: &Samples) -> (f64, f64) {
    let tuning = samples.state.tuning.as_ref().expect("a warm-up");
    let levels = tuning.centring.len() / samples.ensembles;
    let ensemble = samples.positions.len() / samples.ensembles;
    let quantities = &model.lowered().quantities;
    let mut named = vec![Vec::new(); quantities.len()];
    for (e, positions) in samples.positions.chunks_exact(ensemble).enumerate() {
        let codes = &tuning.centring[e * levels..(e + 1) * levels];
        for (all, part) in named.iter_mut().zip(model.named_values_in(codes, positions)) {
            all.extend(part);
        }
    }
    let (mut least, mut nested_rhat) = (f64::INFINITY, 0.0f64);
    let cells = samples.chains * samples.draws;
    for (_, values) in quantities
        .iter()
        .zip(&named)
        .filter(|(quantity, _)| quantity.kind != QuantityKind::Derived)
    {
        let len = values.len() / cells;
        for element in 0..len {
            let draws: Vec<f64> = values.iter().skip(element).step_by(len).copied().collect();
            let chains = Chains::new(&draws, samples.chains).expect("draws of all chains");
            // A NaN must not be passed over, as `min` and `max` would.
            let (ess, rhat) = (
                ess_bulk(chains),
                rhat_nested(chains, samples.chains / samples.ensembles),
            );
            assert!(
                ess.is_finite() && rhat.is_finite(),
                "ESS {ess}, nested R-hat {rhat}"
            );
            least = least.min(ess);
            nested_rhat = nested_rhat.max(rhat);
        }
    }
    (least, nested_rhat)
}

fn assert_effective(name: &str, text: &str, table: &str, floor: f64) {
    let table = Table::from_bytes(name, table.as_bytes()).expect("a table");
    let model = Model::new(name, text, &table).unwrap_or_else(|error| panic!("{error}"));
    let mut divergent = 0.0;
    let mut per_gradient: Vec<f64> = SEEDS
        .iter()
        .map(|&seed| {
            let samples = sample(&model, seed);
            let (least, nested_rhat) = diagnose(&model, &samples);
            assert!(
                nested_rhat < 1.01,
                "{name}, seed {seed}: nested R-hat {nested_rhat}"
            );
            let count = samples.is_divergent.iter().filter(|d| **d).count();
            divergent += count as f64 / (SEEDS.len() * samples.is_divergent.len()) as f64;
            least / (samples.gradient_evaluations - samples.warmup_gradient_evaluations) as f64
        })
        .collect();
    per_gradient.sort_by(f64::total_cmp);
    println!("{name}: ESS per gradient {per_gradient:.4?}, divergent {divergent:.1e}");
    let median = per_gradient[SEEDS.len() / 2];
    assert!(
        median >= floor,
        "{name}: median ESS per gradient {median:.4}, below {floor}"
    );
    assert!(
        divergent <= DIVERGENT,
        "{name}: a share of {divergent:.1e} diverged"
    );
}

macro_rules! floor {
    ($test:ident, $folder:literal, $model:literal, $table:literal, $floor:expr) => {
        #[test]
        fn $test() {
            assert_effective(
                $model,
                include_str!(concat!("../data/", $folder, "/", $model, ".tad")),
                include_str!(concat!("../data/", $folder, "/", $table, ".csv")),
                $floor,
            );
        }
    };
}

floor!(tadpoles, "reedfrogs", "m12_2", "reedfrogs", 0.15);
floor!(chimpanzees, "chimpanzees", "m12_5", "chimpanzees", 0.02);
floor!(schools, "eight_schools", "eight_schools", "eight_schools", 0.07);
floor!(radon, "radon_slopes", "radon_slopes", "radon_slopes", 0.02);

fn assert_simulated(name: &str, case: &Simulated, floor: f64) {
    assert_effective(name, case.text, &case.csv, floor);
}

/// .45 with the ridge's shift, .006 without.
#[test]
fn informed_groups() {
    assert_simulated("informed", &simulated::informed(), 0.3);
}

/// .28 with directions, .12 without: two crossed effects, of which one takes the intercept in.
#[test]
fn crossed_groups() {
    assert_simulated("crossed", &simulated::crossed(), 0.2);
}

/// .7 with directions, .09 without: five predictors with correlation .95.
#[test]
fn collinear_predictors() {
    assert_simulated("collinear", &simulated::collinear(), 0.4);
}
