"""By time: what is known from a moment on is predicted from what was known before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from relwise.data.graph import TEST, VALID, Graph
from relwise.errors import InputError


def time_parts(graph: Graph) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    """Each edge's part by the earliest time of its fact, and whether it may be learnt from.

    An undated edge of a dated relation may lie after the cut: it is evidence, never supervised. A relation without
    any date is taken as always known.
    """
    edges, rule = graph.edges, graph.split_rule
    if edges.times is None:
        raise InputError("the split is by time, and no relation names a time column", remedy='add time = "..."')
    cut_valid, cut_test = np.array([str(rule.valid), str(rule.test)], dtype="datetime64[us]")
    facts, fact = np.unique(graph.keys(edges), return_inverse=True)
    earliest = np.full(len(facts), np.datetime64("NaT", "us"))
    np.fmin.at(earliest, fact, edges.times)  # fmin: a date goes before none
    times = earliest[fact]
    dated = ~np.isnat(times)
    parts = np.zeros(len(edges), dtype=np.int8)
    parts[dated & (times >= cut_valid)] = VALID
    parts[dated & (times >= cut_test)] = TEST
    has_dates = np.bincount(edges.relations, dated, minlength=graph.num_relations) > 0
    return parts, dated | ~has_dates[edges.relations]
