//! throwaway: gradients per core-second of m12_2
use std::time::Instant;
use tadpool::back::evaluate::Density;
use tadpool::back::simd::*;
use tadpool::dist::Family;
use tadpool::ir::*;
use tadpool::num::Real;
fn main() {
    let b = Builder::new();
    let rows = b.plate("row", 48);
    let tank = b.plate("tank", 48);
    let idx = b.index("tank", Some(rows), tank, (0..48).collect());
    let n = b.column(
        "density",
        Some(rows),
        (0..48).map(|i| [10.0, 25.0, 35.0][i / 16]).collect(),
    );
    let y = b.column(
        "surv",
        Some(rows),
        (0..48).map(|i| ((i * 7) % 10) as f64).collect(),
    );
    let a = b.position("a", None, Event::Scalar);
    let ls = b.position("sigma", None, Event::Scalar);
    let at = b.position("a_tank", Some(tank), Event::Scalar);
    let sigma = Real::exp(&ls);
    let p = at.gather(idx).inv_logit();
    let one = b.constant(1.0);
    let zero = b.constant(0.0);
    let d = vec![
        Family::Binomial.log_density(&y, &[n, p]).handle(),
        Family::Normal.log_density(&at, &[a, sigma]).handle(),
        Family::Normal.log_density(&a, &[zero, one]).handle(),
        (Family::HalfCauchy.log_density(&sigma, &[one]) + ls).handle(),
    ];
    let graph = b.finish().unwrap();
    let program = Program {
        graph,
        density: d,
        ..Program::default()
    };
    let fast = tadpool::pass::density_program(&program).unwrap();
    println!("{fast}");
    let s = tadpool::pass::schedule::schedule(fast.clone()).unwrap();
    println!("{:#?}", Code::new(&s).unwrap());
    for round in 0..2 {
        for set in [
            InstructionSet::Baseline,
            InstructionSet::Avx2,
            InstructionSet::Avx512,
        ] {
            if !set.is_available() {
                continue;
            }
            for lanes in [1usize, 8] {
                let den = SimdDensity::new(fast.clone())
                    .unwrap()
                    .with_instruction_set(set)
                    .unwrap();
                let mut e = den.evaluator(lanes);
                let q: Vec<f64> = (0..50 * lanes)
                    .map(|i| ((i * 37) % 17) as f64 * 0.1 - 0.8)
                    .collect();
                let mut lp = vec![0.0; lanes];
                let mut g = vec![0.0; 50 * lanes];
                let mut best = f64::MAX;
                for _ in 0..20 {
                    let t = Instant::now();
                    let reps = 20000 / lanes;
                    for _ in 0..reps {
                        e.log_density_grad(std::hint::black_box(&q), &mut lp, &mut g);
                    }
                    best = best.min(t.elapsed().as_secs_f64() / (reps * lanes) as f64);
                }
                println!(
                    "{round} {set:?} lanes {lanes}: {:.3} M/s  lp {}",
                    1e-6 / best,
                    lp[0]
                );
            }
        }
    }
}
