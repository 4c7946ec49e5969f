//! Predictors with a link whose sums one instruction of the CPU's lanes computes: links, weights, sorted and unsorted
//! factors, numbers of rows that no tile of vectors divides.

use tadpool::back::evaluate::Density;
use tadpool::back::simd::{LANES, SimdDensity};
use tadpool::dist::Family;
use tadpool::ir::{Builder, Event, Program};
use tadpool::num::Real;
use tadpool::pass;

use crate::agree::{check, instruction_sets};
use crate::dice::Dice;
use crate::gpu;

/// The likelihood of the rows.
#[derive(Debug, Clone, Copy)]
enum Likelihood {
    /// Every softplus has the weight 1.
    Bernoulli,
    /// As many weights as given.
    Binomial(usize),
    Poisson,
    Normal,
}

/// `len` rows in two crossed factors with two covariates; the merged rows are sorted by the larger factor alone.
fn crossed(likelihood: Likelihood, len: usize) -> Program {
    let dice = &mut Dice::new(3_000_000 + len as u32);
    let b = Builder::new();
    let (rows, groups, blocks) = (b.plate("row", len), b.plate("group", 9), b.plate("block", 4));
    let codes = |count: usize, dice: &mut Dice| (0..len).map(|_| dice.below(count) as u32).collect();
    let group = b.index("group", Some(rows), groups, codes(9, dice));
    let block = b.index("block", Some(rows), blocks, codes(4, dice));
    let mut column = |name: &str, low: f64, high: f64| {
        let values = (0..len)
            .map(|i| dice.sixteenths(low, high) + i as f64 * 1e-3)
            .collect();
        b.column(name, Some(rows), values)
    };
    let (x, z) = (column("x", -1.0, 1.0), column("z", -2.0, 1.0));
    let mut counts = |most: usize| -> Vec<f64> { (0..len).map(|_| dice.below(most) as f64).collect() };
    let intercept = b.position("intercept", None, Event::Scalar);
    let slope = b.position("slope", None, Event::Scalar);
    let ln_sigma = b.position("sigma", None, Event::Scalar);
    let level = b.position("level", Some(groups), Event::Scalar);
    let shift = b.position("shift", Some(blocks), Event::Scalar);
    let varying = b.position("varying", Some(groups), Event::Scalar);
    let sigma = ln_sigma.exp();
    let scaled = sigma * shift;
    let eta = intercept + level.gather(group) + scaled.gather(block) + slope * x - varying.gather(group) * z;
    let rows_density = match likelihood {
        Likelihood::Bernoulli => {
            let y = b.column("y", Some(rows), counts(2));
            Family::Bernoulli.log_density(&y, &[eta.inv_logit()])
        }
        Likelihood::Binomial(weights) => {
            let n: Vec<f64> = (0..len).map(|i| 3.0 + (i % weights) as f64).collect();
            let y = b.column("y", Some(rows), counts(4));
            Family::Binomial.log_density(&y, &[b.column("n", Some(rows), n), eta.inv_logit()])
        }
        Likelihood::Poisson => {
            let y = b.column("y", Some(rows), counts(5));
            Family::Poisson.log_density(&y, &[eta.exp()])
        }
        Likelihood::Normal => {
            let y = b.column("y", Some(rows), counts(5));
            Family::Normal.log_density(&y, &[eta, sigma])
        }
    };
    let (zero, one) = (b.constant(0.0), b.constant(1.0));
    let mut density = vec![rows_density.handle()];
    for prior in [intercept, slope, ln_sigma] {
        density.push(Family::Normal.log_density(&prior, &[zero, one]).handle());
    }
    for prior in [level, shift, varying] {
        density.push(Family::Normal.log_density(&prior, &[zero, one]).handle());
    }
    Program {
        graph: b.finish().expect("a valid graph"),
        density,
        ..Program::default()
    }
}

