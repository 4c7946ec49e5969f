//! Statements: relations, definitions and declarations.

use super::super::ast::{
    Call, Constraint, ConstraintKind, Definition, DropMissing, Index, Joint, JointStyle, Link, Literal,
    LiteralValue, Name, Setting, Statement, StatementKind, Stochastic, Table, Targets, Var,
};
use super::super::lexer::TokenKind;
use super::super::nearest::nearest;
use super::super::report::{Report, quoted};
use super::super::span::Span;
use super::cursor::DECLARATIONS;
use super::expression::NO_BLOCKS;
use super::{Parse, Parser, Stop};

const RELATION: &str = "a line is a relation, `y ~ Normal(mu, sigma)`, a definition, `mu = a + b*x`, or a declaration such as `index tank = row`";

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parse<Statement> {
        let start = self.cursor.place();
        let kind = self.statement_kind()?;
        let span = Span::new(start.start, self.cursor.end_of_last());
        self.end_of_statement()?;
        Ok(Statement { kind, span })
    }

    fn end_of_statement(&mut self) -> Parse<()> {
        if self.cursor.in_list() {
            let parted = self.cursor.sees(",") || self.cursor.sees(")") || self.cursor.sees_end();
            if parted || self.cursor.next_is_on_new_line() {
                return Ok(());
            }
            return Err(self.fail("an operator, `,` or `)`", self.after_relation()));
        }
        let comma = self.cursor.take(",").is_some();
        if self.cursor.sees_line_end() {
            return Ok(());
        }
        let (expected, help) = if comma {
            ("the end of the line", "put each relation on a line of its own")
        } else {
            ("an operator or the end of the line", self.after_relation())
        };
        Err(self.fail(expected, help))
    }

    fn statement_kind(&mut self) -> Parse<StatementKind> {
        if let Some(kind) = self.declaration()? {
            return Ok(kind);
        }
        let constraint = self.constraint();
        if self.cursor.sees("[") {
            let open = self.cursor.advance();
            let joint = self.joint(JointStyle::Brackets, open, "]")?;
            return self.stochastic(constraint, Targets::Joint(joint));
        }
        if self.cursor.sees_word("c") && self.cursor.sees_at(1, "(") {
            let word = self.cursor.advance();
            self.cursor.advance();
            let joint = self.joint(JointStyle::Combine, word, ")")?;
            return self.stochastic(constraint, Targets::Joint(joint));
        }
        if constraint.is_none() && self.cursor.sees_name_at(0) && self.cursor.sees_at(1, "(") {
            return self.linked();
        }
        let first = self.var()?;
        if constraint.is_none() && (self.cursor.take("=").is_some() || self.cursor.take("<-").is_some()) {
            let value = self.expression()?;
            return Ok(StatementKind::Definition(Definition {
                link: None,
                target: first,
                value,
            }));
        }
        let mut targets = vec![first];
        while self.cursor.take(",").is_some() {
            targets.push(self.var()?);
        }
        self.stochastic(constraint, Targets::Separate(targets))
    }

    /// `index`, `table`, `drop_missing`, `option` or `glm`; elsewhere these words are plain names.
    fn declaration(&mut self) -> Parse<Option<StatementKind>> {
        let Some(word) = self.cursor.word() else {
            return Ok(None);
        };
        let Some(word) = DECLARATIONS.into_iter().find(|declaration| *declaration == word) else {
            return Ok(None);
        };
        let named = self.cursor.sees_name_at(1);
        let kind = match word {
            "index" if named => self.index()?,
            "table" if named => self.table()?,
            "option" if named => self.setting()?,
            "drop_missing" if !self.continues_relation() => self.drop_missing()?,
            "glm" if named || self.cursor.sees_at(1, "(") => {
                self.cursor.advance();
                StatementKind::Glm(self.formula()?)
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }

    /// Whether the name that comes next is the left side of a relation.
    fn continues_relation(&self) -> bool {
        // `drop_missing, a ~ …` has two targets; in an `alist(` the comma ends a declaration.
        let more_targets =
            self.cursor.sees_at(1, ",") && !self.cursor.in_list() && !self.cursor.sees_line_end_at(2);
        more_targets
            || ["~", "=", "<-", "["]
                .into_iter()
                .any(|sign| self.cursor.sees_at(1, sign))
    }

    fn index(&mut self) -> Parse<StatementKind> {
        const HELP: &str = "write `index tank = row`, `index treatment = prosoc_left * condition` or `index size levels(\"small\", \"big\")`";
        self.cursor.advance();
        let name = self.expect_name("the name of the index", HELP)?;
        let mut factors = Vec::new();
        if self.cursor.take("=").is_some() || self.cursor.take("<-").is_some() {
            loop {
                factors.push(self.expect_name("a column or `row`", HELP)?);
                if self.cursor.take("*").is_none() {
                    break;
                }
            }
        }
        let mut levels = Vec::new();
        if self.cursor.sees_word("levels") && self.cursor.sees_at(1, "(") {
            self.cursor.advance();
            self.cursor.advance();
            loop {
                levels.push(self.literal(HELP)?);
                if self.cursor.take(",").is_none() || self.cursor.sees(")") {
                    break;
                }
            }
            self.close(")")?;
        }
        Ok(StatementKind::Index(Index {
            name,
            factors,
            levels,
        }))
    }

    fn table(&mut self) -> Parse<StatementKind> {
        const HELP: &str = "write `table schools by school`";
        self.cursor.advance();
        let name = self.expect_name("the name of the table", HELP)?;
        if self.cursor.take_word("by").is_none() {
            return Err(self.fail("`by`", HELP));
        }
        let key = self.expect_name("the column that joins it to the rows", HELP)?;
        Ok(StatementKind::Table(Table { name, key }))
    }

    fn setting(&mut self) -> Parse<StatementKind> {
        const HELP: &str = "write `option NAME = VALUE`; texts stand in quotes";
        self.cursor.advance();
        let name = self.expect_name("the name of the option", HELP)?;
        self.expect("=", HELP)?;
        let value = self.literal(HELP)?;
        Ok(StatementKind::Setting(Setting { name, value }))
    }

    fn drop_missing(&mut self) -> Parse<StatementKind> {
        const HELP: &str = "write `drop_missing` or `drop_missing(income, age)`";
        self.cursor.advance();
        let mut columns = Vec::new();
        if self.cursor.take("(").is_some() {
            while columns.is_empty() || !self.cursor.sees(")") {
                columns.push(self.expect_name("the name of a column", HELP)?);
                if self.cursor.take(",").is_none() {
                    break;
                }
            }
            self.expect(")", HELP)?;
        } else if self.cursor.sees_name_at(0) && !self.cursor.next_is_on_new_line() {
            return Err(self.fail("`(` or the end of the line", HELP));
        }
        Ok(StatementKind::DropMissing(DropMissing { columns }))
    }

    fn literal(&mut self, help: &str) -> Parse<Literal> {
        let minus = self.cursor.take("-");
        let sign = if minus.is_some() { -1.0 } else { 1.0 };
        let value = match self.cursor.peek().clone() {
            TokenKind::Number(value) => LiteralValue::Number(sign * value),
            TokenKind::Text(text) if minus.is_none() => LiteralValue::Text(text),
            TokenKind::Text(_)
            | TokenKind::Name { .. }
            | TokenKind::Sign(_)
            | TokenKind::Newline
            | TokenKind::End
            | TokenKind::Bad => return Err(self.fail("a number or a text in quotes", help)),
        };
        let last = self.cursor.advance();
        let span = minus.unwrap_or(last).to(last);
        Ok(Literal { value, span })
    }

    fn constraint(&mut self) -> Option<Constraint> {
        let targets_follow = self.cursor.sees_name_at(1);
        let kind = ConstraintKind::ALL
            .into_iter()
            .find(|kind| self.cursor.sees_word(kind.word()))?;
        targets_follow.then(|| Constraint {
            kind,
            span: self.cursor.advance(),
        })
    }

    /// `log(sigma) = …`, from its first word.
    fn linked(&mut self) -> Parse<StatementKind> {
        let start = self.cursor.place();
        let Some(word) = self.cursor.take_name() else {
            return Err(self.fail("a name", RELATION));
        };
        self.cursor.advance();
        let link = Link::ALL.into_iter().find(|link| link.word() == word.text);
        let Some(link) = link else {
            return Err(self.no_link(&word));
        };
        let target = self.var()?;
        let close = self.expect(")", "a link stands around one name: `logit(p) = a + b*x`")?;
        if self.cursor.sees("~") {
            let title = format!(
                "a call stands left of `~`: {}",
                quoted(&format!("{}( … )", word.text))
            );
            let report = Report::error(title, start.to(close), "expected a name").with_help(format!(
                "define the transformed column first, `y2 = {0}({1})`, and write `y2 ~ …`; a link takes `=`",
                word.text, target.name.text
            ));
            return Err(self.stop(report));
        }
        if self.cursor.take("=").is_none() && self.cursor.take("<-").is_none() {
            return Err(self.fail("`=` or `<-`", "a link reads `logit(p) = a + b*x`"));
        }
        let value = self.expression()?;
        Ok(StatementKind::Definition(Definition {
            link: Some((link, word.span)),
            target,
            value,
        }))
    }

    fn no_link(&mut self, word: &Name) -> Stop {
        let words = Link::ALL.map(Link::word);
        let help = match nearest(&word.text, words) {
            Some(near) => format!("did you mean `{near}`? links are {}", listed(&words)),
            None => format!("links are {}; a distribution stands right of `~`", listed(&words)),
        };
        let title = format!("{} is not a link", quoted(&word.text));
        self.stop(Report::error(title, word.span, "expected a link or a plain name").with_help(help))
    }

    fn var(&mut self) -> Parse<Var> {
        let help = if self.cursor.sees("+")
            || self.cursor.sees("-")
            || self.cursor.sees("*")
            || self.cursor.sees("/")
        {
            "to go on from the line before, end that one with `\\` or put the whole in brackets"
        } else if self.cursor.sees(")") || self.cursor.sees("]") {
            "this bracket has no partner: remove it, or open it in a line before"
        } else if self.cursor.sees("{") || self.cursor.sees("}") {
            NO_BLOCKS
        } else {
            RELATION
        };
        let name = self.expect_name("a name", help)?;
        if !self.cursor.sees("[") {
            let span = name.span;
            let subs = Vec::new();
            return Ok(Var { name, subs, span });
        }
        let (subs, end) = self.subscripts()?;
        let span = name.span.to(end);
        Ok(Var { name, subs, span })
    }

    /// The names of a joint target and its subscripts, after the opening bracket.
    fn joint(&mut self, style: JointStyle, open: Span, close: &'static str) -> Parse<Joint> {
        const HELP: &str = "several targets read `[a, b][g] ~ …` or `c(a, b) ~ …`, names only";
        let mut names = Vec::new();
        loop {
            names.push(self.expect_name("a name", HELP)?);
            if self.cursor.take(",").is_none() || self.cursor.sees(close) {
                break;
            }
        }
        let mut end = self.expect(close, HELP)?;
        let mut subs = Vec::new();
        if self.cursor.sees("[") {
            (subs, end) = self.subscripts()?;
        }
        Ok(Joint {
            style,
            names,
            subs,
            span: open.to(end),
        })
    }

    /// `~`, the distribution and its modifiers.
    fn stochastic(&mut self, constraint: Option<Constraint>, targets: Targets) -> Parse<StatementKind> {
        if self.cursor.take("~").is_none() {
            return Err(self.no_relation_sign(&targets));
        }
        let distribution = self.distribution()?;
        let modifiers = self.modifiers()?;
        Ok(StatementKind::Stochastic(Stochastic {
            constraint,
            targets,
            distribution,
            modifiers,
        }))
    }

    fn no_relation_sign(&mut self, targets: &Targets) -> Stop {
        let single = match targets {
            Targets::Separate(vars) if vars.len() == 1 => vars.first(),
            Targets::Separate(_) | Targets::Joint(_) => None,
        };
        if self.cursor.sees("==") {
            return self.fail("`=` or `~`", "a definition has one `=`");
        }
        if self.cursor.sees("{") {
            return self.fail("`=` or `~`", NO_BLOCKS);
        }
        let Some(var) = single else {
            return self.fail(
                "`~`",
                "several targets share a distribution: `a, b ~ Normal(0, 1)`",
            );
        };
        let words = DECLARATIONS
            .into_iter()
            .chain(ConstraintKind::ALL.map(ConstraintKind::word));
        if self.cursor.sees_name_at(0) && var.subs.is_empty() && !self.cursor.next_is_on_new_line() {
            let near = nearest(&var.name.text, words);
            let help = near.map_or(RELATION.to_owned(), |near| format!("did you mean `{near}`?"));
            return self.fail("`~` or `=`", &help);
        }
        let help = format!(
            "say where {} comes from: `{1} ~ Normal(0, 1)` or `{1} = …`",
            quoted(&var.name.text),
            if var.name.text.chars().count() < 30 {
                &var.name.text
            } else {
                "x"
            }
        );
        self.fail("`~` or `=`", &help)
    }

    fn distribution(&mut self) -> Parse<Call> {
        let Some(name) = self.cursor.take_name() else {
            return Err(self.no_distribution("a distribution"));
        };
        if !self.cursor.sees("(") {
            return Err(self.no_distribution(&format!("`(` after {}", quoted(&name.text))));
        }
        self.call(name)
    }

    fn no_distribution(&mut self, expected: &str) -> Stop {
        let help = if self.cursor.line_has("|") {
            "a formula begins with the word `glm`: `glm y ~ 1 + x + (1 | g) family gaussian`"
        } else if self.cursor.sees_line_end() {
            "write a distribution with its arguments: `a ~ Normal(0, 1)`"
        } else {
            "write a distribution with its arguments, `y ~ Normal(mu, sigma)`, or begin a formula with the word `glm`: `glm y ~ x + z`"
        };
        self.fail(expected, help)
    }
}

/// `a, b or c`, each in backticks.
pub(super) fn listed<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some(_) | None => quoted.concat(),
    }
}
