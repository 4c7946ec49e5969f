//! What people see of a draw: parameters and derived quantities with their labels, and the index sets.

use super::value::Value;
use super::{Context, Lowering};
use crate::ir::{Expr as Node, Handle};
use crate::lang::lowered::{Dim, PlateTable, Quantity, QuantityKind};

impl<'a, 'b> Lowering<'a, 'b> {
    /// Definitions that depend on parameters and that no relation needs, with their plates and values.
    pub(super) fn derived(&mut self) -> Vec<(&'a str, Context, Value<'b>)> {
        let mut derived = Vec::new();
        for definition in &self.analysis.definitions {
            let name = definition.target.name.text.as_str();
            let span = definition.target.span;
            // Data that nothing needs is looked at too, so that a fault in it is not passed over.
            let Ok(plate) = self.own_plate(name) else { continue };
            let Ok(value) = self.definition(name, plate, span) else {
                continue;
            };
            if !definition.data && !definition.used {
                derived.push((name, plate, value));
            }
        }
        derived
    }

    pub(super) fn quantities(
        &self,
        derived: &[(&'a str, Context, Value<'b>)],
    ) -> (Vec<Quantity>, Vec<Handle>) {
        let mut quantities = Vec::new();
        let mut outputs = Vec::new();
        let relations = self
            .analysis
            .relations
            .iter()
            .enumerate()
            .filter(|(_, relation)| !relation.observed);
        for (place, relation) in relations {
            // Nothing is asked for where one of them could not be made.
            let (Some(Ok((_, plate))), Some(Ok(prior))) = (&self.positions[place], &self.priors[place])
            else {
                continue;
            };
            quantities.push(Quantity {
                name: relation.target.name.text.clone(),
                dims: self.dims(*plate),
                kind: QuantityKind::Parameter,
                output: outputs.len(),
                support: prior.support.clone(),
            });
            outputs.push(prior.value.handle());
        }
        for (name, plate, value) in derived {
            quantities.push(Quantity {
                name: (*name).to_owned(),
                dims: self.dims(*plate),
                kind: QuantityKind::Derived,
                output: outputs.len(),
                support: String::new(),
            });
            outputs.push(self.over(value, *plate).handle());
        }
        (quantities, outputs)
    }

    /// A value with one number for each element of the plate, even where all are the same.
    pub(super) fn over(&self, value: &Value<'b>, plate: Context) -> Node<'b> {
        match plate {
            Some(plate) if value.expr.ty().plate.is_none() => {
                let plate = &self.plates[plate];
                self.builder.column("one", Some(plate.ir), vec![1.0; plate.len]) * value.expr
            }
            Some(_) | None => value.expr,
        }
    }

    pub(super) fn dims(&self, plate: Context) -> Vec<Dim> {
        let axes = plate.map_or(&[][..], |plate| self.plates[plate].axes.as_slice());
        axes.iter()
            .map(|axis| Dim {
                name: self.axes[*axis].name.clone(),
                labels: self.axes[*axis].labels.clone(),
            })
            .collect()
    }

    pub(super) fn plate_tables(&self) -> Vec<PlateTable> {
        (0..self.plates.len())
            .map(|plate| PlateTable {
                name: self.plates[plate].name.clone(),
                dims: self.dims(Some(plate)),
                codes: self.row_elements(plate),
            })
            .collect()
    }
}
