// Hamiltonian Monte Carlo for models whose rows are split over threads: a dispatch is a thread per (chain, item), an
// item being a coordinate, some coordinates, or some rows of a table. As in hmc_step.wgsl the host records the dispatches
// of an iteration one by one, and each chain counts its own iterations and steps; what one thread does there is here cut
// at every place where all of a chain's coordinates must be known.
//
// An iteration: `begin`, `kinetic_groups`, `start`; per leapfrog step the model's dispatches, `total`, `kick`; then
// `end`, `kinetic_groups`, `decide`, `keep`.

override ROW_STEPS: u32;        // rows of `progress`: leapfrog steps of this iteration
override ROW_ACCEPTED: u32;     // 1 where the proposal was taken
override ROW_FAULT: u32;        // 1 where a loop was cut short
override KINETIC_BLOCKS: u32;   // blocks of four coordinates
override KINETIC_GROUP: u32;    // blocks of a group
override KINETIC_GROUPS: u32;

// What the model keeps between dispatches, [number][chain].
@group(0) @binding(9) var<storage, read_write> work: array<f32>;
// Kinetic energies: [KINETIC_BLOCKS][chain], then pairs (whole, rest), [KINETIC_GROUPS][2][chain].
@group(0) @binding(10) var<storage, read_write> kinetic: array<f32>;
// [ROW_…][chain].
@group(0) @binding(11) var<storage, read_write> progress: array<u32>;

// The thread's chain and item.
fn rows_place(workgroup: vec3<u32>, workgroups: vec3<u32>, lane: u32) -> vec2<u32> {
    let thread = hmc_chain(workgroup, workgroups, lane);
    return vec2<u32>(thread % params.chains, thread / params.chains);
}

fn rows_plan(chain: u32) -> Plan {
    return hmc_plan(chain_state[hmc_state(CHAIN_ITERATION, chain)], chain / params.chains_per_ensemble);
}

// Whether the chain has steps to make; those whose ensemble is done skip the others'.
fn rows_is_active(chain: u32) -> bool {
    return chain_state[hmc_state(CHAIN_STEP, chain)] < progress[hmc_state(ROW_STEPS, chain)];
}

// Marks the chain if a loop of this thread was cut short.
fn rows_end(chain: u32) {
    if !hmc_is_whole() {
        progress[hmc_state(ROW_FAULT, chain)] = 1u;
    }
}

// Fills the draws with a pattern that no run writes; one thread per word.
@compute @workgroup_size(LANES)
fn poison(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = hmc_chain(workgroup, workgroups, lane);
    if word < params.draw_words {
        draws[word] = POISON;
    }
}

// Draws the momenta of four coordinates, remembers where the iteration starts, and makes the first half kick and drift.
@compute @workgroup_size(LANES)
fn begin(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    let block = place.y;
    if block >= KINETIC_BLOCKS {
        return;
    }
    let chains = params.chains;
    let iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)];
    let step_size = rows_plan(chain).step_size;
    let words = philox_block(PURPOSE_MOMENTUM, hmc_stream(chain), params.first_iteration + iteration, block);
    let normals = philox_normals(words);
    var sum = 0.0;
    for (var k = 0u; k < min(4u, DIM - 4u * block); k++) {
        let i = 4u * block + k;
        let at = i * chains + chain;
        let z = normals[k];
        // p = z / √inv_mass, so that p² · inv_mass / 2 = z² / 2.
        sum += 0.5 * z * z;
        let inv_mass = hmc_inv_mass(chain / params.chains_per_ensemble, i);
        let start = position[at];
        let slope = gradient[at];
        let momentum = z / sqrt(inv_mass) + 0.5 * step_size * slope;
        trajectory[at] = momentum;
        trajectory[at + DIM * chains] = start;
        trajectory[at + 2u * DIM * chains] = slope;
        position[at] = start + step_size * inv_mass * momentum;
    }
    kinetic[block * chains + chain] = sum;
    rows_end(chain);
}

