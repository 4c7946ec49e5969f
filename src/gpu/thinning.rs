//! Which iterations of a run are kept.

/// Of every `thin` iterations the last is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thinning {
    /// At least 1.
    pub(super) thin: u32,
    /// Iterations since the last one that was kept, below `thin`.
    pub(super) since_kept: u32,
}

impl Thinning {
    /// Every iteration is kept.
    pub(super) const NONE: Self = Self {
        thin: 1,
        since_kept: 0,
    };

    /// How many of the next `iterations` are kept.
    pub(super) fn kept_of(self, iterations: usize) -> usize {
        (self.since_kept as usize + iterations) / self.thin as usize
    }

    /// The most iterations of which no more than `kept` are kept.
    pub(super) fn iterations_for(self, kept: usize) -> usize {
        let until = (kept + 1).saturating_mul(self.thin as usize) - 1;
        until - self.since_kept as usize
    }

    /// After `iterations` more.
    pub(super) fn after(self, iterations: usize) -> Self {
        let since_kept = (self.since_kept as usize + iterations) % self.thin as usize;
        Self {
            since_kept: since_kept as u32,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_every_few_is_kept_wherever_the_run_is_cut() {
        let thinning = Thinning {
            thin: 4,
            since_kept: 0,
        };
        let mut at = thinning;
        let mut kept = 0;
        for iterations in [3, 2, 7, 4, 1, 0, 5] {
            kept += at.kept_of(iterations);
            at = at.after(iterations);
        }
        assert_eq!((kept, at), (thinning.kept_of(22), thinning.after(22)));
        assert_eq!(thinning.kept_of(22), 5);
        let later = thinning.after(3);
        assert_eq!(
            (
                later.kept_of(later.iterations_for(2)),
                later.kept_of(later.iterations_for(2) + 1)
            ),
            (2, 3)
        );
        assert_eq!(Thinning::NONE.kept_of(7), 7);
    }
}
