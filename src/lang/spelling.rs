//! The book's spellings of distributions (R's and rethinking's `d…` functions) and what they mean here.

use super::ast::{Arg, BinaryOp, Call, Expr, ExprKind, Name};
use super::nearest::nearest;
use super::report::{Report, quoted};

/// A distribution as the book spells it.
struct Spelling {
    book: &'static str,
    canonical: &'static str,
    /// The names of its arguments in R, in order.
    formals: &'static [&'static str],
    meaning: Meaning,
}

/// How the book's arguments become those of the canonical distribution.
enum Meaning {
    /// In the same order.
    Same,
    /// The first one is the location, which must be 0 and may be left out.
    ZeroLocation,
    /// A mean of 0 is put in front.
    ZeroMean,
    /// All must be given by name: the order in R is another one.
    ByName,
    /// The last two are a mean probability p and a concentration θ, for a = pθ and b = (1 − p)θ.
    MeanConcentration,
}

const fn same(book: &'static str, canonical: &'static str, formals: &'static [&'static str]) -> Spelling {
    Spelling {
        book,
        canonical,
        formals,
        meaning: Meaning::Same,
    }
}

/// R Core Team, `?Distributions`; McElreath, rethinking 2.40, `?dstudent` and the like, and the templates of `ulam`.
const SPELLINGS: [Spelling; 33] = [
    same("dnorm", "Normal", &["mean", "sd"]),
    Spelling {
        book: "dhalfnorm",
        canonical: "HalfNormal",
        formals: &["mean", "sd"],
        meaning: Meaning::ZeroLocation,
    },
    same("dcauchy", "Cauchy", &["location", "scale"]),
    Spelling {
        book: "dhalfcauchy",
        canonical: "HalfCauchy",
        formals: &["location", "scale"],
        meaning: Meaning::ZeroLocation,
    },
    same("dstudent", "StudentT", &["nu", "mu", "sigma"]),
    same("dexp", "Exponential", &["rate"]),
    same("dgamma", "Gamma", &["shape", "rate"]),
    same("dbeta", "Beta", &["shape1", "shape2"]),
    Spelling {
        book: "dbeta2",
        canonical: "Beta",
        formals: &["prob", "theta"],
        meaning: Meaning::MeanConcentration,
    },
    same("dunif", "Uniform", &["min", "max"]),
    same("dlnorm", "LogNormal", &["meanlog", "sdlog"]),
    same("dlogis", "Logistic", &["location", "scale"]),
    same("dlaplace", "Laplace", &["location", "lambda"]),
    same("dweibull", "Weibull", &["shape", "scale"]),
    same("dbinom", "Binomial", &["size", "prob"]),
    same("dbern", "Bernoulli", &["prob"]),
    same("dpois", "Poisson", &["lambda"]),
    same("dgampois", "NegBinomial", &["mu", "scale"]),
    Spelling {
        book: "dnbinom",
        canonical: "NegBinomial",
        formals: &["mu", "size"],
        meaning: Meaning::ByName,
    },
    same("dgeom", "Geometric", &["prob"]),
    Spelling {
        book: "dbetabinom",
        canonical: "BetaBinomial",
        formals: &["size", "prob", "theta"],
        meaning: Meaning::MeanConcentration,
    },
    same("dmvnorm", "MVNormal", &["Mu", "Sigma"]),
    same("dmvnorm2", "MVNormal", &["Mu", "sigma", "Rho"]),
    Spelling {
        book: "dmvnormNC",
        canonical: "MVNormal",
        formals: &["sigma", "Rho"],
        meaning: Meaning::ZeroMean,
    },
    same("multi_normal", "MVNormal", &["Mu", "Rho", "sigma"]),
    same("dlkjcorr", "LKJ", &["eta"]),
    same("lkj_corr", "LKJ", &["eta"]),
    same("dordlogit", "OrderedLogit", &["phi", "a"]),
    same("ddirichlet", "Dirichlet", &["alpha"]),
    same("dirichlet", "Dirichlet", &["alpha"]),
    same("dcategorical", "Categorical", &["prob"]),
    same("dzipois", "ZIPoisson", &["p", "lambda"]),
    same("dzibinom", "ZIBinomial", &["p_zero", "size", "prob"]),
];

