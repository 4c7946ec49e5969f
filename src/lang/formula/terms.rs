//! The terms of a formula: sets of variables, and the columns that each stands for.
//!
//! A factor in a term has an indicator column for each level but the first where the term without it is in the model
//! too, else one for every level; so has the first factor of a model without an intercept (R Core Team, An Introduction
//! to R, 11.1.1; Chambers and Hastie 1992, 2.4.1; `modelmatrix` in R's sources).

use std::collections::BTreeSet;

use super::pieces::{binary, text, variable};
use crate::data::{Table, Values};
use crate::lang::ast::{
    BinaryOp, Call, Expr, ExprKind, Literal, LiteralValue, Model, Name, StatementKind, Term, TermKind,
};
use crate::lang::function::Function;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// What a term is made of.
#[derive(Debug)]
struct Variable {
    label: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Number(Expr),
    /// With its levels, the first one being the reference.
    Factor(Name, Vec<String>),
}

/// Variables that are multiplied, places in [`Terms::variables`], in rising order.
type Product = Vec<usize>;

/// Whether there is an intercept, and the terms beside it.
#[derive(Debug, Clone, Default)]
pub(super) struct Design {
    pub(super) intercept: bool,
    products: Vec<Product>,
}

/// A column of a design: what its coefficient is called, and what it is multiplied with.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) value: Expr,
}

/// All variables of a formula.
pub(super) struct Terms<'a> {
    pub(super) table: &'a Table,
    pub(super) model: &'a Model,
    variables: Vec<Variable>,
    /// What `offset( … )` adds.
    pub(super) offsets: Vec<Expr>,
    pub(super) reports: Vec<Report>,
}

