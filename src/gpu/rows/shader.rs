//! The module of a model whose rows are split over threads: the fixed parts, the model's functions, an entry point each.

use crate::back::dispatch::{Dispatch, RowsKernel};

use super::super::shader::{CHAIN_ROWS, constants};

const BINDINGS: &str = include_str!("../../../shaders/bindings.wgsl");
const SPECIAL: &str = include_str!("../../../shaders/special.wgsl");
const EXACT: &str = include_str!("../../../shaders/exact.wgsl");
const PHILOX: &str = include_str!("../../../shaders/philox.wgsl");
const ROWS: &str = include_str!("../../../shaders/rows.wgsl");

/// Rows of the per-chain state beyond those that both drivers have.
#[derive(Debug, Clone, Copy)]
pub(super) enum MoreRow {
    Steps,
    Accepted,
    Fault,
}

impl MoreRow {
    /// Its place among all rows.
    pub(super) fn at(self) -> usize {
        CHAIN_ROWS + self as usize
    }
}

/// Rows of the per-chain state.
pub(super) const STATE_ROWS: usize = CHAIN_ROWS + MoreRow::Fault as usize + 1;

/// How the kinetic energy of `dim` coordinates is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinetic {
    /// Blocks of four coordinates.
    pub(super) blocks: usize,
    /// Blocks of a group: about as many as groups.
    pub(super) group: usize,
    pub(super) groups: usize,
}

impl Kinetic {
    pub(super) fn of(dim: usize) -> Self {
        let blocks = dim.div_ceil(4).max(1);
        let group = (blocks as f64).sqrt().ceil() as usize;
        Self {
            blocks,
            group,
            groups: blocks.div_ceil(group),
        }
    }

    /// Numbers per chain.
    pub(super) fn words(self) -> usize {
        self.blocks + 2 * self.groups
    }
}

/// The entry point of the model's dispatch number `number`.
pub(super) fn entry(number: usize) -> String {
    format!("model_{number}")
}

/// An entry point that calls `dispatch`'s function for the thread's chain and item.
fn wrapped(number: usize, dispatch: &Dispatch) -> String {
    format!(
        "@compute @workgroup_size(LANES)
fn {}(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {{
    let place = rows_place(workgroup, workgroups, lane);
    if place.y < {}u && rows_is_active(place.x) {{
        {}(place.x, place.y);
        rows_end(place.x);
    }}
}}
",
        entry(number),
        dispatch.items,
        dispatch.function
    )
}

/// The whole module's text.
pub(super) fn assemble(kernel: &RowsKernel) -> String {
    let mut text = [BINDINGS, SPECIAL, EXACT, PHILOX, ROWS, kernel.wgsl.as_str()].join("\n");
    for (number, dispatch) in kernel.dispatches.iter().enumerate() {
        text.push_str(&wrapped(number, dispatch));
    }
    text
}

/// The values of the module's `override` constants.
pub(super) fn all_constants(kernel: &RowsKernel, lanes: u32) -> Vec<(&'static str, f64)> {
    let kinetic = Kinetic::of(kernel.dim);
    let mut all = constants(kernel.dim, lanes);
    all.extend([
        ("CHAIN_STEPS", MoreRow::Steps.at() as f64),
        ("CHAIN_ACCEPTED", MoreRow::Accepted.at() as f64),
        ("CHAIN_FAULT", MoreRow::Fault.at() as f64),
        ("KINETIC_BLOCKS", kinetic.blocks as f64),
        ("KINETIC_GROUP", kinetic.group as f64),
        ("KINETIC_GROUPS", kinetic.groups as f64),
        ("LEVELS", kernel.centring.len() as f64),
    ]);
    all
}

/// Loop trips that one invocation makes at most.
pub(super) fn loop_trips(kernel: &RowsKernel) -> u64 {
    let kinetic = Kinetic::of(kernel.dim);
    let of_model = kernel.dispatches.iter().map(|dispatch| dispatch.loop_trips);
    // Each thread checks at its end with two trips of its own.
    of_model
        .chain([kinetic.group.max(kinetic.groups) as u64])
        .max()
        .unwrap_or(0)
        + 2
}
