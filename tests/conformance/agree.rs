//! One program on all back ends, with what each may be off by.

use tadpool::back::evaluate::Density;
use tadpool::back::kernel::{Data, Form, Memory};
use tadpool::back::reference::{self, Evaluation};
use tadpool::back::simd::{InstructionSet, LANES, SimdDensity};
use tadpool::back::wgsl;
use tadpool::gpu::{FusedHmc, Gpu, Plan, SteppedHmc};
use tadpool::ir::Program;
use tadpool::pass;

use crate::differences::slope;
use crate::{rounding, shader};

/// The largest discrepancies that were seen, each as a fraction of its bound.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Worst {
    pub(crate) differences: f64,
    pub(crate) lanes: f64,
    pub(crate) device_value: f64,
    pub(crate) device_gradient: f64,
}

impl Worst {
    pub(crate) fn include(&mut self, other: Worst) {
        self.differences = self.differences.max(other.differences);
        self.lanes = self.lanes.max(other.lanes);
        self.device_value = self.device_value.max(other.device_value);
        self.device_gradient = self.device_gradient.max(other.device_gradient);
    }
}

/// The bound of the CPU's lanes, relative to the value, or to the gradient's norm, or to 1 where these are smaller.
const LANES_BOUND: f64 = 1e-9;

/// The bound of the device's gradient, relative to its norm.
const GRADIENT_BOUND: f64 = 1e-5;

/// The bound of the device's log density, `size` being Σ|terms|.
///
/// 2⁻²⁴ = 6e-8 is the relative error of one f32 operation; a term is the end of a chain of some ten of them, whose
/// errors partly cancel, so each term may be off by 4e-7 of itself. Sums of up to 500 keep 2e-4 with that. Where
/// exponentials of large numbers make that too little, [`rounding::spread`] says how far f32 is off at this place.
fn value_bound(size: f64, fast: &Program, position: &[f64], off: f64) -> tadpool::error::Result<f64> {
    let bound = 2e-4_f64.max(4e-7 * size);
    if off <= bound {
        return Ok(bound);
    }
    Ok(bound.max(rounding::spread(fast, position)?))
}

pub(crate) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    norm(&difference)
}

/// The fraction of its bound that a discrepancy is; an error beyond it, or where it is no number.
fn within(what: &str, discrepancy: f64, bound: f64) -> Result<f64, String> {
    if discrepancy <= bound {
        Ok(discrepancy / bound)
    } else {
        Err(format!("{what}: off by {discrepancy:e}, allowed {bound:e}"))
    }
}

/// The forms in which the fused driver takes a model.
pub(crate) const FORMS: [(Form, Memory); 4] = [
    (Form::Arrays, Memory::Held),
    (Form::Arrays, Memory::Buffers),
    (Form::Unrolled, Memory::Held),
    (Form::Unrolled, Memory::Buffers),
];