// Adds up the kinetic energies of a group of blocks.
@compute @workgroup_size(LANES)
fn kinetic_groups(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    let group = place.y;
    if group >= KINETIC_GROUPS {
        return;
    }
    let chains = params.chains;
    var sum = vec2<f32>(0.0, 0.0);
    for (var block = group * KINETIC_GROUP; block < min((group + 1u) * KINETIC_GROUP, KINETIC_BLOCKS); block++) {
        sum = ex_accumulate(sum, kinetic[block * chains + chain]);
    }
    kinetic[(KINETIC_BLOCKS + 2u * group) * chains + chain] = sum.x;
    kinetic[(KINETIC_BLOCKS + 2u * group + 1u) * chains + chain] = sum.y;
    rows_end(chain);
}

fn rows_kinetic(chain: u32) -> vec2<f32> {
    let chains = params.chains;
    var sum = vec2<f32>(0.0, 0.0);
    for (var group = 0u; group < KINETIC_GROUPS; group++) {
        let whole = kinetic[(KINETIC_BLOCKS + 2u * group) * chains + chain];
        let rest = kinetic[(KINETIC_BLOCKS + 2u * group + 1u) * chains + chain];
        sum = accumulate(vec2<f32>(sum.x + whole, sum.y), rest);
    }
    return sum;
}

// Keeps the energies at the start, and makes the chain ready for its steps.
@compute @workgroup_size(LANES)
fn start(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    if place.y > 0u {
        return;
    }
    let sum = rows_kinetic(chain);
    hmc_store(CHAIN_KINETIC_WHOLE, chain, sum.x);
    hmc_store(CHAIN_KINETIC_REST, chain, sum.y);
    hmc_store(CHAIN_START_WHOLE, chain, hmc_load(CHAIN_NOW_WHOLE, chain));
    hmc_store(CHAIN_START_REST, chain, hmc_load(CHAIN_NOW_REST, chain));
    chain_state[hmc_state(CHAIN_STEP, chain)] = 0u;
    progress[hmc_state(ROW_STEPS, chain)] = rows_plan(chain).steps;
    rows_end(chain);
}

// Adds up the log density, whose parts the model's dispatches have left, and counts the step. Steps that the chain does
// not make are counted as well, so that `kick` knows them.
@compute @workgroup_size(LANES)
fn total(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    if place.y > 0u {
        return;
    }
    if rows_is_active(chain) {
        let value = rows_log_density(chain);
        let is_cut = progress[hmc_state(ROW_FAULT, chain)] != 0u;
        chain_state[hmc_state(CHAIN_NOW_WHOLE, chain)] = select(bitcast<u32>(value.x), POISON, is_cut);
        hmc_store(CHAIN_NOW_REST, chain, value.y);
    }
    chain_state[hmc_state(CHAIN_STEP, chain)] += 1u;
}

// The kick and, unless this is the last step, the next drift of one coordinate.
@compute @workgroup_size(LANES)
fn kick(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    let i = place.y;
    if i >= DIM {
        return;
    }
    let step = chain_state[hmc_state(CHAIN_STEP, chain)];
    let steps = progress[hmc_state(ROW_STEPS, chain)];
    if step > steps {
        return;
    }
    let step_size = rows_plan(chain).step_size;
    let is_last = step == steps;
    let at = i * params.chains + chain;
    let momentum = trajectory[at] + select(step_size, 0.5 * step_size, is_last) * gradient[at];
    trajectory[at] = momentum;
    if !is_last {
        position[at] += step_size * hmc_inv_mass(chain / params.chains_per_ensemble, i) * momentum;
    }
}

// The kinetic energy of four coordinates at the end of the trajectory.
@compute @workgroup_size(LANES)
fn end(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    let block = place.y;
    if block >= KINETIC_BLOCKS {
        return;
    }
    let chains = params.chains;
    var sum = 0.0;
    for (var k = 0u; k < min(4u, DIM - 4u * block); k++) {
        let i = 4u * block + k;
        let p = trajectory[i * chains + chain];
        sum += 0.5 * p * (p * hmc_inv_mass(chain / params.chains_per_ensemble, i));
    }
    kinetic[block * chains + chain] = sum;
    rows_end(chain);
}

