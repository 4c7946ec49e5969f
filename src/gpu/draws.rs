//! From the words that a device wrote to f64 results, after checking that the device wrote all of them.

use crate::error::{Error, Result};
use crate::num::parallel::in_parallel;

use super::adapter::Adapter;
use super::plan::IterationResult;
use super::shader::{DIVERGENCES_SHIFT, DIVERGENT_BIT, DrawRow, POISON, draw_rows};

/// A word that holds the bits of an f32.
fn real(word: u32) -> f64 {
    f64::from(f32::from_bits(word))
}

/// Chains that are transposed together: a row's stretch of them fills a few cache lines.
const TILE: usize = 64;

/// `[row][chain]` on the device to `[chain][row]` on the host.
pub(super) fn by_chain(words: &[u32], rows: usize, chains: usize) -> Vec<f64> {
    let mut values = vec![0.0; rows * chains];
    for first in (0..chains).step_by(TILE) {
        for row in 0..rows {
            for chain in first..chains.min(first + TILE) {
                values[chain * rows + row] = real(words[row * chains + chain]);
            }
        }
    }
    values
}

/// Chains whose results one thread decodes at a time.
const PART: usize = 4096;
/// Words from which more than one thread decodes.
const MANY_WORDS: usize = 1 << 18;

/// The chains from `first` on of one draw, and where their results go.
struct Part<'a> {
    /// `[row][chain]`, of all chains.
    draw: &'a [u32],
    /// Number of the draw in its block, from 1.
    count: u32,
    first: usize,
    positions: &'a mut [f64],
    accept_prob: &'a mut [f64],
    log_density: &'a mut [f64],
    energy: &'a mut [f64],
    energy_error: &'a mut [f64],
    is_divergent: &'a mut [bool],
}

/// Writes the results of a block, `words[draw][row][chain]`, into as many `results`; `constants`, `[chain]`, are added to
/// the log densities.
///
/// # Errors
/// Environment: a word was not written, or a chain's count of draws is not the one expected.
pub(super) fn decode(
    words: &[u32],
    dim: usize,
    constants: &[f64],
    adapter: &Adapter,
    results: &mut [IterationResult],
) -> Result<()> {
    let chains = constants.len();
    let of_draw = draw_rows(dim) * chains;
    let draws = words.chunks_exact(of_draw).zip(1u32..).zip(results.iter_mut());
    let parts: Vec<Part<'_>> = draws
        .flat_map(|((draw, count), result)| {
            let positions = result.positions.chunks_mut(PART * dim);
            let statistics = result
                .accept_prob
                .chunks_mut(PART)
                .zip(result.log_density.chunks_mut(PART))
                .zip(result.energy.chunks_mut(PART))
                .zip(result.energy_error.chunks_mut(PART))
                .zip(result.is_divergent.chunks_mut(PART));
            positions.zip(statistics).zip(0..).map(
                move |(
                    (positions, ((((accept_prob, log_density), energy), energy_error), is_divergent)),
                    number,
                )| Part {
                    draw,
                    count,
                    first: number * PART,
                    positions,
                    accept_prob,
                    log_density,
                    energy,
                    energy_error,
                    is_divergent,
                },
            )
        })
        .collect();
    let per_draw = chains.div_ceil(PART);
    let threads = if words.len() < MANY_WORDS {
        1
    } else {
        std::thread::available_parallelism().map_or(1, usize::from)
    };
    let decoded = in_parallel(parts, threads, |part| part.decode(dim, constants, adapter));
    for (result, divergences) in results.iter_mut().zip(decoded.chunks(per_draw)) {
        result.divergences = divergences.iter().cloned().sum::<Result<u64>>()?;
    }
    Ok(())
}

impl Part<'_> {
    /// Checks and writes the results; returns the number of divergences.
    fn decode(self, dim: usize, constants: &[f64], adapter: &Adapter) -> Result<u64> {
        let chains = constants.len();
        let constants = &constants[self.first..];
        let len = self.accept_prob.len();
        let row = |at: usize| &self.draw[at * chains + self.first..][..len];
        let statistic = |at: DrawRow| row(at.at(dim));
        self.check(dim, chains, adapter)?;
        for first in (0..len).step_by(TILE) {
            for i in 0..dim {
                let words = row(i);
                for chain in first..len.min(first + TILE) {
                    self.positions[chain * dim + i] = real(words[chain]);
                }
            }
        }
        let whole = statistic(DrawRow::LogDensityWhole);
        let rest = statistic(DrawRow::LogDensityRest);
        let kinetic = statistic(DrawRow::Kinetic);
        let accept_prob = statistic(DrawRow::AcceptProb);
        let energy_error = statistic(DrawRow::EnergyError);
        let status = statistic(DrawRow::Status);
        for chain in 0..len {
            self.log_density[chain] = real(whole[chain]) + real(rest[chain]) + constants[chain];
            self.energy[chain] = real(kinetic[chain]) - self.log_density[chain];
            self.accept_prob[chain] = real(accept_prob[chain]);
            self.energy_error[chain] = real(energy_error[chain]);
            self.is_divergent[chain] = status[chain] & DIVERGENT_BIT != 0;
        }
        Ok(status.iter().map(|&status| divergences(status)).sum())
    }

    /// Fails unless every chain wrote all of this draw.
    fn check(&self, dim: usize, chains: usize, adapter: &Adapter) -> Result<()> {
        let len = self.accept_prob.len();
        let row = |at: usize| &self.draw[at * chains + self.first..][..len];
        let counted = (1 << DIVERGENCES_SHIFT) - 1;
        let status = row(DrawRow::Status.at(dim));
        let miscounted = status.iter().position(|word| word & counted != self.count);
        let unwritten = || (0..draw_rows(dim)).find_map(|at| row(at).iter().position(|&word| word == POISON));
        match miscounted.or_else(unwritten) {
            None => Ok(()),
            Some(chain) => Err(incomplete(
                &format!(
                    "the draw of chain {} in iteration {} of a block",
                    self.first + chain,
                    self.count
                ),
                adapter,
            )),
        }
    }
}

