//! The judge: a program evaluated node by node in f64, as plainly as can be.

use crate::error::{Error, Result};
use crate::ir::{Graph, Handle, Op, Program, SlotId};

/// Log density and gradient at one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The log density with all its constants.
    pub log_density: f64,
    /// Its gradient, `[dim]`; empty if the program has not been differentiated.
    pub gradient: Vec<f64>,
}

/// The values of every node at `position` (`[dim]`), each `[plate element]`.
pub fn values(graph: &Graph, position: &[f64]) -> Result<Vec<Vec<f64>>> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes.len());
    for place in 0..graph.nodes.len() {
        let of_node = value(graph, Handle::new(place), &values, position)?;
        values.push(of_node);
    }
    Ok(values)
}

/// The values of one node, from those of its operands.
fn value(graph: &Graph, handle: Handle, values: &[Vec<f64>], position: &[f64]) -> Result<Vec<f64>> {
    let node = graph.node(handle);
    let len = graph.plate_len(node.ty.plate);
    // A scalar operand serves every element.
    let at = |handle: Handle, element: usize| {
        let operand: &Vec<f64> = &values[handle.index()];
        if operand.len() == 1 {
            operand[0]
        } else {
            operand[element]
        }
    };
    Ok(match &node.op {
        Op::Const(x) => vec![*x],
        Op::Column(id) => graph.column(*id).values.clone(),
        Op::Position(slot) => {
            let start: usize = (0..slot.index())
                .map(|slot| graph.slot_len(SlotId::new(slot)))
                .sum();
            position[start..start + graph.slot_len(*slot)].to_vec()
        }
        Op::Unary(op, a) => values[a.index()].iter().map(|&x| op.apply(x)).collect(),
        Op::Binary(op, a, b) => (0..len).map(|i| op.apply(at(*a, i), at(*b, i))).collect(),
        Op::Select(a, b, c) => (0..len)
            .map(|i| if at(*a, i) != 0.0 { at(*b, i) } else { at(*c, i) })
            .collect(),
        Op::Gather { source, index } => {
            let source = &values[source.index()];
            graph
                .index_column(*index)
                .codes
                .iter()
                .map(|&code| source[code as usize])
                .collect()
        }
        Op::SegmentSum { source, index } => {
            let mut sums = vec![0.0; len];
            for (&code, x) in graph
                .index_column(*index)
                .codes
                .iter()
                .zip(&values[source.index()])
            {
                sums[code as usize] += x;
            }
            sums
        }
        Op::Sum(a) => vec![values[a.index()].iter().sum()],
        Op::Element(..) | Op::Stack(_) | Op::Cholesky(_) | Op::SolveLower(..) => {
            return Err(Error::bug("event operations must be expanded before evaluation"));
        }
    })
}

/// The values of a node that depends on data alone, `[plate element]`; computes no other nodes than it needs.
///
/// # Errors
///
/// Bug: the node depends on the position, or on events that are not expanded.
pub fn data(graph: &Graph, wanted: Handle) -> Result<Vec<f64>> {
    let mut needed = vec![false; wanted.index() + 1];
    needed[wanted.index()] = true;
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); wanted.index() + 1];
    for place in (0..=wanted.index()).rev() {
        if needed[place] {
            graph.nodes[place]
                .op
                .for_each_operand(|operand| needed[operand.index()] = true);
        }
    }
    for place in (0..=wanted.index()).filter(|place| needed[*place]) {
        if let Op::Position(_) = graph.nodes[place].op {
            return Err(Error::bug(format!("{wanted} depends on the position")));
        }
        values[place] = value(graph, Handle::new(place), &values, &[])?;
    }
    Ok(values.swap_remove(wanted.index()))
}

/// Evaluates the density and, where the program has one, the gradient.
pub fn evaluate(program: &Program, position: &[f64]) -> Result<Evaluation> {
    let graph = &program.graph;
    let values = values(graph, position)?;
    let total = |handle: &Handle| values[handle.index()].iter().sum::<f64>();
    let log_density = program.constant + program.density.iter().map(total).sum::<f64>();
    let mut gradient = Vec::new();
    for (slot, contributions) in program.gradient.iter().enumerate() {
        let len = graph.plate_len(graph.slots[slot].plate);
        gradient.extend((0..len).map(|i| contributions.iter().map(|c| values[c.index()][i]).sum::<f64>()));
    }
    Ok(Evaluation {
        log_density,
        gradient,
    })
}

/// The values of the program's outputs, each `[plate element]`.
pub fn outputs(program: &Program, position: &[f64]) -> Result<Vec<Vec<f64>>> {
    let values = values(&program.graph, position)?;
    Ok(program
        .outputs
        .iter()
        .map(|output| values[output.index()].clone())
        .collect())
}
