//! Choices of the generators, from one random stream for each case.

use rand::Rng;
use tadpool::rng::{Purpose, Stream, StreamRng};

/// A die of any number of sides.
pub(crate) struct Dice(StreamRng);

impl Dice {
    /// The choices of case number `case`.
    pub(crate) fn new(case: u32) -> Self {
        let stream = Stream {
            seed: 2024,
            replicate: 0,
            chain: case,
            iteration: 0,
            purpose: Purpose::Predictive,
        };
        Self(stream.rng())
    }

    /// A number in (0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }

    /// A number from 0 to `sides` − 1.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        (self.unit() * sides as f64) as usize
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A multiple of 1/16 between the ends: exact in f32 and in decimals.
    pub(crate) fn sixteenths(&mut self, low: f64, high: f64) -> f64 {
        ((low + (high - low) * self.unit()) * 16.0).round() / 16.0
    }

    /// A position of `dim` coordinates: normals with sd 1/2, each a number of f32, so that the device evaluates at
    /// exactly the same place.
    pub(crate) fn position(&mut self, dim: usize) -> Vec<f64> {
        let normal = |dice: &mut Self| {
            let (radius, turn) = (
                (-2.0 * dice.unit().ln()).sqrt(),
                std::f64::consts::TAU * dice.unit(),
            );
            f64::from((0.5 * radius * turn.cos()) as f32)
        };
        (0..dim).map(|_| normal(self)).collect()
    }
}
