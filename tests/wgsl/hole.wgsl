// A standard normal whose log density is the bit pattern indices[0] above 0.5: NaN or an infinity.
fn log_density_grad(chain: u32) -> vec2<f32> {
    let x = position[chain];
    gradient[chain] = -x;
    if x > 0.5 {
        return vec2<f32>(bitcast<f32>(indices[0]), 0.0);
    }
    return accumulate(vec2<f32>(0.0, 0.0), -0.5 * x * x);
}
