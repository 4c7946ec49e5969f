//! The device's special functions against tables made with mpmath, whose arguments are exact in f32.

use tadpool::back::kernel::{Data, DensityKernel};
use tadpool::gpu::SteppedHmc;

use crate::{gpu, shader};

const KERNEL: &str = include_str!("../wgsl/special.wgsl");

/// A function's name, its table, and the absolute error allowed at x where it is f.
type Function = (&'static str, &'static str, fn(f64, f64) -> f64);

/// Half a unit in the last place of f32, relative.
const HALF_ULP: f64 = 5.960_464_5e-8;

/// The relative error of WGSL's exp: 3 + 2|x| units in the last place.
fn exp_error(x: f64) -> f64 {
    (3.0 + 2.0 * x.abs()) * 2.0 * HALF_ULP
}

/// In the order of the rows of `tests/wgsl/special.wgsl`. The bounds are those that `shaders/special.wgsl` states, or
/// the language for its own functions; below f32's normal range (1.2e-38) everything may be 0.
const FUNCTIONS: [Function; 10] = [
    ("exp", include_str!("../num/exp.csv"), |x, f| f * exp_error(x)),
    // The language's bound: 2⁻²¹ absolute between 1/2 and 2, elsewhere 3 units in the last place.
    ("log", include_str!("../num/ln.csv"), |x, f| {
        if (0.5..=2.0).contains(&x) {
            0.5f64.powi(21)
        } else {
            6.0 * HALF_ULP * f.abs()
        }
    }),
    ("tp_log1p", include_str!("../num/log1p.csv"), |_, f| {
        1e-6 * f.abs()
    }),
    ("tp_expm1", include_str!("../num/expm1.csv"), |x, f| {
        if x.abs() <= 1.0 {
            1e-6 * f.abs()
        } else {
            (f + 1.0) * exp_error(x) + 2.0 * HALF_ULP * f.abs()
        }
    }),
    ("tp_inv_logit", include_str!("../num/inv_logit.csv"), |x, f| {
        f * tail_error(x)
    }),
    ("tp_softplus", include_str!("../num/softplus.csv"), |x, f| {
        f * tail_error(x)
    }),
    ("tp_lgamma", include_str!("../num/lgamma.csv"), |x, f| {
        if x < 4.0 {
            2e-6 + 1e-6 * f.abs()
        } else {
            1e-6 * f.abs()
        }
    }),
    // Absolute near the root at 1.46.
    ("tp_digamma", include_str!("../num/digamma.csv"), |_, f| {
        1e-6 * f.abs().max(1.0)
    }),
    (
        "tp_std_normal_cdf",
        include_str!("../num/std_normal_cdf.csv"),
        |x, f| f * (1e-6 + 1e-7 * x * x * f64::from(u8::from(x < -2.0))),
    ),
    (
        "tp_log_std_normal_cdf",
        include_str!("../num/log_std_normal_cdf.csv"),
        |x, f| {
            // Above 0 it is minus the upper tail, with that tail's error.
            if x < 0.0 {
                1e-6 * f.abs()
            } else {
                f.abs() * (1e-6 + 1e-7 * x * x)
            }
        },
    ),
];

/// 1e-6 above −10, below it that of exp.
fn tail_error(x: f64) -> f64 {
    if x > -10.0 {
        1e-6
    } else {
        exp_error(x) + 2.0 * HALF_ULP
    }
}

/// Arguments and values of a table.
fn rows(table: &str) -> Vec<(f64, f64)> {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    table
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').expect("two columns"))
        .map(|(x, f)| (number(x), number(f)))
        .collect()
}

#[test]
fn special_functions_on_the_device_have_the_tables_values() {
    shader::validate(KERNEL).expect("valid");
    let Some(gpu) = gpu() else { return };
    let tables: Vec<Vec<(f64, f64)>> = FUNCTIONS.iter().map(|(_, table, _)| rows(table)).collect();
    let chains = tables.iter().map(Vec::len).max().unwrap_or(0);
    let dim = FUNCTIONS.len();
    let kernel = DensityKernel {
        wgsl: KERNEL.into(),
        columns: Vec::new(),
        indices: Vec::new(),
        data: Data::Shared,
        dim,
        constant: 0.0,
        centring: Vec::new(),
        loop_trips: 0,
    };
    let mut positions = vec![1.0; chains * dim];
    for (i, table) in tables.iter().enumerate() {
        for (chain, (x, _)) in table.iter().enumerate() {
            assert_eq!(f64::from(*x as f32), *x, "{}: {x} is no f32", FUNCTIONS[i].0);
            positions[chain * dim + i] = *x;
        }
    }
    let mut device = SteppedHmc::new(&gpu, &kernel, chains, 1, 0, 0).expect("a driver");
    device.set_positions(&positions).expect("positions");
    let (_, values) = device.log_density_grad().expect("values");
    let mut wrong = Vec::new();
    for (i, (name, _, bound)) in FUNCTIONS.iter().enumerate() {
        let mut worst = 0.0_f64;
        for (chain, &(x, f)) in tables[i].iter().enumerate() {
            let found = values[chain * dim + i];
            let allowed = bound(x, f).abs() + f64::from(f32::MIN_POSITIVE);
            let off = (found - f).abs() / allowed;
            worst = worst.max(off);
            if off.is_nan() || off > 1.0 {
                wrong.push(format!(
                    "{name}({x}) = {found}, expected {f}, allowed {allowed:e}"
                ));
            }
        }
        println!("{name}: largest error {worst:.2} of its bound");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
