//! The instruction of [`super::rows`] on a block of elements, with each row's numbers in registers.
//!
//! With one lane the vectors run over rows, otherwise over lanes. Rows are taken a tile at a time: what kind a summand or
//! a use is, is asked once per tile.

use super::rows::{Link, MAX_LEVELS, MAX_SPREADS, Of};
use crate::num::lanes::exponential::exp_of_any;
use crate::num::lanes::logarithm::ln_of_normal;
use crate::num::lanes::logistic::{log1p_inv_logit, logistic_quotient};
use crate::num::lanes::vector::Vector;

/// What a number is multiplied by.
#[derive(Clone, Copy)]
pub(super) enum FactorAt {
    Constant(f64),
    /// One number per element, from the block's first.
    Column(*const f64),
    /// One number per lane.
    Scalar(*const f64),
}

/// Where a summand's numbers are, from the block's first element.
#[derive(Clone, Copy)]
pub(super) enum PlaceAt {
    Fixed(*const f64),
    Each(*const f64),
    Coded(*const f64, *const u32),
}

/// Where the value goes, from the block's first element.
#[derive(Clone, Copy)]
pub(super) enum ToAt {
    Total(*mut f64),
    /// The target's first element, the codes, whether they ascend.
    Segment(*mut f64, *const u32, bool),
    Accumulate(*mut f64),
    Each(*mut f64),
}

#[derive(Clone, Copy)]
pub(super) struct SpreadAt {
    pub(super) of: Of,
    pub(super) factor: FactorAt,
    pub(super) to: ToAt,
}

#[derive(Clone, Copy)]
pub(super) struct SoftplusAt<'a> {
    pub(super) weight: FactorAt,
    pub(super) above: FactorAt,
    pub(super) below: FactorAt,
    pub(super) levels: &'a [f64],
    pub(super) places: *const u8,
}

/// The instruction with the addresses of its operands at a block.
pub(super) struct RowsAt<'a> {
    pub(super) n: usize,
    /// What all elements share comes first.
    pub(super) terms: &'a [(PlaceAt, FactorAt)],
    pub(super) offset: FactorAt,
    pub(super) link: Link,
    pub(super) softplus: Option<SoftplusAt<'a>>,
    pub(super) spreads: &'a [SpreadAt],
    pub(super) log_density: *mut f64,
}

/// Vectors of a tile.
const TILE: usize = 8;

/// Factors 1 + e^−|η|, at most 2 each, that are multiplied before a logarithm is taken: far from overflow.
const FACTORS: usize = 512;

/// A number per lane: with one lane, for all rows alike.
#[inline(always)]
pub(super) unsafe fn per_lane<const W: usize, V: Vector>(from: *const f64, lane: usize) -> V {
    // SAFETY: the caller's.
    unsafe {
        if W == 1 {
            V::splat(*from)
        } else {
            V::load(from.add(lane))
        }
    }
}

/// Data at element `i`.
#[inline(always)]
pub(super) unsafe fn per_row<const W: usize, V: Vector>(column: *const f64, i: usize) -> V {
    // SAFETY: the caller's.
    unsafe {
        if W == 1 {
            V::load(column.add(i))
        } else {
            V::splat(*column.add(i))
        }
    }
}

/// Elements of a vector.
pub(super) const fn step<const W: usize, V: Vector>() -> usize {
    if W == 1 { V::LANES } else { 1 }
}

/// sum + x·factor at element `i`.
#[inline(always)]
unsafe fn add_times<const W: usize, V: Vector>(sum: V, x: V, factor: FactorAt, i: usize, lane: usize) -> V {
    // SAFETY: the caller's.
    unsafe {
        let k = match factor {
            FactorAt::Constant(k) => V::splat(k),
            FactorAt::Column(column) => per_row::<W, V>(column, i),
            FactorAt::Scalar(from) => per_lane::<W, V>(from, lane),
        };
        x.mul_add(k, sum)
    }
}

