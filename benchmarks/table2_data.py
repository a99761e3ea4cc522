"""The data sets of table 2, each split once: all methods and all seeds are asked the same questions (see `table2.py`).

| name | split | valid and test negatives | inputs |
| --- | --- | --- | --- |
| `amazon` | as given | as given, drawn at random | no attributes |
| `youtube_partial` | anew, 85/5/10 of each relation, one seed | the files' own, as many as positives | no attributes |
| `canada_procurement` | by time, as in `company.py` | uniform within the types | attributes of nodes, not of edges |

`youtube_partial` is the published valid and test files alone, for the train file cannot be had: 15 % of the edges. Its
figures are not to be compared with published ones. A non-edge may be an edge of the missing file.

On `canada_procurement` methods without message passing look nodes up, as they were published: they get no attributes.
All encoders get the same: attributes, the degree of each node, masks by time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from company_cases import company_graph, without_attributes, without_edge_attributes
from data import benchmark_folder
from relwise.data.audit.leakage import leakage
from relwise.data.edges import Edges
from relwise.data.from_frame import graph_from_frame
from relwise.data.graph import Graph, SplitRule
from relwise.data.split import Split, seen_nodes, split_graph
from relwise.data.split.random import random_parts
from relwise.errors import InputError
from relwise.evaluate.table import unseen_edges

SPLIT_SEED = 0
RULE = SplitRule("random", valid=0.05, test=0.10)  # the paper's shares


@dataclass(frozen=True, eq=False)
class Case:
    """A data set, ready to train on.

    Args:
        name: of the data set.
        graph: what encoders see.
        plain: the same without attributes: what an embedding table goes by.
        split: of its edges.
        subsets: by name, (n,) which of the test edges count; `""` is all of them.
        encoder, lookup: settings that differ from the defaults, of networks with and without message passing.
    """

    name: str
    graph: Graph
    plain: Graph
    split: Split
    subsets: Mapping[str, npt.NDArray[np.bool_]]
    encoder: Mapping[str, Any] = field(default_factory=dict)
    lookup: Mapping[str, Any] = field(default_factory=dict)


def amazon() -> Case:
    """Amazon; test positives that stand in train turned round are left out a second time."""
    from relwise.data.read import read

    graph = read(benchmark_folder("amazon"))
    split = split_graph(graph, SPLIT_SEED)
    test = leakage(graph, split).test
    every = np.ones(len(split.test), dtype=bool)
    return Case("amazon", graph, graph, split, {"": every, "without_reversed": ~(test.same | test.reversed)})


def youtube() -> Case:
    """YouTube's valid and test files, split anew."""
    graph = split_anew(benchmark_folder("youtube_partial"))
    split = split_graph(graph, SPLIT_SEED)
    return Case("youtube_partial", graph, graph, split, {"": np.ones(len(split.test), dtype=bool)})


def canada() -> Case:
    """Canada's purchases by time; edges with a node that no dated training edge touches are told apart."""
    graph = without_edge_attributes(company_graph(), SPLIT_SEED)
    split = split_graph(graph, SPLIT_SEED)
    new = unseen_edges(split.test.edges, seen_nodes(graph, split.message))
    subsets = {"": np.ones(len(new), dtype=bool), "seen": ~new, "unseen": new}
    encoder = {"dim": 64, "mask": "time", "degrees": True, "embedding_dropout": 0.5, "weight_decay": 1e-4}
    plain = without_attributes(graph, SPLIT_SEED)
    return Case("canada_procurement", graph, plain, split, subsets, encoder, {"dim": 64})


CASES: dict[str, Callable[[], Case]] = {"amazon": amazon, "youtube_partial": youtube, "canada_procurement": canada}


def split_anew(folder: Path) -> Graph:
    """The edges of a folder's valid and test files in parts of their own, with negatives from the same files.

    Each relation's distinct non-edges are shared out so that valid and test get as many as they have positives, none
    twice; fewer where there are not so many.

    Args:
        folder: with `valid.txt` and `test.txt`, whose lines are `relation head tail label`.

    Raises:
        InputError: where a line is no such.
    """
    lines = pd.concat([_lines(folder / f"{part}.txt") for part in ("valid", "test")], ignore_index=True)
    label = lines["label"].to_numpy()
    true, false = (lines.take(np.flatnonzero(label == one)) for one in ("1", "0"))
    # The reader knows what is no negative because it is a known edge; which part it falls into comes after.
    graph = graph_from_frame(true, None, directed=False, negatives={"test": false})
    graph = replace(graph, split_rule=RULE)
    parts = random_parts(graph, SPLIT_SEED)
    others, rng = graph.negatives["test"], np.random.default_rng([SPLIT_SEED, 17])
    others = others[np.unique(graph.keys(others), return_index=True)[1]]
    taken: dict[str, list[Edges]] = {"valid": [], "test": []}
    for relation in range(graph.num_relations):
        drawn = rng.permutation(np.flatnonzero(others.relations == relation))
        begin = 0
        for code, part in ((1, "valid"), (2, "test")):
            end = begin + int(((parts == code) & (graph.edges.relations == relation)).sum())
            taken[part].append(others[drawn[begin:end]])
            begin = end
    negatives = {part: Edges.concatenate(*some) for part, some in taken.items()}
    return replace(graph, parts=parts, negatives=negatives, split_rule=SplitRule("given"))


def _lines(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), remedy="set RELWISE_DATA to the benchmark data")
    table = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, keep_default_na=False)
    if table.shape[1] != 4 or not np.isin(table[3].to_numpy(dtype=object), ["0", "1"]).all():
        raise InputError("a line is not: relation head tail label", where=str(path), remedy="give label 1 or 0")
    table.columns = ["relation", "head", "tail", "label"]
    return table.astype(object)
