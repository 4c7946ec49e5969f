//! One transition of multinomial NUTS with the generalised U-turn criterion, on an evaluator of one lane.
//!
//! Betancourt 2017, "A conceptual introduction to Hamiltonian Monte Carlo", appendix A.3 (multinomial sampling,
//! biased progressive at the top); the criterion is in `u_turn`.

use rand::RngExt;

use super::DIVERGENCE;
use super::phase_space::{Hamiltonian, Point};
use super::u_turn::Stretch;
use crate::rng::{Purpose, Stream, StreamRng};

/// The largest number of doublings of a trajectory: at most 2¹⁰ − 1 leapfrog steps.
pub(crate) const MAX_DEPTH: usize = 10;

/// Drop of the energy below the reference of the weights at which a new reference is taken; exp(500) is finite.
const LARGEST_DROP: f64 = 500.0;

/// What a transition tells beside the new position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transition {
    /// Hamiltonian of the selected state, with the momentum that it had on the trajectory.
    pub(crate) energy: f64,
    /// Mean of min(1, exp(−energy_error)) over the trajectory.
    pub(crate) accept_prob: f64,
    /// Mean of 2 min(1, exp(−energy_error)) / (1 + exp(−energy_error)) over the trajectory: of the same expectation in
    /// equilibrium, and below it also where the energy falls, on the way from a start far out (nuts-rs, Seyboldt).
    pub(crate) accept_prob_symmetric: f64,
    /// Leapfrog steps, one gradient each.
    pub(crate) num_leapfrog_steps: u32,
    /// Energy error above 1000, or not a number, somewhere on the trajectory.
    pub(crate) is_divergent: bool,
    /// Leapfrog steps between the start and the selected state; negative for one earlier in time.
    pub(crate) displacement: i32,
}

/// A state drawn from a stretch of trajectory with probability in proportion to exp(−energy).
#[derive(Debug, Clone)]
struct Candidate {
    /// Position, log density and gradient.
    place: Point,
    energy: f64,
    /// Leapfrog steps from the start of the trajectory.
    displacement: i32,
    /// Σ exp(reference − energy) over the stretch.
    weight: f64,
}

impl Candidate {
    fn new(dim: usize) -> Self {
        Self {
            place: Point::new(dim),
            energy: 0.0,
            displacement: 0,
            weight: 0.0,
        }
    }
}

/// The running totals of one transition.
struct Tally {
    initial_energy: f64,
    /// The energy whose weight is 1: the initial one, unless the trajectory falls far below it.
    reference: f64,
    steps: u32,
    accept_sum: f64,
    symmetric_sum: f64,
    is_divergent: bool,
}

/// One end of the trajectory.
#[derive(Debug, Clone)]
struct End {
    point: Point,
    /// Leapfrog steps from the start of the trajectory.
    displacement: i32,
}

/// The memory of the tree: made once per chain, so that a transition allocates nothing.
pub(crate) struct Nuts {
    tree: Stretch,
    extension: Stretch,
    /// The second half of a stretch of 2^(k+2) states, one per level of recursion.
    halves: Vec<Stretch>,
    selected: Candidate,
    candidate: Candidate,
    forward: End,
    backward: End,
}

impl Nuts {
    /// Memory for positions of `dim` coordinates.
    pub(crate) fn new(dim: usize) -> Self {
        let end = End {
            point: Point::new(dim),
            displacement: 0,
        };
        Self {
            tree: Stretch::new(dim),
            extension: Stretch::new(dim),
            halves: (2..MAX_DEPTH).map(|_| Stretch::new(dim)).collect(),
            selected: Candidate::new(dim),
            candidate: Candidate::new(dim),
            forward: end.clone(),
            backward: end,
        }
    }

