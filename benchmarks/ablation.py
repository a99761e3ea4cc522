"""What each part of the method is worth: RelGNN with ASA, and the same with one part out or of another size.

    python benchmarks/ablation.py run         # 3 seeds on both data sets; goes on where it stopped
    python benchmarks/ablation.py run --data amazon --seeds 1
    python benchmarks/ablation.py show        # the tables again, from the CSV

The full model has the settings that `trials.py` names: no part was tuned anew when another was taken out, as in the
paper. What is no setting is taken out by `ablation_parts.py`. Differences are seed by seed: the same seed draws the
same weights, masks and positives.

| row | what it is |
| --- | --- |
| attention off | R-GCN's means in the layers; fusion stays |
| relation state off | h_r = 0 in the attention (eq. 4); the decoder keeps its own |
| fusion off | the last layer's states are the final ones (eq. 6 and 7 left out) |
| masking off | what a step learns from carries messages in the same step |
| ASA's warm-up off, on | ASA's negatives from the first step on; or after 100 steps of random ones (Amazon has none) |
| ASA off | random negatives |
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trials
from ablation_parts import attention_off, fusion_off, masking_off, relation_state_off
from record import RESULTS, read_rows
from relwise.train.loop import Trainer
from trials import OPTIONS, Options, Row

CSV = RESULTS / "ablation.csv"
DATA = ("amazon", "canada_procurement")
FULL = "full model"


@dataclass(frozen=True)
class Part:
    """A row of the table.

    Args:
        options: settings that differ from the full model's.
        change: done to the trainer before its first step.
        data: the sets on which it is another model than the full one.
    """

    options: Options = field(default_factory=dict)
    change: Callable[[Trainer], None] | None = None
    data: tuple[str, ...] = DATA


PARTS: dict[str, Part] = {
    FULL: Part(),
    "attention off": Part(change=attention_off),
    "relation state off": Part(change=relation_state_off),
    "fusion off": Part(change=fusion_off),
    "masking off": Part(change=masking_off),
    "ASA's warm-up off": Part({"warmup": 0}, data=("canada_procurement",)),
    "ASA's warm-up on": Part({"warmup": 100}, data=("amazon",)),
    "ASA off": Part({"sampler": "random"}),
    # Amazon has two message relations and a matrix for each; Canada 22, and 10 bases.
    "1 basis": Part({"bases": 1}),
    "2 bases": Part({"bases": 2}),
    "22 bases": Part({"bases": 22}, data=("canada_procurement",)),
    "1 head": Part({"heads": 1}),
    "4 heads": Part({"heads": 4}),
    "1 layer": Part({"layers": 1}),
    "3 layers": Part({"layers": 3}),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show"])
    parser.add_argument("--data", metavar="NAME,..", help=f"of {', '.join(DATA)}; both where left out")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(arguments)

    def work() -> None:
        names = trials.named(given.data, DATA)
        if given.what == "run":
            run(names, given.seeds)
        show()

    return trials.guarded(work)


def run(names: Sequence[str], seeds: int) -> None:
    """A row for each data set, seed and part; all parts of a seed before the next one."""
    get = trials.loader()
    for data in names:
        for seed in range(seeds):
            for name, part in PARTS.items():
                key = {"data": data, "part": name, "seed": seed}
                if data not in part.data or trials.stands(CSV, key):
                    continue
                graph, split = get(data)
                options = {**OPTIONS[data], "sampler": "asa", **part.options}
                trainer, _, about = trials.train(graph, split, options, seed, part.change)
                command = f"python benchmarks/ablation.py run --data {data} --seeds {seed + 1}"
                trials.keep(CSV, key, {**trials.measured(trainer), **about}, command)


def show() -> None:
    """A table of each data set that has rows."""
    rows = read_rows(CSV)
    if not rows:
        print(f"\nAblation: no row stands in {CSV.name} yet.")
    for data in DATA:
        groups = {name: [r for r in rows if (r["data"], r["part"]) == (data, name)] for name in PARTS}
        if groups[FULL]:
            _table(data, groups)


def _table(data: str, groups: dict[str, list[Row]]) -> None:
    print(
        f"\n## Ablation, {data}, test, percent: mean ± deviation over seeds; Δ is less the full model, seed by seed\n"
    )
    print("| | AUC | AP | Δ AP | MRR | Δ MRR | joint MRR | F1 | valid AP | step kept | seeds | seconds of two cores |")
    print("| --- " * 12 + "|")
    for name, group in groups.items():
        if not group:
            continue
        cells = []
        for column in ("auc", "ap", "Δ ap", "mrr", "Δ mrr", "mrr_joint", "f1", "valid_ap"):
            sign, _, other = column.rpartition(" ")
            values = trials.lead(group, groups[FULL], other) if sign else trials.percents(group, column)
            cells.append("" if sign and name == FULL else _marked(values) if sign else trials.spread(values))
        kept, seconds = (
            f"{statistics.median(float(row[column]) for row in group):.0f}"
            for column in ("best_step", "two_core_seconds")
        )
        print(f"| {name} | {' | '.join(cells)} | {kept} | {len(group)} | {seconds} |")
    print("\nBold: beyond two deviations of the differences.")
    missing = [name for name, group in groups.items() if not group and data in PARTS[name].data]
    if missing:
        print(f"Not run yet: {', '.join(missing)}.")


def _marked(differences: list[float]) -> str:
    """The differences' mean and deviation, bold where it is beyond two of them."""
    told = trials.spread(differences)
    return f"**{told}**" if trials.verdict(differences) in ("ahead", "behind") else told


if __name__ == "__main__":
    sys.exit(main())
