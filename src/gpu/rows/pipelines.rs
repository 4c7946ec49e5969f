//! The compiled entry points of the driver that splits rows, and the dispatches that make up each part of an iteration.

use crate::back::kernel::RowsKernel;

use super::super::schedule::Part;
use super::super::shader::LANES;
use super::buffers::Bound;
use super::shader::{Kinetic, all_constants, entry};

/// A pipeline with the number of items per chain that it runs over.
#[derive(Debug)]
struct Kernel {
    pipeline: wgpu::ComputePipeline,
    items: usize,
    /// Whether it belongs to the model's bind group.
    is_model: bool,
}

/// The kernels of each part of an iteration, in the order in which they are dispatched.
#[derive(Debug)]
pub(super) struct RowsPipelines {
    pub(super) poison: wgpu::ComputePipeline,
    begin: [Kernel; 2],
    /// The model's dispatches and the sum of their log densities.
    evaluate: Vec<Kernel>,
    kick: Kernel,
    kinetic_groups: Kernel,
    finish: [Kernel; 3],
}

impl RowsPipelines {
    /// Compiles them; errors go to the device's error scopes.
    pub(super) fn new(
        device: &wgpu::Device,
        module: &wgpu::ShaderModule,
        model: &Bound,
        hmc: &Bound,
        kernel: &RowsKernel,
    ) -> Self {
        let layout = |bound: &Bound| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("rows"),
                bind_group_layouts: &[Some(&bound.layout)],
                immediate_size: 0,
            })
        };
        let (of_model, of_hmc) = (layout(model), layout(hmc));
        let dim = kernel.density.dim;
        let constants = all_constants(dim, LANES);
        let compile = |layout: &wgpu::PipelineLayout, name: &str| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(layout),
                module,
                entry_point: Some(name),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        };
        let of_hmc = |name: &str, items: usize| Kernel {
            pipeline: compile(&of_hmc, name),
            items,
            is_model: false,
        };
        let of_model = |name: &str, items: usize| Kernel {
            pipeline: compile(&of_model, name),
            items,
            is_model: true,
        };
        let kinetic = Kinetic::of(dim);
        let mut evaluate: Vec<Kernel> = kernel
            .dispatches
            .iter()
            .enumerate()
            .map(|(number, dispatch)| of_model(&entry(number), dispatch.items))
            .collect();
        evaluate.push(of_model("total", 1));
        Self {
            poison: of_hmc("poison", 1).pipeline,
            begin: [of_hmc("begin", kinetic.blocks), of_hmc("start", 1)],
            evaluate,
            kick: of_hmc("kick", dim),
            kinetic_groups: of_hmc("kinetic_groups", kinetic.groups),
            finish: [
                of_hmc("end", kinetic.blocks),
                of_hmc("decide", 1),
                of_hmc("keep", dim),
            ],
        }
    }

    /// The kernels of an evaluation of log density and gradient.
    pub(super) fn evaluation(&self) -> impl Iterator<Item = Step<'_>> {
        self.evaluate.iter().map(Kernel::step)
    }

    /// The kernels of a part of an iteration.
    pub(super) fn of(&self, part: Part) -> Vec<Step<'_>> {
        let kernels: Vec<&Kernel> = match part {
            Part::Begin => vec![&self.begin[0], &self.kinetic_groups, &self.begin[1]],
            Part::Leapfrog => self.evaluate.iter().chain([&self.kick]).collect(),
            Part::Finish => {
                let [end, decide, keep] = &self.finish;
                vec![end, &self.kinetic_groups, decide, keep]
            }
        };
        kernels.into_iter().map(Kernel::step).collect()
    }

    /// The most items per chain of any kernel.
    pub(super) fn most_items(&self) -> usize {
        let all = self.begin.iter().chain(&self.evaluate).chain(&self.finish);
        let all = all.chain([&self.kick, &self.kinetic_groups]);
        all.map(|kernel| kernel.items).max().unwrap_or(1)
    }
}

/// One dispatch.
pub(super) struct Step<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) items: usize,
    pub(super) is_model: bool,
}

impl Kernel {
    fn step(&self) -> Step<'_> {
        Step {
            pipeline: &self.pipeline,
            items: self.items,
            is_model: self.is_model,
        }
    }
}