    /// Moves `current` (position, log density and gradient; its momentum is drawn anew) by one transition.
    ///
    /// `stream` names seed, replicate, chain and iteration; its purpose is set here.
    pub(crate) fn transition(
        &mut self,
        system: &mut Hamiltonian<'_>,
        current: &mut Point,
        step_size: f64,
        stream: Stream,
    ) -> Transition {
        let momentum = Stream {
            purpose: Purpose::Momentum,
            ..stream
        };
        system.refresh_momentum(current, momentum);
        let mut rng = Stream {
            purpose: Purpose::Trajectory,
            ..stream
        }
        .rng();
        // One bit per doubling: 1 extends forward in time.
        let directions: u32 = rng.random();
        let initial_energy = current.energy();
        self.tree.set_single(&current.momentum);
        self.selected.place.copy_place(current);
        self.selected.energy = initial_energy;
        self.selected.displacement = 0;
        self.selected.weight = 1.0;
        for end in [&mut self.forward, &mut self.backward] {
            end.point.copy_from(current);
            end.displacement = 0;
        }
        let mut building = Building {
            system,
            rng,
            selected: &mut self.selected,
            candidate: &mut self.candidate,
            tally: Tally {
                initial_energy,
                reference: initial_energy,
                steps: 0,
                accept_sum: 0.0,
                symmetric_sum: 0.0,
                is_divergent: false,
            },
        };
        for depth in 0..MAX_DEPTH {
            let is_forward = directions >> depth & 1 == 1;
            let (end, step) = if is_forward {
                (&mut self.forward, step_size)
            } else {
                (&mut self.backward, -step_size)
            };
            building.candidate.weight = 0.0;
            if !building.extend(depth, end, step, &mut self.extension, &mut self.halves) {
                break;
            }
            building.choose_between_halves();
            // `first` is the backward end; for an extension backward the tree is read in reverse, which the criterion
            // does not see.
            if !is_forward {
                self.tree.reverse();
            }
            let goes_on = self.tree.join(&mut self.extension);
            if !is_forward {
                self.tree.reverse();
            }
            if !goes_on {
                break;
            }
        }
        let Tally {
            steps,
            accept_sum,
            symmetric_sum,
            is_divergent,
            ..
        } = building.tally;
        current.copy_place(&self.selected.place);
        Transition {
            energy: self.selected.energy,
            accept_prob: accept_sum / f64::from(steps),
            accept_prob_symmetric: symmetric_sum / f64::from(steps),
            num_leapfrog_steps: steps,
            is_divergent,
            displacement: self.selected.displacement,
        }
    }
}

/// What the recursion works on.
struct Building<'t, 'd> {
    system: &'t mut Hamiltonian<'d>,
    rng: StreamRng,
    /// Drawn from the tree as it was before the current extension.
    selected: &'t mut Candidate,
    /// Drawn from the extension.
    candidate: &'t mut Candidate,
    tally: Tally,
}

impl Building<'_, '_> {
    /// Takes 2^`depth` steps from `end` on and makes `out` their stretch; false if a U-turn or a divergence ended it.
    fn extend(
        &mut self,
        depth: usize,
        end: &mut End,
        step: f64,
        out: &mut Stretch,
        halves: &mut [Stretch],
    ) -> bool {
        if depth == 0 {
            let goes_on = self.leap(end, step);
            out.set_single(&end.point.momentum);
            return goes_on;
        }
        if depth == 1 {
            if !self.leap(end, step) {
                return false;
            }
            out.first.copy_from_slice(&end.point.momentum);
            return self.leap(end, step) && out.close_pair(&end.point.momentum);
        }
        let (rest, second) = halves.split_at_mut(depth - 2);
        // There are MAX_DEPTH − 2 halves, and extensions of at most 2^(MAX_DEPTH − 1) states.
        let second = &mut second[0];
        self.extend(depth - 1, end, step, out, rest)
            && self.extend(depth - 1, end, step, second, rest)
            && out.join(second)
    }

    /// One leapfrog step of `end`, and the choice whether its state becomes the candidate; false if it diverges.
    fn leap(&mut self, end: &mut End, step: f64) -> bool {
        let tally = &mut self.tally;
        self.system.leapfrog(&mut end.point, step);
        end.displacement += if step > 0.0 { 1 } else { -1 };
        tally.steps += 1;
        let energy = end.point.energy();
        let energy_error = energy - tally.initial_energy;
        if !energy_error.is_finite() || energy_error > DIVERGENCE {
            tally.is_divergent = true;
            return false;
        }
        if tally.reference - energy > LARGEST_DROP {
            let shrink = (energy - tally.reference).exp();
            self.selected.weight *= shrink;
            self.candidate.weight *= shrink;
            tally.reference = energy;
        }
        let weight = (tally.reference - energy).exp();
        // min(1, exp(−|energy_error|)): exp is needed once, unless the reference has moved.
        let less = if tally.reference == tally.initial_energy {
            weight.min(1.0 / weight)
        } else {
            (-energy_error.abs()).exp()
        };
        tally.accept_sum += if energy_error <= 0.0 { 1.0 } else { less };
        // 2 min(1, w)/(1 + w) of w and of 1/w: for w ≤ 1 twice w/(1 + w), for w > 1 twice 1/(1 + w).
        tally.symmetric_sum += 2.0 * less / (1.0 + less);
        // Drawing each state with its share of the weight so far draws the last choice from all of them.
        let candidate = &mut self.candidate;
        candidate.weight += weight;
        let uniform: f64 = self.rng.random();
        if uniform * candidate.weight < weight {
            candidate.place.copy_place(&end.point);
            candidate.energy = energy;
            candidate.displacement = end.displacement;
        }
        true
    }

