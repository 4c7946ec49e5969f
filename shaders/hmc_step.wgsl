// Hamiltonian Monte Carlo in steps that the host records one by one: a thread is a chain, and each chain counts its
// own iterations and leapfrog steps, so that the host may cut the stream of dispatches anywhere.
//
// One iteration is `begin`, as many `leapfrog` as the longest ensemble needs, `finish`. Plain HMC with a diagonal metric
// (Neal 2011, "MCMC using Hamiltonian dynamics", section 5.3.2.1, figure 2); energies are compared as (whole, rest)
// pairs, component by component.

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

// Log density and gradient at the positions as they are.
@compute @workgroup_size(LANES)
fn evaluate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chain = hmc_chain(workgroup, workgroups, lane);
    if chain >= params.chains {
        return;
    }
    let value = log_density_grad(chain);
    chain_state[hmc_state(CHAIN_NOW_WHOLE, chain)] = select(POISON, bitcast<u32>(value.x), hmc_is_whole());
    hmc_store(CHAIN_NOW_REST, chain, value.y);
}

// Draws the momentum, remembers where the iteration starts, and makes the first half kick and drift.
@compute @workgroup_size(LANES)
fn begin(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chain = hmc_chain(workgroup, workgroups, lane);
    if chain >= params.chains {
        return;
    }
    let chains = params.chains;
    let ensemble = chain / params.chains_per_ensemble;
    let iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)];
    let step_size = hmc_plan(iteration, ensemble).step_size;
    var kinetic = vec2<f32>(0.0, 0.0);
    let stream = hmc_stream(chain);
    for (var block = 0u; 4u * block < DIM; block++) {
        let words = philox_block(PURPOSE_MOMENTUM, stream, params.first_iteration + iteration, block);
        let normals = philox_normals(words);
        for (var k = 0u; k < min(4u, DIM - 4u * block); k++) {
            let i = 4u * block + k;
            let at = i * chains + chain;
            let z = normals[k];
            // p = z / √inv_mass, so that p² · inv_mass / 2 = z² / 2.
            kinetic = accumulate(kinetic, 0.5 * z * z);
            let inv_mass = hmc_inv_mass(ensemble, i);
            let start = position[at];
            let slope = gradient[at];
            let momentum = z / sqrt(inv_mass) + 0.5 * step_size * slope;
            trajectory[at] = momentum;
            trajectory[at + DIM * chains] = start;
            trajectory[at + 2u * DIM * chains] = slope;
            position[at] = start + step_size * inv_mass * momentum;
        }
    }
    hmc_store(CHAIN_KINETIC_WHOLE, chain, kinetic.x);
    hmc_store(CHAIN_KINETIC_REST, chain, kinetic.y);
    hmc_store(CHAIN_START_WHOLE, chain, hmc_load(CHAIN_NOW_WHOLE, chain));
    hmc_store(CHAIN_START_REST, chain, hmc_load(CHAIN_NOW_REST, chain));
    chain_state[hmc_state(CHAIN_STEP, chain)] = 0u;
}

// The gradient at the position that the step before has drifted to, then the kick and, unless this is the last step,
// the next drift: a full kick joins the halves of neighbouring steps, and each word of the state moves once.
@compute @workgroup_size(LANES)
fn leapfrog(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chain = hmc_chain(workgroup, workgroups, lane);
    if chain >= params.chains {
        return;
    }
    let chains = params.chains;
    let ensemble = chain / params.chains_per_ensemble;
    let plan = hmc_plan(chain_state[hmc_state(CHAIN_ITERATION, chain)], ensemble);
    let step = chain_state[hmc_state(CHAIN_STEP, chain)] + 1u;
    if step > plan.steps {
        return;
    }
    let value = log_density_grad(chain);
    let is_last = step == plan.steps;
    let kick = select(plan.step_size, 0.5 * plan.step_size, is_last);
    for (var i = 0u; i < DIM; i++) {
        let at = i * chains + chain;
        let momentum = trajectory[at] + kick * gradient[at];
        trajectory[at] = momentum;
        if !is_last {
            position[at] += plan.step_size * hmc_inv_mass(ensemble, i) * momentum;
        }
    }
    hmc_store(CHAIN_NOW_WHOLE, chain, value.x);
    hmc_store(CHAIN_NOW_REST, chain, value.y);
    // A step that was cut short does not count, and `finish` misses it.
    if hmc_is_whole() {
        chain_state[hmc_state(CHAIN_STEP, chain)] = step;
    }
}

