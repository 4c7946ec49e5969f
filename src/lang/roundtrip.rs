//! Property tests: random trees survive printing and parsing; random texts are never fatal.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::ast::{
    Arg, BinaryOp, Call, Constraint, ConstraintKind, Definition, DropMissing, Expr, ExprKind, Glm, GroupJoin,
    Hint, Index, Joint, JointStyle, Link, Literal, LiteralValue, Model, Modifier, ModifierKind, Name,
    Setting, Statement, StatementKind, Stochastic, Sub, Table, Targets, Term, TermKind, UnaryOp, Var,
};
use super::refuse::refuse;
use super::report::Reports;
use super::span::Span;
use super::{ast, parse};

const NOWHERE: Span = Span { start: 0, end: 0 };

/// Plain names, words of the language among them, and names that need backticks.
fn name() -> impl Strategy<Value = Name> {
    let plain = select(vec![
        "a",
        "b.1",
        "σ_x",
        "_",
        "index",
        "table",
        "option",
        "glm",
        "drop_missing",
        "ordered",
        "T",
        "weight",
        "cens",
        "levels",
        "by",
        "family",
        "link",
        "row",
        "logit",
        "alist",
        "c",
        "x2.",
    ]);
    prop_oneof![
        4 => plain.prop_map(str::to_owned),
        1 => "[^`\n\r]{1,8}",
    ]
    .prop_map(|text| Name { text, span: NOWHERE })
}

/// `c( … )` is a vector and `alist( … )` a list of relations, hence neither is a call.
fn function() -> impl Strategy<Value = Name> {
    name().prop_filter("is no call", |name| !["c", "alist"].contains(&name.text.as_str()))
}

fn at_nowhere(kind: ExprKind) -> Expr {
    Expr { kind, span: NOWHERE }
}

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        (0..100_i32).prop_map(f64::from),
        POSITIVE | NORMAL | SUBNORMAL | ZERO
    ]
    .prop_map(f64::abs)
}

fn expr_of(operators: &'static [BinaryOp]) -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        number().prop_map(ExprKind::Number),
        ".{0,6}".prop_map(ExprKind::Text),
        name().prop_map(|name| ExprKind::Name(name.text)),
    ]
    .prop_map(at_nowhere);
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            (name(), vec(sub_of(inner.clone()), 1..3)).prop_map(|(name, subs)| ExprKind::Indexed(name, subs)),
            call_of(inner.clone()).prop_map(ExprKind::Call),
            (select(vec![UnaryOp::Neg, UnaryOp::Not]), boxed.clone())
                .prop_map(|(op, x)| ExprKind::Unary(op, x)),
            (select(operators), boxed.clone(), boxed).prop_map(|(op, x, y)| ExprKind::Binary(op, x, y)),
            vec(inner, 1..4).prop_map(ExprKind::Vector),
        ]
        .prop_map(at_nowhere)
    })
    .boxed()
}

const ALL: [BinaryOp; 14] = [
    BinaryOp::Or,
    BinaryOp::And,
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Gt,
    BinaryOp::Ge,
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Rem,
    BinaryOp::Pow,
];

fn expr() -> BoxedStrategy<Expr> {
    expr_of(&ALL)
}

