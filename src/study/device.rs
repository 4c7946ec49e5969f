//! Waves of replicates on a GPU: all of a wave side by side in one run, an ensemble or more each.
//!
//! Data sets are made, and draws are digested, on the CPU's threads. What has to be tried a second time is, on the CPU and
//! in f64: too few to fill a device. A replicate's numbers do not depend on the wave that it is in.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::{Done, Made, Prepared, Sampling, Study, digested, failed, joined, second_try, settings};
use super::record::{Part, Status};
use crate::back::evaluate::Density;
use crate::back::wgsl::{data_of, has_same_text};
use crate::error::{Error, Result};
use crate::fit::gpu_batch_driver;
use crate::gpu::{Adapter, BatchData, Driver, Gpu, Mapping};
use crate::model::Model;
use crate::sampler::{GpuEngine, Layout, Samples, State, Watch, run_on_engine, share_out};

/// What the draws of a wave may take, in f64.
const WAVE_BYTES: usize = 128 << 20;
/// Numbers kept of a draw besides its position: log density, energy, acceptance, step size, and two small ones.
const STATISTICS: usize = 5;
/// The most replicates of a wave, all of which a kill loses.
const MOST: usize = 4096;

/// A GPU with the pipelines of a study.
#[derive(Debug)]
pub struct Device {
    gpu: Gpu,
    mapping: Mapping,
    /// A replicate's model, whose program all have but for the numbers in it.
    example: Model,
    /// Of one replicate.
    layout: Layout,
    draws: usize,
    /// Made for the first wave.
    engine: Option<GpuEngine>,
    /// Replicates of a wave; a shorter one is filled up.
    size: usize,
}

/// A replicate that is ready to run.
struct Ready<T> {
    prepared: Prepared<T>,
    positions: Vec<f64>,
    columns: Vec<f32>,
    constant: f64,
}

/// What comes of making a replicate's data set.
enum Begun<T> {
    Ready(Box<Ready<T>>),
    /// It has no starting point where the first try looked.
    Unstarted(Box<Prepared<T>>, Made),
    Failed(Made),
}

impl Device {
    /// Opens `adapter` for the replicates of `study`, at most `replicates` at a time.
    ///
    /// # Errors
    ///
    /// Those of the device; a user error for a model that fits no GPU, or if no replicate can be made.
    pub fn new<S: Study>(
        adapter: &Adapter,
        study: &S,
        sampling: &Sampling,
        replicates: usize,
    ) -> Result<Self> {
        let example = study.example()?;
        let mapping = Mapping::choose(&example.kernel_size()?, adapter, Driver::Auto);
        let layout = Layout::of(sampling.chains);
        let each = sampling.chains * sampling.draws * (example.dim() + STATISTICS) * size_of::<f64>();
        Ok(Self {
            gpu: Gpu::open(Some(&adapter.name))?,
            mapping,
            size: replicates.min(WAVE_BYTES / each.max(1)).clamp(1, MOST),
            example,
            layout,
            draws: sampling.draws,
            engine: None,
        })
    }

    /// Replicates of a wave.
    pub fn wave(&self) -> u32 {
        self.size as u32
    }

    /// Fits the replicates of `range`, at most [`Device::wave`] of them; as [`super::batch::fit_wave`] otherwise.
    ///
    /// # Errors
    ///
    /// As there; those of the device.
    pub fn fit_wave<S: Study>(
        &mut self,
        study: &S,
        sampling: &Sampling,
        range: Range<u32>,
        done: &Done,
        stop: &AtomicBool,
    ) -> Result<Option<Part>> {
        let count = range.len();
        if count > self.size {
            return Err(Error::bug(format!(
                "{count} replicates in a wave of {}",
                self.size
            )));
        }
        let begun = self.begun(study, sampling, range.clone())?;
        let ready: Vec<(u32, &Ready<S::Known>)> = begun
            .iter()
            .zip(range.clone())
            .filter_map(|(begun, replicate)| match begun {
                Begun::Ready(ready) => Some((replicate, &**ready)),
                Begun::Unstarted(..) | Begun::Failed(_) => None,
            })
            .collect();
        let mut samples = Vec::new();
        if !ready.is_empty() {
            match self.run(&ready, sampling, stop)? {
                None => return Ok(None),
                Some(all) => samples = all,
            }
        }
        // By the place in the wave.
        let mut of_place: Vec<Mutex<Option<Samples>>> = (0..count).map(|_| Mutex::new(None)).collect();
        for ((replicate, _), samples) in ready.iter().zip(samples) {
            of_place[(replicate - range.start) as usize] = Mutex::new(Some(samples));
        }
        let mut made: Vec<Option<Made>> = (0..count).map(|_| None).collect();
        share_out(
            count,
            sampling.threads,
            &|place| {
                let replicate = range.start + place as u32;
                let made = match &begun[place] {
                    Begun::Failed((record, estimates)) => Some((record.clone(), estimates.clone())),
                    Begun::Unstarted(prepared, (record, estimates)) => {
                        let made = (record.clone(), estimates.clone());
                        second_try(study, sampling, (replicate, prepared), made, stop)?
                    }
                    Begun::Ready(ready) => {
                        let samples = of_place[place].lock().ok().and_then(|mut samples| samples.take());
                        let samples = samples.ok_or_else(|| Error::bug("a replicate was digested twice"))?;
                        let gradients = samples.gradient_evaluations;
                        let prepared = (replicate, &ready.prepared);
                        let made = digested(study, sampling, prepared, (samples, 1), gradients)?;
                        match made.0.status {
                            Status::Ok => Some(made),
                            _ if stop.load(Ordering::Relaxed) => None,
                            _ => second_try(study, sampling, prepared, made, stop)?,
                        }
                    }
                };
                done.count(made.as_ref());
                Ok(made)
            },
            &mut |place, one| made[place] = one,
        )?;
        Ok(joined(made))
    }

