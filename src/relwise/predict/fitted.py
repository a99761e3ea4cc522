"""`Fitted`: a trained network on a graph, and what every answer is made with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.errors import InputError
from relwise.nn.build import prepare_edges, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.nn.network import Network
from relwise.predict.digest import digest_of
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.ties import Ties
from relwise.predict.final import FinalScorer, Judgement
from relwise.predict.index import Index
from relwise.predict.judge import Judge
from relwise.predict.scorer import Scorer


class Fitted:
    """A graph, its split, a trained network, and what was learnt on the validation edges."""

    def __init__(self) -> None:
        self._run: tuple[Graph, Split, Network] | None = None
        self._judgement: Judgement | None = None
        self._index: Index | None = None
        self._folder: Path | None = None
        """The run folder that this was loaded from."""

    @property
    def graph(self) -> Graph:
        return self._fit[0]

    @property
    def split(self) -> Split:
        return self._fit[1]

    @property
    def network(self) -> Network:
        """The trained network."""
        return self._fit[2]

    @cached_property
    def scorer(self) -> Scorer:
        """Scores with the training edges as messages."""
        inputs, adjacency, edge_inputs = self._prepared()
        with torch.no_grad():
            return self.scorer_of(self.network.encode(inputs, adjacency, edge_inputs=edge_inputs))

    @property
    def encoded(self) -> bool:
        """Whether the final states are computed already."""
        return "scorer" in self.__dict__

    def scorer_of(self, nodes: Tensor) -> Scorer:
        """The scorer, from final states that somebody has computed already; where there is one it stays."""
        graph, _, model = self._fit
        return self.__dict__.setdefault("scorer", Scorer(graph, model.decoder, nodes))

    @property
    def judgement(self) -> Judgement:
        """What makes final probabilities; the network's own before anything was fitted on validation edges."""
        return self._judgement or Judgement.of_network(self.graph.num_relations)

    @cached_property
    def final(self) -> FinalScorer:
        """Final probabilities: the network's logit and the graph's own evidence, calibrated."""
        return self.final_by(self.judgement.both)

    def final_by(self, judge: Judge) -> FinalScorer:
        """The same by another judge of this run (`judgement.alone`)."""
        return FinalScorer(self.scorer, self.evidence if judge.weighs_evidence else None, judge)

    @property
    def digest(self) -> str:
        """Of all that the answers depend on (see `relwise.predict.digest`)."""
        return digest_of(*self._fit, self.judgement)

    @cached_property
    def evidence(self) -> Evidence:
        """What the training edges say of pairs."""
        return Evidence(self.ties, self.judgement.patterns)

    @cached_property
    def ties(self) -> Ties:
        """Who is tied to whom, by the training edges."""
        return Ties.of(self.graph, self.split.message)

    def indexed(self, edges: Sequence[tuple[object, str, object]]) -> Edges:
        """Edges of ids and names as edges of indices; raises InputError at the first that is not in the graph."""
        graph = self.graph
        heads, relations, tails = (np.empty(len(edges), np.int64) for _ in range(3))
        rows_of: dict[str, list[int]] = {}
        for row, (_, name, _) in enumerate(edges):
            rows_of.setdefault(str(name), []).append(row)
        for name, rows in rows_of.items():
            relation = graph.relation_index(name)
            kind = graph.relations[relation]
            relations[rows] = relation
            heads[rows] = graph.node_index(kind.head, [edges[row][0] for row in rows])
            tails[rows] = graph.node_index(kind.tail, [edges[row][2] for row in rows])
        return Edges(heads, relations, tails)

    def _prepared(self) -> tuple[list, Any, Any]:
        """What the network reads: attributes, the training edges as messages, their attributes."""
        graph, split, model = self._fit
        model.eval()
        adjacency = message_graph(graph, split.message).adjacency
        return prepare_inputs(model, graph), adjacency, prepare_edges(model, graph, split.message, adjacency)

    @property
    def _fit(self) -> tuple[Graph, Split, Network]:
        if self._run is None:
            raise InputError("the model is not trained yet", remedy="call fit(graph), or relwise.load(folder)")
        return self._run

    def _answer_from(self, graph: Graph, split: Split, model: Network) -> None:
        self._run = (graph, split, model)
        for name in ("scorer", "ties"):
            self.__dict__.pop(name, None)
        self._judge_by(None)

    def _judge_by(self, judgement: Judgement | None) -> None:
        self._judgement, self._index = judgement, None
        for name in ("final", "evidence"):
            self.__dict__.pop(name, None)
