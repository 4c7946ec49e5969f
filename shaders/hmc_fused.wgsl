// Whole iterations of Hamiltonian Monte Carlo in one dispatch: a thread is a chain and keeps its state in its own memory.
//
// The same algorithm as hmc_step.wgsl, in the same order, so that both make the same draws up to rounding. A chain
// goes on until its ensemble's limit of iterations, or its budget of leapfrog steps, is used up; what is under way then
// is put into the buffers, and the next dispatch takes it up. So the host may cut the work anywhere.
//
// Every step of a trajectory but the last asks for the gradient alone.
//
// A template (src/gpu/fused_shader.rs): a line `//@each LINE` stands for LINE once per coordinate. `//@held LINE` is the
// same, only where start and metric lie in the thread's own memory, `//@stored LINE` only where they stay in the buffers:
// there `position` and `gradient` hold the start of the iteration until a proposal is accepted. In such a line x@ is the
// position, d@ the gradient, p@ the momentum, b@ and e@ position and gradient at the start of the iteration, m@
// inv_mass_diag, and @i the coordinate's number. `//@shared_columns` and `//@own_columns` stand for what reads the data
// that all ensembles share, or that each has of its own.

//@declare

// The momenta's normals, four from each block of the stream.
fn hmc_momentum(stream: Stream, iteration: u32) {
    for (var block = 0u; 4u * block < DIM; block++) {
        let z = philox_normals(philox_block(PURPOSE_MOMENTUM, stream, params.first_iteration + iteration, block));
        //@momentum
    }
}

