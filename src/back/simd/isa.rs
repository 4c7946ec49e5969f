//! The kernels compiled for each instruction set: one function per kind of instruction and set, so that the compiler
//! works on many small functions and not on one that holds everything.

use super::code::Signs;
use super::kernels::{self, Source};
use super::products;
use super::row_kernels::{self, RowsAt};
use crate::ir::{Binary, Unary};
use crate::num::lanes::vector::{One, Pair};
#[cfg(target_arch = "x86_64")]
use crate::num::lanes::x86;

/// The kernels of one instruction set.
///
/// SAFETY, of all: the processor has the set; operands and results hold `n` elements (or as many as there are codes)
/// of `W` lanes, and a result overlaps no operand.
pub(super) trait Isa {
    unsafe fn unary<const W: usize>(op: Unary, n: usize, x: Source, out: *mut f64);
    unsafe fn binary<const W: usize>(op: Binary, n: usize, a: Source, b: Source, out: *mut f64);
    unsafe fn multiply_add<const W: usize>(
        n: usize,
        signs: Signs,
        abc: (Source, Source, Source),
        out: *mut f64,
    );
    unsafe fn select<const W: usize>(n: usize, c: Source, a: Source, b: Source, out: *mut f64);
    unsafe fn softplus_inv_logit<const W: usize>(
        n: usize,
        x: Source,
        softplus: *mut f64,
        inv_logit: *mut f64,
    );
    unsafe fn gather<const W: usize>(codes: &[u32], source: *const f64, out: *mut f64);
    unsafe fn sum<const W: usize>(n: usize, x: Source, total: *mut f64);
    unsafe fn segment<const W: usize>(codes: &[u32], x: Source, out: *mut f64);
    unsafe fn accumulate<const W: usize>(n: usize, x: Source, out: *mut f64);
    unsafe fn sum_product<const W: usize>(n: usize, scale: f64, a: Source, b: Source, total: *mut f64);
    unsafe fn segment_product<const W: usize>(codes: &[u32], a: Source, b: Source, out: *mut f64);
    unsafe fn rows<const W: usize>(rows: &RowsAt);
}

macro_rules! instruction_set {
    ($(#[$doc:meta])* $name:ident, scalar: $scalar:literal, fma: $fma:literal, vector: $vector:ty $(, $feature:meta)?) => {
        $(#[$doc])*
        pub(super) struct $name;

        // SAFETY: every body passes its own contract on.
        impl Isa for $name {
            $(#[$feature])?
            unsafe fn unary<const W: usize>(op: Unary, n: usize, x: Source, out: *mut f64) {
                unsafe { kernels::unary::<W, $scalar, $fma>(op, n, x, out) }
            }
            $(#[$feature])?
            unsafe fn binary<const W: usize>(op: Binary, n: usize, a: Source, b: Source, out: *mut f64) {
                unsafe { kernels::binary::<W, $scalar, $fma>(op, n, a, b, out) }
            }
            $(#[$feature])?
            unsafe fn multiply_add<const W: usize>(
                n: usize,
                signs: Signs,
                abc: (Source, Source, Source),
                out: *mut f64,
            ) {
                unsafe { kernels::multiply_add::<W, $scalar, $fma>(n, signs, abc, out) }
            }
            $(#[$feature])?
            unsafe fn select<const W: usize>(n: usize, c: Source, a: Source, b: Source, out: *mut f64) {
                unsafe { kernels::select::<W, $scalar>(n, c, a, b, out) }
            }
            $(#[$feature])?
            unsafe fn softplus_inv_logit<const W: usize>(n: usize, x: Source, s: *mut f64, p: *mut f64) {
                unsafe { kernels::softplus_inv_logit::<W, $scalar, $fma>(n, x, s, p) }
            }
            $(#[$feature])?
            unsafe fn gather<const W: usize>(codes: &[u32], source: *const f64, out: *mut f64) {
                unsafe { kernels::gather::<W>(codes, source, out) }
            }
            $(#[$feature])?
            unsafe fn sum<const W: usize>(n: usize, x: Source, total: *mut f64) {
                unsafe { kernels::sum::<W, $scalar>(n, x, total) }
            }
            $(#[$feature])?
            unsafe fn segment<const W: usize>(codes: &[u32], x: Source, out: *mut f64) {
                unsafe { kernels::segment::<W, $scalar>(codes, x, out) }
            }
            $(#[$feature])?
            unsafe fn accumulate<const W: usize>(n: usize, x: Source, out: *mut f64) {
                unsafe { kernels::accumulate::<W, $scalar>(n, x, out) }
            }
            $(#[$feature])?
            unsafe fn sum_product<const W: usize>(n: usize, scale: f64, a: Source, b: Source, total: *mut f64) {
                unsafe { products::sum::<W, $vector, One<$fma>>(n, scale, a, b, total) }
            }
            $(#[$feature])?
            unsafe fn segment_product<const W: usize>(codes: &[u32], a: Source, b: Source, out: *mut f64) {
                unsafe { products::segment::<W, $vector, One<$fma>>(codes, a, b, out) }
            }
            $(#[$feature])?
            unsafe fn rows<const W: usize>(rows: &RowsAt) {
                unsafe { row_kernels::rows::<W, $vector, One<$fma>>(rows) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
instruction_set! {
    /// One number at a time, with AVX2's fused multiply–add.
    Scalar, scalar: true, fma: true, vector: One<true>, target_feature(enable = "avx2,fma")
}
#[cfg(not(target_arch = "x86_64"))]
instruction_set! {
    /// One number at a time.
    Scalar, scalar: true, fma: false, vector: One<false>
}
instruction_set! {
    /// Whatever every processor of the target has.
    Baseline, scalar: false, fma: false, vector: Pair
}
#[cfg(target_arch = "x86_64")]
instruction_set! {
    /// AVX2 with fused multiply–add.
    Avx2, scalar: false, fma: true, vector: x86::Avx2, target_feature(enable = "avx2,fma")
}
#[cfg(target_arch = "x86_64")]
instruction_set! {
    /// AVX-512.
    Avx512, scalar: false, fma: true, vector: x86::Avx512, target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl,avx512bw")
}
