"""Computes predictions again in numpy, from the draws in fit files, and compares them with `tadpool predict`.

Usage: check_predict.py TADPOOL M12_5.nc M12_2.nc CHIMPANZEES.csv REEDFROGS.csv, as tests/run calls it.

What has no randomness of its own must agree to rounding, draw by draw: actor 2 over the four treatments, the average
actor, the average marginal effect, the survival of known tanks. What is drawn anew (50 new actors, new outcomes, a group
left open) is compared to Monte Carlo error: |z| below 5 for each of at most some hundred numbers, which chance exceeds
less than once in ten thousand runs; seeds are fixed, so a run that passes passes always.
"""

import csv
import io
import subprocess
import sys

import arviz
import numpy as np
from scipy import stats
from scipy.special import expit

TREATMENTS = [(0, 0), (0, 1), (1, 0), (1, 1)]
GRID = "prosoc_left=0,1 condition=0,1"
Z = 5.0
# Sums of a few terms in double precision: some roundings.
EXACT = 1e-12
faults = []


def check(held, what):
    print(f"  {'ok' if held else 'FAULT'}: {what}")
    if not held:
        faults.append(what)


def predict(program, fit, *flags):
    """The rows that `tadpool predict` writes, as dictionaries."""
    command = [program, "predict", fit, "--quiet", *flags]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(csv.DictReader(io.StringIO(text)))


def drawn(row):
    """The columns of draws of a row."""
    return np.array([float(value) for name, value in row.items() if name.startswith("draw_")])


def summary(row):
    return np.array([float(row[name]) for name in ["mean", "sd", "lower", "upper"]])


def hdi(draws, prob=0.89):
    """The narrowest interval between order statistics that lie floor(prob * n) apart."""
    ordered = np.sort(draws)
    apart = int(np.floor(prob * len(ordered)))
    widths = ordered[apart:] - ordered[: len(ordered) - apart]
    at = int(np.argmin(widths))
    return ordered[at], ordered[at + apart]


def expected_summary(draws):
    return np.array([draws.mean(), draws.std(ddof=1), *hdi(draws)])


def pooled(posterior, name, **labels):
    """Draws of a parameter, chain after chain; an element by its label."""
    array = posterior[name]
    if labels:
        array = array.sel(**labels)
    return np.asarray(array, dtype=float).reshape(-1)


def known_actor(program, fit, posterior, slope):
    rows = predict(program, fit, "--kind", "prob", "--grid", f"{GRID} actor=2 block=1", "--draws", "4000")
    place = pooled(posterior, "a") + pooled(posterior, "a_actor", actor=2) + pooled(posterior, "a_block", block=1)
    check(len(rows) == 4, "actor 2 has four treatments")
    for row, treatment in zip(rows, TREATMENTS):
        expected = expit(place + slope(*treatment))
        off = np.max(np.abs(drawn(row) - expected))
        check(off <= EXACT, f"actor 2, treatment {treatment}: every draw, off by {off:.1e}")
        off = np.max(np.abs(summary(row) - expected_summary(expected)))
        check(off <= 1e-9, f"actor 2, treatment {treatment}: mean, sd and interval, off by {off:.1e}")


def average_actor(program, fit, posterior, slope):
    grid = f"{GRID} actor=new block=new"
    rows = predict(program, fit, "--kind", "prob", "--groups", "average", "--grid", grid, "--draws", "4000")
    for row, treatment in zip(rows, TREATMENTS):
        expected = expit(pooled(posterior, "a") + slope(*treatment))
        off = np.max(np.abs(drawn(row) - expected))
        check(off <= EXACT, f"the average actor, treatment {treatment}: every draw, off by {off:.1e}")


def new_actors(program, fit, posterior, slope):
    labels = [f"new{actor}" for actor in range(50)]
    grid = f"actor={','.join(labels)} {GRID} block=1"
    place = pooled(posterior, "a") + pooled(posterior, "a_block", block=1)
    sigma = pooled(posterior, "sigma_actor")
    rows = predict(program, fit, "--kind", "link", "--grid", grid, "--draws", "4000")
    links = np.array([drawn(row) for row in rows]).reshape(50, 4, -1)
    effects = np.array([links[:, i] - place - slope(*treatment) for i, treatment in enumerate(TREATMENTS)])
    off = np.max(np.abs(effects - effects[0]))
    check(off <= 1e-9, f"a new actor is the same in all treatments, off by {off:.1e}")
    standardised = effects[0] / sigma
    p = stats.kstest(standardised.reshape(-1), "norm").pvalue
    check(p > 1e-4, f"new actors are Normal(0, sigma_actor): Kolmogorov-Smirnov p {p:.3f}")
    r = np.max(np.abs(np.corrcoef(standardised)[np.triu_indices(50, 1)])) * np.sqrt(standardised.shape[1])
    check(r < Z, f"new actors are independent of each other: largest |z| of 1225 correlations {r:.2f}")
    # Both means are over the same draws of the posterior; what differs is the actors, one in each draw.
    rows = predict(program, fit, "--kind", "prob", "--grid", grid)
    means = np.array([float(row["mean"]) for row in rows]).reshape(50, 4)
    spreads = np.array([float(row["sd"]) for row in rows]).reshape(50, 4)
    own = place + np.random.default_rng(1).normal(size=(200, len(sigma))) * sigma
    for i, treatment in enumerate(TREATMENTS):
        expected = expit(own + slope(*treatment))
        within = np.sqrt(np.mean(expected.var(axis=0, ddof=1)) / len(sigma))
        z = np.max(np.abs(means[:, i] - expected.mean())) / (within * np.sqrt(1 + 1 / 200))
        check(z < Z, f"50 new actors, treatment {treatment}: largest |z| of their means {z:.2f}")
        ours = spreads[:, i].mean()
        each = expected.std(axis=1, ddof=1)
        z = abs(ours - each.mean()) / (each.std(ddof=1) * np.sqrt(1 / 50 + 1 / 200))
        check(z < Z, f"50 new actors, treatment {treatment}: spread {ours:.4f}, numpy {each.mean():.4f}, |z| {z:.2f}")


