//! A model text as mathematics: the syntax tree as MathML.
//!
//! The notation is that of papers. A column and what is defined from columns have the row's subscript i; an effect of a
//! group has the group of the row, `a_actor[actor]` is a with the subscript actor[i]; parameters are what they are.

mod names;

use std::collections::BTreeSet;

use super::markup::escaped;
use crate::error::Result;
use crate::lang::ast::{
    Arg, BinaryOp, Call, Definition, Expr, ExprKind, Link, Model, ModifierKind, Name, StatementKind,
    Stochastic, Sub, Targets, UnaryOp, Var,
};
use crate::lang::parse;
use names::Names;

/// The relations of a model text, one a line; `columns` are the columns of the data that it uses.
///
/// # Errors
///
/// A user error if the text is no model.
pub(super) fn equations(text: &str, columns: &[&str]) -> Result<String> {
    let model: Model = parse("model", text)?;
    let names = Names::of(&model, columns);
    let mut out = String::from("<div class=\"wide\"><table class=\"equations\">\n");
    for statement in &model.statements {
        match &statement.kind {
            StatementKind::Stochastic(line) => out.push_str(&stochastic(&names, line)),
            StatementKind::Definition(line) => out.push_str(&definition(&names, line)),
            StatementKind::Index(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => out.push_str(&format!(
                "<tr><td></td><td></td><td><code>{}</code></td><td class=\"where\"></td></tr>\n",
                escaped(&statement.to_string())
            )),
        }
    }
    out.push_str("</table></div>\n");
    Ok(out)
}

fn line(left: &str, relation: &str, right: &str, about: &str) -> String {
    let math = |inner: &str| format!("<math><mrow>{inner}</mrow></math>");
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"where\">{}</td></tr>\n",
        math(left),
        math(&sign(relation)),
        math(right),
        escaped(about)
    )
}

/// The length that a bare number on the left of a `~` declares.
fn length(var: &Var) -> Option<f64> {
    match var.subs.as_slice() {
        [Sub { low, high: None }] => match low.kind {
            ExprKind::Number(length) => Some(length),
            _ => None,
        },
        _ => None,
    }
}

/// What a line is repeated over.
fn repeated(names: &Names<'_>, targets: &[&Var]) -> String {
    let Some(first) = targets.first() else {
        return String::new();
    };
    let of: Vec<String> = first
        .subs
        .iter()
        .filter_map(|sub| match (&sub.low.kind, &sub.high) {
            (ExprKind::Name(name), None) => Some(name.clone()),
            (_, _) => None,
        })
        .collect();
    if let Some(length) = length(first) {
        return format!("for each of {length} elements");
    }
    match of.as_slice() {
        [] if names.is_of_rows(&first.name.text) => "for each row i".to_owned(),
        [] => String::new(),
        [one] => format!("for each {one}"),
        several => format!("for each combination of {}", several.join(", ")),
    }
}

/// The names that stand for a level in the line, not for the level of a row.
fn bound<'a>(targets: &[&'a Var]) -> BTreeSet<&'a str> {
    let subs = targets.iter().flat_map(|var| &var.subs);
    subs.filter_map(|sub| sub.low.bare_name()).collect()
}

