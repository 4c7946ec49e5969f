//! One loop over a plate as dispatches: a thread per block of its elements.

use std::collections::BTreeSet;

use super::density::Density;
use super::items::{Runs, WHOLE, item_len};
use super::reduce::{Part, Sum};
use super::{Emitter, Op};
use crate::error::{Error, Result};
use crate::ir::{Handle, IndexId, PlateId, SlotId};
use crate::pass::schedule::{Loop, Target};

/// What one dispatch over a plate does.
#[derive(Default)]
struct Work {
    /// Sums into plain numbers: node `Sum`, what is summed.
    sums: Vec<(Handle, Handle)>,
    /// Sums into pairs, for the log density.
    pairs: Vec<Handle>,
    stores: Vec<Handle>,
    gradient: Vec<(Handle, SlotId)>,
    /// Sums by an index: source, target.
    segments: Vec<(Handle, Target)>,
    /// The index that orders the elements, if there are `segments`.
    index: Option<IndexId>,
}

impl Work {
    fn roots(&self) -> Vec<Handle> {
        let mut roots: Vec<Handle> = self.sums.iter().map(|(_, source)| *source).collect();
        roots.extend(&self.pairs);
        roots.extend(&self.stores);
        roots.extend(self.gradient.iter().map(|(source, _)| *source));
        roots.extend(self.segments.iter().map(|(source, _)| *source));
        roots
    }

    fn is_empty(&self) -> bool {
        self.roots().is_empty()
    }

    /// Whether another thread of the same dispatch may add to a target of these segments.
    fn clashes(&self, segments: &[(Handle, Target)]) -> bool {
        self.gradient.iter().any(|(_, slot)| {
            segments
                .iter()
                .any(|(_, target)| *target == Target::Gradient(*slot))
        })
    }
}

/// Where the elements of a dispatch's items are found.
enum Elements {
    /// Blocks of this length.
    Blocks(usize),
    /// Runs of equal codes, with the offsets of their tables.
    Runs {
        index: IndexId,
        runs: Runs,
        items: usize,
        ends: usize,
        order: Option<usize>,
    },
}

