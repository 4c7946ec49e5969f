//! The loops over coordinates that a NUTS chain spends its time in, compiled also for wide vector registers.
//!
//! Each is one pass over its slices, all of one length. Sums are taken in four partial sums, in an order that does not
//! depend on the registers, so that every processor gets the same numbers.

use super::ensemble::lanes::wide;

/// Partial sums of a product.
const WIDTH: usize = 4;

/// Runs the body with lane and index of every element, whole blocks of [`WIDTH`] first.
///
/// A closure in its place would not be compiled with the features of the function that it stands in.
macro_rules! blocks {
    ($len:expr, |$lane:ident, $i:ident| $body:block) => {
        let len = $len;
        let whole = len / WIDTH * WIDTH;
        for begin in (0..whole).step_by(WIDTH) {
            for $lane in 0..WIDTH {
                let $i = begin + $lane;
                $body
            }
        }
        for $lane in 0..len - whole {
            let $i = whole + $lane;
            $body
        }
    };
}

wide! {
    /// Σ aᵢ bᵢ.
    fn dot(a: &[f64], b: &[f64]) -> f64 {
        let b = &b[..a.len()];
        let mut sums = [0.0; WIDTH];
        blocks!(a.len(), |lane, i| {
            sums[lane] += a[i] * b[i];
        });
        sums.iter().sum()
    }
}

wide! {
    /// values = scale · values, element by element.
    fn scale_into(scale: &[f64], values: &[f64], scaled: &mut [f64]) {
        for ((out, s), value) in scaled.iter_mut().zip(scale).zip(values) {
            *out = s * value;
        }
    }
}

wide! {
    /// Half a step of the momentum and a whole one of the position: momentum += ½ step · force,
    /// position += step · scale · momentum.
    fn kick_drift(step: f64, force: &[f64], momentum: &mut [f64], scale: &[f64], position: &mut [f64]) {
        let dim = momentum.len();
        let (force, scale, position) = (&force[..dim], &scale[..dim], &mut position[..dim]);
        for i in 0..dim {
            momentum[i] += 0.5 * step * force[i];
            position[i] += step * (scale[i] * momentum[i]);
        }
    }
}

wide! {
    /// Half a step of the momentum, momentum += ½ step · force; yields ½ |momentum|².
    fn kick(step: f64, force: &[f64], momentum: &mut [f64]) -> f64 {
        let force = &force[..momentum.len()];
        let mut sums = [0.0; WIDTH];
        blocks!(momentum.len(), |lane, i| {
            momentum[i] += 0.5 * step * force[i];
            sums[lane] += momentum[i] * momentum[i];
        });
        0.5 * sums.iter().sum::<f64>()
    }
}

wide! {
    /// sum = first + last; yields first · sum and last · sum.
    fn sum_pair(first: &[f64], last: &[f64], sum: &mut [f64]) -> [f64; 2] {
        let dim = sum.len();
        let (first, last) = (&first[..dim], &last[..dim]);
        let mut dots = [[0.0; WIDTH]; 2];
        blocks!(dim, |lane, i| {
            sum[i] = first[i] + last[i];
            dots[0][lane] += first[i] * sum[i];
            dots[1][lane] += last[i] * sum[i];
        });
        dots.map(|partial| partial.iter().sum())
    }
}

wide! {
    /// Adds the momenta `right` of a stretch (first, last, sum) to `left_sum` of the adjacent one, whose own first and
    /// last are `left`.
    ///
    /// Yields the products of the criterion: of the whole sum with left first and right last; of left sum + right
    /// first with left first and right first; of left last + right sum with left last and right last.
    fn sum_stretches(left: [&[f64]; 2], right: [&[f64]; 3], left_sum: &mut [f64]) -> [f64; 6] {
        let dim = left_sum.len();
        let [left_first, left_last] = left.map(|values| &values[..dim]);
        let [right_first, right_last, right_sum] = right.map(|values| &values[..dim]);
        let mut dots = [[0.0; WIDTH]; 6];
        blocks!(dim, |lane, i| {
            let whole = left_sum[i] + right_sum[i];
            let to_seam = left_sum[i] + right_first[i];
            let from_seam = left_last[i] + right_sum[i];
            left_sum[i] = whole;
            dots[0][lane] += left_first[i] * whole;
            dots[1][lane] += right_last[i] * whole;
            dots[2][lane] += left_first[i] * to_seam;
            dots[3][lane] += right_first[i] * to_seam;
            dots[4][lane] += left_last[i] * from_seam;
            dots[5][lane] += right_last[i] * from_seam;
        });
        dots.map(|partial| partial.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(len: usize, phase: f64) -> Vec<f64> {
        (0..len).map(|i| (phase + 1.7 * i as f64).sin()).collect()
    }

    fn plain_dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// Products of numbers below 3 summed in two orders: an ulp of 9 per term.
    fn assert_close(found: f64, expected: f64, len: usize) {
        let bound = 2e-15 * len as f64;
        assert!(
            (found - expected).abs() <= bound,
            "{found} against {expected} at length {len}"
        );
    }

    #[test]
    fn products_are_those_of_plain_sums_at_every_length() {
        for len in 0..40 {
            let [a, b, c, d, e] = [0.1, 1.1, 2.1, 3.1, 4.1].map(|phase| values(len, phase));
            assert_close(dot(&a, &b), plain_dot(&a, &b), len);

            let mut sum = vec![0.0; len];
            let dots = sum_pair(&a, &b, &mut sum);
            let expected: Vec<f64> = (0..len).map(|i| a[i] + b[i]).collect();
            assert_eq!(sum, expected);
            assert_close(dots[0], plain_dot(&a, &sum), len);
            assert_close(dots[1], plain_dot(&b, &sum), len);

            let mut joined = c.clone();
            let add = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x + y).collect() };
            let right_sum = values(len, 5.1);
            let dots = sum_stretches([&a, &b], [&d, &e, &right_sum], &mut joined);
            let (whole, to_seam, from_seam) = (add(&c, &right_sum), add(&c, &d), add(&b, &right_sum));
            assert_eq!(joined, whole);
            let expected = [
                plain_dot(&a, &whole),
                plain_dot(&e, &whole),
                plain_dot(&a, &to_seam),
                plain_dot(&d, &to_seam),
                plain_dot(&b, &from_seam),
                plain_dot(&e, &from_seam),
            ];
            for (found, expected) in dots.into_iter().zip(expected) {
                assert_close(found, expected, len);
            }
        }
    }

    #[test]
    fn kicks_and_drifts_move_every_coordinate() {
        for len in 0..20 {
            let [force, begin, scale, place] = [0.1, 1.1, 2.1, 3.1].map(|phase| values(len, phase));
            let (mut momentum, mut position) = (begin.clone(), place.clone());
            kick_drift(0.2, &force, &mut momentum, &scale, &mut position);
            let mut kicked = begin.clone();
            let kinetic = kick(0.2, &force, &mut kicked);
            assert_eq!(momentum, kicked);
            assert_close(kinetic, 0.5 * plain_dot(&kicked, &kicked), len);
            for i in 0..len {
                assert_eq!(kicked[i], begin[i] + 0.5 * 0.2 * force[i]);
                assert_eq!(position[i], place[i] + 0.2 * (scale[i] * kicked[i]));
            }
        }
    }
}
