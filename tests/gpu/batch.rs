//! Replicates side by side: draws that do not depend on the company, and batches that follow one another in a driver.

use tadpool::back::kernel::{Form, FusedKernel, Memory};
use tadpool::back::wgsl::data_of;
use tadpool::error::{Kind, Result};
use tadpool::gpu::{BatchData, FusedHmc, Gpu, IterationResult, Plan, RowsHmc, SteppedHmc};
use tadpool::model::Model;
use tadpool::sampler::{GpuEngine, Layout};

use crate::fused::{differing, tadpoles};
use crate::{SEED, go_on, gpu, plan};

/// Chains of an ensemble, and leapfrog steps that differ by iteration.
const SIZE: usize = 16;
const ITERATIONS: u32 = 12;

/// Ensembles of some replicates, each with its number of ensembles. Replicate 0 has the model's own data; others have as
/// many numbers that depend on the replicate alone.
fn batch(model: &Model, replicates: &[(u32, usize)]) -> BatchData {
    let (own, constant) = data_of(model.density_program());
    let mut batch = BatchData::default();
    for &(replicate, ensembles) in replicates {
        let factor = 1.0 - 0.04 * replicate as f32;
        let columns: Vec<f32> = own.iter().map(|x| factor * x).collect();
        batch.push(replicate, ensembles, &columns, constant - f64::from(replicate));
    }
    batch
}

/// Either driver.
enum Hmc {
    Stepped(SteppedHmc),
    Fused(FusedHmc),
}

impl Hmc {
    fn new(gpu: &Gpu, model: &Model, fused: Option<&FusedKernel>, batch: &BatchData) -> Result<Self> {
        Ok(match fused {
            None => Self::Stepped(SteppedHmc::with_batch(
                gpu,
                &model.batch_kernel()?,
                batch,
                SIZE,
                SEED,
            )?),
            Some(kernel) => Self::Fused(FusedHmc::with_batch(gpu, kernel, batch, SIZE, SEED)?),
        })
    }

    fn set_batch(&mut self, batch: &BatchData) -> Result<()> {
        match self {
            Self::Stepped(hmc) => hmc.set_batch(batch),
            Self::Fused(hmc) => hmc.set_batch(batch),
        }
    }

    fn set(&mut self, positions: &[f64], inv_mass: &[f64], codes: &[u32]) -> Result<()> {
        match self {
            Self::Stepped(hmc) => {
                hmc.set_positions(positions)?;
                hmc.set_inv_mass(inv_mass)?;
                hmc.set_centring(codes)
            }
            Self::Fused(hmc) => {
                hmc.set_positions(positions)?;
                hmc.set_inv_mass(inv_mass)?;
                hmc.set_centring(codes)
            }
        }
    }

    fn run(&mut self, plans: &[Vec<Plan>]) -> Result<Vec<IterationResult>> {
        match self {
            Self::Stepped(hmc) => hmc.run(3, plans, &mut go_on),
            Self::Fused(hmc) => hmc.run(3, plans, &mut go_on),
        }
    }
}

/// Starting points, metric, weights and plans that depend on the replicate alone, and the draws from there.
fn draws(hmc: &mut Hmc, model: &Model, replicates: &[(u32, usize)]) -> Result<Vec<IterationResult>> {
    let dim = model.dim();
    let wave = |i: usize, replicate: u32| (i as f64 * 0.37 + f64::from(replicate)).sin();
    let (mut positions, mut inv_mass, mut codes, mut of_iteration) = (vec![], vec![], vec![], vec![]);
    for &(replicate, ensembles) in replicates {
        positions.extend((0..ensembles * SIZE * dim).map(|i| 0.7 * wave(i, replicate)));
        inv_mass.extend((0..ensembles * dim).map(|i| 0.5 + 0.2 * wave(i, replicate)));
        codes.extend((0..ensembles * 48).map(|i| (i as u32 + replicate) % 11));
        of_iteration.extend((0..ensembles).map(|_| plan(0.06, 3 + replicate % 4)));
    }
    hmc.set(&positions, &inv_mass, &codes)?;
    hmc.run(&vec![of_iteration; ITERATIONS as usize])
}

