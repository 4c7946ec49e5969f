//! Squares of linear predictors, multiplied out: Normal likelihoods become quadratic forms over cells.
//!
//! (Σₖ Dₖ·Gₖ)² = Σₖₗ DₖDₗ·GₖGₗ, with D data of a row and G parts that depend on the position. Where the G are looked up
//! by few indices, all rows with the same levels then merge into one cell whose coefficients are the sums of DₖDₗ, their
//! Gram matrix: the sufficient statistics of a Normal linear model, so that a gradient costs as much as there are
//! groups, however many rows there are. The products cancel where the residuals are small beside the predictor, at a
//! cost of digits that f64 has and f32 has not: this pass is for f64 alone.

use super::merge::{Data, Decomposition, Design, data_values};
use super::rewrite::Rewriter;
use super::simplify::{live, rebuild, simplify};
use crate::error::Result;
use crate::ir::{Binary, Graph, Handle, Op, PlateId, Program, Unary};

/// A term c·F²·L² of the density: data times factors without data times the square of a linear form.
struct Square {
    /// c, one per row.
    weight: Data,
    /// F², nodes over the plate or none, to be multiplied, or divided by where the flag is set.
    factors: Vec<(Handle, bool)>,
    /// Dₖ and Gₖ of L; no G for the part that is data alone, which comes first.
    linear: Vec<(Data, Option<Handle>)>,
}

/// Whether a node reads no data by itself, only levels of indices.
fn is_by_level(graph: &Graph, node: Handle, plate: PlateId) -> bool {
    let mut design = Design::default();
    design.read(graph, node, plate);
    !design.own && design.columns.is_empty()
}

/// Takes a product apart into factors without data of their own and the rest.
fn peel(graph: &Graph, node: Handle, plate: PlateId, factors: &mut Vec<(Handle, bool)>) -> Handle {
    if let Op::Binary(Binary::Div, rest, divisor) = graph.node(node).op
        && graph.ty(divisor).per_chain
        && is_by_level(graph, divisor, plate)
    {
        factors.push((divisor, true));
        return peel(graph, rest, plate, factors);
    }
    if let Op::Binary(Binary::Mul, a, b) = graph.node(node).op {
        for (factor, rest) in [(a, b), (b, a)] {
            let is_data = data_values(graph, factor, 1).is_some() || !graph.ty(factor).per_chain;
            if !is_data && is_by_level(graph, factor, plate) {
                factors.push((factor, false));
                return peel(graph, rest, plate, factors);
            }
        }
    }
    node
}

/// The summand `weight`·`part` as the square of a linear form, if that is what it is.
fn square(graph: &Graph, weight: Data, part: Handle, plate: PlateId) -> Option<Square> {
    let len = weight.values.len();
    let mut factors = Vec::new();
    let inner = peel(graph, part, plate, &mut factors);
    let Op::Unary(Unary::Square, root) = graph.node(inner).op else {
        return None;
    };
    let mut roots = Vec::new();
    let root = peel(graph, root, plate, &mut roots);
    // A factor of the root is squared with it.
    factors.extend(roots.iter().chain(&roots));
    let mut form = Decomposition::new(len);
    form.take_apart(graph, root, &Data::ones(len));
    let mut linear: Vec<(Data, Option<Handle>)> = Vec::new();
    for summand in form.summands {
        if summand.scalar.is_some() {
            return None;
        }
        linear.push((summand.data, summand.part));
    }
    linear.sort_by_key(|(_, part)| part.is_some());
    let sound = linear
        .iter()
        .filter_map(|(_, part)| *part)
        .all(|part| graph.ty(part).plate.is_none() || is_by_level(graph, part, plate));
    sound.then_some(Square {
        weight,
        factors,
        linear,
    })
}

/// All terms over a plate.
#[derive(Default)]
struct Terms {
    squares: Vec<Square>,
    /// Parts that are looked up by level, with their data.
    levels: Vec<(Data, Handle)>,
    /// Parts that do not vary over the plate, with the sums of their data and whether these vary between
    /// replicates; no part for data alone.
    plain: Vec<(f64, bool, Option<Handle>)>,
    /// The rows of each cell.
    cells: Vec<Vec<usize>>,
}

