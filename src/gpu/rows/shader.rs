//! The module of a model whose rows are split over threads: the fixed parts, the model's functions, an entry point each.

use crate::back::kernel::{Dispatch, RowsKernel};

use super::super::shader::constants;
use super::super::texts::{BINDINGS, PHILOX, SETTINGS, SPECIAL, product};

const EXACT: &str = include_str!("../../../shaders/exact.wgsl");
const ROWS: &str = include_str!("../../../shaders/rows.wgsl");

/// Rows of what a chain notes about its iteration, beyond what all drivers do.
#[derive(Debug, Clone, Copy)]
pub(super) enum ProgressRow {
    Steps,
    Accepted,
    Fault,
}

/// Number of [`ProgressRow`]s.
pub(super) const PROGRESS_ROWS: usize = ProgressRow::Fault as usize + 1;

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
pub(super) fn assemble(kernel: &RowsKernel, has_wide_integers: bool) -> String {
    let mut text = [
        BINDINGS,
        SPECIAL,
        EXACT,
        product(has_wide_integers),
        PHILOX,
        SETTINGS,
        ROWS,
        kernel.density.wgsl.as_str(),
    ]
    .join("\n");
    for (number, dispatch) in kernel.dispatches.iter().enumerate() {
        text.push_str(&wrapped(number, dispatch));
    }
    text
}

/// The values of the module's `override` constants.
pub(super) fn all_constants(dim: usize, lanes: u32) -> Vec<(&'static str, f64)> {
    let kinetic = Kinetic::of(dim);
    let mut all = constants(dim, lanes);
    all.extend([
        ("ROW_STEPS", f64::from(ProgressRow::Steps as u32)),
        ("ROW_ACCEPTED", f64::from(ProgressRow::Accepted as u32)),
        ("ROW_FAULT", f64::from(ProgressRow::Fault as u32)),
        ("KINETIC_BLOCKS", kinetic.blocks as f64),
        ("KINETIC_GROUP", kinetic.group as f64),
        ("KINETIC_GROUPS", kinetic.groups as f64),
    ]);
    all
}

/// Loop trips that one invocation makes at most.
#[cfg(feature = "gpu")]
pub(super) fn loop_trips(kernel: &RowsKernel) -> u64 {
    let kinetic = Kinetic::of(kernel.density.dim);
    // Each thread checks at its end with two trips of its own.
    kernel
        .density
        .loop_trips
        .max(kinetic.group.max(kinetic.groups) as u64)
        + 2
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;
    use crate::back::kernel::{Data, DensityKernel};
    use crate::gpu::shader::LANES;

    /// A constant that the host forgets, or the shader does not know, would be found only on a device.
    #[test]
    fn the_module_is_valid_and_its_constants_are_the_overrides() {
        let kernel = RowsKernel {
            density: DensityKernel {
                wgsl: "fn part(chain: u32, item: u32) { work[chain] = ex_exp(vec2<f32>(1.0, 0.0)).x; }
                    fn rows_log_density(chain: u32) -> vec2<f32> {
                        return ex_accumulate(ex_div(vec2<f32>(1.0, 0.0), vec2<f32>(3.0, 0.0)), 4.0);
                    }"
                .into(),
                columns: Vec::new(),
                indices: Vec::new(),
                data: Data::Shared,
                centring: Vec::new(),
                dim: 50,
                constant: 0.0,
                loop_trips: 0,
            },
            dispatches: vec![Dispatch {
                function: "part".into(),
                items: 3,
                loop_trips: 0,
            }],
            work: 1,
        };
        let text = assemble(&kernel, false);
        let module = naga::front::wgsl::parse_str(&text)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
        let mut declared: Vec<&str> = module
            .overrides
            .iter()
            .filter_map(|(_, o)| o.name.as_deref())
            .collect();
        let mut given: Vec<&str> = all_constants(50, LANES)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        declared.sort_unstable();
        given.sort_unstable();
        assert_eq!(declared, given);
    }
}
