//! Assembles one loop over a plate.

use super::code::{Assembler, Instruction, Operand, Pass, Signs, Sink, narrow};
use super::plan::{Done, Plan, Planner};
use crate::error::{Error, Result};
use crate::ir::{Binary, Graph, Handle, Op, Unary};
use crate::pass::schedule::Loop;

/// What of a loop is done by which instructions.
struct Division {
    plans: Vec<Plan>,
    done: Done,
    /// Body nodes that are computed by instructions of their own.
    needed: Vec<bool>,
    /// Per plan, whether others read its value.
    is_read: Vec<bool>,
}

impl Assembler<'_> {
    /// Whether a node's numbers lie in memory before the loop begins.
    fn is_placed(&self, in_body: &dyn Fn(Handle) -> bool, node: Handle) -> bool {
        matches!(self.graph.node(node).op, Op::Position(_))
            || (self.place[node.index()].is_some() && !in_body(node))
    }

    fn divide(&self, pass: &Loop, in_body: &dyn Fn(Handle) -> bool) -> Result<Division> {
        let planner = Planner {
            graph: self.graph,
            pass,
            in_body,
            is_placed: &|node| self.is_placed(in_body, node),
        };
        let (plans, done) = planner.plans();
        if let Some(division) = self.need(pass, in_body, plans, done)? {
            return Ok(division);
        }
        let none = Done {
            density: vec![false; pass.density.len()],
            sums: vec![false; pass.sums.len()],
            segments: vec![false; pass.segments.len()],
            gradient: vec![false; pass.gradient.len()],
        };
        match self.need(pass, in_body, Vec::new(), none)? {
            Some(division) => Ok(division),
            None => Err(Error::bug("a loop without plans wants the values of one")),
        }
    }

    /// What the plans leave; none if they leave a softplus, which they do not write.
    fn need(
        &self,
        pass: &Loop,
        in_body: &dyn Fn(Handle) -> bool,
        plans: Vec<Plan>,
        done: Done,
    ) -> Result<Option<Division>> {
        let graph = self.graph;
        let mut open: Vec<Handle> = pass.stores.clone();
        let mut want = |source: Handle, done: bool| {
            if !done {
                open.push(source);
            }
        };
        for (&sum, &done) in pass.sums.iter().zip(&done.sums) {
            want(self.summand(sum)?, done);
        }
        let density = pass.density.iter().zip(&done.density);
        density.for_each(|(&term, &done)| want(term, done));
        let segments = pass.segments.iter().zip(&done.segments);
        segments.for_each(|(&(source, ..), &done)| want(source, done));
        let gradient = pass.gradient.iter().zip(&done.gradient);
        gradient.for_each(|(&(source, _), &done)| want(source, done));
        for plan in &plans {
            for &(part, _) in &plan.predictor.terms {
                if !matches!(graph.node(part).op, Op::Gather { .. }) {
                    open.push(part);
                }
            }
        }
        let mut needed = vec![false; graph.nodes.len()];
        let mut is_read = vec![false; plans.len()];
        while let Some(node) = open.pop() {
            if !in_body(node) || needed[node.index()] {
                continue;
            }
            if let Some(plan) = plans.iter().position(|plan| plan.value == Some(node)) {
                is_read[plan] = true;
                continue;
            }
            if plans.iter().any(|plan| {
                plan.softplus
                    .as_ref()
                    .is_some_and(|softplus| softplus.node == node)
            }) {
                return Ok(None);
            }
            needed[node.index()] = true;
            graph.node(node).op.for_each_operand(|operand| open.push(operand));
        }
        Ok(Some(Division {
            plans,
            done,
            needed,
            is_read,
        }))
    }

    /// The product that an addition or subtraction can take in: used by nothing else, and not kept.
    fn fusible(&self, needed: &[bool], node: Handle) -> Option<Fused> {
        let graph = self.graph;
        let Op::Binary(op, x, y) = graph.node(node).op else {
            return None;
        };
        let product = |handle: Handle| match graph.node(handle).op {
            Op::Binary(Binary::Mul, a, b)
                if self.uses[handle.index()] == 1
                    && self.place[handle.index()].is_none()
                    && needed[handle.index()] =>
            {
                Some((a, b))
            }
            _ => None,
        };
        let fused = |product, (a, b), c, signs| Fused {
            product,
            operands: [a, b, c],
            signs,
        };
        match op {
            Binary::Add => product(y)
                .map(|ab| fused(y, ab, x, Signs::Plus))
                .or_else(|| product(x).map(|ab| fused(x, ab, y, Signs::Plus))),
            Binary::Sub => product(y)
                .map(|ab| fused(y, ab, x, Signs::NegatedProduct))
                .or_else(|| product(x).map(|ab| fused(x, ab, y, Signs::NegatedAddend))),
            Binary::Mul
            | Binary::Div
            | Binary::Pow
            | Binary::Min
            | Binary::Max
            | Binary::Lt
            | Binary::Le
            | Binary::Eq => None,
        }
    }

    /// The product that a value to be added up is, if nothing else wants it.
    fn summed(&self, needed: &[bool], source: Handle) -> Option<Product> {
        let is_free = |node: Handle| {
            self.uses[node.index()] == 1 && self.place[node.index()].is_none() && needed[node.index()]
        };
        let plain = |node: Handle| {
            let operands = match self.graph.node(node).op {
                Op::Unary(Unary::Square, a) => [a, a],
                Op::Binary(Binary::Mul, a, b) => [a, b],
                _ => return None,
            };
            is_free(node).then_some(Product {
                nodes: [Some(node), None],
                scale: 1.0,
                operands,
            })
        };
        if let Op::Binary(Binary::Mul, a, b) = self.graph.node(source).op
            && is_free(source)
        {
            for (one, other) in [(a, b), (b, a)] {
                if let (Op::Const(scale), Some(inner)) = (&self.graph.node(one).op, plain(other)) {
                    return Some(Product {
                        nodes: [Some(source), Some(other)],
                        scale: *scale,
                        ..inner
                    });
                }
            }
        }
        plain(source)
    }

    fn sum_product(&mut self, product: Product, result: Option<u32>) -> Result<Instruction> {
        let [a, b] = product.operands;
        Ok(Instruction::SumProduct {
            scale: product.scale,
            a: self.operand(a)?,
            b: self.operand(b)?,
            result,
        })
    }

    /// Lets the loop write gradients that have no other contribution straight to their place.
    fn place_gradients(&mut self, pass: &Loop, division: &Division) -> Result<()> {
        for (&(source, slot), &done) in pass.gradient.iter().zip(&division.done.gradient) {
            let alone = self.contributions[slot.index()] == 1;
            if alone && !done && self.place[source.index()].is_none() && division.needed[source.index()] {
                let start = narrow(self.offsets[slot.index()])?;
                self.place[source.index()] = Some(Operand::Gradient(start));
                self.written[slot.index()] = true;
            }
        }
        Ok(())
    }

    pub(super) fn pass(&mut self, pass: &Loop) -> Result<()> {
        let graph = self.graph;
        let mut time_of: Vec<Option<usize>> = vec![None; graph.nodes.len()];
        for (time, node) in pass.body.iter().enumerate() {
            time_of[node.index()] = Some(time);
        }
        let in_body = |node: Handle| time_of[node.index()].is_some();
        let division = self.divide(pass, &in_body)?;
        let Division {
            plans,
            done,
            needed,
            is_read,
        } = &division;
        for &node in &pass.body {
            if !needed[node.index()] {
                let uses = &mut self.uses;
                graph
                    .node(node)
                    .op
                    .for_each_operand(|operand| uses[operand.index()] -= 1);
            }
        }
        for (part, _) in plans.iter().flat_map(|plan| &plan.predictor.terms) {
            self.uses[part.index()] += 1;
        }
        self.place_gradients(pass, &division)?;
        // A plan runs where the first of its nodes stands.
        let starts: Vec<usize> = plans
            .iter()
            .map(|plan| {
                let nodes = [plan.value, plan.softplus.as_ref().map(|softplus| softplus.node)];
                let times = nodes.iter().flatten().filter_map(|node| time_of[node.index()]);
                times
                    .min()
                    .ok_or_else(|| Error::bug("a plan without a node of its loop"))
            })
            .collect::<Result<_>>()?;
        let fused: Vec<Option<Fused>> = pass
            .body
            .iter()
            .map(|&node| self.fusible(needed, node).filter(|_| needed[node.index()]))
            .collect();
        let mut covered = vec![false; graph.nodes.len()];
        for fused in fused.iter().flatten() {
            covered[fused.product.index()] = true;
        }
        let sums = pass
            .sums
            .iter()
            .map(|sum| self.summand(*sum))
            .collect::<Result<Vec<Handle>>>()?;
        // Products that are only added up are not written.
        let products = |sources: &[Handle], done: &[bool]| -> Vec<Option<Product>> {
            let pairs = sources.iter().zip(done);
            pairs
                .map(|(source, done)| if *done { None } else { self.summed(needed, *source) })
                .collect()
        };
        let segment_sources: Vec<Handle> = pass.segments.iter().map(|(source, ..)| *source).collect();
        let sum_products = products(&sums, &done.sums);
        let density_products = products(&pass.density, &done.density);
        let segment_products: Vec<Option<Product>> = products(&segment_sources, &done.segments)
            .into_iter()
            .map(|product| product.filter(|product| product.scale == 1.0))
            .collect();
        let all_products = [&sum_products, &density_products, &segment_products];
        let all_products: Vec<Product> = all_products.into_iter().flatten().flatten().copied().collect();
        for node in all_products.iter().flat_map(|product| product.nodes).flatten() {
            covered[node.index()] = true;
        }
        let operands = |time: usize| {
            let mut operands = Vec::new();
            for (plan, _) in plans.iter().zip(&starts).filter(|(_, start)| **start == time) {
                operands.extend(plan.predictor.terms.iter().map(|(part, _)| *part));
            }
            let node = pass.body[time];
            match fused[time] {
                Some(fused) => operands.extend(fused.operands),
                None if needed[node.index()] => graph
                    .node(node)
                    .op
                    .for_each_operand(|operand| operands.push(operand)),
                None => {}
            }
            operands
        };
        // The last instruction that reads each temporary frees it.
        let mut last: Vec<Option<usize>> = vec![None; graph.nodes.len()];
        for (time, node) in pass.body.iter().enumerate() {
            if !covered[node.index()] {
                operands(time)
                    .iter()
                    .for_each(|operand| last[operand.index()] = Some(time));
            }
        }
        let gradient = pass.gradient.iter().map(|(source, _)| source);
        for node in sums
            .iter()
            .chain(&pass.density)
            .chain(&pass.stores)
            .chain(&segment_sources)
            .chain(gradient)
            .chain(all_products.iter().flat_map(|product| &product.operands))
        {
            last[node.index()] = Some(pass.body.len());
        }
        let mut temps = Temps::default();
        let mut instructions = Vec::new();
        for (time, &node) in pass.body.iter().enumerate() {
            if covered[node.index()] {
                continue;
            }
            for (k, plan) in plans.iter().enumerate().filter(|(k, _)| starts[*k] == time) {
                let written = plan
                    .value
                    .filter(|_| is_read[k])
                    .map(|value| temps.assign(&mut self.place, value));
                self.rows(pass, plan, written, &in_body, &mut instructions)?;
            }
            if needed[node.index()] {
                let result = temps.assign(&mut self.place, node);
                let partner = partner(graph, &pass.body, node).filter(|other| needed[other.index()]);
                match (fused[time], partner, &graph.node(node).op) {
                    (
                        Some(Fused {
                            operands: [a, b, c],
                            signs,
                            ..
                        }),
                        ..,
                    ) => {
                        let (a, b, c) = (self.operand(a)?, self.operand(b)?, self.operand(c)?);
                        instructions.push(Instruction::MultiplyAdd {
                            signs,
                            a,
                            b,
                            c,
                            result,
                        });
                    }
                    // ln(1 + eˣ) and 1/(1 + e⁻ˣ) come from one exponential.
                    (None, Some(other), Op::Unary(op, operand)) => {
                        let second = temps.assign(&mut self.place, other);
                        covered[other.index()] = true;
                        let (softplus, inv_logit) = if *op == Unary::Softplus {
                            (result, second)
                        } else {
                            (second, result)
                        };
                        let operand = self.operand(*operand)?;
                        instructions.push(Instruction::SoftplusInvLogit(operand, softplus, inv_logit));
                    }
                    (None, ..) => self.operation(node, &mut instructions)?,
                }
            }
            temps.release(&self.place, &operands(time), |operand| {
                last[operand.index()] == Some(time)
            });
        }
        for (k, &sum) in pass.sums.iter().enumerate().filter(|(k, _)| !done.sums[*k]) {
            let result = self.sum(sum, 0.0)?;
            instructions.push(match sum_products[k] {
                Some(product) => self.sum_product(product, Some(result))?,
                None => Instruction::Sum {
                    source: self.operand(sums[k])?,
                    result,
                },
            });
        }
        for (k, &term) in pass.density.iter().enumerate().filter(|(k, _)| !done.density[*k]) {
            instructions.push(match density_products[k] {
                Some(product) => self.sum_product(product, None)?,
                None => Instruction::Density(self.operand(term)?),
            });
        }
        let segments = pass.segments.iter().enumerate();
        for (k, &(source, index, target)) in segments.filter(|(k, _)| !done.segments[*k]) {
            let (codes, sink) = (self.codes(index), self.sink(target)?);
            instructions.push(match segment_products[k] {
                Some(Product { operands: [a, b], .. }) => Instruction::SegmentProduct {
                    a: self.operand(a)?,
                    b: self.operand(b)?,
                    codes,
                    sink,
                },
                None => Instruction::Segment {
                    source: self.operand(source)?,
                    codes,
                    sink,
                },
            });
        }
        let gradient = pass.gradient.iter().zip(&done.gradient);
        for (&(source, slot), _) in gradient.filter(|(_, done)| !**done) {
            let start = narrow(self.offsets[slot.index()])?;
            let source = self.operand(source)?;
            if source != Operand::Gradient(start) {
                instructions.push(Instruction::Accumulate {
                    source,
                    sink: Sink::Gradient(start),
                });
            }
        }
        self.code.temps = self.code.temps.max(temps.count as usize);
        self.code.passes.push(Pass {
            len: graph.plate_len(Some(pass.plate)),
            instructions,
        });
        for plan in plans {
            self.level_passes(pass, plan)?;
        }
        Ok(())
    }

    /// A scalar that `sum` is added up in, from `offset` on.
    pub(super) fn sum(&mut self, sum: Handle, offset: f64) -> Result<u32> {
        let result = self.scalar(0.0)?;
        self.code.sums.push((result, offset));
        self.place[sum.index()] = Some(Operand::Scalar(result));
        Ok(result)
    }

    /// What a sum runs over.
    fn summand(&self, sum: Handle) -> Result<Handle> {
        match self.graph.node(sum).op {
            Op::Sum(source) => Ok(source),
            _ => Err(Error::bug(format!("{sum} is no sum"))),
        }
    }
}

