// Varying intercepts, non-centred: surv ~ Binomial(density, inv_logit(a + sigma · z[row])), a and z standard normal,
// log sigma normal. columns = surv [48], density [48]; position = a, log sigma, z [48].
fn log_density_grad(chain: u32) -> vec2<f32> {
    let n = params.chains;
    let a = position[chain];
    let log_sigma = position[n + chain];
    let sigma = exp(log_sigma);
    var sum = accumulate(vec2<f32>(0.0, 0.0), -0.5 * a * a - 0.5 * log_sigma * log_sigma);
    var slope_a = -a;
    var slope_sigma = 0.0;
    for (var row = 0u; row < 48u; row++) {
        let z = position[(2u + row) * n + chain];
        let eta = a + sigma * z;
        let survived = columns[row];
        let density = columns[48u + row];
        let e = exp(-abs(eta));
        let softplus = max(eta, 0.0) + log(1.0 + e);
        let p = select(e, 1.0, eta >= 0.0) / (1.0 + e);
        let slope = survived - density * p;
        sum = accumulate(sum, survived * eta - density * softplus - 0.5 * z * z);
        slope_a += slope;
        slope_sigma += slope * z;
        gradient[(2u + row) * n + chain] = slope * sigma - z;
    }
    gradient[chain] = slope_a;
    gradient[n + chain] = slope_sigma * sigma - log_sigma;
    return sum;
}