/// Runs `program` (as lowered) at `positions` on every back end, and compares; the fused driver in the forms `fused`, of
/// which all are validated without a device. `has_trajectories` compares trajectories of these as well, for which the
/// stepped driver has three more pipelines to compile.
///
/// # Errors
///
/// The first disagreement, in words.
pub(crate) fn check(
    program: &Program,
    positions: &[Vec<f64>],
    gpu: Option<&Gpu>,
    fused: &[(Form, Memory)],
    has_trajectories: bool,
) -> Result<Worst, String> {
    let text = |error: tadpool::Error| error.to_string();
    let raw = pass::reference_program(program).map_err(text)?;
    let plain = pass::expand::expand(program).map_err(text)?;
    let fast = pass::density_program(program).map_err(text)?;
    let mut worst = Worst::default();
    let mut expected = Vec::new();
    let mut sizes = Vec::new();
    for position in positions {
        let found = reference::evaluate(&raw, position).map_err(text)?;
        if !found.log_density.is_finite() {
            return Err(format!(
                "the log density is {} at {position:?}",
                found.log_density
            ));
        }
        let size = size(&plain, position).map_err(text)?;
        worst.differences = worst
            .differences
            .max(check_differences(&plain, position, &found, size)?);
        expected.push(found);
        sizes.push(size);
    }
    worst.lanes = check_lanes(&fast, positions, &expected)?;
    let multiplied = pass::density_program_f64(program).map_err(text)?;
    if multiplied != fast {
        worst.lanes = worst.lanes.max(check_lanes(&multiplied, positions, &expected)?);
    }
    check_outputs(program, &plain, positions)?;
    let kernel = wgsl::kernel(fast.clone(), Data::Shared).map_err(text)?;
    shader::validate(&kernel.wgsl)?;
    let own = wgsl::kernel(fast.clone(), Data::PerEnsemble).map_err(text)?;
    shader::validate(&own.wgsl)?;
    for (form, memory) in FORMS {
        for data in [Data::Shared, Data::PerEnsemble] {
            let fused = wgsl::fused_kernel(fast.clone(), form, memory, data).map_err(text)?;
            shader::validate_fused(&fused)?;
        }
    }
    let Some(gpu) = gpu else { return Ok(worst) };
    let wanted = Wanted {
        fast: &fast,
        positions,
        expected: &expected,
        sizes: &sizes,
    };
    let mut stepped = SteppedHmc::new(gpu, &kernel, positions.len(), 1, 0, 0).map_err(text)?;
    stepped.set_positions(&positions.concat()).map_err(text)?;
    let found = stepped.log_density_grad().map_err(text)?;
    worst.include(wanted.compare("stepped", &kernel.wgsl, &found)?);
    for &(form, memory) in fused {
        let kernel = wgsl::fused_kernel(fast.clone(), form, memory, Data::Shared).map_err(text)?;
        let mut device = FusedHmc::new(gpu, &kernel, positions.len(), 1, 0, 0).map_err(text)?;
        device.set_positions(&positions.concat()).map_err(text)?;
        let found = device.log_density_grad().map_err(text)?;
        let what = format!("fused {form:?} {memory:?}");
        worst.include(wanted.compare(&what, &kernel.density.wgsl, &found)?);
        if has_trajectories {
            check_trajectories(&mut stepped, &mut device, positions, &expected)
                .map_err(|error| format!("{what}: {error}\n{}", kernel.density.wgsl))?;
        }
    }
    Ok(worst)
}

/// Compares trajectories of two steps, the first of which asks a fused kernel for the gradient alone.
fn check_trajectories(
    stepped: &mut SteppedHmc,
    fused: &mut FusedHmc,
    positions: &[Vec<f64>],
    expected: &[Evaluation],
) -> Result<(), String> {
    let text = |error: tadpool::Error| error.to_string();
    // Steps over which forces move a coordinate by some hundredths, well above the rounding of f32.
    let plans: Vec<Plan> = expected
        .iter()
        .map(|found| Plan {
            step_size: 0.1 / (1.0 + norm(&found.gradient)).sqrt(),
            num_leapfrog_steps: 2,
        })
        .collect();
    let plans = [plans];
    stepped.set_positions(&positions.concat()).map_err(text)?;
    let wanted = stepped.run(0, &plans, &mut |_| true).map_err(text)?;
    let found = fused.run(0, &plans, &mut |_| true).map_err(text)?;
    for (x, y) in wanted[0].positions.iter().zip(&found[0].positions) {
        within(
            "a coordinate after two steps",
            (x - y).abs(),
            2e-5 * x.abs().max(1.0),
        )?;
    }
    Ok(())
}

/// What the devices are held to.
struct Wanted<'a> {
    fast: &'a Program,
    positions: &'a [Vec<f64>],
    expected: &'a [Evaluation],
    /// Σ|terms|, per position.
    sizes: &'a [f64],
}

impl Wanted<'_> {
    /// Compares a device's log densities and gradients, made by `wgsl`.
    fn compare(
        &self,
        device: &str,
        wgsl: &str,
        (values, gradients): &(Vec<f64>, Vec<f64>),
    ) -> Result<Worst, String> {
        let mut worst = Worst::default();
        for (chain, (wanted, &size)) in self.expected.iter().zip(self.sizes).enumerate() {
            let what = format!("{device}, position {chain}");
            let off = (values[chain] - wanted.log_density).abs();
            let bound = value_bound(size, self.fast, &self.positions[chain], off)
                .map_err(|error| error.to_string())?;
            let value = within(&format!("{what}, log density"), off, bound);
            let dim = wanted.gradient.len();
            let found = &gradients[chain * dim..][..dim];
            let gradient = within(
                &format!("{what}, gradient"),
                distance(found, &wanted.gradient),
                GRADIENT_BOUND * norm(&wanted.gradient),
            );
            let show = |error: String| {
                format!(
                    "{error}\nlog density {} and {}\ngradient {found:?}\nexpected {:?}\n{wgsl}",
                    values[chain], wanted.log_density, wanted.gradient
                )
            };
            worst.device_value = worst.device_value.max(value.map_err(show)?);
            worst.device_gradient = worst.device_gradient.max(gradient.map_err(show)?);
        }
        Ok(worst)
    }
}

