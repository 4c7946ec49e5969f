// Five independent standard normals.
fn log_density_grad(chain: u32) -> vec2<f32> {
    var sum = vec2<f32>(0.0, 0.0);
    for (var i = 0u; i < 5u; i++) {
        let x = position[i * params.chains + chain];
        sum = accumulate(sum, -0.5 * x * x);
        gradient[i * params.chains + chain] = -x;
    }
    return sum;
}
