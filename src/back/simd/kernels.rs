//! One instruction on a block of elements: plain loops over lanes that the compiler turns into vector instructions.
//!
//! Everything here is inlined into the functions of `machine` that are compiled once per instruction set. Pointers
//! come from the machine, which guarantees that they are valid for the block and that a result overlaps no operand.

use super::code::Signs;
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

/// Keeps the compiler from joining the elements of a loop into vectors. Where an element has several lanes these are
/// the vector, and vectors across elements would be gathered; the yardstick's code is to be scalar.
#[inline(always)]
fn one_at_a_time<const W: usize, const SCALAR: bool>() {
    if SCALAR || W > 1 {
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }
}

#[inline(always)]
unsafe fn store<const W: usize>(out: *mut f64, i: usize, value: [f64; W]) {
    // SAFETY: the caller's: `out` holds element `i`.
    unsafe { out.add(i * W).cast::<[f64; W]>().write(value) }
}

#[inline(always)]
fn zip<const W: usize>(a: [f64; W], b: [f64; W], f: impl Fn(f64, f64) -> f64) -> [f64; W] {
    let mut y = a;
    for lane in 0..W {
        y[lane] = f(a[lane], b[lane]);
    }
    y
}

/// `out[i] = f(x[i])`, over elements and lanes as one flat run: the compiler vectorises that better than blocks.
#[inline(always)]
unsafe fn each<const W: usize, const SCALAR: bool>(
    n: usize,
    x: Source,
    out: *mut f64,
    f: impl Fn([f64; 1]) -> [f64; 1] + Copy,
) {
    match x {
        // A scalar operand has a scalar result: n is 1.
        Source::Lanes(x) | Source::Scalar(x) => {
            for i in 0..n * W {
                one_at_a_time::<1, SCALAR>();
                // SAFETY: the caller's: operand and result hold `n` elements.
                unsafe { *out.add(i) = f([*x.add(i)])[0] };
            }
        }
        Source::Column(x) => {
            for i in 0..n {
                one_at_a_time::<W, SCALAR>();
                // SAFETY: as above.
                unsafe { store(out, i, [f([*x.add(i)])[0]; W]) };
            }
        }
    }
}

/// `out[i] = f(a[i], b[i])`, one loop per kind of operands.
#[inline(always)]
unsafe fn each2<const W: usize, const SCALAR: bool>(
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
    f: impl Fn(f64, f64) -> f64 + Copy,
) {
    // SAFETY: the caller's: operands and result hold `n` elements.
    with_reader!(a, |a| with_reader!(b, |b| unsafe {
        for i in 0..n {
            one_at_a_time::<W, SCALAR>();
            store(out, i, zip::<W>(a.at(i), b.at(i), f));
        }
    }))
}