/// The driver did not write all of `what`.
fn incomplete(what: &str, adapter: &Adapter) -> Error {
    Error::environment(format!(
        "{adapter} did not execute all of the shader: {what} is incomplete"
    ))
    .with_help("use `--backend cpu`, and report this adapter and driver")
}

/// Log densities `[chain]` from their two parts on the device, with `constants`, `[chain]`, added.
///
/// # Errors
/// Environment: one was not computed to its end.
pub(super) fn log_densities(
    whole: &[u32],
    rest: &[u32],
    constants: &[f64],
    adapter: &Adapter,
) -> Result<Vec<f64>> {
    if let Some(chain) = whole.iter().position(|&word| word == POISON) {
        return Err(incomplete(&format!("the log density of chain {chain}"), adapter));
    }
    let parts = whole.iter().zip(rest).zip(constants);
    Ok(parts
        .map(|((&whole, &rest), constant)| real(whole) + real(rest) + constant)
        .collect())
}

/// The divergences that a status word tells of; drivers that do not count them set the bit alone.
fn divergences(status: u32) -> u64 {
    match (
        status & DIVERGENT_BIT,
        (status & !DIVERGENT_BIT) >> DIVERGENCES_SHIFT,
    ) {
        (0, _) => 0,
        (_, counted) => u64::from(counted.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::adapter::AdapterLimits;

    fn adapter() -> Adapter {
        Adapter {
            name: "test".into(),
            backend: "vulkan".into(),
            device_type: "other".into(),
            driver: String::new(),
            is_software: false,
            limits: AdapterLimits {
                max_buffer_bytes: 0,
                max_storage_binding_bytes: 0,
                max_storage_buffers: 8,
                max_workgroups_per_dimension: 0,
                max_workgroup_threads: 0,
                max_workgroup_bytes: 0,
            },
            features: Vec::new(),
        }
    }

    /// Two chains, two coordinates, one iteration; chain 1 diverged.
    fn draw() -> Vec<u32> {
        let f = |x: f32| x.to_bits();
        vec![
            f(1.0),
            f(2.0),
            f(3.0),
            f(4.0), // positions [dim][chain]
            f(-5.0),
            f(-6.0),
            f(0.25),
            f(0.0), // log density, whole and rest
            f(1.5),
            f(1.0), // kinetic
            f(0.9),
            f(0.0), // accept_prob
            f(0.1),
            f(f32::INFINITY), // energy_error
            1,
            1 | DIVERGENT_BIT,
        ]
    }

    fn decoded(words: &[u32], constant: f64) -> Result<Vec<IterationResult>> {
        let mut results = vec![IterationResult::zeros(2, 2)];
        decode(words, 2, &[constant; 2], &adapter(), &mut results)?;
        Ok(results)
    }

    #[test]
    fn rows_become_chains() {
        let results = decoded(&draw(), 10.0).unwrap();
        let result = &results[0];
        assert_eq!(result.positions, [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(result.log_density, [5.25, 4.0]);
        assert_eq!(result.energy, [1.5 - 5.25, 1.0 - 4.0]);
        assert_eq!(
            (&result.is_divergent[..], result.divergences),
            (&[false, true][..], 1)
        );
        let mut words = draw();
        words[15] |= 5 << DIVERGENCES_SHIFT;
        assert_eq!(decoded(&words, 10.0).unwrap()[0].divergences, 5);
        assert_eq!(result.energy_error[1], f64::INFINITY);
    }

    #[test]
    fn a_transpose_covers_odd_sizes() {
        let (rows, chains) = (3, 2 * TILE + 5);
        let value = |row: usize, chain: usize| (1000 * row + chain) as f32;
        let words: Vec<u32> = (0..rows * chains)
            .map(|at| value(at / chains, at % chains).to_bits())
            .collect();
        for (at, got) in by_chain(&words, rows, chains).into_iter().enumerate() {
            assert_eq!(got, f64::from(value(at % rows, at / rows)));
        }
    }

    #[test]
    fn an_unwritten_word_or_a_wrong_count_is_found() {
        for at in 0..16 {
            let mut words = draw();
            words[at] = POISON;
            assert!(decoded(&words, 0.0).is_err(), "word {at}");
        }
        let mut words = draw();
        words[15] = DIVERGENT_BIT | 2;
        let error = decoded(&words, 0.0).unwrap_err();
        assert!(error.message().contains("chain 1"), "{error}");
    }
}
