//! Nodes of a model read forward, evaluated at values of its parameters; and the order in which parameters can be made.

use rand::Rng;

use crate::back::simd::SimdDensity;
use crate::data::{element_name, text_key};
use crate::error::{Error, Result};
use crate::ir::{Graph, Handle, Op, Program};
use crate::lang::{Forward, Input};
use crate::pass;
use crate::rng::{Purpose, Stream};

/// Values of some nodes at many positions.
#[derive(Debug)]
pub(super) struct Values {
    /// For each node `[position][element]`.
    values: Vec<Vec<f64>>,
    /// For each node its elements; 1 where one number serves all.
    lens: Vec<usize>,
}

impl Values {
    /// Of `nodes` at `positions`, `[position][dim]`.
    pub(super) fn of(graph: &Graph, nodes: &[Handle], positions: &[f64]) -> Result<Self> {
        let program = pass::output_program(&Program {
            graph: graph.clone(),
            outputs: nodes.to_vec(),
            ..Program::default()
        })?;
        let compiled = SimdDensity::new(program)?;
        Ok(Self {
            lens: compiled.output_lens(),
            values: compiled.outputs(positions),
        })
    }

    /// The nodes from `first` on, `out.len()` of them, at one position and element.
    pub(super) fn read(&self, first: usize, position: usize, element: usize, out: &mut [f64]) {
        for (node, x) in (first..).zip(out) {
            let len = self.lens[node];
            let element = if len == 1 { 0 } else { element };
            *x = self.values[node][position * len + element];
        }
    }
}

/// A random stream named by what it is for.
pub(super) fn stream(seed: u64, replicate: u32, named: &[&str]) -> Stream {
    let key = text_key(named);
    Stream {
        seed,
        replicate,
        chain: key as u32,
        iteration: (key >> 32) as u32,
        purpose: Purpose::Predictive,
    }
}

/// Tries at a value above 0; beyond, the prior has hardly any mass there.
const TRIES: usize = 100_000;

/// A value of a parameter from its prior, with the arguments given.
///
/// # Errors
///
/// A user error where the arguments are impossible or no finite value comes.
pub(super) fn from_prior<G: Rng>(input: &Input, rng: &mut G, arguments: &[f64]) -> Result<f64> {
    for _ in 0..TRIES {
        let x = input.family.sample(rng, arguments)?;
        if !x.is_finite() {
            break;
        }
        if !input.truncated || x > 0.0 {
            return Ok(x);
        }
    }
    let arguments: Vec<String> = arguments.iter().map(f64::to_string).collect();
    Err(Error::user(format!(
        "no value of `{}` comes from {}({}){}",
        input.name,
        input.family.name(),
        arguments.join(", "),
        if input.truncated { " above 0" } else { "" }
    ))
    .with_help("narrower priors keep simulated values within the range of numbers"))
}

/// Fills in values of parameters in an order in which the arguments of each prior are known.
///
/// `wanted` holds for each input the elements to fill in, in `positions` (`[position][dim]`, `count` of them).
/// `make` yields for an element of an input its values, `[position]`; it reads the prior's arguments from the node `first` on.
pub(super) fn fill(
    forward: &Forward,
    wanted: &[Vec<usize>],
    (positions, count): (&mut [f64], usize),
    mut make: impl FnMut(usize, usize, (&Values, usize)) -> Result<Vec<f64>>,
) -> Result<()> {
    let graph = &forward.graph;
    let offsets = graph.slot_offsets();
    let dim = graph.dim();
    let needs: Vec<Vec<usize>> = forward
        .inputs
        .iter()
        .map(|input| slots(graph, &input.arguments))
        .collect();
    let mut open: Vec<usize> = (0..wanted.len()).filter(|&i| !wanted[i].is_empty()).collect();
    while !open.is_empty() {
        let (ready, later): (Vec<usize>, Vec<usize>) = open
            .iter()
            .partition(|&&input| needs[input].iter().all(|need| !open.contains(need)));
        if ready.is_empty() {
            return Err(Error::bug("parameters depend on each other in a circle"));
        }
        let mut nodes = Vec::new();
        let mut firsts = Vec::new();
        for &input in &ready {
            firsts.push(nodes.len());
            nodes.extend(&forward.inputs[input].arguments);
        }
        let values = Values::of(graph, &nodes, positions)?;
        for (&input, first) in ready.iter().zip(firsts) {
            for &element in &wanted[input] {
                let made = make(input, element, (&values, first))?;
                debug_assert_eq!(made.len(), count, "a value for each position");
                for (position, x) in made.into_iter().enumerate() {
                    positions[position * dim + offsets[input] + element] = x;
                }
            }
        }
        open = later;
    }
    Ok(())
}

/// The slots that some nodes depend on.
pub(super) fn slots(graph: &Graph, nodes: &[Handle]) -> Vec<usize> {
    let mut seen = vec![false; graph.nodes.len()];
    let mut open = nodes.to_vec();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        let op = &graph.node(node).op;
        if let Op::Position(slot) = op {
            found.push(slot.index());
        }
        op.for_each_operand(|operand| open.push(operand));
    }
    found
}

/// The printed name of an element: `a_tank[3]`.
pub(super) fn printed_name(input: &Input, element: usize) -> String {
    let axes = input.dims.iter().map(|dim| dim.name.as_str());
    element_name(&input.name, axes.zip(element_labels(input, element)))
}

/// The labels of an element over some axes, the last axis fastest.
pub(super) fn element_labels(input: &Input, element: usize) -> Vec<&str> {
    let mut rest = element;
    let mut labels: Vec<&str> = Vec::new();
    for dim in input.dims.iter().rev() {
        labels.push(&dim.labels[rest % dim.labels.len()]);
        rest /= dim.labels.len();
    }
    labels.reverse();
    labels
}
