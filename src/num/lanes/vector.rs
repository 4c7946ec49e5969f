//! Numbers that a kernel works on at once: one, or a register of an instruction set.
//!
//! A formula written over [`Vector`] is compiled for every instruction set, with its intermediate results in registers.
//! The methods of a register type must run only where the processor has its instructions: kernels over it are called
//! from functions with that `target_feature` alone, into which all of this is inlined.

/// A few f64 that are computed side by side.
pub(crate) trait Vector: Copy {
    /// Numbers in one.
    const LANES: usize;
    /// Truths, one per number.
    type Mask: Copy;

    /// SAFETY: `from` points to `LANES` numbers.
    unsafe fn load(from: *const f64) -> Self;
    /// SAFETY: `to` points to room for `LANES` numbers.
    unsafe fn store(self, to: *mut f64);
    /// The numbers of `from` at `LANES` codes.
    ///
    /// SAFETY: `from` holds every code, `codes` points to `LANES` of them, all below 2³¹.
    unsafe fn gather(from: *const f64, codes: *const u32) -> Self;
    fn splat(x: f64) -> Self;

    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// self·b + c, with one rounding where the instructions have it.
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn abs(self) -> Self;
    /// No more than `limit`; NaN stays.
    fn at_most(self, limit: Self) -> Self;
    /// No less than `limit`; NaN stays.
    fn at_least(self, limit: Self) -> Self;

    /// self < other.
    fn less(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The numbers whose bits are these bits plus `k`, which wraps.
    fn bits_add(self, k: u64) -> Self;
    /// The numbers whose bits are these bits and `k`.
    fn bits_and(self, k: u64) -> Self;
    /// The numbers whose bits are these bits moved up by 52.
    fn bits_up_52(self) -> Self;
    /// The numbers whose bits are these bits moved down by 52.
    fn bits_down_52(self) -> Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::splat(-0.0).sub(self)
    }
}

/// One number; `FMA` says whether its target has fused multiply–add.
#[derive(Clone, Copy)]
pub(crate) struct One<const FMA: bool>(pub(crate) f64);

impl<const FMA: bool> Vector for One<FMA> {
    const LANES: usize = 1;
    type Mask = bool;

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { *from })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { *to = self.0 }
    }
    #[inline(always)]
    unsafe fn gather(from: *const f64, codes: *const u32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { *from.add(*codes as usize) })
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self(x)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // Without the instruction `mul_add` would call a slow library function.
        Self(if FMA {
            self.0.mul_add(b.0, c.0)
        } else {
            self.0 * b.0 + c.0
        })
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    #[inline(always)]
    fn at_most(self, limit: Self) -> Self {
        Self(if self.0 > limit.0 { limit.0 } else { self.0 })
    }
    #[inline(always)]
    fn at_least(self, limit: Self) -> Self {
        Self(if self.0 < limit.0 { limit.0 } else { self.0 })
    }
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self.0 < other.0
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        Self(if mask { yes.0 } else { no.0 })
    }
    #[inline(always)]
    fn bits_add(self, k: u64) -> Self {
        Self(f64::from_bits(self.0.to_bits().wrapping_add(k)))
    }
    #[inline(always)]
    fn bits_and(self, k: u64) -> Self {
        Self(f64::from_bits(self.0.to_bits() & k))
    }
    #[inline(always)]
    fn bits_up_52(self) -> Self {
        Self(f64::from_bits(self.0.to_bits() << 52))
    }
    #[inline(always)]
    fn bits_down_52(self) -> Self {
        Self(f64::from_bits(self.0.to_bits() >> 52))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// Two numbers, for targets of which no more is known: every 64-bit processor has registers of two.
#[derive(Clone, Copy)]
pub(crate) struct Pair([f64; 2]);

impl Pair {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(One<false>, One<false>) -> One<false>) -> Self {
        Self([
            f(One(self.0[0]), One(other.0[0])).0,
            f(One(self.0[1]), One(other.0[1])).0,
        ])
    }

    #[inline(always)]
    fn map(self, f: impl Fn(One<false>) -> One<false>) -> Self {
        Self([f(One(self.0[0])).0, f(One(self.0[1])).0])
    }
}

impl Vector for Pair {
    const LANES: usize = 2;
    type Mask = [bool; 2];

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { from.cast::<[f64; 2]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f64; 2]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn gather(from: *const f64, codes: *const u32) -> Self {
        // SAFETY: the caller's.
        unsafe { Self([*from.add(*codes as usize), *from.add(*codes.add(1) as usize)]) }
    }
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Self([x; 2])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, One::add)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, One::sub)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, One::mul)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, One::div)
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul(b).add(c)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(One::abs)
    }
    #[inline(always)]
    fn at_most(self, limit: Self) -> Self {
        self.zip(limit, One::at_most)
    }
    #[inline(always)]
    fn at_least(self, limit: Self) -> Self {
        self.zip(limit, One::at_least)
    }
    #[inline(always)]
    fn less(self, other: Self) -> [bool; 2] {
        [self.0[0] < other.0[0], self.0[1] < other.0[1]]
    }
    #[inline(always)]
    fn select(mask: [bool; 2], yes: Self, no: Self) -> Self {
        Self([
            if mask[0] { yes.0[0] } else { no.0[0] },
            if mask[1] { yes.0[1] } else { no.0[1] },
        ])
    }
    #[inline(always)]
    fn bits_add(self, k: u64) -> Self {
        self.map(|x| x.bits_add(k))
    }
    #[inline(always)]
    fn bits_and(self, k: u64) -> Self {
        self.map(|x| x.bits_and(k))
    }
    #[inline(always)]
    fn bits_up_52(self) -> Self {
        self.map(One::bits_up_52)
    }
    #[inline(always)]
    fn bits_down_52(self) -> Self {
        self.map(One::bits_down_52)
    }
}