/// Σ|terms| of the log density.
fn size(plain: &Program, position: &[f64]) -> tadpool::error::Result<f64> {
    let values = reference::values(&plain.graph, position)?;
    let terms = plain.density.iter().flat_map(|term| &values[term.index()]);
    Ok(terms.map(|x| x.abs()).sum())
}

fn check_differences(
    plain: &Program,
    position: &[f64],
    found: &Evaluation,
    size: f64,
) -> Result<f64, String> {
    let mut worst = 0.0_f64;
    for (i, wanted) in found.gradient.iter().enumerate() {
        let slope = slope(plain, position, i, size);
        // Vague estimates would let anything pass.
        let scale = 1.0 + norm(&found.gradient);
        if slope.error > 1e-5 * scale {
            return Err(format!(
                "no sharp finite difference in coordinate {i}: {slope:?}, gradient {wanted}"
            ));
        }
        let bound = slope.error + 1e-9 * scale;
        worst = worst.max(within(
            &format!("finite difference {slope:?} in coordinate {i}, gradient {wanted}"),
            (slope.value - wanted).abs(),
            bound,
        )?);
    }
    Ok(worst)
}

/// The instruction sets of this machine.
pub(crate) fn instruction_sets() -> Vec<InstructionSet> {
    let mut all = vec![
        InstructionSet::Baseline,
        InstructionSet::Avx2,
        InstructionSet::Avx512,
    ];
    all.retain(|set| set.is_available());
    all
}

/// Compares 1 and 8 lanes of every instruction set with the expected values; lane k sits at position k modulo their
/// number.
pub(crate) fn check_lanes(
    fast: &Program,
    positions: &[Vec<f64>],
    expected: &[Evaluation],
) -> Result<f64, String> {
    let mut worst = 0.0_f64;
    for set in instruction_sets() {
        let density = SimdDensity::new(fast.clone())
            .and_then(|density| density.with_instruction_set(set))
            .map_err(|error| error.to_string())?;
        let dim = density.dim();
        for lanes in [1, LANES] {
            let mut worker = density.evaluator(lanes);
            for first in (0..positions.len()).step_by(lanes) {
                let place = |lane: usize| (first + lane) % positions.len();
                let block: Vec<f64> = (0..dim * lanes)
                    .map(|k| positions[place(k % lanes)][k / lanes])
                    .collect();
                let (mut values, mut gradient) = (vec![0.0; lanes], vec![0.0; dim * lanes]);
                worker.log_density_grad(&block, &mut values, &mut gradient);
                for lane in 0..lanes {
                    let wanted = &expected[place(lane)];
                    let found: Vec<f64> = (0..dim).map(|i| gradient[i * lanes + lane]).collect();
                    let what = format!("{set:?}, {lanes} lanes, lane {lane}");
                    let value = within(
                        &format!("{what}, log density"),
                        (values[lane] - wanted.log_density).abs(),
                        LANES_BOUND * wanted.log_density.abs().max(1.0),
                    )?;
                    let gradient = within(
                        &format!("{what}, gradient {found:?}, expected {:?}", wanted.gradient),
                        distance(&found, &wanted.gradient),
                        LANES_BOUND * norm(&wanted.gradient).max(1.0),
                    )?;
                    worst = worst.max(value).max(gradient);
                }
            }
        }
    }
    Ok(worst)
}

/// Compares named values and pointwise log likelihoods on the lanes with the reference.
fn check_outputs(program: &Program, plain: &Program, positions: &[Vec<f64>]) -> Result<(), String> {
    let text = |error: tadpool::Error| error.to_string();
    let code = SimdDensity::new(pass::output_program(program).map_err(text)?).map_err(text)?;
    let found = code.outputs(&positions.concat());
    for (k, position) in positions.iter().enumerate() {
        for (output, wanted) in reference::outputs(plain, position)
            .map_err(text)?
            .iter()
            .enumerate()
        {
            let len = wanted.len();
            for (x, y) in found[output][k * len..][..len].iter().zip(wanted) {
                within(
                    &format!("output {output}"),
                    (x - y).abs(),
                    LANES_BOUND * y.abs().max(1.0),
                )?;
            }
        }
    }
    Ok(())
}
