//! Opens devices, waits for them, and turns whatever goes wrong on them into errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Kind, Result};

use super::adapter::{Adapter, AdapterLimits, choose, is_software};
use super::signal::{Receiver, signal};

/// An open device with its queue; clones share it.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    adapter: Adapter,
    /// The first error that came outside an error scope, a lost device before all.
    fault: Fault,
}

type Fault = Arc<Mutex<Option<Error>>>;

/// Work that was handed to the device.
pub(super) struct Submission {
    index: wgpu::SubmissionIndex,
    done: Receiver<()>,
}

/// The graphics APIs of this machine, the same in debug and release builds: no validation layers.
fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(descriptor)
}

/// The adapter in plain data.
fn describe(adapter: &wgpu::Adapter) -> Adapter {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let driver = [info.driver.as_str(), info.driver_info.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let mut features: Vec<String> = adapter
        .features()
        .iter_names()
        .map(|(name, _)| name.to_string())
        .collect();
    features.sort();
    Adapter {
        is_software: is_software(info.device_type == wgpu::DeviceType::Cpu, &info.name, &driver),
        name: info.name,
        backend: info.backend.to_str().to_string(),
        device_type: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "cpu",
            wgpu::DeviceType::Other => "other",
        }
        .to_string(),
        driver,
        limits: AdapterLimits {
            max_buffer_bytes: limits.max_buffer_size,
            max_storage_binding_bytes: limits.max_storage_buffer_binding_size,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
            max_workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            max_workgroup_threads: limits.max_compute_invocations_per_workgroup,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        },
        features,
    }
}

/// All adapters of this machine, in the system's order.
pub(super) async fn adapters() -> Vec<Adapter> {
    let all = instance().enumerate_adapters(wgpu::Backends::all()).await;
    all.iter().map(describe).collect()
}

/// What to say of an error of wgpu that came up while doing `what`.
fn translate(error: &wgpu::Error, what: &str, adapter: &Adapter) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => {
            Error::environment(format!("{adapter} ran out of memory in {what}"))
                .with_help("use fewer chains or `--backend cpu`")
        }
        wgpu::Error::Validation { description, .. } => {
            Error::bug(format!("the GPU layer refused {what}: {}", description.trim()))
        }
        wgpu::Error::Internal { description, .. } => Error::environment(format!(
            "the driver of {adapter} failed in {what}: {}",
            description.trim()
        ))
        .with_help("update the GPU driver, or use `--backend cpu`"),
    }
}

fn lost(adapter: &Adapter, message: &str) -> Error {
    Error::environment(format!("the GPU device was lost: {adapter}: {}", message.trim())).with_help(
        "the driver reset it, or it was taken away; try again with fewer chains, or use `--backend cpu`",
    )
}

/// Keeps the first fault; a lost device replaces others, since it is their cause.
fn keep(fault: &Fault, error: Error, is_lost: bool) {
    let mut first = fault.lock().unwrap_or_else(PoisonError::into_inner);
    if is_lost || first.is_none() {
        *first = Some(error);
    }
}

