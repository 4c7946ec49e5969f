//! Expressions: each evaluated over the plate where its value is needed.

use super::axes::ROWS;
use super::elementwise::{apply, binary, not};
use super::value::Value;
use super::{Context, Eval, Lowering, Poison};
use crate::data::{Learned, number_label};
use crate::ir::{Binary, Unary};
use crate::lang::analyse::{Member, Subscript, Symbol, subscript};
use crate::lang::ast::{BinaryOp, Call, Expr, ExprKind, Name, Sub, UnaryOp};
use crate::lang::function::Function;
use crate::lang::lowered::LearnedCall;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

const NOT_FINITE: &str =
    "look at the values it is made of: the logarithm of 0 is infinite, that of a negative number undefined";

impl<'a, 'b> Lowering<'a, 'b> {
    /// The value of an expression over the plate `context`; none: one number.
    pub(super) fn expression(&mut self, expr: &'a Expr, context: Context) -> Eval<Value<'b>> {
        match &expr.kind {
            ExprKind::Number(x) => Ok(Value::constant(self.builder, *x)),
            ExprKind::Name(name) => self.name(name, context, expr.span),
            ExprKind::Indexed(name, subs) => self.indexed(name, subs, context, expr.span),
            ExprKind::Call(call) => self.call(call, context),
            ExprKind::Unary(op, operand) => {
                let operand = self.expression(operand, context)?;
                Ok(match op {
                    UnaryOp::Neg => operand.unary(Unary::Neg),
                    UnaryOp::Not => not(&operand),
                })
            }
            ExprKind::Binary(op, left, right) => {
                if let Some(value) = self.text_comparison(*op, left, right, context) {
                    return value;
                }
                // Both sides are looked at, so that both are reported.
                let left = self.expression(left, context);
                let right = self.expression(right, context);
                Ok(binary(*op, &left?, &right?))
            }
            // Reported by the analysis.
            ExprKind::Text(_) => Err(Poison),
            ExprKind::Vector(elements) => self.elements(elements, context, expr.span),
        }
    }

    /// `[e1, e2]` over a plate whose last index has as many places: each place takes its element.
    fn elements(&mut self, elements: &'a [Expr], context: Context, span: Span) -> Eval<Value<'b>> {
        let values: Vec<Eval<Value<'b>>> = elements
            .iter()
            .map(|element| self.expression(element, None))
            .collect();
        let values: Vec<Value<'b>> = values.into_iter().collect::<Eval<_>>()?;
        let places = context
            .and_then(|plate| Some((plate, *self.plates[plate].axes.last()?)))
            .filter(|(_, axis)| self.axes[*axis].labels.len() == values.len());
        let Some((plate, axis)) = places else {
            let report = Report::error(
                format!("a vector of {} elements is not expected here", elements.len()),
                span,
                "expected one number, or an element for each place of the left side",
            )
            .with_help("a vector stands for the places on the left of `~`: `b[2] ~ Normal([0, 1], 1)`");
            return Err(self.blame(report));
        };
        let codes = self.codes(plate, axis, span)?;
        let ir = self.plates[plate].ir;
        let title = span.of(self.text);
        if let Some(numbers) = values.iter().map(Value::single).collect::<Option<Vec<f64>>>() {
            let numbers: Vec<f64> = codes.iter().map(|&code| numbers[code as usize]).collect();
            return Ok(Value {
                expr: self.builder.column(title, Some(ir), numbers.clone()),
                numbers: Some(numbers.into()),
            });
        }
        let mut sum: Option<Value<'b>> = None;
        for (place, value) in values.iter().enumerate() {
            let own: Vec<f64> = codes
                .iter()
                .map(|&code| if code as usize == place { 1.0 } else { 0.0 })
                .collect();
            let own = Value {
                expr: self.builder.column(title, Some(ir), own.clone()),
                numbers: Some(own.into()),
            };
            let term = own.binary(Binary::Mul, value);
            sum = Some(match sum {
                Some(sum) => sum.binary(Binary::Add, &term),
                None => term,
            });
        }
        sum.ok_or(Poison)
    }

    fn name(&mut self, name: &'a str, context: Context, span: Span) -> Eval<Value<'b>> {
        match self.analysis.symbols.get(name) {
            Some(Symbol::Definition(_)) => self.definition(name, context, span),
            Some(Symbol::Parameter(place)) => self.parameter_value(*place),
            None => {
                let value = self.column(name, span)?;
                if context == Some(ROWS) {
                    Ok(value)
                } else {
                    Err(self.varies_by_row(name, context, span, true))
                }
            }
        }
    }

    /// The error of a value by row where there are no rows.
    pub(super) fn varies_by_row(&mut self, name: &str, context: Context, span: Span, data: bool) -> Poison {
        let report = match context {
            Some(plate) => {
                let plate = &self.plates[plate].name;
                let report = Report::error(
                    format!("{} has a value for each row", quoted(name)),
                    span,
                    format!("needs one value for each `{plate}`"),
                );
                let subs = plate.replace(':', ", ");
                if data {
                    report.with_help(format!(
                        "write `{name}[{subs}]` if it is the same in all rows of a `{plate}`"
                    ))
                } else {
                    report.with_help(format!("it depends on parameters by row, so it has no value for a `{plate}`; define one with `…[{subs}] = …`"))
                }
            }
            None => Report::error(
                format!("{} has a value for each row", quoted(name)),
                span,
                "needs one number",
            )
            .with_help(if data {
                format!("summarise it, such as `mean({name})`, or give the left side a subscript")
            } else {
                "give the left side a subscript, such as `[row]`".to_owned()
            }),
        };
        self.blame(report)
    }

    pub(super) fn indexed(
        &mut self,
        name: &'a Name,
        subs: &'a [Sub],
        context: Context,
        span: Span,
    ) -> Eval<Value<'b>> {
        let text = name.text.as_str();
        let (value, target) = match self.analysis.symbols.get(text) {
            Some(Symbol::Definition(_)) => {
                let Some(plate) = self.definition_plate(text)? else {
                    return self.group_value(text, subs, context, span);
                };
                (self.definition(text, Some(plate), span)?, plate)
            }
            Some(Symbol::Parameter(place))
                if self.analysis.relations[*place].member == Some(Member::Correlation) =>
            {
                return self.correlation_element(*place, name, subs, span);
            }
            Some(Symbol::Parameter(place)) => match self.parameter_plate(*place)? {
                Some(plate) => (self.parameter_value(*place)?, plate),
                // The analysis has compared the numbers of subscripts.
                None => return Err(Poison),
            },
            None => return self.group_value(text, subs, context, span),
        };
        match self.access(target, subs, context, text)? {
            None => Ok(value),
            // A value without parameters or columns is the same for every element.
            Some(_) if value.expr.ty().plate.is_none() => Ok(value),
            Some((index, codes)) => Ok(value.gather(index, &codes)),
        }
    }

    /// `u[county]`: data by row as the value of a group, within which it must be constant.
    fn group_value(
        &mut self,
        name: &'a str,
        subs: &'a [Sub],
        context: Context,
        span: Span,
    ) -> Eval<Value<'b>> {
        let value = if !self.available(name) {
            None
        } else if self.analysis.definition(name).is_some() {
            Some(self.definition(name, Some(ROWS), span)?)
        } else {
            Some(self.column(name, span)?)
        };
        let numbers = match &value {
            None => None,
            Some(value) => match value.numbers.clone().filter(|_| value.expr.ty().plate.is_some()) {
                None => return Ok(value.clone()),
                numbers => numbers,
            },
        };
        let mut axes = Vec::new();
        for sub in subs {
            match subscript(sub) {
                Ok(Subscript::Index(index)) => axes.push(self.axis(index, sub.span())?),
                Ok(Subscript::Label(label)) => {
                    let report = Report::error(
                        format!("{} is no label of {}", quoted(&label), quoted(name)),
                        sub.span(),
                        format!("`{name}` has a value for each row"),
                    )
                    .with_help(format!("define the groups' values first: `{name}_g[group] = {name}[group]`, then `{name}_g[…]`"));
                    return Err(self.blame(report));
                }
                Err(_) => return Err(Poison),
            }
        }
        let Some(group) = self.plate(&axes) else {
            return Err(Poison);
        };
        let levels = match &numbers {
            Some(numbers) => self.constant_within(group, numbers, name, span, |x| number_label(*x))?,
            None => vec![None; self.plates[group].len],
        };
        let key = (self.plates[group].name.clone(), name.to_owned());
        let known = self.known().and_then(|known| known.groups.get(&key));
        if let (None, None) = (&numbers, known) {
            // Says that the column is missing.
            return self.column(name, span);
        }
        let levels = self.completed(group, levels, known, f64::NAN);
        if self.view.is_none() {
            self.taught.groups.insert(key, levels.clone().into());
        }
        if let (Some(ROWS), Some(value)) = (context, value) {
            return Ok(value);
        }
        let Some(plate) = context else {
            return Err(self.varies_by_row(name, None, span, true));
        };
        let mut elements = vec![0_usize; self.plates[plate].len];
        for axis in axes {
            let len = self.axes[axis].labels.len();
            let codes = self.codes(plate, axis, span)?;
            for (element, code) in elements.iter_mut().zip(codes) {
                *element = *element * len + code as usize;
            }
        }
        let values: Vec<f64> = elements.into_iter().map(|element| levels[element]).collect();
        let title = format!("{name}[{}]", self.plates[plate].name);
        let expr = self
            .builder
            .column(&title, Some(self.plates[plate].ir), values.clone());
        Ok(Value {
            expr,
            numbers: Some(values.into()),
        })
    }

    /// The numbers of a column, by row.
    pub(super) fn column(&mut self, name: &'a str, span: Span) -> Eval<Value<'b>> {
        if let Some(known) = self.columns.get(name) {
            return known.clone();
        }
        let made = match self.table.complete_numeric(name) {
            Ok(values) => Ok(Value {
                expr: self
                    .builder
                    .column(name, Some(self.plates[ROWS].ir), values.to_vec()),
                numbers: Some(values.into()),
            }),
            Err(error) => Err(match self.view {
                Some(_) if self.table.column(name).is_none() => self.lacking(name, span),
                Some(_) | None => self.data_error(&error, span),
            }),
        };
        self.columns.insert(name, made.clone());
        made
    }

    /// `pred == "yes"`: a column of labels against one of them.
    fn text_comparison(
        &mut self,
        op: BinaryOp,
        left: &'a Expr,
        right: &'a Expr,
        context: Context,
    ) -> Option<Eval<Value<'b>>> {
        let (ExprKind::Name(name), ExprKind::Text(label)) = (&left.kind, &right.kind) else {
            return match (&left.kind, &right.kind) {
                (ExprKind::Text(_), ExprKind::Name(_)) => self.text_comparison(op, right, left, context),
                (_, _) => None,
            };
        };
        let span = left.span.to(right.span);
        let equal = match op {
            BinaryOp::Eq => true,
            BinaryOp::Ne => false,
            BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge
            | BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Rem
            | BinaryOp::Pow => {
                let report = Report::error("texts have no order", span, "compared by their order")
                    .with_help("compare with `==` or `!=`");
                return Some(Err(self.blame(report)));
            }
        };
        let labels = match self.table.labels(name) {
            Ok(labels) => labels,
            Err(error) => return Some(Err(self.data_error(&error, left.span))),
        };
        let compared = self.was_compared(name);
        if let Some(compared) = compared {
            if let Some(row) = labels.iter().position(|own| !compared.contains(own)) {
                let report = Report::error(
                    format!(
                        "{} is {} in {}, line {}, which the fit has not seen",
                        quoted(name),
                        quoted(&labels[row]),
                        self.table.name(),
                        self.table.line_of(row)
                    ),
                    span,
                    "compared here",
                )
                .with_help(format!(
                    "its values are {}",
                    compared.iter().cloned().collect::<Vec<_>>().join(", ")
                ));
                return Some(Err(self.blame(report)));
            }
        } else if !labels.contains(label) {
            let known = match self.table.factor(name) {
                Ok(factor) => factor.labels().join(", "),
                Err(error) => return Some(Err(self.data_error(&error, left.span))),
            };
            let report = Report::error(
                format!("{} is never {}", quoted(name), quoted(label)),
                right.span,
                "not a value of this column",
            )
            .with_help(format!("its values are {known}"));
            return Some(Err(self.blame(report)));
        }
        if self.view.is_none() {
            let all = labels.iter().cloned().collect();
            self.taught.compared.insert(name.clone(), all);
        }
        if context != Some(ROWS) {
            return Some(Err(self.varies_by_row(name, context, left.span, true)));
        }
        let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
        let values: Vec<f64> = labels.iter().map(|own| truth((own == label) == equal)).collect();
        let title = format!("{name} {} {label}", op.symbol());
        let expr = self
            .builder
            .column(&title, Some(self.plates[ROWS].ir), values.clone());
        Some(Ok(Value {
            expr,
            numbers: Some(values.into()),
        }))
    }

    fn call(&mut self, call: &'a Call, context: Context) -> Eval<Value<'b>> {
        let Some(function) = Function::from_name(&call.name.text) else {
            return Err(Poison);
        };
        if function.learns() {
            return self.learning_call(function, call, context);
        }
        let chooses = usize::from(function == Function::Ifelse);
        self.guarded += chooses;
        let mut values = Vec::new();
        for arg in &call.args {
            values.push(self.expression(&arg.value, context));
        }
        self.guarded -= chooses;
        let values: Eval<Vec<Value<'b>>> = values.into_iter().collect();
        let values = values?;
        let value = apply(function, &values).ok_or(Poison)?;
        self.check_call(call, &values, &value, context)?;
        Ok(value)
    }

    /// A call on data must be finite where its arguments are, or where it chooses among them.
    fn check_call(
        &mut self,
        call: &'a Call,
        arguments: &[Value<'b>],
        value: &Value<'b>,
        context: Context,
    ) -> Eval<()> {
        let known: Option<Vec<&[f64]>> = arguments.iter().map(|value| value.numbers.as_deref()).collect();
        let (Some(known), Some(numbers), 0) = (known, value.numbers.as_deref(), self.guarded) else {
            return Ok(());
        };
        let chooses = call.name.text == Function::Ifelse.name();
        let at = |element: usize| -> Vec<f64> {
            known
                .iter()
                .map(|x| if x.len() == 1 { x[0] } else { x[element] })
                .collect()
        };
        let wrong = (0..numbers.len()).find(|&element| {
            !numbers[element].is_finite() && (chooses || at(element).iter().all(|x| x.is_finite()))
        });
        let Some(element) = wrong else {
            return Ok(());
        };
        let place = context.filter(|_| value.expr.ty().plate.is_some());
        let causes: Vec<String> = call
            .args
            .iter()
            .zip(at(element))
            .filter(|(arg, _)| !matches!(arg.value.kind, ExprKind::Number(_)))
            .map(|(arg, x)| format!("{} is {}", quoted(self.written(&arg.value)), shown(x)))
            .collect();
        let label = match causes.as_slice() {
            [] => "expected finite numbers".to_owned(),
            causes => format!("{} there, expected finite numbers", causes.join(", ")),
        };
        let report = Report::error(
            format!(
                "{} is {}{}",
                quoted(call.span.of(self.text)),
                shown(numbers[element]),
                self.place_of(element, place)
            ),
            call.span,
            label,
        )
        .with_help(NOT_FINITE);
        Err(self.blame(report))
    }

    /// A call that looks at all values of data at once.
    fn learning_call(&mut self, function: Function, call: &'a Call, context: Context) -> Eval<Value<'b>> {
        let argument = &call.args[0].value;
        let known = self
            .known()
            .and_then(|known| known.constants.get(&call.span))
            .copied();
        if let Some(known) = known {
            let value = if function.summarises() {
                None
            } else {
                Some(self.expression(argument, context)?)
            };
            return Ok(self.applied(function, known, value.as_ref()));
        }
        let own = if function.summarises() && self.needs_rows(argument) {
            Some(ROWS)
        } else {
            context
        };
        let value = self.expression(argument, own)?;
        let numbers = value.numbers.clone().ok_or(Poison)?;
        let text = call.span.of(self.text);
        let what = argument.span.of(self.text);
        if let Some(element) = numbers.iter().position(|x| !x.is_finite()) {
            let wrong = self.not_finite(what, numbers[element], element, own, argument.span);
            return Err(wrong);
        }
        let learned = match function {
            Function::Standardize | Function::Sd => Learned::standardize(what, &numbers),
            Function::Center | Function::Mean => Learned::center(what, &numbers),
            Function::Sum => Ok(Learned {
                shift: numbers.iter().sum(),
                scale: 1.0,
            }),
            Function::Exp
            | Function::Log
            | Function::Log1p
            | Function::Expm1
            | Function::Sqrt
            | Function::Abs
            | Function::Square
            | Function::Floor
            | Function::Step
            | Function::Logit
            | Function::InvLogit
            | Function::InvCloglog
            | Function::Phi
            | Function::Lgamma
            | Function::Pow
            | Function::Min
            | Function::Max
            | Function::Ifelse => return Err(Poison),
        };
        let learned = match learned {
            Ok(learned) => learned,
            Err(error) => return Err(self.data_error(&error, call.span)),
        };
        self.taught.constants.insert(call.span, learned);
        if !function.summarises() && !self.learned.iter().any(|(_, known)| known.call == text) {
            let learned = LearnedCall {
                call: text.to_owned(),
                constants: learned,
            };
            self.learned.push((call.span, learned));
        }
        let value = (!function.summarises()).then_some(&value);
        Ok(self.applied(function, learned, value))
    }

    /// What a call yields by the constants that it learned: its argument moved and scaled, or for a summary, which has
    /// none here, the constant itself.
    fn applied(&self, function: Function, learned: Learned, argument: Option<&Value<'b>>) -> Value<'b> {
        match argument {
            Some(value) => {
                let centred = value.binary(Binary::Sub, &value.lit(learned.shift));
                centred.binary(Binary::Div, &value.lit(learned.scale))
            }
            None if function == Function::Sd => Value::constant(self.builder, learned.scale),
            None => Value::constant(self.builder, learned.shift),
        }
    }

    /// The error of data that came out infinite or undefined.
    pub(super) fn not_finite(
        &mut self,
        what: &str,
        x: f64,
        element: usize,
        plate: Context,
        span: Span,
    ) -> Poison {
        let place = self.place_of(element, plate);
        let report = Report::error(
            format!("{} is {}{place}", quoted(what), shown(x)),
            span,
            "expected finite numbers",
        )
        .with_help(NOT_FINITE);
        self.blame(report)
    }

    /// Where an element of data stands, as the end of a sentence.
    pub(super) fn place_of(&self, element: usize, plate: Context) -> String {
        match plate {
            Some(ROWS) => format!(" in {}, line {}", self.table.name(), self.table.line_of(element)),
            Some(plate) => format!(
                " for {} {}",
                self.plates[plate].name,
                self.element_label(plate, element)
            ),
            None => String::new(),
        }
    }
}

/// A number in a message.
pub(super) fn shown(x: f64) -> String {
    if x.is_nan() {
        "not a number".to_owned()
    } else if x == f64::INFINITY {
        "infinite".to_owned()
    } else if x == f64::NEG_INFINITY {
        "minus infinite".to_owned()
    } else {
        number_label(x)
    }
}
