//! What may follow a distribution: truncation, censoring, weights and hints.

use super::super::ast::{Hint, Modifier, ModifierKind};
use super::super::nearest::nearest;
use super::super::report::{Report, quoted};
use super::super::span::Span;
use super::statement::listed;
use super::{Parse, Parser};

impl Parser<'_> {
    pub(super) fn modifiers(&mut self) -> Parse<Vec<Modifier>> {
        let mut modifiers: Vec<Modifier> = Vec::new();
        loop {
            let start = self.cursor.place();
            let known = ["T", "cens", "weight"]
                .into_iter()
                .any(|word| self.cursor.sees_word(word));
            // In an `alist(` a name on a new line begins a statement.
            let kind = if self.cursor.sees("@") {
                self.hint()?
            } else if self.cursor.sees_name_at(0) && (known || !self.cursor.next_is_on_new_line()) {
                self.named_modifier()?
            } else {
                return Ok(modifiers);
            };
            let span = Span::new(start.start, self.cursor.end_of_last());
            let same =
                |other: &&Modifier| std::mem::discriminant(&other.kind) == std::mem::discriminant(&kind);
            if let Some(first) = modifiers.iter().find(same) {
                let report = Report::error("modifier given twice", span, "second one")
                    .with_label(first.span, "first one")
                    .with_help("keep one of them");
                return Err(self.stop(report));
            }
            modifiers.push(Modifier { kind, span });
        }
    }

    fn hint(&mut self) -> Parse<ModifierKind> {
        let at = self.cursor.advance();
        let words = Hint::ALL.map(Hint::word);
        let spelled = listed(&words.map(|word| format!("@{word}")));
        let help = format!("hints are {spelled}");
        let name = self.expect_name("a hint", &help)?;
        let Some(hint) = Hint::ALL.into_iter().find(|hint| hint.word() == name.text) else {
            let help = nearest(&name.text, words).map_or(help, |near| format!("did you mean `@{near}`?"));
            let title = format!("unknown hint {}", quoted(&format!("@{}", name.text)));
            let label = format!("expected {spelled}");
            return Err(self.stop(Report::error(title, at.to(name.span), label).with_help(help)));
        };
        if self.cursor.sees("(") {
            let help = format!("write `@{}` alone", hint.word());
            return Err(self.fail("the end of the line", &help));
        }
        Ok(ModifierKind::Hint(hint))
    }

    fn named_modifier(&mut self) -> Parse<ModifierKind> {
        const BOUNDS: &str = "truncation reads `T(lower, upper)`; either may be left out: `T(0, )`";
        const CENSORING: &str = "censoring reads `cens(column)` or `cens(column, upper)`";
        const WEIGHT: &str = "a weight reads `weight(column)`";
        let name = self.expect_name("a modifier", BOUNDS)?;
        match name.text.as_str() {
            "T" => {
                let open = self.expect("(", BOUNDS)?;
                let lower = if self.cursor.sees(",") {
                    None
                } else {
                    Some(self.expression()?)
                };
                self.expect(",", BOUNDS)?;
                let upper = if self.cursor.sees(")") {
                    None
                } else {
                    Some(self.expression()?)
                };
                let close = self.close(")")?;
                if lower.is_none() && upper.is_none() {
                    let report = Report::error(
                        "truncation without a bound",
                        open.to(close),
                        "expected at least one bound",
                    )
                    .with_help(BOUNDS);
                    return Err(self.stop(report));
                }
                Ok(ModifierKind::Truncation { lower, upper })
            }
            "cens" => {
                self.expect("(", CENSORING)?;
                let kind = self.expression()?;
                let upper = match self.cursor.take(",") {
                    Some(_) => Some(self.expression()?),
                    None => None,
                };
                self.close(")")?;
                Ok(ModifierKind::Censoring { kind, upper })
            }
            "weight" => {
                self.expect("(", WEIGHT)?;
                let weight = self.expression()?;
                self.close(")")?;
                Ok(ModifierKind::Weight(weight))
            }
            other => {
                let near = nearest(other, ["T", "cens", "weight", "centered", "noncentered", "auto"]);
                let help = match near {
                    Some(near @ ("centered" | "noncentered" | "auto")) => format!("hints begin with `@`: `@{near}`"),
                    Some(near) => format!("did you mean `{near}( … )`?"),
                    None => "after the distribution may come `T(lower, upper)`, `cens( … )`, `weight( … )`, `@centered`, `@noncentered` or `@auto`; other relations stand on lines of their own".to_owned(),
                };
                let title = format!("unknown modifier {}", quoted(other));
                let label = "expected a modifier or the end of the line";
                Err(self.stop(Report::error(title, name.span, label).with_help(help)))
            }
        }
    }
}
