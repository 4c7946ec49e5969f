//! Finds in a loop's body what [`super::rows`] describes: a link function of a linear predictor, and which of the
//! loop's sums are data times its value.

use std::borrow::Cow;

use super::form::{Coefficient, Form, Forms};
use super::rows::{Link, MAX_SPREADS, MAX_TERMS, Of};
use crate::ir::{Graph, Handle, IndexId, Op, Unary};
use crate::pass::schedule::Loop;

/// A use of a loop's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// Place among the loop's density terms.
    Density(usize),
    /// Place among its sums.
    Sum(usize),
    /// Place among its segment sums.
    Segment(usize),
    /// Place among its contributions to the gradient.
    Gradient(usize),
}

/// Data times the value, its square or the predictor, that goes to a root.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) of: Of,
    pub(super) factor: Coefficient,
    pub(super) root: Root,
}

/// w·softplus(η) + k·η, a term of the density. The two are summed row by row: their totals may cancel.
#[derive(Debug, Clone)]
pub(super) struct WeighedSoftplus {
    pub(super) node: Handle,
    /// w
    pub(super) weight: Coefficient,
    /// k
    pub(super) linear: Coefficient,
}

/// A link function of a linear predictor with what is summed of it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) link: Link,
    /// The node of the link's value, where the loop has one.
    pub(super) value: Option<Handle>,
    pub(super) predictor: Form,
    /// What ln(1 + e^η) adds to the density.
    pub(super) softplus: Option<WeighedSoftplus>,
    pub(super) shares: Vec<Share>,
    /// Parts of the density that the loop's elements read as their own, with weights.
    pub(super) own: Vec<(Handle, Coefficient)>,
    /// Parts of the density gathered from a source: its weight per element of the source.
    pub(super) gathered: Vec<(Handle, Vec<f64>)>,
    /// What data alone adds to sums.
    pub(super) sum_offsets: Vec<(usize, f64)>,
    /// What data alone adds to segment sums, per element of their target.
    pub(super) segment_offsets: Vec<(usize, Vec<f64>)>,
}

/// Which roots are done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) density: Vec<bool>,
    pub(super) sums: Vec<bool>,
    pub(super) segments: Vec<bool>,
    pub(super) gradient: Vec<bool>,
}

impl Done {
    fn mark(&mut self, root: Root) {
        match root {
            Root::Density(k) => self.density[k] = true,
            Root::Sum(k) => self.sums[k] = true,
            Root::Segment(k) => self.segments[k] = true,
            Root::Gradient(k) => self.gradient[k] = true,
        }
    }
}

/// The nodes of one link function.
struct Candidate {
    link: Link,
    predictor: Handle,
    value: Option<Handle>,
    softplus: Option<Handle>,
    square: Option<Handle>,
}

impl Candidate {
    /// Which of its numbers a node is.
    fn of(&self, node: Handle) -> Option<Of> {
        if Some(node) == self.value {
            Some(Of::Value)
        } else if Some(node) == self.square {
            Some(Of::Square)
        } else {
            (node == self.predictor).then_some(Of::Predictor)
        }
    }
}

pub(super) struct Planner<'a> {
    pub(super) graph: &'a Graph,
    pub(super) pass: &'a Loop,
    pub(super) in_body: &'a dyn Fn(Handle) -> bool,
    /// Whether a node's numbers lie in memory before the loop begins.
    pub(super) is_placed: &'a dyn Fn(Handle) -> bool,
}

