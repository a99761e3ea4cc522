"""`Lists`: the likeliest missing relationships: of an entity, of a pair, of a relation, to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from relwise.data.where import nodes_where
from relwise.errors import InputError
from relwise.predict import top
from relwise.predict.fitted import Fitted
from relwise.predict.index import INDEX, Index
from relwise.predict.index_build import build_index
from relwise.predict.missing import predict_missing
from relwise.predict.stream import Question, write_missing


class Query(NamedTuple):
    """An edge with one end missing: the head or the tail is given, by its id."""

    relation: str
    head: object = None
    tail: object = None


class Lists(Fitted):
    """Lists of what is missing, likeliest first."""

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


def _check_k(k: int) -> None:
    if k < 1:
        raise InputError(f"k = {k}: nothing to list", remedy="give at least 1")
