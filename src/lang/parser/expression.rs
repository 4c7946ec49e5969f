//! Expressions by precedence climbing, subscripts and arguments.

use super::super::ast::{Arg, BinaryOp, Call, Expr, ExprKind, Name, Sub, UnaryOp};
use super::super::lexer::TokenKind;
use super::super::report::Report;
use super::super::span::Span;
use super::{MAX_HEIGHT, MAX_NESTING, Parse, Parser, Stop};

/// An expression with the number of nodes from its root to its deepest leaf.
pub(super) struct Tall {
    expr: Expr,
    height: usize,
}

const OPERAND: &str = "an expression";
/// The remedy for the braces of Stan and R.
pub(super) const NO_BLOCKS: &str = "there are no blocks: write the relations alone, one a line, in any order";

const BINARY: [BinaryOp; 14] = [
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

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        Ok(self.binary(BinaryOp::Or.binding())?.expr)
    }

    /// An expression whose operators bind at least as tightly as `*`: a term of a formula.
    pub(super) fn factor(&mut self) -> Parse<Expr> {
        Ok(self.binary(BinaryOp::Mul.binding())?.expr)
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Parse<Tall> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let report = Report::error(
                "expression nested too deeply",
                self.cursor.place(),
                format!("more than {MAX_NESTING} expressions inside each other"),
            )
            .with_help("give parts of it names of their own: `part = …`");
            return Err(self.stop(report));
        }
        let mut left = self.unary(least)?;
        while let Some(op) = self.sees_operator() {
            if op.binding() < least {
                break;
            }
            let place = self.cursor.advance();
            // Powers group to the right, everything else to the left.
            let tighter = if op == BinaryOp::Pow { 0 } else { 1 };
            let right = self.binary(op.binding() + tighter)?;
            if op.is_comparison() && self.sees_operator().is_some_and(BinaryOp::is_comparison) {
                let report = Report::error(
                    "comparisons do not chain",
                    self.cursor.place(),
                    "second comparison",
                )
                .with_label(place, "first comparison")
                .with_help("write `a < b && b < c`");
                return Err(self.stop(report));
            }
            let span = left.expr.span.to(right.expr.span);
            let height = left.height.max(right.height);
            let kind = ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr));
            left = self.node(kind, span, height)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    /// A node above children that are `height` high.
    fn node(&mut self, kind: ExprKind, span: Span, height: usize) -> Parse<Tall> {
        if height >= MAX_HEIGHT {
            let report = Report::error(
                "expression too long",
                span,
                format!("more than {MAX_HEIGHT} operations in a row"),
            )
            .with_help("split it: `part1 = …`, `part2 = …`, and use `part1 + part2` here");
            return Err(self.stop(report));
        }
        Ok(Tall {
            expr: Expr { kind, span },
            height: height + 1,
        })
    }

    fn sees_operator(&self) -> Option<BinaryOp> {
        BINARY.into_iter().find(|op| self.cursor.sees(op.symbol()))
    }

    fn unary(&mut self, least: u8) -> Parse<Tall> {
        let op = if self.cursor.sees("+") {
            self.cursor.advance();
            return self.binary(UnaryOp::Neg.binding());
        } else if self.cursor.sees("-") {
            UnaryOp::Neg
        } else if self.cursor.sees("!") {
            UnaryOp::Not
        } else {
            return self.primary();
        };
        if op == UnaryOp::Not && least > op.binding() {
            let report = Report::error(
                "`!` in the middle of an operation",
                self.cursor.place(),
                "needs brackets",
            )
            .with_help("put it in brackets: `x + (!y)`");
            return Err(self.stop(report));
        }
        let sign = self.cursor.advance();
        let operand = self.binary(op.binding())?;
        let span = sign.to(operand.expr.span);
        self.node(ExprKind::Unary(op, Box::new(operand.expr)), span, operand.height)
    }

    fn primary(&mut self) -> Parse<Tall> {
        match self.cursor.peek().clone() {
            TokenKind::Number(value) => {
                let span = self.cursor.advance();
                self.node(ExprKind::Number(value), span, 0)
            }
            TokenKind::Text(text) => {
                let span = self.cursor.advance();
                self.node(ExprKind::Text(text), span, 0)
            }
            TokenKind::Name { text, .. } => {
                let span = self.cursor.advance();
                let name = Name { text, span };
                if self.cursor.sees("(") {
                    self.application(name)
                } else if self.cursor.sees("[") {
                    let (subs, end, height) = self.subscripts_with_height()?;
                    self.node(ExprKind::Indexed(name, subs), span.to(end), height)
                } else {
                    self.node(ExprKind::Name(name.text), span, 0)
                }
            }
            TokenKind::Sign("(") => {
                let open = self.cursor.advance();
                let inner = self.binary(BinaryOp::Or.binding())?;
                let close = self.close(")")?;
                let expr = Expr {
                    kind: inner.expr.kind,
                    span: open.to(close),
                };
                Ok(Tall {
                    expr,
                    height: inner.height,
                })
            }
            TokenKind::Sign("[") => {
                let open = self.cursor.advance();
                let mut elements = Vec::new();
                let mut height = 0;
                loop {
                    let element = self.binary(BinaryOp::Or.binding())?;
                    height = height.max(element.height);
                    elements.push(element.expr);
                    if self.cursor.take(",").is_none() || self.cursor.sees("]") {
                        break;
                    }
                }
                let close = self.close("]")?;
                self.node(ExprKind::Vector(elements), open.to(close), height)
            }
            TokenKind::Sign(_) | TokenKind::Newline | TokenKind::End | TokenKind::Bad => {
                Err(self.no_operand())
            }
        }
    }

    fn no_operand(&mut self) -> Stop {
        let help = if self.cursor.sees_line_end() {
            "complete the line; a relation goes on in the next line inside brackets or after a trailing `\\`"
        } else if self.cursor.sees(")") || self.cursor.sees("]") || self.cursor.sees(",") {
            "fill in what is missing, or remove the comma or operator before it"
        } else {
            "an operand is a number, a name, a call such as `exp(x)`, or an expression in brackets"
        };
        self.fail(OPERAND, help)
    }

    /// What follows a function's name; `c(…)` is a vector.
    fn application(&mut self, name: Name) -> Parse<Tall> {
        let combines = name.text == "c";
        let (call, height) = self.call_with_height(name)?;
        let span = call.span;
        if !combines {
            return self.node(ExprKind::Call(call), span, height);
        }
        if let Some(name) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            let report = Report::error("named element in `c( … )`", name.span, "not expected here")
                .with_help("elements of a vector have no names: `c(0, 1)`");
            return Err(self.stop(report));
        }
        if call.args.is_empty() {
            let report = Report::error("empty `c()`", span, "expected at least one element")
                .with_help("write the elements: `c(0, 1)`");
            return Err(self.stop(report));
        }
        let elements = call.args.into_iter().map(|arg| arg.value).collect();
        self.node(ExprKind::Vector(elements), span, height)
    }

    /// `(args)` after the name of a function or distribution.
    pub(super) fn call(&mut self, name: Name) -> Parse<Call> {
        Ok(self.call_with_height(name)?.0)
    }

    fn call_with_height(&mut self, name: Name) -> Parse<(Call, usize)> {
        self.expect("(", "the arguments of a call stand in brackets")?;
        let mut args = Vec::new();
        let mut height = 0;
        while !self.cursor.sees(")") {
            let named = self.cursor.sees_name_at(0) && self.cursor.sees_at(1, "=");
            let arg_name = if named { self.cursor.take_name() } else { None };
            if named {
                self.cursor.advance();
            }
            let value = self.binary(BinaryOp::Or.binding())?;
            height = height.max(value.height);
            args.push(Arg {
                name: arg_name,
                value: value.expr,
            });
            if self.cursor.take(",").is_none() {
                break;
            }
        }
        let close = self.close(")")?;
        let span = name.span.to(close);
        Ok((Call { name, args, span }, height))
    }

    /// `[subs]`, with the span of the closing bracket.
    pub(super) fn subscripts(&mut self) -> Parse<(Vec<Sub>, Span)> {
        let (subs, end, _) = self.subscripts_with_height()?;
        Ok((subs, end))
    }

    fn subscripts_with_height(&mut self) -> Parse<(Vec<Sub>, Span, usize)> {
        self.expect("[", "a subscript stands in brackets")?;
        let mut subs = Vec::new();
        let mut height = 0;
        loop {
            if subs.is_empty() && self.cursor.sees("]") {
                let help =
                    "write an index or a length: `a[tank]`, `b[3]`; without one leave out the brackets";
                return Err(self.fail("a subscript", help));
            }
            let low = self.binary(BinaryOp::Or.binding())?;
            height = height.max(low.height);
            let high = match self.cursor.take(":") {
                Some(_) => {
                    let high = self.binary(BinaryOp::Or.binding())?;
                    height = height.max(high.height);
                    Some(high.expr)
                }
                None => None,
            };
            subs.push(Sub { low: low.expr, high });
            if self.cursor.take(",").is_none() || self.cursor.sees("]") {
                break;
            }
        }
        let end = self.close("]")?;
        Ok((subs, end, height))
    }

    /// Takes the bracket that closes arguments, subscripts or a group.
    pub(super) fn close(&mut self, sign: &'static str) -> Parse<Span> {
        match self.cursor.take(sign) {
            Some(span) => Ok(span),
            None => Err(self.fail(&format!("an operator, `,` or `{sign}`"), self.after_operand(sign))),
        }
    }

    /// The remedy where an expression is over but what follows does not fit.
    fn after_operand(&self, close: &'static str) -> &'static str {
        if self.cursor.sees("~") || self.cursor.sees("=") || self.cursor.sees("<-") {
            return self.after_relation_sign();
        }
        if self.cursor.sees_line_end() {
            return "complete the line";
        }
        if self.cursor.sees("|") {
            return "alternatives are written `||`; group effects `(1 | g)` do not nest";
        }
        match (close, self.starts_operand()) {
            (_, true) => "two values need an operator or a comma between them: `2*x`, `Normal(0, 1)`",
            ("]", false) => "close the bracket with `]`",
            (_, false) => "close the bracket with `)`",
        }
    }

    fn after_relation_sign(&self) -> &'static str {
        if self.cursor.sees("<-") {
            "to compare with a negative number leave a blank: `x < -1`"
        } else if self.cursor.sees("=") {
            "define one name a line; to compare write `==`"
        } else {
            "a `~` stands between a target and its distribution, on a line of its own"
        }
    }

    fn starts_operand(&self) -> bool {
        matches!(
            self.cursor.peek(),
            TokenKind::Name { .. } | TokenKind::Number(_) | TokenKind::Text(_) | TokenKind::Sign("(" | "[")
        )
    }

    /// The remedy where a relation is over but the line goes on.
    pub(super) fn after_relation(&self) -> &'static str {
        if self.cursor.sees(")") || self.cursor.sees("]") {
            "this bracket has no partner: remove it, or open it earlier in the line"
        } else if self.cursor.sees("~") || self.cursor.sees("=") || self.cursor.sees("<-") {
            self.after_relation_sign()
        } else if self.cursor.sees("|") {
            "alternatives are written `||`; group effects `(1 | g)` stand in a `glm` line"
        } else if self.cursor.sees(":") {
            "ranges stand in brackets, `b[1:3]`; interactions `a:b` in a `glm` line"
        } else if self.cursor.sees("@") {
            "hints such as `@noncentered` follow a distribution"
        } else if self.cursor.sees("{") || self.cursor.sees("}") {
            NO_BLOCKS
        } else if self.starts_operand() && self.cursor.next_is_attached() {
            "a product needs its sign: `2*x`"
        } else {
            "put each relation on a line of its own; a product needs its sign: `2*x`"
        }
    }
}
