//! Progress of a run: counters that any thread may raise, and the line that is made of them.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::output::counted;
use crate::sampler::{Phase, Progress};

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Chains.
    pub chains: usize,
    /// Iterations of warm-up for each chain.
    pub warmup: u32,
    /// Iterations of sampling for each chain; none if a precision ends them.
    pub sampling: Option<u32>,
}

/// What the units of a run have told so far. A unit is known by its first chain.
///
/// Counters are raised without order between them; a line may be made of counts a moment apart.
pub(super) struct Counters {
    size: Size,
    units: Vec<Unit>,
    /// Raised once the run is to end early.
    stop: &'static AtomicBool,
}

#[derive(Default)]
struct Unit {
    /// Chains of the unit; 0 until it tells.
    chains: AtomicU32,
    warmup: AtomicU32,
    sampling: AtomicU32,
    gradients: AtomicU64,
    divergences: AtomicU64,
}

/// The sum over all units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Total {
    /// Iterations times chains.
    warmup: u64,
    sampling: u64,
    gradients: u64,
    divergences: u64,
}

impl Counters {
    /// Counters at zero of a run that `stop` ends.
    pub(super) fn new(size: Size, stop: &'static AtomicBool) -> Self {
        Self {
            size,
            stop,
            units: (0..size.chains).map(|_| Unit::default()).collect(),
        }
    }

    /// Takes in what a unit tells. A few stores; called by any thread after every iteration.
    pub(super) fn observe(&self, progress: Progress) {
        let Some(unit) = self.units.get(progress.first_chain) else {
            return;
        };
        unit.chains.store(progress.chains as u32, Relaxed);
        unit.gradients.store(progress.gradient_evaluations, Relaxed);
        match progress.phase {
            Phase::Warmup => unit.warmup.store(progress.iterations, Relaxed),
            Phase::Sampling => {
                unit.warmup.store(self.size.warmup, Relaxed);
                unit.sampling.store(progress.iterations, Relaxed);
                unit.divergences.store(progress.divergences, Relaxed);
            }
        }
    }

    fn total(&self) -> Total {
        let mut total = Total::default();
        for unit in &self.units {
            let chains = u64::from(unit.chains.load(Relaxed));
            total.warmup += chains * u64::from(unit.warmup.load(Relaxed));
            total.sampling += chains * u64::from(unit.sampling.load(Relaxed));
            total.gradients += unit.gradients.load(Relaxed);
            total.divergences += unit.divergences.load(Relaxed);
        }
        total
    }

    /// The line, some 80 characters: phase, chains, iterations per chain, gradients per second, divergences of the
    /// sampling phase, time left. After the last iteration, that the run is finishing.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let Size {
            chains,
            warmup,
            sampling,
        } = self.size;
        let total = self.total();
        let done = total.warmup + total.sampling;
        let each = sampling.map(|sampling| u64::from(warmup) + u64::from(sampling));
        let wanted = each.map(|each| chains as u64 * each);
        if wanted.is_some_and(|wanted| done >= wanted) || self.stop.load(Relaxed) {
            return "finishing: diagnostics, fit file".to_owned();
        }
        let phase = if total.sampling > 0 {
            "sampling"
        } else if done > 0 {
            "warm-up"
        } else {
            "starting"
        };
        let per_chain = done / (chains as u64).max(1);
        let chains = counted(chains, "chain");
        let mut line = format!("{phase:<9} {chains}, iteration {per_chain}");
        if let Some(each) = each {
            line.push_str(&format!("/{each}"));
        }
        let seconds = elapsed.as_secs_f64();
        if total.gradients > 0 && seconds > 0.0 {
            line.push_str(&format!(
                ", {} gradients/s",
                rounded(total.gradients as f64 / seconds)
            ));
        }
        if total.sampling > 0 {
            line.push_str(&format!(", {} divergent", total.divergences));
        }
        if let Some(wanted) = wanted.filter(|_| done > 0) {
            let left = seconds * (wanted - done) as f64 / done as f64;
            line.push_str(&format!(", {} left", clock(left)));
        }
        line
    }
}

