//! Models of every construct against log densities written out by hand, and what a lowered model says of itself.

use tadpool::back::reference;
use tadpool::data::Table;
use tadpool::dist::{Family, Role, Support};
use tadpool::lang::{self, LowerOptions, Lowered, QuantityKind};
use tadpool::pass;

/// Rows of two sites, two kinds, an outcome count, an exposure, a covariate and a measurement with its error.
const COUNTS: &str = "\
site,kind,t,y,exposure,x,income,se
s1,A,1,3,10,0.5,20,1
s1,B,2,1,5,-1.5,35,2
s10,A,2,7,20,2,50,1.5
s10,B,1,0,4,0.25,15,0.5
s2,A,1,2,10,1,80,2.5
s2,A,2,5,12,-0.5,42,1
";
const SITE: [usize; 6] = [0, 0, 2, 2, 1, 1];
const Y: [f64; 6] = [3.0, 1.0, 7.0, 0.0, 2.0, 5.0];
const EXPOSURE: [f64; 6] = [10.0, 5.0, 20.0, 4.0, 10.0, 12.0];
const X: [f64; 6] = [0.5, -1.5, 2.0, 0.25, 1.0, -0.5];
const SE: [f64; 6] = [1.0, 2.0, 1.5, 0.5, 2.5, 1.0];

fn lower(text: &str, centring: Option<bool>) -> Lowered {
    let model = lang::parse("m.tad", text).unwrap_or_else(|reports| panic!("{reports}"));
    let table = Table::from_bytes("d.csv", COUNTS.as_bytes()).expect("a table");
    lang::lower(
        &model,
        ("m.tad", text),
        &table,
        &LowerOptions {
            centring,
            ..LowerOptions::default()
        },
    )
    .unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)))
}

/// A position without ties or zeros.
fn point(lowered: &Lowered) -> Vec<f64> {
    (0..lowered.program.graph.dim())
        .map(|i| 0.3 * f64::sin(1.7 * (i as f64) + 0.4))
        .collect()
}

/// The values of the quantities at `position`, by name.
fn values(lowered: &Lowered, position: &[f64]) -> impl Fn(&str) -> Vec<f64> + use<> {
    let outputs = reference::outputs(&lowered.program, position).expect("outputs");
    let named: Vec<(String, Vec<f64>)> = lowered
        .quantities
        .iter()
        .map(|quantity| (quantity.name.clone(), outputs[quantity.output].clone()))
        .collect();
    move |name| {
        let found = named.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no quantity `{name}`")).1.clone()
    }
}

fn close(found: f64, expected: f64) {
    // A few dozen terms of order 10.
    assert!(
        (found - expected).abs() < 1e-12 * (1.0 + expected.abs()) * 10.0,
        "{found}, expected {expected}"
    );
}

fn normal(y: f64, mean: f64, sd: f64) -> f64 {
    Family::Normal.log_density(&y, &[mean, sd])
}

