//! Terms of the density that are linear in data, and rows with the same design merged into cells.
//!
//! A term Σᵢ f(i) over a plate is taken apart into Σₖ Σᵢ Dₖ(i)·Gₖ(i), with Dₖ data and Gₖ the parts that depend on the
//! position; equal Gₖ are joined (which turns the Binomial with a logit link into y·η − n·softplus(η)), a Gₖ that does
//! not vary over the plate leaves the sum; how far a sum such as η is taken apart depends on the digits
//! ([`Predictors`]). Where rows agree in everything that the Gₖ read, they become one cell whose
//! Dₖ are summed: sufficient statistics, found rather than declared. What remains is sorted by its largest factor.

use super::rewrite::Rewriter;
use super::simplify::{live, rebuild};
use crate::error::{Error, Result};
use crate::ir::{Binary, Column, Graph, Handle, Index, IndexId, Op, PlateId, Program, Unary};

/// Up to this size a plate's term s·Σx, s being one number per chain, is computed so, and shares Σx with the gradient.
/// Beyond it the term is summed element by element, since in f32 the product of s with a large sum would lose the
/// digits that the blocks of `back::wgsl` keep.
const FACTORED_ROWS: usize = 4096;

/// D of a summand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// One number per element.
    pub(super) values: Vec<f64>,
    /// Whether they are others in other replicates.
    pub(super) varying: bool,
}

impl Data {
    /// 1 for each of `len` elements.
    pub(super) fn ones(len: usize) -> Self {
        Self {
            values: vec![1.0; len],
            varying: false,
        }
    }

    fn times(&self, other: &Self) -> Self {
        Self {
            values: self
                .values
                .iter()
                .zip(&other.values)
                .map(|(x, f)| x * f)
                .collect(),
            varying: self.varying || other.varying,
        }
    }

    fn negated(&self) -> Self {
        Self {
            values: self.values.iter().map(|x| -x).collect(),
            varying: self.varying,
        }
    }

    fn add(&mut self, other: &Self) {
        self.values
            .iter_mut()
            .zip(&other.values)
            .for_each(|(sum, x)| *sum += x);
        self.varying |= other.varying;
    }

    pub(super) fn sum(&self) -> f64 {
        self.values.iter().sum()
    }
}

/// One summand D·s·G; `part` is `None` for D alone.
pub(super) struct Linear {
    pub(super) data: Data,
    /// s, one number per chain.
    pub(super) scalar: Option<Handle>,
    pub(super) part: Option<Handle>,
}

/// What becomes of a sum that is read linearly, y·η, and otherwise, softplus(η).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predictors {
    /// It stays whole in both, so that both have the same rounding error δ of η, and (y − p)·δ is left of it. In f32 the
    /// intercept loses the same low bits in every row whose other parts are larger; taken apart, Σy·a would keep them,
    /// and the log density of N rows would be off by some 1e-8·N.
    Whole,
    /// What is linear is taken apart, and its parts without a plate leave the loop. In f64 those bits do not count. Only what
    /// a softplus reads stays whole: y·η − n·softplus(η) is small however large η is where y is 0 or n, and of two sums of
    /// such numbers the difference is whatever they round to. (A product x·β becomes one with y, and is not kept whole.)
    Apart,
}

/// A term of the density as a sum of data times parts, over `len` elements.
pub(super) struct Decomposition {
    len: usize,
    pub(super) summands: Vec<Linear>,
    /// Sums that are not taken apart.
    whole: Vec<Handle>,
}

impl Decomposition {
    /// An empty sum over `len` elements.
    pub(super) fn new(len: usize) -> Self {
        Self {
            len,
            summands: Vec::new(),
            whole: Vec::new(),
        }
    }

    /// The same, with sums that are to stay as they are.
    fn keeping(len: usize, whole: Vec<Handle>) -> Self {
        Self {
            whole,
            ..Self::new(len)
        }
    }

    fn add(&mut self, scalar: Option<Handle>, part: Option<Handle>, data: &Data) {
        let same = |known: &&mut Linear| known.scalar == scalar && known.part == part;
        match self.summands.iter_mut().find(same) {
            Some(known) => known.data.add(data),
            None => self.summands.push(Linear {
                data: data.clone(),
                scalar,
                part,
            }),
        }
    }

