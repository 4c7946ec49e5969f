fn log_density_grad(chain: u32) -> vec2<f32> {
    var lp = vec2<f32>(0.0, 0.0);
    let q1 = position[(48u + 0u) * params.chains + chain];
    let q2 = position[(49u + 0u) * params.chains + chain];
    var g1: f32 = 0.0;
    var g2: f32 = 0.0;
    let v3 = q1 * q1;
    let v5 = v3 * (-0.5f);
    let v6 = exp(q2);
    let v7 = v6 * v6;
    let v8 = tp_log1p(v7);
    let v9 = -(v8);
    let v12 = -(q2);
    let v13 = exp(v12);
    let v14 = v13 * v13;
    let v16 = (-0.5f) * v14;
    let v23 = q2 * (-48.0f);
    let v33 = -(v14);
    let v35 = v13 * (2.0f);
    let v40 = v7 + (1.0f);
    let v41 = 1.0 / v40;
    let v42 = v6 * (2.0f);
    let v43 = v41 * v42;
    let v44 = v6 * v43;
    let v46 = -(q1);
    lp = accumulate(lp, v5);
    lp = accumulate(lp, q2);
    lp = accumulate(lp, v9);
    lp = accumulate(lp, v23);
    g1 += v46;
    var s24: f32 = 0.0;
    var s47: f32 = 0.0;
    {
        var block: f32 = 0.0;
        for (var i = 0u; i < 48u; i++) {
            let q0 = position[(0u + i) * params.chains + chain];
            let v11 = q0 - q1;
            let v15 = v11 * v11;
            let v17 = tp_softplus(q0);
            let v18 = q0 * columns[0u + i];
            let v20 = v17 * columns[48u + i];
            let v21 = v18 + v20;
            let v28 = tp_inv_logit(q0);
            let v29 = columns[48u + i] * v28;
            let v30 = columns[0u + i] + v29;
            let v34 = v11 * v33;
            let v39 = v30 + v34;
            s24 += v15;
            s47 += v11;
            block += v21;
            gradient[(0u + i) * params.chains + chain] = v39;
            if ((i & 31u) == 31u) { lp = accumulate(lp, block); block = 0.0; }
        }
        lp = accumulate(lp, block);
    }
    let v25 = v16 * s24;
    let v31 = (-0.5f) * s24;
    let v36 = v31 * v35;
    let v37 = v13 * v36;
    let v38 = (-47.0f) - v37;
    let v45 = v38 - v44;
    let v48 = v14 * s47;
    lp = accumulate(lp, v25);
    g1 += v48;
    g2 += v45;
    gradient[(48u + 0u) * params.chains + chain] = g1;
    gradient[(49u + 0u) * params.chains + chain] = g2;
    return lp;
}
