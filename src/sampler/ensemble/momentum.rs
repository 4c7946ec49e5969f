//! The momenta of a block of chains at once: the normals of `Stream::fill_normal`, with the transcendental part in lanes.
//!
//! One chain after another they take more than twice as long: as much as four or five gradients of a small model.

use std::f64::consts::TAU;

use super::lanes::{LANES, wide};
use crate::num::lanes::ln;
use crate::rng::Stream;

/// Coefficients of sin(x)/x in x², Taylor up to x¹⁶: 1e-19 on |x| ≤ π/4.
const SIN: [f64; 9] = [
    1.0,
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5_040.0,
    1.0 / 362_880.0,
    -1.0 / 39_916_800.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 1_307_674_368_000.0,
    1.0 / 355_687_428_096_000.0,
];
/// Coefficients of cos(x) in x², Taylor up to x¹⁶: 2e-18 on |x| ≤ π/4.
const COS: [f64; 9] = [
    1.0,
    -1.0 / 2.0,
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40_320.0,
    -1.0 / 3_628_800.0,
    1.0 / 479_001_600.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 20_922_789_888_000.0,
];

/// Writes the momenta of a block of chains, `[dim][lane]`: coordinate i of lane c is the i-th normal of `streams[c]` times
/// `scale[i]`.
pub(crate) fn fill_momentum(momentum: &mut [f64], scale: &[f64], streams: &[Stream; LANES]) {
    for (block, (rows, scale)) in momentum.chunks_mut(4 * LANES).zip(scale.chunks(4)).enumerate() {
        let mut words = [[0u32; LANES]; 4];
        blocks(&mut words, streams, block as u32);
        for ((rows, scale), words) in rows
            .chunks_mut(2 * LANES)
            .zip(scale.chunks(2))
            .zip(words.as_chunks::<2>().0)
        {
            box_muller(rows, scale, words);
        }
    }
}

/// Writes the normals of `stream` into `normals`: those of `Stream::fill_normal`, up to rounding, eight pairs at a time.
pub(crate) fn fill_normals(normals: &mut [f64], stream: Stream) {
    let mut rows = [0.0; 2 * LANES];
    for (group, normals) in normals.chunks_mut(2 * LANES).enumerate() {
        let mut words = [[0u32; LANES]; 2];
        for half in 0..LANES / 2 {
            let block = stream.block((group * (LANES / 2) + half) as u32);
            for pair in 0..2 {
                words[0][2 * half + pair] = block[2 * pair];
                words[1][2 * half + pair] = block[2 * pair + 1];
            }
        }
        box_muller(&mut rows, &[1.0; 2], &words);
        for (i, normal) in normals.iter_mut().enumerate() {
            *normal = rows[i % 2 * LANES + i / 2];
        }
    }
}

wide! {
    /// The words of one block of every stream, `[word][lane]`.
    fn blocks(words: &mut [[u32; LANES]; 4], streams: &[Stream; LANES], block: u32) {
        for lane in 0..LANES {
            let [a, b, c, d] = streams[lane].block(block);
            words[0][lane] = a;
            words[1][lane] = b;
            words[2][lane] = c;
            words[3][lane] = d;
        }
    }
}

wide! {
    /// Two rows of normals (or the first alone) times their scales, from two rows of words, as in `rng`.
    fn box_muller(rows: &mut [f64], scale: &[f64], words: &[[u32; LANES]; 2]) {
        let mut uniform = [[0.0; LANES]; 2];
        for i in 0..2 {
            for lane in 0..LANES {
                uniform[i][lane] = (f64::from(words[i][lane]) + 0.5) * (1.0 / 4_294_967_296.0);
            }
        }
        let log = ln::<false, LANES>(uniform[0]);
        let mut first = [0.0; LANES];
        let mut second = [0.0; LANES];
        for lane in 0..LANES {
            let radius = (-2.0 * log[lane]).sqrt();
            // The angle in quarters of a turn, −½ to ½ around the nearest one, which is exact; adding 2⁵² rounds.
            let quarters = 4.0 * uniform[1][lane];
            let nearest = (quarters + 4_503_599_627_370_496.0) - 4_503_599_627_370_496.0;
            let x = 0.25 * TAU * (quarters - nearest);
            let x2 = x * x;
            let (mut sin, mut cos) = (SIN[8], COS[8]);
            for k in (0..8).rev() {
                sin = sin * x2 + SIN[k];
                cos = cos * x2 + COS[k];
            }
            sin *= x;
            let is_odd = nearest == 1.0 || nearest == 3.0;
            let (sin, cos) = (if is_odd { cos } else { sin }, if is_odd { sin } else { cos });
            let sin = if nearest == 2.0 || nearest == 3.0 { -sin } else { sin };
            let cos = if nearest == 1.0 || nearest == 2.0 { -cos } else { cos };
            first[lane] = radius * cos;
            second[lane] = radius * sin;
        }
        for (i, normals) in [first, second].iter().enumerate().take(scale.len()) {
            for lane in 0..LANES {
                rows[i * LANES + lane] = scale[i] * normals[lane];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn the_normals_are_those_of_the_stream() {
        for dim in [1, 2, 3, 4, 5, 50, 1001] {
            let streams: [Stream; LANES] = std::array::from_fn(|lane| Stream {
                seed: 8,
                replicate: 1,
                chain: lane as u32,
                iteration: 77,
                purpose: Purpose::Momentum,
            });
            let scale: Vec<f64> = (0..dim).map(|i| 1.0 + i as f64).collect();
            let mut momentum = vec![0.0; dim * LANES];
            fill_momentum(&mut momentum, &scale, &streams);
            let mut normals = vec![0.0; dim];
            for (lane, stream) in streams.iter().enumerate() {
                stream.fill_normal(&mut normals);
                let mut alone = vec![0.0; dim];
                fill_normals(&mut alone, *stream);
                for i in 0..dim {
                    assert!((alone[i] - normals[i]).abs() < 1e-14, "{dim}, {i}: {}", alone[i]);
                    let (got, want) = (momentum[i * LANES + lane], scale[i] * normals[i]);
                    // The stream rounds the angle 2πu to 4e-16 before its sine, on radii below 7; logarithms to 2 ulp.
                    assert!((got - want).abs() < 1e-14 * scale[i], "{dim}, {i}: {got}, {want}");
                }
            }
        }
    }
}