/// What all terms over `plate` come to; none if there is anything else, or if multiplying out does not pay.
fn terms(program: &Program, plate: PlateId) -> Option<Terms> {
    let graph = &program.graph;
    let len = graph.plate_len(Some(plate));
    let mut whole = Decomposition::new(len);
    for term in &program.density {
        if graph.ty(*term).plate == Some(plate) {
            whole.take_apart(graph, *term, &Data::ones(len));
        }
    }
    let mut terms = Terms::default();
    for summand in whole.summands {
        match (summand.scalar, summand.part) {
            (Some(_), _) => return None,
            (None, Some(part)) if graph.ty(part).plate != Some(plate) => {
                terms
                    .plain
                    .push((summand.data.sum(), summand.data.varying, Some(part)));
            }
            (None, Some(part)) if is_by_level(graph, part, plate) => terms.levels.push((summand.data, part)),
            (None, Some(part)) => terms.squares.push(square(graph, summand.data, part, plate)?),
            (None, None) => terms.plain.push((summand.data.sum(), summand.data.varying, None)),
        }
    }
    let mut design = Design::default();
    let mut products = 0;
    for square in &terms.squares {
        products += square.linear.len() + 1;
        let parts = square.linear.iter().filter_map(|(_, part)| part.as_ref());
        for part in parts.chain(square.factors.iter().map(|(factor, _)| factor)) {
            design.read(graph, *part, plate);
        }
    }
    for (_, part) in &terms.levels {
        design.read(graph, *part, plate);
    }
    // A row costs about as much as it has summands, a cell as their products, of which there are half the square.
    terms.cells = design.groups(graph, len);
    let pays = products > 0 && terms.cells.len() * products <= len;
    pays.then_some(terms)
}

/// Moves the mean of the data's own part, cell by cell, into a part whose data are equal in all rows, so that less
/// cancels: what is left are deviations within a cell, and the part's distance from the cell's mean.
fn centre(
    rewriter: &mut Rewriter,
    map: &[Handle],
    square: &mut Square,
    plate: PlateId,
    cells: &[Vec<usize>],
) -> Result<Vec<Option<Handle>>> {
    let mut parts: Vec<Option<Handle>> = square
        .linear
        .iter()
        .map(|(_, part)| part.map(|part| map[part.index()]))
        .collect();
    let constant = square.linear.iter().position(|(data, part)| {
        let values = &data.values;
        part.is_some()
            && !data.varying
            && values[0] != 0.0
            && values.iter().all(|x| x.to_bits() == values[0].to_bits())
    });
    if let (Some(place), Some((own, None))) = (constant, square.linear.first())
        && let Some(part) = parts[place]
    {
        let mut means = vec![0.0; own.values.len()];
        for cell in cells {
            let mean = cell.iter().map(|&row| own.values[row]).sum::<f64>() / cell.len() as f64;
            cell.iter().for_each(|&row| means[row] = mean);
        }
        let unit = square.linear[place].0.values[0];
        let shifts = means.iter().map(|mean| mean / unit).collect();
        let shift = rewriter.data("cell mean", Some(plate), shifts, own.varying);
        parts[place] = Some(rewriter.binary(Binary::Add, part, shift)?);
        square.linear[0]
            .0
            .values
            .iter_mut()
            .zip(&means)
            .for_each(|(x, mean)| *x -= mean);
    }
    Ok(parts)
}