    /// Adds `factor`·`node`.
    pub(super) fn take_apart(&mut self, graph: &Graph, node: Handle, factor: &Data) {
        if let Some(data) = data_values(graph, node, self.len) {
            return self.add(None, None, &data.times(factor));
        }
        if self.whole.contains(&node) {
            return self.add(None, Some(node), factor);
        }
        match graph.node(node).op {
            Op::Binary(Binary::Add, a, b) => {
                self.take_apart(graph, a, factor);
                self.take_apart(graph, b, factor);
            }
            Op::Binary(Binary::Sub, a, b) => {
                self.take_apart(graph, a, factor);
                self.take_apart(graph, b, &factor.negated());
            }
            Op::Unary(Unary::Neg, a) => self.take_apart(graph, a, &factor.negated()),
            Op::Binary(Binary::Mul, a, b) => {
                for (data, rest) in [(a, b), (b, a)] {
                    if let Some(data) = data_values(graph, data, self.len) {
                        return self.take_apart(graph, rest, &data.times(factor));
                    }
                }
                // Simplification moves scalars out of products, past the data that stand with the rest.
                for (scalar, product) in [(a, b), (b, a)] {
                    if graph.ty(scalar).plate.is_none()
                        && let Op::Binary(Binary::Mul, c, d) = graph.node(product).op
                    {
                        for (data, rest) in [(c, d), (d, c)] {
                            if let Some(data) = data_values(graph, data, self.len) {
                                return self.add(Some(scalar), Some(rest), &data.times(factor));
                            }
                        }
                    }
                }
                self.add(None, Some(node), factor);
            }
            _ => self.add(None, Some(node), factor),
        }
    }
}

/// The values of a data node over `len` elements.
pub(super) fn data_values(graph: &Graph, node: Handle, len: usize) -> Option<Data> {
    match graph.node(node).op {
        Op::Const(x) => Some(Data {
            values: vec![x; len],
            varying: false,
        }),
        Op::Column(id) => {
            let column = graph.column(id);
            Some(Data {
                values: if column.values.len() == len {
                    column.values.clone()
                } else {
                    vec![column.values[0]; len]
                },
                varying: column.varying,
            })
        }
        _ => None,
    }
}

/// What a set of nodes over a plate reads: the design of its rows.
#[derive(Default)]
pub(super) struct Design {
    indices: Vec<IndexId>,
    pub(super) columns: Vec<Handle>,
    /// Something that differs from element to element by itself: a parameter over the plate, a segment sum.
    pub(super) own: bool,
    /// Data that other replicates have other values of: rows that agree in them here need not agree there.
    varying: bool,
    seen: Vec<Handle>,
}

impl Design {
    pub(super) fn read(&mut self, graph: &Graph, node: Handle, plate: PlateId) {
        if graph.ty(node).plate != Some(plate) || self.seen.contains(&node) {
            return;
        }
        self.seen.push(node);
        match &graph.node(node).op {
            Op::Column(id) if graph.column(*id).varying => self.varying = true,
            Op::Column(_) => self.columns.push(node),
            // Rows whose codes agree now need not agree later.
            Op::Gather { index, .. } if graph.index_column(*index).tuned => self.own = true,
            Op::Gather { index, .. } => {
                if !self.indices.contains(index) {
                    self.indices.push(*index);
                }
            }
            Op::Position(_) | Op::SegmentSum { .. } => self.own = true,
            op => op.for_each_operand(|operand| self.read(graph, operand, plate)),
        }
    }

    /// The rows in sorted order, grouped: first the largest factor, then the others, then the columns.
    pub(super) fn groups(&self, graph: &Graph, len: usize) -> Vec<Vec<usize>> {
        let mut indices: Vec<&Index> = self.indices.iter().map(|id| graph.index_column(*id)).collect();
        indices.sort_by_key(|index| std::cmp::Reverse(graph.plates[index.range.index()].len));
        let columns: Vec<&Column> = self
            .columns
            .iter()
            .filter_map(|node| match graph.node(*node).op {
                Op::Column(id) => Some(graph.column(id)),
                _ => None,
            })
            .collect();
        let compare = |&a: &usize, &b: &usize| {
            let codes = indices.iter().map(|index| index.codes[a].cmp(&index.codes[b]));
            let values = columns
                .iter()
                .map(|column| column.values[a].total_cmp(&column.values[b]));
            codes
                .chain(values)
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        let mut rows: Vec<usize> = (0..len).collect();
        rows.sort_by(compare);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for row in rows {
            match groups.last_mut() {
                Some(group) if !self.varying && compare(&group[0], &row).is_eq() => group.push(row),
                _ => groups.push(vec![row]),
            }
        }
        groups
    }
}

/// Copies nodes over one plate to the plate of its cells.
struct Cells<'a> {
    source: &'a Graph,
    rows: PlateId,
    cells: PlateId,
    /// One row of each cell.
    representatives: Vec<usize>,
    map: Vec<Option<Handle>>,
    indices: Vec<(IndexId, IndexId)>,
}

