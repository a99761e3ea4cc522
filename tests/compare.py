"""Telling whether two graphs are the same, value by value."""

from __future__ import annotations

import numpy as np

from relwise.data.edges import Edges
from relwise.data.graph import Graph


def assert_same_edges(one: Edges, other: Edges) -> None:
    for name in ("heads", "relations", "tails"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.times is None) == (other.times is None)
    if one.times is not None and other.times is not None:
        np.testing.assert_array_equal(one.times.astype("datetime64[us]"), other.times)


def assert_same_graph(one: Graph, other: Graph) -> None:
    """The graphs are equal in every value and every dtype, missing values included."""
    assert [t.name for t in one.node_types] == [t.name for t in other.node_types]
    assert one.relations == other.relations
    assert one.split_rule == other.split_rule
    assert one.notes == other.notes
    for mine, its in zip(one.node_types, other.node_types, strict=True):
        assert mine.ids.tolist() == its.ids.tolist()
        assert (mine.labels is None) == (its.labels is None)
        if mine.labels is not None and its.labels is not None:
            assert list(mine.labels) == list(its.labels)
        assert [(a.name, a.modality) for a in mine.attributes] == [(a.name, a.modality) for a in its.attributes]
        for a, b in zip(mine.attributes, its.attributes, strict=True):
            assert a.values.dtype == b.values.dtype
            np.testing.assert_array_equal(a.values, b.values)
    assert_same_edges(one.edges, other.edges)
    assert (one.parts is None) == (other.parts is None)
    if one.parts is not None and other.parts is not None:
        np.testing.assert_array_equal(one.parts, other.parts)
    assert set(one.negatives) == set(other.negatives)
    for part in one.negatives:
        assert_same_edges(one.negatives[part], other.negatives[part])
