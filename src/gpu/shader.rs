//! Joins the fixed shader parts with a model's log density, and names the constants that both sides share.

use super::plan::MAX_ENERGY_ERROR;
use super::texts::{BINDINGS, PHILOX, SETTINGS, SPECIAL, product};
use crate::rng::Purpose;

const HMC_STEP: &str = include_str!("../../shaders/hmc_step.wgsl");

/// Threads of a workgroup. Software Vulkan runs 8 to 256 at the same speed; 64 fills the widest subgroup there is.
pub(super) const LANES: u32 = 64;

/// The bit of the status word that says divergent.
pub(super) const DIVERGENT_BIT: u32 = 1 << 31;

/// Below it, from this bit on, a driver that thins counts the divergences since the last draw, up to
/// [`DIVERGENCES_MOST`]; the lower bits count iterations, or the draws that were kept of them.
pub(super) const DIVERGENCES_SHIFT: u32 = 20;

/// See [`DIVERGENCES_SHIFT`].
pub(super) const DIVERGENCES_MOST: u32 = (1 << 11) - 1;

/// A NaN whose payload no arithmetic makes: what a draw holds that was never written.
pub(super) const POISON: u32 = 0x7fc0_dead;

/// Rows of the per-chain state; the two counters come first, so that one clear resets them.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChainRow {
    Iteration,
    Step,
    StartWhole,
    StartRest,
    NowWhole,
    NowRest,
    KineticWhole,
    KineticRest,
}

/// Rows that a driver resets at the beginning of a block: the iterations, and for drivers whose steps end with the block
/// those too.
pub(super) const ITERATION_ROWS: usize = ChainRow::Step as usize;
/// See [`ITERATION_ROWS`]: up to the first [`ChainRow`] that is no counter.
pub(super) const COUNTER_ROWS: usize = ChainRow::StartWhole as usize;

/// Number of [`ChainRow`]s.
pub(super) const CHAIN_ROWS: usize = ChainRow::KineticRest as usize + 1;

/// Rows of a draw that follow the position's.
#[derive(Debug, Clone, Copy)]
pub(super) enum DrawRow {
    LogDensityWhole,
    LogDensityRest,
    Kinetic,
    AcceptProb,
    EnergyError,
    Status,
}

impl DrawRow {
    /// The row's place in a draw of `dim` coordinates.
    pub(super) fn at(self, dim: usize) -> usize {
        dim + self as usize
    }
}

/// Rows of one iteration's draw: the position, then the [`DrawRow`]s.
pub(super) fn draw_rows(dim: usize) -> usize {
    DrawRow::Status.at(dim) + 1
}

/// The whole module's text. Declarations of WGSL may come in any order, so `log_density` may call any of the rest.
pub(super) fn assemble(log_density: &str, has_wide_integers: bool) -> String {
    let product = product(has_wide_integers);
    [
        BINDINGS,
        SPECIAL,
        product,
        PHILOX,
        SETTINGS,
        log_density,
        HMC_STEP,
    ]
    .join("\n")
}

/// The values of the module's `override` constants for positions of `dim` coordinates.
pub(super) fn constants(dim: usize, lanes: u32) -> Vec<(&'static str, f64)> {
    let draw = |row: DrawRow| row.at(dim) as f64;
    let chain = |row: ChainRow| f64::from(row as u32);
    vec![
        ("LANES", f64::from(lanes)),
        ("DIM", dim as f64),
        ("PURPOSE_MOMENTUM", f64::from(Purpose::Momentum as u8)),
        ("PURPOSE_ACCEPT", f64::from(Purpose::Accept as u8)),
        ("MAX_ENERGY_ERROR", MAX_ENERGY_ERROR),
        ("POISON", f64::from(POISON)),
        ("DIVERGENT_BIT", f64::from(DIVERGENT_BIT)),
        ("DIVERGENCES_SHIFT", f64::from(DIVERGENCES_SHIFT)),
        ("DIVERGENCES_MOST", f64::from(DIVERGENCES_MOST)),
        ("CHAIN_ITERATION", chain(ChainRow::Iteration)),
        ("CHAIN_STEP", chain(ChainRow::Step)),
        ("CHAIN_START_WHOLE", chain(ChainRow::StartWhole)),
        ("CHAIN_START_REST", chain(ChainRow::StartRest)),
        ("CHAIN_NOW_WHOLE", chain(ChainRow::NowWhole)),
        ("CHAIN_NOW_REST", chain(ChainRow::NowRest)),
        ("CHAIN_KINETIC_WHOLE", chain(ChainRow::KineticWhole)),
        ("CHAIN_KINETIC_REST", chain(ChainRow::KineticRest)),
        ("DRAW_ROWS", draw_rows(dim) as f64),
        ("DRAW_LOG_DENSITY_WHOLE", draw(DrawRow::LogDensityWhole)),
        ("DRAW_LOG_DENSITY_REST", draw(DrawRow::LogDensityRest)),
        ("DRAW_KINETIC", draw(DrawRow::Kinetic)),
        ("DRAW_ACCEPT_PROB", draw(DrawRow::AcceptProb)),
        ("DRAW_ENERGY_ERROR", draw(DrawRow::EnergyError)),
        ("DRAW_STATUS", draw(DrawRow::Status)),
    ]
}

