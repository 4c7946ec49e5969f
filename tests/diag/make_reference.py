"""Writes reference.csv: the diagnostics of fixed draws by ArviZ, which main.rs compares with ours.

Run with arviz 0.23.4, arviz-stats 0.8.0, numpy 2.4, scipy 1.17:  python make_reference.py > reference.csv

The draws come from SplitMix64 and the four operations alone, so that Python and Rust make the same bits; main.rs holds
the same recipes under the same names. What comes from where:

- arviz-stats: ESS, MCSE of mean and quantiles, HDI, equal-tailed interval, nested R-hat, E-BFMI;
- R-hat: arviz-stats' bulk R-hat of x and of |x - median(x)|, so folding comes before splitting as in R's posterior
  (arviz-stats' own "rank" splits first). For a single chain, its two halves ranked by scipy;
- basic nested R-hat: arviz-stats with method "identity", which is posterior's rhat_nested;
- MCSE of the sd: arviz 0.23.4, which has posterior's definition (arviz-stats uses the ESS of the mean).
"""

import sys
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("ignore")
import arviz
from arviz_stats.base import array_stats

AXES = {"chain_axis": 0, "draw_axis": 1}
MASK = (1 << 64) - 1


class SplitMix64:
    """Steele, Lea, Flood 2014."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def bell(self):
        """Nearly normal: the sum of four uniforms, centred."""
        total = -2.0
        for _ in range(4):
            total += self.uniform()
        return total


def autoregressive(seed, chains, draws, phi):
    rng = SplitMix64(seed)
    out = np.empty((chains, draws))
    for c in range(chains):
        x = 0.0
        for d in range(draws):
            x = phi * x + rng.bell()
            out[c, d] = x
    return out


def heavy(seed, chains, draws):
    rng = SplitMix64(seed)
    ratio = lambda: rng.bell() / (rng.uniform() + 2.0**-30)
    return np.array([[ratio() for _ in range(draws)] for _ in range(chains)])


def ties(seed, chains, draws):
    return np.floor(autoregressive(seed, chains, draws, 0.5) * 2.0)


def shifted(seed, chains, draws):
    x = autoregressive(seed, chains, draws, 0.3)
    x[0] += 1.5
    return x


def stuck(seed, chains, draws):
    x = autoregressive(seed, chains, draws, 0.3)
    x[0] = 0.25
    return x


# name, draws, chains per superchain (0: none)
CASES = [
    ("ar_slow", autoregressive(1, 4, 1000, 0.9), 2),
    ("ar_antithetic", autoregressive(2, 4, 1000, -0.6), 2),
    ("independent", autoregressive(3, 4, 1000, 0.0), 1),
    ("heavy", heavy(4, 4, 500), 2),
    ("ties", ties(5, 4, 250), 2),
    ("odd", autoregressive(6, 6, 333, 0.5), 3),
    ("odd_ties", ties(7, 3, 251), 1),
    ("odd_slow", autoregressive(8, 2, 103, 0.999), 1),
    ("short_many", autoregressive(9, 1024, 100, 0.4), 16),
    ("one_chain", autoregressive(10, 1, 400, 0.7), 0),
    ("shifted", shifted(11, 4, 200), 2),
    ("stuck", stuck(12, 4, 200), 2),
    ("tiny", autoregressive(13, 3, 4, 0.0), 1),
    ("tiny_odd", autoregressive(14, 4, 5, 0.0), 2),
]


def bulk_rhat(x):
    if len(x) > 1:
        return array_stats.rhat(x, method="z_scale", **AXES)
    half = x.shape[1] // 2
    halves = np.vstack((x[:, :half], x[:, -half:]))
    rank = stats.rankdata(halves, method="average")
    z = stats.norm.ppf((rank - 0.375) / (halves.size + 0.25)).reshape(halves.shape)
    return array_stats.rhat(z, method="identity", **AXES)


def diagnostics(x, per_superchain):
    ess = lambda method, **kw: array_stats.ess(x, method=method, **kw, **AXES)
    mcse = lambda method, **kw: array_stats.mcse(x, method=method, **kw, **AXES)
    flat = x.ravel()
    yield "mean", x.mean()
    yield "sd", x.std(ddof=1)
    yield "median", np.median(x)
    yield "rhat_bulk", bulk_rhat(x)
    yield "rhat_folded", bulk_rhat(abs(x - np.median(x)))
    yield "ess_bulk", ess("bulk")
    yield "ess_tail", ess("tail", prob=(0.05, 0.95))
    yield "ess_mean", ess("mean")
    yield "ess_sd", ess("sd")
    yield "ess_q10", ess("quantile", prob=0.1)
    yield "ess_q50", ess("quantile", prob=0.5)
    yield "mcse_mean", mcse("mean")
    yield "mcse_sd", arviz.mcse(x, method="sd")
    yield "mcse_q10", mcse("quantile", prob=0.1)
    yield "mcse_median", mcse("median")
    for prob in (0.5, 0.89):
        percent = round(100 * prob)
        low, high = array_stats.hdi(flat, prob, method="nearest")
        yield f"hdi{percent}_low", low
        yield f"hdi{percent}_high", high
        low, high = array_stats.eti(flat, prob)
        yield f"eti{percent}_low", low
        yield f"eti{percent}_high", high
    if per_superchain:
        ids = np.arange(len(x)) // per_superchain
        yield "rhat_nested", array_stats.rhat_nested(x, ids, method="rank", **AXES)
        yield "rhat_nested_basic", array_stats.rhat_nested(x, ids, method="identity", **AXES)
    for c, value in enumerate(array_stats.bfmi(x, **AXES) if len(x) < 10 else []):
        yield f"ebfmi[{c}]", value


print("case,chains,draws,per_superchain,quantity,value")
for name, x, per_superchain in CASES:
    for quantity, value in diagnostics(x, per_superchain):
        print(name, *x.shape, per_superchain, quantity, repr(float(value)), sep=",")
    print(name, file=sys.stderr)
