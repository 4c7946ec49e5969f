//! The syntax tree of a model text: the whole grammar, whether or not this release can fit it.
//!
//! Names stand as written: book spellings (`dnorm`) and the roles of names are the analysis's business. Every node
//! carries its span. `Display` (in `print`) writes text that parses to the same tree, spans aside.

mod expression;

pub use expression::{Arg, BinaryOp, Call, Expr, ExprKind, UnaryOp};

use super::span::Span;

/// A parsed model: its statements in the order of the text. An `alist( … )` is already unwrapped.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The statements, in order.
    pub statements: Vec<Statement>,
}

/// One relation or declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// From its first to its last token, without comment and trailing comma.
    pub span: Span,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `targets ~ Distribution(…) modifiers`.
    Stochastic(Stochastic),
    /// `target = expr`, `link(target) = expr`; also written `<-`.
    Definition(Definition),
    /// `index name = a * b levels(…)`.
    Index(Index),
    /// `table name by name`.
    Table(Table),
    /// `drop_missing` or `drop_missing(a, b)`.
    DropMissing(DropMissing),
    /// `option name = literal`.
    Setting(Setting),
    /// `glm response | additions ~ terms family … link …`.
    Glm(Glm),
}

/// A name as written, without its backticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The text of the name.
    pub text: String,
    /// Where it stands, backticks included.
    pub span: Span,
}

/// `[type] targets ~ distribution modifiers`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stochastic {
    /// `ordered`, `simplex`, … before the targets.
    pub constraint: Option<Constraint>,
    /// What stands left of `~`.
    pub targets: Targets,
    /// The distribution, as a call.
    pub distribution: Call,
    /// Truncation, censoring, weights and hints, in order.
    pub modifiers: Vec<Modifier>,
}

/// The word before the targets of a `~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// Which one.
    pub kind: ConstraintKind,
    /// Where it stands.
    pub span: Span,
}

/// The supports that can be asked for by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// Increasing elements.
    Ordered,
    /// Positive elements that sum to 1.
    Simplex,
    /// (0, ∞).
    Positive,
    /// (0, 1).
    Unit,
    /// All reals.
    Real,
}

impl ConstraintKind {
    /// Every constraint, in the order of the grammar.
    pub const ALL: [Self; 5] = [
        Self::Ordered,
        Self::Simplex,
        Self::Positive,
        Self::Unit,
        Self::Real,
    ];

    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Simplex => "simplex",
            Self::Positive => "positive",
            Self::Unit => "unit",
            Self::Real => "real",
        }
    }
}

/// What stands left of `~`.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// `a`, `a[g]`, `b[3]`, or several: `a, b[g] ~ …` are independent with the same prior. Never empty.
    Separate(Vec<Var>),
    /// `[a, b][g]` or `c(a, b)[g]`.
    Joint(Joint),
}

/// Several names in one bracket: a joint vector if the distribution is multivariate, else independent targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// How it was written.
    pub style: JointStyle,
    /// The names, at least one.
    pub names: Vec<Name>,
    /// The subscripts after the closing bracket; empty where there are none.
    pub subs: Vec<Sub>,
    /// From the opening bracket to the last subscript.
    pub span: Span,
}

/// How a joint target was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JointStyle {
    /// `[a, b]`.
    Brackets,
    /// `c(a, b)`.
    Combine,
}

/// A name with its subscripts.
#[derive(Debug, Clone, PartialEq)]
pub struct Var {
    /// The name.
    pub name: Name,
    /// The subscripts; empty for a bare name.
    pub subs: Vec<Sub>,
    /// Name and subscripts.
    pub span: Span,
}

/// One subscript: `expr`, or the range `low:high`, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Sub {
    /// The subscript, or the lower end of the range.
    pub low: Expr,
    /// The upper end of a range.
    pub high: Option<Expr>,
}

impl Sub {
    /// The whole subscript.
    pub fn span(&self) -> Span {
        match &self.high {
            Some(high) => self.low.span.to(high.span),
            None => self.low.span,
        }
    }
}

/// What may follow the distribution of a `~`.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifier {
    /// Which one.
    pub kind: ModifierKind,
    /// All of it.
    pub span: Span,
}