// A budget of 0 asks for log density and gradient at the positions as they are. That goes through the same loop, so that
// the log density is compiled once: it is the most of the text.
@compute @workgroup_size(LANES)
fn iterate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Before any branch: software Vulkan loads one word for all lanes only where all are sure to be active.
    //@shared_columns
    let chain = hmc_chain(workgroup, workgroups, lane);
    if chain >= params.chains {
        return;
    }
    let chains = params.chains;
    let ensemble = chain / params.chains_per_ensemble;
    let is_evaluation = params.budget == 0u;
    let limit = hmc_limit(ensemble);
    var iteration = chain_state[hmc_state(CHAIN_ITERATION, chain)];
    if iteration >= limit && !is_evaluation {
        return;
    }
    // Steps of the iteration under way, and above them divergences since the last draw that was kept.
    let counts = chain_state[hmc_state(CHAIN_STEP, chain)];
    var step = select(counts & 0xffffu, 0u, is_evaluation);
    var diverged = counts >> 16u;
    var now = vec2<f32>(hmc_load(CHAIN_NOW_WHOLE, chain), hmc_load(CHAIN_NOW_REST, chain));
    var start = vec2<f32>(hmc_load(CHAIN_START_WHOLE, chain), hmc_load(CHAIN_START_REST, chain));
    var kinetic_start = vec2<f32>(hmc_load(CHAIN_KINETIC_WHOLE, chain), hmc_load(CHAIN_KINETIC_REST, chain));
    let stream = hmc_stream(chain);
    //@own_columns
    //@tuned
    //@each x@ = position[@i * chains + chain];
    //@held d@ = gradient[@i * chains + chain];
    //@held m@ = hmc_inv_mass(ensemble, @i);
    if step > 0u {
        //@each p@ = trajectory[@i * chains + chain];
        //@held b@ = trajectory[(DIM + @i) * chains + chain];
        //@held e@ = trajectory[(2u * DIM + @i) * chains + chain];
        //@stored x@ = trajectory[(DIM + @i) * chains + chain];
    }
    var budget = max(params.budget, 1u);
    while (iteration < limit || is_evaluation) && budget > 0u {
        let plan = hmc_plan(iteration, ensemble);
        if step == 0u && !is_evaluation {
            hmc_momentum(stream, iteration);
            // p = z / √inv_mass, so that p² · inv_mass / 2 = z² / 2.
            kinetic_start = vec2<f32>(0.0, 0.0);
            //@each kinetic_start = accumulate(kinetic_start, 0.5 * p@ * p@);
            start = now;
            //@held b@ = x@;
            //@held e@ = d@;
            //@held p@ = p@ / sqrt(m@) + 0.5 * plan.step_size * d@;
            //@stored p@ = p@ / sqrt(m@) + 0.5 * plan.step_size * gradient[@i * chains + chain];
            //@each x@ = x@ + plan.step_size * m@ * p@;
        }
        let end = select(min(plan.steps, step + budget), 1u, is_evaluation);
        budget -= end - step;
        // A full kick joins the halves of neighbouring steps.
        let inner = select(min(end, plan.steps - 1u), 0u, is_evaluation);
        while step < inner {
            step += 1u;
            only_grad(chain);
            //@each p@ = fma(plan.step_size, d@, p@);
            //@each x@ = fma(plan.step_size * m@, p@, x@);
        }
        if step == end {
            break;
        }
        step += 1u;
        now = log_density_grad(chain);
        if is_evaluation {
            //@each gradient[@i * chains + chain] = d@;
            break;
        }
        // After the last step there is half a kick, and no drift.
        //@each p@ = fma(0.5 * plan.step_size, d@, p@);
        var kinetic = vec2<f32>(0.0, 0.0);
        //@each kinetic = accumulate(kinetic, 0.5 * p@ * (p@ * m@));
        let parts = (start - now) + (kinetic - kinetic_start);
        let energy_error = parts.x + parts.y;
        let is_bad = tp_is_bad(energy_error);
        let is_divergent = is_bad || energy_error > MAX_ENERGY_ERROR;
        let word = philox_block(PURPOSE_ACCEPT, stream, params.first_iteration + iteration, 0u).x;
        // u < exp(−ΔH), in logarithms: exp may flush to 0 where the uniform is smaller still.
        let is_accepted = !is_divergent && philox_neg_log_uniform(word) > energy_error;
        //@held x@ = select(b@, x@, is_accepted);
        //@held d@ = select(e@, d@, is_accepted);
        if is_accepted {
            //@stored position[@i * chains + chain] = x@;
            //@stored gradient[@i * chains + chain] = d@;
        } else {
            //@stored x@ = position[@i * chains + chain];
        }
        now = select(start, now, is_accepted);
        diverged = min(diverged + select(0u, 1u, is_divergent), DIVERGENCES_MOST);
        iteration += 1u;
        step = 0u;
        // The last of every `thin` iterations is kept.
        let counted = params.since_kept + iteration;
        if counted % params.thin != 0u {
            continue;
        }
        let kept_draws = counted / params.thin;
        let draw = (kept_draws - 1u) * DRAW_ROWS * chains + chain;
        //@each draws[draw + @i * chains] = bitcast<u32>(x@);
        let kept = select(kinetic_start, kinetic, is_accepted);
        let accept_prob = select(exp(-max(energy_error, 0.0)), 0.0, is_divergent);
        draws[draw + DRAW_LOG_DENSITY_WHOLE * chains] = bitcast<u32>(now.x);
        draws[draw + DRAW_LOG_DENSITY_REST * chains] = bitcast<u32>(now.y);
        draws[draw + DRAW_KINETIC * chains] = bitcast<u32>(kept.x + kept.y);
        draws[draw + DRAW_ACCEPT_PROB * chains] = bitcast<u32>(accept_prob);
        // A non-finite error is stored as +infinity, whichever pattern the driver made.
        draws[draw + DRAW_ENERGY_ERROR * chains] = select(bitcast<u32>(energy_error), 0x7f800000u, is_bad);
        draws[draw + DRAW_STATUS * chains] = select(0u, kept_draws, hmc_is_whole())
            | (diverged << DIVERGENCES_SHIFT)
            | select(0u, DIVERGENT_BIT, diverged > 0u);
        diverged = 0u;
    }
    let is_whole = hmc_is_whole();
    if is_evaluation {
        chain_state[hmc_state(CHAIN_NOW_WHOLE, chain)] = select(POISON, bitcast<u32>(now.x), is_whole);
        hmc_store(CHAIN_NOW_REST, chain, now.y);
        return;
    }
    // A chain whose loops were cut short stays where it was, and the host misses it.
    if !is_whole {
        return;
    }
    //@held position[@i * chains + chain] = x@;
    //@held gradient[@i * chains + chain] = d@;
    if step > 0u {
        //@each trajectory[@i * chains + chain] = p@;
        //@held trajectory[(DIM + @i) * chains + chain] = b@;
        //@held trajectory[(2u * DIM + @i) * chains + chain] = e@;
        //@stored trajectory[(DIM + @i) * chains + chain] = x@;
    }
    chain_state[hmc_state(CHAIN_ITERATION, chain)] = iteration;
    chain_state[hmc_state(CHAIN_STEP, chain)] = step | (diverged << 16u);
    hmc_store(CHAIN_NOW_WHOLE, chain, now.x);
    hmc_store(CHAIN_NOW_REST, chain, now.y);
    hmc_store(CHAIN_START_WHOLE, chain, start.x);
    hmc_store(CHAIN_START_REST, chain, start.y);
    hmc_store(CHAIN_KINETIC_WHOLE, chain, kinetic_start.x);
    hmc_store(CHAIN_KINETIC_REST, chain, kinetic_start.y);
}
