//! Checks of every distribution from outside: a table made with mpmath, quadrature, and samples against densities.

use super::{Family, Support};
use crate::rng::{Purpose, Stream};

/// Arguments at which each family is integrated and sampled.
fn arguments(family: Family) -> Vec<Vec<f64>> {
    match family {
        Family::Normal | Family::Cauchy | Family::Logistic => vec![vec![0.0, 1.0], vec![-1.5, 0.7]],
        // Its kink must fall on a node of the quadrature.
        Family::Laplace => vec![vec![0.0, 1.0], vec![0.0, 0.3]],
        Family::HalfNormal | Family::HalfCauchy | Family::Exponential => vec![vec![1.0], vec![2.5]],
        Family::StudentT => vec![vec![3.0, 0.5, 2.0], vec![0.8, 0.0, 1.0], vec![40.0, -1.0, 0.5]],
        Family::HalfStudentT => vec![vec![3.0, 2.5], vec![12.0, 0.5]],
        Family::Gamma => vec![vec![2.0, 3.0], vec![0.6, 0.5], vec![30.0, 1.0]],
        Family::InvGamma => vec![vec![3.0, 2.0], vec![0.7, 1.0]],
        Family::Beta => vec![vec![2.0, 3.0], vec![0.6, 0.7]],
        Family::Uniform => vec![vec![-1.0, 3.0]],
        Family::LogNormal => vec![vec![0.0, 1.0], vec![-1.0, 0.4]],
        Family::Weibull => vec![vec![1.5, 2.0], vec![0.8, 1.0]],
        Family::Binomial => vec![vec![10.0, 0.3], vec![200.0, 0.6]],
        Family::Bernoulli => vec![vec![0.3]],
        Family::Poisson => vec![vec![0.4], vec![35.0]],
        Family::NegBinomial => vec![vec![2.0, 0.7], vec![20.0, 5.0]],
        Family::Geometric => vec![vec![0.3], vec![0.8]],
        Family::BetaBinomial => vec![vec![10.0, 2.0, 3.0], vec![50.0, 0.7, 0.6]],
    }
}

/// Nodes y with weights of a rule for the integral over the support: double exponential substitution (Takahasi & Mori
/// 1974) and the trapezoidal rule, or plain sums where discrete.
fn rule(support: Support, a: &[f64]) -> Vec<(f64, f64)> {
    const STEPS: i32 = 16_384;
    const REACH: f64 = 4.5;
    let quadrature = |map: &dyn Fn(f64) -> (f64, f64)| {
        (-STEPS..=STEPS)
            .map(|i| {
                let h = REACH / f64::from(STEPS);
                let t = h * f64::from(i);
                let (y, dy) = map(std::f64::consts::FRAC_PI_2 * t.sinh());
                (y, dy * std::f64::consts::FRAC_PI_2 * t.cosh() * h)
            })
            .collect()
    };
    let unit = |s: f64| {
        let p = 1.0 / (1.0 + (-2.0 * s).exp());
        (p, 2.0 * p / (1.0 + (2.0 * s).exp()))
    };
    match support {
        Support::Real => quadrature(&|s| (s.sinh(), s.cosh())),
        Support::Positive | Support::NonNegative => quadrature(&|s| (s.exp(), s.exp())),
        Support::Unit => quadrature(&unit),
        Support::Interval => quadrature(&|s| {
            let (p, dp) = unit(s);
            (a[0] + (a[1] - a[0]) * p, (a[1] - a[0]) * dp)
        }),
        Support::Binary => vec![(0.0, 1.0), (1.0, 1.0)],
        Support::Counts => (0..2000).map(|y| (f64::from(y), 1.0)).collect(),
        Support::CountsUpTo => (0..=a[0] as i32).map(|y| (f64::from(y), 1.0)).collect(),
    }
}

/// (y, mass) at the nodes of the rule; a node at the very edge of the support carries no mass.
fn masses(family: Family, a: &[f64]) -> Vec<(f64, f64)> {
    rule(family.support(), a)
        .into_iter()
        .map(|(y, weight)| {
            let mass = weight * family.log_density(&y, a).exp();
            (y, if mass.is_finite() { mass } else { 0.0 })
        })
        .collect()
}

/// The trapezoidal rule's error at the kink of Laplace is of the order of the squared step, 1e-7; all others are
/// below it.
const QUADRATURE_ERROR: f64 = 1e-6;

