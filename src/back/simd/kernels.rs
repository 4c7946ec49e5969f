//! One instruction on a block of elements: plain loops over lanes that the compiler turns into vector instructions.
//!
//! Everything here is inlined into the functions of `machine` that are compiled once per instruction set. Pointers
//! come from the machine, which guarantees that they are valid for the block and that a result overlaps no operand.

use crate::ir::{Binary, Unary};
use crate::num::lanes;

/// An operand of the running block.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// One number per element and lane.
    Lanes(*const f64),
    /// One number per lane, the same for all elements.
    Scalar(*const f64),
    /// One number per element, the same for all lanes.
    Column(*const f64),
}

/// How an operand's value at an element is read.
trait Read<const W: usize>: Copy {
    /// SAFETY: the operand must hold element `i`.
    unsafe fn at(self, i: usize) -> [f64; W];
}

#[derive(Clone, Copy)]
struct Lanes(*const f64);
#[derive(Clone, Copy)]
struct Scalar<const W: usize>([f64; W]);
#[derive(Clone, Copy)]
struct Column(*const f64);

impl<const W: usize> Read<W> for Lanes {
    #[inline(always)]
    unsafe fn at(self, i: usize) -> [f64; W] {
        // SAFETY: the caller's.
        unsafe { self.0.add(i * W).cast::<[f64; W]>().read() }
    }
}

impl<const W: usize> Read<W> for Scalar<W> {
    #[inline(always)]
    unsafe fn at(self, _: usize) -> [f64; W] {
        self.0
    }
}

impl<const W: usize> Read<W> for Column {
    #[inline(always)]
    unsafe fn at(self, i: usize) -> [f64; W] {
        // SAFETY: the caller's.
        [unsafe { self.0.add(i).read() }; W]
    }
}

/// `body` with `$x` bound to a reader of `$source`.
macro_rules! with_reader {
    ($source:expr, |$x:ident| $body:expr) => {
        match $source {
            Source::Lanes(pointer) => {
                let $x = Lanes(pointer);
                $body
            }
            Source::Scalar(pointer) => {
                let $x = Scalar::<W>(unsafe { pointer.cast::<[f64; W]>().read() });
                $body
            }
            Source::Column(pointer) => {
                let $x = Column(pointer);
                $body
            }
        }
    };
}

#[inline(always)]
unsafe fn store<const W: usize>(out: *mut f64, i: usize, value: [f64; W]) {
    // SAFETY: the caller's: `out` holds element `i`.
    unsafe { out.add(i * W).cast::<[f64; W]>().write(value) }
}

#[inline(always)]
fn map<const W: usize>(x: [f64; W], f: impl Fn(f64) -> f64) -> [f64; W] {
    let mut y = x;
    for lane in 0..W {
        y[lane] = f(x[lane]);
    }
    y
}

#[inline(always)]
fn zip<const W: usize>(a: [f64; W], b: [f64; W], f: impl Fn(f64, f64) -> f64) -> [f64; W] {
    let mut y = a;
    for lane in 0..W {
        y[lane] = f(a[lane], b[lane]);
    }
    y
}

/// `out[i] = f(x[i])`.
#[inline(always)]
unsafe fn each<const W: usize>(n: usize, x: Source, out: *mut f64, f: impl Fn([f64; W]) -> [f64; W] + Copy) {
    // SAFETY: the caller's: operand and result hold `n` elements.
    with_reader!(x, |x| unsafe {
        for i in 0..n {
            store(out, i, f(Read::<W>::at(x, i)));
        }
    })
}

/// `out[i] = f(a[i], b[i])`, one loop per kind of operands.
#[inline(always)]
unsafe fn each2<const W: usize>(
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
    f: impl Fn(f64, f64) -> f64 + Copy,
) {
    // SAFETY: the caller's: operands and result hold `n` elements.
    with_reader!(a, |a| with_reader!(b, |b| unsafe {
        for i in 0..n {
            store(out, i, zip::<W>(a.at(i), b.at(i), f));
        }
    }))
}

/// As [`each2`], reading through one generic loop: for operations too rare to deserve nine.
#[inline(always)]
unsafe fn each2_rare<const W: usize>(
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
    f: impl Fn([f64; W], [f64; W]) -> [f64; W] + Copy,
) {
    for i in 0..n {
        // SAFETY: the caller's: operands and result hold `n` elements.
        unsafe { store(out, i, f(read(a, i), read(b, i))) };
    }
}

#[inline(always)]
unsafe fn read<const W: usize>(source: Source, i: usize) -> [f64; W] {
    // SAFETY: the caller's: the operand holds element `i`.
    with_reader!(source, |x| unsafe { x.at(i) })
}

