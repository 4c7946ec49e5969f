//! Model text to tokens. Characters that belong to no token are reported here and stand as [`TokenKind::Bad`].

use super::mistaken::{CURLY, MISTAKEN};
use super::report::{Report, quoted};
use super::span::Span;

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it stands.
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name; `quoted` if it stood in backticks, so that it is no keyword.
    Name { text: String, quoted: bool },
    /// A finite number without sign.
    Number(f64),
    /// A text, without quotes, escapes resolved.
    Text(String),
    /// An operator, a bracket or a separator.
    Sign(&'static str),
    /// The end of a line that does not go on with `\`.
    Newline,
    /// The end of the text.
    End,
    /// Something already reported.
    Bad,
}

/// Every sign, longer ones before those that they begin with.
const SIGNS: [&str; 28] = [
    "<-", "<=", ">=", "==", "!=", "&&", "||", "(", ")", "[", "]", ",", ":", "~", "=", "+", "-", "*", "/",
    "%", "^", "<", ">", "!", "|", "@", "{", "}",
];

/// Splits `text` into tokens; the last one is `End`.
pub(super) fn tokenize(text: &str) -> (Vec<Token>, Vec<Report>) {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
        reports: Vec::new(),
    };
    lexer.run();
    (lexer.tokens, lexer.reports)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    reports: Vec<Report>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn run(&mut self) {
        if self.rest().starts_with('\u{feff}') {
            self.at += '\u{feff}'.len_utf8();
        }
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\n' | '\r' => self.push(TokenKind::Newline, 1),
                '#' => self.at += line_length(self.rest()),
                '\\' => self.continuation(),
                '"' | '\'' => self.label(c),
                '`' => self.quoted_name(),
                _ if c.is_whitespace() => self.at += c.len_utf8(),
                _ if starts_number(self.rest()) => self.number(),
                _ if starts_name(c) => self.name(),
                _ => self.sign(c),
            }
        }
        self.push(TokenKind::End, 0);
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.tokens.push(Token { kind, span });
        self.at += length;
    }

    /// Puts a `Bad` in the place of `length` bytes; reports the first one of a line.
    fn bad(&mut self, length: usize, report: impl FnOnce(Span) -> Report) {
        let mut line = self
            .tokens
            .iter()
            .rev()
            .take_while(|token| token.kind != TokenKind::Newline);
        if !line.any(|token| token.kind == TokenKind::Bad) {
            self.reports.push(report(Span::new(self.at, self.at + length)));
        }
        self.push(TokenKind::Bad, length);
    }

    fn continuation(&mut self) {
        let after = self.rest()[1..].trim_start_matches(|c: char| c.is_whitespace() && !ends_line(c));
        if after.is_empty() || after.starts_with('#') || after.starts_with(ends_line) {
            self.at += line_length(self.rest());
            if self.rest().starts_with("\r\n") {
                self.at += 2;
            } else if !self.rest().is_empty() {
                self.at += 1;
            }
        } else {
            self.bad(1, |span| {
                Report::error("stray `\\`", span, "only allowed at the end of a line")
                    .with_help("a `\\` at the end of a line lets the relation go on in the next line; elsewhere remove it")
            });
        }
    }

    fn label(&mut self, quote: char) {
        let rest = self.rest();
        let mut content = String::new();
        let mut chars = rest.char_indices().skip(1).take_while(|(_, c)| !ends_line(*c));
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.push(TokenKind::Text(content), at + 1);
                return;
            }
            if c != '\\' {
                content.push(c);
                continue;
            }
            match chars.next() {
                Some((_, escaped @ ('\\' | '"' | '\''))) => content.push(escaped),
                Some((_, 'n')) => content.push('\n'),
                Some((_, 'r')) => content.push('\r'),
                Some((_, 't')) => content.push('\t'),
                Some(_) | None => {
                    self.bad(line_length(rest), |span| {
                        let escape = Span::new(span.start + at, span.start + at + 1);
                        Report::error(
                            "unknown escape in a text",
                            escape,
                            "expected `\\\\`, `\\\"`, `\\'`, `\\n`, `\\r` or `\\t`",
                        )
                        .with_help("write a backslash twice to have one in the label")
                    });
                    return;
                }
            }
        }
        self.bad(rest[..line_length(rest)].trim_end().len(), |span| {
            Report::error(
                "unclosed text",
                span,
                format!("expected `{quote}` before the end of the line"),
            )
            .with_help(format!("close the text with `{quote}`"))
        });
    }

    fn quoted_name(&mut self) {
        let rest = self.rest();
        let end = rest[1..].find(|c| c == '`' || ends_line(c));
        match end.filter(|length| rest[1 + length..].starts_with('`')) {
            Some(0) => self.bad(2, |span| {
                Report::error("empty name", span, "expected a name between the backticks")
                    .with_help("write the column's name as it stands in the table's head")
            }),
            Some(length) => {
                let text = rest[1..=length].to_owned();
                self.push(TokenKind::Name { text, quoted: true }, length + 2);
            }
            None => self.bad(rest[..line_length(rest)].trim_end().len(), |span| {
                Report::error(
                    "unclosed name",
                    span,
                    "expected a closing backtick before the end of the line",
                )
                .with_help("a name in backticks ends with a backtick: `` `IQ verb` ``")
            }),
        }
    }

    fn number(&mut self) {
        let length = number_length(self.rest());
        let digits = &self.rest()[..length];
        // `str::parse` reads every such text, and gives infinity for those beyond f64.
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => self.push(TokenKind::Number(value), length),
            Ok(_) | Err(_) => self.bad(length, |span| {
                Report::error(
                    "number out of range",
                    span,
                    "larger than the largest double, 1.8e308",
                )
                .with_help("rescale the data or write a smaller number")
            }),
        }
    }

    fn name(&mut self) {
        let rest = self.rest();
        let length = rest.find(|c: char| !continues_name(c)).unwrap_or(rest.len());
        let text = rest[..length].to_owned();
        self.push(TokenKind::Name { text, quoted: false }, length);
    }

    fn sign(&mut self, c: char) {
        let rest = self.rest();
        let mistaken = MISTAKEN.iter().find(|(text, _)| rest.starts_with(text));
        let known = SIGNS.iter().find(|sign| rest.starts_with(**sign));
        match (known, mistaken) {
            (Some(sign), None) => self.push(TokenKind::Sign(sign), sign.len()),
            // `a && b` begins with `&`, but is no mistake; `a ** b` begins with `*`, but is one.
            (Some(sign), Some((text, _))) if sign.len() > text.len() => {
                self.push(TokenKind::Sign(sign), sign.len());
            }
            (_, Some((text, instead))) => self.bad(text.len(), |span| {
                Report::error(
                    format!("`{text}` is not part of the model language"),
                    span,
                    "not expected here",
                )
                .with_help(*instead)
            }),
            (None, None) => self.unknown(c),
        }
    }

    /// Reports a run of characters that begin no token.
    fn unknown(&mut self, first: char) {
        let rest = self.rest();
        let length = match rest
            .find(|c: char| c.is_whitespace() || c.is_ascii() && !c.is_control() || starts_name(c))
        {
            // A single ASCII character such as `.`: the only kind that may come first and ends a run.
            Some(0) => 1,
            Some(length) => length,
            None => rest.len(),
        };
        let text = &rest[..length];
        let help = if CURLY.contains(&first) {
            "write straight quotes: `\"lefty\"`".to_owned()
        } else if first.is_control() {
            "save the model as plain UTF-8 text".to_owned()
        } else {
            format!(
                "remove it (U+{:04X}); names that contain it stand in backticks",
                u32::from(first)
            )
        };
        let title = format!("unexpected character {}", quoted(text));
        self.bad(length, |span| {
            Report::error(title, span, "not part of the model language").with_help(help)
        });
    }
}

