//! Recursive descent over the tokens of a model, with recovery at line ends.
//!
//! A statement that cannot be parsed is reported once and given up; parsing goes on where the next one begins, so that
//! all errors come in one go. Nesting and height are bounded, so that no text can exhaust the stack, neither here nor
//! in code that recurses over the tree.

mod cursor;
mod expression;
mod formula;
mod modifier;
mod statement;

use super::ast::{Model, Name};
use super::lexer::tokenize;
use super::report::{Report, Reports};
use super::span::Span;
use cursor::Cursor;

/// Expressions within expressions (brackets, arguments, operands) that the parser follows.
pub const MAX_NESTING: usize = 200;
/// Nodes from the root of an expression to its deepest leaf; a sum of n terms is n high.
pub const MAX_HEIGHT: usize = 400;

/// Parses a model text; `name` is the file's name as it is to be printed.
///
/// # Errors
///
/// Every syntax error of the text, in order.
pub fn parse(name: &str, text: &str) -> Result<Model, Reports> {
    let (tokens, reports) = tokenize(text);
    let mut parser = Parser {
        cursor: Cursor::new(text, tokens),
        reports,
        nesting: 0,
    };
    let model = parser.model();
    if parser.reports.is_empty() {
        Ok(model)
    } else {
        Err(Reports::new(name, text, parser.reports))
    }
}

/// The statement at hand is given up; the report is already there.
struct Stop;

type Parse<T> = Result<T, Stop>;

struct Parser<'a> {
    cursor: Cursor<'a>,
    reports: Vec<Report>,
    /// Expressions that are open at the moment.
    nesting: usize,
}

