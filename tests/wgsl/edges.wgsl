// No density: the polar pieces of the normals at the word indices[chain], and whether the position is bad.
fn log_density_grad(chain: u32) -> vec2<f32> {
    let turn = philox_turn(indices[chain]);
    gradient[chain] = turn.x;
    gradient[params.chains + chain] = turn.y;
    gradient[2u * params.chains + chain] = philox_neg_log_uniform(indices[chain]);
    gradient[3u * params.chains + chain] = select(0.0, 1.0, tp_is_bad(position[chain]));
    return vec2<f32>(0.0, 0.0);
}