/// A count with three significant digits: `950`, `12.3k`, `1.23M`.
pub(super) fn rounded(count: f64) -> String {
    let scales = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // Numbers that round up to the next scale are shown in it.
    match scales.into_iter().find(|(scale, _)| count >= 0.9995 * scale) {
        Some((scale, suffix)) => {
            let x = count / scale;
            let places = if x < 9.995 { 2 } else { usize::from(x < 99.95) };
            format!("{x:.places$}{suffix}")
        }
        None => format!("{count:.0}"),
    }
}

/// Seconds as `0:07`, `12:05`, `3:00:10`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GOES_ON: AtomicBool = AtomicBool::new(false);
    const SIZE: Size = Size {
        chains: 4,
        warmup: 100,
        sampling: Some(100),
    };

    fn told(phase: Phase, first_chain: usize, iterations: u32) -> Progress {
        Progress {
            phase,
            first_chain,
            chains: 1,
            iterations,
            gradient_evaluations: 1000,
            divergences: 3,
        }
    }

    #[test]
    fn the_line_tells_where_the_run_is() {
        let counters = Counters::new(SIZE, &GOES_ON);
        assert_eq!(
            counters.line(Duration::ZERO),
            "starting  4 chains, iteration 0/200"
        );
        counters.observe(told(Phase::Warmup, 0, 40));
        assert_eq!(
            counters.line(Duration::from_secs(1)),
            "warm-up   4 chains, iteration 10/200, 1.00k gradients/s, 0:19 left"
        );
        for chain in 0..4 {
            counters.observe(told(Phase::Sampling, chain, 50));
        }
        assert_eq!(
            counters.line(Duration::from_secs(30)),
            "sampling  4 chains, iteration 150/200, 133 gradients/s, 12 divergent, 0:10 left"
        );
        for chain in 0..4 {
            counters.observe(told(Phase::Sampling, chain, 100));
        }
        assert_eq!(
            counters.line(Duration::from_secs(40)),
            "finishing: diagnostics, fit file"
        );
    }

    #[test]
    fn a_stopped_run_is_finishing() {
        static STOPPED: AtomicBool = AtomicBool::new(true);
        let counters = Counters::new(SIZE, &STOPPED);
        counters.observe(told(Phase::Sampling, 0, 50));
        assert_eq!(
            counters.line(Duration::from_secs(30)),
            "finishing: diagnostics, fit file"
        );
    }

    #[test]
    fn divergences_of_warmup_are_not_counted() {
        let counters = Counters::new(SIZE, &GOES_ON);
        counters.observe(told(Phase::Warmup, 0, 100));
        assert_eq!(counters.total().divergences, 0);
    }

    #[test]
    fn an_ensemble_counts_for_all_its_chains() {
        let counters = Counters::new(SIZE, &GOES_ON);
        counters.observe(Progress {
            chains: 4,
            ..told(Phase::Sampling, 0, 10)
        });
        let total = counters.total();
        assert_eq!((total.warmup, total.sampling), (400, 40));
        assert_eq!(total.gradients, 1000);
    }

    #[test]
    fn lines_stay_short_for_large_runs() {
        let counters = Counters::new(
            Size {
                chains: 65_536,
                warmup: 1000,
                sampling: Some(1000),
            },
            &GOES_ON,
        );
        counters.observe(Progress {
            phase: Phase::Sampling,
            first_chain: 0,
            chains: 65_536,
            iterations: 100,
            gradient_evaluations: 123_456_789_012,
            divergences: 12345,
        });
        let line = counters.line(Duration::from_secs(3600));
        assert!(line.len() < 110, "{} characters: {line}", line.len());
    }

    #[test]
    fn counts_keep_three_digits() {
        for (count, text) in [
            (0.0, "0"),
            (950.0, "950"),
            (999.7, "1.00k"),
            (12_345.0, "12.3k"),
            (123_456.0, "123k"),
            (999_600.0, "1.00M"),
            (1_234_567.0, "1.23M"),
            (2.5e9, "2.50G"),
        ] {
            assert_eq!(rounded(count), text);
        }
    }

    #[test]
    fn clocks_read_like_clocks() {
        for (seconds, text) in [
            (0.2, "0:01"),
            (59.0, "0:59"),
            (725.0, "12:05"),
            (10_810.0, "3:00:10"),
        ] {
            assert_eq!(clock(seconds), text);
        }
    }
}
