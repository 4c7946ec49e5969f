//! Every distribution as a prior and as a likelihood, with every link that its arguments can have.

use tadpool::dist::{Argument, Family, Role};
use tadpool::error::Kind;
use tadpool::gpu::Gpu;
use tadpool::model::Model;

use crate::agree::{Worst, check};
use crate::dice::Dice;
use crate::{gpu, tables};

/// Checks one text over a table of 24 rows at two positions.
fn run(text: &str, gpu: Option<&Gpu>, worst: &mut Worst) {
    let dice = &mut Dice::new(1_000_000);
    let csv = tables::csv(dice, 24);
    let model = Model::new("family", text, &tables::table(&csv))
        .unwrap_or_else(|error| panic!("{text}\n{csv}\n{error}"));
    let positions: Vec<Vec<f64>> = (0..2).map(|_| dice.position(model.dim())).collect();
    match check(&model.lowered().program, &positions, gpu, &[], false) {
        Ok(found) => worst.include(found),
        Err(error) => panic!("{error}\n{text}\n{csv}\npositions {positions:?}"),
    }
}

/// An argument that is a parameter of its own, with the lines that define it.
fn free(family: Family, place: usize, argument: &Argument) -> (String, String) {
    let name = format!("par{place}");
    match argument.role {
        // The ends of an interval must enclose (0, 1).
        Role::Real if family == Family::Uniform && place == 0 => {
            (format!("-1 - exp({name})"), format!("{name} ~ Normal(0, 1)\n"))
        }
        Role::Real if family == Family::Uniform => {
            (format!("1.5 + exp({name})"), format!("{name} ~ Normal(0, 1)\n"))
        }
        Role::Real => (name.clone(), format!("{name} ~ Normal(0, 1)\n")),
        Role::Positive => (name.clone(), format!("{name} ~ Gamma(2, 1)\n")),
        Role::Unit => (name.clone(), format!("{name} ~ Beta(2, 2)\n")),
        Role::Count => ("n".to_owned(), String::new()),
    }
}

#[test]
fn every_continuous_distribution_as_a_prior() {
    let gpu = gpu();
    let mut worst = Worst::default();
    for &family in Family::ALL {
        let (arguments, lines): (Vec<String>, Vec<String>) = family
            .arguments()
            .iter()
            .enumerate()
            .map(|(place, argument)| free(family, place, argument))
            .unzip();
        let name = family.name();
        let head = format!("{}y_real ~ Normal(one + many[g1], 1)\n", lines.concat());
        let arguments = arguments.join(", ");
        if family.is_discrete() {
            let text = format!("{head}one ~ Normal(0, 1)\nmany[g1] ~ {name}({arguments})\n");
            let table = tables::table(&tables::csv(&mut Dice::new(0), 24));
            let refused = Model::new("discrete", &text, &table);
            assert!(refused.is_err_and(|error| error.kind() == Kind::User), "{text}");
            continue;
        }
        // Both parameterisations where there are two; without an effect the hint only earns a warning.
        for hint in ["@centered", "@noncentered"] {
            let text =
                format!("{head}one ~ {name}({arguments}) {hint}\nmany[g1] ~ {name}({arguments}) {hint}\n");
            run(&text, gpu.as_ref(), &mut worst);
        }
    }
    println!("largest discrepancies, as fractions of their bounds: {worst:?}");
}

#[test]
fn truncated_priors_of_scales() {
    let gpu = gpu();
    let mut worst = Worst::default();
    for prior in [
        "Normal(0.5, 1)",
        "Normal(-2, 1)",
        "Cauchy(0.5, 1)",
        "StudentT(3, -1, 2)",
        "Logistic(0.5, 1)",
        "Laplace(0.5, 1)",
    ] {
        let text = format!("y_real ~ Normal(0, s[g1])\ns[g1] ~ {prior}\n");
        run(&text, gpu.as_ref(), &mut worst);
    }
    println!("largest discrepancies, as fractions of their bounds: {worst:?}");
}

#[test]
fn every_distribution_as_a_likelihood_with_every_link() {
    let gpu = gpu();
    let mut worst = Worst::default();
    for &family in Family::ALL {
        let y = tables::outcome(family.support());
        if family == Family::Uniform {
            // An outcome's bounds are data.
            let text = format!("{y} ~ Uniform(-1 - n, 1.5)\ny_real ~ Normal(a, 1)\na ~ Normal(0, 1)\n");
            run(&text, gpu.as_ref(), &mut worst);
            continue;
        }
        for (linked, argument) in family.arguments().iter().enumerate() {
            let links: &[&str] = match argument.role {
                Role::Real => &["", "log", "sqrt"],
                Role::Positive => &["", "log", "sqrt"],
                Role::Unit => &["", "logit", "probit", "cloglog"],
                Role::Count => &[],
            };
            for link in links {
                let mut arguments = Vec::new();
                let mut lines = String::new();
                for (place, argument) in family.arguments().iter().enumerate() {
                    if place == linked && !link.is_empty() {
                        // A root away from 0, where its square has no logarithm.
                        let away = if *link == "sqrt" { "2 + " } else { "" };
                        lines += &format!(
                            "{link}(mu) = {away}0.5*(a[g1] + b*x1)\na[g1] ~ Normal(0, s)\nb ~ Normal(0, 1)\ns ~ Exponential(1)\n"
                        );
                        arguments.push("mu".to_owned());
                    } else {
                        let (argument, line) = free(family, place, argument);
                        arguments.push(argument);
                        lines += &line;
                    }
                }
                let text = format!("{lines}{y} ~ {}({})\n", family.name(), arguments.join(", "));
                run(&text, gpu.as_ref(), &mut worst);
            }
        }
    }
    println!("largest discrepancies, as fractions of their bounds: {worst:?}");
}
