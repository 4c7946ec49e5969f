//! Time as it is measured here: by the wall, and by the processor.

use std::time::{Duration, Instant};

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    wall: Instant,
    processor: Option<Duration>,
}

/// What has passed since a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Elapsed {
    /// Seconds by the wall.
    pub(super) wall: f64,
    /// Seconds that the threads of this process ran, all together; without such a clock, the wall's for every core.
    pub(super) cores: f64,
}

impl Clock {
    /// Now.
    pub(super) fn start() -> Self {
        Self {
            wall: Instant::now(),
            processor: processor_time(),
        }
    }

    /// What has passed since.
    pub(super) fn elapsed(&self, threads: usize) -> Elapsed {
        let wall = self.wall.elapsed().as_secs_f64();
        let cores = match (self.processor, processor_time()) {
            (Some(before), Some(now)) => now.saturating_sub(before).as_secs_f64(),
            (None, _) | (_, None) => wall * threads as f64,
        };
        Elapsed { wall, cores }
    }
}

/// Time that all threads of this process have run; none where the system has no such clock.
fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processors_time_grows_with_work_on_every_thread() {
        let clock = Clock::start();
        let work = || {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(60) {
                std::hint::black_box(0);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            scope.spawn(work);
        });
        let elapsed = clock.elapsed(2);
        assert!(elapsed.wall >= 0.06, "{elapsed:?}");
        // Two threads of 60 ms by the wall: on a busy machine they may run for less, never for more.
        assert!(elapsed.cores > 0.005, "{elapsed:?}");
    }
}
