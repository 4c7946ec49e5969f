//! The overlapping windows that a NUTS chain's metric is estimated in during warm-up.
//!
//! The schedule of nutpie (Seyboldt, nuts-rs, `AdaptOptions`): two estimates run side by side, the foreground, which the
//! metric is taken from after every draw, and the background. At a switch the background becomes the foreground and a
//! new background begins, so that a metric never rests on fewer draws than one window, nor on draws older than two.
//! Early in warm-up switches are frequent, to forget the way from the starting point; then windows are long and grow;
//! at the end the metric stands still and only the step size adapts.

/// Share of warm-up with early windows, in percent.
const EARLY: u32 = 30;
/// Share of warm-up at its end that adapts the step size alone, in percent.
const STEP_SIZE_ONLY: u32 = 15;
/// Draws of an early window.
const EARLY_WINDOW: u32 = 10;
/// Draws of the first late window.
const LATE_WINDOW: u32 = 80;

/// The schedule of one warm-up, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Iterations with early windows.
    early: u32,
    /// Iterations whose draws count towards the metric.
    metric: u32,
    /// Draws of the next late window: each is half as long again as the one before.
    late_window: u32,
}

impl Windows {
    /// The windows of a warm-up of `warmup` iterations, counted from 0.
    pub(crate) fn new(warmup: u32) -> Self {
        let share = |percent: u32| (u64::from(warmup) * u64::from(percent) / 100) as u32;
        Self {
            early: share(EARLY),
            metric: warmup - share(STEP_SIZE_ONLY),
            late_window: LATE_WINDOW,
        }
    }

    /// Whether the draw of `iteration` counts towards the metric.
    pub(crate) fn collects(&self, iteration: u32) -> bool {
        iteration < self.metric
    }

    /// Ends the early windows now: the chain has found the posterior, whatever its coordinates.
    pub(crate) fn leave_early(&mut self) {
        self.early = 0;
    }

    /// Whether to switch after `iteration`, with `background` draws in the background; told so, the schedule goes on.
    ///
    /// No switch comes so late that the new background could not become a foreground.
    pub(crate) fn switches(&mut self, iteration: u32, background: u32) -> bool {
        let is_early = iteration < self.early;
        let window = if is_early { EARLY_WINDOW } else { self.late_window };
        if background < window || iteration + window > self.metric {
            return false;
        }
        if !is_early {
            self.late_window += self.late_window / 2;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The iterations after which a chain that always moves switches.
    fn switches(warmup: u32) -> Vec<u32> {
        let mut windows = Windows::new(warmup);
        let mut background = 0;
        let mut found = Vec::new();
        for iteration in 0..warmup {
            if windows.collects(iteration) {
                background += 1;
                if windows.switches(iteration, background) {
                    found.push(iteration);
                    background = 0;
                }
            }
        }
        found
    }

    #[test]
    fn a_thousand_iterations_switch_every_ten_then_ever_more_rarely() {
        let found = switches(1000);
        let early: Vec<u32> = (1..=30).map(|k| 10 * k - 1).collect();
        assert_eq!(found[..30], early);
        // Windows of 80, 120, 180 draws; the next one of 270 would not end before iteration 850.
        assert_eq!(found[30..], [379, 499]);
    }

    #[test]
    fn every_warmup_ends_with_the_step_size_alone() {
        for warmup in 0..2000 {
            let windows = Windows::new(warmup);
            let alone = (0..warmup)
                .filter(|iteration| !windows.collects(*iteration))
                .count();
            assert_eq!(alone, (warmup * 15 / 100) as usize);
            assert!(
                switches(warmup)
                    .iter()
                    .all(|iteration| windows.collects(*iteration))
            );
        }
    }

    #[test]
    fn draws_that_do_not_count_delay_the_switch() {
        let mut windows = Windows::new(1000);
        assert!(!windows.switches(9, 9));
        assert!(windows.switches(10, 10));
        assert!(!windows.switches(400, 79));
        assert!(windows.switches(401, 80));
        assert!(!windows.switches(500, 80));
        assert!(windows.switches(540, 120));
    }
}
