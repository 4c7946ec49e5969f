//! What moves the chains: the list of drivers of this machine, and each of them at work.

use std::time::Instant;

use crate::back::evaluate::{Centring, Density, Evaluator};
use crate::back::simd::{InstructionSet, SimdDensity};
use crate::error::{Error, Result};
use crate::fit::gpu_driver;
use crate::gpu::{self, Adapter, Gpu, Mapping};
use crate::model::Model;
use crate::sampler::{self, Engine, GpuEngine, Layout, Samples, Settings, State, Watch, run_on_engine};

/// One way to run the same chains.
#[derive(Debug, Clone, PartialEq)]
pub enum Driver {
    /// The CPU, the density one number at a time: what a plain compiler makes of it.
    Scalar,
    /// The CPU's vector lanes.
    Simd,
    /// A GPU, a dispatch for each leapfrog step.
    Stepped(Adapter),
    /// A GPU, whole iterations in one dispatch.
    Fused(Adapter),
}

/// The drivers of this machine: the CPU's, then those of every adapter, or of the one adapter given.
pub fn drivers(adapters: &[Adapter]) -> Vec<Driver> {
    let on_gpu = adapters
        .iter()
        .flat_map(|adapter| [Driver::Stepped(adapter.clone()), Driver::Fused(adapter.clone())]);
    let on_cpu = [Driver::Scalar, Driver::Simd];
    on_cpu
        .into_iter()
        .filter(|driver| *driver != Driver::Scalar || InstructionSet::Scalar.is_available())
        .chain(on_gpu)
        .collect()
}

impl Driver {
    /// `cpu` or `gpu`.
    pub fn backend(&self) -> &'static str {
        match self {
            Driver::Scalar | Driver::Simd => "cpu",
            Driver::Stepped(_) | Driver::Fused(_) => "gpu",
        }
    }

    /// `scalar`, `simd`, `stepped`, `fused`.
    pub fn name(&self) -> &'static str {
        match self {
            Driver::Scalar => "scalar",
            Driver::Simd => "simd",
            Driver::Stepped(_) => "stepped",
            Driver::Fused(_) => "fused",
        }
    }

    /// The adapter, for the drivers of a GPU.
    pub fn adapter(&self) -> Option<&Adapter> {
        match self {
            Driver::Scalar | Driver::Simd => None,
            Driver::Stepped(adapter) | Driver::Fused(adapter) => Some(adapter),
        }
    }

    /// Whether the processor's time is what the gradients cost: on a GPU only if it is software.
    pub(super) fn runs_on_cores(&self) -> bool {
        self.adapter().is_none_or(|adapter| adapter.is_software)
    }
}

impl std::fmt::Display for Driver {
    /// `CPU simd`, `stepped on llvmpipe (software)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.adapter() {
            None => write!(f, "CPU {}", self.name()),
            Some(adapter) => {
                let software = if adapter.is_software { " (software)" } else { "" };
                write!(f, "{} on {}{software}", self.name(), adapter.name)
            }
        }
    }
}

