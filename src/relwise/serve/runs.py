"""Several runs by name: how they are named, loaded, warmed and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import relwise
from relwise.errors import InputError, nearest
from relwise.predictor import RelationshipPredictor
from relwise.serve.answering import explain, number, score, top_k
from relwise.serve.refusal import Refusal
from relwise.serve.search import NodeSearch
from relwise.serve.shapes import Measures, ModelAnswer, Query, RelationInfo, RunInfo, Triple


def named_folders(arguments: Sequence[str]) -> dict[str, Path]:
    """The folder of each run, by name, from `FOLDER` or `NAME=FOLDER` each.

    Raises:
        InputError: where two have one name, or a name is empty.

    >>> {name: str(folder) for name, folder in named_folders(["runs/shop", "old=runs/2019"]).items()}
    {'shop': 'runs/shop', 'old': 'runs/2019'}
    """
    folders: dict[str, Path] = {}
    for argument in arguments:
        name, sign, folder = argument.partition("=")
        if not sign or Path(argument).exists():
            name, folder = Path(argument).resolve().name, argument
        if not name.strip():
            raise InputError("the run has no name", where=argument, remedy=f"write NAME={folder}")
        if name in folders:
            raise InputError(
                f"two runs are called {name!r}", where=argument, remedy=f"give one another name: OTHER={folder}"
            )
        folders[name] = Path(folder)
    return folders


class ServedRun:
    """A run with what serving it needs.

    Args:
        name: what it is asked for by.
        predictor: read only from now on.
    """

    def __init__(self, name: str, predictor: RelationshipPredictor) -> None:
        self.name, self.predictor = name, predictor

    @cached_property
    def search(self) -> NodeSearch:
        return NodeSearch(self.predictor.graph)

    def warm(self) -> None:
        """Answer once what is asked of it, so that the first request finds kernels compiled and tables built."""
        graph = self.predictor.graph
        _ = self.search
        if not len(graph.edges):
            return
        head, relation, tail = (int(a[0]) for a in (graph.edges.heads, graph.edges.relations, graph.edges.tails))
        name = graph.relation_names[relation]
        edge = Triple(head=graph.node_id(head), relation=name, tail=graph.node_id(tail))
        explain(self.predictor, edge)  # first: what it computes of the graph serves the others too
        score(self.predictor, [edge], None)
        queries = [Query(head=edge.head, relation=name), Query(relation=name, tail=edge.tail)]
        top_k(self.predictor, queries, 1, False, None)

    @cached_property
    def prior(self) -> float:
        """The share of true pairs that probabilities assume, unless told another."""
        return self.predictor.final.share_true

    def info(self) -> RunInfo:
        graph = self.predictor.graph
        return RunInfo(name=self.name, nodes=graph.num_nodes, edges=len(graph.edges), relations=graph.num_relations)

    @cached_property
    def relations(self) -> list[RelationInfo]:
        graph = self.predictor.graph
        counts = np.bincount(graph.edges.relations, minlength=graph.num_relations)
        return [
            RelationInfo(name=name, head=r.head, tail=r.tail, directed=r.directed, edges=int(count))
            for name, r, count in zip(graph.relation_names, graph.relations, counts, strict=True)
        ]

    @cached_property
    def model(self) -> ModelAnswer:
        predictor = self.predictor
        split, measured = predictor.split, predictor.measured
        return ModelAnswer(
            run=self.name,
            version=relwise.__version__,
            seed=predictor.seed,
            settings=predictor.settings.model_dump(mode="json"),
            nodes={node_type.name: len(node_type) for node_type in predictor.graph.node_types},
            edges={
                "train": len(split.message),
                **{part: int(split.part(part).labels.sum()) for part in ("valid", "test")},
            },
            measures=_measures(measured) if measured.get("micro") else None,
            leakage=list(measured.get("leakage", {}).get("sentences", [])),
            audit=predictor.audited.describe(),
            notes=list(predictor.graph.notes),
            training=predictor.training,
        )


class Runs:
    """The runs that are served, by name; the first is the one asked by default."""

    def __init__(self, predictors: Mapping[str, RelationshipPredictor]) -> None:
        if not predictors:
            raise ValueError("no run to serve")
        self.by_name = {name: ServedRun(name, predictor) for name, predictor in predictors.items()}

    def get(self, name: str | None) -> ServedRun:
        """Raises Refusal (404), naming the nearest, where there is none of that name."""
        if name is None:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            remedy = nearest(name, self.by_name) or f"the runs are {', '.join(self.by_name)}"
            raise Refusal(404, "unknown", f"there is no run {name!r}", field="run", remedy=remedy)
        return self.by_name[name]


def _measures(measured: Mapping[str, Any]) -> Measures:
    def values(of: Mapping[str, Any]) -> dict[str, float | None]:
        return {
            key: None if v is None else number(v) for key, v in of.items() if v is None or isinstance(v, int | float)
        }

    parts = {name: values(measured[name]) for name in ("micro", "network", "evidence") if measured.get(name)}
    tables = {
        name: {key: values(of) for key, of in measured.get(name, {}).items()} for name in ("baselines", "relations")
    }
    return Measures.model_validate({**parts, **tables})
