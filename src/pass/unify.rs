//! Plates that an index maps one to one, in order, onto each other become one plate, so that their loops fuse.

use super::rewrite::Rewriter;
use super::simplify::{live, rebuild};
use crate::error::Result;
use crate::ir::{Graph, Op, PlateId, Program};

/// For each plate the one that stands for it.
fn representatives(graph: &Graph) -> Vec<PlateId> {
    let mut parent: Vec<usize> = (0..graph.plates.len()).collect();
    fn root(parent: &[usize], mut plate: usize) -> usize {
        while parent[plate] != plate {
            plate = parent[plate];
        }
        plate
    }
    for index in graph.indices.iter().filter(|index| !index.tuned) {
        let Some(domain) = index.domain else { continue };
        let same_len = graph.plate_len(Some(domain)) == graph.plate_len(Some(index.range));
        if same_len
            && index
                .codes
                .iter()
                .enumerate()
                .all(|(place, &code)| code as usize == place)
        {
            let (a, b) = (root(&parent, domain.index()), root(&parent, index.range.index()));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..parent.len())
        .map(|plate| PlateId::new(root(&parent, plate)))
        .collect()
}

/// An equivalent program in which no index is the identity.
pub fn unify(program: &Program) -> Result<Program> {
    let plates = representatives(&program.graph);
    let mut source = program.graph.clone();
    let map_plate = |plate: &mut Option<PlateId>| *plate = plate.map(|plate| plates[plate.index()]);
    source
        .columns
        .iter_mut()
        .for_each(|column| map_plate(&mut column.plate));
    source
        .slots
        .iter_mut()
        .for_each(|slot| map_plate(&mut slot.plate));
    source
        .nodes
        .iter_mut()
        .for_each(|node| map_plate(&mut node.ty.plate));
    for index in &mut source.indices {
        map_plate(&mut index.domain);
        index.range = plates[index.range.index()];
    }
    let live = live(program);
    let mut rewriter = Rewriter::new(&source);
    let zero = rewriter.constant(0.0);
    let mut map = vec![zero; live.len()];
    for (place, node) in source.nodes.iter().enumerate() {
        if !live[place] {
            continue;
        }
        let identity = |index| {
            let index = source.index_column(index);
            index.domain == Some(index.range)
                && !index.tuned
                && index
                    .codes
                    .iter()
                    .enumerate()
                    .all(|(place, &code)| code as usize == place)
        };
        map[place] = match node.op {
            Op::Gather { source, index } | Op::SegmentSum { source, index } if identity(index) => {
                map[source.index()]
            }
            ref op => {
                let summed = if let Op::Sum(a) = *op {
                    source.ty(a).plate
                } else {
                    None
                };
                rebuild(
                    &mut rewriter,
                    &source,
                    &op.map_operands(|operand| map[operand.index()]),
                    summed,
                )?
            }
        };
    }
    let list = |handles: &[crate::ir::Handle]| handles.iter().map(|handle| map[handle.index()]).collect();
    Ok(Program {
        density: list(&program.density),
        outputs: list(&program.outputs),
        gradient: Vec::new(),
        constant: program.constant,
        graph: rewriter.finish()?,
    })
}