/// A driver that holds the chains of a run, ready to move them.
pub(super) enum Bench<'m> {
    /// Ensembles spread over threads, the density on the widest lanes.
    Lanes(&'m Model),
    /// The same, one number at a time.
    OneLane(Box<OneLane<'m>>),
    /// All ensembles on one device, and the model, whose centring is learned.
    Gpu(&'m Model, Box<dyn Engine>),
}

impl<'m> Bench<'m> {
    /// Makes the driver for the chains of `settings`, on the device `gpu` where it needs one; the seconds that took come
    /// with it.
    ///
    /// # Errors
    ///
    /// Those of the device: it did not open, too many chains for it, no memory.
    pub(super) fn new(
        driver: &Driver,
        gpu: &Option<Result<Gpu>>,
        model: &'m Model,
        settings: &Settings,
    ) -> Result<(Self, f64)> {
        let start = Instant::now();
        let bench = match driver {
            Driver::Scalar => Bench::OneLane(Box::new(OneLane {
                model,
                density: model
                    .density()
                    .clone()
                    .with_instruction_set(InstructionSet::Scalar)?,
            })),
            Driver::Simd => Bench::Lanes(model),
            Driver::Stepped(adapter) => Bench::on_gpu(gpu, adapter, model, settings, gpu::Driver::Stepped)?,
            Driver::Fused(adapter) => Bench::on_gpu(gpu, adapter, model, settings, gpu::Driver::Fused)?,
        };
        Ok((bench, start.elapsed().as_secs_f64()))
    }

    fn on_gpu(
        gpu: &Option<Result<Gpu>>,
        adapter: &Adapter,
        model: &'m Model,
        settings: &Settings,
        driver: gpu::Driver,
    ) -> Result<Self> {
        let gpu = match gpu {
            Some(opened) => opened.clone()?,
            None => return Err(Error::bug(format!("no device was opened for {}", adapter.name))),
        };
        let mapping = Mapping::choose(&model.kernel_size()?, adapter, driver);
        let chains = gpu_driver(&gpu, model, Some(&mapping), settings)?;
        let engine = GpuEngine::new(chains, model.dim(), Layout::of(settings.chains));
        Ok(Bench::Gpu(model, Box::new(engine)))
    }

    /// Runs warm-up and draws from `state`.
    ///
    /// # Errors
    ///
    /// Those of the samplers and of the device.
    pub(super) fn run(&mut self, settings: &Settings, state: &State, watch: Watch<'_>) -> Result<Samples> {
        match self {
            Bench::Lanes(model) => sampler::run(*model, settings, state, watch),
            Bench::OneLane(density) => sampler::run(density.as_ref(), settings, state, watch),
            Bench::Gpu(model, engine) => {
                run_on_engine(engine.as_mut(), model.centring(), settings, 0, state, watch)
            }
        }
    }
}

/// A density whose blocks of lanes are evaluated one lane after another.
pub(super) struct OneLane<'m> {
    model: &'m Model,
    density: SimdDensity,
}

impl Density for OneLane<'_> {
    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        Box::new(LaneByLane {
            worker: self.density.evaluator(1),
            lanes,
            position: vec![0.0; self.density.dim()],
            gradient: vec![0.0; self.density.dim()],
        })
    }

    fn work(&self) -> f64 {
        self.density.work()
    }

    fn centring(&self) -> Option<&dyn Centring> {
        self.model.centring()
    }
}

/// The worker of [`OneLane`].
struct LaneByLane<'d> {
    worker: Box<dyn Evaluator + 'd>,
    lanes: usize,
    position: Vec<f64>,
    gradient: Vec<f64>,
}

impl Evaluator for LaneByLane<'_> {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        for lane in 0..self.lanes {
            for (one, of_lanes) in self.position.iter_mut().zip(position.chunks_exact(self.lanes)) {
                *one = of_lanes[lane];
            }
            let value = std::slice::from_mut(&mut log_density[lane]);
            self.worker
                .log_density_grad(&self.position, value, &mut self.gradient);
            for (one, of_lanes) in self.gradient.iter().zip(gradient.chunks_exact_mut(self.lanes)) {
                of_lanes[lane] = *one;
            }
        }
    }

    fn set_centring(&mut self, codes: &[u32]) {
        self.worker.set_centring(codes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subject;
    use super::*;
    use crate::back::simd::LANES;

    #[test]
    fn lane_by_lane_is_the_density() {
        let subjects = Subject::built_in().unwrap();
        let model = &subjects[2].model;
        let dim = model.dim();
        let scalar = OneLane {
            model,
            density: model.density().clone(),
        };
        let position: Vec<f64> = (0..dim * LANES).map(|i| (i as f64 * 0.37).sin()).collect();
        let evaluate = |density: &dyn Density| {
            let (mut value, mut gradient) = (vec![0.0; LANES], vec![0.0; dim * LANES]);
            density
                .evaluator(LANES)
                .log_density_grad(&position, &mut value, &mut gradient);
            (value, gradient)
        };
        let (values, gradients) = evaluate(&scalar);
        let (lanes, of_lanes) = evaluate(model.density());
        // A few hundred operations whose intermediate values are below 100.
        for (a, b) in values.iter().zip(&lanes).chain(gradients.iter().zip(&of_lanes)) {
            assert!((a - b).abs() < 1e-11, "{a} {b}");
        }
    }
}