impl Planner<'_> {
    /// All that is found, and the roots that it accounts for.
    pub(super) fn plans(&self) -> (Vec<Plan>, Done) {
        let mut done = Done {
            density: vec![false; self.pass.density.len()],
            sums: vec![false; self.pass.sums.len()],
            segments: vec![false; self.pass.segments.len()],
            gradient: vec![false; self.pass.gradient.len()],
        };
        let mut plans = Vec::new();
        for candidate in self.candidates() {
            let mut after = done.clone();
            if let Some(plan) = self.plan(&candidate, &mut after) {
                plans.push(plan);
                done = after;
            }
        }
        (plans, done)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let graph = self.graph;
        let mut found: Vec<Candidate> = Vec::new();
        for &node in &self.pass.body {
            let Op::Unary(op, x) = graph.node(node).op else {
                continue;
            };
            if graph.ty(x).plate != Some(self.pass.plate) || matches!(graph.node(x).op, Op::Column(_)) {
                continue;
            }
            let link = match op {
                Unary::Softplus | Unary::InvLogit => Link::InvLogit,
                Unary::Exp => Link::Exp,
                Unary::Square if (self.in_body)(x) => Link::Identity,
                _ => continue,
            };
            let known = found
                .iter_mut()
                .find(|known| known.link == link && known.predictor == x);
            let candidate = match known {
                Some(known) => known,
                None => {
                    found.push(Candidate {
                        link,
                        predictor: x,
                        value: (link == Link::Identity).then_some(x),
                        softplus: None,
                        square: None,
                    });
                    let last = found.len() - 1;
                    &mut found[last]
                }
            };
            match op {
                Unary::Softplus => candidate.softplus = Some(node),
                Unary::Square => candidate.square = Some(node),
                _ => candidate.value = Some(node),
            }
        }
        found.sort_by_key(|candidate| candidate.link == Link::Identity);
        found
    }

    fn plan(&self, candidate: &Candidate, done: &mut Done) -> Option<Plan> {
        let graph = self.graph;
        let nodes = [candidate.value, candidate.softplus, candidate.square];
        let mut parts: Vec<Handle> = nodes.into_iter().flatten().collect();
        parts.push(candidate.predictor);
        let open = Forms {
            graph,
            plate: self.pass.plate,
            in_body: self.in_body,
            whole: Cow::Borrowed(&[]),
        };
        let closed = Forms {
            whole: Cow::Borrowed(&parts),
            ..open
        };
        let mut predictor = open.of(candidate.predictor)?;
        if predictor.terms.len() > MAX_TERMS {
            if candidate.link == Link::Identity {
                return None;
            }
            predictor = Form {
                terms: vec![(candidate.predictor, Coefficient::Constant(1.0))],
                data: Coefficient::Constant(0.0),
            };
        }
        let unknown = |(part, factor): &(Handle, Coefficient)| {
            graph.tuned_data(*part).is_some() && !matches!(factor, Coefficient::Constant(_))
        };
        let is_itself = |(part, _): &(Handle, Coefficient)| {
            candidate.link == Link::Identity && *part == candidate.predictor
        };
        if predictor.terms.iter().any(unknown) || predictor.terms.iter().any(is_itself) {
            return None;
        }
        let mut plan = Plan {
            link: candidate.link,
            value: candidate.value,
            predictor,
            softplus: None,
            shares: Vec::new(),
            own: Vec::new(),
            gathered: Vec::new(),
            sum_offsets: Vec::new(),
            segment_offsets: Vec::new(),
        };
        for (k, &term) in self.pass.density.iter().enumerate() {
            if !done.density[k]
                && let Some(form) = closed.of(term)
                && self.density(candidate, k, &form, &mut plan)
            {
                done.mark(Root::Density(k));
            }
        }
        for (k, &sum) in self.pass.sums.iter().enumerate() {
            let Op::Sum(source) = graph.node(sum).op else {
                continue;
            };
            if let Some((shares, data)) = self.shares(candidate, &closed, source, Root::Sum(k))
                && !done.sums[k]
                && plan.shares.len() + shares.len() < MAX_SPREADS
            {
                let total = match data {
                    Coefficient::Constant(x) => x * graph.plate_len(Some(self.pass.plate)) as f64,
                    Coefficient::Column(x) => x.iter().sum(),
                    Coefficient::Node(_) => continue,
                };
                plan.sum_offsets.push((k, total));
                plan.shares.extend(shares);
                done.mark(Root::Sum(k));
            }
        }
        for (k, &(source, index, _)) in self.pass.segments.iter().enumerate() {
            if let Some((shares, data)) = self.shares(candidate, &closed, source, Root::Segment(k))
                && !done.segments[k]
                && plan.shares.len() + shares.len() < MAX_SPREADS
            {
                if data != Coefficient::Constant(0.0) {
                    let Some(offsets) = self.by_code(index, &data) else {
                        continue;
                    };
                    plan.segment_offsets.push((k, offsets));
                }
                plan.shares.extend(shares);
                done.mark(Root::Segment(k));
            }
        }
        for (k, &(source, _)) in self.pass.gradient.iter().enumerate() {
            if let Some((shares, data)) = self.shares(candidate, &closed, source, Root::Gradient(k))
                && !done.gradient[k]
                && shares.len() == 1
                && data == Coefficient::Constant(0.0)
                && plan.shares.len() + 1 < MAX_SPREADS
            {
                plan.shares.extend(shares);
                done.mark(Root::Gradient(k));
            }
        }
        let enough = match candidate.link {
            // A few simple passes cost no more.
            Link::Identity => plan.shares.len() >= 2,
            Link::Exp => !plan.shares.is_empty(),
            Link::InvLogit => plan.softplus.is_some() || candidate.softplus.is_none(),
        };
        enough.then_some(plan)
    }

    /// Takes a density term with its form into the plan, if all of it can be.
    fn density(&self, candidate: &Candidate, k: usize, form: &Form, plan: &mut Plan) -> bool {
        let mut next = plan.clone();
        let mut is_ours = false;
        for (part, factor) in &form.terms {
            if let Some(of) = candidate.of(*part) {
                next.shares.push(Share {
                    of,
                    factor: factor.clone(),
                    root: Root::Density(k),
                });
                is_ours = true;
            } else if Some(*part) == candidate.softplus {
                // One weight: a second term would need its sum with the first.
                if next.softplus.is_some() || matches!(factor, Coefficient::Node(_)) {
                    return false;
                }
                next.softplus = Some(WeighedSoftplus {
                    node: *part,
                    weight: factor.clone(),
                    linear: Coefficient::Constant(0.0),
                });
                is_ours = true;
            } else if self.graph.ty(*part).plate.is_none() {
                return false;
            } else if (self.is_placed)(*part) && self.graph.tuned_data(*part).is_none() {
                next.own.push((*part, factor.clone()));
            } else if let Op::Gather { source, index } = self.graph.node(*part).op
                && self.graph.index_column(index).domain.is_some()
                && let Some(weights) = self.by_code(index, factor)
            {
                next.gathered.push((source, weights));
            } else {
                return false;
            }
        }
        if plan.softplus.is_none()
            && let Some(softplus) = &mut next.softplus
        {
            let is_linear = |share: &Share| {
                share.of == Of::Predictor
                    && share.root == Root::Density(k)
                    && !matches!(share.factor, Coefficient::Node(_))
            };
            if let Some(at) = next.shares.iter().position(is_linear) {
                softplus.linear = next.shares.remove(at).factor;
            }
        }
        // Data alone would be a constant, which other passes have taken out.
        let fits = form.data == Coefficient::Constant(0.0)
            && next.shares.len() < MAX_SPREADS
            && next.own.len() <= MAX_TERMS;
        if is_ours && fits {
            *plan = next;
        }
        is_ours && fits
    }

    /// A source as data times the value, its square or the predictor, and data.
    fn shares(
        &self,
        candidate: &Candidate,
        forms: &Forms,
        source: Handle,
        root: Root,
    ) -> Option<(Vec<Share>, Coefficient)> {
        let form = forms.of(source)?;
        let mut shares = Vec::new();
        for (part, factor) in form.terms {
            let of = candidate.of(part)?;
            shares.push(Share { of, factor, root });
        }
        (!shares.is_empty()).then_some((shares, form.data))
    }

    /// Sums of data by the codes of an index; none for a node's number, or codes that may change.
    fn by_code(&self, index: IndexId, factor: &Coefficient) -> Option<Vec<f64>> {
        let index = self.graph.index_column(index);
        if index.tuned {
            return None;
        }
        let mut sums = vec![0.0; self.graph.plate_len(Some(index.range))];
        for (element, &code) in index.codes.iter().enumerate() {
            sums[code as usize] += factor.at(element)?;
        }
        Some(sums)
    }
}
