//! From the words that a device wrote to f64 results, after checking that the device wrote all of them.

use crate::error::{Error, Result};

use super::adapter::Adapter;
use super::plan::IterationResult;
use super::shader::{DIVERGENT_BIT, DrawRow, POISON, draw_rows};

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

/// The results of a block, `words[iteration][row][chain]`; `constant` is added to the log density.
///
/// # Errors
/// Environment: a word was not written, or a chain's count of iterations is not the one expected.
pub(super) fn decode(
    words: &[u32],
    dim: usize,
    chains: usize,
    constant: f64,
    adapter: &Adapter,
) -> Result<Vec<IterationResult>> {
    let of_iteration = draw_rows(dim) * chains;
    words
        .chunks_exact(of_iteration)
        .zip(1u32..)
        .map(|(draw, count)| {
            check(draw, dim, chains, count, adapter)?;
            let row = |row: DrawRow| &draw[row.at(dim) * chains..][..chains];
            let values = |at: DrawRow| row(at).iter().map(|&w| real(w)).collect::<Vec<f64>>();
            let log_density = log_densities(
                row(DrawRow::LogDensityWhole),
                row(DrawRow::LogDensityRest),
                constant,
                adapter,
            )?;
            let energy = log_density
                .iter()
                .zip(row(DrawRow::Kinetic))
                .map(|(log_density, &kinetic)| real(kinetic) - log_density)
                .collect();
            Ok(IterationResult {
                positions: by_chain(&draw[..dim * chains], dim, chains),
                accept_prob: values(DrawRow::AcceptProb),
                log_density,
                energy,
                energy_error: values(DrawRow::EnergyError),
                is_divergent: row(DrawRow::Status)
                    .iter()
                    .map(|status| status & DIVERGENT_BIT != 0)
                    .collect(),
            })
        })
        .collect()
}

/// The driver did not write all of `what`.
fn incomplete(what: &str, adapter: &Adapter) -> Error {
    Error::environment(format!(
        "{adapter} did not execute all of the shader: {what} is incomplete"
    ))
    .with_help("use `--backend cpu`, and report this adapter and driver")
}

/// Log densities `[chain]` from their two parts on the device, with `constant` added.
///
/// # Errors
/// Environment: one was not computed to its end.
pub(super) fn log_densities(
    whole: &[u32],
    rest: &[u32],
    constant: f64,
    adapter: &Adapter,
) -> Result<Vec<f64>> {
    if let Some(chain) = whole.iter().position(|&word| word == POISON) {
        return Err(incomplete(&format!("the log density of chain {chain}"), adapter));
    }
    let sum = |(&whole, &rest): (&u32, &u32)| real(whole) + real(rest) + constant;
    Ok(whole.iter().zip(rest).map(sum).collect())
}

/// Fails unless all of iteration number `count` (from 1) was written by every chain.
fn check(draw: &[u32], dim: usize, chains: usize, count: u32, adapter: &Adapter) -> Result<()> {
    let status = &draw[DrawRow::Status.at(dim) * chains..][..chains];
    let miscounted = status.iter().position(|word| word & !DIVERGENT_BIT != count);
    let unwritten = draw.iter().position(|&word| word == POISON).map(|at| at % chains);
    match miscounted.or(unwritten) {
        None => Ok(()),
        Some(chain) => Err(incomplete(
            &format!("the draw of chain {chain} in iteration {count} of a block"),
            adapter,
        )),
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

    #[test]
    fn rows_become_chains() {
        let results = decode(&draw(), 2, 2, 10.0, &adapter()).unwrap();
        let result = &results[0];
        assert_eq!(result.positions, [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(result.log_density, [5.25, 4.0]);
        assert_eq!(result.energy, [1.5 - 5.25, 1.0 - 4.0]);
        assert_eq!(result.is_divergent, [false, true]);
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
            assert!(decode(&words, 2, 2, 0.0, &adapter()).is_err(), "word {at}");
        }
        let mut words = draw();
        words[15] = DIVERGENT_BIT | 2;
        let error = decode(&words, 2, 2, 0.0, &adapter()).unwrap_err();
        assert!(error.message().contains("chain 1"), "{error}");
    }
}
