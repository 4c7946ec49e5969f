//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") keyed by the seed.
//!
//! The counter of a block of four words is (purpose · 2²⁴ + block, iteration, chain, replicate); the key is the seed,
//! low word first. Uniforms are (word + ½) · 2⁻³². Normals come in pairs by Box–Muller: words (0, 1) of a block give
//! normals 4·block and 4·block + 1, words (2, 3) the next two.

use rand::rand_core::{Infallible, TryRng};

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// Ten rounds of Philox4x32: the block of random words at `counter` under `key`.
// Always, so that a loop over streams becomes one over vectors.
#[inline(always)]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let p0 = u64::from(M0) * u64::from(counter[0]);
        let p1 = u64::from(M1) * u64::from(counter[2]);
        counter = [
            (p1 >> 32) as u32 ^ counter[1] ^ key[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ counter[3] ^ key[1],
            p0 as u32,
        ];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter
}

/// What a stream is used for: streams of different purposes never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Momentum refreshes.
    Momentum = 0,
    /// The accept–reject uniform of an iteration (word 0 of block 0).
    Accept = 1,
    /// Starting points; chain = the superchain for centres.
    Initial = 2,
    /// Jitter of single chains around their superchain's starting point.
    Jitter = 3,
    /// Directions and multinomial choices of NUTS.
    Trajectory = 4,
    /// Simulated data and posterior predictions.
    Predictive = 5,
    /// Subsampling of draws for the f64 re-evaluation and the like.
    Subsample = 6,
    /// Weights of rows in a Bayesian bootstrap; replicate = the bootstrap.
    Bootstrap = 7,
}

/// One named stream of random words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The run's seed.
    pub seed: u64,
    /// Replicate of a study; 0 for a single fit.
    pub replicate: u32,
    /// Chain, counted over the whole run.
    pub chain: u32,
    /// Iteration, warm-up included.
    pub iteration: u32,
    /// Use.
    pub purpose: Purpose,
}

impl Stream {
    /// The four words of block `block` (below 2²⁴) of this stream.
    #[inline(always)]
    pub fn block(&self, block: u32) -> [u32; 4] {
        debug_assert!(block < 1 << 24, "a stream has 2^24 blocks");
        let tag = (self.purpose as u32) << 24 | (block & 0x00ff_ffff);
        philox4x32(
            [tag, self.iteration, self.chain, self.replicate],
            [self.seed as u32, (self.seed >> 32) as u32],
        )
    }

    /// The first uniform of the stream, in (0, 1).
    pub fn uniform(&self) -> f64 {
        to_uniform(self.block(0)[0])
    }

    /// Fills `out` with independent standard normals; `out[i]` depends on the stream and `i` alone.
    pub fn fill_normal(&self, out: &mut [f64]) {
        for (block, chunk) in out.chunks_mut(4).enumerate() {
            let words = self.block(block as u32);
            let (a, b) = box_muller(words[0], words[1]);
            let (c, d) = box_muller(words[2], words[3]);
            for (value, normal) in chunk.iter_mut().zip([a, b, c, d]) {
                *value = normal;
            }
        }
    }

    /// A sequential generator over this stream's words, for the crates that want one.
    pub fn rng(&self) -> StreamRng {
        StreamRng {
            stream: *self,
            block: 0,
            words: [0; 4],
            used: 4,
        }
    }
}

/// A uniform in (0, 1) from one word.
#[inline]
fn to_uniform(word: u32) -> f64 {
    (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0)
}

/// Two standard normals from two words.
#[inline]
fn box_muller(first: u32, second: u32) -> (f64, f64) {
    let radius = (-2.0 * to_uniform(first).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * to_uniform(second)).sin_cos();
    (radius * cos, radius * sin)
}

/// A [`Stream`] read word after word; implements `rand`'s generator traits.
#[derive(Debug, Clone)]
pub struct StreamRng {
    stream: Stream,
    block: u32,
    words: [u32; 4],
    used: usize,
}

impl StreamRng {
    fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.words = self.stream.block(self.block);
            self.block = (self.block + 1) & 0x00ff_ffff;
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }
}

impl TryRng for StreamRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.word());
        Ok(low | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Known answers of Random123's kat_vectors.
    #[test]
    fn known_answers() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    fn stream(purpose: Purpose) -> Stream {
        Stream {
            seed: 1,
            replicate: 0,
            chain: 3,
            iteration: 7,
            purpose,
        }
    }

    #[test]
    fn normals_have_the_moments_of_normals() {
        let mut z = vec![0.0; 100_000];
        stream(Purpose::Momentum).fill_normal(&mut z);
        let n = z.len() as f64;
        let moment = |k: i32| z.iter().map(|x| x.powi(k)).sum::<f64>() / n;
        // Standard errors of the first four sample moments: 1, √2, √15, √96 over √n; four of them.
        for (k, expected, sd) in [
            (1, 0.0, 1.0),
            (2, 1.0, 2f64.sqrt()),
            (3, 0.0, 15f64.sqrt()),
            (4, 3.0, 96f64.sqrt()),
        ] {
            let bound = 4.0 * sd / n.sqrt();
            assert!((moment(k) - expected).abs() < bound, "moment {k}: {}", moment(k));
        }
    }

    #[test]
    fn purposes_do_not_share_words() {
        assert_ne!(
            stream(Purpose::Momentum).block(0),
            stream(Purpose::Accept).block(0)
        );
    }

    #[test]
    fn the_generator_reads_the_blocks_in_order() {
        let mut rng = stream(Purpose::Predictive).rng();
        let words: Vec<u32> = (0..8).map(|_| rng.next_u32()).collect();
        assert_eq!(words[..4], stream(Purpose::Predictive).block(0));
        assert_eq!(words[4..], stream(Purpose::Predictive).block(1));
    }
}
