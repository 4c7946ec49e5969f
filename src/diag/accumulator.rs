//! Moments and batch means of draws that stream by: memory that does not depend on how many there are.
//!
//! Every chain's draws fall into batches of equal length. Where all places for batches are taken, neighbours are joined
//! and the length doubles, so that a chain always has between half and all of its places filled; from 257 chains on,
//! the whole chain is one batch. Exact over all draws are the mean and the variance; the Monte Carlo error comes from
//! the spread of the batch means (see [`combine`]).

use super::chains::Status;
use super::pilot::Pilot;

/// Places for batches of all chains together.
const PLACES: usize = 1024;
/// Batches, over all chains, below which no longer ones are formed.
const FEWEST_BATCHES: usize = 16;

/// What is followed of each draw.
const DRAW: usize = 0;
const SQUARE: usize = 1;
const SCORE: usize = 2;
const LOW_TAIL: usize = 3;
const HIGH_TAIL: usize = 4;
const FUNCTIONS: usize = 5;

/// Places for batches of each of `all_chains` chains: the largest power of two that keeps within [`PLACES`]; a chain in
/// two or three batches is better taken whole.
fn slots_per_chain(all_chains: usize) -> usize {
    match 1 << (PLACES / all_chains.max(1)).max(1).ilog2() {
        1 | 2 => 1,
        more => more,
    }
}

/// The stream of draws of some chains.
#[derive(Debug, Clone, PartialEq)]
pub struct Accumulator {
    chains: usize,
    elements: usize,
    /// 1 (the draw alone) or [`FUNCTIONS`].
    functions: usize,
    /// Places for batches of one chain, a power of two.
    slots: usize,
    /// Draws per batch; unbounded if there is a single slot.
    batch: usize,
    /// Draws so far, of each chain.
    draws: usize,
    /// What is taken off each draw, `[element]`: sums stay near 0, where they lose no digits.
    shift: Vec<f64>,
    /// Sums over the draws of a batch, `[chain][slot][function][element]`.
    sums: Vec<f64>,
    /// Sums of squares over all draws, `[function][element]`.
    squares: Vec<f64>,
    /// Draws that are NaN or infinite, `[element]`.
    non_finite: Vec<u64>,
}

impl Accumulator {
    /// For `chains` of `all_chains` chains. Without a pilot only means, variances and the error of the means are known.
    pub fn new(chains: usize, all_chains: usize, elements: usize, pilot: Option<&Pilot>) -> Self {
        let slots = slots_per_chain(all_chains);
        let functions = if pilot.is_some() { FUNCTIONS } else { 1 };
        Self {
            chains,
            elements,
            functions,
            slots,
            batch: if slots == 1 { usize::MAX } else { 1 },
            draws: 0,
            shift: pilot.map_or_else(Vec::new, |pilot| pilot.centre.clone()),
            sums: vec![0.0; chains * slots * functions * elements],
            squares: vec![0.0; functions * elements],
            non_finite: vec![0; elements],
        }
    }

