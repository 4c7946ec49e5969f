//! Models with words taken out, doubled and exchanged: each is lowered or refused with a report, never a panic and never
//! a fault of tadpool.

use proptest::prelude::*;
use tadpool::data::Table;
use tadpool::error::Kind;
use tadpool::lang::{self, Failure, LowerOptions};
use tadpool::pass;

const DATA: &str = "\
g,h,n,y,x,u
a,1,4,2,0.5,1
a,2,5,0,-1,1
b,1,3,3,2,4
b,2,6,1,0.1,4
c,1,2,,3,2
";

const MODELS: [&str; 3] = [
    "drop_missing\nindex cell = g * h\ny ~ Binomial(n, p)\nlogit(p) = a[g] + b*z + c[cell]\nz = standardize(x)\n\
     a[g] ~ Normal(m + k*u[g], s) @centered\nc[cell] ~ Normal(0, t)\nm, b, k ~ Normal(0, 1)\ns ~ HalfCauchy(1)\n\
     t ~ Normal(0, 1)\ntotal[g] = a[g] + m\n",
    "x ~ StudentT(nu, mu, sigma)\nmu = d[1] + d[2]*u + e[g, h] - f[\"a\"]\nlog(sigma) = l + w[row]\n\
     d[2] ~ Normal(0, 1)\ne[g, h] ~ Normal(f[g], 1)\nf[g] ~ Laplace(0, q)\nl ~ Uniform(-1, 1)\nw[row] ~ Normal(0, q)\n\
     q, nu ~ Exponential(1)\n",
    "index t = row\nx[t] ~ Normal(v[t], u[t])\nv[t] ~ Normal(mean(u), r) @noncentered\nr ~ Gamma(2, 1)\n\
     i = ifelse(g == \"a\", 1, 0)\nj[t] = v[t]^2 % 3\n",
];

/// The text in words and signs, blanks and line ends kept.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = |token: &String| c.is_alphanumeric() && token.chars().all(char::is_alphanumeric);
        match tokens.last_mut().filter(|token| joins(token)) {
            Some(token) => token.push(c),
            None => tokens.push(c.to_string()),
        }
    }
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_models_are_lowered_or_reported(
        model in 0..MODELS.len(),
        changes in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
    ) {
        let mut tokens = tokens(MODELS[model]);
        for (change, from, to) in changes {
            let (from, to) = (from.index(tokens.len()), to.index(tokens.len()));
            match change {
                0 => { tokens.remove(from); }
                1 => tokens[to] = tokens[from].clone(),
                _ => tokens.swap(from, to),
            }
        }
        let text = tokens.concat();
        let Ok(tree) = lang::parse("m.tad", &text) else { return Ok(()) };
        let table = Table::from_bytes("d.csv", DATA.as_bytes()).expect("a table");
        match lang::lower(&tree, ("m.tad", &text), &table, &LowerOptions::default()) {
            Ok(lowered) => {
                // What is lowered is sound enough for every later stage.
                pass::density_program(&lowered.program).expect("a program");
                pass::output_program(&lowered.program).expect("a program");
                let names: usize = lowered.quantities.iter().map(|quantity| quantity.elements().len()).sum();
                prop_assert!(names >= lowered.program.graph.dim());
            }
            Err(Failure::Reports(reports)) => {
                prop_assert!(reports.has_errors());
                prop_assert!(!reports.render(false).is_empty());
            }
            Err(Failure::Error(error)) => prop_assert!(error.kind() != Kind::Bug, "{}\n{}", text, error),
        }
    }
}

#[test]
fn the_models_themselves_are_lowered() {
    for text in MODELS {
        let tree = lang::parse("m.tad", text).unwrap_or_else(|reports| panic!("{reports}"));
        let table = Table::from_bytes("d.csv", DATA.as_bytes()).expect("a table");
        let lowered = lang::lower(&tree, ("m.tad", text), &table, &LowerOptions::default());
        lowered.unwrap_or_else(|failure| panic!("{}", tadpool::Error::from(failure)));
    }
}
