"""Compares the diagnostics that tadpool prints with ArviZ's own, from the same fit file.

Usage: check_fit.py FIT.nc SUMMARY.json, where SUMMARY.json is what `tadpool summary FIT.nc --format json` printed.

Opens the file with `arviz.from_netcdf`, checks groups, axes and coordinates, and compares R-hat, ESS (bulk, tail) and
the Monte Carlo standard errors (mean, sd) of every printed parameter. Works with ArviZ 0.2x (InferenceData) and 1.x
(DataTree). Exits with 1 and lists what differs.
"""

import itertools
import json
import math
import sys
import unicodedata

import arviz
import numpy as np

GROUPS = ["posterior", "sample_stats", "observed_data", "constant_data"]
STATS = ["diverging", "energy", "lp", "acceptance_rate", "step_size", "n_steps"]
# The same formulas in double precision, whose sums run in another order: 1e-6 leaves room for a thousand times that.
TOLERANCE = 1e-6
MEASURES = {
    "mean": np.mean,
    "sd": lambda draws: np.std(draws, ddof=1),
    "rhat": lambda draws: arviz.rhat(draws, method="rank"),
    "ess_bulk": lambda draws: arviz.ess(draws, method="bulk"),
    "ess_tail": lambda draws: arviz.ess(draws, method="tail", prob=(0.05, 0.95)),
    "mcse_mean": lambda draws: arviz.mcse(draws, method="mean"),
    "mcse_sd": lambda draws: arviz.mcse(draws, method="sd"),
}


def escaped(sign):
    """A sign inside quotes, as tadpool escapes it."""
    named = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    if sign in named:
        return named[sign]
    return f"\\u{{{ord(sign):x}}}" if unicodedata.category(sign) == "Cc" else sign


def printed_label(label):
    """A label as tadpool prints it: quoted where it would not be plain in brackets."""
    text = str(label)
    plain = text == text.strip() and text != ""
    if plain and not any(sign in ',[]"\\' or unicodedata.category(sign) == "Cc" for sign in text):
        return text
    return '"' + "".join(map(escaped, text)) + '"'


def elements(posterior):
    """Yields each printed name and its draws."""
    for name, array in posterior.data_vars.items():
        name = array.attrs.get("tadpool_name", name)
        plates = array.dims[2:]
        true_names = [posterior[plate].attrs.get("tadpool_name", plate) for plate in plates]
        values = np.asarray(array, dtype=float)
        for index in itertools.product(*(range(size) for size in values.shape[2:])):
            # The pairs of a correlation matrix stand in brackets as they are: Rho[1,2].
            labels = [
                str(posterior[plate].values[i]) if plate_name.endswith(":pair") else printed_label(posterior[plate].values[i])
                for plate, plate_name, i in zip(plates, true_names, index)
            ]
            shown = f"{name}[{','.join(labels)}]" if labels else name
            yield shown, values[(slice(None), slice(None), *index)]


def differs(found, expected):
    """Whether a number disagrees with its JSON, where null stands for a number that does not exist."""
    if expected is None:
        return math.isfinite(found)
    return not math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=1e-12)


def check_shape(data, summary):
    """What is wrong with groups, axes and coordinates."""
    missing = [f"the group {name} is missing" for name in GROUPS if not hasattr(data, name)]
    if missing:
        return missing
    faults = []
    expected = {"chain": list(range(summary["chains"])), "draw": list(range(summary["draws"]))}
    for group_name in ["posterior", "sample_stats"]:
        group = getattr(data, group_name)
        for dim, values in expected.items():
            if group[dim].values.tolist() != values:
                faults.append(f"{group_name}: the coordinate {dim} is not 0 to {len(values) - 1}")
        for name, array in group.data_vars.items():
            if tuple(array.dims[:2]) != ("chain", "draw"):
                faults.append(f"{group_name}/{name} has the axes {array.dims}")
            faults += [f"{group_name}/{name}: {dim} has no labels" for dim in array.dims if dim not in group.coords]
    for name in STATS:
        if name not in data.sample_stats:
            faults.append(f"sample_stats/{name} is missing")
    divergences = int(np.asarray(data.sample_stats["diverging"]).sum())
    if divergences != summary["diagnostics"]["divergences"]:
        faults.append(f"{divergences} divergences are stored, {summary['diagnostics']['divergences']} were printed")
    for name in ["tadpool_version", "model_text", "expansion", "command", "data_fingerprint", "seed"]:
        if name not in data.attrs:
            faults.append(f"the attribute {name} is missing")
    return faults


def check_numbers(posterior, summary):
    """What is wrong with the parameters."""
    faults = []
    printed = {parameter["name"]: parameter for parameter in summary["parameters"]}
    if len(printed) != len(summary["parameters"]):
        faults.append("two printed parameters have one name")
    for name, draws in elements(posterior):
        parameter = printed.pop(name, None)
        if parameter is None:
            faults.append(f"{name} is stored but was not printed")
            continue
        for measure, compute in MEASURES.items():
            found = float(np.asarray(compute(draws)))
            if differs(found, parameter[measure]):
                faults.append(f"{name}: {measure} is {parameter[measure]}, ArviZ says {found}")
    faults += [f"{name} was printed but is not stored" for name in printed]
    return faults


def main():
    path, beside = sys.argv[1:]
    with open(beside, encoding="utf-8") as file:
        summary = json.load(file)
    data = arviz.from_netcdf(path)
    faults = check_shape(data, summary)
    if not faults:
        faults = check_numbers(data.posterior, summary)
    for fault in faults:
        print(f"check_fit: {fault}")
    if faults:
        sys.exit(f"check_fit: {len(faults)} faults in {path}")
    print(f"check_fit: ArviZ {arviz.__version__} agrees on {len(summary['parameters'])} parameters of {path}")


main()
