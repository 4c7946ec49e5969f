//! Compiled entry points, and how their dispatches are recorded.

use super::schedule::Part;
use super::shader::constants;

/// One pipeline per entry point of `shaders/hmc_step.wgsl`.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub(super) poison: wgpu::ComputePipeline,
    pub(super) evaluate: wgpu::ComputePipeline,
    begin: wgpu::ComputePipeline,
    leapfrog: wgpu::ComputePipeline,
    finish: wgpu::ComputePipeline,
}

impl Pipelines {
    /// Compiles them for positions of `dim` coordinates and `lanes` threads a workgroup; errors go to the device's
    /// error scopes.
    pub(super) fn new(
        device: &wgpu::Device,
        layout: &wgpu::BindGroupLayout,
        module: &wgpu::ShaderModule,
        dim: usize,
        lanes: u32,
    ) -> Self {
        let entries = ["poison", "evaluate", "begin", "leapfrog", "finish"];
        let [poison, evaluate, begin, leapfrog, finish] =
            compile(device, layout, module, dim, lanes, entries);
        Self {
            poison,
            evaluate,
            begin,
            leapfrog,
            finish,
        }
    }

    /// The pipeline of a part of an iteration.
    pub(super) fn of(&self, part: Part) -> &wgpu::ComputePipeline {
        match part {
            Part::Begin => &self.begin,
            Part::Leapfrog => &self.leapfrog,
            Part::Finish => &self.finish,
        }
    }
}

/// Compiles some entry points of a module for positions of `dim` coordinates and `lanes` threads a workgroup; errors go
/// to the device's error scopes.
pub(super) fn compile<const N: usize>(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    module: &wgpu::ShaderModule,
    dim: usize,
    lanes: u32,
    entry_points: [&str; N],
) -> [wgpu::ComputePipeline; N] {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("hmc"),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    let constants = constants(dim, lanes);
    entry_points.map(|entry_point| {
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&layout),
            module,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    })
}

/// Records one dispatch of each of `pipelines`, in order, over `threads` threads in groups of `lanes`.
///
/// Beyond the adapter's `most` workgroups per dimension the grid becomes two-dimensional; the shader computes the
/// thread's number from both and drops those that are too many.
pub(super) fn record<'a>(
    encoder: &mut wgpu::CommandEncoder,
    bind_group: &wgpu::BindGroup,
    pipelines: impl IntoIterator<Item = &'a wgpu::ComputePipeline>,
    grid: (u32, u32),
) {
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_bind_group(0, bind_group, &[]);
    for pipeline in pipelines {
        pass.set_pipeline(pipeline);
        pass.dispatch_workgroups(grid.0, grid.1, 1);
    }
}

/// Workgroups in x and y for `threads` threads in groups of `lanes`, or none if two dimensions do not reach.
pub(super) fn grid(threads: usize, lanes: u32, most_per_dimension: u32) -> Option<(u32, u32)> {
    let groups = threads.div_ceil(lanes as usize);
    let x = groups.min(most_per_dimension as usize);
    let y = groups.div_ceil(x.max(1));
    (y <= most_per_dimension as usize).then_some((x as u32, y as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_all_threads() {
        assert_eq!(grid(1, 64, 65_535), Some((1, 1)));
        assert_eq!(grid(4096, 64, 65_535), Some((64, 1)));
        // 65,536 groups do not go into one dimension.
        let (x, y) = grid(64 * 65_536, 64, 65_535).unwrap_or_default();
        assert!(y == 2 && u64::from(x) * u64::from(y) >= 65_536);
        assert_eq!(grid(1000, 1, 10), None);
    }
}
