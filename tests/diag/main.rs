//! Our diagnostics against ArviZ's on the same draws; `make_reference.py` made the numbers and says where from.

use std::collections::{BTreeMap, BTreeSet};

use tadpool::diag::{
    Chains, Interval, Prob, ebfmi, ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, mcse_mean,
    mcse_median, mcse_quantile, mcse_sd, rhat, rhat_bulk, rhat_folded, rhat_nested, rhat_nested_basic,
    summarise,
};

const REFERENCE: &str = include_str!("reference.csv");

/// Relative agreement asked for; rounding alone stays below 1e-12.
const TOLERANCE: f64 = 1e-8;

/// SplitMix64 (Steele, Lea, Flood 2014), as in `make_reference.py`: integers and the four operations, so the bits agree.
struct SplitMix64(u64);

impl SplitMix64 {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Nearly normal: the sum of four uniforms, centred.
    fn bell(&mut self) -> f64 {
        (0..4).fold(-2.0, |total, _| total + self.uniform())
    }
}

fn autoregressive(seed: u64, chains: usize, draws: usize, phi: f64) -> Vec<f64> {
    let mut rng = SplitMix64(seed);
    let mut out = Vec::with_capacity(chains * draws);
    for _ in 0..chains {
        let mut x = 0.0;
        for _ in 0..draws {
            x = phi * x + rng.bell();
            out.push(x);
        }
    }
    out
}

fn heavy(seed: u64, len: usize) -> Vec<f64> {
    let mut rng = SplitMix64(seed);
    (0..len)
        .map(|_| {
            let bell = rng.bell();
            bell / (rng.uniform() + 1.0 / (1_u64 << 30) as f64)
        })
        .collect()
}

fn ties(seed: u64, chains: usize, draws: usize) -> Vec<f64> {
    autoregressive(seed, chains, draws, 0.5)
        .iter()
        .map(|x| (x * 2.0).floor())
        .collect()
}

fn shifted(seed: u64, chains: usize, draws: usize) -> Vec<f64> {
    let mut x = autoregressive(seed, chains, draws, 0.3);
    x[..draws].iter_mut().for_each(|x| *x += 1.5);
    x
}

fn stuck(seed: u64, chains: usize, draws: usize) -> Vec<f64> {
    let mut x = autoregressive(seed, chains, draws, 0.3);
    x[..draws].fill(0.25);
    x
}

/// The draws of a case of `reference.csv`.
fn draws_of(case: &str, chains: usize, draws: usize) -> Vec<f64> {
    match case {
        "ar_slow" => autoregressive(1, chains, draws, 0.9),
        "ar_antithetic" => autoregressive(2, chains, draws, -0.6),
        "independent" => autoregressive(3, chains, draws, 0.0),
        "heavy" => heavy(4, chains * draws),
        "ties" => ties(5, chains, draws),
        "odd" => autoregressive(6, chains, draws, 0.5),
        "odd_ties" => ties(7, chains, draws),
        "odd_slow" => autoregressive(8, chains, draws, 0.999),
        "short_many" => autoregressive(9, chains, draws, 0.4),
        "one_chain" => autoregressive(10, chains, draws, 0.7),
        "shifted" => shifted(11, chains, draws),
        "stuck" => stuck(12, chains, draws),
        "tiny" => autoregressive(13, chains, draws, 0.0),
        "tiny_odd" => autoregressive(14, chains, draws, 0.0),
        other => panic!("reference.csv has a case `{other}` without a recipe here"),
    }
}

/// Everything we compute that the reference may ask for.
fn quantities(chains: Chains, per_superchain: usize) -> BTreeMap<String, f64> {
    let of = |interval, prob| summarise(chains, interval, Prob::new(prob).unwrap(), Some(per_superchain));
    let mut out: BTreeMap<String, f64> = BTreeMap::new();
    for (percent, prob) in [(50, 0.5), (89, 0.89)] {
        for interval in [Interval::Hdi, Interval::Eti] {
            let summary = of(interval, prob);
            out.insert(format!("{}{percent}_low", interval.name()), summary.lower);
            out.insert(format!("{}{percent}_high", interval.name()), summary.upper);
        }
    }
    let summary = of(Interval::Hdi, 0.89);
    let single = [
        ("mean", summary.mean),
        ("sd", summary.sd),
        ("median", summary.median),
        ("rhat_bulk", rhat_bulk(chains)),
        ("rhat_folded", rhat_folded(chains)),
        ("rhat_nested", rhat_nested(chains, per_superchain)),
        ("rhat_nested_basic", rhat_nested_basic(chains, per_superchain)),
        ("ess_bulk", ess_bulk(chains)),
        ("ess_tail", ess_tail(chains)),
        ("ess_mean", ess_mean(chains)),
        ("ess_sd", ess_sd(chains)),
        ("ess_q10", ess_quantile(chains, 0.1)),
        ("ess_q50", ess_quantile(chains, 0.5)),
        ("mcse_mean", mcse_mean(chains)),
        ("mcse_sd", mcse_sd(chains)),
        ("mcse_q10", mcse_quantile(chains, 0.1)),
        ("mcse_median", mcse_median(chains)),
    ];
    out.extend(single.map(|(name, value)| (name.to_owned(), value)));
    let energies = ebfmi(chains).per_chain;
    out.extend(
        energies
            .into_iter()
            .enumerate()
            .map(|(c, value)| (format!("ebfmi[{c}]"), value)),
    );
    out
}

#[test]
fn diagnostics_agree_with_arviz() {
    let mut rows: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for line in REFERENCE.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        rows.entry(fields[0]).or_default().push(fields);
    }
    assert_eq!(rows.len(), 14, "cases in reference.csv");
    let mut wrong = Vec::new();
    let mut compared = BTreeSet::new();
    for (case, rows) in rows {
        let [num_chains, num_draws, per_superchain] = [1, 2, 3].map(|i| rows[0][i].parse().unwrap());
        let values = draws_of(case, num_chains, num_draws);
        let got = quantities(Chains::new(&values, num_chains).unwrap(), per_superchain);
        for row in rows {
            let (quantity, expected) = (row[4], row[5].parse::<f64>().unwrap());
            let ours = got[quantity];
            let agree =
                (ours - expected).abs() <= TOLERANCE * expected.abs() || (ours.is_nan() && expected.is_nan());
            if !agree {
                wrong.push(format!("{case} {quantity}: {ours} for {expected}"));
            }
            compared.insert(quantity);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared.len() >= 25, "only {compared:?} compared");
}

#[test]
fn rhat_is_the_larger_of_bulk_and_folded() {
    for (case, chains, draws) in [("ar_slow", 4, 1000), ("shifted", 4, 200), ("odd_ties", 3, 251)] {
        let values = draws_of(case, chains, draws);
        let chains = Chains::new(&values, chains).unwrap();
        assert_eq!(rhat(chains), rhat_bulk(chains).max(rhat_folded(chains)));
    }
}

/// 1,024 chains of 100 independent draws from one distribution are fine; nested R-hat says so, and ESS is near their
/// number (its relative error is about √(2·2/102,400), far below the 5 % allowed).
#[test]
fn many_short_chains_that_are_fine_look_fine() {
    let values = autoregressive(20, 1024, 100, 0.0);
    let chains = Chains::new(&values, 1024).unwrap();
    let summary = summarise(chains, Interval::Hdi, Prob::default(), Some(16));
    assert!(summary.nested_rhat < 1.01, "{}", summary.nested_rhat);
    assert!(
        (summary.ess_bulk / 102_400.0 - 1.0).abs() < 0.05,
        "{}",
        summary.ess_bulk
    );
}
