//! The expansion of a formula, line by line.

use std::collections::BTreeSet;

use super::family::{Beside, Family};
use super::groups::{Block, blocks};
use super::pieces::{binary, call, distribution, indexed, name, number, sum, text, variable};
use super::scales::{Outcome, is_constant, rounded, spread};
use super::terms::{Column, Terms};
use super::{Expanded, Formula, bare, data_definitions, only_argument, priors};
use crate::lang::ast::{
    BinaryOp, Call, Definition, Expr, ExprKind, Link, Model, Statement, StatementKind, Targets, Var,
};
use crate::lang::lower::probe;
use crate::lang::lowered::Failure;
use crate::lang::nearest;
use crate::lang::report::{Report, Reports, quoted};
use crate::lang::span::Span;

/// Terms of one line; beyond, the sum is cut into parts, which no text makes too long.
const LONGEST: usize = 50;

/// Where the plain lines begin.
const HEAD: &str = "# The formula stands for the lines below. A prior in a line above takes the place of its default.";

/// The outcome, and what is added to it on the left of the `~`.
struct Response {
    /// None where a design has no such column yet.
    value: Option<Expr>,
    name: Option<String>,
    trials: Option<Expr>,
    weight: Option<Expr>,
}

impl Formula<'_> {
    pub(super) fn expand(&self) -> Result<Expanded, Failure> {
        let mut reports = Vec::new();
        let mut take = |found: Result<_, Box<Report>>| found.map_err(|report| reports.push(*report)).ok();
        let family = Family::of(self.glm.family.as_ref());
        let link = match &family {
            Ok(family) => take(family.link(self.glm.link.as_ref())),
            Err(_) => None,
        };
        let family = family.map_err(|report| reports.push(*report)).ok();
        let response = self.response(family, &mut reports);
        let mut terms = Terms::new(self.table, self.model);
        let design = terms.design(&self.glm.terms, true);
        let columns = terms.columns(&design);
        let blocks = blocks(&mut terms, &self.glm.terms);
        for block in &blocks {
            self.check_groups(block, &mut terms.reports);
        }
        reports.append(&mut terms.reports);
        let (Some(family), Some(link), Some(response), true) = (family, link, response, reports.is_empty())
        else {
            return Err(self.failure(reports));
        };
        let numbers = self.numbers(&response, &terms.offsets, &columns, &blocks)?;
        let outcome = match &numbers.response {
            Some(y) => Outcome::of(family, link, y, numbers.offset.as_deref(), design.intercept),
            None => Outcome::UNKNOWN,
        };
        let writer = Writer {
            formula: self,
            span: self.statement.span,
            family,
            link,
            intercept: design.intercept,
            outcome,
            taken: self.taken(),
            columns: Vec::new(),
            lines: Vec::new(),
            prior_lines: Vec::new(),
            defaults: Vec::new(),
            notes: Vec::new(),
            edits: Vec::new(),
            reports: Vec::new(),
        };
        writer.write(&response, &terms.offsets, columns, &blocks, &numbers)
    }

    fn failure(&self, reports: Vec<Report>) -> Failure {
        let (name, text) = self.source;
        Failure::Reports(Reports::new(name, text, reports))
    }

    fn defines(&self, wanted: &str) -> bool {
        self.model.statements.iter().any(|statement| {
            matches!(&statement.kind, StatementKind::Definition(definition) if definition.target.name.text == wanted)
        })
    }

    fn response(&self, family: Option<Family>, reports: &mut Vec<Report>) -> Option<Response> {
        let glm = self.glm;
        let mut response = Response {
            value: Some(glm.response.clone()),
            name: None,
            trials: None,
            weight: None,
        };
        let before = reports.len();
        if let ExprKind::Call(cbind) = &glm.response.kind
            && cbind.name.text == "cbind"
            && let [successes, failures] = cbind.args.as_slice()
        {
            response.value = Some(successes.value.clone());
            let both = [successes.value.clone(), failures.value.clone()];
            response.trials = sum(both);
        }
        for addition in &glm.additions {
            let (slot, usage) = match addition.name.text.as_str() {
                "trials" => (&mut response.trials, "trials(n)"),
                "weights" => (&mut response.weight, "weights(w)"),
                other => {
                    let title = format!("{} is not in this release yet", quoted(&format!("{other}( … )")));
                    let report = Report::error(title, addition.span, "cannot be added to an outcome yet");
                    reports.push(report.with_help("the additions are `trials(n)` and `weights(w)`"));
                    continue;
                }
            };
            match only_argument(addition, usage) {
                Ok(value) => *slot = Some(value.clone()),
                Err(report) => reports.push(report),
            }
        }
        if let Some(trials) = &response.trials
            && family.is_some_and(|family| !matches!(family, Family::Binomial | Family::Bernoulli))
        {
            let family = family.map_or("", Family::name);
            let report = Report::error(format!("{family} has no trials"), trials.span, "not expected");
            reports.push(report.with_help("write `family binomial`"));
        }
        let value = response.value.as_ref()?;
        if let Some(known) = bare(value) {
            let is_data = self.table.column(known).is_some() || self.defines(known);
            response.name = Some(known.to_owned());
            if !is_data {
                if self.design {
                    response.value = None;
                } else {
                    reports.push(self.unknown_column(known, value.span));
                }
            }
        }
        (reports.len() == before).then_some(response)
    }

    fn unknown_column(&self, unknown: &str, span: Span) -> Report {
        let columns: Vec<&str> = self.table.names().collect();
        let label = format!("no column of {}", self.table.name());
        let report = Report::error(format!("unknown column {}", quoted(unknown)), span, label);
        report.with_help(match nearest(unknown, columns.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", columns.join(", ")),
        })
    }

    fn is_index(&self, wanted: &str) -> bool {
        wanted == "row"
            || self.model.statements.iter().any(
                |statement| matches!(&statement.kind, StatementKind::Index(index) if index.name.text == wanted),
            )
    }

    fn check_groups(&self, block: &Block, reports: &mut Vec<Report>) {
        for factor in &block.factors {
            let known = self.table.column(&factor.text).is_some()
                || self.is_index(&factor.text)
                || self.defines(&factor.text);
            if !known {
                reports.push(self.unknown_column(&factor.text, factor.span));
            }
        }
    }

    /// The names that an expansion cannot give to something new.
    fn taken(&self) -> BTreeSet<String> {
        let columns = self.table.names().map(str::to_owned);
        let indices = self.model.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Index(index) => Some(index.name.text.clone()),
            StatementKind::Stochastic(_)
            | StatementKind::Definition(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => None,
        });
        columns.chain(indices).chain(["row".to_owned()]).collect()
    }

    /// The numbers of everything that the formula is made of.
    fn numbers(
        &self,
        response: &Response,
        offsets: &[Expr],
        columns: &[Column],
        blocks: &[Block],
    ) -> Result<Numbers, Failure> {
        let mut statements: Vec<Statement> = data_definitions(self.model, self.table)
            .into_iter()
            .cloned()
            .collect();
        let from = statements.len();
        let mut probe_of = |value: &Expr| {
            // No name of a text has a blank at its beginning.
            let target = Var {
                name: name(&format!(" {}", statements.len()), value.span),
                subs: Vec::new(),
                span: value.span,
            };
            statements.push(Statement {
                kind: StatementKind::Definition(Definition {
                    link: None,
                    target,
                    value: value.clone(),
                }),
                span: value.span,
            });
        };
        let offset = sum(offsets.iter().cloned());
        let effects = || {
            let all = blocks.iter().flat_map(|block| &block.effects);
            all.filter_map(|effect| effect.column.as_ref())
        };
        response.value.iter().for_each(&mut probe_of);
        offset.iter().for_each(&mut probe_of);
        columns.iter().for_each(|column| probe_of(&column.value));
        effects().for_each(|column| probe_of(&column.value));
        response.trials.iter().for_each(&mut probe_of);
        response.weight.iter().for_each(&mut probe_of);
        let mut probed = probe(&Model { statements }, self.source, self.table, from)?.into_iter();
        Ok(Numbers {
            response: response.value.as_ref().and_then(|_| probed.next()),
            offset: offset.and_then(|_| probed.next()),
            columns: columns.iter().filter_map(|_| probed.next()).collect(),
            effects: effects().filter_map(|_| probed.next()).collect(),
        })
    }
}