impl Gpu {
    /// Opens the adapter that [`choose`] takes, with the adapter's own limits and, of the optional features, 64-bit
    /// integers where it has them.
    ///
    /// # Errors
    /// As [`choose`]; environment: the adapter refuses to open a device, or has fewer than the eight storage buffers
    /// that WebGPU promises.
    pub async fn open_async(name: Option<&str>) -> Result<Self> {
        let mut all = instance().enumerate_adapters(wgpu::Backends::all()).await;
        let infos: Vec<Adapter> = all.iter().map(describe).collect();
        let index = choose(&infos, name)?;
        let adapter = infos[index].clone();
        if adapter.limits.max_storage_buffers < 8 {
            return Err(Error::environment(format!(
                "{adapter} shows a shader {} storage buffers; 8 are needed",
                adapter.limits.max_storage_buffers
            ))
            .with_help("choose another adapter with `--adapter`, or use `--backend cpu`"));
        }
        let wanted = all.swap_remove(index);
        let features = wanted.features() & wgpu::Features::SHADER_INT64;
        let (device, queue) = wanted
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("tadpool"),
                required_limits: wanted.limits(),
                required_features: features,
                ..Default::default()
            })
            .await
            .map_err(|e| {
                Error::environment(format!("{adapter} does not open: {e}"))
                    .with_help("choose another adapter with `--adapter`, or use `--backend cpu`")
            })?;
        let fault = Fault::default();
        let (kept, owner) = (Arc::clone(&fault), adapter.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            keep(&kept, translate(&error, "a command", &owner), false);
        }));
        let (kept, owner) = (Arc::clone(&fault), adapter.clone());
        device.set_device_lost_callback(move |_reason, message| keep(&kept, lost(&owner, &message), true));
        Ok(Self {
            device,
            queue,
            adapter,
            fault,
        })
    }

    /// Whether shaders may compute with 64-bit integers.
    pub(super) fn has_wide_integers(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_INT64)
    }

    /// The adapter that the device belongs to.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Fails with the first error that came outside an error scope.
    pub(super) fn check(&self) -> Result<()> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone().map_or(Ok(()), Err)
    }

    /// Makes something of the device inside error scopes; `what` names it in the error.
    pub(super) async fn scoped<T>(&self, what: &str, make: impl FnOnce(&wgpu::Device) -> T) -> Result<T> {
        let scopes = [
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::OutOfMemory,
            wgpu::ErrorFilter::Validation,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let made = make(&self.device);
        let mut first = None;
        // Scopes are popped innermost first.
        for scope in scopes.into_iter().rev() {
            let error = scope.pop().await;
            first = first.or(error);
        }
        match first {
            Some(error) => Err(self
                .check()
                .err()
                .filter(|e| e.kind() == Kind::Environment)
                .unwrap_or_else(|| translate(&error, what, &self.adapter))),
            None => self.check().map(|()| made),
        }
    }

    /// Hands recorded commands to the device.
    pub(super) fn submit(&self, encoder: wgpu::CommandEncoder) -> Submission {
        let index = self.queue.submit([encoder.finish()]);
        let (sender, done) = signal();
        self.queue.on_submitted_work_done(move || sender.send(()));
        Submission { index, done }
    }

    /// Waits until `submission` has run.
    pub(super) async fn finished(&self, submission: Submission) -> Result<()> {
        self.drive(Some(submission.index))?;
        let done = submission.done.await;
        self.check()?;
        done.ok_or_else(|| lost(&self.adapter, "submitted work never ended"))
    }

    /// Lets wgpu run callbacks until `index`, or everything so far, is done. In a browser the event loop does that.
    fn drive(&self, index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let wait = wgpu::PollType::Wait {
            submission_index: index,
            timeout: None,
        };
        // wgpu panics inside poll when the device is lost meanwhile; that is the machine's fault and must stay an
        // error. The device's state is not used afterwards, only dropped.
        let message = match catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))) {
            Ok(Ok(_status)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_panic) => "it failed while being waited for".to_string(),
        };
        // Kept, so that whatever is tried next on this device fails as well.
        keep(&self.fault, lost(&self.adapter, &message), false);
        self.check()
    }

    /// What `decode` makes of the first `words` words of `staging`, which must be mappable and idle.
    pub(super) async fn read<T>(
        &self,
        staging: &wgpu::Buffer,
        words: usize,
        decode: impl FnOnce(&[u32]) -> T,
    ) -> Result<T> {
        let slice = staging.slice(..4 * words as u64);
        let (sender, mapped) = signal();
        slice.map_async(wgpu::MapMode::Read, move |result| sender.send(result));
        self.drive(None)?;
        let mapped = mapped.await;
        self.check()?;
        match mapped {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(lost(&self.adapter, &error.to_string())),
            None => return Err(lost(&self.adapter, "a read-back never ended")),
        }
        let view = slice
            .get_mapped_range()
            .map_err(|e| Error::bug(format!("a mapped buffer cannot be read: {e}")))?;
        // Mapped memory is aligned to eight bytes, so this borrows.
        let words: std::borrow::Cow<'_, [u32]> = match bytemuck::try_cast_slice(&view[..]) {
            Ok(words) => words.into(),
            Err(_) => bytemuck::pod_collect_to_vec(&view[..]).into(),
        };
        let decoded = decode(&words);
        drop(words);
        drop(view);
        staging.unmap();
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that goes away is an error of the machine, with a remedy, in whatever is done next.
    #[test]
    fn a_lost_device_is_an_environment_error() {
        let gpu = match Gpu::open(None) {
            Ok(gpu) => gpu,
            Err(error) if std::env::var("TADPOOL_REQUIRE_GPU").is_ok_and(|v| v == "1") => {
                panic!("TADPOOL_REQUIRE_GPU=1, but {error}")
            }
            Err(error) => return println!("no adapter, not run: {error}"),
        };
        println!("adapter: {}", gpu.adapter());
        let idle = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        assert!(pollster::block_on(gpu.finished(gpu.submit(idle))).is_ok());
        gpu.device.destroy();
        let lost = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let submitted = pollster::block_on(gpu.finished(gpu.submit(lost)));
        let made = pollster::block_on(gpu.scoped("a buffer", |device| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 16,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        }));
        for error in [submitted.err(), made.err()] {
            let error = error.expect("a destroyed device does no work");
            assert_eq!(error.kind(), Kind::Environment, "{error}");
            assert!(
                error.help().is_some_and(|help| help.contains("--backend cpu")),
                "{error}"
            );
        }
    }
}
