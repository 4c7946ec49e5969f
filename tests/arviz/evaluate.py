"""What arviz-stats makes of the draws in a JSON file, as JSON on stdout.

Usage: evaluate.py INPUT.json, as tests/elpd/peers.rs runs it. The input holds `chains`, `quantities` (a list of name and
values, chain after chain), `log_lik` (for each row its values, chain after chain) and `r_eff` (one for each row).

The lengths of the tails of importance ratios, which R's loo, ArviZ 0.2x and the paper round up, arviz-stats rounds down:
`r_eff` must be such that they are whole numbers.
"""

import json
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
import arviz_stats
from arviz_stats.base import array_stats

AXES = {"chain_axis": 0, "draw_axis": 1}


def diagnostics(x):
    """By the names of tests/elpd/peers.rs.

    R-hat is the bulk R-hat of x and of |x - median(x)|: folding comes before splitting as in R's posterior, where
    arviz-stats' own "rank" splits first. The standard error of the sd, for which arviz-stats takes the ESS of the mean,
    is left to R.
    """
    bulk = lambda x: array_stats.rhat(x, method="z_scale", **AXES)
    ess = lambda method, **kw: array_stats.ess(x, method=method, **kw, **AXES)
    mcse = lambda method, **kw: array_stats.mcse(x, method=method, **kw, **AXES)
    return {
        "rhat": max(bulk(x), bulk(abs(x - np.median(x)))),
        "ess_bulk": ess("bulk"),
        "ess_tail": ess("tail", prob=(0.05, 0.95)),
        "ess_mean": ess("mean"),
        "ess_sd": ess("sd"),
        "ess_q10": ess("quantile", prob=0.1),
        "ess_q50": ess("quantile", prob=0.5),
        "mcse_mean": mcse("mean"),
        "mcse_q10": mcse("quantile", prob=0.1),
        "mcse_median": mcse("median"),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    chains = data["chains"]
    quantities = [
        {name: float(value) for name, value in diagnostics(np.reshape(quantity["values"], (chains, -1))).items()}
        for quantity in data["quantities"]
    ]
    rows = [
        (np.reshape(row, (chains, -1)), r_eff) for row, r_eff in zip(data["log_lik"], data["r_eff"], strict=True)
    ]
    found = [array_stats.loo(row, r_eff=r_eff, **AXES) for row, r_eff in rows]
    result = {
        "versions": f"arviz-stats {arviz_stats.__version__}",
        "quantities": quantities,
        "pareto_k": [float(k) for _, k, _ in found],
        "log_weights": [array_stats.psislw(row.ravel(), r_eff=r_eff)[0].tolist() for row, r_eff in rows],
        "loo": {"elpd": [float(elpd) for elpd, _, _ in found], "p": [float(p) for _, _, p in found]},
    }
    json.dump(result, sys.stdout)


main()
