"""Turns the lines of measure.py into the record: a table in Markdown, and JSON with every run.

    python report.py LINES.jsonl LOAD REQUIREMENTS OUT      writes OUT.md and OUT.json
"""

import json
import os
import platform
import statistics
import subprocess
import sys

WANTED = 1000
TITLES = {
    "m12_2": "m12_2: tadpoles in 48 tanks, 50 coordinates",
    "m12_5": "m12_5: chimpanzees, 504 rows, 18 coordinates",
    "eight_schools": "eight schools, 10 coordinates",
    "cafes": "cafés: 200 rows in 20 groups with correlated slopes, 46 coordinates",
    "slopes": "slopes: 3,025 Normal rows in 200 groups with correlated slopes, 406 coordinates",
    "groups": "groups: 100,000 Bernoulli rows in 2,000 groups, two covariates, 2,004 coordinates",
}

FORMS = {"centred": "centred", "noncentred": "non-centred", "conditional": "conditional"}


def processor():
    if os.path.exists("/proc/cpuinfo"):
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def told(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def median(lines, key):
    return statistics.median(line[key] for line in lines)


def summaries(lines):
    """A dictionary for each model, sampler and form, in the order of the lines."""
    found = {}
    for line in lines:
        form = None if line["sampler"].startswith("tadpool") else line["form"]
        found.setdefault((line["model"], line["sampler"], form), []).append(line)
    rows = []
    for (model, sampler, form), runs in found.items():
        full = [run for run in runs if run["kind"] == "full"]
        row = {"model": model, "sampler": sampler, "form": form, "failed": not full}
        if full:
            first = full[0]
            row |= {key: first[key] for key in ("chains", "warmup", "draws")}
            row["seeds"] = [run["seed"] for run in full]
            row["seconds"] = median(full, "seconds")
            whole = [run["whole_seconds"] for run in full if run["whole_seconds"] is not None]
            row["whole_seconds"] = statistics.median(whole) if whole else None
            row["min_ess_bulk"] = median(full, "min_ess_bulk")
            row["ess_per_second"] = statistics.median(run["min_ess_bulk"] / run["seconds"] for run in full)
            row["core_seconds"] = median(full, "core_seconds")
            row["ess_per_core_second"] = statistics.median(run["min_ess_bulk"] / run["core_seconds"] for run in full)
            row["divergences"] = max(run["divergences"] for run in full)
            # The shortest run whose median over seeds reaches the ESS wanted; its length is in the row.
            by_draws = {}
            for run in (run for run in runs if run["kind"] != "failed"):
                by_draws.setdefault(run["draws"], []).append(run)
            reached = [draws for draws, of in by_draws.items() if median(of, "min_ess_bulk") >= WANTED]
            row["draws_to_ess_1000"] = min(reached, default=None)
            row["seconds_to_ess_1000"] = median(by_draws[min(reached)], "seconds") if reached else None
        rows.append(row)
    return rows


def short(x):
    """Three significant digits, thousands set apart."""
    if x is None:
        return "not reached"
    if x >= 100:
        digits = max(0, len(f"{x:.0f}") - 3)
        return f"{round(x, -digits):,.0f}"
    return f"{x:.3g}"


def table(rows):
    out = []
    for model, title in TITLES.items():
        of_model = [row for row in rows if row["model"] == model]
        if not of_model:
            continue
        nutpie = [row for row in of_model if row["sampler"].startswith("nutpie") and not row["failed"]]
        best = {key: max((row[key] for row in nutpie), default=None) for key in ("ess_per_second", "ess_per_core_second")}
        out += [f"### {title}", ""]
        out += [
            "| sampler | chains × (warm-up + draws) | seconds | whole command | core-s | min ESS | ESS/s | × nutpie | ESS/core-s | × nutpie "
            "| seconds to min ESS 1,000 |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for row in of_model:
            name = f"`{row['sampler']}`" if row["form"] is None else f"{row['sampler']}, {FORMS[row['form']]}"
            if row["failed"]:
                out.append(f"| {name} | failed, or longer than allowed |" + " |" * 9)
                continue
            warmup = "own" if row["warmup"] is None else row["warmup"]
            cells = [name, f"{row['chains']} × ({warmup} + {row['draws']})"]
            whole = row["whole_seconds"]
            cells += [short(row["seconds"]), "" if whole is None else short(whole)]
            cells += [short(row[key]) for key in ("core_seconds", "min_ess_bulk")]
            for key in ("ess_per_second", "ess_per_core_second"):
                cells += [short(row[key]), short(row[key] / best[key]) if best[key] else ""]
            reached = row["draws_to_ess_1000"]
            cells.append(short(row["seconds_to_ess_1000"]) + (f" ({reached} draws)" if reached else ""))
            out.append("| " + " | ".join(cells) + " |")
        out.append("")
    return "\n".join(out)


def main():
    lines_path, load_path, requirements_path, out = sys.argv[1:]
    with open(lines_path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    with open(load_path, encoding="utf-8") as file:
        load = [line.split("load average:")[-1].strip() for line in file]
    with open(requirements_path, encoding="utf-8") as file:
        versions = [line.strip() for line in file if "==" in line]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    here = os.path.dirname(os.path.abspath(__file__))
    record = {
        "cores": cores,
        "machine": f"{processor()}, {cores} cores",
        "load_average_before_and_after": load,
        "python": platform.python_version(),
        "tadpool": told([os.environ["TADPOOL"], "--version"]),
        "tadpool_commit": os.environ.get("TADPOOL_COMMIT") or told(["git", "-C", here, "describe", "--always", "--dirty"]),
        "versions": versions,
        "summary": summaries(lines),
        "runs": lines,
    }
    with open(f"{out}.json", "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    seeds = sorted({line["seed"] for line in lines if "seed" in line})
    text = f"""# tadpool beside nutpie, NumPyro and BlackJAX

- command: {os.environ.get('PEERS_COMMAND', 'benches/peers/run.sh')}
- machine: {record["machine"]}; load average before: {load[0]}, after: {load[-1]} on {record["cores"]} cores
- {record["tadpool"]}, commit {record["tadpool_commit"]}; Python {record["python"]}; {", ".join(versions)}
- medians over seeds {", ".join(map(str, seeds))}

Seconds are warm-up (or tuning) and drawing, without compilation, by the clock. core-s are the seconds that cores worked
meanwhile, which say more than the clock where others work on the machine too; those of tadpool are of the whole command:
reading, compiling, warm-up, drawing, diagnostics, writing the draws. × nutpie is the ratio to the better of nutpie's
rows. JAX computes in f32, the others in f64. ESS is ArviZ's bulk ESS, the
smallest over all parameters. nutpie takes its own number of tuning steps. The others' effects are written as their rows say, centred or non-centred,
as NUTS does better (conditional: centred, the slopes of groups given their intercepts); tadpool chooses for itself.

{table(record["summary"])}"""
    with open(f"{out}.md", "w", encoding="utf-8") as file:
        file.write(text)
    print(text)


if __name__ == "__main__":
    main()
