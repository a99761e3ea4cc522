"""A small graph in memory with the real interface: every modality, missing values, times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule

SIZES = {"person": 28, "company": 20, "city": 12}
GROUPS = 4


def small_graph(seed: int = 0, split: SplitRule | None = None) -> Graph:
    """60 nodes of three types, 300 edges in four relations; the same seed gives the same graph.

    Every node has a hidden group, which attributes hint at and most edges stay inside: there is something to
    learn. `works_at` and `knows` are dated within 2020 (a few dates are missing); `owns` ties the same types
    as `works_at`; `knows` is undirected; `located_in` has no dates at all.

    Args:
        seed: of everything.
        split: the graph's split rule; random by default. `SplitRule("time", "2020-09-01", "2020-11-01")`
        fits.
    """
    rng = np.random.default_rng(seed)
    groups = {name: np.arange(size) % GROUPS for name, size in SIZES.items()}
    node_types = tuple(_node_type(name, groups[name], rng) for name in SIZES)
    relations = (
        Relation("works_at", "person", "company"),
        Relation("owns", "person", "company"),
        Relation("knows", "person", "person", directed=False),
        Relation("located_in", "company", "city"),
    )
    offset = {"person": 0, "company": SIZES["person"], "city": SIZES["person"] + SIZES["company"]}
    columns = []
    for index, (relation, count) in enumerate(zip(relations, (100, 60, 100, 40), strict=True)):
        pairs = _pairs(groups[relation.head], groups[relation.tail], count, relation.head == relation.tail, rng)
        ones = np.full(count, index)
        columns.append((pairs[:, 0] + offset[relation.head], ones, pairs[:, 1] + offset[relation.tail]))
    heads, codes, tails = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 366 * 86_400, len(heads)).astype("timedelta64[s]")
    times[(rng.random(len(heads)) < 0.05) | (codes == 3)] = np.datetime64("NaT")
    return Graph(node_types, relations, Edges(heads, codes, tails, times), split_rule=split or SplitRule())


def _pairs(
    head_groups: np.ndarray, tail_groups: np.ndarray, count: int, within: bool, rng: np.random.Generator
) -> np.ndarray:
    """(count, 2) different pairs, nine in ten inside a group; `within` one type each pair stands once."""
    same = head_groups[:, None] == tail_groups[None, :]
    weight = np.where(same, 0.9 / same.sum(), 0.1 / max(1, (~same).sum()))
    if within:
        weight = np.triu(weight, 1)
    # Gumbel keys: the `count` largest are a weighted draw without repetition.
    with np.errstate(divide="ignore"):
        keys = np.log(weight) + rng.gumbel(size=weight.shape)
    chosen = np.argsort(-keys, axis=None)[:count]
    return np.stack(np.unravel_index(chosen, weight.shape), axis=1)


def _node_type(name: str, groups: np.ndarray, rng: np.random.Generator) -> NodeType:
    n = len(groups)

    def gaps(values: np.ndarray, missing: object) -> np.ndarray:
        values[rng.permutation(n)[: max(1, n // 10)]] = missing
        return values

    def words(*choices: str) -> np.ndarray:
        return np.array([choices[g % len(choices)] for g in groups], dtype=object)

    labels = None
    if name == "person":
        since = np.datetime64("1990-01-01", "us") + (groups * 1000 + rng.integers(0, 500, n)).astype("timedelta64[D]")
        bios = ["likes rivers and boats", "writes about trains", "grows tomatoes", "paints großen Häuser"]
        attributes = (
            Attribute("age", "numeric", gaps(20.0 + 10 * groups + rng.normal(size=n), np.nan)),
            Attribute("role", "categorical", gaps(words("clerk", "engineer", "cook", "pilot"), None)),
            Attribute("since", "timestamp", gaps(since, np.datetime64("NaT"))),
            Attribute("bio", "text", gaps(words(*bios), None)),
        )
        labels = np.array([f"Person {i}" for i in range(n)], dtype=object)
    elif name == "company":
        vectors = (np.eye(GROUPS)[groups] + 0.3 * rng.normal(size=(n, GROUPS))).astype(np.float32)
        attributes = (
            Attribute("profile", "vector", gaps(vectors, np.nan)),
            Attribute("revenue", "numeric", gaps(np.exp(groups + rng.normal(size=n)), np.nan)),
        )
        labels = np.array([None if i == 3 else f"Company {i}" for i in range(n)], dtype=object)
    else:
        places = np.stack([-45.0 + 30 * groups, -90.0 + 60 * groups], axis=1) + rng.normal(size=(n, 2))
        attributes = (Attribute("position", "place", gaps(places, np.nan)),)
    return NodeType(name, pd.Index([f"{name[:2]}{i}" for i in range(n)], dtype=object), labels, attributes)


def graph_with_amounts(seed: int = 0) -> Graph:
    """The small graph, one relation with an amount (some missing) and a kind; the others without."""
    graph = small_graph(seed)
    rng = np.random.default_rng(seed)
    count = int((graph.edges.relations == 0).sum())
    amount = np.where(rng.random(count) < 0.2, np.nan, rng.lognormal(size=count))
    kind = rng.choice(np.array(["a", "b", None], dtype=object), count)
    given = {0: (Attribute("amount", "numeric", amount), Attribute("kind", "categorical", kind))}
    return replace(graph, edge_attributes=given)


def tangled_graph(seed: int) -> Graph:
    """Twelve nodes of two types; reversed and parallel edges, self-loops, undirected ones both ways round."""
    rng = np.random.default_rng(seed)
    relations = (
        Relation("to", "a", "a"),
        Relation("with", "a", "a", directed=False),
        Relation("in", "a", "b"),
        Relation("beside", "a", "a", directed=False),
    )
    codes = rng.integers(0, 4, 60)
    heads = rng.integers(0, 7, 60)
    tails = np.where(codes == 2, rng.integers(7, 12, 60), rng.integers(0, 7, 60))
    found = sorted(set(zip(heads.tolist(), codes.tolist(), tails.tolist(), strict=True)))
    columns = np.array(found).T
    types = (NodeType("a", [f"a{i}" for i in range(7)]), NodeType("b", [f"b{i}" for i in range(5)]))  # type: ignore[arg-type]
    return Graph(types, relations, Edges(*columns), split_rule=SplitRule("random", 0.15, 0.15))
