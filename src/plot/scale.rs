//! From numbers to lengths: the range of an axis, and where its ticks stand.

/// The range of an axis, `low` below `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Scale {
    /// From `low` to `high`; about `low` if they are the same, and from 0 to 1 if they are no numbers.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        if !(low.is_finite() && high.is_finite()) {
            return Self { low: 0.0, high: 1.0 };
        }
        if low < high {
            return Self { low, high };
        }
        let around = 0.5 * low.abs().max(1.0);
        Self {
            low: low - around,
            high: low + around,
        }
    }

    /// Over all finite values.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = values
            .into_iter()
            .filter(|x| x.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            });
        Self::new(low, high)
    }

    /// With room on both sides, in shares of the range.
    pub(crate) fn padded(self, below: f64, above: f64) -> Self {
        let range = self.high - self.low;
        Self {
            low: self.low - below * range,
            high: self.high + above * range,
        }
    }

    /// Where `x` lies, 0 at the low end and 1 at the high one.
    pub(crate) fn share(self, x: f64) -> f64 {
        (x - self.low) / (self.high - self.low)
    }

    /// Whether `x` lies within, up to rounding.
    pub(crate) fn holds(self, x: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.share(x))
    }

    /// Round numbers within the range, at most `most` of them (but at least one step of two), 1, 2 or 5 times a power
    /// of ten apart.
    pub(crate) fn ticks(self, most: usize) -> Ticks {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = rough.log10().floor();
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * 10f64.powf(power))
            .into_iter()
            .find(|step| *step >= rough * (1.0 - 1e-9))
            .unwrap_or(rough);
        let (first, last) = ((self.low / step - 1e-6).ceil(), (self.high / step + 1e-6).floor());
        let count = if last >= first {
            (last - first) as usize + 1
        } else {
            0
        };
        Ticks {
            values: (0..count).map(|n| (first + n as f64) * step).collect(),
            step,
        }
    }
}

/// Where ticks stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) values: Vec<f64>,
    step: f64,
}

impl Ticks {
    /// The numbers as written: as many decimals as the step has, a true minus, powers of ten where they are shorter.
    pub(crate) fn labels(&self) -> Vec<String> {
        let largest = self.values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let places = (-self.step.log10().floor()).max(0.0) as usize;
        self.values
            .iter()
            .map(|&x| {
                // A sum of steps can miss 0 by a rounding error.
                let x = if x.abs() < 1e-9 * self.step { 0.0 } else { x };
                let is_long = largest >= 1e6 || places > 5;
                let text = if is_long && x == 0.0 {
                    "0".to_owned()
                } else if is_long {
                    let digits = (x.abs().log10().floor() - self.step.log10().floor()).max(0.0) as usize;
                    format!("{x:.digits$e}")
                } else {
                    format!("{x:.places$}")
                };
                text.replace('-', "−")
            })
            .collect()
    }
}

/// A number with about three digits, for captions.
pub(crate) fn short(x: f64) -> String {
    let places = match x.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{x:.places$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        Scale::new(low, high).ticks(most).labels()
    }

    #[test]
    fn ticks_stand_at_round_numbers() {
        assert_eq!(labels(0.0, 1.0, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.7, 4.1, 5), ["−2", "0", "2", "4"]);
        assert_eq!(labels(0.0, 1000.0, 4), ["0", "500", "1000"]);
        assert_eq!(labels(0.0, 3e6, 3), ["0", "1e6", "2e6", "3e6"]);
        assert_eq!(
            labels(0.0, 2e-7, 2),
            ["0", "1e-7", "2e-7"].map(|t| t.replace('-', "−"))
        );
        assert_eq!(labels(1.0e6, 1.2e6, 2), ["1.0e6", "1.1e6", "1.2e6"]);
    }

    #[test]
    fn ranges_of_nothing_are_ranges() {
        assert_eq!(Scale::over([]), Scale { low: 0.0, high: 1.0 });
        assert_eq!(Scale::over([f64::NAN, 3.0]), Scale { low: 1.5, high: 4.5 });
        assert_eq!(
            Scale::over([1.0, f64::INFINITY, 2.0]),
            Scale { low: 1.0, high: 2.0 }
        );
        assert_eq!(
            Scale::new(0.0, 10.0).padded(0.1, 0.2),
            Scale {
                low: -1.0,
                high: 12.0
            }
        );
    }

    proptest! {
        #[test]
        fn ticks_are_few_distinct_and_within(
            low in -1e9f64..1e9, exponent in -6.0f64..6.0, most in 2usize..12,
        ) {
            let scale = Scale::new(low, low + 10f64.powf(exponent).max(low.abs() * 1e-6));
            let ticks = scale.ticks(most);
            prop_assert!(ticks.values.len() <= most + 1);
            for x in &ticks.values {
                prop_assert!((-1e-5..=1.0 + 1e-5).contains(&scale.share(*x)), "{x} of {scale:?}");
            }
            let mut labels = ticks.labels();
            labels.dedup();
            prop_assert_eq!(labels.len(), ticks.values.len());
        }
    }
}
