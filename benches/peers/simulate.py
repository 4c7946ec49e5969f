"""Simulates the large table: Bernoulli outcomes of 100,000 rows in 2,000 groups, with two continuous covariates.

No two rows are equal, so none can be merged. The seed is fixed: the file is the same wherever it is made.
"""

import sys

import numpy as np

ROWS, GROUPS = 100_000, 2_000
SEED = 20_261_122


def simulate(path):
    """Writes the table to `path` as CSV: y, group, x, z."""
    rng = np.random.default_rng(SEED)
    effect = rng.normal(-0.5, 0.8, GROUPS)
    group = np.repeat(np.arange(GROUPS), ROWS // GROUPS)
    x, z = rng.normal(size=ROWS), rng.normal(size=ROWS)
    logit = effect[group] + 0.6 * x - 0.3 * z
    y = rng.random(ROWS) < 1.0 / (1.0 + np.exp(-logit))
    with open(path, "w", encoding="utf-8") as out:
        out.write("y,group,x,z\n")
        for row in zip(y, group + 1, x, z):
            out.write("%d,%d,%.6f,%.6f\n" % row)


if __name__ == "__main__":
    simulate(sys.argv[1])
