//! `--keep summary`: what is said of draws that were not kept, against the same draws kept.

use tadpool::diag::{Interval, Prob, Summary};
use tadpool::fit::{Fit, Keep, Options, Report, Row};

use crate::{Engine, compile, sample};

/// A straight line with a hundred predictions: so many numbers that few of the draws are kept.
const LINE: &str = "
y ~ Normal(m, 2)
m = a + b*x
a ~ Normal(0, 10)
b ~ Normal(0, 10)
line = a + b*x
";

fn table(rows: usize) -> String {
    let mut text = String::from("x,y\n");
    for row in 0..rows {
        let x = row as f64 / rows as f64 - 0.5;
        text.push_str(&format!(
            "{x},{}\n",
            1.0 + 3.0 * x + ((row * row * 7) % 11) as f64 / 2.0
        ));
    }
    text
}

fn report(fit: &Fit) -> Report {
    Report::of(fit, Prob::default(), Interval::Eti, 2).expect("a report")
}

/// What may differ between all draws and one in `stride` of them, of which `kept` are, in sds.
///
/// A quantile at p of n independent normal draws has the standard error √(p(1 − p)/n)/φ(z) sds: 1.25/√n at the median,
/// 2.05/√n at 5.5 %. Five of them; thinned draws are nearly independent, and never less so than half.
fn quantile_tolerance(factor: f64, kept: usize) -> f64 {
    5.0 * factor / (kept as f64 / 2.0).sqrt()
}

fn assert_close(what: &str, all: &Row, got: &Summary, kept: usize) {
    let all_of = &all.summary;
    let name = &all.name;
    // Exact but for the order of the sums: some thousand roundings of numbers within a few sds of their mean.
    let exact = 1e-10 * all_of.sd;
    assert!((got.mean - all_of.mean).abs() < exact, "{what} {name}: mean");
    assert!((got.sd - all_of.sd).abs() < exact, "{what} {name}: sd");
    for (end, factor, got, all) in [
        ("median", 1.25, got.median, all_of.median),
        ("lower", 2.05, got.lower, all_of.lower),
        ("upper", 2.05, got.upper, all_of.upper),
    ] {
        let off = (got - all).abs() / all_of.sd;
        assert!(
            off < quantile_tolerance(factor, kept),
            "{what} {name}: {end} off by {off} sds"
        );
    }
    // Some 500 batches or more stand behind each: 6 %, and as much again in the estimate from all draws; three of both.
    for (size, got, all) in [
        ("bulk", got.ess_bulk, all_of.ess_bulk),
        ("tail", got.ess_tail, all_of.ess_tail),
        ("mean", got.mcse_mean.powi(-2), all_of.mcse_mean.powi(-2)),
        ("sd", got.mcse_sd.powi(-2), all_of.mcse_sd.powi(-2)),
    ] {
        assert!(
            (got / all).ln().abs() < 0.35,
            "{what} {name}: ESS of {size} {got} for {all}"
        );
    }
}

#[test]
fn a_summary_says_what_all_draws_say() {
    let model = compile("line", LINE, &table(400));
    for (engine, chains, draws) in [(Engine::Nuts, 4, 12_000), (Engine::Hmc, 64, 1500)] {
        let all = Options {
            chains: Some(chains),
            warmup: Some(300),
            draws: Some(draws),
            ..engine.options(2)
        };
        let summary = Options {
            keep: Keep::Summary,
            ..all.clone()
        };
        let (all, summary) = (sample(&model, &all), sample(&model, &summary));
        let streamed = summary.streamed.as_ref().expect("a summary");
        assert!(streamed.stride > 1, "all draws were kept: nothing is shown");
        assert_eq!(
            (streamed.draws, summary.run.draws),
            (draws, draws / streamed.stride)
        );
        assert_eq!(summary.draws(), all.draws());
        assert!(summary.state == all.state, "{engine:?}: the same run");
        // The kept draws are draws of the whole run, in order.
        let (kept, every) = (&summary.posterior[0].values, &all.posterior[0].values);
        for chain in 0..chains {
            for draw in 0..summary.run.draws {
                let of_all = chain * draws + (draw + 1) * streamed.stride - 1;
                assert_eq!(kept[chain * summary.run.draws + draw], every[of_all]);
            }
        }
        let (of_all, of_summary) = (report(&all), report(&summary));
        assert_eq!(of_all.verdict.divergences, of_summary.verdict.divergences);
        let ebfmi = |report: &Report| report.verdict.ebfmi_min.expect("energies");
        assert!((ebfmi(&of_all) / ebfmi(&of_summary) - 1.0).abs() < 1e-9);
        assert_eq!(of_all.rows.len(), 402);
        for (all, got) in of_all.rows.iter().zip(&of_summary.rows) {
            assert_close(engine.name(), all, &got.summary, chains * summary.run.draws);
        }
    }
}

/// A million draws in the memory of some ten thousand, about a posterior in closed form.
#[test]
fn a_million_draws_take_the_memory_of_few() {
    let rows = 100;
    let text = table(rows);
    let model = compile("line", LINE, &text);
    let options = Options {
        chains: Some(64),
        warmup: Some(200),
        draws: Some(15_625),
        keep: Keep::Summary,
        ..Engine::Hmc.options(1)
    };
    let fit = sample(&model, &options);
    let bytes: usize = fit
        .posterior
        .iter()
        .map(|quantity| 8 * quantity.values.len())
        .sum();
    assert!(bytes <= 64 << 20, "{bytes} bytes of draws are kept");
    assert_eq!(fit.draws() * fit.run.chains, 1_000_000);
    // Normal prior and likelihood: the posterior's precision and mean (Gelman et al. 2013, section 14.8).
    let data: Vec<(f64, f64)> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (x, y) = line.split_once(',').expect("two columns");
            (x.parse().expect("a number"), y.parse().expect("a number"))
        })
        .collect();
    let sum = |f: &dyn Fn(f64, f64) -> f64| data.iter().map(|&(x, y)| f(x, y)).sum::<f64>() / 4.0;
    let (aa, ab, bb) = (sum(&|_, _| 1.0) + 0.01, sum(&|x, _| x), sum(&|x, _| x * x) + 0.01);
    let (ya, yb) = (sum(&|_, y| y), sum(&|x, y| x * y));
    let determinant = aa * bb - ab * ab;
    let expected = [
        ("a", (bb * ya - ab * yb) / determinant, (bb / determinant).sqrt()),
        ("b", (aa * yb - ab * ya) / determinant, (aa / determinant).sqrt()),
    ];
    let report = report(&fit);
    for (name, mean, sd) in expected {
        let row = report.rows.iter().find(|row| row.name == name).expect("a row");
        let summary = &row.summary;
        assert!(
            (summary.mean - mean).abs() < 4.5 * summary.mcse_mean,
            "{name}: {summary:?}, {mean}"
        );
        assert!(
            (summary.sd - sd).abs() < 4.5 * summary.mcse_sd,
            "{name}: {summary:?}, {sd}"
        );
        assert!(
            summary.mcse_mean < 0.01 * sd,
            "a million draws say more: {summary:?}"
        );
    }
}