/// Temporaries of a loop.
#[derive(Default)]
struct Temps {
    free: Vec<u32>,
    count: u32,
}

impl Temps {
    /// A node's place, which is a temporary unless it has another.
    fn assign(&mut self, place: &mut [Option<Operand>], node: Handle) -> Operand {
        *place[node.index()].get_or_insert_with(|| {
            Operand::Temp(self.free.pop().unwrap_or_else(|| {
                self.count += 1;
                self.count - 1
            }))
        })
    }

    /// Frees those of `operands` that are `dead`.
    fn release(&mut self, place: &[Option<Operand>], operands: &[Handle], dead: impl Fn(Handle) -> bool) {
        for &operand in operands {
            if let Some(Operand::Temp(temp)) = place[operand.index()]
                && dead(operand)
                && !self.free.contains(&temp)
            {
                self.free.push(temp);
            }
        }
    }
}

/// A product that is only added up: scale·a·b.
#[derive(Clone, Copy)]
struct Product {
    /// The nodes that stand for it and are not computed.
    nodes: [Option<Handle>; 2],
    scale: f64,
    operands: [Handle; 2],
}

/// A product taken in by the addition that alone uses it.
#[derive(Clone, Copy)]
struct Fused {
    product: Handle,
    /// a, b of the product, and what is added.
    operands: [Handle; 3],
    signs: Signs,
}

/// The node of `body` that is ln(1 + eˣ) where `node` is 1/(1 + e⁻ˣ) of the same x, or conversely.
fn partner(graph: &Graph, body: &[Handle], node: Handle) -> Option<Handle> {
    let Op::Unary(op, operand) = graph.node(node).op else {
        return None;
    };
    let wanted = match op {
        Unary::Softplus => Unary::InvLogit,
        Unary::InvLogit => Unary::Softplus,
        _ => return None,
    };
    body.iter()
        .copied()
        .find(|other| graph.node(*other).op == Op::Unary(wanted, operand))
}
