//! Registers of AVX2 and AVX-512 as vectors. See [`super::vector`] for where they may be used.

// SAFETY, of every block here: the contract of `vector`, that the processor has the instructions, and of the loads and
// stores the caller's that the pointers hold a register's numbers.

use std::arch::x86_64::*;

use super::vector::Vector;

/// Four numbers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256d);

/// Eight numbers.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512d);

/// Methods that are one instruction each.
macro_rules! instructions {
    ($($name:ident($($arg:ident),*) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: Self),*) -> Self {
            let this = self;
            $(let $arg = $arg.0;)*
            Self(unsafe { $body(this.0, $($arg),*) })
        }
    )*};
}

impl Vector for Avx2 {
    const LANES: usize = 4;
    type Mask = __m256d;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm256_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm256_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn gather(from: *const f64, codes: *const u32) -> Self {
        // Single loads: the processor's gather is no faster for four.
        unsafe {
            let at = |k: usize| *from.add(*codes.add(k) as usize);
            Self(_mm256_setr_pd(at(0), at(1), at(2), at(3)))
        }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self(unsafe { _mm256_set1_pd(x) })
    }
    instructions! {
        add(other) = |a, b| _mm256_add_pd(a, b);
        sub(other) = |a, b| _mm256_sub_pd(a, b);
        mul(other) = |a, b| _mm256_mul_pd(a, b);
        div(other) = |a, b| _mm256_div_pd(a, b);
        mul_add(b, c) = |a, b, c| _mm256_fmadd_pd(a, b, c);
        // Where one operand is NaN these yield the second.
        at_most(limit) = |x, limit| _mm256_min_pd(limit, x);
        at_least(limit) = |x, limit| _mm256_max_pd(limit, x);
        abs() = |x| _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
        bits_up_52() = |x| _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(x)));
        bits_down_52() = |x| _mm256_castsi256_pd(_mm256_srli_epi64::<52>(_mm256_castpd_si256(x)));
    }
    #[inline(always)]
    fn less(self, other: Self) -> __m256d {
        unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __m256d, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm256_blendv_pd(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn bits_add(self, k: u64) -> Self {
        unsafe {
            let sum = _mm256_add_epi64(_mm256_castpd_si256(self.0), _mm256_set1_epi64x(k as i64));
            Self(_mm256_castsi256_pd(sum))
        }
    }
    #[inline(always)]
    fn bits_and(self, k: u64) -> Self {
        Self(unsafe { _mm256_and_pd(self.0, _mm256_set1_pd(f64::from_bits(k))) })
    }
}

impl Vector for Avx512 {
    const LANES: usize = 8;
    type Mask = __mmask8;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm512_loadu_pd(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm512_storeu_pd(to, self.0) }
    }
    #[inline(always)]
    unsafe fn gather(from: *const f64, codes: *const u32) -> Self {
        unsafe { Self(_mm512_i32gather_pd::<8>(_mm256_loadu_si256(codes.cast()), from)) }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self(unsafe { _mm512_set1_pd(x) })
    }
    instructions! {
        add(other) = |a, b| _mm512_add_pd(a, b);
        sub(other) = |a, b| _mm512_sub_pd(a, b);
        mul(other) = |a, b| _mm512_mul_pd(a, b);
        div(other) = |a, b| _mm512_div_pd(a, b);
        mul_add(b, c) = |a, b, c| _mm512_fmadd_pd(a, b, c);
        // Where one operand is NaN these yield the second.
        at_most(limit) = |x, limit| _mm512_min_pd(limit, x);
        at_least(limit) = |x, limit| _mm512_max_pd(limit, x);
        abs() = |x| _mm512_abs_pd(x);
        bits_up_52() = |x| _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(x)));
        bits_down_52() = |x| _mm512_castsi512_pd(_mm512_srli_epi64::<52>(_mm512_castpd_si512(x)));
    }
    #[inline(always)]
    fn less(self, other: Self) -> __mmask8 {
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm512_mask_blend_pd(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn bits_add(self, k: u64) -> Self {
        unsafe {
            let sum = _mm512_add_epi64(_mm512_castpd_si512(self.0), _mm512_set1_epi64(k as i64));
            Self(_mm512_castsi512_pd(sum))
        }
    }
    #[inline(always)]
    fn bits_and(self, k: u64) -> Self {
        unsafe {
            let both = _mm512_and_epi64(_mm512_castpd_si512(self.0), _mm512_set1_epi64(k as i64));
            Self(_mm512_castsi512_pd(both))
        }
    }
}
