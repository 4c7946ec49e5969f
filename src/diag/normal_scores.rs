//! The standard normal quantile function and Blom's normal scores.

/// Φ⁻¹(p) by Wichura (1988), algorithm AS 241, routine PPND16: relative error about 1e-16.
///
/// −∞ at 0, ∞ at 1, NaN outside [0, 1].
pub fn std_normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(&CENTRE, r);
    }
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        ratio(&SHOULDER, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    z.copysign(q)
}

/// Numerator and denominator of a rational approximation, constant term first.
type Rational = [[f64; 8]; 2];

fn ratio([numerator, denominator]: &Rational, r: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, a| sum * r + a);
    horner(numerator) / horner(denominator)
}

/// |p − ½| ≤ 0.425, in 0.180625 − (p − ½)².
#[allow(clippy::excessive_precision, reason = "the digits as published")]
const CENTRE: Rational = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];
/// Further out, in r − 1.6 with r = √(−ln tail) ≤ 5.
#[allow(clippy::excessive_precision, reason = "the digits as published")]
const SHOULDER: Rational = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];
/// Tails below e⁻²⁵, in r − 5.
#[allow(clippy::excessive_precision, reason = "the digits as published")]
const FAR: Rational = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

/// Scores Φ⁻¹((r − 3/8)/(S + 1/4)) of the ranks 1 … S (Blom 1958; Vehtari et al. 2021, eq. 14).
pub(super) struct NormalScores {
    /// The scores of the whole ranks.
    whole: Vec<f64>,
}

impl NormalScores {
    /// Scores for `size` ranked values.
    pub(super) fn new(size: usize) -> Self {
        let mut whole = vec![0.0; size];
        for below in 0..size / 2 {
            let z = score((below + 1) as f64, size);
            whole[below] = z;
            whole[size - 1 - below] = -z;
        }
        Self { whole }
    }

    /// The score of a rank given as its double, which is whole also where ties share the mean of their ranks.
    pub(super) fn of_doubled(&self, doubled_rank: usize) -> f64 {
        if doubled_rank.is_multiple_of(2) {
            self.whole[doubled_rank / 2 - 1]
        } else {
            score(doubled_rank as f64 / 2.0, self.whole.len())
        }
    }
}

fn score(rank: f64, size: usize) -> f64 {
    std_normal_quantile((rank - 0.375) / (size as f64 + 0.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs (p, Φ⁻¹(p)) computed with mpmath at 40 digits; the tolerance is a few units in the last place.
    #[test]
    #[allow(
        clippy::excessive_precision,
        reason = "17 digits, so that each value reads back to the nearest double"
    )]
    fn quantiles_match_high_precision_values() {
        let table = [
            (1e-300, -37.047096299361199),
            (1e-100, -21.273453560965324),
            (1e-20, -9.2623400897984076),
            (1e-11, -6.7060231554951363),
            (1e-05, -4.2648907939228246),
            (0.001, -3.0902323061678135),
            (0.0249, -1.961677869063786),
            (0.0751, -1.43882539275254),
            (0.2, -0.84162123357291417),
            (0.499, -0.0025066308995717662),
            (0.6, 0.25334710313579974),
            (0.75, 0.67448975019608174),
            (0.9, 1.2815515655446006),
            (0.95, 1.6448536269514723),
            (0.975, 1.9599639845400539),
            (0.999, 3.0902323061678133),
            (0.9999999, 5.1993375822906611),
        ];
        for (p, z) in table {
            let got = std_normal_quantile(p);
            assert!((got - z).abs() <= 1e-15 * f64::abs(z), "p = {p:e}: {got} for {z}");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(std_normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(std_normal_quantile(1.0), f64::INFINITY);
        assert_eq!(std_normal_quantile(0.5), 0.0);
        assert!(std_normal_quantile(-0.1).is_nan());
        assert!(std_normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn scores_are_antisymmetric_and_ascending() {
        for size in [5, 8] {
            let scores = NormalScores::new(size);
            for doubled in 2..2 * size {
                assert!(scores.of_doubled(doubled) < scores.of_doubled(doubled + 1));
                let mirrored = scores.of_doubled(2 * size + 2 - doubled);
                assert!((scores.of_doubled(doubled) + mirrored).abs() < 1e-14);
            }
        }
    }
}