/// `body` for the vectors j of a tile that begins at element `i`, in order, with their factors.
macro_rules! for_tile {
    ($factor:expr, $i:expr, $lane:expr, |$j:ident, $k:ident| $body:expr) => {
        match $factor {
            FactorAt::Constant(k) => {
                let $k = V::splat(k);
                for $j in 0..T {
                    $body
                }
            }
            FactorAt::Column(column) => {
                for $j in 0..T {
                    let $k = per_row::<W, V>(column, $i + $j * step::<W, V>());
                    $body
                }
            }
            FactorAt::Scalar(from) => {
                let $k = per_lane::<W, V>(from, $lane);
                for $j in 0..T {
                    $body
                }
            }
        }
    };
}

/// A link function compiled into the loop.
trait Function {
    /// The values at a tile of η, whose first element is `i`; takes the softplus of η into the sums.
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        sums: &mut Sums<V>,
        eta: [V; T],
        i: usize,
        lane: usize,
    ) -> [V; T];
}

/// What is summed of softplus.
struct Sums<'a, V> {
    softplus: Option<SoftplusAt<'a>>,
    products: [V; MAX_LEVELS],
    sum: V,
}

impl<V: Vector> Sums<'_, V> {
    /// sum += x·weight.
    #[inline(always)]
    unsafe fn add<const W: usize, const T: usize>(
        &mut self,
        x: [V; T],
        weight: FactorAt,
        i: usize,
        lane: usize,
    ) {
        let mut sum = self.sum;
        // SAFETY: the caller's.
        unsafe { for_tile!(weight, i, lane, |j, k| sum = x[j].mul_add(k, sum)) };
        self.sum = sum;
    }

    /// sum += max(η, 0)·above + min(η, 0)·below.
    #[inline(always)]
    unsafe fn add_straight<const W: usize, const T: usize>(
        &mut self,
        softplus: &SoftplusAt,
        eta: [V; T],
        i: usize,
        lane: usize,
    ) {
        let (mut positive, mut negative) = (eta, eta);
        for j in 0..T {
            positive[j] = eta[j].at_least(V::splat(0.0));
            negative[j] = eta[j].sub(positive[j]);
        }
        // SAFETY: the caller's.
        unsafe {
            self.add::<W, T>(positive, softplus.above, i, lane);
            self.add::<W, T>(negative, softplus.below, i, lane);
        }
    }
}

struct Identity;
struct Exp;
/// The logistic function alone.
struct InvLogit;
/// With Σ softplus by products.
struct InvLogitProducts;
/// With each softplus by itself.
struct InvLogitEach;

impl Function for Identity {
    #[inline(always)]
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        _: &mut Sums<V>,
        eta: [V; T],
        _: usize,
        _: usize,
    ) -> [V; T] {
        eta
    }
}

impl Function for Exp {
    #[inline(always)]
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        _: &mut Sums<V>,
        mut eta: [V; T],
        _: usize,
        _: usize,
    ) -> [V; T] {
        for eta in &mut eta {
            *eta = exp_of_any(*eta);
        }
        eta
    }
}

/// 1 + e^−|η| and 1/(1 + e^−η) of a tile. Two divisions become one: 1/a = b/(ab), 1/b = a/(ab).
#[inline(always)]
fn factors_inv_logit<const T: usize, V: Vector>(eta: [V; T]) -> ([V; T], [V; T]) {
    let (mut factors, mut values) = (eta, eta);
    for j in 0..T {
        (factors[j], values[j]) = logistic_quotient(eta[j]);
    }
    let one = V::splat(1.0);
    for j in (0..T - T % 2).step_by(2) {
        let (a, b) = (factors[j], factors[j + 1]);
        let reciprocal = one.div(a.mul(b));
        values[j] = values[j].mul(b.mul(reciprocal));
        values[j + 1] = values[j + 1].mul(a.mul(reciprocal));
    }
    if T % 2 == 1 {
        values[T - 1] = values[T - 1].div(factors[T - 1]);
    }
    (factors, values)
}

