"""How many of a sampler's negatives are true, and how hard they are: what ASA claims, counted.

    python benchmarks/false_negatives.py run       # every sampler, 3 seeds; goes on where it stopped
    python benchmarks/false_negatives.py show      # the table again, from the CSV
    python benchmarks/false_negatives.py picture   # docs/false_negatives.png (needs matplotlib)

On canada_procurement, by time: edges from 2014 on come true later, so at training time they are the unrecorded truths
that the ASA paper (https://arxiv.org/abs/2102.07186) speaks of. The trainer counts them among the negatives it draws,
and does nothing with the count (`relwise.negatives.report`). *Hardness* is the mean probability of the negatives, under
the model as it is before the update. The paper's claim is that at equal hardness ASA draws fewer false ones.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import trials
from company import SETTINGS
from company_cases import company_graph
from data import ROOT
from record import RESULTS, machine, read_rows, write_rows
from relwise.data.split import split_graph
from relwise.settings import Settings
from relwise.train.loop import Trainer

CSV = RESULTS / "false_negatives.csv"
EVERY, STEPS = 20, 160
SAMPLERS: dict[str, dict[str, Any]] = {
    "random": {"sampler": "random"},
    **{
        f"{sampler}, pool {pool}": {"sampler": sampler, "pool": pool}
        for pool in (10, 50)
        for sampler in ("asa", "nscaching", "hardest")
    },
    "asa, pool 100": {"sampler": "asa", "pool": 100},
}
COLOURS = {"random": "#9aa5b1", "hardest": "#b5483a", "nscaching": "#d9a441", "asa": "#2a6f97"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "show", "picture"])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.what == "run":
        run(given.seeds)
    if given.what == "picture":
        draw()
    else:
        show()
    return 0


def run(seeds: int) -> None:
    """Train with each sampler; a row for each validation."""
    graph = company_graph()
    for seed in range(seeds):
        split = split_graph(graph, seed)
        for name, own in SAMPLERS.items():
            if any((row["sampler"], row["seed"]) == (name, str(seed)) for row in read_rows(CSV)):
                continue
            options = {**SETTINGS, **own, "steps": STEPS, "eval_every": EVERY, "patience": STEPS}
            trainer = Trainer(graph, split, Settings.of(options), seed)
            result = trainer.fit()
            about = {"command": f"benchmarks/false_negatives.py run ({name}, seed {seed})", **machine()}
            found = [{"sampler": name, "seed": seed, **row, **about} for row in result.history]
            write_rows(CSV, read_rows(CSV) + [{key: str(value) for key, value in row.items()} for row in found])
            print(f"{name}, seed {seed}: {result.seconds:.0f} s", file=sys.stderr, flush=True)


def show() -> None:
    """What each sampler drew after its warm-up, all validations together: mean and deviation of the seeds."""
    print("\n## Negatives drawn after the warm-up, canada_procurement by time\n")
    print("| sampler | hardness, percent | later true, of 10,000 | later true for one of hardness | validation AP |")
    print("| --- " * 5 + "|")
    for name, seeds in _by_sampler().items():
        hardness = [100 * _mean(rows, "hardness") for rows in seeds]
        false = [_mean(rows, "false_negatives") for rows in seeds]
        rate = [_rate(rows) for rows in seeds]
        best = [100 * max(float(row["ap"]) for row in rows) for rows in seeds]
        print(f"| {name} | {' | '.join(trials.spread(values) for values in (hardness, false, rate, best))} |")
    print()
    for pool in (10, 50):
        if len(differences := _less_nscaching(pool)) > 1:
            told = trials.spread(differences)
            print(f"Later true for one of hardness: asa less nscaching, pool {pool}, seed by seed: {told}.")


def _less_nscaching(pool: int) -> list[float]:
    """Of each seed that both have, ASA's false negatives for one of hardness less NSCaching's."""
    ours, others = (list(_seeds(f"{sampler}, pool {pool}")) for sampler in ("asa", "nscaching"))
    return [_rate(one) - _rate(other) for one, other in zip(ours, others, strict=False)]


def _rate(rows: list[dict[str, str]]) -> float:
    return _mean(rows, "false_negatives") / (100 * _mean(rows, "hardness"))


def draw() -> None:
    """A curve for each sampler: how hard its negatives were, and how many were true, as training went."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, seeds in _by_sampler().items():
        kind, _, pool = name.partition(", pool ")
        steps = list(zip(*seeds, strict=True))
        x = [100 * _mean(rows, "hardness") for rows in steps]
        y = [_mean(rows, "false_negatives") for rows in steps]
        width = {"": 1.5, "10": 1.0, "50": 1.8, "100": 2.6}[pool]
        axis.plot(x, y, marker="o", ms=3, lw=width, color=COLOURS[kind], label=name)
    axis.set_xlabel("hardness: mean probability of the negatives before the update, percent")
    axis.set_ylabel("negatives that are true later, of 10,000")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)
    figure.savefig(ROOT / "docs" / "false_negatives.png", dpi=160)


def _by_sampler() -> dict[str, list[list[dict[str, str]]]]:
    """Of each sampler its seeds' rows, those of the warm-up left out."""
    return {name: list(_seeds(name)) for name in SAMPLERS if any(_seeds(name))}


def _seeds(name: str) -> Iterator[list[dict[str, str]]]:
    rows = [row for row in read_rows(CSV) if row["sampler"] == name]
    for seed in sorted({row["seed"] for row in rows}):
        yield [row for row in rows if row["seed"] == seed and int(row["step"]) > SETTINGS["warmup"]]


def _mean(rows: Any, column: str) -> float:
    return statistics.mean(float(row[column]) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
