//! Passes over the IR: each returns an equivalent program that costs less, and changes nothing else.
//!
//! May import `error`, `num`, `ir`, `ad`. In the order in which [`density_program`] runs them:
//!
//! 1. [`expand`]: vector and matrix events become scalars (Cholesky factors, triangular solves are unrolled);
//! 2. [`simplify`]: constant folding, work on data alone is done once, common subexpressions, link functions fuse with
//!    likelihoods (never exp, then log), scalars move out of loops;
//! 3. [`quadratic`]: squares of linear predictors are multiplied out where rows then merge, in f64 only;
//!    [`spread`]: powers that codes choose are computed at each level, in f32 only;
//! 4. [`merge`]: terms of the density become linear in data where they are, rows with the same design become one
//!    cell, rows are sorted by their largest factor;
//! 5. [`unify`]: plates that an index maps one to one onto each other become one plate, so that their loops fuse;
//! 6. differentiation, and `simplify` once more;
//! 7. [`schedule`]: loops over plates with the barriers between them, for the SIMD and the WGSL back ends.

pub mod expand;
mod fold;
pub mod merge;
pub mod quadratic;
mod rewrite;
mod rules;
pub mod schedule;
pub mod simplify;
pub mod spread;
pub mod unify;

use crate::ad;
use crate::error::Result;
use crate::ir::Program;
use merge::Predictors;

/// The program of log density and gradient that GPUs run, in f32; without outputs, whose rows the density may not need
/// ([`output_program`] has them).
pub fn density_program(program: &Program) -> Result<Program> {
    let mut program = expand::expand(program)?;
    program.outputs.clear();
    let program = spread::spread(&simplify::simplify(&program)?)?;
    let program = unify::unify(&merge::merge(&program, Predictors::Whole)?)?;
    simplify::simplify(&ad::differentiate(program)?)
}

