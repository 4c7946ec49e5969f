//! Sums of products of two operands, in registers: no product is written anywhere.

use super::kernels::Source;
use super::row_kernels::{add_total, per_lane, per_row, scatter, step};
use crate::num::lanes::vector::Vector;

/// Vectors of a tile.
const TILE: usize = 4;

/// An operand's tile of `T` vectors from element `i` on.
#[inline(always)]
unsafe fn tile<const W: usize, const T: usize, V: Vector>(source: Source, i: usize, lane: usize) -> [V; T] {
    let step = step::<W, V>();
    let mut x = [V::splat(0.0); T];
    // SAFETY: the caller's: the operand holds the tile's elements.
    unsafe {
        match source {
            Source::Lanes(from) => {
                for j in 0..T {
                    x[j] = V::load(from.add((i + j * step) * W + lane));
                }
            }
            Source::Scalar(from) => x = [per_lane::<W, V>(from, lane); T],
            Source::Column(from) => {
                for j in 0..T {
                    x[j] = per_row::<W, V>(from, i + j * step);
                }
            }
        }
    }
    x
}

/// `total += scale·Σ a[i]·b[i]`.
///
/// SAFETY: operands hold `n` elements of `W` lanes; the processor has the instructions of `V` and `S`.
#[inline(always)]
pub(super) unsafe fn sum<const W: usize, V: Vector, S: Vector>(
    n: usize,
    scale: f64,
    a: Source,
    b: Source,
    total: *mut f64,
) {
    #[inline(always)]
    unsafe fn run<const W: usize, V: Vector>(
        range: std::ops::Range<usize>,
        scale: f64,
        (a, b): (Source, Source),
        total: *mut f64,
        lane: usize,
    ) {
        let step = step::<W, V>();
        let mut sums = [V::splat(0.0); TILE];
        let mut i = range.start;
        // SAFETY: the caller's.
        unsafe {
            while i + TILE * step <= range.end {
                let (x, y) = (tile::<W, TILE, V>(a, i, lane), tile::<W, TILE, V>(b, i, lane));
                for j in 0..TILE {
                    sums[j] = x[j].mul_add(y[j], sums[j]);
                }
                i += TILE * step;
            }
            while i < range.end {
                let ([x], [y]) = (tile::<W, 1, V>(a, i, lane), tile::<W, 1, V>(b, i, lane));
                sums[0] = x.mul_add(y, sums[0]);
                i += step;
            }
            let [a, b, c, d] = sums;
            add_total::<W, V>(total, a.add(b).add(c.add(d)).mul(V::splat(scale)), lane);
        }
    }
    // SAFETY: the caller's.
    unsafe {
        if W == 1 {
            let whole = n - n % V::LANES;
            run::<W, V>(0..whole, scale, (a, b), total, 0);
            run::<W, S>(whole..n, scale, (a, b), total, 0);
        } else {
            for lane in (0..W).step_by(V::LANES) {
                run::<W, V>(0..n, scale, (a, b), total, lane);
            }
        }
    }
}

/// `out[codes[i]] += a[i]·b[i]`.
///
/// SAFETY: operands hold an element of `W` lanes for each code, `out` every code; the processor has the instructions of
/// `V` and `S`.
#[inline(always)]
pub(super) unsafe fn segment<const W: usize, V: Vector, S: Vector>(
    codes: &[u32],
    a: Source,
    b: Source,
    out: *mut f64,
) {
    #[inline(always)]
    unsafe fn run<const W: usize, const T: usize, V: Vector>(
        codes: &[u32],
        range: std::ops::Range<usize>,
        (a, b): (Source, Source),
        out: *mut f64,
        lane: usize,
    ) -> usize {
        let step = step::<W, V>();
        let mut i = range.start;
        // SAFETY: the caller's.
        unsafe {
            while i + T * step <= range.end {
                let (x, y) = (tile::<W, T, V>(a, i, lane), tile::<W, T, V>(b, i, lane));
                let own = codes.get_unchecked(i..i + T * step);
                if W > 1 && own.iter().all(|code| *code == own[0]) {
                    // A run of one code is added up in registers.
                    let out = out.add(own[0] as usize * W + lane);
                    let mut sum = V::load(out);
                    for j in 0..T {
                        sum = x[j].mul_add(y[j], sum);
                    }
                    sum.store(out);
                    i += T * step;
                    continue;
                }
                for j in 0..T {
                    let at = codes.as_ptr().add(i + j * step);
                    if W == 1 {
                        scatter(out, at, x[j].mul(y[j]));
                    } else {
                        let out = out.add(*at as usize * W + lane);
                        x[j].mul_add(y[j], V::load(out)).store(out);
                    }
                }
                i += T * step;
            }
        }
        i
    }
    let n = codes.len();
    // SAFETY: the caller's.
    unsafe {
        if W == 1 {
            let whole = run::<W, 1, V>(codes, 0..n, (a, b), out, 0);
            run::<W, 1, S>(codes, whole..n, (a, b), out, 0);
        } else {
            for lane in (0..W).step_by(V::LANES) {
                let whole = run::<W, TILE, V>(codes, 0..n, (a, b), out, lane);
                run::<W, 1, V>(codes, whole..n, (a, b), out, lane);
            }
        }
    }
}
