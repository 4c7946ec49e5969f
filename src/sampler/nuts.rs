//! One transition of multinomial NUTS with the generalised U-turn criterion, on an evaluator of one lane.
//!
//! Betancourt 2017, "A conceptual introduction to Hamiltonian Monte Carlo", appendix A.3 (multinomial sampling,
//! biased progressive at the top) and A.4.2 (generalised criterion), with the two extra checks across adjacent
//! subtrees that Stan has made since 2.22.

use rand::RngExt;

use super::DIVERGENCE;
use super::phase_space::{Hamiltonian, Point};
use crate::rng::{Purpose, Stream, StreamRng};

/// The largest number of doublings of a trajectory: at most 2¹⁰ − 1 leapfrog steps.
pub(crate) const MAX_DEPTH: usize = 10;

/// What a transition tells beside the new position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Transition {
    /// Hamiltonian of the selected state, with the momentum that it had on the trajectory.
    pub(crate) energy: f64,
    /// Mean of min(1, exp(−energy_error)) over the trajectory.
    pub(crate) accept_prob: f64,
    /// Leapfrog steps, one gradient each.
    pub(crate) num_leapfrog_steps: u32,
    /// Energy error above 1000, or not a number, somewhere on the trajectory.
    pub(crate) is_divergent: bool,
}

/// A stretch of trajectory: its two ends, the sum of its momenta, and a state drawn from it.
#[derive(Debug, Clone)]
struct Branch {
    /// Momentum at the end where building began, `[dim]`.
    first: Vec<f64>,
    /// Momentum at the other end, `[dim]`.
    last: Vec<f64>,
    /// Sum of the momenta, ρ of the criterion, `[dim]`.
    momentum_sum: Vec<f64>,
    /// ln Σ exp(energy₀ − energy).
    log_weight: f64,
    /// The state drawn, with its energy.
    proposal: Point,
    energy: f64,
}

impl Branch {
    fn new(dim: usize) -> Self {
        Self {
            first: vec![0.0; dim],
            last: vec![0.0; dim],
            momentum_sum: vec![0.0; dim],
            log_weight: f64::NEG_INFINITY,
            proposal: Point::new(dim),
            energy: 0.0,
        }
    }

    /// Makes this branch the single state `point`.
    fn set_leaf(&mut self, point: &Point, energy: f64, log_weight: f64) {
        self.first.copy_from_slice(&point.momentum);
        self.last.copy_from_slice(&point.momentum);
        self.momentum_sum.copy_from_slice(&point.momentum);
        self.proposal.copy_from(point);
        self.energy = energy;
        self.log_weight = log_weight;
    }

    fn swap_proposal(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.proposal, &mut other.proposal);
        std::mem::swap(&mut self.energy, &mut other.energy);
    }
}

/// Whether a stretch whose momenta sum to `x` + `y` still expands at both `start` and `end`.
fn expands(inv_mass: &[f64], start: &[f64], end: &[f64], x: &[f64], y: &[f64]) -> bool {
    let (mut at_start, mut at_end) = (0.0, 0.0);
    for i in 0..inv_mass.len() {
        let velocity_sum = inv_mass[i] * (x[i] + y[i]);
        at_start += start[i] * velocity_sum;
        at_end += end[i] * velocity_sum;
    }
    at_start > 0.0 && at_end > 0.0
}

/// No U-turn over the union of two adjacent branches, nor across their seam.
fn no_u_turn(inv_mass: &[f64], left: &Branch, right: &Branch) -> bool {
    expands(
        inv_mass,
        &left.first,
        &right.last,
        &left.momentum_sum,
        &right.momentum_sum,
    ) && expands(
        inv_mass,
        &left.first,
        &right.first,
        &left.momentum_sum,
        &right.first,
    ) && expands(inv_mass, &left.last, &right.last, &left.last, &right.momentum_sum)
}

/// ln(exp(a) + exp(b)).
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

/// The running totals of one transition.
struct Tally {
    initial_energy: f64,
    steps: u32,
    accept_sum: f64,
    is_divergent: bool,
}

/// The memory of the tree: made once per chain, so that a transition allocates nothing.
pub(crate) struct Nuts {
    tree: Branch,
    extension: Branch,
    /// A pair of half branches per level of recursion.
    pool: Vec<[Branch; 2]>,
    forward: Point,
    backward: Point,
}