#[test]
fn densities_equal_the_table() {
    let mut seen = Vec::new();
    for line in include_str!("../../tests/dist/densities.csv").lines().skip(1) {
        let mut fields = line.split(',');
        let family = Family::from_name(fields.next().unwrap()).unwrap();
        let numbers: Vec<f64> = fields.map(|field| field.parse().unwrap()).collect();
        let (y, expected, a) = (numbers[0], numbers[1], &numbers[2..]);
        assert_eq!(a.len(), family.arguments().len(), "{line}");
        let found = family.log_density(&y, a);
        // Differences of log-gammas up to 6000, each right to an ulp or two (9e-13).
        let tolerance = 4e-12 + 1e-14 * expected.abs();
        assert!((found - expected).abs() < tolerance, "{line}: {found}");
        seen.push(family);
    }
    for family in Family::ALL {
        assert!(seen.contains(family), "{} is not in the table", family.name());
    }
}

#[test]
fn densities_integrate_to_one_and_means_are_their_means() {
    for &family in Family::ALL {
        for a in arguments(family) {
            let masses = masses(family, &a);
            let total: f64 = masses.iter().map(|(_, mass)| mass).sum();
            assert!(
                (total - 1.0).abs() < QUADRATURE_ERROR,
                "{}{a:?}: {total}",
                family.name()
            );
            if let Some(mean) = family.mean(&a) {
                let found: f64 = masses.iter().map(|(y, mass)| y * mass).sum();
                assert!(
                    (found - mean).abs() < QUADRATURE_ERROR * (1.0 + mean.abs()),
                    "{}{a:?}: mean {mean}, quadrature {found}",
                    family.name()
                );
            }
        }
    }
    assert_eq!(Family::Cauchy.mean(&[0.0, 1.0]), None);
    assert_eq!(Family::InvGamma.mean(&[1.0, 1.0]), None);
    assert_eq!(Family::StudentT.mean(&[1.0, 0.0, 1.0]), None);
    assert_eq!(Family::HalfStudentT.mean(&[1.0, 1.0]), None);
}

#[test]
fn upper_masses_are_integrals_over_the_positive_numbers() {
    for family in [
        Family::Normal,
        Family::Cauchy,
        Family::Logistic,
        Family::Laplace,
        Family::StudentT,
    ] {
        for a in arguments(family) {
            let found = family.ln_upper_mass(&a).unwrap().exp();
            let expected: f64 = masses(family, &a)
                .iter()
                .map(|(y, mass)| match y.total_cmp(&0.0) {
                    std::cmp::Ordering::Greater => *mass,
                    std::cmp::Ordering::Equal => 0.5 * mass,
                    std::cmp::Ordering::Less => 0.0,
                })
                .sum();
            // The rule is cut at a node, an error of the order of one step of the integrand.
            assert!(
                (found - expected).abs() < 1e-5,
                "{}{a:?}: {found} {expected}",
                family.name()
            );
        }
    }
    // Far in the tail, by mpmath with 50 digits: ln of the regularised incomplete beta function, and closed forms.
    for (family, a, expected) in [
        (Family::Normal, vec![-40.0, 1.0], -804.608_442_013_753_9),
        (Family::StudentT, vec![5.0, -40.0, 1.0], -16.200_827_353_101_412),
        (Family::Cauchy, vec![-1e8, 1.0], -19.565_410_629_801_77),
        (Family::Logistic, vec![-80.0, 1.0], -80.0),
        (Family::Laplace, vec![-80.0, 1.0], -80.693_147_180_559_95),
    ] {
        let found = family.ln_upper_mass(&a).unwrap();
        assert!(
            (found - expected).abs() < 1e-9 * expected.abs(),
            "{}: {found}",
            family.name()
        );
    }
    assert_eq!(Family::Gamma.ln_upper_mass(&[1.0, 1.0]), None);
}

/// Kolmogorov–Smirnov: the largest distance between the empirical and the integrated distribution function is below
/// its 1e-5 quantile, 2.47/√n (conservative where discrete).
#[test]
fn samples_follow_their_densities() {
    const DRAWS: usize = 20_000;
    for (number, &family) in Family::ALL.iter().enumerate() {
        for (replicate, a) in arguments(family).into_iter().enumerate() {
            let mut rng = Stream {
                seed: 20_250_101,
                replicate: replicate as u32,
                chain: number as u32,
                iteration: 0,
                purpose: Purpose::Predictive,
            }
            .rng();
            let mut draws: Vec<f64> = (0..DRAWS).map(|_| family.sample(&mut rng, &a).unwrap()).collect();
            for &y in &draws {
                assert_eq!(family.contains(y, &a), Ok(()), "{}{a:?} drew {y}", family.name());
            }
            draws.sort_by(f64::total_cmp);
            let (mut below, mut seen, mut distance) = (0.0, 0, 0.0_f64);
            for (y, mass) in masses(family, &a) {
                // Half of a continuous node's mass lies below the node.
                let at_node = if family.is_discrete() { mass } else { 0.5 * mass };
                while seen < DRAWS && draws[seen] <= y {
                    seen += 1;
                }
                distance = distance.max((below + at_node - seen as f64 / DRAWS as f64).abs());
                below += mass;
            }
            let bound = 2.47 / (DRAWS as f64).sqrt();
            assert!(distance < bound, "{}{a:?}: {distance} > {bound}", family.name());
        }
    }
}

