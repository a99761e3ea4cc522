"""Telling whether two graphs are the same, value by value."""

from __future__ import annotations

import numpy as np

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph


def assert_same_edges(one: Edges, other: Edges) -> None:
    for name in ("heads", "relations", "tails"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.times is None) == (other.times is None)
    if one.times is not None and other.times is not None:
        np.testing.assert_array_equal(one.times.astype("datetime64[us]"), other.times)


def assert_same_attributes(one: tuple[Attribute, ...], other: tuple[Attribute, ...]) -> None:
    assert [(a.name, a.modality) for a in one] == [(a.name, a.modality) for a in other]
    for a, b in zip(one, other, strict=True):
        assert a.values.dtype == b.values.dtype
        if a.values.dtype == object:
            assert a.values.tolist() == b.values.tolist()
        else:
            np.testing.assert_array_equal(a.values, b.values)


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
        assert_same_attributes(mine.attributes, its.attributes)
    assert_same_edges(one.edges, other.edges)
    assert (one.parts is None) == (other.parts is None)
    if one.parts is not None and other.parts is not None:
        np.testing.assert_array_equal(one.parts, other.parts)
    assert set(one.negatives) == set(other.negatives)
    for part in one.negatives:
        assert_same_edges(one.negatives[part], other.negatives[part])
    assert set(one.edge_attributes) == set(other.edge_attributes)
    for code, attributes in one.edge_attributes.items():
        assert_same_attributes(attributes, other.edge_attributes[code])
    assert (one.groups is None) == (other.groups is None)
    if one.groups is not None and other.groups is not None:
        np.testing.assert_array_equal(one.groups, other.groups)