def any_actor(program, fit, posterior, slope):
    rows = predict(program, fit, "--kind", "link", "--grid", f"{GRID} block=1", "--draws", "4000")
    place = pooled(posterior, "a") + pooled(posterior, "a_block", block=1)
    actors = np.array([pooled(posterior, "a_actor", actor=actor) for actor in range(1, 8)])
    distances = np.abs(actors + place + slope(0, 0) - drawn(rows[0]))
    check(np.max(distances.min(axis=0)) <= EXACT, "without the column `actor` each draw is that of one of the seven")
    counts = np.bincount(distances.argmin(axis=0), minlength=7)
    p = stats.chisquare(counts).pvalue
    check(p > 1e-4, f"and all seven are as likely: {counts.tolist()}, p {p:.3f}")


def marginal_effect(program, fit, posterior, slope, table):
    (row,) = predict(program, fit, "--contrast", "condition=1 - condition=0", "--draws", "4000")
    with open(table, encoding="utf-8") as file:
        data = list(csv.DictReader(file))
    sides = []
    for condition in [1, 0]:
        side = np.zeros(4000)
        for line in data:
            place = pooled(posterior, "a")
            place = place + pooled(posterior, "a_actor", actor=int(line["actor"]))
            place = place + pooled(posterior, "a_block", block=int(line["block"]))
            side += expit(place + slope(int(line["prosoc_left"]), condition))
        sides.append(side / len(data))
    off = np.max(np.abs(drawn(row) - (sides[0] - sides[1])))
    check(off <= 1e-11, f"the average marginal effect of the condition over 504 rows: every draw, off by {off:.1e}")


def tanks(program, fit, posterior, table):
    with open(table, encoding="utf-8") as file:
        data = list(csv.DictReader(file))
    means = predict(program, fit, "--kind", "mean", "--draws", "4000")
    replicas = predict(program, fit, "--kind", "response", "--draws", "4000")
    check(len(means) == len(data) == 48, "48 tanks are predicted")
    worst = worst_z = worst_spread = 0.0
    counts = True
    for tank, (mean, replica, line) in enumerate(zip(means, replicas, data), start=1):
        n = int(line["density"])
        p = expit(pooled(posterior, "a_tank", tank=tank))
        worst = max(worst, np.max(np.abs(drawn(mean) - n * p)))
        y = drawn(replica)
        # Given the draws of p, a new outcome is Binomial(n, p).
        variances = n * p * (1 - p)
        worst_z = max(worst_z, abs(np.sum(y - n * p)) / np.sqrt(variances.sum()))
        fourth = variances * (1 + 3 * (n - 2) * p * (1 - p))
        spread = np.sum((y - n * p) ** 2 - variances) / np.sqrt(np.sum(fourth - variances**2))
        worst_spread = max(worst_spread, abs(spread))
        counts = counts and bool(np.all((y >= 0) & (y <= n) & (y == np.floor(y))))
    check(counts, "new outcomes are counts up to the number of tadpoles")
    check(worst <= 1e-11, f"n p of 48 tanks: every draw, off by {worst:.1e}")
    check(worst_z < Z, f"new outcomes of 48 tanks: largest |z| of the means {worst_z:.2f}")
    check(worst_spread < Z, f"new outcomes of 48 tanks: largest |z| of the variances {worst_spread:.2f}")


def main():
    program, chimpanzees, reedfrogs, trials, ponds = sys.argv[1:]
    posterior = arviz.from_netcdf(chimpanzees).posterior
    bp, bpc = pooled(posterior, "bp"), pooled(posterior, "bpC")

    def slope(prosoc_left, condition):
        return (bp + bpc * condition) * prosoc_left

    known_actor(program, chimpanzees, posterior, slope)
    average_actor(program, chimpanzees, posterior, slope)
    new_actors(program, chimpanzees, posterior, slope)
    any_actor(program, chimpanzees, posterior, slope)
    marginal_effect(program, chimpanzees, posterior, slope, trials)
    tanks(program, reedfrogs, arviz.from_netcdf(reedfrogs).posterior, ponds)
    if faults:
        sys.exit(f"check_predict: {len(faults)} faults")
    print(f"check_predict: numpy {np.__version__} agrees")


main()