/// The results of the chains from `first` on.
fn of_chains(results: &[IterationResult], first: usize, chains: usize, dim: usize) -> Vec<[Vec<f64>; 5]> {
    let part = |values: &[f64]| values[first..first + chains].to_vec();
    results
        .iter()
        .map(|result| {
            [
                result.positions[first * dim..(first + chains) * dim].to_vec(),
                part(&result.log_density),
                part(&result.energy),
                part(&result.accept_prob),
                part(&result.energy_error),
            ]
        })
        .collect()
}

/// The stepped driver, and the fused one in a form that holds data and in one that reads it.
fn kernels(model: &Model) -> Result<Vec<Option<FusedKernel>>> {
    Ok(vec![
        None,
        Some(model.batch_fused_kernel(Form::Arrays, Memory::Buffers)?),
        Some(model.batch_fused_kernel(Form::Unrolled, Memory::Held)?),
    ])
}

#[test]
fn draws_of_a_replicate_do_not_depend_on_its_company() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let dim = model.dim();
    for kernel in kernels(&model)? {
        let form = kernel.as_ref().map(|kernel| (kernel.form, kernel.memory));
        // Replicate 7 has two ensembles. Alone, first, and among others of other lengths of trajectories.
        let mut found = Vec::new();
        for replicates in [
            &[(7, 2)][..],
            &[(7, 2), (1, 1), (2, 3), (9, 1)],
            &[(4, 1), (9, 3), (7, 2), (0, 1)],
        ] {
            let mut hmc = Hmc::new(&gpu, &model, kernel.as_ref(), &batch(&model, replicates))?;
            let results = draws(&mut hmc, &model, replicates)?;
            let before = replicates.iter().take_while(|(replicate, _)| *replicate != 7);
            let first = SIZE * before.map(|(_, ensembles)| ensembles).sum::<usize>();
            found.push(of_chains(&results, first, 2 * SIZE, dim));
        }
        assert_eq!(found[0], found[1], "{form:?}: first");
        assert_eq!(found[0], found[2], "{form:?}: among others");
        let [first, .., last] = &found[0][..] else {
            continue;
        };
        let moved = first[0].iter().zip(&last[0]).filter(|(a, b)| a != b).count();
        assert!(moved > first[0].len() / 2, "{form:?}: {moved} coordinates moved");
        // The ensembles of the replicate have streams of their own.
        assert_ne!(last[3][..SIZE], last[3][SIZE..]);
    }
    Ok(())
}

