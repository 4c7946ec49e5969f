// What all drivers read of the host's settings and keep of a chain, by name.

struct Plan {
    step_size: f32,
    steps: u32,
}

fn hmc_chain(workgroup: vec3<u32>, workgroups: vec3<u32>, lane: u32) -> u32 {
    return (workgroup.y * workgroups.x + workgroup.x) * LANES + lane;
}

fn hmc_state(row: u32, chain: u32) -> u32 {
    return row * params.chains + chain;
}

fn hmc_load(row: u32, chain: u32) -> f32 {
    return bitcast<f32>(chain_state[hmc_state(row, chain)]);
}

fn hmc_store(row: u32, chain: u32, value: f32) {
    chain_state[hmc_state(row, chain)] = bitcast<u32>(value);
}

fn hmc_inv_mass(ensemble: u32, i: u32) -> f32 {
    return bitcast<f32>(settings[ensemble * DIM + i]);
}

// The code of a level's centring weight.
fn hmc_centring_code(ensemble: u32, level: u32) -> u32 {
    return settings[params.ensembles * DIM + ensemble * params.levels + level];
}

// The same by chain, for the log density.
fn centring_code(chain: u32, level: u32) -> u32 {
    return hmc_centring_code(chain / params.chains_per_ensemble, level);
}

// Iterations of the block that the ensemble may finish before the host, or the adaptation, looks at it.
fn hmc_limit(ensemble: u32) -> u32 {
    return settings[params.ensembles * (DIM + params.levels) + ensemble];
}

// The names of a chain's random streams. An ensemble's chains follow those of the same replicate's ensembles before it,
// so that they are numbered as in a run of the replicate alone.
fn hmc_stream(chain: u32) -> Stream {
    let ensemble = chain / params.chains_per_ensemble;
    let at = params.ensembles * (DIM + params.levels + 1u) + 2u * ensemble;
    return Stream(settings[at], settings[at + 1u] + (chain - ensemble * params.chains_per_ensemble));
}

fn hmc_plan(iteration: u32, ensemble: u32) -> Plan {
    let at = params.ensembles * (DIM + params.levels + 3u) + 2u * (iteration * params.ensembles + ensemble);
    return Plan(bitcast<f32>(settings[at]), settings[at + 1u]);
}

// Whether all loops so far ran to their ends. Software Vulkan ends the loops of an invocation early, without a word, after
// 65,535 trips in total: each is then left after its first trip, and so is this one, of two trips that no compiler can
// foresee.
fn hmc_is_whole() -> bool {
    var trips = 0u;
    for (var k = 0u; k <= min(params.chains, 1u); k++) {
        trips += 1u;
    }
    return trips == 2u;
}

