//! Varying slopes written by hand in the IR: Cholesky factors and triangular solves inside a program over a plate.

use std::f64::consts::TAU;

use tadpool::dist::Family;
use tadpool::ir::{Builder, Event, Expr, Handle, Program};
use tadpool::num::Real;

use crate::agree::{FORMS, check};
use crate::dice::Dice;
use crate::gpu;

/// Normal rows with `k` effects for each of five groups, effects ~ MVNormal(m, Σ): Σ = diag(s) R diag(s) with
/// R = (I + c cᵀ)/(1 + |c|²) off the diagonal, c a vector of parameters; its factor is taken once for all groups
/// (`by_group` false) or for each group apart, whose scales then differ.
fn slopes(k: usize, by_group: bool) -> Program {
    let dice = &mut Dice::new(2_000_000);
    let b = Builder::new();
    let (rows, groups) = (b.plate("row", 30), b.plate("group", 5));
    let codes = (0..30).map(|_| dice.below(5) as u32).collect();
    let group = b.index("group", Some(rows), groups, codes);
    let y: Vec<f64> = (0..30).map(|_| dice.sixteenths(-2.0, 2.0)).collect();
    let y = b.column("y", Some(rows), y);
    let size: Vec<f64> = (0..5).map(|_| dice.sixteenths(0.5, 1.5)).collect();
    let size = b.column("size", Some(groups), size);
    let event = Event::Vector(k as u32);
    let mean = b.position("mean", None, event);
    let ln_sd = b.position("sd", None, event);
    let corner = b.position("corner", None, event);
    let effects = b.position("effects", Some(groups), event);

    let zero = b.constant(0.0);
    let one = b.constant(1.0);
    let mut density = Vec::new();
    let mut entries = Vec::new();
    for i in 0..k {
        for j in 0..k {
            let (ci, cj) = (corner.element(i).inv_logit(), corner.element(j).inv_logit());
            let correlation = if i == j { one } else { ci * cj };
            let scale = (ln_sd.element(i) + ln_sd.element(j)).exp();
            let mut entry = correlation * scale;
            if by_group {
                entry = entry * size;
            }
            entries.push(entry);
        }
        for free in [mean, ln_sd, corner] {
            density.push(normal(free.element(i), zero, one));
        }
    }
    let factor = b.stack(&entries, Event::Matrix(k as u32, k as u32)).cholesky();
    let deviations: Vec<Expr<'_>> = (0..k).map(|i| effects.element(i) - mean.element(i)).collect();
    let standard = factor.solve_lower(b.stack(&deviations, event));
    let mut eta = zero;
    for i in 0..k {
        let z = standard.element(i);
        let diagonal = factor.element(i * k + i);
        // −½z² − ln Lᵢᵢ − ½ ln 2π, for each group.
        let term = -(z.square() * z.lit(0.5)) - diagonal.ln() - z.lit(0.5 * TAU.ln());
        density.push(term.handle());
        let x: Vec<f64> = (0..30).map(|_| dice.sixteenths(-1.0, 1.0)).collect();
        let x = b.column(&format!("x{i}"), Some(rows), x);
        eta = eta + effects.element(i).gather(group) * x;
    }
    density.push(normal(y, eta, one));
    Program {
        density,
        graph: b.finish().expect("a valid graph"),
        ..Program::default()
    }
}

fn normal<'b>(y: Expr<'b>, mean: Expr<'b>, sd: Expr<'b>) -> Handle {
    Family::Normal.log_density(&y, &[mean, sd]).handle()
}

#[test]
fn cholesky_factors_and_triangular_solves_agree_on_all_back_ends() {
    let gpu = gpu();
    for k in [2, 3] {
        for by_group in [false, true] {
            let program = slopes(k, by_group);
            let dim = program.graph.dim();
            assert_eq!(dim, 3 * k + 5 * k);
            let dice = &mut Dice::new(2_000_001);
            let positions: Vec<Vec<f64>> = (0..5).map(|_| dice.position(dim)).collect();
            match check(
                &program,
                &positions,
                gpu.as_ref(),
                &[FORMS[2 * (k - 2) + usize::from(by_group)]],
                false,
            ) {
                Ok(worst) => println!("K = {k}, by group {by_group}: {worst:?}"),
                Err(error) => panic!("K = {k}, by group {by_group}: {error}"),
            }
        }
    }
}

/// The density of the effects is that of a bivariate normal, written out.
#[test]
fn two_slopes_have_the_bivariate_normal_density() {
    let program = slopes(2, false);
    let without = Program {
        // All terms but the two of the standardised effects, which follow the three priors of each component.
        density: program
            .density
            .iter()
            .enumerate()
            .filter(|(place, _)| ![6, 7].contains(place))
            .map(|(_, term)| *term)
            .collect(),
        ..program.clone()
    };
    let evaluate = |program: &Program, q: &[f64]| {
        let plain = tadpool::pass::expand::expand(program).expect("a program");
        tadpool::back::reference::evaluate(&plain, q)
            .expect("a value")
            .log_density
    };
    let q = Dice::new(2_000_002).position(16);
    let found = evaluate(&program, &q) - evaluate(&without, &q);
    let (s0, s1) = (q[2].exp(), q[3].exp());
    let rho = q[4].inv_logit() * q[5].inv_logit();
    let mut expected = 0.0;
    for group in 0..5 {
        let (z0, z1) = ((q[6 + group] - q[0]) / s0, (q[11 + group] - q[1]) / s1);
        let rest = 1.0 - rho * rho;
        let form = (z0 * z0 - 2.0 * rho * z0 * z1 + z1 * z1) / rest;
        expected -= TAU.ln() + s0.ln() + s1.ln() + 0.5 * rest.ln() + 0.5 * form;
    }
    // Differences of sums near 100 in f64.
    assert!((found - expected).abs() < 1e-11, "{found} {expected}");
}
