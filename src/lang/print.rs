//! The tree back to text: parsing what is printed gives the same tree, spans aside.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    Arg, BinaryOp, Call, Definition, DropMissing, Expr, ExprKind, Glm, GroupJoin, Index, Joint, JointStyle,
    Literal, LiteralValue, Model, Modifier, ModifierKind, Name, Setting, Statement, StatementKind,
    Stochastic, Sub, Table, Targets, Term, TermKind, UnaryOp, Var,
};
use super::lexer::{continues_name, starts_name};

/// One statement a line.
impl Display for Model {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.statements
            .iter()
            .try_for_each(|statement| writeln!(f, "{statement}"))
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StatementKind::Stochastic(stochastic) => stochastic.fmt(f),
            StatementKind::Definition(definition) => definition.fmt(f),
            StatementKind::Index(index) => index.fmt(f),
            StatementKind::Table(Table { name, key }) => write!(f, "table {name} by {key}"),
            StatementKind::DropMissing(DropMissing { columns }) if columns.is_empty() => {
                f.write_str("drop_missing")
            }
            StatementKind::DropMissing(DropMissing { columns }) => {
                f.write_str("drop_missing(")?;
                list(f, columns, ", ")?;
                f.write_char(')')
            }
            StatementKind::Setting(Setting { name, value }) => write!(f, "option {name} = {value}"),
            StatementKind::Glm(glm) => glm.fmt(f),
        }
    }
}

/// In backticks unless the name is plain.
impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(f, &self.text)
    }
}

fn name(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if text.starts_with(starts_name) && text.chars().all(continues_name) {
        f.write_str(text)
    } else {
        write!(f, "`{text}`")
    }
}

impl Display for Stochastic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(constraint) = self.constraint {
            write!(f, "{} ", constraint.kind.word())?;
        }
        match &self.targets {
            Targets::Separate(vars) => list(f, vars, ", ")?,
            Targets::Joint(joint) => joint.fmt(f)?,
        }
        write!(f, " ~ {}", self.distribution)?;
        self.modifiers
            .iter()
            .try_for_each(|modifier| write!(f, " {modifier}"))
    }
}

impl Display for Joint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (open, close) = match self.style {
            JointStyle::Brackets => ("[", ']'),
            JointStyle::Combine => ("c(", ')'),
        };
        f.write_str(open)?;
        list(f, &self.names, ", ")?;
        f.write_char(close)?;
        subscripts(f, &self.subs)
    }
}

impl Display for Var {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        subscripts(f, &self.subs)
    }
}

fn subscripts(f: &mut Formatter<'_>, subs: &[Sub]) -> fmt::Result {
    if subs.is_empty() {
        return Ok(());
    }
    f.write_char('[')?;
    list(f, subs, ", ")?;
    f.write_char(']')
}

impl Display for Sub {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.low.fmt(f)?;
        match &self.high {
            Some(high) => write!(f, ":{high}"),
            None => Ok(()),
        }
    }
}

impl Display for Modifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ModifierKind::Truncation { lower, upper } => {
                f.write_str("T(")?;
                list(f, lower.as_slice(), "")?;
                f.write_str(", ")?;
                list(f, upper.as_slice(), "")?;
                f.write_char(')')
            }
            ModifierKind::Censoring { kind, upper: None } => write!(f, "cens({kind})"),
            ModifierKind::Censoring {
                kind,
                upper: Some(upper),
            } => write!(f, "cens({kind}, {upper})"),
            ModifierKind::Weight(weight) => write!(f, "weight({weight})"),
            ModifierKind::Hint(hint) => write!(f, "@{}", hint.word()),
        }
    }
}

impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.link {
            Some((link, _)) => write!(f, "{}({}) = {}", link.word(), self.target, self.value),
            None => write!(f, "{} = {}", self.target, self.value),
        }
    }
}

impl Display for Index {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "index {}", self.name)?;
        if !self.factors.is_empty() {
            f.write_str(" = ")?;
            list(f, &self.factors, " * ")?;
        }
        if !self.levels.is_empty() {
            f.write_str(" levels(")?;
            list(f, &self.levels, ", ")?;
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            LiteralValue::Number(value) => number(f, *value),
            LiteralValue::Text(value) => text(f, value),
        }
    }
}

/// The shortest digits that give the same number again, without a long tail of zeros.
fn number(f: &mut Formatter<'_>, value: f64) -> fmt::Result {
    if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        write!(f, "{value}")
    } else {
        write!(f, "{value:e}")
    }
}