impl Function for InvLogit {
    #[inline(always)]
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        _: &mut Sums<V>,
        eta: [V; T],
        _: usize,
        _: usize,
    ) -> [V; T] {
        factors_inv_logit(eta).1
    }
}

impl Function for InvLogitProducts {
    #[inline(always)]
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        sums: &mut Sums<V>,
        eta: [V; T],
        i: usize,
        lane: usize,
    ) -> [V; T] {
        let (factors, values) = factors_inv_logit(eta);
        if let Some(softplus) = sums.softplus {
            // SAFETY: the caller's.
            unsafe {
                let level = |j: usize| usize::from(*softplus.places.add(i + j));
                let is_alone = softplus.levels.len() == 1;
                if is_alone || (1..T).all(|j| level(j) == level(0)) {
                    let level = if is_alone { 0 } else { level(0) };
                    let [a, b] = [0, 1].map(|odd| {
                        let mut product = V::splat(1.0);
                        for factor in factors.iter().skip(odd).step_by(2) {
                            product = product.mul(*factor);
                        }
                        product
                    });
                    let product = sums.products.get_unchecked_mut(level);
                    *product = product.mul(a.mul(b));
                } else {
                    for (j, factor) in factors.iter().enumerate() {
                        let product = sums.products.get_unchecked_mut(level(j));
                        *product = product.mul(*factor);
                    }
                }
                sums.add_straight::<W, T>(&softplus, eta, i, lane);
            }
        }
        values
    }
}

impl Function for InvLogitEach {
    #[inline(always)]
    unsafe fn values<const W: usize, const T: usize, V: Vector>(
        sums: &mut Sums<V>,
        eta: [V; T],
        i: usize,
        lane: usize,
    ) -> [V; T] {
        let (mut log1p, mut inv_logit) = (eta, eta);
        for j in 0..T {
            (log1p[j], inv_logit[j]) = log1p_inv_logit(eta[j]);
        }
        if let Some(at) = sums.softplus {
            // SAFETY: the caller's.
            unsafe {
                sums.add::<W, T>(log1p, at.weight, i, lane);
                sums.add_straight::<W, T>(&at, eta, i, lane);
            }
        }
        inv_logit
    }
}

/// Adds a total: with one lane over the vector's rows.
#[inline(always)]
pub(super) unsafe fn add_total<const W: usize, V: Vector>(to: *mut f64, total: V, lane: usize) {
    // SAFETY: the caller's; no vector holds more than eight numbers.
    unsafe {
        if W == 1 {
            let mut numbers = [0.0; 8];
            total.store(numbers.as_mut_ptr());
            *to += numbers.iter().take(V::LANES).sum::<f64>();
        } else {
            let to = to.add(lane);
            V::load(to).add(total).store(to);
        }
    }
}

/// What is carried from tile to tile.
struct State<'a, V> {
    /// The part of η that all elements share.
    start: V,
    sums: Sums<'a, V>,
    /// A total of each use.
    totals: [V; MAX_SPREADS],
    /// With one lane: the code whose run is being totalled.
    runs: [u32; MAX_SPREADS],
}

