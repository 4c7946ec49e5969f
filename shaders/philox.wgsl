// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): the same words as src/rng/philox.rs, whose page names the counters.
// `philox_high` stands in product_wide.wgsl or product_narrow.wgsl.

fn philox_round(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    let m0 = 0xd2511f53u;
    let m1 = 0xcd9e8d57u;
    return vec4<u32>(
        philox_high(m1, counter.z) ^ counter.y ^ key.x,
        m1 * counter.z,
        philox_high(m0, counter.x) ^ counter.w ^ key.y,
        m0 * counter.x,
    );
}

// Ten rounds written out: loop trips are scarce on software Vulkan.
fn philox4x32(start: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    let weyl = vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    var counter = philox_round(start, key);
    counter = philox_round(counter, key + weyl);
    counter = philox_round(counter, key + 2u * weyl);
    counter = philox_round(counter, key + 3u * weyl);
    counter = philox_round(counter, key + 4u * weyl);
    counter = philox_round(counter, key + 5u * weyl);
    counter = philox_round(counter, key + 6u * weyl);
    counter = philox_round(counter, key + 7u * weyl);
    counter = philox_round(counter, key + 8u * weyl);
    return philox_round(counter, key + 9u * weyl);
}

// A chain's name in its streams: the number of its replicate, and its own number within that.
struct Stream {
    replicate: u32,
    chain: u32,
}

// Block `block` of the stream (params.seed, replicate, chain, iteration, purpose).
fn philox_block(purpose: u32, stream: Stream, iteration: u32, block: u32) -> vec4<u32> {
    let tag = (purpose << 24u) | (block & 0xffffffu);
    return philox4x32(
        vec4<u32>(tag, iteration, stream.chain, stream.replicate),
        vec2<u32>(params.seed_low, params.seed_high),
    );
}

// −ln of the uniform (word + ½) · 2⁻³², accurate at both ends: drivers promise little of log near 1. Above ½ it is
// −ln(1 − v) = 2 artanh(v / (2 − v)); the first term left out is below 1e-8.
fn philox_neg_log_uniform(word: u32) -> f32 {
    if word < 0x80000000u {
        return -log((f32(word) + 0.5) * 2.3283064365386963e-10);
    }
    let v = (f32(~word) + 0.5) * 2.3283064365386963e-10;
    let z = v / (2.0 - v);
    let s = z * z;
    let series = 1.0 + s * (0.33333334 + s * (0.2 + s * (0.14285715
        + s * (0.11111111 + s * (0.09090909 + s * 0.07692308)))));
    return 2.0 * z * series;
}

// Cosine and sine of a full turn times (word + ½) · 2⁻³². The quadrant is found in integers, and the polynomials on
// [−π/4, π/4] are ours: Vulkan lets sin and cos be wrong by 2⁻¹¹.
fn philox_turn(word: u32) -> vec2<f32> {
    let quadrant = (word + 0x20000000u) >> 30u;
    let offset = bitcast<i32>(word - (quadrant << 30u));
    let x = (f32(offset) + 0.5) * 1.4629180792671596e-9;
    let s = x * x;
    let sine = x * (1.0 + s * (-0.16666667 + s * (0.008333333 + s * (-0.00019841270 + s * 2.7557319e-6))));
    let cosine = 1.0 + s * (-0.5 + s * (0.041666668 + s * (-0.0013888889 + s * (2.4801587e-5 - s * 2.7557319e-7))));
    switch quadrant {
        case 0u: { return vec2<f32>(cosine, sine); }
        case 1u: { return vec2<f32>(-sine, cosine); }
        case 2u: { return vec2<f32>(-cosine, -sine); }
        default: { return vec2<f32>(sine, -cosine); }
    }
}

// Four standard normals from the four words of a block (Box–Muller).
fn philox_normals(words: vec4<u32>) -> vec4<f32> {
    let first = sqrt(2.0 * philox_neg_log_uniform(words.x)) * philox_turn(words.y);
    let second = sqrt(2.0 * philox_neg_log_uniform(words.z)) * philox_turn(words.w);
    return vec4<f32>(first, second);
}