    /// Draws so far, of each chain.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// Bytes that the stream's state takes, whatever it has seen.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of::<f64>() * (self.shift.len() + self.sums.len() + self.squares.len())
            + size_of::<u64>() * self.non_finite.len()
    }

    /// Bytes for each of `all_chains` chains whose draws have `elements` numbers, with a pilot.
    pub fn bytes_per_chain(all_chains: usize, elements: usize) -> usize {
        size_of::<f64>() * slots_per_chain(all_chains) * FUNCTIONS * elements
    }

    /// Takes in the next draws of every chain, `rows[chain][draw][element]`; `pilot` is the one of the beginning.
    pub fn add(&mut self, rows: &[f64], pilot: Option<&Pilot>) {
        let width = self.chains * self.elements;
        if width == 0 || rows.len() < width {
            return;
        }
        if self.shift.is_empty() {
            self.shift = rows[..self.elements].to_vec();
        }
        let draws = rows.len() / width;
        let mut done = 0;
        while done < draws {
            if self.draws / self.batch == self.slots {
                self.join_neighbours();
            }
            let slot = self.draws / self.batch;
            let count = (draws - done).min(self.batch.saturating_mul(slot + 1) - self.draws);
            for chain in 0..self.chains {
                let first = (chain * draws + done) * self.elements;
                let rows = &rows[first..first + count * self.elements];
                self.add_to_slot(chain * self.slots + slot, rows, pilot);
            }
            self.draws += count;
            done += count;
        }
    }

    fn add_to_slot(&mut self, slot: usize, rows: &[f64], pilot: Option<&Pilot>) {
        let (n, width) = (self.elements, self.functions * self.elements);
        let sums = &mut self.sums[slot * width..(slot + 1) * width];
        match pilot {
            None => {
                for row in rows.chunks_exact(n) {
                    for e in 0..n {
                        let d = row[e] - self.shift[e];
                        sums[e] += d;
                        self.squares[e] += d * d;
                        self.non_finite[e] += u64::from(!d.is_finite());
                    }
                }
            }
            Some(pilot) => {
                let (draw, rest) = sums.split_at_mut(n);
                let (square, rest) = rest.split_at_mut(n);
                let (score, rest) = rest.split_at_mut(n);
                let (low, high) = rest.split_at_mut(n);
                let (draw_square, rest) = self.squares.split_at_mut(n);
                let (square_square, rest) = rest.split_at_mut(n);
                let (score_square, rest) = rest.split_at_mut(n);
                let (low_square, high_square) = rest.split_at_mut(n);
                for row in rows.chunks_exact(n) {
                    for e in 0..n {
                        let d = row[e] - self.shift[e];
                        let y = d * d;
                        draw[e] += d;
                        draw_square[e] += y;
                        square[e] += y;
                        square_square[e] += y * y;
                        self.non_finite[e] += u64::from(!d.is_finite());
                    }
                    for e in 0..n {
                        let z = pilot.score(e, row[e]);
                        score[e] += z;
                        score_square[e] += z * z;
                        let is_low = f64::from(u8::from(row[e] <= pilot.tails[e]));
                        let is_high = f64::from(u8::from(row[e] <= pilot.tails[n + e]));
                        low[e] += is_low;
                        low_square[e] += is_low;
                        high[e] += is_high;
                        high_square[e] += is_high;
                    }
                }
            }
        }
    }

    /// Makes one batch of two, in every chain.
    fn join_neighbours(&mut self) {
        let width = self.functions * self.elements;
        for chain in self.sums.chunks_exact_mut(self.slots * width) {
            for slot in 0..self.slots / 2 {
                for i in 0..width {
                    chain[slot * width + i] = chain[2 * slot * width + i] + chain[(2 * slot + 1) * width + i];
                }
            }
            chain[self.slots / 2 * width..].fill(0.0);
        }
        self.batch *= 2;
    }

    /// What is taken off a function's values in the sums.
    fn shift_of(&self, function: usize, element: usize) -> f64 {
        if function == DRAW {
            self.shift.get(element).copied().unwrap_or(0.0)
        } else {
            0.0
        }
    }
}

/// What a stream of draws says about one number. Undefined numbers are NaN; units are the draws' own unless said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Streamed {
    /// Whether the draws vary.
    pub status: Status,
    /// Mean of all draws.
    pub mean: f64,
    /// Standard deviation of all draws (divisor S − 1).
    pub sd: f64,
    /// Monte Carlo standard error of `mean`.
    pub mcse_mean: f64,
    /// Relative standard error of `mcse_mean` itself, 1/√(2(batches − 1)).
    pub mcse_error: f64,
    /// Monte Carlo standard error of `sd`; NaN without a pilot, as the two below.
    pub mcse_sd: f64,
    /// Effective sample size of the bulk, in draws.
    pub ess_bulk: f64,
    /// Effective sample size of the tails, in draws.
    pub ess_tail: f64,
}

/// A function's mean over all draws, its variance and its effective sample size, with the number of batches behind it.
struct Moments {
    mean: f64,
    variance: f64,
    ess: f64,
    batches: usize,
}