/// Data by row.
struct Numbers {
    response: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
    /// `[column][row]`.
    columns: Vec<Vec<f64>>,
    /// The same of the columns that vary between groups, block after block.
    effects: Vec<Vec<f64>>,
}

/// What an expansion grows into.
struct Writer<'f, 'a> {
    formula: &'f Formula<'a>,
    span: Span,
    family: Family,
    link: Option<Link>,
    intercept: bool,
    outcome: Outcome,
    taken: BTreeSet<String>,
    /// The columns with a coefficient, and the spread of each.
    columns: Vec<(Column, f64)>,
    lines: Vec<String>,
    prior_lines: Vec<String>,
    defaults: Vec<String>,
    notes: Vec<String>,
    edits: Vec<(Span, String)>,
    reports: Vec<Report>,
}

impl Writer<'_, '_> {
    fn write(
        mut self,
        response: &Response,
        offsets: &[Expr],
        columns: Vec<Column>,
        blocks: &[Block],
        numbers: &Numbers,
    ) -> Result<Expanded, Failure> {
        self.keep_columns(columns, &numbers.columns);
        let span = self.span;
        let intercept = self.intercept.then(|| self.own("Intercept"));
        let b = self.own("b");
        let mut linear: Vec<Expr> = Vec::new();
        linear.extend(intercept.iter().map(|name| variable(name, span)));
        for (column, _) in &self.columns {
            let coefficient = indexed(&b, [text(&column.label, span)], span);
            let value = match self.intercept {
                // The intercept is the level at the columns' means, which data know about.
                true => call("center", [column.value.clone()], span),
                false => column.value.clone(),
            };
            linear.push(binary(BinaryOp::Mul, coefficient, value));
        }
        linear.extend(offsets.iter().cloned());
        if let Some(name) = &intercept {
            let prior = self.student(self.outcome.location);
            self.scalar(name, &prior);
        }
        if !self.columns.is_empty() {
            let labels: Vec<String> = self.columns.iter().map(|(column, _)| column.label.clone()).collect();
            let coef = self.index("coef", &labels);
            let scales = self.columns.iter().map(|(_, spread)| self.outcome.slope / spread);
            let priors: Vec<Call> = scales
                .map(|scale| distribution("Normal", [number(0.0, span), number(rounded(scale), span)], span))
                .collect();
            self.vector(&b, &coef, &labels, &priors);
        }
        let mut spreads = numbers.effects.iter().map(|numbers| spread(numbers));
        let mut prefixes = BTreeSet::new();
        for block in blocks {
            let spreads: Vec<f64> = block
                .effects
                .iter()
                .map(|effect| match effect.column {
                    None => 1.0,
                    Some(_) => spreads.next().unwrap_or(1.0),
                })
                .collect();
            self.block(block, &spreads, &mut linear, &mut prefixes);
        }
        let beside: Vec<String> = self.family.beside().iter().map(|own| self.own(own.name())).collect();
        for (own, name) in self.family.beside().iter().zip(&beside) {
            let prior = self.beside(*own);
            self.scalar(name, &prior);
        }
        self.outcome_lines(response, linear, &beside);
        if let Some(name) = &intercept {
            self.level_at_zero(name, &b);
        }
        self.finish()
    }

