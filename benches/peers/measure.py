"""Measures one sampler on one model: effective draws per second, and the time to an effective sample size of 1,000.

Writes one JSON object per line: a line for every run. The effective sample size is ArviZ's bulk ESS, the smallest over
all parameters, computed by the same code from the draws of every sampler.

    python measure.py --sampler nutpie --model m12_2 --data reedfrogs.csv --form centred --text m12_2.tad --seeds 1,2,3
"""

import argparse
import json
import statistics
import sys

import numpy as np

import samplers

WANTED = 1000
# The shortest run that reaches WANTED is looked for from a little above what the full run lets expect, in steps of
# this factor, at most this often: a new number of draws is a new program to compile for the samplers on JAX.
STEP, TRIES = 1.3, 5


def judged(draws):
    """Smallest bulk ESS with its parameter, largest R-hat."""
    import arviz

    least, least_name, worst = float("inf"), None, 0.0
    for name, values in draws.items():
        values = np.asarray(values, dtype="float64")
        flat = values.reshape(*values.shape[:2], -1)
        for element in range(flat.shape[2]):
            ess = float(arviz.ess(flat[:, :, element], method="bulk"))
            if not ess >= least:
                least, least_name = ess, name if flat.shape[2] == 1 else f"{name}[{element}]"
        if values.shape[1] >= 4:
            # R-hat of the first and last element is enough to see a run that has not converged.
            worst = max(worst, *(float(arviz.rhat(flat[:, :, e])) for e in (0, -1)))
    return least, least_name, worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sampler", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--text", required=True, help="the model file that tadpool reads")
    parser.add_argument("--form", choices=["centred", "noncentred", "conditional"], required=True)
    parser.add_argument("--seeds", required=True)
    parser.add_argument("--draws", type=int, help="draws per chain of the full runs, if not the sampler's default")
    parser.add_argument("--warmup", type=int, help="iterations of warm-up, for samplers without a number of their own")
    parser.add_argument("--full-only", action="store_true", help="leave out the search for the shortest run")
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    sampler = samplers.make(args.sampler, args.model, args.data, args.text, args.form, args.warmup)
    full_draws = args.draws or sampler.draws

    def runs(draws, kind):
        found = []
        sampler.prepare(draws)
        for seed in seeds:
            seconds, worked, values = sampler.run(draws, seed)
            ess, name, rhat = judged(values)
            line = {
                "sampler": args.sampler,
                "model": args.model,
                "form": None if args.sampler.startswith("tadpool") else args.form,
                "kind": kind,
                "seed": seed,
                "chains": sampler.chains,
                "warmup": sampler.warmup,
                "draws": draws,
                "seconds": seconds,
                "core_seconds": worked,
                "whole_seconds": getattr(sampler, "whole_seconds", None),
                "min_ess_bulk": ess,
                "min_ess_parameter": name,
                "rhat": rhat,
                "divergences": sampler.divergences,
            }
            print(json.dumps(line), flush=True)
            found.append(line)
        return statistics.median(line["min_ess_bulk"] for line in found)

    least = runs(full_draws, "full")
    print(f"{args.sampler}, {args.model}: min ESS {least:.0f} of {full_draws} draws", file=sys.stderr)
    if args.full_only:
        return
    draws = 1.1 * full_draws * WANTED / max(least, 1.0)
    for _ in range(TRIES):
        if runs(max(4, round(draws)), "short") >= WANTED:
            return
        draws *= STEP


if __name__ == "__main__":
    main()