/// The modifiers of a `~`.
#[derive(Debug, Clone, PartialEq)]
pub enum ModifierKind {
    /// `T(lower, upper)`; either may be left out.
    Truncation {
        /// Lower bound.
        lower: Option<Expr>,
        /// Upper bound.
        upper: Option<Expr>,
    },
    /// `cens(kind)` or `cens(kind, upper)`.
    Censoring {
        /// The column that says how a row is censored.
        kind: Expr,
        /// The upper end of interval-censored rows.
        upper: Option<Expr>,
    },
    /// `weight(expr)`.
    Weight(Expr),
    /// `@centered` and the like.
    Hint(Hint),
}

/// Hints on the parameterisation: they change speed, never meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// `@centered`: λ = 1.
    Centered,
    /// `@noncentered`: λ = 0.
    Noncentered,
    /// `@auto`: λ is learned in warm-up; the default.
    Auto,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Self; 3] = [Self::Centered, Self::Noncentered, Self::Auto];

    /// The word after the `@`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Centered => "centered",
            Self::Noncentered => "noncentered",
            Self::Auto => "auto",
        }
    }
}

/// `target = value` or `link(target) = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The link, with the span of its word.
    pub link: Option<(Link, Span)>,
    /// The name that is defined.
    pub target: Var,
    /// Its value, on the link's scale.
    pub value: Expr,
}

/// Link functions that may stand around the left side of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// p = 1 / (1 + exp(−η)).
    Logit,
    /// μ = exp(η).
    Log,
    /// p = Φ(η).
    Probit,
    /// p = 1 − exp(−exp(η)).
    Cloglog,
    /// μ = η².
    Sqrt,
}

impl Link {
    /// Every link, in the order of the grammar.
    pub const ALL: [Self; 5] = [Self::Logit, Self::Log, Self::Probit, Self::Cloglog, Self::Sqrt];

    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Log => "log",
            Self::Probit => "probit",
            Self::Cloglog => "cloglog",
            Self::Sqrt => "sqrt",
        }
    }
}

/// `index name = factor * factor levels(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// The index that is declared.
    pub name: Name,
    /// What it is made of: empty (a column of that name), one column or `row`, or several that are crossed.
    pub factors: Vec<Name>,
    /// The levels in the order wanted; empty where they are read from the data.
    pub levels: Vec<Literal>,
}

/// `table name by key`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The second table.
    pub name: Name,
    /// The column that joins it to the rows.
    pub key: Name,
}

/// `drop_missing(columns)`; without columns, every column that the model uses.
#[derive(Debug, Clone, PartialEq)]
pub struct DropMissing {
    /// The columns named; empty means all that are used.
    pub columns: Vec<Name>,
}

/// `option name = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The option.
    pub name: Name,
    /// Its value.
    pub value: Literal,
}

/// A number or a text that stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The value.
    pub value: LiteralValue,
    /// Where it stands.
    pub span: Span,
}

/// The value of a literal.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralValue {
    /// A number, sign included; finite.
    Number(f64),
    /// A text, without its quotes.
    Text(String),
}

/// A formula in the manner of lme4 and brms.
#[derive(Debug, Clone, PartialEq)]
pub struct Glm {
    /// The outcome.
    pub response: Expr,
    /// What follows `|` on the left: `trials(n)`, `weights(w)`.
    pub additions: Vec<Call>,
    /// The terms of the right side, at least one.
    pub terms: Vec<Term>,
    /// `family name`.
    pub family: Option<Name>,
    /// `link name`.
    pub link: Option<Name>,
}

/// A term of a formula with its sign.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Taken out (`- 1`) instead of added.
    pub minus: bool,
    /// What it adds.
    pub kind: TermKind,
    /// The term without its sign.
    pub span: Span,
}

/// What a term of a formula adds.
#[derive(Debug, Clone, PartialEq)]
pub enum TermKind {
    /// One expression (`1`, `pred * size`, `s(x)`), or the interaction of several (`a:b`).
    Population(Vec<Expr>),
    /// `(1 + x | g)`; `||` leaves out the correlations.
    Group {
        /// The effects that vary.
        terms: Vec<Term>,
        /// Whether they may be correlated (`|`).
        correlated: bool,
        /// The grouping factors, outermost first, at least one.
        factors: Vec<Name>,
        /// How each further factor joins the one before it; one shorter than `factors`.
        joins: Vec<GroupJoin>,
    },
}

/// How grouping factors combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupJoin {
    /// `a:b`, the combinations.
    Cross,
    /// `a/b`, b within a.
    Nest,
}
