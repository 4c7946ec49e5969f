"""Opens a fit file with ArviZ, both engines, compares it with the numbers in a JSON file, and saves it again.

Usage: open_fit.py FIT.nc EXPECTED.json, as tests/fit_file.rs runs it.
"""

import json
import sys

import arviz
import netCDF4
import numpy as np
import xarray


def check(held, what):
    if not held:
        sys.exit(f"open_fit: {what} differs")


def same(array, values, what):
    """Compares bit for bit, but for the infinities, which JSON writes as null like NaN."""
    found = np.asarray(array, dtype=float).ravel()
    expected = np.array([np.nan if value is None else value for value in values], dtype=float)
    found = np.where(np.isfinite(found), found, np.nan)
    check(np.array_equal(found, expected, equal_nan=True), what)


def check_posterior(posterior, expected):
    by_name = {array.attrs.get("tadpool_name", name): array for name, array in posterior.data_vars.items()}
    check(sorted(by_name) == sorted(quantity["name"] for quantity in expected["posterior"]), "the set of quantities")
    for quantity in expected["posterior"]:
        name = quantity["name"]
        array = by_name[name]
        check(array.dims[:2] == ("chain", "draw"), f"the order of axes of {name}")
        for dim, plate, labels in zip(array.dims[2:], quantity["plates"], quantity["labels"], strict=True):
            coordinate = posterior[dim]
            check(coordinate.attrs.get("tadpool_name", dim) == plate, f"the plate {plate} of {name}")
            check([str(label) for label in coordinate.values] == labels, f"the labels of {dim} of {name}")
        same(array, quantity["values"], name)
    check(posterior["tank"].dtype.kind == "i", "the kind of whole-number labels")
    check(posterior["chain"].values.tolist() == list(range(expected["chains"])), "chain")
    check(posterior["draw"].values.tolist() == list(range(expected["draws"])), "draw")
    check(posterior.attrs["inference_library"] == "tadpool", "the library's name")


def main():
    path, beside = sys.argv[1:]
    with open(beside, encoding="utf-8") as file:
        expected = json.load(file)
    for engine in ["h5netcdf", "netcdf4"]:
        data = arviz.from_netcdf(path, engine=engine)
        names = ["posterior", "sample_stats", "log_likelihood", "observed_data", "constant_data"]
        for name in names:
            check(hasattr(data, name), f"the group {name}")
        check(data.attrs["model_text"] == expected["model_text"], "the model's text")
        check(int(data.attrs["seed"]) == expected["seed"], "the seed")
        check_posterior(data.posterior, expected)
        stats = data.sample_stats
        check(stats["diverging"].dtype == bool, "the kind of diverging")
        same(stats["diverging"], expected["diverging"], "diverging")
        same(stats["n_steps"], expected["n_steps"], "n_steps")
        same(stats["energy"], expected["energy"], "energy")
        same(data.log_likelihood["surv"], expected["log_likelihood"], "log_likelihood")
        check(data.observed_data["surv"].dims == ("row",), "the axis of the outcome")
        levels = xarray.open_dataset(path, group="columns", engine=engine)
        check(levels["actor_levels"].values.tolist() == ["lefty", "söze, k"], "the levels of a column")
        levels.close()
        arviz.ess(data, var_names=["a_tank"])
        data.to_netcdf(f"{path}.{engine}.nc", engine=engine)
        data.close()
    # libnetcdf itself resolves every dimension by name, invents none, and can follow a scale to its users.
    with netCDF4.Dataset(path) as file:
        for group in file.groups.values():
            for variable in group.variables.values():
                check(all(dim in group.dimensions for dim in variable.dimensions), f"{group.name}/{variable.name}")
    print(f"arviz {arviz.__version__}, xarray {xarray.__version__}, netCDF4 {netCDF4.__version__}")
    print("open_fit: all equal")


main()
