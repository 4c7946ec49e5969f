//! The lane kernels against mpmath's tables, against the f64 scalar over random bits, and at the ends of the range.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::{
    digamma, exp, expm1, inv_logit, lgamma, ln, log_std_normal_cdf, log1p, pow, softplus, softplus_inv_logit,
    std_normal_cdf,
};
use crate::num::Real;

type Kernel = fn([f64; 1]) -> [f64; 1];

/// Both builds of a kernel: with fused multiply–add (slow here, the numbers count) and without.
fn both(kernels: [Kernel; 2], x: f64) -> [f64; 2] {
    kernels.map(|kernel| kernel([x])[0])
}

/// Distance in units in the last place of `expected`.
fn ulps(found: f64, expected: f64) -> f64 {
    if found == expected || (found.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let unit = expected.abs().next_up() - expected.abs();
    (found - expected).abs() / unit
}

fn table(text: &str) -> Vec<(f64, f64)> {
    text.lines()
        .skip(1)
        .map(|line| {
            let (x, f) = line.split_once(',').unwrap();
            (x.parse().unwrap(), f.parse().unwrap())
        })
        .collect()
}

/// A kernel without and with FMA.
macro_rules! kernels {
    ($name:ident) => {
        [$name::<false, 1> as Kernel, $name::<true, 1> as Kernel]
    };
}

/// A function, and the errors allowed: in ulp of the value, unless the absolute error (at roots) is below the last.
struct Case {
    name: &'static str,
    table: &'static str,
    kernels: [Kernel; 2],
    scalar: fn(&f64) -> f64,
    ulps: f64,
    scalar_ulps: f64,
    absolute: f64,
}

const CASES: [Case; 10] = [
    Case {
        name: "exp",
        table: include_str!("../../../tests/num/exp.csv"),
        kernels: kernels!(exp),
        scalar: Real::exp,
        ulps: 1.5,
        scalar_ulps: 1.5,
        absolute: 0.0,
    },
    Case {
        name: "expm1",
        table: include_str!("../../../tests/num/expm1.csv"),
        kernels: kernels!(expm1),
        scalar: Real::expm1,
        ulps: 3.0,
        scalar_ulps: 2.0,
        absolute: 0.0,
    },
    Case {
        name: "ln",
        table: include_str!("../../../tests/num/ln.csv"),
        kernels: kernels!(ln),
        scalar: Real::ln,
        ulps: 1.5,
        scalar_ulps: 1.5,
        absolute: 0.0,
    },
    Case {
        name: "log1p",
        table: include_str!("../../../tests/num/log1p.csv"),
        kernels: kernels!(log1p),
        scalar: Real::log1p,
        ulps: 1.5,
        scalar_ulps: 1.5,
        absolute: 0.0,
    },
    Case {
        name: "softplus",
        table: include_str!("../../../tests/num/softplus.csv"),
        kernels: kernels!(softplus),
        scalar: Real::softplus,
        ulps: 3.0,
        scalar_ulps: 3.0,
        absolute: 0.0,
    },
    Case {
        name: "inv_logit",
        table: include_str!("../../../tests/num/inv_logit.csv"),
        kernels: kernels!(inv_logit),
        scalar: Real::inv_logit,
        ulps: 3.0,
        scalar_ulps: 3.0,
        absolute: 0.0,
    },
    // Near the roots the error is that of the parts of Stirling's series at 8 to 10, about 20 in size.
    Case {
        name: "lgamma",
        table: include_str!("../../../tests/num/lgamma.csv"),
        kernels: kernels!(lgamma),
        scalar: Real::lgamma,
        ulps: 8.0,
        scalar_ulps: 4.0,
        absolute: 1.5e-14,
    },
    Case {
        name: "digamma",
        table: include_str!("../../../tests/num/digamma.csv"),
        kernels: kernels!(digamma),
        scalar: Real::digamma,
        ulps: 12.0,
        scalar_ulps: 12.0,
        absolute: 4e-15,
    },
    Case {
        name: "std_normal_cdf",
        table: include_str!("../../../tests/num/std_normal_cdf.csv"),
        kernels: kernels!(std_normal_cdf),
        scalar: Real::std_normal_cdf,
        // x/√2 is rounded before erfc sees it: x² ulp, 144 at the table's end.
        ulps: 12.0,
        scalar_ulps: 300.0,
        absolute: 0.0,
    },
    Case {
        name: "log_std_normal_cdf",
        table: include_str!("../../../tests/num/log_std_normal_cdf.csv"),
        kernels: kernels!(log_std_normal_cdf),
        scalar: Real::log_std_normal_cdf,
        ulps: 12.0,
        scalar_ulps: 300.0,
        absolute: 0.0,
    },
];

#[test]
fn kernels_and_scalars_equal_the_tables() {
    for case in CASES {
        let mut worst = [(0.0, 0.0); 3];
        let allowed = [case.ulps, case.ulps, case.scalar_ulps];
        for (x, expected) in table(case.table) {
            let [plain, fused] = both(case.kernels, x);
            for (place, found) in [plain, fused, (case.scalar)(&x)].into_iter().enumerate() {
                let error = ulps(found, expected);
                if error > worst[place].0 && (found - expected).abs() > case.absolute {
                    worst[place] = (error, x);
                }
            }
        }
        for ((error, x), allowed) in worst.into_iter().zip(allowed) {
            assert!(error <= allowed, "{}({x}): {error} ulp of {worst:?}", case.name);
        }
    }
}

/// `found` within `ulps` of `expected`, or both NaN.
fn close(found: f64, expected: f64, allowed: f64) -> bool {
    ulps(found, expected) <= allowed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bits at all, subnormal, infinite and NaN included.
    #[test]
    fn elementary_kernels_equal_the_library_on_all_bits(bits in any::<u64>(), scale in -760.0..720.0_f64) {
        let x = f64::from_bits(bits);
        for x in [x, scale, scale * 1e-3, scale * 1e-9] {
            for found in both(kernels!(exp), x) {
                prop_assert!(close(found, x.exp(), 2.0), "exp({x}) = {found}");
            }
            for found in both(kernels!(expm1), x) {
                prop_assert!(close(found, x.exp_m1(), 4.0), "expm1({x}) = {found}");
            }
            for found in both(kernels!(ln), x) {
                prop_assert!(close(found, x.ln(), 2.0), "ln({x}) = {found}");
            }
            for found in both(kernels!(log1p), x) {
                prop_assert!(close(found, x.ln_1p(), 2.0), "log1p({x}) = {found}");
            }
            // Rounding: t = e^−|x| to 3 halves of an ulp, five roundings of z = t/(2 + t), two of the series; the
            // quotient of inv_logit has as many.
            for found in both(kernels!(softplus), x) {
                let expected = if x < -708.0 { 0.0 } else { Real::softplus(&x) };
                prop_assert!(close(found, expected, 10.0), "softplus({x}) = {found}");
            }
            for found in both(kernels!(inv_logit), x) {
                let expected = if x < -708.0 { 0.0 } else { Real::inv_logit(&x) };
                prop_assert!(close(found, expected, 10.0), "inv_logit({x}) = {found}");
            }
            for found in [softplus_inv_logit::<false, 1>([x]), softplus_inv_logit::<true, 1>([x])] {
                prop_assert!(close(found.0[0], softplus::<false, 1>([x])[0], 20.0), "{x}: {found:?}");
                prop_assert!(close(found.1[0], inv_logit::<false, 1>([x])[0], 20.0), "{x}: {found:?}");
            }
        }
    }

    #[test]
    fn gamma_kernels_equal_the_scalar_functions(exponent in -300.0..300.0_f64, near in 0.01..30.0_f64) {
        for x in [exponent.exp(), near] {
            for (kernels, expected) in [
                (kernels!(lgamma), Real::lgamma(&x)),
                (kernels!(digamma), Real::digamma(&x)),
            ] {
                for found in both(kernels, x) {
                    let bound = 2e-14 + 4e-15 * expected.abs();
                    prop_assert!((found - expected).abs() <= bound, "{x}: {found}, expected {expected}");
                }
            }
        }
    }

    #[test]
    fn normal_kernels_equal_the_scalar_functions(x in -37.0..37.0_f64) {
        for (kernels, expected) in [
            (kernels!(std_normal_cdf), Real::std_normal_cdf(&x)),
            (kernels!(log_std_normal_cdf), Real::log_std_normal_cdf(&x)),
        ] {
            for found in both(kernels, x) {
                // 12 ulp of either, as against the tables; the scalar rounds x/√2 before it squares it.
                let bound = (3e-15 + 4e-16 * x * x) * expected.abs();
                prop_assert!((found - expected).abs() <= bound, "{x}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn powers_equal_the_library(ln_x in -5.0..5.0_f64, y in -60.0..60.0_f64, whole in -9..9_i32) {
        let x = ln_x.exp();
        for (x, y) in [(x, y), (x, f64::from(whole)), (-x, f64::from(whole)), (-x, y)] {
            for found in [pow::<false, 1>([x], [y]), pow::<true, 1>([x], [y])] {
                let allowed = 3.0 + 2.0 * (y * x.abs().ln()).abs();
                prop_assert!(close(found[0], x.powf(y), allowed), "{x}^{y} = {}", found[0]);
            }
        }
    }
}

#[test]
fn the_ends_of_the_range_are_right() {
    let (inf, nan, tiny) = (f64::INFINITY, f64::NAN, 5e-324);
    for (name, kernels, points) in [
        (
            "exp",
            kernels!(exp),
            vec![
                (710.0, inf),
                (-746.0, 0.0),
                (inf, inf),
                (-inf, 0.0),
                (0.0, 1.0),
                (-745.0, tiny),
            ],
        ),
        (
            "expm1",
            kernels!(expm1),
            vec![(710.0, inf), (-inf, -1.0), (inf, inf), (tiny, tiny), (nan, nan)],
        ),
        (
            "ln",
            kernels!(ln),
            vec![
                (0.0, -inf),
                (-1.0, nan),
                (inf, inf),
                (1.0, 0.0),
                (-inf, nan),
                (nan, nan),
            ],
        ),
        (
            "log1p",
            kernels!(log1p),
            vec![(-1.0, -inf), (-1.1, nan), (inf, inf), (tiny, tiny), (nan, nan)],
        ),
        (
            "softplus",
            kernels!(softplus),
            vec![(inf, inf), (-inf, 0.0), (1e300, 1e300), (nan, nan)],
        ),
        (
            "inv_logit",
            kernels!(inv_logit),
            vec![(inf, 1.0), (-inf, 0.0), (0.0, 0.5), (nan, nan)],
        ),
        (
            "lgamma",
            kernels!(lgamma),
            vec![(0.0, inf), (inf, inf), (-1.5, nan), (nan, nan)],
        ),
        (
            "digamma",
            kernels!(digamma),
            vec![(0.0, -inf), (inf, inf), (-1.5, nan), (nan, nan)],
        ),
        (
            "std_normal_cdf",
            kernels!(std_normal_cdf),
            vec![(inf, 1.0), (-inf, 0.0), (0.0, 0.5), (-39.0, 0.0), (nan, nan)],
        ),
        (
            "log_std_normal_cdf",
            kernels!(log_std_normal_cdf),
            vec![(inf, 0.0), (-inf, -inf), (-1e160, -inf), (nan, nan)],
        ),
    ] {
        for (x, expected) in points {
            for found in both(kernels, x) {
                assert!(
                    close(found, expected, 1.0),
                    "{name}({x}) = {found}, expected {expected}"
                );
            }
        }
    }
    for (x, y, expected) in [
        (0.0, 0.0, 1.0),
        (0.0, 2.0, 0.0),
        (0.0, -1.0, inf),
        (-2.0, 3.0, -8.0),
        (-2.0, 2.0, 4.0),
        (-2.0, 0.5, nan),
        (1.0, inf, 1.0),
        (nan, 0.0, 1.0),
        (nan, 1.0, nan),
        (0.5, inf, 0.0),
    ] {
        let found = pow::<false, 1>([x], [y])[0];
        assert!(
            close(found, expected, 4.0),
            "{x}^{y} = {found}, expected {expected}"
        );
    }
}
