//! The log density of long tables: sums of rows as pairs (high, low), and the scalars around them likewise.

use std::collections::BTreeSet;

use super::remainders::exact_operation;
use super::{Emitter, Op};
use crate::error::Result;
use crate::ir::{Binary, Graph, Handle, Unary};
use crate::pass::schedule::{Loop, Schedule, Target};

/// ± Πfactors · Σ source.
pub(super) struct Weighted {
    /// Scalars that all elements share.
    factors: Vec<Handle>,
    negated: bool,
    /// What is summed over its plate.
    source: Handle,
}

/// All terms of the log density, taken apart.
pub(super) struct Density {
    /// Terms that are one number per chain.
    scalars: Vec<Handle>,
    weighted: Vec<Weighted>,
    /// What is summed into pairs.
    pub(super) pairs: BTreeSet<Handle>,
    /// Scalars that have no exact form, to be computed in plain f32.
    pub(super) plain: Vec<Handle>,
}

/// Whether a scalar operation has a form with double digits in `shaders/exact.wgsl`.
pub(super) fn is_exact(op: &Op) -> bool {
    match op {
        Op::Const(_) | Op::Position(_) | Op::Sum(_) => true,
        Op::Unary(op, _) => matches!(op, Unary::Neg | Unary::Square | Unary::Exp | Unary::Recip),
        Op::Binary(op, ..) => matches!(op, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div),
        Op::Column(_)
        | Op::Select(..)
        | Op::Gather { .. }
        | Op::SegmentSum { .. }
        | Op::Element(..)
        | Op::Stack(_)
        | Op::Cholesky(_)
        | Op::SolveLower(..) => false,
    }
}

/// Takes the scalars out of a term over a plate; a sum is taken apart only where one of its parts has any.
fn take_out(graph: &Graph, term: Handle) -> Vec<Weighted> {
    let whole = || {
        vec![Weighted {
            factors: Vec::new(),
            negated: false,
            source: term,
        }]
    };
    let is_scalar = |node: Handle| graph.ty(node).plate.is_none();
    match graph.node(term).op {
        Op::Unary(Unary::Neg, a) => {
            let mut parts = take_out(graph, a);
            parts.iter_mut().for_each(|part| part.negated = !part.negated);
            parts
        }
        Op::Binary(Binary::Mul, a, b) if is_scalar(a) || is_scalar(b) => {
            let (factor, rest) = if is_scalar(a) { (a, b) } else { (b, a) };
            let mut parts = take_out(graph, rest);
            parts.iter_mut().for_each(|part| part.factors.push(factor));
            parts
        }
        Op::Binary(op @ (Binary::Add | Binary::Sub), a, b) if !is_scalar(a) && !is_scalar(b) => {
            let (mut left, mut right) = (take_out(graph, a), take_out(graph, b));
            if left.iter().chain(&right).all(|part| part.factors.is_empty()) {
                return whole();
            }
            if op == Binary::Sub {
                right.iter_mut().for_each(|part| part.negated = !part.negated);
            }
            left.append(&mut right);
            left
        }
        _ => whole(),
    }
}

impl Density {
    /// What the log density's terms in a loop sum over its plate.
    pub(super) fn summed_by(&self, graph: &Graph, pass: &Loop) -> Vec<Handle> {
        let parts = pass.density.iter().flat_map(|term| take_out(graph, *term));
        parts.map(|part| part.source).collect()
    }

    /// The terms of a schedule.
    pub(super) fn of(schedule: &Schedule) -> Self {
        let graph = &schedule.program.graph;
        let stages = &schedule.stages;
        let scalars = stages
            .iter()
            .flat_map(|stage| stage.density.iter().copied())
            .collect();
        let weighted: Vec<Weighted> = stages
            .iter()
            .flat_map(|stage| &stage.loops)
            .flat_map(|pass| &pass.density)
            .flat_map(|term| take_out(graph, *term))
            .collect();
        let mut this = Self {
            scalars,
            weighted,
            pairs: BTreeSet::new(),
            plain: Vec::new(),
        };
        let mut open = this.scalars.clone();
        for part in &this.weighted {
            this.pairs.insert(part.source);
            open.extend(&part.factors);
        }
        let mut seen = BTreeSet::new();
        while let Some(node) = open.pop() {
            if !seen.insert(node) {
                continue;
            }
            let op = &graph.node(node).op;
            match op {
                Op::Sum(source) => {
                    this.pairs.insert(*source);
                }
                op if is_exact(op) => op.for_each_operand(|operand| open.push(operand)),
                _ => this.plain.push(node),
            }
        }
        this
    }
}

