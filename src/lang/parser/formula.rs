//! `glm` lines: formulae in the manner of lme4 and brms.

use super::super::ast::{Glm, GroupJoin, Name, Term, TermKind};
use super::super::lexer::TokenKind;
use super::{Parse, Parser};

const EXAMPLE: &str = "a formula reads `glm y | trials(n) ~ 1 + x + (1 | g) family binomial link logit`";

impl Parser<'_> {
    /// What follows the word `glm`.
    pub(super) fn formula(&mut self) -> Parse<Glm> {
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
                family = Some(self.expect_name("the name of a family", EXAMPLE)?);
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