impl Cells<'_> {
    /// The node on the cells' plate; `outer` maps nodes off the rows' plate.
    fn copy(&mut self, rewriter: &mut Rewriter, node: Handle, outer: &[Handle]) -> Result<Handle> {
        if self.source.ty(node).plate != Some(self.rows) {
            return Ok(outer[node.index()]);
        }
        if let Some(done) = self.map[node.index()] {
            return Ok(done);
        }
        let copy = match &self.source.node(node).op {
            Op::Column(id) => {
                let column = self.source.column(*id);
                let values = self
                    .representatives
                    .iter()
                    .map(|&row| column.values[row])
                    .collect();
                let plate = Some(self.cells);
                rewriter.data_of(
                    format!("{id:?} of {plate:?}"),
                    (&column.name, plate),
                    values,
                    column.varying,
                )
            }
            Op::Gather { source, index } => {
                let index = self.index(rewriter, *index);
                rewriter.gather(outer[source.index()], index)?
            }
            op => {
                let mut operands = Vec::new();
                op.for_each_operand(|operand| operands.push(operand));
                let mut copies = Vec::new();
                for operand in operands {
                    copies.push(self.copy(rewriter, operand, outer)?);
                }
                let mut copies = copies.into_iter();
                let mut short = false;
                let op = op.map_operands(|operand| {
                    copies.next().unwrap_or_else(|| {
                        short = true;
                        operand
                    })
                });
                if short {
                    return Err(Error::bug("an operation lost an operand"));
                }
                rebuild(rewriter, self.source, &op, None)?
            }
        };
        self.map[node.index()] = Some(copy);
        Ok(copy)
    }

    fn index(&mut self, rewriter: &mut Rewriter, id: IndexId) -> IndexId {
        if let Some((_, known)) = self.indices.iter().find(|(source, _)| *source == id) {
            return *known;
        }
        let index = self.source.index_column(id);
        let codes = self.representatives.iter().map(|&row| index.codes[row]).collect();
        let copy = Index {
            name: index.name.clone(),
            domain: Some(self.cells),
            range: index.range,
            codes,
            // The design of merged rows has no tuned index.
            tuned: false,
        };
        let copy = rewriter.index(copy);
        self.indices.push((id, copy));
        copy
    }
}

/// What softplus reads over a plate.
fn read_by_softplus(graph: &Graph, live: &[bool]) -> Vec<Handle> {
    let nodes = graph.nodes.iter().zip(live).filter(|(_, live)| **live);
    nodes
        .filter_map(|(node, _)| match node.op {
            Op::Unary(Unary::Softplus, x) => Some(x),
            _ => None,
        })
        .filter(|x| graph.ty(*x).plate.is_some() && graph.ty(*x).per_chain)
        .collect()
}

/// Sums over a plate that an operation reads in which they do not stand linearly.
fn read_otherwise(graph: &Graph, live: &[bool]) -> Vec<Handle> {
    let is_sum = |node: Handle| {
        matches!(graph.node(node).op, Op::Binary(Binary::Add | Binary::Sub, ..))
            && graph.ty(node).plate.is_some()
            && graph.ty(node).per_chain
    };
    let mut found = Vec::new();
    for node in graph
        .nodes
        .iter()
        .zip(live)
        .filter(|(_, live)| **live)
        .map(|(node, _)| node)
    {
        let is_linear = match node.op {
            Op::Unary(op, _) => op == Unary::Neg,
            Op::Binary(Binary::Add | Binary::Sub, ..) => true,
            Op::Binary(Binary::Mul, a, b) => !(graph.ty(a).per_chain && graph.ty(b).per_chain),
            Op::Sum(_) => true,
            _ => false,
        };
        if !is_linear {
            node.op.for_each_operand(|operand| {
                if is_sum(operand) && !found.contains(&operand) {
                    found.push(operand);
                }
            });
        }
    }
    found
}