/// As [`each2`], reading through one generic loop: for operations too rare to deserve nine.
#[inline(always)]
unsafe fn each2_rare<const W: usize, const SCALAR: bool>(
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
    f: impl Fn([f64; W], [f64; W]) -> [f64; W] + Copy,
) {
    for i in 0..n {
        one_at_a_time::<W, SCALAR>();
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
pub(super) unsafe fn unary<const W: usize, const SCALAR: bool, const FMA: bool>(
    op: Unary,
    n: usize,
    x: Source,
    out: *mut f64,
) {
    unsafe {
        match op {
            Unary::Neg => each::<W, SCALAR>(n, x, out, |[x]| [-x]),
            Unary::Recip => each::<W, SCALAR>(n, x, out, |[x]| [1.0 / x]),
            Unary::Sqrt => each::<W, SCALAR>(n, x, out, |[x]| [x.sqrt()]),
            Unary::Square => each::<W, SCALAR>(n, x, out, |[x]| [x * x]),
            Unary::Abs => each::<W, SCALAR>(n, x, out, |[x]| [x.abs()]),
            Unary::Floor => each::<W, SCALAR>(n, x, out, |[x]| [x.floor()]),
            Unary::Exp => each::<W, SCALAR>(n, x, out, lanes::exp::<FMA, 1>),
            Unary::Ln => each::<W, SCALAR>(n, x, out, lanes::ln::<FMA, 1>),
            Unary::Log1p => each::<W, SCALAR>(n, x, out, lanes::log1p::<FMA, 1>),
            Unary::Expm1 => each::<W, SCALAR>(n, x, out, lanes::expm1::<FMA, 1>),
            Unary::InvLogit => each::<W, SCALAR>(n, x, out, lanes::inv_logit::<FMA, 1>),
            Unary::Softplus => each::<W, SCALAR>(n, x, out, lanes::softplus::<FMA, 1>),
            Unary::Lgamma => each::<W, SCALAR>(n, x, out, lanes::lgamma::<FMA, 1>),
            Unary::Digamma => each::<W, SCALAR>(n, x, out, lanes::digamma::<FMA, 1>),
            Unary::StdNormalCdf => each::<W, SCALAR>(n, x, out, lanes::std_normal_cdf::<FMA, 1>),
            Unary::LogStdNormalCdf => each::<W, SCALAR>(n, x, out, lanes::log_std_normal_cdf::<FMA, 1>),
        }
    }
}

#[inline(always)]
pub(super) unsafe fn binary<const W: usize, const SCALAR: bool, const FMA: bool>(
    op: Binary,
    n: usize,
    a: Source,
    b: Source,
    out: *mut f64,
) {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    unsafe {
        match op {
            Binary::Add => each2::<W, SCALAR>(n, a, b, out, |a, b| a + b),
            Binary::Sub => each2::<W, SCALAR>(n, a, b, out, |a, b| a - b),
            Binary::Mul => each2::<W, SCALAR>(n, a, b, out, |a, b| a * b),
            Binary::Div => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, |a, b| a / b)),
            Binary::Pow => each2_rare::<W, SCALAR>(n, a, b, out, lanes::pow::<FMA, W>),
            Binary::Min => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, f64::min)),
            Binary::Max => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, f64::max)),
            Binary::Lt => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a < b))),
            Binary::Le => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a <= b))),
            Binary::Eq => each2_rare::<W, SCALAR>(n, a, b, out, |a, b| zip(a, b, |a, b| truth(a == b))),
        }
    }
}

/// `out = product_sign·a·b + c_sign·c`, one rounding where the target has fused multiply–add.
#[inline(always)]
pub(super) unsafe fn multiply_add<const W: usize, const SCALAR: bool, const FMA: bool>(
    n: usize,
    signs: Signs,
    (a, b, c): (Source, Source, Source),
    out: *mut f64,
) {
    #[inline(always)]
    fn fused<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
        if FMA { a.mul_add(b, c) } else { a * b + c }
    }
    unsafe {
        match signs {
            Signs::Plus => each3::<W, SCALAR>(n, a, b, c, out, fused::<FMA>),
            Signs::NegatedProduct => each3::<W, SCALAR>(n, a, b, c, out, |a, b, c| fused::<FMA>(-a, b, c)),
            Signs::NegatedAddend => each3::<W, SCALAR>(n, a, b, c, out, |a, b, c| fused::<FMA>(a, b, -c)),
        }
    }
}

/// Addresses of an operand: every kind is read by one loop, at a stride of its own.
#[derive(Clone, Copy)]
struct Strided {
    from: *const f64,
    stride: usize,
    is_column: bool,
}

impl Strided {
    fn new<const W: usize>(source: Source) -> Self {
        match source {
            Source::Lanes(from) => Self {
                from,
                stride: W,
                is_column: false,
            },
            Source::Scalar(from) => Self {
                from,
                stride: 0,
                is_column: false,
            },
            Source::Column(from) => Self {
                from,
                stride: 1,
                is_column: true,
            },
        }
    }

    /// SAFETY: the operand holds element `i` and is a column if and only if `COLUMN`.
    #[inline(always)]
    unsafe fn at<const W: usize, const COLUMN: bool>(self, i: usize) -> [f64; W] {
        unsafe {
            let from = self.from.add(i * self.stride);
            if COLUMN {
                [from.read(); W]
            } else {
                from.cast::<[f64; W]>().read()
            }
        }
    }
}

