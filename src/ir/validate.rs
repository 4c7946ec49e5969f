//! The rules of the IR, checked in full: what passes cannot make a later stage fail.

use super::graph::{Event, Graph, Node, Type};
use super::op::{Handle, Op};
use crate::error::{Error, Result};

impl Graph {
    /// Checks every rule in the module's prose; a breach is a bug of tadpool and shows the graph.
    pub fn validate(&self) -> Result<()> {
        let check = || -> std::result::Result<(), String> {
            self.validate_tables()?;
            for (place, node) in self.nodes.iter().enumerate() {
                self.validate_node(place, node)
                    .map_err(|why| format!("node %{place}: {why}"))?;
            }
            Ok(())
        };
        check().map_err(|why| Error::bug(format!("invalid IR: {why}\n{self}")))
    }

    fn validate_tables(&self) -> std::result::Result<(), String> {
        for index in &self.indices {
            let range = self
                .plates
                .get(index.range.index())
                .ok_or("index into an unknown plate")?
                .len;
            let expected = self.plate_len(index.domain);
            if index.codes.len() != expected {
                return Err(format!(
                    "index `{}` has {} codes for {expected} elements",
                    index.name,
                    index.codes.len()
                ));
            }
            if index.tuned && index.domain.is_none() {
                return Err(format!("the tuned index `{}` has no domain", index.name));
            }
            if index.codes.iter().any(|&code| code as usize >= range) {
                return Err(format!("index `{}` points past its plate of {range}", index.name));
            }
        }
        for column in &self.columns {
            let expected = self.plate_len(column.plate);
            if column.values.len() != expected {
                return Err(format!(
                    "column `{}` has {} values for {expected}",
                    column.name,
                    column.values.len()
                ));
            }
        }
        Ok(())
    }

    fn validate_node(&self, place: usize, node: &Node) -> std::result::Result<(), String> {
        let mut forward = None;
        node.op.for_each_operand(|operand: Handle| {
            if operand.index() >= place {
                forward = Some(operand.index());
            }
        });
        if let Some(operand) = forward {
            return Err(format!("refers forward to %{operand}"));
        }
        let ty = node.ty;
        let same = |expected: Type| {
            if expected == ty {
                Ok(())
            } else {
                Err(format!("has {ty:?}, expected {expected:?}"))
            }
        };
        match &node.op {
            Op::Const(_) => same(Type {
                plate: None,
                event: Event::Scalar,
                per_chain: false,
            }),
            Op::Column(id) => {
                let column = self.columns.get(id.index()).ok_or("unknown column")?;
                same(Type {
                    plate: column.plate,
                    event: Event::Scalar,
                    per_chain: false,
                })
            }
            Op::Position(id) => {
                let slot = self.slots.get(id.index()).ok_or("unknown slot")?;
                same(Type {
                    plate: slot.plate,
                    event: slot.event,
                    per_chain: true,
                })
            }
            Op::Unary(_, a) => same(self.ty(*a)),
            Op::Binary(_, a, b) => self.elementwise(ty, &[*a, *b]),
            Op::Select(a, b, c) => self.elementwise(ty, &[*a, *b, *c]),
            Op::Gather { source, index } => {
                let index = self.indices.get(index.index()).ok_or("unknown index")?;
                let source = self.ty(*source);
                if source.plate != Some(index.range) {
                    return Err("gathers over another plate than the index's range".into());
                }
                same(Type {
                    plate: index.domain,
                    per_chain: source.per_chain || index.tuned,
                    ..source
                })
            }
            Op::SegmentSum { source, index } => {
                let index = self.indices.get(index.index()).ok_or("unknown index")?;
                let source = self.ty(*source);
                if source.plate != index.domain {
                    return Err("sums over another plate than the index's domain".into());
                }
                same(Type {
                    plate: Some(index.range),
                    per_chain: source.per_chain || index.tuned,
                    ..source
                })
            }
            Op::Sum(a) => same(Type {
                plate: None,
                ..self.ty(*a)
            }),
            Op::Element(a, entry) => {
                let source = self.ty(*a);
                if *entry as usize >= source.event.len() {
                    return Err(format!("entry {entry} of {:?}", source.event));
                }
                same(Type {
                    event: Event::Scalar,
                    ..source
                })
            }
            Op::Stack(parts) => {
                if parts.len() != ty.event.len() {
                    return Err(format!("{} parts for {:?}", parts.len(), ty.event));
                }
                self.elementwise(
                    Type {
                        event: Event::Scalar,
                        ..ty
                    },
                    parts,
                )
            }
            Op::Cholesky(a) => match self.ty(*a).event {
                Event::Matrix(n, m) if n == m => same(self.ty(*a)),
                event => Err(format!("Cholesky factor of {event:?}")),
            },
            Op::SolveLower(l, b) => {
                let (l, b) = (self.ty(*l), self.ty(*b));
                match (l.event, b.event) {
                    (Event::Matrix(n, m), Event::Vector(k)) if n == m && m == k => {
                        if l.plate.is_some() && l.plate != b.plate {
                            return Err("triangular solve across plates".into());
                        }
                        same(Type {
                            per_chain: l.per_chain || b.per_chain,
                            ..b
                        })
                    }
                    events => Err(format!("triangular solve of {events:?}")),
                }
            }
        }
    }

    fn elementwise(&self, ty: Type, operands: &[Handle]) -> std::result::Result<(), String> {
        let mut per_chain = false;
        let mut found = (None, Event::Scalar);
        for operand in operands {
            let operand = self.ty(*operand);
            per_chain |= operand.per_chain;
            let shape = (operand.plate, operand.event);
            if shape != (None, Event::Scalar) {
                if found != (None, Event::Scalar) && found != shape {
                    return Err(format!("mixes {found:?} and {shape:?}"));
                }
                found = shape;
            }
        }
        if (ty.plate, ty.event, ty.per_chain) == (found.0, found.1, per_chain) {
            Ok(())
        } else {
            Err(format!(
                "has {ty:?}, its operands give {found:?}, per_chain {per_chain}"
            ))
        }
    }
}
