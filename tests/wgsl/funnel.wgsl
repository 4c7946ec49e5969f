// Neal's funnel with two spokes: v ~ Normal(0, 1), x and y ~ Normal(0, exp(v / 2)).
fn log_density_grad(chain: u32) -> vec2<f32> {
    let v = position[chain];
    let x = position[params.chains + chain];
    let y = position[2u * params.chains + chain];
    let weight = exp(-v);
    var sum = accumulate(vec2<f32>(0.0, 0.0), -0.5 * v * v);
    sum = accumulate(sum, -0.5 * weight * (x * x + y * y) - v);
    gradient[chain] = -v + 0.5 * weight * (x * x + y * y) - 1.0;
    gradient[params.chains + chain] = -weight * x;
    gradient[2u * params.chains + chain] = -weight * y;
    return sum;
}
