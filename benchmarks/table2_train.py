"""One method trained on one data set, and measured: the same trainer and measures for all (see `table2.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clock import spent
from relwise.data.edges import Edges
from relwise.data.split import LabelledEdges
from relwise.evaluate.baselines import plain_baselines
from relwise.evaluate.metrics import average_precision, best_threshold, binary_measures
from relwise.settings import Settings
from relwise.train.loop import Trainer
from relwise.train.state import TrainingState
from table2_data import Case
from table2_methods import Method, Options

Told = Callable[[int, float], None]
"""`told(step, AP)`: what a validation found."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A method that has learnt.

    Args:
        score: (n,) the probability of edges; of plain counting the count.
        valid_ap: AP of the validation edges, the best seen.
        steps: updates done.
        seconds: of two cores, of training (`clock.py`).
        threshold: from which score on an edge is called true.
    """

    score: Callable[[Edges], npt.NDArray[np.floating]]
    valid_ap: float
    steps: int
    seconds: float
    threshold: float = 0.5


def fit(
    case: Case, method: Method, own: Options, seed: int, limit: float | None = None, told: Told | None = None
) -> Fitted:
    """Train a method.

    Args:
        case: the data set.
        method: the method.
        own: its settings (`table2_methods.options`).
        seed: of everything random.
        limit: seconds of two cores after which no step begins; what was learnt by then is validated, and counts.
        told: called after each validation of a network.
    """
    if method.kind == "counting":
        return _count(case, method)
    if method.kind == "walks":
        return _walk(case, own, seed, limit)
    began = spent()
    graph = case.plain if method.kind == "lookup" else case.graph
    trainer = Trainer(graph, case.split, Settings.of(own), seed)
    done = 0

    def stepped(state: TrainingState, loss: float) -> None:
        nonlocal done
        done = state.step
        if limit is not None and spent() - began > limit:
            state.step = trainer.settings.steps  # the last step: the trainer validates, and ends

    def validated(state: TrainingState) -> None:
        if told:
            told(done, state.history[-1]["ap"])

    result = trainer.fit(stepped, validated)
    return Fitted(trainer.scorer().probabilities, result.best, done, spent() - began)


def measures(case: Case, fitted: Fitted) -> dict[str, float]:
    """AUC, AP and F1 of the test edges, and of each subset of them by its name."""
    test = case.split.test
    scores = fitted.score(test.edges)
    row: dict[str, float] = {}
    for name, mask in case.subsets.items():
        found = binary_measures(test.labels[mask], scores[mask], fitted.threshold)
        row |= {f"{name}_{key}" if name else key: value for key, value in found.items()}
    return row


def _count(case: Case, method: Method) -> Fitted:
    """Plain counting; a count is no probability, so its threshold is the best of the validation edges."""
    (one,) = (b for b in plain_baselines(case.split.message, case.graph.num_nodes) if b.name == method.name)
    began, valid = spent(), case.split.valid

    def score(edges: Edges) -> npt.NDArray[np.floating]:
        return one.pairs(edges.heads, edges.tails)

    found = score(valid.edges)
    threshold = best_threshold(valid.labels, found)
    return Fitted(score, average_precision(valid.labels, found), 0, spent() - began, threshold)


def _walk(case: Case, own: Options, seed: int, limit: float | None) -> Fitted:
    """metapath2vec: trained for so many seconds; the dot product of two nodes is a logit under its own loss."""
    from metapath2vec import dot, metapath2vec
    from relwise.predict.scorer import sigmoid

    rest: dict[str, Any] = {**own, "seconds": min(own["seconds"], own["seconds"] if limit is None else limit)}
    began = spent()
    nodes = metapath2vec(case.plain, case.split, seed=seed, **rest)

    def score(edges: Edges) -> npt.NDArray[np.floating]:
        return sigmoid(dot(nodes, edges))

    return Fitted(score, _ap(case.split.valid, score), 0, spent() - began)


def _ap(part: LabelledEdges, score: Callable[[Edges], npt.NDArray[np.floating]]) -> float:
    return average_precision(part.labels, score(part.edges))