/// The tile of `T` vectors from element `i` on.
#[inline(always)]
unsafe fn tile<const W: usize, const T: usize, V: Vector, F: Function>(
    rows: &RowsAt,
    terms: &[(PlaceAt, FactorAt)],
    state: &mut State<V>,
    i: usize,
    lane: usize,
) {
    let step = step::<W, V>();
    // SAFETY: the caller's: every address holds the block's elements, every code lies in what it points into.
    unsafe {
        let mut eta = [state.start; T];
        match rows.offset {
            FactorAt::Constant(x) => {
                for j in 0..T {
                    eta[j] = eta[j].add(V::splat(x));
                }
            }
            FactorAt::Column(column) => {
                for j in 0..T {
                    eta[j] = eta[j].add(per_row::<W, V>(column, i + j * step));
                }
            }
            FactorAt::Scalar(_) => {}
        }
        for &(place, factor) in terms {
            let mut x = eta;
            match place {
                PlaceAt::Fixed(from) => x = [per_lane::<W, V>(from, lane); T],
                PlaceAt::Each(from) => {
                    for j in 0..T {
                        x[j] = V::load(from.add((i + j * step) * W + lane));
                    }
                }
                PlaceAt::Coded(from, codes) => {
                    for j in 0..T {
                        x[j] = if W == 1 {
                            V::gather(from, codes.add(i + j * step))
                        } else {
                            V::load(from.add(*codes.add(i + j) as usize * W + lane))
                        };
                    }
                }
            }
            for_tile!(factor, i, lane, |j, k| eta[j] = x[j].mul_add(k, eta[j]));
        }
        let value = F::values::<W, T, V>(&mut state.sums, eta, i, lane);
        for (n, spread) in rows.spreads.iter().enumerate() {
            let mut x = value;
            match spread.of {
                Of::Value => {}
                Of::Predictor => x = eta,
                Of::Square => {
                    for j in 0..T {
                        x[j] = x[j].mul(x[j]);
                    }
                }
            }
            let total = state.totals.get_unchecked_mut(n);
            match spread.to {
                ToAt::Total(_) => {
                    let mut sum = V::splat(0.0);
                    for_tile!(spread.factor, i, lane, |j, k| sum = x[j].mul_add(k, sum));
                    *total = total.add(sum);
                }
                ToAt::Each(out) => {
                    for_tile!(spread.factor, i, lane, |j, k| x[j]
                        .mul(k)
                        .store(out.add((i + j * step) * W + lane)));
                }
                ToAt::Accumulate(out) => {
                    for_tile!(spread.factor, i, lane, |j, k| {
                        let out = out.add((i + j * step) * W + lane);
                        x[j].mul_add(k, V::load(out)).store(out);
                    });
                }
                ToAt::Segment(out, codes, ascending) => {
                    let codes = codes.add(i);
                    let first = *codes;
                    if ascending && first == *codes.add(T * step - 1) {
                        // A run of one code is summed in registers.
                        let mut sum = V::splat(0.0);
                        for_tile!(spread.factor, i, lane, |j, k| sum = x[j].mul_add(k, sum));
                        if W > 1 {
                            let out = out.add(first as usize * W + lane);
                            V::load(out).add(sum).store(out);
                        } else {
                            let run = state.runs.get_unchecked_mut(n);
                            if first != *run {
                                add_total::<W, V>(out.add(*run as usize), *total, lane);
                                (*run, *total) = (first, V::splat(0.0));
                            }
                            *total = total.add(sum);
                        }
                    } else if W > 1 {
                        for_tile!(spread.factor, i, lane, |j, k| {
                            let out = out.add(*codes.add(j) as usize * W + lane);
                            x[j].mul_add(k, V::load(out)).store(out);
                        });
                    } else {
                        for_tile!(spread.factor, i, lane, |j, k| {
                            let codes = codes.add(j * step);
                            scatter(out, codes, x[j].mul(k));
                        });
                    }
                }
            }
        }
    }
}

/// `out[codes[i]] += x[i]` for the numbers of a vector; runs of one code are added up first.
#[inline(always)]
pub(super) unsafe fn scatter<V: Vector>(out: *mut f64, codes: *const u32, x: V) {
    // SAFETY: the caller's; no vector holds more than eight numbers.
    unsafe {
        let mut numbers = [0.0; 8];
        x.store(numbers.as_mut_ptr());
        let mut code = *codes;
        let mut sum = 0.0;
        for (i, number) in numbers.iter().enumerate().take(V::LANES) {
            let next = *codes.add(i);
            if next != code {
                *out.add(code as usize) += sum;
                (code, sum) = (next, 0.0);
            }
            sum += number;
        }
        *out.add(code as usize) += sum;
    }
}

