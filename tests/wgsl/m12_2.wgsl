fn log_density_grad(chain: u32) -> vec2<f32> {
    var lp = vec2<f32>(0.0, 0.0);
    let q1 = position[(48u + 0u) * params.chains + chain];
    let q2 = position[(49u + 0u) * params.chains + chain];
    var g1: f32 = 0.0;
    var g2: f32 = 0.0;
    var a15 = array<f32, 11>();
    var a45 = array<f32, 11>();
    let v3 = q1 * q1;
    let v5 = v3 * (-0.5f);
    let v6 = exp(q2);
    let v7 = v6 * v6;
    let v8 = tp_log1p(v7);
    let v9 = -(v8);
    let v48 = v7 + (1.0f);
    let v49 = 1.0 / v48;
    let v50 = v6 * (2.0f);
    let v51 = v49 * v50;
    let v56 = -(q1);
    lp = accumulate(lp, v5);
    lp = accumulate(lp, q2);
    lp = accumulate(lp, v9);
    g1 += v56;
    for (var i = 0u; i < 11u; i++) {
        let v14 = q2 * columns[59u + i];
        a15[i] = exp(v14);
    }
    var s29: f32 = 0.0;
    for (var i = 0u; i < 48u; i++) {
        s29 += columns[48u + centring_code(chain, 0u + i)];
    }
    let v30 = q2 * s29;
    let v31 = -(v30);
    let v33 = (1.0f) - s29;
    lp = accumulate(lp, v31);
    var s52: f32 = 0.0;
    var s58: f32 = 0.0;
    {
        var block: f32 = 0.0;
        for (var i = 0u; i < 48u; i++) {
            let q0 = position[(0u + i) * params.chains + chain];
            let v16 = a15[centring_code(chain, 0u + i)];
            let v17 = q1 * columns[48u + centring_code(chain, 0u + i)];
            let v18 = q0 - v17;
            let v19 = v16 * v18;
            let v20 = v19 * v19;
            let v21 = (-0.5f) * v20;
            let v22 = v6 * v19;
            let v23 = q1 + v22;
            let v24 = tp_softplus(v23);
            let v25 = columns[0u + i] * v23;
            let v27 = v24 * columns[70u + i];
            let v28 = v25 + v27;
            let v34 = tp_inv_logit(v23);
            let v35 = columns[70u + i] * v34;
            let v36 = columns[0u + i] + v35;
            let v37 = v19 * v36;
            let v38 = v6 * v36;
            let v40 = v38 - v19;
            let v41 = v18 * v40;
            let v42 = v16 * v40;
            let v43 = columns[48u + centring_code(chain, 0u + i)] * v42;
            let v44 = v36 - v43;
            s52 += v37;
            s58 += v44;
            block += v28;
            block += v21;
            a45[centring_code(chain, 0u + i)] += v41;
            gradient[(0u + i) * params.chains + chain] = v42;
            if ((i & 31u) == 31u) { lp = accumulate(lp, block); block = 0.0; }
        }
        lp = accumulate(lp, block);
    }
    let v53 = s52 - v51;
    let v54 = v6 * v53;
    let v55 = v33 + v54;
    g1 += s58;
    g2 += v55;
    var s57: f32 = 0.0;
    for (var i = 0u; i < 11u; i++) {
        let v46 = a15[i] * a45[i];
        let v47 = columns[59u + i] * v46;
        s57 += v47;
    }
    g2 += s57;
    gradient[(48u + 0u) * params.chains + chain] = g1;
    gradient[(49u + 0u) * params.chains + chain] = g2;
    return lp;
}