    /// Takes the extension's candidate with probability min(1, weight of the extension / weight of the tree).
    fn choose_between_halves(&mut self) {
        let (old, new) = (self.selected.weight, self.candidate.weight);
        let uniform: f64 = self.rng.random();
        if uniform * old < new {
            std::mem::swap(&mut *self.selected, &mut *self.candidate);
        }
        self.selected.weight = old + new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back::evaluate::Density;
    use crate::sampler::targets::{correlated_normal, eight_schools, normal};

    fn stream(iteration: u32) -> Stream {
        Stream {
            seed: 11,
            replicate: 0,
            chain: 2,
            iteration,
            purpose: Purpose::Momentum,
        }
    }

    /// Σ start · (sum of the momenta of `states`) > 0, and the same at `end`.
    fn expands_over(start: &[f64], end: &[f64], states: &[Vec<f64>]) -> bool {
        let along = |edge: &[f64]| -> f64 {
            (0..edge.len())
                .map(|i| edge[i] * states.iter().map(|p| p[i]).sum::<f64>())
                .sum()
        };
        along(start) > 0.0 && along(end) > 0.0
    }

    /// The criterion on a list of momenta of 2^k states in order of time, from its definition.
    fn turns(states: &[Vec<f64>]) -> bool {
        let (last, half) = (states.len() - 1, states.len() / 2);
        !(expands_over(&states[0], &states[last], states)
            && expands_over(&states[0], &states[half], &states[..=half])
            && expands_over(&states[half - 1], &states[last], &states[half - 1..]))
    }

    /// Steps taken by a NUTS that keeps the whole trajectory and looks at every dyadic stretch when it is complete.
    fn brute_force_steps(density: &dyn Density, begin: &Point, step_size: f64, stream: Stream) -> u32 {
        let mut system = Hamiltonian::new(density);
        let mut rng = Stream {
            purpose: Purpose::Trajectory,
            ..stream
        }
        .rng();
        let directions: u32 = rng.random();
        let (mut forward, mut backward) = (begin.clone(), begin.clone());
        let mut trajectory = vec![begin.momentum.clone()];
        let mut steps = 0;
        for depth in 0..MAX_DEPTH {
            let is_forward = directions >> depth & 1 == 1;
            let mut added: Vec<Vec<f64>> = Vec::new();
            for count in 1..=1usize << depth {
                let (end, step) = if is_forward {
                    (&mut forward, step_size)
                } else {
                    (&mut backward, -step_size)
                };
                system.leapfrog(end, step);
                steps += 1;
                added.push(end.momentum.clone());
                // Every stretch of 2, 4, 8 … new states that this one completes.
                let mut width = 2;
                while count % width == 0 {
                    let mut stretch = added[count - width..].to_vec();
                    if !is_forward {
                        stretch.reverse();
                    }
                    if turns(&stretch) {
                        return steps;
                    }
                    width *= 2;
                }
            }
            if is_forward {
                trajectory.extend(added);
            } else {
                added.reverse();
                added.extend(trajectory);
                trajectory = added;
            }
            if turns(&trajectory) {
                return steps;
            }
        }
        steps
    }

    #[test]
    fn trajectories_end_where_the_criterion_by_definition_ends_them() {
        let ill_scaled = normal(vec![0.0; 3], vec![1.0, 1.0, 8.0]);
        let (schools, correlated) = (eight_schools(), correlated_normal(0.9));
        let targets: [(&dyn Density, f64); 3] = [(&ill_scaled, 0.3), (&schools, 0.3), (&correlated, 0.2)];
        let mut seen = Vec::new();
        for (density, step_size) in targets {
            let dim = density.dim();
            let mut system = Hamiltonian::new(density);
            let mut nuts = Nuts::new(dim);
            let mut current = Point::new(dim);
            system.evaluate(&mut current);
            for iteration in 0..200 {
                let mut begin = current.clone();
                system.refresh_momentum(&mut begin, stream(iteration));
                let expected = brute_force_steps(density, &begin, step_size, stream(iteration));
                let transition = nuts.transition(&mut system, &mut current, step_size, stream(iteration));
                assert!(!transition.is_divergent);
                assert_eq!(transition.num_leapfrog_steps, expected, "iteration {iteration}");
                seen.push(expected);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert!(
            seen.len() > 10,
            "too few kinds of trajectories to prove anything: {seen:?}"
        );
    }

    #[test]
    fn a_flat_density_doubles_to_the_greatest_depth() {
        let flat = crate::sampler::targets::Target::new(2, |_, gradient| {
            gradient.fill(0.0);
            0.0
        });
        let mut system = Hamiltonian::new(&flat);
        let mut current = Point::new(2);
        system.evaluate(&mut current);
        let transition = Nuts::new(2).transition(&mut system, &mut current, 0.1, stream(0));
        assert_eq!(transition.num_leapfrog_steps, (1 << MAX_DEPTH) - 1);
        assert!((transition.accept_prob - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_exploding_trajectory_is_divergent_and_stays_put() {
        let target = normal(vec![0.0], vec![1e-3]);
        let mut system = Hamiltonian::new(&target);
        let mut current = Point::new(1);
        current.position[0] = 1e-3;
        system.evaluate(&mut current);
        let transition = Nuts::new(1).transition(&mut system, &mut current, 10.0, stream(0));
        assert!(transition.is_divergent);
        assert_eq!(transition.num_leapfrog_steps, 1);
        assert_eq!((current.position[0], transition.accept_prob), (1e-3, 0.0));
    }
}