/// An equivalent program with merged and sorted rows. Expects a simplified program before differentiation.
pub fn merge(program: &Program, predictors: Predictors) -> Result<Program> {
    let source = &program.graph;
    let mut rewriter = Rewriter::new(source);
    let live = live(program);
    let whole_sums = match predictors {
        Predictors::Whole => read_otherwise(source, &live),
        Predictors::Apart => read_by_softplus(source, &live),
    };
    let zero = rewriter.constant(0.0);
    let mut map = vec![zero; source.nodes.len()];
    for (place, node) in source.nodes.iter().enumerate() {
        if live[place] {
            let summed = if let Op::Sum(a) = node.op {
                source.ty(a).plate
            } else {
                None
            };
            let op = node.op.map_operands(|operand| map[operand.index()]);
            map[place] = rebuild(&mut rewriter, source, &op, summed)?;
        }
    }
    let mut density = Vec::new();
    let mut constant = program.constant;
    // All terms over one plate are taken apart together, so that they share loops and equal parts.
    let mut plates: Vec<PlateId> = Vec::new();
    for term in &program.density {
        match source.ty(*term).plate {
            Some(plate) if !plates.contains(&plate) => plates.push(plate),
            Some(_) => {}
            None => density.push(map[term.index()]),
        }
    }
    for plate in plates {
        let len = source.plate_len(Some(plate));
        let mut whole = Decomposition::keeping(len, whole_sums.clone());
        for term in program
            .density
            .iter()
            .filter(|term| source.ty(**term).plate == Some(plate))
        {
            whole.take_apart(source, *term, &Data::ones(len));
        }
        let mut design = Design::default();
        let mut varying = Vec::new();
        for Linear { data, scalar, part } in whole.summands {
            match (scalar, part) {
                (None, None) => constant += data.sum(),
                (_, Some(part)) if source.ty(part).plate == Some(plate) => {
                    design.read(source, part, plate);
                    varying.push((data, scalar, part));
                }
                (scalar, part) => {
                    let mut node = rewriter.number("weight", data.sum(), data.varying);
                    for factor in [scalar, part].into_iter().flatten() {
                        node = rewriter.binary(Binary::Mul, node, map[factor.index()])?;
                    }
                    density.push(node);
                }
            }
        }
        let identity = || (0..len).map(|row| vec![row]).collect::<Vec<_>>();
        let groups = if design.own {
            identity()
        } else {
            design.groups(source, len)
        };
        let in_place =
            groups.len() == len && groups.iter().enumerate().all(|(place, group)| group[0] == place);
        let cells = if in_place {
            plate
        } else {
            let name = format!("{} cells", source.plates[plate.index()].name);
            rewriter.plate(name, groups.len())
        };
        let representatives = groups.iter().map(|group| group[0]).collect();
        let mut copies = Cells {
            source,
            rows: plate,
            cells,
            representatives,
            map: vec![None; live.len()],
            indices: Vec::new(),
        };
        let mut terms = Vec::new();
        for (data, scalar, part) in varying {
            let sums = groups
                .iter()
                .map(|group| group.iter().map(|&row| data.values[row]).sum())
                .collect();
            let data = rewriter.data("weight", Some(cells), sums, data.varying);
            let part = if in_place {
                map[part.index()]
            } else {
                copies.copy(&mut rewriter, part, &map)?
            };
            let mut term = rewriter.binary(Binary::Mul, data, part)?;
            if let Some(scalar) = scalar {
                term = rewriter.binary(Binary::Mul, map[scalar.index()], term)?;
            }
            terms.push(term);
        }
        // One node per plate: its sum is taken once.
        let mut total: Option<Handle> = None;
        for term in terms {
            if let Some((scalar, rest)) = rewriter
                .chain_factor(term)
                .filter(|_| groups.len() <= FACTORED_ROWS)
            {
                let sum = rewriter.sum(rest, Some(cells))?;
                density.push(rewriter.binary(Binary::Mul, scalar, sum)?);
                continue;
            }
            total = Some(match total {
                Some(total) => rewriter.binary(Binary::Add, total, term)?,
                None => term,
            });
        }
        density.extend(total);
    }
    let outputs = program.outputs.iter().map(|output| map[output.index()]).collect();
    Ok(Program {
        graph: rewriter.finish()?,
        density,
        constant,
        gradient: Vec::new(),
        outputs,
    })
}