/// Checks the raw density against `expected`, the passes against the raw one, and the gradient against differences.
fn check(lowered: &Lowered, expected: f64) {
    let position = point(lowered);
    let raw = pass::reference_program(&lowered.program).expect("a program");
    let fast = pass::density_program(&lowered.program).expect("a program");
    let found = reference::evaluate(&raw, &position).expect("a value");
    close(found.log_density, expected);
    let merged = reference::evaluate(&fast, &position).expect("a value");
    close(merged.log_density, expected);
    for i in 0..position.len() {
        let moved = |step: f64| {
            let mut position = position.clone();
            position[i] += step;
            reference::evaluate(&raw, &position).expect("a value").log_density
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        for gradient in [&found.gradient, &merged.gradient] {
            // Truncation h²·f''' and rounding ε·|f|/h, both near 1e-9 times the density's size.
            assert!(
                (gradient[i] - slope).abs() < 1e-6 * (1.0 + slope.abs()),
                "{i}: {} {slope}",
                gradient[i]
            );
        }
    }
}

#[test]
fn counts_with_an_offset() {
    let text = "\
y ~ Poisson(lambda)
log(lambda) = log(exposure) + a + b*x + a_site[site]
a_site[site] ~ Normal(0, sigma)
a ~ Normal(0, 1.5)
b ~ Normal(0, 0.5)
sigma ~ Exponential(1)
";
    let lowered = lower(text, Some(true));
    assert_eq!(
        *lowered.plates[1].dims[0].labels,
        ["s1", "s2", "s10"],
        "labels sort naturally"
    );
    let position = point(&lowered);
    let (site, a, b, ln_sigma) = (&position[..3], position[3], position[4], position[5]);
    let sigma = ln_sigma.exp();
    let rows = (0..6).map(|i| {
        let mu = (EXPOSURE[i].ln() + a + b * X[i] + site[SITE[i]]).exp();
        Family::Poisson.log_density(&Y[i], &[mu])
    });
    let priors = site.iter().map(|x| normal(*x, 0.0, sigma)).sum::<f64>()
        + normal(a, 0.0, 1.5)
        + normal(b, 0.0, 0.5)
        + Family::Exponential.log_density(&sigma, &[1.0])
        + ln_sigma;
    check(&lowered, rows.sum::<f64>() + priors);
}

#[test]
fn fixed_length_vectors_and_several_targets() {
    let text = "\
y ~ NegBinomial(mu, phi)
log(mu) = log(exposure) + a + b[1]*sqrt(se) + b[2]*(kind == \"A\") + a_site[site]
a ~ Normal(1, 1)
b[2] ~ Normal(0, 1)
a_site[site] ~ Normal(0, sigma)
sigma, phi ~ Exponential(1)
";
    let lowered = lower(text, Some(false));
    let names: Vec<String> = lowered
        .quantities
        .iter()
        .flat_map(|quantity| quantity.elements())
        .collect();
    assert_eq!(
        names,
        [
            "a",
            "b[1]",
            "b[2]",
            "a_site[s1]",
            "a_site[s2]",
            "a_site[s10]",
            "sigma",
            "phi"
        ]
    );
    let position = point(&lowered);
    let (a, b, z) = (position[0], &position[1..3], &position[3..6]);
    let (sigma, phi) = (position[6].exp(), position[7].exp());
    let is_a = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    let rows = (0..6).map(|i| {
        let eta = EXPOSURE[i].ln() + a + b[0] * SE[i].sqrt() + b[1] * is_a[i] + sigma * z[SITE[i]];
        Family::NegBinomial.log_density(&Y[i], &[eta.exp(), phi])
    });
    let standard = |x: &f64| normal(*x, 0.0, 1.0);
    let priors = normal(a, 1.0, 1.0) + b.iter().chain(z).map(standard).sum::<f64>() - sigma + position[6]
        - phi
        + position[7];
    check(&lowered, rows.sum::<f64>() + priors);
}

#[test]
fn crossings_literal_labels_and_nested_indices() {
    let text = "\
index cell = site * kind
y ~ Poisson(mu)
log(mu) = alpha[site, kind] + c[cell] + d[\"s10\"]*x
alpha[site, kind] ~ Normal(h[kind], 1)
c[cell] ~ Normal(0, s[site])
d[site], h[kind] ~ Normal(0, 1)
s[site] ~ Exponential(2)
spread[kind] = exp(h[kind]) + d[\"s1\"]
";
    let lowered = lower(text, Some(true));
    let names: Vec<String> = lowered
        .quantities
        .iter()
        .flat_map(|quantity| quantity.elements())
        .collect();
    assert_eq!(names[..2], ["alpha[s1,A]", "alpha[s1,B]"]);
    assert_eq!(
        names[6..11],
        ["c[s1:A]", "c[s1:B]", "c[s2:A]", "c[s10:A]", "c[s10:B]"],
        "only those that occur"
    );
    let position = point(&lowered);
    let (alpha, c, d) = (&position[..6], &position[6..11], &position[11..14]);
    let (h, ln_s) = (&position[14..16], &position[16..19]);
    let alpha_of = [0, 1, 4, 5, 2, 2];
    let cell_of = [0, 1, 3, 4, 2, 2];
    let site_of_cell = [0, 0, 1, 2, 2];
    let mut total: f64 = (0..6)
        .map(|i| {
            let eta = alpha[alpha_of[i]] + c[cell_of[i]] + d[2] * X[i];
            Family::Poisson.log_density(&Y[i], &[eta.exp()])
        })
        .sum();
    total += (0..6).map(|i| normal(alpha[i], h[i % 2], 1.0)).sum::<f64>();
    total += (0..5)
        .map(|i| normal(c[i], 0.0, ln_s[site_of_cell[i]].exp()))
        .sum::<f64>();
    total += d.iter().chain(h).map(|x| normal(*x, 0.0, 1.0)).sum::<f64>();
    total += ln_s
        .iter()
        .map(|s| Family::Exponential.log_density(&s.exp(), &[2.0]) + s)
        .sum::<f64>();
    check(&lowered, total);
    let value = values(&lowered, &position);
    let spread = lowered.quantities.last().expect("a quantity");
    assert_eq!(
        (spread.name.as_str(), spread.kind),
        ("spread", QuantityKind::Derived)
    );
    close(value("spread")[1], h[1].exp() + d[0]);
}

#[test]
fn robust_regression_with_learned_constants() {
    let text = "\
z ~ StudentT(nu, mu, sigma)
z = standardize(log(income))
mu = a[site] + b*w + b2*w^2
w = center(x)
log(sigma) = s0 + s_site[site]
a[site] ~ StudentT(4, a_bar, sigma_a)
s_site[site] ~ Normal(0, sigma_s)
a_bar, b, b2, s0 ~ Normal(0, 0.5)
nu ~ Gamma(2, 0.1)
sigma_a, sigma_s ~ Exponential(1)
";
    let calls: Vec<String> = lower(text, None)
        .learned
        .into_iter()
        .map(|learned| learned.call)
        .collect();
    assert_eq!(calls, ["standardize(log(income))", "center(x)"]);
    let lowered = lower(text, Some(false));
    let position = point(&lowered);
    let income = [20.0_f64, 35.0, 50.0, 15.0, 80.0, 42.0].map(f64::ln);
    let mean = income.iter().sum::<f64>() / 6.0;
    let sd = (income.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5.0).sqrt();
    let centre = X.iter().sum::<f64>() / 6.0;
    let (za, zs) = (&position[..3], &position[3..6]);
    let (a_bar, b, b2, s0) = (position[6], position[7], position[8], position[9]);
    let (nu, sigma_a, sigma_s) = (position[10].exp(), position[11].exp(), position[12].exp());
    let mut total: f64 = (0..6)
        .map(|i| {
            let w = X[i] - centre;
            let mu = a_bar + sigma_a * za[SITE[i]] + b * w + b2 * w * w;
            let sigma = (s0 + sigma_s * zs[SITE[i]]).exp();
            Family::StudentT.log_density(&((income[i] - mean) / sd), &[nu, mu, sigma])
        })
        .sum();
    total += za
        .iter()
        .map(|z| Family::StudentT.log_density(z, &[4.0, 0.0, 1.0]))
        .sum::<f64>();
    total += zs.iter().map(|z| normal(*z, 0.0, 1.0)).sum::<f64>();
    total += [a_bar, b, b2, s0]
        .iter()
        .map(|x| normal(*x, 0.0, 0.5))
        .sum::<f64>();
    total += Family::Gamma.log_density(&nu, &[2.0, 0.1]) + position[10];
    total += position[11] - sigma_a + position[12] - sigma_s;
    check(&lowered, total);
}

#[test]
fn bounded_and_truncated_parameters() {
    let text = "\
x ~ Normal(m, s)
m ~ Uniform(-2, 3)
s ~ Normal(0.5, 2)
y ~ Binomial(exposure, p)
p ~ Beta(2, 3)
";
    let lowered = lower(text, None);
    let supports: Vec<&str> = lowered
        .quantities
        .iter()
        .map(|quantity| quantity.support.as_str())
        .collect();
    assert_eq!(supports, ["(-2, 3)", "(0, ∞)", "(0, 1)"]);
    let position = point(&lowered);
    let unit = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (u, s, p) = (unit(position[0]), position[1].exp(), unit(position[2]));
    let m = -2.0 + 5.0 * u;
    let mut total: f64 = X.iter().map(|x| normal(*x, m, s)).sum();
    total += (0..6)
        .map(|i| Family::Binomial.log_density(&Y[i], &[EXPOSURE[i], p]))
        .sum::<f64>();
    // Uniform: −ln 5 and the Jacobian's ln 5 cancel.
    total += (u * (1.0 - u)).ln();
    // P(Y > 0) = Φ(0.25) = 0.598706325682924 (Abramowitz & Stegun, table 26.1).
    total += normal(s, 0.5, 2.0) - 0.598_706_325_682_924_f64.ln() + position[1];
    total += Family::Beta.log_density(&p, &[2.0, 3.0]) + (p * (1.0 - p)).ln();
    check(&lowered, total);
}

#[test]
fn links_and_functions() {
    let text = "\
y ~ Binomial(exposure, p)
cloglog(p) = a + ifelse(x > 0 && t != 2, b, -b) + (t % 2)*0.1 + min(x, 0.5)
x ~ Normal(m, s)
sqrt(s) = c + 1
m = 2*Phi(a) - inv_logit(b)^3 / abs(c - 4)
a, b, c ~ Normal(0, 1)
";
    let lowered = lower(text, None);
    let position = point(&lowered);
    let (a, b, c) = (position[0], position[1], position[2]);
    let t = [1.0, 2.0, 2.0, 1.0, 1.0, 2.0];
    let phi = tadpool::num::Real::std_normal_cdf(&a);
    let m = 2.0 * phi - (1.0 / (1.0 + (-b).exp())).powi(3) / (c - 4.0).abs();
    let mut total = normal(a, 0.0, 1.0) + normal(b, 0.0, 1.0) + normal(c, 0.0, 1.0);
    for i in 0..6 {
        let chosen = if X[i] > 0.0 && t[i] != 2.0 { b } else { -b };
        let eta = a + chosen + (t[i] % 2.0) * 0.1 + X[i].min(0.5);
        let p = 1.0 - (-eta.exp()).exp();
        total += Family::Binomial.log_density(&Y[i], &[EXPOSURE[i], p]);
        total += normal(X[i], m, (c + 1.0) * (c + 1.0));
    }
    check(&lowered, total);
}

#[test]
fn the_pointwise_log_likelihood_adds_up_to_the_likelihood_term() {
    let text = "y ~ Poisson(m)\nlog(m) = a\na ~ Normal(0, 1)\nx ~ Normal(a, 1)\n";
    let lowered = lower(text, None);
    let outputs = reference::outputs(&lowered.program, &[0.7]).expect("outputs");
    let outcomes: Vec<&str> = lowered
        .likelihoods
        .iter()
        .map(|likelihood| likelihood.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["y", "x"]);
    let pointwise = &outputs[lowered.likelihoods[0].output];
    for (found, y) in pointwise.iter().zip(Y) {
        close(*found, Family::Poisson.log_density(&y, &[0.7_f64.exp()]));
    }
}

#[test]
fn data_on_a_group_may_be_an_outcome() {
    let text = "index school = row\nx[school] ~ Normal(theta[school], se[school])\ntheta[school] ~ Normal(mu, tau)\nmu ~ Normal(0, 5)\ntau ~ HalfCauchy(5)\n";
    let plain = "index school = row\nx ~ Normal(theta[school], se)\ntheta[school] ~ Normal(mu, tau)\nmu ~ Normal(0, 5)\ntau ~ HalfCauchy(5)\n";
    let (grouped, plain) = (lower(text, Some(true)), lower(plain, Some(true)));
    let position = point(&plain);
    let at = |lowered: &Lowered| {
        let program = pass::reference_program(&lowered.program).expect("a program");
        reference::evaluate(&program, &position)
            .expect("a value")
            .log_density
    };
    close(at(&grouped), at(&plain));
}

#[test]
fn the_expansion_is_a_model_of_the_same_meaning() {
    let text = "\
alist(
  y ~ dpois(mu),
  log(mu) <- a[site] + b*x,
  a[site] ~ dnorm(a_bar, s),
  c(a_bar, b) ~ dnorm(0, 1),
  s ~ dcauchy(0, 2),
  total[site] <- a[site] + b
)";
    let lowered = lower(text, None);
    let again = lower(&lowered.expansion, None);
    assert_eq!(again.expansion.lines().count(), 6);
    assert!(
        lowered.expansion.contains("y ~ Poisson(mu)"),
        "{}",
        lowered.expansion
    );
    assert!(
        lowered.expansion.contains("s ~ HalfCauchy(2)"),
        "{}",
        lowered.expansion
    );
    assert!(lowered.expansion.contains("@auto"), "{}", lowered.expansion);
    let position = point(&lowered);
    let at = |lowered: &Lowered| {
        let program = pass::reference_program(&lowered.program).expect("a program");
        reference::evaluate(&program, &position)
            .expect("a value")
            .log_density
    };
    close(at(&again), at(&lowered));
}

#[test]
fn dropped_rows_are_counted() {
    let text = "drop_missing(x)\nx ~ Normal(a, 1)\na ~ Normal(0, 1)\n";
    let model = lang::parse("m.tad", text).expect("a model");
    let table = Table::from_bytes("d.csv", b"x,z\n1,2\nNA,3\n4,NA\n").expect("a table");
    let lowered = lang::lower(&model, ("m.tad", text), &table, &LowerOptions::default()).expect("lowered");
    assert_eq!((lowered.rows_read, lowered.rows_kept), (3, 2));
    assert_eq!(
        lowered.notes,
        ["d.csv: 1 of 3 rows was dropped: `x` is missing there"]
    );
    assert_eq!(lowered.columns.len(), 1, "z is not used");
}

#[test]
fn long_chains_and_shared_steps_neither_overflow_nor_explode() {
    let chain = |steps: usize| {
        let mut text = "x ~ Normal(m, 1)\na ~ Normal(0, 1)\ns0 = a\n".to_owned();
        for step in 1..=steps {
            text.push_str(&format!("s{step} = 0.5*s{} + 0.5*s{}\n", step - 1, step - 1));
        }
        text.push_str(&format!("m = s{steps}\n"));
        text
    };
    let lowered = lower(&chain(900), None);
    let rows = X.iter().map(|x| normal(*x, 0.25, 1.0)).sum::<f64>();
    let raw = pass::reference_program(&lowered.program).expect("a program");
    close(
        reference::evaluate(&raw, &[0.25]).expect("a value").log_density,
        rows + normal(0.25, 0.0, 1.0),
    );
    let text = chain(20_000);
    let model = lang::parse("m.tad", &text).expect("a model");
    let table = Table::from_bytes("d.csv", COUNTS.as_bytes()).expect("a table");
    let failure =
        lang::lower(&model, ("m.tad", &text), &table, &LowerOptions::default()).expect_err("too deep");
    let message = tadpool::Error::from(failure).to_string();
    assert!(
        message.contains("more than 1000 lines build on one another"),
        "{message}"
    );
}

#[test]
fn every_family_as_a_likelihood_counts_each_element() {
    for &family in Family::ALL {
        // One argument for all rows: data for bounds and trials, parameters elsewhere.
        let mut arguments: Vec<String> = Vec::new();
        let mut priors = String::new();
        for (place, argument) in family.arguments().iter().enumerate() {
            arguments.push(match (family, argument.role) {
                (Family::Uniform, _) => ["-1", "20"][place].to_owned(),
                (_, Role::Count) => "20".to_owned(),
                (_, Role::Positive) => {
                    priors += &format!("p{place} ~ Exponential(1)\n");
                    format!("p{place}")
                }
                (_, Role::Unit) => {
                    priors += &format!("p{place} ~ Beta(2, 2)\n");
                    format!("p{place}")
                }
                (_, Role::Real) => {
                    priors += &format!("p{place} ~ Normal(0, 1)\n");
                    format!("p{place}")
                }
            });
        }
        // A parameter in every model, so that Uniform's has one too.
        priors += "x ~ Normal(m, 1)\nm ~ Normal(0, 1)\n";
        let outcome = match family.support() {
            Support::Real | Support::Interval | Support::Counts | Support::CountsUpTo => "y",
            Support::Positive | Support::NonNegative => "se",
            Support::Unit => "share",
            Support::Binary => "one",
        };
        let text = format!(
            "{outcome} ~ {}({})\nshare = se/5\none = t - 1\n{priors}",
            family.name(),
            arguments.join(", ")
        );
        let lowered = lower(&text, None);
        let position = point(&lowered);
        let outputs = reference::outputs(&lowered.program, &position).expect("outputs");
        let raw = pass::reference_program(&lowered.program).expect("a program");
        let density = reference::evaluate(&raw, &position).expect("a value").log_density;
        let likelihood = &lowered.likelihoods[0];
        let pointwise = &outputs[likelihood.output];
        assert_eq!(pointwise.len(), 6, "{}", family.name());
        let value = values(&lowered, &position);
        let numbers: Vec<f64> = arguments
            .iter()
            .map(|text| text.parse().unwrap_or_else(|_| value(text)[0]))
            .collect();
        let data: Vec<f64> = match outcome {
            "y" => Y.to_vec(),
            "se" => SE.to_vec(),
            "share" => SE.iter().map(|x| x / 5.0).collect(),
            other => {
                assert_eq!(other, "one");
                vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
            }
        };
        for (found, y) in pointwise.iter().zip(&data) {
            close(*found, family.log_density(y, &numbers));
        }
        // The density is the sum of the terms, each over its own plate.
        let terms: f64 = lowered
            .program
            .density
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != likelihood.term)
            .map(|(_, term)| {
                let mut program = lowered.program.clone();
                program.density = vec![*term];
                let program = pass::reference_program(&program).expect("a program");
                reference::evaluate(&program, &position)
                    .expect("a value")
                    .log_density
            })
            .sum();
        close(density, terms + pointwise.iter().sum::<f64>());
    }
}

#[test]
fn a_subscript_and_a_label_of_the_same_text_differ() {
    let csv = "treatment,y\ncontrol,0.5\ntreatment,1.5\ncontrol,2.5\n";
    let text = "y ~ Normal(m, 1)\nm = a[treatment] - 2*a[\"treatment\"]\na[treatment] ~ Normal(0, 1)\n";
    let model = lang::parse("m.tad", text).unwrap_or_else(|reports| panic!("{reports}"));
    let table = Table::from_bytes("d.csv", csv.as_bytes()).expect("a table");
    let lowered = lang::lower(&model, ("m.tad", text), &table, &LowerOptions::default())
        .unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)));
    let (control, treatment) = (0.3, -0.7);
    let density = normal(0.5, control - 2.0 * treatment, 1.0)
        + normal(1.5, -treatment, 1.0)
        + normal(2.5, control - 2.0 * treatment, 1.0)
        + normal(control, 0.0, 1.0)
        + normal(treatment, 0.0, 1.0);
    let raw = pass::reference_program(&lowered.program).expect("a program");
    let found = reference::evaluate(&raw, &[control, treatment]).expect("a value");
    close(found.log_density, density);
    let fast = pass::density_program(&lowered.program).expect("a program");
    let found = reference::evaluate(&fast, &[control, treatment]).expect("a value");
    close(found.log_density, density);
}
