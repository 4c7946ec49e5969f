//! The arithmetic of a block of lanes: `[dim][lane]` slices, compiled for AVX2 and AVX-512 too and chosen at run time.
//!
//! No fused multiply-add: the numbers are the same whichever version runs.

/// Chains of a block: as many as the back end evaluates at once.
pub(crate) const LANES: usize = crate::back::simd::LANES;

/// Directions whose products with all coordinates are summed in one pass: enough that no sum waits for itself.
pub(crate) const AXES: usize = 2;

/// Defines a function with versions that are compiled for AVX2 and AVX-512.
macro_rules! wide {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        pub(crate) fn $name($($arg: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($arg: $kind),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,avx512f,avx512dq,avx512vl,avx512bw")]
                fn avx512($($arg: $kind),*) $(-> $result)? {
                    plain($($arg),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $kind),*) $(-> $result)? {
                    plain($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                {
                    // SAFETY: the features were just detected.
                    return unsafe { avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the feature was just detected.
                    return unsafe { avx2($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
}

pub(crate) use wide;

/// Keeps the compiler from making vectors of several coordinates, whose numbers it would gather: the lanes are the
/// vectors.
#[inline(always)]
fn one_at_a_time() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

wide! {
    /// momentum += kick · gradient, then position += drift · inv_mass · momentum.
    fn kick_drift(
        position: &mut [f64],
        momentum: &mut [f64],
        gradient: &[f64],
        inv_mass: &[f64],
        kick: f64,
        drift: f64,
    ) {
        let (q, _) = position.as_chunks_mut::<LANES>();
        let (p, _) = momentum.as_chunks_mut::<LANES>();
        let (g, _) = gradient.as_chunks::<LANES>();
        for (((q, p), g), v) in q.iter_mut().zip(p).zip(g).zip(inv_mass) {
            one_at_a_time();
            let scale = drift * v;
            for lane in 0..LANES {
                p[lane] += kick * g[lane];
                q[lane] += scale * p[lane];
            }
        }
    }
}

wide! {
    /// momentum += kick · gradient.
    fn kick(momentum: &mut [f64], gradient: &[f64], kick: f64) {
        for (p, g) in momentum.iter_mut().zip(gradient) {
            *p += kick * g;
        }
    }
}

wide! {
    /// energy = ½ Σ inv_mass · momentum² − log_density, per lane.
    fn energies(energy: &mut [f64; LANES], momentum: &[f64], inv_mass: &[f64], log_density: &[f64; LANES]) {
        let mut sum = [0.0; LANES];
        let (p, _) = momentum.as_chunks::<LANES>();
        for (p, v) in p.iter().zip(inv_mass) {
            one_at_a_time();
            for lane in 0..LANES {
                sum[lane] += v * p[lane] * p[lane];
            }
        }
        for lane in 0..LANES {
            energy[lane] = 0.5 * sum[lane] - log_density[lane];
        }
    }
}

wide! {
    /// to = from in the lanes that `take`s.
    fn take_lanes(to: &mut [f64], from: &[f64], take: &[bool; LANES]) {
        let (to, _) = to.as_chunks_mut::<LANES>();
        let (from, _) = from.as_chunks::<LANES>();
        for (to, from) in to.iter_mut().zip(from) {
            one_at_a_time();
            for lane in 0..LANES {
                to[lane] = if take[lane] { from[lane] } else { to[lane] };
            }
        }
    }
}

wide! {
    /// along = Σ axis · value over the coordinates, for each of [`AXES`] axes (`[dim][axis]`), per lane.
    fn project(along: &mut [[f64; LANES]; AXES], axes: &[f64], values: &[f64]) {
        let mut sum = [[0.0; LANES]; AXES];
        let (values, _) = values.as_chunks::<LANES>();
        let (axes, _) = axes.as_chunks::<AXES>();
        for (value, axes) in values.iter().zip(axes) {
            one_at_a_time();
            for (sum, axis) in sum.iter_mut().zip(axes) {
                for lane in 0..LANES {
                    sum[lane] += axis * value[lane];
                }
            }
        }
        *along = sum;
    }
}

wide! {
    /// values += axis · along, for each of [`AXES`] axes (`[dim][axis]`).
    fn add_axes(values: &mut [f64], axes: &[f64], along: &[[f64; LANES]; AXES]) {
        let (values, _) = values.as_chunks_mut::<LANES>();
        let (axes, _) = axes.as_chunks::<AXES>();
        for (value, axes) in values.iter_mut().zip(axes) {
            one_at_a_time();
            let mut sum = *value;
            for (along, axis) in along.iter().zip(axes) {
                for lane in 0..LANES {
                    sum[lane] += axis * along[lane];
                }
            }
            *value = sum;
        }
    }
}
