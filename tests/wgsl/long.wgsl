// Standard normals; wastes indices[0] loop trips.
fn log_density_grad(chain: u32) -> vec2<f32> {
    var sum = vec2<f32>(0.0, 0.0);
    for (var i = 0u; i < DIM; i++) {
        let x = position[i * params.chains + chain];
        sum = accumulate(sum, -0.5 * x * x);
        gradient[i * params.chains + chain] = -x;
    }
    var waste = 0.0;
    for (var k = 0u; k < indices[0]; k++) {
        waste += columns[k & 3u];
    }
    return accumulate(sum, waste);
}