fn sub_of(expr: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Sub> {
    (expr.clone(), option::of(expr)).prop_map(|(low, high)| Sub { low, high })
}

fn call_of(expr: impl Strategy<Value = Expr>) -> impl Strategy<Value = Call> {
    let arg = (option::weighted(0.2, name()), expr).prop_map(|(name, value)| Arg { name, value });
    (function(), vec(arg, 0..3)).prop_map(|(name, args)| Call {
        name,
        args,
        span: NOWHERE,
    })
}

fn var() -> impl Strategy<Value = Var> {
    (name(), vec(sub_of(expr()), 0..2)).prop_map(|(name, subs)| Var {
        name,
        subs,
        span: NOWHERE,
    })
}

fn joint(style: JointStyle) -> impl Strategy<Value = Targets> {
    (vec(name(), 1..3), vec(sub_of(expr()), 0..2)).prop_map(move |(names, subs)| {
        Targets::Joint(Joint {
            style,
            names,
            subs,
            span: NOWHERE,
        })
    })
}

/// Targets with their constraint: `ordered [a, b]` reads as a subscript, so brackets have none.
fn left_side() -> impl Strategy<Value = (Option<Constraint>, Targets)> {
    let constraint = || {
        option::of(select(ConstraintKind::ALL.to_vec()))
            .prop_map(|kind| kind.map(|kind| Constraint { kind, span: NOWHERE }))
    };
    prop_oneof![
        (constraint(), vec(var(), 1..4).prop_map(Targets::Separate)),
        (constraint(), joint(JointStyle::Combine)),
        (Just(None), joint(JointStyle::Brackets)),
    ]
}

fn modifiers() -> impl Strategy<Value = Vec<Modifier>> {
    let truncation = (option::of(expr()), option::of(expr()))
        .prop_filter("has a bound", |(lower, upper)| lower.is_some() || upper.is_some())
        .prop_map(|(lower, upper)| ModifierKind::Truncation { lower, upper });
    let censoring =
        (expr(), option::of(expr())).prop_map(|(kind, upper)| ModifierKind::Censoring { kind, upper });
    let weight = expr().prop_map(ModifierKind::Weight);
    let hint = select(Hint::ALL.to_vec()).prop_map(ModifierKind::Hint);
    (
        option::weighted(0.3, truncation),
        option::weighted(0.3, censoring),
        option::weighted(0.3, weight),
        option::weighted(0.3, hint),
    )
        .prop_map(|(a, b, c, d)| {
            let kinds = [a, b, c, d].into_iter().flatten();
            kinds.map(|kind| Modifier { kind, span: NOWHERE }).collect()
        })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (number(), any::<bool>()).prop_map(|(x, minus)| LiteralValue::Number(if minus { -x } else { x })),
        ".{0,6}".prop_map(LiteralValue::Text),
    ]
    .prop_map(|value| Literal { value, span: NOWHERE })
}

/// Terms of a formula hold no `||`: in brackets it would make a group.
fn population() -> impl Strategy<Value = TermKind> {
    const ARITHMETIC: [BinaryOp; 5] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Pow,
    ];
    vec(expr_of(&ARITHMETIC), 1..3).prop_map(TermKind::Population)
}

fn term(kind: impl Strategy<Value = TermKind>) -> impl Strategy<Value = Term> {
    (any::<bool>(), kind).prop_map(|(minus, kind)| Term {
        minus,
        kind,
        span: NOWHERE,
    })
}

fn glm() -> impl Strategy<Value = Glm> {
    let joined = (select(vec![GroupJoin::Cross, GroupJoin::Nest]), name());
    let group = (
        vec(term(population()), 1..3),
        any::<bool>(),
        name(),
        vec(joined, 0..2),
    )
        .prop_map(|(terms, correlated, first, more)| {
            let (joins, rest): (Vec<_>, Vec<_>) = more.into_iter().unzip();
            TermKind::Group {
                terms,
                correlated,
                factors: std::iter::once(first).chain(rest).collect(),
                joins,
            }
        });
    // A response that begins with a name, so that `glm` is read as a word of the language.
    let response = name().prop_map(|name| at_nowhere(ExprKind::Name(name.text)));
    (
        response,
        vec(call_of(expr()), 0..2),
        vec(term(prop_oneof![population(), group]), 1..4),
        option::of(name()),
        option::of(name()),
    )
        .prop_map(|(response, additions, terms, family, link)| Glm {
            response,
            additions,
            terms,
            family,
            link,
        })
}