    /// The data sets of a wave, compiled.
    fn begun<S: Study>(
        &self,
        study: &S,
        sampling: &Sampling,
        range: Range<u32>,
    ) -> Result<Vec<Begun<S::Known>>> {
        let mut all: Vec<Option<Begun<S::Known>>> = (0..range.len()).map(|_| None).collect();
        share_out(
            range.len(),
            sampling.threads,
            &|place| {
                let replicate = range.start + place as u32;
                let prepared = match study.prepare(replicate) {
                    Ok(prepared) => prepared,
                    Err(error) => return Ok(Begun::Failed((failed(replicate, 0, &error)?, Vec::new()))),
                };
                let begun = || -> Result<_> {
                    let program = prepared.model.density_program();
                    if !has_same_text(self.example.density_program(), program) {
                        return Err(Error::bug(format!(
                            "the program of replicate {replicate} is not that of the others"
                        )));
                    }
                    let settings = settings(sampling, replicate, 1);
                    let positions = State::dispersed(&prepared.model, &settings)?.positions;
                    let (columns, constant) = data_of(program);
                    Ok((positions, columns, constant))
                };
                Ok(match begun() {
                    Ok((positions, columns, constant)) => Begun::Ready(Box::new(Ready {
                        prepared,
                        positions,
                        columns,
                        constant,
                    })),
                    Err(error) => {
                        let made = (failed(replicate, 0, &error)?, Vec::new());
                        Begun::Unstarted(Box::new(prepared), made)
                    }
                })
            },
            &mut |place, begun| all[place] = Some(begun),
        )?;
        Ok(all.into_iter().flatten().collect())
    }

    /// Draws of each replicate; none if it was stopped.
    fn run<T>(
        &mut self,
        ready: &[(u32, &Ready<T>)],
        sampling: &Sampling,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Samples>>> {
        let each = self.layout.ensembles;
        let mut batch = BatchData::default();
        let mut positions = Vec::new();
        let mut add = |replicate: u32, ready: &Ready<T>| {
            batch.push(replicate, each, &ready.columns, ready.constant);
            positions.extend_from_slice(&ready.positions);
        };
        ready.iter().for_each(|(replicate, ready)| add(*replicate, ready));
        // Pipelines are made for one number of ensembles: a shorter wave is filled up with copies, under numbers that no
        // replicate has, whose draws are thrown away.
        for place in ready.len()..self.size {
            add(u32::MAX - place as u32, ready[0].1);
        }
        let engine = match &mut self.engine {
            Some(engine) => {
                engine.set_batch(&batch)?;
                engine
            }
            none => {
                let size = self.layout.chains_per_ensemble;
                let driver = gpu_batch_driver(
                    &self.gpu,
                    &self.example,
                    Some(&self.mapping),
                    &batch,
                    size,
                    sampling.seed,
                )?;
                let layout = Layout {
                    ensembles: each * self.size,
                    chains_per_ensemble: size,
                };
                none.insert(GpuEngine::new(driver, self.example.dim(), layout))
            }
        };
        let mut settings = settings(sampling, 0, 1);
        settings.chains = self.size * sampling.chains;
        settings.draws = self.draws;
        settings.threads = sampling.threads;
        let state = State {
            positions,
            iteration: 0,
            tuning: None,
        };
        let observer = |_| {};
        let watch = Watch {
            observer: &observer,
            stop,
        };
        let samples = run_on_engine(engine, self.example.centring(), &settings, 0, &state, watch)?;
        if !samples.is_complete || stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut units = samples.into_units().into_iter();
        let mut all = Vec::with_capacity(ready.len());
        for _ in ready {
            let mut joined: Option<Samples> = None;
            for unit in units.by_ref().take(each) {
                match &mut joined {
                    Some(samples) => samples.append(unit),
                    None => joined = Some(unit),
                }
            }
            all.push(joined.ok_or_else(|| Error::bug("a replicate has no draws"))?);
        }
        Ok(Some(all))
    }
}
