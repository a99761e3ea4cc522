"""Nodes by any text in them: id, label, and every categorical and text attribute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from relwise.data.graph import Graph
from relwise.data.node_type import NodeType
from relwise.errors import InputError, nearest
from relwise.serve.shapes import NodeInfo

pc: Any = pyarrow.compute  # its functions are made at import, so that type checkers know none of them

SEARCHED = ("categorical", "multi_categorical", "text")
SHOWN = 160  # characters of a text that is shown
BETWEEN = "\n"  # a search word has none, so that nothing is found across two columns


@dataclass(frozen=True, eq=False)
class Column:
    """One searched column of a node type, folded: no capitals, no accents."""

    name: str
    folded: pa.Array


class NodeSearch:
    """Finds the nodes that hold all words of a search, anywhere in any of their texts.

    Capitals and accents do not count. Nodes whose id or label is, begins with, or holds what is searched come first.

    Args:
        graph: whose nodes.

    >>> graph = Graph.from_triples([("Zürich", "near", "Bern"), ("Bern", "near", "Berlin")])
    >>> found, total = NodeSearch(graph).find("bern", limit=5)
    >>> [node.id for node in found], NodeSearch(graph).find("zurich")[1]
    (['Bern'], 1)
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._columns = [_columns(node_type) for node_type in graph.node_types]
        self._all = [_together(columns) for columns in self._columns]

    def find(self, search: str, node_type: str | None = None, limit: int = 20) -> tuple[list[NodeInfo], int]:
        """The nodes found, best first, and how many there are in all.

        Args:
            search: words, all of which a node must hold; empty: every node.
            node_type: only of this type; None: of any.
            limit: how many to return.

        Raises:
            InputError: at an unknown type, naming the nearest.
        """
        types = range(len(self.graph.node_types)) if node_type is None else [self._type(node_type)]
        sought = fold([search])[0].as_py().strip()
        hits: list[tuple[int, int, int]] = []
        total = 0
        for i in types:
            rows = self._rows(i, sought.split())
            total += len(rows)
            ranks = self._ranks(i, rows, sought)
            best = np.argsort(ranks, kind="stable")[:limit]
            hits += [(int(ranks[j]), i, int(rows[j])) for j in best]
        hits = sorted(hits)[:limit]
        return [self._describe(i, row, sought.split()) for _, i, row in hits], total

    def _type(self, name: str) -> int:
        if name not in self.graph.type_index:
            remedy = nearest(name, self.graph.type_index) or f"the types are {', '.join(self.graph.type_index)}"
            raise InputError(f"there is no node type {name!r}", remedy=remedy)
        return self.graph.type_index[name]

    def _rows(self, i: int, words: list[str]) -> npt.NDArray[np.int64]:
        """The rows of type i that hold all words."""
        mask = np.ones(len(self.graph.node_types[i]), dtype=bool)
        for word in words:
            mask &= pc.match_substring(self._all[i], word).to_numpy(zero_copy_only=False)
        return np.flatnonzero(mask)

    def _ranks(self, i: int, rows: npt.NDArray[np.int64], sought: str) -> npt.NDArray[np.int64]:
        """How good each hit is, 0 best: is it, does its id or label begin with it, hold it, or only another text?"""
        ranks = np.full(len(rows), 6)
        if not sought or not len(rows):
            return ranks
        for worse, column in enumerate(self._columns[i][:2]):
            texts = column.folded.take(pa.array(rows))
            tests = (pc.match_substring(texts, sought), pc.starts_with(texts, sought), pc.equal(texts, sought))
            for rank, found in zip((4, 2, 0), tests, strict=True):
                hit = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
                ranks[hit] = np.minimum(ranks[hit], rank + worse)
        return ranks

    def _describe(self, i: int, row: int, words: list[str]) -> NodeInfo:
        node_type = self.graph.node_types[i]
        node = int(self.graph.offsets[i]) + row
        held = [sum(word in (column.folded[row].as_py() or "") for word in words) for column in self._columns[i]]
        matched = self._columns[i][held.index(max(held))].name
        text = _text(node_type, matched, row)
        return NodeInfo(
            type=node_type.name,
            id=self.graph.node_id(node),
            label=self.graph.node_label(node),
            matched=matched,
            text=text if len(text) <= SHOWN else text[:SHOWN] + "...",
        )


def fold(texts: Iterable[str | None]) -> pa.Array:
    """Texts without capitals and accents; None stays None."""
    array = pa.array(texts, pa.large_string())
    bare = pc.replace_substring_regex(pc.utf8_normalize(array, "NFKD"), r"\p{Mn}", "")
    return pc.utf8_lower(bare)


def _columns(node_type: NodeType) -> list[Column]:
    """Id, label, then the attributes that hold words."""
    labels = node_type.labels if node_type.labels is not None else [None] * len(node_type)
    texts = {"id": node_type.ids, "label": [_word(label) for label in labels]}
    for attribute in node_type.attributes:
        if attribute.modality in SEARCHED:
            texts[f".{attribute.name}"] = [_word(value) for value in attribute.values]
    return [Column(name.removeprefix("."), fold(values)) for name, values in texts.items()]


def _together(columns: list[Column]) -> pa.Array:
    """All texts of each node as one."""
    arrays = [pc.fill_null(column.folded, "") for column in columns]
    return pc.binary_join_element_wise(*arrays, pa.scalar(BETWEEN, pa.large_string()))


def _word(value: object) -> str | None:
    """An attribute's value as text; None where it is missing."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else None


def _text(node_type: NodeType, name: str, row: int) -> str:
    """The text of a node's column as it was before folding."""
    for attribute in node_type.attributes:
        if attribute.name == name and attribute.modality in SEARCHED:
            return _word(attribute.values[row]) or ""
    if name == "label" and node_type.labels is not None:
        return _word(node_type.labels[row]) or ""
    return str(node_type.ids[row])
