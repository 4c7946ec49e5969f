//! Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao, Gabry 2024, "Pareto smoothed importance
//! sampling", JMLR 25(72), algorithm 1).

use super::gpd::Pareto;
use super::log_sum_exp;

/// Fewest ratios in a tail that a distribution is fitted to.
const MIN_TAIL: usize = 5;

/// Importance weights whose largest ones are replaced by quantiles of a fitted tail.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// The logarithms of the weights, which sum to 1, in the order of the ratios. Shape `[draws]`.
    pub log_weights: Vec<f64>,
    /// The shape of the tail: the weights can be relied on up to [`pareto_k_threshold`]. Infinite for fewer than 25
    /// draws, whose tail is too short to be fitted; −∞ where the largest ratios are all equal, so that there is no tail.
    pub pareto_k: f64,
}

/// The shape of a tail up to which `draws` draws suffice: min(0.7, 1 − 1/log₁₀ S) (Vehtari et al. 2024, eq. 13).
pub fn pareto_k_threshold(draws: usize) -> f64 {
    (1.0 - 1.0 / (draws as f64).log10()).min(0.7)
}

/// How many of the largest of `draws` ratios make the tail: ⌈min(0.2 S, 3 √(S/r_eff))⌉ (Vehtari et al. 2024, with
/// the effective size of the sample in place of its size).
fn tail_len(draws: usize, r_eff: f64) -> usize {
    let s = draws as f64;
    (0.2 * s).min(3.0 * (s / r_eff).sqrt()).ceil() as usize
}

/// Smooths the importance ratios with logarithms `log_ratios`, `[draws]`; `r_eff` above 0 is the effective number of
/// draws over their number.
///
/// All NaN, with infinite k, if a ratio is NaN or infinite.
pub fn psis(log_ratios: &[f64], r_eff: f64) -> Smoothed {
    let largest = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() || log_ratios.iter().any(|x| x.is_nan()) {
        return Smoothed {
            log_weights: vec![f64::NAN; log_ratios.len()],
            pareto_k: f64::INFINITY,
        };
    }
    let mut weights: Vec<f64> = log_ratios.iter().map(|x| x - largest).collect();
    let draws = weights.len();
    let tail_len = tail_len(draws, r_eff);
    let mut pareto_k = f64::INFINITY;
    if (MIN_TAIL..draws).contains(&tail_len) {
        let mut order: Vec<usize> = (0..draws).collect();
        order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
        let (body, tail) = order.split_at(draws - tail_len);
        // Ratios relative to the largest, which is 1; the largest one outside the tail is where it begins.
        let cutoff = weights[body[body.len() - 1]].exp();
        if weights[tail[0]] == 0.0 {
            pareto_k = f64::NEG_INFINITY;
        } else {
            let exceedances: Vec<f64> = tail.iter().map(|&draw| weights[draw].exp() - cutoff).collect();
            let fitted = Pareto::fit(&exceedances);
            if fitted.k.is_finite() {
                pareto_k = fitted.k;
                for (place, &draw) in tail.iter().enumerate() {
                    let prob = (place as f64 + 0.5) / tail_len as f64;
                    // No weight above the largest raw one.
                    weights[draw] = (fitted.quantile(prob) + cutoff).ln().min(0.0);
                }
            }
        }
    }
    let scale = log_sum_exp(weights.iter().copied());
    weights.iter_mut().for_each(|x| *x -= scale);
    Smoothed {
        log_weights: weights,
        pareto_k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_thresholds_have_the_published_lengths() {
        assert_eq!([100, 1000, 4000].map(|s| tail_len(s, 1.0)), [20, 95, 190]);
        assert_eq!(tail_len(4000, 0.25), 380);
        assert_eq!(tail_len(4000, 0.01), 800);
        assert_eq!(pareto_k_threshold(4000), 0.7);
        assert!((pareto_k_threshold(1000) - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn equal_ratios_keep_equal_weights() {
        let smoothed = psis(&[3.0; 100], 1.0);
        assert!(
            smoothed
                .log_weights
                .iter()
                .all(|x| (x + 100f64.ln()).abs() < 1e-14)
        );
        assert_eq!(smoothed.pareto_k, f64::NEG_INFINITY);
    }

    #[test]
    fn what_cannot_be_smoothed_says_so() {
        assert_eq!(psis(&[0.0, -1.0, -2.0], 1.0).pareto_k, f64::INFINITY);
        for bad in [f64::NAN, f64::INFINITY] {
            let mut ratios = vec![0.5; 100];
            ratios[7] = bad;
            let smoothed = psis(&ratios, 1.0);
            assert!(smoothed.log_weights.iter().all(|x| x.is_nan()) && smoothed.pareto_k == f64::INFINITY);
        }
    }
}
