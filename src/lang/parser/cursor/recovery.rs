//! Where a statement that was given up ends: forgotten brackets, and the place where parsing goes on.

use super::{Bracket, Cursor, DECLARATIONS, is_word};
use crate::lang::lexer::TokenKind;
use crate::lang::span::Span;

impl Cursor<'_> {
    /// The innermost open bracket, if the next token shows that it was forgotten: the text has ended, or a later line
    /// reads like a new statement. With it the place where it should have been closed at the latest.
    pub(in crate::lang::parser) fn unclosed(&self) -> Option<(Bracket, Span)> {
        let bracket = *self.brackets.last()?;
        let next = self.next();
        if *self.peek() == TokenKind::End {
            return Some((bracket, Span::at(self.end_of_last())));
        }
        let line = self.line_start(bracket.token, next)?;
        if !self.begins_statement(line) {
            return None;
        }
        // The comma at the end of a line of an `alist(` comes after the bracket.
        let mut before = self.tokens[..line].iter().rev();
        let last = before.find(|token| !matches!(token.kind, TokenKind::Newline | TokenKind::Sign(",")))?;
        Some((bracket, Span::at(last.span.end)))
    }

    /// The first token of the line that holds token `token`, if that line begins after token `from`.
    fn line_start(&self, from: usize, token: usize) -> Option<usize> {
        let mut before = self.tokens[from..token].iter();
        let newline = before.rposition(|token| token.kind == TokenKind::Newline)?;
        Some(from + newline + 1)
    }

    /// Whether the line that begins at `line` reads like a statement of its own rather than a line that goes on.
    fn begins_statement(&self, line: usize) -> bool {
        let rest = &self.tokens[line..];
        let length = rest
            .iter()
            .position(|token| matches!(token.kind, TokenKind::Newline | TokenKind::End))
            .unwrap_or(rest.len());
        let tokens = &rest[..length];
        let declares = tokens.len() > 1
            && DECLARATIONS.iter().any(|word| is_word(&tokens[0], word))
            && matches!(tokens[1].kind, TokenKind::Name { .. });
        if declares {
            return true;
        }
        let mut depth = 0_i64;
        let mut assigns = false;
        for token in tokens {
            match token.kind {
                TokenKind::Sign("(" | "[") => depth += 1,
                TokenKind::Sign(")" | "]") => depth -= 1,
                TokenKind::Sign("~" | "<-") if depth == 0 => return true,
                TokenKind::Sign("=") if depth == 0 => assigns = true,
                TokenKind::Sign(_)
                | TokenKind::Name { .. }
                | TokenKind::Number(_)
                | TokenKind::Text(_)
                | TokenKind::Newline
                | TokenKind::End
                | TokenKind::Bad => {}
            }
            if depth < 0 {
                return false;
            }
        }
        // `sd = 2,` and `sd = 2)` are arguments of a call that goes on.
        let goes_on = tokens
            .last()
            .is_some_and(|token| token.kind == TokenKind::Sign(","));
        assigns && depth == 0 && !goes_on
    }

    /// Moves to where the next statement begins, after the one that began at token `start` was given up.
    pub(in crate::lang::parser) fn recover(&mut self, start: usize) {
        let failed = self.next();
        self.brackets.clear();
        if let Some(line) = self.line_start(start, failed)
            && self.begins_statement(line)
        {
            self.at = line;
            return;
        }
        let mut depth = 0_i64;
        for token in start..self.tokens.len() {
            match self.tokens[token].kind {
                TokenKind::Sign("(" | "[") => depth += 1,
                TokenKind::Sign(")" | "]") => depth -= 1,
                TokenKind::Sign(_)
                | TokenKind::Name { .. }
                | TokenKind::Number(_)
                | TokenKind::Text(_)
                | TokenKind::Newline
                | TokenKind::End
                | TokenKind::Bad => {}
            }
            let stops = match self.tokens[token].kind {
                TokenKind::End => true,
                // The bracket that closes the list.
                TokenKind::Sign(")") => self.in_list && depth < 0,
                TokenKind::Sign(",") => self.in_list && depth == 0 && token >= failed,
                TokenKind::Newline => token >= failed && (depth <= 0 || self.begins_statement(token + 1)),
                TokenKind::Sign(_)
                | TokenKind::Name { .. }
                | TokenKind::Number(_)
                | TokenKind::Text(_)
                | TokenKind::Bad => false,
            };
            if stops {
                self.at = token;
                return;
            }
        }
    }
}