impl Parser<'_> {
    fn model(&mut self) -> Model {
        let mut statements = Vec::new();
        // The span of `alist(` while one is open.
        let mut list: Option<Span> = None;
        loop {
            self.cursor.skip_newlines();
            if self.cursor.sees_end() {
                break;
            }
            if let Some(open) = list {
                if self.cursor.take(",").is_some() {
                    continue;
                }
                if self.cursor.sees(")") {
                    self.cursor.close_list();
                    list = None;
                    self.after_list(open);
                    continue;
                }
            } else if self.fitting_call() {
                break;
            } else if let Some(open) = self.cursor.open_list() {
                list = Some(open);
                continue;
            }
            let start = self.cursor.position();
            self.nesting = 0;
            match self.statement() {
                Ok(statement) => statements.push(statement),
                Err(Stop) => self.cursor.recover(start),
            }
        }
        if let Some(open) = list {
            let report = Report::error("unclosed `alist(`", open, "this list is never closed")
                .with_help("close it with `)` after the last relation, or remove `alist(`");
            self.reports.push(report);
        }
        Model { statements }
    }

    /// After the `)` of an `alist(`: nothing but the end of the line.
    fn after_list(&mut self, open: Span) {
        if self.cursor.sees_line_end() {
            return;
        }
        let start = self.cursor.position();
        if !self.cursor.sees_bad() {
            let report = Report::error(
                format!("expected the end of the line, found {}", self.cursor.found()),
                self.cursor.place(),
                "not expected after the list",
            )
            .with_label(open, "the list that was closed")
            .with_help(
                "leave only the `alist( … )`: data and sampler settings are given on the command line",
            );
            self.reports.push(report);
        }
        self.cursor.recover(start);
    }

    /// Whether the text goes on with a call of the book's fitting functions; reports it.
    fn fitting_call(&mut self) -> bool {
        let Some(span) = self.cursor.fitting_call() else {
            return false;
        };
        let report = Report::error("this is a call of R, not a model", span, "fits the model inside it")
            .with_help("paste only the `alist( … )` inside it, or the relations alone; `tadpool fit MODEL --data CSV` does the fitting");
        self.reports.push(report);
        true
    }

    /// Gives the statement up because `expected` is not what comes next.
    fn fail(&mut self, expected: &str, help: &str) -> Stop {
        if self.cursor.sees_bad() {
            return Stop;
        }
        let report = match self.cursor.unclosed() {
            Some((bracket, place)) => {
                let (open, close) = bracket.signs();
                Report::error(
                    format!("unclosed `{open}`"),
                    bracket.span(),
                    "this bracket is never closed",
                )
                .with_label(place, format!("expected `{close}` here at the latest"))
                .with_help(format!("close it with `{close}`"))
            }
            None => Report::error(
                format!("expected {expected}, found {}", self.cursor.found()),
                self.cursor.place(),
                format!("expected {expected}"),
            )
            .with_help(help),
        };
        self.reports.push(report);
        Stop
    }

    /// Gives the statement up with a report of its own.
    fn stop(&mut self, report: Report) -> Stop {
        self.reports.push(report);
        Stop
    }

    /// Takes `sign`, or gives the statement up.
    fn expect(&mut self, sign: &'static str, help: &str) -> Parse<Span> {
        match self.cursor.take(sign) {
            Some(span) => Ok(span),
            None => Err(self.fail(&format!("`{sign}`"), help)),
        }
    }

    /// Takes a name, or gives the statement up.
    fn expect_name(&mut self, what: &str, help: &str) -> Parse<Name> {
        match self.cursor.take_name() {
            Some(name) => Ok(name),
            None => Err(self.fail(what, help)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the only statement, as it is printed.
    fn printed(text: &str) -> String {
        match parse("m.tad", text) {
            Ok(model) => model.to_string().trim_end().to_owned(),
            Err(reports) => panic!("{reports}"),
        }
    }

    #[test]
    fn operators_bind_as_in_r() {
        for (text, brackets) in [
            ("x = -a^2", "x = -(a^2)"),
            ("x = a - b - c", "x = (a - b) - c"),
            ("x = a^b^c", "x = a^(b^c)"),
            ("x = a + b * c % d", "x = a + ((b * c) % d)"),
            ("x = a || b && c == d + e", "x = a || (b && (c == (d + e)))"),
            ("x = !a == b", "x = !(a == b)"),
            ("x = 2^-a", "x = 2^(-a)"),
            ("x = +a", "x = a"),
        ] {
            let (left, right) = (parse("m", text), parse("m", brackets));
            assert_eq!(
                left.map(|m| m.to_string()).ok(),
                right.map(|m| m.to_string()).ok(),
                "{text}"
            );
        }
        assert_eq!(printed("x = (-a)^2"), "x = (-a)^2");
        assert_eq!(printed("x = a - (b - c)"), "x = a - (b - c)");
        assert_eq!(printed("x = (a < b) == c"), "x = (a < b) == c");
    }

    #[test]
    fn lines_go_on_inside_brackets_and_after_a_backslash() {
        assert_eq!(printed("a ~ Normal(\n  0,\n  1\n)"), "a ~ Normal(0, 1)");
        assert_eq!(printed("mu = a + \\\n  b"), "mu = a + b");
    }

    #[test]
    fn the_book_s_spellings_parse() {
        assert_eq!(printed("c(sa, sg) ~ dexp(1),"), "c(sa, sg) ~ dexp(1)");
        assert_eq!(
            printed("flist <- alist(\n y ~ dnorm(mu, s),\n mu <- a +\n  b*x,\n a ~ dnorm(0, 1)\n)"),
            "y ~ dnorm(mu, s)\nmu = a + b * x\na ~ dnorm(0, 1)"
        );
        assert_eq!(printed("y ~ f(c(a, b), 2)"), "y ~ f([a, b], 2)");
    }

    #[test]
    fn words_of_the_language_are_plain_names_elsewhere() {
        for text in [
            "index ~ Normal(option, table)",
            "ordered = simplex + real",
            "glm, levels ~ Normal(family, link)",
            "drop_missing = row",
            "T ~ Normal(weight, cens)",
            "`IQ verb` ~ Normal(log(log), Normal)",
        ] {
            assert_eq!(printed(text), text);
        }
    }

    #[test]
    fn spans_cover_the_text_of_their_nodes() {
        let text = "a ~ Normal(0, 1) @centered,  # prior\nlogit(p) = (a + b)*x";
        let model = parse("m", text).unwrap_or_else(|reports| panic!("{reports}"));
        let texts: Vec<&str> = model.statements.iter().map(|s| s.span.of(text)).collect();
        assert_eq!(texts, ["a ~ Normal(0, 1) @centered", "logit(p) = (a + b)*x"]);
        let super::super::ast::StatementKind::Definition(definition) = &model.statements[1].kind else {
            panic!("a definition");
        };
        assert_eq!(definition.value.span.of(text), "(a + b)*x");
        assert_eq!(definition.target.span.of(text), "p");
    }

    #[test]
    fn every_error_of_a_text_is_reported_once() {
        let text = "a ~ Normal(0, 1\nb ~ Normal(0 1)\nc ~ Normal(0, 1)\nd ~\ne ~ Normal(\n 0 1,\n 2)\nf = 1";
        let Err(reports) = parse("m", text) else {
            panic!("four errors");
        };
        let titles: Vec<&str> = reports
            .reports
            .iter()
            .map(|report| report.title.as_str())
            .collect();
        assert_eq!(
            titles,
            [
                "unclosed `(`",
                "expected an operator, `,` or `)`, found `1`",
                "expected a distribution, found the end of the line",
                "expected an operator, `,` or `)`, found `1`",
            ]
        );
    }

    #[test]
    fn no_depth_of_nesting_exhausts_the_stack() {
        for (open, close) in [
            ("(", ")"),
            ("f(", ")"),
            ("a[", "]"),
            ("[", "]"),
            ("-", ""),
            ("!", ""),
            ("2^", ""),
        ] {
            let text = format!("x = {}1{}\ny ~", open.repeat(5_000), close.repeat(5_000));
            let Err(reports) = parse("m", &text) else {
                panic!("{open} is too deep");
            };
            assert_eq!(reports.reports.len(), 2, "{open}");
            assert_eq!(reports.reports[0].title, "expression nested too deeply");
        }
        let text = format!("x = 1{}", " + 1".repeat(5_000));
        let Err(reports) = parse("m", &text) else {
            panic!("too long");
        };
        assert_eq!(reports.reports[0].title, "expression too long");
        let longest = format!("x = 1{}", " + 1".repeat(MAX_HEIGHT - 1));
        assert!(parse("m", &longest).is_ok());
        let deepest = format!(
            "x = {}1{}",
            "(".repeat(MAX_NESTING - 1),
            ")".repeat(MAX_NESTING - 1)
        );
        assert!(parse("m", &deepest).is_ok());
    }
}