/// Loop trips that one invocation makes at most, when a call of the log density makes `density`: the leapfrog's drift
/// and kick loop over the coordinates.
pub(super) fn loop_trips(density: u64, dim: usize) -> u64 {
    density.saturating_add(2 * dim as u64)
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    /// Parses and validates a module, and each entry point with its constants put in; returns the entry points.
    fn validate(text: &str, dim: usize) -> Result<Vec<String>, String> {
        let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::SHADER_INT64);
        let info = validator.validate(&module).map_err(|e| e.emit_to_string(text))?;
        let constants = constants(dim, LANES)
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect();
        let mut names = Vec::new();
        for entry in &module.entry_points {
            naga::back::pipeline_constants::process_overrides(
                &module,
                &info,
                Some((entry.stage, entry.name.as_str())),
                &constants,
            )
            .map_err(|e| format!("{}: {e}", entry.name))?;
            names.push(entry.name.clone());
        }
        Ok(names)
    }

    const KERNELS: [(&str, usize, &str); 9] = [
        ("normal", 5, include_str!("../../tests/wgsl/normal.wgsl")),
        ("correlated", 2, include_str!("../../tests/wgsl/correlated.wgsl")),
        ("funnel", 3, include_str!("../../tests/wgsl/funnel.wgsl")),
        ("hole", 1, include_str!("../../tests/wgsl/hole.wgsl")),
        ("streams", 13, include_str!("../../tests/wgsl/streams.wgsl")),
        ("edges", 4, include_str!("../../tests/wgsl/edges.wgsl")),
        ("sum", 1, include_str!("../../tests/wgsl/sum.wgsl")),
        ("long", 1, include_str!("../../tests/wgsl/long.wgsl")),
        ("tanks", 50, include_str!("../../tests/wgsl/tanks.wgsl")),
    ];

    #[test]
    fn every_module_is_valid() {
        for (name, dim, text) in KERNELS {
            for has_wide_integers in [false, true] {
                match validate(&assemble(text, has_wide_integers), dim) {
                    Ok(entries) => assert_eq!(entries, ["poison", "evaluate", "begin", "leapfrog", "finish"]),
                    Err(message) => panic!("{name}: {message}"),
                }
            }
        }
    }

    #[test]
    fn a_broken_kernel_is_not() {
        assert!(
            validate(
                &assemble("fn log_density_grad(chain: u32) -> f32 { return 0.0; }", false),
                1
            )
            .is_err()
        );
    }

    /// A constant that the host forgets, or the shader does not know, would be found only on a device.
    #[test]
    fn the_constants_are_the_overrides() {
        let module = naga::front::wgsl::parse_str(&assemble(KERNELS[0].2, false)).unwrap();
        let mut declared: Vec<&str> = module
            .overrides
            .iter()
            .filter_map(|(_, o)| o.name.as_deref())
            .collect();
        let mut given: Vec<&str> = constants(5, LANES).into_iter().map(|(name, _)| name).collect();
        declared.sort_unstable();
        given.sort_unstable();
        assert_eq!(declared, given);
    }
}
