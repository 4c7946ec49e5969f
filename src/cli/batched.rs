//! The line of progress of fits that run as a batch.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::progress::clock;
use crate::study::batch::Done;

/// The line of progress: how many of the fits that go by `noun`, how many a second, how long to go.
pub(super) fn progress(noun: &str, done: &Done, wanted: usize, elapsed: Duration) -> String {
    let fits = done.replicates.load(Relaxed);
    let retried = done.retried.load(Relaxed);
    let seconds = elapsed.as_secs_f64();
    let mut line = format!("{noun} {fits}/{wanted}");
    if fits > 0 && seconds > 0.0 {
        let rate = fits as f64 / seconds;
        line.push_str(&format!(", {rate:.1} a second"));
        if retried > 0 {
            line.push_str(&format!(", {retried} tried twice"));
        }
        if fits < wanted {
            line.push_str(&format!(", {} left", clock((wanted - fits) as f64 / rate)));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_rate_and_time_left() {
        let done = Done::default();
        assert_eq!(
            progress("replicate", &done, 100, Duration::from_secs(1)),
            "replicate 0/100"
        );
        done.replicates.store(40, Relaxed);
        done.retried.store(2, Relaxed);
        let line = progress("replicate", &done, 100, Duration::from_secs(2));
        assert!(
            line.starts_with("replicate 40/100, 20.0 a second, 2 tried twice, "),
            "{line}"
        );
        assert!(line.ends_with(" left"), "{line}");
    }
}