// Accepts or rejects, and stores the draw.
@compute @workgroup_size(LANES)
fn finish(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let chain = hmc_chain(workgroup, workgroups, lane);
    if chain >= params.chains {
        return;
    }
    let chains = params.chains;
    let ensemble = chain / params.chains_per_ensemble;
    let iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)];
    var kinetic = vec2<f32>(0.0, 0.0);
    for (var i = 0u; i < DIM; i++) {
        let p = trajectory[i * chains + chain];
        kinetic = accumulate(kinetic, 0.5 * p * (p * hmc_inv_mass(ensemble, i)));
    }
    let kinetic_start = vec2<f32>(hmc_load(CHAIN_KINETIC_WHOLE, chain), hmc_load(CHAIN_KINETIC_REST, chain));
    let start = vec2<f32>(hmc_load(CHAIN_START_WHOLE, chain), hmc_load(CHAIN_START_REST, chain));
    let end = vec2<f32>(hmc_load(CHAIN_NOW_WHOLE, chain), hmc_load(CHAIN_NOW_REST, chain));
    let parts = (start - end) + (kinetic - kinetic_start);
    let energy_error = parts.x + parts.y;
    let is_bad = tp_is_bad(energy_error);
    let is_divergent = is_bad || energy_error > MAX_ENERGY_ERROR;
    let word = philox_block(PURPOSE_ACCEPT, hmc_stream(chain), params.first_iteration + iteration, 0u).x;
    // u < exp(−ΔH), in logarithms: exp may flush to 0 where the uniform is smaller still.
    let is_accepted = !is_divergent && philox_neg_log_uniform(word) > energy_error;

    let draw = iteration * DRAW_ROWS * chains + chain;
    for (var i = 0u; i < DIM; i++) {
        let at = i * chains + chain;
        if !is_accepted {
            position[at] = trajectory[at + DIM * chains];
            gradient[at] = trajectory[at + 2u * DIM * chains];
        }
        draws[draw + i * chains] = bitcast<u32>(position[at]);
    }
    let log_density = select(start, end, is_accepted);
    let kept = select(kinetic_start, kinetic, is_accepted);
    let accept_prob = select(exp(-max(energy_error, 0.0)), 0.0, is_divergent);
    hmc_store(CHAIN_NOW_WHOLE, chain, log_density.x);
    hmc_store(CHAIN_NOW_REST, chain, log_density.y);
    draws[draw + DRAW_LOG_DENSITY_WHOLE * chains] = bitcast<u32>(log_density.x);
    draws[draw + DRAW_LOG_DENSITY_REST * chains] = bitcast<u32>(log_density.y);
    draws[draw + DRAW_KINETIC * chains] = bitcast<u32>(kept.x + kept.y);
    draws[draw + DRAW_ACCEPT_PROB * chains] = bitcast<u32>(accept_prob);
    // A non-finite error is stored as +infinity, whichever pattern the driver made.
    draws[draw + DRAW_ENERGY_ERROR * chains] = select(bitcast<u32>(energy_error), 0x7f800000u, is_bad);
    let is_whole = chain_state[hmc_state(CHAIN_STEP, chain)] == hmc_plan(iteration, ensemble).steps;
    draws[draw + DRAW_STATUS * chains] = select(0u, iteration + 1u, is_whole) | select(0u, DIVERGENT_BIT, is_divergent);
    chain_state[hmc_state(CHAIN_ITERATION, chain)] = iteration + 1u;
}