/// A replicate's chains are those of a fit of it alone, but for the rounding of another text.
#[test]
fn draws_are_those_of_a_driver_without_a_batch() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let dim = model.dim();
    let kernel = model.batch_fused_kernel(Form::Unrolled, Memory::Held)?;
    // Data of replicate 0, twice: with the streams of replicate 0 and with those of replicate 5.
    let mut batch = batch(&model, &[(3, 1), (0, 2)]);
    let (own, constant) = data_of(model.density_program());
    batch.push(5, 1, &own, constant);
    let plans = vec![vec![plan(0.05, 4); 4]; 3];
    let mut side_by_side = FusedHmc::with_batch(&gpu, &kernel, &batch, SIZE, SEED)?;
    let results = side_by_side.run(0, &plans, &mut go_on)?;
    for (replicate, first, chains) in [(0, SIZE, 2 * SIZE), (5, 3 * SIZE, SIZE)] {
        let shared = model.fused_kernel(Form::Unrolled, Memory::Held)?;
        let mut alone = FusedHmc::new(&gpu, &shared, chains, SIZE, SEED, replicate)?;
        let plans = vec![vec![plan(0.05, 4); chains / SIZE]; 3];
        for (wanted, found) in alone.run(0, &plans, &mut go_on)?.iter().zip(&results) {
            let part = IterationResult {
                positions: found.positions[first * dim..(first + chains) * dim].to_vec(),
                ..IterationResult::zeros(chains, dim)
            };
            // A uniform within rounding of the acceptance decides otherwise: about one in 1e4.
            assert!(differing(&part, wanted, dim) <= 1, "replicate {replicate}");
            assert!(wanted.positions.iter().any(|x| x.abs() > 0.1));
            for (chain, wanted) in wanted.log_density.iter().enumerate() {
                let found = found.log_density[first + chain];
                assert!((wanted - found).abs() < 2e-3, "{wanted} {found}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_next_batch_runs_as_in_a_new_driver() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let (before, after) = ([(1, 1), (2, 2), (8, 1)], [(3, 2), (6, 1), (2, 1)]);
    for kernel in kernels(&model)? {
        let mut new = Hmc::new(&gpu, &model, kernel.as_ref(), &batch(&model, &after))?;
        // What the driver is put back to, then a run from given places.
        let plans = vec![vec![plan(0.1, 3); 4]; 5];
        let expected = (new.run(&plans)?, draws(&mut new, &model, &after)?);
        let mut used = Hmc::new(&gpu, &model, kernel.as_ref(), &batch(&model, &before))?;
        if let Hmc::Fused(hmc) = &mut used {
            // Two iterations into a group of three.
            hmc.set_thin(3);
        }
        let others = used.run(&plans)?;
        used.set_batch(&batch(&model, &after))?;
        let found = (used.run(&plans)?, draws(&mut used, &model, &after)?);
        assert!(
            found == expected,
            "{:?}",
            kernel.as_ref().map(|kernel| kernel.form)
        );
        assert_ne!(
            others.last().map(|x| &x.positions),
            expected.0.last().map(|x| &x.positions)
        );
    }
    Ok(())
}

#[test]
fn what_does_not_belong_together_is_refused() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let (own, shared) = (model.batch_kernel()?, model.kernel()?);
    let good = batch(&model, &[(1, 2), (2, 1)]);
    assert!(SteppedHmc::new(&gpu, &own, 48, SIZE, SEED, 0).is_err());
    assert!(SteppedHmc::with_batch(&gpu, &shared, &good, SIZE, SEED).is_err());
    let mut short = good.clone();
    short.columns.pop();
    assert!(SteppedHmc::with_batch(&gpu, &own, &short, SIZE, SEED).is_err());
    let error = SteppedHmc::with_batch(&gpu, &own, &batch(&model, &[(1, 1), (2, 1), (1, 1)]), SIZE, SEED);
    assert!(error.unwrap_err().message().contains("replicate 1"));
    let mut hmc = SteppedHmc::with_batch(&gpu, &own, &good, SIZE, SEED)?;
    assert!(hmc.set_batch(&batch(&model, &[(1, 2)])).is_err());
    assert!(hmc.set_batch(&batch(&model, &[(3, 1), (4, 2)])).is_ok());
    assert!(
        SteppedHmc::new(&gpu, &shared, 48, SIZE, SEED, 0)?
            .set_batch(&good)
            .is_err()
    );
    let most = SteppedHmc::most_ensembles(&gpu, &own, SIZE, 1 << 30);
    assert!(most > 1000, "{most}");
    Ok(())
}

#[test]
fn the_driver_that_splits_rows_takes_no_batch() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let rows = RowsHmc::new(&gpu, &model.rows_kernel()?, SIZE, SIZE, SEED, 0)?;
    let layout = Layout {
        ensembles: 1,
        chains_per_ensemble: SIZE,
    };
    let mut engine = GpuEngine::new(rows, model.dim(), layout);
    let error = engine.set_batch(&batch(&model, &[(0, 1)])).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("no batch of replicates"), "{error}");
    Ok(())
}
