//! Assembles what [`super::plan`] found in a loop.

use super::code::{Assembler, Instruction, Operand, Pass, Sink, narrow};
use super::form::Coefficient;
use super::plan::{Plan, Root, WeighedSoftplus};
use super::rows::{
    Factor, Link, MAX_LEVELS, MAX_SPREADS, MAX_TERMS, Of, Place, Rows, Softplus, Spread, Term, To,
};
use crate::error::{Error, Result};
use crate::ir::{Handle, Op};
use crate::pass::schedule::Loop;

impl Assembler<'_> {
    /// The instructions of a plan; `written` is where its value is kept for others.
    pub(super) fn rows(
        &mut self,
        pass: &Loop,
        plan: &Plan,
        written: Option<Operand>,
        in_body: &dyn Fn(Handle) -> bool,
        out: &mut Vec<Instruction>,
    ) -> Result<()> {
        let mut terms = Vec::new();
        for (part, coefficient) in &plan.predictor.terms {
            // Data that tuned codes look up: a number of 1 or so times it.
            if let (true, Coefficient::Constant(x)) = (self.graph.tuned_data(*part).is_some(), coefficient)
                && let Operand::Lookup(start) = self.operand(*part)?
            {
                let place = Place::Fixed(Operand::Scalar(self.scalar(*x)?));
                let factor = Factor::Lookup(start);
                terms.push(Term { place, factor });
                continue;
            }
            let place = match self.graph.node(*part).op {
                _ if self.graph.ty(*part).plate.is_none() => Place::Fixed(self.operand(*part)?),
                Op::Gather { source, index } if in_body(*part) => Place::Coded {
                    source: self.operand(source)?,
                    codes: self.codes(index),
                },
                _ => Place::Each(self.operand(*part)?),
            };
            let factor = self.factor(coefficient)?;
            terms.push(Term { place, factor });
        }
        // What all elements share comes first: it is added up once.
        terms.sort_by_key(|term| {
            !matches!(
                (term.place, term.factor),
                (Place::Fixed(_), Factor::Constant(_) | Factor::Scalar(_))
            )
        });
        let mut spreads = Vec::new();
        for share in &plan.shares {
            let to = match share.root {
                Root::Density(_) => To::Density,
                Root::Sum(k) => {
                    let sum = pass.sums[k];
                    let offset = plan.sum_offsets.iter().find(|(known, _)| *known == k);
                    let place = match self.place[sum.index()] {
                        Some(Operand::Scalar(known)) => known,
                        Some(other) => return Err(Error::bug(format!("{sum} lies in {other:?}"))),
                        None => self.sum(sum, offset.map_or(0.0, |(_, offset)| *offset))?,
                    };
                    To::Scalar(place)
                }
                Root::Segment(k) => {
                    let (_, index, target) = pass.segments[k];
                    let column = self.graph.index_column(index);
                    To::Segment {
                        codes: self.codes(index),
                        ascending: !column.tuned && column.codes.is_sorted(),
                        sink: self.sink(target)?,
                    }
                }
                Root::Gradient(k) => {
                    let (_, slot) = pass.gradient[k];
                    let start = narrow(self.offsets[slot.index()])?;
                    if self.contributions[slot.index()] == 1 {
                        self.written[slot.index()] = true;
                        To::Each(Operand::Gradient(start))
                    } else {
                        To::Accumulate(Sink::Gradient(start))
                    }
                }
            };
            let factor = self.factor(&share.factor)?;
            spreads.push(Spread {
                of: share.of,
                factor,
                to,
            });
        }
        if let Some(written) = written {
            spreads.push(Spread {
                of: Of::Value,
                factor: Factor::Constant(1.0),
                to: To::Each(written),
            });
        }
        let softplus = match &plan.softplus {
            Some(weighed) => Some(self.softplus(weighed)?),
            None => None,
        };
        let offset = self.factor(&plan.predictor.data)?;
        self.push_rows(
            Rows {
                terms,
                offset,
                link: plan.link,
                softplus,
                spreads,
            },
            out,
        )?;
        let mut own = Vec::new();
        for (part, weight) in &plan.own {
            let place = Place::Each(self.operand(*part)?);
            let factor = self.factor(weight)?;
            own.push(Term { place, factor });
        }
        if own.is_empty() {
            Ok(())
        } else {
            self.push_rows(weighed(own), out)
        }
    }

    fn push_rows(&mut self, rows: Rows, out: &mut Vec<Instruction>) -> Result<()> {
        // The machine has room for no more.
        if rows.terms.len() > MAX_TERMS || rows.spreads.len() > MAX_SPREADS {
            return Err(Error::bug(format!("an instruction of too many terms: {rows:?}")));
        }
        out.push(Instruction::Rows(narrow(self.code.rows.len())?));
        self.code.rows.push(rows);
        Ok(())
    }

    /// What a plan adds level by level, once the loop is over.
    pub(super) fn level_passes(&mut self, pass: &Loop, plan: &Plan) -> Result<()> {
        for (source, weights) in &plan.gathered {
            let place = Place::Each(self.operand(*source)?);
            let factor = Factor::Column(self.column(weights)?);
            let mut instructions = Vec::new();
            self.push_rows(weighed(vec![Term { place, factor }]), &mut instructions)?;
            let len = weights.len();
            self.code.passes.push(Pass { len, instructions });
        }
        for (k, offsets) in &plan.segment_offsets {
            let (_, _, target) = pass.segments[*k];
            let instructions = vec![Instruction::Accumulate {
                source: Operand::Column(self.column(offsets)?),
                sink: self.sink(target)?,
            }];
            let len = offsets.len();
            self.code.passes.push(Pass { len, instructions });
        }
        Ok(())
    }

    fn factor(&mut self, coefficient: &Coefficient) -> Result<Factor> {
        Ok(match coefficient {
            Coefficient::Constant(x) => Factor::Constant(*x),
            Coefficient::Column(values) => Factor::Column(self.column(values)?),
            Coefficient::Node(node) => match self.operand(*node)? {
                Operand::Lookup(start) => Factor::Lookup(start),
                Operand::Column(start) => Factor::Column(start),
                other => Factor::Scalar(other),
            },
        })
    }

    /// Where a column of these values begins.
    fn column(&mut self, values: &[f64]) -> Result<u32> {
        let columns = &self.code.columns;
        let known = self.columns.iter().copied().find(|&(start, len)| {
            let known = &columns[start as usize..][..len];
            len == values.len() && known.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits())
        });
        if let Some((start, _)) = known {
            return Ok(start);
        }
        let start = narrow(self.code.columns.len())?;
        self.code.columns.extend(values);
        self.columns.push((start, values.len()));
        Ok(start)
    }

    fn softplus(&mut self, WeighedSoftplus { weight, linear, .. }: &WeighedSoftplus) -> Result<Softplus> {
        let mut levels: Vec<f64> = Vec::new();
        let mut places = Vec::new();
        match weight {
            Coefficient::Constant(x) => levels.push(*x),
            Coefficient::Column(values) => {
                for x in values {
                    let place = levels.iter().position(|known| known == x).unwrap_or_else(|| {
                        levels.push(*x);
                        levels.len() - 1
                    });
                    if levels.len() > MAX_LEVELS {
                        break;
                    }
                    places.push(place as u8);
                }
            }
            Coefficient::Node(_) => {}
        }
        // Each product costs a logarithm, that is as much as two rows.
        if levels.len() > MAX_LEVELS || levels.len() * 4 > places.len().max(4) {
            (levels, places) = (Vec::new(), Vec::new());
        }
        let start = narrow(self.code.places.len())?;
        self.code.places.extend(places);
        let above = weight
            .plus(linear)
            .ok_or_else(|| Error::bug("a softplus whose weights are not data"))?;
        Ok(Softplus {
            weight: self.factor(weight)?,
            above: self.factor(&above)?,
            below: self.factor(linear)?,
            levels,
            places: start,
        })
    }
}

/// Terms that are added up into the density.
fn weighed(terms: Vec<Term>) -> Rows {
    Rows {
        terms,
        offset: Factor::Constant(0.0),
        link: Link::Identity,
        softplus: None,
        spreads: vec![Spread {
            of: Of::Value,
            factor: Factor::Constant(1.0),
            to: To::Density,
        }],
    }
}
