//! No allocation in the leapfrog loop, nor in an iteration whose results were given back, nor in a gradient.
//!
//! Alone in its program, since it counts what the whole program allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use tadpool::back::evaluate::Density;
use tadpool::data::Table;
use tadpool::model::Model;
use tadpool::sampler::{CpuEngine, Direction, Engine, Plan, Sampler, Settings};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const CHAINS: usize = 40;

fn model(name: &str, folder: &str) -> Model {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let table = Table::from_path(format!("{data}/{folder}/{folder}.csv").as_ref()).unwrap();
    let text = std::fs::read_to_string(format!("{data}/{folder}/{name}.tad")).unwrap();
    Model::new(name, &text, &table).unwrap()
}

/// Allocations of `iterations` iterations of `steps` leapfrog steps, whose results were given back.
fn allocations(engine: &mut CpuEngine, iterations: usize, steps: u32) -> u64 {
    let plans = vec![
        vec![Plan {
            step_size: 0.02,
            num_leapfrog_steps: steps,
        }];
        iterations
    ];
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let results = engine.run(0, &plans, &mut |_| true).unwrap();
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    engine.recycle(results);
    after - before
}

#[test]
fn leapfrog_steps_and_iterations_allocate_nothing() {
    for (name, folder) in [("m12_2", "reedfrogs"), ("m12_5", "chimpanzees")] {
        let model = model(name, folder);
        let settings = Settings {
            sampler: Sampler::Hmc,
            chains: CHAINS,
            warmup: 0,
            draws: 1,
            thin: 1,
            seed: 3,
            replicate: 0,
            target_accept: 0.8,
            directions: true,
            threads: 1,
        };
        let mut engine = CpuEngine::new(&model, &settings, 0, CHAINS);
        engine.set_positions(&vec![0.1; CHAINS * model.dim()]).unwrap();
        let unit = vec![1.0 / (model.dim() as f64).sqrt(); model.dim()];
        let directions = [Direction { stretch: 0.5, unit }];
        engine.set_directions(&[&directions]).unwrap();
        // Room for the results is made once.
        allocations(&mut engine, 8, 4);
        // The vector that holds the results is all that is left.
        assert_eq!(allocations(&mut engine, 8, 4), 1, "{name}: iterations");
        assert_eq!(allocations(&mut engine, 8, 40), 1, "{name}: leapfrog steps");

        let mut one = model.evaluator(1);
        let (position, mut gradient) = (vec![0.1; model.dim()], vec![0.0; model.dim()]);
        let mut log_density = [0.0];
        one.log_density_grad(&position, &mut log_density, &mut gradient);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for _ in 0..10 {
            one.log_density_grad(&position, &mut log_density, &mut gradient);
        }
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before, "{name}: one lane");
    }
}
