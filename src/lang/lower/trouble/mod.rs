//! Likely trouble: what the text and the data say against a fit before it is made.
//!
//! - [`product`]: a linear predictor as products of a parameter with data;
//! - [`groups`]: effects of groups that the data cannot tell; slopes that do not vary within their groups;
//! - [`scales`]: columns on a scale that the prior of their coefficient does not fit;
//! - [`separation`]: outcomes of 0 and 1 that a column predicts without a fault.
//!
//! Only products of one parameter with data are looked at, one at a time: what two columns do together is not seen.

mod groups;
mod product;
mod scales;
mod separation;

use std::collections::BTreeSet;
use std::rc::Rc;

use super::ridge::Term;
use super::{Context, Lowering, canonical, drop_missing};
use crate::data::Table;
use crate::ir::Builder;
use crate::lang::analyse::{Relation, analyse};
use crate::lang::ast::{Expr, Link, Model};
use crate::lang::lowered::{Failure, LowerOptions};
use crate::lang::report::Reports;
use crate::transform::standard_arguments;
use product::Product;

/// An outcome with what its location is a sum of.
struct Predictor<'a> {
    relation: &'a Relation<'a>,
    link: Option<Link>,
    /// The outcome's values, one for each element of the plate.
    y: Rc<[f64]>,
    plate: Context,
    products: Vec<Product<'a>>,
    /// Of the means of effects that are added to it, with the effects' plates: predictors of groups.
    means: Vec<(usize, Product<'a>)>,
}

/// The warnings and notes about `model`, a model without formula that can be lowered, whose text is `source` (its name
/// and the text itself), over `table`.
///
/// # Errors
///
/// Those of [`lower`](super::lower) that the text alone tells.
pub fn troubles(model: &Model, source: (&str, &str), table: &Table) -> std::result::Result<Reports, Failure> {
    let (name, text) = source;
    let fail = |reports| Err(Failure::Reports(Reports::new(name, text, reports)));
    let model = match canonical(model) {
        Ok(model) => model,
        Err(reports) => return fail(reports),
    };
    let columns: Vec<&str> = table.names().collect();
    let mut analysis = analyse(&model, table.name(), &columns);
    let found = Reports::new(name, text, std::mem::take(&mut analysis.reports));
    if found.has_errors() {
        return Err(found.into());
    }
    let kept = match drop_missing(&analysis, table) {
        Ok(kept) => kept,
        Err(report) => return fail(vec![*report]),
    };
    let builder = Builder::new();
    let options = LowerOptions::default();
    let mut lowering = Lowering::new(&analysis, &kept, text, &options, &builder);
    lowering.in_order(true);
    for place in 0..analysis.relations.len() {
        if !analysis.relations[place].observed {
            lowering.declare(place);
        }
    }
    let mut reports = lowering.few_groups();
    for relation in analysis.relations.iter().filter(|relation| relation.observed) {
        let Some(predictor) = lowering.predictor(relation) else {
            continue;
        };
        reports.extend(lowering.single_rows(&predictor));
        reports.extend(lowering.constant_slopes(&predictor));
        reports.extend(lowering.misfit_scales(&predictor));
        reports.extend(lowering.separations(&predictor));
    }
    Ok(Reports::new(name, text, reports))
}

impl<'a> Lowering<'a, '_> {
    /// What the outcome's location is made of; none where it is no sum of products.
    fn predictor(&mut self, relation: &'a Relation<'a>) -> Option<Predictor<'a>> {
        let argument = relation.arguments[super::likelihood::location_argument(relation.family)?];
        let link = argument
            .bare_name()
            .and_then(|name| self.analysis.definition(name))
            .and_then(|definition| definition.link);
        let (outcome, plate) = self.outcome(relation).ok()?;
        let products = self.products(argument, plate)?;
        let mut means: Vec<(usize, Product<'a>)> = Vec::new();
        let added = |product: &Product<'a>| {
            (!product.has_column && product.groups.is_some()).then_some(product.parameter)
        };
        let mut effects: Vec<usize> = products.iter().filter_map(added).collect();
        let mut next = 0;
        while let Some(&effect) = effects.get(next) {
            next += 1;
            let prior: &'a Relation<'a> = &self.analysis.relations[effect];
            let (Some((location, _)), Ok(Some(over))) =
                (standard_arguments(prior.family), self.parameter_plate(effect))
            else {
                continue;
            };
            let found = self
                .products(prior.arguments[location], Some(over))
                .unwrap_or_default();
            for effect in found.iter().filter_map(added) {
                if !effects.contains(&effect) {
                    effects.push(effect);
                }
            }
            means.extend(found.into_iter().map(|product| (over, product)));
        }
        Some(Predictor {
            relation,
            link,
            y: outcome.numbers?,
            plate,
            products,
            means,
        })
    }

    /// The terms of a sum that are one parameter times data; none if it has too many.
    fn products(&mut self, sum: &'a Expr, plate: Context) -> Option<Vec<Product<'a>>> {
        let terms: Vec<Term<'a>> = self.terms(sum, true, &mut BTreeSet::new())?;
        let products = terms.iter().filter_map(|term| self.product(term, plate));
        Some(products.collect())
    }
}