impl<'a> Terms<'a> {
    pub(super) fn new(table: &'a Table, model: &'a Model) -> Self {
        Self {
            table,
            model,
            variables: Vec::new(),
            offsets: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// The design of some terms; those of groups are passed over.
    pub(super) fn design(&mut self, terms: &[Term], offsets: bool) -> Design {
        let mut design = Design {
            intercept: true,
            products: Vec::new(),
        };
        for term in terms {
            let TermKind::Population(factors) = &term.kind else {
                continue;
            };
            match factors.as_slice() {
                [
                    Expr {
                        kind: ExprKind::Number(x),
                        ..
                    },
                ] if *x == 1.0 => design.intercept = !term.minus,
                [
                    Expr {
                        kind: ExprKind::Number(x),
                        ..
                    },
                ] if *x == 0.0 => design.intercept = term.minus,
                [
                    Expr {
                        kind: ExprKind::Call(call),
                        ..
                    },
                ] if call.name.text == "offset" => self.offset(call, term, offsets),
                several => {
                    let Some(products) = self.interaction(several) else {
                        continue;
                    };
                    if term.minus {
                        design.products.retain(|known| !products.contains(known));
                    } else {
                        for product in products {
                            if !design.products.contains(&product) {
                                design.products.push(product);
                            }
                        }
                    }
                }
            }
        }
        design.products.sort_by_key(Vec::len);
        design
    }

    fn offset(&mut self, call: &Call, term: &Term, allowed: bool) {
        match call.args.as_slice() {
            [only] if allowed && !term.minus => self.offsets.push(only.value.clone()),
            _ => {
                let report = Report::error("an offset is not expected here", term.span, "cannot be used")
                    .with_help("an offset is added outside the groups: `y ~ x + offset(log(exposure))`");
                self.reports.push(report);
            }
        }
    }

    /// `a:b`: each product of the one with each of the other.
    fn interaction(&mut self, factors: &[Expr]) -> Option<Vec<Product>> {
        let mut all: Option<Vec<Product>> = None;
        let mut sound = true;
        for factor in factors {
            let Some(own) = self.products(factor) else {
                sound = false;
                continue;
            };
            all = Some(match all {
                None => own,
                Some(all) => crossed(&all, &own),
            });
        }
        all.filter(|_| sound)
    }

    /// The products that an expression of formula operators stands for.
    fn products(&mut self, expr: &Expr) -> Option<Vec<Product>> {
        match &expr.kind {
            ExprKind::Binary(BinaryOp::Mul, left, right) => {
                let (left, right) = (self.products(left), self.products(right));
                let (left, right) = (left?, right?);
                let both = crossed(&left, &right);
                Some(merged([left, right, both]))
            }
            ExprKind::Binary(BinaryOp::Add, left, right) => {
                let (left, right) = (self.products(left), self.products(right));
                Some(merged([left?, right?]))
            }
            ExprKind::Binary(BinaryOp::Pow, base, power) => match (&base.kind, &power.kind) {
                (ExprKind::Binary(BinaryOp::Add, ..), ExprKind::Number(power))
                    if power.fract() == 0.0 && (1.0..=8.0).contains(power) =>
                {
                    let base = self.products(base)?;
                    let mut all = base.clone();
                    for _ in 1..*power as usize {
                        let next = crossed(&all, &base);
                        all = merged([all, next]);
                    }
                    Some(all)
                }
                (_, _) => self.arithmetic(expr),
            },
            ExprKind::Name(name) => self.named(name, expr.span).map(|place| vec![vec![place]]),
            ExprKind::Call(call) => self.call(call, expr).map(|place| vec![vec![place]]),
            ExprKind::Indexed(..) => Some(vec![vec![self.number(expr.to_string(), expr.clone())]]),
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Vector(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..) => self.arithmetic(expr),
        }
    }

    fn arithmetic(&mut self, expr: &Expr) -> Option<Vec<Product>> {
        let report = Report::error(
            "arithmetic in a formula stands inside `I( … )`",
            expr.span,
            "not a term",
        )
        .with_note("in a formula `*`, `:`, `+` and `(a + b)^2` join terms: `x*z` is `x + z + x:z`")
        .with_help(format!("write `I({expr})` for the number itself"));
        self.reports.push(report);
        None
    }

    fn number(&mut self, label: String, value: Expr) -> usize {
        self.place(Variable {
            label,
            kind: Kind::Number(value),
        })
    }

    fn place(&mut self, variable: Variable) -> usize {
        let known = self
            .variables
            .iter()
            .position(|known| known.label == variable.label);
        known.unwrap_or_else(|| {
            self.variables.push(variable);
            self.variables.len() - 1
        })
    }

    /// A column of text is a factor, everything else a number.
    fn named(&mut self, name: &str, span: Span) -> Option<usize> {
        let text = self
            .table
            .column(name)
            .is_some_and(|column| *column.values() == Values::Text);
        if text {
            self.factor(name, name.to_owned(), span)
        } else {
            Some(self.number(name.to_owned(), variable(name, span)))
        }
    }

    fn factor(&mut self, column: &str, label: String, span: Span) -> Option<usize> {
        let levels = match self.table.factor(column) {
            Ok(factor) => factor.labels().to_vec(),
            Err(error) => {
                let mut report = Report::error(error.message(), span, "used here");
                if let Some(help) = error.help() {
                    report = report.with_help(help);
                }
                self.reports.push(report);
                return None;
            }
        };
        let ordered: Vec<String> = declared_levels(self.model, column)
            .into_iter()
            .flatten()
            .filter(|level| levels.contains(level))
            .collect();
        let column = Name {
            text: column.to_owned(),
            span,
        };
        let levels = if ordered.len() == levels.len() {
            ordered
        } else {
            levels
        };
        Some(self.place(Variable {
            label,
            kind: Kind::Factor(column, levels),
        }))
    }

    fn call(&mut self, call: &Call, expr: &Expr) -> Option<usize> {
        let name = call.name.text.as_str();
        match (name, call.args.as_slice()) {
            ("I", [only]) => return Some(self.number(expr.to_string(), only.value.clone())),
            ("factor" | "as.factor", [only]) => {
                if let ExprKind::Name(column) = &only.value.kind
                    && self.table.column(column).is_some()
                {
                    return self.factor(column, expr.to_string(), only.value.span);
                }
                let report = Report::error("a factor is a column", only.value.span, "not a column")
                    .with_help("write `factor(x)` with the name of a column");
                self.reports.push(report);
                return None;
            }
            _ if Function::from_name(name).is_some() => {
                return Some(self.number(expr.to_string(), expr.clone()));
            }
            _ => {}
        }
        let help = match name {
            "s" | "t2" | "te" | "gp" => {
                "smooth terms are not in this release; write a polynomial, `x + I(x^2)`".to_owned()
            }
            "scale" => "write `standardize(x)`, or `center(x)`".to_owned(),
            "poly" | "ns" | "bs" => "write the powers, `x + I(x^2)`".to_owned(),
            "mo" => "ordered predictors are not in this release; `factor(x)` gives each level a coefficient"
                .to_owned(),
            "offset" => "an offset is a term of its own: `y ~ x + offset(log(exposure))`".to_owned(),
            _ => {
                let functions: Vec<&str> = Function::ALL.iter().map(|function| function.name()).collect();
                format!("the functions are I, factor, offset, {}", functions.join(", "))
            }
        };
        let title = format!("{} cannot stand in a formula", quoted(&format!("{name}( … )")));
        self.reports
            .push(Report::error(title, call.name.span, "not a function of formulae").with_help(help));
        None
    }

    /// The factors of one level that have no column, since the intercept stands for it.
    pub(super) fn single_levels(&self, design: &Design) -> Vec<&str> {
        let alone = |variable: &&Variable| match &variable.kind {
            Kind::Factor(_, levels) => levels.len() == 1,
            Kind::Number(_) => false,
        };
        let main = |product: &&Product| product.len() == 1 && design.intercept;
        let variables = design
            .products
            .iter()
            .filter(main)
            .map(|product| &self.variables[product[0]]);
        variables
            .filter(alone)
            .map(|variable| variable.label.as_str())
            .collect()
    }

    /// The columns of a design in the order of its terms, without the intercept.
    pub(super) fn columns(&self, design: &Design) -> Vec<Column> {
        let mut columns = Vec::new();
        let is_factor = |place: &&usize| matches!(self.variables[**place].kind, Kind::Factor(..));
        let first = design
            .products
            .iter()
            .find_map(|product| Some((product, *product.iter().find(is_factor)?)));
        // Without an intercept the first factor stands for it.
        let is_first = |product: &Product, place: usize| !design.intercept && first == Some((product, place));
        for product in &design.products {
            let mut own: Vec<Option<Column>> = vec![None];
            for &place in product {
                let variable = &self.variables[place];
                let parts: Vec<Column> = match &variable.kind {
                    Kind::Number(value) => vec![Column {
                        label: variable.label.clone(),
                        value: value.clone(),
                    }],
                    Kind::Factor(column, levels) => {
                        let rest: Product = product.iter().copied().filter(|other| *other != place).collect();
                        let margin =
                            (rest.is_empty() || design.products.contains(&rest)) && !is_first(product, place);
                        let indicator = |level: &String| Column {
                            label: format!("{}{level}", variable.label),
                            value: binary(
                                BinaryOp::Eq,
                                self::variable(&column.text, column.span),
                                text(level, column.span),
                            ),
                        };
                        levels.iter().skip(usize::from(margin)).map(indicator).collect()
                    }
                };
                // The first variable's columns change fastest, as in R.
                own = parts
                    .iter()
                    .flat_map(|part| own.iter().map(move |before| joined(before.as_ref(), part)))
                    .collect();
            }
            columns.extend(own.into_iter().flatten());
        }
        tell_apart(columns.iter_mut().map(|column| &mut column.label).collect());
        columns
    }
}

/// Makes labels unique: level `bc` of `a` and level `c` of `ab` are both `abc`, so the second becomes `abc_2`.
pub(super) fn tell_apart(labels: Vec<&mut String>) {
    let plain: BTreeSet<String> = labels.iter().map(|label| (*label).clone()).collect();
    let mut taken = BTreeSet::new();
    for label in labels {
        if taken.insert(label.clone()) {
            continue;
        }
        for again in 2.. {
            let other = format!("{label}_{again}");
            if !plain.contains(&other) && taken.insert(other.clone()) {
                *label = other;
                break;
            }
        }
    }
}

fn joined(before: Option<&Column>, part: &Column) -> Option<Column> {
    Some(match before {
        None => part.clone(),
        Some(before) => Column {
            label: format!("{}:{}", before.label, part.label),
            value: binary(BinaryOp::Mul, before.value.clone(), part.value.clone()),
        },
    })
}

fn crossed(left: &[Product], right: &[Product]) -> Vec<Product> {
    let pairs = left
        .iter()
        .flat_map(|a| right.iter().map(move |b| [a.as_slice(), b.as_slice()].concat()));
    merged([pairs.collect()])
}

/// Each product once.
fn merged<const N: usize>(parts: [Vec<Product>; N]) -> Vec<Product> {
    let mut all: Vec<Product> = Vec::new();
    for mut product in parts.into_iter().flatten() {
        product.sort_unstable();
        product.dedup();
        if !all.contains(&product) {
            all.push(product);
        }
    }
    all
}

/// The order that `index column levels( … )` gives to a column's levels.
fn declared_levels(model: &Model, column: &str) -> Option<Vec<String>> {
    let label = |level: &Literal| match &level.value {
        LiteralValue::Number(x) => crate::data::number_label(*x),
        LiteralValue::Text(text) => text.clone(),
    };
    model
        .statements
        .iter()
        .find_map(|statement| match &statement.kind {
            StatementKind::Index(index) if index.name.text == column && index.factors.is_empty() => {
                Some(index.levels.iter().map(label).collect())
            }
            StatementKind::Index(_)
            | StatementKind::Stochastic(_)
            | StatementKind::Definition(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::parse;

    /// The labels of the columns of a formula, the intercept first if there is one.
    fn columns(formula: &str) -> Vec<String> {
        let data = b"y,x,z,a,b\n1,1,2,a1,b1\n2,3,4,a2,b2\n3,5,7,a1,b3\n";
        let table = Table::from_bytes("d.csv", data).expect("a table");
        let model = parse("m", &format!("glm y ~ {formula}\n")).unwrap_or_else(|reports| panic!("{reports}"));
        let StatementKind::Glm(glm) = &model.statements[0].kind else {
            panic!("no formula");
        };
        let mut terms = Terms::new(&table, &model);
        let design = terms.design(&glm.terms, true);
        assert!(terms.reports.is_empty(), "{:?}", terms.reports);
        let intercept = design.intercept.then(|| "1".to_owned());
        let labels = terms.columns(&design).into_iter().map(|column| column.label);
        intercept.into_iter().chain(labels).collect()
    }

    /// As `colnames(model.matrix(~ …))` of R 4.3 with treatment contrasts.
    #[test]
    fn factors_are_coded_as_in_r() {
        for (formula, expected) in [
            ("x + a", "1 x aa2"),
            ("0 + a + b", "aa1 aa2 bb2 bb3"),
            ("0 + x + a", "x aa1 aa2"),
            ("0 + a:b", "aa1:bb1 aa2:bb1 aa1:bb2 aa2:bb2 aa1:bb3 aa2:bb3"),
            ("a*b", "1 aa2 bb2 bb3 aa2:bb2 aa2:bb3"),
            ("a:b", "1 aa1:bb1 aa2:bb1 aa1:bb2 aa2:bb2 aa1:bb3 aa2:bb3"),
            ("0 + a + a:b", "aa1 aa2 aa1:bb2 aa2:bb2 aa1:bb3 aa2:bb3"),
            ("x:a", "1 x:aa1 x:aa2"),
            ("x*a - x", "1 aa2 x:aa1 x:aa2"),
            ("(x + z + a)^2", "1 x z aa2 x:z x:aa2 z:aa2"),
            ("x:z + z + x - 1", "z x x:z"),
            ("log(x) + I(x^2) + x:x", "1 log(x) I(x^2) x"),
            ("factor(x)", "1 factor(x)3 factor(x)5"),
        ] {
            assert_eq!(columns(formula).join(" "), expected, "{formula}");
        }
    }

    #[test]
    fn labels_that_coincide_are_numbered() {
        let mut labels = ["abc", "x", "abc", "abc_2", "abc"].map(str::to_owned);
        tell_apart(labels.iter_mut().collect());
        assert_eq!(labels, ["abc", "x", "abc_3", "abc_2", "abc_4"]);
    }
}