/// Puts together what the streams of all chains say about `element`.
///
/// A batch mean of length b varies by τσ²/b, with τ the integrated autocorrelation time, once b is long against τ. The
/// length taken is the shortest with b³ > 2Sτ², S the number of draws (Lee, Conduit, Nemec, López Ríos, Drummond 2011,
/// section V: there the bias of short batches and the noise of few long ones balance), or the whole chain. Batches of
/// all chains vary about one mean, so chains that disagree have few effective draws. ESS is capped at S·log10 S, as
/// [`super::ess_mean`]'s.
pub fn combine(streams: &[&Accumulator], element: usize) -> Streamed {
    let undefined = Streamed {
        status: Status::NonFinite { count: 0 },
        mean: f64::NAN,
        sd: f64::NAN,
        mcse_mean: f64::NAN,
        mcse_error: f64::NAN,
        mcse_sd: f64::NAN,
        ess_bulk: f64::NAN,
        ess_tail: f64::NAN,
    };
    let broken: u64 = streams.iter().map(|stream| stream.non_finite[element]).sum();
    if broken > 0 {
        return Streamed {
            status: Status::NonFinite {
                count: broken as usize,
            },
            ..undefined
        };
    }
    let draw = moments(streams, DRAW, element);
    let sd = draw.variance.sqrt();
    if draw.variance == 0.0 {
        return Streamed {
            status: Status::Constant,
            mean: draw.mean,
            sd,
            ..undefined
        };
    }
    let located = Streamed {
        status: Status::Varying,
        mean: draw.mean,
        sd,
        mcse_mean: sd / draw.ess.sqrt(),
        mcse_error: 1.0 / (2.0 * (draw.batches as f64 - 1.0)).sqrt(),
        ..undefined
    };
    if streams.iter().any(|stream| stream.functions < FUNCTIONS) {
        return located;
    }
    let square = moments(streams, SQUARE, element);
    let [low, high] = [LOW_TAIL, HIGH_TAIL].map(|tail| moments(streams, tail, element).ess);
    Streamed {
        // The delta method on the variance of the variance (Kenney & Keeping 1951, p. 141).
        mcse_sd: (square.variance / square.ess).sqrt() / (2.0 * sd),
        ess_bulk: moments(streams, SCORE, element).ess,
        ess_tail: low.min(high),
        ..located
    }
}

fn moments(streams: &[&Accumulator], function: usize, element: usize) -> Moments {
    let count = |stream: &Accumulator| (stream.chains * stream.draws) as f64;
    let size: f64 = streams.iter().map(|stream| count(stream)).sum();
    let reference = streams
        .first()
        .map_or(0.0, |stream| stream.shift_of(function, element));
    let mut batches = Batches::default();
    let mut means = Vec::with_capacity(streams.len());
    for stream in streams {
        let sum = batches.take(stream, function, element, reference);
        means.push(sum / count(stream));
    }
    let mean = streams.iter().zip(&means).map(|(s, m)| count(s) * m).sum::<f64>() / size;
    // Sums of squares about each stream's mean, then about the common one (Chan, Golub, LeVeque 1983).
    let deviations: f64 = streams
        .iter()
        .zip(&means)
        .map(|(stream, &own)| {
            let at = own + reference - stream.shift_of(function, element);
            let squares = stream.squares[function * stream.elements + element];
            (squares - count(stream) * at * at).max(0.0) + count(stream) * (own - mean).powi(2)
        })
        .sum();
    let variance = deviations / (size - 1.0);
    let (ess, number) = batches.ess(size, variance, mean);
    Moments {
        mean: reference + mean,
        variance,
        ess,
        batches: number,
    }
}

/// Batch sums of one function of one number over all chains, about a common reference.
#[derive(Default)]
struct Batches {
    /// Complete batches of each chain.
    per_chain: usize,
    length: usize,
    draws: usize,
    /// `[chain][batch]`.
    sums: Vec<f64>,
    /// Of the whole chain, with what no batch holds yet.
    chains: Vec<f64>,
}

impl Batches {
    /// Adds the chains of `stream`; all streams have as many draws. Returns the sum over its draws.
    fn take(&mut self, stream: &Accumulator, function: usize, element: usize, reference: f64) -> f64 {
        self.per_chain = stream.draws / stream.batch;
        self.length = stream.batch;
        self.draws = stream.draws;
        let shift = stream.shift_of(function, element) - reference;
        let width = stream.functions * stream.elements;
        let offset = function * stream.elements + element;
        let mut total = 0.0;
        for chain in 0..stream.chains {
            let slot = |slot: usize| stream.sums[(chain * stream.slots + slot) * width + offset];
            let filled = (self.per_chain + 1).min(stream.slots);
            let whole = (0..filled).map(slot).sum::<f64>() + stream.draws as f64 * shift;
            self.chains.push(whole);
            self.sums
                .extend((0..self.per_chain).map(|batch| slot(batch) + self.length as f64 * shift));
            total += whole;
        }
        total
    }