impl Emitter<'_> {
    /// The last function: what remains of the gradient, one number per chain, and the log density.
    pub(super) fn log_density(&mut self, density: &Density) -> Result<()> {
        let schedule = self.schedule;
        self.line("fn rows_log_density(chain: u32) -> vec2<f32> {");
        self.indent += 1;
        let mut gradients = vec![Vec::new(); self.graph.slots.len()];
        let mut scatters = Vec::new();
        let mut roots = density.plain.clone();
        for stage in &schedule.stages {
            for &(value, slot) in &stage.gradient {
                gradients[slot.index()].push(value);
                roots.push(value);
            }
            for scatter in &stage.scatters {
                if let Target::Gradient(_) = scatter.target {
                    scatters.push(*scatter);
                    roots.push(scatter.source);
                }
            }
        }
        self.define_scalars(&roots)?;
        for (slot, values) in (0..).zip(&gradients) {
            if !values.is_empty() {
                let at = self.at_gradient(crate::ir::SlotId::new(slot), "0u");
                let values: Vec<String> = values.iter().map(|value| self.value(*value)).collect();
                self.line(&format!("{at} = {};", values.join(" + ")));
            }
        }
        for scatter in scatters {
            let at = self.at_target(scatter.target, &self.chosen(scatter.index))?;
            let value = self.value(scatter.source);
            self.line(&format!("{at} += {value};"));
        }
        self.line("var lp = vec2<f32>(0.0, 0.0);");
        let mut known = BTreeSet::new();
        for &term in &density.scalars {
            let exact = self.exact(term, &mut known)?;
            self.line(&format!(
                "lp = ex_accumulate(ex_accumulate(lp, {exact}.x), {exact}.y);"
            ));
        }
        for part in &density.weighted {
            let sign = if part.negated { "-" } else { "" };
            let mut term = self.pair(part.source);
            for &factor in &part.factors {
                let factor = self.exact(factor, &mut known)?;
                term = format!("ex_mul({term}, {factor})");
            }
            self.line("{");
            self.line(&format!("    let term = {sign}{term};"));
            self.line("    lp = ex_accumulate(ex_accumulate(lp, term.x), term.y);");
            self.line("}");
        }
        self.line("return lp;");
        self.close();
        Ok(())
    }

    /// The sum over elements for the log density, as it is kept in `work`.
    fn pair(&self, source: Handle) -> String {
        let place = self.pairs[&source];
        let (high, low) = (
            self.at_work(&format!("{place}u")),
            self.at_work(&format!("{}u", place + 1)),
        );
        format!("vec2<f32>({high}, {low})")
    }

    /// Computes a scalar with double digits, unless `known` has it, and names it.
    pub(super) fn exact(&mut self, handle: Handle, known: &mut BTreeSet<Handle>) -> Result<String> {
        let name = format!("x{}", handle.index());
        if !known.insert(handle) {
            return Ok(name);
        }
        let op = self.graph.node(handle).op.clone();
        let expression = match op {
            Op::Const(c) => {
                let high = c as f32;
                let low = (c - f64::from(high)) as f32;
                let part = |x: f32| super::literal(f64::from(x));
                format!(
                    "vec2<f32>({}, {})",
                    part(high),
                    part(if low.is_finite() { low } else { 0.0 })
                )
            }
            Op::Position(slot) => format!("vec2<f32>({}, 0.0)", self.at_position(slot, "0u")),
            Op::Sum(source) => self.pair(source),
            op if !is_exact(&op) => format!("vec2<f32>({}, 0.0)", self.value(handle)),
            op => {
                let mut operands = Vec::new();
                op.for_each_operand(|operand| operands.push(operand));
                let names = operands
                    .iter()
                    .map(|x| self.exact(*x, known))
                    .collect::<Result<Vec<String>>>()?;
                exact_operation(&op, &names)?
            }
        };
        self.line(&format!("let {name} = {expression};"));
        Ok(name)
    }
}
