"""Simulates two tables: a large one, and one of groups whose slopes vary with their intercepts.

    python simulate.py FOLDER       writes FOLDER/groups.csv and FOLDER/slopes.csv

The seeds are fixed: the files are the same wherever they are made.
"""

import os
import sys

import numpy as np

ROWS, GROUPS = 100_000, 2_000
SEED = 20_261_122

SLOPES_GROUPS, SLOPES_ROWS = 200, (10, 20)
SLOPES_SEED = 20_261_128


def groups(path):
    """Bernoulli outcomes in groups of equal size, with two continuous covariates: y, group, x, z.

    No two rows are equal, so none can be merged.
    """
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


def slopes(path):
    """Normal outcomes in groups of 10 to 20 rows, intercept and slope of a group correlated by -0.4: y, group, x."""
    rng = np.random.default_rng(SLOPES_SEED)
    sd, correlation = np.array([0.8, 0.4]), -0.4
    covariance = np.outer(sd, sd) * np.array([[1.0, correlation], [correlation, 1.0]])
    effects = rng.multivariate_normal([1.0, 0.5], covariance, SLOPES_GROUPS)
    low, high = SLOPES_ROWS
    group = np.repeat(np.arange(SLOPES_GROUPS), rng.integers(low, high, SLOPES_GROUPS, endpoint=True))
    x = rng.normal(size=len(group))
    y = effects[group, 0] + effects[group, 1] * x + rng.normal(size=len(group))
    with open(path, "w", encoding="utf-8") as out:
        out.write("y,group,x\n")
        for row in zip(y, group + 1, x):
            out.write("%.6f,%d,%.6f\n" % row)


if __name__ == "__main__":
    groups(os.path.join(sys.argv[1], "groups.csv"))
    slopes(os.path.join(sys.argv[1], "slopes.csv"))
