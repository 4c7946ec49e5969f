//! Proportions of counts.

use super::interval::Prob;
use super::normal_scores::std_normal_quantile;

/// Wilson's (1927) score interval of a probability of which `successes` of `trials` were seen; (0, 1) without trials.
///
/// It covers near what it says for every probability, also where nothing or all succeeded (Brown, Cai, DasGupta 2001).
pub fn wilson(successes: usize, trials: usize, prob: Prob) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (trials as f64, successes as f64 / trials as f64);
    let z = std_normal_quantile(0.5 + 0.5 * prob.get());
    let shrunk = 1.0 / (1.0 + z * z / n);
    let centre = (share + 0.5 * z * z / n) * shrunk;
    let half = z * shrunk * (share * (1.0 - share) / n + 0.25 * z * z / (n * n)).sqrt();
    // At the ends the two terms are equal but for rounding.
    let lower = if successes == 0 { 0.0 } else { centre - half };
    let upper = if successes >= trials { 1.0 } else { centre + half };
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// prop.test(x, n, conf.level, correct = FALSE)$conf.int of R 4.
    #[test]
    fn intervals_are_those_of_r() {
        for (successes, trials, prob, lower, upper) in [
            (81, 263, 0.95, 0.255_288_519_878_27, 0.366_209_576_982_80),
            (0, 20, 0.95, 0.0, 0.161_125_158_052_82),
            (500, 500, 0.89, 0.994_917_520_927_74, 1.0),
            (7, 10, 0.5, 0.595_309_250_612_51, 0.787_285_137_159_62),
        ] {
            let found = wilson(successes, trials, Prob::new(prob).unwrap());
            assert!(
                (found.0 - lower).abs() < 1e-10,
                "{successes} of {trials}: {found:?}"
            );
            assert!(
                (found.1 - upper).abs() < 1e-10,
                "{successes} of {trials}: {found:?}"
            );
        }
        assert_eq!(wilson(0, 0, Prob::default()), (0.0, 1.0));
    }
}
