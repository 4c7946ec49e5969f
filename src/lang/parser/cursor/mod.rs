//! A cursor over tokens that knows which brackets are open, hence where lines end.

mod recovery;

use crate::lang::ast::Name;
use crate::lang::lexer::{Token, TokenKind};
use crate::lang::report::quoted;
use crate::lang::span::Span;

/// Words that begin a declaration when a name follows.
pub(super) const DECLARATIONS: [&str; 5] = ["index", "table", "drop_missing", "option", "glm"];
/// The book's functions that fit a model.
const FITTING: [&str; 4] = ["ulam", "quap", "map", "map2stan"];

/// An open bracket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bracket {
    token: usize,
    span: Span,
    square: bool,
}

impl Bracket {
    pub(super) fn span(self) -> Span {
        self.span
    }

    /// The bracket and its partner.
    pub(super) fn signs(self) -> (&'static str, &'static str) {
        if self.square { ("[", "]") } else { ("(", ")") }
    }
}

pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Ends with `End`.
    tokens: Vec<Token>,
    at: usize,
    brackets: Vec<Bracket>,
    /// Inside `alist( … )`, where line ends are blanks and commas part the statements.
    in_list: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, tokens: Vec<Token>) -> Self {
        Self {
            text,
            tokens,
            at: 0,
            brackets: Vec::new(),
            in_list: false,
        }
    }

    /// The token that comes next: line ends do not count inside brackets.
    fn next(&self) -> usize {
        let mut next = self.at;
        if self.in_list || !self.brackets.is_empty() {
            while self.tokens[next].kind == TokenKind::Newline {
                next += 1;
            }
        }
        next
    }

    /// The token `offset` places after the next one, line ends counted.
    fn kind(&self, offset: usize) -> &TokenKind {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.next() + offset).min(last)].kind
    }

    /// A mark for [`Cursor::recover`].
    pub(super) fn position(&self) -> usize {
        self.next()
    }

    /// Moves behind the next token.
    pub(super) fn advance(&mut self) -> Span {
        let next = self.next();
        let token = &self.tokens[next];
        let span = token.span;
        match token.kind {
            TokenKind::Sign(sign @ ("(" | "[")) => self.brackets.push(Bracket {
                token: next,
                span,
                square: sign == "[",
            }),
            TokenKind::Sign(")" | "]") => {
                self.brackets.pop();
            }
            TokenKind::End => return span,
            TokenKind::Sign(_)
            | TokenKind::Name { .. }
            | TokenKind::Number(_)
            | TokenKind::Text(_)
            | TokenKind::Newline
            | TokenKind::Bad => {}
        }
        self.at = next + 1;
        span
    }

    pub(super) fn skip_newlines(&mut self) {
        while self.tokens[self.at].kind == TokenKind::Newline {
            self.at += 1;
        }
    }

    pub(super) fn peek(&self) -> &TokenKind {
        self.kind(0)
    }

    /// Whether `sign` comes next.
    pub(super) fn sees(&self, sign: &str) -> bool {
        self.sees_at(0, sign)
    }

    /// Whether `sign` comes `offset` tokens after the next one.
    pub(super) fn sees_at(&self, offset: usize, sign: &str) -> bool {
        matches!(self.kind(offset), TokenKind::Sign(found) if *found == sign)
    }

    /// Whether a name comes `offset` tokens after the next one.
    pub(super) fn sees_name_at(&self, offset: usize) -> bool {
        matches!(self.kind(offset), TokenKind::Name { .. })
    }

    /// Whether the word `word`, not in backticks, comes next.
    pub(super) fn sees_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    /// The name that comes next, if it is not in backticks.
    pub(super) fn word(&self) -> Option<&str> {
        match self.peek() {
            TokenKind::Name { text, quoted: false } => Some(text),
            TokenKind::Name { .. }
            | TokenKind::Number(_)
            | TokenKind::Text(_)
            | TokenKind::Sign(_)
            | TokenKind::Newline
            | TokenKind::End
            | TokenKind::Bad => None,
        }
    }

    pub(super) fn sees_end(&self) -> bool {
        *self.peek() == TokenKind::End
    }

    pub(super) fn sees_bad(&self) -> bool {
        *self.peek() == TokenKind::Bad
    }

    pub(super) fn sees_line_end(&self) -> bool {
        self.sees_line_end_at(0)
    }

    /// Whether a line ends `offset` tokens after the next one.
    pub(super) fn sees_line_end_at(&self, offset: usize) -> bool {
        matches!(self.kind(offset), TokenKind::Newline | TokenKind::End)
    }

    /// Whether the next token stands on a later line than the one before it.
    pub(super) fn next_is_on_new_line(&self) -> bool {
        self.next() > self.at
    }

    pub(super) fn in_list(&self) -> bool {
        self.in_list
    }

    /// Takes `sign` if it comes next.
    pub(super) fn take(&mut self, sign: &str) -> Option<Span> {
        self.sees(sign).then(|| self.advance())
    }

    /// Takes the word `word` if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> Option<Span> {
        self.sees_word(word).then(|| self.advance())
    }

    /// Takes a name, in backticks or not, if one comes next.
    pub(super) fn take_name(&mut self) -> Option<Name> {
        if let TokenKind::Name { text, .. } = self.peek() {
            let text = text.clone();
            let span = self.advance();
            return Some(Name { text, span });
        }
        None
    }

    /// Where the last token taken ends.
    pub(super) fn end_of_last(&self) -> usize {
        let before = self.tokens[..self.at].iter().rev();
        let mut solid = before.filter(|token| token.kind != TokenKind::Newline);
        solid.next().map_or(0, |token| token.span.end)
    }

    /// The place of the next token; for a line end, right after the last token of the line.
    pub(super) fn place(&self) -> Span {
        match self.peek() {
            TokenKind::Newline | TokenKind::End => Span::at(self.end_of_last()),
            TokenKind::Name { .. }
            | TokenKind::Number(_)
            | TokenKind::Text(_)
            | TokenKind::Sign(_)
            | TokenKind::Bad => self.tokens[self.next()].span,
        }
    }

    /// Whether the next token follows the last one without a blank.
    pub(super) fn next_is_attached(&self) -> bool {
        self.tokens[self.next()].span.start == self.end_of_last()
    }

    /// The next token in words.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            TokenKind::Newline => "the end of the line".to_owned(),
            TokenKind::End => "the end of the model".to_owned(),
            TokenKind::Name { .. }
            | TokenKind::Number(_)
            | TokenKind::Text(_)
            | TokenKind::Sign(_)
            | TokenKind::Bad => quoted(self.tokens[self.next()].span.of(self.text)),
        }
    }

    /// Whether `sign` occurs before the end of the line.
    pub(super) fn line_has(&self, sign: &str) -> bool {
        self.tokens[self.at..]
            .iter()
            .take_while(|token| token.kind != TokenKind::Newline)
            .any(|token| matches!(token.kind, TokenKind::Sign(found) if found == sign))
    }

    /// Whether the bracket that comes next holds a `|` or `||` of its own, as group effects do.
    pub(super) fn sees_group(&self) -> bool {
        let mut depth = 0_usize;
        for token in &self.tokens[self.next()..] {
            match token.kind {
                TokenKind::Sign("(" | "[") => depth += 1,
                TokenKind::Sign(")" | "]") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return false;
                    }
                }
                TokenKind::Sign("|" | "||") if depth == 1 => return true,
                TokenKind::Sign(_)
                | TokenKind::Name { .. }
                | TokenKind::Number(_)
                | TokenKind::Text(_)
                | TokenKind::Newline
                | TokenKind::Bad => {}
                TokenKind::End => return false,
            }
        }
        false
    }

    /// Takes `alist(`, also with a name for it in front (`flist <- alist(`), and gives its span.
    pub(super) fn open_list(&mut self) -> Option<Span> {
        let offset = self.after_assignment();
        let word = self.tokens[self.next()..].get(offset)?;
        if !is_word(word, "alist") || !self.sees_at(offset + 1, "(") {
            return None;
        }
        let start = word.span.start;
        for _ in 0..=offset {
            self.advance();
        }
        let open = self.advance();
        self.brackets.clear();
        self.in_list = true;
        Some(Span::new(start, open.end))
    }

    /// Takes the `)` of an `alist(`.
    pub(super) fn close_list(&mut self) {
        self.advance();
        self.in_list = false;
    }

    /// The span of a call of `ulam` and the like that comes next, up to its bracket.
    pub(super) fn fitting_call(&self) -> Option<Span> {
        let offset = self.after_assignment();
        let word = self.tokens[self.next()..].get(offset)?;
        let known = FITTING.iter().any(|name| is_word(word, name));
        (known && self.sees_at(offset + 1, "(")).then_some(word.span)
    }

    /// 2 if `name <-` comes next, else 0.
    fn after_assignment(&self) -> usize {
        let assigned = self.sees_name_at(0) && (self.sees_at(1, "<-") || self.sees_at(1, "="));
        if assigned { 2 } else { 0 }
    }
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, TokenKind::Name { text, quoted: false } if text == word)
}