fn stochastic(names: &Names<'_>, stochastic: &Stochastic) -> String {
    let joint: Vec<Var>;
    let (vars, is_vector) = match &stochastic.targets {
        Targets::Separate(vars) => (vars.as_slice(), false),
        Targets::Joint(names) => {
            let var = |name: &Name| Var {
                name: name.clone(),
                subs: names.subs.clone(),
                span: names.span,
            };
            joint = names.names.iter().map(var).collect();
            (joint.as_slice(), true)
        }
    };
    let targets: Vec<&Var> = vars.iter().collect();
    let written: Vec<String> = vars
        .iter()
        .map(|var| {
            let writer = Writer {
                names,
                bound: bound(&[var]),
            };
            match length(var) {
                Some(_) => writer.indexed(&var.name.text, &[]),
                None => writer.var(var),
            }
        })
        .collect();
    let mut left = written.join(&sign(","));
    if is_vector {
        left = format!("{}{left}{}", sign("["), sign("]"));
    }
    let about = repeated(names, &targets);
    if let Some(constraint) = stochastic.constraint {
        left = format!("<mtext>{}\u{a0}</mtext>{left}", constraint.kind.word());
    }
    let writer = Writer {
        names,
        bound: bound(&targets),
    };
    let mut right = writer.call(&stochastic.distribution);
    for modifier in &stochastic.modifiers {
        match &modifier.kind {
            ModifierKind::Truncation { lower, upper } => {
                let end = |end: &Option<Expr>, infinite: &str| match end {
                    Some(end) => writer.expression(end, 0),
                    None => format!("<mi>{infinite}</mi>"),
                };
                right.push_str(&format!(
                    "<mtext>\u{a0}truncated to\u{a0}</mtext>{}{}{}{}{}",
                    sign("("),
                    end(lower, "\u{2212}∞"),
                    sign(","),
                    end(upper, "∞"),
                    sign(")")
                ));
            }
            ModifierKind::Censoring { .. } | ModifierKind::Weight(_) => {
                right.push_str(&format!(
                    "<mtext>\u{a0}{}</mtext>",
                    escaped(&modifier.to_string())
                ));
            }
            // How an effect is sampled is no part of what it means.
            ModifierKind::Hint(_) => {}
        }
    }
    line(&left, "∼", &right, &about)
}

fn definition(names: &Names<'_>, definition: &Definition) -> String {
    let target = &definition.target;
    let writer = Writer {
        names,
        bound: bound(&[target]),
    };
    let written = writer.var(target);
    let left = match definition.link {
        None => written,
        Some((Link::Sqrt, _)) => format!("<msqrt>{written}</msqrt>"),
        Some((Link::Probit, _)) => applied(&inverse("Φ"), &[written]),
        Some((link @ (Link::Logit | Link::Log | Link::Cloglog), _)) => {
            applied(&format!("<mi>{}</mi>", link.word()), &[written])
        }
    };
    line(
        &left,
        "=",
        &writer.expression(&definition.value, 0),
        &repeated(names, &[target]),
    )
}

fn sign(sign: &str) -> String {
    match sign {
        "(" | ")" | "[" | "]" => format!("<mo stretchy=\"false\">{sign}</mo>"),
        "," => "<mo separator=\"true\">,</mo>".to_owned(),
        other => format!("<mo>{}</mo>", escaped(other)),
    }
}

/// A function of arguments.
fn applied(function: &str, arguments: &[String]) -> String {
    format!(
        "{function}<mo>\u{2061}</mo>{}{}{}",
        sign("("),
        arguments.join(&sign(",")),
        sign(")")
    )
}

/// The inverse of a function.
fn inverse(name: &str) -> String {
    format!("<msup><mi>{name}</mi><mrow><mo>\u{2212}</mo><mn>1</mn></mrow></msup>")
}

/// Writes the expressions of a line.
struct Writer<'a, 'n> {
    names: &'a Names<'n>,
    /// Names that stand for a level itself.
    bound: BTreeSet<&'a str>,
}

impl Writer<'_, '_> {
    fn var(&self, var: &Var) -> String {
        self.indexed(&var.name.text, &var.subs)
    }

    /// A name with subscripts, its own last part among them.
    fn indexed(&self, name: &str, subs: &[Sub]) -> String {
        let (head, tail) = self.names.parts(name);
        let mut below: Vec<String> = Vec::new();
        if let Some(tail) = tail
            && !self.names.is_said_by(name, tail, subs)
        {
            below.push(format!("<mi>{}</mi>", escaped(tail)));
        }
        below.extend(subs.iter().map(|sub| self.subscript(sub)));
        if subs.is_empty() && self.names.is_of_rows(name) && !self.bound.contains(name) {
            below.push("<mi>i</mi>".to_owned());
        }
        let head = format!("<mi>{}</mi>", escaped(&head));
        match below.as_slice() {
            [] => head,
            some => format!("<msub>{head}<mrow>{}</mrow></msub>", some.join(&sign(","))),
        }
    }

