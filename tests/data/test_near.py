"""Near ids are found among few and among many, in a time that does not grow with them."""

from __future__ import annotations

import time

import pandas as pd
import pytest

from relwise.data.graph import Graph
from relwise.data.near import FEW, near_ids
from relwise.errors import InputError, nearest

MANY = pd.Index([f"E{i:06d}" for i in range(FEW + 10)] + ["Zürich", "N14228"])


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("N14229", "N14228"),  # another letter
        ("N1422", "N14228"),  # one less
        ("N142288", "N14228"),  # one more
        ("N14282", "N14228"),  # changed over
        ("n14228", "N14228"),  # capitals
        (" N14228 ", "N14228"),
        ("Zurich", "Zürich"),
    ],
)
def test_one_slip_is_found(unknown: str, meant: str) -> None:
    letters = pd.Index(sorted([*MANY, *(f"ü{i}" for i in range(20))]))  # every letter stands in what is sampled
    assert f"'{meant}'" in near_ids(unknown, letters)
    assert f"'{meant}'" in near_ids(unknown, pd.Index(["N14228", "Zürich"]))


@pytest.mark.parametrize("unknown", ["", "Atlantis", "x" * 100_000, "\ud800", "\0"])
def test_where_none_is_near_none_is_named(unknown: str) -> None:
    assert near_ids(unknown, MANY) == ""


def test_few_are_compared_as_names_are() -> None:
    ids = pd.Index(["alpha", "beta", "gamma"])
    assert near_ids("alpah", ids) == nearest("alpah", ids)


def test_the_graph_names_them_in_no_time() -> None:
    graph = Graph.from_triples([(f"E{i:06d}", "r", f"E{i + 1:06d}") for i in range(60_000)])
    graph.node_index("node", ["E000001"])  # builds the table that ids are looked up in
    began = time.thread_time()
    with pytest.raises(InputError, match="did you mean 'E0"):
        graph.node_index("node", ["E0123456"])
    assert time.thread_time() - began < 0.5  # one by one it is seconds
