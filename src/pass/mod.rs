//! Passes over the IR: each returns an equivalent program that costs less, and changes nothing else.
//!
//! May import `error`, `num`, `ir`, `ad`. In the order in which [`density_program`] runs them:
//!
//! 1. [`expand`]: vector and matrix events become scalars (Cholesky factors, triangular solves are unrolled);
//! 2. [`simplify`]: constant folding, work on data alone is done once, common subexpressions, link functions fuse with
//!    likelihoods (never exp, then log), scalars move out of loops;
//! 3. [`merge`]: terms of the density become linear in data where they are, rows with the same design become one
//!    cell, rows are sorted by their largest factor;
//! 4. [`unify`]: plates that an index maps one to one onto each other become one plate, so that their loops fuse;
//! 5. differentiation, and `simplify` once more;
//! 6. [`schedule`]: loops over plates with the barriers between them, for the SIMD and the WGSL back ends.

pub mod expand;
mod fold;
pub mod merge;
mod rewrite;
mod rules;
pub mod schedule;
pub mod simplify;
pub mod unify;

use crate::ad;
use crate::error::Result;
use crate::ir::Program;

/// The program of log density and gradient that the fast back ends run.
pub fn density_program(program: &Program) -> Result<Program> {
    let program = simplify::simplify(&expand::expand(program)?)?;
    let program = unify::unify(&merge::merge(&program)?)?;
    simplify::simplify(&ad::differentiate(program)?)
}

/// The program of the outputs alone (named parameters, derived quantities, pointwise log likelihoods).
pub fn output_program(program: &Program) -> Result<Program> {
    let mut program = expand::expand(program)?;
    program.density.clear();
    program.gradient.clear();
    simplify::simplify(&program)
}

/// The program as it stands, differentiated and not optimised: what the reference back end judges by.
pub fn reference_program(program: &Program) -> Result<Program> {
    ad::differentiate(expand::expand(program)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back::reference;
    use crate::dist::Family;
    use crate::ir::{Builder, Event, Unary};
    use crate::num::Real;

    /// Bernoulli rows in two crossed factors with a covariate, non-centred in one of them, and a Cholesky factor.
    fn crossed() -> Program {
        let b = Builder::new();
        let (rows, actors, blocks) = (b.plate("row", 24), b.plate("actor", 3), b.plate("block", 2));
        let actor = b.index(
            "actor",
            Some(rows),
            actors,
            (0..24).map(|i| (i * 7 % 3) as u32).collect(),
        );
        let block = b.index(
            "block",
            Some(rows),
            blocks,
            (0..24).map(|i| (i % 2) as u32).collect(),
        );
        let x = b.column("x", Some(rows), (0..24).map(|i| f64::from(i / 4 % 2)).collect());
        let y = b.column(
            "y",
            Some(rows),
            (0..24).map(|i| f64::from(i * 5 % 3 % 2)).collect(),
        );
        let a = b.position("a", None, Event::Scalar);
        let slope = b.position("slope", None, Event::Vector(2));
        let ln_sigma = b.position("sigma", None, Event::Scalar);
        let z = b.position("z", Some(actors), Event::Scalar);
        let c = b.position("c", Some(blocks), Event::Scalar);
        let sigma = ln_sigma.exp();
        let effect = sigma * z;
        let one = b.constant(1.0);
        let rho = slope.element(1).inv_logit();
        let l = b
            .stack(&[one, one, rho, one + rho], Event::Matrix(2, 2))
            .cholesky();
        let solved = l.solve_lower(slope);
        let eta = a + effect.gather(actor) + c.gather(block) + slope.element(0) * x;
        let p = eta.inv_logit();
        let zero = b.constant(0.0);
        let normal = |y, m, s| Family::Normal.log_density(&y, &[m, s]);
        let density = [
            Family::Bernoulli.log_density(&y, &[p]),
            normal(z, zero, one),
            normal(c, a, sigma),
            normal(a, zero, b.constant(10.0)),
            Family::HalfCauchy.log_density(&sigma, &[one]) + ln_sigma,
            normal(solved.element(0), zero, one),
            normal(solved.element(1), zero, one) - l.element(3).unary(Unary::Ln),
        ];
        let density = density.iter().map(|term| term.handle()).collect();
        let outputs = vec![sigma.handle(), effect.handle(), p.handle()];
        let graph = b.finish().expect("a valid graph");
        Program {
            graph,
            density,
            outputs,
            ..Program::default()
        }
    }

    fn point(dim: usize, seed: u32) -> Vec<f64> {
        let purpose = crate::rng::Purpose::Initial;
        let stream = crate::rng::Stream {
            seed: 5,
            replicate: 0,
            chain: seed,
            iteration: 0,
            purpose,
        };
        let mut q = vec![0.0; dim];
        stream.fill_normal(&mut q);
        q
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let program = reference_program(&crossed()).expect("a gradient");
        let dim = program.graph.dim();
        for seed in 0..5 {
            let q = point(dim, seed);
            let at = reference::evaluate(&program, &q).expect("a value");
            for i in 0..dim {
                let step = 1e-5;
                let moved = |sign: f64| {
                    let mut q = q.clone();
                    q[i] += sign * step;
                    reference::evaluate(&program, &q).expect("a value").log_density
                };
                let slope = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                // Truncation h²·f''' and rounding ε·|f|/h: both near 1e-9 here.
                assert!(
                    (slope - at.gradient[i]).abs() < 1e-7 * (1.0 + slope.abs()),
                    "{i}: {slope} {:?}",
                    at.gradient
                );
            }
        }
    }

    #[test]
    fn passes_change_nothing_but_cost() {
        let raw = reference_program(&crossed()).expect("a gradient");
        let fast = density_program(&crossed()).expect("a program");
        for seed in 0..5 {
            let q = point(raw.graph.dim(), seed);
            let a = reference::evaluate(&raw, &q).expect("a value");
            let b = reference::evaluate(&fast, &q).expect("a value");
            assert!(
                (a.log_density - b.log_density).abs() < 1e-11 * a.log_density.abs(),
                "{a:?} {b:?}\n{fast}"
            );
            for (x, y) in a.gradient.iter().zip(&b.gradient) {
                assert!((x - y).abs() < 1e-11 * (1.0 + x.abs()), "{a:?} {b:?}\n{fast}");
            }
        }
    }

    #[test]
    fn rows_of_one_design_become_cells() {
        let fast = density_program(&crossed()).expect("a program");
        let cells = fast
            .graph
            .plates
            .iter()
            .find(|plate| plate.name == "row cells")
            .expect("merged rows");
        assert_eq!(cells.len, 12, "3 actors, 2 blocks, 2 values of x");
        let text = fast.to_string();
        let logarithm = |line: &&str| line.contains("= ln ") && line.contains("row");
        assert_eq!(
            text.lines().find(logarithm),
            None,
            "no logarithm of a link remains:\n{text}"
        );
        assert!(text.contains("= softplus "), "{text}");
    }

    #[test]
    fn outputs_keep_their_plates() {
        let program = output_program(&crossed()).expect("a program");
        let values = reference::outputs(&program, &point(program.graph.dim(), 1)).expect("values");
        assert_eq!(values.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 24]);
    }
}