    fn subscript(&self, sub: &Sub) -> String {
        let low = match &sub.low.kind {
            ExprKind::Name(name) if self.bound.contains(name.as_str()) => {
                format!("<mi>{}</mi>", escaped(name))
            }
            ExprKind::Name(name) if self.names.is_of_rows(name) => {
                format!("<mi>{}</mi>{}<mi>i</mi>{}", escaped(name), sign("["), sign("]"))
            }
            // A label; in a subscript it needs no quotes.
            ExprKind::Text(text) => format!("<mtext>{}</mtext>", escaped(text)),
            ExprKind::Name(_)
            | ExprKind::Number(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => self.expression(&sub.low, 0),
        };
        match &sub.high {
            None => low,
            Some(high) => format!("{low}{}{}", sign(":"), self.expression(high, 0)),
        }
    }

    /// An expression, in brackets if it binds less tightly than `least`.
    fn expression(&self, expr: &Expr, least: u8) -> String {
        match &expr.kind {
            ExprKind::Number(value) => numeral(*value),
            ExprKind::Text(text) => format!("<mtext>“{}”</mtext>", escaped(text)),
            ExprKind::Name(name) => self.indexed(name, &[]),
            ExprKind::Indexed(name, subs) => self.indexed(&name.text, subs),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Vector(elements) => {
                let elements: Vec<String> = elements.iter().map(|one| self.expression(one, 0)).collect();
                format!("{}{}{}", sign("["), elements.join(&sign(",")), sign("]"))
            }
            ExprKind::Unary(op, operand) => {
                let symbol = match op {
                    UnaryOp::Neg => "\u{2212}",
                    UnaryOp::Not => "¬",
                };
                let inner = format!("{}{}", sign(symbol), self.expression(operand, op.binding()));
                bracketed(&inner, op.binding() < least)
            }
            ExprKind::Binary(op, left, right) => {
                bracketed(&self.binary(*op, left, right), op.binding() < least)
            }
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> String {
        let binding = op.binding();
        let symbol = match op {
            // A line above what is below says what brackets would.
            BinaryOp::Div => {
                return format!(
                    "<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>",
                    self.expression(left, 0),
                    self.expression(right, 0)
                );
            }
            BinaryOp::Pow => {
                return format!(
                    "<msup><mrow>{}</mrow><mrow>{}</mrow></msup>",
                    self.expression(left, binding + 1),
                    self.expression(right, 0)
                );
            }
            BinaryOp::Or => "∨",
            BinaryOp::And => "∧",
            BinaryOp::Eq => "=",
            BinaryOp::Ne => "≠",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "≤",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => "≥",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "\u{2212}",
            BinaryOp::Mul => "⋅",
            BinaryOp::Rem => "mod",
        };
        let left_least = if op.is_comparison() { binding + 1 } else { binding };
        format!(
            "{}{}{}",
            self.expression(left, left_least),
            sign(symbol),
            self.expression(right, binding + 1)
        )
    }

    fn call(&self, call: &Call) -> String {
        let written: Vec<String> = call.args.iter().map(|arg| self.argument(arg)).collect();
        match (call.name.text.as_str(), written.as_slice()) {
            ("sqrt", [x]) => format!("<msqrt>{x}</msqrt>"),
            ("abs", [x]) => format!("{}{x}{}", sign("|"), sign("|")),
            ("square", [x]) => format!(
                "<msup><mrow>{}{x}{}</mrow><mn>2</mn></msup>",
                sign("("),
                sign(")")
            ),
            ("inv_logit" | "logistic", _) => applied(&inverse("logit"), &written),
            ("inv_cloglog", _) => applied(&inverse("cloglog"), &written),
            ("Phi", _) => applied("<mi>Φ</mi>", &written),
            (name, _) => applied(&format!("<mi>{}</mi>", escaped(name)), &written),
        }
    }

    fn argument(&self, arg: &Arg) -> String {
        let value = self.expression(&arg.value, 0);
        match &arg.name {
            Some(name) => format!("<mi>{}</mi>{}{value}", escaped(&name.text), sign("=")),
            None => value,
        }
    }
}

fn bracketed(inner: &str, needed: bool) -> String {
    if needed {
        format!("{}{inner}{}", sign("("), sign(")"))
    } else {
        inner.to_owned()
    }
}

/// A number that is 0 or above, with a power of ten where it is long.
fn numeral(value: f64) -> String {
    if value == 0.0 || (1e-5..1e16).contains(&value) {
        return format!("<mn>{value}</mn>");
    }
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!(
        "<mn>{digits}</mn>{}<msup><mn>10</mn><mn>{}</mn></msup>",
        sign("×"),
        power.replace('-', "\u{2212}")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of MathML, subscripts after `_`, with cells separated by blanks.
    fn plain(text: &str, columns: &[&str]) -> Vec<String> {
        let html = equations(text, columns).expect("a model");
        let lines = html.lines().filter(|line| line.starts_with("<tr>"));
        lines
            .map(|line| {
                let line = line.replace("<msub>", "_{").replace("</msub>", "}");
                let line = line.replace("<mfrac>", "frac{").replace("</mfrac>", "}");
                let line = line.replace("</td>", " ");
                let mut out = String::new();
                let mut inside = false;
                for sign in line.chars() {
                    match sign {
                        '<' => inside = true,
                        '>' => inside = false,
                        '\u{2061}' => {}
                        other if !inside => out.push(other),
                        _ => {}
                    }
                }
                out.trim().to_owned()
            })
            .collect()
    }

    #[test]
    fn effects_have_the_group_of_the_row() {
        let text = "y ~ Bernoulli(p)\nlogit(p) = A + b*x\nA = a + a_actor[actor]\na_actor[actor] ~ Normal(0, \
                    sigma_actor)\na, b ~ Normal(0, 10)\nsigma_actor ~ HalfCauchy(1)";
        assert_eq!(
            plain(text, &["y", "x", "actor"]),
            [
                "_{yi} ∼ Bernoulli(_{pi}) for each row i",
                "logit(_{pi}) = _{Ai}+b⋅_{xi} for each row i",
                "_{Ai} = a+_{aactor[i]} for each row i",
                "_{aactor} ∼ Normal(0,_{σactor}) for each actor",
                "a,b ∼ Normal(0,10)",
                "_{σactor} ∼ HalfCauchy(1)",
            ]
        );
    }

    #[test]
    fn brackets_stand_where_meaning_needs_them() {
        let lines = plain("d = (a + b)*c - (e - f)\ng = (a + b)/2\nh = -(a + b)^2", &[]);
        assert_eq!(
            lines,
            [
                "d = (a+b)⋅c\u{2212}(e\u{2212}f)",
                "g = frac{a+b2}",
                "h = \u{2212}(a+b)2",
            ]
        );
    }

    #[test]
    fn correlated_effects_are_a_vector() {
        let lines = plain(
            "[a, b][g] ~ MVNormal([m, 0], tau, Rho)\ntau[2] ~ Exponential(1)\nRho ~ LKJ(2)\nd = r[\"x\"]",
            &["g"],
        );
        assert_eq!(
            lines,
            [
                "[_{ag},_{bg}] ∼ MVNormal([m,0],τ,Rho) for each g",
                "τ ∼ Exponential(1) for each of 2 elements",
                "Rho ∼ LKJ(2)",
                "d = _{rx}",
            ]
        );
    }

    #[test]
    fn truncation_is_told_and_hints_are_not() {
        let lines = plain("tau[g] ~ Normal(1, 2) T(0, ) @noncentered", &["g"]);
        assert_eq!(
            lines,
            ["_{τg} ∼ Normal(1,2)\u{a0}truncated to\u{a0}(0,∞) for each g"]
        );
    }

    #[test]
    fn names_stay_text() {
        let html = equations("y ~ Normal(`<b>`, 1)", &["y", "<b>"]).expect("a model");
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
    }
}