impl Nuts {
    /// Memory for positions of `dim` coordinates.
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            tree: Branch::new(dim),
            extension: Branch::new(dim),
            pool: (0..MAX_DEPTH)
                .map(|_| [Branch::new(dim), Branch::new(dim)])
                .collect(),
            forward: Point::new(dim),
            backward: Point::new(dim),
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
        system.refresh_momentum(
            current,
            Stream {
                purpose: Purpose::Momentum,
                ..stream
            },
        );
        let mut rng = Stream {
            purpose: Purpose::Trajectory,
            ..stream
        }
        .rng();
        // One bit per doubling: 1 extends forward in time.
        let directions: u32 = rng.random();
        let mut tally = Tally {
            initial_energy: system.energy(current),
            steps: 0,
            accept_sum: 0.0,
            is_divergent: false,
        };
        self.tree.set_leaf(current, tally.initial_energy, 0.0);
        self.forward.copy_from(current);
        self.backward.copy_from(current);

        for depth in 0..MAX_DEPTH {
            let is_forward = directions >> depth & 1 == 1;
            let (end, step) = if is_forward {
                (&mut self.forward, step_size)
            } else {
                (&mut self.backward, -step_size)
            };
            let pool = &mut self.pool[..depth];
            if !build(system, end, step, &mut self.extension, pool, &mut rng, &mut tally) {
                break;
            }
            let tree = &mut self.tree;
            let extension = &mut self.extension;
            let uniform: f64 = rng.random();
            if uniform < (extension.log_weight - tree.log_weight).exp() {
                tree.swap_proposal(extension);
            }
            tree.log_weight = log_add_exp(tree.log_weight, extension.log_weight);
            // `first` is the backward end; for an extension backward the tree is read in reverse, which the
            // criterion does not see.
            if !is_forward {
                std::mem::swap(&mut tree.first, &mut tree.last);
            }
            let goes_on = no_u_turn(&system.inv_mass, tree, extension);
            std::mem::swap(&mut tree.last, &mut extension.last);
            for (sum, added) in tree.momentum_sum.iter_mut().zip(&extension.momentum_sum) {
                *sum += added;
            }
            if !is_forward {
                std::mem::swap(&mut tree.first, &mut tree.last);
            }
            if !goes_on {
                break;
            }
        }
        current.copy_from(&self.tree.proposal);
        Transition {
            energy: self.tree.energy,
            accept_prob: tally.accept_sum / f64::from(tally.steps),
            num_leapfrog_steps: tally.steps,
            is_divergent: tally.is_divergent,
        }
    }
}

/// Builds 2^`pool.len()` states from `end` on into `out`; false if a U-turn or a divergence ended it.
fn build(
    system: &mut Hamiltonian<'_>,
    end: &mut Point,
    step: f64,
    out: &mut Branch,
    pool: &mut [[Branch; 2]],
    rng: &mut StreamRng,
    tally: &mut Tally,
) -> bool {
    let Some(([left, right], rest)) = pool.split_last_mut() else {
        system.leapfrog(end, step);
        let energy = system.energy(end);
        let energy_error = energy - tally.initial_energy;
        tally.steps += 1;
        if !energy_error.is_finite() || energy_error > DIVERGENCE {
            tally.is_divergent = true;
            return false;
        }
        tally.accept_sum += (-energy_error).exp().min(1.0);
        out.set_leaf(end, energy, -energy_error);
        return true;
    };
    if !build(system, end, step, left, rest, rng, tally) || !build(system, end, step, right, rest, rng, tally)
    {
        return false;
    }
    let goes_on = no_u_turn(&system.inv_mass, left, right);
    out.log_weight = log_add_exp(left.log_weight, right.log_weight);
    let uniform: f64 = rng.random();
    if uniform < (right.log_weight - out.log_weight).exp() {
        out.swap_proposal(right);
    } else {
        out.swap_proposal(left);
    }
    for i in 0..out.momentum_sum.len() {
        out.momentum_sum[i] = left.momentum_sum[i] + right.momentum_sum[i];
    }
    std::mem::swap(&mut out.first, &mut left.first);
    std::mem::swap(&mut out.last, &mut right.last);
    goes_on
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

    /// Σ inv_mass · start · (sum of the momenta of `states`) > 0, and the same at `end`.
    fn expands_over(inv_mass: &[f64], start: &[f64], end: &[f64], states: &[Vec<f64>]) -> bool {
        let along = |edge: &[f64]| -> f64 {
            (0..inv_mass.len())
                .map(|i| inv_mass[i] * edge[i] * states.iter().map(|p| p[i]).sum::<f64>())
                .sum()
        };
        along(start) > 0.0 && along(end) > 0.0
    }

    /// The criterion on a list of momenta of 2^k states in order of time, from its definition.
    fn turns(inv_mass: &[f64], states: &[Vec<f64>]) -> bool {
        let (last, half) = (states.len() - 1, states.len() / 2);
        !(expands_over(inv_mass, &states[0], &states[last], states)
            && expands_over(inv_mass, &states[0], &states[half], &states[..=half])
            && expands_over(inv_mass, &states[half - 1], &states[last], &states[half - 1..]))
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
                    if turns(&system.inv_mass, &stretch) {
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
            if turns(&system.inv_mass, &trajectory) {
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