/// The same for back ends that compute in f64: squares of linear predictors are multiplied out, and powers stay tables.
pub fn density_program_f64(program: &Program) -> Result<Program> {
    let mut program = expand::expand(program)?;
    program.outputs.clear();
    let program = quadratic::quadratic(&simplify::simplify(&program)?)?;
    let program = unify::unify(&merge::merge(&program, Predictors::Apart)?)?;
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
    fn lanes_agree_with_the_reference() {
        use crate::back::evaluate::Density;
        use crate::back::simd::{InstructionSet, LANES, SimdDensity};
        let raw = reference_program(&crossed()).expect("a gradient");
        let dim = raw.graph.dim();
        let points: Vec<Vec<f64>> = (0..LANES as u32).map(|seed| point(dim, seed)).collect();
        let expected: Vec<_> = points
            .iter()
            .map(|q| reference::evaluate(&raw, q).expect("a value"))
            .collect();
        let all = [
            InstructionSet::Baseline,
            InstructionSet::Avx2,
            InstructionSet::Avx512,
        ];
        for set in all.into_iter().filter(|set| set.is_available()) {
            let fast = SimdDensity::new(density_program(&crossed()).expect("a program")).expect("code");
            let fast = fast.with_instruction_set(set).expect("available");
            for lanes in [1, LANES] {
                let mut worker = fast.evaluator(lanes);
                for first in (0..LANES).step_by(lanes) {
                    let block: Vec<f64> = (0..dim * lanes)
                        .map(|k| points[first + k % lanes][k / lanes])
                        .collect();
                    let (mut lp, mut gradient) = (vec![0.0; lanes], vec![0.0; dim * lanes]);
                    worker.log_density_grad(&block, &mut lp, &mut gradient);
                    for lane in 0..lanes {
                        let wanted = &expected[first + lane];
                        assert!(
                            (lp[lane] - wanted.log_density).abs() < 1e-11 * wanted.log_density.abs(),
                            "{set:?}"
                        );
                        for (i, g) in wanted.gradient.iter().enumerate() {
                            let found = gradient[i * lanes + lane];
                            assert!(
                                (found - g).abs() < 1e-11 * (1.0 + g.abs()),
                                "{set:?} {lanes} {i}: {found} {g}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn outputs_agree_with_the_reference() {
        let program = output_program(&crossed()).expect("a program");
        let dim = program.graph.dim();
        let code = crate::back::simd::SimdDensity::new(program.clone()).expect("code");
        let positions: Vec<f64> = (0..11).flat_map(|seed| point(dim, seed)).collect();
        let found = code.outputs(&positions);
        for (k, q) in positions.chunks(dim).enumerate() {
            for (output, wanted) in reference::outputs(&program, q)
                .expect("values")
                .iter()
                .enumerate()
            {
                let len = wanted.len();
                for (x, y) in found[output][k * len..][..len].iter().zip(wanted) {
                    assert!((x - y).abs() < 1e-12 * (1.0 + y.abs()), "{output}: {x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_shader_is_valid() {
        let kernel = crate::back::wgsl::kernel(
            density_program(&crossed()).expect("a program"),
            crate::back::kernel::Data::Shared,
        )
        .expect("a kernel");
        let frame = "struct Params { chains: u32 }
            @group(0) @binding(0) var<uniform> params: Params;
            @group(0) @binding(1) var<storage, read> position: array<f32>;
            @group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
            @group(0) @binding(3) var<storage, read> columns: array<f32>;
            @group(0) @binding(4) var<storage, read> indices: array<u32>;
            fn accumulate(sum: vec2<f32>, term: f32) -> vec2<f32> { return sum + vec2(0.0, term); }
            fn tp_softplus(x: f32) -> f32 { return log(1.0 + exp(x)); }
            fn tp_inv_logit(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
            fn tp_log1p(x: f32) -> f32 { return log(1.0 + x); }
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                gradient[0] = log_density_grad(id.x).x;
            }";
        let text = format!("{frame}\n{}", kernel.wgsl);
        let module =
            naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&text)));
        let flags = naga::valid::ValidationFlags::all();
        let checked =
            naga::valid::Validator::new(flags, naga::valid::Capabilities::empty()).validate(&module);
        assert!(checked.is_ok(), "{checked:?}\n{text}");
    }

    /// Σ a^t·x^k over rows, t whole data, x data with a 0, a and k parameters.
    fn powers() -> Program {
        let b = Builder::new();
        let rows = b.plate("row", 4);
        let t = b.column("t", Some(rows), vec![1.0, 2.0, 3.0, 2.0]);
        let x = b.column("x", Some(rows), vec![0.0, 0.5, 1.0, 3.0]);
        let a = b.position("a", None, Event::Scalar);
        let k = b.position("k", None, Event::Scalar);
        let term = a.pow(&t) * x.pow(&k) + x.pow(&k);
        let density = vec![term.handle()];
        Program {
            graph: b.finish().expect("a valid graph"),
            density,
            ..Program::default()
        }
    }

    #[test]
    fn powers_of_zero_and_of_negative_numbers_have_finite_slopes() {
        let fast = density_program(&powers()).expect("a program");
        let at = |q: &[f64]| reference::evaluate(&fast, q).expect("a value");
        let q = [-1.3, 0.7];
        let sum = |a: f64, k: f64| {
            let rows = [(1, 0.0_f64), (2, 0.5), (3, 1.0), (2, 3.0)];
            rows.iter()
                .map(|&(t, x)| a.powi(t) * x.powf(k) + x.powf(k))
                .sum::<f64>()
        };
        let found = at(&q);
        assert!((found.log_density - sum(q[0], q[1])).abs() < 1e-12, "{found:?}");
        let h = 1e-6;
        let slopes = [
            (sum(q[0] + h, q[1]) - sum(q[0] - h, q[1])) / (2.0 * h),
            (sum(q[0], q[1] + h) - sum(q[0], q[1] - h)) / (2.0 * h),
        ];
        for (slope, found) in slopes.iter().zip(&found.gradient) {
            // Central differences err by h² and by rounding over h, both below 1e-8.
            assert!((slope - found).abs() < 1e-7, "{slope} {found}");
        }
    }

    #[test]
    fn outputs_keep_their_plates() {
        let program = output_program(&crossed()).expect("a program");
        let values = reference::outputs(&program, &point(program.graph.dim(), 1)).expect("values");
        assert_eq!(values.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 24]);
    }
}