    /// The effective sample size of `size` draws with this `variance` about `mean`, and the batches behind it.
    fn ess(&self, size: f64, variance: f64, mean: f64) -> (f64, usize) {
        let mut best = None;
        let mut width = 1;
        while width <= self.per_chain {
            let per_chain = self.per_chain / width;
            let number = self.chains.len() * per_chain;
            if number < FEWEST_BATCHES {
                break;
            }
            let length = width * self.length;
            let of_chain = |sums: &[f64]| -> f64 {
                let joined = sums.chunks_exact(width).map(|sums| sums.iter().sum::<f64>());
                joined.map(|sum| (sum / length as f64 - mean).powi(2)).sum()
            };
            let squares: f64 = self.sums.chunks_exact(self.per_chain).map(of_chain).sum();
            let time = length as f64 * squares / (number as f64 - 1.0) / variance;
            best = Some((time, number));
            if (length as f64).powi(3) > 2.0 * size * time * time {
                return (capped(size, time), number);
            }
            width *= 2;
        }
        let chains = self.chains.len();
        if chains >= FEWEST_BATCHES || (best.is_none() && chains > 1) {
            let n = self.draws as f64;
            let squares: f64 = self.chains.iter().map(|sum| (sum / n - mean).powi(2)).sum();
            best = Some((n * squares / (chains as f64 - 1.0) / variance, chains));
        }
        best.map_or((f64::NAN, 0), |(time, number)| (capped(size, time), number))
    }
}

/// Effective draws of `size` draws with this autocorrelation time.
fn capped(size: f64, time: f64) -> f64 {
    if time.is_nan() {
        return f64::NAN;
    }
    size / time.max(1.0 / size.log10())
}

#[cfg(test)]
mod tests {
    use super::super::{Chains, ess_bulk, ess_mean, ess_tail, mcse_mean, mcse_sd};
    use super::*;

    /// x(t) = φ·x(t − 1) + e(t) with nearly normal e, chain after chain.
    fn autoregressive(phi: f64, num_chains: usize, num_draws: usize) -> Vec<f64> {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut values = vec![0.0; num_chains * num_draws];
        for chain in values.chunks_exact_mut(num_draws) {
            let mut x = 0.0;
            for value in chain {
                x = phi * x + (0..6).map(|_| uniform()).sum::<f64>();
                *value = x;
            }
        }
        values
    }

    /// Streams `[chain][draw]` in blocks of uneven lengths, in groups of `group` chains, beside a constant element.
    fn stream(values: &[f64], num_chains: usize, group: usize, with_pilot: bool) -> Vec<Accumulator> {
        let num_draws = values.len() / num_chains;
        let first = num_draws.min(60);
        let pilot = with_pilot.then(|| {
            let pilot = values.chunks_exact(num_draws).flat_map(|chain| &chain[..first]);
            let pilot: Vec<f64> = pilot.copied().collect();
            Pilot::new(2, |element| if element == 0 { pilot.clone() } else { vec![3.25] })
        });
        let pilot = pilot.as_ref();
        let mut streams = Vec::new();
        for group in values.chunks_exact(group * num_draws) {
            let chains = group.len() / num_draws;
            let mut stream = Accumulator::new(chains, num_chains, 2, pilot);
            let mut done = 0;
            for block in [1, 7, 52, 100, 333].into_iter().cycle() {
                let end = (done + block).min(num_draws);
                let rows: Vec<f64> = group
                    .chunks_exact(num_draws)
                    .flat_map(|chain| chain[done..end].iter().flat_map(|x| [*x, 3.25]))
                    .collect();
                stream.add(&rows, pilot);
                done = end;
                if done == num_draws {
                    break;
                }
            }
            assert_eq!(stream.draws(), num_draws);
            streams.push(stream);
        }
        streams
    }

    fn combined(streams: &[Accumulator]) -> [Streamed; 2] {
        let all: Vec<&Accumulator> = streams.iter().collect();
        [combine(&all, 0), combine(&all, 1)]
    }

    #[test]
    fn means_and_sds_are_exact_wherever_the_draws_lie() {
        for offset in [0.0, 1e6] {
            let mut values = autoregressive(0.5, 6, 500);
            values.iter_mut().for_each(|x| *x += offset);
            for with_pilot in [false, true] {
                let [got, constant] = combined(&stream(&values, 6, 2, with_pilot));
                let n = values.len() as f64;
                let mean = offset + values.iter().map(|x| x - offset).sum::<f64>() / n;
                let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
                // The draws themselves carry 1e6 · 2⁻⁵³; sums of 3,000 draws near 0 add a few hundred roundings.
                assert!((got.mean - mean).abs() < 1e-12 * offset.max(1.0), "{got:?}");
                assert!((got.sd / sd - 1.0).abs() < 1e-10, "{got:?}");
                assert_eq!(
                    (constant.status, constant.mean, constant.sd),
                    (Status::Constant, 3.25, 0.0)
                );
                assert!(constant.mcse_mean.is_nan());
            }
        }
    }

