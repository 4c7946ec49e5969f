//! Partial sums of items added up in a fixed order: by groups, then the groups, each a dispatch for all loops of a stage.

use super::Emitter;
use super::items::{Split, group_len};
use crate::error::Result;
use crate::ir::Handle;
use crate::pass::schedule::Target;

/// One sum over all items of a dispatch.
pub(super) struct Sum {
    /// Where the result belongs in `work`; a pair takes two numbers.
    pub(super) result: usize,
    /// Where the items' partial sums begin: `[item]`, or of pairs all first numbers, then all second ones.
    pub(super) partials: usize,
    /// Whether it is a sum of two f32.
    pub(super) is_pair: bool,
}

/// The sums of a dispatch.
pub(super) struct Part {
    pub(super) sums: Vec<Sum>,
    pub(super) items: usize,
}

impl Emitter<'_> {
    /// Stores partial sum `at` of `count`, which begin at `start`.
    pub(super) fn write_sum(&mut self, start: usize, count: usize, at: &str, name: &str, is_pair: bool) {
        let first = self.at_work(&format!("{start}u + {at}"));
        if is_pair {
            let second = self.at_work(&format!("{}u + {at}", start + count));
            self.line(&format!("{first} = {name}.x;"));
            self.line(&format!("{second} = {name}.y;"));
        } else {
            self.line(&format!("{first} = {name};"));
        }
    }

    /// Adds up the partial sums of a stage's dispatches.
    pub(super) fn reductions(&mut self, stage: usize, parts: Vec<Part>) -> Result<()> {
        // Groups first where there are many items.
        let mut groups = Vec::new();
        let mut last = Vec::new();
        for part in parts {
            let group = group_len(part.items);
            if group >= part.items {
                last.push(part);
                continue;
            }
            let count = part.items.div_ceil(group);
            let mut results = Vec::new();
            for sum in &part.sums {
                let width = if sum.is_pair { 2 } else { 1 };
                results.push(Sum {
                    result: sum.result,
                    partials: self.room(width * count),
                    is_pair: sum.is_pair,
                });
            }
            last.push(Part {
                sums: results,
                items: count,
            });
            groups.push((part, last.len() - 1, group));
        }
        if !groups.is_empty() {
            let items = groups.iter().map(|(_, to, _)| last[*to].items).sum();
            let trips = groups.iter().map(|(_, _, group)| *group).max().unwrap_or(0);
            self.open(&format!("rows_groups_{stage}"), items, trips as u64 + 1);
            let mut first = 0;
            for (part, to, group) in &groups {
                let to = &last[*to];
                let stop = first + to.items;
                self.line(&format!("if item >= {first}u && item < {stop}u {{"));
                self.indent += 1;
                self.line(&format!("let group = item - {first}u;"));
                let (len, count) = (*group, part.items);
                let range = (
                    format!("group * {len}u"),
                    format!("min((group + 1u) * {len}u, {count}u)"),
                );
                let results: Vec<(usize, usize)> =
                    to.sums.iter().map(|sum| (sum.partials, to.items)).collect();
                self.add_up(part, &range, &results, "group");
                self.close();
                first = stop;
            }
            self.close();
        }
        if !last.is_empty() {
            let trips = last.iter().map(|part| part.items).max().unwrap_or(0);
            self.open(&format!("rows_sums_{stage}"), last.len(), trips as u64 + 1);
            for (number, part) in last.iter().enumerate() {
                self.line(&format!("if item == {number}u {{"));
                self.indent += 1;
                let range = ("0u".into(), format!("{}u", part.items));
                let results: Vec<(usize, usize)> = part.sums.iter().map(|sum| (sum.result, 1)).collect();
                self.add_up(part, &range, &results, "0u");
                self.close();
            }
            self.close();
        }
        Ok(())
    }

    /// Adds up the partial sums of a range of items into place `at` of the results, each (start, number of places).
    fn add_up(&mut self, part: &Part, range: &(String, String), results: &[(usize, usize)], at: &str) {
        for (number, sum) in part.sums.iter().enumerate() {
            let zero = if sum.is_pair { "vec2<f32>(0.0, 0.0)" } else { "0.0" };
            self.line(&format!("var t{number} = {zero};"));
        }
        self.line(&format!("for (var k = {}; k < {}; k++) {{", range.0, range.1));
        self.indent += 1;
        for (number, sum) in part.sums.iter().enumerate() {
            let first = self.at_work(&format!("{}u + k", sum.partials));
            if sum.is_pair {
                let second = self.at_work(&format!("{}u + k", sum.partials + part.items));
                self.line(&format!(
                    "t{number} = ex_add(t{number}, vec2<f32>({first}, {second}));"
                ));
            } else {
                self.line(&format!("t{number} += {first};"));
            }
        }
        self.close();
        for ((number, sum), (start, count)) in part.sums.iter().enumerate().zip(results) {
            self.write_sum(*start, *count, at, &format!("t{number}"), sum.is_pair);
        }
    }

    /// Adds the partial sums of codes that are spread over items to their targets.
    pub(super) fn splits(
        &mut self,
        name: &str,
        splits: &[Split],
        segments: &[(Handle, Target)],
        partials: &[usize],
    ) -> Result<()> {
        let Some(most) = splits.iter().map(|split| split.count).max() else {
            return Ok(());
        };
        let table = self.tables.len();
        self.tables.extend(
            splits
                .iter()
                .flat_map(|split| [split.code, split.first, split.count]),
        );
        self.open(
            &format!("{name}_splits"),
            splits.len(),
            u64::from(most) * segments.len() as u64 + 1,
        );
        self.line(&format!("let code = indices[{table}u + 3u * item];"));
        self.line(&format!("let first = indices[{table}u + 3u * item + 1u];"));
        self.line(&format!("let count = indices[{table}u + 3u * item + 2u];"));
        for ((number, (_, target)), start) in segments.iter().enumerate().zip(partials) {
            let (at, partial) = (
                self.at_target(*target, "code")?,
                self.at_work(&format!("{start}u + k")),
            );
            self.line(&format!("var s{number}: f32 = 0.0;"));
            self.line(&format!(
                "for (var k = first; k < first + count; k++) {{ s{number} += {partial}; }}"
            ));
            self.line(&format!("{at} += s{number};"));
        }
        self.close();
        Ok(())
    }
}
