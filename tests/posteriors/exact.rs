//! Posteriors known in closed form, and wrong models that the judgement must find.

use tadpool::fit::{Fit, Options};

use crate::judge::{Limits, judge};
use crate::reference::{Case, Expected};
use crate::{Engine, SEEDS, compile, sample};

/// Four posteriors of conjugate priors at once: on the real line, the positive half line and the unit interval, so that
/// a wrong Jacobian of either constraint shows. Every row belongs to all four likelihoods.
const CONJUGATE: &str = "
y ~ Normal(mu, sigma_obs)
mu ~ Normal(1, 3)
count ~ Poisson(rate)
rate ~ Gamma(2, 0.5)
hits ~ Binomial(shots, p)
p ~ Beta(0.5, 3)
wait ~ Exponential(speed)
speed ~ Exponential(2)
";

const TABLE: &str = "y,sigma_obs,count,hits,shots,wait
3.5,2,4,1,9,0.3
-0.5,1,7,0,4,1.75
2,0.5,3,2,7,0.2
8,4,5,0,5,0.75
1.25,1,6,1,5,0.5
";

/// The closed forms (Gelman et al. 2013, sections 2.4 to 2.6): precisions add, counts and exposures add.
fn conjugate() -> Vec<Expected> {
    let y = [3.5, -0.5, 2.0, 8.0, 1.25];
    let sigma_obs = [2.0, 1.0, 0.5, 4.0, 1.0];
    let weights = sigma_obs.map(|s: f64| 1.0 / (s * s));
    let precision = 1.0 / 9.0 + weights.iter().sum::<f64>();
    let weighted: f64 = weights.iter().zip(y).map(|(w, y)| w * y).sum();
    let gamma = |name, shape: f64, rate: f64| Expected::exact(name, shape / rate, shape.sqrt() / rate);
    // 4 hits of 30 shots.
    let (a, b) = (0.5 + 4.0, 3.0 + 26.0);
    let p = a / (a + b);
    vec![
        Expected::exact("mu", (1.0 / 9.0 + weighted) / precision, precision.sqrt().recip()),
        // 25 events in 5 rows.
        gamma("rate", 2.0 + 25.0, 0.5 + 5.0),
        Expected::exact("p", p, (p * (1.0 - p) / (a + b + 1.0)).sqrt()),
        // 5 waits of 3.5 in all.
        gamma("speed", 1.0 + 5.0, 2.0 + 3.5),
    ]
}

const STRICT: Limits = Limits {
    rhat: 1.01,
    divergent: 0.001,
};

fn assert_conjugate(engine: Engine) {
    let model = compile("conjugate", CONJUGATE, TABLE);
    let fits = SEEDS.map(|seed| sample(&model, &engine.options(seed)));
    let judgements = judge(&fits, &conjugate(), STRICT);
    for (seed, judgement) in SEEDS.into_iter().zip(&judgements) {
        println!("{}", judgement.line(engine.name(), "conjugate", seed));
    }
    let violations: Vec<&str> = judgements
        .iter()
        .flat_map(|judgement| judgement.violations.iter().map(String::as_str))
        .collect();
    assert!(violations.is_empty(), "{engine:?}:\n{}", violations.join("\n"));
}

#[test]
fn conjugate_posteriors_have_their_closed_forms() {
    for engine in [Engine::Nuts, Engine::Hmc] {
        assert_conjugate(engine);
    }
}

#[test]
fn conjugate_posteriors_on_the_gpu_have_their_closed_forms() {
    if crate::has_gpu() {
        assert_conjugate(Engine::Gpu);
    }
}

/// What is found in one fit.
fn found(fit: &Fit, expected: &[Expected]) -> Vec<String> {
    let judgements = judge(std::slice::from_ref(fit), expected, STRICT);
    judgements
        .into_iter()
        .flat_map(|judgement| judgement.violations)
        .collect()
}

/// What is found in a fit of `case` whose text has `right` replaced by `wrong`.
fn findings(case: Case, right: &str, wrong: &str) -> Vec<String> {
    assert_eq!(case.text.matches(right).count(), 1, "`{right}` in {}", case.name);
    let text = case.text.replace(right, wrong);
    let model = compile(case.name, &text, case.table);
    found(&sample(&model, &Engine::Nuts.options(1)), &case.expected())
}

/// The mean of `a` moves from 1.299 to 1.363, fifteen standard errors of this run.
#[test]
fn a_doubled_sd_of_a_prior_is_found_in_the_means() {
    let found = findings(Case::named("m12_2"), "a ~ Normal(0, 1)", "a ~ Normal(0, 2)");
    assert!(
        found.iter().any(|what| what.starts_with("mean of a:")),
        "{found:?}"
    );
}

/// Where a tank lost none or all, the prior decides how far its intercept goes.
#[test]
fn a_doubled_sd_of_a_prior_is_found_in_the_sds() {
    let found = findings(Case::named("m12_1"), "Normal(0, 5)", "Normal(0, 10)");
    assert!(
        found.iter().any(|what| what.starts_with("sd of a_tank[38]:")),
        "{found:?}"
    );
}

#[test]
fn a_parameter_that_the_fit_lacks_is_found() {
    let case = Case::named("m12_2");
    let model = compile(case.name, case.text, case.table);
    let fit = sample(
        &model,
        &Options {
            warmup: Some(100),
            draws: Some(20),
            ..Engine::Nuts.options(1)
        },
    );
    let mut expected = case.expected();
    expected.retain(|e| e.name != "sigma");
    expected.push(Expected::exact("tau", 1.0, 1.0));
    let found = found(&fit, &expected);
    for what in ["tau: the fit lacks it", "sigma: no reference values"] {
        assert!(found.iter().any(|found| found == what), "{what} not in {found:?}");
    }
}
