//! What is kept of a run: every draw; or streams of moments over all draws, and every 2ᵏth draw.
//!
//! A round of draws is taken in group by group (a group is a chain of NUTS or an ensemble): any thread digests its
//! share into the group's place, one thread counts the parts, and the streams move on once all groups are there. So a round
//! that is cut short leaves the streams as they were.

use std::sync::Mutex;

use super::digest::{Digester, Placer, Streams};
use super::footprint::{FEWEST_DRAWS, subset_draws};
use super::layout::{SampleStats, Streamed};
use super::options::{Keep, LOG_LIK_BYTES, LogLik, Options, Plan};
use super::tables::{GroupTables, Tables};
use crate::diag::{Accumulator, Chains, EnergyStream, Pilot, Status, combine};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::sampler::{most_draws, share_out};

/// Draws, all chains together, that fix the functions which a summary follows.
const PILOT_DRAWS: usize = 4096;
/// Keeps the draws of a run, or their summary.
pub(super) struct Keeper<'m> {
    digester: Digester<'m>,
    keep: Keep,
    log_lik: LogLik,
    /// Whether the streams are needed: for a summary, or for a precision to stop by.
    streaming: bool,
    chains: usize,
    /// Chains of a group.
    size: usize,
    tables: Tables,
    /// The most draws of a chain that the tables of a summary hold.
    most: usize,
    /// Draws of each group's chains, `[group]`.
    draws: Vec<usize>,
    /// `[group]`, of the round that goes on.
    next: Vec<Option<Streams>>,
}

impl<'m> Keeper<'m> {
    /// A keeper of the draws of `groups` groups of chains.
    pub(super) fn new(model: &'m Model, options: &Options, plan: &Plan, groups: usize) -> Self {
        let lowered = model.lowered();
        let widths: Vec<usize> = lowered
            .quantities
            .iter()
            .map(|quantity| quantity.dims.iter().map(|dim| dim.labels.len()).product())
            .collect();
        let named = widths.iter().sum();
        let log_lik = match options.keep {
            Keep::All => options.log_lik,
            Keep::Summary => LogLik::None,
        };
        let pointwise = match log_lik {
            LogLik::Auto | LogLik::All => model.pointwise_lens(),
            LogLik::None => Vec::new(),
        };
        Self {
            digester: Digester {
                model,
                named: widths.iter().sum(),
                pointwise: pointwise.clone(),
                stride: 1,
                done: 0,
                pilot: None,
                streams: Vec::new(),
                widths: widths.clone(),
            },
            keep: options.keep,
            log_lik,
            streaming: options.keep == Keep::Summary || options.mcse.is_some(),
            chains: plan.chains,
            size: plan.chains / groups,
            tables: Tables::new(plan.chains, &widths, &pointwise),
            most: subset_draws(plan.chains, named),
            draws: vec![0; groups],
            next: vec![None; groups],
        }
    }

    /// Draws of every chain in whole rounds.
    pub(super) fn done(&self) -> usize {
        self.digester.done
    }

    /// The most draws that the first round of a summary may have; more are possible for others.
    pub(super) fn first_round(&self) -> usize {
        match self.keep {
            Keep::All => usize::MAX,
            Keep::Summary => (PILOT_DRAWS / self.chains).clamp(FEWEST_DRAWS, self.most),
        }
    }

    /// Makes room for a round of `draws` draws.
    pub(super) fn begin_round(&mut self, draws: usize) {
        let end = self.digester.done + draws;
        match self.keep {
            Keep::All => {
                let width: usize = self.tables.pointwise.iter().map(|table| table.width).sum();
                let bytes = width * self.chains * end * size_of::<f64>();
                if self.log_lik == LogLik::Auto && bytes > LOG_LIK_BYTES {
                    self.tables.pointwise = Vec::new();
                    self.digester.pointwise = Vec::new();
                }
                self.tables.grow(end);
            }
            Keep::Summary => {
                let kept = self.digester.done / self.digester.stride;
                let mut every = 1;
                while end / (self.digester.stride * every) > self.most {
                    every *= 2;
                }
                if every > 1 {
                    self.tables.thin(kept, every);
                    self.digester.stride *= every;
                }
                self.tables.grow(end / self.digester.stride);
            }
        }
    }

