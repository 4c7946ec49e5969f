//! Sample quantiles by linear interpolation between order statistics.

/// Quantile of type 7 of Hyndman and Fan (1996), the default of numpy and of R, of ascending values.
///
/// `prob` in [0, 1]. The interpolation starts from the nearer order statistic, so it is exact where neighbours are equal
/// (numpy's `_lerp`): a quantile indicator of discrete draws then never loses its ties to rounding. NaN for an empty slice
/// or a `prob` outside [0, 1].
pub fn quantile(ascending: &[f64], prob: f64) -> f64 {
    if ascending.is_empty() || !(0.0..=1.0).contains(&prob) {
        return f64::NAN;
    }
    let last = ascending.len() - 1;
    let position = prob * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let weight = position - below as f64;
    let (a, b) = (ascending[below], ascending[above]);
    if weight < 0.5 {
        a + (b - a) * weight
    } else {
        b - (b - a) * (1.0 - weight)
    }
}

/// Median of ascending values: the middle one, or the mean of the two middle ones; NaN for an empty slice.
pub(super) fn median(ascending: &[f64]) -> f64 {
    let n = ascending.len();
    if n == 0 {
        f64::NAN
    } else if n.is_multiple_of(2) {
        (ascending[n / 2 - 1] + ascending[n / 2]) / 2.0
    } else {
        ascending[n / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_seven_by_hand() {
        let x = [1., 2., 4., 8.];
        assert_eq!(quantile(&x, 0.0), 1.0);
        assert_eq!(quantile(&x, 0.5), 3.0);
        assert_eq!(quantile(&x, 1.0), 8.0);
        assert_eq!(quantile(&x, 0.25), 1.75);
        assert!(quantile(&x, 1.5).is_nan());
    }

    #[test]
    fn equal_neighbours_are_hit_exactly() {
        let x = [0.1; 1001];
        for i in 0..=1000 {
            assert_eq!(quantile(&x, f64::from(i) / 1000.0), 0.1);
        }
    }

    #[test]
    fn median_of_even_and_odd() {
        assert_eq!(median(&[1., 2., 9.]), 2.0);
        assert_eq!(median(&[1., 2., 4., 9.]), 3.0);
    }
}
