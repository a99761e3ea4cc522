"""`Answers`: what a trained network says of a graph's edges. `RelationshipPredictor` is one that trains it first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from relwise.data.edges import Edges
from relwise.data.graph import Graph
from relwise.data.split import Split
from relwise.data.where import nodes_where
from relwise.errors import InputError
from relwise.nn.build import prepare_edges, prepare_inputs
from relwise.nn.messages import message_graph
from relwise.nn.network import Network
from relwise.predict import top
from relwise.predict.digest import digest_of
from relwise.predict.evidence.features import Evidence
from relwise.predict.evidence.ties import Ties
from relwise.predict.explain import Explanation, explainer_of, one_thread
from relwise.predict.final import FinalScorer, Judgement
from relwise.predict.index import INDEX, Index
from relwise.predict.index_build import build_index
from relwise.predict.judge import Judge
from relwise.predict.missing import predict_missing
from relwise.predict.scorer import Scorer
from relwise.predict.stream import Question, write_missing


class Query(NamedTuple):
    """An edge with one end missing: the head or the tail is given, by its id."""

    relation: str
    head: object = None
    tail: object = None


class Answers:
    """Probabilities of edges and the likeliest missing ones, once there is a network to ask."""

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
        graph, _, model = self._fit
        with torch.no_grad():
            inputs, adjacency, edge_inputs = self._prepared()
            nodes = model.encode(inputs, adjacency, edge_inputs=edge_inputs)
        return Scorer(graph, model.decoder, nodes)

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
        return FinalScorer(self.scorer, self.evidence, judge)

    @property
    def digest(self) -> str:
        """Of all that the answers depend on (see `relwise.predict.digest`)."""
        return digest_of(*self._fit, self.judgement)

    @cached_property
    def evidence(self) -> Evidence:
        """What the training edges say of pairs."""
        return Evidence(Ties.of(self.graph, self.split.message), self.judgement.patterns)

    def predict_proba(
        self, edges: Sequence[tuple[object, str, object]], prior: float | None = None
    ) -> npt.NDArray[np.float64]:
        """(n,) the probability of each edge asked about.

        Args:
            edges: n triples (head id, relation, tail id).
            prior: the share of the pairs asked about that is assumed to hold; None: that of the validation edges
                (`final.share_true`), a half unless the data say otherwise.

        Raises:
            InputError: at an unknown id or relation, naming the nearest; at a prior that is no share.
        """
        return self.final.probabilities(self.indexed(edges), prior)

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

    def top_k(
        self,
        relation: str,
        head: object = None,
        tail: object = None,
        k: int = 10,
        known: bool = False,
        *,
        prior: float | None = None,
        where: str | None = None,
        exact: bool = True,
    ) -> pd.DataFrame:
        """The k likeliest relationships of one node that are missing from the graph, by the final probability.

        Args:
            relation: the relation's name.
            head: the id of the head; the tails are asked for.
            tail: the id of the tail; the heads are asked for. One of the two must be given.
            k: how many.
            known: list known relationships too, marked in the column `known`.
            prior: as of `predict_proba`.
            where: a condition in SQL on the attributes of the nodes listed (`"country = 'CAN'"`; `id` and `label` are
                columns too).
            exact: score every candidate; else those that the run's index finds (`build_index`, `relwise index RUN`).

        Returns:
            Columns head, relation, tail, name (of the node found), probability, known, evidence (the typed paths that
            speak most for it).
        """
        if (head is None) == (tail is None):
            raise InputError("one end must be given, and one only", remedy="give head or tail")
        query = Query(relation, head, tail)
        return self.top_k_batch([query], k, known, prior=prior, where=where, exact=exact)[0]

    def top_k_batch(
        self,
        queries: Sequence[Query],
        k: int = 10,
        known: bool = False,
        *,
        prior: float | None = None,
        where: str | None = None,
        exact: bool = True,
    ) -> list[pd.DataFrame]:
        """`top_k` of several queries at once, which takes less time than one by one."""
        found = self.top_k_rows(queries, k, known, prior=prior, where=where, exact=exact)
        return [top.as_frame(rows) for rows in found]

    def top_k_rows(
        self,
        queries: Sequence[Query],
        k: int = 10,
        known: bool = False,
        *,
        prior: float | None = None,
        where: str | None = None,
        exact: bool = True,
    ) -> list[list[top.Row]]:
        """`top_k_batch` as plain rows."""
        _check_k(k)
        asked = [self._asked(query) for query in queries]
        allowed = None
        if where is not None:
            kinds = {self._sought(query) for query in queries}
            allowed = nodes_where(self.graph, sorted(kinds), where)
        if exact:
            return top.top_k(self.final, asked, k, known, prior, allowed)
        return top.describe_found(self.final, asked, self.index.find(asked, k, known, allowed), prior)

    @property
    def index(self) -> Index:
        """What finds likely candidates without scoring all: built here, or lying in the run folder."""
        if self._index is None:
            if self._folder is None:
                raise InputError("there is no index", remedy="call build_index(), or relwise index RUN")
            self._index = Index.load(self._folder / INDEX, self.digest, self.final)
        return self._index

    def build_index(self) -> Index:
        """Build the index of large node types, and measure its recall and speed (see `relwise.predict.index`).

        `index.save(folder, digest)` keeps it; `relwise index RUN` does both.
        """
        self._index = build_index(self.final)
        return self._index

    def top_relations(
        self, head: object, tail: object, k: int = 10, known: bool = False, *, prior: float | None = None
    ) -> pd.DataFrame:
        """The k likeliest relations between two nodes, of those that fit their types.

        Args:
            head, tail: ids.
            k, known, prior: as of `top_k`.

        Raises:
            InputError: where no node has an id, or no relation ties the types of these two.
        """
        _check_k(k)
        graph = self.graph
        types = [{t.name for t in graph.node_types if str(node) in t.ids} for node in (head, tail)]
        for node, found in zip((head, tail), types, strict=True):
            if not found:
                raise InputError(f"no node has the id {str(node)!r}", remedy="look its id up in the node tables")
        fits = [i for i, r in enumerate(graph.relations) if r.head in types[0] and r.tail in types[1]]
        if not fits:
            raise InputError(
                f"no relation leads from {' or '.join(sorted(types[0]))} to {' or '.join(sorted(types[1]))}",
                remedy=f"the relations are {', '.join(graph.relation_names[:12])}",
            )
        edges = self.indexed([(head, graph.relation_names[i], tail) for i in fits])
        return top.as_frame(top.likeliest(self.final, edges, k, known, prior))

    def predict_missing(
        self, relation: str, k: int = 10, *, prior: float | None = None, where: str | None = None
    ) -> pd.DataFrame:
        """The k likeliest relationships of a relation that are missing from the graph, over all its pairs.

        Args:
            relation, k, prior: as of `top_k`.
            where: a condition on the tails, as of `top_k`; an undirected pair is turned so that its tail meets it.
        """
        _check_k(k)
        index = self.graph.relation_index(relation)
        return top.as_frame(predict_missing(self.final, index, k, prior, self._tails_where(index, where)))

    def write_missing(
        self,
        relation: str,
        path: str | Path,
        *,
        least: float = 0.5,
        prior: float | None = None,
        where: str | None = None,
        resume: bool = False,
        progress: bool = False,
    ) -> int:
        """Write all missing relationships of a relation that are likely enough to a Parquet file.

        Scored block by block, in bounded memory (see `relwise.predict.stream`).

        Args:
            relation, prior, where: as of `predict_missing`.
            path: the file: columns head, relation, tail, name (of the tail), probability; in the order of nodes.
            least: the least probability.
            resume: go on where a killed run of the same question stopped, to the same file.
            progress: show a progress bar, or lines where stderr is no terminal.

        Returns:
            How many rows were written.
        """
        index = self.graph.relation_index(relation)
        question = Question(self.digest, self.graph.relations[index].full_name, least, prior, where)
        allowed = self._tails_where(index, where)
        return write_missing(self.final, question, Path(path), allowed, resume=resume, progress=progress)

    def _tails_where(self, relation: int, condition: str | None) -> npt.NDArray[np.bool_] | None:
        return None if condition is None else nodes_where(self.graph, [self.graph.relations[relation].tail], condition)

    def _asked(self, query: Query) -> top.Asked:
        index = self.graph.relation_index(query.relation)
        kind = self.graph.relations[index]
        if query.tail is None:
            return top.Asked(index, int(self.graph.node_index(kind.head, [query.head])[0]), "tail")
        return top.Asked(index, int(self.graph.node_index(kind.tail, [query.tail])[0]), "head")

    def _sought(self, query: Query) -> str:
        """The node type that is listed."""
        kind = self.graph.relations[self.graph.relation_index(query.relation)]
        return kind.tail if query.tail is None else kind.head

    def explain(self, head: object, relation: str, tail: object) -> Explanation:
        """Why a relationship is likely, or not (see `relwise.predict.explain`).

        Args:
            head, tail: ids.
            relation: the relation's name.

        Raises:
            InputError: at an unknown id or relation, naming the nearest.
        """
        explainer, asked = explainer_of(self), [(head, relation, tail)]
        with one_thread():
            return explainer.explain(self.indexed(asked), float(self.predict_proba(asked)[0]))

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
        self.__dict__.pop("scorer", None)
        self._judge_by(None)

    def _judge_by(self, judgement: Judgement | None) -> None:
        self._judgement, self._index = judgement, None
        for name in ("final", "evidence"):
            self.__dict__.pop(name, None)


def _check_k(k: int) -> None:
    if k < 1:
        raise InputError(f"k = {k}: nothing to list", remedy="give at least 1")
