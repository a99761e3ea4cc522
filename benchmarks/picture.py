"""Draw docs/amazon.png from benchmarks/results/amazon.csv: python benchmarks/picture.py (needs matplotlib)."""

from __future__ import annotations

import statistics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from data import ROOT
from paper import PAPER
from record import RESULTS, read_rows

# Darkest what is ours, grey what is plain counting, open what the paper says.
OURS, COUNTING, TEXT = "#2a6f97", "#9aa5b1", "#1f2933"
NAMES = {"path3": "paths of length 3", "adamic_adar": "Adamic-Adar", "degree_product": "degree product"}


def main() -> None:
    rows = read_rows(RESULTS / "amazon.csv")
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, key, title, column in zip(
        axes, ("ap", "mrr"), ("average precision", "filtered MRR, per end"), (1, None), strict=True
    ):
        bars: list[tuple[str, float, float, str, float | None]] = []
        for sampler in ("asa", "random"):
            paper = PAPER[sampler]
            values = [100 * float(row[key]) for row in rows if f"sampler={sampler}" in row["command"]]
            printed = None if column is None else paper[column]
            deviation = statistics.stdev(values) if len(values) > 1 else 0.0
            bars.append((f"relwise, {sampler} negatives", statistics.mean(values), deviation, OURS, printed))
        bars += [(n, 100 * float(rows[0][f"{b}_{key}"]), 0.0, COUNTING, None) for b, n in NAMES.items()]
        for place, (_, value, deviation, colour, printed) in enumerate(reversed(bars)):
            axis.barh(place, value, xerr=deviation, color=colour, height=0.62, error_kw={"ecolor": TEXT, "capsize": 2})
            axis.text(value + deviation, place, f" {value:.1f}", va="center", ha="left", color=TEXT, fontsize=9)
            if printed is not None:
                axis.plot(printed, place, marker="D", mfc="white", mec=TEXT, ms=6, ls="")
        axis.set_yticks(range(len(bars)), [name for name, *_ in reversed(bars)])
        axis.set_title(title, fontsize=10, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_xlim(80, 102)
    axes[1].set_xlim(0, axes[1].get_xlim()[1] * 1.1)
    axes[0].plot([], [], marker="D", mfc="white", mec=TEXT, ls="", label="the paper (with attributes)")
    axes[0].legend(loc="lower right", fontsize=8, frameon=False)
    figure.supxlabel("percent, Amazon test edges, mean of 3 seeds; AP axis begins at 80", fontsize=9)
    figure.savefig(ROOT / "docs" / "amazon.png", dpi=160)


if __name__ == "__main__":
    main()