/// `out[i] = f(a[i], b[i], c[i])`.
#[inline(always)]
unsafe fn each3<const W: usize, const SCALAR: bool>(
    n: usize,
    a: Source,
    b: Source,
    c: Source,
    out: *mut f64,
    f: impl Fn(f64, f64, f64) -> f64 + Copy,
) {
    #[inline(always)]
    unsafe fn run<const W: usize, const SCALAR: bool, const A: bool, const B: bool, const C: bool>(
        n: usize,
        (a, b, c): (Strided, Strided, Strided),
        out: *mut f64,
        f: impl Fn(f64, f64, f64) -> f64,
    ) {
        for i in 0..n {
            one_at_a_time::<W, SCALAR>();
            // SAFETY: the caller's.
            unsafe {
                let (a, b, c) = (a.at::<W, A>(i), b.at::<W, B>(i), c.at::<W, C>(i));
                let mut y = a;
                for lane in 0..W {
                    y[lane] = f(a[lane], b[lane], c[lane]);
                }
                store(out, i, y);
            }
        }
    }
    let operands = (Strided::new::<W>(a), Strided::new::<W>(b), Strided::new::<W>(c));
    unsafe {
        match (operands.0.is_column, operands.1.is_column, operands.2.is_column) {
            (false, false, false) => run::<W, SCALAR, false, false, false>(n, operands, out, f),
            (false, false, true) => run::<W, SCALAR, false, false, true>(n, operands, out, f),
            (false, true, false) => run::<W, SCALAR, false, true, false>(n, operands, out, f),
            (false, true, true) => run::<W, SCALAR, false, true, true>(n, operands, out, f),
            (true, false, false) => run::<W, SCALAR, true, false, false>(n, operands, out, f),
            (true, false, true) => run::<W, SCALAR, true, false, true>(n, operands, out, f),
            (true, true, false) => run::<W, SCALAR, true, true, false>(n, operands, out, f),
            (true, true, true) => run::<W, SCALAR, true, true, true>(n, operands, out, f),
        }
    }
}

#[inline(always)]
pub(super) unsafe fn select<const W: usize, const SCALAR: bool>(
    n: usize,
    c: Source,
    a: Source,
    b: Source,
    out: *mut f64,
) {
    for i in 0..n {
        one_at_a_time::<W, SCALAR>();
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
pub(super) unsafe fn softplus_inv_logit<const W: usize, const SCALAR: bool, const FMA: bool>(
    n: usize,
    x: Source,
    softplus: *mut f64,
    inv_logit: *mut f64,
) {
    match x {
        Source::Lanes(x) | Source::Scalar(x) => {
            for i in 0..n * W {
                one_at_a_time::<1, SCALAR>();
                unsafe {
                    let ([s], [p]) = lanes::softplus_inv_logit::<FMA, 1>([*x.add(i)]);
                    *softplus.add(i) = s;
                    *inv_logit.add(i) = p;
                }
            }
        }
        Source::Column(x) => {
            for i in 0..n {
                one_at_a_time::<W, SCALAR>();
                unsafe {
                    let ([s], [p]) = lanes::softplus_inv_logit::<FMA, 1>([*x.add(i)]);
                    store(softplus, i, [s; W]);
                    store(inv_logit, i, [p; W]);
                }
            }
        }
    }
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
pub(super) unsafe fn sum<const W: usize, const SCALAR: bool>(n: usize, x: Source, total: *mut f64) {
    with_reader!(x, |x| unsafe {
        // Four chains of additions, so that one need not wait for the other.
        let mut sums = [[0.0; W]; 4];
        let whole = n - n % 4;
        for i in (0..whole).step_by(4) {
            one_at_a_time::<W, SCALAR>();
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = zip(*sum, x.at(i + k), |s, x| s + x);
            }
        }
        for i in whole..n {
            one_at_a_time::<W, SCALAR>();
            sums[0] = zip(sums[0], x.at(i), |s, x| s + x);
        }
        let [a, b, c, d] = sums;
        let sum = zip(zip(a, b, |a, b| a + b), zip(c, d, |c, d| c + d), |x, y| x + y);
        store(
            total,
            0,
            zip(Lanes(total).at(0), sum, |total: f64, sum| total + sum),
        );
    })
}

/// `out[codes[i]] += x[i]`; runs of one code are added in registers.
#[inline(always)]
pub(super) unsafe fn segment<const W: usize, const SCALAR: bool>(codes: &[u32], x: Source, out: *mut f64) {
    let Some(&first) = codes.first() else { return };
    with_reader!(x, |x| unsafe {
        let mut code = first;
        let mut sum: [f64; W] = Lanes(out).at(code as usize);
        for (i, &next) in codes.iter().enumerate() {
            one_at_a_time::<W, SCALAR>();
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
pub(super) unsafe fn accumulate<const W: usize, const SCALAR: bool>(n: usize, x: Source, out: *mut f64) {
    with_reader!(x, |x| unsafe {
        for i in 0..n {
            one_at_a_time::<W, SCALAR>();
            let sum: [f64; W] = Lanes(out).at(i);
            store(out, i, zip(sum, x.at(i), |s, x| s + x));
        }
    })
}