    /// Leaves out columns that do not vary beside an intercept, or are 0 without one.
    fn keep_columns(&mut self, columns: Vec<Column>, numbers: &[Vec<f64>]) {
        for (column, numbers) in columns.into_iter().zip(numbers) {
            let useless = is_constant(numbers) && (self.intercept || numbers[0] == 0.0);
            if useless {
                self.notes.push(format!(
                    "formula: {} is the same in every row, so it has no coefficient",
                    quoted(&column.label)
                ));
            } else {
                self.columns.push((column, spread(numbers)));
            }
        }
    }

    /// A name for something that lines of the text may give a prior to.
    fn own(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// A name that no line of the text has on its left.
    fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.formula.defines(&name) || self.is_target(&name) || !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    fn is_target(&self, name: &str) -> bool {
        self.formula
            .model
            .statements
            .iter()
            .any(|statement| match &statement.kind {
                StatementKind::Stochastic(stochastic) => match &stochastic.targets {
                    Targets::Separate(vars) => vars.iter().any(|var| var.name.text == name),
                    Targets::Joint(joint) => joint.names.iter().any(|known| known.text == name),
                },
                StatementKind::Definition(_)
                | StatementKind::Index(_)
                | StatementKind::Table(_)
                | StatementKind::DropMissing(_)
                | StatementKind::Setting(_)
                | StatementKind::Glm(_) => false,
            })
    }

    fn spelled(&self, text: &str) -> String {
        name(text, self.span).to_string()
    }

    fn index(&mut self, wanted: &str, labels: &[String]) -> String {
        let index = self.fresh(wanted);
        let levels: Vec<String> = labels.iter().map(|label| text(label, self.span).to_string()).collect();
        self.lines
            .push(format!("index {} levels({})", self.spelled(&index), levels.join(", ")));
        index
    }

    fn student(&self, location: f64) -> Call {
        let args = [3.0, location, self.outcome.scale].map(|x| number(x, self.span));
        distribution("StudentT", args, self.span)
    }

    fn half_student(&self, scale: f64) -> Call {
        let args = [3.0, rounded(scale)].map(|x| number(x, self.span));
        distribution("HalfStudentT", args, self.span)
    }

    fn beside(&self, own: Beside) -> Call {
        let of = |family, args: [f64; 2]| {
            distribution(family, args.map(|x| number(x, self.span)), self.span)
        };
        match own {
            Beside::Scale(_) => self.half_student(self.outcome.scale),
            Beside::Freedom(_) => of("Gamma", [2.0, 0.1]),
            Beside::Dispersion(_) => of("InvGamma", [0.4, 0.3]),
        }
    }

    fn default_line(&mut self, line: String) {
        self.defaults.push(line.clone());
        self.prior_lines.push(line);
    }

    /// The prior of a single parameter, unless a line of the text has one or defines it.
    fn scalar(&mut self, name: &str, prior: &Call) {
        if !self.is_target(name) && !self.formula.defines(name) {
            self.default_line(format!("{} ~ {prior}", self.spelled(name)));
        }
    }

    /// The prior of a vector over `index`: the default, with what lines of the text say of all or of single elements.
    fn vector(&mut self, vector: &str, index: &str, labels: &[String], defaults: &[Call]) {
        let statements = &self.formula.model.statements;
        let found = priors::lines(statements, vector);
        let (mut whole, mut single): (Vec<_>, Vec<(String, _)>) = (Vec::new(), Vec::new());
        for line in found {
            match line.var.subs.as_slice() {
                [] => whole.push(line),
                [only] => {
                    let label = priors::label(only);
                    if !labels.contains(&label) {
                        self.reports.push(unknown_element(vector, &label, only.span(), labels));
                    }
                    single.push((label, line));
                }
                [_, ..] => {
                    let title = format!("{} takes 1 subscript", quoted(vector));
                    let report = Report::error(title, line.var.span, "expected one label");
                    self.reports.push(report.with_help(format!("its elements are {}", labels.join(", "))));
                }
            }
        }
        if self.is_target(vector) && whole.is_empty() && single.is_empty() {
            let report = Report::error(
                format!("{} has several elements", quoted(vector)),
                self.span,
                "given a prior together with others in one bracket",
            );
            self.reports
                .push(report.with_help(format!("write a line of its own: `{vector} ~ …`")));
            return;
        }
        let target = format!("{}[{}]", self.spelled(vector), self.spelled(index));
        if single.is_empty() {
            for line in &whole {
                let end = line.var.span.end;
                self.edits.push((Span::at(end), format!("[{}]", self.spelled(index))));
            }
            if whole.is_empty() {
                match priors::merged(&places(labels, defaults, self.span), self.span) {
                    Ok(call) => self.default_line(format!("{target} ~ {call}")),
                    Err(report) => self.reports.push(*report),
                }
            }
            return;
        }
        let mut own = places(labels, defaults, self.span);
        for line in &whole {
            for place in &mut own {
                (place.1, place.2) = (line.call.clone(), line.call.span);
            }
        }
        for (label, line) in &single {
            if let Some(place) = own.iter_mut().find(|place| place.0 == *label) {
                (place.1, place.2) = (line.call.clone(), line.call.span);
            }
        }
        let single = single.into_iter().map(|(_, line)| line);
        for line in whole.into_iter().chain(single) {
            if line.shared {
                let report = Report::error(
                    format!("{} stands with other names", quoted(vector)),
                    line.var.span,
                    "elements have priors of their own",
                );
                self.reports.push(report.with_help("write a line of its own"));
            }
            self.edits.extend(commented(line.statement.span, self.formula.source.1));
        }
        match priors::merged(&own, self.span) {
            Ok(call) => self.prior_lines.push(format!("{target} ~ {call}")),
            Err(report) => self.reports.push(*report),
        }
    }

    /// The effects of a block: their index sets and priors; what they add is pushed to `linear`.
    fn block(
        &mut self,
        block: &Block,
        spreads: &[f64],
        linear: &mut Vec<Expr>,
        prefixes: &mut BTreeSet<String>,
    ) {
        let span = self.span;
        let parts: Vec<&str> = block.factors.iter().map(|factor| factor.text.as_str()).collect();
        let mut group = parts.join("_");
        let mut by = group.clone();
        if parts.len() > 1 {
            by = self.fresh(&group);
            let factors: Vec<String> = block.factors.iter().map(ToString::to_string).collect();
            self.lines
                .push(format!("index {} = {}", self.spelled(&by), factors.join(" * ")));
        }
        // A second block of the same groups: `(1 + x | g) + (0 + z | g)`.
        for again in 2.. {
            if prefixes.insert(group.clone()) {
                break;
            }
            group = format!("{}_{again}", parts.join("_"));
        }
        let effect = self.fresh(&format!("r_{group}"));
        let sd = self.own(&format!("sd_{group}"));
        if block.is_intercept() {
            let of = indexed(&effect, [variable(&by, span)], span);
            let args = [number(0.0, span), variable(&sd, span)];
            self.prior_lines
                .push(format!("{of} ~ {}", distribution("Normal", args, span)));
            let prior = self.half_student(self.outcome.scale);
            self.scalar(&sd, &prior);
            linear.push(of);
            return;
        }
        let labels: Vec<String> = block.effects.iter().map(|effect| effect.label.clone()).collect();
        let coef = self.index(&format!("coef_{group}"), &labels);
        for own in &block.effects {
            let of = indexed(&effect, [variable(&by, span), text(&own.label, span)], span);
            linear.push(match &own.column {
                None => of,
                Some(column) => binary(BinaryOp::Mul, of, column.value.clone()),
            });
        }
        let of = indexed(&effect, [variable(&by, span), variable(&coef, span)], span);
        let correlation = block.correlated.then(|| self.own(&format!("cor_{group}")));
        let call = match &correlation {
            Some(correlation) => {
                let args = [number(0.0, span), variable(&sd, span), variable(correlation, span)];
                distribution("MVNormal", args, span)
            }
            None => {
                let args = [number(0.0, span), indexed(&sd, [variable(&coef, span)], span)];
                distribution("Normal", args, span)
            }
        };
        self.prior_lines.push(format!("{of} ~ {call}"));
        let scale = self.outcome.scale;
        let priors: Vec<Call> = spreads
            .iter()
            .map(|spread| self.half_student(scale / if *spread > 0.0 { *spread } else { 1.0 }))
            .collect();
        self.vector(&sd, &coef, &labels, &priors);
        if let Some(correlation) = &correlation {
            let prior = distribution("LKJ", [number(1.0, span)], span);
            self.scalar(correlation, &prior);
        }
    }

    /// The likelihood and the mean.
    fn outcome_lines(&mut self, response: &Response, linear: Vec<Expr>, beside: &[String]) {
        let span = self.span;
        let mean = self.fresh(self.family.mean());
        let outcome = match (&response.name, &response.value) {
            (Some(name), _) => name.clone(),
            (None, Some(value)) => {
                let plain: String = value
                    .to_string()
                    .chars()
                    .map(|c| if c.is_alphanumeric() { c } else { '_' })
                    .collect();
                let parts: Vec<&str> = plain.split('_').filter(|part| !part.is_empty()).collect();
                let outcome = self.fresh(&parts.join("_"));
                self.lines.push(format!("{} = {value}", self.spelled(&outcome)));
                outcome
            }
            (None, None) => String::new(),
        };
        let call = self
            .family
            .distribution(&mean, beside, response.trials.clone(), span);
        let weight = response
            .weight
            .as_ref()
            .map_or_else(String::new, |weight| format!(" weight({weight})"));
        self.lines
            .push(format!("{} ~ {call}{weight}", self.spelled(&outcome)));
        let mut parts: Vec<Expr> = linear;
        if parts.len() > LONGEST {
            let chunks: Vec<Vec<Expr>> = parts.chunks(LONGEST).map(<[Expr]>::to_vec).collect();
            parts = Vec::new();
            for (place, chunk) in chunks.into_iter().enumerate() {
                let part = self.fresh(&format!("{mean}_{}", place + 1));
                if let Some(sum) = sum(chunk) {
                    self.lines.push(format!("{} = {sum}", self.spelled(&part)));
                }
                parts.push(variable(&part, span));
            }
        }
        let value = sum(parts).unwrap_or_else(|| number(0.0, span));
        let mean = self.spelled(&mean);
        self.lines.push(match self.link {
            Some(link) => format!("{}({mean}) = {value}", link.word()),
            None => format!("{mean} = {value}"),
        });
    }

    /// The intercept of the columns as they are, which lme4 and brms print.
    fn level_at_zero(&mut self, intercept: &str, b: &str) {
        if self.columns.is_empty() {
            return;
        }
        let span = self.span;
        let level = self.fresh("b_Intercept");
        let mut parts = vec![variable(intercept, span)];
        for (column, _) in &self.columns {
            let mean = call("mean", [column.value.clone()], span);
            let coefficient = indexed(b, [text(&column.label, span)], span);
            parts.push(binary(BinaryOp::Mul, coefficient, mean));
        }
        let chunks: Vec<&[Expr]> = parts.chunks(LONGEST).collect();
        let mut value: Option<String> = None;
        for (place, chunk) in chunks.iter().enumerate() {
            let difference = chunk
                .iter()
                .cloned()
                .reduce(|left, right| binary(BinaryOp::Sub, left, right));
            let Some(difference) = difference else { continue };
            value = Some(match (value, place) {
                (None, _) | (_, 0) => difference.to_string(),
                (Some(before), place) => {
                    let part = self.fresh(&format!("b_Intercept_{place}"));
                    self.prior_lines.push(format!("{} = {before}", self.spelled(&part)));
                    let mut all = vec![variable(&part, span)];
                    all.extend(chunk.iter().cloned());
                    all.into_iter()
                        .reduce(|left, right| binary(BinaryOp::Sub, left, right))
                        .map_or_else(String::new, |difference| difference.to_string())
                }
            });
        }
        if let Some(value) = value {
            self.prior_lines.push(format!("{} = {value}", self.spelled(&level)));
        }
    }

    fn finish(mut self) -> Result<Expanded, Failure> {
        if !self.reports.is_empty() {
            return Err(self.formula.failure(self.reports));
        }
        let source = self.formula.source.1;
        self.edits.extend(commented(self.span, source));
        self.edits.sort_by_key(|(span, _)| *span);
        self.edits.dedup();
        let mut text = String::new();
        let mut done = 0;
        for (span, new) in &self.edits {
            text.push_str(&source[done..span.start]);
            text.push_str(new);
            done = span.end;
        }
        text.push_str(&source[done..]);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(HEAD);
        text.push('\n');
        for line in self.lines.iter().chain(&self.prior_lines) {
            text.push_str(line);
            if self.defaults.contains(line) {
                text.push_str("  # default");
            }
            text.push('\n');
        }
        Ok(Expanded {
            text,
            defaults: self.defaults,
            notes: self.notes,
        })
    }
}

/// Each label with its distribution.
fn places(labels: &[String], calls: &[Call], span: Span) -> Vec<(String, Call, Span)> {
    labels
        .iter()
        .zip(calls)
        .map(|(label, call)| (label.clone(), call.clone(), span))
        .collect()
}

/// The edits that make comments of the lines under a span.
fn commented(span: Span, source: &str) -> Vec<(Span, String)> {
    let inside = span.of(source);
    let breaks = inside.match_indices('\n').map(|(at, _)| span.start + at + 1);
    std::iter::once(span.start)
        .chain(breaks)
        .map(|at| (Span::at(at), "# ".to_owned()))
        .collect()
}

fn unknown_element(vector: &str, label: &str, span: Span, labels: &[String]) -> Report {
    let report = Report::error(
        format!("{} has no element {}", quoted(vector), quoted(label)),
        span,
        "not a term of the formula",
    );
    report.with_help(match nearest(label, labels.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{vector}[{near}]`?"),
        None => format!("its elements are {}", labels.join(", ")),
    })
}