    /// The sides of a round: one digests, on any thread, each group into its own tables; the other counts.
    pub(super) fn sides(&mut self) -> (&Digester<'m>, Vec<Mutex<GroupTables<'_>>>, Placer<'_>) {
        let groups = self.tables.groups(self.size).into_iter().map(Mutex::new);
        let placer = Placer {
            draws: &mut self.draws,
            next: &mut self.next,
            done: self.digester.done,
        };
        (&self.digester, groups.collect(), placer)
    }

    /// Ends a round of `draws` draws: true if all groups have all of them.
    ///
    /// # Errors
    ///
    /// Only faults of tadpool.
    pub(super) fn end_round(&mut self, draws: usize, threads: usize) -> Result<bool> {
        let is_first = self.digester.done == 0;
        let is_whole = self.draws.iter().all(|&own| own == self.digester.done + draws);
        if is_whole {
            self.digester.done += draws;
            if self.next.iter().all(Option::is_some) {
                self.digester.streams = self.next.iter_mut().filter_map(Option::take).collect();
            }
        }
        self.next.fill(None);
        if is_whole && is_first && self.streaming {
            self.start_streams(threads)?;
        }
        Ok(is_whole)
    }

    /// Fixes the pilot by the draws kept so far, which are all, and streams them.
    fn start_streams(&mut self, threads: usize) -> Result<()> {
        if self.keep == Keep::Summary {
            let places: Vec<(usize, usize)> = self.elements().collect();
            let tables = &self.tables;
            self.digester.pilot = Some(Pilot::new(self.digester.named, |element| {
                let (quantity, element) = places[element];
                let mut draws = tables.column(quantity, element, self.digester.done);
                // A few thousand tell the quantiles well enough.
                let every = draws.len().div_ceil(4 * PILOT_DRAWS);
                if every > 1 {
                    draws = draws.into_iter().step_by(every).collect();
                }
                draws
            }));
        }
        let groups = self.draws.len();
        let mut streams: Vec<Option<Streams>> = vec![None; groups];
        let (tables, pilot) = (&self.tables, self.digester.pilot.as_ref());
        let (size, chains, named, done) = (self.size, self.chains, self.digester.named, self.digester.done);
        let start = |group: usize| -> Result<Streams> {
            let mut draws = Accumulator::new(size, chains, named, pilot);
            draws.add(&tables.rows(group * size, size, done), pilot);
            let mut energies = EnergyStream::default();
            energies.add(Chains::new(&tables.energies(group * size, size, done), size)?);
            let diverging = &tables.diverging.values;
            let divergences = (group * size..(group + 1) * size)
                .flat_map(|chain| &diverging[chain * tables.room()..chain * tables.room() + done])
                .filter(|d| **d)
                .count() as u64;
            Ok(Streams {
                draws,
                energies,
                divergences,
            })
        };
        share_out(groups, threads, &start, &mut |group, stream| {
            streams[group] = Some(stream)
        })?;
        self.digester.streams = streams.into_iter().flatten().collect();
        Ok(())
    }

    /// Every named number as its quantity and its place there.
    fn elements(&self) -> impl Iterator<Item = (usize, usize)> {
        let widths = self.tables.named.iter().map(|table| table.width).enumerate();
        widths.flat_map(|(quantity, width)| (0..width).map(move |element| (quantity, element)))
    }

    /// What the streams say about the `element`th named number.
    pub(super) fn streamed(&self, element: usize) -> crate::diag::Streamed {
        let streams: Vec<&Accumulator> = self
            .digester
            .streams
            .iter()
            .map(|streams| &streams.draws)
            .collect();
        combine(&streams, element)
    }

    /// The kept draws of the `element`th named number, `[chain][draw]`, all of them in whole rounds.
    pub(super) fn column(&self, element: usize) -> Vec<f64> {
        match self.elements().nth(element) {
            Some((quantity, element)) => {
                self.tables
                    .column(quantity, element, self.digester.done / self.digester.stride)
            }
            None => Vec::new(),
        }
    }

