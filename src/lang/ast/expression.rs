//! Expressions: what stands right of `=`, in arguments and in subscripts.

use super::{Name, Sub};
use crate::lang::span::Span;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its text, brackets around the whole included.
    pub span: Span,
}

impl Expr {
    /// The name, where it is a bare one.
    pub fn bare_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => None,
        }
    }
}

/// What an expression is. A tree is at most `parser::MAX_HEIGHT` nodes high, so that recursion over it is safe.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A finite number, 0 or above (a sign is a `Unary`).
    Number(f64),
    /// A text: a label in a subscript.
    Text(String),
    /// A bare name.
    Name(String),
    /// `name[subs]`, at least one subscript.
    Indexed(Name, Vec<Sub>),
    /// `name(args)`.
    Call(Call),
    /// A sign or a negation.
    Unary(UnaryOp, Box<Expr>),
    /// Two operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `[a, b]`, also written `c(a, b)`; at least one element.
    Vector(Vec<Expr>),
}

/// `name(args)`: a function in an expression, or a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function or distribution, as written.
    pub name: Name,
    /// The arguments in order.
    pub args: Vec<Arg>,
    /// From the name to the closing bracket.
    pub span: Span,
}

/// An argument, with its name where one is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// `name =`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-x`.
    Neg,
    /// `!x`: 1 where x is 0, else 0.
    Not,
}

impl UnaryOp {
    /// The sign of the language.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Not => "!",
        }
    }

    /// How tightly it binds, as in R: `-x^2` is `-(x^2)`, `-x*y` is `(-x)*y`, `!x == y` is `!(x == y)`.
    pub fn binding(self) -> u8 {
        match self {
            Self::Not => 3,
            Self::Neg => 7,
        }
    }
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `a || b`.
    Or,
    /// `a && b`.
    And,
    /// `a == b`.
    Eq,
    /// `a != b`.
    Ne,
    /// `a < b`.
    Lt,
    /// `a <= b`.
    Le,
    /// `a > b`.
    Gt,
    /// `a >= b`.
    Ge,
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// `a % b`, the remainder.
    Rem,
    /// `a ^ b`.
    Pow,
}

impl BinaryOp {
    /// The sign of the language.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Pow => "^",
        }
    }

    /// How tightly it binds, from 1 (`||`) to 8 (`^`); [`UnaryOp::binding`] is on the same scale.
    pub fn binding(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => 4,
            Self::Add | Self::Sub => 5,
            Self::Mul | Self::Div | Self::Rem => 6,
            Self::Pow => 8,
        }
    }

    /// Whether it compares; comparisons do not chain.
    pub fn is_comparison(self) -> bool {
        self.binding() == Self::Eq.binding()
    }
}