/// The book's names of distributions, for suggestions.
pub fn book_names() -> impl Iterator<Item = &'static str> {
    SPELLINGS.iter().map(|spelling| spelling.book)
}

/// The canonical name of a distribution; any other name is given back as it is.
pub fn canonical_name(name: &str) -> &str {
    find(name).map_or(name, |spelling| spelling.canonical)
}

/// The call with the canonical name and its arguments in the canonical order, unnamed. A call that is not in the
/// book's spelling is given back as it is. Spans stay those of the text.
///
/// # Errors
///
/// A report where the arguments do not fit the book's function.
pub fn canonical(call: &Call) -> Result<Call, Box<Report>> {
    let Some(spelling) = find(&call.name.text) else {
        return Ok(call.clone());
    };
    let by_name = matches!(spelling.meaning, Meaning::ByName);
    if let (true, Some(arg)) = (by_name, call.args.iter().find(|arg| arg.name.is_none())) {
        let title = format!("arguments of `{}` without names", spelling.book);
        return Err(Box::new(
            Report::error(title, arg.value.span, "which argument is it?").with_help(format!(
                "R's order is another one than that of `NegBinomial(mu, phi)`: write `{}(mu = …, size = …)`",
                spelling.book
            )),
        ));
    }
    let mut values = in_order(call, spelling)?;
    match spelling.meaning {
        Meaning::Same | Meaning::ByName => {}
        Meaning::ZeroMean => values.insert(
            0,
            Expr {
                kind: ExprKind::Number(0.0),
                span: call.name.span,
            },
        ),
        Meaning::ZeroLocation => {
            let location = values.remove(0);
            if location.kind != ExprKind::Number(0.0) {
                let title = format!("`{}` with a location other than 0", spelling.book);
                return Err(Box::new(
                    Report::error(title, location.span, "expected 0")
                        .with_help(format!("write `{}(scale)`: it begins at 0", spelling.canonical)),
                ));
            }
        }
        Meaning::MeanConcentration => {
            let at = values.len() - 2;
            let concentration = values.remove(at + 1);
            let mean = values.remove(at);
            let number = ExprKind::Number(1.0);
            let one = Expr {
                kind: number,
                span: mean.span,
            };
            let rest = binary(BinaryOp::Sub, one, mean.clone());
            values.push(binary(BinaryOp::Mul, mean, concentration.clone()));
            values.push(binary(BinaryOp::Mul, rest, concentration));
        }
    }
    Ok(Call {
        name: Name {
            text: spelling.canonical.to_owned(),
            span: call.name.span,
        },
        args: values
            .into_iter()
            .map(|value| Arg { name: None, value })
            .collect(),
        span: call.span,
    })
}

fn find(name: &str) -> Option<&'static Spelling> {
    SPELLINGS.iter().find(|spelling| spelling.book == name)
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
    Expr { kind, span }
}