#[test]
fn names_are_canonical_and_arguments_are_named_once() {
    for &family in Family::ALL {
        assert_eq!(Family::from_name(family.name()), Some(family));
        let mut names: Vec<&str> = Vec::new();
        for argument in family.arguments() {
            names.push(argument.name);
            names.extend(argument.aliases);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names.len(),
            count,
            "{}: an argument's name is used twice",
            family.name()
        );
        assert!(!family.doc().is_empty());
    }
    assert_eq!(Family::ALL.len(), 21);
    assert_eq!(Family::from_name("normal"), None);
}

#[test]
fn impossible_outcomes_are_refused_with_what_was_expected() {
    for (family, y, a, expected) in [
        (Family::Binomial, 11.0, vec![10.0], "a whole number from 0 to 10"),
        (Family::Binomial, 1.5, vec![10.0], "a whole number from 0 to 10"),
        (Family::Poisson, -1.0, vec![], "a whole number not below 0"),
        (Family::Poisson, f64::INFINITY, vec![], "a count of at most 1e15"),
        (Family::Poisson, 1e16, vec![], "a count of at most 1e15"),
        (Family::Bernoulli, 2.0, vec![], "0 or 1"),
        (Family::Gamma, 0.0, vec![], "a number above 0"),
        (Family::Exponential, -0.1, vec![], "a number not below 0"),
        (
            Family::Beta,
            1.0,
            vec![],
            "a number between 0 and 1, both excluded",
        ),
        (Family::Uniform, 3.5, vec![-1.0, 3.0], "a number from -1 to 3"),
        (Family::Normal, f64::NAN, vec![], "a finite number"),
    ] {
        assert_eq!(
            family.contains(y, &a),
            Err(expected.to_owned()),
            "{}",
            family.name()
        );
    }
    assert_eq!(Family::Exponential.contains(0.0, &[]), Ok(()));
}

#[test]
fn impossible_arguments_are_named() {
    let mut rng = Stream {
        seed: 1,
        replicate: 0,
        chain: 0,
        iteration: 0,
        purpose: Purpose::Predictive,
    }
    .rng();
    for (family, a, expected) in [
        (
            Family::Normal,
            vec![0.0, -1.0],
            "Normal: the argument `sd` is -1, expected a finite number above 0",
        ),
        (
            Family::Binomial,
            vec![2.5, 0.5],
            "Binomial: the argument `n` is 2.5, expected a whole number from 0 to 1e15",
        ),
        (
            Family::Bernoulli,
            vec![f64::NAN],
            "Bernoulli: the argument `p` is NaN, expected a number from 0 to 1",
        ),
        (
            Family::Geometric,
            vec![0.0],
            "Geometric: the argument `p` is 0, expected a number above 0, up to 1",
        ),
        (
            Family::Uniform,
            vec![2.0, 1.0],
            "Uniform: the argument `lower` is 2, expected a number below `upper`, which is 1",
        ),
    ] {
        let error = family.sample(&mut rng, &a).unwrap_err();
        assert_eq!(error.message(), expected);
    }
    assert_eq!(Family::Poisson.sample(&mut rng, &[0.0]), Ok(0.0));
    assert!(Family::Poisson.sample(&mut rng, &[1e30]).is_err());
}

#[test]
fn the_page_of_the_language_lists_every_distribution_as_it_is() {
    let page = include_str!("../../docs/language.md");
    for family in Family::ALL {
        let arguments = family.arguments();
        let names: Vec<&str> = arguments.iter().map(|argument| argument.name).collect();
        let also: Vec<String> = arguments
            .iter()
            .map(|argument| argument.aliases.join(", "))
            .collect();
        let begin = format!("| `{}({})` | ", family.name(), names.join(", "));
        let end = format!(" | {} |", also.join("; "));
        let is_there = page
            .lines()
            .any(|line| line.starts_with(&begin) && line.ends_with(&end));
        assert!(is_there, "docs/language.md has no line {begin}…{end}");
    }
    let rows = page.lines().filter(|line| {
        let name = line.strip_prefix("| `").and_then(|rest| rest.split('(').next());
        name.and_then(Family::from_name).is_some()
    });
    // `surv ~ …` and other lines of models begin otherwise.
    assert_eq!(rows.count(), Family::ALL.len());
}
