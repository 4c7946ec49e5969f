// No density: the sum of the column, entry by entry.
fn log_density_grad(chain: u32) -> vec2<f32> {
    var sum = vec2<f32>(0.0, 0.0);
    for (var row = 0u; row < arrayLength(&columns); row++) {
        sum = accumulate(sum, columns[row]);
    }
    gradient[chain] = 0.0;
    return sum;
}