fn statement() -> impl Strategy<Value = Statement> {
    let stochastic = (left_side(), call_of(expr()), modifiers()).prop_map(
        |((constraint, targets), distribution, modifiers)| {
            StatementKind::Stochastic(Stochastic {
                constraint,
                targets,
                distribution,
                modifiers,
            })
        },
    );
    let definition =
        (option::of(select(Link::ALL.to_vec())), var(), expr()).prop_map(|(link, target, value)| {
            StatementKind::Definition(Definition {
                link: link.map(|link| (link, NOWHERE)),
                target,
                value,
            })
        });
    let index = (name(), vec(name(), 0..3), vec(literal(), 0..3)).prop_map(|(name, factors, levels)| {
        StatementKind::Index(Index {
            name,
            factors,
            levels,
        })
    });
    prop_oneof![
        4 => stochastic,
        4 => definition,
        1 => index,
        1 => (name(), name()).prop_map(|(name, key)| StatementKind::Table(Table { name, key })),
        1 => vec(name(), 0..3).prop_map(|columns| StatementKind::DropMissing(DropMissing { columns })),
        1 => (name(), literal()).prop_map(|(name, value)| StatementKind::Setting(Setting { name, value })),
        2 => glm().prop_map(StatementKind::Glm),
    ]
    .prop_map(|kind| Statement { kind, span: NOWHERE })
}

/// The tree in words, every span blotted out.
fn without_spans(model: &ast::Model) -> String {
    let words = format!("{model:?}");
    let mut parts = words.split("Span { start: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |words, part| {
        words + part.split_once('}').map_or(part, |(_, rest)| rest)
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_tree(statements in vec(statement(), 0..4)) {
        let model = Model { statements };
        let printed = model.to_string();
        match parse("m.tad", &printed) {
            Ok(again) => prop_assert_eq!(without_spans(&again), without_spans(&model), "{}", printed),
            Err(reports) => prop_assert!(false, "{}", reports),
        }
    }

    #[test]
    fn no_text_is_fatal(text in "\\PC{0,200}|(?s:.{0,60})") {
        survives(&text)?;
    }

    #[test]
    fn no_mixture_of_tokens_is_fatal(tokens in vec(select(TOKENS.to_vec()), 0..60)) {
        survives(&tokens.concat())?;
    }
}

const TOKENS: [&str; 52] = [
    "a",
    "b ",
    "σ",
    "Normal",
    "(",
    ")",
    "[",
    "]",
    ",",
    "~",
    " ~ ",
    "=",
    "<-",
    "<",
    "||",
    "|",
    "&&",
    "+",
    "-",
    "*",
    "^",
    "!",
    "@",
    "@centered",
    "\n",
    "\n",
    "\r\n",
    " \\\n",
    "\\",
    "#",
    " ",
    "\t",
    "1",
    "2.5e3",
    "1e999",
    "\"x\"",
    "'",
    "`q r`",
    "`",
    "c(",
    "alist(",
    "index ",
    "table ",
    "drop_missing",
    "option ",
    "glm ",
    " family ",
    "T(",
    "ordered ",
    "−",
    ":",
    "%",
];

/// Parses, renders every report, refuses, prints: nothing of it may panic, and spans lie in the text.
fn survives(text: &str) -> Result<(), TestCaseError> {
    match parse("m.tad", text) {
        Ok(model) => {
            let refusals = refuse(&model);
            Reports::new("m.tad", text, refusals).render(false);
            prop_assert!(parse("m.tad", &model.to_string()).is_ok());
            for statement in &model.statements {
                prop_assert!(text.get(statement.span.start..statement.span.end).is_some());
            }
        }
        Err(reports) => {
            prop_assert!(reports.has_errors());
            for report in &reports.reports {
                let span = report.primary.span;
                prop_assert!(text.get(span.start..span.end).is_some(), "{:?}", report);
                prop_assert!(report.help.is_some(), "no remedy: {:?}", report);
            }
            reports.render(true);
        }
    }
    Ok(())
}