    /// Ends the run: chooses the groups that stay, and lets go of the room that was not used.
    ///
    /// # Errors
    ///
    /// An environment error if there is no draw; faults of tadpool.
    pub(super) fn finish(mut self, threads: usize) -> Result<Kept> {
        let draws = match self.keep {
            Keep::All => most_draws(&self.draws),
            // Streams go by whole rounds; the first one may be cut.
            Keep::Summary if self.digester.done > 0 => self.digester.done,
            Keep::Summary => most_draws(&self.draws),
        };
        if draws == 0 {
            return Err(Error::environment("the run was stopped before its first draw")
                .with_help(
                    "nothing was saved; warm-up comes first: `--warmup` says how long it is, `--max-seconds` how long the \
                     whole run may take",
                ));
        }
        let stays: Vec<bool> = self.draws.iter().map(|&own| own >= draws).collect();
        let size = self.size;
        let keeps = |chain: usize| stays[chain / size];
        self.tables.shrink(draws / self.digester.stride, &keeps);
        let groups = stays.iter().filter(|stays| **stays).count();
        self.chains = groups * size;
        let streamed = match self.keep {
            Keep::All => None,
            Keep::Summary => {
                if self.digester.done == 0 {
                    self.digester.done = draws;
                    self.draws = vec![draws; groups];
                    self.start_streams(threads)?;
                }
                Some(self.summary(threads)?)
            }
        };
        Ok(Kept {
            chains: self.chains,
            draws: draws / self.digester.stride,
            stays,
            stats: self.tables.take_stats(),
            named: self.tables.named.into_iter().map(|table| table.values).collect(),
            pointwise: self
                .tables
                .pointwise
                .into_iter()
                .map(|table| table.values)
                .collect(),
            streamed,
        })
    }

    fn summary(&self, threads: usize) -> Result<Streamed> {
        let energies: Vec<&EnergyStream> = self
            .digester
            .streams
            .iter()
            .map(|streams| &streams.energies)
            .collect();
        let ebfmi = EnergyStream::ebfmi(&energies);
        let mut all: Vec<Option<crate::diag::Streamed>> = vec![None; self.digester.named];
        let one = |element: usize| Ok(self.streamed(element));
        share_out(self.digester.named, threads, &one, &mut |element, streamed| {
            all[element] = Some(streamed)
        })?;
        let all: Vec<crate::diag::Streamed> = all.into_iter().flatten().collect();
        let of = |field: fn(&crate::diag::Streamed) -> f64| all.iter().map(field).collect();
        Ok(Streamed {
            draws: self.digester.done,
            stride: self.digester.stride,
            divergences: self
                .digester
                .streams
                .iter()
                .map(|streams| streams.divergences)
                .sum::<u64>() as usize,
            ebfmi: ebfmi.per_chain,
            ebfmi_pooled: ebfmi.pooled,
            mean: of(|s| s.mean),
            sd: of(|s| s.sd),
            mcse_mean: of(|s| s.mcse_mean),
            mcse_sd: of(|s| s.mcse_sd),
            ess_bulk: of(|s| s.ess_bulk),
            ess_tail: of(|s| s.ess_tail),
            non_finite: all
                .iter()
                .map(|s| match s.status {
                    Status::NonFinite { count } => count as i64,
                    Status::Varying | Status::Constant => 0,
                })
                .collect(),
        })
    }
}

/// What is left of a run.
pub(super) struct Kept {
    pub(super) chains: usize,
    /// Draws of each chain in the tables.
    pub(super) draws: usize,
    /// Which groups of the run these chains are.
    pub(super) stays: Vec<bool>,
    /// One for each quantity, `[chain][draw][element]`.
    pub(super) named: Vec<Vec<f64>>,
    /// One for each outcome, `[chain][draw][row]`; empty if they were not kept.
    pub(super) pointwise: Vec<Vec<f64>>,
    pub(super) stats: SampleStats,
    /// Of a summary.
    pub(super) streamed: Option<Streamed>,
}
