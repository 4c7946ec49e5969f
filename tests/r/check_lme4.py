"""Fits formulae by lme4 and by tadpool, as typed on the command line, and compares the two.

Usage: check_lme4.py TADPOOL RSCRIPT, as tests/run calls it.

The data sets are simulated by `tadpool simulate` from hand-written models with set parameters, in groups of unequal sizes,
with predictors whose mean is far from 0, so that the level at 0 (`b_Intercept`) and the level at the mean (`Intercept`)
differ by many standard errors. Seeds are fixed, so a run that passes passes always. The default priors are so wide that
they move nothing here.

lme4 has REML or maximum likelihood estimates, tadpool a posterior; with 30 groups or more of each kind:

- fixed effects: posterior means within half a standard error of lme4's estimates. The two would be equal if the
  variances were known; the draws' Monte Carlo error is a fiftieth of a standard error.
- their posterior standard deviations within a quarter of lme4's standard errors. With J groups and a flat prior the
  posterior mean of a variance is about J / (J - 3) times its REML estimate: 5 % in the standard deviation for J = 30, of
  which the rest is for skewness and for lme4's errors, which take the variances as known.
- standard deviations of groups, their correlations and the residual one: lme4's estimates in the 89 % interval. They are
  near the mode of a posterior with that many groups, so chance does not decide.
"""

import csv
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
program, rscript = sys.argv[1:]
faults = []


def check(held, what):
    print(f"  {'ok' if held else 'FAULT'}: {what}")
    if not held:
        faults.append(what)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout


def predictor(stream):
    """Uniform on 1 to 4."""
    return round(1.0 + 3.0 * stream.random(), 3)


def slopes(stream):
    """60 groups of 3 to 20 rows."""
    return [{"g": g, "x": predictor(stream)} for g in range(1, 61) for _ in range(3 + int(18 * stream.random()))]


def counts(stream):
    """80 groups of 2 to 6 rows of 5 to 20 trials."""
    return [
        {"g": g, "n": 5 + int(16 * stream.random()), "x": predictor(stream)}
        for g in range(1, 81)
        for _ in range(2 + int(5 * stream.random()))
    ]


def factor(stream):
    """One of three levels, the first as often as the other two together."""
    return ["control", "control", "high", "low"][int(4 * stream.random())]


def crossed(stream):
    """40 groups a and 30 groups c, a row for half of the pairs."""
    return [
        {"a": a, "c": f"c{c}", "f": factor(stream), "x": predictor(stream)}
        for a in range(1, 41)
        for c in range(1, 31)
        if stream.random() < 0.5
    ]


def nested(stream):
    """40 groups a, in each 2 to 5 groups c of 2 to 5 rows; the labels of c start anew in each a."""
    return [
        {"a": a, "c": c, "pair": f"{a}_{c}", "f": factor(stream), "x": predictor(stream)}
        for a in range(1, 41)
        for c in range(1, 3 + int(4 * stream.random()))
        for _ in range(2 + int(4 * stream.random()))
    ]


BY_FACTOR = """
m[f], s[f] ~ Normal(0, 1)
u[a] ~ Normal(0, sd_a)
sd_a, sd_c, sigma ~ HalfNormal(1)
y ~ Normal(mu, sigma)
"""
BY_FACTOR_SET = ["m[control]=2", "m[high]=0.5", "m[low]=1.5", "s[control]=0.4", "s[high]=1", "s[low]=-0.2"]

