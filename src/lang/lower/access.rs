//! Access: subscripts as codes into a plate, by name or by label.

use super::axes::AxisId;
use super::{Context, Eval, Lowering, Poison};
use crate::data::number_label;
use crate::ir::IndexId;
use crate::lang::analyse::{Subscript, subscript};
use crate::lang::ast::Sub;
use crate::lang::nearest;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

impl<'a> Lowering<'a, '_> {
    /// The index that carries values of `target` to `context` by subscripts, with its codes; none where the subscripts
    /// are the plate's own.
    pub(super) fn access(
        &mut self,
        target: usize,
        subs: &'a [Sub],
        context: Context,
        name: &str,
    ) -> Eval<Option<(IndexId, Vec<u32>)>> {
        let axes = self.plates[target].axes.clone();
        let mut own = Some(target) == context;
        let mut texts = Vec::new();
        let mut domain = None;
        let mut total = vec![0_u32];
        for (&axis, sub) in axes.iter().zip(subs) {
            let levels = self.axes[axis].labels.len() as u32;
            let codes = match subscript(sub) {
                Ok(Subscript::Label(label)) => {
                    own = false;
                    texts.push(label.clone());
                    vec![self.label(axis, &label, sub.span(), name)?]
                }
                Ok(Subscript::Index(index)) => {
                    let Some(plate) = context else {
                        return Err(self.blame(self.needs_group(name, index, sub.span())));
                    };
                    domain = context;
                    let by = self.axis(index, sub.span())?;
                    own &= by == axis;
                    texts.push(index.to_owned());
                    let codes = self.codes(plate, by, sub.span())?;
                    self.translate(by, axis, codes, sub.span())?
                }
                // Reported by the analysis.
                Err(_) => return Err(Poison),
            };
            let len = total.len().max(codes.len());
            let at = |codes: &[u32], i: usize| if codes.len() == 1 { codes[0] } else { codes[i] };
            total = (0..len).map(|i| at(&total, i) * levels + at(&codes, i)).collect();
        }
        if own {
            return Ok(None);
        }
        if let Some(plate) = domain {
            // A plate of one element, or literals only so far.
            total.resize(self.plates[plate].len, total[0]);
        }
        // The codes and not the text: `a[treatment]` and `a["treatment"]` are spelt alike.
        let key = (domain, target, total.clone());
        let id = match self.index_ids.get(&key) {
            Some(id) => *id,
            None => {
                let domain = domain.map(|plate| self.plates[plate].ir);
                let id = self
                    .builder
                    .index(&texts.join(":"), domain, self.plates[target].ir, total.clone());
                self.index_ids.insert(key, id);
                id
            }
        };
        Ok(Some((id, total)))
    }

    fn needs_group(&self, name: &str, index: &str, span: Span) -> Report {
        Report::error(
            format!(
                "{} varies by {}, but one number is needed",
                quoted(name),
                quoted(index)
            ),
            span,
            "this line is about no row and no group",
        )
        .with_help(format!(
            "name one level (`{name}[\"…\"]`), or give the left side a subscript: `…[{index}]`"
        ))
    }

    /// Codes of one axis as codes of another, by their labels.
    fn translate(&mut self, from: AxisId, to: AxisId, codes: Vec<u32>, span: Span) -> Eval<Vec<u32>> {
        if from == to {
            return Ok(codes);
        }
        let (by, target) = (&self.axes[from], &self.axes[to]);
        let places: Vec<Option<usize>> = by
            .labels
            .iter()
            .map(|label| target.labels.iter().position(|known| known == label))
            .collect();
        let missing = codes.iter().find(|&&code| places[code as usize].is_none());
        if let Some(&code) = missing {
            let report = Report::error(
                format!(
                    "{} has no level {}",
                    quoted(&target.name),
                    quoted(&by.labels[code as usize])
                ),
                span,
                format!("a level of `{}`", by.name),
            )
            .with_help(format!(
                "levels are matched by their labels; `{}` has {}",
                target.name,
                some(&target.labels)
            ));
            return Err(self.blame(report));
        }
        Ok(codes
            .iter()
            .filter_map(|&code| places[code as usize])
            .map(|place| place as u32)
            .collect())
    }

    fn label(&mut self, axis: AxisId, label: &str, span: Span, name: &str) -> Eval<u32> {
        let axis = &self.axes[axis];
        if let Some(place) = axis.labels.iter().position(|known| known == label) {
            return Ok(place as u32);
        }
        let counted = (1..)
            .zip(axis.labels.iter())
            .all(|(place, label)| *label == number_label(f64::from(place)));
        let report = if axis.rows.is_some() || !counted {
            let help = match nearest(label, axis.labels.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None => format!("its levels are {}", some(&axis.labels)),
            };
            Report::error(
                format!("{} has no level {}", quoted(&axis.name), quoted(label)),
                span,
                if axis.rows.is_some() {
                    "a literal subscript is a label of the data"
                } else {
                    "a literal subscript is a label of the index"
                },
            )
            .with_help(help)
        } else {
            Report::error(
                format!(
                    "{} has {} places, there is no {}",
                    quoted(name),
                    axis.labels.len(),
                    quoted(label)
                ),
                span,
                format!("expected 1 to {}", axis.labels.len()),
            )
            .with_help("places are counted from 1")
        };
        Err(self.blame(report))
    }
}

/// Labels for a message, the first eight.
fn some(labels: &[String]) -> String {
    let mut shown: Vec<&str> = labels.iter().take(8).map(String::as_str).collect();
    if labels.len() > shown.len() {
        shown.push("…");
    }
    shown.join(", ")
}
