"""Edges share what cannot be written to, and copy what can."""

import numpy as np
import pytest

from relwise.data.edges import Edges


def frozen(*values: int) -> np.ndarray:
    array = np.array(values, dtype=np.int64)
    array.setflags(write=False)
    return array


def test_what_no_one_can_write_to_is_shared():
    heads, relations, tails = frozen(0, 1), frozen(0, 0), frozen(1, 2)
    edges = Edges(heads, relations, tails)
    assert edges.heads is heads
    assert edges.relations is relations
    assert edges.tails is tails
    assert Edges(edges.heads, edges.relations, edges.tails).tails is tails


def test_what_its_giver_can_write_to_is_copied():
    heads = np.array([0, 1])
    view = heads[:]
    view.setflags(write=False)  # read-only itself, but on memory that is not
    lists = Edges(heads, [0, 0], [1, 2])  # type: ignore[arg-type]
    views = Edges(view, view, view)
    heads[0] = 7
    assert lists.heads.tolist() == views.heads.tolist() == views.tails.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        lists.heads[0] = 1


def test_other_integers_become_int64():
    edges = Edges(np.array([0, 1], np.int32), np.array([0, 0], np.uint8), [1, 2])  # type: ignore[arg-type]
    assert {array.dtype for array in (edges.heads, edges.relations, edges.tails)} == {np.dtype(np.int64)}


def test_parts_and_sums_of_edges_are_read_only():
    edges = Edges(np.arange(4), np.zeros(4, int), np.arange(4) + 1)
    for part in (edges[np.array([1, 3])], edges[edges.heads > 1], Edges.concatenate(edges, edges)):
        assert not any(array.flags.writeable for array in (part.heads, part.relations, part.tails))
    assert Edges.concatenate(edges, edges[np.array([0])]).tails.tolist() == [1, 2, 3, 4, 1]
    assert len(Edges.concatenate()) == len(Edges.empty()) == 0