/// Bytes up to the end of the line, the line end excluded.
fn line_length(text: &str) -> usize {
    text.find(ends_line).unwrap_or(text.len())
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Whether a plain name may begin with `c`.
pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether `c` may stand in a plain name after its first character.
pub(super) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

fn starts_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes[0].is_ascii_digit() || bytes[0] == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit)
}

/// Bytes of the number that `text` begins with: digits, point, digits, exponent.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length += 1;
        length += digits(length);
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let (tokens, reports) = tokenize(text);
        assert_eq!(reports, []);
        tokens.into_iter().map(|token| token.kind).collect()
    }

    fn name(text: &str) -> TokenKind {
        TokenKind::Name {
            text: text.to_owned(),
            quoted: false,
        }
    }

    #[test]
    fn names_may_contain_dots_and_letters_of_any_script() {
        let quoted = TokenKind::Name {
            text: "IQ verb".to_owned(),
            quoted: true,
        };
        assert_eq!(
            kinds("a.b σ_1 `IQ verb`"),
            [name("a.b"), name("σ_1"), quoted, TokenKind::End]
        );
    }

    #[test]
    fn numbers_are_read_as_written() {
        let values = [12.0, 0.5, 0.5, 1e-3, 2.0, 3.0];
        let mut expected: Vec<TokenKind> = values.into_iter().map(TokenKind::Number).collect();
        expected.push(TokenKind::End);
        assert_eq!(kinds("12 0.5 .5 1e-3 2. 3E0"), expected);
        // An `e` without digits belongs to the next name.
        assert_eq!(kinds("2e"), [TokenKind::Number(2.0), name("e"), TokenKind::End]);
    }

    #[test]
    fn the_longest_sign_wins() {
        let signs = ["<-", "<=", "<", "&&", "||", "|", "==", "=", "!=", "!"].map(TokenKind::Sign);
        let mut expected = signs.to_vec();
        expected.push(TokenKind::End);
        assert_eq!(kinds("<- <= < && || | == = != !"), expected);
    }

    #[test]
    fn texts_resolve_their_escapes() {
        assert_eq!(
            kinds(r#""bob \"b\" smith" 'it\'s'"#),
            [
                TokenKind::Text("bob \"b\" smith".to_owned()),
                TokenKind::Text("it's".to_owned()),
                TokenKind::End
            ]
        );
    }

    #[test]
    fn a_trailing_backslash_joins_lines_and_a_comment_ends_with_its_line() {
        assert_eq!(kinds("a \\  # on\r\nb"), [name("a"), name("b"), TokenKind::End]);
        assert_eq!(
            kinds("a # b \\\nc"),
            [name("a"), TokenKind::Newline, name("c"), TokenKind::End]
        );
    }

    #[test]
    fn spans_cover_the_token() {
        let text = "σ ~ Normal(0, 1)";
        let (tokens, _) = tokenize(text);
        let texts: Vec<&str> = tokens.iter().map(|token| token.span.of(text)).collect();
        assert_eq!(texts, ["σ", "~", "Normal", "(", "0", ",", "1", ")", ""]);
    }

    #[test]
    fn mistaken_signs_are_reported_with_what_to_write() {
        for (text, instead) in MISTAKEN {
            let (_, reports) = tokenize(&format!("a {text} b"));
            assert_eq!(reports.len(), 1, "{text}");
            assert_eq!(reports[0].help.as_deref(), Some(instead), "{text}");
            assert_eq!(reports[0].primary.span, Span::new(2, 2 + text.len()));
        }
    }
}