/// The values of a call in the order of the formals, matched as R does: by name, then by place.
fn in_order(call: &Call, spelling: &Spelling) -> Result<Vec<Expr>, Box<Report>> {
    let formals = spelling.formals;
    let signature = format!("its arguments are `{}({})`", spelling.book, formals.join(", "));
    let mut slots: Vec<Option<&Expr>> = vec![None; formals.len()];
    for arg in &call.args {
        let Some(name) = &arg.name else {
            continue;
        };
        let Some(place) = formals.iter().position(|formal| *formal == name.text) else {
            let help = match nearest(&name.text, formals.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? {signature}"),
                None => signature,
            };
            let title = format!("`{}` has no argument {}", spelling.book, quoted(&name.text));
            return Err(Box::new(
                Report::error(title, name.span, "unknown argument").with_help(help),
            ));
        };
        if slots[place].replace(&arg.value).is_some() {
            let title = format!("argument {} given twice", quoted(&name.text));
            return Err(Box::new(
                Report::error(title, name.span, "second one").with_help("keep one of them"),
            ));
        }
    }
    let unnamed: Vec<&Expr> = call
        .args
        .iter()
        .filter(|arg| arg.name.is_none())
        .map(|arg| &arg.value)
        .collect();
    // `dhalfcauchy(2)`: the only value is the scale.
    let zero = Expr {
        kind: ExprKind::Number(0.0),
        span: call.name.span,
    };
    if matches!(spelling.meaning, Meaning::ZeroLocation) && call.args.len() == 1 && slots[0].is_none() {
        slots[0] = Some(&zero);
    }
    for value in unnamed {
        let Some(free) = slots.iter_mut().find(|slot| slot.is_none()) else {
            let title = format!("too many arguments for `{}`", spelling.book);
            return Err(Box::new(
                Report::error(title, value.span, "not expected here").with_help(signature),
            ));
        };
        *free = Some(value);
    }
    let mut values = Vec::with_capacity(slots.len());
    for (slot, formal) in slots.into_iter().zip(formals) {
        match slot {
            Some(value) => values.push(value.clone()),
            None => {
                let title = format!("`{}` without its argument `{formal}`", spelling.book);
                return Err(Box::new(
                    Report::error(title, call.span, "too few arguments").with_help(signature),
                ));
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::ast::StatementKind;
    use super::super::parse;
    use super::*;

    fn call(text: &str) -> Call {
        let model = parse("m", &format!("y ~ {text}")).unwrap_or_else(|reports| panic!("{reports}"));
        match model
            .statements
            .into_iter()
            .next()
            .map(|statement| statement.kind)
        {
            Some(StatementKind::Stochastic(stochastic)) => stochastic.distribution,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn book_calls_become_canonical_ones() {
        for (book, canonical_text) in [
            ("dnorm(0, 1)", "Normal(0, 1)"),
            ("dnorm(sd = 2, m)", "Normal(m, 2)"),
            ("dexp(rate = 1)", "Exponential(1)"),
            ("dhalfcauchy(0, 2)", "HalfCauchy(2)"),
            ("dhalfcauchy(2)", "HalfCauchy(2)"),
            ("dhalfnorm(sd = 2)", "HalfNormal(2)"),
            ("dgampois(mu, phi)", "NegBinomial(mu, phi)"),
            ("dnbinom(size = k, mu = m)", "NegBinomial(m, k)"),
            (
                "dbetabinom(n, p, theta)",
                "BetaBinomial(n, p * theta, (1 - p) * theta)",
            ),
            ("dbeta2(p, theta)", "Beta(p * theta, (1 - p) * theta)"),
            ("dmvnorm2(c(a, b), s, Rho)", "MVNormal([a, b], s, Rho)"),
            ("dmvnormNC(s, Rho)", "MVNormal(0, s, Rho)"),
            ("Gamma(rate = 1, shape = 2)", "Gamma(rate = 1, shape = 2)"),
        ] {
            match canonical(&call(book)) {
                Ok(found) => assert_eq!(found.to_string(), canonical_text, "{book}"),
                Err(report) => panic!("{}", report.title),
            }
        }
        assert_eq!(canonical_name("dordlogit"), "OrderedLogit");
        assert_eq!(canonical_name("Normal"), "Normal");
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        for (book, title) in [
            ("dnorm(0, sigma = 1)", "`dnorm` has no argument `sigma`"),
            ("dnorm(0, 1, 2)", "too many arguments for `dnorm`"),
            ("dnorm(0)", "`dnorm` without its argument `sd`"),
            ("dnorm(mean = 0, mean = 1)", "argument `mean` given twice"),
            ("dhalfcauchy(1, 2)", "`dhalfcauchy` with a location other than 0"),
            ("dnbinom(3, 0.5)", "arguments of `dnbinom` without names"),
        ] {
            let found = canonical(&call(book)).map(|call| call.to_string());
            assert_eq!(
                found.map_err(|report| report.title),
                Err(title.to_owned()),
                "{book}"
            );
        }
    }
}
