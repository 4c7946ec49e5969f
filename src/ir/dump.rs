//! Text of a graph and of a program, for `check --emit ir`, for bug reports and for tests.

use std::fmt;

use super::graph::{Event, Graph, Program, Type};
use super::op::{Handle, Op};

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.index())
    }
}

impl Graph {
    fn type_text(&self, ty: Type) -> String {
        let plate = ty.plate.map_or(String::new(), |plate| {
            format!("[{}]", self.plates[plate.index()].name)
        });
        let event = match ty.event {
            Event::Scalar => String::new(),
            Event::Vector(n) => format!(" vector({n})"),
            Event::Matrix(n, m) => format!(" matrix({n}, {m})"),
        };
        format!("{}{plate}{event}", if ty.per_chain { "chain" } else { "data" })
    }

    fn op_text(&self, op: &Op) -> String {
        let name = |text: String| text.to_lowercase();
        match op {
            Op::Const(x) => format!("{x:?}"),
            Op::Column(id) => format!("column {}", self.column(*id).name),
            Op::Position(id) => format!("position {}", self.slots[id.index()].name),
            Op::Unary(op, a) => format!("{} {a}", name(format!("{op:?}"))),
            Op::Binary(op, a, b) => format!("{} {a} {b}", name(format!("{op:?}"))),
            Op::Select(a, b, c) => format!("select {a} {b} {c}"),
            Op::Gather { source, index } => format!("gather {source} by {}", self.index_column(*index).name),
            Op::SegmentSum { source, index } => {
                format!("segment_sum {source} by {}", self.index_column(*index).name)
            }
            Op::Sum(a) => format!("sum {a}"),
            Op::Element(a, entry) => format!("element {a} {entry}"),
            Op::Stack(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                format!("stack {}", parts.join(" "))
            }
            Op::Cholesky(a) => format!("cholesky {a}"),
            Op::SolveLower(a, b) => format!("solve_lower {a} {b}"),
        }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plate in &self.plates {
            writeln!(f, "plate {} = {}", plate.name, plate.len)?;
        }
        for slot in &self.slots {
            let ty = Type {
                plate: slot.plate,
                event: slot.event,
                per_chain: true,
            };
            writeln!(f, "slot {}: {}", slot.name, self.type_text(ty))?;
        }
        for (place, node) in self.nodes.iter().enumerate() {
            writeln!(
                f,
                "%{place} = {} : {}",
                self.op_text(&node.op),
                self.type_text(node.ty)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.graph)?;
        let list = |handles: &[Handle]| {
            handles
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" + ")
        };
        writeln!(f, "density = {} + {:?}", list(&self.density), self.constant)?;
        for (slot, contributions) in self.graph.slots.iter().zip(&self.gradient) {
            writeln!(f, "gradient of {} = {}", slot.name, list(contributions))?;
        }
        for output in &self.outputs {
            writeln!(f, "output {output}")?;
        }
        Ok(())
    }
}
