"""Which settings of NSCaching and of ASA rank best, for table 3: as many tries for the one as for the other, one seed,
judged by the filtered MRR of the validation edges. `table3.py search` runs it.

The rows of the paper's pools have its µ = 0.1 and, as it tells of none, no warm-up (`canada_procurement` has one).
Table 3 has, besides them, each sampler at its own best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trials
from record import RESULTS, read_rows
from relwise.data.graph import Graph
from relwise.data.split import Split
from trials import OPTIONS, Options, Row

CSV = RESULTS / "table3_search.csv"
SEED = 0
TRIED: dict[str, list[Options]] = {
    "nscaching": [
        {"sampler": "nscaching", "pool": pool, "warmup": warmup}
        for pool, warmup in ((10, 0), (10, 50), (50, 0), (50, 50), (100, 0), (100, 50), (500, 0))
    ],
    "asa": [
        *({"sampler": "asa", "pool": 10, "warmup": 0, "mu": mu} for mu in (0.0, 0.1, 0.2)),
        *({"sampler": "asa", "pool": 100, "warmup": 0, "mu": mu} for mu in (0.1, 0.2, 0.3)),
        {"sampler": "asa", "pool": 100, "warmup": 0, "mu": 0.3, "mu_decay": "exponential"},
    ],
}


def run(names: Sequence[str], get: Callable[[str], tuple[Graph, Split]]) -> None:
    """A row for each data set, sampler and try; measures of the validation edges alone."""
    for data in names:
        for sampler, tries in TRIED.items():
            for number, own in enumerate(tries):
                key = {"data": data, "sampler": sampler, "try": number, "seed": SEED}
                if not trials.stands(CSV, key):
                    graph, split = get(data)
                    _, _, about = trials.train(graph, split, {**OPTIONS[data], **trials.RANKS, **own}, SEED)
                    trials.keep(CSV, key, about, f"python benchmarks/table3.py search --data {data}")


def best(data: str) -> dict[str, Options]:
    """The options of each sampler whose tries on a data set are all made: those of the best validation MRR."""
    found: dict[str, Options] = {}
    for sampler, tries in TRIED.items():
        rows = _rows(data, sampler)
        if len(rows) == len(tries):
            found[f"{sampler}, best found"] = tries[int(max(rows, key=_mrr)["try"])]
    return found


def show(data: str) -> None:
    """A table of the tries, best first."""
    rows = [row for sampler in TRIED for row in _rows(data, sampler)]
    if not rows:
        return
    print(f"\n### The search of table 3, {data}, one seed, measures of the validation edges, percent\n")
    print("| sampler | pool | warm-up | µ | decay | valid MRR | hardness | step kept | seconds of two cores |")
    print("| --- " * 9 + "|")
    for row in sorted(rows, key=_mrr, reverse=True):
        own = TRIED[row["sampler"]][int(row["try"])]
        words = [row["sampler"], own["pool"], own["warmup"], own.get("mu", ""), own.get("mu_decay", "")]
        measures = [f"{100 * _mrr(row):.2f}", f"{100 * float(row['hardness']):.1f}", row["best_step"]]
        print(f"| {' | '.join(map(str, [*words, *measures]))} | {float(row['two_core_seconds']):.0f} |")


def _rows(data: str, sampler: str) -> list[Row]:
    tries = range(len(TRIED[sampler]))
    some = [row for row in read_rows(CSV) if (row["data"], row["sampler"]) == (data, sampler)]
    return [row for row in some if int(row["try"]) in tries]


def _mrr(row: Row) -> float:
    return float(row["valid_mrr"])
