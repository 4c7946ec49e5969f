// No density: row i of the gradient is function i of tests/conformance/special.rs at the position's coordinate i.
fn log_density_grad(chain: u32) -> vec2<f32> {
    let n = params.chains;
    gradient[chain] = exp(position[chain]);
    gradient[n + chain] = log(position[n + chain]);
    gradient[2u * n + chain] = tp_log1p(position[2u * n + chain]);
    gradient[3u * n + chain] = tp_expm1(position[3u * n + chain]);
    gradient[4u * n + chain] = tp_inv_logit(position[4u * n + chain]);
    gradient[5u * n + chain] = tp_softplus(position[5u * n + chain]);
    gradient[6u * n + chain] = tp_lgamma(position[6u * n + chain]);
    gradient[7u * n + chain] = tp_digamma(position[7u * n + chain]);
    gradient[8u * n + chain] = tp_std_normal_cdf(position[8u * n + chain]);
    gradient[9u * n + chain] = tp_log_std_normal_cdf(position[9u * n + chain]);
    return vec2<f32>(0.0, 0.0);
}
