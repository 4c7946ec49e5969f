// Numbers as unevaluated sums (high, low) of two f32, for the few scalars that multiply a sum over a long table: a
// relative error of 6e-8 there would be 0.06 in the log density of a million rows.
//
// Error-free sums (Knuth 1969) and products (Dekker 1971, with a split by bits). Compilers that reorder f32 arithmetic
// would fold them, so intermediate results pass through `ex_opaque`, which no compiler can see through.

// x itself: there are never 2^31 chains, but the compiler cannot know.
fn ex_opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ (params.chains >> 31u));
}

// a + b and its rounding error.
fn ex_sum(a: f32, b: f32) -> vec2<f32> {
    let s = ex_opaque(a + b);
    let c = ex_opaque(s - a);
    return vec2<f32>(s, (a - ex_opaque(s - c)) + (b - c));
}

// The upper 12 bits of the significand; what remains has 12 bits too, so that products of such halves are exact.
fn ex_upper(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// a · b and its rounding error.
fn ex_product(a: f32, b: f32) -> vec2<f32> {
    let p = ex_opaque(a * b);
    let a_upper = ex_upper(a);
    let a_lower = a - a_upper;
    let b_upper = ex_upper(b);
    let b_lower = b - b_upper;
    return vec2<f32>(p, ((a_upper * b_upper - p) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower);
}

// Relative error some 2^-44, as of the product and the quotient.
fn ex_add(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let s = ex_sum(a.x, b.x);
    return ex_sum(s.x, s.y + (a.y + b.y));
}

fn ex_mul(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let p = ex_product(a.x, b.x);
    return ex_sum(p.x, p.y + (a.x * b.y + a.y * b.x));
}

// a · b rounded once: low parts are smaller than half a unit of the rounded product, and would be lost if added to it.
fn ex_scaled(a: vec2<f32>, b: vec2<f32>) -> f32 {
    let p = ex_product(a.x, b.x);
    return p.x + (p.y + (a.x * b.y + a.y * b.x));
}

fn ex_div(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let q = ex_opaque(a.x / b.x);
    let rest = ex_add(a, -ex_mul(vec2<f32>(q, 0.0), b));
    return ex_sum(q, rest.x / b.x);
}

// e^a with a relative error of 2e-11: a = k ln 2 + r, Taylor's series in r, the terms beyond the fourth in plain f32.
// Beyond 80, where no model should be, it is plain exp.
fn ex_exp(a: vec2<f32>) -> vec2<f32> {
    if !(abs(a.x) < 80.0) {
        return vec2<f32>(exp(a.x), 0.0);
    }
    let k = round(a.x * 1.442695);
    // ln 2 = 0.693359375 - 2.1219444e-4; the first has 9 bits, so that its multiples are exact.
    let whole = ex_sum(a.x, -k * 0.693359375);
    let near = vec2<f32>(whole.x, whole.y + a.y);
    let r = ex_add(near, ex_mul(vec2<f32>(k, 0.0), vec2<f32>(2.12194442e-4, -1.64659497e-12)));
    let r2 = ex_mul(r, r);
    let r3 = ex_mul(r2, r);
    let r4 = ex_mul(r2, r2);
    var tail = 2.7557319e-7;
    tail = tail * r.x + 2.7557319e-6;
    tail = tail * r.x + 2.4801587e-5;
    tail = tail * r.x + 1.9841270e-4;
    tail = tail * r.x + 1.3888889e-3;
    tail = tail * r.x + 8.3333333e-3;
    var sum = ex_mul(r4, vec2<f32>(0.0416666679, -1.24176347e-9));
    sum = ex_add(sum, vec2<f32>(tail * r.x * r4.x, 0.0));
    sum = ex_add(sum, ex_mul(r3, vec2<f32>(0.166666672, -4.96705388e-9)));
    sum = ex_add(sum, 0.5 * r2);
    sum = ex_add(sum, r);
    sum = ex_add(sum, vec2<f32>(1.0, 0.0));
    return sum * bitcast<f32>(u32(i32(k) + 127) << 23u);
}

// Adds a term of any size to a sum (whole part, remainder): the term's own whole part is added apart, so that only
// remainders are rounded.
fn ex_accumulate(sum: vec2<f32>, term: f32) -> vec2<f32> {
    let k = round(term);
    return accumulate(vec2<f32>(sum.x + k, sum.y), term - k);
}