/// SAFETY (this and all below): operands and results hold `n` elements and do not overlap.
#[inline(always)]
pub(super) unsafe fn unary<const W: usize, const FMA: bool>(op: Unary, n: usize, x: Source, out: *mut f64) {
    unsafe {
        match op {
            Unary::Neg => each::<W>(n, x, out, |x| map(x, |x| -x)),
            Unary::Recip => each::<W>(n, x, out, |x| map(x, |x| 1.0 / x)),
            Unary::Sqrt => each::<W>(n, x, out, |x| map(x, f64::sqrt)),
            Unary::Square => each::<W>(n, x, out, |x| map(x, |x| x * x)),
            Unary::Abs => each::<W>(n, x, out, |x| map(x, f64::abs)),
            Unary::Floor => each::<W>(n, x, out, |x| map(x, f64::floor)),
            Unary::Exp => each::<W>(n, x, out, lanes::exp::<W, FMA>),
            Unary::Ln => each::<W>(n, x, out, lanes::ln::<W, FMA>),
            Unary::Log1p => each::<W>(n, x, out, lanes::log1p::<W, FMA>),
            Unary::Expm1 => each::<W>(n, x, out, lanes::expm1::<W, FMA>),
            Unary::InvLogit => each::<W>(n, x, out, |x| lanes::softplus_inv_logit::<W, FMA>(x).1),
            Unary::Softplus => each::<W>(n, x, out, |x| lanes::softplus_inv_logit::<W, FMA>(x).0),
            Unary::Lgamma => each::<W>(n, x, out, lanes::lgamma::<W, FMA>),
            Unary::Digamma => each::<W>(n, x, out, lanes::digamma::<W, FMA>),
            Unary::StdNormalCdf => each::<W>(n, x, out, lanes::std_normal_cdf::<W, FMA>),
            Unary::LogStdNormalCdf => each::<W>(n, x, out, lanes::log_std_normal_cdf::<W, FMA>),
        }
    }
}

#[inline(always)]
pub(super) unsafe fn binary<const W: usize, const FMA: bool>(
    op: Binary,
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
) {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    unsafe {
        match op {
            Binary::Add => each2::<W>(n, a, b, out, |a, b| a + b),
            Binary::Sub => each2::<W>(n, a, b, out, |a, b| a - b),
            Binary::Mul => each2::<W>(n, a, b, out, |a, b| a * b),
            Binary::Div => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, |a, b| a / b)),
            Binary::Pow => each2_rare::<W>(n, a, b, out, lanes::pow::<W, FMA>),
            Binary::Min => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, f64::min)),
            Binary::Max => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, f64::max)),
            Binary::Lt => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a < b))),
            Binary::Le => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a <= b))),
            Binary::Eq => each2_rare::<W>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a == b))),
        }
    }
}

#[inline(always)]
pub(super) unsafe fn select<const W: usize>(n: usize, c: Source, a: Source, b: Source, out: *mut f64) {
    for i in 0..n {
        unsafe {
            let (c, a, b): ([f64; W], [f64; W], [f64; W]) = (read(c, i), read(a, i), read(b, i));
            let mut y = a;
            for lane in 0..W {
                y[lane] = if c[lane] != 0.0 { a[lane] } else { b[lane] };
            }
            store(out, i, y);
        }
    }
}

#[inline(always)]
pub(super) unsafe fn softplus_inv_logit<const W: usize, const FMA: bool>(
    n: usize,
    x: Source,
    softplus: *mut f64,
    inv_logit: *mut f64,
) {
    with_reader!(x, |x| unsafe {
        for i in 0..n {
            let (s, p) = lanes::softplus_inv_logit::<W, FMA>(x.at(i));
            store(softplus, i, s);
            store(inv_logit, i, p);
        }
    })
}

/// `out[i] = source[codes[i]]`; `source` holds every code.
#[inline(always)]
pub(super) unsafe fn gather<const W: usize>(codes: &[u32], source: *const f64, out: *mut f64) {
    for (i, &code) in codes.iter().enumerate() {
        unsafe { store::<W>(out, i, Lanes(source).at(code as usize)) };
    }
}

/// `total += Σ x[i]`.
#[inline(always)]
pub(super) unsafe fn sum<const W: usize>(n: usize, x: Source, total: *mut f64) {
    with_reader!(x, |x| unsafe {
        let mut sum: [f64; W] = Lanes(total).at(0);
        for i in 0..n {
            sum = zip(sum, x.at(i), |s, x| s + x);
        }
        store(total, 0, sum);
    })
}

/// `out[codes[i]] += x[i]`; runs of one code are added in registers.
#[inline(always)]
pub(super) unsafe fn segment<const W: usize>(codes: &[u32], x: Source, out: *mut f64) {
    let Some(&first) = codes.first() else { return };
    with_reader!(x, |x| unsafe {
        let mut code = first;
        let mut sum: [f64; W] = Lanes(out).at(code as usize);
        for (i, &next) in codes.iter().enumerate() {
            if next != code {
                store(out, code as usize, sum);
                code = next;
                sum = Lanes(out).at(code as usize);
            }
            sum = zip(sum, x.at(i), |s, x| s + x);
        }
        store(out, code as usize, sum);
    })
}

/// `out[i] += x[i]`.
#[inline(always)]
pub(super) unsafe fn accumulate<const W: usize>(n: usize, x: Source, out: *mut f64) {
    with_reader!(x, |x| unsafe {
        for i in 0..n {
            let sum: [f64; W] = Lanes(out).at(i);
            store(out, i, zip(sum, x.at(i), |s, x| s + x));
        }
    })
}
