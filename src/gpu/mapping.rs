//! Which driver moves a model's chains on an adapter, and in which form: one small table of costs.

use std::fmt;

use crate::back::kernel::{Form, KernelSize, Memory};

use super::adapter::Adapter;

/// Loop trips of one gradient from which rows are split over threads rather than looped over by a thread per chain.
pub(super) const MANY_TRIPS: u64 = 100_000;

/// The driver asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// What the table of costs says.
    #[default]
    Auto,
    /// One dispatch for each leapfrog step, state in buffers.
    Stepped,
    /// Whole iterations in one dispatch, state in the threads' own memory.
    Fused,
}

/// How a model's chains are moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The fused driver's form and memory; none for the stepped driver.
    pub fused: Option<(Form, Memory)>,
    /// The numbers that decided.
    why: String,
}

/// Up to where the fused driver's forms pay.
struct Costs {
    /// The words for this kind of adapter.
    kind: &'static str,
    /// Statements of the unrolled text: compiling takes about a millisecond for each.
    statements: u64,
    /// Coordinates of an unrolled position, each with three registers or as many stack slots.
    unrolled_dim: usize,
    /// Numbers that a thread of the looped form holds in private arrays.
    private_numbers: usize,
}

/// Software Vulkan, measured on llvmpipe (Mesa 22.3) at 1,024 and 4,096 chains: unrolled text runs 2 to 7 times as fast
/// as loops wherever it was tried, up to 167 cells of 62 coordinates; the first compilation is what bounds it.
const SOFTWARE: Costs = Costs {
    kind: "software Vulkan",
    statements: 12_000,
    unrolled_dim: 512,
    private_numbers: 16_384,
};

/// Hardware: an estimate from a register file of 255 words a thread, until a recorded run replaces it.
const HARDWARE: Costs = Costs {
    kind: "hardware (an estimate)",
    statements: 6_000,
    unrolled_dim: 64,
    private_numbers: 4_096,
};

impl Mapping {
    /// The mapping of a model of this size on `adapter`; a driver that is asked for is taken even where it does not pay.
    pub fn choose(size: &KernelSize, adapter: &Adapter, driver: Driver) -> Self {
        let costs = if adapter.is_software { SOFTWARE } else { HARDWARE };
        let memory = if adapter.is_software {
            Memory::Held
        } else {
            Memory::Buffers
        };
        let form = costs.form(size);
        // Position, gradient, momentum and, where held, the start and the metric.
        let trips = size.loop_trips.saturating_add(2 * size.dim as u64);
        let is_cut = adapter.max_loop_trips().is_some_and(|most| 8 * trips > most);
        let fused = match (driver, form) {
            (Driver::Stepped, _) => None,
            (Driver::Fused | Driver::Auto, Some(Form::Unrolled)) => Some(Form::Unrolled),
            (Driver::Fused, _) => Some(Form::Arrays),
            // Beyond either bound rows are better split over threads: see `gpu::rows`.
            (Driver::Auto, _) if is_cut || trips > MANY_TRIPS => None,
            (Driver::Auto, form) => form,
        };
        Self {
            fused: fused.map(|form| (form, memory)),
            why: match driver {
                Driver::Stepped => "as asked".to_owned(),
                Driver::Fused | Driver::Auto => costs.explain(size),
            },
        }
    }
}

impl Costs {
    /// The form that pays, if any.
    fn form(&self, size: &KernelSize) -> Option<Form> {
        if size.unrolled_statements <= self.statements && size.dim <= self.unrolled_dim {
            return Some(Form::Unrolled);
        }
        (6 * size.dim + size.private_numbers <= self.private_numbers).then_some(Form::Arrays)
    }

    fn explain(&self, size: &KernelSize) -> String {
        format!(
            "{} unrolled statements and {} coordinates, at most {} and {} unrolled on {}; in loops {} private numbers, at \
             most {}",
            size.unrolled_statements,
            size.dim,
            self.statements,
            self.unrolled_dim,
            self.kind,
            6 * size.dim + size.private_numbers,
            self.private_numbers
        )
    }
}

impl fmt::Display for Mapping {
    /// For people: the driver, the form, and the numbers that decided.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let driver = match self.fused {
            None => {
                "stepped, a dispatch for each leapfrog step, or for each of its loops where long tables are split over \
                 threads"
            }
            Some((Form::Unrolled, _)) => "fused, unrolled: whole iterations in a dispatch, state in scalars",
            Some((Form::Arrays | Form::Buffers, _)) => {
                "fused, in loops: whole iterations in a dispatch, state in private arrays"
            }
        };
        write!(f, "{driver} ({})", self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::adapter::AdapterLimits;

    fn adapter(name: &str, is_software: bool) -> Adapter {
        Adapter {
            name: name.into(),
            backend: "vulkan".into(),
            device_type: "other".into(),
            driver: String::new(),
            is_software,
            limits: AdapterLimits {
                max_buffer_bytes: 0,
                max_storage_binding_bytes: 0,
                max_storage_buffers: 8,
                max_workgroups_per_dimension: 65_535,
                max_workgroup_threads: 256,
                max_workgroup_bytes: 16_384,
            },
            features: Vec::new(),
        }
    }

    fn size(dim: usize, statements: u64, trips: u64) -> KernelSize {
        KernelSize {
            dim,
            unrolled_statements: statements,
            loop_trips: trips,
            private_numbers: 0,
        }
    }

    #[test]
    fn small_models_are_unrolled_larger_ones_looped_and_the_largest_stepped() {
        let software = adapter("llvmpipe", true);
        let form = |size: &KernelSize, adapter: &Adapter| Mapping::choose(size, adapter, Driver::Auto).fused;
        assert_eq!(
            form(&size(50, 800, 48), &software),
            Some((Form::Unrolled, Memory::Held))
        );
        assert_eq!(
            form(&size(50, 40_000, 2000), &software),
            Some((Form::Arrays, Memory::Held))
        );
        // Too few steps would fit into a dispatch.
        assert_eq!(form(&size(50, 400_000, 20_000), &software), None);
        assert_eq!(form(&size(4000, 40_000, 4000), &software), None);
        let card = adapter("card", false);
        assert_eq!(
            form(&size(50, 800, 48), &card),
            Some((Form::Unrolled, Memory::Buffers))
        );
        assert_eq!(
            form(&size(200, 4000, 400), &card),
            Some((Form::Arrays, Memory::Buffers))
        );
    }

    #[test]
    fn what_is_asked_for_is_taken_and_said() {
        let software = adapter("llvmpipe", true);
        let stepped = Mapping::choose(&size(50, 800, 48), &software, Driver::Stepped);
        assert_eq!(stepped.fused, None);
        assert!(stepped.to_string().contains("stepped") && stepped.to_string().contains("as asked"));
        let large = Mapping::choose(&size(4000, 40_000, 4000), &software, Driver::Fused);
        assert_eq!(large.fused, Some((Form::Arrays, Memory::Held)));
        let text = large.to_string();
        assert!(text.contains("in loops") && text.contains("40000"), "{text}");
    }
}
