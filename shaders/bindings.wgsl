// What every entry point sees. State is [row][chain] with the chain as the fastest index, so that neighbouring
// threads touch neighbouring words. Eight storage buffers: the least number that WebGPU promises.

struct Params {
    chains: u32,
    chains_per_ensemble: u32,
    ensembles: u32,
    // Counts warm-up too; names the random streams.
    first_iteration: u32,
    seed_low: u32,
    seed_high: u32,
    // Words of the draws to poison.
    draw_words: u32,
    // Centring weights of an ensemble.
    levels: u32,
    // Leapfrog steps that a chain makes in one dispatch of the fused driver.
    budget: u32,
    // The fused driver keeps the last of every so many iterations,
    thin: u32,
    // of which this many were done before the block.
    since_kept: u32,
}

// Given by the host when a pipeline is made, so that no number stands in two languages.
override LANES: u32;                // threads of a workgroup, one chain each
override DIM: u32;                  // coordinates of a position
override PURPOSE_MOMENTUM: u32;     // random streams
override PURPOSE_ACCEPT: u32;
override MAX_ENERGY_ERROR: f32;     // beyond it a trajectory is divergent
override POISON: u32;               // NaN pattern of a draw that was not written
override DIVERGENT_BIT: u32;        // of the status word
override DIVERGENCES_SHIFT: u32;    // where it counts divergences,
override DIVERGENCES_MOST: u32;     // up to this number
override CHAIN_ITERATION: u32;      // rows of `chain_state`
override CHAIN_STEP: u32;
override CHAIN_START_WHOLE: u32;
override CHAIN_START_REST: u32;
override CHAIN_NOW_WHOLE: u32;
override CHAIN_NOW_REST: u32;
override CHAIN_KINETIC_WHOLE: u32;
override CHAIN_KINETIC_REST: u32;
override DRAW_ROWS: u32;            // rows of one iteration's draw; the first DIM are the position
override DRAW_LOG_DENSITY_WHOLE: u32;
override DRAW_LOG_DENSITY_REST: u32;
override DRAW_KINETIC: u32;
override DRAW_ACCEPT_PROB: u32;
override DRAW_ENERGY_ERROR: u32;
override DRAW_STATUS: u32;

@group(0) @binding(0) var<uniform> params: Params;
// Data columns of the model, those of all ensembles or [ensemble][entry], and index columns.
@group(0) @binding(1) var<storage, read> columns: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
// [DIM][chain], unconstrained scale, and the derivative of the log density there.
@group(0) @binding(3) var<storage, read_write> position: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
// [3 · DIM][chain]: momentum, then position and gradient at the start of the iteration.
@group(0) @binding(5) var<storage, read_write> trajectory: array<f32>;
// f32 bits of inv_mass_diag [ensemble][DIM], codes of centring weights [ensemble][level], limits [ensemble], names of
// random streams [ensemble] (replicate, first chain), then per [iteration][ensemble]: f32 bits of step_size, leapfrog
// steps.
@group(0) @binding(6) var<storage, read> settings: array<u32>;
// [CHAIN_…][chain]: counters, and f32 bits of energies as (whole, rest) pairs.
@group(0) @binding(7) var<storage, read_write> chain_state: array<u32>;
// [iteration][DRAW_ROWS][chain]: f32 bits, the status word apart.
@group(0) @binding(8) var<storage, read_write> draws: array<u32>;