impl Emitter<'_> {
    /// The dispatches of one loop, and the partial sums that they leave.
    pub(super) fn pass(
        &mut self,
        stage: usize,
        pass: &Loop,
        density: &Density,
        wanted: &BTreeSet<Handle>,
    ) -> Result<Vec<Part>> {
        let mut main = Work {
            stores: pass.stores.clone(),
            gradient: pass.gradient.clone(),
            ..Work::default()
        };
        for &sum in &pass.sums {
            let Op::Sum(source) = self.graph.node(sum).op else {
                return Err(Error::bug(format!("{sum} is no sum")));
            };
            if wanted.contains(&sum) {
                main.sums.push((sum, source));
            }
            if density.pairs.contains(&source) {
                main.pairs.push(source);
            }
        }
        main.pairs.extend(density.summed_by(self.graph, pass));
        main.pairs.sort_unstable();
        main.pairs.dedup();
        let mut indices: Vec<IndexId> = pass.segments.iter().map(|(_, index, _)| *index).collect();
        indices.sort_unstable();
        indices.dedup();
        // The largest index whose codes are in order goes along with everything else.
        let range = |index: &IndexId| self.graph.plate_len(Some(self.graph.index_column(*index).range));
        let of_index = |index: IndexId| -> Vec<(Handle, Target)> {
            let of_it = pass.segments.iter().filter(|(_, known, _)| *known == index);
            of_it.map(|(source, _, target)| (*source, *target)).collect()
        };
        let first = indices
            .iter()
            .copied()
            .filter(|index| self.graph.index_column(*index).codes.is_sorted())
            .filter(|index| !main.clashes(&of_index(*index)))
            .max_by_key(range);
        if let Some(index) = first {
            main.segments = of_index(index);
            main.index = Some(index);
        }
        let mut works = vec![main];
        works.extend(
            indices
                .iter()
                .filter(|index| Some(**index) != first)
                .map(|&index| Work {
                    segments: of_index(index),
                    index: Some(index),
                    ..Work::default()
                }),
        );
        let mut parts = Vec::new();
        for (number, work) in works.iter().enumerate() {
            if !work.is_empty() {
                let name = format!("rows_{stage}_{}_{number}", pass.plate.index());
                parts.extend(self.dispatch(&name, pass, work)?);
            }
        }
        Ok(parts)
    }

    /// Cuts a plate into items and writes their tables.
    fn elements(&mut self, plate: PlateId, index: Option<IndexId>) -> Elements {
        let len = self.graph.plate_len(Some(plate));
        let Some(index) = index.filter(|_| len > 0) else {
            return Elements::Blocks(item_len(len));
        };
        let graph = self.graph;
        let column = graph.index_column(index);
        let mut runs = Runs::new(&column.codes, graph.plate_len(Some(column.range)));
        let items = self.tables.len();
        self.tables.extend(runs.items.iter().flatten());
        let ends = self.tables.len();
        self.tables.extend_from_slice(&runs.ends);
        let order = self.tables.len();
        self.tables.extend_from_slice(&runs.order);
        let order = (!runs.order.is_empty()).then_some(order);
        runs.order.clear();
        runs.ends.clear();
        Elements::Runs {
            index,
            runs,
            items,
            ends,
            order,
        }
    }

    fn dispatch(&mut self, name: &str, pass: &Loop, work: &Work) -> Result<Option<Part>> {
        let len = self.graph.plate_len(Some(pass.plate));
        let elements = self.elements(pass.plate, work.index);
        let (items, longest) = match &elements {
            Elements::Blocks(block) => (len.div_ceil(*block).max(1), *block),
            Elements::Runs { runs, .. } => (runs.items.len().max(1), runs.longest),
        };
        let part = self.part(work, items);
        let splits = match &elements {
            Elements::Runs { runs, .. } if !runs.splits.is_empty() => {
                let rooms = work.segments.iter().map(|_| self.room(runs.partials()));
                rooms.collect()
            }
            Elements::Blocks(_) | Elements::Runs { .. } => Vec::new(),
        };
        // The runs of an item and the elements of all its runs.
        self.open(name, items, 2 * longest as u64 + 2);
        let roots = work.roots();
        let computed = self.closure(&roots, |node| pass.body.binary_search(&node).is_ok());
        let reads = self.reads(&computed, &roots);
        let (varying, scalars): (Vec<Handle>, Vec<Handle>) = reads
            .into_iter()
            .partition(|node| self.graph.ty(*node).plate.is_some());
        for node in scalars {
            self.read(node, "0u")?;
        }
        for (number, _) in work.sums.iter().enumerate() {
            self.line(&format!("var t{number}: f32 = 0.0;"));
        }
        for (number, _) in work.pairs.iter().enumerate() {
            self.line(&format!("var p{number} = vec2<f32>(0.0, 0.0);"));
        }
        let body = Body {
            work,
            varying,
            computed,
        };
        match &elements {
            Elements::Blocks(block) => {
                self.line(&format!("let stop = min((item + 1u) * {block}u, {len}u);"));
                self.line(&format!("for (var k = item * {block}u; k < stop; k++) {{"));
                self.indent += 1;
                self.line("let i = k;");
                self.element(&body, &[], None)?;
                self.close();
            }
            Elements::Runs {
                index,
                items,
                ends,
                order,
                ..
            } => self.runs(&body, *index, (*items, *ends, *order), &splits)?,
        }
        let (plain, pairs) = part.sums.split_at(work.sums.len());
        for (number, sum) in plain.iter().enumerate() {
            self.write_sum(sum.partials, items, "item", &format!("t{number}"), false);
        }
        for (number, sum) in pairs.iter().enumerate() {
            self.write_sum(sum.partials, items, "item", &format!("p{number}"), true);
        }
        self.close();
        if let Elements::Runs { runs, .. } = &elements {
            self.splits(name, &runs.splits, &work.segments, &splits)?;
        }
        Ok((items > 1 && !part.sums.is_empty()).then_some(part))
    }

    /// Places for what a dispatch sums over all its items: the final ones if there is only one item.
    fn part(&mut self, work: &Work, items: usize) -> Part {
        let mut sums = Vec::new();
        for (sum, _) in &work.sums {
            let result = self.scalars[sum];
            let partials = if items > 1 { self.room(items) } else { result };
            sums.push(Sum {
                result,
                partials,
                is_pair: false,
            });
        }
        for source in &work.pairs {
            let result = self.pairs[source];
            let partials = if items > 1 { self.room(2 * items) } else { result };
            sums.push(Sum {
                result,
                partials,
                is_pair: true,
            });
        }
        Part { sums, items }
    }

    /// The loop over runs of equal codes, and over the elements of each.
    fn runs(
        &mut self,
        body: &Body<'_>,
        index: IndexId,
        (items, ends, order): (usize, usize, Option<usize>),
        splits: &[usize],
    ) -> Result<()> {
        let element = match order {
            Some(order) => format!("indices[{order}u + k]"),
            None => "k".into(),
        };
        let codes = self.index_offsets[index.index()];
        // What is the same for all elements of a run: gathers by the index, and what follows from them and scalars.
        let mut steady = Vec::new();
        for &node in &body.computed {
            let op = &self.graph.node(node).op;
            let is_steady = match op {
                Op::Gather { index: by, .. } => *by == index,
                op => {
                    let mut all = true;
                    op.for_each_operand(|operand| {
                        all &= self.graph.ty(operand).plate.is_none() || steady.contains(&operand);
                    });
                    all
                }
            };
            if is_steady {
                steady.push(node);
            }
        }
        self.line(&format!("let stop = indices[{items}u + 3u * item + 1u];"));
        if !splits.is_empty() {
            self.line(&format!("let part = indices[{items}u + 3u * item + 2u];"));
        }
        self.line(&format!("var k = indices[{items}u + 3u * item];"));
        self.line("while k < stop {");
        self.indent += 1;
        self.line(&format!("let code = indices[{codes}u + {element}];"));
        self.line(&format!("let end = min(stop, indices[{ends}u + code]);"));
        for &node in &steady {
            self.define(node, |_, _| "code".into())?;
        }
        for segment in 0..body.work.segments.len() {
            self.line(&format!("var s{segment}: f32 = 0.0;"));
        }
        self.line("for (; k < end; k++) {");
        self.indent += 1;
        self.line(&format!("let i = {element};"));
        self.element(body, &steady, Some(index))?;
        self.close();
        for (segment, (_, target)) in body.work.segments.iter().enumerate() {
            let at = self.at_target(*target, "code")?;
            let Some(start) = splits.get(segment) else {
                self.line(&format!("{at} += s{segment};"));
                continue;
            };
            let partial = self.at_work(&format!("{start}u + part"));
            self.line(&format!(
                "if part == {WHOLE}u {{ {at} += s{segment}; }} else {{ {partial} = s{segment}; }}"
            ));
        }
        self.close();
        Ok(())
    }

    /// What is done for element `i`, number `k` in order.
    fn element(&mut self, body: &Body<'_>, steady: &[Handle], by: Option<IndexId>) -> Result<()> {
        for &node in &body.varying {
            self.read(node, "i")?;
        }
        for &node in body.computed.iter().filter(|node| !steady.contains(node)) {
            self.define(node, |this, index| {
                if by == Some(index) {
                    return "code".into();
                }
                this.code(index, "i")
            })?;
        }
        let work = body.work;
        for &node in &work.stores {
            let (at, value) = (self.at_array(node, "i")?, self.value(node));
            self.line(&format!("{at} = {value};"));
            if let Some(place) = self.low_arrays.get(&node) {
                let at = self.at_work(&format!("{place}u + i"));
                self.line(&format!("{at} = x{}.y;", node.index()));
            }
        }
        for &(source, slot) in &work.gradient {
            let (at, value) = (self.at_gradient(slot, "i"), self.value(source));
            self.line(&format!("{at} += {value};"));
        }
        for (number, (_, source)) in work.sums.iter().enumerate() {
            let value = self.value(*source);
            self.line(&format!("t{number} += {value};"));
        }
        for (number, (source, _)) in work.segments.iter().enumerate() {
            let value = self.value(*source);
            self.line(&format!("s{number} += {value};"));
        }
        for (number, source) in work.pairs.iter().enumerate() {
            let value = self.value(*source);
            // Without a block in plain f32, whose rounding would exceed that of the terms.
            self.line(&format!("p{number} = accumulate(p{number}, {value});"));
        }
        Ok(())
    }
}

/// What a dispatch computes for each element.
struct Body<'w> {
    work: &'w Work,
    /// What is read of the element.
    varying: Vec<Handle>,
    /// What is computed, operands first.
    computed: Vec<Handle>,
}