# Design, the model that simulates with the parameters set in it, family, the formula for tadpool and for lme4, and the
# names of the varying quantities: tadpool's to lme4's group and terms.
CASES = {
    "correlated slopes": {
        "design": slopes,
        "model": """y ~ Normal(mu, sigma)
mu = a[g] + b[g]*x
[a, b][g] ~ MVNormal([a0, b0], tau, Rho)
a0, b0 ~ Normal(0, 1)
tau[2] ~ HalfNormal(1)
sigma ~ HalfNormal(1)
Rho ~ LKJ(2)
""",
        "set": ["a0=1", "b0=-0.5", "tau[1]=1", "tau[2]=0.5", "Rho[1,2]=-0.3", "sigma=0.7"],
        "family": "gaussian",
        "formula": "y ~ 1 + x + (1 + x | g)",
        "terms": ["(Intercept)", "x"],
        "varying": {
            "sd_g[Intercept]": ("g", "(Intercept)", None),
            "sd_g[x]": ("g", "x", None),
            "cor_g[1,2]": ("g", "(Intercept)", "x"),
            "sigma": ("Residual", None, None),
        },
    },
    "binomial": {
        "design": counts,
        "model": """k ~ Binomial(n, p)
logit(p) = a[g] + b*x
a[g] ~ Normal(a0, sd)
a0, b ~ Normal(0, 1)
sd ~ HalfNormal(1)
""",
        "set": ["a0=1", "b=-0.6", "sd=0.8"],
        "family": "binomial",
        "formula": "k | trials(n) ~ 1 + x + (1 | g)",
        "lme4": "cbind(k, n - k) ~ 1 + x + (1 | g)",
        "terms": ["(Intercept)", "x"],
        "varying": {"sd_g": ("g", "(Intercept)", None)},
    },
    "crossed, with a factor": {
        "design": crossed,
        "model": f"{BY_FACTOR}mu = m[f] + s[f]*x + u[a] + v[c]\nv[c] ~ Normal(0, sd_c)\n",
        "set": [*BY_FACTOR_SET, "sd_a=0.8", "sd_c=0.5", "sigma=1"],
        "family": "gaussian",
        "formula": "y ~ 1 + x*f + (1 | a) + (1 | c)",
        "terms": ["(Intercept)", "x", "fhigh", "flow", "x:fhigh", "x:flow"],
        "varying": {
            "sd_a": ("a", "(Intercept)", None),
            "sd_c": ("c", "(Intercept)", None),
            "sigma": ("Residual", None, None),
        },
    },
    "nested, with a factor": {
        "design": nested,
        "model": f"{BY_FACTOR}mu = m[f] + s[f]*x + u[a] + v[pair]\nv[pair] ~ Normal(0, sd_c)\n",
        "set": [*BY_FACTOR_SET, "sd_a=0.8", "sd_c=0.6", "sigma=0.7"],
        "family": "gaussian",
        "formula": "y ~ 1 + x*f + (1 | a/c)",
        "terms": ["(Intercept)", "x", "fhigh", "flow", "x:fhigh", "x:flow"],
        "varying": {
            "sd_a": ("a", "(Intercept)", None),
            "sd_a_c": ("c:a", "(Intercept)", None),
            "sigma": ("Residual", None, None),
        },
    },
}


def simulated(folder, seed, case):
    """The path of the data set."""
    design, model, data = folder / "design.csv", folder / "truth.tad", folder / "data.csv"
    rows = case["design"](random.Random(seed))
    with open(design, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    model.write_text(case["model"], encoding="utf-8")
    values = [part for value in case["set"] for part in ("--set", value)]
    run(program, "simulate", model, "--data", design, "--seed", str(seed), *values, "--out", data, "--quiet")
    return data


def compare(folder, name, seed, case):
    print(f"{name}: {case['formula']}")
    data = simulated(folder, seed, case)
    asked = [case["family"], case.get("lme4", case["formula"])]
    theirs = json.loads(run(rscript, HERE / "lme4.R", data, *asked))
    line = [program, "fit", case["formula"], "--family", case["family"], "--data", data, "--out", folder / "fit.nc"]
    ours = json.loads(run(*line, "--strict", "--quiet", "--format", "json"))
    drawn = {parameter["name"]: parameter for parameter in ours["parameters"]}
    check(not theirs["complaints"], f"{theirs['version'][0]} converged {' '.join(theirs['complaints'])}")

    check(theirs["terms"] == case["terms"], f"lme4's terms are {', '.join(theirs['terms'])}")
    coefficients = [found for found in drawn if found.startswith("b[")]
    check(coefficients == [f"b[{term}]" for term in case["terms"][1:]], f"tadpool's are {', '.join(coefficients)}")
    for term, estimate, error in zip(theirs["terms"], theirs["estimates"], theirs["errors"]):
        found = drawn["b_Intercept" if term == "(Intercept)" else f"b[{term}]"]
        off, ratio = (found["mean"] - estimate) / error, found["sd"] / error
        told = f"{term}: mean {found['mean']:.3f}, lme4 {estimate:.3f}, {off:+.2f} standard errors; sd {ratio:.2f} of one"
        check(abs(off) < 0.5 and abs(ratio - 1.0) < 0.25, told)

    entries = {(row["grp"], row.get("var1"), row.get("var2")): row["sdcor"] for row in theirs["varying"]}
    check(set(entries) == set(case["varying"].values()), f"lme4's varying quantities are {len(entries)}")
    for ours_name, key in case["varying"].items():
        found = drawn[ours_name]
        told = f"{ours_name}: {found['lower']:.3f} to {found['upper']:.3f}, lme4 {entries[key]:.3f}"
        check(found["lower"] <= entries[key] <= found["upper"], told)


with tempfile.TemporaryDirectory() as folder:
    for seed, (name, case) in enumerate(CASES.items(), start=1):
        compare(pathlib.Path(folder), name, seed, case)
if faults:
    sys.exit(f"{len(faults)} faults")