#[test]
fn predictors_with_links_agree_on_all_back_ends() {
    let gpu = gpu();
    let all = [
        Likelihood::Bernoulli,
        Likelihood::Binomial(1),
        Likelihood::Binomial(3),
        Likelihood::Binomial(20),
        Likelihood::Poisson,
        Likelihood::Normal,
    ];
    for likelihood in all {
        for len in [1, 7, 29, 150] {
            let program = crossed(likelihood, len);
            let dice = &mut Dice::new(4_000_000);
            let dim = program.graph.dim();
            let positions: Vec<Vec<f64>> = (0..3).map(|_| dice.position(dim)).collect();
            let found = check(&program, &positions, gpu.as_ref(), &[], false);
            if let Err(error) = found {
                panic!("{likelihood:?}, {len} rows: {error}");
            }
        }
    }
}

/// What a row's predictor is besides the effect of its group.
#[derive(Debug, Clone, Copy)]
enum Form {
    Added,
    Alone,
}

/// Rows that all do what their groups' effects of 10²⁵ say, in numbers of trials that take each of the ways in which
/// softplus is summed: the log likelihood is 0, and not what sums of 10²⁵ leave when they cancel.
#[test]
fn certain_outcomes_have_the_log_likelihood_0_however_large_the_predictor() {
    for form in [Form::Added, Form::Alone] {
        for kinds in [1, 3, 20] {
            let (program, position) = certain(form, kinds);
            let program = pass::density_program_f64(&program).expect("a program");
            for set in instruction_sets() {
                let density = SimdDensity::new(program.clone())
                    .and_then(|density| density.with_instruction_set(set))
                    .expect("code");
                for lanes in [1, LANES] {
                    let found = value(&density, &position, lanes);
                    assert!(
                        found.abs() < 1e-9,
                        "{form:?}, {kinds} kinds of rows, {set:?}, {lanes} lanes: {found}"
                    );
                }
            }
        }
    }
}

/// Rows of as many different numbers of trials, none of which merge unless they have no number of their own, and where
/// their outcomes are certain.
fn certain(form: Form, kinds: u32) -> (Program, Vec<f64>) {
    const ROWS: u32 = 61;
    let b = Builder::new();
    let (rows, groups) = (b.plate("row", ROWS as usize), b.plate("group", 7));
    let codes: Vec<u32> = (0..ROWS).map(|i| i * 5 % 7).collect();
    let trials: Vec<f64> = (0..ROWS).map(|i| f64::from(3 + i % kinds)).collect();
    let lives = |code: &u32| code.is_multiple_of(2);
    let survivors = codes
        .iter()
        .zip(&trials)
        .map(|(code, n)| if lives(code) { *n } else { 0.0 })
        .collect();
    let effects = (0..7).map(|code| if lives(&code) { 1.1e25 } else { -0.7e25 });
    let group = b.index("group", Some(rows), groups, codes.clone());
    let slope = b.position("slope", None, Event::Scalar);
    let effect = b.position("effect", Some(groups), Event::Scalar).gather(group);
    let x = b.column(
        "x",
        Some(rows),
        (1..=ROWS).map(|i| f64::from(i) / f64::from(ROWS)).collect(),
    );
    let eta = match form {
        Form::Added => slope * x + effect,
        Form::Alone => effect,
    };
    let n = b.column("n", Some(rows), trials.clone());
    let survived = b.column("survived", Some(rows), survivors);
    let density = Family::Binomial.log_density(&survived, &[n, eta.inv_logit()]);
    let density = vec![density.handle()];
    let program = Program {
        graph: b.finish().expect("a valid graph"),
        density,
        ..Program::default()
    };
    (program, [3.3e24].into_iter().chain(effects).collect())
}

/// The log density at a position, in the last of some lanes.
fn value(density: &SimdDensity, position: &[f64], lanes: usize) -> f64 {
    let mut evaluator = density.evaluator(lanes);
    let spread: Vec<f64> = position.iter().flat_map(|x| vec![*x; lanes]).collect();
    let (mut values, mut gradient) = (vec![0.0; lanes], vec![0.0; spread.len()]);
    evaluator.log_density_grad(&spread, &mut values, &mut gradient);
    values[lanes - 1]
}