/// An equivalent program whose squares of linear forms are multiplied out where rows then merge. Expects a simplified
/// program before differentiation.
pub fn quadratic(program: &Program) -> Result<Program> {
    let source = &program.graph;
    let mut plates: Vec<PlateId> = Vec::new();
    for term in &program.density {
        if let Some(plate) = source.ty(*term).plate
            && !plates.contains(&plate)
        {
            plates.push(plate);
        }
    }
    let found: Vec<_> = plates
        .into_iter()
        .filter_map(|plate| terms(program, plate).map(|terms| (plate, terms)))
        .collect();
    if found.is_empty() {
        return Ok(program.clone());
    }
    let live = live(program);
    let mut rewriter = Rewriter::new(source);
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
    for term in &program.density {
        let plate = source.ty(*term).plate;
        if !found.iter().any(|(done, _)| Some(*done) == plate) {
            density.push(map[term.index()]);
        }
    }
    for (plate, terms) in found {
        for (data, part) in terms.levels {
            let data = rewriter.data("weight", Some(plate), data.values, data.varying);
            density.push(rewriter.binary(Binary::Mul, data, map[part.index()])?);
        }
        for (sum, varying, part) in terms.plain {
            match part {
                None => constant += sum,
                Some(part) => {
                    let sum = rewriter.number("weight", sum, varying);
                    density.push(rewriter.binary(Binary::Mul, sum, map[part.index()])?);
                }
            }
        }
        for mut square in terms.squares {
            let parts = centre(&mut rewriter, &map, &mut square, plate, &terms.cells)?;
            for k in 0..parts.len() {
                for l in 0..=k {
                    let twice = if k == l { 1.0 } else { 2.0 };
                    let (a, b) = (&square.linear[k].0, &square.linear[l].0);
                    let varying = square.weight.varying || a.varying || b.varying;
                    let rows = square.weight.values.iter().zip(&a.values).zip(&b.values);
                    let data = rows.map(|((weight, a), b)| twice * weight * a * b).collect();
                    // The data come last, outermost, where merging looks for them.
                    let mut node = rewriter.constant(1.0);
                    for part in [parts[k], parts[l]].into_iter().flatten() {
                        node = rewriter.binary(Binary::Mul, node, part)?;
                    }
                    for &(factor, divides) in &square.factors {
                        let op = if divides { Binary::Div } else { Binary::Mul };
                        node = rewriter.binary(op, node, map[factor.index()])?;
                    }
                    let data = rewriter.data("products", Some(plate), data, varying);
                    node = rewriter.binary(Binary::Mul, data, node)?;
                    // A product without a plate stands for every row.
                    density.push(if rewriter.ty(node).plate.is_none() {
                        rewriter.sum(node, Some(plate))?
                    } else {
                        node
                    });
                }
            }
        }
    }
    let outputs = program.outputs.iter().map(|output| map[output.index()]).collect();
    simplify(&Program {
        graph: rewriter.finish()?,
        density,
        constant,
        gradient: Vec::new(),
        outputs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back::reference;
    use crate::dist::Family;
    use crate::ir::{Builder, Event};
    use crate::num::Real;
    use crate::pass::{density_program, density_program_f64, reference_program};

    /// Normal rows, `groups` of them with an intercept and a slope each, beside a slope that all share; sd by group or
    /// one for all.
    fn normal(rows: usize, groups: usize, sd_by_group: bool) -> Program {
        let b = Builder::new();
        let (row, group) = (b.plate("row", rows), b.plate("group", groups));
        let codes = (0..rows).map(|i| (i * 5 % groups) as u32).collect();
        let code = b.index("group", Some(row), group, codes);
        let wave = |speed: f64| (0..rows).map(|i| (speed * i as f64).sin()).collect();
        let (x, w) = (
            b.column("x", Some(row), wave(1.0)),
            b.column("w", Some(row), wave(0.3)),
        );
        // Far from 0: what the shift by the mean is for.
        let y = (0..rows)
            .map(|i| 1e6 * (i * 5 % groups) as f64 + 1000.0 + (2.0 * i as f64).cos())
            .collect();
        let y = b.column("y", Some(row), y);
        let (a, slope) = (
            b.position("a", Some(group), Event::Scalar),
            b.position("slope", Some(group), Event::Scalar),
        );
        let shared = b.position("shared", None, Event::Scalar);
        let sd = b
            .position("sd", if sd_by_group { Some(group) } else { None }, Event::Scalar)
            .exp();
        let sd = if sd_by_group { sd.gather(code) } else { sd };
        let mean = a.gather(code) + slope.gather(code) * x + shared * w;
        let likelihood = Family::Normal.log_density(&y, &[mean, sd]);
        Program {
            density: vec![likelihood.handle(), a.square().handle()],
            graph: b.finish().expect("a valid graph"),
            ..Program::default()
        }
    }

    fn longest_plate(program: &Program) -> usize {
        let plates = program.graph.nodes.iter().filter_map(|node| node.ty.plate);
        plates
            .map(|plate| program.graph.plate_len(Some(plate)))
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn normal_rows_merge_into_groups() {
        for sd_by_group in [false, true] {
            let program = normal(210, 7, sd_by_group);
            let raw = reference_program(&program).expect("a gradient");
            let (rows, cells) = (
                density_program(&program).expect("a program"),
                density_program_f64(&program).expect("a program"),
            );
            assert_eq!(longest_plate(&rows), 210);
            assert_eq!(longest_plate(&cells), 7, "{cells}");
            let dim = raw.graph.dim();
            for seed in 0..4 {
                let mut q: Vec<f64> = (0..dim).map(|i| (1.7 * (i + 5 * seed) as f64).sin()).collect();
                // Intercepts near the data of groups that are far apart, as in a posterior, and far off.
                for (group, a) in q[..7].iter_mut().enumerate() {
                    *a += if seed % 2 == 0 {
                        1e6 * group as f64 + 1000.0
                    } else {
                        0.0
                    };
                }
                let wanted = reference::evaluate(&raw, &q).expect("a value");
                let found = reference::evaluate(&cells, &q).expect("a value");
                // Rounding of 210 rows' squares.
                let bound = 1e-12 * wanted.log_density.abs().max(1.0);
                assert!(
                    (found.log_density - wanted.log_density).abs() < bound,
                    "{found:?} {wanted:?}"
                );
                let size = wanted.gradient.iter().fold(1.0, |size: f64, g| size.max(g.abs()));
                for (found, wanted) in found.gradient.iter().zip(&wanted.gradient) {
                    assert!((found - wanted).abs() < 1e-12 * size, "{found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_pay_stays() {
        let program = normal(20, 7, false);
        assert!(density_program(&program) == density_program_f64(&program));
    }
}
