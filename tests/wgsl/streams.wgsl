// No density: rows 0 to 7 of the gradient are the halves of the four words of a block, rows 8 to 11 its normals, row 12
// −ln of the uniform of its first word. The block is number indices[chain] of iteration 7's momentum stream.
fn log_density_grad(chain: u32) -> vec2<f32> {
    let words = philox_block(PURPOSE_MOMENTUM, hmc_stream(chain), 7u, indices[chain]);
    let normals = philox_normals(words);
    for (var k = 0u; k < 4u; k++) {
        gradient[2u * k * params.chains + chain] = f32(words[k] >> 16u);
        gradient[(2u * k + 1u) * params.chains + chain] = f32(words[k] & 0xffffu);
        gradient[(8u + k) * params.chains + chain] = normals[k];
    }
    gradient[12u * params.chains + chain] = philox_neg_log_uniform(words.x);
    return vec2<f32>(0.0, 0.0);
}
