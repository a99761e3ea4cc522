"""What table 3, the figures and the ablation have in common: their graphs and settings, a training with its measures,
rows that are not made twice, and numbers with their deviations.

| data | split | settings that differ from the defaults |
| --- | --- | --- |
| `amazon` | as given | none |
| `canada_procurement` | by time | those of `company.py`, tuned on validation; no attributes of edges |
| `wn18rr` | as given | d = 64 |
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clock import spent
from company import SETTINGS
from company_cases import company_graph, without_edge_attributes
from data import benchmark_folder
from record import machine, read_rows, write_rows
from relwise.data.graph import Graph
from relwise.data.split import Split, split_graph
from relwise.errors import InputError, nearest
from relwise.evaluate.table import evaluate
from relwise.settings import Settings
from relwise.train.loop import Trainer
from relwise.train.state import TrainingResult

Options = dict[str, Any]
Row = dict[str, str]
Key = dict[str, Any]

OPTIONS: dict[str, Options] = {
    "amazon": {},
    "canada_procurement": SETTINGS,
    "wn18rr": {"dim": 64},
}
RANKS: Options = {"select": "mrr", "eval_every": 25}  # the state that counts is that of the best validation MRR
SEED = 0  # of what a split draws: negatives of validation and test are the same for all seeds of training


def load(data: str) -> tuple[Graph, Split]:
    """A data set's graph and its split."""
    if data == "canada_procurement":
        graph = without_edge_attributes(company_graph(), SEED)
    else:
        from relwise.data.read import read

        graph = read(benchmark_folder(data))
    return graph, split_graph(graph, SEED)


def loader() -> Callable[[str], tuple[Graph, Split]]:
    """`load`, which keeps the last data set: it is read when a row first needs it, and once."""
    kept: dict[str, tuple[Graph, Split]] = {}

    def get(data: str) -> tuple[Graph, Split]:
        if data not in kept:
            kept.clear()
            kept[data] = load(data)
        return kept[data]

    return get


def named(names: str | None, all_of: Sequence[str]) -> list[str]:
    """The data sets of a list with commas; raises InputError at one that is not among them."""
    wanted = list(all_of) if names is None else names.split(",")
    for name in wanted:
        if name not in all_of:
            remedy = nearest(name, all_of) or f"the data sets are {', '.join(all_of)}"
            raise InputError(f"there is no data set {name!r}", where="--data", remedy=remedy)
    return wanted


def guarded(main: Callable[[], None]) -> int:
    """The exit code of a program: a user's mistake is one line, and 2."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def train(
    graph: Graph, split: Split, options: Options, seed: int, change: Callable[[Trainer], None] | None = None
) -> tuple[Trainer, TrainingResult, Row]:
    """A training; with it the columns that tell of it.

    Args:
        graph, split: the data.
        options: all settings that are not the defaults.
        seed: of training.
        change: done to the trainer before its first step.
    """
    began = spent()
    trainer = Trainer(graph, split, Settings.of(options), seed)
    if change:
        change(trainer)
    result = trainer.fit()
    about = {
        f"valid_{trainer.settings.select}": result.best,
        "best_step": result.best_step,
        "steps": result.steps,
        "hardness": result.tally.hardness(),
        "false_negatives": result.tally.per_10_000(),
        "two_core_seconds": round(spent() - began, 1),
        "wall_seconds": round(result.seconds, 1),
        "settings": json.dumps(options, sort_keys=True),
    }
    return trainer, result, texts(about)


def measured(trainer: Trainer) -> Row:
    """Every measure of the test edges: AUC, AP, F1, and filtered ranks, per end and joint."""
    scorer, split = trainer.scorer(), trainer.split
    result = evaluate(trainer.graph, split.test, split, scorer.probabilities, scorer.block, baselines=())
    return texts(result.measures())


def texts(values: Mapping[str, Any]) -> Row:
    """A row's values as a CSV has them."""
    return {key: str(value) for key, value in values.items()}


def stands(path: Path, key: Key) -> bool:
    """Whether a CSV has a row of these values."""
    return any(_is(row, key) for row in read_rows(path))


def keep(path: Path, key: Key, values: Row, command: str) -> None:
    """Write a row, in place of one that has the same key."""
    row = {**texts(key), **values, "command": command, **machine()}
    write_rows(path, [*(other for other in read_rows(path) if not _is(other, key)), row])
    told = f"{values['two_core_seconds']} s of two cores" if "two_core_seconds" in values else ""
    print(", ".join(map(str, key.values())), told, file=sys.stderr, flush=True)


def _is(row: Row, key: Key) -> bool:
    return all(row.get(name) == str(value) for name, value in key.items())


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Mean ± deviation; without a deviation where there is one value alone.

    >>> spread([1.0, 3.0]), spread([2.0]), spread([])
    ('2.00 ± 1.41', '2.00', '')
    """
    if not values:
        return ""
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def percents(rows: Sequence[Row], column: str) -> list[float]:
    """A column in percent."""
    return [100 * float(row[column]) for row in rows]


def lead(ours: Sequence[Row], others: Sequence[Row], column: str) -> list[float]:
    """The differences of a column in percent, of the seeds that both have: the same seed with the same."""
    by_seed = {row["seed"]: float(row[column]) for row in others}
    return [100 * (float(row[column]) - by_seed[row["seed"]]) for row in ours if row["seed"] in by_seed]


def verdict(differences: Sequence[float]) -> str:
    """Whether a difference is beyond two of its deviations.

    >>> verdict([1.0, 1.1, 0.9]), verdict([1.0, -1.0]), verdict([1.0])
    ('ahead', 'no difference beyond two deviations', 'one seed: no deviation')
    """
    if len(differences) < 2:
        return "one seed: no deviation"
    mean, margin = statistics.mean(differences), 2 * statistics.stdev(differences)
    if abs(mean) <= margin:
        return "no difference beyond two deviations"
    return "ahead" if mean > 0 else "behind"
