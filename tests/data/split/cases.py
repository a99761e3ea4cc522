"""What holds of every split."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from relwise.data.graph import Graph
from relwise.data.split import Split

SEEDS = st.integers(0, 2**32 - 1)
PARTS = ("message", "valid", "test")


def parts_of(graph: Graph, split: Split) -> list[np.ndarray]:
    """The facts of the message, valid and test edges, each once."""
    edges = (split.message, split.valid.positives, split.test.positives)
    return [np.unique(graph.keys(part)) for part in edges]


def check(graph: Graph, split: Split) -> None:
    """The parts are all edges, no fact stands in two of them, and negatives are unknown edges of the right types."""
    edges = (split.message, split.valid.positives, split.test.positives)
    keys = [graph.keys(part) for part in edges]
    assert sorted(np.concatenate(keys)) == sorted(graph.keys(graph.edges)), "the parts are all edges, each once"
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not np.isin(keys[one], keys[other]).any(), "no fact stands in two parts"
    assert len(split.filter) == len(graph.edges)
    assert set(graph.keys(split.supervision)) <= set(keys[0])
    for part in (split.valid, split.test):
        negatives = part.edges[~part.labels]
        assert not np.isin(graph.keys(negatives), graph.keys(graph.edges)).any()
        assert (negatives.heads != negatives.tails).all()
        assert len(negatives) == len(part.positives)
        np.testing.assert_array_equal(np.sort(negatives.relations), np.sort(part.positives.relations))
        for ends, ranges in ((negatives.heads, graph.head_ranges), (negatives.tails, graph.tail_ranges)):
            low, high = ranges[negatives.relations].T
            assert ((ends >= low) & (ends < high)).all()


def same(first: Split, second: Split) -> bool:
    """Whether two splits are equal, negatives too."""
    pairs = ((first.message, second.message), *((first.part(n).edges, second.part(n).edges) for n in PARTS[1:]))
    return all(np.array_equal(getattr(a, e), getattr(b, e)) for a, b in pairs for e in ("heads", "relations", "tails"))
