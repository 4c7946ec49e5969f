//! Leaving out iterations on the host, for engines that return all of them.

use super::IterationResult;

/// Keeps the last of every few iterations, with the divergences of all of them.
#[derive(Debug)]
pub(super) struct Thinner {
    thin: u32,
    since_kept: u32,
    /// Of the iterations since the last one that was kept; empty before the first.
    is_divergent: Vec<bool>,
    divergences: u64,
}

impl Thinner {
    /// Keeps the last of every `thin` iterations.
    pub(super) fn new(thin: u32) -> Self {
        Self {
            thin: thin.max(1),
            since_kept: 0,
            is_divergent: Vec::new(),
            divergences: 0,
        }
    }

    /// The next iteration's result, if it is to be kept.
    pub(super) fn keep(&mut self, mut result: IterationResult) -> Option<IterationResult> {
        if self.thin == 1 {
            return Some(result);
        }
        self.divergences += result.divergences;
        self.is_divergent.resize(result.is_divergent.len(), false);
        for (since, now) in self.is_divergent.iter_mut().zip(&result.is_divergent) {
            *since |= now;
        }
        self.since_kept += 1;
        if self.since_kept < self.thin {
            return None;
        }
        self.since_kept = 0;
        result.divergences = std::mem::take(&mut self.divergences);
        std::mem::swap(&mut result.is_divergent, &mut self.is_divergent);
        self.is_divergent.fill(false);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergences_of_all_iterations_are_those_of_the_kept_one() {
        let mut thinner = Thinner::new(3);
        let result = |chain: Option<usize>| {
            let mut result = IterationResult::zeros(2, 1);
            if let Some(chain) = chain {
                result.is_divergent[chain] = true;
                result.divergences = 1;
            }
            result
        };
        assert_eq!(thinner.keep(result(Some(1))), None);
        assert_eq!(thinner.keep(result(Some(1))), None);
        let kept = thinner.keep(result(None)).expect("the third");
        assert_eq!(
            (&kept.is_divergent[..], kept.divergences),
            (&[false, true][..], 2)
        );
        assert_eq!(thinner.keep(result(None)), None);
        assert_eq!(thinner.keep(result(Some(0))), None);
        let kept = thinner.keep(result(None)).expect("the sixth");
        assert_eq!(
            (&kept.is_divergent[..], kept.divergences),
            (&[true, false][..], 1)
        );
    }
}