// Accepts or rejects, and stores the numbers of the draw that are not its position.
@compute @workgroup_size(LANES)
fn decide(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    if place.y > 0u {
        return;
    }
    let chains = params.chains;
    let iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)];
    let kinetic_end = rows_kinetic(chain);
    let kinetic_start = vec2<f32>(hmc_load(CHAIN_KINETIC_WHOLE, chain), hmc_load(CHAIN_KINETIC_REST, chain));
    let before = vec2<f32>(hmc_load(CHAIN_START_WHOLE, chain), hmc_load(CHAIN_START_REST, chain));
    let after = vec2<f32>(hmc_load(CHAIN_NOW_WHOLE, chain), hmc_load(CHAIN_NOW_REST, chain));
    let parts = (before - after) + (kinetic_end - kinetic_start);
    let energy_error = parts.x + parts.y;
    let is_bad = tp_is_bad(energy_error);
    let is_divergent = is_bad || energy_error > MAX_ENERGY_ERROR;
    let word = philox_block(PURPOSE_ACCEPT, hmc_stream(chain), params.first_iteration + iteration, 0u).x;
    // u < exp(−ΔH), in logarithms: exp may flush to 0 where the uniform is smaller still.
    let is_accepted = !is_divergent && philox_neg_log_uniform(word) > energy_error;
    progress[hmc_state(ROW_ACCEPTED, chain)] = select(0u, 1u, is_accepted);

    let draw = iteration * DRAW_ROWS * chains + chain;
    let log_density = select(before, after, is_accepted);
    let kept = select(kinetic_start, kinetic_end, is_accepted);
    let accept_prob = select(exp(-max(energy_error, 0.0)), 0.0, is_divergent);
    hmc_store(CHAIN_NOW_WHOLE, chain, log_density.x);
    hmc_store(CHAIN_NOW_REST, chain, log_density.y);
    draws[draw + DRAW_LOG_DENSITY_WHOLE * chains] = bitcast<u32>(log_density.x);
    draws[draw + DRAW_LOG_DENSITY_REST * chains] = bitcast<u32>(log_density.y);
    draws[draw + DRAW_KINETIC * chains] = bitcast<u32>(kept.x + kept.y);
    draws[draw + DRAW_ACCEPT_PROB * chains] = bitcast<u32>(accept_prob);
    // A non-finite error is stored as +infinity, whichever pattern the driver made.
    draws[draw + DRAW_ENERGY_ERROR * chains] = select(bitcast<u32>(energy_error), 0x7f800000u, is_bad);
    rows_end(chain);
    let is_cut = progress[hmc_state(ROW_FAULT, chain)] != 0u;
    let is_whole = !is_cut && chain_state[hmc_state(CHAIN_STEP, chain)] >= rows_plan(chain).steps;
    draws[draw + DRAW_STATUS * chains] = select(0u, iteration + 1u, is_whole) | select(0u, DIVERGENT_BIT, is_divergent);
    chain_state[hmc_state(CHAIN_ITERATION, chain)] = iteration + 1u;
}

// Puts one coordinate back where the proposal was refused, and stores it.
@compute @workgroup_size(LANES)
fn keep(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let place = rows_place(workgroup, workgroups, lane);
    let chain = place.x;
    let i = place.y;
    if i >= DIM {
        return;
    }
    let chains = params.chains;
    let at = i * chains + chain;
    if progress[hmc_state(ROW_ACCEPTED, chain)] == 0u {
        position[at] = trajectory[at + DIM * chains];
        gradient[at] = trajectory[at + 2u * DIM * chains];
    }
    // `decide` has counted the iteration already.
    let iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)] - 1u;
    draws[iteration * DRAW_ROWS * chains + at] = bitcast<u32>(position[at]);
}
