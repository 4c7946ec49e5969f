//! `glm` lines: formulae in the manner of lme4 and brms.

use super::super::ast::{Glm, GroupJoin, Name, Term, TermKind};
use super::super::lexer::TokenKind;
use super::super::report::Report;
use super::{Parse, Parser};

const EXAMPLE: &str = "a formula reads `glm y | trials(n) ~ 1 + x + (1 | g) family binomial link logit`";

impl Parser<'_> {
    /// What follows the word `glm`.
    pub(super) fn formula(&mut self) -> Parse<Glm> {
        self.no_wrapper()?;
        let response = self.expression()?;
        let mut additions = Vec::new();
        if self.cursor.take("|").is_some() {
            loop {
                let name = self.expect_name("an addition such as `trials(n)`", EXAMPLE)?;
                additions.push(self.call(name)?);
                if self.cursor.take("+").is_none() {
                    break;
                }
            }
        }
        self.expect("~", EXAMPLE)?;
        let terms = self.terms(true)?;
        let mut family: Option<Name> = None;
        let mut link: Option<Name> = None;
        loop {
            if self.cursor.sees_word("family") && family.is_none() {
                self.cursor.advance();
                let name = self.expect_name("the name of a family", EXAMPLE)?;
                self.no_arguments(&name)?;
                family = Some(name);
            } else if self.cursor.sees_word("link") && link.is_none() {
                self.cursor.advance();
                link = Some(self.expect_name("the name of a link", EXAMPLE)?);
            } else {
                break;
            }
        }
        Ok(Glm {
            response,
            additions,
            terms,
            family,
            link,
        })
    }

    /// Stops at `bf( … )`, in which brms has its formulae.
    fn no_wrapper(&mut self) -> Parse<()> {
        let wrapper = self
            .cursor
            .word()
            .filter(|word| matches!(*word, "bf" | "brmsformula" | "formula"));
        let Some(wrapper) = wrapper.filter(|_| self.cursor.sees_at(1, "(")) else {
            return Ok(());
        };
        let title = format!("a formula stands without `{wrapper}( … )`");
        let report = Report::error(title, self.cursor.place(), "not expected").with_help(
            "write `y ~ x + (1 | g)`; a model has one formula, and its other parameters are constant",
        );
        Err(self.stop(report))
    }

    /// Stops at the brackets of `binomial()` or `binomial(link = "probit")`, as R has them.
    fn no_arguments(&mut self, family: &Name) -> Parse<()> {
        if !self.cursor.sees("(") {
            return Ok(());
        }
        let family = &family.text;
        let report = Report::error(
            "a family is a name without brackets",
            self.cursor.place(),
            "not expected",
        )
        .with_help(format!(
            "write `family {family}`; a link other than the family's own stands behind it, `family {family} link …`"
        ));
        Err(self.stop(report))
    }

    /// Terms joined by `+` and `-`; groups only where `groups`.
    fn terms(&mut self, groups: bool) -> Parse<Vec<Term>> {
        let mut terms = Vec::new();
        let mut minus = self.cursor.take("-").is_some();
        loop {
            terms.push(self.term(minus, groups)?);
            minus = self.cursor.sees("-");
            if !minus && !self.cursor.sees("+") {
                return Ok(terms);
            }
            self.cursor.advance();
        }
    }

    fn term(&mut self, minus: bool, groups: bool) -> Parse<Term> {
        if groups && *self.cursor.peek() == TokenKind::Sign("(") && self.cursor.sees_group() {
            return self.group(minus);
        }
        let mut factors = vec![self.factor()?];
        while self.cursor.take(":").is_some() {
            factors.push(self.factor()?);
        }
        let first = factors[0].span;
        let span = factors.iter().fold(first, |span, factor| span.to(factor.span));
        Ok(Term {
            minus,
            kind: TermKind::Population(factors),
            span,
        })
    }

    fn group(&mut self, minus: bool) -> Parse<Term> {
        let open = self.expect("(", EXAMPLE)?;
        let terms = self.terms(false)?;
        let correlated = self.cursor.take("|").is_some();
        if !correlated {
            self.expect("||", EXAMPLE)?;
        }
        let mut factors = vec![self.expect_name("a grouping column", EXAMPLE)?];
        let mut joins = Vec::new();
        loop {
            if self.cursor.take(":").is_some() {
                joins.push(GroupJoin::Cross);
            } else if self.cursor.take("/").is_some() {
                joins.push(GroupJoin::Nest);
            } else {
                break;
            }
            factors.push(self.expect_name("a grouping column", EXAMPLE)?);
        }
        let close = self.close(")")?;
        Ok(Term {
            minus,
            kind: TermKind::Group {
                terms,
                correlated,
                factors,
                joins,
            },
            span: open.to(close),
        })
    }
}
