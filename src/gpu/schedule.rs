//! The stream of dispatches that makes a block of iterations, cut into slices wherever the pace says.

use super::plan::Plan;

/// A part of an iteration; each is one dispatch over all chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Begin,
    Leapfrog,
    Finish,
}

/// What is still to be recorded of a block.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    plans: &'a [Vec<Plan>],
    /// Iterations whose last part was handed out.
    finished: usize,
    /// Parts of iteration `finished` that were handed out.
    parts: u32,
}

impl<'a> Schedule<'a> {
    /// The block of `plans[iteration][ensemble]`.
    pub(super) fn new(plans: &'a [Vec<Plan>]) -> Self {
        Self {
            plans,
            finished: 0,
            parts: 0,
        }
    }

    /// Iterations all of whose parts were handed out.
    pub(super) fn finished(&self) -> usize {
        self.finished
    }

    /// Leaves out the iterations that have not begun.
    pub(super) fn stop(&mut self) {
        let begun = self.finished + usize::from(self.parts > 0);
        self.plans = &self.plans[..begun];
    }

    /// The next parts, at most `count`; none when the block is complete.
    pub(super) fn slice(&mut self, count: usize) -> Vec<Part> {
        let mut slice = Vec::with_capacity(count.min(4096));
        while slice.len() < count
            && let Some(plans) = self.plans.get(self.finished)
        {
            // Chains whose ensemble has made its steps skip the others'.
            let steps = plans
                .iter()
                .map(|plan| plan.num_leapfrog_steps)
                .max()
                .unwrap_or(0);
            slice.push(match self.parts {
                0 => Part::Begin,
                n if n <= steps => Part::Leapfrog,
                // Only steps + 1 is left, since Finish resets the count.
                _ => Part::Finish,
            });
            if self.parts > steps {
                self.finished += 1;
                self.parts = 0;
            } else {
                self.parts += 1;
            }
        }
        slice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(steps: &[[u32; 2]]) -> Vec<Vec<Plan>> {
        let plan = |&n: &u32| Plan {
            step_size: 0.1,
            num_leapfrog_steps: n,
        };
        steps.iter().map(|pair| pair.iter().map(plan).collect()).collect()
    }

    #[test]
    fn the_longest_ensemble_counts() {
        let plans = plans(&[[1, 2], [1, 1]]);
        let mut schedule = Schedule::new(&plans);
        use Part::{Begin, Finish, Leapfrog};
        assert_eq!(
            schedule.slice(100),
            [Begin, Leapfrog, Leapfrog, Finish, Begin, Leapfrog, Finish]
        );
        assert_eq!(schedule.finished(), 2);
        assert!(schedule.slice(100).is_empty());
    }

    #[test]
    fn cuts_change_nothing() {
        let plans = plans(&[[3, 2], [1, 1], [2, 5]]);
        let whole = Schedule::new(&plans).slice(1000);
        for count in 1..7 {
            let mut schedule = Schedule::new(&plans);
            let mut parts = Vec::new();
            loop {
                let slice = schedule.slice(count);
                if slice.is_empty() {
                    break;
                }
                parts.extend(slice);
            }
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn a_stop_ends_the_iteration_under_way() {
        let plans = plans(&[[1, 1], [4, 4], [1, 1]]);
        let mut schedule = Schedule::new(&plans);
        assert_eq!(schedule.slice(5).len(), 5);
        schedule.stop();
        assert_eq!(schedule.slice(100).last(), Some(&Part::Finish));
        assert_eq!(schedule.finished(), 2);
        let mut fresh = Schedule::new(&plans);
        fresh.stop();
        assert!(fresh.slice(100).is_empty());
    }
}
