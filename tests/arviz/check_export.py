"""Reads the files of `tadpool export` by polars, CmdStanPy, ArviZ and R's posterior, and compares with the fit file.

Usage: check_export.py TADPOOL RSCRIPT M12_5.nc CHIMPANZEES.csv, as tests/run calls it.

What Python reads must be the same bits as in the fit file; R's `read.csv` rounds the last digit of some numbers.
"""

import csv
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import arviz
import cmdstanpy
import numpy as np
import polars

# Two indices, whose labels are not all 1, 2, 3, …; the order of columns differs between tadpool and Stan.
CROSSED = """pulled_left ~ Bernoulli(p)
logit(p) = b[actor, condition]
b[actor, condition] ~ Normal(0, 2)
"""
program, rscript, m12_5, chimpanzees = sys.argv[1:]
faults = []


def check(held, what):
    print(f"  {'ok' if held else 'FAULT'}: {what}")
    if not held:
        faults.append(what)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def same(found, expected):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return found.shape == expected.shape and np.array_equal(found, expected, equal_nan=True)


def columns(posterior):
    """Printed name and draws, chain after chain, of every number."""
    for name, variable in posterior.data_vars.items():
        dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        labels = itertools.product(*(variable[dim].values for dim in dims))
        values = variable.values.reshape(variable.sizes["chain"] * variable.sizes["draw"], -1)
        for place, label in enumerate(labels):
            brackets = f"[{','.join(map(str, label))}]" if dims else ""
            yield name + brackets, values[:, place]


def check_tables(fit, folder):
    posterior = arviz.from_netcdf(fit).posterior
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    expected = dict(columns(posterior))
    for form, read in [("csv", polars.read_csv), ("parquet", polars.read_parquet)]:
        path = folder / f"table.{form}"
        run(program, "export", fit, "--to", form, "--out", str(path))
        table = read(path)
        check(table.columns == [".chain", ".iteration", ".draw", *expected], f"polars: names of the {form}")
        check(same(table[".chain"], np.repeat(np.arange(1, chains + 1), draws)), f"polars: .chain of the {form}")
        check(same(table[".iteration"], np.tile(np.arange(1, draws + 1), chains)), f"polars: .iteration of the {form}")
        check(same(table[".draw"], np.arange(1, chains * draws + 1)), f"polars: .draw of the {form}")
        check(all(same(table[name], values) for name, values in expected.items()), f"polars: draws of the {form}")
    read = json.loads(run(rscript, "tests/r/read_export.R", str(folder / "table.csv")))
    check((read["chains"], read["iterations"]) == (chains, draws), "posterior: chains and iterations")
    check(read["names"] == list(expected), "posterior: names")
    means = [values.mean() for values in expected.values()]
    check(np.allclose(read["mean"], means, rtol=1e-12, atol=1e-14), "posterior: means")
    summary = list(csv.DictReader(run(program, "summary", fit, "--format", "csv").splitlines()))
    for key in ["rhat", "ess_bulk"]:
        ours = [float(row[key]) for row in summary]
        check(np.allclose(read[key], ours, rtol=1e-6), f"posterior: {key} as tadpool's summary has it")


def check_cmdstan(fit, folder):
    data = arviz.from_netcdf(fit)
    posterior, stats = data.posterior, data.sample_stats
    paths = run(program, "export", fit, "--to", "cmdstan", "--out", str(folder / "stan.csv")).split()
    check(len(paths) == posterior.sizes["chain"], "a file for each chain")
    stan = cmdstanpy.from_csv(paths)
    sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
    check((stan.chains, stan.num_draws_sampling) == sizes, "CmdStanPy: chains and draws")
    for name, variable in posterior.data_vars.items():
        expected = variable.values.reshape(sizes[0] * sizes[1], *variable.shape[2:])
        check(same(stan.stan_variable(name), expected), f"CmdStanPy: {name}")
    method = stan.method_variables()
    for theirs, ours in [
        ("lp__", "lp"),
        ("accept_stat__", "acceptance_rate"),
        ("stepsize__", "step_size"),
        ("n_leapfrog__", "n_steps"),
        ("divergent__", "diverging"),
        ("energy__", "energy"),
    ]:
        check(same(method[theirs].T, stats[ours].values), f"CmdStanPy: {theirs}")
    check(same(stan.divergences, stats["diverging"].values.sum(axis=1)), "CmdStanPy: divergences")
    check(same(stan.step_size, stats["step_size"].values[:, -1]), "CmdStanPy: step sizes")
    # The direct reader left ArviZ with 1.0.
    if hasattr(arviz, "from_cmdstan"):
        read = arviz.from_cmdstan(paths)
    else:
        read = arviz.from_cmdstanpy(stan)
    for name, variable in posterior.data_vars.items():
        check(same(read.posterior[name].values, variable.values), f"ArviZ: {name}")
    for name in ["lp", "acceptance_rate", "step_size", "n_steps", "diverging", "energy"]:
        check(same(read.sample_stats[name].values, stats[name].values), f"ArviZ: {name}")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    model, crossed = folder / "crossed.tad", str(folder / "crossed.nc")
    model.write_text(CROSSED)
    run(program, "fit", str(model), "--data", chimpanzees, "--out", crossed, "--draws", "200", "--warmup", "200")
    for fit in [m12_5, crossed]:
        print(f" {pathlib.Path(fit).stem}")
        check_tables(fit, folder)
        check_cmdstan(fit, folder)
    head = (folder / "stan_1.csv").read_text()
    check("# levels of condition: 0, 1\n" in head, "labels that are not counted from 1 are told")

if faults:
    sys.exit(f"{len(faults)} faults")
