//! Predictors with a link whose sums one instruction of the CPU's lanes computes: links, weights, sorted and unsorted
//! factors, numbers of rows that no tile of vectors divides.

use tadpool::dist::Family;
use tadpool::ir::{Builder, Event, Program};
use tadpool::num::Real;

use crate::agree::check;
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
