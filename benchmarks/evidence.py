"""What the final probability is worth: network + evidence, network alone, evidence alone, 3 seeds.

    python benchmarks/evidence.py run amazon     # trains with default settings; goes on where it stopped
    python benchmarks/evidence.py show           # the tables again, from the CSV

Ranks, AUC, AP, F1 at 0.5, calibration error and Brier score on test; the same without the test edges that stand in
train turned round. Nothing is chosen on test: patterns on training edges, weights and calibration on validation edges.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from data import benchmark_folder
from record import RESULTS, machine, read_rows, write_rows

CSV = RESULTS / "evidence.csv"
MEASURES = ("auc", "ap", "f1", "mrr", "hits@1", "hits@10", "hits@30")
SCORERS = {"both": "network + evidence", "network": "network alone", "evidence": "evidence alone", "path3": "path3"}
# What is asked of network + evidence on amazon, in percent; of ECE, as it stands.
NEEDED = {"amazon": {"auc": 99.60, "ap": 99.60, "f1": 97.3}}
LARGEST_ECE = 0.01
HALF_A_POINT = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show"])
    parser.add_argument("data", nargs="?", default="amazon", help="a benchmark set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="settings other than the defaults"
    )
    arguments = parser.parse_args()
    if arguments.what == "run":
        for seed in range(arguments.seeds):
            run(arguments.data, seed, arguments.set)
    show()


def run(data: str, seed: int, settings: list[str]) -> None:
    """Train on a data set, and append its row."""
    words = [word for pair in settings for word in ("--set", pair)]
    command = f"relwise train {data} --out RUN --seed {seed} {' '.join(words)}".rstrip()
    rows = read_rows(CSV)
    if any(row["command"] == command for row in rows):
        print(f"{command}: stands in the CSV", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        train = ["train", str(benchmark_folder(data)), "--out", folder + "/run", "--seed", str(seed), *words]
        subprocess.run([sys.executable, "-m", "relwise", *train], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        metrics = json.loads(Path(folder, "run", "metrics.json").read_text(encoding="utf-8"))
    row = {"command": command, "data": data, "seed": seed, **_measures("", metrics)}
    row |= _measures("without_reversed_", metrics["without_reversed"])
    found = metrics["calibration"]
    for name, part in (("both", "final"), ("network", "network")):
        row |= {f"{name}_{key}": value for key, value in found[part].items() if key != "bins"}
    row |= {"calibration": found["method"], "prior": found["prior"], "seconds": round(seconds, 1), **machine()}
    write_rows(CSV, [*read_rows(CSV), {key: str(value) for key, value in row.items()}])


def _measures(prefix: str, metrics: dict[str, Any]) -> dict[str, float]:
    parts = {"both": metrics["micro"], "network": metrics["network"], "evidence": metrics["evidence"]}
    parts["path3"] = metrics["baselines"]["path3"]
    return {f"{prefix}{name}_{key}": values[key] for name, values in parts.items() for key in MEASURES}


def show() -> None:
    """Print the tables as Markdown, and on stderr what was asked for and is missed."""
    rows = read_rows(CSV)
    for data in dict.fromkeys(row["data"] for row in rows):
        group = [row for row in rows if row["data"] == data]
        print(f"\n## {data}, test, percent: mean ± deviation of {len(group)} seeds\n")
        print("| | edges | AUC | AP | F1 at 0.5 | MRR | Hit@1 | Hit@10 | Hit@30 |\n" + "| --- " * 9 + "|")
        for edges, prefix in (("all", ""), ("not reversed", "without_reversed_")):
            for name, told in SCORERS.items():
                cells = " | ".join(_spread(group, f"{prefix}{name}_{key}") for key in MEASURES)
                print(f"| {told} | {edges} | {cells} |")
        print("\n| | ECE | Brier | F1 at 0.5 | F1 at the threshold chosen on validation | best F1 on test |")
        print("| --- " * 6 + "|")
        for name in ("both", "network"):
            small = " | ".join(_spread(group, f"{name}_{key}", 1, 4) for key in ("ece", "brier"))
            f1 = " | ".join(_spread(group, f"{name}_{key}") for key in ("f1_at_half", "f1_at_threshold", "f1_best"))
            print(f"| {SCORERS[name]} | {small} | {f1} |")
        _verdicts(data, group)


def _verdicts(data: str, group: list[dict[str, str]]) -> None:
    def mean(key: str) -> float:
        return statistics.mean(float(row[key]) for row in group)

    for key, needed in NEEDED.get(data, {}).items():
        for edges, prefix in (("", ""), (", not reversed", "without_reversed_")):
            found = 100 * mean(f"{prefix}both_{key}")
            verdict = "met" if round(found, 2) >= needed else "MISSED"
            print(f"{data}{edges}: {key} {found:.2f}, asked {needed}: {verdict}", file=sys.stderr)
    ece, gap = mean("both_ece"), mean("both_f1_best") - mean("both_f1_at_threshold")
    print(f"{data}: ECE {ece:.4f}: {'met' if ece <= LARGEST_ECE else 'MISSED'} ({LARGEST_ECE})", file=sys.stderr)
    verdict = "met" if gap <= HALF_A_POINT else "MISSED"
    print(f"{data}: F1 at the chosen threshold {100 * gap:.2f} below the best: {verdict} (0.5)", file=sys.stderr)


def _spread(rows: list[dict[str, str]], key: str, scale: float = 100, digits: int = 2) -> str:
    values = [scale * float(row[key]) for row in rows]
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


if __name__ == "__main__":
    main()
