//! Running what was asked for: wave by wave into the folder, progress, what comes of it.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::super::Outcome;
use super::super::args::Common;
use super::super::batched::progress;
use super::super::interrupt::stop_saying;
use super::super::output::{Notes, counted};
use super::super::ticker::watched;
use super::written::{Timing, finish};
use crate::back::simd::InstructionSet;
use crate::data::Table;
use crate::error::Result;
use crate::fit::{Backend, available_threads, hardware};
use crate::gpu::{self, Adapter};
use crate::study::batch::{Done, Sampling, Study, fit_wave, least_ess};
use crate::study::{Aim, Device, Manifest, Store};

/// Replicates that are fitted and written together: a kill loses no more.
const WAVE: u32 = 64;

/// A study that is about to run.
pub(super) struct Asked<'a, S> {
    pub(super) aim: Aim,
    pub(super) common: &'a Common,
    pub(super) study: S,
    pub(super) replicates: u32,
    /// The table that the model was compiled over, with its name.
    pub(super) design: &'a Table,
    /// The text that is fitted.
    pub(super) text: String,
    /// The aim's own options.
    pub(super) options: Vec<(String, String)>,
    pub(super) sampling: Sampling,
    /// None: the CPU.
    pub(super) adapter: Option<Adapter>,
    pub(super) started: Instant,
}

/// How each replicate is sampled, with the aim's own defaults for chains and draws.
pub(super) fn sampling(common: &Common, (chains, draws): (usize, usize)) -> Sampling {
    let (chains, draws) = (common.chains.unwrap_or(chains), common.draws.unwrap_or(draws));
    Sampling {
        chains,
        warmup: common.warmup,
        draws,
        seed: common.seed,
        min_ess: least_ess(chains, draws),
        threads: common.threads.unwrap_or_else(available_threads),
    }
}

/// The adapter that the replicates run on; none: the CPU.
///
/// # Errors
///
/// A user error if a GPU is asked for by a name that none has; an environment error if there is none.
pub(super) fn adapter(common: &Common) -> Result<Option<Adapter>> {
    let mut adapters = match common.backend {
        Backend::Cpu => return Ok(None),
        Backend::Gpu => gpu::list_adapters()?,
        Backend::Auto => hardware(),
    };
    if common.backend == Backend::Auto && adapters.is_empty() && common.adapter.is_none() {
        return Ok(None);
    }
    let chosen = gpu::choose(&adapters, common.adapter.as_deref())?;
    Ok(Some(adapters.swap_remove(chosen)))
}

impl<S: Study> Asked<'_, S> {
    fn manifest(&self) -> Manifest {
        Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            aim: self.aim,
            model_name: self.common.model.name(),
            model_text: self.text.clone(),
            data_name: self.design.name().to_owned(),
            design: self.design.to_csv(),
            seed: self.sampling.seed,
            replicates: self.replicates,
            chains: self.sampling.chains as u32,
            warmup: self.sampling.warmup,
            draws: self.sampling.draws as u32,
            min_ess: self.sampling.min_ess,
            prob: self.common.printing.prob,
            interval: self.common.printing.interval,
            backend: if self.adapter.is_some() { "gpu" } else { "cpu" }.to_owned(),
            device: match &self.adapter {
                Some(adapter) => adapter.name.clone(),
                None => format!("{:?}", InstructionSet::detect()).to_lowercase(),
            },
            options: self.options.clone(),
        }
    }

    fn folder(&self) -> PathBuf {
        match &self.common.out {
            Some(folder) => folder.clone(),
            None => PathBuf::from(format!("{}-{}", self.common.model.name(), self.aim.word())),
        }
    }

    /// Fits what the folder lacks, and finishes the study once all of it is there.
    pub(super) fn run(self) -> Result<Outcome> {
        let common = self.common;
        let notes = Notes { quiet: common.quiet };
        let folder = self.folder();
        let store = Store::begin(&folder, self.manifest(), common.shard, common.resume)?;
        let range = common
            .shard
            .map_or(0..self.replicates, |shard| shard.range(self.replicates));
        let missing = store.missing(range.clone())?;
        let wanted: usize = missing.iter().map(ExactSizeIterator::len).sum();
        notes.say(&format!(
            "back end {}; {} of {}, each {} with {} of warm-up and {}; seed {}",
            match &self.adapter {
                Some(adapter) => format!("gpu: {}", adapter.name),
                None => "cpu".to_owned(),
            },
            counted(wanted, "replicate"),
            self.replicates,
            counted(self.sampling.chains, "chain"),
            counted(self.sampling.warmup as usize, "iteration"),
            counted(self.sampling.draws, "draw"),
            self.sampling.seed,
        ));
        let stop =
            stop_saying(|| "what is written stays; the wave under way is lost, and `--resume` goes on")?;
        let done = Done::default();
        let mut device = match &self.adapter {
            Some(adapter) if wanted > 0 => Some(Device::new(adapter, &self.study, &self.sampling, wanted)?),
            Some(_) | None => None,
        };
        let line = |elapsed: Duration| progress("replicate", &done, wanted, elapsed);
        let mut gradient_evaluations = 0;
        let outcome = watched(&line, common.quiet, || -> Result<bool> {
            for range in missing {
                let mut first = range.start;
                while first < range.end {
                    // Waves end at the same replicates whatever was done before.
                    let size = device.as_ref().map_or(WAVE, Device::wave);
                    let end = ((first / size + 1) * size).min(range.end);
                    let wave = first..end;
                    let made = match &mut device {
                        Some(device) => device.fit_wave(&self.study, &self.sampling, wave, &done, stop)?,
                        None => fit_wave(&self.study, &self.sampling, wave, &done, stop)?,
                    };
                    let Some(part) = made else {
                        return Ok(false);
                    };
                    gradient_evaluations += part
                        .records
                        .iter()
                        .map(|record| record.gradient_evaluations)
                        .sum::<u64>();
                    store.write(first..end, &part)?;
                    first = end;
                    if stop.load(Relaxed) && first < range.end {
                        return Ok(false);
                    }
                }
            }
            Ok(true)
        })?;
        if !outcome {
            notes.say(&format!(
                "stopped: the replicates that are done are in {}; the same command with `--resume` goes on",
                folder.display()
            ));
            return Ok(Outcome::Interrupted);
        }
        let timing = Timing {
            seconds: self.started.elapsed().as_secs_f64(),
            replicates: wanted,
            gradient_evaluations,
        };
        let left = store.missing(0..self.replicates)?;
        if common.shard.is_some() {
            let count: usize = left.iter().map(ExactSizeIterator::len).sum();
            notes.say(&format!(
                "{} in {:.1} s; {} left to other shards; `tadpool study merge {}` joins them",
                counted(wanted, "replicate"),
                timing.seconds,
                counted(count, "replicate"),
                folder.display()
            ));
            return Ok(Outcome::Done);
        }
        finish(
            &folder,
            store.manifest(),
            &store.load()?,
            Some(&timing),
            common.printing.format,
            notes,
        )
    }
}
