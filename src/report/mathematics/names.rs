//! How names are written in mathematics, and which of them have a value for each row.

use std::collections::BTreeSet;

use crate::lang::ast::{Expr, ExprKind, Model, StatementKind, Sub, Targets};

/// Greek letters by name, as they are written.
const GREEK: [(&str, &str); 34] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("Upsilon", "Υ"),
];

/// The names of a model text.
pub(super) struct Names<'a> {
    columns: BTreeSet<&'a str>,
    /// What has a value for each row: columns, indices, and what is defined from them.
    of_rows: BTreeSet<String>,
    /// Names that stand left with subscripts.
    subscripted: BTreeSet<String>,
}

impl<'a> Names<'a> {
    /// The names of `model`, which uses `columns` of its data.
    pub(super) fn of(model: &Model, columns: &[&'a str]) -> Self {
        let columns: BTreeSet<&str> = columns.iter().copied().collect();
        let mut of_rows: BTreeSet<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        of_rows.insert("row".to_owned());
        let mut subscripted = BTreeSet::new();
        let mut definitions = Vec::new();
        for statement in &model.statements {
            match &statement.kind {
                StatementKind::Index(index) => {
                    of_rows.insert(index.name.text.clone());
                }
                StatementKind::Stochastic(line) => match &line.targets {
                    Targets::Separate(vars) => {
                        let with_subs = vars.iter().filter(|var| !var.subs.is_empty());
                        subscripted.extend(with_subs.map(|var| var.name.text.clone()));
                    }
                    Targets::Joint(joint) if joint.subs.is_empty() => {}
                    Targets::Joint(joint) => {
                        subscripted.extend(joint.names.iter().map(|name| name.text.clone()));
                    }
                },
                StatementKind::Definition(line) if line.target.subs.is_empty() => {
                    definitions.push((line.target.name.text.clone(), &line.value));
                }
                StatementKind::Definition(line) => {
                    subscripted.insert(line.target.name.text.clone());
                }
                StatementKind::Table(_)
                | StatementKind::DropMissing(_)
                | StatementKind::Setting(_)
                | StatementKind::Glm(_) => {}
            }
        }
        // Definitions stand in any order; each pass reaches at least one more.
        loop {
            let before = of_rows.len();
            for (name, value) in &definitions {
                if varies(value, &of_rows) {
                    of_rows.insert(name.clone());
                }
            }
            if of_rows.len() == before {
                break;
            }
        }
        Self {
            columns,
            of_rows,
            subscripted,
        }
    }

    /// Whether a name has a value for each row.
    pub(super) fn is_of_rows(&self, name: &str) -> bool {
        self.of_rows.contains(name)
    }

    /// What a name is written as, and its own subscript: `sigma_actor` is σ with the subscript actor. Columns are
    /// written as they are, and so are words.
    pub(super) fn parts<'n>(&self, name: &'n str) -> (String, Option<&'n str>) {
        let greek = |word: &str| {
            GREEK
                .iter()
                .find(|(known, _)| *known == word)
                .map(|(_, sign)| (*sign).to_owned())
        };
        if self.columns.contains(name) {
            return (name.to_owned(), None);
        }
        let (head, tail) = match name.split_once('_') {
            Some((head, tail)) if !head.is_empty() && !tail.is_empty() => (head, Some(tail)),
            Some(_) | None => {
                let letters = name.trim_end_matches(|sign: char| sign.is_ascii_digit());
                match &name[letters.len()..] {
                    "" => (name, None),
                    digits => (letters, Some(digits)),
                }
            }
        };
        match (greek(head), tail) {
            (Some(sign), tail) => (sign, tail),
            (None, Some(tail)) if head.chars().count() <= 2 && !head.is_empty() => {
                (head.to_owned(), Some(tail))
            }
            (None, _) => (name.to_owned(), None),
        }
    }

    /// Whether a name's own subscript is its index, which then says it: `a_actor[actor]`. Not where `a[…]` is another
    /// quantity.
    pub(super) fn is_said_by(&self, name: &str, tail: &str, subs: &[Sub]) -> bool {
        let head = name.strip_suffix(tail).unwrap_or(name).trim_end_matches('_');
        match subs {
            [sub] => {
                let is_own = matches!(&sub.low.kind, ExprKind::Name(index) if index == tail);
                is_own && sub.high.is_none() && !self.subscripted.contains(head)
            }
            _ => false,
        }
    }
}

/// Whether an expression has a value for each row, where those names have.
fn varies(expr: &Expr, of_rows: &BTreeSet<String>) -> bool {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => false,
        ExprKind::Name(name) => of_rows.contains(name),
        ExprKind::Indexed(_, subs) => subs
            .iter()
            .any(|sub| sub.high.is_none() && varies(&sub.low, of_rows)),
        ExprKind::Call(call) => {
            // These make one number of all rows.
            !matches!(call.name.text.as_str(), "mean" | "sd" | "sum")
                && call.args.iter().any(|arg| varies(&arg.value, of_rows))
        }
        ExprKind::Unary(_, operand) => varies(operand, of_rows),
        ExprKind::Binary(_, left, right) => varies(left, of_rows) || varies(right, of_rows),
        ExprKind::Vector(elements) => elements.iter().any(|one| varies(one, of_rows)),
    }
}