    /// The known time of an autoregression is (1 + φ)/(1 − φ). Sixteen or more batches estimate it with a relative
    /// error of √(2/(batches − 1)); 4 of these, and a tenth for the batches' finite length.
    #[test]
    fn errors_of_means_are_those_of_autocorrelated_draws() {
        for (num_chains, num_draws) in [(1, 20_000), (4, 5_000), (64, 400), (600, 60)] {
            for phi in [-0.5, 0.0, 0.5, 0.8] {
                let values = autoregressive(phi, num_chains, num_draws);
                let [got, _] = combined(&stream(&values, num_chains, num_chains, false));
                let known = (num_chains * num_draws) as f64 * (1.0 - phi) / (1.0 + phi);
                let ess = (got.sd / got.mcse_mean).powi(2);
                let allowed = 4.0 * 2.0 * got.mcse_error + 0.1;
                assert!(
                    (ess / known).ln().abs() < (1.0 + allowed).ln(),
                    "{num_chains} chains, phi {phi}: {ess} for {known}, {got:?}"
                );
                assert!(got.mcse_error < 0.13, "{got:?}");
            }
        }
    }

    /// Against the estimates from all draws by autocorrelations; both are noisy, by some 10 %.
    #[test]
    fn ranks_and_tails_agree_with_those_of_all_draws() {
        for phi in [-0.3, 0.6] {
            // Cubed: heavy tails, for which ranks and moments differ.
            let values: Vec<f64> = autoregressive(phi, 4, 8_000).iter().map(|x| x.powi(3)).collect();
            let chains = Chains::new(&values, 4).unwrap();
            let [got, _] = combined(&stream(&values, 4, 1, true));
            for (what, got, expected) in [
                ("bulk", got.ess_bulk, ess_bulk(chains)),
                ("tail", got.ess_tail, ess_tail(chains)),
                ("mcse", got.mcse_mean.powi(-2), mcse_mean(chains).powi(-2)),
                ("mcse_sd", got.mcse_sd.powi(-2), mcse_sd(chains).powi(-2)),
                ("mean", (got.sd / got.mcse_mean).powi(2), ess_mean(chains)),
            ] {
                assert!(
                    (got / expected - 1.0).abs() < 0.4,
                    "phi {phi}, {what}: {got} for {expected}"
                );
            }
        }
    }

    #[test]
    fn chains_that_disagree_have_few_effective_draws() {
        let mut values = autoregressive(0.0, 4, 1000);
        values[3_000..].iter_mut().for_each(|x| *x += 3.0);
        let [got, _] = combined(&stream(&values, 4, 1, true));
        assert!((got.sd / got.mcse_mean).powi(2) < 200.0, "{got:?}");
    }

    #[test]
    fn the_state_does_not_grow() {
        let values = autoregressive(0.0, 4, 10_000);
        let [short, long] = [100, 10_000].map(|draws| {
            let values: Vec<f64> = values
                .chunks_exact(10_000)
                .flat_map(|c| c[..draws].to_vec())
                .collect();
            stream(&values, 4, 4, true)[0].bytes()
        });
        assert_eq!(short, long);
    }

    #[test]
    fn groups_of_chains_do_not_matter() {
        let values = autoregressive(0.4, 6, 300);
        let [one, _] = combined(&stream(&values, 6, 6, true));
        let [three, _] = combined(&stream(&values, 6, 2, true));
        assert!(
            (one.mean - three.mean).abs() < 1e-13 && (one.mcse_mean / three.mcse_mean - 1.0).abs() < 1e-12
        );
    }

    #[test]
    fn broken_draws_are_counted() {
        let mut values = autoregressive(0.4, 2, 100);
        values[17] = f64::NAN;
        values[150] = f64::INFINITY;
        let [got, constant] = combined(&stream(&values, 2, 1, false));
        assert_eq!(got.status, Status::NonFinite { count: 2 });
        assert!(got.mean.is_nan());
        assert_eq!(constant.status, Status::Constant);
    }
}
