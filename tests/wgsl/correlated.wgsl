// Two normals with the correlation columns[0] and the sds columns[1], columns[2].
fn log_density_grad(chain: u32) -> vec2<f32> {
    let rho = columns[0];
    let x = position[chain] / columns[1];
    let y = position[params.chains + chain] / columns[2];
    let scale = 1.0 / (1.0 - rho * rho);
    gradient[chain] = scale * (rho * y - x) / columns[1];
    gradient[params.chains + chain] = scale * (rho * x - y) / columns[2];
    return accumulate(vec2<f32>(0.0, 0.0), -0.5 * scale * (x * x - 2.0 * rho * x * y + y * y));
}