/// Elements `from` to `to` of the block, whole vectors, as tiles of vectors and what is left vector by vector.
#[inline(always)]
unsafe fn run<const W: usize, V: Vector, F: Function>(rows: &RowsAt, from: usize, to: usize, lane: usize) {
    if from == to {
        return;
    }
    let step = step::<W, V>();
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    // SAFETY: the caller's, as of `tile`.
    unsafe {
        let mut start = zero;
        let mut shared = 0;
        for &(place, factor) in rows.terms {
            let (PlaceAt::Fixed(x), FactorAt::Constant(_) | FactorAt::Scalar(_)) = (place, factor) else {
                break;
            };
            start = add_times::<W, V>(start, per_lane::<W, V>(x, lane), factor, 0, lane);
            shared += 1;
        }
        let terms = &rows.terms[shared..];
        let mut state = State {
            start,
            sums: Sums {
                softplus: rows.softplus,
                products: [one; MAX_LEVELS],
                sum: zero,
            },
            totals: [zero; MAX_SPREADS],
            runs: [0; MAX_SPREADS],
        };
        let mut i = from;
        while i < to {
            let pause = to.min(i + FACTORS * step);
            while i + TILE * step <= pause {
                tile::<W, TILE, V, F>(rows, terms, &mut state, i, lane);
                i += TILE * step;
            }
            while i < pause {
                tile::<W, 1, V, F>(rows, terms, &mut state, i, lane);
                i += step;
            }
            if let Some(softplus) = rows.softplus {
                let sums = &mut state.sums;
                for (product, &weight) in sums.products.iter_mut().zip(softplus.levels) {
                    sums.sum = ln_of_normal(*product).mul_add(V::splat(weight), sums.sum);
                    *product = one;
                }
            }
        }
        if rows.softplus.is_some() {
            add_total::<W, V>(rows.log_density, state.sums.sum, lane);
        }
        for ((spread, total), run) in rows.spreads.iter().zip(state.totals).zip(state.runs) {
            match spread.to {
                ToAt::Total(to) => add_total::<W, V>(to, total, lane),
                ToAt::Segment(out, ..) if W == 1 => add_total::<W, V>(out.add(run as usize), total, lane),
                ToAt::Segment(..) | ToAt::Each(_) | ToAt::Accumulate(_) => {}
            }
        }
    }
}

/// Runs the instruction with vectors `V`, and what is left of the rows one by one as `S`.
///
/// SAFETY: every address of `rows` holds the block's elements of `W` lanes, or what the codes point into; results
/// overlap no operand; the processor has the instructions of `V` and `S`.
#[inline(always)]
pub(super) unsafe fn rows<const W: usize, V: Vector, S: Vector>(rows: &RowsAt) {
    // SAFETY: the caller's.
    unsafe {
        match (rows.link, rows.softplus) {
            (Link::Identity, _) => all::<W, V, S, Identity>(rows),
            (Link::Exp, _) => all::<W, V, S, Exp>(rows),
            (Link::InvLogit, None) => all::<W, V, S, InvLogit>(rows),
            (Link::InvLogit, Some(softplus)) if softplus.levels.is_empty() => {
                all::<W, V, S, InvLogitEach>(rows)
            }
            (Link::InvLogit, Some(_)) => all::<W, V, S, InvLogitProducts>(rows),
        }
    }
}

#[inline(always)]
unsafe fn all<const W: usize, V: Vector, S: Vector, F: Function>(rows: &RowsAt) {
    // SAFETY: the caller's.
    unsafe {
        if W == 1 {
            let whole = rows.n - rows.n % V::LANES;
            run::<W, V, F>(rows, 0, whole, 0);
            run::<W, S, F>(rows, whole, rows.n, 0);
        } else {
            for lane in (0..W).step_by(V::LANES) {
                run::<W, V, F>(rows, 0, rows.n, lane);
            }
        }
    }
}
