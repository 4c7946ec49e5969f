//! How many dispatches go into one submission, adapted to what they were measured to take.

use std::time::Duration;

/// Aim for one submission. Watchdogs (Windows, some Linux drivers) end one after about two seconds; a tenth of a second
/// still makes the 40 µs that a submission costs invisible.
const AIM: Duration = Duration::from_millis(100);
/// Dispatches of the first submission, before anything was measured.
const FIRST: usize = 4;
/// More would gain nothing and would make recording, and stopping, lumpy.
const MOST: usize = 4096;

/// The running estimate.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    dispatches: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { dispatches: FIRST }
    }

    /// Dispatches to record in the next submission, at least 1.
    pub(super) fn dispatches(&self) -> usize {
        self.dispatches
    }

    /// Takes in that a submission of `dispatches` took `elapsed`. Grows at most fourfold at a time, as the first
    /// dispatches may be the cheap ones; shrinks at once.
    pub(super) fn record(&mut self, dispatches: usize, elapsed: Duration) {
        let per_dispatch = elapsed.as_secs_f64() / dispatches.max(1) as f64;
        let fitting = AIM.as_secs_f64() / per_dispatch.max(1e-9);
        // The quotient is finite and above 0, and the cast saturates.
        let bound = MOST.min(self.dispatches.saturating_mul(4));
        self.dispatches = (fitting as usize).clamp(1, bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates submissions whose dispatches each take `cost`; returns the longest submission after the tenth.
    fn longest(cost: Duration) -> Duration {
        let mut pace = Pace::new();
        let mut longest = Duration::ZERO;
        for round in 0..30 {
            let n = pace.dispatches();
            let elapsed = cost * n as u32;
            pace.record(n, elapsed);
            if round >= 10 {
                longest = longest.max(elapsed);
            }
        }
        longest
    }

    #[test]
    fn submissions_approach_the_aim() {
        for micros in [50, 1_000, 30_000] {
            let longest = longest(Duration::from_micros(micros));
            assert!(longest <= AIM && longest > AIM / 2, "{micros} µs: {longest:?}");
        }
    }

    #[test]
    fn a_slow_dispatch_goes_alone() {
        let mut pace = Pace::new();
        pace.record(4, Duration::from_secs(4));
        assert_eq!(pace.dispatches(), 1);
    }

    #[test]
    fn an_instant_measurement_does_not_explode() {
        let mut pace = Pace::new();
        pace.record(4, Duration::ZERO);
        assert_eq!(pace.dispatches(), 16);
    }
}
