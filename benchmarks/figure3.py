"""Figure 3 of the paper: how concentrated attention is, node by node, in each of two layers, beside uniform attention.

    python benchmarks/figure3.py run          # one training on each of two data sets; goes on where it stopped
    python benchmarks/figure3.py show         # the numbers again, from the CSV
    python benchmarks/figure3.py picture      # docs/figure3.png (needs matplotlib)

RelGNN with ASA, two layers and one head, as in the paper; settings are those that `trials.py` names. Of each node with
two incoming edges or more: the entropy of its weights, in nats, and that of equal ones, the logarithm of their number
(`relwise.evaluate.attention`). Left of the uniform histogram is concentrated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import trials
from data import ROOT
from record import RESULTS, read_rows
from relwise.evaluate.attention import attention_entropy, concentration, uniform_entropy
from relwise.nn.model import RelGNN
from relwise.train.loop import Trainer
from trials import OPTIONS, Options, Row

CSV = RESULTS / "figure3.csv"
DATA = ("canada_procurement", "amazon")
OWN: Options = {"sampler": "asa", "heads": 1, "layers": 2}
BINS = np.linspace(0.0, 8.0, 33)  # nats: up to nodes of 2,980 edges; what lies above is counted in the last
LEARNT, UNIFORM = "#2a6f97", "#c3cad1"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show", "picture"])
    parser.add_argument("--data", metavar="NAME,..", help=f"of {', '.join(DATA)}; both where left out")
    given = parser.parse_args(arguments)

    def work() -> None:
        names = trials.named(given.data, DATA)
        if given.what == "run":
            run(names)
        if given.what == "picture":
            draw()
        else:
            show()

    return trials.guarded(work)


def run(names: Sequence[str]) -> None:
    """A row for each data set and layer."""
    get = trials.loader()
    for data in names:
        if all(trials.stands(CSV, {"data": data, "layer": layer}) for layer in (1, 2)):
            continue
        trainer, _, about = trials.train(*get(data), {**OPTIONS[data], **OWN}, 0)
        for layer, counted in enumerate(entropies(trainer), start=1):
            key, command = {"data": data, "layer": layer}, f"python benchmarks/figure3.py run --data {data}"
            trials.keep(CSV, key, {"seed": "0", **trials.texts(counted), **about}, command)


def entropies(trainer: Trainer) -> list[Options]:
    """Of each layer what `concentration` says of its one head, and the nodes in each bin, learnt and uniform."""
    model = trainer.model
    if not isinstance(model, RelGNN):
        raise ValueError("the figure is of RelGNN's attention")
    indptr, rows = trainer.adjacency.indptr.numpy(), []
    able = np.diff(indptr) > 1
    uniform = uniform_entropy(indptr)[able]
    for alpha in model.attention(trainer.inputs, trainer.adjacency, trainer.edge_inputs):
        weights = alpha.detach().numpy()
        told = concentration(weights, indptr)
        learnt = attention_entropy(weights, indptr)[able, 0]
        rows.append({
            "nodes": told["nodes"], "entropy": told["entropy"][0], "uniform": told["uniform"],
            "half_or_less": round(float((learnt <= uniform / 2).mean()), 4),
            "counts": json.dumps(_counts(learnt)), "uniform_counts": json.dumps(_counts(uniform)),
        })  # fmt: skip
    return rows


def _counts(values: np.ndarray) -> list[int]:
    return np.histogram(np.clip(values, BINS[0], BINS[-1]), BINS)[0].tolist()


def show() -> None:
    """A row for each data set and layer."""
    rows = read_rows(CSV)
    if not rows:
        print(f"\nFigure 3: no row stands in {CSV.name} yet.")
        return
    print("\n## Figure 3: entropy of attention, nats, mean of the nodes with two edges or more; one head, seed 0\n")
    print("| data | layer | nodes | learnt | uniform | learnt by uniform | nodes at half of uniform or less |")
    print("| --- " * 7 + "|")
    for row in rows:
        share = float(row["entropy"]) / float(row["uniform"])
        cells = [row["data"], row["layer"], row["nodes"], row["entropy"], row["uniform"], f"{share:.2f}"]
        print(f"| {' | '.join(cells)} | {100 * float(row['half_or_less']):.1f} % |")


def draw() -> None:
    """A panel for each data set and layer."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = read_rows(CSV)
    names = [data for data in DATA if any(row["data"] == data for row in rows)]
    figure, axes = plt.subplots(len(names), 2, figsize=(8, 2.4 * len(names)), squeeze=False, layout="constrained")
    for line, data in zip(axes, names, strict=True):
        for axis, layer in zip(line, (1, 2), strict=True):
            (row,) = (r for r in rows if (r["data"], r["layer"]) == (data, str(layer)))
            _panel(axis, row)
    axes[0][0].legend(fontsize=8, frameon=False)
    figure.supxlabel("entropy of a node's incoming weights, nats", fontsize=9)
    figure.supylabel("nodes", fontsize=9)
    figure.savefig(ROOT / "docs" / "figure3.png", dpi=130)


def _panel(axis: Any, row: Row) -> None:
    for column, colour, name, kind in (
        ("uniform_counts", UNIFORM, "uniform", {"fill": True}),
        ("counts", LEARNT, "learnt", {"fill": False, "linewidth": 1.5}),
    ):
        axis.stairs(json.loads(row[column]), BINS, color=colour, label=name, **kind)
    axis.set_title(f"{row['data']}, layer {row['layer']}", fontsize=10, loc="left")
    axis.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    sys.exit(main())
