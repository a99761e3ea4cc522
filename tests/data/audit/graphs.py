"""Graphs to audit: one in which there is nothing to find, and one whose relations are projections of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from relwise.data.audit import Audit, Finding, audit
from relwise.data.audit.case import Case
from relwise.data.edges import Edges
from relwise.data.graph import Attribute, Graph, NodeType, Relation, SplitRule
from relwise.data.split import split_graph

SIZES = {"a": 120, "b": 60, "c": 30}
BY_TIME = SplitRule("time", "2020-09-01", "2020-11-01")


def audited(graph: Graph, seed: int = 0) -> Audit:
    """The audit of a graph split by its own rule."""
    return audit(graph, split_graph(graph, seed), seed)


def found(graph: Graph, kind: str, seed: int = 0) -> list[Finding]:
    """Its findings of one kind."""
    return [finding for finding in audited(graph, seed).findings if finding.kind == kind]


def case(graph: Graph, seed: int = 0) -> Case:
    return Case(graph, split_graph(graph, seed), seed, float("inf"))


def make(
    sizes: dict[str, int],
    relations: Sequence[Relation],
    pairs: Sequence[np.ndarray],
    attributes: dict[str, tuple[Attribute, ...]] | None = None,
    **graph: object,
) -> Graph:
    """A graph from pairs of positions within the types, (m, 2) per relation."""
    offset = dict(zip(sizes, np.concatenate([[0], np.cumsum(list(sizes.values()))]), strict=False))
    heads = [p[:, 0] + offset[r.head] for r, p in zip(relations, pairs, strict=True)]
    tails = [p[:, 1] + offset[r.tail] for r, p in zip(relations, pairs, strict=True)]
    codes = [np.full(len(p), i) for i, p in enumerate(pairs)]
    times = graph.pop("times", None)
    types = tuple(
        NodeType(name, pd.Index([f"{name}{i}" for i in range(n)]), None, (attributes or {}).get(name, ()))
        for name, n in sizes.items()
    )
    edges = Edges(np.concatenate(heads), np.concatenate(codes), np.concatenate(tails), times)  # type: ignore[arg-type]
    return Graph(types, tuple(relations), edges, **graph)  # type: ignore[arg-type]


def random_pairs(
    rng: np.random.Generator, heads: int, tails: int, count: int, *, sorted_ends: bool = False, loops: bool = True
) -> np.ndarray:
    """Different pairs, the ends skewed as degrees are; at most `count` of them."""
    weights = [1 / np.sqrt(1 + rng.permutation(n)) for n in (heads, tails)]
    h, t = (rng.choice(len(w), count, p=w / w.sum()) for w in weights)
    if not loops:
        h, t = h[h != t], t[h != t]
    if sorted_ends:
        h, t = np.minimum(h, t), np.maximum(h, t)
    return np.unique(np.stack([h, t], axis=1), axis=0)


def clean_graph(seed: int, dated: bool = False, scale: int = 1) -> Graph:
    """Skewed degrees, seven relations, one of them functional, every modality; nothing has to do with anything."""
    rng = np.random.default_rng(seed)
    sizes = {name: n * scale for name, n in SIZES.items()}
    relations = (
        Relation("r1", "a", "b"),
        Relation("r2", "a", "b"),
        Relation("r3", "b", "c"),
        Relation("r4", "a", "a"),
        Relation("r5", "a", "a", directed=False),
        Relation("of", "b", "c"),
        Relation("r6", "a", "c"),
    )
    pairs = []
    for relation in relations:
        heads, tails = sizes[relation.head], sizes[relation.tail]
        if relation.name == "of":
            pairs.append(np.stack([np.arange(heads), rng.integers(0, tails, heads)], axis=1))
        else:
            within = relation.head == relation.tail
            count = 600 * scale
            pairs.append(random_pairs(rng, heads, tails, count, sorted_ends=not relation.directed, loops=not within))
    total = sum(map(len, pairs))
    times = np.datetime64("2020-01-01", "us") + rng.integers(0, 366, total).astype("timedelta64[D]")
    return make(
        sizes,
        relations,
        pairs,
        {name: _random_attributes(rng, n) for name, n in sizes.items()},
        times=times if dated else None,
        split_rule=BY_TIME if dated else SplitRule(),
    )


def _random_attributes(rng: np.random.Generator, n: int) -> tuple[Attribute, ...]:
    words = np.array([f"w{i}" for i in range(8)], dtype=object)
    many = np.empty(n, dtype=object)
    many[:] = [tuple(words[rng.integers(0, 8, rng.integers(1, 4))]) for _ in range(n)]
    days = rng.integers(0, 900, n).astype("timedelta64[D]")
    return (
        Attribute("x", "numeric", np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))),
        Attribute("k", "categorical", words[rng.integers(0, 8, n)]),
        Attribute(
            "t", "text", np.array([f"{words[i % 8]} {'long ' * int(rng.integers(9))}{i}" for i in range(n)], object)
        ),
        Attribute("p", "place", rng.uniform(-80, 80, (n, 2))),
        Attribute("v", "vector", rng.normal(size=(n, 4)).astype(np.float32)),
        Attribute("m", "multi_categorical", many),
        Attribute("b", "boolean", rng.integers(0, 2, n).astype(np.float64)),
        Attribute("d", "timestamp", np.datetime64("2010-01-01", "us") + days),
    )


def purchases(seed: int = 0, rule: SplitRule | None = None, undated: bool = False) -> Graph:
    """Shops buy from sellers; each shop is of one firm; a firm's two kinds of orders are projected from those.

    `order` and `small_order` divide the purchases between them; `changes` are seven in ten of all orders. With `rule`
    by time every purchase has a date, which its order shares; `undated` leaves out those of the purchases.
    """
    rng = np.random.default_rng(seed)
    sizes = {"firm": 12, "shop": 150, "seller": 300}
    firm = rng.integers(0, sizes["firm"], sizes["shop"])
    bought = random_pairs(rng, sizes["shop"], sizes["seller"], 1500)
    orders, first = np.unique(np.stack([firm[bought[:, 0]], bought[:, 1]], axis=1), axis=0, return_index=True)
    large = rng.random(len(orders)) < 0.6
    changed = rng.random(len(orders)) < 0.7
    relations = (
        Relation("buys_from", "shop", "seller"),
        Relation("part_of", "shop", "firm"),
        Relation("order", "firm", "seller"),
        Relation("small_order", "firm", "seller"),
        Relation("changes", "firm", "seller"),
    )
    shops = np.stack([np.arange(sizes["shop"]), firm], axis=1)
    pairs = [bought, shops, orders[large], orders[~large], orders[changed]]
    times = None
    if rule is not None and rule.by == "time":
        days = rng.integers(0, 366, len(bought))
        moments = np.datetime64("2020-01-01", "us") + days.astype("timedelta64[D]")
        never = np.full(len(shops), np.datetime64("NaT"), "datetime64[us]")
        of = moments[first]
        kept = np.full(len(bought), np.datetime64("NaT"), "datetime64[us]") if undated else moments
        times = np.concatenate([kept, never, of[large], of[~large], of[changed]])
    return make(sizes, relations, pairs, times=times, split_rule=rule or SplitRule())