fn text(f: &mut Formatter<'_>, value: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl Display for Glm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "glm {}", self.response)?;
        if !self.additions.is_empty() {
            f.write_str(" | ")?;
            list(f, &self.additions, " + ")?;
        }
        f.write_str(" ~ ")?;
        terms(f, &self.terms)?;
        if let Some(family) = &self.family {
            write!(f, " family {family}")?;
        }
        if let Some(link) = &self.link {
            write!(f, " link {link}")?;
        }
        Ok(())
    }
}

fn terms(f: &mut Formatter<'_>, terms: &[Term]) -> fmt::Result {
    for (place, term) in terms.iter().enumerate() {
        match (place, term.minus) {
            (0, false) => {}
            (0, true) => f.write_char('-')?,
            (_, false) => f.write_str(" + ")?,
            (_, true) => f.write_str(" - ")?,
        }
        match &term.kind {
            TermKind::Population(factors) => population(f, factors)?,
            TermKind::Group {
                terms: effects,
                correlated,
                factors,
                joins,
            } => {
                f.write_char('(')?;
                self::terms(f, effects)?;
                f.write_str(if *correlated { " | " } else { " || " })?;
                for (place, factor) in factors.iter().enumerate() {
                    let join = place.checked_sub(1).and_then(|before| joins.get(before));
                    match join {
                        Some(GroupJoin::Cross) => f.write_char(':')?,
                        Some(GroupJoin::Nest) => f.write_char('/')?,
                        None => {}
                    }
                    factor.fmt(f)?;
                }
                f.write_char(')')?;
            }
        }
    }
    Ok(())
}

fn population(f: &mut Formatter<'_>, factors: &[Expr]) -> fmt::Result {
    for (place, factor) in factors.iter().enumerate() {
        if place > 0 {
            f.write_char(':')?;
        }
        // A sign in front would be read as the term's own.
        if leads_with_sign(factor) {
            write!(f, "({factor})")?;
        } else {
            expression(f, factor, BinaryOp::Mul.binding())?;
        }
    }
    Ok(())
}

fn leads_with_sign(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Unary(..) => true,
        ExprKind::Binary(_, left, _) => leads_with_sign(left),
        ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Name(_)
        | ExprKind::Indexed(..)
        | ExprKind::Call(_)
        | ExprKind::Vector(_) => false,
    }
}

/// As few brackets as the grammar allows.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        expression(f, self, BinaryOp::Or.binding())
    }
}

/// Writes `expr`, in brackets if it binds less tightly than `least`.
fn expression(f: &mut Formatter<'_>, expr: &Expr, least: u8) -> fmt::Result {
    match &expr.kind {
        ExprKind::Number(value) => number(f, *value),
        ExprKind::Text(value) => text(f, value),
        ExprKind::Name(text) => name(f, text),
        ExprKind::Indexed(name, subs) => {
            name.fmt(f)?;
            subscripts(f, subs)
        }
        ExprKind::Call(call) => call.fmt(f),
        ExprKind::Vector(elements) => {
            f.write_char('[')?;
            list(f, elements, ", ")?;
            f.write_char(']')
        }
        ExprKind::Unary(op, operand) => bracketed(f, op.binding() < least, |f| unary(f, *op, operand)),
        ExprKind::Binary(op, left, right) => {
            bracketed(f, op.binding() < least, |f| binary(f, *op, left, right))
        }
    }
}

fn bracketed(
    f: &mut Formatter<'_>,
    needed: bool,
    content: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if needed {
        f.write_char('(')?;
    }
    content(f)?;
    if needed {
        f.write_char(')')?;
    }
    Ok(())
}

fn unary(f: &mut Formatter<'_>, op: UnaryOp, operand: &Expr) -> fmt::Result {
    f.write_str(op.symbol())?;
    expression(f, operand, op.binding())
}

fn binary(f: &mut Formatter<'_>, op: BinaryOp, left: &Expr, right: &Expr) -> fmt::Result {
    let binding = op.binding();
    let (left_least, right_least) = if op == BinaryOp::Pow {
        (binding + 1, binding)
    } else if op.is_comparison() {
        (binding + 1, binding + 1)
    } else {
        (binding, binding + 1)
    };
    expression(f, left, left_least)?;
    if op == BinaryOp::Pow {
        f.write_str(op.symbol())?;
    } else {
        write!(f, " {} ", op.symbol())?;
    }
    expression(f, right, right_least)
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        list(f, &self.args, ", ")?;
        f.write_char(')')
    }
}

impl Display for Arg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} = {}", self.value),
            None => self.value.fmt(f),
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
