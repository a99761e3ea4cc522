"""Table 2 as Markdown, the paper's figures beside ours (see `table2.py`)."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from record import read_rows
from table2_methods import COUNTING, METHODS

MEASURES = ("auc", "ap", "f1")
Figures = tuple[float, float, float]
# Percent, AUC / AP / F1 at 0.5: https://arxiv.org/abs/2102.07186, table 2. RelGNN's own sampler is ASA.
PAPER: dict[str, dict[str, Figures]] = {
    "amazon": {
        "complex": (53.18, 53.18, 54.39), "conve": (49.65, 49.79, 66.38), "distmult": (53.94, 53.51, 53.71),
        "distmult+asa": (64.85, 67.29, 64.30), "metapath2vec": (94.15, 94.01, 87.48), "han": (87.57, 88.15, 77.35),
        "gatne": (96.25, 94.77, 91.36), "rgcn": (97.16, 95.87, 94.52), "rgcn+asa": (98.37, 97.87, 94.21),
        "relgnn": (98.84, 98.55, 95.17), "relgnn+asa": (99.14, 99.01, 90.44),
    },
    "youtube_partial": {
        "complex": (52.11, 51.60, 50.97), "conve": (50.03, 50.07, 27.32), "distmult": (52.49, 52.12, 49.50),
        "distmult+asa": (76.45, 78.63, 69.48), "metapath2vec": (70.98, 70.02, 65.34), "han": (64.66, 61.24, 65.45),
        "gatne": (84.47, 82.32, 76.83), "rgcn": (92.38, 92.18, 83.35), "rgcn+asa": (93.19, 93.11, 79.33),
        "relgnn": (94.39, 93.41, 86.32), "relgnn+asa": (96.44, 96.08, 83.89),
    },
    "canada_procurement": {
        "complex": (56.31, 55.30, 55.33), "conve": (52.43, 53.17, 29.15), "distmult": (55.29, 56.26, 56.51),
        "distmult+asa": (67.86, 68.72, 66.47), "metapath2vec": (73.47, 70.88, 16.35), "han": (52.33, 52.06, 41.88),
        "gatne": (69.72, 67.22, 61.87), "rgcn": (68.69, 69.95, 66.75), "rgcn+asa": (69.96, 73.20, 67.90),
        "relgnn": (74.94, 73.91, 70.45), "relgnn+asa": (77.68, 77.78, 74.43),
    },
}  # fmt: skip
WHERE = {
    "amazon": "the paper's Amazon, with 1,156 attributes that ours has not",
    "youtube_partial": "the paper's YouTube, whole: another graph, not to be compared",
    "canada_procurement": "the paper's Company: another graph, not to be compared",
}
SUBSETS = {
    "amazon": {"without_reversed": "without reversed test edges"},
    "youtube_partial": {},
    "canada_procurement": {"seen": "seen ends", "unseen": "an unseen end"},
}


def show(path: Path) -> None:
    """Print a table for each data set that has rows in a CSV."""
    rows = read_rows(path)
    if not rows:
        print(f"\nTable 2: no row stands in {path.name} yet.")
    for data in PAPER:
        ours = [row for row in rows if row["data"] == data]
        if ours:
            _table(data, ours)


def _table(data: str, rows: list[dict[str, str]]) -> None:
    names = ["AUC", "AP", "F1 at 0.5"]
    columns = [*names, *(f"{told}: {name}" for told in SUBSETS[data].values() for name in names)]
    print(f"\n## Table 2, {data}, test, percent: mean ± deviation over seeds\n")
    print(f"| | {' | '.join(columns)} | paper AUC | AP | F1 | valid AP | d | steps | seeds | seconds |")
    print("| --- " * (len(columns) + 9) + "|")
    for name in METHODS:
        group = [row for row in rows if row["method"] == name]
        if group:
            cells = [_spread(group, f"{prefix}{key}") for prefix in ("", *_prefixes(data)) for key in MEASURES]
            paper = [f"{value:.2f}" for value in PAPER[data].get(name, ())] or [""] * 3
            dim = json.loads(group[0]["settings"]).get("dim", "" if name in COUNTING else 128)
            seconds = statistics.median(float(row["train_seconds"]) for row in group)
            steps = statistics.median(int(row["steps"]) for row in group)
            rest = [*paper, _spread(group, "valid_ap"), dim, f"{steps:.0f}", len(group), f"{seconds:.0f}"]
            print(f"| {_title(name)} | {' | '.join(map(str, [*cells, *rest]))} |")
    print(f"\nThe paper's figures are of {WHERE[data]}. A sign + names the sampler; without one negatives are random.")
    untuned = dict.fromkeys(row["method"] for row in rows if row["tuned"] == "False")
    print(f"Not tuned, the defaults: {', '.join(untuned)}." if untuned else "Every method was tuned.")
    missing = [name for name in METHODS if name not in {row["method"] for row in rows}]
    if missing:
        print(f"Not run yet: {', '.join(missing)}.")
    if data == "amazon":
        _verdicts(rows)


def _verdicts(rows: list[dict[str, str]]) -> None:
    """Where our figure is below the paper's."""
    below = []
    for name, figures in PAPER["amazon"].items():
        group = [row for row in rows if row["method"] == name]
        for key, needed in zip(MEASURES, figures, strict=True):
            mean = 100 * statistics.mean(float(row[key]) for row in group) if group else needed
            if round(mean, 2) < needed:
                below.append(f"{name} {key.upper()} {mean:.2f} < {needed:.2f}")
    print(f"Below the paper's figure: {'; '.join(below) or 'none of those that were run'}.")


def _title(name: str) -> str:
    return f"{name} (plain counting; F1 at the best threshold of validation)" if name in COUNTING else name


def _prefixes(data: str) -> list[str]:
    return [f"{name}_" for name in SUBSETS[data]]


def _spread(rows: list[dict[str, str]], column: str) -> str:
    values = [100 * float(row[column]) for row in rows if row.get(column)]
    if not values:
        return ""
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"
