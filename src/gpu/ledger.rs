//! How far each ensemble has come in a block of iterations whose dispatches are counted in leapfrog steps.

use super::plan::Plan;

/// An ensemble's place in its stream of steps.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Iterations finished.
    finished: usize,
    /// Steps made in the next one.
    steps: u32,
}

/// The book that the host keeps of the chains' counters.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    /// `[iteration][ensemble]`.
    plans: &'a [Vec<Plan>],
    places: Vec<Place>,
}

impl<'a> Ledger<'a> {
    /// The block of `plans[iteration][ensemble]`.
    pub(super) fn new(plans: &'a [Vec<Plan>]) -> Self {
        let ensembles = plans.first().map_or(0, Vec::len);
        Self {
            plans,
            places: vec![Place::default(); ensembles],
        }
    }

    /// Iterations that all ensembles have finished.
    pub(super) fn finished(&self) -> usize {
        let finished = self.places.iter().map(|place| place.finished).min();
        finished.unwrap_or(self.plans.len())
    }

    /// Iterations of the block, less those left out.
    pub(super) fn limit(&self) -> usize {
        self.plans.len()
    }

    /// Leaves out the iterations that no ensemble has begun.
    pub(super) fn stop(&mut self) {
        let begun = |place: &Place| place.finished + usize::from(place.steps > 0);
        let most = self.places.iter().map(begun).max().unwrap_or(0);
        self.plans = &self.plans[..most.min(self.plans.len())];
    }

    /// Enters a dispatch of at most `budget` steps for every chain; returns the most that one of them makes, 0 when the
    /// block is complete.
    pub(super) fn dispatch(&mut self, budget: u32) -> u32 {
        let mut most = 0;
        for (ensemble, place) in self.places.iter_mut().enumerate() {
            let mut left = budget;
            while left > 0
                && let Some(plans) = self.plans.get(place.finished)
            {
                let wanted = plans[ensemble].num_leapfrog_steps - place.steps;
                let made = wanted.min(left);
                left -= made;
                if made == wanted {
                    place.finished += 1;
                    place.steps = 0;
                } else {
                    place.steps += made;
                }
            }
            most = most.max(budget - left);
        }
        most
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
    fn the_slowest_ensemble_counts() {
        let plans = plans(&[[3, 1], [1, 1], [2, 9]]);
        let mut ledger = Ledger::new(&plans);
        assert_eq!(ledger.dispatch(3), 3);
        assert_eq!(ledger.finished(), 1);
        assert_eq!(ledger.dispatch(3), 3);
        assert_eq!(ledger.finished(), 2);
        // The first ensemble is done; the second has made 4 of its last 9.
        assert_eq!(ledger.dispatch(100), 5);
        assert_eq!(ledger.finished(), 3);
        assert_eq!(ledger.dispatch(100), 0);
    }

    #[test]
    fn a_stop_lets_all_reach_what_one_has_begun() {
        let plans = plans(&[[8, 1], [8, 1], [8, 1], [8, 1]]);
        let mut ledger = Ledger::new(&plans);
        ledger.dispatch(3);
        assert_eq!(ledger.finished(), 0);
        ledger.stop();
        assert_eq!(ledger.limit(), 3);
        assert_eq!(ledger.dispatch(100), 21);
        assert_eq!(ledger.finished(), 3);
        let mut fresh = Ledger::new(&plans);
        fresh.stop();
        assert_eq!((fresh.limit(), fresh.dispatch(10)), (0, 0));
    }
}
